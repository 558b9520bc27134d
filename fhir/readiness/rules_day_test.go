package readiness_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestR36DayOfChecklistOpen(t *testing.T) {
	inOrder := told(func(c *course) []fhir.Version { return c.InOrder() })
	judgeRule(t, "R36", []rowAt{
		{name: "everything is recorded → none", told: all, state: readiness.Ready},
		{name: "two days before → none", told: inOrder, at: -2 * day},
		{name: "two hours before, nothing recorded → none, and in order", told: inOrder, state: readiness.InOrder},
		{name: "the session begins, nothing recorded → S2", told: inOrder, at: 2 * time.Hour, want: "S2", state: readiness.NotReady},
		{name: "two hours before, the ride is not arranged → S2 at once", told: inOrder.then(func(c *course) fhir.Version {
			return c.On(now.Add(-time.Hour)).Check(fhir.CodeRide, false)
		}), want: "S2", state: readiness.NotReady},
		{name: "two hours before, something is new since the clearance → S2 at once", told: inOrder.then(func(c *course) fhir.Version {
			return c.On(now.Add(-time.Hour)).Check(fhir.CodeNewInformation, true)
		}), want: "S2"},
		{name: "all checks made, only the go-ahead is to come → none, and in order", told: func(c *course) []fhir.Version {
			return append(c.InOrder(), c.On(now.Add(-time.Hour)).Arrival()...)
		}, state: readiness.InOrder},
		{name: "stopped, and the session begins, nothing recorded → S2, folded under the stop", told: inOrder.then(func(c *course) fhir.Version { return c.On(now).Flag("active") }), at: 2 * time.Hour, want: "S2", state: readiness.Hold},
		{name: "no session → none", told: none},
	})
	v := rowAt{told: inOrder.then(func(c *course) fhir.Version { return c.On(now).Flag("active") }), at: 2 * time.Hour}.verdict()
	if f, _ := finding(v, "R36"); f.Under != "R15" {
		t.Errorf("under a stop it is folded, not under %q", f.Under)
	}
	v = rowAt{told: inOrder, at: 2 * time.Hour}.verdict()
	if f, _ := finding(v, "R36"); !strings.Contains(f.Words, "the ride home, fasting") {
		t.Errorf("it names what is missing: %s", f.Words)
	}
}

// scored is the blameless client with scores of one scale, told days before now, the newest last.
func scored(code string, daysAgo []int, values ...int) told {
	return func(c *course) []fhir.Version {
		vs := c.Blameless()
		for i, n := range values {
			at := now.AddDate(0, 0, -daysAgo[i])
			vs = append(vs, c.On(at).Told(fhirtest.PracticeSource, fhir.Practice, fmt.Sprintf(`{"resourceType":"Observation","id":"score-%[1]s-%[2]d","status":"final",
				"code":{"coding":[{"system":%[3]q,"code":%[1]q}]},"subject":{"reference":"Patient/%[4]s"},"effectiveDateTime":%[5]q,"valueInteger":%[6]d}`, code, i, fhir.SystemLOINC, c.Patient, at.Format(time.RFC3339), n)))
		}
		return vs
	}
}

func TestR38OutcomeWorsening(t *testing.T) {
	const phq, item9, gad = "44261-6", "44260-8", "70274-6"
	weeks := []int{20, 10, 1}
	unanswered := func(t told) told { // the therapist has not said yes since
		return func(c *course) []fhir.Version {
			return append(fhirtest.WithoutRecord(t(c), "Observation", "go-ahead-"+c.Patient), c.On(now).Dosing(now.AddDate(0, 0, 2)))
		}
	}
	judgeRule(t, "R38", []rowAt{
		{name: "no scores → none: nobody asks for them", told: all, state: readiness.Ready},
		{name: "a first score, however high → none", told: unanswered(scored(phq, weeks, 24))},
		{name: "four points worse → none", told: unanswered(scored(phq, weeks, 10, 14))},
		{name: "five points worse than the one before → S2", told: unanswered(scored(phq, weeks, 20, 8, 13)), want: "S2", state: readiness.NotReady},
		{name: "slowly, five points above the first → S2", told: unanswered(scored(phq, weeks, 10, 13, 15)), want: "S2"},
		{name: "better → none", told: unanswered(scored(phq, weeks, 20, 15, 8))},
		{name: "GAD-7 five points worse → S2", told: unanswered(scored(gad, weeks, 8, 13)), want: "S2"},
		{name: "item 9 above the client's first → S2", told: unanswered(scored(item9, weeks, 0, 1)), want: "S2"},
		{name: "item 9 as at first → none", told: unanswered(scored(item9, weeks, 2, 2))},
		{name: "item 9 back at the first → none", told: unanswered(scored(item9, weeks, 1, 3, 1))},
		{name: "worse, and the therapist gave the go-ahead since → none", told: scored(phq, weeks, 10, 20), state: readiness.Ready},
		{name: "worse, and no session is booked → S3", told: func(c *course) []fhir.Version {
			return fhirtest.Without(unanswered(scored(phq, weeks, 10, 20))(c), "Appointment")
		}, want: "S3"},
		{name: "the newest PHQ-9 is 40 days old at the session → S3, and still ready", told: scored(phq, []int{40}, 10), want: "S3", state: readiness.Ready},
		{name: "the newest is 20 days old → none", told: scored(phq, []int{20}, 10)},
	})
	v := rowAt{told: unanswered(scored(phq, weeks, 20, 8, 13))}.verdict()
	f, _ := finding(v, "R38")
	if f.Owner != readiness.Therapist || len(f.Values) > 0 || strings.ContainsAny(strings.NewReplacer("PHQ-9", "", "Mon 2 Mar 2026", "", "Sat 21 Feb 2026", "").Replace(f.Words), "0123456789") {
		t.Errorf("to the therapist, and without a score: %s %s %v", f.Owner, f.Words, f.Values)
	}
	if !strings.Contains(f.Next, "no crisis monitor") {
		t.Errorf("it says what the hub is not: %s", f.Next)
	}
}
