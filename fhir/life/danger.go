package life

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Danger is trouble that must be shown: the rule that has to speak, and what it has to speak of.
type Danger struct{ Rule, Why string }

// Dangers are those that the hub could know of at t. They are written for the plain middle of each rule, not for its edges:
// where an hour, a clock that is wrong or a day off decides, no danger is claimed.
func (o *Oracle) Dangers() (out []Danger) {
	for _, d := range slices.Concat(dangers, besideDangers) {
		if why := d.why(o); why != "" {
			out = append(out, Danger{d.rule, why})
		}
	}
	return out
}

type danger struct {
	rule string
	why  func(*Oracle) string
}

var dangers = []danger{
	{"R01", func(o *Oracle) string {
		k := o.last(KnownThere, nil)
		return say(k != nil && !o.gone(k) && len(o.there(Known)) > 0 && (k.Says == "birth date" || k.Says == "family name") || o.befallen(Resembles, 0), "two records differ, or nobody said whose one is")
	}},
	{"R02", func(o *Oracle) string {
		n := 0
		for _, r := range o.there(Referral) {
			if r.Says == "active" && days(r.At, o.t) < 85 {
				n++
			}
		}
		return say(o.clocksRight() && n > 1, "two referrals are open")
	}},
	{"R03", func(o *Oracle) string {
		task := o.last(Asked, nil)
		return say(o.clocksRight() && task != nil && task.ID == "1" && task.Says == "requested" && !o.gone(task) && o.decided() == nil && days(o.world.Life.Start, o.t) > 6, "nobody answered the referral")
	}},
	{"R04", func(o *Oracle) string {
		task := o.last(Asked, nil)
		if task == nil || task.ID != "1" || task.Says != "accepted" || o.gone(task) || o.decided() != nil || !o.clocksRight() {
			return ""
		}
		return say(len(o.records(Evaluation)) == 0 && days(o.begins(task).At, o.t) > 8, "nobody booked the evaluation")
	}},
	{"R05", func(o *Oracle) string {
		if o.last(Asked, nil) == nil || o.next() == nil || !o.clocksRight() {
			return ""
		}
		task := o.last(Asked, func(e *Event) bool { return e.ID == o.lastTask().ID })
		closed := slices.Contains([]string{"rejected", "cancelled", "failed"}, task.Says)
		return say(closed && o.last(Decision, func(d *Event) bool { return d.At.After(o.begins(task).At) }) == nil, "the referral is closed and a session is booked")
	}},
	{"R06", func(o *Oracle) string {
		releases := o.records(Release)
		if len(o.there(Known)) == 0 {
			return ""
		}
		over := !slices.ContainsFunc(releases, func(r *Event) bool { return r.Says != "active" || days(r.End, o.t) < 2 })
		denied := slices.ContainsFunc(o.there(Release), func(r *Event) bool {
			return r.Says == "denied" && !slices.ContainsFunc(o.all(Release, nil), func(x *Event) bool { return x.At.After(r.At) })
		})
		return say(o.clocksRight() && (over || denied), "no release is in force")
	}},
	{"R07", func(o *Oracle) string {
		consents, releases := o.records(Consented), o.records(Release)
		withdrawn := len(consents) > 0 && !slices.ContainsFunc(consents, func(c *Event) bool { return c.Says != "inactive" }) // beside another, it may be the old one put away
		told := len(releases) == 1 && releases[0].Says == "inactive"
		return say(o.clocksRight() && (withdrawn || told), "the client withdrew")
	}},
	{"R08", func(o *Oracle) string {
		evaluations := o.records(Evaluation)
		missed := len(evaluations) > 0 && o.decided() == nil && o.clocksRight()
		for _, e := range evaluations {
			missed = missed && (e.Says == "noshow" || e.Says == "cancelled") && !o.gone(e) && days(e.At, o.t) > 6
		}
		return say(missed, "the evaluation was missed")
	}},
	{"R09", func(o *Oracle) string {
		s := o.next()
		none := !slices.ContainsFunc(o.all(Decision, nil), func(d *Event) bool { return clearing(d) || stopping(d) })
		return say(s != nil && s.Start.After(o.t) && days(o.t, s.Start) < 13 && none, "a session is booked without a clearance")
	}},
	{"R10", func(o *Oracle) string {
		s, all := o.next(), o.all(Decision, nil)
		if s == nil || len(all) != 1 || !clearing(all[0]) || o.gone(all[0]) || !o.clocksRight() || all[0].Start.After(o.t) {
			return ""
		}
		end := o.ends(all[0])
		return say(!end.IsZero() && s.Start.After(end) && s.Start.After(o.t) && days(o.t, s.Start) < 13, "the clearance ends before the session")
	}},
	{"R12", func(o *Oracle) string { return say(o.refused() != nil && o.clocksRight(), "the prescriber stopped") }},
	{"R15", func(o *Oracle) string {
		stands := false
		for _, x := range slices.Concat(o.records(Stop), o.records(Plan), o.records(Prescription), o.records(Abort)) {
			stands = stands || x.What == Stop && x.Says == "active" || x.Says == "on-hold" || x.What == Abort && x.Says == "requested"
		}
		return say(stands, "a stop stands")
	}},
	{"R16", func(o *Oracle) string {
		all, role := o.all(Decision, nil), o.last(Role, nil)
		return say(len(all) == 1 && clearing(all[0]) && !o.gone(all[0]) && !o.ends(all[0]).IsZero() && o.clocksRight() && role != nil && role.Says == "left" && !o.gone(role), "who decided is there no more")
	}},
	{"R17", func(o *Oracle) string {
		all := o.all(Decision, nil)
		return say(len(all) == 1 && clearing(all[0]) && !o.gone(all[0]) && !o.ends(all[0]).IsZero() && len(o.records(Prescription))+len(o.records(Dispensed))+len(o.records(Parcel)) == 0 && o.clocksRight(), "cleared, and not prescribed")
	}},
	{"R18", func(o *Oracle) string {
		d := o.earliest(Dispensed)
		prepared := slices.ContainsFunc(o.there(Prepare), func(p *Event) bool { return p.Says == "booked" || p.Says == "fulfilled" })
		return say(d != nil && !o.gone(d) && o.arrived() && !prepared && o.world.Life.Agreed.Preparations.Answer == Set && days(d.At, o.t) > 9 && o.clocksRight(), "medicine is there, and no preparation")
	}},
	{"R19", func(o *Oracle) string {
		p := o.last(Parcel, nil)
		return say(p != nil && p.Says == fhir.FulfilmentAddress && !o.gone(p) && o.earliest(Dispensed) == nil && o.prescribed() != nil && o.clocksRight(), "the parcel waits for the client's call")
	}},
	{"R20", func(o *Oracle) string {
		p := o.last(Parcel, nil)
		return say(p != nil && p.Says == fhir.FulfilmentShipped && !o.gone(p) && o.earliest(Dispensed) == nil && o.prescribed() != nil && days(o.begins(p).At, o.t) > 7 && o.clocksRight(), "nobody knows where the parcel is")
	}},
	{"R25", func(o *Oracle) string {
		if !o.clocksRight() || o.refused() != nil {
			return ""
		}
		odd := false
		for _, d := range o.there(Dosed) {
			rx := o.last(Prescription, func(e *Event) bool { return e.At.Before(d.Start) })
			since := o.last(Prescription, func(e *Event) bool { return !e.At.Before(d.Start.Add(-24 * time.Hour)) }) != nil || o.last(Decision, func(e *Event) bool { return e.At.After(d.Start.Add(-24 * time.Hour)) }) != nil
			odd = odd || rx != nil && rx.Says == "active" && len(o.records(Prescription)) == 1 && !o.gone(rx) && rx.Start.Before(d.Start) && max(rx.N, 1) != max(d.N, 1) && !since && days(d.Start, o.t) > 1
		}
		return say(odd, "another dose was taken than prescribed")
	}},
	{"R26", func(o *Oracle) string {
		s, d := o.next(), o.earliest(Dispensed)
		if s == nil || d == nil || d.End.IsZero() || o.gone(d) || !o.arrived() || len(o.all(Dispensed, nil)) != 1 {
			return ""
		}
		worth, _ := o.left()
		return say(worth > 0 && o.clocksRight() && days(d.End, s.Start) > 1, "the medicine is out of date by the session")
	}},
	{"R27", func(o *Oracle) string {
		against := false
		for _, x := range o.records(Stop) {
			for _, d := range o.there(Dispensed) {
				against = against || x.Says == "active" && x.Source == Prescriber && o.begins(x).At.Add(time.Hour).Before(d.At)
			}
		}
		return say(against && o.clocksRight(), "dispensed against a stop")
	}},
	{"R28", func(o *Oracle) string {
		theirs, rx := o.last(Elsewhere, nil), o.prescribed()
		return say(theirs != nil && theirs.Says == "active" && !o.gone(theirs) && rx != nil && rx.Says == "active" && days(rx.Start, o.t) < 150 && o.clocksRight(), "two prescribers prescribe")
	}},
	{"R21", func(o *Oracle) string {
		rx := o.prescribed()
		if rx == nil || !o.clocksRight() {
			return ""
		}
		n := 0
		for _, d := range o.there(Dispensed) {
			if d.Of == rx.ID {
				n += d.N
			}
		}
		return say(rx.M > 5 || n > 6*(1+rx.M), "more repeats or more medicine than may be")
	}},
	{"R22", (*Oracle).short},
	{"R23", (*Oracle).short},
	{"R24", func(o *Oracle) string {
		rx, ack := o.prescribed(), o.last(Acknowledged, func(e *Event) bool { return !o.gone(e) })
		return say(rx != nil && ack != nil && ack.N != max(rx.N, 1) && o.clocksRight(), "the dose changed, and nobody read it")
	}},
	{"R29", func(o *Oracle) string {
		a := o.world.Life.Agreed.FollowUp
		var last time.Time
		for _, e := range slices.Concat(o.all(Decision, nil), o.all(FollowUp, nil)) {
			if e.At.After(last) {
				last = e.At
			}
			if e.Start.After(last) && e.What == FollowUp {
				last = e.Start
			}
		}
		counts := slices.ContainsFunc(o.there(Decision), func(d *Event) bool { return d.N == 0 && d.Says != "pending" && d.Says != "unreadable" })
		return say(a.Answer == Set && counts && days(last, o.t) > a.Value+2 && o.clocksRight(), "the follow-up is overdue")
	}},
	{"R30", func(o *Oracle) string {
		return say(len(o.openEvents()) > 0 && o.clocksRight(), "an adverse event is open")
	}},
	{"R44", func(o *Oracle) string {
		stale := false
		for _, name := range o.world.Life.Sources() {
			complete, whole := o.world.Source(name, o.t)
			stale = stale || whole && !complete.IsZero() && days(complete, o.t) > 5
		}
		return say(stale, "a source is stale")
	}},
	{"R45", func(o *Oracle) string {
		half := false
		for _, name := range o.world.Life.Sources() {
			complete, whole := o.world.Source(name, o.t)
			half = half || !whole && !complete.IsZero()
		}
		return say(half || o.befallen(Rejected, 0), "something could not be read")
	}},
	{"R46", func(o *Oracle) string {
		failed := false
		for i := range o.world.Life.Events {
			e := &o.world.Life.Events[i]
			failed = failed || e.What == Undelivered && e.stands(o.t) && (e.Says == "refused" || e.Says == "unknown" || e.Says == "attempted" && o.t.Sub(e.Start) > 7*time.Hour)
		}
		return say(failed, "a delivery fails")
	}},
	{"R47", func(o *Oracle) string {
		before := map[string]Event{}
		late := false
		for i, e := range o.world.Came {
			v := &o.world.Versions[i]
			if v.Received.After(o.t) {
				break
			}
			if e.Source == Other || e.What == Gone {
				delete(before, v.String())
				continue
			}
			if was, ok := before[v.String()]; ok && was.At.After(e.At) && days(v.Received, o.t) < 6 {
				late = true
			}
			before[v.String()] = e
		}
		return say(late && o.clocksRight(), "an older version came after a newer one")
	}},
	{"R48", func(o *Oracle) string {
		d := o.decided()
		lost := d != nil && o.refused() == nil && o.gone(d)
		for _, x := range o.records(Stop) {
			lost = lost || x.Says == "active" && o.gone(x)
		}
		for _, s := range o.records(Session) {
			lost = lost || s.Says == "booked" && s.Start.After(o.t) && o.gone(s)
		}
		return say(lost && o.clocksRight(), "a record that counts is gone")
	}},
	{"R49", func(o *Oracle) string { return say(o.befallen(SealedAway, 0), "a record is sealed") }},
	{"R51", func(o *Oracle) string {
		unsorted := false
		for _, e := range o.there(CalendarEvent) {
			unsorted = unsorted || e.End.Sub(e.Start) >= 90*time.Minute && e.Start.After(o.t) && days(o.t, e.Start) < 13
		}
		return say(unsorted, "nobody said what an event in the calendar is")
	}},
	{"R52", func(o *Oracle) string {
		s := o.next()
		if s == nil || !o.clocksRight() || o.t.Before(s.Start.Add(-24*time.Hour)) {
			return ""
		}
		g := o.last(GoAhead, func(e *Event) bool { return e.Of == s.ID })
		if g == nil || o.gone(g) || g.Says != "yes" || g.At.Before(s.Start.Add(-24*time.Hour)) {
			return ""
		}
		changed := o.last(Decision, func(e *Event) bool { return e.At.After(g.At.Add(time.Minute)) })
		return say(changed != nil && o.first(o.all(Decision, nil)[0]).At.Before(g.At), "the prescriber decided after the go-ahead")
	}},
	{"R54", func(o *Oracle) string {
		steps := o.all(Asked, func(e *Event) bool { return e.ID == "1" })
		if n := len(steps); n < 2 || steps[n-1].Says != "requested" || steps[n-2].Says != "completed" || o.lastTask().ID != "1" || !o.clocksRight() {
			return ""
		}
		task := steps[len(steps)-1]
		return say(!o.gone(task) && o.last(Decision, func(d *Event) bool { return d.At.After(task.At) }) == nil, "the Task moved as no guide has it")
	}},
	{"R55", func(o *Oracle) string {
		return say(slices.ContainsFunc(o.there(Question), func(q *Event) bool { return q.Says == "requested" }), "the prescriber waits for an answer")
	}},
	{"R56", func(o *Oracle) string {
		p := o.last(Proposal, nil)
		return say(p != nil && p.Says == "active" && !o.gone(p) && o.clocksRight() && o.last(Referral, func(r *Event) bool { return r.At.After(o.first(p).At) }) == nil, "the prescriber proposed something else")
	}},
}

