package readiness_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestR50DosedWhileNotReady(t *testing.T) {
	start := now.Add(2 * time.Hour) // the blameless client's session
	evening := 7 * time.Hour        // when it is looked at
	began := func(state readiness.State, edits ...func(*fhir.Began)) func(*fhir.Chart) {
		return func(c *fhir.Chart) {
			b := fhir.Began{Prescriber: fhirtest.Prescriber, Key: fhir.Key{Source: fhirtest.PracticeSource, Type: "Appointment", ID: "dosing-p1"}, Start: start, State: string(state)}
			for _, e := range edits {
				e(&b)
			}
			c.Began = []fhir.Began{b}
		}
	}
	dose := func(c *course) fhir.Version { return c.On(start.Add(3*time.Hour)).Administration(start, 1) }
	unchecked := told(func(c *course) []fhir.Version { return c.InOrder() }) // no arrival checks, no go-ahead
	late := func(c *course) []fhir.Version {                                 // all recorded in time, and read in the evening
		vs := c.Blameless()
		for i := range vs {
			if vs[i].Recorded().After(now.Add(-time.Hour)) {
				vs[i].Received = start.Add(time.Hour)
			}
		}
		return vs
	}
	reason := func(at time.Time, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.On(at).Told("desk-practice", fhir.Practice, fmt.Sprintf(`{"resourceType":"Observation","id":"why","status":"final","code":{"coding":[{"system":%q,"code":%q}]},
				"issued":%q,"focus":[{"reference":"%s/source/ehr/Appointment/dosing-p1"}],"valueString":"the checks were made, on paper"}`, fhir.SystemKAP, fhir.CodeBeganWhy, at.Format(time.RFC3339), fhir.Base), edits...)
		}
	}
	desk := func(p *readiness.Policy) { p.Practice.Desk = "desk-practice" }
	after := start.Add(4 * time.Hour)
	entered := func(began time.Time, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.On(after).Told("desk-practice", fhir.Practice, fmt.Sprintf(`{"resourceType":"Procedure","id":"held","status":"completed","code":{"coding":[{"system":%q,"code":%q}]},
				"performedPeriod":{"start":%q}}`, fhir.SystemSession, fhir.SessionDosing, began.UTC().Format(time.RFC3339)), edits...)
		}
	}
	whyHeld := reason(after, set("focus.0.reference", fhir.Base+"/source/desk-practice/Procedure/held"))
	judgeRule(t, "R50", []rowAt{
		{name: "READY at its start → none", told: told(all).then(dose), chart: began(readiness.Ready), at: evening},
		{name: "the hub did not yet judge the client at its start → none: nothing was noted", told: unchecked.then(dose), at: evening},
		{name: "not ready, and nothing on file says that it was held → none", told: unchecked, chart: began(readiness.NotReady), at: evening},
		{name: "not ready, and a dose on file → S1", told: unchecked.then(dose), chart: began(readiness.NotReady), at: evening, want: "S1"},
		{name: "IN-ORDER at its start, the checks never recorded, and a dose on file → S1", told: unchecked.then(dose), chart: began(readiness.InOrder), at: evening, want: "S1"},
		{name: "UNKNOWN at its start, and a dose on file → S1", told: unchecked.then(dose), chart: began(readiness.Unknown), at: evening, want: "S1"},
		{name: "a HOLD at its start, whatever else was recorded → S1", told: told(late).then(dose), chart: began(readiness.Hold), at: evening, want: "S1"},
		{name: "everything recorded before it, and read after it → S4, and no more than that", told: told(late).then(dose), chart: began(readiness.InOrder), at: evening, want: "S4"},
		{name: "not ready, and recorded as not held → none", told: unchecked.then(func(c *course) fhir.Version {
			return c.On(after).SessionDone(start, set("status", "not-done"))
		}), chart: began(readiness.NotReady), at: evening},
		{name: "another prescriber's verdict was not ready → none here", told: unchecked.then(dose), chart: began(readiness.NotReady, func(b *fhir.Began) { b.Prescriber = "aurora" }), at: evening},
		{name: "a reason given since → none", told: unchecked.then(dose).then(reason(after)), policy: desk, chart: began(readiness.NotReady), at: evening},
		{name: "a reason from before it began → S1", told: unchecked.then(dose).then(reason(now)), policy: desk, chart: began(readiness.NotReady), at: evening, want: "S1"},
		{name: "a reason for another session → S1", told: unchecked.then(dose).then(reason(after, set("focus.0.reference", fhir.Base+"/source/ehr/Appointment/other"))), policy: desk, chart: began(readiness.NotReady), at: evening, want: "S1"},
		{name: "a reason taken back → S1", told: unchecked.then(dose).then(reason(after, set("status", "entered-in-error"))), policy: desk, chart: began(readiness.NotReady), at: evening, want: "S1"},
		{name: "entered by hand as held at its hour, READY by then, and nothing was noted → none", told: told(all).then(entered(start)), policy: desk, at: evening},
		{name: "entered by hand as held, the checks never recorded → S1", told: unchecked.then(entered(start)), policy: desk, at: evening, want: "S1"},
		{name: "entered by hand as held on a day of which nothing was booked → S1", told: told(all).then(entered(now.AddDate(0, 0, -3))), policy: desk, at: evening, want: "S1"},
		{name: "entered by hand as held, before the hub knew the client → none: there was no verdict", told: told(all).then(entered(now.AddDate(-2, 0, 0))), policy: desk, at: evening},
		{name: "entered by hand as held, and a reason given for that entry → none", told: unchecked.then(entered(start)).then(whyHeld), policy: desk, at: evening},
		{name: "entered by hand, a reason given, and the booked hour noted later → none: it is one session", told: unchecked.then(entered(start.Add(-time.Hour))).then(whyHeld), policy: desk, chart: began(readiness.NotReady), at: evening},
		{name: "entered by hand as held, and taken back → none", told: unchecked.then(entered(start, set("status", "entered-in-error"))), policy: desk, at: evening},
		{name: "entered by hand and noted as not ready → one S1", told: unchecked.then(entered(start)), policy: desk, chart: began(readiness.NotReady), at: evening, want: "S1"},
		{name: "a reason without words → S1", told: unchecked.then(dose).then(reason(after, set("valueString", nil))), policy: desk, chart: began(readiness.NotReady), at: evening, want: "S1"},
	})
}

// A verdict knows which sessions had begun by then, so that how each stood is noted: not those of which the hub heard later,
// nor those that were cancelled, nor what is still to come.
func TestAVerdictKnowsWhichSessionsBegan(t *testing.T) {
	at := func(days int, id string, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(20).Dosing(now.AddDate(0, 0, -days), append([]fhir.Edit{set("id", id)}, edits...)...)
		}
	}
	told := plus(at(10, "first", set("status", "fulfilled"))).then(at(5, "open")).then(at(4, "off", set("status", "cancelled"))).then(func(c *course) fhir.Version {
		return c.DaysBefore(1).Dosing(now.AddDate(0, 0, -3), set("id", "told-later"))
	}).then(func(c *course) fhir.Version { return c.Dosing(now.AddDate(0, 0, 9), set("id", "to-come")) })
	var got []string
	for _, s := range (rowAt{told: told, at: 3 * time.Hour}).verdict().Begun {
		got = append(got, s.ID)
	}
	if fmt.Sprint(got) != "[first open dosing-p1]" {
		t.Errorf("began: %v", got)
	}
}
