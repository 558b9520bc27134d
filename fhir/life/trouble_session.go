package life

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// sessionTroubles are those of the sessions.
var sessionTroubles = []trouble{
	{"a session is moved", func(p *plot) {
		if e := p.one(Session, "booked"); e != nil {
			p.move(*e, p.near(), time.Duration(p.IntN(10*48)-5*48)*30*minute)
		}
	}},
	{"a session is moved by half an hour after the go-ahead", func(p *plot) {
		if e := p.one(Session, "booked"); e != nil {
			p.move(*e, e.Start.Add(-20*minute), 30*minute)
		}
	}},
	{"a session is cancelled", func(p *plot) {
		if e := p.one(Session, "booked"); e != nil {
			was := *e
			was.At, was.Says = was.Start.Add(-time.Duration(p.IntN(100))*hour), []string{"cancelled", "noshow"}[p.IntN(2)]
			p.skip(was.ID)
			p.tell(was)
		}
	}},
	{"a session is held and never closed", func(p *plot) {
		if e := p.one(Session, "fulfilled"); e != nil {
			id := e.ID
			p.drop(func(e *Event) bool {
				return e.What == Dosed && e.ID == id || e.What == Session && e.ID == id && e.Says == "fulfilled"
			})
		}
	}},
	{"two sessions too close", func(p *plot) {
		if e := p.one(Session, "booked"); e != nil {
			p.session(e.Start.AddDate(0, 0, 1+p.IntN(5)), e.At)
		}
	}},
	{"a remote session", func(p *plot) {
		if e := p.one(Session, "booked"); e != nil {
			e.Of = "remote"
		}
	}},
	{"the client moves to a state that is not served", func(p *plot) {
		p.tell(Event{At: p.within(), What: Known, Says: []string{"AK", "somewhere"}[p.IntN(2)]})
	}},
	{"no preparation", func(p *plot) {
		if e := p.one(Prepare, "fulfilled"); e != nil {
			e.At, e.Start = e.At.AddDate(0, 0, 10), e.Start.AddDate(0, 0, 10)
			p.drop(func(e *Event) bool { return e.What == Prepare && (p.IntN(2) == 0 || e.Says == "booked") })
		}
	}},
	{"the integration is not booked", func(p *plot) { p.drop(func(e *Event) bool { return e.What == Integrate && p.IntN(2) == 0 }) }},
	{"the follow-up is soon due", func(p *plot) {
		p.Agreed.FollowUp.Value = 14 + p.IntN(30)
		if e := p.one(Decision, ""); e != nil && p.IntN(2) == 0 {
			seen := e.At.AddDate(0, 0, 12+p.IntN(25)).Truncate(hour)
			p.tell(Event{At: seen.AddDate(0, 0, -5), What: FollowUp, ID: "1", Says: "booked", Start: seen})
			p.tell(Event{At: seen.Add(hour), What: FollowUp, ID: "1", Says: []string{"fulfilled", "noshow"}[p.IntN(2)], Start: seen})
		}
	}},
	{"an event that nobody sorted", func(p *plot) {
		p.Agreed.CalendarFeed = true
		start := p.some(7 + p.IntN(p.Days))
		p.tell(Event{At: p.later(start.AddDate(0, 0, -8), 6), What: CalendarEvent, ID: "1", Start: start, End: start.Add(time.Duration(1+p.IntN(3)) * hour)})
	}},
	{"an arrival check is missing", func(p *plot) {
		if s := p.one(Session, "booked"); s != nil {
			id, n := s.ID, p.IntN(7)
			p.drop(func(e *Event) bool {
				if e.Of != id || e.What != Check && e.What != Pressure && e.What != Pulse && e.What != GoAhead {
					return false
				}
				n--
				return n == -1
			})
		}
	}},
	{"an arrival check answers otherwise", func(p *plot) {
		if e := p.one(Check, ""); e != nil {
			e.Says = map[string]string{"yes": "no", "no": "yes"}[e.Says]
			if p.IntN(3) == 0 {
				e.Says = "nothing"
			}
			if p.IntN(3) == 0 {
				again := *e
				again.At, again.Says = e.At.Add(20*minute), "yes"
				p.tell(again)
			}
		}
	}},
	{"the arrival checks are of last week", func(p *plot) {
		if s := p.one(Session, "booked"); s != nil {
			id := s.ID
			for _, i := range p.every(func(e *Event) bool { return e.What == Check && e.Of == id }) {
				p.Events[i].At = p.Events[i].At.AddDate(0, 0, -2)
			}
		}
	}},
	{"a reading beyond the limit", func(p *plot) {
		if e := p.one([]What{Pressure, Pressure, Pulse}[p.IntN(3)], ""); e != nil {
			e.N = 120 + p.IntN(60)
			if p.IntN(2) == 0 {
				again := *e
				again.At, again.N, again.ID = e.At.Add(20*minute), 60+p.IntN(70), e.ID+"-again"
				p.tell(again)
			}
		}
	}},
	{"a reading in another unit", func(p *plot) {
		if e := p.one(Pressure, ""); e != nil {
			e.Says, e.N = []string{"kPa", "psi"}[p.IntN(2)], 14+p.IntN(8)
		}
	}},
	{"no go-ahead", func(p *plot) {
		if e := p.one(GoAhead, ""); e != nil {
			e.Says = []string{"no", "nothing", "another's", "nobody's"}[p.IntN(4)]
			if p.IntN(3) == 0 {
				again := *e
				again.At, again.Says = e.At.Add(10*minute), "yes"
				p.tell(again)
			}
		}
	}},
	{"something changes after the go-ahead", func(p *plot) {
		e := p.one(GoAhead, "yes")
		if e == nil {
			return
		}
		at := e.At.Add(time.Duration(1+p.IntN(60)) * minute)
		switch p.IntN(5) {
		case 4:
			p.tell(Event{At: at, What: Pressure, ID: "high", Of: e.Of, N: 150 + p.IntN(40)})
			p.tell(Event{At: at.Add(5 * minute), What: Pressure, ID: "low", Of: e.Of, N: 105})
		case 0:
			p.tell(Event{At: at, What: Decision, ID: "after", Says: fhir.DecisionCleared, Start: at.Truncate(hour), End: at.AddDate(0, 0, 60)})
		case 1:
			p.dose(at)
		case 2:
			p.tell(Event{At: at, What: Stop, ID: "1", Says: "inactive"})
		case 3:
			e.At = e.At.Add(-26 * hour)
		}
	}},
}

