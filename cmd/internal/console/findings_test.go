package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// office is what people did about findings, and the reports that were given.
type office struct {
	w       *town
	handled []readiness.Handling
	fails   error
	given   []Given
}

func (o *office) WhoseFinding(_ context.Context, id string) (string, error) {
	for _, c := range o.w.view.Clients {
		for _, f := range c.Findings {
			if f.ID == id {
				return c.Client, nil
			}
		}
	}
	return "", exchange.ErrNotFound
}

func (o *office) Handle(_ context.Context, by string, list ...readiness.Handling) error {
	if o.fails != nil {
		return o.fails
	}
	for _, h := range list {
		h.Actor, h.At = by, now
		o.handled = append(o.handled, h)
		o.w.view.Handlings = append(o.w.view.Handlings, h)
	}
	return nil
}

func (o *office) Colleagues(context.Context) ([]people.Account, error) {
	return []people.Account{
		{ID: "1", Name: "Rosa Office", Roles: []people.Role{people.Admin}},
		{ID: "2", Name: "Dana Therapist", Roles: []people.Role{people.Therapist}, Therapist: "Dana"},
		{ID: "3", Name: "Lee Therapist", Roles: []people.Role{people.Therapist}, Therapist: "Lee"},
		{ID: "4", Name: "Gone Admin", Roles: []people.Role{people.Admin}, Disabled: true},
		{ID: "5", Name: "Olaf Operator", Roles: []people.Role{people.Operator}},
	}, nil
}

func (o *office) Given(context.Context) ([]Given, error) { return o.given, nil }

func (o *office) Give(_ context.Context, by string) (Given, error) {
	g := Given{At: now, Moment: fhir.Moment(77 + len(o.given)), By: by}
	o.given = append([]Given{g}, o.given...)
	return g, nil
}

func (w *town) office() *office { return w.Triage.(*office) }

// busy is a town with findings: Robin, who is Dana's, has an R10 that tells of an R17, and an R24; Kim, who is Lee's, an R15
// and an R38; both have the R44 of one source.
func busy(t *testing.T) *town {
	w := newTown(t)
	stale := func(id string) readiness.Finding {
		return readiness.Finding{ID: id, Code: "R44", Rule: "source-stale", Severity: readiness.S2, State: readiness.New, Since: now.Add(-time.Hour), Owner: readiness.Operator,
			Words: "skylight was last read on Friday", Next: "read it", RollUp: "R44/skylight"}
	}
	w.view.Clients[0].Findings = []readiness.Finding{
		{ID: "f-10", Code: "R10", Rule: "clearance-expires-before-session", Severity: readiness.S2, State: readiness.Persisting, Since: now.Add(-72 * time.Hour), Owner: readiness.Prescriber,
			Words: "The clearance of Robin ends", Next: "ask for another", Values: map[string]string{"practice": "session on 9 Mar", "skylight": "cleared to 8 Mar"}},
		{ID: "f-17", Code: "R17", Severity: readiness.S3, State: readiness.New, Since: now, Owner: readiness.Prescriber, Words: "Nothing prescribed to Robin", Under: "R10"},
		{ID: "f-24", Code: "R24", Rule: "dose-change-unacknowledged", Severity: readiness.S1, State: readiness.New, Since: now, Owner: readiness.Therapist, Words: "Changed to 200 mg", Next: "read it"},
		{ID: "f-03", Code: "R03", Severity: readiness.S3, State: readiness.Resolved, Since: now.Add(-96 * time.Hour), Resolved: now.Add(-time.Hour), Owner: readiness.Admin, Words: "The referral of Robin was not answered"},
		stale("f-44a"),
	}
	w.view.Clients[1].Findings = []readiness.Finding{
		{ID: "f-15", Code: "R15", Severity: readiness.S1, State: readiness.New, Since: now, Owner: readiness.Therapist, Words: "Skylight stopped Kim", Next: "do not begin"},
		{ID: "f-38", Code: "R38", Rule: "outcome-worsening", Severity: readiness.S2, State: readiness.New, Since: now, Owner: readiness.Therapist, Words: "A score of Kim is worse", Next: "look at it"},
		stale("f-44b"),
	}
	return w
}

func (w *town) stamp(id string) string {
	w.t.Helper()
	whole, ok := report.One(w.view, id)
	if !ok {
		w.t.Fatalf("there is no finding %s", id)
	}
	return whole.Stamp()
}

func form(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	return f
}

