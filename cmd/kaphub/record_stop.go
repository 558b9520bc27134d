package main

import (
	"context"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
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
		said, err := r.choice(c.Said, question{flag: "said", ask: "Who said stop"}, entry.SaidPrescriber, entry.SaidTherapist, entry.SaidClient)
		if err != nil {
			return nil, err
		}
		if _, err := word(r.asker, &c.Why, question{flag: "why", ask: "Why, in one line", usual: "-"}, desk.Line); err != nil {
			return nil, err
		}
		return entry.Stop{Said: said, Why: c.Why}.Make(r.About, r.note)
	})
}

type recordLift struct {
	entryFlags
	Said  string `placeholder:"WHO" help:"Who says that it is over: prescriber, therapist or client. Only whoever said stop lifts it."`
	Entry string `placeholder:"ID" help:"Which stop, where several stand: its id, as kaphub record list shows it."`
}

// Run ends a stop by the word of whoever said it.
func (c *recordLift) Run(ctx context.Context, s *scene) error {
	return s.record(ctx, &c.entryFlags, false, func(r *recording) ([]exchange.Slip, error) {
		stop, err := r.Stop(c.Entry)
		if err != nil {
			return nil, err
		}
		said, err := r.choice(c.Said, question{flag: "said", ask: "Who says that it is over"}, entry.SaidPrescriber, entry.SaidTherapist, entry.SaidClient)
		if err != nil {
			return nil, err
		}
		if said != stop.Said {
			return entry.Lift{Entry: stop.Entry, Said: said}.Make(r.About, r.note)
		}
		if err := r.text(&r.note.From, question{flag: "from", ask: "Who of " + stop.Who() + " lifts it"}); err != nil {
			return nil, err
		}
		return entry.Lift{Entry: stop.Entry, Said: said}.Make(r.About, r.note)
	})
}
