package main

import (
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/kaphub/kaphub/cmd/internal/console/consoletest"
	"github.com/kaphub/kaphub/cmd/internal/people"
)

// clerk is somebody of the practice at a browser without scripts.
type clerk struct {
	*testing.T
	base string
	http http.Client
}

// newClerk is somebody at base, with a browser that keeps cookies.
func newClerk(t *testing.T, base string) *clerk {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &clerk{t, base, http.Client{Jar: jar}}
}

// serves opens the practice's hub, and its console at base, until the test ends.
func (r *reverie) serves() (h *hub, base string) {
	r.t.Helper()
	h, err := (&scene{cli: &cli{Config: r.path("kaphub.yaml")}, now: time.Now, log: slog.New(slog.DiscardHandler)}).open(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { h.close() })
	routes, err := h.windowed(newMetrics(h), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	server := httptest.NewServer(routes)
	r.t.Cleanup(server.Close)
	return h, server.URL
}

// signsIn is somebody whom an owner invited, who chose a password, took a second factor and signed in by both.
func (h *hub) signsIn(t *testing.T, base string, who people.Profile) *clerk {
	t.Helper()
	const password = "quiet lantern over teal rivers"
	ctx := t.Context()
	house, err := people.New(people.Options{Store: h.store, Now: time.Now, Cost: people.Cost{Passes: 1, KiB: 64, Lanes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	_, invitation, err := house.Invite(ctx, "init", who)
	if err != nil {
		t.Fatal(err)
	}
	passed, err := house.Accept(ctx, invitation.Token, password)
	if err != nil {
		t.Fatal(err)
	}
	factor, err := house.Enrol(ctx, passed)
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(factor.Secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	_, recovery, err := house.Confirm(ctx, people.From{}, passed, factor.Secret, code)
	if err != nil {
		t.Fatal(err)
	}
	c := newClerk(t, base)
	if p := c.sends("/desk", `data-test-id="sign-in"`, "login", who.Login, "password", password); p.path != "/sign-in/code" {
		t.Fatalf("the password leads to %s:\n%s", p.path, p.body)
	}
	if p := c.sends("/sign-in/code", `action="/sign-in/code"`, "code", recovery[0]); p.path != "/desk" {
		t.Fatalf("the code leads to %s:\n%s", p.path, p.body)
	}
	return c
}

// page is what was answered, wherever that led.
type page struct {
	code int
	path string
	body string
}

// said is the line with which a page begins.
func (p page) said() string {
	_, line, _ := strings.Cut(p.body, `data-test-id="said">`)
	line, _, _ = strings.Cut(line, "</p>")
	return html.UnescapeString(line)
}

// ask sends a request, and reads what comes back from wherever it leads.
func (c *clerk) ask(r *http.Request, err error) page {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	got, err := c.http.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		c.Fatal(err)
	}
	return page{got.StatusCode, got.Request.URL.Path, string(body)}
}

func (c *clerk) get(path string) page {
	c.Helper()
	return c.ask(http.NewRequestWithContext(c.Context(), http.MethodGet, c.base+path, nil))
}

func (c *clerk) post(path string, form url.Values) page {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), http.MethodPost, c.base+path, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return c.ask(r, err)
}

// sends opens a page, answers the form on it that bears mark, and sends it. Answers are name and value in turn.
func (c *clerk) sends(path, mark string, answers ...string) page {
	c.Helper()
	opened := c.get(path)
	action, form, ok := consoletest.Form(opened.body, mark)
	if !ok {
		c.Fatalf("%s is answered %d, without a form %s:\n%s", path, opened.code, mark, opened.body)
	}
	for i := 0; i < len(answers); i += 2 {
		form.Set(answers[i], answers[i+1])
	}
	if action == "" {
		action = path
	}
	return c.post(action, form)
}

// enters makes an entry about a client, which must be saved with words of want.
func (c *clerk) enters(client, kind, want string, answers ...string) {
	c.Helper()
	if p := c.sends("/clients/"+client+"/desk/"+kind, `data-test-id="form-`+kind+`"`, answers...); !strings.HasPrefix(p.said(), "Saved as e-") || !strings.Contains(p.said(), want) {
		c.Errorf("%s is answered %d at %s: %q, want %q\n%s", kind, p.code, p.path, p.said(), want, regexp.MustCompile(`(?s)data-test-id="problems".*?</div>`).FindString(p.body))
	}
}

// A practice whose prescriber has no interface runs on forms: a client goes from the referral to READY, and through a hold,
// with nobody's server asked; two people are needed where it is said, and the audit log tells the story.
func TestTheDeskAloneCarriesAClientFromReferralToReady(t *testing.T) {
	r := goLive(t)
	now := time.Now().UTC()
	stamp := func(at time.Time) string { return at.Format("20060102T150405Z") }
	event := func(uid, what string, at time.Time) string {
		return fmt.Sprintf("BEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:%s\r\nDURATION:PT3H\r\nSUMMARY:%s K-1X\r\nEND:VEVENT\r\n", uid, stamp(at), what)
	}
	r.file("feed.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"+event("p", "Prep", now.AddDate(0, 0, -5))+event("d", "Dosing", now.Add(3*time.Hour))+"END:VCALENDAR\r\n")
	r.must(0, "import", r.file("roster.csv", "id,family,given,birth_date,chosen_name,state,calendar_token,prescriber,referred_on\n"+
		"R1,Inventedsson,Testa,1988-03-12,Juniper,CO,K-1X,skylight,"+r.day(-6)+"\n"))
	r.run("sync")

	h, base := r.serves()
	maya := h.signsIn(t, base, people.Profile{Login: "maya", Name: "Maya Okafor", Roles: []people.Role{people.Owner, people.Therapist}, Therapist: "Maya Okafor, LPC"})
	ada := h.signsIn(t, base, people.Profile{Login: "ada", Name: "Ada Quill", Roles: []people.Role{people.Admin}})
	if p := newClerk(t, base).get("/desk"); p.path != "/sign-in" {
		t.Errorf("a stranger is led to %s", p.path)
	}

	found := ada.sends("/desk", `data-test-id="find"`, "who", "juni")
	if found.path != "/desk/find" {
		t.Errorf("part of a name opens %s", found.path)
	}
	key := regexp.MustCompile(`/clients/(c-[a-z0-9]+)/desk`).FindStringSubmatch(found.body)
	if key == nil || !strings.Contains(found.body, "12 March 1988") {
		t.Fatalf("the client is not found:\n%s", found.body)
	}
	juniper := key[1]
	if p := ada.sends("/desk", `data-test-id="find"`, "who", "Juniper", "for", "decision"); p.path != "/clients/"+juniper+"/desk/decision" {
		t.Errorf("the whole name of the one client leads to %s", p.path)
	}
	if p := ada.sends("/", `id="find"`, "q", "juniper"); p.path != "/clients/"+juniper {
		t.Errorf("the whole name of the one client in the head leads to %s", p.path)
	}
	ada.enters(juniper, "papers", "release signed", "release", "y", "release-to-none", "y", "consents", "y")
	ada.enters(juniper, "decision", "A second person confirms it at the desk.", "outcome", "cleared", "valid-to", now.AddDate(0, 0, 60).Format(time.DateOnly), "medium", "e-mail", "from", "Dr. Vale")
	if p := ada.get("/desk/waiting"); !strings.Contains(p.body, `data-test-id="own"`) || strings.Contains(p.body, `data-test-id="confirm"`) {
		t.Errorf("whoever entered it may confirm it:\n%s", p.body)
	}
	if p := maya.sends("/desk/waiting", "/confirm"); !strings.Contains(p.said(), "confirmation") {
		t.Errorf("the second person is answered %d: %q", p.code, p.said())
	}
	maya.enters(juniper, "after", "preparation session of", "which", "preparation "+now.AddDate(0, 0, -5).Format("2006-01-02 15:04"), "held", "y")
	maya.enters(juniper, "label", "directions acknowledged", "name-matches", "y", "filled", now.AddDate(0, 0, -3).Format(time.DateOnly), "discard-after-none", "y", "sessions", "4", "directions", "One lozenge under the tongue")
	if p := ada.sends("/desk/read-through", `data-test-id="form-read-through"`); !strings.Contains(p.said(), "read and entered up to") {
		t.Errorf("the mailbox: %q", p.said())
	}
	arrives := func(want string) {
		t.Helper()
		p := maya.sends("/clients/"+juniper+"/card", `data-test-id="checks"`, "bp", "118/76", "hr", "72", "ride", "y", "fasting", "y", "location", "y", "new", "n", "go-ahead", "y")
		if board := maya.get("/clients/" + juniper); !strings.Contains(board.body, `class="state `+want+`"`) {
			t.Errorf("the checks are answered %d at %s: %q; not %s:\n%s", p.code, p.path, p.said(), want, board.body)
		}
	}
	arrives("READY")

	ada.enters(juniper, "stop", "HOLD: Stopped by Skylight", "said", "prescriber", "why", "chest pain", "from", "Dr. Vale", "medium", "phone")
	ada.enters(juniper, "lift", "NOT-READY", "said", "prescriber", "from", "Dr. Vale", "medium", "phone") // the go-ahead is older
	arrives("READY")

	log := r.must(0, "audit", "list", "--limit", "500").out
	for _, line := range []string{
		"Ada Quill  record papers", "Ada Quill  record decision", "Maya Okafor  record confirm", "Maya Okafor  record after", "Maya Okafor  record label",
		"Ada Quill  record read-through", "Maya Okafor  record arrival", "Ada Quill  record stop", "Ada Quill  record lift", "Ada Quill  find client",
	} {
		if !strings.Contains(log, line) {
			t.Errorf("the audit log does not tell of %q:\n%s", line, log)
		}
	}
	if strings.Contains(strings.ToLower(log), "juni") {
		t.Error("the audit log names the client")
	}
	r.must(0, "audit", "verify")
}
