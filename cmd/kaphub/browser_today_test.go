package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// On Today keys lead to the search, between rows and to their list; whoever types sees who fits; and a page that looks for
// changes by itself leaves the reader where they were.
func TestTodayByKeysAndByItselfInABrowser(t *testing.T) {
	browsing(t)
	h := practised(t)
	w := newWalker(t, h.shownTo(t, people.Owner), false)
	w.in("light", 1280)
	w.open("/")
	press := `const press = key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
		const at = () => document.activeElement.id || document.activeElement.tagName;
		const rows = [...document.querySelectorAll("main a.go")].filter(a => a.checkVisibility()).map(a => a.id);`
	got := inPage[[]string](w, `(() => {`+press+` const out = [rows[0], rows[1]];
		press("j"); out.push(at()); press("j"); out.push(at()); press("k"); out.push(at()); press("ArrowDown"); out.push(at());
		press("?"); out.push(String(document.getElementById("keys").open)); document.getElementById("keys").close();
		press("/"); out.push(at()); press("j"); out.push(at()); return out; })()`)
	if want := strings.Join([]string{got[0], got[1], got[0], got[1], got[0], got[1], "true", "q", "q"}, " "); strings.Join(got, " ") != want {
		t.Errorf("keys lead to %v, want %s", got, want)
	}
	peek, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`(async () => { const q = document.getElementById("q"); q.value = "exam"; q.dispatchEvent(new Event("input", {bubbles: true}));
		for (let i = 0; i < 200 && !document.querySelector("#found .row"); i++) await new Promise(r => setTimeout(r, 50));
		return document.getElementById("found").innerText; })()`, chromedp.EvalAwaitPromise))
	if err != nil || !strings.Contains(peek, "Example") || !strings.Contains(peek, "born ") {
		t.Errorf("typing shows %q, %v", peek, err)
	}
	w.open("/")
	kept, err := chromedp.Run(w.ctx, chromedp.Evaluate[[]string](`(async () => { const row = document.querySelector("main a.go"); row.focus(); document.getElementById("later").open = true;
		document.getElementById("board").dataset.before = "yes"; const poll = document.getElementById("poll"), old = poll;
		await htmx.ajax("GET", "/changes?mark=old&strip=old", {target: "#board", swap: "innerHTML"});
		for (let i = 0; i < 200 && document.getElementById("poll") === old; i++) await new Promise(r => setTimeout(r, 50));
		await new Promise(r => setTimeout(r, 100));
		return [row.id, document.activeElement.id, String(document.getElementById("later").open), document.getElementById("told").innerText, String(document.querySelectorAll("#fresh").length)]; })()`, chromedp.EvalAwaitPromise))
	if err != nil || len(kept) != 5 || kept[0] != kept[1] || kept[2] != "true" || !strings.Contains(kept[3], "Today has changed") || kept[4] != "1" {
		t.Errorf("after a change the reader is at %v, %v", kept, err)
	}
	for _, wrong := range w.heardWrong() {
		t.Error(wrong)
	}
}
