package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// The practice's own directory: the prescriber is in it under its NPI.
var (
	reverie    = fhir.Ref{Type: "Organization", ID: "reverie"}
	partner    = fhir.Ref{Type: "Organization", ID: "skylight"}
	office     = fhir.Ref{Type: "Location", ID: "office"}
	therapists = []object{
		{"reference": "Practitioner/therapist-1", "display": "Robin Sample, LPC"},
		{"reference": "Practitioner/therapist-2", "display": "Alex Example, LCSW"},
		{"reference": "Practitioner/therapist-3", "display": "Sam Testcase, LMFT"},
	}
)

var (
	toPartner = object{"reference": partner.String(), "identifier": identifier(npi), "display": "Skylight Psychedelics"}
	optIn     = concept(fhir.SystemActCode, "OPTIN")
)

// furnish writes down who and what there is at both parties before any client comes.
func (w *World) furnish(time.Time) {
	s := w.Practice
	w.write(s, object{"resourceType": "Organization", "id": reverie.ID, "active": true, "name": "Reverie (sandbox)"})
	w.write(s, object{"resourceType": "Organization", "id": partner.ID, "identifier": list(identifier(npi)), "active": true, "name": "Skylight Psychedelics"})
	w.write(s, object{"resourceType": "Location", "id": office.ID, "status": "active", "name": "Reverie, room 1", "address": object{"city": "Denver", "state": "CO"}})
	for i, t := range therapists {
		name, _, _ := strings.Cut(t["display"].(string), ",")
		first, last, _ := strings.Cut(name, " ")
		w.write(s, object{"resourceType": "Practitioner", "id": fmt.Sprintf("therapist-%d", i+1), "active": true,
			"identifier": list(identifier(fhir.ID{System: systemStaff, Value: fmt.Sprintf("T-%d", i+1)})),
			"name":       list(object{"family": last, "given": []string{first}})})
	}
	w.write(s, object{"resourceType": "Patient", "identifier": list(typed("MR", fhir.ID{System: SystemMRN, Value: "RV-1"})), "active": true,
		"name": list(object{"family": "Sample", "given": []string{"Bystander"}}), "birthDate": "1971-01-01"}) // in therapy, not in this programme
	w.furnishPrescriber()
}

// joins opens the client's record at the practice.
func (c *client) joins(time.Time) { c.here = c.w.write(c.w.Practice, c.patient(c.birth)) }

