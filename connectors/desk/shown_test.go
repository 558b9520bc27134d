package desk_test

import (
	"testing"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
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
