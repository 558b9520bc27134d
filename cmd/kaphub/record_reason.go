package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
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
	b, err := c.session(r)
	if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintf(r.out, "  The session of %s began while %s\n", r.local(b.Start), b.State)
	if err := r.text(&c.Why, question{flag: "why", ask: "Why was it held, in one line"}); err != nil {
		return nil, err
	}
	return r.book.Reason(r.note, b.Key, c.Why)
}

// session is the one that the reason is for.
func (c *recordReason) session(r *recording) (fhir.Began, error) {
	on, err := r.date(c.On)
	if c.On != "" && err != nil {
		return fhir.Began{}, fmt.Errorf("--on %w", err)
	}
	for _, b := range readiness.Unexplained(r.chart, r.policy, r.note.At) {
		if c.On == "" || b.Start.In(r.zone).Format(time.DateOnly) == on {
			return b, nil
		}
	}
	return fhir.Began{}, errors.New("no session of the client asks for a reason: each that was held began READY, or its reason is on file")
}
