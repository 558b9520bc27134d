package readiness_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// good says up to which day what was dispensed is good.
func good(day string) fhir.Edit {
	return set("extension", []any{map[string]any{"url": fhir.ExtensionDiscardAfter, "valueDate": day}})
}

// label is a practice's own look at what the client has: filled on a day, seen on another.
func label(c *course, filled string, days int, edits ...fhir.Edit) fhir.Version {
	body := c.DaysBefore(days).Dispense(append([]fhir.Edit{set("id", "label"), set("whenPrepared", filled)}, edits...)...).Resource.Body
	return c.Told(fhirtest.PracticeSource, fhir.Practice, string(body), set("meta", nil), set("subject.reference", "Patient/"+c.Patient))
}

func TestR26MedicineOutOfDate(t *testing.T) {
	to := func(day string, edits ...fhir.Edit) told {
		return less("MedicationDispense", "dispense").then(func(c *course) fhir.Version { return c.DaysBefore(30).Dispense(append(edits, good(day))...) })
	}
	batch := func(day string) told {
		return less("MedicationDispense", "dispense").then(func(c *course) fhir.Version {
			return c.DaysBefore(30).Dispense(set("medicationCodeableConcept", nil), set("medicationReference", map[string]any{"reference": "#med"}),
				set("contained", []any{map[string]any{"resourceType": "Medication", "id": "med", "batch": map[string]any{"expirationDate": day},
					"code": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemRxNorm, "code": fhir.RxNormKetamine}}}}}))
		})
	}
	more := func(day string) func(c *course) fhir.Version {
		return func(c *course) fhir.Version { return c.DaysBefore(2).Dispense(set("id", "more"), good(day)) }
	}
	judgeRule(t, "R26", []rowAt{
		{name: "no date on the label is on file → none", told: all, state: readiness.Ready},
		{name: "good for months → none", told: to("2026-06-30"), state: readiness.Ready},
		{name: "good up to the day of the session → S3: soon, and still ready", told: to("2026-03-03"), want: "S3", state: readiness.Ready},
		{name: "good up to the day before → S2", told: to("2026-03-02"), want: "S2", state: readiness.NotReady},
		{name: "good up to the day before, as the batch says → S2", told: batch("2026-03-02"), want: "S2"},
		{name: "label and batch tell two dates: the earlier counts → S2", told: batch("2026-06-30").then(func(c *course) fhir.Version {
			return c.DaysBefore(29).Dispense(good("2026-03-02"))
		}), want: "S2"},
		{name: "good for fourteen days more → S3", told: to("2026-03-17"), want: "S3", state: readiness.Ready},
		{name: "good for fifteen days more → none", told: to("2026-03-18"), state: readiness.Ready},
		{name: "out of date before the session after this one → S3, and this one is ready", told: to("2026-03-08").then(sessionOn(now.AddDate(0, 0, 10), "next")), want: "S3", state: readiness.Ready},
		{name: "one fill out of date, a newer one in date → none", told: to("2026-03-02").then(more("2026-08-01")), state: readiness.Ready},
		{name: "one fill out of date, and the newer one too → S2", told: to("2026-02-02").then(more("2026-03-01")), want: "S2"},
		{name: "a fill without a date, and a newer one out of date → S2", told: told(all).then(more("2026-03-01")), want: "S2"},
		{name: "out of date, and no session is booked → S2", told: func(c *course) []fhir.Version {
			return fhirtest.WithoutRecord(to("2026-03-02")(c), "Appointment", "dosing-p1")
		}, want: "S2"},
	})
	judgeGate(t, readiness.GateMedicine, []rowAt{
		{name: "two are out of date, the one in date may have been taken → open", want: "open",
			told: to("2026-03-02", set("quantity.value", 2)).then(func(c *course) fhir.Version {
				return c.DaysBefore(9).Dispense(set("id", "more"), good("2026-08-01"), set("quantity.value", 1))
			}).then(func(c *course) fhir.Version { return c.DaysBefore(8).Administration(c.At, 1) })},
		{name: "two are out of date, one of two in date may have been taken → met", want: "met",
			told: to("2026-03-02", set("quantity.value", 2)).then(func(c *course) fhir.Version {
				return c.DaysBefore(9).Dispense(set("id", "more"), good("2026-08-01"), set("quantity.value", 2))
			}).then(func(c *course) fhir.Version { return c.DaysBefore(8).Administration(c.At, 1) })},
		{name: "dispensed, and nobody says that the client has it → open", want: "open", told: told(unfilled).then(func(c *course) fhir.Version {
			return c.DaysBefore(6).Dispense(set("whenHandedOver", nil))
		})},
	})
}

