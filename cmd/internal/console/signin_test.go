package console

import (
	"context"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/pquerna/otp/totp"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/fhir/store/storetest"
)

// remembered keeps sessions in memory.
type remembered struct{ *memstore.MemStore }

func (remembered) Own(context.Context, string, string) error { return nil }

func (r remembered) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	return r.Find(token)
}

func (r remembered) CommitCtx(_ context.Context, token string, data []byte, expiry time.Time) error {
	return r.Commit(token, data, expiry)
}

func (r remembered) DeleteCtx(_ context.Context, token string) error { return r.Delete(token) }

func (r remembered) AllCtx(context.Context) (map[string][]byte, error) { return r.All() }

// Nobody comes in to an invented town by its door.
func (w *town) Password(context.Context, people.From, string, string) (people.Passed, error) {
	return people.Passed{}, people.ErrRefused
}

func (w *town) Code(context.Context, people.From, people.Passed, string) (people.Account, error) {
	return people.Account{}, people.ErrOver
}

func (w *town) Device(string) string { return "" }

func (w *town) Invited(context.Context, string) (people.Account, error) {
	return people.Account{}, people.ErrInvitation
}

func (w *town) Accept(context.Context, string, string) (people.Passed, error) {
	return people.Passed{}, people.ErrInvitation
}

func (w *town) Enrol(context.Context, people.Passed) (people.Factor, error) {
	return people.Factor{}, people.ErrOver
}

func (w *town) Confirm(context.Context, people.From, people.Passed, string, string) (people.Account, []string, error) {
	return people.Account{}, nil, people.ErrOver
}

func (w *town) Accounts(context.Context) ([]people.Account, error) {
	var all []people.Account
	for _, id := range slices.Sorted(maps.Keys(w.people)) {
		all = append(all, w.people[id])
	}
	return all, nil
}

func (w *town) Account(_ context.Context, id string) (people.Account, error) {
	a, ok := w.people[id]
	if !ok {
		return a, people.ErrNoAccount
	}
	return a, nil
}

func (w *town) Invite(context.Context, string, people.Profile) (people.Account, people.Invitation, error) {
	return people.Account{}, people.Invitation{}, people.ErrTaken
}

func (w *town) Change(context.Context, string, string, people.Profile) (people.Account, error) {
	return people.Account{}, people.ErrNoAccount
}

func (w *town) Disable(context.Context, string, string) (people.Account, error) {
	return people.Account{}, people.ErrNoAccount
}

func (w *town) Enable(context.Context, string, string) (people.Account, error) {
	return people.Account{}, people.ErrNoAccount
}

func (w *town) Reset(context.Context, string, string, people.Lost) (people.Account, people.Invitation, error) {
	return people.Account{}, people.Invitation{}, people.ErrNoAccount
}

func (w *town) SignOut(_ context.Context, _, id string) (people.Account, error) {
	return w.people[id], nil
}

func (w *town) ChangePassword(context.Context, people.From, string, string, string) (people.Account, error) {
	return people.Account{}, people.ErrRefused
}

func (w *town) NewRecovery(context.Context, people.From, string, string) ([]string, error) {
	return nil, people.ErrRefused
}

// Known are Dana and Lee, who treat many, and whom the town's clients name.
func (w *town) Known(context.Context) (*people.Known, error) {
	clients := [][]fhir.Therapist{{{Name: "Dana"}}, {{Name: "Lee"}}}
	for _, c := range w.view.Clients {
		clients = append(clients, c.Therapists)
	}
	return people.Know(clients), nil
}

func (w *town) Treating(ctx context.Context) (map[string][]fhir.Therapist, error) {
	by := map[string][]fhir.Therapist{}
	for _, c := range w.view.Clients {
		by[c.Client], _ = w.Therapists(ctx, c.Client)
	}
	return by, nil
}

// lobby is a town whose people are in a store, before a clock.
type lobby struct {
	*town
	house *people.House
	store *store.DB
	at    atomic.Int64
	dsn   string
	key   store.Key
}

