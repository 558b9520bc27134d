package readiness_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestAReferralThatGoesByHand(t *testing.T) {
	byHand := func(p *readiness.Policy) { p.Prescriber.Packet = true }
	friday := time.Date(2026, 2, 27, 17, 0, 0, 0, time.UTC) // 10:00 in Denver
	referred := func(c *course) []fhir.Version { return append(none(c), c.Release(), c.Referral()) }
	rests := []fhir.Basis{{Source: fhirtest.PracticeSource, Party: fhir.Practice, Type: "ServiceRequest", ID: "referral-" + fhirtest.Client(now).Patient, Version: 1}}
	laid := func(why string) func(*fhir.Chart) {
		return func(c *fhir.Chart) {
			c.Outstanding = []fhir.Outstanding{{ID: "p", What: "packet", State: "laid-out", Why: why, Prescriber: fhirtest.Prescriber, To: fhirtest.Prescriber, Staged: now.Add(-time.Hour), Since: now.Add(-time.Hour), Rests: rests}}
		}
	}
	handed := func(at time.Time, to string) func(*fhir.Chart) {
		return func(c *fhir.Chart) { c.HandedOver = []fhir.HandedOver{{ID: "p", Prescriber: to, At: at, Rests: rests}} }
	}
	for _, row := range []struct {
		rowAt
		owner readiness.Owner
		words string
	}{
		{rowAt{name: "no packet yet → print it", told: referred}, readiness.Admin, "its packet is not printed yet"},
		{rowAt{name: "no release → have one signed first", told: func(c *course) []fhir.Version { return append(none(c), c.Referral()) }}, readiness.Admin, "nothing may be told yet"},
		{rowAt{name: "laid out → hand it over", told: referred, chart: laid("")}, readiness.Admin, "is printed, and nobody recorded that it was handed over"},
		{rowAt{name: "laid out, and put aside → print it anew", told: referred, chart: laid("the release ended")}, readiness.Admin, "its packet is not printed yet"},
		{rowAt{name: "handed over → ask them", told: referred, chart: handed(friday, fhirtest.Prescriber)}, readiness.Prescriber, "was handed over to Skylight Psychedelics on Fri 27 Feb 2026"},
		{rowAt{name: "handed over to another → print it", told: referred, chart: handed(friday, "other")}, readiness.Admin, "its packet is not printed yet"},
		{rowAt{name: "their own record speaks → as ever", told: func(c *course) []fhir.Version { return append(referred(c), c.Task("requested")) }}, readiness.Prescriber, "requested at Skylight Psychedelics"},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.policy = byHand
			g := gate(t, row.verdict(), readiness.GateReferral)
			if g.State != readiness.Open || g.Owner != row.owner || !strings.Contains(g.Words, row.words) || g.Next == "" {
				t.Errorf("%s, %s: %s > %s", g.State, g.Owner, g.Words, g.Next)
			}
		})
	}
	judgeRule(t, "R03", []rowAt{
		{name: "laid out and not handed over: nobody there can know → none", told: referred, policy: byHand, chart: laid("")},
		{name: "handed over on Friday at ten, Tuesday at nine → none", told: referred, policy: byHand, chart: handed(friday, fhirtest.Prescriber)},
		{name: "handed over on Friday at ten, Tuesday at ten → S3", told: referred, policy: byHand, chart: handed(friday, fhirtest.Prescriber), at: time.Hour, want: "S3"},
		{name: "handed over a week before that → S2", told: referred, policy: byHand, chart: handed(friday.AddDate(0, 0, -7), fhirtest.Prescriber), want: "S2"},
		{name: "handed over, and they took it → none", told: func(c *course) []fhir.Version { return append(referred(c), c.Task("accepted")) }, policy: byHand,
			chart: handed(friday.AddDate(0, 0, -7), fhirtest.Prescriber)},
	})
}
