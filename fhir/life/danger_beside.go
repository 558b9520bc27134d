package life

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// besideDangers are those of what is on file beside the course, of the sessions, and looking back.
var besideDangers = []danger{
	{"R11", func(o *Oracle) string {
		d := o.only()
		return say(d != nil && o.ends(d).IsZero() && o.world.Life.Agreed.Validity.Answer == NotAsked && o.clocksRight(), "nothing says how long the clearance holds")
	}},
	{"R13", func(o *Oracle) string {
		d := o.only()
		return say(d != nil && d.Says == fhir.DecisionConditions && !o.met(d) && o.clocksRight(), "the condition is not met")
	}},
	{"R14", func(o *Oracle) string {
		d := o.only()
		lasting := d != nil && (!d.End.IsZero() || o.world.Life.Agreed.Validity.Answer == Set) // else nobody can say that it clears
		is := lasting && o.clocksRight() && slices.ContainsFunc(o.records(News), func(n *Event) bool { return n.Says == "new" && n.At.After(d.At.Add(time.Hour)) })
		return say(is, "something is new since the decision")
	}},
	{"R31", func(o *Oracle) string {
		s, a := o.next(), o.world.Life.Agreed
		if s == nil || s.What != Session || a.Interval.Answer != Set || !o.clocksRight() || days(o.t, s.Start) > 12 || len(o.unclosed()) > 0 {
			return ""
		}
		return say(slices.ContainsFunc(o.there(Dosed), func(d *Event) bool {
			return d.Start.Before(s.Start.Add(-lasts)) && !d.Start.After(o.t) && days(d.Start, s.Start) < a.Interval.Value-1
		}), "the last dose is too near")
	}},
	{"R32", func(o *Oracle) string {
		s, a := o.next(), o.world.Life.Agreed
		if s == nil || a.NotServed == nil || a.OfficeOnly.Answer == NotAsked || days(o.t, s.Start) > 12 || !o.clocksRight() {
			return ""
		}
		k := o.last(Known, nil)
		return say(a.OfficeOnly.Answer == Set && s.What == Session && s.Of == "remote" || k != nil && k.Says == "AK" && !o.gone(k), "the session is where it may not be")
	}},
	{"R33", func(o *Oracle) string {
		over := time.Date(2027, time.January, 2, 0, 0, 0, 0, time.UTC)
		after := slices.ContainsFunc(o.there(Session), func(s *Event) bool { return s.Says == "booked" && s.Start.After(over) && s.Start.After(o.t) })
		return say(after && len(o.all(SeenThere, nil)) == 0, "a session lies after prescribing by telehealth ends")
	}},
	{"R34", func(o *Oracle) string {
		licence := o.world.Life.Agreed.Licence
		return say(!licence.IsZero() && days(o.t, licence) < 58, "the licence ends soon, or ended")
	}},
	{"R35", func(o *Oracle) string {
		return say(len(o.there(Known)) > 0 && len(o.all(Consented, nil)) == 0, "no consent to treatment is on file")
	}},
	{"R36", func(o *Oracle) string {
		s := o.next()
		if s == nil || s.What != Session || o.t.Before(s.Start) || !o.clocksRight() {
			return ""
		}
		return say(o.last(Check, func(c *Event) bool { return c.ID == fhir.CodeRide+"-"+s.ID }) == nil, "the session began, and nobody asked for the ride")
	}},
	{"R37", func(o *Oracle) string {
		s := o.next()
		if s == nil || s.What != Session || o.t.Before(s.Start.Add(-23*time.Hour)) || !o.clocksRight() {
			return ""
		}
		limit := o.limit(o.world.Life.Agreed.Systolic, "pressure")
		r := o.last(Pressure, func(e *Event) bool { return e.Of == s.ID })
		return say(limit.Answer == Set && r != nil && !o.gone(r) && r.Says == "" && r.N > limit.Value && midnight(r.At).Equal(midnight(s.Start)), "a reading is beyond the limit")
	}},
	{"R38", func(o *Oracle) string {
		worse := o.worse()
		return say(worse != nil && o.clocksRight() && o.last(GoAhead, func(g *Event) bool { return g.At.After(worse.At) }) == nil, "item 9 is above the first")
	}},
	{"R39", func(o *Oracle) string {
		wanted := o.world.Life.Agreed.Facts
		missing := slices.ContainsFunc(o.there(Session), func(s *Event) bool {
			facts := slices.ContainsFunc(slices.Concat(o.there(Dosed), o.there(NotHeld)), func(d *Event) bool { return midnight(d.Start).Equal(midnight(s.Start)) })
			return (s.Says == "booked" || s.Says == "fulfilled") && !facts && days(s.Start, o.t) > wanted.Value+7
		})
		return say(wanted.Answer == Set && missing && o.clocksRight(), "no facts of a session came")
	}},
	{"R40", func(o *Oracle) string {
		taken := o.taken()
		if len(taken) == 0 || !o.clocksRight() {
			return ""
		}
		last := slices.MaxFunc(taken, func(a, b *Event) int { return a.Start.Compare(b.Start) })
		after := slices.ContainsFunc(o.there(Integrate), func(e *Event) bool { return e.Start.After(last.Start) })
		return say(!after && days(last.Start, o.t) > 4 && days(last.Start, o.t) < 28, "no integration is booked after the dose")
	}},
	{"R41", func(o *Oracle) string {
		open := slices.ContainsFunc(o.unclosed(), func(s *Event) bool { return days(s.Start, o.t) > 3 })
		return say(open && o.world.Life.Agreed.Facts.Answer != Set && o.clocksRight(), "a session was never closed")
	}},
	{"R43", func(o *Oracle) string {
		taken := o.taken()
		if o.next() != nil || len(taken) == 0 || !o.arrived() || !o.clocksRight() {
			return ""
		}
		last := slices.MaxFunc(taken, func(a, b *Event) int { return a.Start.Compare(b.Start) })
		seen := o.last(Decision, func(d *Event) bool { return d.At.After(last.Start) }) != nil || len(o.all(FollowUp, nil)) > 0
		worth, any := o.left()
		if slices.ContainsFunc(o.all(Prescription, nil), func(rx *Event) bool { return rx.N != 1 }) {
			return ""
		}
		return say(any && worth > 0 && !seen && days(last.Start, o.t) > 32, "the sessions stopped, and medicine is left")
	}},
	{"R50", func(o *Oracle) string {
		for _, d := range o.there(Dosed) {
			s := o.last(Session, func(s *Event) bool { return s.ID == d.Of })
			if s == nil || o.gone(s) || !s.Start.Equal(d.Start) || o.t.Before(s.Start.Add(lasts)) || days(s.Start, o.t) > 5 || !o.clocksRight() || o.last(Explained, func(e *Event) bool { return e.Of == s.ID }) != nil {
				continue
			}
			then := o.world.Oracle(s.Start)
			if was := then.next(); was != nil && was.What == Session && was.ID == s.ID && was.Start.Equal(s.Start) && len(then.Unsafe()) > 0 {
				return "the session of " + s.Start.String() + " began though it was not in order"
			}
		}
		return ""
	}},
	{"R53", func(o *Oracle) string {
		k := o.last(Known, nil)
		return say(k != nil && !o.gone(k) && o.world.Life.Seed%11 == 0, "the client would rather be written to")
	}},
}

// only is the one decision on file, where it clears; nil when there are more, or it is gone, or does not.
func (o *Oracle) only() *Event {
	all := o.all(Decision, nil)
	if len(all) != 1 || !clearing(all[0]) || o.gone(all[0]) {
		return nil
	}
	return all[0]
}