const (
	good  = "quiet lantern over teal rivers"
	unfit = "seven brass kettles in the attic"
)

func newLobby(t *testing.T, dsn string) *lobby {
	t.Helper()
	l := &lobby{town: newTown(t), dsn: dsn, key: store.NewKey()}
	l.at.Store(now.UnixNano())
	l.open(l.key)
	return l
}

// open has the town's people be those of the store.
func (l *lobby) open(key store.Key) {
	l.t.Helper()
	db, err := store.Open(l.t.Context(), store.Options{DSN: l.dsn, Key: key, Now: l.clock})
	l.must(err)
	l.t.Cleanup(func() { _ = db.Close() })
	l.store = db
	l.house, err = people.New(people.Options{Store: db, Now: l.clock, Title: "Reverie", Cost: people.Cost{Passes: 1, KiB: 64, Lanes: 1}})
	l.must(err)
	o := l.Options
	o.Now, o.Sessions, o.People, o.Door, o.Accounts, o.Looks = l.clock, db.Sessions(), l.house, l.house, l.house, l.house
	l.Console, err = build(o)
	l.must(err)
	l.handler = l.Console.handler()
}

func (l *lobby) clock() time.Time { return time.Unix(0, l.at.Load()).UTC() }

func (l *lobby) pass(d time.Duration) { l.at.Add(int64(d)) }

func (l *lobby) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// person is somebody with a browser, an account and an authenticator app.
type person struct {
	*guest
	lobby  *lobby
	id     string
	login  string
	secret string
	codes  []string // for recovery
}

var (
	secretOnPage = regexp.MustCompile(`data-test-id="secret">([A-Z2-7 ]+)<`)
	recoveryCode = regexp.MustCompile(`<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>`)
)

// invited is somebody who holds an invitation, and has not used it.
func (l *lobby) invited(login string, roles ...people.Role) (p *person, link string) {
	l.t.Helper()
	of := people.Profile{Login: login, Name: strings.ToUpper(login[:1]) + login[1:], Roles: roles}
	if roles[0] == people.Therapist {
		of.Therapist = "Dana"
	}
	a, inv, err := l.house.Invite(l.t.Context(), "operator root", of)
	l.must(err)
	return &person{guest: l.stranger(), lobby: l, id: a.ID, login: a.Login}, people.InvitePath + inv.Token
}

// joined is somebody who came in by an invitation, page by page, and is signed in.
func (l *lobby) joined(login string, roles ...people.Role) *person {
	l.t.Helper()
	p, link := l.invited(login, roles...)
	p.goes(p.get(link), "/invitation")
	p.goes(p.post("/invitation", url.Values{"password": {good}, "again": {good}}), "/sign-in/factor")
	p.enrols()
	return p
}

// enrols sets up the second factor.
func (p *person) enrols() {
	p.t.Helper()
	page := p.get("/sign-in/factor")
	found := secretOnPage.FindStringSubmatch(page.body)
	if found == nil {
		p.t.Fatalf("no key on the page of the second factor: %d %s", page.StatusCode, page.body)
	}
	p.secret = strings.ReplaceAll(found[1], " ", "")
	a := p.post("/sign-in/factor", url.Values{"code": {p.code()}})
	p.codes = nil
	for _, c := range recoveryCode.FindAllStringSubmatch(a.body, -1) {
		p.codes = append(p.codes, c[1])
	}
	if a.StatusCode != http.StatusOK || len(p.codes) != 8 {
		p.t.Fatalf("%d with %d recovery codes: %s", a.StatusCode, len(p.codes), a.body)
	}
	p.lobby.pass(time.Minute) // that code is used
}

func (p *person) code() string {
	p.t.Helper()
	c, err := totp.GenerateCode(p.secret, p.lobby.clock())
	p.lobby.must(err)
	return c
}