// A label check of a parcel that the pharmacy told of counts nothing twice.
func TestAParcelIsCountedOnce(t *testing.T) {
	used := func(t told, days ...int) told { // six sessions ago and more
		for i, d := range days {
			t = t.then(func(c *course) fhir.Version {
				return c.DaysBefore(d).Administration(c.At, 1, set("id", "taken-"+string(rune('a'+i))))
			})
		}
		return t
	}
	sessions := func(n int) fhir.Edit {
		return set("quantity", map[string]any{"value": n, "unit": "sessions", "code": "{session}", "system": fhir.SystemUCUM})
	}
	uncounted := less("MedicationDispense", "dispense").then(func(c *course) fhir.Version { return c.DaysBefore(30).Dispense(set("quantity", nil)) })
	six := used(told(all).then(func(c *course) fhir.Version { return label(c, c.Day(-31), 28) }), 27, 23, 19, 15, 11, 7)
	judgeGate(t, readiness.GateMedicine, []rowAt{
		{name: "six dispensed, seen on the label, six taken → open", told: six, want: "open"},
		{name: "six dispensed, three left by the label as it was seen, two taken since → met", want: "met",
			told: used(told(all).then(func(c *course) fhir.Version { return label(c, c.Day(-31), 28, sessions(3)) }), 11, 7)},
		{name: "six dispensed, three left by the label as it was seen, three taken since → open", want: "open",
			told: used(told(all).then(func(c *course) fhir.Version { return label(c, c.Day(-31), 28, sessions(3)) }), 15, 11, 7)},
		{name: "not counted by the pharmacy, six by its label, five taken → met", want: "met",
			told: used(uncounted.then(func(c *course) fhir.Version { return label(c, c.Day(-31), 28, sessions(6)) }), 23, 19, 15, 11, 7)},
		{name: "not counted by the pharmacy, six by its label, one taken before it was seen, and five since → open", want: "open",
			told: used(uncounted.then(func(c *course) fhir.Version { return label(c, c.Day(-31), 28, sessions(6)) }), 29, 23, 19, 15, 11, 7)},
		{name: "one dispensed and delivered, by whom handed over is not told, seen on its label, one taken → open", want: "open",
			told: used(less("MedicationDispense", "dispense").then(func(c *course) fhir.Version {
				return c.DaysBefore(30).Dispense(set("whenHandedOver", nil), set("whenPrepared", c.Day(-31)), sessions(1))
			}).then(func(c *course) fhir.Version { return c.DaysBefore(29).Fulfilment(fhir.FulfilmentDelivered) }).
				then(func(c *course) fhir.Version { return label(c, c.Day(-30), 28, sessions(1)) }), 7)},
		{name: "six more filled since, seen on their label alone → met", told: six.then(func(c *course) fhir.Version { return label(c, c.Day(-3), 2, set("id", "second")) }), want: "met"},
	})
}

