package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

type recordDecision struct {
	entryFlags
	Outcome      string   `placeholder:"WORD" help:"cleared, cleared-with-conditions, deferred, not-cleared, withdrawn or follow-up-done."`
	Decider      string   `placeholder:"NAME" help:"Who decided: a name or number on the sheet. With one decider, that one."`
	ValidTo      string   `placeholder:"DATE" help:"To when it holds, or none."`
	ValidToAgain string   `placeholder:"DATE" help:"The same once more, when nobody else can confirm it."`
	Conditions   []string `name:"condition" placeholder:"TEXT" help:"A condition; bp means: readings below the limits before each session."`
	Limits       []string `name:"limit" placeholder:"systolic=140" help:"A limit of a reading: systolic, diastolic (mmHg) or heart-rate (bpm)."`
	Sessions     string   `placeholder:"TEXT" help:"How many sessions at most, how far apart, where: 6 in all, 1 a week, 7 days apart, office."`
	Directions   string   `placeholder:"TEXT" help:"The directions, word for word, where the message changes them."`
	InPerson     bool     `help:"The prescriber saw the client in person for it, not by video."`
	noLimits     bool
	noSpacing    bool
	signed       string // who decided, as the message says
	Paste        bool   `help:"Read a reply block (STATUS: VALID-TO: LIMITS: CONDITIONS: SESSIONS: DIRECTIONS:) from stdin; what it says is not asked. It is not kept."`
}

const followUpDone = "follow-up-done"

// Run enters a decision or a follow-up.
func (c *recordDecision) Run(ctx context.Context, s *scene) error {
	if c.Paste {
		if _, tty := terminal(s.in); tty {
			s.printf("Paste the reply, then press Enter and Ctrl-D:\n")
		}
		if err := c.paste(ctx, s.in); err != nil {
			return err
		}
	}
	return s.record(ctx, &c.entryFlags, c.stops(), c.build)
}

// stops reports whether what was decided stops: then a day without an hour means its end.
func (c *recordDecision) stops() bool { return !desk.Clears(c.Outcome) && c.Outcome != "" }

// paste fills what a prescriber's reply says and no flag does.
func (c *recordDecision) paste(ctx context.Context, in io.Reader) error {
	text, err := unless(ctx.Done(), func() ([]byte, error) { return io.ReadAll(io.LimitReader(in, 1<<16)) })
	switch {
	case errors.Is(err, errNoAnswer):
		return err
	case err != nil:
		return fmt.Errorf("read what was pasted: %w", err)
	}
	r, err := desk.ParseReply(string(text))
	if err != nil {
		return err
	}
	if c.Outcome == "" {
		c.Outcome = r.Outcome
	}
	if c.ValidTo == "" {
		c.ValidTo = r.ValidTo
	}
	if len(c.Conditions) == 0 {
		c.Conditions = r.Conditions
	}
	if c.Directions == "" {
		c.Directions = r.Directions
	}
	c.noLimits, c.signed = r.NoLimits, r.Decider
	if c.Sessions == "" {
		c.Sessions, c.noSpacing = r.Sessions, r.Sessions == "none"
	}
	if len(c.Limits) == 0 {
		for _, l := range r.Limits {
			below := ""
			if l.Below {
				below = "<"
			}
			c.Limits = append(c.Limits, l.Of+"="+below+strconv.FormatFloat(l.Value, 'f', -1, 64))
		}
	}
	return nil
}

