package readiness_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestPrescription(t *testing.T) {
	rx := func(edits ...fhir.Edit) told {
		return func(c *course) []fhir.Version {
			vs := fhirtest.Without(c.Blameless(), "MedicationRequest", "MedicationDispense")
			return append(vs, c.DaysBefore(49).Prescription(edits...))
		}
	}
	none := func(c *course) []fhir.Version {
		return fhirtest.Without(c.Blameless(), "MedicationRequest", "MedicationDispense")
	}
	judgeGate(t, readiness.GatePrescription, []rowAt{
		{name: "an active order → met", told: all, want: "met"},
		{name: "none → open", told: none, want: "open", state: readiness.Unknown}, // the clearance names a prescription
		{name: "none, but dispensed → met", told: less("MedicationRequest", "rx"), want: "met"},
		{name: "active, but only proposed → open", told: rx(set("intent", "proposal")), want: "open"},
		{name: "active, but only planned → open", told: rx(set("intent", "plan")), want: "open"},
		{name: "do not perform → open", told: rx(set("doNotPerform", true)), want: "open"},
		{name: "stopped → open", told: rx(set("status", "stopped")), want: "open"},
		{name: "status unknown → unknown", told: rx(set("status", "unknown")), want: "unknown"},
		{name: "completed → met", told: rx(set("status", "completed")), want: "met"},
		{name: "a medicine that cannot be read → unknown", told: rx(set("medicationCodeableConcept", map[string]any{"text": "ketamine, I think"})), want: "unknown"},
		{name: "another medicine → open", told: rx(set("medicationCodeableConcept.coding.0.code", "26225"), set("medicationCodeableConcept.coding.0.display", "ondansetron")), want: "open"},
		{name: "the prescriber's own code for ketamine → met", told: rx(set("medicationCodeableConcept.coding.0", map[string]any{"system": "https://skylight.example/drug", "code": "KTZ"})),
			policy: func(p *readiness.Policy) {
				p.Ketamine = []fhir.Code{{System: "https://skylight.example/drug", Code: "KTZ"}}
			}, want: "met"},
		{name: "seven months old and in hand → met: taking is not limited", told: plus(func(c *course) fhir.Version { return c.Prescription(set("authoredOn", "2025-08-01")) }), want: "met"},
		{name: "seven months old and nothing in hand → open", told: rx(set("authoredOn", "2025-08-01")), want: "open"},
		{name: "gone → unknown", told: rx().gone("MedicationRequest", "rx"), want: "unknown"},
		{name: "told by the practice → open", want: "open", told: func(c *course) []fhir.Version {
			vs := rx()(c)
			vs[len(vs)-1].Party = fhir.Practice
			return vs
		}},
	})
}

