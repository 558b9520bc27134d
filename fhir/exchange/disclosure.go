package exchange

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kaphub/kaphub/fhir"
)

// ErrWithheld is what Trim answers when a resource must not cross at all.
var ErrWithheld = errors.New("this record may not leave")

// Notice is what 42 CFR 2.32 asks to accompany what a Part 2 programme discloses.
const Notice = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."

// LabelPart2 is the label in meta.security of a packet that Notice must accompany (v3-ActCode).
const LabelPart2 = "42CFRPart2"

// Disclosure is an allow-list: what is not named in it does not leave (fhir.md, "What may leave").
type Disclosure struct {
	Elements   map[string][]string // by resource type: dotted paths of elements, each with all below it
	Whole      []string            // "Type.path" of elements whose text is never cut for its length: half a dose instruction is another dose
	Text       int                 // a string of more runes than this is free text and stays
	Extensions []string            // URLs of the extensions that may leave
	Labels     []string            // a resource with one of these codes in meta.security stays, whole
	Systems    []string            // identifiers of these systems stay
	Uses       []string            // names, addresses, numbers and identifiers of these uses stay
}

// DefaultDisclosure is the allow-list of a prescriber for whom the config states no other, built on what 45 CFR 164.501
// excludes from psychotherapy notes.
func DefaultDisclosure() Disclosure {
	return Disclosure{
		Elements: map[string][]string{
			"Patient": {"meta.security", "identifier", "active", "name", "telecom", "gender", "birthDate", "address", "communication"},
			"Consent": {"meta.security", "identifier", "status", "scope", "category", "patient", "dateTime", "performer", "organization",
				"policy", "policyRule", "provision.type", "provision.period", "provision.actor", "provision.action",
				"provision.securityLabel", "provision.purpose", "provision.class", "provision.code", "provision.dataPeriod"},
			"ServiceRequest": {"meta.security", "identifier", "status", "intent", "category", "priority", "doNotPerform", "code", "subject",
				"occurrenceDateTime", "occurrencePeriod", "authoredOn", "requester", "performerType", "performer", "reasonCode"},
			"Appointment": {"meta.security", "identifier", "status", "serviceType", "start", "end"},
			"Task": {"meta.security", "identifier", "status", "statusReason", "businessStatus", "intent", "priority", "code", "description", "for",
				"executionPeriod", "authoredOn", "lastModified", "requester", "owner"},
			"Observation": {"meta.security", "identifier", "status", "category", "code", "subject", "effectiveDateTime", "effectivePeriod",
				"effectiveInstant", "issued", "performer", "value*", "dataAbsentReason", "interpretation", "method", "component"},
			"MedicationRequest": {"meta.security", "identifier", "status", "statusReason", "intent", "category", "doNotPerform",
				"medicationCodeableConcept", "subject", "authoredOn", "requester", "courseOfTherapyType", "dosageInstruction", "dispenseRequest"},
			"MedicationDispense": {"meta.security", "identifier", "status", "statusReasonCodeableConcept", "category",
				"medicationCodeableConcept", "subject", "performer", "type", "quantity", "daysSupply", "whenPrepared", "whenHandedOver", "dosageInstruction"},
		},
		Whole:      []string{"MedicationRequest.dosageInstruction", "MedicationDispense.dosageInstruction", "Observation.component"},
		Text:       280,
		Extensions: []string{fhir.ExtensionPronouns},
		Labels: []string{"R", "V", // restricted, very restricted
			"PSY", "PSYTHPN", // psychiatry, psychotherapy notes
			"SUD", "ETH", "ETHUD", "OPIOIDUD", LabelPart2}, // substance use disorder
		Systems: []string{fhir.SystemCopy, fhir.SystemToken, "http://hl7.org/fhir/sid/us-ssn"},
		Uses:    []string{"old"}, // a name somebody has left behind is nobody's business
	}
}

// withholdable are the elements that a practice may keep from one prescriber besides: what a copy cannot stand or be
// matched without is not among them.
var withholdable = map[string][]string{
	"Patient":        {"telecom", "gender", "address", "communication"},
	"Consent":        {"performer", "policy"},
	"ServiceRequest": {"category", "priority", "occurrenceDateTime", "occurrencePeriod", "performerType", "reasonCode"},
}

// Withholdable returns what Without takes, as "Type.element", in a fixed order.
func Withholdable() (names []string) {
	for _, typ := range slices.Sorted(maps.Keys(withholdable)) {
		for _, element := range withholdable[typ] {
			names = append(names, typ+"."+element)
		}
	}
	return names
}

// Without returns d less the elements named as "Type.element" (45 CFR 164.522(a): a restriction that the practice agreed
// to). A name that is not among Withholdable takes nothing away.
func (d Disclosure) Without(names ...string) Disclosure {
	less := d
	less.Elements = maps.Clone(d.Elements)
	for _, name := range names {
		typ, element, _ := strings.Cut(name, ".")
		if slices.Contains(withholdable[typ], element) {
			less.Elements[typ] = slices.DeleteFunc(slices.Clone(less.Elements[typ]), func(e string) bool { return e == element })
		}
	}
	return less
}

