package readiness_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestR01IdentityMismatch(t *testing.T) {
	undecided := func(c *course) []fhir.Version {
		return fhirtest.Without(c.Blameless(), "Observation", "MedicationRequest")
	}
	born := func(c *course) fhir.Version { return c.PatientThere(set("birthDate", "1988-03-01")) }
	judgeRule(t, "R01", []rowAt{
		{name: "all agree → none", told: all},
		{name: "another birth date, and a decision attached → S1", told: plus(born), want: "S1", state: readiness.NotReady},
		{name: "another birth date, nothing attached yet → S2", told: told(undecided).then(born), want: "S2"},
		{name: "another family name → S1", told: plus(func(c *course) fhir.Version { return c.PatientThere(set("name.0.family", "Quite-Another")) }), want: "S1"},
		{name: "one letter swapped → a notice, and still ready", told: plus(func(c *course) fhir.Version {
			return c.PatientThere(set("name.0.family", "Inventedsosn-p1"))
		}), want: "S4", state: readiness.Ready},
		{name: "a preferred given name → none", told: plus(func(c *course) fhir.Version { return c.PatientThere(set("name.0.given", []any{"Juniper"})) })},
		{name: "the maiden name is among the practice's names → none", told: plus(func(c *course) fhir.Version { return c.PatientThere(set("name.0.family", "Erstwhile")) }).
			then(func(c *course) fhir.Version {
				return c.PatientHere(set("name.-1", map[string]any{"use": "maiden", "family": "Erstwhile"}))
			})},
		{name: "no birth date → none: the gate is unknown", told: plus(func(c *course) fhir.Version { return c.PatientThere(set("birthDate", nil)) }), state: readiness.Unknown},
	})
}

func TestR03ReferralUnacknowledged(t *testing.T) {
	sent := func(at time.Time, edits ...fhir.Edit) told {
		return func(c *course) []fhir.Version {
			edits := append([]fhir.Edit{set("authoredOn", at.Format(time.RFC3339))}, edits...)
			return append(none(c), c.On(at).Referral(), c.Task("requested", edits...))
		}
	}
	friday := time.Date(2026, 2, 27, 17, 0, 0, 0, time.UTC) // 10:00 in Denver
	judgeRule(t, "R03", []rowAt{
		{name: "sent on Friday morning, judged on Tuesday at nine → none", told: sent(friday)},
		{name: "sent on Friday morning, judged on Tuesday at ten → S3", told: sent(friday), at: time.Hour, want: "S3"},
		{name: "sent a week before Tuesday → S2", told: sent(friday.AddDate(0, 0, -7)), want: "S2"},
		{name: "Monday was a holiday of theirs → none", told: sent(friday), at: time.Hour, policy: onSheet(func(s *readiness.Sheet) {
			s.Hours = readiness.Hours{Zone: fhirtest.Denver, Holidays: map[readiness.Day]bool{{Year: 2026, Month: time.March, Day: 2}: true}}
		})},
		{name: "they gave it a number of theirs → none", told: sent(friday.AddDate(0, 0, -7), set("identifier.-1", map[string]any{
			"type": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemIdentifierType, "code": "FILL"}}}, "system": "s", "value": "1"}))},
		{name: "received → none", told: sent(friday.AddDate(0, 0, -7), set("status", "received"))},
		{name: "decided since → none", told: func(c *course) []fhir.Version {
			vs := append(sent(friday.AddDate(0, 0, -7))(c), c.DaysBefore(2).Prescription())
			return append(vs, c.DaysBefore(2).Clearance(fhir.DecisionDeferred, c.Day(-2), c.Day(40)))
		}},
	})
}

func TestR05ReferralClosedButBooked(t *testing.T) {
	closed := func(status string) told {
		return func(c *course) []fhir.Version {
			return append(none(c), c.Referral(), c.DaysBefore(5).Task(status), c.Dosing(now.AddDate(0, 0, 3)))
		}
	}
	judgeRule(t, "R05", []rowAt{
		{name: "rejected, and a session is booked → S1", told: closed("rejected"), want: "S1"},
		{name: "cancelled → S1", told: closed("cancelled"), want: "S1"},
		{name: "failed → S1", told: closed("failed"), want: "S1"},
		{name: "accepted → none", told: closed("accepted")},
		{name: "rejected, no session → none", told: func(c *course) []fhir.Version { return append(none(c), c.Referral(), c.Task("rejected")) }},
		{name: "rejected, decided since → none", told: func(c *course) []fhir.Version {
			return append(closed("rejected")(c), c.DaysBefore(1).Prescription(), c.Clearance(fhir.DecisionCleared, c.Day(-1), c.Day(40)))
		}},
		{name: "decided, then cancelled → S1", told: plus(func(c *course) fhir.Version { return c.Task("cancelled") }), want: "S1", state: readiness.NotReady},
	})
}

