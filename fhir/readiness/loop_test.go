package readiness_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// A client's way to the prescriber and back, in days from when the prescriber had the referral; "-" is not yet.
func TestHowFarALoopHasCome(t *testing.T) {
	until := func(n int) told { // the first n tellings of the blameless client's
		return func(c *course) []fhir.Version { return c.InOrder()[:n] }
	}
	task := func(days int, status string, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version { return c.DaysBefore(days).Task(status, edits...) }
	}
	seen := func(days int) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(days).Evaluation(set("id", fmt.Sprint("seen-", days)), set("serviceType.0.coding.0.code", fhir.SessionFollowUp))
		}
	}
	cadence := func(days int) func(*readiness.Policy) {
		return onSheet(func(s *readiness.Sheet) { s.FollowUp = readiness.Is(time.Duration(days) * day) })
	}
	for _, r := range []struct {
		rowAt
		want string // sent, in days before now: then acknowledged, evaluated, decided, declined, in hand, in days since
		ups  string // each follow-up: when overdue, in days from now, and when it was
	}{
		{rowAt{name: "no referral: no way", told: none}, "none", ""},
		{rowAt{name: "written, and nothing stands there yet", told: until(4)}, "60: - - - - -", ""},
		{rowAt{name: "requested", told: until(6)}, "59: - - - - -", ""},
		{rowAt{name: "accepted", told: until(7)}, "59: 1 - - - -", ""},
		{rowAt{name: "requested, and they gave it their number", told: until(6).then(task(57, "accepted", set("status", "requested")))}, "59: 2 - - - -", ""},
		{rowAt{name: "seen, and nothing said of the referral before", told: until(6).then(func(c *course) fhir.Version { return c.DaysBefore(50).Evaluation() })}, "59: 9 9 - - -", ""},
		{rowAt{name: "the evaluation was missed", told: until(7).then(func(c *course) fhir.Version { return c.DaysBefore(50).Evaluation(set("status", "noshow")) })}, "59: 1 - - - -", ""},
		{rowAt{name: "the Task says that the visit was held", told: until(7).then(task(52, "in-progress", set("businessStatus.coding.0", map[string]any{"system": fhir.SystemBusinessStatus, "code": fhir.BusinessVisited})))}, "59: 1 7 - - -", ""},
		{rowAt{name: "all of it", told: all, policy: cadence(90)}, "59: 1 9 9 - 29", "+41 -"},
		{rowAt{name: "rejected", told: until(7).then(task(55, "rejected"))}, "59: 1 - - 4 -", ""},
		{rowAt{name: "rejected, and decided after all", told: until(7).then(task(55, "rejected")).then(func(c *course) fhir.Version {
			return c.DaysBefore(50).Clearance(fhir.DecisionCleared, c.Day(-50), c.Day(40))
		}), policy: cadence(90)}, "59: 1 - 9 - -", "+41 -"},
		{rowAt{name: "a decision by somebody who may not", told: until(7).then(func(c *course) fhir.Version {
			return c.DaysBefore(50).Clearance(fhir.DecisionCleared, c.Day(-50), c.Day(40), set("performer.0.identifier.value", "1999999999"), set("performer.0.display", "Nobody"))
		}), policy: cadence(90)}, "59: 1 - - - -", ""},
		{rowAt{name: "a decision of before the referral is of an earlier way", told: until(7).then(func(c *course) fhir.Version {
			return c.DaysBefore(70).Clearance(fhir.DecisionCleared, c.Day(-70), c.Day(40))
		}), policy: cadence(90)}, "59: 1 - - - -", "+21 -"},
		{rowAt{name: "not cleared: nobody is asked back", told: until(7).then(func(c *course) fhir.Version {
			return c.DaysBefore(50).Clearance(fhir.DecisionNotCleared, c.Day(-50), "")
		}), policy: cadence(90)}, "59: 1 - 9 - -", ""},
		{rowAt{name: "a follow-up in time, one late, one due", told: told(all).then(seen(25)).then(seen(2)), policy: cadence(20)}, "59: 1 9 9 - 29", "-29 -25, -4 -2, +19 -"},
		{rowAt{name: "none set: none due", told: all, policy: onSheet(func(s *readiness.Sheet) { s.FollowUp = readiness.None[time.Duration]() })}, "59: 1 9 9 - 29", ""},
	} {
		l := r.verdict().Loop
		got := "none"
		var ups []string
		days := func(from, to time.Time) string {
			if to.IsZero() {
				return "-"
			}
			return fmt.Sprint(math.Round(to.Sub(from).Hours() / 24))
		}
		if l != nil {
			got = days(l.Sent, now) + ":"
			for _, at := range []time.Time{l.Acknowledged, l.Evaluated, l.Decided, l.Declined, l.InHand} {
				got += " " + days(l.Sent, at)
			}
			for _, u := range l.FollowUps {
				due := days(now, u.Due)
				if u.Due.After(now) {
					due = "+" + due
				}
				ups = append(ups, due+" "+days(now, u.Seen))
			}
		}
		if got != r.want || strings.Join(ups, ", ") != r.ups {
			t.Errorf("%s: %q, follow-ups %q; want %q, %q", r.name, got, strings.Join(ups, ", "), r.want, r.ups)
		}
	}
}

// A packet that was handed over begins the way; a Task that is there later does.
func TestALoopBeginsWhenThePacketWasHandedOver(t *testing.T) {
	row := rowAt{told: func(c *course) []fhir.Version { return c.InOrder()[:4] }, policy: func(p *readiness.Policy) { p.Prescriber.Packet = true },
		chart: func(c *fhir.Chart) {
			i := slices.IndexFunc(c.ServiceRequests, func(s fhir.Seen[fhir.ServiceRequest]) bool { return s.Party == fhir.Practice })
			c.HandedOver = []fhir.HandedOver{{Prescriber: fhirtest.Prescriber, At: now.Add(-40 * day), Rests: []fhir.Basis{c.ServiceRequests[i].Basis()}}}
		}}
	if l := row.verdict().Loop; l == nil || !l.Sent.Equal(now.Add(-40*day)) {
		t.Errorf("it began at %v", l)
	}
}
