package main

import (
	"context"
	"fmt"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

type recordArrival struct {
	entryFlags
	BP       string `name:"bp" placeholder:"118/76" help:"Blood pressure."`
	HR       string `name:"hr" placeholder:"72" help:"Heart rate."`
	Ride     string `placeholder:"y|n" help:"The ride home is arranged."`
	Fasting  string `placeholder:"y|n" help:"Fasting was kept."`
	Location string `placeholder:"y|n" help:"The client is where the session is to be, in a state that is served."`
	New      string `placeholder:"y|n" help:"Something is new since the clearance."`
	News     string `placeholder:"LINE" help:"What is new, or what the prescriber said of it, in one line; nothing is read out of it, and nobody is told."`
	GoAhead  string `placeholder:"y|n" help:"The session's therapist gives the go-ahead."`
}

// Run enters the checks before a session and the go-ahead. At a terminal what is left out is not recorded.
func (c *recordArrival) Run(ctx context.Context, s *scene) error {
	return s.record(ctx, &c.entryFlags, false, c.build)
}

func (c *recordArrival) build(r *recording) ([]exchange.Slip, error) {
	next, early, ok := r.Next()
	if !ok {
		return c.news(r)
	}
	_, _ = fmt.Fprintf(r.out, "  For the session of %s\n", r.local(next.Start))
	if early != "" {
		_, _ = fmt.Fprintf(r.out, "  %s: what is entered before does not count\n", early)
	}
	if _, err := word(r.asker, &c.BP, question{flag: "bp", ask: "Blood pressure", usual: "-", form: "like 118/76"}, entry.Pressure); err != nil {
		return nil, err
	}
	if _, err := word(r.asker, &c.HR, question{flag: "hr", ask: "Heart rate", usual: "-"}, entry.Rate); err != nil {
		return nil, err
	}
	for _, q := range []struct {
		to *string
		question
	}{
		{&c.Ride, question{flag: "ride", ask: "Ride home arranged"}},
		{&c.Fasting, question{flag: "fasting", ask: "Fasting kept"}},
		{&c.Location, question{flag: "location", ask: "Where the session is to be, in a state that is served"}},
		{&c.New, question{flag: "new", ask: "Anything new since the clearance"}},
		{&c.GoAhead, question{flag: "go-ahead", ask: "Go-ahead of " + r.Whose(next)}},
	} {
		q.usual, q.form = "-", "y or n"
		if _, err := word(r.asker, q.to, q.question, entry.Yes); err != nil {
			return nil, err
		}
	}
	return c.made(r)
}

// news asks whether anything is new of a client without a session: nothing else can be said of them.
func (c *recordArrival) news(r *recording) ([]exchange.Slip, error) {
	_, _ = fmt.Fprintln(r.out, "  No dosing session is booked")
	if _, err := word(r.asker, &c.New, question{flag: "new", ask: "Anything new since the clearance", usual: "-", form: "y or n"}, entry.Yes); err != nil {
		return nil, err
	}
	return c.made(r)
}

func (c *recordArrival) made(r *recording) ([]exchange.Slip, error) {
	return entry.Arrival{BP: c.BP, HR: c.HR, Ride: c.Ride, Fasting: c.Fasting, Location: c.Location, New: c.New, News: c.News, GoAhead: c.GoAhead}.Make(r.About, r.note)
}

type recordAfter struct {
	entryFlags
	Session    string `placeholder:"KIND" help:"dosing, preparation or integration; else the dosing or preparation session that was last."`
	On         string `placeholder:"DATE" help:"On which day; else the last session that is over."`
	At         string `placeholder:"HOUR" help:"At which hour it began, like 13:30; else the hour for which it is booked."`
	Apart      bool   `help:"It is another one than the one that is booked for that day."`
	Held       string `placeholder:"y|n" help:"It took place."`
	AsDirected string `placeholder:"y|n" help:"The dose was taken as directed."`
	Effects    string `placeholder:"WORD" help:"none, expected (and settled), ask (the prescriber) or serious."`
	What       string `placeholder:"LINE" help:"What happened, in one line."`
	Left       string `placeholder:"N" help:"For how many sessions medicine is left."`
}

// Run enters what became of a session.
func (c *recordAfter) Run(ctx context.Context, s *scene) error {
	return s.record(ctx, &c.entryFlags, false, c.build)
}

func (c *recordAfter) build(r *recording) ([]exchange.Slip, error) {
	which := entry.After{Session: c.Session, On: c.On, At: c.At}
	if c.Apart {
		which.Apart = "y"
	}
	p, booked, err := r.Over(which)
	if err != nil {
		return nil, err
	}
	form := func() ([]exchange.Slip, error) {
		return entry.After{Session: which.Session, On: which.On, At: c.At, Apart: which.Apart, Held: c.Held, AsDirected: c.AsDirected, Effects: c.Effects, What: c.What, Left: c.Left}.Make(r.About, r.note)
	}
	_, _ = fmt.Fprintf(r.out, "  The %s session of %s\n", p.Kind, r.local(p.Start))
	held, err := word(r.asker, &c.Held, question{flag: "held", ask: "Did it take place", form: "y or n"}, entry.Yes)
	if err != nil {
		return nil, err
	}
	if *held && c.At == "" && r.tty && (!booked || p.Start.After(r.Now)) {
		if err := r.text(&c.At, question{flag: "at", ask: "At which hour did it begin", form: "like 13:30"}); err != nil {
			return nil, err
		}
	}
	if !*held || p.Kind != fhir.SessionDosing {
		return form()
	}
	if _, err := word(r.asker, &c.AsDirected, question{flag: "as-directed", ask: "Dose taken as directed", form: "y or n"}, entry.Yes); err != nil {
		return nil, err
	}
	if c.Effects, err = r.choice(c.Effects, question{flag: "effects", ask: "Effects"}, entry.Effects...); err != nil {
		return nil, err
	}
	if c.Effects == desk.EffectsAsk || c.Effects == desk.EffectsSerious {
		if _, err := word(r.asker, &c.What, question{flag: "what", ask: "What happened, in one line", usual: "-"}, desk.Line); err != nil {
			return nil, err
		}
	}
	if _, err := word(r.asker, &c.Left, question{flag: "left", ask: "Medicine left for how many sessions", usual: "-"}, entry.Number); err != nil {
		return nil, err
	}
	return form()
}
