package console

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// sessionOf is the context of the session that somebody's cookie names.
func sessionOf(g *guest) context.Context {
	g.t.Helper()
	ctx, err := g.sessions.Load(context.Background(), g.cookie.Value)
	if err != nil {
		g.t.Fatal(err)
	}
	return ctx
}

// holds is a browser with a cookie of that value.
func (l *lobby) holds(token string) *guest {
	return &guest{town: l.town, cookie: &http.Cookie{Name: l.sessions.Cookie.Name, Value: token}}
}

// A token that was known before somebody signed in opens nothing after, at no step.
func TestNobodyFixesASession(t *testing.T) {
	bothEngines(t, func(t *testing.T, l *lobby) {
		ann := l.joined("ann", people.Owner)
		planted := "a-token-that-an-attacker-chose-and-knows-0001"
		ann = ann.elsewhere()
		ann.guest = l.holds(planted)
		var known []string
		step := func(do func()) {
			known = append(known, ann.cookie.Value)
			do()
			for _, token := range known {
				if token == ann.cookie.Value {
					t.Fatal("a step gave rights to a token that was known before it")
				}
				if a := l.holds(token).get("/"); a.StatusCode == http.StatusOK {
					t.Fatal("a token that was known before opens the door")
				}
			}
		}
		step(func() { ann.goes(ann.password(good), "/sign-in/code") })
		stands := ann.elsewhere()
		stands.goes(stands.password(good), "/sign-in/code") // a session that the store knows, and its holder handed to somebody else
		bo := l.joined("bo", people.Reader).elsewhere()
		bo.guest = l.holds(stands.cookie.Value)
		bo.goes(bo.password(good), "/sign-in/code")
		ann.goes(l.holds(stands.cookie.Value).get("/sign-in/code"), "/sign-in?why=late")
		step(func() { ann.goes(ann.post("/sign-in/code", url.Values{"code": {ann.code()}}), "/") })
		l.pass(time.Minute)
		step(func() {
			ann.goes(ann.post("/account/password", url.Values{"old": {good}, "password": {unfit}, "again": {unfit}}), "/account")
		})
		known = append(known, ann.cookie.Value)
		ann.post("/sign-out", nil)
		for _, token := range known {
			if a := l.holds(token).get("/"); a.StatusCode == http.StatusOK {
				t.Fatal("a token opens the door after its holder signed out")
			}
		}
	})
}

// A request that was under way when its sender signed out, and kept something then, brings the session back to nobody.
func TestARequestUnderWayBringsNoSessionBack(t *testing.T) {
	bothEngines(t, func(t *testing.T, l *lobby) {
		ann := l.joined("ann", people.Owner)
		token, underWay := ann.cookie.Value, sessionOf(ann.guest)
		l.sessions.Put(underWay, keySeen, l.clock().UnixMilli())
		ann.goes(ann.post("/sign-out", nil), "/sign-in?why=out")
		_, _, err := l.sessions.Commit(underWay)
		l.must(err)
		if l.holds(token).get("/").StatusCode == http.StatusOK {
			t.Error("a session that was ended opens the door again")
		}
	})
}

// What a session says is bound to its token: no row of another's opens anything, nor does a hash that was read in the table.
func TestACookieOfAnotherHubOrOfTheTableOpensNothing(t *testing.T) {
	bothEngines(t, func(t *testing.T, l *lobby) {
		ann := l.joined("ann", people.Owner)
		other := onSQLite(t)
		other.joined("ann", people.Owner)
		if other.holds(ann.cookie.Value).get("/").StatusCode == http.StatusOK {
			t.Error("a cookie of another hub opens this one")
		}
		all, err := l.store.Sessions().AllCtx(t.Context())
		l.must(err)
		if len(all) == 0 {
			t.Fatal("there is no session")
		}
		for name := range all {
			for _, token := range []string{name, strings.TrimPrefix(name, "#")} {
				if l.holds(token).get("/").StatusCode == http.StatusOK {
					t.Error("what stands in the table opens the door")
				}
			}
		}
		for _, token := range []string{"", " ", "x", strings.Repeat("x", 8000), "../../etc/passwd", "\x00", "%00", "' OR 1=1 --"} {
			g := l.stranger()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Header.Set("Cookie", l.sessions.Cookie.Name+"="+token)
			rec := httptest.NewRecorder()
			g.handler.ServeHTTP(rec, r)
			if rec.Code != http.StatusSeeOther {
				t.Errorf("a cookie of %.20q is answered %d", token, rec.Code)
			}
		}
	})
}

