package report

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// row is one thing that a type of record says: an element and what it is called. An element in whose name stands "[x]" is
// whichever of its choices is there.
type row struct {
	path, name string
	open       bool // see Said
	form       form
}

// form is how an element is read where that cannot be seen from its shape.
type form int

const (
	shown      form = iota
	code            // a required code: anything else is left out where it is open
	moment          // a date or a time
	personName      // a name, and which of a person's names it is
)

// tells is what is told of each type. What stands nowhere here is not told; what is not open is for those who may see doses,
// readings, scores and events.
var tells = map[string][]row{
	"Patient": {
		{"name", "Name", true, personName}, {"birthDate", "Born", true, moment}, {"telecom", "Reached by", true, shown}, {"address", "Address", true, shown},
		{"deceased[x]", "Deceased", true, moment}, {"active", "Active", true, code},
	},
	"Consent": {
		{"status", "Status", true, code}, {"dateTime", "Signed", true, moment}, {"provision.period", "Valid", true, moment}, {"provision.type", "Says", true, code},
		{"category", "Kind", false, shown}, {"scope", "Scope", false, shown}, {"provision.actor.reference", "To", false, shown},
	},
	"ServiceRequest": {
		{"status", "Status", true, code}, {"authoredOn", "Written", true, moment}, {"occurrence[x]", "Wanted", true, moment},
		{"code", "For", false, shown}, {"performer", "To", false, shown}, {"requester", "By", false, shown}, {"reasonCode", "Reason", false, shown}, {"note", "Note", false, shown},
	},
	"Task": {
		{"status", "Status", true, code}, {"lastModified", "Moved", true, moment}, {"authoredOn", "Written", true, moment},
		{"code", "What", false, shown}, {"businessStatus", "Stands", false, shown}, {"statusReason", "Why", false, shown}, {"reasonCode", "About", false, shown},
		{"description", "Says", false, shown}, {"owner", "Whose", false, shown}, {"note", "Note", false, shown}, {"output.valueString", "Answer", false, shown},
	},
	"Appointment": {
		{"status", "Status", true, code}, {"start", "From", true, moment}, {"end", "To", true, moment},
		{"serviceType", "Kind", false, shown}, {"appointmentType", "Kind", false, shown}, {"participant.actor", "With", false, shown},
		{"cancelationReason", "Called off", false, shown}, {"description", "Says", false, shown}, {"comment", "Comment", false, shown}, {"patientInstruction", "For the client", false, shown},
	},
	"Observation": {
		{"status", "Status", true, code}, {"effective[x]", "Of", true, moment}, {"issued", "Told", true, moment},
		{"code", "What", false, shown}, {"value[x]", "Says", false, shown}, {"component", "Parts", false, shown}, {"interpretation", "Read as", false, shown},
		{"dataAbsentReason", "Missing because", false, shown}, {"performer", "By", false, shown}, {"note", "Note", false, shown},
	},
	"MedicationRequest": {
		{"status", "Status", true, code}, {"authoredOn", "Written", true, moment}, {"dispenseRequest.validityPeriod", "May be filled", true, moment},
		{"medicationCodeableConcept", "Medicine", false, shown}, {"medicationReference", "Medicine", false, shown}, {"dosageInstruction", "Directions", false, shown},
		{"dispenseRequest.quantity", "Amount", false, shown}, {"dispenseRequest.numberOfRepeatsAllowed", "Repeats", false, shown}, {"requester", "By", false, shown},
		{"statusReason", "Why", false, shown}, {"doNotPerform", "Not to be given", false, shown}, {"note", "Note", false, shown},
	},
	"MedicationDispense": {
		{"status", "Status", true, code}, {"whenPrepared", "Filled", true, moment}, {"whenHandedOver", "In the client's hands", true, moment},
		{"medicationCodeableConcept", "Medicine", false, shown}, {"medicationReference", "Medicine", false, shown}, {"quantity", "Amount", false, shown},
		{"daysSupply", "Lasts", false, shown}, {"destination", "Sent to", false, shown}, {"dosageInstruction", "Directions", false, shown},
		{"statusReasonCodeableConcept", "Why", false, shown}, {"performer.actor", "By", false, shown}, {"note", "Note", false, shown},
	},
	"MedicationAdministration": {
		{"status", "Status", true, code}, {"effective[x]", "Taken", true, moment}, {"medicationCodeableConcept", "Medicine", false, shown}, {"dosage", "Dose", false, shown},
		{"statusReason", "Why", false, shown}, {"note", "Note", false, shown},
	},
	"Procedure": {
		{"status", "Status", true, code}, {"performed[x]", "Took place", true, moment}, {"code", "What", false, shown}, {"outcome", "Outcome", false, shown},
		{"statusReason", "Why", false, shown}, {"note", "Note", false, shown},
	},
	"Encounter": {
		{"status", "Status", true, code}, {"period", "Took place", true, moment}, {"class", "How", false, shown}, {"type", "Kind", false, shown},
		{"participant.individual", "With", false, shown}, {"reasonCode", "Reason", false, shown},
	},
	"Flag":     {{"status", "Status", true, code}, {"period", "Stands", true, moment}, {"code", "Says", false, shown}, {"author", "By", false, shown}},
	"CarePlan": {{"status", "Status", true, code}, {"period", "Stands", true, moment}, {"title", "Title", false, shown}, {"description", "Says", false, shown}, {"activity.detail", "Planned", false, shown}, {"note", "Note", false, shown}},
	"Goal":     {{"lifecycleStatus", "Status", true, code}, {"startDate", "From", true, moment}, {"description", "Says", false, shown}, {"target", "Target", false, shown}, {"note", "Note", false, shown}},
	"Condition": {{"recordedDate", "Recorded", true, moment}, {"onset[x]", "Since", true, moment}, {"code", "What", false, shown}, {"clinicalStatus", "Stands", false, shown},
		{"verificationStatus", "Sure", false, shown}, {"note", "Note", false, shown}},
	"MedicationStatement": {{"status", "Status", true, code}, {"effective[x]", "Taken", true, moment}, {"medicationCodeableConcept", "Medicine", false, shown},
		{"medicationReference", "Medicine", false, shown}, {"dosage", "Dose", false, shown}, {"note", "Note", false, shown}},
	"AdverseEvent": {{"date", "Of", true, moment}, {"recordedDate", "Recorded", true, moment}, {"severity", "Grade", false, shown}, {"seriousness", "Seriousness", false, shown},
		{"event", "What happened", false, shown}, {"outcome", "Outcome", false, shown}},
	"DiagnosticReport": {{"status", "Status", true, code}, {"effective[x]", "Of", true, moment}, {"issued", "Told", true, moment}, {"code", "What", false, shown}, {"conclusion", "Says", false, shown}},
	"Practitioner":     {{"name", "Name", true, personName}, {"active", "Active", true, code}},
	"PractitionerRole": {{"practitioner", "Who", true, shown}, {"period", "Stands", true, moment}, {"active", "Active", true, code}},
	"Organization":     {{"name", "Name", true, shown}}, "Medication": {{"code", "Medicine", false, shown}, {"batch.expirationDate", "Good until", true, moment}},
	"DocumentReference": {{"status", "Status", true, code}, {"date", "Of", true, moment}, {"type", "Kind", false, shown}, {"category", "Kind", false, shown}, {"description", "Says", false, shown}},
}

