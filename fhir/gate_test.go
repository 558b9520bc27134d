package fhir

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const flag = `{"resourceType":"Flag","id":"f1","status":"active","code":{"text":"stop"},"subject":{"reference":"Patient/p1"}`

func TestTheGateLetsIn(t *testing.T) {
	for name, body := range map[string]string{
		"a flag":                                    flag + `}`,
		"space around it":                           " \n" + flag + "}\r\n\t",
		"an element that nobody knows":              flag + `,"colour":"red"}`,
		"a primitive with extensions only":          flag + `,"_language":{"extension":[{"url":"u","valueCode":"masked"}]}}`,
		"a null that keeps a place":                 flag + `,"contained":[{"resourceType":"Patient","id":"x","name":[{"given":["A",null],"_given":[null,{"id":"g"}]}]}]}`,
		"a type that is only kept":                  `{"resourceType":"Basic","id":"b","code":{"text":"x"}}`,
		"two elements that only look like a choice": `{"resourceType":"CarePlan","id":"c","status":"active","intent":"plan","subject":{"reference":"Patient/p1"},"instantiatesUri":["u"],"instantiatesCanonical":["c"],"activity":[{"detail":{"status":"completed","reasonCode":[{"text":"x"}],"reasonReference":[{"reference":"Condition/x"}]}}]}`,
		"a choice with the extensions of its value": `{"resourceType":"Patient","id":"p","deceasedBoolean":true,"_deceasedBoolean":{"id":"d"}}`,
		"a comparator with an escape":               `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":1,"comparator":"\u003c"}}`,
		"a code with an escape":                     `{"resourceType":"Flag","id":"f1","status":"\u0061ctive","code":{"text":"stop"},"subject":{"reference":"Patient/p1"}}`,
		"an id of 64":                               strings.Replace(flag, "f1", strings.Repeat("a", 64), 1) + `}`,
		"a pair of surrogates":                      flag + `,"language":"\ud83d\ude00"}`,
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Parse([]byte(body), "")
			if err != nil {
				t.Fatal(err)
			}
			if string(r.Body) != body {
				t.Error("the body changed")
			}
			thereAndBack(t, r)
		})
	}
}

