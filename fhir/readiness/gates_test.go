package readiness_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestIdentity(t *testing.T) {
	judgeGate(t, readiness.GateIdentity, []rowAt{
		{name: "both sides agree → met", told: all, want: "met"},
		{name: "the prescriber has no record yet → met", told: none, want: "met"},
		{name: "the practice has no record → unknown", told: less("Patient", "p1"), want: "unknown", state: readiness.Unknown},
		{name: "the practice's record was deleted → unknown", want: "unknown", told: func(c *course) []fhir.Version {
			vs := c.Blameless()
			return append(vs, c.Gone(vs[0], "deleted"))
		}},
		{name: "another birth date → open", told: plus(func(c *course) fhir.Version { return c.PatientThere(set("birthDate", "1988-03-01")) }), want: "open", state: readiness.NotReady},
		{name: "the year alone → unknown", told: plus(func(c *course) fhir.Version { return c.PatientThere(set("birthDate", "1988")) }), want: "unknown"},
		{name: "another family name → open", told: plus(func(c *course) fhir.Version { return c.PatientThere(set("name.0.family", "Other")) }), want: "open"},
		{name: "another given name is a preferred name → met", told: plus(func(c *course) fhir.Version { return c.PatientThere(set("name.0.given", []any{"Juniper"})) }), want: "met"},
		{name: "marks and case of the family name → met", told: plus(func(c *course) fhir.Version { return c.PatientThere(set("name.0.family", "INVÉNTEDSSON-P1")) }), want: "met"},
		{name: "no family name on one side → unknown", told: plus(func(c *course) fhir.Version { return c.PatientThere(set("name", nil)) }), want: "unknown"},
		{name: "recorded as deceased → open", told: plus(func(c *course) fhir.Version { return c.PatientHere(set("deceasedBoolean", true)) }), want: "open"},
	})
}

