package life

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Unsafe says why it would be unsafe to call the client ready at t; nothing when the Oracle knows of no reason.
func (o *Oracle) Unsafe() (reasons []string) {
	because := func(is bool, format string, args ...any) {
		if is {
			reasons = append(reasons, fmt.Sprintf(format, args...))
		}
	}
	s := o.next()
	if s == nil {
		return []string{"no session is booked"}
	}
	o.unread(because, s)
	o.papers(because)
	o.clearance(because, s)
	o.stops(because)
	o.since(because)
	o.medicine(because, s)
	o.session(because, s)
	o.arrival(because, s)
	o.twoKeys(because, s)
	return reasons
}

type note = func(is bool, format string, args ...any)

// unread: law 1, law 7. Unknown is never ready, and half a read never lifts anything.
func (o *Oracle) unread(because note, s *Event) {
	for _, name := range o.world.Life.Sources() {
		complete, whole := o.world.Source(name, o.t)
		because(complete.IsZero(), "%s was never read", name)
		because(!whole, "the last read of %s was not complete", name)
		because(days(complete, o.t) > 4, "%s was last read on %s", name, complete)
		because(midnight(s.Start).Equal(midnight(o.t)) && complete.Before(midnight(o.t)), "%s was not read on the session's day", name)
		for i := range o.know {
			because(o.know[i].Source == name && o.heard(i).After(complete), "of %s more came than its last complete read, the rest is unknown", name)
		}
	}
	for i := range o.world.Life.Events {
		e := &o.world.Life.Events[i]
		if !e.stands(o.t) {
			continue
		}
		because(e.What == Rejected, "a record of the client could not be read")
		because(e.What == SealedAway, "a record of the client lies sealed")
		because(e.What == Resembles, "nobody said whether another record is the client's")
	}
}

// papers: identity, release, referral, evaluation, consents.
func (o *Oracle) papers(because note) {
	because(len(o.there(Known)) == 0, "the practice has no record of the client")
	if k := o.last(KnownThere, nil); k != nil && !o.gone(k) {
		because(k.Says != "" && k.Says != "spelling", "the prescriber's record of the client: %s", k.Says)
	}
	because(!slices.ContainsFunc(o.there(Release), func(r *Event) bool {
		return r.Says == "active" && !r.Start.After(o.t) && o.t.Before(midnight(r.End).AddDate(0, 0, 1))
	}), "no release is in force")
	for _, r := range o.there(Release) {
		because(r.Says == "denied" && !slices.ContainsFunc(o.there(Release), func(x *Event) bool { return x.Says == "active" && o.first(x).At.After(r.At) }), "telling the prescriber is denied")
	}
	if task := o.last(Asked, func(e *Event) bool { return e.ID == "1" }); task != nil && o.lastTask().ID == "1" && !o.gone(task) {
		since := o.begins(task)
		closed := slices.Contains([]string{"rejected", "cancelled", "failed", "on-hold"}, task.Says)
		because(closed && !slices.ContainsFunc(o.there(Decision), func(d *Event) bool { return d.At.After(since.At) }), "the prescriber recorded the referral as %s, and decided nothing since", task.Says)
	}
	var consents []*Event
	for _, c := range o.records(Consented) {
		if c.Says == "active" && !o.gone(c) || c.Says == "inactive" {
			consents = append(consents, c)
		}
	}
	because(len(consents) == 0 || consents[len(consents)-1].Says != "active", "no consent to treatment stands")
}

// lastTask is the Task of the newest referral.
func (o *Oracle) lastTask() *Event {
	all := o.records(Asked)
	slices.SortStableFunc(all, func(a, b *Event) int { return o.first(a).At.Compare(o.first(b).At) })
	return all[len(all)-1]
}

// clearance: in its window, with its conditions met, by somebody who may decide.
func (o *Oracle) clearance(because note, s *Event) {
	if stop := o.refused(); stop != nil {
		because(true, "the prescriber recorded %s on %s, and nothing newer clears", stop.Says, stop.At)
	}
	d := o.decided()
	if d == nil {
		because(true, "no decision is on file")
		return
	}
	because(!clearing(d), "the newest decision is %s", d.Says)
	because(clearing(d) && d.N > 0, "nobody who may decide decided")
	because(d.Says == fhir.DecisionConditions && !o.met(d), "the condition is not met")
	because(o.gone(d), "the decision is gone")
	role := o.last(Role, nil)
	because(role != nil && role.Says == "left" && !o.gone(role) && d.N == 0, "who decided is there no more")
	because(midnight(d.Start).After(o.t), "the clearance begins on %s", d.Start)
	end := o.ends(d)
	because(end.IsZero() && o.world.Life.Agreed.Validity.Answer == NotAsked, "nothing says how long the clearance counts")
	because(!end.IsZero() && !s.Start.Before(end), "the clearance ends on %s", end)
}