func (c *recordDecision) build(r *recording) ([]exchange.Slip, error) {
	outcome, err := r.choice(c.Outcome, question{flag: "outcome", ask: "Outcome"}, append(desk.Outcomes[:len(desk.Outcomes):len(desk.Outcomes)], followUpDone)...)
	if err != nil {
		return nil, err
	}
	if r.flags.Told != "" || r.tty { // now that it is known which way it goes
		if r.note.Told, err = answered(r.asker, r.flags.Told, question{flag: "told", ask: "Dated", usual: "now", form: "a time, a day, or both"}, func(s string) (time.Time, error) {
			return r.said(s, outcome)
		}); err != nil {
			return nil, err
		}
	}
	who, err := c.decider(r)
	if err != nil {
		return nil, err
	}
	if outcome == followUpDone {
		return r.book.FollowUp(r.note, r.note.Told, who, c.InPerson)
	}
	p := desk.Decision{Outcome: outcome, Decider: who, InPerson: c.InPerson}
	if desk.Clears(outcome) {
		if err := c.terms(r, &p); err != nil {
			return nil, err
		}
	}
	if err := c.redirect(r, &p); err != nil {
		return nil, err
	}
	slips, err := r.book.Decide(r.note, p)
	if err != nil {
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

// said is moment for a decision. One that clears and is dated today, at no hour, was made when the day began: a stop of this
// morning may have come after it.
func (a *asker) said(s, outcome string) (time.Time, error) {
	at, err := a.moment(s, !desk.Clears(outcome))
	if day, wrong := a.date(s); err == nil && desk.Clears(outcome) && wrong == nil && day != "" {
		return readiness.DayOf(at, a.zone).Start(a.zone), nil
	}
	return at, err
}

// redirect takes in directions that change. What is not prescribed yet has none: the label check will tell.
func (c *recordDecision) redirect(r *recording, p *desk.Decision) error {
	if c.Directions == "" {
		return nil
	}
	rx := readiness.Prescribed(r.chart, r.policy, r.note.At)
	if rx == nil {
		_, _ = fmt.Fprintln(r.out, "  No prescription is on file: its directions are entered with the label check.")
		return nil
	}
	onFile, err := directionsOf(rx)
	if err != nil || onFile == c.Directions {
		return err
	}
	p.Directions, p.Rx = c.Directions, rx
	_, _ = fmt.Fprintf(r.out, "  The directions change, and wait for the label check. They are now: %s\n", harmless([]byte(c.Directions)))
	return nil
}

// decider is who decided: on the sheet by name or number; where it lists one only, that one per agreement.
func (c *recordDecision) decider(r *recording) (desk.Person, error) {
	listed := r.sheet(r.policy.Prescriber.Name).Deciders
	if len(listed) == 0 {
		return desk.Person{}, errors.New("the sheet lists nobody who may decide: write them under sheet.deciders, and check that the prescriber agreed")
	}
	of := func(i int) desk.Person {
		return desk.Person{Name: listed[i].Name, ID: fhir.ID{System: listed[i].System, Value: listed[i].Value}}
	}
	if c.signed != "" {
		_, _ = fmt.Fprintf(r.out, "  the message says that it was decided by: %s\n", harmless([]byte(c.signed)))
	}
	if c.Decider == "" && len(listed) == 1 {
		r.agreed("decided by " + cmp.Or(listed[0].Name, listed[0].Value))
		return of(0), nil
	}
	var names []string
	for _, d := range listed {
		names = append(names, cmp.Or(d.Name, d.Value))
	}
	return answered(r.asker, c.Decider, question{flag: "decider", ask: "Who decided", form: strings.Join(names, ", ")}, func(word string) (desk.Person, error) {
		found := -1
		for i, d := range listed {
			if word == d.Value || strings.Contains(strings.ToLower(d.Name), strings.ToLower(word)) {
				if found >= 0 {
					return desk.Person{}, errors.New("fits several: write the number")
				}
				found = i
			}
		}
		if found < 0 {
			return desk.Person{}, errors.New("is nobody on the sheet: only who is listed there may decide")
		}
		return of(found), nil
	})
}

// agreed shows what a message did not say and the sheet does.
func (r *recording) agreed(what string) {
	on := "per agreement"
	if signed := r.policy.Sheet.Signed; !signed.IsZero() {
		on += " of " + signed.String()
	}
	_, _ = fmt.Fprintf(r.out, "  %s (%s)\n", what, on)
}

// terms asks to when and on what terms a decision clears.
func (c *recordDecision) terms(r *recording, p *desk.Decision) (err error) {
	if p.ValidTo, err = answered(r.asker, c.ValidTo, question{flag: "valid-to", ask: "Valid to", form: "a date, or none"}, r.date); err != nil {
		return err
	}
	counts := p.ValidTo
	if every := r.policy.Sheet.ClearanceValidity; p.ValidTo == "" && every.Answer == readiness.Set {
		counts = r.note.Told.In(r.zone).Add(every.Value).Format(time.DateOnly)
		r.agreed("valid to " + counts)
	}
	given := c.Conditions
	if p.Outcome == fhir.DecisionConditions && len(given) == 0 {
		text := ""
		if err := r.text(&text, question{flag: "condition", ask: "Conditions", form: "with ; between them; bp: readings below the limits"}); err != nil {
			return err
		}
		given = strings.Split(text, ";")
	}
	for _, text := range given {
		switch text = strings.TrimSpace(text); text {
		case "":
		case "bp":
			p.ByReading = true
		default:
			p.Conditions = append(p.Conditions, text)
		}
	}
	if c.Paste && len(p.Conditions) > 0 { // nobody typed them: what slipped in is seen
		_, _ = fmt.Fprintf(r.out, "  conditions: %s\n", strings.Join(p.Conditions, "; "))
	}
	limits := c.Limits
	if len(limits) == 0 && r.tty && !c.noLimits {
		text := ""
		if err := r.text(&text, question{flag: "limit", ask: "Limits", usual: "-", form: "like BP 140/90, HR 100"}); err != nil {
			return err
		}
		if p.Limits, err = desk.ParseLimits(text); err != nil {
			return fmt.Errorf("--limit %w", err)
		}
	}
	for _, word := range limits {
		l, err := desk.ParseLimits(word)
		if err != nil {
			return fmt.Errorf("--limit %w", err)
		}
		p.Limits = append(p.Limits, l...)
	}
	if p.Spacing, err = c.spacing(r); err != nil {
		return err
	}
	return c.retype(r, p, counts)
}

// retype has the end typed twice where nobody else can confirm it. Without that the entry counts to the end of the next
// business day, and a second person must confirm it until then.
func (c *recordDecision) retype(r *recording, p *desk.Decision, counts string) error {
	again := c.ValidToAgain
	if again == "" && r.tty {
		if err := r.text(&again, question{flag: "valid-to-again", ask: "Type the end again, if nobody else can confirm it by the next business day", usual: "-"}); err != nil {
			return err
		}
	}
	if again == "" {
		return nil
	}
	typed, err := r.date(again)
	if err != nil {
		return fmt.Errorf("--valid-to-again %w", err)
	}
	if typed != p.ValidTo && typed != counts {
		return errors.New("--valid-to-again is not the end that was given: look at the message again, then enter it anew")
	}
	p.Retyped = true
	return nil
}
