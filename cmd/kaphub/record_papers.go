package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir/exchange"
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
	if c.Withdraw == "" {
		if err := c.ask(r); err != nil {
			return nil, err
		}
	}
	return entry.Papers{Signed: c.Signed, Release: c.Release, ReleaseFrom: c.ReleasedOn, ReleaseTo: c.ReleaseTo, Consents: c.Consents,
		Refer: c.Refer, Withdraw: c.Withdraw}.Make(r.About, r.note)
}

// ask asks what was signed. Whoever is referred already is not asked about.
func (c *recordPapers) ask(r *recording) error {
	if _, err := word(r.asker, &c.Signed, question{flag: "signed", ask: "Signed on", usual: "today", form: "a date"}, r.asker.clock().Signed); err != nil {
		return err
	}
	release, err := word(r.asker, &c.Release, question{flag: "release", ask: "A release to " + r.Book.Prescriber.Title, form: "y or n"}, entry.Yes)
	if err != nil {
		return err
	}
	if *release {
		if c.ReleasedOn != "" {
			if _, err := r.asker.clock().Date(c.ReleasedOn); err != nil {
				return fmt.Errorf("--release-from %w", err)
			}
		}
		if _, err := word(r.asker, &c.ReleaseTo, question{flag: "release-to", ask: "The release holds to", form: "a date, or none"}, r.asker.clock().Date); err != nil {
			return err
		}
	}
	if _, err := word(r.asker, &c.Consents, question{flag: "consents", ask: "The consents to treatment", form: "y or n"}, entry.Yes); err != nil {
		return err
	}
	if c.Refer != "" || !r.Refers() {
		_, err = word(r.asker, &c.Refer, question{flag: "refer", ask: "Refer the client to " + r.Book.Prescriber.Title, usual: "n", form: "y or n"}, entry.Yes)
	}
	return err
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
	upTo, err := answered(a, c.UpTo, question{flag: "up-to", ask: "Up to", usual: "now", form: "a time, like 07:40"}, func(word string) (time.Time, error) { return a.clock().Moment(word, false) })
	if err != nil {
		return err
	}
	book := h.book(p.Prescriber.Name)
	by, err := h.hand(ctx, c.By)
	if err != nil {
		return err
	}
	slips, err := book.ReadThrough(desk.Note{Entry: desk.NewEntry(), At: h.now()}.Signed(desk.Writer(by)), book.Prescriber, upTo)
	if err != nil {
		return err
	}
	if err := s.save(ctx, h, slips); err != nil {
		return err
	}
	s.printf("Everything from %s up to %s is entered.\n", p.Prescriber.Title, h.local(upTo))
	return nil
}
