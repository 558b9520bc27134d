package life

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

// Oracle knows the truth: what happened, of that what had reached the hub at t, and how far each source was read. It reads
// the diary of events, never FHIR, and is written from the laws and gates of rules.md alone: slowly and plainly.
type Oracle struct {
	world *World
	t     time.Time
	came  []int   // when each of know came, as an index of the world's versions
	know  []Event // what had reached the hub, in the order in which it happened
}

// Oracle answers for t.
func (w *World) Oracle(t time.Time) *Oracle {
	o := &Oracle{world: w, t: t}
	for i := range w.Came {
		if !w.Versions[i].Received.After(t) {
			o.came = append(o.came, i)
		}
	}
	slices.SortStableFunc(o.came, func(a, b int) int { return w.Came[a].At.Compare(w.Came[b].At) })
	for _, i := range o.came {
		o.know = append(o.know, w.Came[i])
	}
	return o
}

// heard is when the hub heard of the i-th thing that it knows.
func (o *Oracle) heard(i int) time.Time { return o.world.Versions[o.came[i]].Received }

// all returns what is known of a kind, in the order in which it happened.
func (o *Oracle) all(what What, fits func(*Event) bool) (out []*Event) {
	for i := range o.know {
		if e := &o.know[i]; e.What == what && (fits == nil || fits(e)) {
			out = append(out, e)
		}
	}
	return out
}

// last returns the last of a kind that fits, nil when there is none.
func (o *Oracle) last(what What, fits func(*Event) bool) *Event {
	all := o.all(what, fits)
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// records returns of every record of a kind what was said of it last, in the order of that.
func (o *Oracle) records(what What) (out []*Event) {
	all := o.all(what, nil)
	for i, e := range all {
		if !slices.ContainsFunc(all[i+1:], func(later *Event) bool { return later.ID == e.ID }) {
			out = append(out, e)
		}
	}
	return out
}

// gone reports whether the record of e was said to be gone since e was said.
func (o *Oracle) gone(e *Event) bool {
	return o.last(Gone, func(g *Event) bool { return g.Of == string(e.What) && g.ID == e.ID && g.At.After(e.At) }) != nil
}

// there returns of every record of a kind that is not gone what was said last.
func (o *Oracle) there(what What) []*Event {
	return slices.DeleteFunc(o.records(what), o.gone)
}

// first is when a record of e's kind and id was first heard of by its owner.
func (o *Oracle) first(e *Event) *Event {
	return o.all(e.What, func(x *Event) bool { return x.ID == e.ID })[0]
}

// begins returns the first of the unbroken row of sayings of e's record that say what e says.
func (o *Oracle) begins(e *Event) *Event {
	from := e
	for _, x := range slices.Backward(o.all(e.What, func(x *Event) bool { return x.ID == e.ID && !x.At.After(e.At) })) {
		if x.Says != e.Says {
			break
		}
		from = x
	}
	return from
}

// midnight is the beginning of t's day at the practice.
func midnight(t time.Time) time.Time {
	t = t.In(fhirtest.Denver)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, fhirtest.Denver)
}

// days is how many days on the calendar b is after a.
func days(a, b time.Time) int { return int(midnight(b).Sub(midnight(a)).Hours()+12) / 24 }

// lasts is how long sessions last.
const lasts = 2 * time.Hour

// sessions are the dosing sessions as they are known to stand, by their start.
func (o *Oracle) sessions() []*Event {
	out := o.there(Session)
	for _, e := range o.there(CalendarEvent) {
		if e.End.Sub(e.Start) >= 90*time.Minute {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b *Event) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID)) })
	return out
}

// next is the next session: booked and not over.
func (o *Oracle) next() *Event {
	for _, s := range o.sessions() {
		if s.Says == "booked" && s.Start.Add(lasts).After(o.t) || s.What == CalendarEvent && s.End.After(o.t) {
			return s
		}
	}
	return nil
}

// clearing reports whether the hub may go by d: it clears for good, and somebody who may decide did.
func clearing(d *Event) bool {
	return (d.Says == fhir.DecisionCleared || d.Says == fhir.DecisionConditions) && d.N == 0
}

func stopping(d *Event) bool {
	return d.Says == fhir.DecisionWithdrawn || d.Says == fhir.DecisionNotCleared
}

// refused returns the last decision that stops and that no decision made after it clears, nil when there is none.
func (o *Oracle) refused() (stop *Event) {
	for _, d := range o.all(Decision, nil) {
		switch {
		case stopping(d) && (stop == nil || d.ID != stop.ID || d.Says != stop.Says):
			stop = d
		case clearing(d) && !o.gone(d):
			stop = nil
		}
	}
	return stop
}

// decided returns the last decision that is on file.
func (o *Oracle) decided() *Event { return o.last(Decision, nil) }

// ends is when d stops clearing: at the end of its last day, or of what the sheet gives it; zero when nothing says.
func (o *Oracle) ends(d *Event) time.Time {
	if !d.End.IsZero() {
		return midnight(d.End).AddDate(0, 0, 1)
	}
	if v := o.world.Life.Agreed.Validity; v.Answer == Set {
		return midnight(d.At.Add(d.Off)).AddDate(0, 0, v.Value+1)
	}
	return time.Time{}
}

// taken are the days on which a dose is known to have been taken, by the day.
func (o *Oracle) taken() (out []*Event) {
	out = o.there(Dosed)
	for _, s := range o.there(Session) {
		if s.Says == "fulfilled" && !slices.ContainsFunc(out, func(d *Event) bool { return midnight(d.Start).Equal(midnight(s.Start)) }) {
			out = append(out, s)
		}
	}
	return slices.DeleteFunc(out, func(e *Event) bool { return e.Start.After(o.t) })
}

// unclosed are the sessions that are over and of which nobody said what became of them.
func (o *Oracle) unclosed() (out []*Event) {
	for _, s := range o.sessions() {
		if s.Says == "booked" && s.What == Session && !s.Start.Add(lasts).After(o.t) &&
			!slices.ContainsFunc(append(o.taken(), o.there(NotHeld)...), func(d *Event) bool { return midnight(d.Start).Equal(midnight(s.Start)) }) {
			out = append(out, s)
		}
	}
	return out
}

// prescribed returns the prescription that is in force, nil when none is.
func (o *Oracle) prescribed() *Event {
	records := o.records(Prescription)
	slices.SortStableFunc(records, func(a, b *Event) int { return a.Start.Compare(b.Start) })
	for _, rx := range slices.Backward(records) {
		switch rx.Says {
		case "active":
			if !o.gone(rx) {
				return rx
			}
		case "stopped", "cancelled", "unknown":
			return nil
		case "completed":
			return rx
		}
	}
	return nil
}
