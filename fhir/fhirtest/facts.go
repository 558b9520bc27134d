package fhirtest

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// PatientHere is the client as the practice knows them. The name is invented for all to see.
func (c *Course) PatientHere(edits ...fhir.Edit) fhir.Version {
	return c.here("Patient", c.Patient, edits,
		`"identifier":[{"system":"https://reverie.example/mrn","value":"MRN-%[1]s"}],
		"name":[{"use":"official","family":"Inventedsson-%[1]s","given":["Testa"]},{"use":"usual","text":"Juniper Invented-%[1]s"}],
		"birthDate":"1988-02-29","address":[{"use":"home","city":"Denver","state":"CO"}]`, c.Patient)
}

// PatientThere is the client as the prescriber knows them: the copy that the hub sent, with the practice's number.
func (c *Course) PatientThere(edits ...fhir.Edit) fhir.Version {
	return c.fromThere("Patient", c.there(), edits,
		`"identifier":[{"system":"https://reverie.example/mrn","value":"MRN-%[1]s"},{"system":%[2]q,"value":%[3]q}],
		"name":[{"use":"official","family":"Inventedsson-%[1]s","given":["Testa"]}],
		"birthDate":"1988-02-29","address":[{"use":"home","city":"Denver","state":"CO"}]`,
		c.Patient, fhir.SystemClient, c.Client)
}

// Release is the client's active release of information to the prescriber, from two months ago for a year.
func (c *Course) Release(edits ...fhir.Edit) fhir.Version {
	return c.here("Consent", c.id("release"), edits,
		`"status":"active",
		"scope":{"coding":[{"system":%q,"code":"patient-privacy"}]},
		"category":[{"coding":[{"system":%q,"code":"IDSCL"}]}],
		"patient":{"reference":"Patient/%s"},"dateTime":%q,
		"policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]},
		"provision":{"type":"permit","period":{"start":%q,"end":%q},
		  "actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},
		    "reference":{"identifier":{"system":%q,"value":%q}}}]}`,
		fhir.SystemConsentScope, fhir.SystemActCode, c.Patient, stamp(c.At), c.Day(-60), c.Day(305),
		PrescriberNPI.System, PrescriberNPI.Value)
}

// TreatmentConsent is the client's signed consent to the treatment.
func (c *Course) TreatmentConsent(edits ...fhir.Edit) fhir.Version {
	return c.here("Consent", c.id("treatment-consent"), edits,
		`"status":"active",
		"scope":{"coding":[{"system":%q,"code":"treatment"}]},
		"category":[{"coding":[{"system":%q,"code":%q}]}],
		"patient":{"reference":"Patient/%s"},"dateTime":%q,
		"policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]}`,
		fhir.SystemConsentScope, fhir.SystemKAP, fhir.CodeTreatmentConsent, c.Patient, stamp(c.At))
}

// Referral is the practice's order for an evaluation by the prescriber.
func (c *Course) Referral(edits ...fhir.Edit) fhir.Version {
	return c.here("ServiceRequest", c.id("referral"), edits,
		`"identifier":[{"type":{"coding":[{"system":%q,"code":"PLAC"}]},"system":"https://reverie.example/referral","value":"PLAC-%s"}],
		"status":"active","intent":"order",
		"code":{"coding":[{"system":%q,"code":%q}]},
		"subject":{"reference":"Patient/%s"},"authoredOn":%q,
		"requester":{"identifier":{"system":%q,"value":%q}},
		"performer":[{"identifier":{"system":%q,"value":%q}}],
		"supportingInfo":[{"reference":"Consent/%s"}]`,
		fhir.SystemIdentifierType, c.Patient, fhir.SystemKAP, fhir.CodeEvaluation, c.Patient, stamp(c.At),
		TherapistNPI.System, TherapistNPI.Value, PrescriberNPI.System, PrescriberNPI.Value, c.id("release"))
}

