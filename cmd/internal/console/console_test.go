package console

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

var (
	denver, _ = time.LoadLocation("America/Denver")
	now       = time.Date(2026, time.March, 3, 16, 0, 0, 0, time.UTC) // Tuesday 09:00 in Denver
)

// town is a console over invented facts, and what it did.
type town struct {
	*Console
	t       *testing.T
	handler http.Handler
	view    report.Input
	looks   []string
	away    error // of the store
	desk    *pretendDesk
	people  map[string]people.Account
	open    map[string][]exchange.Glass // by account
	log     bytes.Buffer
	far     *far
	room    room
	lost    error // why nothing can be looked at
	ledger  *books
	tray    *tray
	moved   map[string][]fhir.Therapist // whose clients are by now, where not whose the view says
	pairs   *pairs
	reaches map[string]readiness.Reach // nil: at all hours
}

// newTown is a practice with two clients: Robin is Dana's, Kim is Lee's.
func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t, people: map[string]people.Account{}, open: map[string][]exchange.Glass{}, far: newFar(), ledger: newBooks(), tray: newTray(), pairs: newPairs()}
	w.view = report.Input{
		Generated: now, AsOf: now, Practice: "Reverie", Zone: denver, Titles: map[string]string{"practice": "Reverie", "skylight": "Skylight"},
		Sources: []report.Source{{Name: "skylight", Party: "skylight", Title: "Skylight", State: report.Fresh, LastComplete: now}},
		Clients: []readiness.Verdict{
			verdict("c-robin", "Robin", "Dana", now.Add(2*time.Hour), readiness.Ready),
			verdict("c-kim", "Kim", "Lee", now.Add(4*time.Hour), readiness.Hold),
		},
	}
	w.desk = newPretendDesk(t)
	o := &office{w: w}
	c, err := build(Options{
		Practice: "Reverie", Zone: denver, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		Public: "https://example.com", Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, // as httptest asks
		Sessions: remembered{memstore.New()}, People: w, Door: w, Accounts: w, Staff: w, Views: w, Board: w, Search: w,
		Exchange: w.far, Engine: w.far,
		Desk: w.desk, Roster: w.desk, Second: w.desk, Asking: w.desk,
		Clients: w, Room: w, Looks: w,
		Triage: o, Reports: o,
		Settings: w.settings(),
		Ledger:   w.ledger, Rejects: w.tray, Vault: w.tray, Links: w.pairs,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Console = c
	w.handler = c.handler()
	return w
}

func verdict(key, chosen, therapist string, session time.Time, state readiness.State) readiness.Verdict {
	return readiness.Verdict{
		Client: key, Prescriber: "skylight", Chosen: chosen, State: state, Words: "Words of " + chosen, Owner: readiness.Therapist, Next: "the next step of " + chosen,
		Until: now.Add(time.Hour), Judged: now, Therapists: []fhir.Therapist{{Name: therapist}},
		Appointment: &readiness.Appointment{Source: "ehr", Type: "Appointment", ID: "a-" + key, Start: session, End: session.Add(2 * time.Hour), Therapist: therapist},
	}
}

func (w *town) Session(_ context.Context, id string, epoch int64) (people.Account, error) {
	a, ok := w.people[id]
	if !ok || a.Disabled || a.Epoch != epoch {
		return people.Account{}, people.ErrOver
	}
	return a, nil
}

func (w *town) Glass(_ context.Context, account string) ([]exchange.Glass, error) {
	return w.open[account], nil
}

func (w *town) Look(_ context.Context, by, what, client, asOf string) (report.Input, error) {
	if by != "" {
		w.looks = append(w.looks, strings.Join([]string{by, what, client, asOf}, "|"))
	}
	in := w.view
	in.Reaches = w.reached()
	if w.lost != nil {
		return in, w.lost
	}
	if client != "" {
		in.Clients = nil
		for _, c := range w.view.Clients {
			if c.Client == client {
				in.Clients = append(in.Clients, c)
			}
		}
		if len(in.Clients) == 0 {
			return in, exchange.ErrNotFound
		}
	}
	return in, nil
}

func (w *town) Therapists(_ context.Context, client string) ([]fhir.Therapist, error) {
	if by, ok := w.moved[client]; ok {
		return by, nil
	}
	for _, c := range w.view.Clients {
		if c.Client == client {
			return c.Therapists, nil
		}
	}
	return nil, exchange.ErrNotFound
}

// guest is somebody at a browser.
type guest struct {
	*town
	cookie  *http.Cookie
	kept    []*http.Cookie // beside the session's
	headers http.Header
}

// as is somebody signed in with roles; a therapist is Dana.
func (w *town) as(roles ...people.Role) *guest {
	w.t.Helper()
	a := people.Account{ID: "p-" + string(roles[0]), Login: string(roles[0]), Name: "Ann " + string(roles[0]), Roles: roles, Epoch: 1, Ready: true, Enrolled: true}
	if a.Is(people.Therapist) {
		a.Therapist = "Dana"
	}
	w.people[a.ID] = a
	ctx, err := w.sessions.Load(context.Background(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.begin(ctx, a, "Firefox on Linux", a.ID, w.Now()); err != nil {
		w.t.Fatal(err)
	}
	token := w.sessions.Token(ctx)
	return &guest{town: w, cookie: &http.Cookie{Name: w.sessions.Cookie.Name, Value: token}}
}

// stranger is nobody in particular.
func (w *town) stranger() *guest { return &guest{town: w} }

// asks is a get of a page's own.
func (g *guest) asks(path string) answerTo {
	g.t.Helper()
	g.headers = http.Header{"Hx-Request": {"true"}}
	defer func() { g.headers = nil }()
	return g.get(path)
}

// answerTo is what came back.
type answerTo struct {
	*http.Response
	body string
}

// has reports whether the page has an element of a data-test-id.
func (a answerTo) has(id string) bool { return strings.Contains(a.body, `data-test-id="`+id+`"`) }

func (g *guest) get(path string) answerTo { return g.do(http.MethodGet, path, nil) }

func (g *guest) post(path string, form url.Values) answerTo { return g.do(http.MethodPost, path, form) }

func (g *guest) do(method, path string, form url.Values) answerTo {
	g.t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	maps.Copy(r.Header, g.headers)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if g.cookie != nil {
		r.AddCookie(g.cookie)
	}
	for _, c := range g.kept {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	g.handler.ServeHTTP(rec, r)
	res := rec.Result()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		if c.Name == g.sessions.Cookie.Name {
			g.cookie = c
		} else {
			g.kept = append(slices.DeleteFunc(g.kept, func(old *http.Cookie) bool { return old.Name == c.Name }), c)
		}
	}
	return answerTo{res, string(body)}
}

func TestAStrangerIsAskedToSignIn(t *testing.T) {
	a := newTown(t).stranger().get("/")
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/sign-in" {
		t.Errorf("%d to %q", a.StatusCode, a.Header.Get("Location"))
	}
}

func TestATherapistSeesTheirOwnClientsAlone(t *testing.T) {
	w := newTown(t)
	if a := w.as(people.Therapist).get("/"); !strings.Contains(a.body, "Robin") || strings.Contains(a.body, "Kim") {
		t.Errorf("Dana sees %s", a.body)
	}
	if a := w.as(people.Admin).get("/"); !strings.Contains(a.body, "Robin") || !strings.Contains(a.body, "Kim") {
		t.Errorf("an admin sees %s", a.body)
	}
}

func TestAnOperatorSeesNoClient(t *testing.T) {
	if a := newTown(t).as(people.Operator).get("/"); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/exchange" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

func TestEveryAnswerKeepsToItself(t *testing.T) {
	a := newTown(t).as(people.Owner).get("/")
	policy := a.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", a.Header)
	}
	for _, inline := range []string{"<style", " style=", " onclick", "javascript:", "<script>"} {
		if strings.Contains(a.body, inline) {
			t.Errorf("the page has %q in it", inline)
		}
	}
}

func TestAFormFromAnotherSiteIsRefused(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/sign-out", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.AddCookie(g.cookie)
	rec := httptest.NewRecorder()
	g.handler.ServeHTTP(rec, r)
	if rec.Code != http.StatusForbidden {
		t.Errorf("it was answered %d", rec.Code)
	}
	if a := g.get("/"); a.StatusCode != http.StatusOK {
		t.Errorf("the session ended by it: %d", a.StatusCode)
	}
}

func TestNobodyIsSentToAnotherSite(t *testing.T) {
	for path, want := range map[string]string{
		"/clients/c-1?as-of=@12": "/clients/c-1?as-of=@12", "": "/", "https://evil.example/": "/", "//evil.example": "/", "///evil.example": "/", "/%2fevil.example": "/%2fevil.example", `/\evil.example`: "/", "javascript:alert(1)": "/", "/a\r\nX: y": "/",
	} {
		if got := within(path); got != want {
			t.Errorf("%q leads to %q, want %q", path, got, want)
		}
	}
}