func TestR06ReleaseMissing(t *testing.T) {
	ends := func(date string) told {
		return less("Consent", "release").then(func(c *course) fhir.Version { return c.DaysBefore(60).Release(set("provision.period.end", date)) })
	}
	judgeRule(t, "R06", []rowAt{
		{name: "ends in ten months → none", told: all},
		{name: "none → S1", told: less("Consent", "release"), want: "S1"},
		{name: "ended yesterday → S1", told: ends("2026-03-02"), want: "S1"},
		{name: "ends in 31 days → none", told: ends("2026-04-03")},
		{name: "ends in 29 days → S3, and still ready", told: ends("2026-04-01"), want: "S3", state: readiness.Ready},
		{name: "withdrawn → none: R07 says it", told: plus(func(c *course) fhir.Version { return c.Release(set("status", "inactive")) })},
		{name: "denied → S1", told: plus(func(c *course) fhir.Version { return c.Release(set("id", "no"), set("provision.type", "deny")) }), want: "S1"},
	})
}

func TestR07ConsentWithdrawn(t *testing.T) {
	judgeRule(t, "R07", []rowAt{
		{name: "all given → none", told: all},
		{name: "the release withdrawn → S1, and no hold", told: plus(func(c *course) fhir.Version { return c.Release(set("status", "inactive")) }), want: "S1", state: readiness.NotReady},
		{name: "the treatment consent withdrawn → S1, and a hold", told: plus(func(c *course) fhir.Version { return c.TreatmentConsent(set("status", "inactive")) }), want: "S1", state: readiness.Hold},
		{name: "never signed → none: the gate is open", told: less("Consent", "treatment-consent"), state: readiness.NotReady},
		{name: "signed anew → none", told: plus(func(c *course) fhir.Version { return c.DaysBefore(3).TreatmentConsent(set("status", "inactive")) }).
			then(func(c *course) fhir.Version {
				return c.DaysBefore(2).TreatmentConsent(set("id", "anew"), set("dateTime", "2026-03-01"))
			})},
	})
}

func TestR09BookedWithoutClearance(t *testing.T) {
	booked := func(at time.Duration) told {
		return func(c *course) []fhir.Version { return append(none(c), c.Dosing(now.Add(at))) }
	}
	judgeRule(t, "R09", []rowAt{
		{name: "cleared → none", told: all},
		{name: "in four days → S2", told: booked(4 * day), want: "S2"},
		{name: "in 72 hours → S1", told: booked(3 * day), want: "S1"},
		{name: "in 73 hours → S2", told: booked(3*day + time.Hour), want: "S2"},
		{name: "in fifteen days → none: outside the window", told: booked(15 * day)},
		{name: "no session → none", told: none},
		{name: "deferred → S1", told: cleared(fhir.DecisionDeferred, "2026-01-12", "2026-04-12"), want: "S1"},
		{name: "cleared by nobody known → S1", told: cleared(fhir.DecisionCleared, "2026-01-12", "2026-04-12", set("performer", nil)), want: "S1"},
		{name: "withdrawn → none: R12 says it", told: cleared(fhir.DecisionWithdrawn, "2026-01-12", "2026-04-12")},
		{name: "cleared, but over by then → none: R10 says it", told: cleared(fhir.DecisionCleared, "2026-01-12", "2026-03-01")},
	})
}

