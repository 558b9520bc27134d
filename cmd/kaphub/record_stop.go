package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

type recordStop struct {
	entryFlags
	Said string `placeholder:"WHO" help:"Who said stop: prescriber, therapist or client. --from gives the name."`
	Why  string `placeholder:"LINE" help:"Why, in one line."`
}

// Run enters a stop. Whoever is asked the least is done the soonest: three answers.
func (c *recordStop) Run(ctx context.Context, s *scene) error {
	return s.record(ctx, &c.entryFlags, true, func(r *recording) ([]exchange.Slip, error) {
		said, err := r.choice(c.Said, question{flag: "said", ask: "Who said stop"}, "prescriber", "therapist", "client")
		if err != nil {
			return nil, err
		}
		if err := r.text(&c.Why, question{flag: "why", ask: "Why, in one line", usual: "-"}); err != nil {
			return nil, err
		}
		party := r.book.Practice
		if said == "prescriber" {
			party = r.book.Prescriber
		} else if r.note.From == "" {
			r.note.From = "the " + said
		}
		return r.book.Stop(r.note, party, c.Why)
	})
}

type recordLift struct {
	entryFlags
	Entry string `placeholder:"ID" help:"Which stop, where several stand: its id, as kaphub record list shows it."`
}

// Run ends a stop by the word of whoever said it.
func (c *recordLift) Run(ctx context.Context, s *scene) error {
	return s.record(ctx, &c.entryFlags, false, func(r *recording) ([]exchange.Slip, error) {
		stop, party, err := c.stop(r)
		if err != nil {
			return nil, err
		}
		if err := r.text(&r.note.From, question{flag: "from", ask: "Who of " + party.Title + " lifts it"}); err != nil {
			return nil, err
		}
		return r.book.Lift(r.note, party, stop)
	})
}

// stop finds the one that is meant, and whose it is.
func (c *recordLift) stop(r *recording) (*fhir.Version, desk.Party, error) {
	var standing []*fhir.Version
	elsewhere := 0
	for _, f := range fhir.Now(r.chart.Flags) {
		switch {
		case f.Value.Status.Code() != "active":
		case !r.isDesk(f.Source):
			elsewhere++
		case c.Entry == "" || f.ID == "stop-"+strings.TrimPrefix(c.Entry, "e-"):
			standing = append(standing, f.Version)
		}
	}
	switch {
	case len(standing) == 0 && elsewhere > 0:
		return nil, desk.Party{}, errors.New("the stop stands in the other side's own record: they lift it there, and the next sync brings it")
	case len(standing) == 0:
		return nil, desk.Party{}, errors.New("no such stop stands: a decision that stops is lifted by a decision that clears")
	case len(standing) > 1:
		return nil, desk.Party{}, fmt.Errorf("%d stops stand: say with --entry which one, kaphub record list shows them", len(standing))
	}
	if standing[0].Party == fhir.Practice {
		return standing[0], r.book.Practice, nil
	}
	return standing[0], r.hub.book(standing[0].Party).Prescriber, nil
}
