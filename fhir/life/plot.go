package life

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

// plot makes up a life: the ordinary course first, then the troubles that befall it.
type plot struct {
	*rand.Rand
	Life
	why      string
	sessions int
}

// Live makes up the life of seed, which begins on some day of 2026: some live over a change of the clocks.
func Live(seed uint64) Life {
	return LiveFrom(seed, time.Date(2026, 1, 5+rand.New(rand.NewPCG(seed, 3)).IntN(330), 0, 0, 0, 0, fhirtest.Denver))
}

// Usual is what is agreed in a life to which nothing befalls.
func Usual(start time.Time) Agreed {
	return Agreed{
		Validity: Line{Set, 90}, FollowUp: Line{Set, 90}, Interval: Line{Set, 6}, Cap: Line{Set, 2}, Preparations: Line{Set, 1},
		Facts: Line{Answer: NoneSet}, Systolic: Line{Set, 140}, Diastolic: Line{Set, 90}, Pulse: Line{Set, 100}, OfficeOnly: Line{Set, 1}, NotServed: []string{"AK", "AL"},
		Licence: start.AddDate(2, 0, 0),
	}
}

// LiveFrom makes up the life of seed that begins on the day of start.
func LiveFrom(seed uint64, start time.Time) Life {
	p := &plot{Rand: rand.New(rand.NewPCG(seed, 4)), Life: Life{Seed: seed, Start: start}}
	p.Days = 50 + p.IntN(90)
	p.Agreed = Usual(p.Start)
	p.ordinary()
	for i := range p.Pick(1, 5, 4, 2, 1) {
		n := int(seed % uint64(len(troubles))) // each has its turn
		if i > 0 {
			n = p.IntN(len(troubles))
		}
		p.why = troubles[n].name
		troubles[n].plant(p)
	}
	p.settle()
	return p.Life
}

