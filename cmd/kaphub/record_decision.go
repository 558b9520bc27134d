package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

type recordDecision struct {
	entryFlags
	Outcome        string   `placeholder:"WORD" help:"cleared, cleared-with-conditions, deferred, not-cleared, withdrawn or follow-up-done."`
	Decider        string   `placeholder:"NAME" help:"Who decided: a name or number on the sheet. With one decider, that one."`
	ValidTo        string   `placeholder:"DATE" help:"To when it holds, or none."`
	ValidToAgain   string   `placeholder:"DATE" help:"The same once more, when nobody else can confirm it."`
	Conditions     []string `name:"condition" placeholder:"TEXT" help:"A condition; bp means: readings below the limits before each session."`
	Limits         []string `name:"limit" placeholder:"systolic=140" help:"A limit of a reading: systolic, diastolic (mmHg) or heart-rate (bpm)."`
	Sessions       string   `placeholder:"TEXT" help:"How many sessions at most, how far apart, where: 6 in all, 1 a week, 7 days apart, office."`
	Directions     string   `placeholder:"TEXT" help:"The directions, word for word, where the message changes them."`
	Sure           bool     `help:"The date was looked at again: it was decided more than 30 days ago, or before the evaluation that is booked."`
	InPerson       bool     `help:"The prescriber saw the client in person for it, not by video."`
	pasted, signed string   // the message, and who decided as it says
	Paste          bool     `help:"Read a reply block (STATUS: VALID-TO: LIMITS: CONDITIONS: SESSIONS: DIRECTIONS:) from stdin; what it says is not asked. It is not kept."`
}

// Run enters a decision or a follow-up.
func (c *recordDecision) Run(ctx context.Context, s *scene) error {
	if c.Paste {
		if _, tty := terminal(s.in); tty {
			s.printf("Paste the reply, then press Enter and Ctrl-D:\n")
		}
		text, err := unless(ctx.Done(), func() ([]byte, error) { return io.ReadAll(io.LimitReader(s.in, 1<<16)) })
		switch {
		case errors.Is(err, errNoAnswer):
			return err
		case err != nil:
			return fmt.Errorf("read what was pasted: %w", err)
		}
		c.pasted = string(text)
	}
	return s.record(ctx, &c.entryFlags, c.stops(), func(r *recording) ([]exchange.Slip, error) {
		if c.Paste {
			if err := c.fill(ctx, r); err != nil {
				return nil, err
			}
		}
		return c.build(r)
	})
}

// stops reports whether what was decided stops: then a day without an hour means its end.
func (c *recordDecision) stops() bool { return !desk.Clears(c.Outcome) && c.Outcome != "" }

// fill takes from the message what no flag says, and tells what whoever compares must know of it.
func (c *recordDecision) fill(ctx context.Context, r *recording) error {
	p, err := r.Read(c.pasted, func(text string) ([]entry.Called, error) { return r.called(ctx, text) })
	if err != nil {
		return err
	}
	if p.Nameless {
		_, _ = fmt.Fprintf(r.out, "  the message names no client: look whether it is about %s\n", r.Chart.Client)
	}
	if p.GoesOn {
		_, _ = fmt.Fprintln(r.out, "  below an answer the message goes on; those lines were not taken: compare each answer with it")
	}
	for _, k := range p.Others {
		_, _ = fmt.Fprintf(r.out, "  the message tells of %s too, which is still to be entered: kaphub record decision %s --paste\n", k, k)
	}
	c.signed = p.Decider
	form := c.form()
	form.Fill(p.Reply)
	c.Outcome, c.ValidTo, c.Conditions, c.Limits, c.Sessions, c.Directions = form.Outcome, form.ValidTo, form.Conditions, form.Limits, form.Sessions, form.Directions
	return nil
}

// form are the answers as they were given so far.
func (c *recordDecision) form() entry.Decision {
	return entry.Decision{Outcome: c.Outcome, Decider: c.Decider, ValidTo: c.ValidTo, ValidToAgain: c.ValidToAgain, Conditions: c.Conditions,
		Limits: c.Limits, Sessions: c.Sessions, Directions: c.Directions, InPerson: c.InPerson, Sure: c.Sure, Seen: c.Sure}
}

func (c *recordDecision) build(r *recording) (slips []exchange.Slip, err error) {
	if c.Outcome, err = r.choice(c.Outcome, question{flag: "outcome", ask: "Outcome"}, entry.Outcomes...); err != nil {
		return nil, err
	}
	if r.flags.Told != "" || r.tty { // now that it is known which way it goes
		if r.note.Told, err = answered(r.asker, r.flags.Told, question{flag: "told", ask: "Dated", usual: "now", form: "a time, a day, or both"}, func(s string) (time.Time, error) {
			return r.asker.clock().Said(s, c.Outcome)
		}); err != nil {
			return nil, err
		}
	}
	if err := c.decider(r); err != nil {
		return nil, err
	}
	if c.Outcome == entry.FollowUpDone {
		return c.form().Make(r.About, r.note)
	}
	if desk.Clears(c.Outcome) {
		if err := c.terms(r); err != nil {
			return nil, err
		}
	}
	if err := c.redirect(r); err != nil {
		return nil, err
	}
	if slips, err = c.form().Make(r.About, r.note); err != nil {
		return nil, err
	}
	return slips, showDecision(r.out, slips)
}