func TestMedicine(t *testing.T) {
	undispensed := func(c *course) []fhir.Version { return fhirtest.Without(c.Blameless(), "MedicationDispense") }
	fill := func(edits ...fhir.Edit) told {
		return func(c *course) []fhir.Version { return append(undispensed(c), c.DaysBefore(30).Dispense(edits...)) }
	}
	state := func(s string, daysAgo int, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version { return c.DaysBefore(daysAgo).Fulfilment(s, edits...) }
	}
	taken := func(daysAgo int) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(daysAgo).SessionDone(now.AddDate(0, 0, -daysAgo), set("id", "s"+time.Duration(daysAgo).String()))
		}
	}
	judgeGate(t, readiness.GateMedicine, []rowAt{
		{name: "handed over → met", told: all, want: "met"},
		{name: "nothing on file → open", told: undispensed, want: "open", state: readiness.NotReady},
		{name: "in preparation → open", told: fill(set("status", "preparation"), set("whenHandedOver", nil)), want: "open"},
		{name: "completed, not handed over → open", told: fill(set("whenHandedOver", nil)), want: "open"},
		{name: "completed, not handed over, but delivered → met", told: fill(set("whenHandedOver", nil)).then(state(fhir.FulfilmentDelivered, 28)), want: "met"},
		{name: "to be handed over tomorrow → open", told: fill(set("whenHandedOver", "2026-03-04")), want: "open"},
		{name: "delivered, no dispense on file → met: at least one dose", told: told(undispensed).then(state(fhir.FulfilmentDelivered, 5)), want: "met"},
		{name: "delivered, no dispense on file, one dose taken since → unknown", told: told(undispensed).then(state(fhir.FulfilmentDelivered, 9)).then(taken(8)), want: "unknown"},
		{name: "the address call is pending → open", told: told(undispensed).then(state(fhir.FulfilmentAddress, 5)), want: "open"},
		{name: "shipped → open", told: told(undispensed).then(state(fhir.FulfilmentShipped, 5)), want: "open"},
		{name: "a state that is not mapped → unknown", told: told(undispensed).then(state("teleported", 5)), want: "unknown"},
		{name: "handed to the carrier and still under way → open", told: told(all).then(state(fhir.FulfilmentShipped, 29, set("authoredOn", "2026-01-20"))), want: "open"},
		{name: "a later parcel under way → met by the earlier", told: told(all).then(state(fhir.FulfilmentShipped, 2)), want: "met"},
		{name: "returned → open", told: told(all).then(state(fhir.FulfilmentReturned, 2)), want: "open"},
		{name: "five of six taken → met", told: told(all).then(taken(25)).then(taken(22)).then(taken(19)).then(taken(16)).then(taken(13)), want: "met"},
		{name: "six of six taken → open", told: told(all).then(taken(28)).then(taken(25)).then(taken(22)).then(taken(19)).then(taken(16)).then(taken(13)), want: "open"},
		{name: "three told of one day are one dose → met", told: fill(set("quantity.value", 2)).then(taken(8)).
			then(func(c *course) fhir.Version { return c.Administration(now.AddDate(0, 0, -8), 1) }).
			then(func(c *course) fhir.Version {
				return c.Dosing(now.AddDate(0, 0, -8), set("id", "past"), set("status", "fulfilled"))
			}), want: "met"},
		{name: "two at a time, one fill of two, one session taken → open", want: "open",
			told: fill(set("quantity.value", 2)).then(func(c *course) fhir.Version {
				return c.DaysBefore(49).Prescription(set("dosageInstruction.0.doseAndRate.0.doseQuantity.value", 2))
			}).then(taken(8))},
		{name: "one or two at a time counts as two → open", want: "open",
			told: fill(set("quantity.value", 3)).then(func(c *course) fhir.Version {
				return c.DaysBefore(49).Prescription(set("dosageInstruction.0.doseAndRate.0", map[string]any{"doseRange": map[string]any{
					"low": map[string]any{"value": 1, "code": "{lozenge}"}, "high": map[string]any{"value": 2, "code": "{lozenge}"}}}))
			}).then(taken(8))},
		{name: "milligrams against lozenges, none taken → met", told: fill(set("quantity", map[string]any{"value": 600, "code": "mg"})), want: "met"},
		{name: "six lozenges, five taken, and now two a session → open", told: told(all).then(taken(25)).then(taken(23)).then(taken(21)).then(taken(19)).then(taken(17)).
			then(func(c *course) fhir.Version {
				return c.On(now.Add(-time.Hour)).Prescription(set("id", "more"), set("dosageInstruction.0.doseAndRate.0.doseQuantity.value", 2))
			}), want: "open"},
		{name: "six lozenges, three taken, and now two a session → met", told: told(all).then(taken(25)).then(taken(23)).then(taken(21)).
			then(func(c *course) fhir.Version {
				return c.On(now.Add(-time.Hour)).Prescription(set("id", "more"), set("dosageInstruction.0.doseAndRate.0.doseQuantity.value", 2))
			}), want: "met"},
		{name: "milligrams against lozenges, some taken → unknown", told: fill(set("quantity", map[string]any{"value": 600, "code": "mg"})).then(taken(8)), want: "unknown"},
		{name: "worth one session, and one was never closed → unknown", told: fill(set("quantity.value", 1)).
			then(func(c *course) fhir.Version { return c.Dosing(now.AddDate(0, 0, -8), set("id", "past")) }), want: "unknown"},
		{name: "sessions' worth by the label → met", told: fill(set("quantity", map[string]any{"value": 2, "code": "{session}"})).then(taken(8)), want: "met"},
		{name: "a label check of the practice alone → met", told: told(undispensed).then(func(c *course) fhir.Version {
			v := c.DaysBefore(30).Dispense(set("id", "label"))
			v.Party, v.Source = fhir.Practice, fhirtest.PracticeSource
			return v
		}), want: "met"},
		{name: "the practice's echo of the pharmacy's record counts once → open", told: fill(set("quantity.value", 1)).then(func(c *course) fhir.Version {
			v := c.DaysBefore(30).Dispense(set("id", "echo"), set("quantity.value", 1))
			v.Party, v.Source = fhir.Practice, fhirtest.PracticeSource
			return v
		}).then(taken(8)), want: "open"},
		{name: "gone → open", told: told(all).gone("MedicationDispense", "dispense"), want: "open", state: readiness.NotReady},
		{name: "out of date before the session → open", told: fill(set("medicationCodeableConcept", nil), set("contained", []any{map[string]any{
			"resourceType": "Medication", "id": "m", "code": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemRxNorm, "code": "6130"}}},
			"batch": map[string]any{"expirationDate": "2026-03-02"}}}), set("medicationReference", map[string]any{"reference": "#m"})), want: "open"},
	})
}