// sheetTroubles are those of what is agreed.
var sheetTroubles = []trouble{
	{"lines of the sheet are not asked", func(p *plot) {
		for range 3 {
			p.line().Answer = NotAsked
		}
	}},
	{"a line of the sheet is none set", func(p *plot) { p.line().Answer = NoneSet }},
	{"the states are not asked", func(p *plot) { p.Agreed.NotServed = nil }},
	{"the licence ends", func(p *plot) { p.Agreed.Licence = p.at(10+p.IntN(p.Days), 0, 0) }},
	{"no credential is listed", func(p *plot) { p.Agreed.Licence = time.Time{} }},
}

// readTroubles are those of how it reaches the hub.
var readTroubles = []trouble{
	{"a source is down", func(p *plot) { p.outage("down", 1+p.IntN(100)) }},
	{"a source is read half", func(p *plot) { p.outage("partial", 1+p.IntN(60)) }},
	{"a source is read half on the day", func(p *plot) {
		if s := p.one(Session, "booked"); s != nil {
			at := s.Start.Add(-time.Duration(1+p.IntN(20)) * hour)
			p.tell(Event{At: at, Source: p.source(), What: Outage, Says: "partial", Start: at, End: at.Add(time.Duration(1+p.IntN(20)) * hour)})
		}
	}},
	{"a record is told late", func(p *plot) {
		for range 1 + p.IntN(6) {
			e := &p.Events[p.IntN(len(p.Events))]
			e.Lag = time.Duration(1+p.IntN(72)) * hour
		}
	}},
	{"the clearance is withdrawn, and the clock was ahead", func(p *plot) {
		e := p.one(Decision, fhir.DecisionCleared)
		if e == nil {
			return
		}
		from, off := e.At.Add(-hour), time.Duration(1+p.IntN(60))*hour
		at := e.At.Add(time.Duration(5+p.IntN(3000)) * minute)
		what := Event{At: at, What: Decision, ID: []string{e.ID, "2"}[p.IntN(2)], Says: fhir.DecisionWithdrawn, Start: at}
		if p.IntN(3) == 0 {
			what = Event{At: at, What: Adverse, ID: "1", Says: fhir.CodeSerious}
		}
		p.tell(what)
		for i := range p.Events {
			if e := &p.Events[i]; e.Source == Prescriber && e.At.After(from) && e.At.Before(at.Add(minute)) {
				e.Off = off
			}
		}
	}},
	{"a clock is wrong", func(p *plot) {
		source, off := p.source(), []time.Duration{-30 * hour, -7 * hour, -20 * minute, 3 * minute, 2 * hour, 7 * hour, 49 * hour}[p.IntN(7)]
		from := p.within()
		if p.IntN(2) == 0 {
			from = p.Start
		}
		to := p.later(from, 40)
		for i := range p.Events {
			if e := &p.Events[i]; e.Source == source && !e.At.Before(from) && e.At.Before(to) {
				e.Off = off
			}
		}
	}},
	{"a record disappears", func(p *plot) {
		for range 1 + p.IntN(2) {
			e := p.Events[p.IntN(len(p.Events))]
			if e.What != Gone && e.What != Outage && e.What != Rejected && e.What != SealedAway && e.What != Resembles && e.What != Undelivered {
				at := p.later(e.At, 20)
				p.tell(Event{At: at, Source: e.Source, What: Gone, ID: e.ID, Of: string(e.What)})
			}
		}
	}},
	{"the decision disappears", func(p *plot) {
		if e := p.one(Decision, ""); e != nil {
			p.tell(Event{At: p.later(e.At, 40), Source: e.Source, What: Gone, ID: e.ID, Of: string(Decision)})
		}
	}},
	{"a record cannot be read", func(p *plot) { p.befall(Rejected, "", 5) }},
	{"a record is sealed", func(p *plot) { p.befall(SealedAway, []string{"bears", ""}[p.IntN(2)], 4) }},
	{"a delivery fails", func(p *plot) {
		p.befall(Undelivered, []string{"refused", "unknown", "attempted", "staged", "laid-out"}[p.IntN(5)], 8)
	}},
}
