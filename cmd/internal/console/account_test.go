package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

var (
	linkOnPage = regexp.MustCompile(`value="(https://example\.com/invitation/[\w-]{43})"`)
	markOnPage = regexp.MustCompile(`name="session" value="([A-Z2-7]{10})"`)
)

// invites has an owner invite somebody by the page, and returns the link.
func (p *person) invites(form url.Values) string {
	p.t.Helper()
	a := p.post("/accounts", form)
	found := linkOnPage.FindStringSubmatch(a.body)
	if a.StatusCode != http.StatusOK || found == nil {
		p.t.Fatalf("%d, no link: %s", a.StatusCode, a.body)
	}
	return found[1]
}

// account is somebody's id, as the list shows it to an owner.
func (p *person) account(name string) string {
	p.t.Helper()
	found := regexp.MustCompile(`href="/accounts/(p-[a-z0-9]+)">` + name + `<`).FindStringSubmatch(p.get("/accounts").body)
	if found == nil {
		p.t.Fatalf("%s is not listed", name)
	}
	return found[1]
}

func TestAnOwnerLooksAfterAccounts(t *testing.T) {
	bothEngines(t, func(t *testing.T, l *lobby) {
		ann := l.joined("ann", people.Owner)
		page := ann.get("/accounts")
		ann.sees(page, http.StatusOK, "account", "invite")
		if !strings.Contains(page.body, "<option>Dana</option>") {
			t.Error("the practice's therapists are not there to choose from")
		}
		for _, bad := range []url.Values{
			{}, {"login": {"bo"}, "name": {"Bo"}}, {"login": {"bo"}, "name": {"Bo"}, "role": {"god"}}, {"login": {"bo"}, "name": {"Bo"}, "role": {"therapist"}},
			{"login": {"ANN"}, "name": {"Bo"}, "role": {"reader"}}, {"login": {"bo"}, "name": {"operator x"}, "role": {"reader"}}, {"login": {"bo"}, "name": {"Bo"}, "role": {"reader"}, "email": {"<script>"}},
		} {
			a := ann.post("/accounts", bad)
			ann.sees(a, http.StatusUnprocessableEntity, "problems")
			if strings.Contains(a.body, "<script>") {
				t.Error("what was typed is no text on the page")
			}
		}
		link := ann.invites(url.Values{"login": {"Dana"}, "name": {"Dana Doe"}, "role": {"therapist"}, "therapist": {"Dana"}})
		dana := &person{guest: l.stranger(), lobby: l, login: "dana"}
		dana.goes(dana.get(strings.TrimPrefix(link, "https://example.com")), "/invitation")
		dana.goes(dana.post("/invitation", url.Values{"password": {good}, "again": {good}}), "/sign-in/factor")
		dana.enrols()
		if a := dana.get("/"); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "Robin") || strings.Contains(a.body, "Kim") {
			t.Errorf("Dana sees %d %s", a.StatusCode, a.body)
		}
		one := "/accounts/" + ann.account("Dana Doe")
		ann.sees(ann.get(one), http.StatusOK, "change", "disable")

		ann.goes(ann.post(one, url.Values{"login": {"dana"}, "name": {"Dana Doe"}, "role": {"reader"}}), one)
		dana.goes(dana.get("/"), "/sign-in?why=elsewhere")
		dana.in()
		if a := dana.get("/"); !strings.Contains(a.body, "Kim") {
			t.Error("as a reader she does not see Kim")
		}
		ann.goes(ann.post(one+"/sign-out", nil), one)
		if dana.isIn() {
			t.Error("she is in after she was signed out everywhere")
		}
		dana.in()
		for what := range graves { // asked once more on a page of its own: no click on the account's page does it
			page := ann.get(one).body
			if !strings.Contains(page, `href="`+one+"/"+what+`"`) || strings.Contains(page, `action="`+one+"/"+what+`"`) {
				t.Errorf("%s is done by one click", what)
			}
			ann.sees(ann.get(one+"/"+what), http.StatusOK, "do-"+what)
		}
		ann.sees(ann.get(one+"/enable"), http.StatusNotFound)
		ann.goes(ann.post(one+"/disable", nil), one)
		if dana.isIn() {
			t.Error("she is in with an account that is shut")
		}
		dana.sees(dana.password(good), http.StatusUnprocessableEntity, "wrong")
		ann.sees(ann.post(one+"/lost-phone", nil), http.StatusUnprocessableEntity, "problems")
		ann.goes(ann.post(one+"/enable", nil), one)
		dana.in()

		a := ann.post(one+"/lost-phone", nil)
		found := linkOnPage.FindStringSubmatch(a.body)
		if found == nil || dana.isIn() {
			t.Fatalf("no link, or she is still in: %s", a.body)
		}
		dana = dana.elsewhere()
		dana.sees(dana.password(good), http.StatusUnprocessableEntity, "wrong")
		dana.goes(dana.get(strings.TrimPrefix(found[1], "https://example.com")), "/invitation")
		dana.goes(dana.post("/invitation", url.Values{"password": {unfit}, "again": {unfit}}), "/sign-in/factor")
		dana.enrols()

		me := "/accounts/" + ann.account("Ann")
		ann.sees(ann.post(me+"/disable", nil), http.StatusUnprocessableEntity, "problems")
		ann.sees(ann.post(me, url.Values{"login": {"ann"}, "name": {"Ann"}, "role": {"reader"}}), http.StatusUnprocessableEntity, "problems")
		ann.sees(ann.post("/accounts/p-nobody/disable", nil), http.StatusNotFound)
		ann.sees(ann.post(me+"/delete", nil), http.StatusNotFound)
		log := l.log.String()
		if strings.Contains(log, link[len(link)-43:]) || strings.Contains(log, good) {
			t.Errorf("the log holds a secret: %s", log)
		}
	})
}

