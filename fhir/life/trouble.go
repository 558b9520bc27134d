package life

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// trouble is something that can befall a client. plant changes the ordinary course; where the course has nothing that it
// could befall, it changes nothing.
type trouble struct {
	name  string
	plant func(*plot)
}

const (
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

// troubles are all that can befall, in the order in which a life goes.
var troubles = slices.Concat(paperTroubles, referralTroubles, decisionTroubles, stopTroubles, medicineTroubles, sessionTroubles, besideTroubles, sheetTroubles, readTroubles)

// differs has the prescriber know the client otherwise, until it is put right.
func (p *plot) differs(how string) {
	at := p.within()
	if e := p.one(KnownThere, ""); e != nil && p.IntN(2) == 0 {
		at, e.Says = e.At, how
	} else {
		p.tell(Event{At: at, What: KnownThere, Says: how})
	}
	if p.IntN(2) == 0 {
		p.tell(Event{At: p.later(at, 10), What: KnownThere})
	}
}

// delay moves everything that fits by days.
func (p *plot) delay(days int, fits func(*Event) bool) {
	for i := range p.Events {
		if e := &p.Events[i]; fits(e) {
			e.At, e.Why = e.At.AddDate(0, 0, days), p.why
			if !e.Start.IsZero() && e.What != Release && e.What != Decision {
				e.Start = e.Start.AddDate(0, 0, days)
			}
		}
	}
}

// stop tells e, and more often than not that it is lifted.
func (p *plot) stop(e Event, lifted string) {
	if e.At.IsZero() {
		e.At = p.when()
	}
	p.tell(e)
	if p.IntN(3) > 0 {
		e.At, e.Says = p.later(e.At, 10), lifted
		p.tell(e)
	}
}

// adverse records an event, and more often than not the prescriber answers it or the practice grades it anew.
func (p *plot) adverse(grade string, at time.Time) {
	e := Event{At: at, What: Adverse, ID: p.why, Says: grade}
	p.tell(e)
	switch p.IntN(4) {
	case 0:
		e.At, e.Says = p.later(at, 6), []string{fhir.CodeExpected, fhir.CodeMistaken, fhir.CodeSerious}[p.IntN(3)]
		p.tell(e)
	case 1, 2:
		at = p.later(at, 8)
		p.tell(Event{At: at, What: Decision, ID: "answer", Says: fhir.DecisionCleared, Start: at.Truncate(hour), End: at.AddDate(0, 0, 70)})
	}
}

// dose changes the directions; the therapist reads them later, or never.
func (p *plot) dose(at time.Time) {
	e := p.one(Prescription, "active")
	if e == nil {
		return
	}
	was := *e
	was.At, was.N, was.Says = at, 2, "active"
	if p.IntN(2) == 0 {
		was.ID, was.Start = "2", at
	}
	p.tell(was)
	if p.IntN(3) > 0 {
		p.tell(Event{At: p.later(at, 4), What: Acknowledged, Of: was.ID, N: 2})
	}
}

// move moves a session, with what belongs to it, by so much.
func (p *plot) move(s Event, at time.Time, by time.Duration) {
	whole := p.IntN(2) == 0
	for i := range p.Events {
		e := &p.Events[i]
		if e.Of == s.ID && (e.What == Dosed || whole && (e.What == Check || e.What == Pressure || e.What == Pulse || e.What == GoAhead)) || e.What == Session && e.ID == s.ID && e.Says == "fulfilled" {
			e.At = e.At.Add(by)
			if !e.Start.IsZero() {
				e.Start = e.Start.Add(by)
			}
		}
	}
	s.At, s.Start = at, s.Start.Add(by)
	p.tell(s)
}

// skip has session id not take place.
func (p *plot) skip(id string) {
	p.drop(func(e *Event) bool {
		return e.Of == id && e.What == Dosed || (e.What == Session || e.What == Integrate) && e.ID == id && e.Says != "booked"
	})
}

func (p *plot) source() string { return []string{Practice, Prescriber}[p.IntN(2)] }

// outage has a source not be read, or not completely, for hours.
func (p *plot) outage(how string, hours int) {
	at := p.when()
	p.tell(Event{At: at, Source: p.source(), What: Outage, Says: how, Start: at, End: at.Add(time.Duration(hours) * hour)})
}

// befall has something stand for days at most, or for good.
func (p *plot) befall(what What, says string, days int) {
	at := p.when()
	e := Event{At: at, Source: p.source(), What: what, ID: "1", Says: says, Start: at, End: p.later(at, days), N: 1 + p.IntN(7)}
	if p.IntN(5) == 0 {
		e.End = time.Time{}
	}
	p.tell(e)
}

// line is a line of the sheet.
func (p *plot) line() *Line {
	a := &p.Agreed
	return []*Line{&a.Validity, &a.FollowUp, &a.Interval, &a.Cap, &a.Preparations, &a.Systolic, &a.Diastolic, &a.Pulse, &a.OfficeOnly}[p.IntN(9)]
}
