package readiness_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// held is the blameless client whose last dosing session began some time ago, with nothing recorded of it yet.
func held(ago time.Duration, edits ...fhir.Edit) told {
	return func(c *course) []fhir.Version {
		vs := fhirtest.WithoutRecord(c.Blameless(), "Appointment", "dosing-"+c.Patient)
		return append(vs, c.DaysBefore(50).Dosing(now.Add(-ago), edits...))
	}
}

// dosed is held, and the dose on file.
func dosed(ago time.Duration) told {
	return held(ago).then(func(c *course) fhir.Version {
		return c.On(now.Add(-ago).Add(3*time.Hour)).Administration(now.Add(-ago), 1)
	})
}

// meeting is an appointment of the practice of another kind.
func meeting(kind, status string, at time.Time) func(c *course) fhir.Version {
	return func(c *course) fhir.Version {
		return c.DaysBefore(50).Dosing(at, set("id", kind), set("status", status), set("serviceType.0.coding.0.code", kind))
	}
}

func TestR39SessionFactsNotReturned(t *testing.T) {
	asks := onSheet(func(s *readiness.Sheet) { s.SessionFacts = readiness.Is(3) })
	soon := func(p *readiness.Policy) {
		asks(p)
		p.Sheet.FollowUp = readiness.Is(54 * day) // four days from now
	}
	week := 7 * day
	judgeRule(t, "R39", []rowAt{
		{name: "nobody asks for them → none", told: held(week)},
		{name: "the sheet says none set → none", told: held(week), policy: onSheet(func(s *readiness.Sheet) { s.SessionFacts = readiness.None[int]() })},
		{name: "asked for within three business days, a week ago → S3", told: held(week), policy: asks, want: "S3"},
		{name: "yesterday → none", told: held(day), policy: asks},
		{name: "a week ago, and the dose is on file → none", told: dosed(week), policy: asks},
		{name: "kept by the calendar, and nothing said of it → S3", told: held(week, set("status", "fulfilled")), policy: asks, want: "S3"},
		{name: "a week ago, and it was not held → none", told: held(week).then(func(c *course) fhir.Version { return c.SessionDone(now.Add(-week), set("status", "not-done")) }), policy: asks},
		{name: "the follow-up is four days off → S2", told: held(week), policy: soon, want: "S2"},
	})
}

func TestR40IntegrationNotBooked(t *testing.T) {
	judgeRule(t, "R40", []rowAt{
		{name: "no dose yet → none", told: all},
		{name: "71 hours after the dose → none", told: dosed(71 * time.Hour)},
		{name: "72 hours after the dose → S3", told: dosed(72 * time.Hour), want: "S3"},
		{name: "one is booked → none", told: dosed(4 * day).then(meeting(fhir.SessionIntegration, "booked", now.Add(day)))},
		{name: "one was held → none", told: dosed(4 * day).then(meeting(fhir.SessionIntegration, "fulfilled", now.Add(-day)))},
		{name: "one was cancelled → S3", told: dosed(4 * day).then(meeting(fhir.SessionIntegration, "cancelled", now.Add(day))), want: "S3"},
		{name: "one before the dose → S3", told: dosed(4 * day).then(meeting(fhir.SessionIntegration, "fulfilled", now.Add(-5*day))), want: "S3"},
		{name: "recorded by hand as held → none", told: dosed(4 * day).then(func(c *course) fhir.Version {
			return c.On(now).SessionDone(now.Add(-day), set("id", "integration"), set("code.coding.0.code", fhir.SessionIntegration))
		})},
		{name: "31 days ago → none", told: dosed(31 * day)},
		{name: "appointments are not told → none", told: dosed(4 * day), policy: func(p *readiness.Policy) { p.Practice.Silent = []string{"Appointment"} }},
	})
}

