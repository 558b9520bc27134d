package fhir

import (
	"reflect"
	"testing"
)

func TestWhoseAResourceIs(t *testing.T) {
	p1 := Ref{"Patient", "p1"}
	rows := []struct {
		name, body, base string
		want             Ref
		ok               bool
	}{
		{"a patient is their own", `{"resourceType":"Patient","id":"p1"}`, "", p1, true},
		{"a flag's subject", flag + `}`, "", p1, true},
		{"a consent's patient", `{"resourceType":"Consent","id":"c","status":"active","scope":{"text":"x"},"category":[{"text":"x"}],"patient":{"reference":"Patient/p1/_history/3"}}`, "", p1, true},
		{"whom a task is for", `{"resourceType":"Task","id":"t","status":"requested","intent":"order","for":{"reference":"Patient/p1"}}`, "", p1, true},
		{"a coverage's beneficiary", `{"resourceType":"Coverage","id":"c","status":"active","beneficiary":{"reference":"Patient/p1"}}`, "", p1, true},
		{"the patient among an appointment's actors", `{"resourceType":"Appointment","id":"a","status":"booked","participant":[{"actor":{"reference":"Practitioner/t"},"status":"accepted"},{"actor":{"reference":"Patient/p1"},"status":"accepted"}]}`, "", p1, true},
		{"a group session is nobody's alone", `{"resourceType":"Appointment","id":"a","status":"booked","participant":[{"actor":{"reference":"Patient/p2"},"status":"accepted"},{"actor":{"reference":"Patient/p1"},"status":"accepted"}]}`, "", Ref{}, false},
		{"a patient told by number only", `{"resourceType":"Appointment","id":"a","status":"booked","participant":[{"actor":{"type":"Patient","identifier":{"value":"x"}},"status":"accepted"}]}`, "", Ref{}, false},
		{"an appointment of staff only is nobody's", `{"resourceType":"Appointment","id":"a","status":"booked","participant":[{"actor":{"reference":"Practitioner/t"},"status":"accepted"}]}`, "", Ref{}, true},
		{"the same patient told twice", `{"resourceType":"Account","id":"a","status":"active","subject":[{"reference":"Patient/p1"},{"reference":"Patient/p1"}]}`, "", p1, true},
		{"a directory entry is nobody's", `{"resourceType":"Organization","id":"o","name":"x"}`, "", Ref{}, true},
		{"a provenance is of the patient among its targets", `{"resourceType":"Provenance","id":"v","recorded":"2026-03-02T10:00:00Z","target":[{"reference":"Consent/c/_history/1"},{"reference":"Patient/p1"}],"agent":[{"who":{"display":"x"}}]}`, "", p1, true},
		{"a logical subject cannot be told", `{"resourceType":"Flag","id":"f","status":"active","code":{"text":"x"},"subject":{"identifier":{"value":"x"}}}`, "", Ref{}, false},
		{"a contained subject cannot be told", `{"resourceType":"Flag","id":"f","status":"active","code":{"text":"x"},"subject":{"reference":"#p"}}`, "", Ref{}, false},
		{"a group is no patient", `{"resourceType":"Flag","id":"f","status":"active","code":{"text":"x"},"subject":{"reference":"Group/g"}}`, "", Ref{}, false},
		{"an absolute subject cannot be told without a base", `{"resourceType":"Flag","id":"f","status":"active","code":{"text":"x"},"subject":{"reference":"https://ehr.example/fhir/Patient/p1"}}`, "", Ref{}, false},
		{"an absolute subject under the base", `{"resourceType":"Flag","id":"f","status":"active","code":{"text":"x"},"subject":{"reference":"https://ehr.example/fhir/Patient/p1"}}`, "https://ehr.example/fhir/", p1, true},
		{"an absolute subject of another server", `{"resourceType":"Flag","id":"f","status":"active","code":{"text":"x"},"subject":{"reference":"https://ehr.example/fhir2/Patient/p1"}}`, "https://ehr.example/fhir", Ref{}, false},
		{"an absolute patient in an appointment", `{"resourceType":"Appointment","id":"a","status":"booked","participant":[{"actor":{"reference":"https://ehr.example/fhir/Patient/p1"},"status":"accepted"}]}`, "https://ehr.example/fhir", p1, true},
		{"an absolute patient of elsewhere in an appointment", `{"resourceType":"Appointment","id":"a","status":"booked","participant":[{"actor":{"reference":"https://elsewhere.example/Patient/p1/_history/1"},"status":"accepted"}]}`, "", Ref{}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, ok := SubjectAt(parsed(t, row.body), row.base)
			if got != row.want || ok != row.ok {
				t.Errorf("got %v %v, want %v %v", got, ok, row.want, row.ok)
			}
		})
	}
	if _, ok := Subject(Resource{Type: "Flag", Body: []byte(`{`)}); ok {
		t.Error("a subject was told of what is no JSON")
	}
}