// kinds are what each type is personName where nothing more is known of it.
var kinds = map[string]string{
	"Patient": "Who the client is", "Consent": "Consent", "ServiceRequest": "Referral", "Task": "Request to take the referral up", "Appointment": "Appointment", "Observation": "Observation",
	"MedicationRequest": "Prescription", "MedicationDispense": "Medicine dispensed", "MedicationAdministration": "Medicine taken", "Procedure": "Session held",
	"Encounter": "Visit", "Flag": "Flag", "CarePlan": "Care plan", "Goal": "Goal", "Condition": "Condition", "MedicationStatement": "Medicine the client takes",
	"AdverseEvent": "Adverse event", "DiagnosticReport": "Report", "DocumentReference": "Document", "Provenance": "Who entered it",
	"Practitioner": "Clinician", "PractitionerRole": "Clinician's role", "Organization": "Organization", "Medication": "Medicine",
}

// ownKinds are what a record is by one of the practice's own codes.
var ownKinds = map[string]string{
	fhir.SystemKAP + "|" + fhir.CodeClearance: "Decision", fhir.SystemKAP + "|" + fhir.CodeGoAhead: "Go-ahead", fhir.SystemKAP + "|" + fhir.CodeAcknowledged: "Directions acknowledged",
	fhir.SystemKAP + "|" + fhir.CodeFulfilment: "Order at the pharmacy", fhir.SystemKAP + "|" + fhir.CodeStop: "Stop", fhir.SystemKAP + "|" + fhir.CodeCondition: "Condition of the clearance",
	fhir.SystemKAP + "|" + fhir.CodeAmountLeft: "Medicine counted", fhir.SystemKAP + "|" + fhir.CodeBeganWhy: "Why the session began", fhir.SystemKAP + "|" + fhir.CodeRide: "Ride home",
	fhir.SystemKAP + "|" + fhir.CodeFasting: "Fasting", fhir.SystemKAP + "|" + fhir.CodeLocation: "Location", fhir.SystemKAP + "|" + fhir.CodeNewInformation: "Anything new",
	fhir.SystemKAP + "|" + fhir.CodeTreatmentConsent: "Consent to treatment", fhir.SystemActCode + "|IDSCL": "Release of information", fhir.SystemLOINC + "|" + fhir.LOINCConsentDocument: "Release of information",
	fhir.SystemKAP + "|" + fhir.CodeEvaluation: "Evaluation", fhir.SystemLOINC + "|" + fhir.LOINCBloodPressure: "Blood pressure", fhir.SystemLOINC + "|" + fhir.LOINCHeartRate: "Heart rate",
	fhir.SystemSession + "|" + fhir.SessionPreparation: "Preparation session", fhir.SystemSession + "|" + fhir.SessionDosing: "Dosing session",
	fhir.SystemSession + "|" + fhir.SessionIntegration: "Integration session", fhir.SystemSession + "|" + fhir.SessionEvaluation: "Evaluation", fhir.SystemSession + "|" + fhir.SessionFollowUp: "Follow-up",
}