func TestR10ClearanceExpiresBeforeSession(t *testing.T) {
	to := func(end string, at time.Duration) told {
		return cleared(fhir.DecisionCleared, "2026-01-12", end).then(func(c *course) fhir.Version { return c.DaysBefore(1).Dosing(now.Add(at)) })
	}
	judgeRule(t, "R10", []rowAt{
		{name: "valid beyond the session → none", told: all},
		{name: "ends the day before the next session, which is in a week → S2", told: to("2026-03-09", 7*day), want: "S2", state: readiness.NotReady},
		{name: "ends before the next session, which is in twenty days → none yet", told: to("2026-03-15", 20*day)},
		{name: "… and the practice wants to be warned thirty days before → S2", told: to("2026-03-15", 20*day), want: "S2", policy: func(p *readiness.Policy) { p.Rules.ClearanceWarn = 30 * day }},
		{name: "ends tomorrow, the next session in 48 hours → S1", told: to("2026-03-04", 2*day), want: "S1"},
		{name: "ends on the day of the session → none: the last day counts as a whole", told: to("2026-03-10", 7*day)},
		{name: "ends before a later session → S3: the next one is covered, and ready", told: cleared(fhir.DecisionCleared, "2026-01-12", "2026-03-09").
			then(func(c *course) fhir.Version {
				return c.DaysBefore(10).Dosing(now.AddDate(0, 0, 7), set("id", "later"))
			}), want: "S3", state: readiness.Ready},
		{name: "ends before a session that is twenty days away → none: not looked at yet", told: to("2026-03-09", 20*day)},
		{name: "it gives no end, and the sheet says that none is set → none: it lasts", told: to("", 7*day), policy: onSheet(func(s *readiness.Sheet) { s.ClearanceValidity = readiness.None[time.Duration]() })},
	})
}

func TestR12ClearanceWithdrawn(t *testing.T) {
	again := func(decision string, daysAgo int) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(daysAgo).Clearance(decision, c.Day(-daysAgo), c.Day(40), set("id", "again"))
		}
	}
	judgeRule(t, "R12", []rowAt{
		{name: "cleared → none", told: all},
		{name: "withdrawn → S1, and a hold", told: told(all).then(again(fhir.DecisionWithdrawn, 1)), want: "S1", state: readiness.Hold},
		{name: "not cleared → S1, and a hold", told: told(all).then(again(fhir.DecisionNotCleared, 1)), want: "S1", state: readiness.Hold},
		{name: "withdrawn long ago, cleared since → none", told: cleared(fhir.DecisionWithdrawn, "2026-01-12", "2026-04-12").then(again(fhir.DecisionCleared, 20))},
		{name: "withdrawn, and the prescriber silent since → S1 still", told: told(all).then(again(fhir.DecisionWithdrawn, 40)), want: "S1", state: readiness.Hold,
			chart: func(c *fhir.Chart) { c.Sources[1].LastComplete = now.AddDate(0, 0, -9) }},
		{name: "deferred → none", told: told(all).then(again(fhir.DecisionDeferred, 1))},
		{name: "withdrawn after a clearance whose clock ran two days ahead → S1 still, once that day has come", want: "S1", state: readiness.Hold, told: func(c *course) []fhir.Version {
			vs := less("Observation", "clearance")(c)
			for i, says := range []string{fhir.DecisionCleared, fhir.DecisionWithdrawn} {
				made := now.AddDate(0, 0, -20).Add(time.Duration(i) * time.Hour)
				v := c.On(made.Add(48*time.Hour)).Clearance(says, c.Day(-50), c.Day(40), set("id", says))
				v.Received = made.Add(time.Minute)
				vs = append(vs, v)
			}
			return vs
		}},
	})
}