func TestWhoReadsWhichFindings(t *testing.T) {
	for _, r := range []struct {
		who       []people.Role
		path      string
		has, hasn string // words, between bars
	}{
		{[]people.Role{people.Owner}, "/findings", "The clearance of Robin|Skylight stopped Kim|200 mg|A score of Kim|touches 2 sessions|Nothing prescribed", "The referral of Robin"},
		{[]people.Role{people.Admin}, "/findings", "The clearance of Robin|A hold of any prescriber|The therapist sees what is recorded", "200 mg|A score|R38|Skylight stopped"},
		{[]people.Role{people.Reader}, "/findings", "The clearance of Robin|200 mg", "A score|R38|Acknowledge"},
		{[]people.Role{people.Therapist}, "/findings", "The clearance of Robin|200 mg|touches 1 session", "Kim"},
		{[]people.Role{people.Owner}, "/findings?pile=resolved", "The referral of Robin", "The clearance of Robin"},
		{[]people.Role{people.Owner}, "/findings?pile=snoozed", "Nothing is snoozed", "The clearance of Robin"},
		{[]people.Role{people.Owner}, "/findings?owner=operator", "skylight was last read", "Robin ends|Skylight stopped"},
		{[]people.Role{people.Owner}, "/findings?severity=S1", "Skylight stopped Kim", "Robin ends"},
		{[]people.Role{people.Owner}, "/findings?person=Ann+owner", "Nothing is open", "Robin ends"},
		{[]people.Role{people.Owner}, "/findings?new=yes", "Skylight stopped Kim", "Robin ends"},
		{[]people.Role{people.Owner}, "/findings?owner=%22%3E%3Cscript%3E&severity=S9&pile=x&page=-3", "The clearance of Robin", "<script>"},
		{[]people.Role{people.Owner}, "/findings/f-10", "The clearance of Robin|cleared to 8 Mar|Nothing prescribed", "Skylight stopped"},
		{[]people.Role{people.Admin}, "/findings/f-24", "The therapist sees what is recorded", "200 mg|I saw it"},
		{[]people.Role{people.Reader}, "/findings/f-10", "The clearance of Robin", "I saw it|So since ."},
		{[]people.Role{people.Owner}, "/findings/f-03", "Resolved", "I saw it"},
	} {
		a := busy(t).as(r.who...).get(r.path)
		if a.StatusCode != http.StatusOK {
			t.Errorf("%s as %s is answered %d", r.path, r.who, a.StatusCode)
		}
		for _, words := range strings.Split(r.has, "|") {
			if !strings.Contains(a.body, words) {
				t.Errorf("%s as %s says nothing of %q", r.path, r.who, words)
			}
		}
		for _, words := range strings.Split(r.hasn, "|") {
			if strings.Contains(a.body, words) {
				t.Errorf("%s as %s says %q", r.path, r.who, words)
			}
		}
	}
}

// Another's finding, one that is told to the therapist only, and one that there is not, are answered alike: an id tells nothing.
func TestAFindingsIDTellsNothing(t *testing.T) {
	for _, r := range []struct {
		role people.Role
		id   string
	}{{people.Therapist, "f-15"}, {people.Therapist, "f-38"}, {people.Admin, "f-38"}, {people.Reader, "f-38"}, {people.Privacy, "f-38"}, {people.Owner, "f-none"}} {
		w := busy(t)
		g := w.as(r.role)
		got, none := g.get("/findings/"+r.id), g.get("/findings/f-nobody")
		if got.StatusCode != http.StatusNotFound || got.body != none.body {
			t.Errorf("%s as %s is answered %d, nobody's %d, or in other words", r.id, r.role, got.StatusCode, none.StatusCode)
		}
		if !slices.Contains(keeping, r.role) {
			continue
		}
		got, none = g.post("/findings/"+r.id, form("do", "acknowledge")), g.post("/findings/f-nobody", form("do", "acknowledge"))
		if got.StatusCode != http.StatusNotFound || got.body != none.body || len(w.office().handled) > 0 {
			t.Errorf("%s, sent as %s, is answered %d, nobody's %d; %v was done", r.id, r.role, got.StatusCode, none.StatusCode, w.office().handled)
		}
		several := g.post("/findings", form("do", "acknowledge", "finding", r.id+".x"))
		if several.StatusCode != http.StatusNotFound || len(w.office().handled) > 0 {
			t.Errorf("%s among several as %s is answered %d", r.id, r.role, several.StatusCode)
		}
	}
}