func TestTheGateRefuses(t *testing.T) {
	observation := `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"}`
	rows := []struct {
		name, body, want, reason, path string
	}{
		{"nothing", ``, "", ReasonNotJSON, ""},
		{"a list", `[` + flag + `}]`, "", ReasonNotObject, ""},
		{"a byte order mark", "\ufeff" + flag + `}`, "", ReasonNotJSON, ""},
		{"a comma too many", flag + `,}`, "", ReasonNotJSON, ""},
		{"single quotes", `{'resourceType':'Flag'}`, "", ReasonNotJSON, ""},
		{"a number with a leading zero", flag + `,"x":01}`, "", ReasonNotJSON, ""},
		{"NaN", flag + `,"x":NaN}`, "", ReasonNotJSON, ""},
		{"a bare control character", flag + ",\"x\":\"a\nb\"}", "", ReasonBadText, ""},
		{"bytes that are no UTF-8", flag + ",\"x\":\"\xff\"}", "", ReasonBadText, ""},
		{"a strange escape", flag + `,"x":"\x41"}`, "", ReasonBadText, ""},
		{"a second resource behind it", flag + `}{}`, "", ReasonTrailing, ""},
		{"nesting without end", flag + `,"x":` + strings.Repeat(`[`, 1e6), "", ReasonTooDeep, ""},
		{"a resource beyond 4 MiB", flag + `,"x":"` + strings.Repeat("a", maxSize) + `"}`, "", ReasonTooLarge, ""},
		{"no resourceType", `{"id":"f1"}`, "", ReasonNoType, ""},
		{"a type that R4 does not have", `{"resourceType":"Inventedson","id":"f1"}`, "", ReasonUnknownType, "resourceType"},
		{"an abstract type", `{"resourceType":"DomainResource","id":"f1"}`, "", ReasonUnknownType, "resourceType"},
		{"another type than was asked for", flag + `}`, "Patient", ReasonOtherType, "resourceType"},
		{"no id", strings.Replace(flag, `"id":"f1",`, "", 1) + `}`, "", ReasonNoID, ""},
		{"an id with a slash", strings.Replace(flag, "f1", "f/1", 1) + `}`, "", ReasonBadID, "id"},
		{"an id of 65", strings.Replace(flag, "f1", strings.Repeat("a", 65), 1) + `}`, "", ReasonBadID, "id"},
		{"an id that is a number", strings.Replace(flag, `"f1"`, "1", 1) + `}`, "", ReasonWrongKind, "id"},
		{"a status told twice", flag + `,"status":"inactive"}`, "", ReasonDuplicateKey, "status"},
		{"a subject told twice", flag + `,"subject":{"reference":"Patient/p1"}}`, "", ReasonDuplicateKey, "subject"},
		{"a key told twice far down", flag + `,"contained":[{"a":{"b":1,"b":2}}]}`, "", ReasonDuplicateKey, "contained.0.?.?"},
		{"a key told twice among many", flag + many(40) + `,"x7":1}`, "", ReasonDuplicateKey, "?"},
		{"Status beside status", flag + `,"Status":"inactive"}`, "", ReasonWrongCase, "?"},
		{"STATUS instead of status", strings.Replace(flag, `"status"`, `"STATUS"`, 1) + `}`, "", ReasonWrongCase, "?"},
		{"resourcetype beside resourceType", flag + `,"resourcetype":"Patient"}`, "", ReasonWrongCase, "?"},
		{"statUs beside status", flag + `,"statUs":"inactive"}`, "", ReasonWrongCase, "?"},
		{"periodd is no element, Period is a case", flag + `,"_Period":{"id":"x"}}`, "", ReasonWrongCase, "?"},
		{"the case of an element far down", observation + `,"component":[{"code":{"codinG":[{"code":"x"}]}}]}`, "", ReasonWrongCase, "component.0.code.?"},
		{"the case of an element of a type that is only kept", `{"resourceType":"Basic","id":"b","code":{"text":"x"},"cReated":"2026"}`, "", ReasonWrongCase, "?"},
		{"a letter that folds to s", flag + `,"ſtatus":"inactive"}`, "", ReasonStrangeKey, "?"},
		{"a key with an escape", flag + `,"\u006canguage":"en"}`, "", ReasonStrangeKey, "?"},
		{"a status told twice, once with an escape", flag + `,"\u0073tatus":"inactive"}`, "", ReasonDuplicateKey, "?"},
		{"an empty key", flag + `,"":"inactive"}`, "", ReasonStrangeKey, "?"},
		{"null", flag + `,"author":null}`, "", ReasonNull, "author"},
		{"a null without a partner", flag + `,"identifier":[null]}`, "", ReasonNull, "identifier"},
		{"a null whose partner is null", observation + `,"performer":[{"display":"x"}],"contained":[{"given":["A",null],"_given":[null,null]}]}`, "", ReasonNull, "contained.0.given"},
		{"a null whose partner is shorter", observation + `,"contained":[{"given":["A",null],"_given":[{"id":"x"}]}]}`, "", ReasonNull, "contained.0.given"},
		{"a null in a list of lists", flag + `,"x":[[null]]}`, "", ReasonWrongKind, "?.0"},
		{"nulls only", observation + `,"contained":[{"given":[null]}]}`, "", ReasonNull, "contained.0.given"},
		{"an empty text", flag + `,"language":""}`, "", ReasonEmpty, "language"},
		{"an empty object", flag + `,"period":{}}`, "", ReasonEmpty, "period"},
		{"an empty list", flag + `,"identifier":[]}`, "", ReasonEmpty, "identifier"},
		{"an empty object in a list", flag + `,"identifier":[{}]}`, "", ReasonEmpty, "identifier.0"},
		{"an empty resource", `{}`, "", ReasonEmpty, ""},
		{"no status", strings.Replace(flag, `"status":"active",`, "", 1) + `}`, "", ReasonMissing, "status"},
		{"a status with extensions only", strings.Replace(flag, `"status":"active"`, `"_status":{"id":"x"}`, 1) + `}`, "", ReasonMissing, "status"},
		{"a Task without intent", `{"resourceType":"Task","id":"t","status":"requested"}`, "", ReasonMissing, "intent"},
		{"a request without intent that is only kept", `{"resourceType":"DeviceRequest","id":"d","subject":{"reference":"Patient/p1"},"codeCodeableConcept":{"text":"x"}}`, "", ReasonMissing, "intent"},
		{"a participant without status", `{"resourceType":"Appointment","id":"a","status":"booked","participant":[{"actor":{"reference":"Patient/p1"}}]}`, "", ReasonMissing, "participant.0.status"},
		{"a status from elsewhere", strings.Replace(flag, "active", "on-hold", 1) + `}`, "", ReasonUnknownCode, "status"},
		{"a status in capitals", strings.Replace(flag, "active", "Active", 1) + `}`, "", ReasonUnknownCode, "status"},
		{"a prescription's status that nobody knows", `{"resourceType":"MedicationRequest","id":"m","status":"paused","intent":"order","subject":{"reference":"Patient/p1"}}`, "", ReasonUnknownCode, "status"},
		{"an unknown comparator", observation + `,"valueQuantity":{"value":1,"comparator":"~"}}`, "", ReasonUnknownCode, "valueQuantity.comparator"},
		{"a status that is a list", strings.Replace(flag, `"active"`, `["active"]`, 1) + `}`, "", ReasonWrongKind, "status"},
		{"a decimal in quotes", observation + `,"valueQuantity":{"value":"140"}}`, "", ReasonWrongKind, "valueQuantity.value"},
		{"a count with a fraction", observation + `,"valueInteger":1.5}`, "", ReasonWrongKind, "valueInteger"},
		{"one identifier where a list belongs", observation + `,"identifier":{"value":"x"}}`, "", ReasonWrongKind, "identifier"},
		{"two values", observation + `,"valueString":"a","valueBoolean":true}`, "", ReasonChoice, "valueBoolean"},
		{"a value and the extensions of another", observation + `,"valueString":"a","_valueDateTime":{"id":"x"}}`, "", ReasonChoice, "_valueDateTime"},
		{"two values in a component", observation + `,"component":[{"code":{"text":"x"},"valueInteger":1,"valueRange":{"low":{"value":1}}}]}`, "", ReasonChoice, "component.0.valueRange"},
		{"two medicines", `{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","subject":{"reference":"Patient/p1"},"medicationReference":{"reference":"Medication/a"},"medicationCodeableConcept":{"text":"b"}}`, "", ReasonChoice, "medicationCodeableConcept"},
		{"two inputs in one", `{"resourceType":"Task","id":"t","status":"requested","intent":"order","for":{"reference":"Patient/p1"},"input":[{"type":{"text":"x"},"valueCode":"a","valueString":"b"}]}`, "", ReasonChoice, "input.0.valueString"},
		{"a modifier extension", flag + `,"modifierExtension":[{"url":"u","valueBoolean":true}]}`, "", ReasonModifier, "modifierExtension"},
		{"a modifier extension far down", observation + `,"component":[{"code":{"text":"x"},"modifierExtension":[{"url":"u"}]}]}`, "", ReasonModifier, "component.0.modifierExtension"},
		{"implicit rules", flag + `,"implicitRules":"https://skylight.example/rules"}`, "", ReasonImplicitRules, "implicitRules"},
		{"a lastUpdated without zone", flag + `,"meta":{"lastUpdated":"2026-03-02T10:00:00"}}`, "", ReasonBadTime, "meta.lastUpdated"},
		{"a lastUpdated that is a day", flag + `,"meta":{"lastUpdated":"2026-03-02"}}`, "", ReasonBadTime, "meta.lastUpdated"},
		{"a name as a key", flag + `,"Juniper Inventedsson":{"x":null}}`, "", ReasonWrongCase, "?"},
		{"a name as a key, small", flag + `,"juniper":{"x":null}}`, "", ReasonNull, "?.?"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse([]byte(row.body), row.want)
			var r *Refusal
			if !errors.As(err, &r) {
				t.Fatalf("let in: %v", err)
			}
			if r.Reason != row.reason || r.Path != row.path {
				t.Errorf("refused: %s at %q, want: %s at %q", r.Reason, r.Path, row.reason, row.path)
			}
			tellsNothing(t, r)
		})
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"x` + string(rune('0'+i/10)) + string(rune('0'+i%10)) + `":1`)
	}
	return strings.ReplaceAll(b.String(), `"x07"`, `"x7"`)
}

func TestARefusalSalvages(t *testing.T) {
	patient := Ref{"Patient", "p1"}
	rows := []struct {
		name, body string
		kind, id   string
		subject    Ref
	}{
		{"type, id and subject of a resource with an unknown status", strings.Replace(flag, "active", "paused", 1) + `}`, "Flag", "f1", patient},
		{"what stood before the cut", flag + `,"period":{"start":"20`, "Flag", "f1", patient},
		{"what stood at the front of one that is too large", flag + `,"x":"` + strings.Repeat("a", maxSize) + `"}`, "Flag", "f1", patient},
		{"a patient as their own subject", `{"resourceType":"Patient","id":"p1","gender":"x"}`, "Patient", "p1", patient},
		{"the patient of an appointment", `{"resourceType":"Appointment","id":"a","status":"?","participant":[{"actor":{"reference":"Patient/p1"},"status":"accepted"}]}`, "Appointment", "a", patient},
		{"no subject where two are told", flag + `,"subject":{"reference":"Patient/p2"}}`, "Flag", "f1", Ref{}},
		{"no type that R4 does not have", `{"resourceType":"Juniper","id":"f1","subject":{"reference":"Patient/p1"}}`, "", "f1", patient},
		{"no id that is none", `{"resourceType":"Flag","id":"Juniper Inventedsson"}`, "Flag", "", Ref{}},
		{"no subject elsewhere", strings.Replace(flag, "Patient/", "https://elsewhere.example/Patient/", 1) + `,"period":null}`, "Flag", "f1", Ref{}},
		{"nothing from a web page", `<html>`, "", "", Ref{}},
		{"nothing from nothing", ``, "", "", Ref{}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse([]byte(row.body), "")
			var r *Refusal
			if !errors.As(err, &r) {
				t.Fatalf("let in: %v", err)
			}
			if r.Type != row.kind || r.ID != row.id || r.Subject != row.subject {
				t.Errorf("salvaged %q %q %v", r.Type, r.ID, r.Subject)
			}
		})
	}
}

