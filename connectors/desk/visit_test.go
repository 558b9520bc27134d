package desk_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// That the prescriber saw the client in person is said with the decision or the follow-up, and is the prescriber's fact.
func TestAVisitInPerson(t *testing.T) {
	n := desk.Note{Entry: desk.NewEntry(), Client: "c-1", By: "maya", At: now}
	for name, enter := range map[string]func(inPerson bool) ([]exchange.Slip, error){
		"decision": func(is bool) ([]exchange.Slip, error) {
			return book.Decide(n, desk.Decision{Outcome: fhir.DecisionDeferred, Decider: decider(), InPerson: is})
		},
		"follow-up": func(is bool) ([]exchange.Slip, error) { return book.FollowUp(n, now.Add(-time.Hour), decider(), is) },
	} {
		for _, is := range []bool{true, false} {
			slips, err := enter(is)
			if err != nil || len(slips) != 1 || slips[0].Source != desk.Source(book.Prescriber.Name) {
				t.Fatalf("%s: %v, %v", name, slips, err)
			}
			visits := 0
			for _, r := range slips[0].Records {
				if r.Type != "Encounter" {
					continue
				}
				visits++
				if v, err := fhir.Read[fhir.Encounter](r); err != nil || *v.Class.Code != "AMB" || v.Status.Code() != "finished" {
					t.Errorf("%s: %v, %v", name, v.Class, err)
				}
			}
			if visits == 1 != is {
				t.Errorf("%s, in person %v: %d visits", name, is, visits)
			}
		}
	}
}