func TestR41AppointmentDrift(t *testing.T) {
	number := set("identifier", []any{map[string]any{"system": "https://reverie.example/visit", "value": "V-1"}})
	both := func(at time.Time, edits ...fhir.Edit) told { // the prescriber's system has the session too, under the same number
		return func(c *course) []fhir.Version {
			vs := append(c.Blameless(), c.On(now.Add(-20*time.Minute)).Dosing(c.Session, number))
			theirs := c.DaysBefore(9).Dosing(at, append([]fhir.Edit{number, set("id", "theirs"), set("meta", nil)}, edits...)...)
			return append(vs, c.Told(fhirtest.PrescriberSource, fhirtest.Prescriber, string(theirs.Resource.Body), set("meta", nil)))
		}
	}
	session := now.Add(2 * time.Hour)
	packet := func(moved time.Time, edits ...fhir.Edit) (told, func(*fhir.Chart)) {
		return plus(func(c *course) fhir.Version { return c.On(now.Add(-time.Hour)).Dosing(moved, edits...) }), func(c *fhir.Chart) {
			for _, a := range c.Appointments {
				if a.N == 1 && a.ID == "dosing-p1" {
					c.HandedOver = []fhir.HandedOver{{ID: "d", Prescriber: fhirtest.Prescriber, At: now.AddDate(0, 0, -9), Rests: []fhir.Basis{a.Basis()}}}
				}
			}
		}
	}
	moved, handed := packet(session.AddDate(0, 0, 2))
	same, _ := packet(session)
	off, _ := packet(session, set("status", "cancelled"))
	judgeRule(t, "R41", []rowAt{
		{name: "the prescriber knows of no session → none", told: all},
		{name: "the same time on both sides → none", told: both(session)},
		{name: "15 minutes apart → none", told: both(session.Add(15 * time.Minute))},
		{name: "16 minutes apart → S3, and still what it was", told: both(session.Add(16 * time.Minute)), want: "S3"},
		{name: "cancelled there only → S3", told: both(session, set("status", "cancelled")), want: "S3"},
		{name: "another number there → none: nobody knows that it is the same", told: both(session.Add(time.Hour), set("identifier.0.value", "V-2"))},
		{name: "a packet told of it, and it stands → none", told: same, chart: handed},
		{name: "a packet told of it, and it was moved since → S3", told: moved, chart: handed, want: "S3"},
		{name: "a packet told of it, and it was cancelled since → S3", told: off, chart: handed, want: "S3"},
		{name: "over for two days and never closed → S3", told: held(50*time.Hour + time.Minute), want: "S3"},
		{name: "over for a day → none", told: held(26 * time.Hour)},
		{name: "over, and the dose is on file → none", told: dosed(4 * day)},
		{name: "over for a week, and the sheet asks for facts → none: R39 says it", told: held(7 * day), policy: onSheet(func(s *readiness.Sheet) { s.SessionFacts = readiness.Is(1) })},
	})
}

func TestR43DischargeOpen(t *testing.T) {
	left := func(sessions int) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(45).Dispense(set("quantity.value", sessions))
		}
	}
	stopped := func(c *course) []fhir.Version { // the dose 40 days ago, on the medicine that came 45 days ago
		return append(less("MedicationDispense", "dispense")(c), left(6)(c), c.DaysBefore(40).Administration(now.AddDate(0, 0, -40), 1), c.DaysBefore(1).Dosing(now.AddDate(0, 0, -40), set("status", "fulfilled")))
	}
	judgeRule(t, "R43", []rowAt{
		{name: "in treatment → none", told: all},
		{name: "no dose for 40 days, no session, five doses left → S3", told: stopped, want: "S3"},
		{name: "a session is booked → none", told: told(stopped).then(func(c *course) fhir.Version { return c.On(now).Dosing(now.AddDate(0, 0, 9), set("id", "again")) })},
		{name: "no dose for 20 days → none", told: dosed(20 * day)},
		{name: "nothing is left → none", told: told(stopped).then(left(1))},
		{name: "the follow-up is booked → none", told: told(stopped).then(func(c *course) fhir.Version {
			return c.On(now.AddDate(0, 0, 5)).Evaluation(set("id", "fu"), set("status", "booked"), set("serviceType.0.coding.0.code", fhir.SessionFollowUp))
		})},
		{name: "the prescriber decided since → none", told: told(stopped).then(func(c *course) fhir.Version {
			return c.DaysBefore(10).Clearance(fhir.DecisionDeferred, c.Day(-10), c.Day(40), set("id", "last"))
		})},
		{name: "the follow-up was cancelled → S3", want: "S3", told: told(stopped).then(func(c *course) fhir.Version {
			return c.On(now.AddDate(0, 0, 5)).Evaluation(set("id", "fu"), set("status", "cancelled"), set("serviceType.0.coding.0.code", fhir.SessionFollowUp))
		})},
	})
}