func TestInstructions(t *testing.T) {
	judgeGate(t, readiness.GateInstructions, []rowAt{
		{name: "acknowledged → met", told: all, want: "met"},
		{name: "not acknowledged → open", told: less("Observation", "acknowledged"), want: "open"},
		{name: "the dose changed since → open", told: plus(func(c *course) fhir.Version { return c.Prescription(set("dosageInstruction.0.text", "Two")) }), want: "open", state: readiness.NotReady},
		{name: "the prescription changed, its directions did not → met", told: plus(func(c *course) fhir.Version {
			return c.On(now.Add(-20*time.Minute)).Prescription(set("note", []any{map[string]any{"text": "posted"}}), set("authoredOn", "2026-01-13"))
		}), want: "met", state: readiness.Ready},
		{name: "changed and changed back, the change acknowledged → open", want: "open", told: func(c *course) []fhir.Version {
			vs := c.Blameless()
			v := c.On(now.Add(-50 * time.Minute)).Prescription(set("dosageInstruction.0.text", "Two"))
			return append(vs, v, c.On(now.Add(-40*time.Minute)).Acknowledged(v, set("id", "two")), c.On(now.Add(-35*time.Minute)).Prescription())
		}},
		{name: "no directions → unknown", told: plus(func(c *course) fhir.Version { return c.Prescription(set("dosageInstruction", nil)) }), want: "unknown"},
		{name: "no prescription → unknown", told: less("MedicationRequest", "rx"), want: "unknown"},
		{name: "acknowledged by identifier → met", told: less("Observation", "acknowledged").then(func(c *course) fhir.Version {
			rx := fhir.Version{}
			for _, v := range c.Blameless() {
				if v.Type == "MedicationRequest" {
					rx = v
				}
			}
			return c.DaysBefore(5).Acknowledged(rx, set("focus", []any{map[string]any{"identifier": map[string]any{"system": "x", "value": "y"}}}))
		}), want: "met"},
		{name: "the acknowledgement entered in error → open", told: less("Observation", "acknowledged").then(func(c *course) fhir.Version {
			return c.DaysBefore(5).Acknowledged(c.Prescription(set("id", "spare")), set("status", "entered-in-error"))
		}), want: "open"},
	})
}

func TestConsents(t *testing.T) {
	consent := func(edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version { return c.TreatmentConsent(edits...) }
	}
	judgeGate(t, readiness.GateConsents, []rowAt{
		{name: "signed → met", told: all, want: "met"},
		{name: "not signed → open", told: less("Consent", "treatment-consent"), want: "open", state: readiness.NotReady},
		{name: "proposed only → open", told: less("Consent", "treatment-consent").then(consent(set("status", "proposed"))), want: "open"},
		{name: "ends before the session → open", told: less("Consent", "treatment-consent").then(consent(set("provision", map[string]any{"period": map[string]any{"end": "2026-03-02"}}))), want: "open"},
		{name: "withdrawn → blocked", told: plus(consent(set("status", "inactive"))), want: "blocked", state: readiness.Hold},
		{name: "withdrawn, and the record gone → blocked", told: plus(func(c *course) fhir.Version {
			return c.On(now.Add(-time.Hour)).TreatmentConsent(set("status", "inactive"))
		}).gone("Consent", "treatment-consent"), want: "blocked", state: readiness.Hold},
		{name: "withdrawn, and a draft in its place → blocked", told: plus(func(c *course) fhir.Version {
			return c.On(now.Add(-2 * time.Minute)).TreatmentConsent(set("status", "inactive"))
		}).then(func(c *course) fhir.Version {
			return c.On(now.Add(-time.Minute)).TreatmentConsent(set("status", "draft"))
		}), want: "blocked"},
		{name: "withdrawn, signed anew → met", told: plus(func(c *course) fhir.Version {
			return c.On(now.Add(-2 * time.Minute)).TreatmentConsent(set("status", "inactive"))
		}).then(func(c *course) fhir.Version { return c.On(now.Add(-time.Minute)).TreatmentConsent(set("id", "anew")) }), want: "met"},
		{name: "a later draft beside the signed one → met", told: plus(consent(set("id", "d"), set("status", "draft"))), want: "met"},
		{name: "entered in error → open", told: plus(consent(set("status", "entered-in-error"))), want: "open"},
		{name: "a second kind is asked for and missing → open", told: all, want: "open", policy: func(p *readiness.Policy) {
			p.Consents = []fhir.Code{{System: fhir.SystemKAP, Code: fhir.CodeTreatmentConsent}, {System: fhir.SystemKAP, Code: "fda-warning"}}
		}},
		{name: "gone → open", told: told(all).gone("Consent", "treatment-consent"), want: "open", state: readiness.NotReady},
	})
}

