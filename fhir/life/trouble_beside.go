package life

import (
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// LOINC codes of the scores: the whole of PHQ-9, and its item 9.
const (
	phq9  = "44261-6"
	item9 = "44260-8"
)

// besideTroubles are those that are recorded beside the course: news, conditions, limits, scores, and what is told of sessions.
var besideTroubles = []trouble{
	{"something new is recorded", func(p *plot) { p.news(p.when()) }},
	{"something new is recorded on the day of the decision", func(p *plot) {
		if e := p.one(Decision, fhir.DecisionCleared); e != nil {
			p.news(e.At.Add(time.Duration(p.IntN(1000)-500) * minute))
		}
	}},
	{"a condition of the clearance is met later", func(p *plot) {
		if e := p.one(Decision, fhir.DecisionCleared); e != nil {
			e.Says = fhir.DecisionConditions
			at := p.later(e.At, 20)
			p.tell(Event{At: e.At.Add(hour), What: Answered, ID: "1", Of: e.ID, Says: "in-progress"})
			p.tell(Event{At: at, What: Answered, ID: "1", Of: e.ID, Says: []string{"completed", "completed", "cancelled"}[p.IntN(3)]})
			if p.IntN(4) == 0 {
				p.tell(Event{At: p.later(at, 20), What: Answered, ID: "1", Of: e.ID, Says: "in-progress"})
			}
		}
	}},
	{"the prescriber records a limit for this client", func(p *plot) {
		at := p.within()
		e := Event{At: at, What: OwnLimit, ID: "1", Of: "pressure", N: 100 + p.IntN(60), Says: "active"}
		if p.IntN(3) == 0 {
			e.Of, e.N = "pulse", 60+p.IntN(60)
		}
		if p.IntN(3) == 0 {
			p.Agreed.Systolic = Line{Answer: NotAsked}
		}
		p.tell(e)
		if p.IntN(3) == 0 {
			e.At, e.Says = p.later(at, 20), "completed"
			p.tell(e)
		}
	}},
	{"the diastolic pressure is beyond the limit", func(p *plot) {
		if e := p.one(Pressure, ""); e != nil {
			e.M = 88 + p.IntN(20)
		}
	}},
	{"the client was seen in person", func(p *plot) {
		if e := p.one(Evaluation, "fulfilled"); e != nil {
			p.tell(Event{At: e.At.Add(5 * minute), What: SeenThere, ID: "1", Start: e.Start})
		}
	}},
	{"the scores get worse", func(p *plot) {
		for i, at := range []int{2, 20 + p.IntN(20), 45 + p.IntN(30)} {
			when := p.some(at)
			p.tell(Event{At: when, What: Scored, ID: fmt.Sprint("phq-", i), Of: phq9, N: 8 + i*p.IntN(6)})
			p.tell(Event{At: when.Add(minute), What: Scored, ID: fmt.Sprint("item-", i), Of: item9, N: min(i*p.IntN(2), 3)})
		}
	}},
	{"the scores get worse before a session", func(p *plot) {
		p.tell(Event{At: p.some(1), What: Scored, ID: "first", Of: item9, N: p.IntN(2)})
		p.tell(Event{At: p.near(), What: Scored, ID: "near", Of: item9, N: 1 + p.IntN(2)})
	}},
	{"the facts of a session are wanted, and do not come", func(p *plot) {
		p.Agreed.Facts = Line{Set, 1 + p.IntN(3)}
		if e := p.one(Dosed, ""); e != nil {
			id := e.ID
			p.drop(func(e *Event) bool { return e.What == Dosed && e.ID == id })
		}
	}},
	{"a session is not held, and stays in the calendar", func(p *plot) {
		if e := p.one(Session, "booked"); e != nil {
			s := *e
			p.skip(s.ID)
			p.tell(Event{At: s.Start.Add(hour), What: NotHeld, ID: s.ID, Of: s.ID, Start: s.Start})
		}
	}},
	{"no consent to treatment is signed", func(p *plot) { p.drop(func(e *Event) bool { return e.What == Consented }) }},
}

// news tells of something on the watch list; more often than not the prescriber decides anew, or it was a mistake.
func (p *plot) news(at time.Time) {
	e := Event{At: at, Source: []string{Practice, Practice, Prescriber}[p.IntN(3)], What: News, ID: fmt.Sprint(len(p.Events)), Says: "new",
		Of: []string{"diagnosis", "medicine", "test", "visit"}[p.IntN(4)]}
	if e.Source == Practice && p.IntN(4) == 0 {
		e.Start = at.AddDate(0, 0, -1-p.IntN(60)) // it happened long ago, and nobody had said so
	}
	p.tell(e)
	switch p.IntN(4) {
	case 0:
		e.At, e.Says = p.later(at, 10), "mistaken"
		p.tell(e)
	case 1, 2:
		at = p.later(at, 8)
		p.tell(Event{At: at, What: Decision, ID: "news", Says: fhir.DecisionCleared, Start: at.Truncate(hour), End: at.AddDate(0, 0, 70)})
	}
}
