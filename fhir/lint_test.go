package fhir

import (
	"errors"
	"testing"
)

func TestLint(t *testing.T) {
	const request = `{"resourceType":"ServiceRequest","status":"active","intent":"order","subject":{"reference":"Patient/p9"}`
	there := func(r Ref) bool { return r == Ref{"Patient", "p9"} }
	rows := []struct{ name, body, reason, path string }{
		{"a request to a patient known there may leave, without an id", request + `}`, "", ""},
		{"an absolute reference leads somewhere", request + `,"requester":{"reference":"https://ehr.example/fhir/Practitioner/x"}}`, "", ""},
		{"a logical reference needs to lead nowhere", request + `,"requester":{"identifier":{"system":"s","value":"v"}}}`, "", ""},
		{"a contained one leads inside", request + `,"contained":[{"resourceType":"Consent","id":"c"}],"supportingInfo":[{"reference":"#c"}]}`, "", ""},
		{"a contained one that is not there", request + `,"contained":[{"resourceType":"Consent","id":"c"}],"supportingInfo":[{"reference":"#d"}]}`, ReasonDangling, "supportingInfo.0.reference"},
		{"a contained one where nothing is contained", request + `,"supportingInfo":[{"reference":"#d"}]}`, ReasonDangling, "supportingInfo.0.reference"},
		{"a patient of ours who is not known there", `{"resourceType":"Flag","status":"active","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}`, ReasonDangling, "subject.reference"},
		{"a reference left over inside a contained resource", request + `,"contained":[{"resourceType":"Consent","id":"c","patient":{"reference":"Patient/p1"}}]}`, ReasonDangling, "contained.0.patient.reference"},
		{"a conditional reference", request + `,"requester":{"reference":"Practitioner?identifier=x"}}`, ReasonDangling, "requester.reference"},
		{"null", request + `,"note":null}`, ReasonNull, "note"},
		{"an empty list", request + `,"note":[]}`, ReasonEmpty, "note"},
		{"an empty text", request + `,"patientInstruction":""}`, ReasonEmpty, "patientInstruction"},
		{"a key told twice", request + `,"status":"draft"}`, ReasonDuplicateKey, "status"},
		{"a key in the wrong case", request + `,"Status":"draft"}`, ReasonWrongCase, "?"},
		{"a code that R4 does not have", `{"resourceType":"Flag","status":"on","code":{"text":"x"},"subject":{"reference":"Patient/p9"}}`, ReasonUnknownCode, "status"},
		{"no type", `{"status":"active"}`, ReasonNoType, ""},
		{"no JSON", `{`, ReasonNotJSON, ""},
		{"a list", `[1]`, ReasonNotObject, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			err := Lint([]byte(row.body), there)
			if row.reason == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			var r *Refusal
			if !errors.As(err, &r) || r.Reason != row.reason || r.Path != row.path {
				t.Errorf("got %v, want %s at %s", err, row.reason, row.path)
			}
		})
	}
	if Lint([]byte(request+`}`), nil) == nil {
		t.Error("with nothing known there, no relative reference may leave")
	}
}
