package desk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func cleared(retyped bool) desk.Decision {
	return desk.Decision{Outcome: fhir.DecisionCleared, Decider: decider(), ValidTo: "2026-05-31", Retyped: retyped}
}

func TestADecisionThatClearsIsConfirmedByASecondPerson(t *testing.T) {
	monday, friday := now.Add(-23*time.Hour), now.Add(-4*day)
	decide := func(at time.Time, p desk.Decision) entry {
		return entry{"decision", at, true, func(_ *life, n desk.Note) ([]exchange.Slip, error) { return book.Decide(n, p) }}
	}
	confirm := func(at time.Time, by string) entry {
		return entry{"confirmation", at, true, func(l *life, n desk.Note) ([]exchange.Slip, error) {
			n.By = by
			return book.Confirm(n, l.last["decision Observation"])
		}}
	}
	stop := entry{"not cleared", now.Add(-6 * day), true, func(_ *life, n desk.Note) ([]exchange.Slip, error) {
		return book.Decide(n, desk.Decision{Outcome: fhir.DecisionNotCleared, Decider: decider()})
	}}
	undo := entry{"undo", now.Add(-5 * day), true, func(l *life, n desk.Note) ([]exchange.Slip, error) {
		s, err := book.Undo(n, book.Prescriber, "it was another client", []desk.Told{{Now: l.last["not cleared Observation"]}})
		return []exchange.Slip{s}, err
	}}
	tests := []struct {
		name    string
		entries []entry
		want    readiness.GateState
		words   string
	}{
		{"entered yesterday, it counts to the end of the next business day", []entry{decide(monday, cleared(false))}, readiness.Met, "entered by ada, to be confirmed by a second person by the end of Tue 3 Mar"},
		{"a stop is not lifted while a second person is waited for", []entry{stop, decide(monday, cleared(false))}, readiness.Blocked, ""},
		{"entered on Friday and nobody confirmed it up to Monday's end", []entry{decide(friday, cleared(false))}, readiness.Untold, "entered by ada on Fri 27 Feb 2026, awaiting a second person"},
		{"the same person cannot confirm it", []entry{decide(friday, cleared(false)), confirm(friday.Add(time.Hour), "Ada")}, readiness.Untold, "awaiting a second person"},
		{"another person confirmed it", []entry{decide(friday, cleared(false)), confirm(friday.Add(time.Hour), "grace")}, readiness.Met, ""},
		{"… late, and from then on it counts", []entry{decide(friday, cleared(false)), confirm(now.Add(-time.Hour), "grace")}, readiness.Met, ""},
		{"alone, with the end typed twice", []entry{decide(friday, cleared(true))}, readiness.Met, ""},
		{"what stops counts at once", []entry{stop}, readiness.Blocked, ""},
		{"a stop is not lifted by what nobody confirmed", []entry{stop, decide(friday, cleared(false))}, readiness.Blocked, ""},
		{"a stop is lifted by what was confirmed", []entry{stop, decide(friday, cleared(true))}, readiness.Met, ""},
		{"a stop that was entered by mistake is none", []entry{stop, undo}, readiness.Open, "No decision"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := live(t, letters(90*day), nil, slices.Clone(tt.entries), "")
			g, ok := v.Gate(readiness.GateClearance)
			if !ok || g.State != tt.want || !strings.Contains(g.Words, tt.words) {
				t.Errorf("%s: %s", g.State, g.Words)
			}
		})
	}
}

