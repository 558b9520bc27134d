package entry

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Arrival is what is checked before a session, and its therapist's go-ahead. What is "" was not asked.
type Arrival struct {
	BP       string // like 118/76
	HR       string
	Ride     string // y or n, as all that follow
	Fasting  string
	Location string
	New      string
	News     string // what is new, or what the prescriber said of it: in one line
	GoAhead  string

	Giver *fhir.Reference // who gives the go-ahead, as the session names them; nil is the first whom it names
}

// Make returns the slips of the checks, for the next dosing session. Where none is booked, whether anything is new can still
// be told.
func (w Arrival) Make(a About, n desk.Note) ([]exchange.Slip, error) {
	next, _, ok := a.Next()
	if told := (Arrival{New: w.New, News: w.News, Giver: w.Giver}); !ok && (w != told || w.New == "") {
		return nil, errNoSession
	}
	if w.Giver != nil {
		next.Therapist = w.Giver
	}
	var r reading
	var p desk.Arrival
	if bp := maybe(&r, "bp", w.BP, Pressure); bp[0] > 0 {
		p.Systolic, p.Diastolic = &bp[0], &bp[1]
	}
	p.HeartRate = maybe(&r, "hr", w.HR, Rate)
	p.Ride = maybe(&r, "ride", w.Ride, Yes)
	p.Fasting = maybe(&r, "fasting", w.Fasting, Yes)
	p.Location = maybe(&r, "location", w.Location, Yes)
	p.New = maybe(&r, "new", w.New, Yes)
	p.News = w.News
	p.GoAhead = maybe(&r, "go-ahead", w.GoAhead, Yes)
	return r.made(func() ([]exchange.Slip, error) { return a.Book.Arrive(n, next, p) })
}

var errNoSession = errors.New("no dosing session of the client is booked: the checks are for one; whether anything is new can be told all the same")

// Next returns the dosing session that the verdict is about, and what is to be said of checks that come too early, "" when
// they count; false when none is booked.
func (a About) Next() (next desk.Session, early string, ok bool) {
	v := readiness.Assess(a.Chart, a.Policy, a.Now)
	if v.Appointment == nil {
		return next, "", false
	}
	if g, ok := v.Gate(readiness.GateVitals); ok && g.State == readiness.NotDue {
		early, _, _ = strings.Cut(g.Words, ";") // what follows are the limits
	}
	for _, s := range fhir.Now(a.Chart.Appointments) {
		if s.Source == v.Appointment.Source && s.ID == v.Appointment.ID {
			return desk.Session{Appointment: s.Version, Therapist: firstOf(readiness.TherapistsOf(a.Chart, a.Policy, s.Version)), Start: v.Appointment.Start, End: v.Appointment.End}, early, true
		}
	}
	return next, "", false
}

// Treating are the therapists whom a session names, in its order.
func (a About) Treating(s desk.Session) []readiness.Named {
	if s.Appointment == nil {
		return nil
	}
	return readiness.TherapistsOf(a.Chart, a.Policy, s.Appointment)
}

// Whose says who of them gives a session's go-ahead: "Dana or NPI 1234567893"; "the therapist" when it names nobody.
func (a About) Whose(s desk.Session) string {
	var names []string
	for _, t := range a.Treating(s) {
		names = append(names, cmp.Or(t.Shown(), "a therapist without a name"))
	}
	return cmp.Or(strings.Join(names, " or "), "the therapist")
}

// After is what became of a session.
type After struct {
	Session    string // dosing, preparation or integration; "" is the dosing or preparation session that was last
	On         string // its day; "" is the last that is over
	Booked     string // the hour for which it is booked, where a day has several
	At         string // the hour at which it began; "" is the hour for which it is booked
	Apart      string // y: it is another than the one booked for that day
	Unbooked   bool   // nobody booked it: where one is booked for that day after all, Apart has to say that it is another
	Held       string // y or n
	AsDirected string // y or n; this and all that follows of a dosing session that was held
	Effects    string // one of Effects
	What       string // what happened, in one line
	Left       string // for how many sessions medicine is left
}