func TestPreparationFollowUpIntervalSettingCredentials(t *testing.T) {
	taken := func(daysAgo int) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(daysAgo).SessionDone(c.Session.AddDate(0, 0, -daysAgo))
		}
	}
	judgeGate(t, readiness.GatePreparation, []rowAt{
		{name: "one kept of one → met", told: all, want: "met"},
		{name: "none kept → open", told: less("Appointment", "preparation"), want: "open"},
		{name: "one booked before the session → not due", told: func(c *course) []fhir.Version {
			return append(fhirtest.WithoutRecord(c.InOrder(), "Appointment", "preparation-p1"), c.DaysBefore(5).Preparation(now.Add(-time.Hour), set("status", "booked"), set("end", nil)))
		}, at: -2 * time.Hour, want: "not-due", state: readiness.InOrder},
		{name: "one booked and over, never closed → open", told: less("Appointment", "preparation").then(func(c *course) fhir.Version { return c.Preparation(now.AddDate(0, 0, -2), set("status", "booked")) }), want: "open"},
		{name: "three asked for → open", told: all, policy: onSheet(func(s *readiness.Sheet) { s.Preparations = readiness.Is(3) }), want: "open"},
		{name: "not asked → unknown", told: all, policy: onSheet(func(s *readiness.Sheet) { s.Preparations = readiness.Asked[int]{} }), want: "unknown", state: readiness.Unknown},
		{name: "none set → met, per agreement", told: less("Appointment", "preparation"), policy: onSheet(func(s *readiness.Sheet) { s.Preparations = readiness.None[int]() }), want: "met", state: readiness.Ready},
	})
	followUp := func(d int) func(*readiness.Policy) {
		return onSheet(func(s *readiness.Sheet) { s.FollowUp = readiness.Is(time.Duration(d) * day) })
	}
	judgeGate(t, readiness.GateFollowUp, []rowAt{
		{name: "due after the session → met", told: all, want: "met"},
		{name: "due on the day of the session → met", told: all, policy: followUp(50), want: "met"},
		{name: "overdue → open", told: all, policy: followUp(30), want: "open", state: readiness.NotReady},
		{name: "due tomorrow, session in a week → not due", told: plus(func(c *course) fhir.Version { return c.Dosing(now.AddDate(0, 0, 7)) }), policy: followUp(51), want: "not-due", state: readiness.InOrder},
		{name: "overdue, but a follow-up was kept → met", told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(10).Evaluation(set("id", "fu"), set("serviceType.0.coding.0.code", "follow-up"))
		}), policy: followUp(30), want: "met", state: readiness.Ready},
		{name: "not asked → unknown", told: all, policy: onSheet(func(s *readiness.Sheet) { s.FollowUp = readiness.Asked[time.Duration]{} }), want: "unknown"},
		{name: "none set → met", told: all, policy: onSheet(func(s *readiness.Sheet) { s.FollowUp = readiness.None[time.Duration]() }), want: "met"},
		{name: "none set, but the care plan asks for one and it is over → open", policy: onSheet(func(s *readiness.Sheet) { s.FollowUp = readiness.None[time.Duration]() }), want: "open",
			told: plus(func(c *course) fhir.Version {
				return c.Told(fhirtest.PrescriberSource, fhirtest.Prescriber, `{"resourceType":"CarePlan","id":"cp","status":"active","intent":"plan","subject":{"reference":"Patient/s-p1"},
				"activity":[{"detail":{"status":"scheduled","code":{"coding":[{"system":"`+fhir.SystemSession+`","code":"follow-up"}]},"scheduledPeriod":{"start":"2026-02-01","end":"2026-03-01"}}}]}`)
			})},
	})
	judgeGate(t, readiness.GateInterval, []rowAt{
		{name: "no dose before → met", told: all, want: "met"},
		{name: "six days between → met", told: told(all).then(taken(6)), want: "met"},
		{name: "five days between → open", told: told(all).then(taken(5)), want: "open", state: readiness.NotReady},
		{name: "two before in seven days, two allowed → open", want: "open", policy: onSheet(func(s *readiness.Sheet) { s.DoseInterval = readiness.None[time.Duration]() }),
			told: told(all).then(taken(3)).then(func(c *course) fhir.Version {
				return c.DaysBefore(5).SessionDone(c.Session.AddDate(0, 0, -5), set("id", "b"))
			})},
		{name: "one before in seven days, two allowed → met", want: "met", policy: onSheet(func(s *readiness.Sheet) { s.DoseInterval = readiness.None[time.Duration]() }), told: told(all).then(taken(3))},
		{name: "a session three days ago never closed → unknown", told: plus(func(c *course) fhir.Version { return c.Dosing(now.AddDate(0, 0, -3), set("id", "past")) }), want: "unknown"},
		{name: "a session three days ago missed → met", told: plus(func(c *course) fhir.Version {
			return c.Dosing(now.AddDate(0, 0, -3), set("id", "past"), set("status", "noshow"))
		}), want: "met", state: readiness.Ready},
		{name: "the interval not asked → unknown", told: all, policy: onSheet(func(s *readiness.Sheet) { s.DoseInterval = readiness.Asked[time.Duration]{} }), want: "unknown"},
		{name: "none set → met", told: told(all).then(taken(1)), want: "met", policy: onSheet(func(s *readiness.Sheet) {
			s.DoseInterval, s.SessionCap = readiness.None[time.Duration](), readiness.None[int]()
		})},
	})
	judgeGate(t, readiness.GateSetting, []rowAt{
		{name: "served, in the office → met", told: all, want: "met"},
		{name: "a state that is not served → open", told: plus(func(c *course) fhir.Version { return c.PatientHere(set("address.0.state", "AL")) }), want: "open"},
		{name: "no state on file → unknown", told: plus(func(c *course) fhir.Version { return c.PatientHere(set("address", nil)) }), want: "unknown"},
		{name: "a remote session, office only → open", told: plus(func(c *course) fhir.Version {
			return c.Dosing(c.Session, set("appointmentType", map[string]any{"coding": []any{map[string]any{"system": fhir.SystemActCode, "code": "VR"}}}))
		}), want: "open"},
		{name: "states not asked → unknown", told: all, policy: onSheet(func(s *readiness.Sheet) { s.StatesNotServed = readiness.Asked[[]string]{} }), want: "unknown"},
		{name: "none set → met", told: plus(func(c *course) fhir.Version { return c.PatientHere(set("address", nil)) }), want: "met", policy: onSheet(func(s *readiness.Sheet) {
			s.StatesNotServed, s.OfficeOnly = readiness.None[[]string](), readiness.None[bool]()
		})},
	})
	licence := func(year int, month time.Month, d int) func(*readiness.Policy) {
		return func(p *readiness.Policy) {
			p.Credentials = readiness.Is([]readiness.Credential{{Name: "licence", Until: readiness.Day{Year: year, Month: month, Day: d}}})
		}
	}
	judgeGate(t, readiness.GateCredentials, []rowAt{
		{name: "current → met", told: all, want: "met"},
		{name: "ends on the day of the session → met", told: all, policy: licence(2026, time.March, 3), want: "met"},
		{name: "ended yesterday → open", told: all, policy: licence(2026, time.March, 2), want: "open", state: readiness.NotReady},
		{name: "not asked → unknown", told: all, policy: func(p *readiness.Policy) { p.Credentials = readiness.Asked[[]readiness.Credential]{} }, want: "unknown"},
		{name: "none set → met", told: all, policy: func(p *readiness.Policy) { p.Credentials = readiness.None[[]readiness.Credential]() }, want: "met"},
	})
}

