package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
)

type recordPapers struct {
	entryFlags
	Signed     string `placeholder:"DATE" help:"When the client signed; else today."`
	Release    string `placeholder:"y|n" help:"A release to the prescriber was signed."`
	ReleaseTo  string `placeholder:"DATE" help:"To when the release holds, or none."`
	Consents   string `placeholder:"y|n" help:"The consents to treatment were signed."`
	Refer      string `placeholder:"y|n" help:"The practice refers the client to the prescriber."`
	Withdraw   string `enum:",release,treatment,both" default:"" help:"The client withdrew the release, the consents to treatment, or both."`
	ReleasedOn string `name:"release-from" placeholder:"DATE" help:"From when the release holds; else from when it was signed."`
}

// Run enters what the client signed.
func (c *recordPapers) Run(ctx context.Context, s *scene) error {
	return s.record(ctx, &c.entryFlags, false, c.build)
}

func (c *recordPapers) build(r *recording) ([]exchange.Slip, error) {
	var p desk.Papers
	if c.Withdraw != "" {
		p.Withdraws = c.Withdraw != "treatment"
		if c.Withdraw != "release" {
			p.Revoked = r.policy.Consents
		}
		return r.book.Papers(r.note, p)
	}
	signed, err := answered(r.asker, c.Signed, question{flag: "signed", ask: "Signed on", usual: "today", form: "a date"}, r.date)
	if err != nil {
		return nil, err
	}
	if p.Signed, err = time.ParseInLocation(time.DateOnly, signed, r.zone); err != nil || p.Signed.After(r.note.At) {
		return nil, errors.New("--signed must be a date that is not to come")
	}
	release, err := r.yes(c.Release, question{flag: "release", ask: "A release to " + r.book.Prescriber.Title})
	if err != nil {
		return nil, err
	}
	if p.Release = *release; p.Release {
		if c.ReleasedOn != "" {
			if p.From, err = r.date(c.ReleasedOn); err != nil {
				return nil, fmt.Errorf("--release-from %w", err)
			}
		}
		if p.To, err = answered(r.asker, c.ReleaseTo, question{flag: "release-to", ask: "The release holds to", form: "a date, or none"}, r.date); err != nil {
			return nil, err
		}
	}
	consents, err := r.yes(c.Consents, question{flag: "consents", ask: "The consents to treatment"})
	if err != nil {
		return nil, err
	}
	if *consents {
		p.Consents = r.policy.Consents
	}
	refers := plan.Refers(r.chart, r.policy)
	if c.Refer != "" || !refers {
		answer, err := r.yes(c.Refer, question{flag: "refer", ask: "Refer the client to " + r.book.Prescriber.Title, usual: "n"})
		if err != nil {
			return nil, err
		}
		if p.Refer = *answer; p.Refer && refers { // a second one would be told there once more
			return nil, fmt.Errorf("the client is referred to %s already: leave --refer out", r.book.Prescriber.Title)
		}
	}
	return r.book.Papers(r.note, p)
}

type recordReadThrough struct {
	byFlag
	Prescriber string `placeholder:"NAME" help:"Whose mailbox, where there are several prescribers."`
	UpTo       string `placeholder:"WHEN" help:"Up to when: 07:40, 2026-03-02T07:40. Else now."`
}

// Run says how far the mailbox was read: everything up to then is entered.
func (c *recordReadThrough) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	h.foreground = true
	a := s.asker(ctx, h.config.Location())
	var names []string
	for _, p := range h.policies() {
		names = append(names, p.Prescriber.Name)
	}
	p, err := h.prescriber(a, c.Prescriber, names)
	if err != nil {
		return err
	}
	if a.tty {
		_, _ = fmt.Fprintf(a.out, "\"I have read everything from %s up to …, and all of it is entered.\"\n", p.Prescriber.Title)
	}
	upTo, err := answered(a, c.UpTo, question{flag: "up-to", ask: "Up to", usual: "now", form: "a time, like 07:40"}, func(word string) (time.Time, error) { return a.moment(word, false) })
	if err != nil {
		return err
	}
	book := h.book(p.Prescriber.Name)
	slips, err := book.ReadThrough(desk.Note{Entry: desk.NewEntry(), By: c.actor(), At: h.now()}, book.Prescriber, upTo)
	if err != nil {
		return err
	}
	if err := s.save(ctx, h, slips); err != nil {
		return err
	}
	s.printf("Everything from %s up to %s is entered.\n", p.Prescriber.Title, h.local(upTo))
	return nil
}
