package readiness_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// ago is the blameless client, and one thing more recorded that long before now.
func ago(before time.Duration, more func(c *course) fhir.Version) told {
	return told(all).ago(before, more)
}

func (t told) ago(before time.Duration, more func(c *course) fhir.Version) told {
	return t.then(func(c *course) fhir.Version { return more(c.On(now.Add(-before))) })
}

// again is the blameless client, and the newest version of a record told again, changed.
func again(before time.Duration, kind, id string, edits ...fhir.Edit) told {
	return told(all).again(before, kind, id, edits...)
}

func (t told) again(before time.Duration, kind, id string, edits ...fhir.Edit) told {
	return func(c *course) []fhir.Version {
		vs := t(c)
		for i := len(vs) - 1; i >= 0; i-- {
			if vs[i].Type == kind && vs[i].ID == id && !vs[i].Gone {
				body, err := fhir.Apply(vs[i].Resource.Body, append(edits, set("meta", nil))...)
				if err != nil {
					panic(err)
				}
				return append(vs, c.On(now.Add(-before)).Told(vs[i].Source, vs[i].Party, string(body)))
			}
		}
		panic("no such record: " + kind + "/" + id)
	}
}

// confirmed is t, and everything of the day done once more, so that what came before is not older than the go-ahead.
func (t told) confirmed() told {
	return t.ago(time.Minute, func(c *course) fhir.Version { return c.GoAhead(set("id", "go-ahead-again")) })
}

// later received is t, whose last version the hub received that long after it was recorded.
func (t told) received(after time.Duration) told {
	return func(c *course) []fhir.Version {
		vs := t(c)
		last := &vs[len(vs)-1]
		last.Received = last.Received.Add(after)
		return vs
	}
}

// withdrawn is a withdrawal of two days ago, in a record of its own.
func withdrawn(edits ...fhir.Edit) told {
	return ago(2*day, func(c *course) fhir.Version {
		return c.Clearance(fhir.DecisionWithdrawn, c.Day(-2), c.Day(40), append(edits, set("id", "w"))...)
	})
}

func coded(pairs ...string) any {
	var out []any
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, map[string]any{"system": pairs[i], "code": pairs[i+1]})
	}
	return map[string]any{"coding": out}
}

func ref(to string) any { return map[string]any{"reference": to} }

func quantity(v float64, unit, code string) any {
	q := map[string]any{"value": v}
	if unit != "" {
		q["unit"] = unit
	}
	if code != "" {
		q["system"], q["code"] = fhir.SystemUCUM, code
	}
	return q
}

// another is a second prescriber of the same practice.
func others(p *readiness.Policy) {
	p.Others = []readiness.Party{{Name: "journey", Title: "Journey", Identifiers: []fhir.ID{{System: fhir.SystemNPI, Value: "1558444216"}}, Sources: []string{"journey"}}}
}