// After the hub's key is another, or the session is of another epoch, nobody is in.
func TestALiveSessionEndsWithItsEpoch(t *testing.T) {
	bothEngines(t, func(t *testing.T, l *lobby) {
		ann, bo := l.joined("ann", people.Owner), l.joined("bo", people.Reader)
		for name, end := range map[string]func() error{
			"disabled": func() error { _, err := l.house.Disable(t.Context(), "Ann", bo.id); return err },
			"reset":    func() error { _, _, err := l.house.Reset(t.Context(), "Ann", bo.id, people.LostPassword); return err },
			"signed out everywhere": func() error {
				_, err := l.house.SignOut(t.Context(), "Ann", bo.id)
				return err
			},
		} {
			bo = bo.elsewhere()
			bo.guest = l.stands(bo.id)
			if !bo.isIn() {
				t.Fatalf("%s: he is not in before", name)
			}
			l.must(end())
			if bo.isIn() {
				t.Errorf("%s: he is in after", name)
			}
			if got := bo.post("/account/sign-out", nil); got.StatusCode == http.StatusOK {
				t.Errorf("%s: a form of his is answered %d", name, got.StatusCode)
			}
			if name == "disabled" {
				_, err := l.house.Enable(t.Context(), "Ann", bo.id)
				l.must(err)
				if bo.isIn() {
					t.Error("his session came back to life with his account")
				}
			}
		}
		if !ann.isIn() {
			t.Error("another's session ended")
		}
	})
}

// stands is a session of an account as it stands.
func (l *lobby) stands(id string) *guest {
	l.t.Helper()
	a, err := l.house.Account(l.t.Context(), id)
	l.must(err)
	ctx, err := l.sessions.Load(context.Background(), "")
	l.must(err)
	l.must(l.begin(ctx, a, "A browser", "m", l.clock()))
	return l.holds(l.sessions.Token(ctx))
}

// A code is good once, for one browser, whatever is between.
func TestACodeIsNotGoodTwice(t *testing.T) {
	bothEngines(t, func(t *testing.T, l *lobby) {
		ann := l.joined("ann", people.Owner)
		one, two := ann.elsewhere(), ann.elsewhere()
		one.goes(one.password(good), "/sign-in/code")
		two.goes(two.password(good), "/sign-in/code")
		seen := ann.code()
		one.goes(one.post("/sign-in/code", url.Values{"code": {seen}}), "/")
		two.sees(two.post("/sign-in/code", url.Values{"code": {seen}}), http.StatusUnprocessableEntity, "wrong")
		two.sees(two.post("/sign-in/code", url.Values{"code": {seen[:3] + " " + seen[3:]}}), http.StatusUnprocessableEntity, "wrong")
		if two.isIn() {
			t.Error("a code that was seen lets somebody in")
		}
	})
}

// Whoever has the password guesses no code: the door shuts, for the right code too.
func TestCodesAreNotGuessed(t *testing.T) {
	bothEngines(t, func(t *testing.T, l *lobby) {
		ann := l.joined("ann", people.Owner)
		eve := ann.elsewhere()
		eve.goes(eve.password(good), "/sign-in/code")
		tries := 0
		for ; tries < 20; tries++ {
			if a := eve.post("/sign-in/code", url.Values{"code": {"000000"}}); a.StatusCode == http.StatusTooManyRequests {
				eve.sees(a, http.StatusTooManyRequests, "shut")
				break
			}
		}
		if tries != 5 {
			t.Errorf("the door shuts after %d tries", tries)
		}
		eve.sees(eve.post("/sign-in/code", url.Values{"code": {ann.code()}}), http.StatusTooManyRequests, "shut")
		l.pass(11 * time.Minute)
		eve.goes(eve.post("/sign-in/code", url.Values{"code": {ann.code()}}), "/sign-in?why=late")
		if ann.isIn() != true {
			t.Error("whoever was in is shut out by it")
		}
	})
}