func TestR15PrescriberHold(t *testing.T) {
	judgeRule(t, "R15", []rowAt{
		{name: "nothing → none", told: all},
		{name: "a stop → S1, and a hold", told: plus(func(c *course) fhir.Version { return c.Flag("active") }), want: "S1", state: readiness.Hold},
		{name: "lifted → none", told: plus(func(c *course) fhir.Version { return c.Flag("active") }).then(func(c *course) fhir.Version { return c.On(now).Flag("inactive") })},
		{name: "gone → S1 still", told: plus(func(c *course) fhir.Version { return c.Flag("active") }).gone("Flag", "stop"), want: "S1", state: readiness.Hold},
		{name: "the prescription on hold → S1", told: plus(func(c *course) fhir.Version { return c.Prescription(set("status", "on-hold")) }), want: "S1", state: readiness.Hold},
		{name: "the source stale → S1 still", told: plus(func(c *course) fhir.Version { return c.Flag("active") }), want: "S1", state: readiness.Hold,
			chart: func(c *fhir.Chart) { c.Sources[1].LastComplete = time.Time{} }},
		{name: "lifted in a read that is not complete → S1 still", want: "S1", state: readiness.Hold,
			told: plus(func(c *course) fhir.Version { return c.On(now.Add(-time.Hour)).Flag("active") }).then(func(c *course) fhir.Version { return c.On(now.Add(time.Minute)).Flag("inactive") }),
			at:   time.Hour, chart: func(c *fhir.Chart) { c.Sources[1].Complete, c.Sources[1].LastComplete = false, now }},
		{name: "set and lifted by two pages of a read under way → S1 still", want: "S1", state: readiness.Hold,
			told: plus(func(c *course) fhir.Version { return c.On(now.Add(time.Minute)).Flag("active") }).then(func(c *course) fhir.Version { return c.On(now.Add(2 * time.Minute)).Flag("inactive") }),
			at:   time.Hour, chart: func(c *fhir.Chart) { c.Sources[1].LastComplete = now }},
		{name: "set and lifted, and the read complete → none", told: plus(func(c *course) fhir.Version { return c.On(now.Add(time.Minute)).Flag("active") }).
			then(func(c *course) fhir.Version { return c.On(now.Add(2 * time.Minute)).Flag("inactive") }), at: time.Hour},
	})
}

func TestR17ClearedWithoutPrescription(t *testing.T) {
	since := func(at time.Time) told {
		return func(c *course) []fhir.Version {
			return append(none(c), c.On(at).Clearance(fhir.DecisionCleared, "2026-02-01", "2026-06-01", set("focus", nil)))
		}
	}
	friday := time.Date(2026, 2, 27, 17, 0, 0, 0, time.UTC)
	byLetter := func(p *readiness.Policy) { p.Prescriber.Sources = nil }
	judgeRule(t, "R17", []rowAt{
		{name: "prescribed → none", told: all},
		{name: "cleared on Friday → S3", told: since(friday), want: "S3"},
		{name: "cleared three business days ago → S2", told: since(friday.AddDate(0, 0, -2)), want: "S2"},
		{name: "three business days ago, and no system tells of prescriptions → S3: the medicine will", told: since(friday.AddDate(0, 0, -2)), want: "S3", policy: byLetter},
		{name: "thirteen business days ago, and no system tells → S2", told: since(friday.AddDate(0, 0, -16)), want: "S2", policy: byLetter},
		{name: "dispensed, hence prescribed → none", told: since(friday).then(func(c *course) fhir.Version { return c.Dispense(set("authorizingPrescription", nil)) })},
		{name: "not cleared → none", told: none},
	})
}

func TestR21PrescriptionStale(t *testing.T) {
	rx := func(edits ...fhir.Edit) told {
		return plus(func(c *course) fhir.Version { return c.Prescription(edits...) })
	}
	unfilled := func(authored string) told {
		return func(c *course) []fhir.Version {
			vs := fhirtest.Without(c.Blameless(), "MedicationDispense")
			return append(vs, c.Prescription(set("authoredOn", authored)))
		}
	}
	judgeRule(t, "R21", []rowAt{
		{name: "written seven weeks ago, filled since → none", told: all},
		{name: "six repeats → S1", told: rx(set("dispenseRequest.numberOfRepeatsAllowed", 6)), want: "S1", state: readiness.NotReady},
		{name: "five repeats → none", told: rx(set("dispenseRequest.numberOfRepeatsAllowed", 5))},
		{name: "filled seven months after it was written → S1", told: rx(set("authoredOn", "2025-07-01")), want: "S1"},
		{name: "filled on the last day of the six months → none", told: rx(set("authoredOn", "2025-08-01"))}, // filled on 1 Feb
		{name: "written on 31 August, filled on 28 February → none", told: rx(set("authoredOn", "2025-08-31")).then(func(c *course) fhir.Version {
			return c.On(time.Date(2026, 2, 28, 18, 0, 0, 0, time.UTC)).Dispense(set("id", "second"), set("quantity.value", 1))
		})},
		{name: "written on 31 August, filled on 1 March → S1", told: rx(set("authoredOn", "2025-08-31")).then(func(c *course) fhir.Version {
			return c.On(time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)).Dispense(set("id", "second"), set("quantity.value", 1))
		}), want: "S1"},
		{name: "old, a session booked and nothing in hand → S1", told: unfilled("2025-08-01"), want: "S1"},
		{name: "not so old, a session booked and nothing in hand → none", told: unfilled("2025-10-01")},
		{name: "old, and enough in hand → none: taking is not limited", told: rx(set("authoredOn", "2025-08-15"))},
		{name: "three fills of six on one repeat → S1", want: "S1", told: told(all).
			then(func(c *course) fhir.Version { return c.DaysBefore(20).Dispense(set("id", "b")) }).
			then(func(c *course) fhir.Version { return c.DaysBefore(10).Dispense(set("id", "c")) })},
		{name: "partial fills that add up to what was prescribed → none", told: less("MedicationDispense", "dispense").
			then(func(c *course) fhir.Version {
				return c.DaysBefore(30).Dispense(set("id", "a"), set("quantity.value", 4))
			}).
			then(func(c *course) fhir.Version {
				return c.DaysBefore(20).Dispense(set("id", "b"), set("quantity.value", 4))
			}).
			then(func(c *course) fhir.Version {
				return c.DaysBefore(10).Dispense(set("id", "c"), set("quantity.value", 4))
			})},
	})
}