func TestRelease(t *testing.T) {
	release := func(edits ...fhir.Edit) told {
		return func(c *course) []fhir.Version {
			return append(less("Consent", "release")(c), c.DaysBefore(60).Release(edits...))
		}
	}
	based := func(p *readiness.Policy) {
		p.Bases = map[string]string{fhirtest.PracticeSource: "https://ehr.example/fhir/"}
	}
	addressed := func(to string) told {
		return release(set("provision.actor.0.reference", map[string]any{"reference": to})).then(func(c *course) fhir.Version {
			return c.Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"Organization","id":"org-1","identifier":[{"system":"`+fhirtest.PrescriberNPI.System+`","value":"`+fhirtest.PrescriberNPI.Value+`"}]}`)
		})
	}
	judgeGate(t, readiness.GateRelease, []rowAt{
		{name: "active and names the prescriber → met", told: all, want: "met"},
		{name: "none → open", told: less("Consent", "release"), want: "open", state: readiness.NotReady},
		{name: "names another → open", told: release(set("provision.actor.0.reference.identifier.value", "1999999999")), want: "open"},
		{name: "ended yesterday → open", told: release(set("provision.period.end", "2026-03-02")), want: "open"},
		{name: "ends today, late in the evening in Denver → met", told: release(set("provision.period.end", "2026-03-03")), at: 14 * time.Hour, want: "met"},
		{name: "begins tomorrow → open", told: release(set("provision.period.start", "2026-03-04")), want: "open"},
		{name: "no end → met", told: release(set("provision.period.end", nil)), want: "met"},
		{name: "does not say permit → unknown", told: release(set("provision.type", nil)), want: "unknown"},
		{name: "with an exception → unknown", told: release(set("provision.provision", []any{map[string]any{"type": "deny"}})), want: "unknown"},
		{name: "withdrawn → open, and no hold", told: plus(func(c *course) fhir.Version { return c.Release(set("status", "inactive")) }), want: "open", state: readiness.NotReady},
		{name: "withdrawn, and a draft after it → open", told: plus(func(c *course) fhir.Version { return c.Release(set("status", "inactive")) }).
			then(func(c *course) fhir.Version { return c.On(now).Release(set("status", "draft")) }), want: "open"},
		{name: "a renewed one replaced the old → met", told: plus(func(c *course) fhir.Version { return c.Release(set("id", "new")) }).
			then(func(c *course) fhir.Version {
				return c.On(now).Release(set("status", "inactive"), set("dateTime", "2026-01-02"))
			}), want: "met"},
		{name: "one withdrawn, another of the very same date → open", told: plus(func(c *course) fhir.Version {
			return c.Release(set("id", "twin"), set("dateTime", "2026-01-02T09:00:00-07:00"))
		}).then(func(c *course) fhir.Version {
			return c.On(now).Release(set("status", "inactive"), set("dateTime", "2026-01-02T09:00:00-07:00"))
		}), want: "open"},
		{name: "an active denial given later → open", told: plus(func(c *course) fhir.Version {
			return c.Release(set("id", "no"), set("provision.type", "deny"))
		}), want: "open"},
		{name: "a denial of the same day, whose hour nobody knows, beside a release of the morning → open", want: "open", told: release(set("dateTime", "2026-02-02T09:00:00-07:00")).then(func(c *course) fhir.Version {
			return c.Release(set("id", "no"), set("provision.type", "deny"), set("dateTime", "2026-02-02"))
		})},
		{name: "a denial of the day before → met", want: "met", told: release(set("dateTime", "2026-02-02T09:00:00-07:00")).then(func(c *course) fhir.Version {
			return c.Release(set("id", "no"), set("provision.type", "deny"), set("dateTime", "2026-02-01"))
		})},
		{name: "names who bears the prescriber's id at another server → open", policy: based, told: addressed("https://elsewhere.example/fhir/Organization/org-1"), want: "open"},
		{name: "names the prescriber by its own server's full address → met", policy: based, told: addressed("https://ehr.example/fhir/Organization/org-1"), want: "met"},
		{name: "gone → open", told: told(all).gone("Consent", "release"), want: "open"},
		{name: "the hub's own copy → open", told: release(set("identifier", []any{map[string]any{"system": fhir.SystemCopy, "value": "x"}})), want: "open"},
		{name: "the practice's record told by the prescriber → open", want: "open", told: func(c *course) []fhir.Version {
			vs := c.Blameless()
			vs[1].Party = fhirtest.Prescriber
			return vs
		}},
	})
}

func TestReferral(t *testing.T) {
	undecided := less("Observation", "clearance")
	task := func(status string) told {
		return func(c *course) []fhir.Version {
			return append(fhirtest.Without(undecided(c), "Task"), c.DaysBefore(40).Task(status))
		}
	}
	judgeGate(t, readiness.GateReferral, []rowAt{
		{name: "accepted → met", told: task("accepted"), want: "met"},
		{name: "in progress → met", told: task("in-progress"), want: "met"},
		{name: "requested → open", told: task("requested"), want: "open"},
		{name: "received is not accepted → open", told: task("received"), want: "open"},
		{name: "rejected → open", told: task("rejected"), want: "open"},
		{name: "on hold → open", told: task("on-hold"), want: "open"},
		{name: "no Task, no decision → open", told: func(c *course) []fhir.Version { return fhirtest.Without(undecided(c), "Task") }, want: "open"},
		{name: "nothing → open", told: none, want: "open"},
		{name: "no Task, but a decision → met", told: func(c *course) []fhir.Version { return fhirtest.Without(c.Blameless(), "Task") }, want: "met", state: readiness.Ready},
		{name: "rejected, decided later → met", want: "met", told: func(c *course) []fhir.Version {
			return append(fhirtest.Without(c.Blameless(), "Task"), c.DaysBefore(55).Task("rejected"))
		}},
		{name: "decided, rejected later → open", told: plus(func(c *course) fhir.Version { return c.Task("rejected") }), want: "open", state: readiness.NotReady},
		{name: "the practice revoked it after the decision → open", told: plus(func(c *course) fhir.Version { return c.Referral(set("status", "revoked")) }), want: "open"},
		{name: "an older version heard last → met", want: "met", told: func(c *course) []fhir.Version {
			vs := task("accepted")(c)
			return append(vs, c.DaysBefore(45).Task("requested")) // recorded before, heard after
		}},
	})
}

func TestEvaluation(t *testing.T) {
	bare := func(c *course) []fhir.Version {
		return fhirtest.WithoutRecord(fhirtest.Without(c.Blameless(), "Task"), "Observation", "clearance-p1")
	}
	other := func(status string, at time.Duration) told {
		return func(c *course) []fhir.Version {
			vs := fhirtest.WithoutRecord(bare(c), "Appointment", "evaluation-p1")
			return append(vs, c.On(now.Add(at)).Evaluation(set("status", status)))
		}
	}
	judgeGate(t, readiness.GateEvaluation, []rowAt{
		{name: "kept → met", told: bare, want: "met"},
		{name: "only a decision → met", told: less("Appointment", "evaluation"), want: "met"},
		{name: "booked for tomorrow → open", told: other("booked", day), want: "open"},
		{name: "booked for last week and never closed → open", told: other("booked", -7*day), want: "open"},
		{name: "missed → open", told: other("noshow", -7*day), want: "open"},
		{name: "nothing → open", told: none, want: "open"},
		{name: "the Task says completed → met", told: func(c *course) []fhir.Version {
			return append(none(c), c.Task("completed"))
		}, want: "met"},
	})
}

func TestClearance(t *testing.T) {
	c := fhirtest.Client(now)
	start, end := c.Day(-50), c.Day(40)
	late := func(c *course) fhir.Version { // the session is moved to 23:00 in Denver
		return c.On(now.Add(-5 * time.Minute)).Dosing(time.Date(2026, 3, 3, 23, 0, 0, 0, fhirtest.Denver))
	}
	limit := func(code string, value float64, unit string) map[string]any {
		return map[string]any{
			"code":          map[string]any{"coding": []any{map[string]any{"system": fhir.SystemClearanceItem, "code": code}}},
			"valueQuantity": map[string]any{"value": value, "system": fhir.SystemUCUM, "code": unit},
		}
	}
	contraindication := func(grade string) map[string]any {
		return map[string]any{
			"code":                 map[string]any{"coding": []any{map[string]any{"system": fhir.SystemClearanceItem, "code": "contraindication"}}},
			"valueCodeableConcept": map[string]any{"text": "hypertension"},
			"interpretation":       []any{map[string]any{"coding": []any{map[string]any{"system": fhir.SystemGrade, "code": grade}}}},
		}
	}
	byReading := map[string]any{
		"code": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemClearanceItem, "code": "condition"}}},
		"valueCodeableConcept": map[string]any{"coding": []any{map[string]any{
			"system": fhir.Base + "/CodeSystem/clearance-condition", "code": "bp-below-limit-before-session"}}},
	}
	status := func(s string) told { return cleared(fhir.DecisionCleared, start, end, set("status", s)) }
	judgeGate(t, readiness.GateClearance, []rowAt{
		{name: "cleared, the session in its window → met", told: all, want: "met", state: readiness.Ready},
		{name: "no decision → open", told: less("Observation", "clearance"), want: "open"},
		{name: "cleared to the day of the session, session at 23:00 in Denver → met", told: cleared(fhir.DecisionCleared, start, "2026-03-03").then(late), want: "met"},
		{name: "cleared to the day before the session → open", told: cleared(fhir.DecisionCleared, start, "2026-03-02"), want: "open"},
		{name: "cleared to an instant just before the session → open", told: cleared(fhir.DecisionCleared, start, "2026-03-03T10:59:59-07:00"), want: "open"},
		{name: "cleared to the very start of the session → met", told: cleared(fhir.DecisionCleared, start, "2026-03-03T11:00:00-07:00"), want: "met"},
		{name: "cleared from tomorrow on → open: not yet", told: cleared(fhir.DecisionCleared, c.Day(1), end), want: "open"},
		{name: "end before start → unknown", told: cleared(fhir.DecisionCleared, c.Day(-10), c.Day(-20)), want: "unknown"},
		{name: "no end, the sheet's 90 days → met, per agreement", told: cleared(fhir.DecisionCleared, start, ""), want: "met"},
		{name: "no end, and the sheet's 30 days are over → open", told: cleared(fhir.DecisionCleared, start, ""), policy: onSheet(func(s *readiness.Sheet) { s.ClearanceValidity = readiness.Is(30 * day) }), want: "open"},
		{name: "no end, none agreed → unknown", told: cleared(fhir.DecisionCleared, start, ""), policy: onSheet(func(s *readiness.Sheet) { s.ClearanceValidity = readiness.Asked[time.Duration]{} }), want: "unknown", state: readiness.Unknown},
		{name: "no end, none agreed, a maximum age assumed → met", told: cleared(fhir.DecisionCleared, start, ""), policy: func(p *readiness.Policy) {
			p.Sheet.ClearanceValidity, p.Rules.ClearanceMaxAge = readiness.Asked[time.Duration]{}, 90*day
		}, want: "met"},
		{name: "no end, and none set → met, per agreement", told: cleared(fhir.DecisionCleared, start, ""), policy: onSheet(func(s *readiness.Sheet) { s.ClearanceValidity = readiness.None[time.Duration]() }), want: "met"},
		{name: "amended counts → met", told: status("amended"), want: "met"},
		{name: "preliminary is pending → open", told: status("preliminary"), want: "open"},
		{name: "entered in error is none → open", told: status("entered-in-error"), want: "open"},
		{name: "status unknown → unknown", told: status("unknown"), want: "unknown"},
		{name: "a value that is not mapped → unknown", told: cleared("fit-as-a-fiddle", start, end), want: "unknown"},
		{name: "no value → unknown", told: cleared(fhir.DecisionCleared, start, end, set("valueCodeableConcept", nil)), want: "unknown"},
		{name: "two values → unknown", told: cleared(fhir.DecisionCleared, start, end, set("valueCodeableConcept.coding.-1", map[string]any{"system": fhir.SystemDecision, "code": fhir.DecisionDeferred})), want: "unknown"},
		{name: "a reason why there is no value → unknown", told: cleared(fhir.DecisionCleared, start, end, set("dataAbsentReason", map[string]any{"text": "asked"})), want: "unknown"},
		{name: "deferred → open", told: cleared(fhir.DecisionDeferred, start, end), want: "open"},
		{name: "not cleared → blocked", told: cleared(fhir.DecisionNotCleared, start, end), want: "blocked", state: readiness.Hold},
		{name: "withdrawn in place → blocked", told: plus(func(c *course) fhir.Version {
			return c.Clearance(fhir.DecisionWithdrawn, start, end, set("status", "amended"))
		}), want: "blocked", state: readiness.Hold},
		{name: "withdrawn in place, issued left as it was → blocked", told: plus(func(c *course) fhir.Version {
			return c.Clearance(fhir.DecisionWithdrawn, start, end, set("issued", "2026-01-12T16:00:00Z"))
		}), want: "blocked"},
		{name: "withdrawn, then the record is gone → blocked", told: plus(func(c *course) fhir.Version {
			return c.On(now.Add(-time.Hour)).Clearance(fhir.DecisionWithdrawn, start, end)
		}).gone("Observation", "clearance"), want: "blocked", state: readiness.Hold},
		{name: "withdrawn, then pending in place → blocked: nothing clears", told: plus(func(c *course) fhir.Version {
			return c.On(now.Add(-time.Hour)).Clearance(fhir.DecisionWithdrawn, start, end)
		}).then(func(c *course) fhir.Version {
			return c.On(now.Add(-time.Minute)).Clearance(fhir.DecisionCleared, start, end, set("status", "preliminary"))
		}), want: "blocked"},
		{name: "withdrawn by mistake, entered in error since → met again by the older", told: plus(func(c *course) fhir.Version {
			return c.Clearance(fhir.DecisionWithdrawn, start, end, set("id", "w"))
		}).then(func(c *course) fhir.Version {
			return c.On(now.Add(-time.Minute)).Clearance(fhir.DecisionWithdrawn, start, end, set("id", "w"), set("status", "entered-in-error"))
		}), want: "met"},
		{name: "an older clearance heard after the withdrawal → blocked", told: plus(func(c *course) fhir.Version {
			return c.Clearance(fhir.DecisionWithdrawn, start, end, set("id", "w"))
		}).then(func(c *course) fhir.Version {
			return c.DaysBefore(3).Clearance(fhir.DecisionCleared, start, end, set("id", "o"))
		}), want: "blocked"},
		{name: "cleared anew after the withdrawal → met", told: cleared(fhir.DecisionWithdrawn, start, end).then(func(c *course) fhir.Version {
			return c.DaysBefore(3).Clearance(fhir.DecisionCleared, start, end, set("id", "n"))
		}), want: "met"},
		{name: "cleared anew by nobody known → blocked still", told: cleared(fhir.DecisionWithdrawn, start, end).then(func(c *course) fhir.Version {
			return c.DaysBefore(3).Clearance(fhir.DecisionCleared, start, end, set("id", "n"), set("performer", nil))
		}), want: "blocked"},
		{name: "deferred after the withdrawal → blocked still", told: cleared(fhir.DecisionWithdrawn, start, end).then(func(c *course) fhir.Version {
			return c.DaysBefore(3).Clearance(fhir.DecisionDeferred, start, end, set("id", "n"))
		}), want: "blocked"},
		{name: "withdrawal and clearance of one moment → blocked", told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(50).Clearance(fhir.DecisionWithdrawn, start, end, set("id", "w"))
		}), want: "blocked"},
		{name: "replaced by one issued earlier → met by the replacement", told: cleared(fhir.DecisionWithdrawn, start, end).then(func(c *course) fhir.Version {
			return c.DaysBefore(45).Clearance(fhir.DecisionCleared, start, end, set("id", "n"), set("issued", "2026-01-07T09:00:00-07:00"), set("extension", []any{map[string]any{
				"url": "http://hl7.org/fhir/StructureDefinition/observation-replaces", "valueReference": map[string]any{"reference": "Observation/clearance-p1"}}}))
		}), want: "met"},
		{name: "newest decision gone → unknown, the older does not return", told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(3).Clearance(fhir.DecisionCleared, start, end, set("id", "n-p1"))
		}).gone("Observation", "n"), want: "unknown"},
		{name: "nobody decided → unknown", told: cleared(fhir.DecisionCleared, start, end, set("performer", nil)), want: "unknown"},
		{name: "somebody who is not on the sheet → open", told: cleared(fhir.DecisionCleared, start, end, set("performer.0.identifier.value", "1999999999")), want: "open"},
		{name: "no decider on the sheet → open", told: all, policy: onSheet(func(s *readiness.Sheet) { s.Deciders = nil }), want: "open"},
		{name: "a display names nobody → unknown", told: cleared(fhir.DecisionCleared, start, end, set("performer", []any{map[string]any{"display": "Dr. Imaginary Decider"}})), want: "unknown"},
		{name: "the decider by their role in the directory → met", told: cleared(fhir.DecisionCleared, start, end, set("performer", []any{map[string]any{"reference": "PractitionerRole/r1"}})).
			then(func(c *course) fhir.Version {
				return c.Told(fhirtest.PrescriberSource, fhirtest.Prescriber, `{"resourceType":"PractitionerRole","id":"r1","practitioner":{"reference":"Practitioner/d1"}}`)
			}).then(func(c *course) fhir.Version {
			return c.Told(fhirtest.PrescriberSource, fhirtest.Prescriber, `{"resourceType":"Practitioner","id":"d1","identifier":[{"system":"`+fhirtest.DeciderNPI.System+`","value":"`+fhirtest.DeciderNPI.Value+`"}]}`)
		}), want: "met"},
		{name: "with a condition that no record answers → open", told: cleared(fhir.DecisionConditions, start, end, set("component", []any{fhirtest.Condition("ECG")})), want: "open"},
		{name: "with conditions, and none named → unknown", told: cleared(fhir.DecisionConditions, start, end), want: "unknown"},
		{name: "without conditions, and one named → unknown", told: cleared(fhir.DecisionCleared, start, end, set("component", []any{fhirtest.Condition("ECG")})), want: "unknown"},
		{name: "the condition is the reading before the session → met", told: cleared(fhir.DecisionConditions, start, end, set("component", []any{byReading, limit("max-systolic", 140, "mm[Hg]")})), want: "met", state: readiness.Ready},
		{name: "a relative contraindication → met", told: cleared(fhir.DecisionCleared, start, end, set("component", []any{contraindication("relative")})), want: "met"},
		{name: "an absolute contraindication → unknown", told: cleared(fhir.DecisionCleared, start, end, set("component", []any{contraindication("absolute")})), want: "unknown"},
		{name: "a contraindication without a grade → unknown", told: cleared(fhir.DecisionCleared, start, end, set("component", []any{contraindication("grave")})), want: "unknown"},
		{name: "a part that cannot be read → unknown", told: cleared(fhir.DecisionCleared, start, end, set("component", []any{limit("never-heard-of", 1, "1")})), want: "unknown"},
		{name: "a limit in another unit → unknown", told: cleared(fhir.DecisionCleared, start, end, set("component", []any{limit("max-systolic", 190, "cm[H2O]")})), want: "unknown"},
		{name: "for six sessions, none taken → met", told: cleared(fhir.DecisionCleared, start, end, set("component", []any{sessions(6)})), want: "met"},
		{name: "for one session, one taken → open", told: cleared(fhir.DecisionCleared, start, end, set("component", []any{sessions(1)})).
			then(func(c *course) fhir.Version { return c.DaysBefore(8).SessionDone(now.AddDate(0, 0, -8)) }), want: "open"},
		{name: "for no medicine in particular → met", told: cleared(fhir.DecisionCleared, start, end, set("focus", nil)), want: "met"},
		{name: "for ketamine by its code → met", told: cleared(fhir.DecisionCleared, start, end, set("focus", []any{map[string]any{"identifier": map[string]any{"system": fhir.SystemRxNorm, "value": "6130"}}})), want: "met"},
		{name: "for another medicine by its code → open: it is none", told: cleared(fhir.DecisionCleared, start, end, set("focus", []any{map[string]any{"identifier": map[string]any{"system": fhir.SystemRxNorm, "value": "999"}}})), want: "open"},
		{name: "for a prescription of another medicine → open: it is none", told: cleared(fhir.DecisionCleared, start, end, set("focus", []any{map[string]any{"reference": "MedicationRequest/other"}})).
			then(func(c *course) fhir.Version {
				return c.DaysBefore(50).Prescription(set("id", "other"), set("medicationCodeableConcept.coding.0.code", "26225"), set("medicationCodeableConcept.coding.0.display", "ondansetron"))
			}), want: "open"},
		{name: "for a prescription that is not on file → unknown", told: cleared(fhir.DecisionCleared, start, end, set("focus", []any{map[string]any{"reference": "MedicationRequest/nowhere"}})), want: "unknown"},
		{name: "for a prescription by another route → open: it is none", told: cleared(fhir.DecisionCleared, start, end, set("focus", []any{map[string]any{"reference": "MedicationRequest/iv"}})).
			then(func(c *course) fhir.Version {
				return c.DaysBefore(60).Prescription(set("id", "iv"), set("dosageInstruction.0.route.coding.0.code", "47625008"))
			}), want: "open"},
		{name: "told by the practice → open: not theirs to say", want: "open", told: func(c *course) []fhir.Version {
			vs := c.Blameless()
			for i := range vs {
				if vs[i].ID == "clearance-p1" {
					vs[i].Party = fhir.Practice
				}
			}
			return vs
		}},
		{name: "the hub's own copy at the prescriber → open", told: cleared(fhir.DecisionCleared, start, end, set("identifier", []any{map[string]any{"system": fhir.SystemCopy, "value": "x"}})), want: "open"},
		{name: "the referral says not cleared since → unknown", told: plus(func(c *course) fhir.Version {
			return c.Task("completed", set("businessStatus", map[string]any{"coding": []any{map[string]any{"system": fhir.SystemBusinessStatus, "code": fhir.DecisionNotCleared}}}))
		}), want: "unknown"},
	})
}

func sessions(n int) map[string]any {
	return map[string]any{
		"code":         map[string]any{"coding": []any{map[string]any{"system": fhir.SystemClearanceItem, "code": "max-sessions"}}},
		"valueInteger": n,
	}
}

func TestHold(t *testing.T) {
	flag := func(status string, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version { return c.Flag(status, edits...) }
	}
	unreadable := set("code", map[string]any{"text": "see note"})
	event := func(grade string) func(c *course) fhir.Version {
		return func(c *course) fhir.Version { return c.DaysBefore(2).AdverseEvent(grade) }
	}
	decide := func(decision string) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(1).Clearance(decision, c.Day(-1), c.Day(40), set("id", "again"))
		}
	}
	judgeGate(t, readiness.GateHold, []rowAt{
		{name: "nothing → met", told: all, want: "met"},
		{name: "a stop → blocked", told: plus(flag("active")), want: "blocked", state: readiness.Hold},
		{name: "a stop, lifted → met", told: plus(flag("active")).then(func(c *course) fhir.Version { return c.On(now).Flag("inactive") }), want: "met"},
		{name: "a stop whose record is gone → blocked", told: plus(flag("active")).gone("Flag", "stop"), want: "blocked", state: readiness.Hold},
		{name: "a stop whose period is over → blocked: nobody lifted it", told: plus(flag("active", set("period.end", "2026-03-01"))), want: "blocked"},
		{name: "lifted and set again in the same words → blocked", told: plus(flag("active")).
			then(func(c *course) fhir.Version { return c.On(now.Add(-2 * time.Minute)).Flag("inactive") }).
			then(func(c *course) fhir.Version { return c.On(now.Add(-time.Minute)).Flag("active") }), want: "blocked"},
		{name: "the lift heard before the stop it lifts → met", told: plus(func(c *course) fhir.Version { return c.On(now.Add(-time.Minute)).Flag("inactive") }).
			then(func(c *course) fhir.Version { return c.On(now.Add(-time.Hour)).Flag("active") }), want: "met"},
		{name: "an alert of the prescriber that cannot be read → unknown", told: plus(flag("active", unreadable)), want: "unknown", state: readiness.Unknown},
		{name: "an alert of the practice's own → met", want: "met", told: plus(func(c *course) fhir.Version {
			return c.Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"Flag","id":"late","status":"active","code":{"text":"late payer"},"subject":{"reference":"Patient/p1"}}`)
		})},
		{name: "a stop entered at the practice's desk → blocked", want: "blocked", told: plus(func(c *course) fhir.Version {
			return c.Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"Flag","id":"s","status":"active","code":{"coding":[{"system":"`+fhir.SystemKAP+`","code":"stop"}]},"subject":{"reference":"Patient/p1"}}`)
		})},
		{name: "a stop of another prescriber → blocked", want: "blocked", state: readiness.Hold, policy: another, told: plus(func(c *course) fhir.Version {
			return c.Told("other", "other", `{"resourceType":"Flag","id":"s","status":"active","code":{"coding":[{"system":"`+fhir.SystemKAP+`","code":"stop"}]},"subject":{"reference":"Patient/x"}}`)
		})},
		{name: "the prescription on hold → blocked", told: plus(func(c *course) fhir.Version { return c.Prescription(set("status", "on-hold")) }), want: "blocked", state: readiness.Hold},
		{name: "another medicine on hold → met", told: plus(func(c *course) fhir.Version {
			return c.Prescription(set("id", "o"), set("status", "on-hold"), set("medicationCodeableConcept.coding.0.code", "26225"), set("medicationCodeableConcept.coding.0.display", "ondansetron"))
		}), want: "met"},
		{name: "a medicine that cannot be read on hold → unknown", told: plus(func(c *course) fhir.Version {
			return c.Prescription(set("id", "o"), set("status", "on-hold"), set("medicationCodeableConcept", map[string]any{"text": "the usual"}))
		}), want: "unknown"},
		{name: "on hold, then a status that says nothing → blocked", told: plus(func(c *course) fhir.Version {
			return c.On(now.Add(-2 * time.Minute)).Prescription(set("status", "on-hold"))
		}).then(func(c *course) fhir.Version {
			return c.On(now.Add(-time.Minute)).Prescription(set("status", "unknown"))
		}), want: "blocked"},
		{name: "the care plan on hold → blocked", want: "blocked", told: plus(func(c *course) fhir.Version {
			return c.Told(fhirtest.PrescriberSource, fhirtest.Prescriber, `{"resourceType":"CarePlan","id":"cp","status":"on-hold","intent":"plan","subject":{"reference":"Patient/s-p1"}}`)
		})},
		{name: "a serious event → blocked", told: plus(event(fhir.CodeSerious)), want: "blocked", state: readiness.Hold},
		{name: "a serious event whose record is gone → blocked", told: plus(event(fhir.CodeSerious)).gone("AdverseEvent", "event"), want: "blocked"},
		{name: "a serious event, cleared again since → met", told: plus(event(fhir.CodeSerious)).then(decide(fhir.DecisionCleared)), want: "met"},
		{name: "a serious event, cleared before it → blocked", want: "blocked", told: plus(func(c *course) fhir.Version { return c.On(now.Add(-time.Hour)).AdverseEvent(fhir.CodeSerious) }).then(decide(fhir.DecisionCleared))},
		{name: "a serious event, cleared at the very moment → blocked", want: "blocked", told: plus(func(c *course) fhir.Version { return c.DaysBefore(1).AdverseEvent(fhir.CodeSerious) }).then(decide(fhir.DecisionCleared))},
		{name: "a serious event, cleared since by somebody who may not → blocked", want: "blocked", told: plus(event(fhir.CodeSerious)).then(func(c *course) fhir.Version {
			return c.DaysBefore(1).Clearance(fhir.DecisionCleared, c.Day(-1), c.Day(40), set("id", "again"), set("performer.0.identifier.value", "1999999999"))
		})},
		{name: "a serious event, deferred since → answered: the clearance gate is open", want: "met", told: plus(event(fhir.CodeSerious)).then(decide(fhir.DecisionDeferred)), state: readiness.NotReady},
		{name: "a stop gone, and an older telling of it after that → blocked", want: "blocked", state: readiness.Hold, told: plus(func(c *course) fhir.Version { return c.On(now.Add(-time.Hour)).Flag("active") }).
			gone("Flag", "stop").then(func(c *course) fhir.Version { return c.On(now.Add(-2 * time.Hour)).Flag("inactive") })},
		{name: "a serious event graded again as settled → met", told: plus(event(fhir.CodeSerious)).then(func(c *course) fhir.Version { return c.On(now).AdverseEvent(fhir.CodeExpected) }), want: "met"},
		{name: "a serious event graded again in words that cannot be read → blocked", told: plus(event(fhir.CodeSerious)).then(func(c *course) fhir.Version { return c.On(now).AdverseEvent("mild") }), want: "blocked"},
		{name: "an event to ask about → open", told: plus(event(fhir.CodeAskPrescriber)), want: "open", state: readiness.NotReady},
		{name: "an expected, settled event → met", told: plus(event(fhir.CodeExpected)), want: "met"},
		{name: "an event whose grade cannot be read → unknown", told: plus(event("mild")), want: "unknown"},
	})
}

// another adds a second prescriber to the policy.
func another(p *readiness.Policy) {
	p.Others = []readiness.Party{{Name: "other", Title: "Other Prescriber", Identifiers: []fhir.ID{{System: fhir.SystemNPI, Value: "1098765432"}}, Sources: []string{"other"}}}
}