// Who knows a login and fails on purpose keeps out nobody who sits where they signed in before.
func TestAStrangerKeepsNobodyOut(t *testing.T) {
	bothEngines(t, func(t *testing.T, l *lobby) {
		ann := l.joined("ann", people.Owner)
		if len(ann.kept) != 1 {
			t.Fatalf("her browser keeps %v", ann.kept)
		}
		if c := ann.kept[0]; c.Name != "__Host-kaphub-device-"+ann.id || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("kept as %v", c)
		}
		ann.goes(ann.post("/sign-out", nil), "/sign-in?why=out")
		eve := ann.elsewhere()
		for range 6 {
			eve.password(unfit)
		}
		ann.sees(ann.elsewhere().password(good), http.StatusTooManyRequests, "shut")
		for range 5 {
			ann.in()
			ann.goes(ann.post("/sign-out", nil), "/sign-in?why=out")
			eve.password(unfit)
		}
		for range 6 { // it is no way to guess either
			ann.password(unfit)
		}
		eve.sees(ann.password(good), http.StatusTooManyRequests, "shut")
	})
}

// A step cannot be left out: who gave the password alone is nobody.
func TestThePasswordAloneOpensNothing(t *testing.T) {
	l := onSQLite(t)
	ann := l.joined("ann", people.Owner).elsewhere()
	ann.goes(ann.password(good), "/sign-in/code")
	for _, rt := range l.routes() {
		if rt.Everybody {
			continue
		}
		method, path := sample(rt.Pattern)
		if a := ann.do(method, path, nil); !turnedAway(a) {
			t.Errorf("%s is answered %d", rt.Pattern, a.StatusCode)
		}
	}
	for path, to := range map[string]string{"/sign-in/factor": "/sign-in/code"} {
		ann.goes(ann.get(path), to)
	}
	ann.goes(ann.post("/sign-in/factor", url.Values{"code": {ann.code()}}), "/sign-in?why=late")
	if ann.isIn() {
		t.Error("she is in without a code")
	}
}

// Every form is refused that another site sends, or a neighbour's.
func TestNoOtherSiteSendsAForm(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner, people.Therapist)
	for _, rt := range w.routes() {
		method, path := sample(rt.Pattern)
		if method == http.MethodGet {
			continue
		}
		for _, headers := range []map[string]string{
			{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "cross-site", "Origin": "https://example.com"},
			{"Origin": "https://evil.example"}, {"Origin": "https://example.com.evil.example"}, {"Origin": "null"}, {"Origin": "https://other.example.com"}, {"Origin": "https://example.com:8443"},
		} {
			r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("x=y"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for k, v := range headers {
				r.Header.Set(k, v)
			}
			r.AddCookie(g.cookie)
			rec := httptest.NewRecorder()
			g.handler.ServeHTTP(rec, r)
			if rec.Code != http.StatusForbidden || !strings.Contains(rec.Body.String(), "another site") {
				t.Errorf("%s with %v is answered %d", rt.Pattern, headers, rec.Code)
			}
		}
	}
	if len(w.looks) > 0 {
		t.Errorf("they did something: %v", w.looks)
	}
}

