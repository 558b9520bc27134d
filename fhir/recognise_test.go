package fhir_test

import (
	"slices"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

var set = fhirtest.Set

func TestWhatMakesAClient(t *testing.T) {
	c := fhirtest.Client(time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC))
	other := fhir.Known{Name: "lakeside", Identifiers: []fhir.ID{{System: fhir.SystemNPI, Value: "1992999999"}}}
	g := fhir.Recogniser{
		Prescribers: []fhir.Known{fhirtest.Known, other},
		Lookup: func(ref fhir.Ref) []fhir.ID {
			return map[fhir.Ref][]fhir.ID{
				{Type: "Organization", ID: "lakeside"}: other.Identifiers,
				{Type: "Organization", ID: "clinic"}:   {{System: fhir.SystemNPI, Value: "1111111112"}},
			}[ref]
		},
	}
	all, sky, lake := []string{"skylight", "lakeside"}, []string{"skylight"}, []string{"lakeside"}
	actor := func(ref any) fhir.Edit { return set("provision.actor.0.reference", ref) }
	reference := func(literal string) map[string]any { return map[string]any{"reference": literal} }
	code := func(path, system, code string) fhir.Edit {
		return set(path+".coding.0", fhir.Code{System: system, Code: code})
	}
	passed := func(edits ...fhir.Edit) fhir.Version {
		return c.Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"Task","id":"t","status":"requested","intent":"order","code":{"coding":[{"system":"`+fhir.SystemTaskCode+`","code":"fulfill"}]},
			"focus":{"reference":"ServiceRequest/r"},"for":{"reference":"Patient/p1"},"owner":{"reference":"Organization/lakeside"}}`, edits...)
	}
	rows := []struct {
		name string
		told fhir.Version
		want []string
	}{
		{"a referral to a prescriber", c.Referral(), sky},
		{"a referral to an organization in the directory", c.Referral(set("performer.0", reference("Organization/lakeside"))), lake},
		{"a referral to both", c.Referral(set("performer.-1", reference("Organization/lakeside"))), all},
		{"a referral to nobody", c.Referral(set("performer", nil)), all},
		{"a referral to somebody who cannot be told", c.Referral(set("performer.0", reference("Organization/unknown"))), all},
		{"a referral that was revoked", c.Referral(set("status", "revoked")), sky},
		{"a referral entered in error", c.Referral(set("status", "entered-in-error")), nil},
		{"a proposal is no referral", c.Referral(set("intent", "proposal")), nil},
		{"a request for something else", c.Referral(code("code", fhir.SystemLOINC, "24323-8")), nil},
		{"a copy that the hub wrote", c.Referral(set("identifier.-1", fhir.ID{System: fhir.SystemCopy, Value: "x"})), nil},
		{"a dosing session", c.Dosing(c.Session), all},
		{"a preparation session that was cancelled", c.Preparation(c.Now, set("status", "cancelled")), all},
		{"a session entered in error", c.Dosing(c.Session, set("status", "entered-in-error")), nil},
		{"an appointment for something else", c.Dosing(c.Session, code("serviceType.0", "https://ehr.example/types", "couples")), nil},
		{"an appointment for nothing in particular", c.Dosing(c.Session, set("serviceType", nil)), nil},
		{"a release to a prescriber", c.Release(), sky},
		{"a release by the LOINC document code", c.Release(code("category.0", fhir.SystemLOINC, fhir.LOINCConsentDocument)), sky},
		{"a release that was withdrawn", c.Release(set("status", "inactive")), sky},
		{"a release to somebody who cannot be told", c.Release(actor(reference("PractitionerRole/x"))), all},
		{"a release to nobody in particular", c.Release(set("provision.actor", nil)), all},
		{"a release to the family doctor", c.Release(set("provision.actor.0.reference.identifier.value", "1000000004")), nil},
		{"a release to a clinic in the directory that is no prescriber", c.Release(actor(reference("Organization/clinic"))), nil},
		{"a denial", c.Release(set("provision.type", "deny")), nil},
		{"a consent without provision", c.Release(set("provision", nil)), nil},
		{"a privacy consent of another category", c.Release(code("category.0", fhir.SystemActCode, "INFA")), nil},
		{"a treatment consent", c.TreatmentConsent(), nil},
		{"a Task of the practice's that passes the referral on", passed(), lake},
		{"a Task that passes it on to somebody who is no prescriber", passed(set("owner", reference("Organization/clinic"))), nil},
		{"a Task that passes it on to nobody", passed(set("owner", nil)), nil},
		{"a Task that was called off", passed(set("status", "cancelled")), nil},
		{"a Task that proposes to", passed(set("intent", "proposal")), nil},
		{"a Task that asks for something else", passed(code("code", fhir.SystemTaskCode, "approve")), nil},
		{"a Task about something else", passed(set("focus", reference("Appointment/a"))), nil},
		{"a Task that the hub brought home", passed(set("identifier.-1", fhir.ID{System: fhir.SystemCopy, Value: "x"})), nil},
		{"a patient alone", c.PatientHere(), nil},
		{"an observation", c.HeartRate(70), nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, ok := g.Concerns(row.told.Resource)
			if !slices.Equal(got, row.want) || ok != (row.want != nil) {
				t.Errorf("concerns %v %v, want %v", got, ok, row.want)
			}
		})
	}
}

func TestAPracticesOwnCodesAreRecognisedThroughItsMaps(t *testing.T) {
	terms, err := fhir.NewTerms(map[string][][]byte{fhir.Practice: {[]byte(`{"resourceType":"ConceptMap","status":"active","group":[
		{"source":"https://ehr.example/orders","target":"` + fhir.SystemKAP + `","element":[{"code":"K1","target":[{"code":"kap-evaluation","equivalence":"equivalent"}]}]},
		{"source":"https://ehr.example/types","target":"` + fhir.SystemSession + `","element":[{"code":"KAP2H","target":[{"code":"dosing","equivalence":"equivalent"}]}]}]}`)}})
	if err != nil {
		t.Fatal(err)
	}
	c := fhirtest.Client(time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC))
	g := fhir.Recogniser{Prescribers: []fhir.Known{fhirtest.Known}, Terms: terms}
	referral := c.Referral(set("code.coding.0", fhir.Code{System: "https://ehr.example/orders", Code: "K1"}))
	session := c.Dosing(c.Session, set("serviceType.0.coding.0", fhir.Code{System: "https://ehr.example/types", Code: "KAP2H"}))
	for _, told := range []fhir.Version{referral, session} {
		if _, ok := g.Concerns(told.Resource); !ok {
			t.Errorf("%s is not recognised", told.Type)
		}
		if _, ok := (fhir.Recogniser{Prescribers: g.Prescribers}).Concerns(told.Resource); ok {
			t.Errorf("%s is guessed without a map", told.Type)
		}
	}
	configured := fhir.Recogniser{ReferralCodes: []fhir.Code{{System: "https://ehr.example/orders", Code: "K1"}}}
	if _, ok := configured.Concerns(referral.Resource); !ok {
		t.Error("a referral code named in the config is not recognised")
	}
}