func TestWhatIsDoneAboutAFindingIsKept(t *testing.T) {
	for _, r := range []struct {
		name string
		role people.Role
		id   string
		form url.Values
		want readiness.Handling // "" where refused
		says string             // where refused: of which field
		code int
	}{
		{"seen", people.Admin, "f-10", form("do", "acknowledge", "reason", " called \n them "), readiness.Handling{Kind: readiness.Acknowledge, Reason: "called them"}, "", 303},
		{"a therapist sees their own", people.Therapist, "f-24", form("do", "acknowledge"), readiness.Handling{Kind: readiness.Acknowledge}, "", 303},
		{"snoozed", people.Admin, "f-10", form("do", "snooze", "reason", "they look into it", "until", "2026-03-05T08:00"),
			readiness.Handling{Kind: readiness.Snooze, Reason: "they look into it", Until: time.Date(2026, time.March, 5, 15, 0, 0, 0, time.UTC)}, "", 303},
		{"an S1 within a day", people.Owner, "f-15", form("do", "snooze", "reason", "r", "until", "2026-03-04T08:59"),
			readiness.Handling{Kind: readiness.Snooze, Reason: "r", Until: time.Date(2026, time.March, 4, 15, 59, 0, 0, time.UTC)}, "", 303},
		{"an S1 for longer", people.Owner, "f-15", form("do", "snooze", "reason", "r", "until", "2026-03-04T09:01"), readiness.Handling{}, "wrong-until", 422},
		{"an S2 for more than a month", people.Owner, "f-10", form("do", "snooze", "reason", "r", "until", "2026-04-20T09:00"), readiness.Handling{}, "wrong-until", 422},
		{"up to yesterday", people.Owner, "f-10", form("do", "snooze", "reason", "r", "until", "2026-03-02T09:00"), readiness.Handling{}, "wrong-until", 422},
		{"up to no time", people.Owner, "f-10", form("do", "snooze", "reason", "r", "until", "soon"), readiness.Handling{}, "wrong-until", 422},
		{"up to nothing", people.Owner, "f-10", form("do", "snooze", "reason", "r", "until", ""), readiness.Handling{}, "wrong-until", 422},
		{"for no reason", people.Owner, "f-10", form("do", "snooze", "reason", " ", "until", "2026-03-05T08:00"), readiness.Handling{}, "wrong-reason", 422},
		{"for a long reason", people.Owner, "f-10", form("do", "snooze", "reason", strings.Repeat("r", 501), "until", "2026-03-05T08:00"), readiness.Handling{}, "wrong-reason", 422},
		{"given to somebody", people.Owner, "f-10", form("do", "assign", "person", "Dana Therapist", "reason", "n"), readiness.Handling{Kind: readiness.Assign, Person: "Dana Therapist", Reason: "n"}, "", 303},
		{"given to oneself", people.Owner, "f-10", form("do", "assign", "person", "Ann owner"), readiness.Handling{Kind: readiness.Assign, Person: "Ann owner"}, "", 303},
		{"given to nobody", people.Owner, "f-10", form("do", "assign", "person", ""), readiness.Handling{}, "wrong-person", 422},
		{"given to a stranger", people.Owner, "f-10", form("do", "assign", "person", "Mallory"), readiness.Handling{}, "wrong-person", 422},
		{"given to somebody who left", people.Owner, "f-10", form("do", "assign", "person", "Gone Admin"), readiness.Handling{}, "wrong-person", 422},
		{"given to another's therapist", people.Owner, "f-10", form("do", "assign", "person", "Lee Therapist"), readiness.Handling{}, "wrong-person", 422},
		{"given to an operator", people.Owner, "f-10", form("do", "assign", "person", "Olaf Operator"), readiness.Handling{}, "wrong-person", 422},
		{"what is for the therapist only, given to the office", people.Owner, "f-38", form("do", "assign", "person", "Rosa Office"), readiness.Handling{}, "wrong-person", 422},
		{"… to the therapist", people.Owner, "f-38", form("do", "assign", "person", "Lee Therapist"), readiness.Handling{Kind: readiness.Assign, Person: "Lee Therapist"}, "", 303},
		{"taken back", people.Owner, "f-10", form("do", "release"), readiness.Handling{Kind: readiness.LetGo}, "", 303},
		{"unread, and said to be seen", people.Admin, "f-24", form("do", "acknowledge"), readiness.Handling{}, "wrong", 422},
		{"unread, and snoozed", people.Admin, "f-24", form("do", "snooze", "reason", "r", "until", "2026-03-04T08:00"), readiness.Handling{}, "wrong", 422},
		{"unread, and given to who reads it", people.Admin, "f-24", form("do", "assign", "person", "Dana Therapist"), readiness.Handling{Kind: readiness.Assign, Person: "Dana Therapist"}, "", 303},
		{"resolved", people.Owner, "f-03", form("do", "acknowledge"), readiness.Handling{}, "wrong", 422},
		{"in no known way", people.Owner, "f-10", form("do", "resolve"), readiness.Handling{}, "refused", 400},
		{"looked at before it changed", people.Owner, "f-10", form("do", "acknowledge", "seen", "old"), readiness.Handling{}, "wrong", 409},
		{"by a reader", people.Reader, "f-10", form("do", "acknowledge"), readiness.Handling{}, "refused", 403},
		{"by the privacy officer", people.Privacy, "f-10", form("do", "acknowledge"), readiness.Handling{}, "refused", 403},
	} {
		w := busy(t)
		g := w.as(r.role)
		if r.form.Get("seen") == "" {
			page := g.get("/findings/" + r.id)
			if seen := between(page.body, `name="seen" value="`, `"`); seen != "" {
				r.form.Set("seen", seen)
			} else {
				r.form.Set("seen", w.stamp(r.id))
			}
		}
		a := g.post("/findings/"+r.id, r.form)
		if a.StatusCode != r.code || r.says != "" && !a.has(r.says) {
			t.Errorf("%s: answered %d to %s; has %q: %v", r.name, a.StatusCode, a.Header.Get("Location"), r.says, a.has(r.says))
			continue
		}
		var got readiness.Handling
		if n := len(w.office().handled); n > 0 {
			got = w.office().handled[n-1]
		}
		if r.want.Kind == "" && got.Kind != "" {
			t.Errorf("%s: %+v was kept", r.name, got)
		}
		if r.want.Kind != "" {
			of := w.view.Clients[0].Client
			if r.id == "f-15" || r.id == "f-38" {
				of = "c-kim"
			}
			r.want.Finding, r.want.Client, r.want.Prescriber, r.want.Actor, r.want.At, r.want.Severity = r.id, of, "skylight", "Ann "+string(r.role), now, got.Severity
			if got != r.want {
				t.Errorf("%s: %+v was kept, want %+v", r.name, got, r.want)
			}
		}
	}
}

