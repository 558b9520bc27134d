package exchange

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/fhir"
)

func TestWhatIsNotOnTheListStays(t *testing.T) {
	long := strings.Repeat("x", 281)
	rows := []struct {
		name, typ, body, want string
		withheld              string
	}{
		{"an id and what the server keeps", "Patient", `{"resourceType":"Patient","id":"p1","meta":{"versionId":"3","security":[{"code":"N"}]},"gender":"other"}`,
			`{"resourceType":"Patient","meta":{"security":[{"code":"N"}]},"gender":"other"}`, "meta.versionId"},
		{"the narrative", "Patient", `{"resourceType":"Patient","text":{"status":"generated","div":"<div>x</div>"},"gender":"other"}`,
			`{"resourceType":"Patient","gender":"other"}`, "text"},
		{"the words beside a code", "ServiceRequest", `{"resourceType":"ServiceRequest","status":"active","code":{"text":"evaluation"}}`,
			`{"resourceType":"ServiceRequest","status":"active","code":{"text":"evaluation"}}`, ""},
		{"a text that is longer than a few words", "ServiceRequest", `{"resourceType":"ServiceRequest","reasonCode":[{"text":"` + long + `"},{"text":"pain"}]}`,
			`{"resourceType":"ServiceRequest","reasonCode":[{"text":"pain"}]}`, "reasonCode.text"},
		{"a long dose instruction is never cut", "MedicationRequest", `{"resourceType":"MedicationRequest","dosageInstruction":[{"text":"` + long + `"}]}`,
			`{"resourceType":"MedicationRequest","dosageInstruction":[{"text":"` + long + `"}]}`, ""},
		{"notes, wherever they stand", "Observation", `{"resourceType":"Observation","note":[{"text":"a"}],"component":[{"code":{"text":"bp"},"note":"b"}]}`,
			`{"resourceType":"Observation","component":[{"code":{"text":"bp"}}]}`, "note component.note"},
		{"contained records", "ServiceRequest", `{"resourceType":"ServiceRequest","contained":[{"resourceType":"Patient"}],"status":"active"}`,
			`{"resourceType":"ServiceRequest","status":"active"}`, "contained"},
		{"extensions and what hangs on a primitive", "Patient", `{"resourceType":"Patient","birthDate":"1988","_birthDate":{"id":"x"},"extension":[{"url":"u"}],"name":[{"family":"A","extension":[{"url":"u"}]}]}`,
			`{"resourceType":"Patient","birthDate":"1988","name":[{"family":"A"}]}`, "_birthDate extension name.extension"},
		{"a literal reference, while number and name go", "ServiceRequest", `{"resourceType":"ServiceRequest","requester":{"reference":"Practitioner/1","identifier":{"system":"s","value":"v"},"display":"T"},"subject":{"reference":"Patient/1","type":"Patient"}}`,
			`{"resourceType":"ServiceRequest","requester":{"identifier":{"system":"s","value":"v"},"display":"T"}}`, ""},
		{"a name somebody left behind", "Patient", `{"resourceType":"Patient","name":[{"use":"usual","text":"Juniper"},{"use":"old","text":"X"}]}`,
			`{"resourceType":"Patient","name":[{"use":"usual","text":"Juniper"}]}`, "name"},
		{"a social security number", "Patient", `{"resourceType":"Patient","identifier":[{"system":"http://hl7.org/fhir/sid/us-ssn","value":"1"},{"system":"mrn","value":"2"}]}`,
			`{"resourceType":"Patient","identifier":[{"system":"mrn","value":"2"}]}`, "identifier"},
		{"an element more confidential than its record", "ServiceRequest", `{"resourceType":"ServiceRequest","reasonCode":[{"text":"a","extension":[{"url":"` + inlineLabel + `"}]},{"text":"b"}]}`,
			`{"resourceType":"ServiceRequest","reasonCode":[{"text":"b"}]}`, "reasonCode"},
		{"a text whose own label says more confidential", "ServiceRequest", `{"resourceType":"ServiceRequest","status":"active","reasonCode":[{"coding":[{"code":"F32"}],"text":"SECRET","_text":{"extension":[{"url":"` + inlineLabel + `"}]}}]}`,
			`{"resourceType":"ServiceRequest","status":"active","reasonCode":[{"coding":[{"code":"F32"}]}]}`, "reasonCode.text reasonCode._text"},
		{"one of several names, labelled", "Patient", `{"resourceType":"Patient","gender":"other","name":[{"family":"A","given":["B","C"],"_given":[null,{"extension":[{"url":"` + inlineLabel + `"}]}]}]}`,
			`{"resourceType":"Patient","gender":"other","name":[{"family":"A"}]}`, "name.given name._given"},
		{"numbers and comparators keep their spelling", "Observation", `{"resourceType":"Observation","valueQuantity":{"value":1.50,"comparator":"<"}}`,
			`{"resourceType":"Observation","valueQuantity":{"value":1.50,"comparator":"<"}}`, ""},
		{"an exception of a release is no part of its copy", "Consent", `{"resourceType":"Consent","provision":{"type":"permit","provision":[{"type":"deny"}]}}`,
			`{"resourceType":"Consent","provision":{"type":"permit"}}`, "provision.provision"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			out, withheld, err := DefaultDisclosure().Trim(row.typ, []byte(row.body))
			if err != nil || string(out) != row.want {
				t.Errorf("got %s (%v), want %s", out, err, row.want)
			}
			if got := strings.Join(withheld, " "); got != row.withheld {
				t.Errorf("withheld %q, want %q", got, row.withheld)
			}
		})
	}
}