// met reports whether the prescriber recorded that the condition of d is met.
func (o *Oracle) met(d *Event) bool {
	a := o.last(Answered, func(e *Event) bool { return e.Of == d.ID })
	return a != nil && a.Says == "completed" && !o.gone(a)
}

// since: what is new since the clearance, the prescriber decides upon anew; of scores that got worse the therapist knows
// when they give the go-ahead. That a record disappeared takes nothing back.
func (o *Oracle) since(because note) {
	for _, n := range o.records(News) {
		because(n.Says == "new" && !slices.ContainsFunc(o.there(Decision), func(d *Event) bool {
			return d.N == 0 && d.Says != "pending" && d.Says != "unreadable" && o.recorded(d).After(o.recorded(n))
		}), "a %s was recorded on %s, and nothing decided since", n.Of, n.At)
	}
	if worse := o.worse(); worse != nil {
		because(o.last(GoAhead, func(g *Event) bool { return g.Says == "yes" && o.recorded(g).After(o.recorded(worse)) }) == nil, "item 9 is above the first, and no go-ahead was given since")
	}
}

// worse returns the newest score of item 9 where it is above the client's first, nil where it is not.
func (o *Oracle) worse() *Event {
	all := slices.DeleteFunc(o.there(Scored), func(e *Event) bool { return e.Of != item9 })
	slices.SortStableFunc(all, func(a, b *Event) int { return a.At.Add(a.Off).Compare(b.At.Add(b.Off)) })
	if n := len(all); n > 1 && all[n-1].N > all[0].N {
		return all[n-1]
	}
	return nil
}

// recorded is when e was recorded by its owner's clock; nothing is recorded after it was heard of.
func (o *Oracle) recorded(e *Event) time.Time {
	at := e.At.Add(e.Off)
	for i := range o.know {
		if h := o.heard(i); &o.know[i] == e && h.Before(at) {
			at = h
		}
	}
	return at
}

// stops: law 2. A hold ends only by a newer record that says so.
func (o *Oracle) stops(because note) {
	for _, x := range o.records(Stop) {
		because(x.Says == "active", "a stop of %s stands", x.Source)
	}
	for _, x := range o.records(Plan) {
		because(x.Says == "on-hold", "the care plan is on hold")
	}
	for _, x := range o.records(Prescription) {
		because(x.Says == "on-hold", "the prescription is on hold")
	}
	for _, x := range o.records(Abort) {
		because(x.Says == "requested", "the prescriber calls the referral unsafe")
	}
	for _, e := range o.openEvents() {
		because(true, "the adverse event of %s is open (%s)", e.At, e.Says)
	}
}

// openEvents are the adverse events that are neither graded as settled nor answered by a decision made since.
func (o *Oracle) openEvents() (out []*Event) {
	for _, e := range o.records(Adverse) {
		if graded := o.last(Adverse, func(x *Event) bool { return x.ID == e.ID && x.Says != "strange" }); e.Says == "strange" && graded != nil {
			e = graded // what cannot be read lifts nothing
		}
		since := o.begins(e)
		answered := slices.ContainsFunc(o.all(Decision, nil), func(d *Event) bool {
			return d.At.After(since.At) && d.N == 0 && d.Says != "pending" && d.Says != "unreadable"
		})
		if e.Says != fhir.CodeExpected && e.Says != fhir.CodeMistaken && (!answered || e.Says == "strange") {
			out = append(out, e)
		}
	}
	return out
}

// left is how many sessions' worth the client is known to have in hand: what was dispensed less what was taken since. any is
// false when nothing is known to have come.
func (o *Oracle) left() (worth int, any bool) {
	dose := 1
	if rx := o.prescribed(); rx != nil {
		dose = max(rx.N, 1)
	}
	lozenges := 0
	var first time.Time
	parcel := o.last(Parcel, nil)
	for _, d := range o.there(Dispensed) {
		if parcel != nil && parcel.Says == fhir.FulfilmentReturned && parcel.At.After(d.At) && !o.gone(parcel) {
			continue
		}
		lozenges += d.N
		any = true
		if first.IsZero() || d.At.Before(first) {
			first = d.At
		}
	}
	for _, t := range o.taken() {
		if !t.Start.Before(midnight(first)) {
			lozenges -= max(t.N, 1)
		}
	}
	return lozenges / dose, any
}