// Task is the coordination Task, which the hub put at the prescriber and the prescriber moves. From "accepted" on it
// carries the prescriber's own number (FILL).
func (c *Course) Task(status string, edits ...fhir.Edit) fhir.Version {
	if status != "draft" && status != "requested" && status != "received" {
		edits = append([]fhir.Edit{Set("identifier.-1", map[string]any{
			"type":   map[string]any{"coding": []any{map[string]any{"system": fhir.SystemIdentifierType, "code": "FILL"}}},
			"system": "https://skylight.example/case", "value": "FILL-" + c.Patient,
		})}, edits...)
	}
	return c.fromThere("Task", c.id("task"), edits,
		`"identifier":[{"system":%q,"value":"copy-task-%s"},
		  {"type":{"coding":[{"system":%q,"code":"PLAC"}]},"system":"https://reverie.example/referral","value":"PLAC-%[2]s"}],
		"status":%[4]q,"intent":"order",
		"code":{"coding":[{"system":%q,"code":"fulfill"}]},
		"focus":{"reference":"ServiceRequest/%s"},"for":{"reference":"Patient/%s"},
		"authoredOn":%q,"lastModified":%q,
		"requester":{"identifier":{"system":%q,"value":%q}},
		"owner":{"identifier":{"system":%q,"value":%q}}`,
		fhir.SystemCopy, c.Patient, fhir.SystemIdentifierType, status, fhir.SystemTaskCode, c.id("s-referral"), c.there(),
		stamp(c.Now.AddDate(0, 0, -59)), stamp(c.At), TherapistNPI.System, TherapistNPI.Value,
		PrescriberNPI.System, PrescriberNPI.Value)
}

// Evaluation is the prescriber's appointment with the client, kept, at At.
func (c *Course) Evaluation(edits ...fhir.Edit) fhir.Version {
	return c.fromThere("Appointment", c.id("evaluation"), edits, appointment,
		"fulfilled", fhir.SystemSession, fhir.SessionEvaluation, stamp(c.At), stamp(c.At.Add(time.Hour)), c.there(),
		DeciderNPI.System, DeciderNPI.Value, "Dr. Imaginary Decider")
}

// Clearance is the prescriber's decision; start and end are FHIR dates, end "" for none given.
func (c *Course) Clearance(decision, start, end string, edits ...fhir.Edit) fhir.Version {
	var period []fhir.Edit
	if end != "" {
		period = append(period, Set("effectivePeriod.end", end))
	}
	return c.fromThere("Observation", c.id("clearance"), append(period, edits...),
		`"status":"final",
		"code":{"coding":[{"system":%q,"code":%q}]},
		"subject":{"reference":"Patient/%s"},
		"focus":[{"reference":"MedicationRequest/%s"}],
		"effectivePeriod":{"start":%q},"issued":%q,
		"performer":[{"identifier":{"system":%q,"value":%q}}],
		"valueCodeableConcept":{"coding":[{"system":%q,"code":%q}]}`,
		fhir.SystemKAP, fhir.CodeClearance, c.there(), c.id("rx"), start, stamp(c.At),
		DeciderNPI.System, DeciderNPI.Value, fhir.SystemDecision, decision)
}

// Condition is a component of a cleared-with-conditions decision, for Set("component.-1", …).
func Condition(text string) map[string]any {
	return map[string]any{
		"code":                 map[string]any{"coding": []any{map[string]any{"system": fhir.SystemClearanceItem, "code": "condition"}}},
		"valueCodeableConcept": map[string]any{"text": text},
	}
}

// Prescription is six sublingual lozenges with one repeat, one a session.
func (c *Course) Prescription(edits ...fhir.Edit) fhir.Version {
	return c.fromThere("MedicationRequest", c.id("rx"), edits,
		`"status":"active","intent":"order",
		"medicationCodeableConcept":{"coding":[{"system":%[1]q,"code":%[2]q,"display":"ketamine"}]},
		"subject":{"reference":"Patient/%[3]s"},"authoredOn":%[4]q,
		"requester":{"identifier":{"system":%[5]q,"value":%[6]q}},
		"dosageInstruction":[{"text":"One lozenge under the tongue at each session, in the therapist's office",
		  "route":{"coding":[{"system":"http://snomed.info/sct","code":"37839007","display":"Sublingual route"}]},
		  "doseAndRate":[{"doseQuantity":{"value":1,"unit":"lozenge","system":"http://unitsofmeasure.org","code":"{lozenge}"}}]}],
		"dispenseRequest":{"validityPeriod":{"start":%[7]q},"numberOfRepeatsAllowed":1,
		  "quantity":{"value":6,"unit":"lozenge","system":"http://unitsofmeasure.org","code":"{lozenge}"}}`,
		fhir.SystemRxNorm, fhir.RxNormKetamine, c.there(), stamp(c.At), DeciderNPI.System, DeciderNPI.Value,
		c.At.In(Denver).Format(time.DateOnly))
}