// Pick returns an index, weighed.
func (p *plot) Pick(weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := p.IntN(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return 0
}

// settle puts the events into their order, each at an instant of its own, and none before its life began.
func (p *plot) settle() {
	p.Events = slices.DeleteFunc(p.Events, func(e Event) bool { return e.At.After(p.End()) })
	slices.SortStableFunc(p.Events, func(a, b Event) int { return a.At.Compare(b.At) })
	var last time.Time
	for i := range p.Events {
		e := &p.Events[i]
		if !e.At.After(last) {
			e.At = last.Add(time.Second)
		}
		last = e.At
	}
}

// at is a time of day on the n-th day of the life.
func (p *plot) at(day, hour, minute int) time.Time {
	return time.Date(p.Start.Year(), p.Start.Month(), p.Start.Day()+day, hour, minute, 0, 0, fhirtest.Denver)
}

// some is a time in the working hours of the n-th day.
func (p *plot) some(day int) time.Time { return p.at(day, 8+p.IntN(10), p.IntN(60)) }

func (p *plot) tell(e Event) {
	if e.Source == "" {
		e.Source = Practice
		switch e.What {
		case KnownThere, Asked, Evaluation, FollowUp, Decision, Prescription, Dispensed, Parcel, Stop, Plan, Abort, Question, Proposal, Role, Answered, OwnLimit, SeenThere:
			e.Source = Prescriber
		case CalendarEvent:
			e.Source = Calendar
		}
	}
	e.Why = p.why
	p.Events = append(p.Events, e)
}

// ordinary is the course of a client to whom nothing befalls.
func (p *plot) ordinary() {
	day := 0
	begin := p.some(0)
	step := func() time.Time { begin = begin.Add(time.Minute); return begin }
	p.tell(Event{At: step(), What: Known})
	p.tell(Event{At: step(), What: Release, ID: "1", Says: "active", Start: p.at(0, 0, 0), End: p.at(364, 23, 59)})
	p.tell(Event{At: step(), What: Consented, ID: "1", Says: "active"})
	p.tell(Event{At: step(), What: Referral, ID: "1", Says: "active"})
	p.tell(Event{At: begin.Add(30 * time.Minute), What: KnownThere})
	p.tell(Event{At: begin.Add(31 * time.Minute), What: Asked, ID: "1", Says: "requested"})
	day += 1 + p.IntN(2)
	accepted := p.some(day)
	p.tell(Event{At: accepted, What: Asked, ID: "1", Says: "accepted"})
	day += 1 + p.IntN(4)
	seen := p.at(day, 9+p.IntN(7), 0)
	p.tell(Event{At: accepted.Add(time.Hour), What: Evaluation, ID: "1", Says: "booked", Start: seen})
	p.tell(Event{At: seen.Add(time.Hour), What: Evaluation, ID: "1", Says: "fulfilled", Start: seen})
	decided := seen.Add(time.Duration(70+p.IntN(300)) * time.Minute)
	p.tell(Event{At: decided, What: Decision, ID: "1", Says: fhir.DecisionCleared, Start: p.at(day, 0, 0), End: p.at(day+75+p.IntN(30), 23, 59)})
	p.tell(Event{At: decided.Add(10 * time.Minute), What: Asked, ID: "1", Says: "completed"})
	p.tell(Event{At: decided.Add(20 * time.Minute), What: Prescription, ID: "1", Says: "active", N: 1, M: 1, Start: decided})
	rx := day
	day++
	p.tell(Event{At: p.some(day), What: Parcel, ID: "1", Says: fhir.FulfilmentSent})
	day++
	p.tell(Event{At: p.some(day), What: Parcel, ID: "1", Says: fhir.FulfilmentShipped})
	day += 2 + p.IntN(3)
	there := p.some(day)
	p.tell(Event{At: there, What: Parcel, ID: "1", Says: fhir.FulfilmentDelivered})
	p.tell(Event{At: there.Add(2 * time.Minute), What: Dispensed, ID: "1", Of: "1", N: 6})
	p.tell(Event{At: p.some(rx + 2), What: Acknowledged, Of: "1", N: 1})
	prepared := p.at(day+1+p.IntN(3), 10+p.IntN(6), 0)
	p.tell(Event{At: p.some(rx + 1), What: Prepare, ID: "1", Says: "booked", Start: prepared})
	p.tell(Event{At: prepared.Add(2 * time.Hour), What: Prepare, ID: "1", Says: "fulfilled", Start: prepared})
	first := p.at(day+5+p.IntN(5), 9+p.IntN(7), 0)
	for range 1 + p.IntN(6) {
		p.session(first, first.AddDate(0, 0, -1-p.IntN(9)))
		first = first.AddDate(0, 0, 7+p.IntN(4))
	}
}

// session is a dosing session with everything that belongs to it, and the integration after it.
func (p *plot) session(start, booked time.Time) string {
	p.sessions++
	id := fmt.Sprint(p.sessions)
	p.tell(Event{At: booked, What: Session, ID: id, Says: "booked", Start: start})
	before := func(minutes int) time.Time { return start.Add(-time.Duration(minutes) * time.Minute) }
	p.arrive(id, before(75))
	p.tell(Event{At: before(35), What: GoAhead, ID: id, Of: id, Says: "yes"})
	p.tell(Event{At: start.Add(2 * time.Hour), What: Dosed, ID: id, Of: id, N: 1, Start: start})
	p.tell(Event{At: start.Add(125 * time.Minute), What: Session, ID: id, Says: "fulfilled", Start: start})
	after := start.Add(30 * time.Hour).Truncate(time.Hour)
	p.tell(Event{At: start.Add(3 * time.Hour), What: Integrate, ID: id, Says: "booked", Start: after})
	p.tell(Event{At: after.Add(time.Hour), What: Integrate, ID: id, Says: "fulfilled", Start: after})
	if p.IntN(4) > 0 { // however its verdict stood: the practice may say why it began
		p.tell(Event{At: start.Add(4 * time.Hour), What: Explained, ID: id, Of: id})
	}
	return id
}

// arrive is every arrival check of session id, all well.
func (p *plot) arrive(id string, at time.Time) {
	p.tell(Event{At: at, What: Pressure, ID: id, Of: id, N: 105 + p.IntN(30)})
	p.tell(Event{At: at.Add(time.Minute), What: Pulse, ID: id, Of: id, N: 55 + p.IntN(40)})
	for i, code := range []string{fhir.CodeRide, fhir.CodeFasting, fhir.CodeLocation, fhir.CodeNewInformation} {
		says := "yes"
		if code == fhir.CodeNewInformation {
			says = "no"
		}
		p.tell(Event{At: at.Add(time.Duration(2+i) * time.Minute), What: Check, ID: code + "-" + id, Of: id, Says: says})
	}
}

// every returns the indices of the events that fit.
func (p *plot) every(fits func(*Event) bool) (at []int) {
	for i := range p.Events {
		if fits(&p.Events[i]) {
			at = append(at, i)
		}
	}
	return at
}

// one returns an event that fits, nil when none does.
func (p *plot) one(what What, says string) *Event {
	at := p.every(func(e *Event) bool { return e.What == what && (says == "" || e.Says == says) })
	if len(at) == 0 {
		return nil
	}
	e := &p.Events[at[p.IntN(len(at))]]
	e.Why = cmp.Or(e.Why, p.why)
	return e
}

// drop takes events away.
func (p *plot) drop(fits func(*Event) bool) {
	p.Events = slices.DeleteFunc(p.Events, func(e Event) bool { return fits(&e) })
}

// decided is when the first decision was made.
func (p *plot) decided() time.Time {
	if e := p.one(Decision, ""); e != nil {
		return e.At
	}
	return p.at(5, 12, 0)
}

// within is a time somewhere in the life, after the decision more often than not.
func (p *plot) within() time.Time {
	from := 1
	if p.IntN(4) > 0 {
		from = min(int(p.decided().Sub(p.Start).Hours()/24), p.Days-3)
	}
	return p.some(from + p.IntN(p.Days-from))
}

// near is a time within three days before a session, or within the hour before it.
func (p *plot) near() time.Time {
	s := p.one(Session, "booked")
	if s == nil {
		return p.within()
	}
	if p.IntN(2) == 0 {
		return s.Start.Add(-time.Duration(1+p.IntN(90)) * time.Minute)
	}
	return s.Start.Add(-time.Duration(p.IntN(72*60)) * time.Minute)
}

// when is near half of the time, else within.
func (p *plot) when() time.Time {
	if p.IntN(2) == 0 {
		return p.near()
	}
	return p.within()
}

// later is t and up to days later.
func (p *plot) later(t time.Time, days int) time.Time {
	return t.Add(time.Duration(1+p.IntN(days*24*60)) * time.Minute)
}