func TestR22DosesShort(t *testing.T) {
	hand := func(quantity int, more ...int) told {
		t := less("MedicationDispense", "dispense").then(func(c *course) fhir.Version { return c.DaysBefore(30).Dispense(set("quantity.value", quantity)) })
		for _, d := range more {
			t = t.then(func(c *course) fhir.Version {
				return c.DaysBefore(20).Dosing(now.AddDate(0, 0, d), set("id", "in-"+time.Duration(d).String()))
			})
		}
		return t
	}
	judgeRule(t, "R22", []rowAt{
		{name: "six in hand, one booked → none", told: all},
		{name: "two in hand, one booked: one spare → S3, and still ready", told: hand(2), want: "S3", state: readiness.Ready},
		{name: "one in hand, one booked: none spare → S3, and still ready", told: hand(1), want: "S3", state: readiness.Ready},
		{name: "one in hand, two booked → S3: the next one has it, and is ready", told: hand(1, 7), want: "S3", state: readiness.Ready},
		{name: "… and the day after, that one is taken, and the next session lacks it → S2", told: hand(1, 7).then(func(c *course) fhir.Version {
			return c.On(now.Add(5*time.Hour)).Administration(now.Add(2*time.Hour), 1)
		}), at: day, want: "S2"},
		{name: "one in hand, two booked, the second after the next follow-up → S3: one is needed by then, none spare", told: hand(1, 7).then(func(c *course) fhir.Version {
			return c.DaysBefore(3).Evaluation(set("id", "fu"), set("status", "booked"), set("serviceType.0.coding.0.code", "follow-up"), set("start", "2026-03-06T16:00:00Z"), set("end", "2026-03-06T17:00:00Z"))
		}), want: "S3"},
		{name: "nothing ever came in → none: the gate says it", told: func(c *course) []fhir.Version { return fhirtest.Without(c.Blameless(), "MedicationDispense") }},
	})
}

func TestR24DoseChangeUnacknowledged(t *testing.T) {
	judgeRule(t, "R24", []rowAt{
		{name: "acknowledged → none", told: all},
		{name: "changed since → S1", told: plus(func(c *course) fhir.Version { return c.Prescription(set("dosageInstruction.0.text", "Two")) }), want: "S1", state: readiness.NotReady},
		{name: "a successor with other directions → S1", told: plus(func(c *course) fhir.Version {
			return c.On(now.Add(-time.Hour)).Prescription(set("id", "next"), set("dosageInstruction.0.text", "Two"))
		}), want: "S1"},
		{name: "a successor with the same directions → none", told: plus(func(c *course) fhir.Version { return c.On(now.Add(-time.Hour)).Prescription(set("id", "next")) })},
		{name: "never acknowledged → none: the gate is open", told: less("Observation", "acknowledged"), state: readiness.NotReady},
		{name: "changed and acknowledged → none", want: "", told: func(c *course) []fhir.Version {
			vs := c.Blameless()
			v := c.On(now.Add(-50 * time.Minute)).Prescription(set("dosageInstruction.0.text", "Two"))
			return append(vs, v, c.On(now.Add(-40*time.Minute)).Acknowledged(v))
		}, state: readiness.Ready},
	})
}

