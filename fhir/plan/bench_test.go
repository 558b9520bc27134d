package plan_test

import (
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/plan"
)

// BenchmarkPlan is one engagement with everything in it and nothing to be done.
func BenchmarkPlan(b *testing.B) {
	w := referred()
	w.settle(b)
	w.move(set("status", "accepted"))
	w.tell(w.Clearance(fhir.DecisionCleared, w.Day(0), ""), w.Prescription(), w.Dispense())
	w.settle(b)
	chart := w.chart()
	for b.Loop() {
		if c := plan.Plan(chart, w.verdict, w.policy, w.ledger, w.clock); len(c.Stage) > 0 {
			b.Fatal("there is something to be done")
		}
	}
}
