package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

type recordArrival struct {
	entryFlags
	BP       string `name:"bp" placeholder:"118/76" help:"Blood pressure."`
	HR       string `name:"hr" placeholder:"72" help:"Heart rate."`
	Ride     string `placeholder:"y|n" help:"The ride home is arranged."`
	Fasting  string `placeholder:"y|n" help:"Fasting was kept."`
	Location string `placeholder:"y|n" help:"The client is where the session is to be, in a state that is served."`
	New      string `placeholder:"y|n" help:"Something is new since the clearance."`
	GoAhead  string `placeholder:"y|n" help:"The session's therapist gives the go-ahead."`
}

// Run enters the checks before a session and the go-ahead. At a terminal what is left out is not recorded.
func (c *recordArrival) Run(ctx context.Context, s *scene) error {
	return s.record(ctx, &c.entryFlags, false, c.build)
}

func (c *recordArrival) build(r *recording) ([]exchange.Slip, error) {
	next, ok := r.next()
	if !ok {
		return nil, errors.New("no dosing session of the client is booked: the checks are for one")
	}
	_, _ = fmt.Fprintf(r.out, "  For the session of %s\n", r.local(next.Start))
	if g, ok := readiness.Assess(r.chart, r.policy, r.note.At).Gate(readiness.GateVitals); ok && g.State == readiness.NotDue {
		_, _ = fmt.Fprintf(r.out, "  %s: what is entered before does not count\n", g.Words)
	}
	var p desk.Arrival
	bp, err := answered(r.asker, c.BP, question{flag: "bp", ask: "Blood pressure", usual: "-", form: "like 118/76"}, pressure)
	if err != nil {
		return nil, err
	}
	if bp[0] > 0 {
		p.Systolic, p.Diastolic = &bp[0], &bp[1]
	}
	if p.HeartRate, err = answered(r.asker, c.HR, question{flag: "hr", ask: "Heart rate", usual: "-"}, rate); err != nil {
		return nil, err
	}
	for _, q := range []struct {
		to   **bool
		word string
		question
	}{
		{&p.Ride, c.Ride, question{flag: "ride", ask: "Ride home arranged", usual: "-"}},
		{&p.Fasting, c.Fasting, question{flag: "fasting", ask: "Fasting kept", usual: "-"}},
		{&p.Location, c.Location, question{flag: "location", ask: "Where the session is to be, in a state that is served", usual: "-"}},
		{&p.New, c.New, question{flag: "new", ask: "Anything new since the clearance", usual: "-"}},
		{&p.GoAhead, c.GoAhead, question{flag: "go-ahead", ask: "Go-ahead of " + cmp.Or(therapistOf(next), "the therapist"), usual: "-"}},
	} {
		if *q.to, err = r.yes(q.word, q.question); err != nil {
			return nil, err
		}
	}
	return r.book.Arrive(r.note, next, p)
}

func therapistOf(s desk.Session) string {
	if s.Therapist == nil || s.Therapist.Display == nil {
		return ""
	}
	return *s.Therapist.Display
}

// next is the dosing session that the verdict is about.
func (r *recording) next() (desk.Session, bool) {
	v := readiness.Assess(r.chart, r.policy, r.note.At)
	if v.Appointment == nil {
		return desk.Session{}, false
	}
	for _, a := range fhir.Now(r.chart.Appointments) {
		if a.Source == v.Appointment.Source && a.ID == v.Appointment.ID {
			return desk.Session{Appointment: a.Version, Therapist: readiness.TherapistOf(a.Value), Start: v.Appointment.Start, End: v.Appointment.End}, true
		}
	}
	return desk.Session{}, false
}

type recordAfter struct {
	entryFlags
	Session    string `placeholder:"KIND" help:"dosing, preparation or integration; else the dosing or preparation session that was last."`
	On         string `placeholder:"DATE" help:"On which day; else the last session that is over."`
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
	p, err := c.session(r)
	if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintf(r.out, "  The %s session of %s\n", p.Kind, r.local(p.Start))
	held, err := r.yes(c.Held, question{flag: "held", ask: "Did it take place"})
	if err != nil {
		return nil, err
	}
	if p.Held = *held; !p.Held || p.Kind != fhir.SessionDosing {
		return r.book.Close(r.note, p)
	}
	directed, err := r.yes(c.AsDirected, question{flag: "as-directed", ask: "Dose taken as directed"})
	if err != nil {
		return nil, err
	}
	p.AsDirected = *directed
	if p.Effects, err = r.choice(c.Effects, question{flag: "effects", ask: "Effects"}, desk.EffectsNone, desk.EffectsExpected, desk.EffectsAsk, desk.EffectsSerious); err != nil {
		return nil, err
	}
	p.Line = c.What
	if p.Effects == desk.EffectsAsk || p.Effects == desk.EffectsSerious {
		if err := r.text(&p.Line, question{flag: "what", ask: "What happened, in one line", usual: "-"}); err != nil {
			return nil, err
		}
	}
	if p.Left, err = r.number(c.Left, question{flag: "left", ask: "Medicine left for how many sessions", usual: "-"}); err != nil {
		return nil, err
	}
	return r.book.Close(r.note, p)
}

// session is the one that is closed: that of the day given, else the last that is over.
func (c *recordAfter) session(r *recording) (desk.After, error) {
	on := ""
	if c.On != "" {
		var err error
		if on, err = r.date(c.On); err != nil {
			return desk.After{}, fmt.Errorf("--on %w", err)
		}
	}
	var best desk.After
	for _, a := range fhir.Now(fhir.Of(fhir.Practice, r.chart.Appointments)) {
		kind := r.kind(a.Value)
		if c.Session == "" && kind != fhir.SessionDosing && kind != fhir.SessionPreparation || c.Session != "" && kind != c.Session || a.Value.Start == nil {
			continue
		}
		start, err := time.Parse(time.RFC3339, *a.Value.Start)
		if err != nil || start.After(r.note.At) || on != "" && start.In(r.zone).Format(time.DateOnly) != on || !start.After(best.Start) {
			continue
		}
		best = desk.After{Kind: kind, Start: start, End: start}
		if a.Value.End != nil {
			if end, err := time.Parse(time.RFC3339, *a.Value.End); err == nil && !end.After(r.note.At) {
				best.End = end
			}
		}
	}
	if !best.Start.IsZero() {
		return best, nil
	}
	if on == "" || !slices.Contains([]string{fhir.SessionDosing, fhir.SessionPreparation, fhir.SessionIntegration}, c.Session) {
		return best, errors.New("no such session is in the calendar: say with --session and --on which it was")
	}
	day, _ := time.ParseInLocation(time.DateOnly, on, r.zone)
	start := day.Add(12 * time.Hour)
	if start.After(r.note.At) {
		start = day
	}
	return desk.After{Kind: c.Session, Start: start, End: start}, nil
}

// kind reads which session of the course an appointment is.
func (r *recording) kind(a *fhir.Appointment) string {
	kind := ""
	for i := range a.ServiceType {
		code, reading := r.policy.Terms.Code(fhir.Practice, &a.ServiceType[i], fhir.SystemSession)
		if reading == fhir.Mapped && (kind == "" || code == fhir.SessionDosing) {
			kind = code
		}
	}
	if slices.Contains([]string{"cancelled", "noshow", "entered-in-error"}, a.Status.Code()) {
		return ""
	}
	return kind
}
