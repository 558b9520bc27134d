package entry

import (
	"errors"
	"strings"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Same is the answer that the label bears the directions on file.
const Same = "same"

// Label is what the label of the medicine says, in the client's hands.
type Label struct {
	NameMatches  string // y or n: the legal name on it is the client's
	Filled       string // a date
	DiscardAfter string // a date, or none
	Sessions     string // for how many sessions it is enough, as filled
	Directions   string // Same, or word for word
}

// Make returns the slips of the label check. Of a label with another name nothing but its date is read.
func (l Label) Make(a About, n desk.Note) ([]exchange.Slip, error) {
	rx, onFile, err := a.Directions()
	if err != nil {
		return nil, err
	}
	var r reading
	matches := needed(&r, "name-matches", l.NameMatches, Yes)
	p := desk.Label{NameMatches: matches != nil && *matches, Rx: rx, FilledOn: needed(&r, "filled", l.Filled, a.Clock().Date)}
	p.Fill, p.HandedOn = a.Fill(p.FilledOn)
	if matches != nil && !*matches {
		return r.made(func() ([]exchange.Slip, error) { return a.Book.Check(n, p) })
	}
	p.DiscardAfter = needed(&r, "discard-after", l.DiscardAfter, a.Clock().Date)
	if worth := needed(&r, "sessions", l.Sessions, Number); worth != nil {
		p.Sessions = *worth
	}
	switch text := strings.TrimSpace(l.Directions); {
	case text == "":
		r.wrong("directions", ErrMissing)
	case strings.EqualFold(text, Same) && rx == nil:
		r.wrong("directions", errors.New("cannot be the same: none are on file, so write them word for word"))
	case !strings.EqualFold(text, Same) && text != onFile:
		p.Directions = text
	}
	return r.made(func() ([]exchange.Slip, error) { return a.Book.Check(n, p) })
}

// Fill returns an earlier check at the practice's desk of what was filled on a day, nil when there is none, and when it came
// into the client's hands.
func (a About) Fill(on string) (check *fhir.Version, handed string) {
	for _, d := range fhir.Now(a.Chart.MedicationDispenses) {
		if d.Source != a.Policy.Practice.Desk || d.Value.WhenPrepared == nil || *d.Value.WhenPrepared != on || d.Value.Status == "entered-in-error" {
			continue
		}
		if d.Value.WhenHandedOver != nil {
			handed = *d.Value.WhenHandedOver
		}
		return d.Version, handed
	}
	return nil, ""
}

// ErrOtherDirections is what Acknowledged answers when the directions that were read are not those in force.
var ErrOtherDirections = errors.New("the directions changed while they were read: read them again, and acknowledge those")

// Acknowledged says that the directions in force were read.
type Acknowledged struct {
	Digest string // of those that were read: fhir.DosageDigest
}

// Make returns the slips of the acknowledgement.
func (w Acknowledged) Make(a About, n desk.Note) ([]exchange.Slip, error) {
	rx := readiness.Prescribed(a.Chart, a.Policy, a.Now)
	switch {
	case rx == nil && w.Digest == "":
		return nil, errors.New("no prescription is on file: its directions are entered with the label check")
	case rx == nil || w.Digest != fhir.DosageDigest(rx.Resource):
		return nil, ErrOtherDirections
	}
	return a.Book.Acknowledge(n, rx)
}