// password takes the first step of signing in.
func (p *person) password(word string) answerTo {
	p.t.Helper()
	return p.post("/sign-in", url.Values{"login": {p.login}, "password": {word}})
}

// in signs in.
func (p *person) in() {
	p.t.Helper()
	p.goes(p.password(good), "/sign-in/code")
	p.goes(p.post("/sign-in/code", url.Values{"code": {p.code()}}), "/")
	p.lobby.pass(time.Minute)
}

// elsewhere is the same person at another browser.
func (p *person) elsewhere() *person {
	is := *p
	is.guest = p.lobby.stranger()
	return &is
}

func (g *guest) goes(a answerTo, to string) {
	g.t.Helper()
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != to {
		g.t.Fatalf("answered %d to %q, want to go to %s: %s", a.StatusCode, a.Header.Get("Location"), to, a.body)
	}
}

// sees fails the test unless the page has what is asked.
func (g *guest) sees(a answerTo, status int, ids ...string) {
	g.t.Helper()
	if a.StatusCode != status {
		g.t.Fatalf("answered %d, want %d: %s", a.StatusCode, status, a.body)
	}
	for _, id := range ids {
		if !a.has(id) {
			g.t.Fatalf("the page has no %s: %s", id, a.body)
		}
	}
}

func (g *guest) isIn() bool {
	g.t.Helper()
	return g.get("/").StatusCode == http.StatusOK
}

// bothEngines runs a story of the door over each engine.
func bothEngines(t *testing.T, story func(t *testing.T, l *lobby)) {
	t.Run("sqlite", func(t *testing.T) { story(t, newLobby(t, filepath.Join(t.TempDir(), "kaphub.db"))) })
	t.Run("postgres", func(t *testing.T) {
		if testing.Short() {
			t.Skip("the other engine is tried at length")
		}
		story(t, newLobby(t, storetest.Postgres(t)))
	})
}

func onSQLite(t *testing.T) *lobby {
	t.Helper()
	return newLobby(t, filepath.Join(t.TempDir(), "kaphub.db"))
}

func TestSomebodyComesInByAnInvitationAndAgain(t *testing.T) {
	bothEngines(t, func(t *testing.T, l *lobby) {
		p, link := l.invited("ann", people.Owner)
		p.goes(p.get(link), "/invitation")
		page := p.get("/invitation")
		p.sees(page, http.StatusOK, "accept")
		if !strings.Contains(page.body, `value="ann"`) || strings.Contains(page.body, link) {
			t.Error("the page does not say whose it is, or holds the token")
		}
		for _, bad := range []url.Values{{"password": {good}, "again": {unfit}}, {"password": {"short"}, "again": {"short"}}, {"password": {"passwordpassword"}, "again": {"passwordpassword"}}, {}} {
			p.sees(p.post("/invitation", bad), http.StatusUnprocessableEntity, "wrong", "accept")
		}
		p.goes(p.post("/invitation", url.Values{"password": {good}, "again": {good}}), "/sign-in/factor")
		if p.isIn() {
			t.Fatal("she is in without a second factor")
		}
		image := p.get("/sign-in/factor.png")
		p.enrols()
		if image.Header.Get("Content-Type") != "image/png" && !strings.HasPrefix(p.get("/sign-in/factor.png").body, "\x89PNG") {
			t.Log("the image is shown once the page was")
		}
		if !p.isIn() {
			t.Fatal("she is not in")
		}
		p.goes(p.post("/sign-out", nil), "/sign-in?why=out")
		if p.isIn() {
			t.Fatal("she is still in")
		}
		p.in()
		p.sees(p.stranger().get(link), http.StatusGone, "refused")
		if strings.Contains(l.log.String(), link[len(people.InvitePath):]) {
			t.Error("the log holds the token")
		}
	})
}

