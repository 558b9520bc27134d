package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kaphub/kaphub/connectors/desk"
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
	return s.record(ctx, &c.entryFlags, true, func(r *recording) ([]exchange.Slip, error) {
		decision, all := readiness.Conditions(r.chart, r.policy, r.note.At)
		if len(all) == 0 {
			return nil, errors.New("the clearance that counts has no condition: kaphub explain shows it")
		}
		which, err := c.which(r, all)
		if err != nil {
			return nil, err
		}
		met, err := r.yes(c.Met, question{flag: "met", ask: fmt.Sprintf("Does %s say that it is met", r.policy.Prescriber.Title)})
		if err != nil {
			return nil, err
		}
		return r.book.Condition(r.note, decision, which, *met)
	})
}

// which is the condition that is meant, in the words of the decision. At a terminal all are shown, with how each stands.
func (c *recordCondition) which(r *recording, all []readiness.Condition) (string, error) {
	var words []string
	for _, one := range all {
		words = append(words, one.Words)
		_, _ = fmt.Fprintf(r.out, "  %s (%s)\n", harmless([]byte(one.Words)), map[bool]string{true: "recorded as met", false: "open"}[one.Met])
	}
	if c.Condition == "" && len(words) == 1 {
		return words[0], nil
	}
	return answered(r.asker, c.Condition, question{flag: "condition", ask: "Which condition", form: "part of its words"}, func(word string) (string, error) {
		found := ""
		for _, w := range words {
			switch {
			case strings.EqualFold(w, word):
				return w, nil
			case !strings.Contains(strings.ToLower(w), strings.ToLower(word)):
			case found != "":
				return "", errors.New("fits several: write more of it")
			default:
				found = w
			}
		}
		if found == "" {
			return "", errors.New("is none of the clearance's conditions")
		}
		return found, nil
	})
}

// spacing asks what a decision says of sessions: how many, how far apart, where.
func (c *recordDecision) spacing(r *recording) (desk.Spacing, error) {
	q := question{flag: "sessions", ask: "Sessions", usual: "-", form: "like 6 in all, 1 a week, 7 days apart, office"}
	if c.Sessions == "" && !r.tty || c.noSpacing {
		return desk.Spacing{}, nil
	}
	return answered(r.asker, c.Sessions, q, desk.ParseSpacing)
}
