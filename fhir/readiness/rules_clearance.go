package readiness

import (
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// R09 booked-without-clearance
//
//	decisions for this medicine                dosing session in the window   finding
//	none, or none that clears for sure         within 72 h                    S1
//	none, or none that clears for sure         later                          S2
//	one that stops                             –                              none: R12 says it
//	one that clears but not on the day         –                              none: R10 says it
func bookedWithoutClearance(f *facts) []Finding {
	d := f.decided()
	if f.stopped() != nil || d != nil && d.clearing() {
		return nil
	}
	sessions := f.window()
	if len(sessions) == 0 {
		return nil
	}
	s := sessions[0]
	severity, rests := S2, []*fhir.Version{s.Version}
	if f.clock.passed(s.start.Add(-f.policy.Rules.BookedUrgent)) {
		severity = S1
	}
	words := "A dosing session is booked for " + f.on(s.start) + ", and no decision of " + f.prescriber() + " clears it"
	if d != nil {
		rests = append(rests, d.last())
	}
	return []Finding{found(severity, "clearance", words, "ask "+f.prescriber()+" for the decision before the session", rests...)}
}

// R10 clearance-expires-before-session
//
//	first session in the window after the end   begins      finding
//	none                                        –           none
//	the next session, or one after it           ≤ 48 h      S1
//	the next session, or one after it           later       S2
func clearanceExpires(f *facts) []Finding {
	d := f.decided()
	if d == nil || f.stopped() != nil || !d.clearing() || d.to.IsZero() {
		return nil
	}
	for _, s := range f.window() {
		if s.start.Before(d.to) {
			continue
		}
		severity := S2
		if f.clock.passed(s.start.Add(-f.policy.Rules.ClearanceUrgent)) {
			severity = S1
		}
		end := lastDay(d.to, f.zone)
		return []Finding{found(severity, s.String(), "The clearance ends on "+end+", the session is on "+f.on(s.start), "ask "+f.prescriber()+" for a new decision", d.Version, s.Version).
			values(f.policy.Prescriber.Name, "valid to "+end, fhir.Practice, "session on "+f.on(s.start))}
	}
	return nil
}

// R12 clearance-withdrawn: from the whole history, not from "since last run".
//
//	newest decision that stops     a newer one that clears for sure   finding
//	not cleared, withdrawn         no                                 S1, and the gate holds
//	not cleared, withdrawn         yes                                none
func clearanceWithdrawn(f *facts) []Finding {
	d := f.stopped()
	if d == nil {
		return nil
	}
	return []Finding{found(S1, "clearance", f.prescriber()+" recorded "+d.says+" on "+f.on(d.issued), "hold; speak with "+f.prescriber()+f.phones(), d.last(), d.Version)}
}

// R15 prescriber-hold
//
//	on file                                               finding
//	a stop of this prescriber, or entered at the desk     S1, and the gate holds
//	a stop of any other prescriber: a flag, an order on   S1, and the gate holds
//	  hold, a serious event, a decision that stops
//	a ketamine prescription or a care plan on hold        S1, and the gate holds
//	lifted by a newer telling of the same record          none
//	the record is gone, its period is over                as before: silence lifts nothing
func prescriberHold(f *facts) (out []Finding) {
	for _, s := range f.stops {
		out = append(out, found(S1, s.says.String(), begin(s.title)+" recorded "+s.what+" on "+f.on(s.since), f.until(s), s.says, s.gone))
	}
	return out
}

// R29 follow-up-overdue
//
//	due by sheet or care plan   done since   dosing session after it was due   finding
//	over                        no           no                                S2
//	over                        no           yes                               S1
//	still to come, or none      –            –                                 none
//	visits are not told         –            –                                 none: the gate is unknown
func followUpOverdue(f *facts) []Finding {
	u := f.followUp()
	if u.due.IsZero() || !f.clock.passed(u.due) || f.policy.Prescriber.Lacks("Appointment") {
		return nil
	}
	severity, rests := S2, u.rests
	words := "The follow-up with " + f.prescriber() + " was due by " + lastDay(u.due, f.zone) + ", and none is on file"
	if f.next != nil && !f.next.start.Before(u.due) {
		severity = S1
		words += "; a dosing session is booked for " + f.on(f.next.start)
		rests = append(rests, f.next.Version)
	}
	return []Finding{found(severity, "follow-up", words, "have the client book the follow-up", rests...)}
}

// R30 adverse-event-open
//
//	grade                  answered by a decision since   finding
//	serious                no                             S1, and the gate holds
//	ask the prescriber     no                             S2
//	not to be read         –                              S2: grade it
//	expected, settled      –                              none
//	any                    yes                            none
func adverseEventOpen(f *facts) (out []Finding) {
	for _, e := range f.events {
		about := e.says.String()
		switch e.grade {
		case fhir.CodeSerious:
			out = append(out, found(S1, about, e.title+" recorded a serious adverse event on "+f.on(e.since), "call "+f.prescriber()+f.phones(), e.says, e.gone))
		default:
			words, next := f.open(&e, " within one business day")
			out = append(out, found(S2, about, words, next, e.says, e.gone))
		}
	}
	return out
}

// R52 go-ahead-void
//
//	newest go-ahead of the session    session, decision, prescription or stop changed since   finding
//	yes, since the checks opened      yes                                                     S2
//	yes, since the checks opened      no                                                      none
//	yes, before they opened           –                                                       none: it will be asked for
//	no, or none                       –                                                       none: the gate is open
func goAheadVoid(f *facts) []Finding {
	if f.next == nil || !f.clock.passed(f.next.start.Add(-arrivalOpens)) {
		return nil
	}
	given := f.goAhead()
	if given == nil || !is(given.Value.ValueBoolean, true) {
		return nil
	}
	changed := f.changedSince(f.confirmed(given))
	if len(changed) == 0 || undated(changed) { // that, the gate says
		return nil
	}
	names := make([]string, 0, len(changed))
	for _, v := range changed {
		names = append(names, f.change(v))
	}
	return []Finding{found(S2, f.next.String(), "The go-ahead of "+f.stamp(f.confirmed(given))+" is older than "+strings.Join(names, "; "), "look at the change, then confirm the go-ahead again", append(changed, given.Version)...)}
}

// stamp writes a date and a time of day.
func (f *facts) stamp(t time.Time) string { return f.on(t) + " " + atTime(t, f.zone) }