// earliest is the first of a kind, nil when none is known.
func (o *Oracle) earliest(what What) *Event {
	if all := o.all(what, nil); len(all) > 0 {
		return all[0]
	}
	return nil
}

// arrived reports whether nothing says that a parcel is away still, or again.
func (o *Oracle) arrived() bool {
	p := o.last(Parcel, nil)
	return p != nil && p.Says == fhir.FulfilmentDelivered && !o.gone(p)
}

func say(is bool, why string) string {
	if is {
		return why
	}
	return ""
}

// clocksRight reports whether nothing that is known was recorded by a clock that was wrong.
func (o *Oracle) clocksRight() bool {
	return !slices.ContainsFunc(o.know, func(e Event) bool { return e.Off != 0 })
}

// befallen reports whether something of that kind has stood for so long.
func (o *Oracle) befallen(what What, long time.Duration) bool {
	return slices.ContainsFunc(o.world.Life.Events, func(e Event) bool {
		return e.What == what && e.stands(o.t) && o.t.Sub(e.Start) >= long
	})
}

// short says that more sessions are booked in the next two weeks than there is medicine for.
func (o *Oracle) short() string {
	worth, any := o.left()
	d := o.decided()
	if !any || d == nil || o.gone(d) || o.prescribed() == nil || worth < 0 || !o.clocksRight() || o.world.Life.Agreed.FollowUp.Value != 90 || len(o.all(FollowUp, nil)) > 0 {
		return ""
	}
	for _, rx := range o.all(Prescription, nil) {
		if rx.N != 1 || o.gone(rx) {
			return ""
		}
	}
	for _, x := range o.records(Dispensed) {
		if !x.End.IsZero() || o.gone(x) {
			return ""
		}
	}
	parcel := o.last(Parcel, nil)
	n := 0
	for _, s := range o.sessions() {
		if s.Says == "booked" && s.What == Session && s.Start.After(o.t) && days(o.t, s.Start) < 13 && days(d.At, s.Start) < 80 {
			n++
		}
	}
	return say(n > 0 && n > worth && len(o.unclosed()) == 0 && parcel != nil && parcel.Says == fhir.FulfilmentDelivered, "more sessions are booked than there is medicine for")
}