func TestWhatMayNotLeaveAtAll(t *testing.T) {
	rows := []struct{ name, typ, body string }{
		{"a type that is not on the list", "DocumentReference", `{"resourceType":"DocumentReference","status":"current"}`},
		{"labelled restricted", "ServiceRequest", `{"resourceType":"ServiceRequest","meta":{"security":[{"code":"N"},{"code":"R"}]},"status":"active"}`},
		{"labelled psychotherapy note", "Observation", `{"resourceType":"Observation","meta":{"security":[{"code":"PSYTHPN"}]}}`},
		{"labelled as substance use, in small letters", "Observation", `{"resourceType":"Observation","meta":{"security":[{"code":"sud"}]}}`},
		{"a modifier that would be lost", "ServiceRequest", `{"resourceType":"ServiceRequest","modifierExtension":[{"url":"u"}]}`},
		{"a modifier that would be lost further down", "Patient", `{"resourceType":"Patient","name":[{"modifierExtension":[{"url":"u"}]}]}`},
		{"implicit rules", "Patient", `{"resourceType":"Patient","implicitRules":"u","gender":"other"}`},
		{"no resource", "Patient", `[1]`},
		{"two resources", "Patient", `{} {}`},
		{"half a resource", "Patient", `{"gender":"other"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			out, _, err := DefaultDisclosure().Trim(row.typ, []byte(row.body))
			if !errors.Is(err, ErrWithheld) || out != nil {
				t.Errorf("got %s (%v)", out, err)
			}
		})
	}
}

func TestAPracticeMayTellOnePrescriberLess(t *testing.T) {
	all := DefaultDisclosure()
	less := all.Without("Patient.address", "Patient.identifier", "nonsense")
	body := []byte(`{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:mrn","value":"1"}],"address":[{"city":"Denver"}]}`)
	for _, row := range []struct {
		name string
		list Disclosure
		want string
	}{
		{"what is withheld stays; what a copy is matched by does not", less, `{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"1"}]}`},
		{"the list it was taken from is as it was", all, `{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"1"}],"address":[{"city":"Denver"}]}`},
	} {
		if out, _, err := row.list.Trim("Patient", body); err != nil || string(out) != row.want {
			t.Errorf("%s: %s, %v", row.name, out, err)
		}
	}
}

func TestAListMayAllowAnExtension(t *testing.T) {
	d := DefaultDisclosure()
	d.Extensions = []string{"http://hl7.org/fhir/StructureDefinition/individual-pronouns"}
	body := `{"resourceType":"Patient","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/individual-pronouns","valueString":"they"},{"url":"other"},{"url":"` + fhir.ExtensionTherapist + `","valueReference":{"display":"Tara Therapist"}}]}`
	out, withheld, err := d.Trim("Patient", []byte(body))
	if want := `{"resourceType":"Patient","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/individual-pronouns","valueString":"they"}]}`; err != nil || string(out) != want {
		t.Errorf("got %s (%v)", out, err)
	}
	if !slices.Equal(withheld, []string{"extension"}) {
		t.Errorf("withheld %v", withheld)
	}
}

// Every official example of a type on the list is trimmed to something that may be sent, or withheld for a reason, and
// nothing of what never leaves is left in it.
func TestNoOfficialExampleLeaksNarrativeOrReferences(t *testing.T) {
	files, err := filepath.Glob("../../../shared/examples/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("the official examples are not beside this repository")
	}
	d, tried := DefaultDisclosure(), 0
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := fhir.Parse(body, "")
		if err != nil || d.Elements[r.Type] == nil {
			continue
		}
		out, _, err := d.Trim(r.Type, body)
		if err != nil {
			if !errors.Is(err, ErrWithheld) {
				t.Errorf("%s: %v", filepath.Base(file), err)
			}
			continue
		}
		tried++
		if err := fhir.Lint(out, nil); err != nil {
			t.Errorf("%s: trimmed and not fit to be sent: %v", filepath.Base(file), err)
		}
		for _, never := range []string{`"div":`, `"note":`, `"contained":`, `"extension":`, `"reference":"`, `"_`} {
			if strings.Contains(string(out), never) {
				t.Errorf("%s: %s is left", filepath.Base(file), never)
			}
		}
		if !json.Valid(out) {
			t.Errorf("%s: no JSON", filepath.Base(file))
		}
	}
	if tried < 50 {
		t.Errorf("only %d examples were trimmed", tried)
	}
}