// A stranger's charts: each is a way in which a client of this field gets hurt. None may be READY, and what the laws say
// more is written beside it.
func TestNoHostileChartIsReady(t *testing.T) {
	const R, H, U, N = readiness.Ready, readiness.Hold, readiness.Unknown, readiness.NotReady
	_ = R
	stop := func(c *course) fhir.Version { return c.Flag("active") }
	noRx := func(c *course) []fhir.Version { return fhirtest.Without(c.Blameless(), "MedicationRequest") }
	rows := []rowAt{
		// The decision.
		{name: "two codings that contradict each other", state: U, told: again(2*day, "Observation", "clearance-p1", set("valueCodeableConcept", coded(fhir.SystemDecision, fhir.DecisionCleared, fhir.SystemDecision, fhir.DecisionNotCleared)))},
		{name: "cleared, with a reason why there is no value", state: U, told: again(2*day, "Observation", "clearance-p1", set("dataAbsentReason", coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown")))},
		{name: "cleared for a Medication that nobody knows", state: U, told: again(2*day, "Observation", "clearance-p1", set("focus", []any{ref("Medication/unheard-of")}))},
		{name: "cleared for a contained Medication that is no ketamine", told: again(2*day, "Observation", "clearance-p1", set("focus", []any{ref("#m")}),
			set("contained", []any{map[string]any{"resourceType": "Medication", "id": "m", "code": coded(fhir.SystemRxNorm, "2119365")}}))},
		{name: "cleared for something that only has a name", state: U, told: again(2*day, "Observation", "clearance-p1", set("focus", []any{map[string]any{"display": "Esketamine nasal spray"}}))},
		{name: "cleared for a drug code that is not mapped", state: U, told: again(2*day, "Observation", "clearance-p1", set("focus", []any{map[string]any{"identifier": map[string]any{"system": "http://hl7.org/fhir/sid/ndc", "value": "50458-028-02"}}}))},
		{name: "cleared for another ingredient", told: again(2*day, "Observation", "clearance-p1", set("focus", []any{map[string]any{"identifier": map[string]any{"system": fhir.SystemRxNorm, "value": "2119365"}}}))},
		{name: "cleared for the infusion, prescribed the lozenge", told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(55).Prescription(set("id", "infusion"), set("status", "stopped"), set("dosageInstruction.0.route.coding.0.code", "47625008"))
		}).again(2*day, "Observation", "clearance-p1", set("focus", []any{ref("MedicationRequest/infusion")}))},
		{name: "the end was yesterday's midnight in the practice's zone", told: cleared(fhir.DecisionCleared, "2026-01-12", "2026-03-02").confirmed(), state: N},
		{name: "the end is an instant before the session, in another zone", told: cleared(fhir.DecisionCleared, "2026-01-12", "2026-03-04T01:59:59+08:00").confirmed(), state: N},
		{name: "the timing is something the hub does not read", state: U, told: again(2*day, "Observation", "clearance-p1", set("effectivePeriod", nil), set("effectiveTiming", map[string]any{"event": []any{"2026-01-12"}}))},
		{name: "corrected back to not cleared", state: H, told: again(2*day, "Observation", "clearance-p1", set("status", "corrected"), set("valueCodeableConcept", coded(fhir.SystemDecision, fhir.DecisionNotCleared)))},
		{name: "amended, then cancelled", told: again(3*day, "Observation", "clearance-p1", set("status", "amended")).again(2*day, "Observation", "clearance-p1", set("status", "cancelled")).confirmed(), state: N},
		{name: "withdrawn, then the older clearance told again later", state: H, told: withdrawn().again(day, "Observation", "clearance-p1").confirmed()},
		{name: "withdrawn, then the older clearance without a date of its own told again later", state: H,
			told: told(all).again(3*day, "Observation", "clearance-p1", set("issued", nil)).ago(2*day, func(c *course) fhir.Version {
				return c.Clearance(fhir.DecisionWithdrawn, c.Day(-2), c.Day(40), set("id", "w"))
			}).again(day, "Observation", "clearance-p1", set("issued", nil)).confirmed()},
		{name: "withdrawn, then a clearance dated in the future", state: H, told: withdrawn().ago(day, func(c *course) fhir.Version {
			return c.Clearance(fhir.DecisionCleared, c.Day(-1), c.Day(40), set("id", "x"), set("issued", "2027-03-02T09:00:00-07:00"))
		}).confirmed()},
		{name: "cleared by a decision dated in the future, and nothing else", state: U, told: cleared(fhir.DecisionCleared, "2026-01-12", "2026-04-12", set("issued", "2027-03-02T09:00:00-07:00")).confirmed()},
		{name: "withdrawn; the version that cleared carries a time of next year", state: H, told: again(3*day, "Observation", "clearance-p1", set("status", "amended")).
			then(func(c *course) fhir.Version { return c.Flag("inactive") }).mistimed("2027-01-01T00:00:00Z", "Observation", "clearance-p1").
			again(2*day, "Observation", "clearance-p1", set("valueCodeableConcept", coded(fhir.SystemDecision, fhir.DecisionWithdrawn))).confirmed()},
		{name: "withdrawn, and a clearance recorded before says that it replaces the withdrawal", state: H, told: withdrawn().again(4*day, "Observation", "clearance-p1",
			set("extension", []any{map[string]any{"url": "http://hl7.org/fhir/StructureDefinition/observation-replaces", "valueReference": ref("Observation/w")}})).confirmed()},
		{name: "two decisions that replace each other, the stop later", state: H, told: withdrawn(
			set("extension", []any{map[string]any{"url": "http://hl7.org/fhir/StructureDefinition/observation-replaces", "valueReference": ref("Observation/clearance-p1")}})).
			again(day, "Observation", "clearance-p1", set("extension", []any{map[string]any{"url": "http://hl7.org/fhir/StructureDefinition/observation-replaces", "valueReference": ref("Observation/w")}})).confirmed()},
		{name: "withdrawn, then the record coded as something the hub does not know", state: H, told: again(2*day, "Observation", "clearance-p1", set("valueCodeableConcept", coded(fhir.SystemDecision, fhir.DecisionWithdrawn))).
			again(day, "Observation", "clearance-p1", set("code", coded("https://skylight.example/codes", "note"))).confirmed()},
		{name: "withdrawn, then cleared by somebody who may not", state: H, told: withdrawn().ago(day, func(c *course) fhir.Version {
			return c.Clearance(fhir.DecisionCleared, c.Day(-1), c.Day(40), set("id", "x"), set("performer.0.identifier.value", "1999999999"))
		}).confirmed()},
		{name: "withdrawn, then cleared by the practice", state: H, told: withdrawn().ago(day, func(c *course) fhir.Version {
			v := c.Clearance(fhir.DecisionCleared, c.Day(-1), c.Day(40), set("id", "x"))
			v.Source, v.Party = fhirtest.PracticeSource, fhir.Practice
			return v
		}).confirmed()},
		{name: "cleared, and declined on the referral since", told: ago(day, func(c *course) fhir.Version {
			return c.Task("completed", set("businessStatus", coded(fhir.SystemBusinessStatus, "4.0")))
		}).confirmed()},
		{name: "cleared for two sessions, both taken", state: N, told: again(40*day, "Observation", "clearance-p1", set("component", []any{map[string]any{"code": coded(fhir.SystemClearanceItem, "max-sessions"), "valueInteger": 2}})).
			then(tookDaysAgo(8)).then(tookDaysAgo(15)).confirmed()},

		// Stops.
		{name: "a stop whose period is over", state: H, told: ago(10*day, func(c *course) fhir.Version { return c.Flag("active", set("period.end", c.Day(-5))) }).confirmed()},
		{name: "a stop that was only coded anew", state: H, told: ago(10*day, stop).again(day, "Flag", "stop-p1", set("code", coded("https://skylight.example/flags", "note"))).confirmed()},
		{name: "a stop of the practice that was only coded anew", state: H, told: ago(10*day, func(c *course) fhir.Version { return fromPractice(c.Flag("active")) }).
			again(day, "Flag", "stop-p1", set("code", coded("https://reverie.example/flags", "note"))).confirmed()},
		{name: "a stop, lifted by another record", state: H, told: ago(10*day, stop).ago(day, func(c *course) fhir.Version { return c.Flag("inactive", set("id", "another")) }).confirmed()},
		{name: "a stop, lifted by another party under the same key", state: H, told: ago(10*day, stop).ago(day, func(c *course) fhir.Version {
			v := c.Flag("inactive")
			v.Party = fhir.Practice
			return v
		}).confirmed()},
		{name: "a stop, lifted by an older telling that came late", state: H, told: ago(day, stop).ago(10*day, func(c *course) fhir.Version { return c.Flag("inactive") }).confirmed()},
		{name: "a stop that is gone", state: H, told: ago(10*day, stop).gone("Flag", "stop").confirmed()},
		{name: "a stop of a prescriber who is not configured", state: H, told: ago(10*day, func(c *course) fhir.Version {
			v := c.Flag("active")
			v.Source, v.Party = "unheard-of", "unheard-of"
			return v
		}).confirmed()},
		{name: "a stop of the other prescriber", state: H, policy: others, told: ago(10*day, func(c *course) fhir.Version {
			v := c.Flag("active")
			v.Source, v.Party = "journey", "journey"
			return v
		}).confirmed()},
		{name: "a prescription on hold, and a second one active", state: H, told: again(10*day, "MedicationRequest", "rx-p1", set("status", "on-hold")).
			ago(9*day, func(c *course) fhir.Version { return c.Prescription(set("id", "b")) }).confirmed()},
		{name: "an order not to give ketamine", state: U, told: ago(5*day, func(c *course) fhir.Version { return c.Prescription(set("id", "b"), set("doNotPerform", true)) }).confirmed()},
		{name: "an adverse event without its own date, entered after the decision on what came before", state: H, told: ago(5*day, func(c *course) fhir.Version {
			return c.AdverseEvent(fhir.CodeSerious, set("recordedDate", nil), set("date", "2026-01-02"))
		}).confirmed()},
		{name: "a serious adverse event recorded on the day of an earlier decision", state: H, told: ago(2*day, func(c *course) fhir.Version {
			return c.Clearance(fhir.DecisionCleared, c.Day(-2), c.Day(40), set("id", "x"))
		}).ago(2*day-time.Hour, func(c *course) fhir.Version { return c.AdverseEvent(fhir.CodeSerious, set("recordedDate", c.Day(-2))) }).confirmed()},

		{name: "a serious adverse event dated next year", state: H, told: ago(5*day, func(c *course) fhir.Version {
			return c.AdverseEvent(fhir.CodeSerious, set("recordedDate", "2027-03-01"), set("date", "2027-03-01"))
		}).confirmed()},
		{name: "a serious adverse event whose record is gone", state: H, told: ago(5*day, func(c *course) fhir.Version { return c.AdverseEvent(fhir.CodeSerious) }).gone("AdverseEvent", "event").confirmed()},

		// The prescription and the medicine.
		{name: "the prescription stopped", state: N, told: again(2*day, "MedicationRequest", "rx-p1", set("status", "stopped")).confirmed()},
		{name: "the prescription cancelled", state: N, told: again(2*day, "MedicationRequest", "rx-p1", set("status", "cancelled")).confirmed()},
		{name: "one of last year completed, the newest stopped", state: N, told: told(all).ago(200*day, func(c *course) fhir.Version {
			return c.Prescription(set("id", "old"), set("status", "completed"))
		}).again(2*day, "MedicationRequest", "rx-p1", set("status", "stopped")).confirmed()},
		{name: "one that was never closed still active, the newest stopped", told: told(all).ago(200*day, func(c *course) fhir.Version {
			return c.Prescription(set("id", "old"))
		}).again(2*day, "MedicationRequest", "rx-p1", set("status", "stopped")).confirmed()},
		{name: "the newest in a state that says nothing, an old one active", told: told(all).ago(200*day, func(c *course) fhir.Version {
			return c.Prescription(set("id", "old"))
		}).again(2*day, "MedicationRequest", "rx-p1", set("status", "unknown")).confirmed()},
		{name: "a plan is no prescription", state: N, told: told(noRx).ago(49*day, func(c *course) fhir.Version { return c.Prescription(set("intent", "plan")) }).confirmed()},
		{name: "an older prescription's directions changed after the newer one's were acknowledged", told: ago(40*day, func(c *course) fhir.Version {
			return c.Prescription(set("id", "b"))
		}).again(2*day, "MedicationRequest", "rx-p1", set("dosageInstruction.0.doseAndRate.0.doseQuantity.value", 4)).confirmed()},
		{name: "the dose changed and nobody read it", state: N, told: again(2*day, "MedicationRequest", "rx-p1", set("dosageInstruction.0.doseAndRate.0.doseQuantity.value", 4)).confirmed()},
		{name: "what was dispensed only has a name, of another drug", state: U, told: filled(set("medicationCodeableConcept", map[string]any{"text": "Lorazepam 1 mg"}), set("authorizingPrescription", nil)).confirmed()},
		{name: "what was delivered is another drug", told: undispensed().ago(30*day, func(c *course) fhir.Version {
			return c.Prescription(set("id", "ondansetron"), set("medicationCodeableConcept", coded(fhir.SystemRxNorm, "26225")))
		}).ago(5*day, func(c *course) fhir.Version {
			return c.Fulfilment(fhir.FulfilmentDelivered, set("focus", ref("MedicationRequest/ondansetron")))
		}).confirmed()},
		{name: "what was dispensed is for the infusion", told: filled(set("authorizingPrescription", []any{ref("MedicationRequest/infusion")})).ago(55*day, func(c *course) fhir.Version {
			return c.Prescription(set("id", "infusion"), set("status", "stopped"), set("dosageInstruction.0.route.coding.0.code", "47625008"))
		}).confirmed()},
		{name: "dispensed, quantity nothing", state: N, told: filled(set("quantity.value", 0)).confirmed()},
		{name: "dispense declined", state: N, told: filled(set("status", "declined")).confirmed()},
		{name: "dispense stopped", state: N, told: filled(set("status", "stopped")).confirmed()},
		{name: "dispense entered in error", state: N, told: filled(set("status", "entered-in-error")).confirmed()},
		{name: "a quantity in another unit, and some was taken since", state: U, told: filled(set("quantity", quantity(600, "mg", "mg"))).then(tookDaysAgo(8)).confirmed()},
		{name: "more sessions taken than were dispensed", state: N, told: filled(set("quantity.value", 1)).then(tookDaysAgo(8)).then(tookDaysAgo(15)).confirmed()},

		// The session.
		{name: "the session cancelled", told: again(5*time.Minute, "Appointment", "dosing-p1", set("status", "cancelled"))},
		{name: "the session not kept", told: again(5*time.Minute, "Appointment", "dosing-p1", set("status", "noshow"))},
		{name: "the session moved by an hour since the go-ahead", state: N, told: again(5*time.Minute, "Appointment", "dosing-p1", set("start", "2026-03-03T12:00:00-07:00"), set("end", "2026-03-03T14:00:00-07:00"))},
		{name: "the session given to another therapist since the go-ahead", state: N, told: again(5*time.Minute, "Appointment", "dosing-p1", set("participant.1.actor.identifier.value", "1999999999"))},
		{name: "a second session on the same day, after the first was held", state: N, told: again(5*time.Minute, "Appointment", "dosing-p1", set("status", "fulfilled")).
			then(func(c *course) fhir.Version { return c.DaysBefore(3).Dosing(now.Add(6*time.Hour), set("id", "second")) }).
			ago(time.Minute, func(c *course) fhir.Version {
				return c.GoAhead(set("id", "g2"), set("focus", []any{ref("Appointment/second")}))
			}).forSecond(), at: 5 * time.Hour},
		{name: "a session six days after one that nobody closed", told: ago(5*day, func(c *course) fhir.Version { return c.Dosing(now.Add(-4*day), set("id", "b")) })},

		// The second key.
		{name: "the go-ahead taken back", state: N, told: ago(5*time.Minute, func(c *course) fhir.Version { return c.GoAhead(set("valueBoolean", false)) })},
		{name: "the go-ahead taken back in a record of its own, not final yet", state: N, told: ago(5*time.Minute, func(c *course) fhir.Version {
			return c.GoAhead(set("id", "no"), set("valueBoolean", false), set("status", "preliminary"))
		})},
		{name: "the go-ahead taken back in a record that is gone", state: N, told: ago(8*time.Minute, func(c *course) fhir.Version {
			return c.GoAhead(set("id", "no-p1"), set("valueBoolean", false))
		}).gone("Observation", "no")},
		{name: "a go-ahead for another session", state: readiness.InOrder, told: again(5*time.Minute, "Observation", "go-ahead-p1", set("focus", []any{ref("Appointment/another")}))},
		{name: "a go-ahead by somebody else", state: N, told: again(5*time.Minute, "Observation", "go-ahead-p1", set("performer.0.identifier.value", "1999999999"))},
		{name: "a go-ahead by nobody", state: U, told: again(5*time.Minute, "Observation", "go-ahead-p1", set("performer", nil))},
		{name: "a go-ahead for another session of a series that shares an identifier", state: readiness.InOrder, told: again(3*day, "Appointment", "dosing-p1", set("identifier", []any{series})).
			ago(3*day, func(c *course) fhir.Version {
				return c.Dosing(now.Add(20*day), set("id", "later"), set("identifier", []any{series}))
			}).
			again(5*time.Minute, "Observation", "go-ahead-p1", set("focus", []any{map[string]any{"reference": "Appointment/later", "identifier": series}}))},
		{name: "a go-ahead for a series, not for a session", state: readiness.InOrder, told: again(3*day, "Appointment", "dosing-p1", set("identifier", []any{series})).
			ago(3*day, func(c *course) fhir.Version {
				return c.Dosing(now.Add(20*day), set("id", "later"), set("identifier", []any{series}))
			}).
			again(5*time.Minute, "Observation", "go-ahead-p1", set("focus", []any{map[string]any{"identifier": series}}))},
		{name: "a go-ahead given before the dose changed, and saved again after", state: N, told: again(7*time.Minute, "MedicationRequest", "rx-p1", set("priority", "routine")).
			again(3*time.Minute, "Observation", "go-ahead-p1", set("note", []any{map[string]any{"text": "typed again"}}))},
		{name: "a clearance changed before the go-ahead, of which the hub heard after it", state: N, told: again(20*time.Minute, "Observation", "clearance-p1", set("status", "amended")).received(15 * time.Minute)},
		{name: "a newer decision made before the go-ahead, of which the hub heard after it", state: N, told: ago(20*time.Minute, func(c *course) fhir.Version {
			return c.Clearance(fhir.DecisionCleared, c.Day(0), c.Day(60), set("id", "x"))
		}).received(15 * time.Minute)},

		// Arrival.
		{name: "checks of another session", state: readiness.InOrder, told: again(5*time.Minute, "Observation", "ride-arranged-p1", set("focus", []any{ref("Appointment/another")}))},
		{name: "a check of last week, entered today", state: readiness.InOrder, told: again(15*time.Minute, "Observation", "ride-arranged-p1", set("effectiveDateTime", "2026-02-24"))},
		{name: "pressure in centimetres of water", state: U, told: again(15*time.Minute, "Observation", "bp-p1", set("component.0.valueQuantity", quantity(118, "cmH2O", "cm[H2O]")))},
		{name: "pressure without a unit", state: U, told: again(15*time.Minute, "Observation", "bp-p1", set("component.0.valueQuantity", quantity(118, "", "")))},
		{name: "pressure below something", state: U, told: again(15*time.Minute, "Observation", "bp-p1", set("component.0.valueQuantity.comparator", "<"))},
		{name: "systolic and diastolic swapped", told: again(15*time.Minute, "Observation", "bp-p1", set("component.0.valueQuantity.value", 76), set("component.1.valueQuantity.value", 118))},
		{name: "systolic and diastolic swapped, both within their limits", state: U, told: again(15*time.Minute, "Observation", "bp-p1", set("component.0.valueQuantity.value", 60), set("component.1.valueQuantity.value", 88))},
		{name: "a pressure of nothing", state: U, told: again(15*time.Minute, "Observation", "bp-p1", set("component.0.valueQuantity.value", 0), set("component.1.valueQuantity.value", 0))},
		{name: "a heart rate of nothing", state: U, told: again(15*time.Minute, "Observation", "heart-rate-p1", set("valueQuantity.value", 0))},
		{name: "a later reading over the limit", state: H, told: ago(15*time.Minute, func(c *course) fhir.Version { return c.BloodPressure(150, 80, set("id", "b")) })},
		{name: "a later reading over the limit, not final yet", state: H, told: ago(15*time.Minute, func(c *course) fhir.Version {
			return c.BloodPressure(150, 80, set("id", "b"), set("status", "preliminary"))
		})},
		{name: "a later reading over the limit that is gone", state: H, told: ago(15*time.Minute, func(c *course) fhir.Version { return c.BloodPressure(150, 80, set("id", "b-p1")) }).gone("Observation", "b").confirmed()},
		{name: "something new since the clearance", state: N, told: ago(5*time.Minute, func(c *course) fhir.Version { return c.Check(fhir.CodeNewInformation, true) })},
		{name: "something new, not final yet", state: N, told: ago(5*time.Minute, func(c *course) fhir.Version {
			return c.Check(fhir.CodeNewInformation, true, set("id", "b"), set("status", "preliminary"))
		})},
		{name: "something new, in a record that is gone", state: N, told: ago(8*time.Minute, func(c *course) fhir.Version {
			return c.Check(fhir.CodeNewInformation, true, set("id", "b-p1"))
		}).gone("Observation", "b")},

		// Papers.
		{name: "the treatment consent entered in error", state: N, told: again(2*day, "Consent", "treatment-consent-p1", set("status", "entered-in-error")).confirmed()},
		{name: "a treatment consent that denies", told: again(2*day, "Consent", "treatment-consent-p1", set("provision", map[string]any{"type": "deny"})).confirmed()},
		{name: "a treatment consent with exceptions", state: U, told: again(2*day, "Consent", "treatment-consent-p1", set("provision", map[string]any{"type": "permit", "provision": []any{map[string]any{"type": "deny"}}})).confirmed()},
		{name: "a treatment consent that begins next week", state: N, told: again(2*day, "Consent", "treatment-consent-p1", set("provision", map[string]any{"type": "permit", "period": map[string]any{"start": "2026-03-10"}})).confirmed()},
		{name: "a treatment consent signed next week", state: N, told: again(2*day, "Consent", "treatment-consent-p1", set("dateTime", "2026-03-10")).confirmed()},
		{name: "a treatment consent that ended at midnight", state: N, told: again(2*day, "Consent", "treatment-consent-p1", set("provision", map[string]any{"period": map[string]any{"end": "2026-03-02"}})).confirmed()},
		{name: "an old treatment consent withdrawn long after a second one was signed", told: ago(20*day, func(c *course) fhir.Version { return c.TreatmentConsent(set("id", "b")) }).
			again(2*day, "Consent", "treatment-consent-p1", set("status", "inactive")).confirmed()},
		{name: "a release that is over", state: N, told: again(2*day, "Consent", "release-p1", set("provision.period.end", "2026-03-02")).confirmed()},
		{name: "a release signed next week", state: N, told: again(2*day, "Consent", "release-p1", set("dateTime", "2026-03-10")).confirmed()},
		{name: "a release to another prescriber", state: N, told: again(2*day, "Consent", "release-p1", set("provision.actor.0.reference.identifier.value", "1558444216")).confirmed()},
		{name: "withdrawn on the day of the clearance, at no hour told", state: H, told: cleared(fhir.DecisionCleared, "2026-03-01", "2026-05-01", set("issued", "2026-03-01T09:00:00-07:00")).ago(day, func(c *course) fhir.Version {
			return c.Clearance(fhir.DecisionWithdrawn, c.Day(-2), c.Day(40), set("id", "w"), set("issued", "2026-03-01"))
		}).confirmed()},
		{name: "not cleared by another prescriber on the day of the clearance, at no hour told", state: H, policy: others, told: cleared(fhir.DecisionCleared, "2026-03-01", "2026-05-01", set("issued", "2026-03-01T09:00:00-07:00")).ago(day, func(c *course) fhir.Version {
			v := c.Clearance(fhir.DecisionNotCleared, c.Day(-2), c.Day(40), set("id", "w"), set("issued", "2026-03-01"))
			v.Source, v.Party = "journey", "journey"
			return v
		}).confirmed()},
		{name: "a denial beside the release", state: N, told: ago(5*day, func(c *course) fhir.Version { return c.Release(set("id", "b"), set("provision.type", "deny")) }).confirmed()},
		{name: "a denial to everybody beside the release", state: N, told: ago(5*day, func(c *course) fhir.Version {
			return c.Release(set("id", "b"), set("provision.type", "deny"), set("provision.actor", nil))
		}).confirmed()},
		{name: "a denial to an organization of which nothing is known", state: N, told: ago(5*day, func(c *course) fhir.Version {
			return c.Release(set("id", "b"), set("provision.type", "deny"), set("provision.actor.0.reference", ref("Organization/unheard-of")))
		}).confirmed()},
		{name: "a denial whose period cannot be read", state: N, told: ago(5*day, func(c *course) fhir.Version {
			return c.Release(set("id", "b"), set("provision.type", "deny"), set("provision.period.end", "2027-01-01T10:00:00"))
		}).confirmed()},
		{name: "a denial to somebody who is only called a name", state: N, told: ago(5*day, func(c *course) fhir.Version {
			return c.Release(set("id", "b"), set("provision.type", "deny"), set("provision.actor.0.reference", map[string]any{"display": "the ketamine people"}))
		}).confirmed()},
		{name: "an older release that was turned into a denial", state: N, told: told(func(c *course) []fhir.Version {
			return append(c.Blameless(), c.DaysBefore(70).Release(set("id", "b")))
		}).again(5*day, "Consent", "b", set("provision.type", "deny")).confirmed()},
		{name: "an older denial that was only proposed, and is active since", state: N, told: told(func(c *course) []fhir.Version {
			return append(c.Blameless(), c.DaysBefore(70).Release(set("id", "b"), set("status", "proposed"), set("provision.type", "deny")))
		}).again(5*day, "Consent", "b", set("status", "active")).confirmed()},
		{name: "a denial whose period ends before it begins", state: N, told: ago(5*day, func(c *course) fhir.Version {
			return c.Release(set("id", "b"), set("provision.type", "deny"), set("provision.period", map[string]any{"start": "2027-01-01", "end": "2026-01-01"}))
		}).confirmed()},
		{name: "a release of one kind of content alone", state: U, told: again(2*day, "Consent", "release-p1", set("provision.code", []any{coded(fhir.SystemLOINC, "44261-6")})).confirmed()},
		{name: "a release of what bears one label alone", state: U, told: again(2*day, "Consent", "release-p1", set("provision.securityLabel", []any{map[string]any{"system": fhir.SystemActCode, "code": "HIV"}})).confirmed()},
		{name: "a release for research alone", told: again(2*day, "Consent", "release-p1", set("provision.purpose", []any{map[string]any{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HRESCH"}})).confirmed()},
		{name: "the release withdrawn", state: N, told: again(2*day, "Consent", "release-p1", set("status", "inactive")).confirmed()},

		// Who it is.
		{name: "two people at the practice", state: N, told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(50).PatientHere(set("id", "p9"), set("name.0.family", "Quite-Another"), set("birthDate", "1970-01-01"))
		})},
		{name: "the client has died, says the prescriber", state: N, told: again(2*day, "Patient", "s-p1", set("deceasedBoolean", true)).confirmed()},
		{name: "the client has died, says the practice's second record", state: N, told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(50).PatientHere(set("id", "p9"), set("deceasedDateTime", "2026-03-01"))
		})},
		{name: "the prescriber's record was merged into one that is not linked", state: U, told: again(2*day, "Patient", "s-p1",
			set("link", []any{map[string]any{"other": ref("Patient/s-p77"), "type": "replaced-by"}})).confirmed()},
		{name: "the prescriber's record is no longer in use", state: U, told: again(2*day, "Patient", "s-p1", set("active", false)).confirmed()},
		{name: "the practice's record is no longer in use", state: U, told: again(2*day, "Patient", "p1", set("active", false)).confirmed()},
		{name: "the prescriber's record may be another client's", state: U, told: all, chart: func(c *fhir.Chart) { c.Links[1].How = fhir.Candidate }},
		{name: "a second record at the prescriber may be the client's", state: U, told: all, chart: func(c *fhir.Chart) {
			c.Links = append(c.Links, fhir.Link{Client: c.Client, Source: fhirtest.PrescriberSource, Patient: "whose", How: fhir.Candidate, ReadBack: true})
		}},
		{name: "the client lives in a state written out that is not served", state: N, told: again(2*day, "Patient", "p1", set("address.0.state", "Alaska")).confirmed()},
		{name: "the client lives in a state that nobody knows", state: U, told: again(2*day, "Patient", "p1", set("address.0.state", "the Rockies")).confirmed()},

		// How it was read.
		{name: "a source that is not there", state: U, told: all, chart: func(c *fhir.Chart) { c.Sources = c.Sources[:1] }},
		{name: "a record that could not be read", state: U, told: all, chart: func(c *fhir.Chart) { c.Rejects = []fhir.Reject{{ID: "r"}} }},
		{name: "a source read in the future", state: U, told: all, chart: func(c *fhir.Chart) { c.Sources[1].LastComplete = now.Add(time.Hour) }},
	}
	for name, line := range map[string]func(*readiness.Sheet){
		"validity, and none given": func(s *readiness.Sheet) { s.ClearanceValidity = readiness.Asked[time.Duration]{} },
		"follow-up":                func(s *readiness.Sheet) { s.FollowUp = readiness.Asked[time.Duration]{} },
		"interval":                 func(s *readiness.Sheet) { s.DoseInterval = readiness.Asked[time.Duration]{} },
		"weekly number":            func(s *readiness.Sheet) { s.SessionCap = readiness.Asked[int]{} },
		"systolic":                 func(s *readiness.Sheet) { s.Systolic = readiness.Asked[readiness.Limit]{} },
		"diastolic":                func(s *readiness.Sheet) { s.Diastolic = readiness.Asked[readiness.Limit]{} },
		"heart rate":               func(s *readiness.Sheet) { s.HeartRate = readiness.Asked[readiness.Limit]{} },
		"preparations":             func(s *readiness.Sheet) { s.Preparations = readiness.Asked[int]{} },
		"office":                   func(s *readiness.Sheet) { s.OfficeOnly = readiness.Asked[bool]{} },
		"states":                   func(s *readiness.Sheet) { s.StatesNotServed = readiness.Asked[[]string]{} },
		"deciders":                 func(s *readiness.Sheet) { s.Deciders = nil },
	} {
		row := rowAt{name: "not asked: " + name, told: all, policy: onSheet(line), state: U}
		switch name {
		case "validity, and none given":
			row.told = cleared(fhir.DecisionCleared, "2026-01-12", "").confirmed()
		case "deciders":
			row.state = N
		}
		rows = append(rows, row)
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			v := r.verdict()
			if v.State == readiness.Ready {
				t.Errorf("READY: %s", v.Words)
			}
			if r.state != "" && v.State != r.state {
				t.Errorf("%s (%s), want %s", v.State, v.Words, r.state)
			}
		})
	}
}