func TestTheSecondFactorIsShownAsAnImageToo(t *testing.T) {
	l := onSQLite(t)
	p, link := l.invited("ann", people.Owner)
	p.sees(p.get("/sign-in/factor.png"), http.StatusNotFound)
	p.get(link)
	p.post("/invitation", url.Values{"password": {good}, "again": {good}})
	first := p.get("/sign-in/factor")
	if a := p.get("/sign-in/factor.png"); a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "image/png" || !strings.HasPrefix(a.body, "\x89PNG") {
		t.Errorf("%d %s", a.StatusCode, a.Header.Get("Content-Type"))
	}
	if again := p.get("/sign-in/factor"); secretOnPage.FindString(first.body) != secretOnPage.FindString(again.body) {
		t.Error("another factor is shown when the page is shown again")
	}
	if !strings.Contains(first.body, `href="otpauth://totp/`) {
		t.Error("there is no link for the phone itself")
	}
	p.sees(p.post("/sign-in/factor", url.Values{"code": {"000000"}}), http.StatusUnprocessableEntity, "wrong", "secret")
	p.enrols()
	p.goes(p.get("/sign-in/factor"), "/sign-in?why=late")
}

// Whoever signs in comes to where they wanted to go, and nowhere else.
func TestOneComesBackToWhereOneWas(t *testing.T) {
	l := onSQLite(t)
	p := l.joined("ann", people.Owner)
	for to, want := range map[string]string{"/exchange": "/exchange", "//evil.example/": "/", "https://evil.example": "/", `/\evil.example`: "/", "/exchange?a=b&c=d": "/exchange?a=b&c=d", "/%0d%0aX-Y:%20z": "/%0d%0aX-Y:%20z"} {
		p = p.elsewhere()
		if page := p.get("/sign-in?" + url.Values{"to": {to}}.Encode()); !strings.Contains(page.body, `name="to" value="`+html.EscapeString(want)+`"`) {
			t.Errorf("%q: %s", to, page.body)
		}
		p.goes(p.post("/sign-in", url.Values{"login": {"ann"}, "password": {good}, "to": {to}}), "/sign-in/code")
		a := p.post("/sign-in/code", url.Values{"code": {p.code()}})
		p.goes(a, want)
		if a.Header.Get("X-Y") != "" {
			t.Errorf("%q put a header in", to)
		}
		l.pass(time.Minute)
	}
	a := p.elsewhere().get("/exchange/jobs")
	p.goes(a, "/sign-in?to=%2Fexchange%2Fjobs")
}

// No answer says whether there is such a login, before the door shuts or after.
func TestAnUnknownLoginIsAnsweredLikeAWrongPassword(t *testing.T) {
	l := onSQLite(t)
	l.joined("ann", people.Owner)
	g := l.stranger()
	for n := range 6 {
		real, unreal := g.post("/sign-in", url.Values{"login": {"ann"}, "password": {unfit}}), g.post("/sign-in", url.Values{"login": {"zed"}, "password": {unfit}})
		status, id := http.StatusUnprocessableEntity, "wrong"
		if n == 5 {
			status, id = http.StatusTooManyRequests, "shut"
		}
		g.sees(real, status, id)
		if unreal.StatusCode != real.StatusCode || strings.ReplaceAll(unreal.body, `"zed"`, `"ann"`) != real.body {
			t.Errorf("try %d is answered in other words: %d %s", n, unreal.StatusCode, unreal.body)
		}
		if n == 5 && (!strings.Contains(real.body, l.clock().Add(time.Minute).In(denver).Format("15:04:05 MST")) || real.Header.Get("Retry-After") == "") {
			t.Errorf("until when is not said: %s", real.body)
		}
	}
	if strings.Contains(l.log.String(), unfit) {
		t.Error("the log holds a password")
	}
}

func TestALostPhoneIsReplacedByARecoveryCodeOnce(t *testing.T) {
	l := onSQLite(t)
	p := l.joined("ann", people.Owner)
	for n := range 2 {
		p = p.elsewhere()
		p.goes(p.password(good), "/sign-in/code")
		a := p.post("/sign-in/code", url.Values{"code": {" " + strings.ToUpper(p.codes[0]) + " "}})
		if n == 0 {
			p.goes(a, "/")
			continue
		}
		p.sees(a, http.StatusUnprocessableEntity, "wrong", "code")
	}
}

