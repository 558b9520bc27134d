package console

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// No go-ahead makes it READY while something new is to be asked about: the form says so before it is given, and after.
func TestAGoAheadThatDoesNotCountSaysSo(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.learns(c, append(arriving(c), c.On(now.Add(-30*time.Minute)).Check(fhir.CodeNewInformation, true)))
	g := w.as(people.Therapist)
	a := g.get(card)
	if !a.has("go-waits") || !strings.Contains(a.text(), "A go-ahead is kept, but does not count towards READY before Skylight said whether the clearance holds") {
		t.Fatal(a.text())
	}
	form := opened(t, a, "checks")
	for field, value := range map[string]string{"bp": "118/76", "hr": "72", "ride": "y", "fasting": "y", "location": "y", "go-ahead": "y"} {
		form.Set(field, value)
	}
	g.post(card, form)
	a = g.get(card)
	if !strings.Contains(a.text(), "NOT-READY today") || !strings.Contains(a.text(), "The go-ahead is kept, and does not count towards READY before Skylight") {
		t.Fatal(a.text())
	}
	form = opened(t, a, "checks")
	form.Set("new", "n")
	g.post(card, form)
	if a := g.get(card); a.has("go-waits") || !strings.Contains(a.text(), "READY today 11:00 Records in order; arrival checks and go-ahead recorded 09:00") {
		t.Error(a.text())
	}
}

// Of what only somebody else of the practice can mend, a therapist learns whom to tell, and whom to ask meanwhile.
func TestWhatCannotBeToldNamesSomebodyToTell(t *testing.T) {
	w := newTown(t)
	w.as(people.Operator)
	c := robins()
	w.tell(c, arriving(c)...)
	chart := w.room.charts["c-robin"]
	chart.Rejects = append(chart.Rejects, fhir.Reject{ID: "r-1", Source: fhirtest.PracticeSource})
	v := readiness.Assess(chart, policy, now)
	v.Client, v.Therapists = "c-robin", []fhir.Therapist{{Name: "Dana"}}
	w.room.charts["c-robin"], w.view.Clients[0] = chart, v
	text := w.as(people.Therapist).get(card).text()
	for _, want := range []string{
		"UNKNOWN today 11:00 Cannot tell: a record of the client could not be read. you tell whoever looks after the hub, Ann operator ( 303-555-0140 ); whether the session may be held until then, ask Skylight Call Skylight 303-555-0100",
		"What was prescribed before",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the card does not say %q in %s", want, text)
		}
	}
	if strings.Contains(text, "Also open") || strings.Count(text, "could not be read") != 1 {
		t.Errorf("it is told twice: %s", text)
	}
	if strings.Contains(text, "rejects") {
		t.Error("the card sends a therapist where they cannot go")
	}
}

// Out of their hours the number to call is the one for weekends: the card says so, and which one is for their hours.
func TestTheCardSaysWhoseNumberItIs(t *testing.T) {
	was := policy
	t.Cleanup(func() { policy = was })
	policy.Sheet.Hours.Open = map[time.Weekday][2]time.Duration{time.Wednesday: {9 * time.Hour, 17 * time.Hour}}
	w := newTown(t)
	c := robins()
	w.tell(c, arriving(c)...)
	if text := w.as(people.Therapist).get(card).text(); !strings.Contains(text, "Skylight, if you need them: 303-555-0199 . They are closed until tomorrow 09:00. That is their weekend number; in their hours: 303-555-0100 .") {
		t.Error(text)
	}
}

// A go-ahead that fell by an arrival check is not told of beside that check; by what else it fell is.
func TestWhatAGoAheadFellByIsToldOnce(t *testing.T) {
	w := newTown(t)
	c := robins()
	all := append(arriving(c), c.On(now.Add(-30*time.Minute)).GoAhead(), c.On(now.Add(-10*time.Minute)).Check(fhir.CodeNewInformation, true))
	w.tell(c, all...)
	g := w.as(people.Therapist)
	if a := g.get(card); !strings.Contains(a.text(), "Something is new since the clearance") || a.has("also") {
		t.Error(a.text())
	}
	w.tell(c, append(all, c.On(now.Add(-5*time.Minute)).Clearance(fhir.DecisionCleared, c.Day(-1), c.Day(40), fhirtest.Set("id", "anew")), c.On(now.Add(-2*time.Minute)).Check(fhir.CodeNewInformation, true, fhirtest.Set("id", "newer")))...)
	if a := g.get(card); !a.has("also") || !strings.Contains(a.text(), "recorded the decision on clearance on Tue 3 Mar 2026 08:55, after") {
		t.Error(a.text())
	}
}
