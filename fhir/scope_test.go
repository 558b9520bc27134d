package fhir_test

import (
	"testing"

	"github.com/kaphub/kaphub/fhir"
)

func TestWhatIsOutOfScope(t *testing.T) {
	labelled := func(security string) fhir.Resource {
		return fhir.Resource{Type: "Observation", ID: "o", Body: []byte(`{"resourceType":"Observation","id":"o","meta":{` + security + `},"status":"final"}`)}
	}
	const act = `"http://terminology.hl7.org/CodeSystem/v3-ActCode"`
	for _, c := range []struct {
		name, security string
		part2          bool
		want           string
	}{
		{"no label", `"versionId":"1"`, false, ""},
		{"restricted, as most of psychiatry is", `"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]`, false, ""},
		{"psychiatry at large", `"security":[{"system":` + act + `,"code":"PSY"}]`, false, ""},
		{"psychotherapy notes", `"security":[{"system":` + act + `,"code":"PSYTHPN"}]`, false, fhir.OutOfScopeNotes},
		{"psychotherapy notes, in a Part 2 programme too", `"security":[{"system":` + act + `,"code":"PSYTHPN"}]`, true, fhir.OutOfScopeNotes},
		{"substance use", `"security":[{"system":` + act + `,"code":"SUD"}]`, false, fhir.OutOfScopeSubstance},
		{"substance use, in a Part 2 programme", `"security":[{"system":` + act + `,"code":"SUD"}]`, true, ""},
		{"one label among others", `"security":[{"system":` + act + `,"code":"PSY"},{"system":` + act + `,"code":"42CFRPart2"}]`, false, fhir.OutOfScopeSubstance},
		{"the code in another system says nothing", `"security":[{"system":"urn:else","code":"SUD"}]`, false, ""},
	} {
		if got := fhir.OutlineAt(labelled(c.security), "").OutOfScope(c.part2); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