var series = map[string]any{"system": "https://reverie.example/series", "value": "S-1"}

func fromPractice(v fhir.Version) fhir.Version {
	v.Source, v.Party = fhirtest.PracticeSource, fhir.Practice
	return v
}

// mistimed gives the newest telling of a record another time at its server.
func (t told) mistimed(at, kind, id string) told {
	return func(c *course) []fhir.Version {
		vs := t(c)
		for i := len(vs) - 1; i >= 0; i-- {
			if v := &vs[i]; v.Type == kind && v.ID == id {
				when, err := time.Parse(time.RFC3339, at)
				if err != nil {
					panic(err)
				}
				v.Resource.LastUpdated = when
				return vs
			}
		}
		panic("no such record")
	}
}

// forSecond tells the arrival checks of the session called "second".
func (t told) forSecond() told {
	return func(c *course) []fhir.Version {
		vs := t(c)
		c.On(now.Add(4 * time.Hour))
		focus := set("focus", []any{ref("Appointment/second")})
		return append(vs, c.BloodPressure(118, 76, focus), c.HeartRate(72, focus), c.Check(fhir.CodeRide, true, focus), c.Check(fhir.CodeFasting, true, focus),
			c.Check(fhir.CodeLocation, true, focus), c.Check(fhir.CodeNewInformation, false, focus), c.GoAhead(set("id", "g3"), focus))
	}
}

