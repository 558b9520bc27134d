package desk

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Told is a record as an entry left it, and as it was before: nil when the entry made it.
type Told struct {
	Now, Before *fhir.Version
}

// Undo corrects an entry: each of its records becomes what it was before, or is marked as entered in error. Nothing is
// deleted, and the reason is kept with it. party is whose facts they are, by whose desk they came.
func (b Book) Undo(n Note, party Party, why string, records []Told) (exchange.Slip, error) {
	if err := n.check(); err != nil {
		return exchange.Slip{}, err
	}
	why, err := Line(why)
	if err != nil {
		return exchange.Slip{}, in("why", fmt.Errorf("the reason %w", err))
	}
	if why == "" {
		return exchange.Slip{}, in("why", fmt.Errorf("the reason %w", errMissing))
	}
	d := b.draft(n, party, KindUndo)
	for _, r := range records {
		from := r.Before
		if from == nil {
			from = r.Now
		}
		body, err := members(from)
		if err != nil {
			return exchange.Slip{}, err
		}
		if r.Before == nil {
			mistaken(r.Now.Type, body)
		}
		d.add(r.Now.Type, "", r.Now, body)
	}
	return d.slip(object{"text": why})
}

// mistaken marks a record as entered in error, as its type allows.
func mistaken(kind string, body map[string]any) {
	if kind == "AdverseEvent" { // it has no status
		body["severity"] = concept(fhir.SystemKAP, fhir.CodeMistaken)
		return
	}
	body["status"] = "entered-in-error"
}

// members returns the elements of a record, numbers as they were written.
func members(v *fhir.Version) (map[string]any, error) {
	body := map[string]any{}
	from := json.NewDecoder(bytes.NewReader(v.Resource.Body))
	from.UseNumber()
	if err := from.Decode(&body); err != nil {
		return nil, fmt.Errorf("read %s: %w", v.Type, fhir.ErrUnreadable)
	}
	return body, nil
}