// Dispense is the six lozenges, handed over at At.
func (c *Course) Dispense(edits ...fhir.Edit) fhir.Version {
	return c.fromThere("MedicationDispense", c.id("dispense"), edits,
		`"status":"completed",
		"medicationCodeableConcept":{"coding":[{"system":%q,"code":%q,"display":"ketamine"}]},
		"subject":{"reference":"Patient/%s"},
		"authorizingPrescription":[{"reference":"MedicationRequest/%s"}],
		"quantity":{"value":6,"unit":"lozenge","system":"http://unitsofmeasure.org","code":"{lozenge}"},
		"whenPrepared":%q,"whenHandedOver":%q`,
		fhir.SystemRxNorm, fhir.RxNormKetamine, c.there(), c.id("rx"), stamp(c.At.AddDate(0, 0, -1)), stamp(c.At))
}

// Acknowledged is the therapist's word that they have read the dose and instructions of prescription.
func (c *Course) Acknowledged(prescription fhir.Version, edits ...fhir.Edit) fhir.Version {
	return c.here("Observation", c.id("acknowledged"), edits,
		`"status":"final","code":{"coding":[{"system":%q,"code":%q}]},
		"subject":{"reference":"Patient/%s"},"effectiveDateTime":%q,"issued":%[4]q,
		"performer":[{"identifier":{"system":%[5]q,"value":%[6]q}}],
		"focus":[{"reference":"MedicationRequest/%[7]s"}],"valueString":%[8]q`,
		fhir.SystemKAP, fhir.CodeAcknowledged, c.Patient, stamp(c.At), TherapistNPI.System, TherapistNPI.Value,
		prescription.ID, fhir.DosageDigest(prescription.Resource))
}

// Preparation is a preparation session, kept at that time.
func (c *Course) Preparation(at time.Time, edits ...fhir.Edit) fhir.Version {
	return c.session("preparation", fhir.SessionPreparation, "fulfilled", at, edits)
}

// Dosing is the booked dosing session.
func (c *Course) Dosing(at time.Time, edits ...fhir.Edit) fhir.Version {
	return c.session("dosing", fhir.SessionDosing, "booked", at, edits)
}

const appointment = `"status":%q,
		"serviceType":[{"coding":[{"system":%q,"code":%q}]}],
		"start":%q,"end":%q,
		"participant":[{"actor":{"reference":"Patient/%s"},"status":"accepted"},
		  {"actor":{"identifier":{"system":%q,"value":%q},"type":"Practitioner","display":%q},"status":"accepted"}]`

func (c *Course) session(name, kind, status string, at time.Time, edits []fhir.Edit) fhir.Version {
	return c.here("Appointment", c.id(name), edits, appointment,
		status, fhir.SystemSession, kind, stamp(at), stamp(at.Add(2*time.Hour)), c.Patient,
		TherapistNPI.System, TherapistNPI.Value, "Invented Therapist")
}

// Arrival is every arrival check of the dosing session, all well: blood pressure, heart rate, ride, fasting, location,
// and nothing new since the clearance.
func (c *Course) Arrival() []fhir.Version {
	return []fhir.Version{
		c.BloodPressure(118, 76), c.HeartRate(72),
		c.Check(fhir.CodeRide, true), c.Check(fhir.CodeFasting, true), c.Check(fhir.CodeLocation, true),
		c.Check(fhir.CodeNewInformation, false),
	}
}

// Check is one yes-or-no arrival check of the dosing session, by its code in SystemKAP.
func (c *Course) Check(code string, answer bool, edits ...fhir.Edit) fhir.Version {
	return c.answer(c.id(code), code, answer, edits)
}

// GoAhead is the therapist's go-ahead for the dosing session.
func (c *Course) GoAhead(edits ...fhir.Edit) fhir.Version {
	return c.answer(c.id("go-ahead"), fhir.CodeGoAhead, true, edits)
}

func (c *Course) answer(id, code string, answer bool, edits []fhir.Edit) fhir.Version {
	return c.here("Observation", id, edits,
		`"status":"final","code":{"coding":[{"system":%q,"code":%q}]},
		"subject":{"reference":"Patient/%s"},"effectiveDateTime":%q,"issued":%[4]q,
		"performer":[{"identifier":{"system":%[5]q,"value":%[6]q}}],
		"focus":[{"reference":"Appointment/%[7]s"}],"valueBoolean":%[8]t`,
		fhir.SystemKAP, code, c.Patient, stamp(c.At), TherapistNPI.System, TherapistNPI.Value, c.id("dosing"), answer)
}

