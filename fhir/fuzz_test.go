package fhir

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

// FuzzParse: whatever arrives, the gate answers with a resource that everybody reads alike, or with a refusal that
// tells nothing of it. at and with do one thing more to a body that is JSON already, since chance alone seldom makes
// another resource of one.
func FuzzParse(f *testing.F) {
	f.Add([]byte(flag+`}`), uint16(3), uint8(1))
	f.Fuzz(func(t *testing.T, body []byte, at uint16, with uint8) {
		throughGateOrNot(t, body)
		if spoiled := spoil(body, int(at), int(with)); spoiled != nil {
			throughGateOrNot(t, spoiled)
		}
	})
}

// TestOneThingWrong does every one thing to every element of some resources.
func TestOneThingWrong(t *testing.T) {
	for _, name := range []string{
		"MedicationRequest-rx-p1", "Observation-clearance-conditions", "Task-more-information", "Appointment-group", "Patient-p1",
	} {
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile("testdata/kap/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			tree, reason := open(body)
			if reason != "" {
				t.Fatal(reason)
			}
			elements := len(tree.nodes) - 1
			tree.close()
			for at := range elements {
				for with := range waysToSpoil {
					throughGateOrNot(t, spoil(body, at, with))
				}
			}
		})
	}
}

// insteads are put in place of a value.
var insteads = []string{
	`null`, `""`, `{}`, `[]`, `"x"`, `1.5`, `-0`, `12345678901234567890`, `1e3`, `true`, `[null]`, `["x"]`, `[{"x":1}]`, `{"x":1}`,
	`"\u003c"`, `"fi\/nal"`, `"\u0066inal"`, `"final"`, `"2026-03-02"`, `"Patient/p2"`, `{"reference":"Patient/p2"}`,
}

// renames are done to the key of a member.
var renames = []func(key string) string{
	strings.ToUpper,
	strings.ToLower,
	func(key string) string { return key + "X" },
	func(key string) string { return "_" + key },
	func(key string) string { return strings.Replace(key, "s", "ſ", 1) },
	func(key string) string { return strings.Replace(key, "s", `\u0073`, 1) },
	func(key string) string { return "valueString" },
	func(key string) string { return "modifierExtension" },
}

// waysToSpoil: another value, another key, the member a second time.
var waysToSpoil = len(insteads) + len(renames) + 1

// spoil does one thing to one element of body; nil when body is no JSON or has no elements.
func spoil(body []byte, at, with int) []byte {
	t, reason := open(body)
	defer t.close()
	if reason != "" || len(t.nodes) < 2 {
		return nil
	}
	i := 1 + at%(len(t.nodes)-1)
	n := t.nodes[i]
	with %= waysToSpoil
	switch {
	case with < len(insteads):
		return splice(body, n.from, n.to, []byte(insteads[with]))
	case n.keyTo == n.keyFrom:
		return splice(body, n.to, n.to, append([]byte{','}, t.raw(i)...))
	case with < waysToSpoil-1:
		return splice(body, n.keyFrom, n.keyTo, []byte(renames[with-len(insteads)](string(t.key(i)))))
	default:
		return splice(body, n.to, n.to, append([]byte{','}, body[n.keyFrom-1:n.to]...))
	}
}

// throughGateOrNot checks what the gate promises of any body.
func throughGateOrNot(t *testing.T, body []byte) {
	t.Helper()
	r, err := Parse(body, "")
	if err != nil {
		var refusal *Refusal
		if !errors.As(err, &refusal) {
			t.Fatalf("no *Refusal: %v", err)
		}
		tellsNothing(t, refusal)
		if !reflect.DeepEqual(r, Resource{}) {
			t.Error("a refusal comes with a resource")
		}
		return
	}
	if !bytes.Equal(r.Body, body) || definitions[r.Type] == nil || !validID(r.ID) {
		t.Errorf("what was let in is not what was told: %s", body)
	}
	var told struct {
		ResourceType string `json:"resourceType"`
		ID           string `json:"id"`
	}
	if err := json.Unmarshal(body, &told); err != nil || told.ResourceType != r.Type || told.ID != r.ID {
		t.Errorf("the standard library reads another resource: %v: %s", err, body)
	}
	if keyTwice(json.NewDecoder(bytes.NewReader(body))) {
		t.Errorf("a key was told twice: %s", body)
	}
	canonical, err := Canonical(body)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Parse(canonical, r.Type); err != nil || again.Hash != r.Hash {
		t.Errorf("the canonical form is not let in as the same content: %v: %s", err, body)
	}
	if err := readThroughView(r); err != nil {
		t.Errorf("let in, and its view cannot read it: %v: %s", err, body)
	}
	if subject, ok := Subject(r); ok && !subject.IsZero() && (subject.Type != "Patient" || !validID(subject.ID)) {
		t.Errorf("the subject is no patient: %s", body)
	}
}