func TestParseRef(t *testing.T) {
	for literal, want := range map[string]Ref{
		"Patient/p1":                     {"Patient", "p1"},
		"Patient/p1/_history/2":          {"Patient", "p1"},
		"https://a.example/r4/Patient/p": {"Patient", "p"},
		"https://b.example/r4/Patient/p": {},
		"https://a.example/r4x/Patient/": {},
		"#p1":                            {},
		"":                               {},
		"Patient":                        {},
		"Patient/":                       {},
		"patient/p1":                     {},
		"Juniper/p1":                     {},
		"Patient/p1/p2":                  {},
		"Patient/p1/_history/":           {},
		"Patient?identifier=x":           {},
		"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0": {},
	} {
		got, ok := ParseRef(literal, "https://a.example/r4/")
		if got != want || ok == want.IsZero() {
			t.Errorf("%q: got %v %v, want %v", literal, got, ok, want)
		}
	}
}

func TestReferencesAndIdentifiers(t *testing.T) {
	r := parsed(t, `{"resourceType":"ServiceRequest","id":"s","status":"active","intent":"order",
		"identifier":[{"system":"a","value":"1"},{"value":"2"},{"system":"b"},{"system":"c","value":"3"}],
		"subject":{"reference":"Patient/p1"},"requester":{"reference":"Practitioner/t","identifier":{"system":"d","value":"4"}},
		"supportingInfo":[{"reference":"Consent/c"},{"reference":"Patient/p1"},{"reference":"#x"},{"reference":"https://b.example/Consent/z"}],
		"contained":[{"resourceType":"Observation","id":"x","subject":{"reference":"Patient/p2"}}]}`)
	if got, want := References(r), []Ref{{"Patient", "p1"}, {"Practitioner", "t"}, {"Consent", "c"}, {"Patient", "p2"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("references %v, want %v", got, want)
	}
	if got, want := Identifiers(r), []ID{{"a", "1"}, {"c", "3"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("identifiers %v, want %v", got, want)
	}
	event := parsed(t, `{"resourceType":"AdverseEvent","id":"e","actuality":"actual","subject":{"reference":"Patient/p1"},"identifier":{"system":"`+SystemCopy+`","value":"5"}}`)
	if got := Identifiers(event); len(got) != 1 || got[0].Value != "5" || !IsCopy(event) {
		t.Errorf("identifiers %v of a type that has just one", got)
	}
	if IsCopy(r) {
		t.Error("a referral of the practice's own is taken for a copy")
	}
	if got := Identifiers(Resource{Body: []byte(`[`)}); got != nil || References(Resource{Body: []byte(`[`)}) != nil {
		t.Error("something was read from what is no JSON")
	}
}

func TestTheDosageDigest(t *testing.T) {
	const request = `{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","subject":{"reference":"Patient/p1"}`
	without := DosageDigest(parsed(t, request+`}`))
	one := DosageDigest(parsed(t, request+`,"dosageInstruction":[{"text":"one","sequence":1}]}`))
	same := DosageDigest(parsed(t, `{"dosageInstruction": [ {"sequence":1, "text":"\u006fne"} ],`+request[1:]+`}`))
	two := DosageDigest(parsed(t, request+`,"dosageInstruction":[{"text":"two","sequence":1}]}`))
	// SHA-256 of "[]".
	if without != "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945" {
		t.Errorf("no instruction digests to %s", without)
	}
	if one != same || one == two || one == without {
		t.Error("the digest must follow the instruction's content, and nothing else")
	}
}