func TestR29FollowUpOverdue(t *testing.T) {
	every := func(d int) func(*readiness.Policy) {
		return onSheet(func(s *readiness.Sheet) { s.FollowUp = readiness.Is(time.Duration(d) * day) })
	}
	judgeRule(t, "R29", []rowAt{
		{name: "due in forty days → none", told: all},
		{name: "overdue, no session → S2", told: less("Appointment", "dosing"), policy: every(30), want: "S2"},
		{name: "overdue, a session booked → S1", told: all, policy: every(30), want: "S1", state: readiness.NotReady},
		{name: "due today → none", told: all, policy: every(50)},
		{name: "no cadence on the sheet → none: the gate is unknown", told: all, policy: onSheet(func(s *readiness.Sheet) { s.FollowUp = readiness.Asked[time.Duration]{} }), state: readiness.Unknown},
		{name: "none set → none", told: all, policy: onSheet(func(s *readiness.Sheet) { s.FollowUp = readiness.None[time.Duration]() })},
	})
}

func TestR30AdverseEventOpen(t *testing.T) {
	event := func(grade string) told {
		return plus(func(c *course) fhir.Version { return c.DaysBefore(2).AdverseEvent(grade) })
	}
	judgeRule(t, "R30", []rowAt{
		{name: "none → none", told: all},
		{name: "serious → S1, and a hold", told: event(fhir.CodeSerious), want: "S1", state: readiness.Hold},
		{name: "ask the prescriber → S2", told: event(fhir.CodeAskPrescriber), want: "S2", state: readiness.NotReady},
		{name: "expected, settled → none", told: event(fhir.CodeExpected), state: readiness.Ready},
		{name: "a grade that cannot be read → S2", told: event("mild"), want: "S2", state: readiness.Unknown},
		{name: "answered by a decision → none", told: event(fhir.CodeSerious).then(func(c *course) fhir.Version {
			return c.DaysBefore(1).Clearance(fhir.DecisionCleared, c.Day(-1), c.Day(40), set("id", "n"))
		})},
		{name: "a decision heard before the event, by a clock that ran ahead, answers nothing → S1 still", want: "S1", state: readiness.Hold, told: event(fhir.CodeSerious).then(func(c *course) fhir.Version {
			v := c.DaysBefore(1).Clearance(fhir.DecisionCleared, c.Day(-3), c.Day(40), set("id", "n"))
			v.Received = now.AddDate(0, 0, -3)
			return v
		})},
		{name: "the practice says nothing more for a month → S1 still", told: plus(func(c *course) fhir.Version { return c.DaysBefore(30).AdverseEvent(fhir.CodeSerious) }), want: "S1", state: readiness.Hold},
	})
	t.Run("the words show the weekend phone", func(t *testing.T) {
		f, _ := finding(rowAt{told: event(fhir.CodeSerious)}.verdict(), "R30")
		if want := "call Skylight Psychedelics (555-0100; weekends 555-0199)"; f.Next != want {
			t.Errorf("got %q, want %q", f.Next, want)
		}
	})
}

