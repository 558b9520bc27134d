package desk

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Label is what somebody read on the medicine in the client's hands.
type Label struct {
	NameMatches  bool   // the legal name on it is the client's
	FilledOn     string // a date
	DiscardAfter string // a date, "" when the label has none
	Sessions     float64
	Directions   string        // word for word; "" = the same as are on file
	Rx           *fhir.Version // the prescription in force, the prescriber's own or the desk's; nil = none on file
	Fill         *fhir.Version // an earlier check of this very fill; nil = none
	HandedOn     string        // when it came into the client's hands, as that check or a count says; "" = at this entry
}

// Check makes what a label check tells: that the medicine was prescribed (the prescriber's fact), dispensed and is in the
// client's hands, and that its directions were read and acknowledged (the practice's). A label with another name on it
// tells none of that. One with other directions than are on file is no word of the prescriber's: what it bears is kept with
// the fill, nothing is acknowledged, and the prescriber is asked which holds (R25).
func (b Book) Check(n Note, p Label) ([]exchange.Slip, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	switch {
	case p.FilledOn == "":
		return nil, in("filled", fmt.Errorf("the date on which it was filled %w", errMissing))
	case p.FilledOn > b.day(n.At):
		return nil, in("filled", errors.New("it is filled in the future: look at the label again"))
	case p.DiscardAfter != "" && p.DiscardAfter < p.FilledOn:
		return nil, in("discard-after", errors.New("it is to be discarded before it was filled: look at the label again"))
	case p.NameMatches && p.Sessions <= 0:
		return nil, in("sessions", fmt.Errorf("for how many sessions it is enough %w", errMissing))
	case p.NameMatches && p.Directions == "" && (p.Rx == nil || !directed(p.Rx)):
		return nil, in("directions", fmt.Errorf("none are on file, so the directions on the label, word for word, %w", errMissing))
	}
	ours, theirs := b.draft(n, b.Practice, KindLabel), b.draft(n, b.Prescriber, KindLabel)
	if !p.NameMatches {
		fill := b.fill(ours, p)
		fill["status"] = "on-hold"
		fill["statusReasonCodeableConcept"] = concept(fhir.SystemKAP, fhir.CodeOtherName)
		ours.add("MedicationDispense", ours.id("fill"), p.Fill, fill)
		return slips(ours)
	}
	if p.contradicts() {
		fill := b.fill(ours, p)
		fill["status"], fill["whenHandedOver"] = "completed", cmp.Or(p.HandedOn, instant(n.At))
		fill["authorizingPrescription"], fill["dosageInstruction"] = []object{at(p.Rx)}, []object{{"text": p.Directions}}
		ours.add("MedicationDispense", ours.id("fill"), p.Fill, fill)
		return slips(ours)
	}
	rx, digest, err := b.prescription(theirs, p)
	if err != nil {
		return nil, err
	}
	fill := b.fill(ours, p)
	fill["status"] = "completed"
	fill["whenHandedOver"] = cmp.Or(p.HandedOn, instant(n.At))
	fill["authorizingPrescription"] = []object{rx}
	ours.add("MedicationDispense", ours.id("fill"), p.Fill, fill)
	ours.add("Observation", ours.id("acknowledged"), nil, object{
		"status": "final", "code": concept(fhir.SystemKAP, fhir.CodeAcknowledged), "subject": ours.patient(),
		"effectiveDateTime": instant(n.At), "issued": instant(n.At),
		"performer": []object{{"display": n.By}}, "focus": []object{rx}, "valueString": digest,
	})
	return slips(theirs, ours)
}

// contradicts reports whether the label bears other directions than are on file. Where all that is on file is an earlier
// reading of this very label, it is read better now.
func (p Label) contradicts() bool {
	if p.Directions == "" || p.Rx == nil || !directed(p.Rx) {
		return false
	}
	return p.Fill == nil || strings.TrimPrefix(p.Rx.ID, "rx-") != strings.TrimPrefix(p.Fill.ID, "fill-")
}

// fill is what a dispense says of the medicine.
func (b Book) fill(d *draft, p Label) object {
	o := object{
		"subject": d.patient(), "quantity": object{"value": p.Sessions, "unit": "sessions", "system": fhir.SystemUCUM, "code": "{session}"},
		"whenPrepared": p.FilledOn,
	}
	if p.Sessions <= 0 {
		delete(o, "quantity")
	}
	if p.DiscardAfter == "" {
		o["medicationCodeableConcept"] = b.drug()
		return o
	}
	o["contained"] = []object{{"resourceType": "Medication", "id": "med", "code": b.drug(), "batch": object{"expirationDate": p.DiscardAfter}}}
	o["medicationReference"] = object{"reference": "#med"}
	return o
}

// prescription returns a reference to the prescription whose directions the label bears, and their digest; it adds one,
// or its next version, where the desk must tell of it.
//
//	prescription on file    directions on the label    the desk tells
//	none                    any                        of one
//	the desk's own          the same, another fill     the same once more: it was filled again
//	the desk's own          the same, this very fill   nothing
//	the desk's own, bare,   any                        the directions
//	  or read off this very
//	  label before
//	the prescriber's own    the same                   nothing
//	the prescriber's, bare  any                        of one beside it
func (b Book) prescription(d *draft, p Label) (ref object, digest string, err error) {
	own := p.Rx != nil && p.Rx.Source == Source(b.Prescriber.Name)
	if p.Rx != nil && p.Directions == "" && (!own || p.Fill != nil) {
		return at(p.Rx), fhir.DosageDigest(p.Rx.Resource), nil
	}
	directions := any([]object{{"text": p.Directions}})
	if p.Directions == "" {
		was, err := members(p.Rx)
		if err != nil {
			return nil, "", err
		}
		directions = was["dosageInstruction"]
	}
	var was *fhir.Version
	if own {
		was = p.Rx
	}
	d.add("MedicationRequest", d.id("rx"), was, object{
		"status": "active", "intent": "order", "medicationCodeableConcept": b.drug(), "subject": d.patient(),
		"requester": b.Prescriber.reference(), "dosageInstruction": directions,
	})
	m := d.made[len(d.made)-1]
	r, err := parse(object{"resourceType": m.kind, "id": m.id, "status": "active", "intent": "order", "dosageInstruction": directions, "subject": d.patient()})
	if err != nil {
		return nil, "", fmt.Errorf("make a record of the entry: %w", err)
	}
	v := fhir.Version{Key: fhir.Key{Source: Source(b.Prescriber.Name), Type: m.kind, ID: m.id}}
	return at(&v), fhir.DosageDigest(r), nil
}

// directed reports whether a prescription carries directions.
func directed(v *fhir.Version) bool {
	body, err := members(v)
	return err == nil && body["dosageInstruction"] != nil
}