func TestSomebodyWhoIsSignedInTakesUpNoInvitation(t *testing.T) {
	l := onSQLite(t)
	ann := l.joined("ann", people.Owner)
	_, link := l.invited("bo", people.Reader)
	ann.sees(ann.get(link), http.StatusConflict, "refused")
	if !ann.isIn() {
		t.Error("she was signed out by a link")
	}
}

func TestOneLooksAfterOnesOwnAccount(t *testing.T) {
	l := onSQLite(t)
	ann := l.joined("ann", people.Owner)
	far := ann.elsewhere()
	far.in()
	page := ann.get("/account")
	marks := markOnPage.FindAllStringSubmatch(page.body, -1)
	if len(marks) != 2 || strings.Count(page.body, "(here)") != 1 {
		t.Fatalf("%d sessions: %s", len(marks), page.body)
	}
	here := l.sitting(sessionOf(ann.guest)).Mark
	for _, m := range marks {
		if m[1] != here {
			ann.goes(ann.post("/account/sign-out", url.Values{"session": {m[1]}}), "/account")
		}
	}
	if far.isIn() || !ann.isIn() {
		t.Error("the wrong session ended")
	}
	ann.goes(ann.post("/account/sign-out", url.Values{"session": {"NONESUCH22"}}), "/account")

	far = far.elsewhere()
	far.in()
	before := ann.cookie.Value
	for _, bad := range []url.Values{{"old": {unfit}, "password": {unfit + "!"}, "again": {unfit + "!"}}, {"old": {good}, "password": {unfit}, "again": {good}}, {"old": {good}, "password": {good}, "again": {good}}, {"old": {good}, "password": {"short"}, "again": {"short"}}} {
		ann.sees(ann.post("/account/password", bad), http.StatusUnprocessableEntity, "wrong-password")
	}
	ann.goes(ann.post("/account/password", url.Values{"old": {good}, "password": {unfit}, "again": {unfit}}), "/account")
	if ann.cookie.Value == before || !ann.isIn() || far.isIn() {
		t.Error("her session has its old token, or did not go on, or the other did")
	}

	ann.sees(ann.post("/account/recovery", url.Values{"code": {"000000"}}), http.StatusUnprocessableEntity, "wrong-code")
	a := ann.post("/account/recovery", url.Values{"code": {ann.code()}})
	fresh := recoveryCode.FindAllStringSubmatch(a.body, -1)
	if a.StatusCode != http.StatusOK || len(fresh) != 8 || strings.Contains(a.body, ann.codes[0]) {
		t.Fatalf("%d with %d codes", a.StatusCode, len(fresh))
	}
	far = far.elsewhere()
	far.goes(far.password(unfit), "/sign-in/code")
	far.sees(far.post("/sign-in/code", url.Values{"code": {ann.codes[0]}}), http.StatusUnprocessableEntity)
	far.goes(far.post("/sign-in/code", url.Values{"code": {fresh[0][1]}}), "/")

	ann.goes(ann.post("/account/sign-out", nil), "/sign-in?why=everywhere")
	if ann.isIn() || far.isIn() {
		t.Error("somebody is in after all sessions ended")
	}
}