func TestWhatTheGateReads(t *testing.T) {
	body := []byte(`{"resourceType":"Flag","id":"f1","meta":{"versionId":"7","lastUpdated":"2026-03-02T16:05:11.25-07:00"},"status":"active","code":{"text":"stop"},"subject":{"reference":"Patient/p1"}}`)
	r, err := Parse(body, "Flag")
	if err != nil {
		t.Fatal(err)
	}
	if r.Ref() != (Ref{"Flag", "f1"}) || r.VersionID != "7" {
		t.Errorf("read %v version %q", r.Ref(), r.VersionID)
	}
	if want := time.Date(2026, 3, 2, 23, 5, 11, 250e6, time.UTC); !r.LastUpdated.Equal(want) {
		t.Errorf("lastUpdated %v, want %v", r.LastUpdated, want)
	}
	body[0] = '!'
	if r.Body[0] != '{' {
		t.Error("the resource keeps the caller's bytes")
	}
}

func TestTheSameContentHasTheSameHash(t *testing.T) {
	one := parsed(t, `{"resourceType":"Flag","id":"f1","status":"active","code":{"text":"a<b"},"subject":{"reference":"Patient/p1"}}`)
	two := parsed(t, ` {"subject":{"reference":"Patient\/p1"}, "code":{"text":"a\u003cb"},"id":"f1",
		"status":"active","resourceType":"Flag"}`)
	if one.Hash != two.Hash {
		t.Error("order of keys, space and escapes make another content")
	}
	other := parsed(t, strings.Replace(string(one.Body), "active", "inactive", 1))
	if one.Hash == other.Hash {
		t.Error("another status is the same content")
	}
	precise := parsed(t, `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50}}`)
	vague := parsed(t, strings.Replace(string(precise.Body), "1.50", "1.5", 1))
	if precise.Hash == vague.Hash {
		t.Error("1.50 and 1.5 are the same content: FHIR says precision means something")
	}
}

func parsed(t *testing.T, body string) Resource {
	t.Helper()
	r, err := Parse([]byte(body), "")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryTypeWithAViewIsR4(t *testing.T) {
	for name, view := range views {
		if definitions[name] == nil || shapeOf(view).holds != holdsFields {
			t.Errorf("%s: no definition, or its view has no elements", name)
		}
	}
	for key := range codeSets {
		name, element, _ := strings.Cut(key, ".")
		if sh := shapeOf(views[name]).fields[element]; sh.holds != holdsCode || len(sh.codes) == 0 {
			t.Errorf("%s is not checked against its value set", key)
		}
	}
	for _, view := range views {
		sh := shapeOf(view)
		for _, name := range sh.required {
			if sh.fields[name].holds != holdsCode {
				t.Errorf("%v.%s is required and any text will do", view, name)
			}
		}
	}
}
