package readiness_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// unfilled is the blameless client before the medicine came.
func unfilled(c *course) []fhir.Version {
	return fhirtest.Without(c.Blameless(), "MedicationDispense")
}

// parcel lets the pharmacy's side say where the parcel is, so many days before now.
func parcel(state string, days int) func(c *course) fhir.Version {
	return func(c *course) fhir.Version { return c.DaysBefore(days).Fulfilment(state) }
}

// at a time of day in Denver, on the wall.
func denverAt(day, clock string) time.Time {
	at, err := time.ParseInLocation("2006-01-02 15:04", day+" "+clock, fhirtest.Denver)
	if err != nil {
		panic(err)
	}
	return at
}

func sessionOn(at time.Time, id string) func(c *course) fhir.Version {
	return func(c *course) fhir.Version { return c.DaysBefore(20).Dosing(at, set("id", id)) }
}

func TestR18MedicineWithoutPreparation(t *testing.T) {
	home := func(days int) told { // cleared, prescribed and the parcel there, and nothing with the practice but the referral
		return func(c *course) []fhir.Version {
			return append(none(c), c.Referral(), c.DaysBefore(50).Clearance(fhir.DecisionCleared, c.Day(-50), c.Day(40)), c.DaysBefore(49).Prescription(), c.DaysBefore(days).Dispense())
		}
	}
	alone := func(c *course) []fhir.Version { return fhirtest.Without(home(3)(c), "ServiceRequest") }
	notTold := func(p *readiness.Policy) { p.Practice.Silent = []string{"Appointment"} }
	judgeRule(t, "R18", []rowAt{
		{name: "prepared → none", told: all},
		{name: "the parcel came three days ago, nothing booked → none: that is the normal order", told: home(3)},
		{name: "the parcel came seven days ago → none", told: home(7)},
		{name: "the parcel came eight days ago, nothing booked → S2", told: home(8), want: "S2"},
		{name: "… and a refill yesterday → S2: the first counts", want: "S2", told: home(8).then(func(c *course) fhir.Version {
			return c.DaysBefore(1).Dispense(set("id", "refill"))
		})},
		{name: "a preparation is booked → none", told: home(8).then(func(c *course) fhir.Version {
			return c.Preparation(now.AddDate(0, 0, 2), set("status", "booked"))
		})},
		{name: "a preparation was booked and called off → S2", want: "S2", told: home(8).then(func(c *course) fhir.Version {
			return c.Preparation(now.AddDate(0, 0, 2), set("status", "cancelled"))
		})},
		{name: "no preparation is asked for → none", told: home(8), policy: onSheet(func(s *readiness.Sheet) { s.Preparations = readiness.None[int]() })},
		{name: "how many are asked for is not known → none: the gate says it", told: home(8), state: readiness.Unknown, policy: onSheet(func(s *readiness.Sheet) { s.Preparations = readiness.Asked[int]{} })},
		{name: "no referral, no appointment, nobody → S1", told: alone, want: "S1"},
		{name: "a dosing session alone → none yet: somebody leads it", told: told(alone).then(sessionOn(now.AddDate(0, 0, 5), "one"))},
		{name: "the practice's systems tell of no appointment → none: nobody can be missed", told: alone, policy: notTold},
		{name: "nothing in hand → none", told: less("Appointment", "preparation"), chart: func(c *fhir.Chart) { c.MedicationDispenses = nil }},
	})
}

func TestR19AddressCallPending(t *testing.T) {
	waits := func(at time.Time) told {
		return told(unfilled).then(func(c *course) fhir.Version { return c.On(at).Fulfilment(fhir.FulfilmentAddress) })
	}
	friday := denverAt("2026-02-27", "09:00")
	holiday := onSheet(func(s *readiness.Sheet) {
		s.Hours = readiness.Hours{Zone: fhirtest.Denver, Holidays: map[readiness.Day]bool{{Year: 2026, Month: time.March, Day: 2}: true}}
	})
	judgeRule(t, "R19", []rowAt{
		{name: "delivered → none", told: all},
		{name: "since yesterday → S3", told: waits(now.AddDate(0, 0, -1)), want: "S3"},
		{name: "since Friday at nine, on Tuesday at nine: two business days → S2", told: waits(friday), want: "S2"},
		{name: "since Friday at ten → S3", told: waits(friday.Add(time.Hour)), want: "S3"},
		{name: "Monday was a holiday of theirs → S3", told: waits(friday), policy: holiday, want: "S3"},
		{name: "enough in hand, the refill waits → S3, and still ready", want: "S3", state: readiness.Ready,
			told: told(all).then(func(c *course) fhir.Version {
				return c.On(friday).Fulfilment(fhir.FulfilmentAddress, set("authoredOn", c.Day(-4)))
			})},
		{name: "confirmed, and compounding → none", told: waits(friday).then(parcel(fhir.FulfilmentCompound, 1))},
		{name: "a label check since → none: the client has it", told: waits(friday).then(func(c *course) fhir.Version { return c.DaysBefore(1).Dispense() })},
		{name: "told again in the same words → S2: since the first time", told: waits(friday).then(parcel(fhir.FulfilmentAddress, 1)), want: "S2"},
	})
}