func TestALookInNeedIsSeenByThePrivacyOfficer(t *testing.T) {
	l := onSQLite(t)
	lee := l.joined("lee", people.Therapist)
	a, err := l.house.Account(t.Context(), lee.id)
	l.must(err)
	pat := l.joined("pat", people.Privacy)
	pat.sees(pat.get("/looks"), http.StatusOK, "no-needs")
	_, err = l.house.BreakGlass(t.Context(), a, "c-kim", "Lee's colleague is ill <today>")
	l.must(err)
	page := pat.get("/looks")
	pat.sees(page, http.StatusOK, "need")
	if !strings.Contains(page.body, "Kim") || !strings.Contains(page.body, "is ill &lt;today&gt;") || !strings.Contains(page.body, "/clients/c-kim/looks") {
		t.Errorf("it is not told: %s", page.body)
	}
	lee.sees(lee.get("/looks"), http.StatusForbidden)
}

func TestADeviceIsNamedAsOneWouldCallIt(t *testing.T) {
	for says, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0":                                                                  "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1": "Safari on an iPhone",
		"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36":                            "Chrome on Android",
		"": "A browser", "<script>": "A browser",
	} {
		r := &http.Request{Header: http.Header{"User-Agent": {says}}}
		if got := deviceOf(r); got != want {
			t.Errorf("%q is called %q, want %q", says, got, want)
		}
	}
}

func TestWhoSeesNoClientLandsOnTheirFirstScreen(t *testing.T) {
	w := newTown(t)
	if a := w.as(people.Operator).get("/"); a.Header.Get("Location") != "/exchange" {
		t.Errorf("an operator is sent to %q", a.Header.Get("Location"))
	}
	if a := w.as("unheard-of").get("/"); a.Header.Get("Location") != "/account" {
		t.Errorf("somebody without a role is sent to %q", a.Header.Get("Location"))
	}
}

// Where the hub is its own machine's alone, a link begins as that machine asked for it: whole, to be copied.
func TestALinkOfTheOwnMachineIsWhole(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8080/accounts", nil)
	if got := (&visit{Console: &Console{}, r: r}).reached(); got != "http://127.0.0.1:8080" {
		t.Errorf("it begins with %q", got)
	}
	if got := (&visit{Console: &Console{Options: Options{Public: "https://hub.example"}}, r: r}).reached(); got != "https://hub.example" {
		t.Errorf("with a public address it begins with %q", got)
	}
}

// A link that only this machine opens says so, and leads to where that is mended.
func TestAnInvitationOfTheOwnMachineSaysThatItOpensOnlyThere(t *testing.T) {
	w := newTown(t)
	for public, here := range map[string]bool{"": true, "https://hub.example": false} {
		w.Public = public
		rec := httptest.NewRecorder()
		v := &visit{Console: w.Console, w: rec, r: httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:8080/accounts", nil), now: now}
		if err := v.handOver(people.Account{Name: "Dana"}, people.Invitation{Token: "t", Until: now}); err != nil {
			t.Fatal(err)
		}
		if text := rec.Body.String(); strings.Contains(text, `data-test-id="only-here"`) != here || strings.Contains(text, `href="/settings/address"`) != here || !strings.Contains(text, `data-copies="link"`) {
			t.Errorf("with the address %q: %s", public, text)
		}
	}
}