// releases signs a release of information to the prescriber, good for a while.
func (c *client) releases(valid time.Duration) func(time.Time) {
	return func(at time.Time) {
		c.release = c.w.write(c.w.Practice, object{
			"resourceType": "Consent", "status": "active", "scope": concept(fhir.SystemConsentScope, "patient-privacy"),
			"category": list(concept(fhir.SystemActCode, "IDSCL")), "patient": refer(c.here), "dateTime": stamp(at), "policyRule": optIn,
			"provision": object{
				"type": "permit", "period": object{"start": stamp(at), "end": dated(at.Add(valid))},
				"actor": list(object{"role": concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"), "reference": toPartner}),
			},
		})
	}
}

// consents signs the consent to treatment.
func (c *client) consents(at time.Time) {
	c.treatment = c.w.write(c.w.Practice, object{
		"resourceType": "Consent", "status": "active", "scope": concept(fhir.SystemConsentScope, "treatment"),
		"category": list(concept(fhir.SystemKAP, fhir.CodeTreatmentConsent)), "patient": refer(c.here), "dateTime": stamp(at), "policyRule": optIn,
		"provision": object{"type": "permit"},
	})
}

// withdrawsConsent ends the consent to treatment.
func (c *client) withdrawsConsent(time.Time) {
	c.w.revise(c.w.Practice, c.treatment, func(o object) { o["status"] = "inactive" })
}

// isReferred writes the practice's referral. It is the hub's to carry it over.
func (c *client) isReferred(at time.Time) {
	c.referral = c.w.write(c.w.Practice, object{
		"resourceType": "ServiceRequest", "identifier": list(typed("PLAC", c.id(systemReferral, "REF"))),
		"status": "active", "intent": "order", "code": concept(fhir.SystemKAP, fhir.CodeEvaluation), "subject": refer(c.here),
		"authoredOn": stamp(at), "requester": c.therapist, "performer": list(toPartner),
		"reasonCode": list(object{"text": "Evaluation for ketamine-assisted psychotherapy"}), "supportingInfo": list(refer(c.release)),
	})
}

// appointment is a meeting of a client with somebody.
func (c *client) appointment(session string, patient fhir.Ref, with object, start time.Time, length time.Duration, status string) object {
	return object{
		"resourceType": "Appointment", "status": status, "serviceType": list(concept(fhir.SystemSession, session)),
		"start": stamp(start), "end": stamp(start.Add(length)), "participant": c.meets(patient, with, "accepted"),
	}
}

func (c *client) meets(patient fhir.Ref, with object, status string) []object {
	return list(object{"actor": refer(patient), "status": status}, object{"actor": with, "status": status})
}

// session is a meeting at the practice's office.
func (c *client) session(kind string, start time.Time, length time.Duration) object {
	a := c.appointment(kind, c.here, c.therapist, start, length, "booked")
	a["participant"] = append(a["participant"].([]object), object{"actor": object{"reference": office.String(), "display": "Reverie, room 1"}, "status": "accepted"})
	return a
}

// isPrepared books the preparation session; hasPrepared closes it.
func (c *client) isPrepared(at time.Time) {
	c.preparation = c.w.write(c.w.Practice, c.session(fhir.SessionPreparation, at, time.Hour))
}

func (c *client) hasPrepared(time.Time) { c.ends(c.preparation) }

func (c *client) ends(appointment fhir.Ref) {
	c.w.revise(c.w.Practice, appointment, func(a object) { a["status"] = "fulfilled" })
}

// books books a dosing session for a time.
func (c *client) books(start time.Time) func(time.Time) {
	return func(time.Time) {
		c.begins = start
		c.dosing = c.w.write(c.w.Practice, c.session(fhir.SessionDosing, start, 2*time.Hour))
	}
}

// moved puts the dosing session off.
func (c *client) moved(start time.Time) func(time.Time) {
	return func(time.Time) {
		c.begins = start
		c.w.revise(c.w.Practice, c.dosing, func(a object) { a["start"], a["end"] = stamp(start), stamp(start.Add(2*time.Hour)) })
	}
}

// observed is something the practice noted about the client.
func (c *client) observed(at time.Time, code object, value object) {
	o := object{
		"resourceType": "Observation", "status": "final", "code": code, "subject": refer(c.here),
		"effectiveDateTime": stamp(at), "issued": stamp(at), "performer": list(c.therapist),
	}
	for k, v := range value {
		o[k] = v
	}
	c.w.write(c.w.Practice, o)
}

// acknowledges notes that the therapist has read the directions as they stand at the prescriber. The record lies at
// another server than the prescription, so focus is logical: it names the prescription's business identifier, and
// valueString is the digest of the directions that were read. Readers take it for an acknowledgement of a prescription
// when focus.identifier is one of the prescription's, when focus is the hub's copy of it at the practice, or when the
// digest alone matches its directions.
func (c *client) acknowledges(at time.Time) {
	body, ok := c.w.Prescriber.Get(c.rx)
	if !ok {
		return
	}
	rx, err := fhir.Parse(body, "MedicationRequest")
	if err != nil {
		c.w.err = errors.Join(c.w.err, fmt.Errorf("acknowledge %s: %w", c.rx, err))
		return
	}
	c.observed(at, concept(fhir.SystemKAP, fhir.CodeAcknowledged), object{
		"focus":       list(object{"type": "MedicationRequest", "identifier": identifier(c.id(systemPrescription, "RX"))}),
		"valueString": fhir.DosageDigest(rx),
	})
}

// arrives notes the arrival checks of the dosing session.
func (c *client) arrives(at time.Time) {
	focus := list(refer(c.dosing))
	c.observed(at, concept(fhir.SystemLOINC, fhir.LOINCBloodPressure), object{"focus": focus, "component": list(
		object{"code": concept(fhir.SystemLOINC, fhir.LOINCSystolic), "valueQuantity": quantity(110+c.n%20, "mmHg", "mm[Hg]")},
		object{"code": concept(fhir.SystemLOINC, fhir.LOINCDiastolic), "valueQuantity": quantity(68+c.n%12, "mmHg", "mm[Hg]")},
	)})
	c.observed(at, concept(fhir.SystemLOINC, fhir.LOINCHeartRate), object{"focus": focus, "valueQuantity": quantity(62+c.n%20, "beats/minute", "/min")})
	for _, check := range []struct {
		code string
		said bool
	}{{fhir.CodeRide, true}, {fhir.CodeFasting, true}, {fhir.CodeLocation, true}, {fhir.CodeNewInformation, false}} {
		c.observed(at, concept(fhir.SystemKAP, check.code), object{"focus": focus, "valueBoolean": check.said})
	}
}

// goesAhead is the therapist's own key.
func (c *client) goesAhead(at time.Time) {
	c.observed(at, concept(fhir.SystemKAP, fhir.CodeGoAhead), object{"focus": list(refer(c.dosing)), "valueBoolean": true})
}

// isHeld closes the dosing session with its facts and books an integration session.
func (c *client) isHeld(time.Time) {
	start, end := c.begins, c.begins.Add(2*time.Hour)
	c.ends(c.dosing)
	period := object{"start": stamp(start), "end": stamp(end)}
	procedure := c.w.write(c.w.Practice, object{
		"resourceType": "Procedure", "status": "completed", "code": concept(fhir.SystemSession, fhir.SessionDosing),
		"subject": refer(c.here), "performedPeriod": period, "performer": list(object{"actor": c.therapist}), "location": refer(office),
	})
	c.w.write(c.w.Practice, object{
		"resourceType": "MedicationAdministration", "status": "completed", "partOf": list(refer(procedure)),
		"medicationCodeableConcept": ketamine, "subject": refer(c.here), "effectiveDateTime": stamp(start.Add(10 * time.Minute)),
		"request": object{"type": "MedicationRequest", "identifier": identifier(c.id(systemPrescription, "RX"))},
		"dosage":  object{"route": sublingual, "dose": lozenges(1)},
	})
	c.w.write(c.w.Practice, c.session(fhir.SessionIntegration, end.Add(2*day), time.Hour))
}

// reacts is a serious adverse event that the therapist recorded.
func (c *client) reacts(at time.Time) {
	c.w.write(c.w.Practice, object{
		"resourceType": "AdverseEvent", "actuality": "actual", "subject": refer(c.here), "date": stamp(at), "recordedDate": stamp(at),
		"event": object{"text": "Reaction after the last session"},
		"severity": object{"coding": list(
			object{"system": "http://terminology.hl7.org/CodeSystem/adverse-event-severity", "code": "severe"},
			object{"system": fhir.SystemKAP, "code": fhir.CodeSerious})},
		"recorder": c.therapist,
	})
}
