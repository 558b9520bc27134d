package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// named has the board call the desk's clients as their charts do.
func named(t *testing.T, w *town) (robinIs, kimIs subject) {
	t.Helper()
	robinIs, kimIs = subjectNow(t, w, "c-robin"), subjectNow(t, w, "c-kim")
	for i := range w.view.Clients {
		w.view.Clients[i].Chosen = map[string]string{"c-robin": robinIs.Name, "c-kim": kimIs.Name}[w.view.Clients[i].Client]
	}
	return robinIs, kimIs
}

// A search with one client whom the words match outright opens them: at the desk the form that was chosen. With two, or one who is
// only alike, it shows who fits.
func TestASearchThatMeansOneClientOpensThem(t *testing.T) {
	w := newTown(t)
	who, _ := named(t, w)
	g := w.as(people.Owner)
	for _, tt := range []struct{ path, field, words, chosen, to string }{
		{"/clients", "q", who.Name, "", "/clients/c-robin"},
		{"/clients", "q", who.Name[1:], "", "/clients?found=yes"},
		{"/clients", "q", "", "", "/clients"},
		{"/desk/find", "who", who.Name, "", "/clients/c-robin/desk"},
		{"/desk/find", "who", who.Name, "stop", "/clients/c-robin/desk/stop"},
		{"/desk/find", "who", who.Name, "arrival", "/clients/c-robin/card"},
		{"/desk/find", "who", who.Name, "no such form", "/clients/c-robin/desk"},
		{"/desk/find", "who", who.Name[1:], "stop", ""},
		{"/desk/find", "who", "everybody", "stop", ""},
	} {
		a := g.post(tt.path, url.Values{tt.field: {tt.words}, "for": {tt.chosen}})
		if a.Header.Get("Location") != tt.to {
			t.Errorf("%s %q for %q leads to %q, want %q", tt.path, tt.words, tt.chosen, a.Header.Get("Location"), tt.to)
		}
		if tt.to == "" && (!a.has("found-client") || tt.chosen != "" && !strings.Contains(a.body, "/desk/"+tt.chosen)) {
			t.Errorf("%q finds\n%s", tt.words, a.body)
		}
	}
	if !slices.Contains(w.looks, "Ann owner|search clients|c-robin|") {
		t.Errorf("nobody looked for anybody: %q", w.looks)
	}
	// Nobody is opened where a second bears the name.
	for i := range w.view.Clients {
		w.view.Clients[i].Chosen = who.Name
	}
	if a := g.post("/clients", form("q", who.Name)); a.Header.Get("Location") != "/clients?found=yes" {
		t.Errorf("of two of a name, one is opened: %s", a.Header.Get("Location"))
	}
	// An admin has no label check of anybody: the choice is not offered, and sent all the same it leads to the desk.
	admin := w.as(people.Admin)
	named(t, w)
	if body := admin.get("/desk").body; strings.Contains(body, `name="for" value="label"`) || !strings.Contains(body, `name="for" value="decision"`) {
		t.Errorf("an admin is offered\n%s", body)
	}
	if a := admin.post("/desk/find", url.Values{"who": {who.Name}, "for": {"label"}}); a.Header.Get("Location") != "/clients/c-robin/desk" {
		t.Errorf("an admin is led to %q", a.Header.Get("Location"))
	}
}

// Two of one name and birth date are told apart by more than the key, in the search and on the form; nobody else's details are shown.
func TestTwinsAreToldApart(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	named(t, w)
	if a := g.get(robin + "stop"); a.has("apart") {
		t.Error("somebody without a twin is told apart")
	}
	twin := w.desk.clients["c-kim"]
	twin.versions[0] = w.desk.clients["c-robin"].course.DaysBefore(80).PatientHere(fhirtest.Set("id", twin.course.Patient))
	who, _ := named(t, w)
	a := g.post("/desk/find", url.Values{"who": {who.Name}})
	if strings.Count(a.body, "legal last name") != 2 {
		t.Errorf("the search tells them apart by\n%s", a.body)
	}
	if a := g.get(robin + "stop"); !a.has("apart") || !strings.Contains(a.body, "legal last name") || !strings.Contains(a.body, "with Dana") {
		t.Errorf("the form tells them apart by\n%s", a.body)
	}
	if a := w.as(people.Therapist).get(robin + "stop"); a.has("apart") {
		t.Error("a therapist learns that somebody else's client has the same name")
	}
}

