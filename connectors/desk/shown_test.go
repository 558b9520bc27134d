package desk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

func TestADecisionIsShownAsItWasEntered(t *testing.T) {
	note := desk.Note{Entry: desk.NewEntry(), Client: "c-1", By: "ada", At: now}
	vale := desk.Person{Name: "Dr. Vale", ID: fhir.ID{System: fhir.SystemNPI, Value: "1881697747"}}
	for name, tt := range map[string]struct {
		entered desk.Decision
		want    string
	}{
		"cleared, no end": {desk.Decision{Outcome: fhir.DecisionCleared, Decider: vale}, "cleared; decided by Dr. Vale; no end given"},
		"what stops":      {desk.Decision{Outcome: fhir.DecisionDeferred, Decider: vale}, "deferred; decided by Dr. Vale"},
		"conditions, limits": {desk.Decision{Outcome: fhir.DecisionConditions, Decider: vale, ValidTo: "2099-06-01", Conditions: []string{"an ECG"}, ByReading: true, Spacing: desk.Spacing{InAll: 2},
			Limits: []desk.Limit{{Of: "systolic", Value: 135}, {Of: "heart-rate", Value: 95, Below: true}}},
			"cleared-with-conditions; decided by Dr. Vale; valid to 2099-06-01; condition: readings below the limits before each session; condition: an ECG; systolic up to 135; heart rate below 95; sessions at most: 2"},
	} {
		t.Run(name, func(t *testing.T) {
			slips, err := book.Decide(note, tt.entered)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range slips[0].Records {
				if r.Type != "Observation" {
					continue
				}
				if got, err := desk.Shown(r); err != nil || got != tt.want {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
}

// Each part of a session's entry is said, and what tells of a dose, a reading or an event is not open.
func TestWhatAnEntrySays(t *testing.T) {
	zone := time.FixedZone("", -7*3600)
	n := desk.Note{Entry: desk.NewEntry(), Client: "c-1", By: "ada", At: now}
	three := 3.0
	after, err := book.Close(n, desk.After{Kind: fhir.SessionDosing, Start: now.Add(-3 * time.Hour), Held: true, AsDirected: true, Effects: desk.EffectsSerious, Line: "fainted", Left: &three})
	if err != nil {
		t.Fatal(err)
	}
	label, err := book.Check(n, desk.Label{NameMatches: true, FilledOn: "2026-02-20", DiscardAfter: "2026-08-01", Sessions: 4, Directions: "One lozenge"})
	if err != nil {
		t.Fatal(err)
	}
	withdrawn, err := book.Papers(n, desk.Papers{Withdraws: true, Signed: now})
	if err != nil {
		t.Fatal(err)
	}
	held := now.Add(-3 * time.Hour).In(zone).Format("Mon 2 Jan 2006")
	for name, tt := range map[string]struct {
		slips []exchange.Slip
		want  string // what is not open in brackets
	}{
		"after":     {after, "dosing session of " + held + ", held; (dose taken as directed); (effects: serious); (“fainted”); (left for 3 sessions)"},
		"label":     {label, "(directions: “One lozenge”); filled Fri 20 Feb 2026; discard after Sat 1 Aug 2026; (enough for 4 sessions); directions acknowledged"},
		"withdrawn": {withdrawn, "release withdrawn " + now.In(zone).Format("Mon 2 Jan 2006")},
	} {
		var got []string
		for _, s := range desk.Says(tt.slips, zone) {
			if !s.Open {
				s.Words = "(" + s.Words + ")"
			}
			got = append(got, s.Words)
		}
		if said := strings.Join(got, "; "); said != tt.want {
			t.Errorf("%s: %s\nnot  %s", name, said, tt.want)
		}
	}
}
