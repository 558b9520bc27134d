package life

import (
	"cmp"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

// teller writes events as the FHIR that their owners' systems would tell.
type teller struct {
	*fhirtest.Course
	life   Life
	told   map[string]fhir.Version // the newest of each record, by What and ID
	digest map[int]string          // of the directions, by lozenges
}

func newTeller(l Life) *teller {
	c := fhirtest.Nth(int(l.Seed%100_000)+1, l.Start.AddDate(0, 0, 60))
	return &teller{Course: c, life: l, told: map[string]fhir.Version{}, digest: map[int]string{}}
}

var set = fhirtest.Set

func stamp(t time.Time) string { return t.In(fhirtest.Denver).Format(time.RFC3339) }

func date(t time.Time) string { return t.In(fhirtest.Denver).Format(time.DateOnly) }

func concept(system, code string) []any {
	return []any{map[string]any{"coding": []any{map[string]any{"system": system, "code": code}}}}
}

// id is a record's id at its source.
func (t *teller) id(what What, id string) string {
	name := map[What]string{
		Release: "release", Consented: "treatment-consent", Referral: "referral", Session: "dosing", Prepare: "preparation", Integrate: "integration",
		Dosed: "taken", Pressure: "bp", Pulse: "pulse", Check: "check", GoAhead: "go-ahead", Adverse: "event", CalendarEvent: "calendar",
		Asked: "task", Evaluation: "evaluation", FollowUp: "follow-up", Decision: "decision", Prescription: "rx", Dispensed: "dispense", Parcel: "parcel",
		Stop: "stop", Plan: "plan", Abort: "abort", Question: "question", Proposal: "proposal", Elsewhere: "rx", Role: "role", Acknowledged: "ack",
		NotHeld: "not-held", Scored: "score", Explained: "why", Answered: "condition", OwnLimit: "goal", SeenThere: "seen", News: "news",
	}[what]
	return name + "-" + plain(id) + "-" + t.Patient
}

// plain is id as FHIR allows it.
func plain(id string) string {
	out := []byte(id)
	for i, c := range out {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			out[i] = '-'
		}
	}
	return string(out)
}

func (t *teller) there() string { return "s-" + t.Patient }