// From a client's page each entry that is the visitor's is a step away; of the past nothing is entered.
func TestAClientsPageLeadsToTheForms(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, append(c.InOrder(), dana(c))...)
	if a := w.as(people.Owner).get("/clients/c-robin"); !a.has("enter") || !strings.Contains(a.body, robin+"label") || !strings.Contains(a.body, "/clients/c-robin/card") {
		t.Errorf("an owner is led to\n%s", a.body)
	}
	if a := w.as(people.Admin).get("/clients/c-robin"); !strings.Contains(a.body, robin+"decision") || strings.Contains(a.body, robin+"label") {
		t.Error("an admin is led to the label check, or not to the decision")
	}
	if a := w.as(people.Therapist).get("/clients/c-robin/card"); !a.has("enter") || !strings.Contains(a.body, robin+"label") {
		t.Errorf("the card leads to\n%s", a.body)
	}
	if a := w.as(people.Reader).get("/clients/c-robin"); a.has("enter") {
		t.Error("who reads only is led to the forms")
	}
}

// A form says all that is wrong with it at once, beside each answer, and keeps what was typed.
func TestAFormSaysAllItsMistakesAtOnce(t *testing.T) {
	for _, tt := range []struct {
		form    string
		before  []string
		answers []string
		wrong   []string
	}{
		{"lift", []string{"said", "client"}, []string{"told", "tomorrow"}, []string{"said", "from", "told"}},
		{"decision", nil, []string{"outcome", fhir.DecisionConditions, "limit", "low", "told", "someday"}, []string{"valid-to", "condition", "limit", "told"}},
		{"after", nil, []string{"which", "other", "on", ""}, []string{"kind", "on", "held"}},
		{"after", nil, []string{"which", "-"}, []string{"which", "held"}},
		{"label", nil, []string{"name-matches", "y", "filled", "2099-01-01"}, []string{"filled", "discard-after", "sessions", "directions"}},
		{"papers", nil, []string{"signed", "2099-01-01", "release", "y"}, []string{"signed", "release-to", "consents"}},
	} {
		t.Run(tt.form, func(t *testing.T) {
			w := newTown(t)
			g := w.as(people.Owner)
			if tt.before != nil {
				g.fill(robin+"stop", tt.before...)
			}
			_, a := g.fill(robin+tt.form, tt.answers...)
			if a.StatusCode != http.StatusUnprocessableEntity {
				t.Fatalf("%d", a.StatusCode)
			}
			for _, name := range tt.wrong {
				if !a.has("wrong-" + name) {
					t.Errorf("nothing is said of %s", name)
				}
			}
		})
	}
}

// A new form is begun in its first field; who lifts a stop is marked as needed.
func TestAFormBeginsInItsFirstField(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	g.fill(robin+"stop", "said", "client")
	for _, form := range []string{"stop", "papers", "decision", "label", "after", "lift"} {
		if a := g.get(robin + form); strings.Count(a.body, " autofocus") != 1 {
			t.Errorf("%s: %d fields are in focus", form, strings.Count(a.body, " autofocus"))
		}
	}
	if a := g.get(robin + "lift"); !strings.Contains(a.body, `Their name <span class="quiet">needed`) || !strings.Contains(a.body, `aria-required="true"`) {
		t.Errorf("who lifts it is not marked as needed:\n%s", a.body)
	}
}

// A condition is a line: a semicolon is part of it.
func TestAConditionIsALine(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	if _, a := g.fill(robin+"decision", "outcome", fhir.DecisionConditions, "valid-to", "2026-05-31", "condition", "an ECG; read by a cardiologist\na letter"); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", a.StatusCode)
	}
	a := g.get(robin + "condition")
	if strings.Count(a.body, `name="condition"`) != 2 || !strings.Contains(a.body, "an ECG; read by a cardiologist") {
		t.Errorf("%s", a.body)
	}
}

// A session of another day is not guessed: whoever closes one says which.
func TestAnOldSessionIsNotChosen(t *testing.T) {
	w := newTown(t)
	w.desk.now = now.Add(-3 * day)
	a := w.as(people.Owner).get(robin + "after")
	if form := shownForm(t, a, robin+"after"); form.Has("which") {
		t.Errorf("%q is chosen", form.Get("which"))
	}
}