func undispensed() told {
	return func(c *course) []fhir.Version { return fhirtest.Without(c.Blameless(), "MedicationDispense") }
}

// What happens to blameless clients every week must not keep them from READY: a practice would stop looking.
func TestNoHarmlessChartIsHeldUp(t *testing.T) {
	for _, r := range []rowAt{
		{name: "the front desk checked the client in after the go-ahead", told: again(5*time.Minute, "Appointment", "dosing-p1", set("status", "arrived"))},
		{name: "the front desk noted something on the appointment", told: again(5*time.Minute, "Appointment", "dosing-p1", set("comment", "prefers tea"))},
		{name: "the first reading was over the limit, the next one within it", told: ago(40*time.Minute, func(c *course) fhir.Version { return c.BloodPressure(150, 95, set("id", "b")) })},
		{name: "a unit written without a code", told: again(15*time.Minute, "Observation", "bp-p1", set("component.0.valueQuantity", quantity(118, "mmHg", "")), set("component.1.valueQuantity", quantity(76, "mmHg", "")))},
		{name: "a clearance that ends on the day of the session", told: cleared(fhir.DecisionCleared, "2026-01-12", "2026-03-03")},
		{name: "the decision of a hub that is new, received after the go-ahead", told: func(c *course) []fhir.Version {
			vs := c.Blameless()
			for i := range vs {
				vs[i].Received = now.Add(-time.Minute)
			}
			return vs
		}},
		{name: "a consent renewed, and the old one closed the same hour", told: ago(20*day, func(c *course) fhir.Version { return c.TreatmentConsent(set("id", "b")) }).
			again(20*day-time.Hour, "Consent", "treatment-consent-p1", set("status", "inactive"))},
		{name: "a release renewed, and the old one closed the same hour", told: ago(20*day, func(c *course) fhir.Version { return c.Release(set("id", "b")) }).
			again(20*day-time.Hour, "Consent", "release-p1", set("status", "inactive"))},
		{name: "a release for treatment", told: again(2*day, "Consent", "release-p1", set("provision.purpose", []any{map[string]any{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}}))},
		{name: "a serious event long answered", told: ago(55*day, func(c *course) fhir.Version { return c.AdverseEvent(fhir.CodeSerious) })},
		{name: "the prescriber's clock is two minutes ahead", told: told(all).mistimed("2026-01-12T16:02:00Z", "Observation", "clearance-p1")},
		{name: "a serious event dated next year by mistake, answered since", told: ago(15*day, func(c *course) fhir.Version {
			return c.AdverseEvent(fhir.CodeSerious, set("recordedDate", "2027-03-01"))
		}).ago(12*day, func(c *course) fhir.Version {
			return c.Clearance(fhir.DecisionCleared, c.Day(-12), c.Day(40), set("id", "x"))
		})},
		{name: "the session at 23:59, the clearance to the end of that day", at: 13 * time.Hour, told: func(c *course) []fhir.Version {
			c.Session = time.Date(2026, 3, 3, 23, 59, 0, 0, fhirtest.Denver)
			vs := fhirtest.WithoutRecord(c.InOrder(), "Observation", "clearance-p1")
			vs = append(vs, c.DaysBefore(50).Clearance(fhir.DecisionCleared, "2026-01-12", "2026-03-03"))
			vs = append(vs, c.On(now.Add(12*time.Hour)).Arrival()...)
			return append(vs, c.On(now.Add(12*time.Hour)).GoAhead())
		}},
		{name: "a prescriber who only writes e-mails: the six entries of the desk", policy: func(p *readiness.Policy) {
			p.Practice.Sources, p.Prescriber.Sources = []string{fhirtest.PracticeSource}, []string{"mailbox"}
			p.Sheet.FollowUp, p.Sheet.Systolic.Value.Unit = readiness.None[time.Duration](), "mmHg"
		}, chart: func(c *fhir.Chart) {
			c.Sources[1].Name = "mailbox"
			c.Links = c.Links[:1]
		}, told: func(c *course) []fhir.Version {
			mail := func(v fhir.Version) fhir.Version { v.Source = "mailbox"; return v }
			vs := []fhir.Version{c.DaysBefore(30).PatientHere(), c.Release(), c.TreatmentConsent()}
			rx := c.DaysBefore(20).Prescription(set("dispenseRequest", nil), set("dosageInstruction.0.doseAndRate", nil), set("dosageInstruction.0.route", nil))
			vs = append(vs, mail(c.DaysBefore(25).Clearance(fhir.DecisionCleared, c.Day(-25), "", set("focus", nil))), mail(rx),
				mail(c.Dispense(set("quantity", map[string]any{"value": 3, "unit": "session"}))), c.Acknowledged(rx),
				c.DaysBefore(10).Preparation(c.Now.AddDate(0, 0, -10)), c.DaysBefore(9).Dosing(c.Session))
			vs = append(vs, c.On(now.Add(-30*time.Minute)).Arrival()...)
			return append(vs, c.On(now.Add(-10*time.Minute)).GoAhead())
		}},
		{name: "a sickness medicine prescribed and delivered too", told: ago(30*day, func(c *course) fhir.Version {
			return c.Prescription(set("id", "ondansetron"), set("medicationCodeableConcept", coded(fhir.SystemRxNorm, "26225")))
		}).ago(5*day, func(c *course) fhir.Version {
			return c.Fulfilment(fhir.FulfilmentShipped, set("focus", ref("MedicationRequest/ondansetron")))
		})},
		{name: "the state written out", told: again(2*day, "Patient", "p1", set("address.0.state", "Colorado"))},
		{name: "two records at the prescriber, one merged into the other", told: again(2*day, "Patient", "s-p1", set("active", false),
			set("link", []any{map[string]any{"other": ref("Patient/s-p2"), "type": "replaced-by"}})).
			ago(2*day, func(c *course) fhir.Version { return c.PatientThere(set("id", "s-p2")) })},
		{name: "an older prescription was cancelled", told: ago(52*day, func(c *course) fhir.Version { return c.Prescription(set("id", "old"), set("status", "cancelled")) })},
		{name: "a session of ten days ago that was never closed and ends next year", told: ago(20*day, func(c *course) fhir.Version {
			return c.Dosing(now.Add(-10*day), set("id", "b"), set("end", "2027-01-01T00:00:00Z"))
		})},
		{name: "a denial of long ago, before the client released it", told: ago(90*day, func(c *course) fhir.Version { return c.Release(set("id", "b"), set("provision.type", "deny")) })},
		{name: "a denial to a relative who is only called a name", told: ago(5*day, func(c *course) fhir.Version {
			return c.Release(set("id", "b"), set("provision.type", "deny"), set("provision.actor.0.reference", map[string]any{"type": "RelatedPerson", "display": "the brother"}))
		})},
		{name: "a release of whatever is normal or restricted", told: again(2*day, "Consent", "release-p1", set("provision.securityLabel", []any{map[string]any{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}})).confirmed()},
		{name: "a denial of long ago, written again since in other words", told: told(func(c *course) []fhir.Version {
			return append(c.Blameless(), c.DaysBefore(70).Release(set("id", "b"), set("provision.type", "deny")))
		}).again(5*day, "Consent", "b", set("policyRule.text", "opt-out")).confirmed()},
		{name: "a denial to a relative", told: ago(5*day, func(c *course) fhir.Version {
			return c.Release(set("id", "b"), set("provision.type", "deny"), set("provision.actor.0.reference", ref("RelatedPerson/r1")))
		})},
		{name: "a decider whom the decision contains", told: again(2*day, "Observation", "clearance-p1", set("performer", []any{ref("#d")}), set("contained", []any{map[string]any{
			"resourceType": "Practitioner", "id": "d", "identifier": []any{map[string]any{"system": fhirtest.DeciderNPI.System, "value": fhirtest.DeciderNPI.Value}}}}))},
		{name: "a stop of last month, lifted", told: ago(30*day, func(c *course) fhir.Version { return c.Flag("active") }).ago(28*day, func(c *course) fhir.Version { return c.Flag("inactive") })},
	} {
		t.Run(r.name, func(t *testing.T) {
			if v := r.verdict(); v.State != readiness.Ready {
				t.Errorf("%s: %s", v.State, v.Words)
				explain(t, v)
			}
		})
	}
}

// filled is the blameless client with another dispense in place of theirs.
func filled(edits ...fhir.Edit) told {
	return undispensed().ago(30*day, func(c *course) fhir.Version { return c.Dispense(edits...) })
}

func tookDaysAgo(n int) func(c *course) fhir.Version {
	return func(c *course) fhir.Version {
		return c.DaysBefore(n).Administration(now.AddDate(0, 0, -n), 1, set("id", "taken-"+now.AddDate(0, 0, -n).Format("0102")))
	}
}
