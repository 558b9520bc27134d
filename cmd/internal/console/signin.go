package console

import (
	"net/http"
	"net/url"
	"strings"
)

func (c *Console) signInRoutes() []route {
	return []route{
		{Pattern: "POST /sign-out", Everybody: true, do: (*visit).signOut},
	}
}

// signInPath is where r's sender signs in, to come back to where they wanted to go.
func signInPath(r *http.Request) string {
	if r.URL.Path == "/" {
		return "/sign-in"
	}
	return "/sign-in?" + url.Values{"to": {r.URL.RequestURI()}}.Encode()
}

// within returns path when it is one of our own, else the first screen: nobody is sent on to another site.
func within(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

// signOut ends the session, here and in the store.
func (v *visit) signOut() error {
	if err := v.sessions.Destroy(v.ctx()); err != nil {
		return err
	}
	return v.to("/sign-in")
}