// A clearance of before the evaluation is asked about once; a no is not kept out by a question.
func TestADecisionBeforeTheEvaluationIsAskedAbout(t *testing.T) {
	w := newTown(t)
	c := w.desk.clients["c-robin"]
	at := w.desk.now.Add(26 * time.Hour)
	c.versions = append(c.versions, c.course.DaysBefore(70).Referral(), c.course.DaysBefore(65).Evaluation(fhirtest.Set("status", "booked"), fhirtest.Set("start", at.Format(time.RFC3339)), fhirtest.Set("end", at.Add(time.Hour).Format(time.RFC3339))))
	chart, _ := w.desk.chart("c-robin")
	if g, _ := readiness.Assess(chart, w.desk.policy, w.desk.now).Gate(readiness.GateEvaluation); g.State != readiness.Open || !strings.Contains(g.Words, "booked for") {
		t.Fatalf("the evaluation: %s %s", g.State, g.Words)
	}
	g := w.as(people.Owner)
	_, a := g.fill(robin+"decision", clearing...)
	if a.StatusCode != http.StatusUnprocessableEntity || !a.has("field-seen") || !strings.Contains(a.body, "did it take place already?") || len(w.desk.slips) != 0 {
		t.Fatalf("%d\n%s", a.StatusCode, a.body)
	}
	for _, no := range []string{"not-cleared", "deferred"} {
		if _, a := g.fill(robin+"decision", "outcome", no); a.StatusCode != http.StatusSeeOther {
			t.Errorf("%s waits for a tick: %d %s", no, a.StatusCode, a.text())
		}
	}
	form := shownForm(t, a, robin+"decision")
	form.Set("seen", "y")
	if line := g.said(g.post(robin+"decision", form)); !strings.HasPrefix(line, "Saved as") {
		t.Errorf("it says %q", line)
	}
	if _, a := g.fill("/clients/c-kim/desk/decision", clearing...); a.StatusCode != http.StatusSeeOther {
		t.Errorf("without an evaluation that is booked it is answered %d", a.StatusCode)
	}
}

// Whoever entered something reads what they entered, and about whom; nobody reads of a dose, a reading or an event in the line at
// a page's head.
func TestWhatWasSavedIsRepeated(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	for _, tt := range []struct {
		form, says, not string
		answers         []string
	}{
		{"stop", "hold, from Tue 3 Mar 2026 09:00, said by ", "fainted", []string{"said", "client", "why", "fainted"}},
		{"decision", "deferred, decided by Dr. Imaginary, about Juniper Invented-p1, born 29 February 1988. ", "second person", []string{"outcome", "deferred"}},
		{"decision", "cleared, decided by Dr. Imaginary, valid to Sun 31 May 2026, about Juniper Invented-p1, born 29 February 1988. A second person confirms it", "ECG", []string{"outcome", "cleared", "valid-to", "2026-05-31"}},
		{"decision", "cleared, decided by", "second person", []string{"outcome", "cleared", "valid-to", "2026-05-31", "valid-to-again", "2026-05-31"}},
	} {
		_, a := g.fill(robin+tt.form, tt.answers...)
		if line := g.said(a); !strings.Contains(line, ": "+tt.says) || strings.Contains(line, tt.not) {
			t.Errorf("%s %q: it says %q", tt.form, tt.answers, line)
		}
	}
}

// Whoever looks at a client on hold finds the end of the stop first.
func TestTheEndOfAStopIsTheFirstToEnter(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	first := func() string {
		_, nav, _ := strings.Cut(g.get("/clients/c-robin").body, `data-test-id="enter"`)
		_, nav, _ = strings.Cut(nav, `<a href="`)
		path, _, _ := strings.Cut(nav, `"`)
		return path
	}
	c := robins()
	w.tell(c, c.InOrder()...)
	if path := first(); path != robin+"stop" {
		t.Errorf("without a stop the first is %q", path)
	}
	w.tell(c, append(c.InOrder(), desked(c.Flag("active")))...)
	if path := first(); path != robin+"lift" {
		t.Errorf("on hold the first is %q", path)
	}
}

// desked is a version as the desk of the practice would have written it.
func desked(v fhir.Version) fhir.Version {
	v.Source = desk.Source(fhir.Practice)
	return v
}

// A day on which one is booked is asked about once, and only then.
func TestASessionThatNobodyBookedOnABookedDay(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	answers := []string{"which", "other", "kind", "dosing", "held", "y", "as-directed", "y", "effects", "none", "at", "08:30"}
	if form, _ := g.fill(robin + "after"); form.Has("apart") {
		t.Error("it is asked beforehand whether it is another")
	}
	booked := now.In(denver).Add(-10 * day).Format(time.DateOnly)
	form, a := g.fill(robin+"after", append(answers, "on", booked)...)
	if a.StatusCode != http.StatusUnprocessableEntity || !a.has("field-apart") || !strings.Contains(a.body, "Has one booked, for ") {
		t.Fatalf("on the day of a booked one: %d\n%s", a.StatusCode, a.text())
	}
	form.Set("apart", "y")
	if line := g.said(g.post(robin+"after", form)); !strings.HasPrefix(line, "Saved as e-") {
		t.Errorf("said to be another: %q", line)
	}
	_, a = g.fill(robin+"after", append(answers, "on", now.In(denver).Add(-9*day).Format(time.DateOnly))...)
	if line := g.said(a); !strings.HasPrefix(line, "Saved as e-") {
		t.Errorf("on a day without one: %q", line)
	}
}