func inOrder(c *course) []fhir.Version { return c.InOrder() }

func TestVitals(t *testing.T) {
	limit := func(code string, value float64, comparator string) map[string]any {
		q := map[string]any{"value": value, "system": fhir.SystemUCUM, "code": "mm[Hg]"}
		if comparator != "" {
			q["comparator"] = comparator
		}
		return map[string]any{"code": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemClearanceItem, "code": code}}}, "valueQuantity": q}
	}
	pressure := func(systolic, diastolic int, minutesAgo int) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.On(now.Add(-time.Duration(minutesAgo)*time.Minute)).BloodPressure(systolic, diastolic, set("id", "again"))
		}
	}
	own := func(value float64, comparator string) told {
		c := fhirtest.Client(now)
		return cleared(fhir.DecisionCleared, c.Day(-50), c.Day(40), set("component", []any{limit("max-systolic", value, comparator)}))
	}
	judgeGate(t, readiness.GateVitals, []rowAt{
		{name: "within the limits → met", told: all, want: "met"},
		{name: "none taken → open, and in order until the session begins", told: inOrder, want: "open", state: readiness.InOrder},
		{name: "none taken when the session begins → open, and not ready", told: inOrder, at: 2 * time.Hour, want: "open", state: readiness.NotReady},
		{name: "two days before → not due", told: inOrder, at: -2 * day, want: "not-due", state: readiness.InOrder},
		{name: "no heart rate → open", told: less("Observation", "heart-rate"), want: "open"},
		{name: "beyond the sheet's limit → blocked", told: told(all).then(pressure(141, 80, 5)), want: "blocked", state: readiness.Hold},
		{name: "at the limit → met", told: told(all).then(pressure(140, 90, 5)), want: "met"},
		{name: "as no pressure is → unknown", told: told(all).then(pressure(12, 8, 5)), want: "unknown"},
		{name: "as no pressure is, and beyond → blocked", told: told(all).then(pressure(1180, 76, 5)), want: "blocked"},
		{name: "diastolic beyond → blocked", told: told(all).then(pressure(120, 91, 5)), want: "blocked"},
		{name: "taken again and within → met", told: told(all).then(pressure(150, 80, 20)).then(func(c *course) fhir.Version {
			return c.On(now.Add(-2*time.Minute)).BloodPressure(130, 80, set("id", "third"))
		}), want: "met", state: readiness.Ready},
		{name: "the decision's own limit comes before the sheet's → blocked", told: own(110, ""), want: "blocked"},
		{name: "below the decision's own limit → met", told: own(119, "<"), want: "met"},
		{name: "at a limit that must not be reached → blocked", told: own(118, "<"), want: "blocked"},
		{name: "a reading of yesterday → open", want: "open", told: less("Observation", "bp").then(func(c *course) fhir.Version { return c.DaysBefore(1).BloodPressure(118, 76) })},
		{name: "a reading of the session of another day → open", want: "open", told: less("Observation", "bp").then(func(c *course) fhir.Version {
			return c.On(now.Add(-time.Minute)).BloodPressure(118, 76, set("focus", []any{map[string]any{"reference": "Appointment/other"}}))
		})},
		{name: "a reading of the evening before a session after midnight → met", at: 14 * time.Hour, want: "met", told: plus(func(c *course) fhir.Version {
			return c.Dosing(time.Date(2026, 3, 4, 0, 30, 0, 0, fhirtest.Denver))
		}).then(func(c *course) fhir.Version {
			return c.On(now.Add(13*time.Hour)).BloodPressure(118, 76, set("id", "evening"))
		}).then(func(c *course) fhir.Version { return c.HeartRate(70, set("id", "evening-2")) })},
		{name: "in another unit → unknown", told: less("Observation", "heart-rate").then(func(c *course) fhir.Version { return c.HeartRate(72, set("valueQuantity.code", "Hz")) }), want: "unknown"},
		{name: "the heart rate beyond, the pressure missing → blocked", told: less("Observation", "bp").then(func(c *course) fhir.Version { return c.On(now).HeartRate(130, set("id", "hr2")) }), want: "blocked"},
		{name: "no limit asked → unknown", told: all, policy: onSheet(func(s *readiness.Sheet) { s.Systolic = readiness.Asked[readiness.Limit]{} }), want: "unknown", state: readiness.Unknown},
		{name: "no limit asked, but in the decision → met", told: own(140, ""), policy: onSheet(func(s *readiness.Sheet) { s.Systolic = readiness.Asked[readiness.Limit]{} }), want: "met"},
		{name: "none set → met", told: inOrder, want: "met", policy: onSheet(func(s *readiness.Sheet) {
			s.Systolic, s.Diastolic, s.HeartRate = readiness.None[readiness.Limit](), readiness.None[readiness.Limit](), readiness.None[readiness.Limit]()
		})},
		{name: "entered in error → open", told: plus(func(c *course) fhir.Version { return c.HeartRate(72, set("status", "entered-in-error")) }), want: "open"},
	})
}

