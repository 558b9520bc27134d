package readiness

import (
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// heardLateShown is how long it is told that the hub heard late of what was in order in time.
const heardLateShown = 7 * 24 * time.Hour

// R50 dosed-while-not-ready. How the verdict stood when a session began is noted once (fhir.Began), and never changed. A
// session of which nothing was noted began before the hub first judged the client: of it nothing can be said.
//
//	verdict at the beginning   what the owners had recorded by then   that it was held   a reason since   finding
//	READY                      –                                      –                  –                none
//	nothing was noted          –                                      –                  –                none
//	any other                  –                                      not on file, or    –                none
//	                                                                    recorded as not
//	any other                  –                                      on file            given            none: both are kept
//	IN-ORDER, NOT-READY or     everything, go-ahead included; the     on file            none             S4, for a week; the next
//	  UNKNOWN                    hub read it later                                                          session may be READY
//	IN-ORDER, NOT-READY or     not everything                         on file            none             S1, until a reason is given
//	  UNKNOWN
//	HOLD                       –                                      on file            none             S1, until a reason is given
//
// A session that was entered by hand as held, and of which nothing was noted since nobody had booked it, or at another time, is
// judged as of its own time instead (byHand): what the owners had recorded by then tells how it stood. One from before the
// hub knew the client is not judged: there was no verdict to go by, and the papers of then are the practice's.
//
// A session is known to be held by a dose or by session facts of its day. A reason counts that was given after the
// beginning, for this session, in words, and not taken back. As any S1, it has the client NOT-READY for the next session
// until then. It asks, and blames nobody: that the hub read late what was recorded in time is no fault of the therapist's.
func dosedWhileNotReady(f *facts) (out []Finding) {
	for _, b := range f.beginnings() {
		if !f.unexplained(b) {
			continue
		}
		words := "The session of " + f.stamp(b.Start) + " began while its verdict was " + b.State
		switch noted := slices.Contains(f.chart.Began, b); {
		case !noted && b.State == string(Unknown):
			words = "The session of " + f.stamp(b.Start) + " was entered as held; by what was recorded by then nobody could tell whether its records were in order"
		case !noted:
			words = "The session of " + f.stamp(b.Start) + " was entered as held; by what was recorded by then it was " + b.State
		case b.State == string(Unknown):
			words = "The session of " + f.stamp(b.Start) + " began while nobody could tell whether its records were in order"
		}
		var rests []*fhir.Version
		for i := range f.dosing {
			if f.dosing[i].Key == b.Key {
				rests = append(rests, f.dosing[i].Version)
			}
		}
		severity, next := S1, string(SayWhy)+", in one line; it is kept beside the verdict"
		if b.State != string(Hold) && f.inOrderAt(b) {
			if f.clock.passed(b.Start.Add(heardLateShown)) {
				continue
			}
			severity, words = S4, words+"; what was recorded by then was in order, and the hub read it later"
		}
		out = append(out, found(severity, b.String(), words, next, append(rests, f.factsOn(DayOf(b.Start, f.zone))...)...))
	}
	return out
}

// unexplained reports whether a session of this engagement began while not READY, was held, and nobody has said why.
func (f *facts) unexplained(b fhir.Began) bool {
	return f.unsaid(b) && f.tookOn(DayOf(b.Start, f.zone))
}

// unsaid reports whether a session of this engagement began while not READY, is not on file as not held, and nobody has
// said why.
func (f *facts) unsaid(b fhir.Began) bool {
	day := DayOf(b.Start, f.zone)
	switch {
	case b.Prescriber != f.policy.Prescriber.Name, b.State == string(Ready):
		return false
	case slices.Contains(f.notHeld, day) && !slices.Contains(f.factsOf, day):
		return false
	}
	return !slices.ContainsFunc(f.reasons, func(r record[fhir.Observation]) bool {
		return !f.said(r).Before(b.Start) && slices.ContainsFunc(r.Value.Focus, func(ref fhir.Reference) bool {
			return speaksOf(r, ref, b.Key)
		})
	}) && !f.saidByHand(b)
}

// speaksOf reports whether a reference in r is to the record of key.
func speaksOf(r record[fhir.Observation], ref fhir.Reference, key fhir.Key) bool {
	to, far, ok := target(&ref)
	here := r.Source == key.Source && !far || strings.HasSuffix(text(ref.Reference), "/source/"+key.String())
	return ok && here && to == fhir.Ref{Type: key.Type, ID: key.ID}
}

// saidByHand reports whether a reason is given for the session as it was entered by hand of that day: it is of one session,
// whatever hour it was booked for.
func (f *facts) saidByHand(b fhir.Began) bool {
	day := DayOf(b.Start, f.zone)
	return slices.ContainsFunc(f.heldByHand, func(h heldByHand) bool {
		return DayOf(h.at, f.zone) == day && slices.ContainsFunc(f.reasons, func(r record[fhir.Observation]) bool {
			return slices.ContainsFunc(r.Value.Focus, func(ref fhir.Reference) bool { return speaksOf(r, ref, h.Key) })
		})
	})
}

// heldByHand is a dosing session as somebody entered it at the practice's desk: held, and when it began.
type heldByHand struct {
	*fhir.Version
	at time.Time
}

// sameSession is how far the hour that was entered and the one that was booked lie apart at most, where both are of one session
// whose beginning was noted.
const sameSession = time.Hour

// beginnings are the sessions of an engagement of which it is known how they stood when they began, by their start: those that
// were noted, and those that were entered by hand and of whose day nothing was.
func (f *facts) beginnings() []fhir.Began {
	all := slices.Clone(f.chart.Began)
	for _, h := range f.heldByHand {
		day := DayOf(h.at, f.zone)
		told := slices.ContainsFunc(all, func(b fhir.Began) bool {
			return DayOf(b.Start, f.zone) == day && (b.State != string(Ready) || b.Start.Sub(h.at).Abs() <= sameSession)
		})
		if told || !f.clock.passed(h.at) || !f.knewAt(h.at) || len(f.policy.Others) > 0 && f.ofOne(f.engaged) == no {
			continue
		}
		all = append(all, fhir.Began{Prescriber: f.policy.Prescriber.Name, Key: h.Key, Start: h.at, State: string(f.stoodAt(h.at)), Moment: h.Moment})
	}
	slices.SortStableFunc(all, func(a, b fhir.Began) int { return a.Start.Compare(b.Start) })
	return all
}

// knewAt reports whether the hub knew the client at a time.
func (f *facts) knewAt(at time.Time) bool {
	return slices.ContainsFunc(f.clients, func(r record[fhir.Patient]) bool { return !r.heard().After(at) })
}

// stoodAt is how the engagement stood at a time, by what the owners had recorded by then.
//
//	a gate is blocked   a due gate cannot be told   a due gate is open   one is not due yet   it stood
//	yes                 –                           –                    –                    HOLD
//	no                  yes                         –                    –                    UNKNOWN
//	no                  no                          yes                  –                    NOT-READY
//	no                  no                          no                   yes                  IN-ORDER
//	no                  no                          no                   no                   READY
func (f *facts) stoodAt(at time.Time) State {
	then := gather(f.chart, f.policy, &clock{now: at}, &look{by: at})
	var unsure, todo, later bool
	for i, g := range then.judgeGates() {
		due := then.due(i, &g)
		if g.State == Blocked {
			return Hold
		}
		unsure = unsure || due && g.State == Untold
		todo = todo || due
		later = later || g.State != Met
	}
	switch {
	case unsure:
		return Unknown
	case todo:
		return NotReady
	case later:
		return InOrder
	}
	return Ready
}

// factsOn returns what the dose of a day is on file by.
func (f *facts) factsOn(day Day) (rests []*fhir.Version) {
	for _, d := range f.taken {
		if d.day == day {
			rests = append(rests, d.of)
		}
	}
	return rests
}

// inOrderAt reports whether every gate was met when the session began, by what the owners had recorded by then.
func (f *facts) inOrderAt(b fhir.Began) bool {
	then := gather(f.chart, f.policy, &clock{now: b.Start}, &look{by: b.Start})
	if then.next == nil || then.next.Key != b.Key || !then.next.start.Equal(b.Start) {
		return false
	}
	return !slices.ContainsFunc(then.judgeGates(), func(g Gate) bool { return g.State != Met })
}

// Unexplained returns the sessions of an engagement that were held, began while not READY, and of which nobody said why,
// the last one first: what kaphub record reason answers.
func Unexplained(chart fhir.Chart, policy Policy, now time.Time) (list []fhir.Began) {
	f := gather(&chart, &policy, &clock{now: now}, nil)
	for _, b := range slices.Backward(f.beginnings()) {
		if f.unexplained(b) {
			list = append(list, b)
		}
	}
	return list
}

// beginning is how long a session that began while not READY asks for the reason before it is on file that it was held.
const beginning = 24 * time.Hour

// Beginning returns the sessions of an engagement that began while not READY and of which nobody said why yet, the last one
// first: those that are on file as held, as Unexplained does, and one that began within the last day, of which that is not
// on file yet. Whoever begins it can say why at once.
func Beginning(chart fhir.Chart, policy Policy, now time.Time) (list []fhir.Began) {
	f := gather(&chart, &policy, &clock{now: now}, nil)
	for _, b := range slices.Backward(f.beginnings()) {
		if f.unexplained(b) || f.unsaid(b) && now.Sub(b.Start) < beginning {
			list = append(list, b)
		}
	}
	return list
}