// tell returns what e's owner tells of it; ok is false where that is no record.
func (t *teller) tell(e Event) (v fhir.Version, ok bool) {
	c := t.On(e.At.Add(e.Off))
	id := t.id(e.What, e.ID)
	edits := []fhir.Edit{set("id", id)}
	more := func(path string, value any) { edits = append(edits, set(path, value)) }
	switch e.What {
	case Known:
		edits = nil
		if e.Says != "" {
			more("address.0.state", e.Says)
		}
		if t.life.Seed%11 == 0 { // who would rather be written to
			more("telecom", []map[string]any{{"system": "email", "value": "nobody@example.org", "rank": 1}})
		}
		v = c.PatientHere(edits...)
	case KnownThere:
		edits = nil
		switch e.Says {
		case "birth date":
			more("birthDate", "1988-03-01")
		case "family name":
			more("name.0.family", "Somebody")
		case "spelling":
			more("name.0.family", "Inventedson-"+t.Patient)
		case "no birth date":
			more("birthDate", nil)
		case "died":
			more("deceasedBoolean", true)
		}
		v = c.PatientThere(edits...)
	case Release:
		var period any
		if !e.Start.IsZero() {
			period = map[string]any{"start": date(e.Start), "end": date(e.End)}
		}
		more("provision.period", period)
		if e.Says == "denied" {
			more("provision.type", "deny")
		}
		if e.Says == "inactive" {
			more("status", "inactive")
			more("dateTime", stamp(e.Start))
		}
		v = c.Release(edits...)
	case Consented:
		more("status", e.Says)
		if e.Says == "inactive" {
			more("dateTime", date(t.life.Start))
		}
		v = c.TreatmentConsent(edits...)
	case Referral:
		more("status", e.Says)
		more("identifier.0.value", "PLAC-"+id)
		v = c.Referral(edits...)
	case Session:
		if e.Of == "remote" {
			more("appointmentType", concept(fhir.SystemActCode, "VR")[0])
		}
		more("status", e.Says)
		v = c.Dosing(e.Start, edits...)
	case Prepare, Integrate:
		if e.What == Integrate {
			more("serviceType.0.coding.0.code", fhir.SessionIntegration)
		}
		more("status", e.Says)
		v = c.Preparation(e.Start, edits...)
	case Evaluation, FollowUp:
		if e.What == FollowUp {
			more("serviceType.0.coding.0.code", fhir.SessionFollowUp)
		}
		more("status", e.Says)
		more("start", stamp(e.Start))
		more("end", stamp(e.Start.Add(time.Hour)))
		v = c.Evaluation(edits...)
	case Dosed:
		v = c.Administration(e.Start, max(e.N, 1), edits...)
	case Acknowledged:
		rx, told := t.told[string(Prescription)+e.Of]
		if !told {
			return v, false
		}
		more("valueString", t.directions(e.N))
		v = c.Acknowledged(rx, edits...)
	case Pressure:
		more("focus.0.reference", "Appointment/"+t.id(Session, e.Of))
		if e.Says != "" {
			more("component.0.valueQuantity.code", e.Says)
			more("component.0.valueQuantity.unit", e.Says)
		}
		diastolic := cmp.Or(e.M, e.N*2/3)
		if e.Says != "" {
			diastolic = 75 // in mm[Hg], beside a systolic pressure in another unit
		}
		v = c.BloodPressure(e.N, diastolic, edits...)
	case Pulse:
		more("focus.0.reference", "Appointment/"+t.id(Session, e.Of))
		v = c.HeartRate(e.N, edits...)
	case Check, GoAhead:
		more("focus.0.reference", "Appointment/"+t.id(Session, e.Of))
		switch e.Says {
		case "nothing":
			more("valueBoolean", nil)
		case "another's":
			more("performer.0.identifier.value", "1999999999")
		case "nobody's":
			more("performer", nil)
		}
		code := fhir.CodeGoAhead
		if e.What == Check {
			code = e.ID[:len(e.ID)-len("-"+e.Of)]
		}
		v = c.Check(code, e.Says == "yes" || e.What == GoAhead && e.Says != "no", edits...)
	case Adverse:
		v = c.AdverseEvent(e.Says, edits...)
	case CalendarEvent:
		v = c.Told(Calendar, fhir.Practice, fmt.Sprintf(`{"resourceType":"Appointment","id":%q,"identifier":[{"system":%q,"value":%[1]q}],"status":"booked","start":%[3]q,"end":%[4]q,
			"participant":[{"actor":{"reference":"Patient/%[5]s"},"status":"accepted"}]}`, id, fhir.SystemCalendarEvent, stamp(e.Start), stamp(e.End), t.Patient))
	case Asked:
		more("authoredOn", stamp(t.life.Start.Add(12*time.Hour)))
		if e.ID != "1" {
			more("authoredOn", stamp(e.At))
		}
		if e.Of != "" {
			more("businessStatus", concept(fhir.SystemBusinessStatus, e.Of)[0])
		}
		v = c.Task(e.Says, edits...)
	case Decision:
		v = t.decision(e, edits)
	case Prescription:
		more("status", e.Says)
		more("authoredOn", stamp(e.Start.Add(e.Off)))
		more("dispenseRequest.validityPeriod", nil)
		more("dispenseRequest.numberOfRepeatsAllowed", e.M)
		if e.N > 1 {
			more("dosageInstruction.0.text", fmt.Sprintf("%d lozenges under the tongue at each session, in the therapist's office", e.N))
			more("dosageInstruction.0.doseAndRate.0.doseQuantity.value", e.N)
		}
		v = c.Prescription(edits...)
	case Dispensed:
		more("quantity.value", e.N)
		more("authorizingPrescription.0.reference", "MedicationRequest/"+t.id(Prescription, e.Of))
		if !e.End.IsZero() {
			more("contained", []any{map[string]any{"resourceType": "Medication", "id": "m", "code": concept(fhir.SystemRxNorm, fhir.RxNormKetamine)[0],
				"batch": map[string]any{"expirationDate": date(e.End)}}})
			more("medicationCodeableConcept", nil)
			more("medicationReference", map[string]any{"reference": "#m"})
		}
		v = c.Dispense(edits...)
	case Parcel:
		more("focus.reference", "MedicationRequest/"+t.id(Prescription, "1"))
		v = c.Fulfilment(e.Says, edits...)
	case Stop:
		v = t.stop(e, id)
	case Role:
		more("active", e.Says != "left")
		v = c.Role(edits...)
	case Elsewhere:
		v = t.Told(Other, Other, fmt.Sprintf(`{"resourceType":"MedicationRequest","id":%q,"status":%q,"intent":"order","medicationCodeableConcept":{"coding":[{"system":%q,"code":%q}]},
			"subject":{"reference":"Patient/o-%s"},"authoredOn":%q,"dosageInstruction":[{"text":"As told"}]}`, id, e.Says, fhir.SystemRxNorm, fhir.RxNormKetamine, t.Patient, stamp(e.Start)))
	case Plan:
		v = t.ours(fmt.Sprintf(`{"resourceType":"CarePlan","id":%q,"status":%q,"intent":"plan","subject":{"reference":"Patient/%s"}}`, id, e.Says, t.there()))
	case Abort:
		v = t.ours(fmt.Sprintf(`{"resourceType":"Task","id":%q,"status":%q,"intent":"proposal","code":{"coding":[{"system":%q,"code":"abort"}]},"focus":{"reference":"Task/%s"},"for":{"reference":"Patient/%s"}}`,
			id, e.Says, fhir.SystemTaskCode, t.id(Asked, "1"), t.there()))
	case Question:
		v = t.ours(fmt.Sprintf(`{"resourceType":"Task","id":%q,"status":%q,"intent":"order","description":"Please send the last ECG","partOf":[{"reference":"Task/%s"}],"for":{"reference":"Patient/%s"},"authoredOn":%q}`,
			id, e.Says, t.id(Asked, "1"), t.there(), stamp(e.At)))
	case Proposal:
		v = t.ours(fmt.Sprintf(`{"resourceType":"ServiceRequest","id":%q,"status":%q,"intent":"proposal","basedOn":[{"reference":"ServiceRequest/s-referral"}],"subject":{"reference":"Patient/%s"},"code":{"text":"Something else"}}`,
			id, e.Says, t.there()))
	case NotHeld, Scored, Explained, Answered, OwnLimit, SeenThere, News:
		v = t.beside(c, e, id, edits)
	case Gone:
		was, told := t.told[e.Of+e.ID]
		if !told || was.Gone {
			return v, false
		}
		v = c.Gone(was, "deleted")
		t.told[e.Of+e.ID] = v
		return v, true
	default:
		return v, false
	}
	t.told[string(e.What)+e.ID] = v
	return v, true
}