// readThroughView decodes r with the standard library alone, as Read does.
func readThroughView(r Resource) error {
	view, ok := views[r.Type]
	if !ok {
		return nil
	}
	return json.Unmarshal(readable(r.Body), reflect.New(view).Interface())
}

// keyTwice reports whether any object that d reads holds the same key twice.
func keyTwice(d *json.Decoder) bool {
	type level struct {
		keys  map[string]bool // nil in a list
		value bool            // the next token is a member's value
	}
	stack := []*level{{}}
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		top := stack[len(stack)-1]
		if key, ok := token.(string); ok && top.keys != nil && !top.value {
			if top.keys[key] {
				return true
			}
			top.keys[key], top.value = true, true
			continue
		}
		top.value = false
		switch token {
		case json.Delim('{'):
			stack = append(stack, &level{keys: map[string]bool{}})
		case json.Delim('['):
			stack = append(stack, &level{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		}
	}
}

// FuzzCodec: what JSON there is comes through the canonical form, edits and views without loss.
func FuzzCodec(f *testing.F) {
	f.Add([]byte(flag+`}`), "code.text", "x")
	f.Fuzz(func(t *testing.T, body []byte, path, value string) {
		canonical, err := Canonical(body)
		if json.Valid(body) != (err == nil) && !stricter(err) {
			t.Fatalf("valid JSON: %v, but canonical: %v", json.Valid(body), err)
		}
		if err != nil {
			return
		}
		again, err := Canonical(canonical)
		if err != nil || !bytes.Equal(again, canonical) {
			t.Errorf("the canonical form is none: %v", err)
		}
		if !reflect.DeepEqual(generic(t, canonical), generic(t, body)) {
			t.Error("the canonical form is another tree")
		}
		if !reflect.DeepEqual(generic(t, readable(body)), generic(t, body)) {
			t.Error("the readable form is another tree")
		}
		edited, err := Apply(body, Edit{path, value})
		if err != nil {
			if v := strings.ToValidUTF8(value, ""); len(v) > 8 && !strings.Contains(path, v) && strings.Contains(err.Error(), v) {
				t.Errorf("the error tells the value: %v", err)
			}
		} else if !json.Valid(edited) {
			t.Errorf("an edit made it invalid: %q", edited)
		} else if removed, err := Apply(edited, Edit{path, nil}); err == nil && !json.Valid(removed) {
			t.Errorf("taking it back made it invalid: %q", removed)
		}
		if r, err := Parse(body, ""); err == nil {
			thereAndBackFuzzed(t, r)
		}
	})
}

// stricter reports whether err is one of the reasons for which we refuse what the grammar allows.
func stricter(err error) bool {
	var r *Refusal
	if !errors.As(err, &r) {
		return false
	}
	switch r.Reason {
	case ReasonDuplicateKey, ReasonBadText, ReasonTooDeep:
		return true
	}
	return false
}

// thereAndBackFuzzed is the part of thereAndBack that holds for elements nobody knows too.
func thereAndBackFuzzed(t *testing.T, r Resource) {
	t.Helper()
	marked, err := Apply(r.Body, Edit{"identifier", nil}, Edit{"identifier.-1", ID{SystemCopy, "x"}})
	if err != nil {
		t.Fatal(err)
	}
	if !IsCopy(Resource{Type: r.Type, ID: r.ID, Body: marked}) {
		t.Error("the mark of a copy is lost")
	}
	if Lint(r.Body, func(Ref) bool { return true }) == nil {
		if _, err := Parse(r.Body, r.Type); err != nil {
			t.Errorf("may be sent but not received: %v", err)
		}
	}
}
