package main

import (
	"context"
	"fmt"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir/exchange"
)

type recordReason struct {
	entryFlags
	On  string `placeholder:"DATE" help:"Of which day the session was; else the last that asks for a reason."`
	Why string `placeholder:"LINE" help:"Why it was held, in one line."`
}

// Run enters why a session was held that began while its records were not in order. The verdict of then stays as it was.
func (c *recordReason) Run(ctx context.Context, s *scene) error {
	return s.record(ctx, &c.entryFlags, false, c.build)
}

func (c *recordReason) build(r *recording) ([]exchange.Slip, error) {
	b, err := r.Unexplained(c.On)
	if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintf(r.out, "  The session of %s began while %s\n", r.local(b.Start), b.State)
	if _, err := word(r.asker, &c.Why, question{flag: "why", ask: "Why was it held, in one line"}, desk.Line); err != nil {
		return nil, err
	}
	return entry.Reason{On: c.On, Why: c.Why}.Make(r.About, r.note)
}
