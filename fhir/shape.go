package fhir

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/samply/golang-fhir-models/fhir-models/fhir"
)

// shape is what a view can read, worked out once from its Go type, so that the gate can tell whether a resource fits
// without decoding it, and say where it does not.
type shape struct {
	holds    holding
	bits     int               // of holdsInt
	item     *shape            // of holdsList
	fields   map[string]*shape // of holdsFields
	folded   map[string]string // lower-case to right name
	required []string          // of holdsFields: codes that samply would invent when they are missing
	code     reflect.Type      // of holdsCode: samply's enumeration, which fails the whole resource on any other code
	codes    []string          // of holdsCode, where samply has a plain string
}

type holding uint8

const (
	holdsAny holding = iota
	holdsText
	holdsNumber
	holdsInt
	holdsBool
	holdsCode
	holdsList
	holdsFields
)

// views are the resource types that are read, and what through.
var views = map[string]reflect.Type{
	"Patient":                  reflect.TypeFor[Patient](),
	"Consent":                  reflect.TypeFor[Consent](),
	"ServiceRequest":           reflect.TypeFor[ServiceRequest](),
	"Task":                     reflect.TypeFor[Task](),
	"Appointment":              reflect.TypeFor[Appointment](),
	"Observation":              reflect.TypeFor[Observation](),
	"MedicationRequest":        reflect.TypeFor[MedicationRequest](),
	"MedicationDispense":       reflect.TypeFor[MedicationDispense](),
	"MedicationAdministration": reflect.TypeFor[MedicationAdministration](),
	"Procedure":                reflect.TypeFor[Procedure](),
	"Encounter":                reflect.TypeFor[Encounter](),
	"Flag":                     reflect.TypeFor[Flag](),
	"CarePlan":                 reflect.TypeFor[CarePlan](),
	"Goal":                     reflect.TypeFor[Goal](),
	"Condition":                reflect.TypeFor[Condition](),
	"MedicationStatement":      reflect.TypeFor[MedicationStatement](),
	"AdverseEvent":             reflect.TypeFor[AdverseEvent](),
	"DiagnosticReport":         reflect.TypeFor[DiagnosticReport](),
	"DocumentReference":        reflect.TypeFor[DocumentReference](),
	"Practitioner":             reflect.TypeFor[Practitioner](),
	"PractitionerRole":         reflect.TypeFor[PractitionerRole](),
	"Organization":             reflect.TypeFor[Organization](),
	"Medication":               reflect.TypeFor[Medication](),
	"Provenance":               reflect.TypeFor[Provenance](),
	"OperationOutcome":         reflect.TypeFor[OperationOutcome](),
	"CapabilityStatement":      reflect.TypeFor[CapabilityStatement](),
}

// codeSets are required value sets that samply does not know.
var codeSets = map[string][]string{
	"MedicationRequest.status":        {"active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown"},
	"MedicationRequest.intent":        {"proposal", "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option"},
	"MedicationDispense.status":       {"preparation", "in-progress", "cancelled", "on-hold", "completed", "entered-in-error", "stopped", "declined", "unknown"},
	"MedicationAdministration.status": {"in-progress", "not-done", "on-hold", "completed", "entered-in-error", "stopped", "unknown"},
	"MedicationStatement.status":      {"active", "completed", "entered-in-error", "intended", "stopped", "on-hold", "unknown", "not-taken"},
	"Task.intent":                     {"unknown", "proposal", "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option"},
}

// shapes are worked out when first asked for and shared, so that Reference is worked out once.
var shapes = struct {
	sync.Mutex
	done map[reflect.Type]*shape
}{done: map[reflect.Type]*shape{}}

// shapeOf returns the shape of a view or definition.
func shapeOf(t reflect.Type) *shape {
	shapes.Lock()
	defer shapes.Unlock()
	return workOut(t)
}

var (
	typeUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	typeTaskValue   = reflect.TypeFor[TaskValue]()
	typeRaw         = reflect.TypeFor[json.RawMessage]()
	typeNumber      = reflect.TypeFor[json.Number]()
)

// taskValueFields are what TaskValue reads by name; the rest it keeps as it is.
type taskValueFields struct {
	ID        *string          `json:"id,omitempty"`
	Extension []fhir.Extension `json:"extension,omitempty"`
	Type      CodeableConcept  `json:"type"`
}