// Whatever is asked, and by whatever method, the hub stands, and shows a stranger nothing.
func TestMethodsThatNoPageHas(t *testing.T) {
	w := newTown(t)
	for _, g := range []*guest{w.stranger(), w.as(people.Therapist), w.as(people.Owner)} {
		for _, rt := range w.routes() {
			had, path := sample(rt.Pattern)
			for _, method := range []string{"HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "GET ", "get", "POST"} {
				if method == had || method == http.MethodHead && has(w.routes(), http.MethodGet+strings.TrimPrefix(rt.Pattern, had)) { // HEAD is GET without the page: net/http leaves it out
					continue
				}
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
				r.Method = method
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				if g.cookie != nil {
					r.AddCookie(g.cookie)
				}
				rec := httptest.NewRecorder()
				g.handler.ServeHTTP(rec, r)
				if has(w.routes(), method+" "+strings.TrimPrefix(rt.Pattern, had+" ")) {
					continue
				}
				if rec.Code >= 500 || strings.Contains(rec.Body.String(), "Robin") || strings.Contains(rec.Body.String(), "Kim") {
					t.Errorf("%s %s is answered %d: %.100s", method, path, rec.Code, rec.Body)
				}
			}
		}
	}
}

func has(routes []route, pattern string) bool {
	return slices.ContainsFunc(routes, func(r route) bool { return r.Pattern == pattern })
}

// A path that is written in a strange way leads to where it would lead when written plainly, or nowhere.
func TestPathsThatAreWrittenStrangely(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Therapist) // Dana: not Kim's
	for _, path := range []string{
		"//", "//accounts", "/./accounts", "/../accounts", "/x/../accounts", "/%2e%2e/accounts", "/x/%2e%2e/accounts", "/accounts%00", "/%00", "/accounts/", "/Accounts", "/accounts;x", "/accounts%20", "/accounts%2f",
		"/clients/c-robin/../c-kim", "/clients/c-robin%2f..%2fc-kim", "/clients/c-robin/%2e%2e/c-kim", "/clients/c-kim%00", "/clients/c-kim%20", "/clients/C-KIM", "/clients//c-kim", "/clients/%63-kim", "/clients/c-kim/", "/clients/c-kim?x=/clients/c-robin",
		"/static/../templates/today.html", "/static/%2e%2e/templates/today.html", "/static/..%2ftemplates/today.html", "/static/", "/static", "/static/%00", "/static//etc/passwd", "/sign-in/../accounts", "/invitation/../accounts", "/invitation/%2e%2e%2faccounts",
		"/clients/" + strings.Repeat("x", 20_000), "/" + strings.Repeat("../", 2000) + "etc/passwd", "/%ff%fe", "/clients/%E2%80%AEmik-c",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		u, err := url.ParseRequestURI(path)
		if err != nil {
			continue // net/http answers 400 before us
		}
		r.URL, r.RequestURI = u, path
		r.AddCookie(g.cookie)
		rec := httptest.NewRecorder()
		g.handler.ServeHTTP(rec, r)
		body := rec.Body.String()
		if rec.Code >= 500 || strings.Contains(body, ">Kim<") || strings.Contains(body, "Invite somebody") || strings.Contains(body, "{{") || strings.Contains(body, "console.css\"") && strings.HasPrefix(path, "/static") && rec.Code == http.StatusOK {
			t.Errorf("%.60s is answered %d: %.200s", path, rec.Code, body)
		}
		if to := rec.Header().Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")) {
			t.Errorf("%.60s leads to %q", path, to)
		}
	}
}