// Effects are how a session's effects are graded.
var Effects = []string{desk.EffectsNone, desk.EffectsExpected, desk.EffectsAsk, desk.EffectsSerious}

// SessionKinds are the sessions that are closed by hand.
var SessionKinds = []string{fhir.SessionDosing, fhir.SessionPreparation, fhir.SessionIntegration}

// Make returns the slips of what became of a session.
func (w After) Make(a About, n desk.Note) ([]exchange.Slip, error) {
	var r reading
	p, booked, err := a.Over(w)
	if over, ok := errors.AsType[Problems](err); ok {
		r.problems, p.Kind = over, cmp.Or(p.Kind, w.Session)
	} else if err != nil {
		return nil, err
	}
	_, err = desk.Line(w.What)
	r.wrong("what", err)
	held := needed(&r, "held", w.Held, Yes)
	p.Held = held != nil && *held
	switch {
	case !p.Held || w.At != "":
	case !booked:
		r.wrong("at", errors.New("is missing: nobody booked it, so say at which hour it began, like 13:30"))
	case p.Start.After(a.Now):
		r.wrong("at", errors.New("is missing: it is booked for "+p.Start.In(a.Clock().Zone).Format("15:04")+", which is to come, so say at which hour it began"))
	}
	if p.Held && p.Kind == fhir.SessionDosing {
		directed := needed(&r, "as-directed", w.AsDirected, Yes)
		p.AsDirected = directed != nil && *directed
		p.Effects = needed(&r, "effects", w.Effects, One(Effects...))
		p.Line = w.What
		p.Left = maybe(&r, "left", w.Left, Number)
	}
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return r.made(func() ([]exchange.Slip, error) { return a.Book.Close(n, p) })
}

// Over returns the session that is closed, and whether it is one that is booked: of that kind on that day, where they are given,
// else the last dosing or preparation session that began. What is booked for the day is taken for it, unless w says that it is
// another. One that nobody booked needs kind and day.
func (a About) Over(w After) (p desk.After, booked bool, err error) {
	on := ""
	if w.On != "" {
		if on, err = a.Clock().Date(w.On); err != nil {
			return p, false, Problems{{Field: "on", Err: err}}
		}
	}
	zone := a.Clock().Zone
	which := a.Begun()
	if on != "" {
		which = a.Lately()
	}
	apart := strings.TrimSpace(w.Apart) == "y"
	for _, s := range which {
		start := s.Start.In(zone)
		if !apart && (w.Session == "" && s.Kind != fhir.SessionIntegration || s.Kind == w.Session) &&
			(on == "" || start.Format(time.DateOnly) == on) && (w.Booked == "" || start.Format("15:04") == w.Booked) {
			if w.Unbooked {
				return s, true, Problems{{Field: "on", Err: ErrBookedThatDay{start}}}
			}
			return a.began(s, start.Format(time.DateOnly), w.At, true)
		}
	}
	if on == "" || !slices.Contains(SessionKinds, w.Session) {
		return p, false, errors.New("no such session is in the calendar: say with --session and --on which it was")
	}
	day, _ := time.ParseInLocation(time.DateOnly, on, zone)
	start := day.Add(12 * time.Hour)
	if start.After(a.Now) && on == a.Now.In(zone).Format(time.DateOnly) {
		start = a.Now
	}
	return a.began(desk.After{Kind: w.Session, Start: start, End: start}, on, w.At, false)
}

// ErrBookedThatDay is what is wrong with a session that nobody is said to have booked, where one of its kind is booked for its day.
type ErrBookedThatDay struct{ For time.Time }

func (e ErrBookedThatDay) Error() string {
	return "has one booked, for " + e.For.Format("15:04") + ": choose that one, or say that this is another"
}