// showDecision shows a decision as it was entered: whoever looks sees what was taken from the message.
func showDecision(out io.Writer, slips []exchange.Slip) error {
	for _, slip := range slips {
		for _, r := range slip.Records {
			if r.Type != "Observation" {
				continue
			}
			text, err := desk.Shown(r)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(out, "  %s\n", harmless([]byte(text)))
		}
	}
	return nil
}

// redirect shows directions that change. What is not prescribed yet has none: the label check will tell.
func (c *recordDecision) redirect(r *recording) error {
	if c.Directions == "" {
		return nil
	}
	switch rx, onFile, err := r.Directions(); {
	case err != nil:
		return err
	case rx == nil:
		_, _ = fmt.Fprintln(r.out, "  No prescription is on file: its directions are entered with the label check.")
	case onFile != c.Directions:
		_, _ = fmt.Fprintf(r.out, "  The directions change, and wait for the label check. They are now: %s\n", harmless([]byte(c.Directions)))
	}
	return nil
}

// decider is who decided: on the sheet by name or number; where it lists one only, that one per agreement.
func (c *recordDecision) decider(r *recording) error {
	if c.signed != "" && len(r.Deciders) > 0 {
		_, _ = fmt.Fprintf(r.out, "  the message says that it was decided by: %s\n", harmless([]byte(c.signed)))
	}
	if c.Decider == "" && len(r.Deciders) <= 1 {
		one, err := r.Decider("")
		if err == nil {
			r.agreed("decided by " + one.Shown())
		}
		return err
	}
	var names []string
	for _, d := range r.Deciders {
		names = append(names, d.Shown())
	}
	_, err := word(r.asker, &c.Decider, question{flag: "decider", ask: "Who decided", form: strings.Join(names, ", ")}, r.Decider)
	return err
}

// agreed shows what a message did not say and the sheet does.
func (r *recording) agreed(what string) {
	on := "per agreement"
	if signed := r.Policy.Sheet.Signed; !signed.IsZero() {
		on += " of " + signed.Start(time.UTC).Format("Mon 2 Jan 2006")
	}
	_, _ = fmt.Fprintf(r.out, "  %s (%s)\n", what, on)
}

// terms asks to when and on what terms a decision clears.
func (c *recordDecision) terms(r *recording) error {
	validTo, err := word(r.asker, &c.ValidTo, question{flag: "valid-to", ask: "Valid to", form: "a date, or none"}, r.asker.clock().Date)
	if err != nil {
		return err
	}
	if end, agreed := r.Ends(validTo, r.note.Told); agreed {
		r.agreed("valid to " + end)
	}
	if c.Outcome == fhir.DecisionConditions && len(c.Conditions) == 0 {
		text := ""
		if err := r.text(&text, question{flag: "condition", ask: "Conditions", form: "with ; between them; bp: readings below the limits"}); err != nil {
			return err
		}
		c.Conditions = strings.Split(text, ";")
	}
	if given, _ := entry.Conditions(c.Conditions); c.Paste && len(given) > 0 { // nobody typed them: what slipped in is seen
		_, _ = fmt.Fprintf(r.out, "  conditions: %s\n", harmless([]byte(strings.Join(given, "; "))))
	}
	if len(c.Limits) == 0 && r.tty {
		text := ""
		if err := r.text(&text, question{flag: "limit", ask: "Limits", usual: "-", form: "like BP 140/90, HR 100"}); err != nil {
			return err
		}
		c.Limits = []string{text}
	}
	for _, text := range c.Limits {
		if _, err := desk.ParseLimits(text); err != nil {
			return fmt.Errorf("--limit %w", err)
		}
	}
	if c.Sessions != "" || r.tty {
		q := question{flag: "sessions", ask: "Sessions", usual: "-", form: "like 6 in all, 1 a week, 7 days apart, office"}
		if _, err := word(r.asker, &c.Sessions, q, desk.ParseSpacing); err != nil {
			return err
		}
	}
	if c.ValidToAgain == "" && r.tty { // else the entry counts to the end of the next business day, and a second person confirms it
		return r.text(&c.ValidToAgain, question{flag: "valid-to-again", ask: "Type the end again, if nobody else can confirm it by the next business day", usual: "-"})
	}
	return nil
}