func TestArrivalChecks(t *testing.T) {
	for code, name := range map[string]readiness.GateName{
		fhir.CodeRide: readiness.GateRide, fhir.CodeFasting: readiness.GateFasting,
		fhir.CodeLocation: readiness.GateLocation, fhir.CodeNewInformation: readiness.GateNewInformation,
	} {
		want := code != fhir.CodeNewInformation
		check := func(answer bool, edits ...fhir.Edit) func(c *course) fhir.Version {
			return func(c *course) fhir.Version { return c.On(now.Add(-time.Minute)).Check(code, answer, edits...) }
		}
		t.Run(string(name), func(t *testing.T) {
			judgeGate(t, name, []rowAt{
				{name: "recorded as it must be → met", told: all, want: "met"},
				{name: "not recorded → open, in order until the session begins", told: less("Observation", code), want: "open", state: readiness.InOrder},
				{name: "not recorded when the session begins → not ready", told: less("Observation", code), at: 2 * time.Hour, want: "open", state: readiness.NotReady},
				{name: "two days before → not due", told: inOrder, at: -2 * day, want: "not-due"},
				{name: "recorded as it must not be → open at once", told: told(all).then(check(!want)), want: "open", state: readiness.NotReady},
				{name: "put right since → met", told: told(all).then(check(!want)).then(func(c *course) fhir.Version { return c.On(now).Check(code, want) }), want: "met"},
				{name: "no answer in it → unknown", told: told(all).then(check(want, set("valueBoolean", nil))), want: "unknown"},
				{name: "for another session → open", told: less("Observation", code).then(check(want, set("focus.0.reference", "Appointment/other"))), want: "open"},
				{name: "of two days ago → open", told: less("Observation", code).then(func(c *course) fhir.Version { return c.DaysBefore(2).Check(code, want) }), want: "open"},
				{name: "gone, and back as it was → met", told: told(all).gone("Observation", code).then(func(c *course) fhir.Version {
					return c.On(now.Add(-30*time.Minute)).Check(code, want)
				}), want: "met"},
				{name: "gone, and an older telling after that → open", told: told(all).gone("Observation", code).then(func(c *course) fhir.Version {
					return c.On(now.Add(-40*time.Minute)).Check(code, want)
				}), want: "open"},
				{name: "preliminary → open", told: less("Observation", code).then(check(want, set("status", "preliminary"))), want: "open"},
				{name: "no session is booked → not due", told: less("Appointment", "dosing"), want: "not-due", state: readiness.InOrder},
			})
		})
	}
}