func TestR20DeliveryUnconfirmed(t *testing.T) {
	shipped := func(days int, session time.Duration) told {
		return func(c *course) []fhir.Version {
			return append(unfilled(c), c.DaysBefore(10).Dosing(now.Add(session)), c.DaysBefore(days).Fulfilment(fhir.FulfilmentShipped))
		}
	}
	prepared := func(days int, session time.Duration) told {
		return func(c *course) []fhir.Version {
			return append(unfilled(c), c.DaysBefore(10).Dosing(now.Add(session)), c.DaysBefore(days).Dispense(set("whenHandedOver", nil), set("whenPrepared", c.Day(-days))))
		}
	}
	judgeRule(t, "R20", []rowAt{
		{name: "handed over → none", told: all},
		{name: "shipped four days ago, session in a week → none", told: shipped(4, 7*day)},
		{name: "shipped five days ago → none", told: shipped(5, 7*day)},
		{name: "shipped six days ago → S3", told: shipped(6, 7*day), want: "S3"},
		{name: "shipped yesterday, session in three days → S2", told: shipped(1, 3*day), want: "S2"},
		{name: "shipped yesterday, session in three days and an hour → none", told: shipped(1, 3*day+time.Hour)},
		{name: "shipped yesterday, and the session came and went → S3, though five days are not over", told: shipped(1, time.Hour), at: day, want: "S3"},
		{name: "shipped after the session → none", told: shipped(1, -2*day)},
		{name: "the refill shipped yesterday, enough in hand, and the session came and went → none", at: day,
			told: told(all).then(func(c *course) fhir.Version {
				return c.DaysBefore(1).Fulfilment(fhir.FulfilmentShipped, set("authoredOn", c.Day(-2)))
			})},
		{name: "the refill shipped, enough in hand → S3 after five days, and still ready", want: "S3", state: readiness.Ready,
			told: told(all).then(func(c *course) fhir.Version {
				return c.DaysBefore(6).Fulfilment(fhir.FulfilmentShipped, set("authoredOn", c.Day(-7)))
			})},
		{name: "delivered → none", told: shipped(6, 7*day).then(parcel(fhir.FulfilmentDelivered, 1))},
		{name: "came back → none: the gate says it", told: shipped(6, 7*day).then(parcel(fhir.FulfilmentReturned, 1))},
		{name: "the client showed the label → none", told: shipped(6, 7*day).then(func(c *course) fhir.Version { return c.DaysBefore(1).Dispense() })},
		{name: "dispensed, and nothing says that it was handed over → S3", told: prepared(6, 7*day), want: "S3", state: readiness.NotReady},
		{name: "dispensed yesterday, session in two days → S2", told: prepared(1, 2*day), want: "S2"},
		{name: "dispensed, then seen in the client's hands → none", told: prepared(6, 7*day).then(func(c *course) fhir.Version {
			return c.Told(fhirtest.PracticeSource, fhir.Practice, string(c.DaysBefore(1).Dispense(set("id", "label")).Resource.Body), set("meta", nil), set("subject.reference", "Patient/"+c.Patient))
		})},
	})
}

func TestR23RefillLate(t *testing.T) {
	short := func(at time.Time) told { // one in hand for today; the next session is short
		return less("MedicationDispense", "dispense").then(func(c *course) fhir.Version { return c.DaysBefore(30).Dispense(set("quantity.value", 1)) }).then(sessionOn(at, "next"))
	}
	twoWeeks := denverAt("2026-03-17", "09:00") // Tuesday, ten business days on
	holiday := onSheet(func(s *readiness.Sheet) {
		s.Hours = readiness.Hours{Zone: fhirtest.Denver, Holidays: map[readiness.Day]bool{{Year: 2026, Month: time.March, Day: 9}: true}}
	})
	judgeRule(t, "R23", []rowAt{
		{name: "enough → none", told: all},
		{name: "short in just ten business days, over the beginning of summer time → S3", told: short(twoWeeks), want: "S3"},
		{name: "short an hour later than that → none yet", told: short(twoWeeks.Add(time.Hour))},
		{name: "… and a holiday of theirs lies between → S3", told: short(twoWeeks.Add(time.Hour)), policy: holiday, want: "S3"},
		{name: "… and an hour later it is late", told: short(twoWeeks.Add(time.Hour)), at: time.Hour, want: "S3"},
		{name: "short on a Saturday: the Friday before counts", told: short(denverAt("2026-03-14", "10:00")), want: "S3"},
		{name: "the refill was shipped → none", told: short(twoWeeks).then(func(c *course) fhir.Version {
			return c.DaysBefore(1).Fulfilment(fhir.FulfilmentShipped, set("authoredOn", c.Day(-2)))
		})},
		{name: "the refill came back → S3", want: "S3", told: short(twoWeeks).then(func(c *course) fhir.Version {
			return c.DaysBefore(1).Fulfilment(fhir.FulfilmentReturned, set("focus.reference", "MedicationDispense/refill"))
		})},
		{name: "the lead time was not asked: the practice's setting → S3", told: short(twoWeeks), want: "S3", policy: onSheet(func(s *readiness.Sheet) { s.LeadDays = readiness.Asked[int]{} })},
		{name: "they need three days → none yet", told: short(twoWeeks), policy: onSheet(func(s *readiness.Sheet) { s.LeadDays = readiness.Is(3) })},
		{name: "none set → none", told: short(twoWeeks), policy: onSheet(func(s *readiness.Sheet) { s.LeadDays = readiness.None[int]() })},
		{name: "nothing in hand → none: the gate says it", told: unfilled},
	})
}