func TestR27DispensedAgainstHold(t *testing.T) {
	stopped := func(days int) told {
		return plus(func(c *course) fhir.Version { return c.DaysBefore(days).Flag("active") })
	}
	fill := func(days int, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(days).Dispense(append([]fhir.Edit{set("id", "again")}, edits...)...)
		}
	}
	ended := func(days int) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(days).Prescription(set("status", "stopped"), set("authoredOn", c.Day(-49)))
		}
	}
	every := func(d int) func(*readiness.Policy) {
		return onSheet(func(s *readiness.Sheet) { s.FollowUp = readiness.Is(time.Duration(d) * day) })
	}
	judgeRule(t, "R27", []rowAt{
		{name: "dispensed before anything stood against it → none", told: all},
		{name: "dispensed, then stopped → none: R15 says it", told: stopped(10), state: readiness.Hold},
		{name: "stopped, then dispensed → S1", told: stopped(10).then(fill(8)), want: "S1", state: readiness.Hold},
		{name: "stopped, then declined by the pharmacy → none", told: stopped(10).then(fill(8, set("status", "declined")))},
		{name: "stopped, then in preparation → S1", told: stopped(10).then(fill(8, set("status", "in-progress"), set("whenHandedOver", nil))), want: "S1"},
		{name: "stopped, dispensed, and lifted → none", told: stopped(10).then(fill(8)).then(func(c *course) fhir.Version { return c.DaysBefore(7).Flag("inactive") })},
		{name: "filled before the stop, the label seen after it → none", told: stopped(10).then(func(c *course) fhir.Version { return label(c, c.Day(-11), 3) })},
		{name: "the label says it was filled after the stop → S1", told: stopped(10).then(func(c *course) fhir.Version { return label(c, c.Day(-4), 3) }), want: "S1"},
		{name: "the clearance withdrawn, then dispensed → S1", want: "S1", state: readiness.Hold, told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(10).Clearance(fhir.DecisionWithdrawn, c.Day(-10), "")
		}).then(fill(8))},
		{name: "a serious event, then dispensed → S1", want: "S1", state: readiness.Hold, told: plus(func(c *course) fhir.Version { return c.DaysBefore(10).AdverseEvent(fhir.CodeSerious) }).then(fill(8))},
		{name: "its prescription was stopped, then dispensed → S1", told: told(all).then(ended(10)).then(fill(8)), want: "S1"},
		{name: "its prescription was stopped after it → none", told: told(all).then(ended(10))},
		{name: "stopped for a successor, and dispensed on that → none", told: told(all).then(ended(10)).
			then(func(c *course) fhir.Version { return c.DaysBefore(9).Prescription(set("id", "next")) }).
			then(fill(8, set("authorizingPrescription.0.reference", "MedicationRequest/next")))},
		{name: "the follow-up was due thirty days after the decision, dispensed twenty days later → S1", told: told(all).then(fill(1)), policy: every(30), want: "S1"},
		{name: "dispensed on the last day on which the follow-up was in time → none", told: told(all), policy: every(20)},
		{name: "overdue when it was dispensed, held since → none", told: told(all).then(fill(10)).then(func(c *course) fhir.Version {
			return c.DaysBefore(5).Evaluation(set("id", "fu"), set("serviceType.0.coding.0.code", "follow-up"))
		}), policy: every(30)},
	})
}

func TestR28DuplicatePrescription(t *testing.T) {
	elsewhere := func(edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			body := c.DaysBefore(20).Prescription(append([]fhir.Edit{set("id", "elsewhere")}, edits...)...).Resource.Body
			return c.Told("other", "other", string(body), set("meta", nil))
		}
	}
	two := func(p *readiness.Policy) {
		p.Others = []readiness.Party{{Name: "other", Title: "Other Clinic", Sources: []string{"other"}}}
	}
	read := func(c *fhir.Chart) {
		c.Sources = append(c.Sources, fhir.SourceState{Name: "other", Party: "other", LastComplete: now, LastTried: now, Complete: true})
	}
	rows := []rowAt{
		{name: "one prescriber → none", told: all},
		{name: "a successor by the same prescriber → none", told: plus(func(c *course) fhir.Version { return c.On(now.Add(-time.Hour)).Prescription(set("id", "next")) })},
		{name: "another prescriber's, active → S1", told: plus(elsewhere()), want: "S1"},
		{name: "another prescriber's, stopped → none", told: plus(elsewhere(set("status", "stopped")))},
		{name: "another prescriber's plan → none: that is no prescription", told: plus(elsewhere(set("intent", "plan")))},
		{name: "another prescriber's of another medicine → none", told: plus(elsewhere(set("medicationCodeableConcept.coding.0.code", "161"), set("medicationCodeableConcept.coding.0.display", "paracetamol")))},
		{name: "another prescriber's, left open, older than six months → none: nobody may fill it", told: plus(elsewhere(set("authoredOn", "2025-08-01")))},
		{name: "another prescriber's, and ours is stopped → none", told: plus(elsewhere()).then(func(c *course) fhir.Version { return c.DaysBefore(3).Prescription(set("status", "stopped")) })},
	}
	for i := range rows {
		rows[i].policy, rows[i].chart = two, read
	}
	judgeRule(t, "R28", rows)
	t.Run("of the other, nothing is told but that there is one", func(t *testing.T) {
		f, _ := finding(rows[2].verdict(), "R28")
		if f.Values != nil || f.Words != "Another prescriber has a prescription of ketamine for the client that may be filled, beside that of Skylight Psychedelics of Tue 13 Jan 2026" {
			t.Errorf("%q %v", f.Words, f.Values)
		}
	})
}