func TestSomethingNewIsNewFromWhenItIsSaid(t *testing.T) {
	said := func(daysBefore int, answer bool, id string, more ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(daysBefore).Check(fhir.CodeNewInformation, answer, append(more, set("id", id))...)
		}
	}
	unbooked := told(func(c *course) []fhir.Version {
		return fhirtest.WithoutRecord(c.InOrder(), "Appointment", "dosing-"+c.Patient)
	})
	judgeGate(t, readiness.GateNewInformation, []rowAt{
		{name: "said a week before the session → open at once", told: told(inOrder).then(said(7, true, "n1")), at: -5 * day, want: "open", state: readiness.NotReady},
		{name: "…, and nothing newer on the day → open", told: less("Observation", fhir.CodeNewInformation).then(said(7, true, "n1")), want: "open", state: readiness.NotReady},
		{name: "…, and nothing new two days later → not due", told: told(inOrder).then(said(7, true, "n1")).then(said(5, false, "n2")), at: -3 * day, want: "not-due"},
		{name: "…, and nothing new on the day → met", told: told(all).then(said(7, true, "n1")), want: "met", state: readiness.Ready},
		{name: "…, and cleared anew since → not due", told: told(inOrder).then(said(7, true, "n1")).then(func(c *course) fhir.Version {
			return c.DaysBefore(6).Clearance(fhir.DecisionCleared, c.Day(-6), c.Day(40), set("id", "anew"))
		}), at: -3 * day, want: "not-due"},
		{name: "said for a session that was called off, and another is booked → open", told: told(inOrder).then(said(7, true, "n1", set("focus.0.reference", "Appointment/called-off"))), at: -5 * day, want: "open", state: readiness.NotReady},
		{name: "said while no session is booked → open", told: unbooked.then(said(7, true, "n1", set("focus", nil))), at: -5 * day, want: "open", state: readiness.NotReady},
		{name: "…, and nothing new later → nothing to ask", told: unbooked.then(said(7, true, "n1", set("focus", nil))).then(said(6, false, "n2", set("focus", nil))), at: -5 * day, want: "not-due", state: readiness.InOrder},
		{name: "nothing new, said without a session, never answers for the day's → open", told: less("Observation", fhir.CodeNewInformation).then(said(0, false, "n1", set("focus", nil))), want: "open", state: readiness.InOrder},
		{name: "nothing new, said a week before → not due: it will be asked", told: told(inOrder).then(said(7, false, "n1")), at: -5 * day, want: "not-due", state: readiness.InOrder},
	})
}

func TestTheGoAheadSaysWhatMoved(t *testing.T) {
	v := rowAt{told: plus(func(c *course) fhir.Version { return c.On(now.Add(-5 * time.Minute)).Dosing(c.Session.Add(time.Hour)) })}.verdict()
	g, _ := v.Gate(readiness.GateGoAhead)
	if want := ", after the go-ahead (its time, from Tue 3 Mar 2026 11:00 to Tue 3 Mar 2026 12:00)"; !strings.HasSuffix(g.Words, want) {
		t.Errorf("the gate says %q, want at its end %q", g.Words, want)
	}
}

// A therapist who looks at one of two changes must not be left to think that she saw all.
func TestTheGoAheadSaysAllThatChanged(t *testing.T) {
	v := rowAt{told: plus(
		func(c *course) fhir.Version { return c.On(now.Add(-5 * time.Minute)).Dosing(c.Session.Add(time.Hour)) },
	).then(
		func(c *course) fhir.Version { return c.On(now.Add(-4 * time.Minute)).Prescription() },
	)}.verdict()
	g, _ := v.Gate(readiness.GateGoAhead)
	for _, want := range []string{"The appointment was changed on Tue 3 Mar 2026 08:55, after the go-ahead (its time", "the prescription on Tue 3 Mar 2026 08:56, after the go-ahead"} {
		if !strings.Contains(g.Words, want) {
			t.Errorf("the gate says %q, without %q", g.Words, want)
		}
	}
}

