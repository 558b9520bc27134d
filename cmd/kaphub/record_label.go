package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

type recordLabel struct {
	entryFlags
	NameMatches  string `placeholder:"y|n" help:"The name on the label is the client's legal name."`
	Filled       string `placeholder:"DATE" help:"Filled on."`
	DiscardAfter string `placeholder:"DATE" help:"Discard after, or none."`
	Sessions     string `placeholder:"N" help:"For how many sessions it is enough, as filled."`
	Directions   string `placeholder:"same|TEXT" help:"same, if they are those on file; else word for word."`
}

// Run enters a label check: prescribed, dispensed, in hand, and the directions read.
func (c *recordLabel) Run(ctx context.Context, s *scene) error {
	return s.record(ctx, &c.entryFlags, false, c.build)
}

func (c *recordLabel) build(r *recording) ([]exchange.Slip, error) {
	matches, err := r.yes(c.NameMatches, question{flag: "name-matches", ask: "Does the label bear the legal name" + called(r.chart)})
	if err != nil {
		return nil, err
	}
	p := desk.Label{NameMatches: *matches, Rx: readiness.Prescribed(r.chart, r.policy, r.note.At)}
	if p.FilledOn, err = answered(r.asker, c.Filled, question{flag: "filled", ask: "Filled on", form: "a date"}, r.date); err != nil {
		return nil, err
	}
	p.Fill, p.HandedOn = r.filled(p.FilledOn)
	if !p.NameMatches {
		return r.book.Check(r.note, p)
	}
	if p.DiscardAfter, err = answered(r.asker, c.DiscardAfter, question{flag: "discard-after", ask: "Discard after", form: "a date, or none"}, r.date); err != nil {
		return nil, err
	}
	worth, err := r.number(c.Sessions, question{flag: "sessions", ask: "Enough for how many sessions, as filled"})
	if err != nil {
		return nil, err
	}
	p.Sessions = *worth
	if err := c.directions(r, &p); err != nil {
		return nil, err
	}
	return r.book.Check(r.note, p)
}

// called is the client's legal name as a question shows it: here, where the label must bear it, and nowhere else.
func called(c fhir.Chart) string {
	if name := readiness.LegalName(c); name != "" {
		return ", " + harmless([]byte(name))
	}
	return ""
}

// directions shows those on file and asks whether the label bears the same.
func (c *recordLabel) directions(r *recording, p *desk.Label) error {
	onFile := ""
	if p.Rx != nil {
		var err error
		if onFile, err = directionsOf(p.Rx); err != nil {
			return err
		}
	}
	q := question{flag: "directions", ask: "Directions on the label", form: "word for word"}
	if p.Rx != nil {
		if r.tty {
			_, _ = fmt.Fprintf(r.out, "  On file: %s\n", cmp.Or(harmless([]byte(onFile)), "(directions without words)"))
		}
		q.form = "same, or word for word"
	}
	text := c.Directions
	if err := r.text(&text, q); err != nil {
		return err
	}
	switch {
	case strings.EqualFold(text, "same") && p.Rx == nil:
		return errors.New("--directions cannot be the same: none are on file, so write them word for word")
	case strings.EqualFold(text, "same"), text == onFile:
	default:
		p.Directions = text
	}
	return nil
}

// directionsOf are a prescription's directions in words, "" when it has none.
func directionsOf(v *fhir.Version) (string, error) {
	rx, err := fhir.Read[fhir.MedicationRequest](v.Resource)
	if err != nil {
		return "", err
	}
	var words []string
	for _, d := range rx.DosageInstruction {
		if d.Text != nil {
			words = append(words, *d.Text)
		}
	}
	return strings.Join(words, " "), nil
}

// filled is an earlier check of the fill of that day, and when it came into the client's hands.
func (r *recording) filled(on string) (*fhir.Version, string) {
	for _, d := range fhir.Now(r.chart.MedicationDispenses) {
		if d.Source != r.policy.Practice.Desk || d.Value.WhenPrepared == nil || *d.Value.WhenPrepared != on || d.Value.Status == "entered-in-error" {
			continue
		}
		handed := ""
		if d.Value.WhenHandedOver != nil {
			handed = *d.Value.WhenHandedOver
		}
		return d.Version, handed
	}
	return nil, ""
}