// codes are codes that are written often, without words beside them, in words.
var codes = map[string]string{
	fhir.SystemLOINC + "|" + fhir.LOINCSystolic: "systolic", fhir.SystemLOINC + "|" + fhir.LOINCDiastolic: "diastolic", fhir.SystemLOINC + "|" + fhir.LOINCHeartRate: "heart rate",
	fhir.SystemLOINC + "|" + fhir.LOINCBloodPressure: "blood pressure", fhir.SystemRxNorm + "|" + fhir.RxNormKetamine: "ketamine",
	fhir.SystemTaskCode + "|fulfill": "to take it up", fhir.SystemConsentScope + "|patient-privacy": "who may know of it", fhir.SystemConsentScope + "|treatment": "treatment",
	fhir.SystemActCode + "|" + fhir.ActOffice: "in the office", fhir.SystemActCode + "|" + fhir.ActRemote: "remote", fhir.SystemActCode + "|" + fhir.ActHome: "at home",
}

// kindOf is what a record is, by its type and by codes of the practice's own.
func kindOf(typ string, body map[string]any) string {
	for _, element := range []string{"code", "category", "serviceType"} {
		if typ == "ServiceRequest" { // its code is what is asked for
			break
		}
		for _, c := range list(body[element]) {
			concept, _ := c.(map[string]any)
			for _, coding := range list(concept["coding"]) {
				m, _ := coding.(map[string]any)
				if kind := ownKinds[str(m["system"])+"|"+str(m["code"])]; kind != "" {
					return kind
				}
			}
		}
	}
	if kind := kinds[typ]; kind != "" {
		return kind
	}
	return "Record"
}

