// What the pages do beyond links and forms. Nothing here is needed: each page works without it.