func between(s, from, to string) string {
	_, s, ok := strings.Cut(s, from)
	if !ok {
		return ""
	}
	s, _, _ = strings.Cut(s, to)
	return s
}

func TestAFindingThatWasResolvedMeanwhileIsSaid(t *testing.T) {
	w := busy(t)
	w.office().fails = exchange.ErrConflict
	a := w.as(people.Owner).post("/findings/f-10", form("do", "acknowledge", "seen", w.stamp("f-10")))
	if a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "resolved meanwhile") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// Of several all is done, or nothing.
func TestSeveralAtOnce(t *testing.T) {
	for _, r := range []struct {
		name    string
		do      string
		ids     []string
		person  string
		stale   bool
		handled int
		code    int
	}{
		{"two are seen", "acknowledge", []string{"f-10", "f-44a"}, "", false, 2, 303},
		{"two are given away", "assign", []string{"f-10", "f-15"}, "Rosa Office", false, 2, 303},
		{"one of them cannot be given to that person", "assign", []string{"f-10", "f-15"}, "Dana Therapist", false, 0, 422},
		{"nothing is ticked", "acknowledge", nil, "", false, 0, 422},
		{"to nobody", "assign", []string{"f-10"}, "", false, 0, 422},
		{"one changed meanwhile", "acknowledge", []string{"f-10", "f-15"}, "", true, 0, 409},
		{"one is resolved", "acknowledge", []string{"f-10", "f-03"}, "", false, 0, 422},
		{"several are not snoozed", "snooze", []string{"f-10"}, "", false, 0, 400},
	} {
		w := busy(t)
		f := form("do", r.do, "person", r.person, "back", "/findings?severity=S2")
		for _, id := range r.ids {
			f.Add("finding", id+"."+w.stamp(id))
		}
		if r.stale {
			w.view.Clients[1].Findings[0].Words = "Skylight stopped Kim once more"
		}
		a := w.as(people.Owner).post("/findings", f)
		if a.StatusCode != r.code || len(w.office().handled) != r.handled {
			t.Errorf("%s: answered %d, %d kept", r.name, a.StatusCode, len(w.office().handled))
		}
		if r.code == 303 && a.Header.Get("Location") != "/findings?severity=S2#f-f-10" {
			t.Errorf("%s: leads to %q", r.name, a.Header.Get("Location"))
		}
		if r.stale && (!strings.Contains(a.body, "R15 of Kim") || !strings.Contains(a.body, "checked")) {
			t.Errorf("%s: it does not say which, or forgets what was ticked", r.name)
		}
	}
}

