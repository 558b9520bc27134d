// Keys that move between rows and to the search, a button that copies, and what a page that looks for changes by itself says. Nothing here is needed.
(() => {
  const rows = () => [...document.querySelectorAll("main a.go")].filter(a => a.checkVisibility());
  const move = by => {
    const list = rows(), at = list.indexOf(document.activeElement);
    const next = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + by, 0), list.length - 1);
    list[next]?.focus();
    list[next]?.closest(".row")?.scrollIntoView({ block: "nearest" });
  };
  const typing = e => e.target.closest?.("input, select, textarea, [contenteditable]");
  const keys = document.getElementById("keys");
  document.addEventListener("keydown", e => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || keys?.open) return;
    const search = document.getElementById("q");
    if (typing(e)) {
      if (e.target === search && e.key === "ArrowDown" && rows().length) { e.preventDefault(); e.target.blur(); move(1); }
      return;
    }
    const on = document.activeElement?.matches?.("a.go");
    const does = { "/": () => { search?.focus(); search?.select(); }, "j": () => move(1), "k": () => move(-1), "?": () => keys?.showModal() };
    if (on) Object.assign(does, { "ArrowDown": () => move(1), "ArrowUp": () => move(-1) });
    if (does[e.key]) { e.preventDefault(); does[e.key](); }
  });
  for (const b of document.querySelectorAll("[data-opens]")) {
    b.hidden = false;
    b.addEventListener("click", () => document.getElementById(b.dataset.opens)?.showModal());
  }
  for (const b of document.querySelectorAll("[data-closes]")) {
    b.addEventListener("click", () => document.getElementById(b.dataset.closes)?.close());
  }

  // Whoever writes what was agreed has answered: the answer above it follows.
  document.addEventListener("input", e => {
    if (e.target.type === "radio" || !e.target.value?.trim()) return;
    const set = e.target.closest(".setting fieldset")?.querySelector("input[type=radio][value=set]");
    if (set) set.checked = true;
  });
  for (const b of document.querySelectorAll("[data-copies]")) {
    const text = document.getElementById(b.dataset.copies), says = b.textContent;
    if (!text || !navigator.clipboard) continue;
    b.hidden = false;
    b.addEventListener("click", () => navigator.clipboard.writeText(text.value).then(() => { b.textContent = "Copied"; }, () => { text.select(); b.textContent = says; }));
  }

  // What was unfolded stays so when a part of the page is taken anew.
  let open = [];
  document.addEventListener("htmx:beforeSwap", () => { open = [...document.querySelectorAll("details[open][id]")].map(d => d.id); });
  document.addEventListener("htmx:afterSwap", () => { for (const id of open) document.getElementById(id)?.setAttribute("open", ""); });

  // Silence of the hub must not look like a day on which nothing happens.
  const touch = document.getElementById("touch");
  const lost = e => {
    if (!touch || e.detail?.pathInfo?.requestPath?.startsWith("/changes") === false || !touch.hidden) return;
    touch.textContent = "This page has had no answer from the hub since " + new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) + " by this computer's clock. What it shows may have changed: load it again before you rely on it.";
    touch.hidden = false;
  };
  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:responseError", lost);
  document.addEventListener("htmx:timeout", lost);
  document.addEventListener("htmx:afterRequest", e => { if (touch && e.detail?.successful) touch.hidden = true; });
})();