// value is what body says under a row's path.
func (r *Records) value(body map[string]any, w row) string {
	found := []any{body}
	for part := range strings.SplitSeq(w.path, ".") {
		var next []any
		for _, at := range found {
			m, _ := at.(map[string]any)
			if stem, choice := strings.CutSuffix(part, "[x]"); choice {
				for _, key := range membersOf(m) {
					if rest, ok := strings.CutPrefix(key, stem); ok && rest != "" && rest[0] >= 'A' && rest[0] <= 'Z' {
						next = append(next, list(m[key])...)
					}
				}
				continue
			}
			next = append(next, list(m[part])...)
		}
		found = next
	}
	var said []string
	for _, x := range found {
		text := r.render(x)
		switch w.form {
		case code:
			text = requiredCode(x)
		case moment:
			text = r.when(x)
		case personName:
			text = r.name(x)
		}
		if text != "" && !slices.Contains(said, text) && !strings.HasPrefix(text, "Patient/") && !digest.MatchString(text) {
			said = append(said, text)
		}
	}
	return strings.Join(said, "; ")
}

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`) // of directions: for machines

var codeForm = regexp.MustCompile(`^[a-z][a-z-]{0,29}$`)

// requiredCode is a code of FHIR's own, or yes or no; anything else could be anything.
func requiredCode(x any) string {
	switch x := x.(type) {
	case bool:
		return yesNo(x)
	case string:
		if codeForm.MatchString(x) {
			return x
		}
	}
	return ""
}

// name is a person's name, and which of theirs it is.
func (r *Records) name(x any) string {
	m, _ := x.(map[string]any)
	said := str(m["text"])
	if said == "" {
		said = strings.TrimSpace(r.render(m["given"]) + " " + str(m["family"]))
		said = strings.ReplaceAll(said, ",", "")
	}
	use := map[string]string{"official": "legal", "usual": "chosen"}[str(m["use"])]
	if use == "" {
		use = requiredCode(m["use"])
	}
	if said == "" || use == "" {
		return said
	}
	return said + " (" + use + ")"
}

// when is a date, a time or a period; anything else could be anything.
func (r *Records) when(x any) string {
	switch x := x.(type) {
	case bool:
		return yesNo(x)
	case string:
		return r.date(x)
	case map[string]any:
		from, to := r.date(str(x["start"])), r.date(str(x["end"]))
		switch {
		case from != "" && to != "":
			return from + " to " + to
		case from != "":
			return "from " + from
		case to != "":
			return "to " + to
		}
	}
	return ""
}

// date writes a FHIR date or time as one reads it; "" where it is none.
func (r *Records) date(s string) string {
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at.In(r.zone).Format("Mon 2 Jan 2006 15:04 MST")
	}
	if at, err := time.Parse(time.DateOnly, s); err == nil {
		return at.Format("Mon 2 Jan 2006")
	}
	if at, err := time.Parse("2006-01", s); err == nil {
		return at.Format("January 2006")
	}
	if _, err := time.Parse("2006", s); err == nil {
		return s
	}
	return ""
}

// render writes any element of FHIR by its shape.
func (r *Records) render(x any) string {
	switch x := x.(type) {
	case nil:
		return ""
	case bool:
		return yesNo(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case string:
		if at := r.date(x); at != "" && len(x) >= len(time.DateOnly) {
			return at
		}
		return x
	case []any:
		return r.joined(x)
	case map[string]any:
		return r.object(x)
	}
	return fmt.Sprint(x)
}

func (r *Records) joined(list []any) string {
	var said []string
	for _, x := range list {
		if text := r.render(x); text != "" {
			said = append(said, text)
		}
	}
	return strings.Join(said, ", ")
}

func (r *Records) object(m map[string]any) string {
	has := func(keys ...string) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return m[k] != nil })
	}
	switch {
	case has("coding") || has("text") && !has("timing", "doseAndRate"):
		return r.concept(m)
	case has("value") && (has("unit", "comparator") || has("code") && has("system") && isNumber(m["value"])):
		return strings.TrimSpace(str(m["comparator"]) + " " + r.render(m["value"]) + " " + or(str(m["unit"]), str(m["code"])))
	case has("low", "high"):
		return strings.TrimSpace(r.render(m["low"]) + " to " + r.render(m["high"]))
	case has("start", "end"):
		return r.when(m)
	case has("line", "city", "postalCode", "state"):
		return r.joined([]any{m["line"], m["city"], m["state"], m["postalCode"]})
	case has("value") && has("system"): // a telephone, an identifier
		if use := str(m["use"]); use != "" {
			return str(m["system"]) + " " + r.render(m["value"]) + " (" + use + ")"
		}
		return str(m["system"]) + " " + r.render(m["value"])
	case has("reference", "display", "identifier"):
		if display := str(m["display"]); display != "" {
			return display
		}
		if id, ok := m["identifier"].(map[string]any); ok {
			is := fhir.ID{System: str(id["system"]), Value: str(id["value"])}
			return or(r.whose[is], is.Shown())
		}
		return or(r.names[str(m["reference"])], str(m["reference"]))
	case str(m["display"]) != "" || str(m["code"]) != "":
		return or(str(m["display"]), str(m["code"]))
	}
	about, _ := m["code"].(map[string]any)
	var said []string
	for _, key := range membersOf(m) { // what has a form of its own: each of its elements, by name
		if key == "id" || key == "extension" || strings.HasPrefix(key, "_") || about != nil && key == "code" {
			continue
		}
		if text := r.render(m[key]); text != "" {
			said = append(said, text)
		}
	}
	if what := r.concept(about); what != "" && len(said) > 0 {
		return what + ": " + strings.Join(said, ", ")
	} else if what != "" {
		return what
	}
	return strings.Join(said, ", ")
}

// concept is its own words, else what its code is displayed as, else the code.
func (r *Records) concept(m map[string]any) string {
	if text := str(m["text"]); text != "" {
		return text
	}
	for _, coding := range list(m["coding"]) {
		c, _ := coding.(map[string]any)
		key := str(c["system"]) + "|" + str(c["code"])
		if said := or(or(or(str(c["display"]), codes[key]), strings.ToLower(ownKinds[key])), str(c["code"])); said != "" {
			return said
		}
	}
	return ""
}

func isNumber(x any) bool { _, ok := x.(float64); return ok }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func str(x any) string { s, _ := x.(string); return s }

// list is what an element holds, as many as there are.
func list(x any) []any {
	switch x := x.(type) {
	case nil:
		return nil
	case []any:
		return x
	}
	return []any{x}
}

func membersOf(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
