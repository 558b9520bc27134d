package life

import (
	"fmt"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

// beside tells what is recorded beside the course: of the client, of a session that was not held, of limits and conditions.
func (t *teller) beside(c *fhirtest.Course, e Event, id string, edits []fhir.Edit) fhir.Version {
	more := func(path string, value any) { edits = append(edits, set(path, value)) }
	switch e.What {
	case NotHeld:
		more("status", "not-done")
		return c.SessionDone(e.Start, edits...)
	case Scored:
		return c.Told(Practice, fhir.Practice, fmt.Sprintf(`{"resourceType":"Observation","id":%q,"status":"final","code":{"coding":[{"system":%q,"code":%q}]},
			"subject":{"reference":"Patient/%s"},"effectiveDateTime":%q,"valueInteger":%d}`, id, fhir.SystemLOINC, e.Of, t.Patient, stamp(c.At), e.N))
	case Explained:
		return c.Told(Practice, fhir.Practice, fmt.Sprintf(`{"resourceType":"Observation","id":%q,"status":"final","code":{"coding":[{"system":%q,"code":%q}]},"subject":{"reference":"Patient/%s"},
			"issued":%q,"focus":[{"reference":"Appointment/%s"}],"valueString":"the checks were made, on paper"}`, id, fhir.SystemKAP, fhir.CodeBeganWhy, t.Patient, stamp(c.At), t.id(Session, e.Of)))
	case Answered:
		more("focus.reference", "Observation/"+t.id(Decision, e.Of))
		return c.ConditionMet("ECG", e.Says, edits...)
	case OwnLimit:
		loinc, unit := fhir.LOINCSystolic, "mm[Hg]"
		if e.Of == "pulse" {
			loinc, unit = fhir.LOINCHeartRate, "/min"
		}
		more("lifecycleStatus", e.Says)
		more("target", []any{map[string]any{"measure": concept(fhir.SystemLOINC, loinc)[0],
			"detailQuantity": map[string]any{"value": e.N, "unit": unit, "system": fhir.SystemUCUM, "code": unit}}})
		return c.Goal(edits...)
	case SeenThere:
		return c.Told(Prescriber, fhirtest.Prescriber, encounter(id, "AMB", t.there(), stamp(e.Start.Add(e.Off)), "finished"))
	}
	return t.news(c, e, id)
}

func encounter(id, class, patient, start, status string) string {
	return fmt.Sprintf(`{"resourceType":"Encounter","id":%q,"status":%q,"class":{"system":%q,"code":%q},"subject":{"reference":"Patient/%s"},"period":{"start":%q}}`,
		id, status, fhir.SystemActCode, class, patient, start)
}

// news tells of something on the watch list, or that it was a mistake.
func (t *teller) news(c *fhirtest.Course, e Event, id string) fhir.Version {
	party, patient := fhir.Practice, t.Patient
	if e.Source == Prescriber {
		party, patient = fhirtest.Prescriber, t.there()
	}
	mistaken := e.Says == "mistaken"
	status := func(usual string) string {
		if mistaken {
			return "entered-in-error"
		}
		return usual
	}
	at := stamp(c.At)
	if !e.Start.IsZero() {
		at = stamp(e.Start)
	}
	var body string
	switch e.Of {
	case "diagnosis":
		verified := ""
		if mistaken {
			verified = `"verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"refuted"}]},`
		}
		body = fmt.Sprintf(`{"resourceType":"Condition","id":%q,%s"code":{"coding":[{"system":%q,"code":"Z33.1"}]},"subject":{"reference":"Patient/%s"},"recordedDate":%q}`, id, verified, fhir.SystemICD10, patient, at)
	case "medicine":
		body = fmt.Sprintf(`{"resourceType":"MedicationStatement","id":%q,"status":%q,"medicationCodeableConcept":{"coding":[{"system":%q,"code":"6470"}]},"subject":{"reference":"Patient/%s"},"dateAsserted":%q}`,
			id, status("active"), fhir.SystemRxNorm, patient, at)
	case "test":
		body = fmt.Sprintf(`{"resourceType":"Observation","id":%q,"status":%q,"code":{"coding":[{"system":%q,"code":"82810-3"}]},"subject":{"reference":"Patient/%s"},"issued":%q,
			"valueCodeableConcept":{"coding":[{"system":%q,"code":"77386006"}]}}`, id, status("final"), fhir.SystemLOINC, patient, at, fhir.SystemSNOMED)
	default:
		body = encounter(id, "EMER", patient, at, status("finished"))
	}
	return c.Told(e.Source, party, body)
}
