package fhir

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// official are HL7's own examples, which lie beside the repository where it is built.
const official = "../../shared/examples"

// refusedOfficial are the official examples that the gate does not let in, and why.
var refusedOfficial = map[string]string{
	"Basic-r4-encounter-complete.json": ReasonModifier,
}

// refusedOwn are the files in testdata/refused, and why.
var refusedOwn = map[string]string{
	"bad-id.json":             ReasonBadID,
	"cut-off.json":            ReasonNotJSON,
	"duplicate-status.json":   ReasonDuplicateKey,
	"empty-list.json":         ReasonEmpty,
	"half-a-surrogate.json":   ReasonBadText,
	"modifier-extension.json": ReasonModifier,
	"no-status.json":          ReasonMissing,
	"null.json":               ReasonNull,
	"two-resources.json":      ReasonTrailing,
	"two-values.json":         ReasonChoice,
	"unknown-code.json":       ReasonUnknownCode,
	"unknown-type.json":       ReasonUnknownType,
	"web-page.json":           ReasonNotJSON,
	"wrong-case-beside.json":  ReasonWrongCase,
	"wrong-case-instead.json": ReasonWrongCase,
}

func TestEveryOfficialExampleIsReadOrRefusedWithItsReason(t *testing.T) {
	if _, err := os.Stat(official); err != nil {
		t.Skip("HL7's examples are not here: put them at ../../shared/examples to run this")
	}
	files, err := filepath.Glob(official + "/*/*.json")
	if err != nil || len(files) < 400 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	throughGate(t, files, refusedOfficial)
}

func TestEveryFileOfOursIsReadOrRefusedWithItsReason(t *testing.T) {
	files, err := filepath.Glob("testdata/kap/*.json")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	throughGate(t, files, nil)
	refused, err := filepath.Glob("testdata/refused/*.json")
	if err != nil || len(refused) != len(refusedOwn) {
		t.Fatalf("%d files for %d reasons, %v", len(refused), len(refusedOwn), err)
	}
	throughGate(t, refused, refusedOwn)
}

// throughGate takes each file through the gate and what it lets in there and back by every way there is.
func throughGate(t *testing.T, files []string, refused map[string]string) {
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Parse(body, "")
			if reason := refused[filepath.Base(file)]; reason != "" {
				var refusal *Refusal
				if !errors.As(err, &refusal) || refusal.Reason != reason {
					t.Fatalf("got %v, want it refused: %s", err, reason)
				}
				tellsNothing(t, refusal)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(r.Body, body) {
				t.Error("the body is not byte for byte what was received")
			}
			thereAndBack(t, r)
		})
	}
}

// thereAndBack checks that nothing is lost between a resource and each of its forms.
func thereAndBack(t *testing.T, r Resource) {
	t.Helper()
	same, err := Apply(r.Body)
	if err != nil || !bytes.Equal(same, r.Body) {
		t.Errorf("no edits change it: %v", err)
	}
	canonical, err := Canonical(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(generic(t, canonical), generic(t, r.Body)) {
		t.Error("the canonical form is another tree")
	}
	if again, err := Canonical(canonical); err != nil || !bytes.Equal(again, canonical) {
		t.Errorf("the canonical form of the canonical form differs: %v", err)
	}
	if !reflect.DeepEqual(generic(t, readable(r.Body)), generic(t, r.Body)) {
		t.Error("the readable form is another tree")
	}
	marked, err := Apply(r.Body, Edit{"meta.tag.-1", map[string]any{"system": SystemCopy, "code": "<&>"}})
	if err != nil {
		t.Fatal(err)
	}
	tags := len(generic(t, marked).(map[string]any)["meta"].(map[string]any)["tag"].([]any))
	unmarked, err := Apply(marked, Edit{"meta.tag." + string(rune('0'+tags-1)), nil})
	if err != nil || !reflect.DeepEqual(generic(t, unmarked), generic(t, r.Body)) {
		t.Errorf("an edit taken back leaves a trace: %v", err)
	}
	throughView(t, r)
}

// throughView encodes what it decoded, for the types whose view shadows samply's.
func throughView(t *testing.T, r Resource) {
	t.Helper()
	var encoded []byte
	switch r.Type {
	case "Task":
		encoded = encodedView[Task](t, r)
	case "MedicationRequest":
		encoded = encodedView[MedicationRequest](t, r)
	case "MedicationDispense":
		encoded = encodedView[MedicationDispense](t, r)
	case "ServiceRequest":
		encoded = encodedView[ServiceRequest](t, r)
	case "Observation":
		encoded = encodedView[Observation](t, r)
	default:
		return
	}
	// A view does not read extensions of primitives; that is why nothing is ever sent from one.
	want := generic(t, r.Body)
	if bytes.Contains(r.Body, []byte(`"_`)) {
		withoutPrimitiveExtensions(want)
	}
	got := generic(t, encoded)
	withoutPrimitiveExtensions(got)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("decoded and encoded it is another tree:\n%s", encoded)
	}
}

func encodedView[T any](t *testing.T, r Resource) []byte {
	t.Helper()
	v, err := Read[T](r)
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// withoutPrimitiveExtensions takes them out of v.
func withoutPrimitiveExtensions(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			if strings.HasPrefix(key, "_") {
				delete(v, key)
				continue
			}
			withoutPrimitiveExtensions(member)
		}
	case []any:
		for _, item := range v {
			withoutPrimitiveExtensions(item)
		}
	}
}

// generic reads body as the standard library does, with numbers as written.
func generic(t *testing.T, body []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// tellsNothing checks that a refusal is made of our own words and FHIR's.
func tellsNothing(t *testing.T, r *Refusal) {
	t.Helper()
	if !reasons[r.Reason] {
		t.Errorf("%q is no reason of the gate", r.Reason)
	}
	if r.Type != "" && definitions[r.Type] == nil || r.ID != "" && !validID(r.ID) {
		t.Errorf("salvaged what is no type or id")
	}
	if r.Path == "" {
		return
	}
	for step := range strings.SplitSeq(r.Path, ".") {
		digits := strings.Trim(step, "0123456789") == ""
		if !digits && step != "?" && !names()[strings.TrimPrefix(step, "_")] {
			t.Errorf("the path %q has a step that is no word of FHIR", r.Path)
		}
	}
}

var reasons = map[string]bool{
	ReasonNotJSON: true, ReasonBadText: true, ReasonTrailing: true, ReasonTooLarge: true, ReasonTooDeep: true,
	ReasonNotObject: true, ReasonDuplicateKey: true, ReasonWrongCase: true, ReasonStrangeKey: true, ReasonNull: true,
	ReasonEmpty: true, ReasonNoType: true, ReasonUnknownType: true, ReasonOtherType: true, ReasonNoID: true,
	ReasonBadID: true, ReasonMissing: true, ReasonChoice: true, ReasonModifier: true, ReasonImplicitRules: true,
	ReasonUnknownCode: true, ReasonWrongKind: true, ReasonBadTime: true, ReasonDangling: true,
}
