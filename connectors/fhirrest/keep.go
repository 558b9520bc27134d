package fhirrest

import (
	"maps"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// linked are the elements that the hub sets itself, beside those of the allow-list; and what it never keeps of others': a
// narrative may tell of what stood there before.
var linked = []string{"resourceType", "id", "meta", "text", "focus", "for", "partOf", "basedOn", "derivedFrom", "supportingInfo",
	"authorizingPrescription", "medicationReference", "reasonReference", "input", "output"}

// keeping is update with what others have added to the copy that stands there: elements of its own that the hub never
// writes, such as a note. An update says again what the hub says, and takes nothing away that is not the hub's.
func keeping(there []byte, typ string, update []byte) ([]byte, error) {
	theirs, err := fhir.Members(there)
	if err != nil {
		return nil, err
	}
	var edits []fhir.Edit
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		if !written(typ, name) {
			edits = append(edits, fhir.Edit{Path: name, Value: theirs[name]})
		}
	}
	return fhir.Apply(update, edits...)
}

// written reports whether the hub may have written the element called name of a typ: it is on the allow-list, or a link.
func written(typ, name string) bool {
	name = strings.TrimPrefix(name, "_") // the same element's extensions
	return slices.Contains(linked, name) || slices.ContainsFunc(exchange.DefaultDisclosure().Elements[typ], func(allowed string) bool {
		top, _, _ := strings.Cut(allowed, ".")
		start, any := strings.CutSuffix(top, "*")
		return top == name || any && strings.HasPrefix(name, start)
	})
}