func TestWhoDoesNothingIsSignedOut(t *testing.T) {
	l := onSQLite(t)
	p := l.joined("ann", people.Owner)
	p.in()
	for range 5 {
		l.pass(19 * time.Minute)
		if !p.isIn() {
			t.Fatal("she was signed out while she worked")
		}
	}
	l.pass(22 * time.Minute)
	p.goes(p.get("/exchange"), "/sign-in?to=%2Fexchange&why=idle")
	if page := p.get("/sign-in?to=%2Fexchange&why=idle"); !page.has("why") || !strings.Contains(page.body, "nothing happened for 20 minutes") {
		t.Errorf("it is not said why: %s", page.body)
	}
	p.in()
	for worked := time.Minute; worked+19*time.Minute < stay; worked += 19 * time.Minute {
		l.pass(19 * time.Minute)
		if !p.isIn() {
			t.Fatalf("she was signed out after %s", worked)
		}
	}
	l.pass(19 * time.Minute)
	p.goes(p.get("/exchange"), "/sign-in?to=%2Fexchange&why=day")
}

// What a page asks for by itself keeps nobody signed in.
func TestAPageThatAsksByItselfKeepsNobodySignedIn(t *testing.T) {
	l := onSQLite(t)
	p := l.joined("ann", people.Owner)
	asks := l.serve(route{Pattern: "GET /asks", SignedIn: true, ByItself: true, do: func(v *visit) error { return v.show("refused", refusedPage{frame: v.frame("")}) }})
	wrapped := l.sessions.LoadAndSave(asks)
	ask := func() int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/asks", nil)
		r.AddCookie(p.cookie)
		rec := httptest.NewRecorder()
		wrapped.ServeHTTP(rec, r)
		return rec.Code
	}
	for range 20 {
		if got := ask(); got != http.StatusOK {
			t.Fatalf("it is answered %d", got)
		}
		l.pass(time.Minute)
	}
	l.pass(2 * time.Minute)
	if got := ask(); got != http.StatusSeeOther {
		t.Errorf("she is signed in after 22 minutes in which she did nothing: %d", got)
	}
}

func TestWhatPagesAskForByThemselvesIsMarked(t *testing.T) {
	w := newTown(t)
	asked := regexp.MustCompile(`hx-get="([^>]*)hx-trigger="[^"]*every`)
	path := regexp.MustCompile(`/[a-z/-]+`)
	marked := map[string]bool{}
	for _, rt := range w.routes() {
		if rt.ByItself {
			marked[strings.TrimPrefix(rt.Pattern, "GET ")] = true
		}
	}
	for _, page := range w.pages.Templates() {
		if page.Tree == nil {
			continue
		}
		for _, found := range asked.FindAllStringSubmatch(page.Tree.Root.String(), -1) {
			if !marked[path.FindString(found[1])] {
				t.Errorf("%s asks for %s again and again: its route needs ByItself", page.Name(), found[1])
			}
		}
	}
}

func TestARequestIsBelievedAsFarAsItsProxyIs(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}
	for _, r := range []struct{ name, peer, forwarded, want string }{
		{"this machine's own request", "127.0.0.1", "", "127.0.0.1"},
		{"by a proxy of this machine", "127.0.0.1", "203.0.113.9", "203.0.113.9"},
		{"by a proxy that is named", "10.0.0.7", "203.0.113.9", "203.0.113.9"},
		{"what a stranger wrote before it", "127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"},
		{"by two proxies of ours", "::1", "203.0.113.9, 10.0.0.7", "203.0.113.9"},
		{"a stranger who says they ask for somebody", "203.0.113.9", "198.51.100.1", "203.0.113.9"},
		{"a stranger who says they ask from this machine", "203.0.113.9", "127.0.0.1", "203.0.113.9"},
		{"a proxy that says what is no address", "127.0.0.1", "unknown", "127.0.0.1"},
		{"with ports", "127.0.0.1", "203.0.113.9:4711", "203.0.113.9"},
		{"IPv6 in brackets", "127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"},
		{"IPv4 within IPv6", "::ffff:127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"},
	} {
		if got := asker(address(r.peer), []string{r.forwarded}, proxies); got.String() != r.want {
			t.Errorf("%s: %s, want %s", r.name, got, r.want)
		}
	}
}

