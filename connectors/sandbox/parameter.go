package sandbox

import (
	"maps"
	"slices"
	"strings"
)

// kind is what a search parameter compares.
type kind int

const (
	token kind = iota
	reference
	date
)

func (k kind) String() string { return [...]string{"token", "reference", "date"}[k] }

// parameter is one search parameter of one type: where its values stand in a resource.
type parameter struct {
	name  string
	kind  kind
	paths []string
}

// kinds lists the types that the sandbox has, with their search parameters as R4 defines them. R4 gives AdverseEvent
// neither patient nor identifier, and Flag no status.
var kinds = table(map[string]string{
	"AdverseEvent":             "subject:ref=subject date:date=date severity=severity event=event",
	"Appointment":              "patient:ref=participant.actor actor:ref=participant.actor date:date=start status=status service-type=serviceType identifier=identifier",
	"CarePlan":                 "patient:ref=subject subject:ref=subject status=status intent=intent category=category date:date=period based-on:ref=basedOn identifier=identifier",
	"ClinicalImpression":       "patient:ref=subject subject:ref=subject status=status date:date=effectivePeriod,effectiveDateTime identifier=identifier",
	"Condition":                "patient:ref=subject subject:ref=subject code=code category=category clinical-status=clinicalStatus recorded-date:date=recordedDate identifier=identifier",
	"Consent":                  "patient:ref=patient status=status scope=scope category=category date:date=dateTime period:date=provision.period actor:ref=provision.actor.reference identifier=identifier",
	"DiagnosticReport":         "patient:ref=subject subject:ref=subject status=status code=code category=category date:date=effectivePeriod,effectiveDateTime based-on:ref=basedOn identifier=identifier",
	"DocumentReference":        "patient:ref=subject subject:ref=subject status=status type=type category=category date:date=date identifier=identifier",
	"Encounter":                "patient:ref=subject subject:ref=subject status=status type=type date:date=period based-on:ref=basedOn appointment:ref=appointment identifier=identifier",
	"Flag":                     "patient:ref=subject subject:ref=subject date:date=period identifier=identifier",
	"Goal":                     "patient:ref=subject subject:ref=subject category=category lifecycle-status=lifecycleStatus start-date:date=startDate identifier=identifier",
	"GuidanceResponse":         "patient:ref=subject subject:ref=subject identifier=identifier",
	"Location":                 "identifier=identifier status=status",
	"Medication":               "code=code status=status identifier=identifier",
	"MedicationAdministration": "patient:ref=subject subject:ref=subject status=status code=medicationCodeableConcept effective-time:date=effectivePeriod,effectiveDateTime request:ref=request identifier=identifier",
	"MedicationDispense":       "patient:ref=subject subject:ref=subject status=status code=medicationCodeableConcept prescription:ref=authorizingPrescription whenhandedover:date=whenHandedOver identifier=identifier",
	"MedicationRequest":        "patient:ref=subject subject:ref=subject status=status intent=intent code=medicationCodeableConcept authoredon:date=authoredOn requester:ref=requester identifier=identifier",
	"MedicationStatement":      "patient:ref=subject subject:ref=subject status=status code=medicationCodeableConcept effective:date=effectivePeriod,effectiveDateTime identifier=identifier",
	"Observation":              "patient:ref=subject subject:ref=subject status=status code=code category=category date:date=effectivePeriod,effectiveDateTime based-on:ref=basedOn focus:ref=focus performer:ref=performer identifier=identifier",
	"Organization":             "identifier=identifier active=active",
	"Patient":                  "identifier=identifier birthdate:date=birthDate active=active",
	"Practitioner":             "identifier=identifier active=active",
	"PractitionerRole":         "practitioner:ref=practitioner organization:ref=organization identifier=identifier active=active",
	"Procedure":                "patient:ref=subject subject:ref=subject status=status code=code category=category date:date=performedPeriod,performedDateTime based-on:ref=basedOn identifier=identifier",
	"Provenance":               "patient:ref=target target:ref=target recorded:date=recorded",
	"QuestionnaireResponse":    "patient:ref=subject subject:ref=subject status=status authored:date=authored identifier=identifier",
	"RelatedPerson":            "patient:ref=patient identifier=identifier",
	"ServiceRequest":           "patient:ref=subject subject:ref=subject status=status intent=intent code=code category=category authored:date=authoredOn based-on:ref=basedOn performer:ref=performer requester:ref=requester identifier=identifier",
	"Task":                     "patient:ref=for subject:ref=for status=status code=code business-status=businessStatus intent=intent focus:ref=focus based-on:ref=basedOn part-of:ref=partOf authored-on:date=authoredOn identifier=identifier",
})

// table reads "name:kind=path,path" lists; the kind is token when none is written.
func table(lines map[string]string) map[string][]parameter {
	out := make(map[string][]parameter, len(lines))
	for typ, line := range lines {
		for _, field := range strings.Fields(line) {
			left, right, _ := strings.Cut(field, "=")
			name, k, _ := strings.Cut(left, ":")
			p := parameter{name: name, paths: strings.Split(right, ",")}
			switch k {
			case "ref":
				p.kind = reference
			case "date":
				p.kind = date
			}
			out[typ] = append(out[typ], p)
		}
	}
	return out
}

// The parameters that every type has. What they mean is not in the body alone, so they have no paths.
var (
	byID          = parameter{name: "_id", kind: token}
	byLastUpdated = parameter{name: "_lastUpdated", kind: date}
)

// parametersOf returns the search parameters that typ has in this dialect.
func parametersOf(typ string, d Dialect) []parameter {
	list := []parameter{byID}
	if d.told(typ) {
		list = append(list, byLastUpdated)
	}
	for _, p := range kinds[typ] {
		switch {
		case p.name == "identifier" && d.NoIdentifierSearch:
		case (p.name == "patient" || p.name == "subject") && slices.Contains(d.ByLink, typ):
		default:
			list = append(list, p)
		}
	}
	return list
}

// typesOf returns the types that a server of this dialect has, sorted.
func typesOf(d Dialect) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(kinds)), func(typ string) bool { return slices.Contains(d.Missing, typ) })
}

// clinical reports whether records of this type belong to a patient.
func clinical(typ string) bool {
	return slices.ContainsFunc(kinds[typ], func(p parameter) bool { return p.name == "patient" || p.name == "subject" })
}
