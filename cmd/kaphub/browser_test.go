package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/sandbox"
)

// axe is the judge of every page: axe-core, which .ci/needs installs.
const axe = "../../.ci/browser/node_modules/axe-core/axe.min.js"

// inBrowser has the tests in a real browser run: make test sets it, in a run of their own without the race detector.
const inBrowser = "KAPHUB_BROWSER"

// browsing skips a test where there is no browser, and fails it in CI.
func browsing(t *testing.T) (browser, judge string) {
	t.Helper()
	if name, _, _ := strings.Cut(t.Name(), "/"); !strings.HasSuffix(name, "Browser") && name != "TestScreenshots" {
		t.Fatalf("%s must end in Browser: make test finds those tests by that", name)
	}
	if os.Getenv(inBrowser) == "" {
		t.Skip("make test, or " + inBrowser + "=1, runs it in a browser")
	}
	missing := t.Skipf
	if os.Getenv("CI") == "true" {
		missing = t.Fatalf
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing("there is no chromium here: .ci/needs installs it")
	}
	text, err := os.ReadFile(axe)
	if err != nil {
		missing("there is no axe-core here: .ci/needs installs it")
	}
	return path, string(text)
}

// practised is the demo's hub after one whole cycle, with the sandbox behind it.
func practised(t *testing.T) *hub {
	t.Helper()
	ctx := t.Context()
	world, err := sandbox.NewWorld(sandbox.WorldOptions{Now: time.Now, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	practice, prescriber, err := world.Serve(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{out: t.Output(), err: t.Output(), now: time.Now, log: slog.New(slog.DiscardHandler)}
	c := demoCommand{Listen: "127.0.0.1:0"}
	h, err := c.open(ctx, s, t.TempDir(), practice, prescriber)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	if err := c.cycle(ctx, s, h, world); err != nil {
		t.Fatal(err)
	}
	return h
}

// shownTo is the console as somebody with roles sees it, at an address of this machine.
func (h *hub) shownTo(t *testing.T, roles ...people.Role) string {
	t.Helper()
	who := people.Account{ID: "p-" + string(roles[0]), Login: string(roles[0]), Name: "Invented " + roles[0].Title(), Roles: roles, Epoch: 1, Ready: true, Enrolled: true}
	if who.Is(people.Therapist) {
		who.Therapist = "Robin Sample, LPC"
	}
	routes, err := h.windowed(newMetrics(h), &who)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(routes)
	t.Cleanup(server.Close)
	return server.URL
}

// walker is a browser that looks at everything it is led to.
type walker struct {
	t     *testing.T
	ctx   context.Context
	base  string
	judge string
	mu    sync.Mutex
	wrong []string // what the browser itself found wrong since it was asked last
	plain bool     // without JavaScript
}

// newWalker opens a browser at base.
func newWalker(t *testing.T, base string, plain bool) *walker {
	t.Helper()
	path, judge := browsing(t)
	w := &walker{t: t, base: base, judge: judge, plain: plain}
	var options []chromedp.ExecAllocatorOption
	options = append(options, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()))
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	limited, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	t.Cleanup(cancel)
	allocated, end := chromedp.NewExecAllocator(limited, options...)
	t.Cleanup(end)
	var closed context.CancelFunc
	w.ctx, closed = chromedp.NewContext(allocated, chromedp.WithListener(w.heard))
	t.Cleanup(closed)
	for _, enable := range []func() error{
		func() error { _, err := chromedp.Call(w.ctx, log.Enable, cdp.Empty{}); return err },
		func() error { _, err := chromedp.Call(w.ctx, network.Enable, network.EnableParams{}); return err },
		func() error {
			_, err := chromedp.Call(w.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: plain})
			return err
		},
	} {
		if err := enable(); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// heard notes what must not happen: a request to anybody else, a breach of the page's policy, an error in a script.
func (w *walker) heard(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		// data: is the browser's own drawing of a date field; ours would breach the policy, which is heard below.
		if u := e.Request.URL; !strings.HasPrefix(u, w.base+"/") && !strings.HasPrefix(u, "about:") && !strings.HasPrefix(u, "data:") {
			w.wrong = append(w.wrong, "asks "+e.Request.URL)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			w.wrong = append(w.wrong, e.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		w.wrong = append(w.wrong, e.ExceptionDetails.Text)
	}
}

func (w *walker) heardWrong() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	wrong := w.wrong
	w.wrong = nil
	return wrong
}

// open shows a page and returns the status of the answer.
func (w *walker) open(path string) int64 {
	w.t.Helper()
	answer, err := chromedp.Run(w.ctx, chromedp.NavigateResponse(w.base+path))
	if err != nil {
		w.t.Fatalf("open %s: %v", path, err)
	}
	return answer.Status
}

// asked evaluates an expression in the page.
func inPage[T any](w *walker, expression string) T {
	w.t.Helper()
	value, err := chromedp.Run(w.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		w.t.Fatal(err)
	}
	return value
}

// in has the page shown by a colour scheme and at a width.
func (w *walker) in(scheme string, width int64) {
	w.t.Helper()
	_, err := chromedp.Call(w.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	if err == nil {
		err = chromedp.Do(w.ctx, chromedp.EmulateViewport(width, 1000))
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// judged is what axe finds wrong with the page, a line each.
func (w *walker) judged() []string {
	w.t.Helper()
	if there := inPage[bool](w, `"axe" in window`); !there {
		inPage[bool](w, w.judge+`; true`)
	}
	text, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`
		axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r =>
			JSON.stringify(r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 120)).slice(0, 3).join(" | "))))`, chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatalf("axe: %v", err)
	}
	var found []string
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		w.t.Fatal(err)
	}
	return found
}

// links are where the page leads, within the console.
func (w *walker) links() []string {
	return inPage[[]string](w, `[...document.querySelectorAll("a[href]")].map(a => a.href).filter(h => h.startsWith(location.origin + "/")).map(h => h.slice(location.origin.length).split("#")[0])`)
}

// keys are the parts of an address that name one thing among many.
var keys = regexp.MustCompile(`^[a-z](-[0-9]+)?-[a-z0-9]{6,}$|^[0-9a-f]{8,}$|^@?[0-9]+$|^R[0-9]{2}$|^[0-9-]{10}.*$`)

// shapeOf is an address without what it is about: pages of one shape come from one template.
func shapeOf(path string) string {
	u, err := url.Parse(path)
	if err != nil {
		return path
	}
	parts := strings.Split(u.Path, "/")
	for i, p := range parts {
		if keys.MatchString(p) {
			parts[i] = "*"
		}
	}
	var asks []string
	for name := range u.Query() {
		asks = append(asks, name)
	}
	slices.Sort(asks)
	return strings.Join(append([]string{strings.Join(parts, "/")}, asks...), " ")
}

// Each of one shape is looked at so often: some are about people in other situations.
const ofAShape = 2

// walk goes wherever the console leads, and has look judge each page.
func (w *walker) walk(look func(path string)) (shapes []string) {
	w.t.Helper()
	queue, seen, often := []string{"/"}, map[string]bool{"/": true}, map[string]int{}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		shape := shapeOf(path)
		if often[shape]++; often[shape] > ofAShape {
			continue
		}
		if download.MatchString(path) {
			continue // no page
		}
		if status := w.open(path); status >= 400 {
			w.t.Errorf("%s leads to an answer of %d", path, status)
		}
		look(path)
		for _, wrong := range w.heardWrong() {
			w.t.Errorf("%s: %s", path, wrong)
		}
		for _, next := range w.links() {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	for shape := range often {
		shapes = append(shapes, shape)
	}
	slices.Sort(shapes)
	return shapes
}

// download is what a browser keeps instead of showing it, or what is not the console's.
var download = regexp.MustCompile(`\.(csv|json|pdf|html|yaml|txt)(\?|$)|^/(metrics|healthz|readyz)|[?&]format=`)

// Every page that the console leads to, for every role, is without fault to axe in both themes, fits a phone, asks nobody
// but us, and breaks no policy.
func TestEveryPageIsForEverybodyInABrowser(t *testing.T) {
	browsing(t)
	h := practised(t)
	for _, role := range []people.Role{people.Owner, people.Admin, people.Therapist, people.Reader, people.Privacy, people.Operator} {
		t.Run(string(role), func(t *testing.T) {
			w := newWalker(t, h.shownTo(t, role), false)
			shapes := w.walk(func(path string) {
				for _, scheme := range []string{"light", "dark"} {
					w.in(scheme, 1280)
					for _, v := range w.judged() {
						t.Errorf("%s in %s: %s", path, scheme, v)
					}
				}
				w.in("light", 390)
				if over := inPage[int](w, `document.documentElement.scrollWidth - window.innerWidth`); over > 0 {
					t.Errorf("%s is %d px wider than a phone", path, over)
				}
			})
			t.Logf("%d shapes of pages: %s", len(shapes), strings.Join(shapes, ", "))
		})
	}
}

// Without JavaScript every page is there too, and says the same.
func TestEveryPageIsThereWithoutJavaScriptInABrowser(t *testing.T) {
	browsing(t)
	h := practised(t)
	for _, role := range []people.Role{people.Admin, people.Therapist, people.Reader} {
		t.Run(string(role), func(t *testing.T) {
			w := newWalker(t, h.shownTo(t, role), true)
			shapes := w.walk(func(path string) {
				if n := inPage[int](w, `document.querySelectorAll("main h1").length`); n != 1 {
					t.Errorf("%s has %d headings of its own, want 1", path, n)
				}
			})
			if len(shapes) == 0 {
				t.Error("nothing was shown")
			}
		})
	}
}

// forms are the page's forms that change something: what each is sent to.
func (w *walker) forms() []string {
	return inPage[[]string](w, `[...document.forms].filter(f => f.method === "post").map(f => new URL(f.action).pathname)`)
}

// send submits the nth form of the page as it stands, whatever the browser itself would ask for first, and returns the
// status of the page that came of it.
func (w *walker) send(n int) int64 {
	w.t.Helper()
	answer, err := chromedp.RunResponse(w.ctx, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[any](`(() => {
			const f = [...document.forms].filter(f => f.method === "post")[`+strconv.Itoa(n)+`];
			f.noValidate = true;
			const b = f.querySelector("button:not([type=button]), input[type=submit]");
			f.requestSubmit(b || undefined);
			return null;
		})()`))
		return err
	}))
	if err != nil {
		w.t.Fatalf("send form %d: %v", n, err)
	}
	return answer.Status
}

// Every form that the console shows answers whoever sends it empty, or as it stands, with a page that says what is missing
// or what was done: never with a failure of ours, never with a page that is less sound than the rest.
func TestEveryFormAnswersInABrowser(t *testing.T) {
	browsing(t)
	for name, plain := range map[string]bool{"with JavaScript": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			h := practised(t)
			for _, role := range []people.Role{people.Owner, people.Admin, people.Therapist, people.Privacy, people.Operator} {
				w := newWalker(t, h.shownTo(t, role), plain)
				type form struct {
					page, to string
					n        int
				}
				var found []form
				seen := map[string]bool{}
				w.walk(func(path string) {
					for n, to := range w.forms() {
						if shape := shapeOf(to) + " on " + shapeOf(path); !seen[shape] && to != "/sign-out" {
							seen[shape] = true
							found = append(found, form{path, to, n})
						}
					}
				})
				for _, f := range found {
					w.open(f.page)
					if forms := w.forms(); f.n >= len(forms) || forms[f.n] != f.to {
						continue // what was there to do is done
					}
					status := w.send(f.n)
					resting := status == 503 && f.to == "/exchange/sync" // here no engine runs, and it says so
					if status >= 500 && !resting || status == 404 || status == 405 {
						t.Errorf("%s: the form to %s on %s is answered %d", role, f.to, f.page, status)
					}
					if plain {
						w.heardWrong() // a refused form is an error to the browser
						continue
					}
					for _, v := range w.judged() {
						t.Errorf("%s: what the form to %s answers: %s", role, f.to, v)
					}
					w.heardWrong()
				}
				t.Logf("%s: %d forms", role, len(found))
			}
		})
	}
}
