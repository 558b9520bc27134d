package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// The pieces that the world's records are written with.

func decode(body []byte) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var tree object
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("decode: %w", errNoResource)
	}
	return tree, nil
}

func list(items ...object) []object { return items }

func concept(system, code string) object {
	return object{"coding": list(object{"system": system, "code": code})}
}

func named(system, code, text string) object {
	return object{"coding": list(object{"system": system, "code": code}), "text": text}
}

func identifier(id fhir.ID) object { return object{"system": id.System, "value": id.Value} }

// typed is an identifier with its v2-0203 type: PLAC, FILL, MR.
func typed(code string, id fhir.ID) object {
	return object{"type": concept(fhir.SystemIdentifierType, code), "system": id.System, "value": id.Value}
}

func refer(ref fhir.Ref) object { return object{"reference": ref.String()} }

func quantity(value any, unit, ucum string) object {
	return object{"value": value, "unit": unit, "system": fhir.SystemUCUM, "code": ucum}
}

func lozenges(n int) object { return quantity(n, "lozenge", "{lozenge}") }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// dated writes a day. Only ends are written so: when a day begins depends on where one is, and a start must have begun.
func dated(t time.Time) string { return t.UTC().Format(time.DateOnly) }