// medicine: prescribed, in hand, enough, in date, its directions read.
func (o *Oracle) medicine(because note, s *Event) {
	rx := o.prescribed()
	worth, any := o.left()
	parcel := o.last(Parcel, nil)
	delivered := parcel != nil && parcel.Says == fhir.FulfilmentDelivered && !o.gone(parcel)
	because(rx == nil && len(o.records(Prescription)) > 0, "no prescription is in force")
	because(rx == nil && !any && !delivered, "nothing is prescribed")
	because(!any && !delivered, "no medicine is in hand")
	because(any && worth < 1, "the medicine is used up")
	if d := o.last(Dispensed, func(e *Event) bool { return !o.gone(e) }); d != nil && parcel != nil {
		because(parcel.Says == fhir.FulfilmentReturned && parcel.At.After(d.At) && !o.gone(parcel), "the parcel went back")
		because(!d.End.IsZero() && !s.Start.Before(midnight(d.End).AddDate(0, 0, 1)), "the medicine is out of date by then")
	}
	if rx != nil {
		ack := o.last(Acknowledged, func(e *Event) bool { return !o.gone(e) })
		because(ack == nil, "nobody read the directions")
		because(ack != nil && ack.N != max(rx.N, 1), "what was read are not the directions in force")
	}
}

// session: preparation, follow-up, interval, setting, credentials.
func (o *Oracle) session(because note, s *Event) {
	a := o.world.Life.Agreed
	for _, l := range []struct {
		line Line
		what string
	}{{a.FollowUp, "follow-up"}, {a.Interval, "interval"}, {a.Cap, "cap"}, {a.Preparations, "preparations"}, {a.OfficeOnly, "setting"},
		{o.limit(a.Systolic, "pressure"), "systolic limit"}, {a.Diastolic, "diastolic limit"}, {o.limit(a.Pulse, "pulse"), "pulse limit"}} {
		because(l.line.Answer == NotAsked, "the %s was not asked for", l.what)
	}
	because(a.NotServed == nil, "which states are served was not asked for")
	kept := 0
	for _, p := range o.there(Prepare) {
		if p.Says == "fulfilled" && p.Start.Before(s.Start) && !p.Start.After(o.t) {
			kept++
		}
	}
	because(a.Preparations.Answer == Set && kept < a.Preparations.Value, "%d preparations were kept", kept)
	if a.FollowUp.Answer == Set {
		var last time.Time
		for _, d := range o.there(Decision) {
			if d.N == 0 && d.Says != "pending" && d.Says != "unreadable" && d.At.Add(d.Off).After(last) {
				last = d.At.Add(d.Off)
			}
		}
		for _, f := range o.there(FollowUp) {
			if f.Says == "fulfilled" && f.Start.After(last) {
				last = f.Start
			}
		}
		because(!last.IsZero() && days(last, s.Start) > a.FollowUp.Value, "a follow-up is due since %s", last)
	}
	within := 1
	for _, d := range append(o.taken(), o.unclosed()...) {
		if !d.Start.Before(s.Start.Add(-lasts)) {
			continue
		}
		apart := days(d.Start, s.Start)
		because(a.Interval.Answer == Set && apart < a.Interval.Value, "a dose was, or may have been, taken %d days before", apart)
		if apart < 7 {
			within++
		}
	}
	because(a.Cap.Answer == Set && within > a.Cap.Value, "it is the %d. session within a week", within)
	because(a.OfficeOnly.Answer == Set && a.OfficeOnly.Value == 1 && s.Of == "remote", "the session is remote")
	because(s.What == CalendarEvent, "nobody said what the event in the calendar is")
	if k := o.last(Known, nil); k != nil {
		because(k.Says != "" && a.NotServed != nil, "the client lives in %s", k.Says)
	}
	because(a.Licence.IsZero() || !s.Start.Before(midnight(a.Licence).AddDate(0, 0, 1)), "the licence is not current")
}

