package fhir

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// shape is what a view can read, worked out once from its Go type, so that the gate can tell whether a resource fits
// without decoding it, and say where it does not.
type shape struct {
	holds    holding
	bits     int               // of holdsInt
	item     *shape            // of holdsList
	fields   map[string]*field // of holdsFields
	folded   map[string]string // lower-case to right name
	required []string          // of holdsFields: codes that samply would invent when they are missing
	code     reflect.Type      // of holdsCode
}

type field struct{ *shape }

type holding uint8

const (
	holdsAny holding = iota
	holdsText
	holdsNumber
	holdsInt
	holdsBool
	holdsCode // an enumeration of samply's: any other code fails the whole resource
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
	"AdverseEvent":             reflect.TypeFor[AdverseEvent](),
	"Practitioner":             reflect.TypeFor[Practitioner](),
	"PractitionerRole":         reflect.TypeFor[PractitionerRole](),
	"Organization":             reflect.TypeFor[Organization](),
	"Medication":               reflect.TypeFor[Medication](),
	"OperationOutcome":         reflect.TypeFor[OperationOutcome](),
	"CapabilityStatement":      reflect.TypeFor[CapabilityStatement](),
}

// shapes are worked out when first asked for and shared, so that Reference is worked out once.
type shapes struct {
	mu   sync.Mutex
	done map[reflect.Type]*shape
}

var known = shapes{done: map[reflect.Type]*shape{}}

func (s *shapes) of(t reflect.Type) *shape {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.work(t)
}

var (
	typeUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	typeTaskValue   = reflect.TypeFor[TaskValue]()
	typeRaw         = reflect.TypeFor[json.RawMessage]()
	typeNumber      = reflect.TypeFor[json.Number]()
)

// taskValueFields are what TaskValue reads by name; the rest it keeps as it is.
type taskValueFields struct {
	ID        *string           `json:"id,omitempty"`
	Extension []json.RawMessage `json:"extension,omitempty"`
	Type      CodeableConcept   `json:"type"`
}

func (s *shapes) work(t reflect.Type) *shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if sh := s.done[t]; sh != nil {
		return sh
	}
	sh := &shape{}
	s.done[t] = sh
	switch {
	case t == typeRaw:
	case t == typeNumber:
		sh.holds = holdsNumber
	case t == typeTaskValue:
		*sh = *s.work(reflect.TypeFor[taskValueFields]())
	case reflect.PointerTo(t).Implements(typeUnmarshaler):
		sh.holds, sh.code = holdsCode, t
	case t.Kind() == reflect.String:
		sh.holds = holdsText
	case t.Kind() == reflect.Bool:
		sh.holds = holdsBool
	case t.Kind() == reflect.Int:
		sh.holds, sh.bits = holdsInt, t.Bits()
	case t.Kind() == reflect.Slice:
		sh.holds, sh.item = holdsList, s.work(t.Elem())
	case t.Kind() == reflect.Struct:
		sh.holds = holdsFields
		sh.fields, sh.folded = map[string]*field{}, map[string]string{}
		s.workFields(sh, t)
	}
	return sh
}

// workFields adds t's fields to sh; what an outer struct names wins over what it embeds, as in encoding/json.
func (s *shapes) workFields(sh *shape, t reflect.Type) {
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		if len(f.Index) > 1 && sh.fields[name] != nil {
			continue
		}
		sh.fields[name] = &field{s.work(f.Type)}
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
		known.of(t)
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	for _, sh := range known.done {
		for name := range sh.fields {
			out[name] = true
		}
	}
	return out
})

// fits reports whether node i can be read as sh, and if not, why and at which node.
func (t *tree) fits(i int, sh *shape) (reason string, where int) {
	n := &t.nodes[i]
	switch sh.holds {
	case holdsText:
		return wrongUnless(n.kind == text), i
	case holdsNumber:
		return wrongUnless(n.kind == number), i
	case holdsBool:
		return wrongUnless(n.kind == boolean), i
	case holdsInt:
		if n.kind == number {
			_, err := strconv.ParseInt(string(t.raw(i)), 10, sh.bits)
			return wrongUnless(err == nil), i
		}
		return ReasonWrongKind, i
	case holdsCode:
		if n.kind != text {
			return ReasonWrongKind, i
		}
		return t.fitsCode(i, sh), i
	case holdsList:
		return t.fitsList(i, sh)
	case holdsFields:
		return t.fitsFields(i, sh)
	}
	return "", i
}

func wrongUnless(ok bool) string {
	if ok {
		return ""
	}
	return ReasonWrongKind
}

func (t *tree) fitsCode(i int, sh *shape) string {
	code := reflect.New(sh.code).Interface().(json.Unmarshaler)
	raw := t.raw(i)
	if t.nodes[i].escaped {
		raw = writer{tree: t}.write(nil, i)
	}
	if code.UnmarshalJSON(raw) != nil {
		return ReasonUnknownCode
	}
	return ""
}

func (t *tree) fitsList(i int, sh *shape) (string, int) {
	if t.kind(i) != array {
		return ReasonWrongKind, i
	}
	for c := range t.children(i) {
		if t.kind(c) == null && sh.item.holds != holdsCode && sh.item.holds != holdsFields {
			continue // the place of a value that has only extensions
		}
		if reason, where := t.fits(c, sh.item); reason != "" {
			return reason, where
		}
	}
	return "", i
}

func (t *tree) fitsFields(i int, sh *shape) (string, int) {
	if t.kind(i) != object {
		return ReasonWrongKind, i
	}
	for c := range t.children(i) {
		f := sh.fields[string(t.key(c))]
		if f == nil {
			if t.wrongCase(c, sh) {
				return ReasonWrongCase, c
			}
			continue
		}
		if reason, where := t.fits(c, f.shape); reason != "" {
			return reason, where
		}
	}
	for _, name := range sh.required {
		if t.child(i, name) < 0 {
			return ReasonNoStatus, i
		}
	}
	return "", i
}

// wrongCase reports whether the key of c is an element of sh but for its case: readers differ in what they make of it.
func (t *tree) wrongCase(c int, sh *shape) bool {
	key := strings.TrimPrefix(string(t.key(c)), "_")
	name, ok := sh.folded[strings.ToLower(key)]
	return ok && name != key
}