// Nothing that is sent becomes a header, and nothing is made of the name by which the hub is asked.
func TestNothingSentBecomesAHeaderOrAHost(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner, people.Therapist)
	const evil = "x\r\nX-Injected: y\r\n\r\n<b>"
	for _, rt := range w.routes() {
		method, path := sample(rt.Pattern)
		form := url.Values{}
		for _, name := range []string{"to", "why", "as-of", "before", "q", "client", "name", "file", "format", "session", "reason", "prescriber", "back", "mark", "strip", "source", "id", "at", "report", "login"} {
			form.Set(name, evil)
		}
		for _, asked := range []string{path, strings.ReplaceAll(strings.ReplaceAll(path, "unheard-of", url.PathEscape(evil)), "c-robin", url.PathEscape(evil))} {
			var r *http.Request
			if method == http.MethodGet {
				r = httptest.NewRequestWithContext(t.Context(), method, asked+"?"+form.Encode(), nil)
			} else {
				r = httptest.NewRequestWithContext(t.Context(), method, asked, strings.NewReader(form.Encode()))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Host = "evil.example"
			r.Header.Set("X-Forwarded-Host", "evil.example")
			r.Header.Set("Referer", "https://evil.example/")
			r.AddCookie(g.cookie)
			rec := httptest.NewRecorder()
			g.handler.ServeHTTP(rec, r)
			for name, values := range rec.Header() {
				for _, v := range values {
					if strings.EqualFold(name, "X-Injected") || strings.ContainsAny(v, "\r\n") || strings.Contains(v, "evil.example") {
						t.Errorf("%s: header %s: %q", rt.Pattern, name, v)
					}
				}
			}
			if body := rec.Body.String(); strings.Contains(body, "evil.example") || strings.Contains(body, "\n<b>") {
				t.Errorf("%s: what was sent is on the page, or the name by which the hub was asked", rt.Pattern)
			}
			if rec.Code >= 500 {
				t.Errorf("%s is answered %d: %s", rt.Pattern, rec.Code, w.log.String())
			}
			for _, c := range rec.Result().Cookies() { // signing out is a route too
				if c.Name == g.cookie.Name && c.MaxAge < 0 {
					g = w.as(people.Owner, people.Therapist)
				}
			}
		}
	}
	if strings.Contains(w.log.String(), "X-Injected") {
		t.Error("what was sent is in the log")
	}
}

// No answer is kept by a browser, framed by another page, or taken for what it is not.
func TestNoAnswerIsKeptFramedOrSniffed(t *testing.T) {
	w := newTown(t)
	for _, g := range []*guest{w.stranger(), w.as(people.Owner, people.Therapist)} {
		paths := []string{"/nowhere", "/clients/c-nobody", "/static/console.css"}
		for _, rt := range w.routes() {
			if method, path := sample(rt.Pattern); method == http.MethodGet {
				paths = append(paths, path)
			}
		}
		for _, path := range paths {
			a := g.get(path)
			h := a.Header
			if kept := strings.Join(h.Values("Cache-Control"), ","); !strings.HasPrefix(path, "/static/") && !strings.Contains(kept, "no-store") {
				t.Errorf("%s may be kept: %s", path, kept)
			}
			if h.Get("X-Frame-Options") != "DENY" || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || h.Get("X-Content-Type-Options") != "nosniff" ||
				h.Get("Referrer-Policy") != "same-origin" || h.Get("Strict-Transport-Security") == "" {
				t.Errorf("%s: %v", path, h)
			}
			if len(a.body) > 0 && h.Get("Content-Type") == "" {
				t.Errorf("%s says not what it is", path)
			}
		}
	}
}

// A form that is too long is refused by every route that reads one, and no more of it is read than a form may bring, whether
// its length was told or not.
func TestAFormThatIsTooLongIsRefused(t *testing.T) {
	w := newTown(t)
	long := "x=" + strings.Repeat("y", 4*maxForm)
	for _, rt := range w.routes() {
		method, path := sample(rt.Pattern)
		if method == http.MethodGet {
			continue
		}
		for _, told := range []bool{true, false} {
			g := w.as(people.Owner, people.Therapist)
			rest := strings.NewReader(long)
			var body io.Reader = rest
			if !told {
				body = io.MultiReader(rest)
			}
			r := httptest.NewRequestWithContext(t.Context(), method, path, body)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.AddCookie(g.cookie)
			rec := httptest.NewRecorder()
			g.handler.ServeHTTP(rec, r)
			read := len(long) - rest.Len()
			if told && (rec.Code != http.StatusRequestEntityTooLarge || read > 0) || rec.Code >= 500 || read > maxForm+64<<10 {
				t.Errorf("%s (length told: %v) is answered %d, %d bytes were read", rt.Pattern, told, rec.Code, read)
			}
		}
	}
}