// A password never crosses a network in the clear, and a name that leads to this machine opens nothing.
func TestHowTheConsoleIsReached(t *testing.T) {
	guest := &people.Account{ID: "demo", Name: "Demo", Roles: []people.Role{people.Owner}}
	for _, r := range []struct {
		name, public, peer, host string
		guest                    *people.Account
		headers                  map[string]string
		may                      bool
	}{
		{name: "at the machine itself", peer: "127.0.0.1:9", host: "127.0.0.1:8080", may: true},
		{name: "at the machine itself, by name", peer: "[::1]:9", host: "localhost:8080", may: true},
		{name: "from the network, without TLS", peer: "203.0.113.9:9", host: "hub:8080"},
		{name: "a stranger's name that leads here", peer: "127.0.0.1:9", host: "evil.example"},
		{name: "by a proxy, without public_url", peer: "127.0.0.1:9", host: "127.0.0.1:8080", headers: map[string]string{"X-Forwarded-For": "203.0.113.9"}},
		{name: "by a proxy of this machine", public: "https://hub.example", peer: "127.0.0.1:9", host: "hub.example", headers: map[string]string{"X-Forwarded-For": "203.0.113.9"}, may: true},
		{name: "by a proxy that is named", public: "https://hub.example", peer: "10.0.0.7:9", host: "hub.example", may: true},
		{name: "by a proxy that is not named and says https", public: "https://hub.example", peer: "10.9.9.9:9", host: "hub.example", headers: map[string]string{"X-Forwarded-Proto": "https"}, may: true},
		{name: "past the proxy", public: "https://hub.example", peer: "203.0.113.9:9", host: "hub:8080"},
		{name: "by http to the proxy", public: "https://hub.example", peer: "127.0.0.1:9", host: "hub.example", headers: map[string]string{"X-Forwarded-Proto": "http"}},
		{name: "the demo at its address", guest: guest, peer: "192.168.1.9:9", host: "192.168.1.4:8080", may: true},
		{name: "the demo by a stranger's name", guest: guest, peer: "127.0.0.1:9", host: "evil.example:8080"},
	} {
		w := newTown(t)
		o := w.Options
		o.Public, o.Proxies, o.Guest = r.public, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}, r.guest
		h, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/sign-in", "/", "/nowhere"} {
			q := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			q.RemoteAddr, q.Host = r.peer, r.host
			for k, v := range r.headers {
				q.Header.Set(k, v)
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, q)
			if got := rec.Code != http.StatusForbidden; got != r.may {
				t.Errorf("%s: %s is answered %d", r.name, path, rec.Code)
			}
			if !r.may && (strings.Contains(rec.Body.String(), "Robin") || strings.Contains(rec.Body.String(), "evil.example") || rec.Header().Get("Set-Cookie") != "") {
				t.Errorf("%s: %s", r.name, rec.Body)
			}
		}
	}
}

func TestACookieGoesNowhereElse(t *testing.T) {
	l := onSQLite(t)
	p := l.joined("ann", people.Owner)
	if c := p.cookie; c.Name != "__Host-kaphub" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 0 || !c.Expires.IsZero() || len(c.Value) < 40 {
		t.Errorf("%+v", c)
	}
	if n := strconv.Itoa(len(l.stranger().get("/sign-in").Header.Values("Set-Cookie"))); n != "0" {
		t.Errorf("a stranger who only looks gets %s cookies", n)
	}
}

func (w *town) Phone() string { return "303-555-0140" }