func (t *teller) ours(body string) fhir.Version {
	return t.Told(Prescriber, fhirtest.Prescriber, body)
}

// directions is the digest of the directions for so many lozenges a session.
func (t *teller) directions(lozenges int) string {
	if d, ok := t.digest[lozenges]; ok {
		return d
	}
	aside := fhirtest.Nth(1, t.Now)
	var edits []fhir.Edit
	if lozenges > 1 {
		edits = append(edits, set("dosageInstruction.0.text", fmt.Sprintf("%d lozenges under the tongue at each session, in the therapist's office", lozenges)),
			set("dosageInstruction.0.doseAndRate.0.doseQuantity.value", lozenges))
	}
	t.digest[lozenges] = fhir.DosageDigest(aside.Prescription(edits...).Resource)
	return t.digest[lozenges]
}

// decision flaws: who decided.
const (
	byAnother = 1
	byNobody  = 2
)

func (t *teller) decision(e Event, edits []fhir.Edit) fhir.Version {
	more := func(path string, value any) { edits = append(edits, set(path, value)) }
	more("focus", nil)
	says, end := e.Says, ""
	switch e.Says {
	case "pending":
		says = fhir.DecisionCleared
		more("status", "preliminary")
	case "unreadable":
		says = "perhaps"
	case fhir.DecisionConditions:
		more("component", []any{fhirtest.Condition("ECG")})
	}
	if !e.End.IsZero() {
		end = date(e.End)
	}
	switch e.N {
	case byAnother:
		more("performer.0.identifier.value", "1999999999")
	case byNobody:
		more("performer", nil)
	}
	return t.Clearance(says, date(e.Start), end, edits...)
}

func (t *teller) stop(e Event, id string) fhir.Version {
	if e.Source != Other {
		return t.Flag(e.Says, set("id", id))
	}
	return t.Told(Other, Other, fmt.Sprintf(`{"resourceType":"Flag","id":%q,"status":%q,"code":{"coding":[{"system":%q,"code":%q}]},"subject":{"reference":"Patient/o-%s"},"period":{"start":%q}}`,
		id, e.Says, fhir.SystemKAP, fhir.CodeStop, t.Patient, stamp(e.At)))
}
