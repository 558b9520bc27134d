package readiness_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestR46DeliveryFailed(t *testing.T) {
	owes := func(list ...fhir.Outstanding) func(*fhir.Chart) {
		return func(c *fhir.Chart) {
			for i := range list {
				if list[i].Prescriber == "" {
					list[i].Prescriber = fhirtest.Prescriber
				}
				if list[i].To == "" {
					list[i].To = fhirtest.Prescriber
				}
			}
			c.Outstanding = list
		}
	}
	// waits is the client whom the prescriber has not heard of.
	waits := func(c *course) []fhir.Version { return append(none(c), c.DaysBefore(1).Referral(), c.Release()) }
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	friday := time.Date(2026, 2, 27, 17, 0, 0, 0, time.UTC) // 10:00 in Denver
	staged := func(since time.Time, attempts int) fhir.Outstanding {
		return fhir.Outstanding{What: "referral", State: "staged", Staged: since, Since: since, Attempts: attempts}
	}
	sent := staged(ago(time.Minute), 1)
	sent.State = "attempted"
	laid := fhir.Outstanding{What: "packet", State: "laid-out", Staged: friday, Since: friday, Attempts: 1}
	recalled := laid
	recalled.Why = "the release was withdrawn"
	replaced := fhir.Outstanding{What: "referral", State: "refused", Staged: ago(time.Hour), Since: ago(time.Hour), Superseded: true}
	refused := fhir.Outstanding{What: "referral", State: "refused", Staged: ago(time.Hour), Since: ago(time.Hour), Attempts: 1}
	unknown := fhir.Outstanding{What: "patient", State: "unknown", Staged: ago(time.Hour), Since: ago(time.Hour), Attempts: 2}
	home := fhir.Outstanding{What: "clearance", To: fhir.Practice, State: "refused", Staged: ago(time.Hour), Since: ago(time.Hour), Attempts: 1}
	elsewhere := refused
	elsewhere.Prescriber, elsewhere.To = "other", "other"
	judgeRule(t, "R46", []rowAt{
		{name: "nothing is outstanding → none", told: waits},
		{name: "sent a minute ago, no answer yet → none", told: waits, chart: owes(sent)},
		{name: "four tries since a minute → none", told: waits, chart: owes(staged(ago(time.Minute), 4))},
		{name: "five tries → S2", told: waits, chart: owes(staged(ago(time.Minute), 5)), want: "S2", state: readiness.NotReady},
		{name: "the practice allows eight → none", told: waits, chart: owes(staged(ago(time.Minute), 7)), policy: func(p *readiness.Policy) { p.Rules.DeliveryTries = 8 }},
		{name: "one try, six hours less a minute ago → none", told: waits, chart: owes(staged(ago(6*time.Hour-time.Minute), 1))},
		{name: "one try, six hours ago → S2", told: waits, chart: owes(staged(ago(6*time.Hour), 1)), want: "S2"},
		{name: "six hours after a send, by the clock alone → S2", told: waits, chart: owes(staged(now, 1)), at: 6 * time.Hour, want: "S2"},
		{name: "staged on Friday at ten, never tried, Monday a quarter to ten → none", told: waits, at: -24*time.Hour + 45*time.Minute,
			chart: owes(fhir.Outstanding{What: "referral", State: "staged", Staged: friday})},
		{name: "staged on Friday, never tried, on Tuesday → S2", told: waits, chart: owes(fhir.Outstanding{What: "referral", State: "staged", Staged: friday}), want: "S2"},
		{name: "refused → S2", told: waits, chart: owes(refused), want: "S2", state: readiness.NotReady},
		{name: "whether it arrived cannot be found out → S2", told: waits, chart: owes(unknown), want: "S2"},
		{name: "laid out since Friday → S2 on Tuesday", told: waits, chart: owes(laid), want: "S2"},
		{name: "laid out since Friday, two days are allowed → none on Tuesday at nine", told: waits, chart: owes(laid), policy: func(p *readiness.Policy) { p.Rules.HandOverWait = 2 }},
		{name: "laid out and recalled → a notice", told: waits, chart: owes(recalled), want: "S4"},
		{name: "refused, a later one was staged → none", told: waits, chart: owes(replaced)},
		{name: "refused, and the prescriber took the client up by another way → a notice, and still ready", told: all, chart: owes(refused), want: "S4", state: readiness.Ready},
		{name: "unknown, and the prescriber took the client up → a notice, and still ready", told: all, chart: owes(unknown), want: "S4", state: readiness.Ready},
		{name: "a copy for the practice refused: the decision makes that not moot → S2", told: all, chart: owes(home), want: "S2", state: readiness.NotReady},
		{name: "one that matters stands before one that does not", told: all, chart: owes(refused, func() fhir.Outstanding { o := refused; o.What = "prescription"; return o }()), want: "S2"},
		{name: "of another prescriber → none", told: all, chart: owes(elsewhere), state: readiness.Ready},
	})
	t.Run("it says how to do it by hand, and is one row for all", func(t *testing.T) {
		v := rowAt{told: waits, chart: owes(refused, staged(ago(time.Minute), 9))}.verdict()
		f, _ := finding(v, "R46")
		if f.RollUp != "R46/"+fhirtest.Prescriber || !strings.Contains(f.Next, "555-0100; weekends 555-0199") || !strings.Contains(f.Next, "packet") || f.Owner != readiness.Admin {
			t.Errorf("%+v", f)
		}
		v = rowAt{told: waits, chart: owes(fhir.Outstanding{What: "packet", State: "staged", Staged: friday})}.verdict()
		if f, _ := finding(v, "R46"); f.Owner != readiness.Admin || !strings.Contains(f.Next, "print the packet") {
			t.Errorf("a packet that nobody printed: %+v", f)
		}
		if says := f.Values[fhirtest.Prescriber]; says != "referral: refused, since Tue 3 Mar 2026 08:00, 1 try; and 1 more" {
			t.Error(says)
		}
	})
}