func TestR44SourceStale(t *testing.T) {
	read := func(i int, at time.Time) func(*fhir.Chart) {
		return func(c *fhir.Chart) { c.Sources[i].LastComplete = at }
	}
	soon := func(c *course) []fhir.Version { // the session is tomorrow
		return append(c.InOrder(), c.DaysBefore(10).Dosing(now.AddDate(0, 0, 1)))
	}
	monday := now.AddDate(0, 0, -1)
	judgeRule(t, "R44", []rowAt{
		{name: "read just now → none", told: all},
		{name: "read yesterday, the session is today → S2", told: all, chart: read(1, monday), want: "S2", state: readiness.Unknown},
		{name: "read today at one, the session is today → none", told: all, chart: read(1, time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC))},
		{name: "read yesterday at ten, the session is tomorrow → none", told: soon, chart: read(1, monday.Add(time.Hour))},
		{name: "read yesterday at nine, the session is tomorrow → S2: one business day", told: soon, chart: read(1, monday), want: "S2"},
		{name: "read on Friday at four, the session is tomorrow → S2", told: soon, chart: read(0, now.AddDate(0, 0, -4).Add(7*time.Hour)), want: "S2"},
		{name: "never read → S2", told: all, chart: func(c *fhir.Chart) { c.Sources = c.Sources[:1] }, want: "S2", state: readiness.Unknown},
		{name: "a limit of its own, kept → none", told: all, chart: read(1, now.Add(-59*time.Minute)), policy: func(p *readiness.Policy) { p.Prescriber.Limit = time.Hour }},
		{name: "a limit of its own, reached → S2", told: all, chart: read(1, now.Add(-time.Hour)), policy: func(p *readiness.Policy) { p.Prescriber.Limit = time.Hour }, want: "S2"},
		{name: "another prescriber who is not linked, never read → none", told: told(all).then(theirs), policy: another},
		{name: "another prescriber who is linked, never read → S2: a hold may be there", told: told(all).then(theirs), policy: another, want: "S2", state: readiness.Unknown,
			chart: func(c *fhir.Chart) {
				c.Links = append(c.Links, fhir.Link{Client: c.Client, Source: "other", Patient: "x", ReadBack: true})
			}},
	})
	t.Run("it is one row for all whom it touches", func(t *testing.T) {
		f, _ := finding(rowAt{told: all, chart: read(1, monday)}.verdict(), "R44")
		if f.RollUp != "R44/skylight" {
			t.Errorf("rolled up under %q", f.RollUp)
		}
	})
}

// theirs says on the session whose it is.
func theirs(c *course) fhir.Version {
	return c.On(now.Add(-20*time.Minute)).Dosing(c.Session, set("basedOn", []any{map[string]any{"reference": "ServiceRequest/referral-p1"}}))
}

func TestR45PageIncomplete(t *testing.T) {
	judgeRule(t, "R45", []rowAt{
		{name: "all read → none", told: all},
		{name: "the last read was not complete → S2", told: all, chart: func(c *fhir.Chart) { c.Sources[1].Complete = false }, want: "S2", state: readiness.Unknown},
		{name: "the last complete read lies in the future → S2", told: all, chart: func(c *fhir.Chart) { c.Sources[1].LastComplete = now.Add(time.Hour) }, want: "S2", state: readiness.Unknown},
		{name: "a read is under way: it told something since its last complete read → S2", told: all, chart: func(c *fhir.Chart) { c.Sources[0].LastComplete = now.Add(-20 * time.Minute) }, want: "S2", state: readiness.Unknown},
		{name: "an open reject of the client → S2", told: all, chart: func(c *fhir.Chart) { c.Rejects = []fhir.Reject{{ID: "r"}} }, want: "S2", state: readiness.Unknown},
		{name: "a version that does not fit its view → S2", told: plus(func(c *course) fhir.Version {
			v := c.Flag("active")
			v.Resource.Body = []byte(`{"resourceType":"Flag","id":"stop-p1","status":"never-heard-of"}`)
			return v
		}), want: "S2", state: readiness.Unknown},
	})
}

func TestR48RecordDisappeared(t *testing.T) {
	judgeRule(t, "R48", []rowAt{
		{name: "nothing gone → none", told: all},
		{name: "the decision gone → S1", told: told(all).gone("Observation", "clearance"), want: "S1", state: readiness.Unknown},
		{name: "the stop gone → S1, and still a hold", told: plus(func(c *course) fhir.Version { return c.Flag("active") }).gone("Flag", "stop"), want: "S1", state: readiness.Hold},
		{name: "a lifted stop gone → none", told: plus(func(c *course) fhir.Version { return c.DaysBefore(3).Flag("inactive") }).gone("Flag", "stop"), state: readiness.NotReady},
		{name: "the release gone → S2", told: told(all).gone("Consent", "release"), want: "S2"},
		{name: "the release gone, another is there → none", told: plus(func(c *course) fhir.Version { return c.Release(set("id", "b")) }).gone("Consent", "release"), state: readiness.Ready},
		{name: "the treatment consent gone → S2", told: told(all).gone("Consent", "treatment-consent"), want: "S2"},
		{name: "the prescription gone → S2", told: told(all).gone("MedicationRequest", "rx"), want: "S2"},
		{name: "the dispense gone → S2", told: told(all).gone("MedicationDispense", "dispense"), want: "S2"},
		{name: "the prescriber's Task gone → S2", told: told(all).gone("Task", "task"), want: "S2"},
		{name: "the session gone → S2", told: told(all).gone("Appointment", "dosing"), want: "S2", state: readiness.NotReady},
		{name: "the session gone, and it would be over → none", told: told(all).gone("Appointment", "dosing"), at: 5 * time.Hour},
		{name: "a preparation of last month gone → none: the gate says it", told: told(all).gone("Appointment", "preparation"), state: readiness.NotReady},
	})
}