// Trim returns what of a resource may cross, and the paths of what stays. Literal references never cross: they mean
// something at their own server only, and whoever relays the resource sets those it can vouch for.
// The error wraps ErrWithheld when nothing may: a type not on the list, a label, a modifier that nobody here understands.
func (d Disclosure) Trim(typ string, body []byte) (out []byte, withheld []string, err error) {
	allowed, ok := d.Elements[typ]
	if !ok {
		return nil, nil, fmt.Errorf("trim %s: type not on the allow-list: %w", typ, ErrWithheld)
	}
	root, err := decode(body)
	if err != nil {
		return nil, nil, fmt.Errorf("trim %s: not a JSON object: %w", typ, ErrWithheld)
	}
	if label := d.label(root); label != "" {
		return nil, nil, fmt.Errorf("trim %s: labelled %s: %w", typ, label, ErrWithheld)
	}
	t := trimmer{Disclosure: d, typ: typ, allowed: allowed}
	kept := t.object(root, "", false)
	if t.modified {
		return nil, nil, fmt.Errorf("trim %s: a modifier extension would be lost: %w", typ, ErrWithheld)
	}
	kept = append(fields{{"resourceType", typ}}, kept...)
	return encode(nil, kept), t.withheld, nil
}

// label returns the code of the first label in meta.security that holds the resource back, else "".
func (d Disclosure) label(root fields) string {
	meta, _ := root.get("meta").(fields)
	security, _ := meta.get("security").([]any)
	for _, s := range security {
		coding, _ := s.(fields)
		code, _ := coding.get("code").(string)
		if i := slices.IndexFunc(d.Labels, func(l string) bool { return strings.EqualFold(l, code) }); i >= 0 {
			return d.Labels[i]
		}
	}
	return ""
}

// trimmer builds what may leave from nothing, so that what it does not know is left behind.
type trimmer struct {
	Disclosure
	typ      string
	allowed  []string
	withheld []string
	modified bool // a modifier extension was met inside what would leave
}

// inlineLabel marks one element as more confidential than its resource (DS4P).
const inlineLabel = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label"

func (t *trimmer) withhold(path string) {
	if !slices.Contains(t.withheld, path) {
		t.withheld = append(t.withheld, path)
	}
}

// object returns what of o may leave; inside means that an element above it is on the list.
func (t *trimmer) object(o fields, path string, inside bool) fields {
	var kept fields
	for _, f := range o {
		at := join(path, f.key)
		switch {
		case path == "" && f.key == "resourceType", f.key == "id":
			continue // the other side gives its own
		case f.key == "modifierExtension", path == "" && f.key == "implicitRules":
			t.modified = true
			continue
		case f.key == "extension":
			if e := t.extensions(f.value, at); e != nil {
				kept = append(kept, field{f.key, e})
			}
			continue
		case f.key == "note", f.key == "contained", strings.HasPrefix(f.key, "_"):
			t.withhold(at)
			continue
		case f.key == "reference":
			if _, literal := f.value.(string); literal {
				continue
			}
		}
		within := inside || t.names(at)
		if !within && !t.leadsTo(at) || labelled(o.get("_"+f.key)) {
			t.withhold(at)
			continue
		}
		if v := t.value(f.value, at, within); v != nil {
			kept = append(kept, field{f.key, v})
		}
	}
	if len(kept) == 1 && kept[0].key == "type" && o.get("reference") != nil {
		return nil // "a Patient" without which
	}
	return kept
}

// value returns what of v may leave, nil for nothing.
func (t *trimmer) value(v any, path string, inside bool) any {
	switch v := v.(type) {
	case fields:
		if t.stays(v) {
			t.withhold(path)
			return nil
		}
		if kept := t.object(v, path, inside); len(kept) > 0 {
			return kept
		}
		return nil
	case []any:
		var kept []any
		for _, item := range v {
			if k := t.value(item, path, inside); k != nil {
				kept = append(kept, k)
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	case string:
		if t.Text > 0 && utf8.RuneCountInString(v) > t.Text && !t.whole(path) {
			t.withhold(path)
			return nil
		}
	}
	return v
}

// stays reports whether one item is held back by its system, its use or a label of its own.
func (t *trimmer) stays(item fields) bool {
	system, _ := item.get("system").(string)
	use, _ := item.get("use").(string)
	if item.get("value") != nil && slices.Contains(t.Systems, system) || slices.Contains(t.Uses, use) {
		return true
	}
	return labelled(item)
}

// labelled reports whether v, an element or what hangs on a primitive, or one of them in a list, bears a label of its own.
func labelled(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, labelled)
	case fields:
		extensions, _ := v.get("extension").([]any)
		return slices.ContainsFunc(extensions, func(e any) bool {
			x, _ := e.(fields)
			return x.get("url") == inlineLabel
		})
	}
	return false
}

func (t *trimmer) extensions(v any, path string) any {
	var kept []any
	items, _ := v.([]any)
	for _, item := range items {
		x, _ := item.(fields)
		if url, _ := x.get("url").(string); slices.Contains(t.Extensions, url) && utf8.RuneCount(encode(nil, x)) <= 2*t.Text { // a longer one holds more than its word
			kept = append(kept, x)
		} else {
			t.withhold(path)
		}
	}
	if kept == nil {
		return nil
	}
	return kept
}

// names reports whether the list names path itself; "value*" names every choice of a type.
func (t *trimmer) names(path string) bool {
	return slices.ContainsFunc(t.allowed, func(a string) bool {
		choice, is := strings.CutSuffix(a, "*")
		return a == path || is && strings.HasPrefix(path, choice) && !strings.Contains(path, ".")
	})
}

// leadsTo reports whether the list names something below path.
func (t *trimmer) leadsTo(path string) bool {
	return slices.ContainsFunc(t.allowed, func(a string) bool { return strings.HasPrefix(a, path+".") })
}

func (t *trimmer) whole(path string) bool {
	full := t.typ + "." + path
	return slices.ContainsFunc(t.Whole, func(w string) bool { return full == w || strings.HasPrefix(full, w+".") })
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