func TestGoAhead(t *testing.T) {
	again := func(edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version { return c.On(now.Add(-time.Minute)).GoAhead(edits...) }
	}
	change := func(at time.Duration, f func(c *course) fhir.Version) told {
		return plus(func(c *course) fhir.Version { c.On(now.Add(at)); return f(c) })
	}
	named := func(name string) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.Dosing(c.Session, set("participant.1.actor", map[string]any{"type": "Practitioner", "display": name}))
		}
	}
	moved := func(c *course) fhir.Version { return c.Dosing(c.Session.Add(time.Hour)) }
	judgeGate(t, readiness.GateGoAhead, []rowAt{
		{name: "given after everything → met", told: all, want: "met", state: readiness.Ready},
		{name: "not given → open, in order until the session begins", told: less("Observation", "go-ahead"), want: "open", state: readiness.InOrder},
		{name: "refused → open at once", told: told(all).then(again(set("valueBoolean", false))), want: "open", state: readiness.NotReady},
		{name: "no answer → unknown", told: told(all).then(again(set("valueBoolean", nil))), want: "unknown"},
		{name: "the session moved since → open", told: change(-5*time.Minute, moved), want: "open", state: readiness.NotReady},
		{name: "the session moved at the very moment → open", told: change(-10*time.Minute, moved), want: "open"},
		{name: "the session moved before, heard of after → met", told: change(-20*time.Minute, moved), want: "met", state: readiness.Ready},
		{name: "moved, and given again → met", told: change(-5*time.Minute, moved).then(again()), want: "met", state: readiness.Ready},
		{name: "the dose changed since → open", told: change(-5*time.Minute, func(c *course) fhir.Version { return c.Prescription() }), want: "open"},
		{name: "a new decision since → open", told: change(-5*time.Minute, func(c *course) fhir.Version {
			return c.Clearance(fhir.DecisionCleared, c.Day(-1), c.Day(40), set("id", "n"))
		}), want: "open"},
		{name: "a stop set and lifted since → open", told: change(-8*time.Minute, func(c *course) fhir.Version { return c.Flag("active") }).
			then(func(c *course) fhir.Version { return c.On(now.Add(-4 * time.Minute)).Flag("inactive") }), want: "open"},
		{name: "by another than the session's therapist → open", told: told(all).then(again(set("performer.0.identifier.value", "1999999999"))), want: "open", state: readiness.NotReady},
		{name: "by nobody → unknown", told: told(all).then(again(set("performer", nil))), want: "unknown"},
		{name: "by nobody, for a session that names no therapist → met", told: change(-30*time.Minute, func(c *course) fhir.Version {
			return c.Dosing(c.Session, set("participant.1", nil))
		}).then(again(set("performer", nil))), want: "met"},
		{name: "by whom the session names by name alone → met", told: change(-30*time.Minute, named("Robin")).then(again(set("performer", []any{map[string]any{"display": "Robin"}}))), want: "met", state: readiness.Ready},
		{name: "by another name than the session's → open", told: change(-30*time.Minute, named("Robin")).then(again(set("performer", []any{map[string]any{"display": "Alex"}}))), want: "open"},
		{name: "by the name of whom the session names by number → open", told: told(all).then(again(set("performer", []any{map[string]any{"display": "Invented Therapist"}}))), want: "open"},
		{name: "of the day before yesterday → open", told: less("Observation", "go-ahead").then(func(c *course) fhir.Version { return c.DaysBefore(2).GoAhead() }), want: "open"},
		{name: "told by the prescriber → open", want: "open", told: less("Observation", "go-ahead").then(func(c *course) fhir.Version {
			v := c.On(now.Add(-time.Minute)).GoAhead()
			v.Party = fhirtest.Prescriber
			return v
		})},
	})
}

// Of an appointment that the hub met for the first time after the go-ahead, nobody is sent to look at a change.
func TestTheGoAheadSaysThatWhatWasBeforeIsNotKnown(t *testing.T) {
	v := rowAt{told: less("Appointment", "dosing").then(func(c *course) fhir.Version { return c.On(now.Add(-5 * time.Minute)).Dosing(c.Session) })}.verdict()
	g, _ := v.Gate(readiness.GateGoAhead)
	if !strings.HasSuffix(g.Words, ", after the go-ahead") || !strings.HasPrefix(g.Next, "look at the appointment as it is now, then") {
		t.Errorf("the gate says %q, and %q", g.Words, g.Next)
	}
}

func TestNobodyAsksForThePrescriptionOfAClientOnHold(t *testing.T) {
	for name, tt := range map[string]told{
		"the prescription itself is on hold": plus(func(c *course) fhir.Version { return c.Prescription(set("status", "on-hold")) }),
		"the client is":                      plus(func(c *course) fhir.Version { return c.Flag("active") }),
	} {
		v := rowAt{told: func(c *course) []fhir.Version {
			return slices.DeleteFunc(tt(c), func(v fhir.Version) bool {
				return v.Type == "MedicationDispense" || v.Type == "MedicationRequest" && name == "the client is"
			})
		}}.verdict()
		if g, _ := v.Gate(readiness.GatePrescription); g.Next != "wait until Skylight Psychedelics lifts the hold" {
			t.Errorf("%s: %q, next %q", name, g.Words, g.Next)
		}
	}
}