func TestWhatIsWrongWithAnEntryIsSaidBeforeItIsSaved(t *testing.T) {
	note := desk.Note{Entry: desk.NewEntry(), Client: "c-1", By: "ada", At: now}
	label := desk.Label{NameMatches: true, FilledOn: "2026-03-01", Sessions: 4, Directions: "One"}
	tests := []struct {
		name string
		make func() ([]exchange.Slip, error)
		want string
	}{
		{"conditions that are not named", func() ([]exchange.Slip, error) {
			return book.Decide(note, desk.Decision{Outcome: fhir.DecisionConditions, Decider: decider()})
		}, "names none"},
		{"cleared, with conditions", func() ([]exchange.Slip, error) {
			return book.Decide(note, desk.Decision{Outcome: fhir.DecisionCleared, Decider: decider(), Conditions: []string{"ECG"}})
		}, "cleared-with-conditions"},
		{"directions that change where none are on file", func() ([]exchange.Slip, error) {
			return book.Decide(note, desk.Decision{Outcome: fhir.DecisionCleared, Decider: decider(), Directions: "Half a lozenge"})
		}, "no prescription is on file"},
		{"nobody decided", func() ([]exchange.Slip, error) {
			return book.Decide(note, desk.Decision{Outcome: fhir.DecisionCleared})
		}, "who decided is missing"},
		{"an end before the decision", func() ([]exchange.Slip, error) {
			return book.Decide(note, desk.Decision{Outcome: fhir.DecisionCleared, Decider: decider(), ValidTo: "2026-03-01"})
		}, "ends before"},
		{"a message from the future", func() ([]exchange.Slip, error) {
			later := note
			later.Told = now.Add(time.Hour)
			return book.Decide(later, cleared(true))
		}, "in the future"},
		{"a label filled tomorrow", func() ([]exchange.Slip, error) { l := label; l.FilledOn = "2026-03-09"; return book.Check(note, l) }, "in the future"},
		{"no directions anywhere", func() ([]exchange.Slip, error) { l := label; l.Directions = ""; return book.Check(note, l) }, "word for word"},
		{"a reason of two lines", func() ([]exchange.Slip, error) { return book.Stop(note, book.Practice, false, "a\nb") }, "one line"},
		{"what happened in two lines", func() ([]exchange.Slip, error) {
			return book.Close(note, desk.After{Kind: fhir.SessionDosing, Start: now.Add(-time.Hour), Held: true, Effects: desk.EffectsExpected, Line: "a\u2028b"})
		}, "one line"},
		{"a reason that a screen would obey", func() ([]exchange.Slip, error) { return book.Reason(note, fhir.Key{}, "a\x1b[2Jb") }, "one line"},
		{"a reason as long as a note", func() ([]exchange.Slip, error) { return book.Reason(note, fhir.Key{}, strings.Repeat("ä", 301)) }, "300 letters"},
		{"a correction for a reason of two lines", func() ([]exchange.Slip, error) {
			_, err := book.Undo(note, book.Practice, "a\rb", nil)
			return nil, err
		}, "one line"},
		{"somebody else lifts a stop", func() ([]exchange.Slip, error) {
			return book.Lift(note, book.Practice, &fhir.Version{Key: fhir.Key{Source: desk.Source(fhirtest.Prescriber), Type: "Flag", ID: "x"}})
		}, "only whoever said it"},
		{"half a blood pressure", func() ([]exchange.Slip, error) {
			return book.Arrive(note, desk.Session{Appointment: &fhir.Version{}}, desk.Arrival{Systolic: new(118.0)})
		}, "two numbers"},
		{"a session to come is not closed", func() ([]exchange.Slip, error) {
			return book.Close(note, desk.After{Kind: fhir.SessionDosing, Start: now.Add(time.Hour), Held: true, Effects: desk.EffectsNone})
		}, "still to come"},
		{"a mailbox read to tomorrow", func() ([]exchange.Slip, error) { return book.ReadThrough(note, book.Prescriber, now.Add(day)) }, "to come"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if slips, err := tt.make(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%d slips, %v", len(slips), err)
			}
		})
	}
}

func TestALabelWithAnotherNameTellsNothing(t *testing.T) {
	check := entry{"label", now.Add(-day), true, func(_ *life, n desk.Note) ([]exchange.Slip, error) {
		return book.Check(n, desk.Label{FilledOn: "2026-03-01", Sessions: 4, Directions: "One"})
	}}
	v := live(t, letters(90*day), nil, []entry{check}, "")
	for _, name := range []readiness.GateName{readiness.GateMedicine, readiness.GatePrescription} {
		if g, _ := v.Gate(name); g.State != readiness.Open {
			t.Errorf("%s is %s: %s", name, g.State, g.Words)
		}
	}
}