// BloodPressure is a reading before the dosing session, in mm[Hg].
func (c *Course) BloodPressure(systolic, diastolic int, edits ...fhir.Edit) fhir.Version {
	return c.here("Observation", c.id("bp"), edits,
		`"status":"final","code":{"coding":[{"system":%[1]q,"code":%[2]q}]},
		"subject":{"reference":"Patient/%[3]s"},"effectiveDateTime":%[4]q,"focus":[{"reference":"Appointment/%[5]s"}],
		"component":[
		  {"code":{"coding":[{"system":%[1]q,"code":%[6]q}]},"valueQuantity":{"value":%[7]d,"unit":"mmHg","system":%[10]q,"code":"mm[Hg]"}},
		  {"code":{"coding":[{"system":%[1]q,"code":%[8]q}]},"valueQuantity":{"value":%[9]d,"unit":"mmHg","system":%[10]q,"code":"mm[Hg]"}}]`,
		fhir.SystemLOINC, fhir.LOINCBloodPressure, c.Patient, stamp(c.At), c.id("dosing"),
		fhir.LOINCSystolic, systolic, fhir.LOINCDiastolic, diastolic, fhir.SystemUCUM)
}

// HeartRate is a reading before the dosing session, in beats a minute.
func (c *Course) HeartRate(rate int, edits ...fhir.Edit) fhir.Version {
	return c.here("Observation", c.id("heart-rate"), edits,
		`"status":"final","code":{"coding":[{"system":%q,"code":%q}]},
		"subject":{"reference":"Patient/%s"},"effectiveDateTime":%q,"focus":[{"reference":"Appointment/%s"}],
		"valueQuantity":{"value":%d,"unit":"/min","system":%q,"code":"/min"}`,
		fhir.SystemLOINC, fhir.LOINCHeartRate, c.Patient, stamp(c.At), c.id("dosing"), rate, fhir.SystemUCUM)
}

// Flag is a stop that the prescriber recorded.
func (c *Course) Flag(status string, edits ...fhir.Edit) fhir.Version {
	return c.fromThere("Flag", c.id("stop"), edits,
		`"status":%q,"code":{"coding":[{"system":%q,"code":%q}]},
		"subject":{"reference":"Patient/%s"},"period":{"start":%q}`,
		status, fhir.SystemKAP, fhir.CodeStop, c.there(), stamp(c.At))
}

// AdverseEvent is what the therapist recorded of a session, graded by CodeSerious, CodeAskPrescriber or CodeExpected.
func (c *Course) AdverseEvent(severity string, edits ...fhir.Edit) fhir.Version {
	return c.here("AdverseEvent", c.id("event"), edits,
		`"actuality":"actual","subject":{"reference":"Patient/%s"},"date":%q,"recordedDate":%[2]q,
		"severity":{"coding":[{"system":%[3]q,"code":%[4]q}]}`,
		c.Patient, stamp(c.At), fhir.SystemKAP, severity)
}

// Administration is the dose taken at a session.
func (c *Course) Administration(at time.Time, lozenges int, edits ...fhir.Edit) fhir.Version {
	return c.here("MedicationAdministration", c.id("taken"), edits,
		`"status":"completed",
		"medicationCodeableConcept":{"coding":[{"system":%q,"code":%q}]},
		"subject":{"reference":"Patient/%s"},"effectiveDateTime":%q,
		"dosage":{"dose":{"value":%d,"unit":"lozenge","system":"http://unitsofmeasure.org","code":"{lozenge}"}}`,
		fhir.SystemRxNorm, fhir.RxNormKetamine, c.Patient, stamp(at), lozenges)
}

// SessionDone is the practice's record that a dosing session took place.
func (c *Course) SessionDone(at time.Time, edits ...fhir.Edit) fhir.Version {
	return c.here("Procedure", c.id("session"), edits,
		`"status":"completed","code":{"coding":[{"system":%q,"code":%q}]},
		"subject":{"reference":"Patient/%s"},"performedPeriod":{"start":%q,"end":%q}`,
		fhir.SystemSession, fhir.SessionDosing, c.Patient, stamp(at), stamp(at.Add(2*time.Hour)))
}

// Fulfilment is the hub's own state of a delivery of medicine, told by the prescriber's side.
func (c *Course) Fulfilment(state string, edits ...fhir.Edit) fhir.Version {
	return c.fromThere("Task", c.id("fulfilment"), edits,
		`"status":"in-progress","intent":"order",
		"code":{"coding":[{"system":%q,"code":%q}]},
		"businessStatus":{"coding":[{"system":%q,"code":%q}]},
		"focus":{"reference":"MedicationRequest/%s"},"for":{"reference":"Patient/%s"},"lastModified":%q`,
		fhir.SystemKAP, fhir.CodeFulfilment, fhir.SystemFulfilment, state, c.id("rx"), c.there(), stamp(c.At))
}
