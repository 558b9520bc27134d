package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/kaphub/kaphub/cmd/internal/entry"
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
	form := func() entry.Label {
		return entry.Label{NameMatches: c.NameMatches, Filled: c.Filled, DiscardAfter: c.DiscardAfter, Sessions: c.Sessions, Directions: c.Directions}
	}
	matches, err := word(r.asker, &c.NameMatches, question{flag: "name-matches", ask: "Does the label bear the legal name" + called(r.Chart), form: "y or n"}, entry.Yes)
	if err != nil {
		return nil, err
	}
	if _, err := word(r.asker, &c.Filled, question{flag: "filled", ask: "Filled on", form: "a date"}, r.asker.clock().Date); err != nil {
		return nil, err
	}
	if !*matches {
		return form().Make(r.About, r.note)
	}
	if _, err := word(r.asker, &c.DiscardAfter, question{flag: "discard-after", ask: "Discard after", form: "a date, or none"}, r.asker.clock().Date); err != nil {
		return nil, err
	}
	if _, err := word(r.asker, &c.Sessions, question{flag: "sessions", ask: "Enough for how many sessions, as filled"}, entry.Number); err != nil {
		return nil, err
	}
	if err := c.directions(r); err != nil {
		return nil, err
	}
	return form().Make(r.About, r.note)
}

// called is the client's legal name as a question shows it: here, where the label must bear it, and nowhere else.
func called(c fhir.Chart) string {
	if name := readiness.LegalName(c); name != "" {
		return ", " + harmless([]byte(name))
	}
	return ""
}

// directions shows those on file and asks whether the label bears the same.
func (c *recordLabel) directions(r *recording) error {
	rx, onFile, err := r.Directions()
	if err != nil {
		return err
	}
	q := question{flag: "directions", ask: "Directions on the label", form: "word for word"}
	if rx != nil {
		if r.tty {
			_, _ = fmt.Fprintf(r.out, "  On file: %s\n", cmp.Or(harmless([]byte(onFile)), "(directions without words)"))
		}
		q.form = "same, or word for word"
	}
	return r.text(&c.Directions, q)
}