// Nobody is led elsewhere by the address that a form came from.
func TestAFormLeadsBackToTheListOnly(t *testing.T) {
	for _, back := range []string{"https://evil.example/", "//evil.example", "/sign-out", "/findings/../accounts", "javascript:alert(1)"} {
		w := busy(t)
		a := w.as(people.Owner).post("/findings/f-10", form("do", "acknowledge", "seen", w.stamp("f-10"), "back", back))
		if to := a.Header.Get("Location"); to != "/findings/f-10" {
			t.Errorf("%q leads to %q", back, to)
		}
	}
}

// Whatever a record says is text.
func TestWordsOfFindingsAreText(t *testing.T) {
	const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	w := busy(t)
	for i := range w.view.Clients {
		v := &w.view.Clients[i]
		v.Chosen = hostile
		for j := range v.Findings {
			f := &v.Findings[j]
			f.Words, f.Next, f.By, f.Values = hostile, hostile, hostile, map[string]string{hostile: hostile}
		}
	}
	w.view.Handlings = []readiness.Handling{
		{Finding: "f-10", Client: "c-robin", Kind: readiness.Assign, Person: hostile, Reason: hostile, Actor: hostile, At: now},
		{Finding: "f-15", Client: "c-kim", Kind: readiness.Snooze, Until: now.Add(time.Hour), Severity: readiness.S1, Reason: hostile, Actor: hostile, At: now}}
	w.office().given = []Given{{At: now.Add(-time.Hour), Moment: 5, By: hostile}}
	for _, path := range []string{"/findings", "/findings?pile=snoozed", "/findings?pile=resolved", "/findings/f-10", "/findings/f-03", "/findings/f-44a", "/findings?person=" + url.QueryEscape(hostile), "/report"} {
		a := w.as(people.Owner).get(path)
		if a.StatusCode != http.StatusOK || strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, "<img") {
			t.Errorf("%s: %d, and something of it is no text: %s", path, a.StatusCode, w.log.String())
		}
	}
}

// A long list comes in pages.
func TestALongListComesInPages(t *testing.T) {
	w := busy(t)
	for i := range 100 {
		f := w.view.Clients[0].Findings[0]
		f.ID += strings.Repeat("x", i+1)
		w.view.Clients[0].Findings = append(w.view.Clients[0].Findings, f)
	}
	g := w.as(people.Owner)
	first, last := g.get("/findings"), g.get("/findings?page=99")
	if n := strings.Count(first.body, `data-test-id="finding"`); n > onPage || !strings.Contains(first.body, `rel="next"`) || strings.Contains(first.body, `rel="prev"`) {
		t.Errorf("the first page has %d", n)
	}
	if !strings.Contains(last.body, `rel="prev"`) || strings.Contains(last.body, `rel="next"`) {
		t.Error("the last page is not the last")
	}
	if len(first.body) > 200<<10 {
		t.Errorf("it weighs %d KB", len(first.body)>>10)
	}
}

// Whoever handles one finding of a list comes back to where it stood: where its row goes, to the one below.
func TestOneComesBackToThePlaceInTheList(t *testing.T) {
	for _, r := range [][4]string{
		{"acknowledge", "/findings", "f-15", "/findings#f-f-10"}, {"snooze", "/findings", "f-15", "/findings#f-f-15"},
		{"acknowledge", "/findings?unseen=yes", "f-15", "/findings?unseen=yes#f-f-15"}, {"snooze", "/findings", "x y\"", "/findings#f-f-10"},
	} {
		w := busy(t)
		f := form("do", r[0], "back", r[1], "after", r[2], "seen", w.stamp("f-10"), "reason", "seen to", "until", "2026-03-03T12:00")
		if a := w.as(people.Owner).post("/findings/f-10", f); a.Header.Get("Location") != r[3] {
			t.Errorf("%s: %d to %q, want %q", r[0], a.StatusCode, a.Header.Get("Location"), r[3])
		}
	}
}