func TestR52GoAheadVoid(t *testing.T) {
	change := func(at time.Duration, f func(c *course) fhir.Version) told {
		return plus(func(c *course) fhir.Version { c.On(now.Add(at)); return f(c) })
	}
	judgeRule(t, "R52", []rowAt{
		{name: "nothing changed → none", told: all},
		{name: "not given → none: the gate is open", told: less("Observation", "go-ahead"), state: readiness.InOrder},
		{name: "the session moved since → S2", told: change(-5*time.Minute, func(c *course) fhir.Version { return c.Dosing(c.Session.Add(time.Hour)) }), want: "S2", state: readiness.NotReady},
		{name: "the dose changed since → S2", told: change(-5*time.Minute, func(c *course) fhir.Version { return c.Prescription() }), want: "S2"},
		{name: "a new decision since → S2", told: change(-5*time.Minute, func(c *course) fhir.Version {
			return c.Clearance(fhir.DecisionCleared, c.Day(-1), c.Day(40))
		}), want: "S2"},
		{name: "given again → none", told: change(-5*time.Minute, func(c *course) fhir.Version { return c.Prescription() }).
			then(func(c *course) fhir.Version { return c.On(now.Add(-time.Minute)).GoAhead() }), state: readiness.Ready},
		{name: "a reading beyond the limit since, and a lower one → S2", told: change(-5*time.Minute, func(c *course) fhir.Version { return c.BloodPressure(172, 104, set("id", "high")) }).
			then(func(c *course) fhir.Version {
				return c.On(now.Add(-4*time.Minute)).BloodPressure(128, 80, set("id", "low"))
			}), want: "S2", state: readiness.NotReady},
		{name: "…, and given again → none", told: change(-5*time.Minute, func(c *course) fhir.Version { return c.BloodPressure(172, 104, set("id", "high")) }).
			then(func(c *course) fhir.Version {
				return c.On(now.Add(-4*time.Minute)).BloodPressure(128, 80, set("id", "low"))
			}).
			then(func(c *course) fhir.Version { return c.On(now.Add(-time.Minute)).GoAhead() }), state: readiness.Ready},
		{name: "something new since, and then nothing new → S2", told: change(-5*time.Minute, func(c *course) fhir.Version { return c.Check(fhir.CodeNewInformation, true, set("id", "new")) }).
			then(func(c *course) fhir.Version {
				return c.On(now.Add(-4*time.Minute)).Check(fhir.CodeNewInformation, false, set("id", "none"))
			}), want: "S2", state: readiness.NotReady},
		{name: "a reading beyond the limit before it → none", told: change(-15*time.Minute, func(c *course) fhir.Version { return c.BloodPressure(172, 104, set("id", "high")) }).
			then(func(c *course) fhir.Version {
				return c.On(now.Add(-14*time.Minute)).BloodPressure(128, 80, set("id", "low"))
			}), state: readiness.Ready},
		{name: "moved to next week → none: it will be asked for", told: change(-5*time.Minute, func(c *course) fhir.Version { return c.Dosing(now.AddDate(0, 0, 7)) }), state: readiness.InOrder},
	})
}

func TestNoClearanceFoldsWhatFollowsFromIt(t *testing.T) {
	v := rowAt{told: cleared(fhir.DecisionWithdrawn, "2026-01-12", "2026-04-12").then(func(c *course) fhir.Version {
		return c.On(now).Prescription(set("dispenseRequest.numberOfRepeatsAllowed", 9))
	})}.verdict()
	f, ok := finding(v, "R21")
	if !ok || f.Under != "R12" {
		t.Errorf("R21 lies under %q, want R12", f.Under)
	}
}