// began is a session that began at an hour of its day, where one is given.
func (a About) began(s desk.After, day, hour string, booked bool) (desk.After, bool, error) {
	if strings.TrimSpace(hour) == "" {
		return s, booked, nil
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", day+" "+strings.TrimSpace(hour), a.Clock().Zone)
	switch {
	case err != nil:
		return s, booked, Problems{{Field: "at", Err: errors.New("must be an hour of that day, like 13:30")}}
	case at.After(a.Now):
		return s, booked, Problems{{Field: "at", Err: errors.New("is to come: give the hour at which it began")}}
	}
	if s.Start = at; s.End.Before(at) || s.End.After(a.Now) {
		s.End = at
	}
	return s, booked, nil
}

// Begun returns the practice's sessions that have begun and were not called off, the newest first.
func (a About) Begun() []desk.After {
	return slices.DeleteFunc(a.Lately(), func(s desk.After) bool { return s.Start.After(a.Now) })
}

// Lately returns the practice's sessions up to the end of today that were not called off, the newest first: one may begin before
// the hour for which it is booked.
func (a About) Lately() []desk.After {
	var all []desk.After
	today := a.Now.In(a.Clock().Zone).Format(time.DateOnly)
	for _, s := range fhir.Now(fhir.Of(fhir.Practice, a.Chart.Appointments)) {
		kind := a.kind(s.Value)
		if !slices.Contains(SessionKinds, kind) || s.Value.Start == nil {
			continue
		}
		start, err := time.Parse(time.RFC3339, *s.Value.Start)
		if err != nil || start.In(a.Clock().Zone).Format(time.DateOnly) > today {
			continue
		}
		one := desk.After{Kind: kind, Start: start, End: start}
		if s.Value.End != nil {
			if end, err := time.Parse(time.RFC3339, *s.Value.End); err == nil && !end.After(a.Now) {
				one.End = end
			}
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(x, y desk.After) int { return y.Start.Compare(x.Start) })
	return all
}

// Nearest is the place in Lately of the session that is most likely meant: the last that began today, else the one whose hour is
// nearest; -1 when there is none.
func (a About) Nearest(all []desk.After) int {
	best := -1
	day := func(t time.Time) string { return t.In(a.Clock().Zone).Format(time.DateOnly) }
	for i, s := range all {
		if !s.Start.After(a.Now) && day(s.Start) == day(a.Now) {
			return i
		}
		if best < 0 || s.Start.Sub(a.Now).Abs() < all[best].Start.Sub(a.Now).Abs() {
			best = i
		}
	}
	return best
}

// kind reads which session of the course an appointment is, "" when none, or when it was called off.
func (a About) kind(s *fhir.Appointment) string {
	kind := ""
	for i := range s.ServiceType {
		code, reading := a.Policy.Terms.Code(fhir.Practice, &s.ServiceType[i], fhir.SystemSession)
		if reading == fhir.Mapped && (kind == "" || code == fhir.SessionDosing) {
			kind = code
		}
	}
	if slices.Contains([]string{"cancelled", "noshow", "entered-in-error"}, s.Status.Code()) {
		return ""
	}
	return kind
}

// Reason is why a session was held that began while its records were not in order.
type Reason struct {
	On  string // of which day it was; "" is the last that asks for a reason
	Why string // in one line
}

// Make returns the slips of the reason.
func (w Reason) Make(a About, n desk.Note) ([]exchange.Slip, error) {
	b, err := a.Unexplained(w.On)
	if err != nil {
		return nil, err
	}
	return (&reading{}).made(func() ([]exchange.Slip, error) { return a.Book.Reason(n, b.Key, w.Why) })
}

// ErrNoReason is why no reason can be entered.
var ErrNoReason = errors.New("no session of the client asks for a reason just now: one asks from when it is on file as held, if it began while its records were not in order and nobody said why")

// Unexplained returns the session that asks for a reason: that of a day, where it is given, else the last.
func (a About) Unexplained(day string) (fhir.Began, error) {
	on := ""
	if day != "" {
		var err error
		if on, err = a.Clock().Date(day); err != nil {
			return fhir.Began{}, Problems{{Field: "on", Err: err}}
		}
	}
	for _, b := range readiness.Unexplained(a.Chart, a.Policy, a.Now) {
		if day == "" || b.Start.In(a.Clock().Zone).Format(time.DateOnly) == on {
			return b, nil
		}
	}
	return fhir.Began{}, ErrNoReason
}

func firstOf(session []readiness.Named) *fhir.Reference {
	if len(session) == 0 {
		return nil
	}
	return session[0].Ref
}