// arrival: the checks of the day.
func (o *Oracle) arrival(because note, s *Event) {
	a := o.world.Life.Agreed
	from := midnight(s.Start)
	if early := s.Start.Add(-6 * time.Hour); early.Before(from) {
		from = early
	}
	for _, r := range []struct {
		what  What
		limit Line
		of    func(*Event) float64
	}{{Pressure, o.limit(a.Systolic, "pressure"), systolic}, {Pressure, a.Diastolic, diastolic}, {Pulse, o.limit(a.Pulse, "pulse"), systolic}} {
		if r.limit.Answer != Set {
			continue
		}
		reading := o.last(r.what, func(e *Event) bool { return !o.gone(e) && e.Of == s.ID && !e.At.Before(from.Add(-e.Off)) })
		because(reading == nil, "no %s of the day", r.what)
		if reading != nil {
			because(r.of(reading) > float64(r.limit.Value), "the %s is %d/%d %s", r.what, reading.N, reading.M, reading.Says)
			because(reading.Says == "psi", "the %s is in a unit that says nothing", r.what)
		}
	}
	for _, c := range []struct{ code, want string }{{fhir.CodeRide, "yes"}, {fhir.CodeFasting, "yes"}, {fhir.CodeLocation, "yes"}, {fhir.CodeNewInformation, "no"}} {
		check := o.last(Check, func(e *Event) bool {
			return e.ID == c.code+"-"+s.ID && !e.At.Add(e.Off).Before(s.Start.Add(-24*time.Hour)) && (!o.gone(e) || e.Says != c.want)
		})
		because(check == nil, "%s was not asked", c.code)
		because(check != nil && check.Says != c.want, "%s was answered otherwise", c.code)
	}
}

// limit is the strictest that the prescriber recorded for this client, else the sheet's.
func (o *Oracle) limit(sheet Line, of string) Line {
	own := Line{}
	for _, e := range o.records(OwnLimit) {
		if e.Of == of && e.Says == "active" && (own.Answer == "" || e.N < own.Value) {
			own = Line{Set, e.N}
		}
	}
	if own.Answer == "" {
		return sheet
	}
	return own
}

// systolic is a reading in millimetres of mercury, or in beats a minute.
func systolic(e *Event) float64 {
	if e.Says == "kPa" {
		return float64(e.N) * 7.50062
	}
	return float64(e.N)
}

// diastolic is told in millimetres of mercury whatever the other one is told in.
func diastolic(e *Event) float64 {
	switch {
	case e.Says != "":
		return 75
	case e.M > 0:
		return float64(e.M)
	}
	return float64(e.N * 2 / 3)
}

// twoKeys: law 4. The go-ahead of the session's therapist, after the latest change of what it was given on.
func (o *Oracle) twoKeys(because note, s *Event) {
	g := o.last(GoAhead, func(e *Event) bool { return e.Of == s.ID && (!o.gone(e) || e.Says == "no") })
	if g == nil {
		because(true, "nobody gave the go-ahead")
		return
	}
	because(g.Says != "yes", "the go-ahead: %s", g.Says)
	given := g.At.Add(g.Off)
	because(given.Before(s.Start.Add(-24*time.Hour)), "the go-ahead is of another day")
	for i := range o.know {
		e := &o.know[i]
		switch {
		case e.What == Decision, e.What == Prescription, e.What == Stop && e.Source == Prescriber:
		case e.What == Session && e.ID == s.ID && (e.Says != "booked" || !sameBefore(o, e)):
		default:
			continue
		}
		by := e.At.Add(e.Off)
		if by.After(o.heard(i)) {
			by = o.heard(i) // nothing is recorded after it was heard of
		}
		because(by.After(given), "%s changed after the go-ahead: %s", e.What, e)
	}
	for _, kind := range []What{Pressure, Pulse, Check} {
		for _, e := range o.there(kind) {
			because(o.contrary(e, s) && o.recorded(e).After(given), "%s spoke against it after the go-ahead: %s", e.What, e)
		}
	}
}

// contrary reports whether e speaks against s at its arrival: a reading beyond its limit, or an answer other than the one asked for.
func (o *Oracle) contrary(e, s *Event) bool {
	a := o.world.Life.Agreed
	over := func(l Line, value float64) bool { return l.Answer == Set && value > float64(l.Value) }
	switch {
	case e.Of != s.ID || e.At.Add(e.Off).Before(midnight(s.Start)):
		return false
	case e.What == Check:
		news := strings.HasPrefix(e.ID, fhir.CodeNewInformation)
		return news && e.Says == "yes" || !news && e.Says == "no"
	case e.What == Pulse:
		return over(o.limit(a.Pulse, "pulse"), systolic(e))
	}
	return over(o.limit(a.Systolic, "pressure"), systolic(e)) || over(a.Diastolic, diastolic(e))
}

// sameBefore reports whether the telling before e of its record was of the same session at the same time.
func sameBefore(o *Oracle, e *Event) bool {
	was := o.last(e.What, func(x *Event) bool { return x.ID == e.ID && x.At.Before(e.At) })
	return was != nil && was.Start.Equal(e.Start) && was.Says == e.Says && was.Of == e.Of
}
