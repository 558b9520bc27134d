package readiness_test

import (
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// A Task tells when it was last modified, in a field that not every system keeps up, and may give a date without an hour. What
// speaks against a decision is not taken for older than it for that.
func TestWhatATaskSaysSinceADecision(t *testing.T) {
	decided := func(moves ...func(c *course) fhir.Version) told {
		return func(c *course) []fhir.Version {
			vs := append(none(c), c.PatientThere(), c.Release(), c.Referral(), c.DaysBefore(20).Task("accepted"),
				c.DaysBefore(10).Clearance(fhir.DecisionCleared, c.Day(-10), c.Day(60), set("focus", nil)))
			for _, m := range moves {
				vs = append(vs, m(c))
			}
			return vs
		}
	}
	moved := func(daysBefore int, status string, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version { return c.DaysBefore(daysBefore).Task(status, edits...) }
	}
	const old = "2026-01-02T09:00:00-07:00"
	sameDay := now.AddDate(0, 0, -10).In(fhirtest.Denver).Format("2006-01-02")
	judgeGate(t, readiness.GateReferral, []rowAt{
		{name: "rejected since → open", told: decided(moved(5, "rejected")), want: "open"},
		{name: "rejected since, by a system that keeps the date of its first writing → open", told: decided(moved(5, "rejected", set("lastModified", old))), want: "open"},
		{name: "rejected on the day of the decision, at no hour told → open", told: decided(moved(5, "rejected", set("lastModified", sameDay))), want: "open"},
		{name: "rejected before, and told again for another reason since → met", told: decided(moved(5, "accepted", set("lastModified", old)), moved(4, "accepted", set("lastModified", old))), want: "met"},
		{name: "first heard of as rejected before the decision, told again since → met", want: "met", told: func(c *course) []fhir.Version {
			vs := append(none(c), c.PatientThere(), c.Release(), c.Referral(), c.DaysBefore(20).Task("rejected"),
				c.DaysBefore(10).Clearance(fhir.DecisionCleared, c.Day(-10), c.Day(60), set("focus", nil)))
			return append(vs, c.DaysBefore(5).Task("rejected", set("lastModified", old)))
		}},
		{name: "rejected, with a date to come, and decided anew → met", want: "met", told: func(c *course) []fhir.Version {
			return append(decided(moved(5, "rejected", set("lastModified", "2027-01-01T00:00:00Z")))(c), c.DaysBefore(2).Clearance(fhir.DecisionCleared, c.Day(-2), c.Day(60), set("focus", nil), set("id", "anew")))
		}},
	})
	judgeGate(t, readiness.GateClearance, []rowAt{
		{name: "the referral says not cleared since → unknown", told: decided(moved(5, "accepted", business(fhir.BusinessNotCleared))), want: "unknown"},
		{name: "… in a system that keeps the date of its first writing → unknown", told: decided(moved(5, "accepted", business(fhir.BusinessNotCleared), set("lastModified", old))), want: "unknown"},
		{name: "declined since, by such a system → unknown", told: decided(moved(5, "accepted", business("4.0"), set("lastModified", old))), want: "unknown"},
		{name: "two outputs that contradict each other → unknown", want: "unknown", told: decided(moved(5, "accepted", set("output", []any{
			outputs("cleared"), outputs("not-cleared")})))},
		{name: "it said so before the decision, and is told again → met", want: "met", told: func(c *course) []fhir.Version {
			vs := append(none(c), c.PatientThere(), c.Release(), c.Referral(), c.DaysBefore(20).Task("accepted", business(fhir.BusinessDeferred)),
				c.DaysBefore(10).Clearance(fhir.DecisionCleared, c.Day(-10), c.Day(60), set("focus", nil)))
			return append(vs, c.DaysBefore(5).Task("accepted", business(fhir.BusinessDeferred), set("lastModified", old)))
		}},
	})
}

func outputs(code string) map[string]any {
	return map[string]any{"type": map[string]any{"text": "decision"}, "valueCodeableConcept": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemDecision, "code": code}}}}
}