func workOut(t reflect.Type) *shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if sh := shapes.done[t]; sh != nil {
		return sh
	}
	sh := &shape{}
	shapes.done[t] = sh
	switch {
	case t == typeRaw:
	case t == typeNumber:
		sh.holds = holdsNumber
	case t == typeTaskValue:
		*sh = *workOut(reflect.TypeFor[taskValueFields]())
	case reflect.PointerTo(t).Implements(typeUnmarshaler):
		sh.holds, sh.code = holdsCode, t
	case t.Kind() == reflect.String:
		sh.holds = holdsText
	case t.Kind() == reflect.Bool:
		sh.holds = holdsBool
	case t.Kind() == reflect.Int:
		sh.holds, sh.bits = holdsInt, t.Bits()
	case t.Kind() == reflect.Slice:
		sh.holds, sh.item = holdsList, workOut(t.Elem())
	case t.Kind() == reflect.Struct:
		sh.holds = holdsFields
		sh.fields = map[string]*shape{}
		sh.folded = map[string]string{"resourcetype": "resourceType", "contained": "contained"} // samply has no fields for these
		sh.workOutFields(t)
	}
	return sh
}

// workOutFields adds t's fields to sh, those it embeds with them.
func (sh *shape) workOutFields(t reflect.Type) {
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		sh.fields[name] = workOut(f.Type)
		if codes := codeSets[t.Name()+"."+name]; codes != nil {
			sh.fields[name] = &shape{holds: holdsCode, codes: codes}
		}
		sh.folded[strings.ToLower(name)] = name
		named := name == "status" || name == "intent"
		code := f.Type.Kind() != reflect.Pointer && sh.fields[name].holds == holdsCode
		if (named || code) && !strings.Contains(options, "omitempty") {
			sh.required = append(sh.required, name)
		}
	}
}

// names are all element names that FHIR R4 knows: the only keys that may be told to anybody.
var names = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{"resourceType": true, "contained": true}
	for _, t := range definitions {
		shapeOf(t)
	}
	shapes.Lock()
	defer shapes.Unlock()
	for _, sh := range shapes.done {
		for name := range sh.fields {
			out[name] = true
		}
	}
	return out
})

// fits tells why node i cannot be read as sh, nil if it can.
func (t *tree) fits(i int, sh *shape) *fault {
	n := &t.nodes[i]
	ok := true
	switch sh.holds {
	case holdsText:
		ok = n.kind == text
	case holdsNumber:
		ok = n.kind == number
	case holdsBool:
		ok = n.kind == boolean
	case holdsInt:
		_, err := strconv.ParseInt(string(t.raw(i)), 10, sh.bits)
		ok = n.kind == number && err == nil
	case holdsCode:
		return t.fitsCode(i, sh)
	case holdsList:
		return t.fitsList(i, sh)
	case holdsFields:
		return t.fitsFields(i, sh)
	}
	if !ok {
		return &fault{reason: ReasonWrongKind, at: i}
	}
	return nil
}

func (t *tree) fitsCode(i int, sh *shape) *fault {
	if t.kind(i) != text {
		return &fault{reason: ReasonWrongKind, at: i}
	}
	var ok bool
	if sh.code == nil {
		ok = slices.Contains(sh.codes, t.string(i))
	} else {
		code := reflect.New(sh.code).Interface().(json.Unmarshaler)
		ok = code.UnmarshalJSON(writer{tree: t}.write(nil, i)) == nil
	}
	if !ok {
		return &fault{reason: ReasonUnknownCode, at: i}
	}
	return nil
}

func (t *tree) fitsList(i int, sh *shape) *fault {
	if t.kind(i) != array {
		return &fault{reason: ReasonWrongKind, at: i}
	}
	for c := range t.children(i) {
		if t.kind(c) == null && sh.item.holds != holdsCode && sh.item.holds != holdsFields {
			continue // the place of a value that has only extensions
		}
		if f := t.fits(c, sh.item); f != nil {
			return f
		}
	}
	return nil
}

func (t *tree) fitsFields(i int, sh *shape) *fault {
	if t.kind(i) != object {
		return &fault{reason: ReasonWrongKind, at: i}
	}
	for c := range t.children(i) {
		member := sh.fields[string(t.key(c))]
		if member == nil {
			if t.wrongCase(c, sh) {
				return &fault{reason: ReasonWrongCase, at: c}
			}
			continue
		}
		if f := t.fits(c, member); f != nil {
			return f
		}
	}
	for _, name := range sh.required {
		if t.child(i, name) < 0 {
			return &fault{reason: ReasonMissing, at: i, name: name}
		}
	}
	return nil
}

// wrongCase reports whether the key of c is an element of sh but for its case: readers differ in what they make of it.
func (t *tree) wrongCase(c int, sh *shape) bool {
	key := strings.TrimPrefix(string(t.key(c)), "_")
	name, ok := sh.folded[strings.ToLower(key)]
	return ok && name != key
}
