package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

type recordCondition struct {
	entryFlags
	Condition string `placeholder:"TEXT" help:"Which condition, where the clearance has several: part of its words is enough."`
	Met       string `placeholder:"y|n" help:"Whether the prescriber says that it is met."`
}

// Run enters what the prescriber says of a condition of the clearance: an ECG seen, a letter read.
func (c *recordCondition) Run(ctx context.Context, s *scene) error {
	return s.record(ctx, &c.entryFlags, true, c.build)
}

// build shows all conditions, with how each stands, and asks of one.
func (c *recordCondition) build(r *recording) ([]exchange.Slip, error) {
	_, all := readiness.Conditions(r.Chart, r.Policy, r.note.At)
	if len(all) == 0 {
		return nil, errors.New("the clearance that counts has no condition: kaphub explain shows it")
	}
	for _, one := range all {
		_, _ = fmt.Fprintf(r.out, "  %s (%s)\n", harmless([]byte(one.Words)), map[bool]string{true: "recorded as met", false: "open"}[one.Met])
	}
	if c.Condition != "" || len(all) > 1 {
		if _, err := word(r.asker, &c.Condition, question{flag: "condition", ask: "Which condition", form: "part of its words"}, entry.Which(all)); err != nil {
			return nil, err
		}
	}
	if _, err := word(r.asker, &c.Met, question{flag: "met", ask: fmt.Sprintf("Does %s say that it is met", r.Policy.Prescriber.Title), form: "y or n"}, entry.Yes); err != nil {
		return nil, err
	}
	return entry.Condition{Condition: c.Condition, Met: c.Met}.Make(r.About, r.note)
}
