package plan

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// object is a piece of FHIR JSON that the hub writes itself.
type object map[string]any

// trim returns what of v may cross.
func (s *situation) trim(v *fhir.Version) ([]byte, error) {
	body, _, err := s.disclosure.Trim(v.Type, v.Resource.Body)
	return body, err
}

// delivery makes the delivery of a copy of v whose trimmed body is edited; ok is false when the outcome is not fit to be
// sent: it is left out rather than sent broken.
func (s *situation) delivery(what exchange.What, v *fhir.Version, id fhir.ID, body []byte, edits ...fhir.Edit) (exchange.Delivery, bool) {
	body, err := fhir.Apply(body, edits...)
	if err != nil || fhir.Lint(body, s.vouched(edits)) != nil {
		return exchange.Delivery{}, false
	}
	d := exchange.Delivery{What: what, Occasion: at(v), Copy: id, Body: body, Rests: []fhir.Basis{v.Basis()}}
	d.Type = kinds[what]
	return d, true
}

// kinds is the resource type of each kind of delivery.
var kinds = map[exchange.What]string{
	exchange.WhatPatient: "Patient", exchange.WhatConsent: "Consent", exchange.WhatReferral: "ServiceRequest", exchange.WhatTask: "Task",
	exchange.WhatCancel: "Task", exchange.WhatCancelRequest: "Task", exchange.WhatRevoked: "ServiceRequest", exchange.WhatUnsafe: "Task", exchange.WhatAnswer: "Task",
	exchange.WhatTaskStatus: "Task", exchange.WhatQuestion: "Task", exchange.WhatClearance: "Observation",
	exchange.WhatPrescription: "MedicationRequest", exchange.WhatDispense: "MedicationDispense",
}

// vouched accepts the literal references that the edits set: each comes from a receipt, a link or the receiver's own
// record. Any other would dangle.
func (s *situation) vouched(edits []fhir.Edit) func(fhir.Ref) bool {
	set := map[string]bool{}
	var note func(v any)
	note = func(v any) {
		switch v := v.(type) {
		case object:
			if ref, ok := v["reference"].(string); ok {
				set[ref] = true
			}
			for _, inner := range v {
				note(inner)
			}
		case []object:
			for _, o := range v {
				note(o)
			}
		}
	}
	for _, e := range edits {
		note(e.Value)
	}
	return func(r fhir.Ref) bool { return set[r.String()] }
}

func literal(r fhir.Ref) object { return object{"reference": r.String()} }

func identifier(id fhir.ID) object { return object{"system": id.System, "value": id.Value} }

func typed(id fhir.ID, code string) object {
	return object{"type": object{"coding": []object{{"system": fhir.SystemIdentifierType, "code": code}}}, "system": id.System, "value": id.Value}
}

// withoutOthersNumbers leaves out of a Patient the identifiers that another prescriber assigned: whose patient somebody
// else is, is nobody's business.
func (s *situation) withoutOthersNumbers(v *fhir.Version, body []byte) ([]byte, error) {
	others := s.othersNumbers(v)
	var patient struct {
		Identifier []json.RawMessage `json:"identifier"`
	}
	if err := json.Unmarshal(body, &patient); err != nil {
		return nil, err
	}
	var kept []any
	for _, raw := range patient.Identifier {
		var id fhir.Identifier
		if err := json.Unmarshal(raw, &id); err != nil || !others[number(id)] {
			kept = append(kept, raw)
		}
	}
	if len(kept) == len(patient.Identifier) {
		return body, nil
	}
	if kept == nil {
		return fhir.Apply(body, fhir.Edit{Path: "identifier"})
	}
	return fhir.Apply(body, fhir.Edit{Path: "identifier", Value: kept})
}

// othersNumbers are the identifiers in v that another prescriber gave, by whatever way it says so: what may cross leaves
// out the references by which that can be told.
func (s *situation) othersNumbers(v *fhir.Version) map[fhir.ID]bool {
	var glance struct {
		Identifier []fhir.Identifier `json:"identifier"`
	}
	_ = json.Unmarshal(v.Resource.Body, &glance) // it was read before
	others := map[fhir.ID]bool{}
	for _, id := range glance.Identifier {
		if s.policy.AssignedElsewhere(id) || id.Assigner != nil && slices.ContainsFunc(s.policy.Others, func(other readiness.Party) bool {
			return s.names(v, *id.Assigner, other)
		}) {
			others[number(id)] = true
		}
	}
	return others
}

func number(id fhir.Identifier) (n fhir.ID) {
	if id.System != nil {
		n.System = *id.System
	}
	if id.Value != nil {
		n.Value = *id.Value
	}
	return n
}

// party is a logical reference to a side of the exchange: it means the same at every server.
func party(p readiness.Party) object {
	o := object{}
	if len(p.Identifiers) > 0 {
		o["identifier"] = identifier(p.Identifiers[0])
	}
	if title := p.Title; title != "" {
		o["display"] = title
	} else if len(o) == 0 {
		o["display"] = p.Name
	}
	return o
}

// logical turns a reference in v into one that means the same at every server: identifier and display. nil when neither
// is known.
func (s *situation) logical(v *fhir.Version, ref fhir.Reference) object {
	o := object{}
	if ids := s.known(v, ref, 2); len(ids) > 0 {
		o["identifier"] = identifier(ids[0])
	}
	if ref.Display != nil && strings.TrimSpace(*ref.Display) != "" && len(*ref.Display) <= s.disclosure.Text {
		o["display"] = *ref.Display
	}
	if len(o) == 0 {
		return nil
	}
	return o
}

// logicals is logical for a list; nil when nothing is left, which an Edit takes for "none".
func (s *situation) logicals(v *fhir.Version, refs []fhir.Reference) any {
	var out []object
	for _, ref := range refs {
		if o := s.logical(v, ref); o != nil {
			out = append(out, o)
		}
	}
	if out == nil {
		return nil
	}
	return out
}

// requester is who refers: the one whom the referral names, else the practice.
func (s *situation) requester(r referral) object {
	if r.Value.Requester != nil {
		if o := s.logical(r.Version, *r.Value.Requester); o != nil {
			return o
		}
	}
	return party(s.policy.Practice)
}

// placer returns the identifier by which the practice knows the referral; ours says that the hub made it because the
// practice gave none that is marked as the placer's.
func (s *situation) placer(r referral) (plac object, ours bool) {
	for _, i := range r.Value.Identifier {
		if i.System != nil && i.Value != nil && has(i.Type, fhir.Code{System: fhir.SystemIdentifierType, Code: "PLAC"}) {
			return typed(fhir.ID{System: *i.System, Value: *i.Value}, "PLAC"), false
		}
	}
	return typed(fhir.ID{System: fhir.Base + "/referral", Value: s.copyThere(exchange.WhatReferral, r.Key).Value}, "PLAC"), true
}
