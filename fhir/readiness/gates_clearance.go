package readiness

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// clearanceGate asks whether the prescriber cleared the client for the instant of need (fhir.md section 3).
//
//	newest decision for this medicine                   gate
//	stops (not cleared, withdrawn), nothing newer       blocked (R12): only a decision that clears for sure lifts it
//	  clears for sure
//	none, and the referral's Task says how it was       unknown: received, and to be asked for
//	  decided (business status, or a code as output)
//	none, but a letter                                  unknown: it needs transcription
//	none                                                open (R09); unknown where the prescriber's systems tell none
//	pending (registered, preliminary)                   open
//	deferred                                            open; unknown when the referral says cleared since
//	unmapped, absent, two values, unknown status        unknown
//	clears, and the source no longer has it             unknown (R48)
//	clears, contradicts itself, cannot be read whole    unknown
//	clears, entered by one person alone, and nobody     unknown
//	  confirmed it by the end of the next business day
//	clears, by nobody who can be identified             unknown
//	clears, by somebody not on the sheet                open
//	clears, and the referral says otherwise since       unknown
//	clears, begins later                                open: not yet
//	clears, over at the instant of need                 open (R10)
//	clears for a number of sessions, or a care plan     open
//	  does, and all are taken
//	clears with a condition that no record says is met  open (R13)
//	clears, and the decider left or the practice of     open (R16)
//	  the prescriber closes before the session
//	clears, else                                        met; while it waits for a second person it says so
func clearanceGate(f *facts) Gate {
	p := f.prescriber()
	if stop := f.stopped(); stop != nil {
		return blocked(p+" recorded "+stop.says+" on "+f.on(stop.issued), "hold; speak with "+p+f.phones(), stop.last(), stop.Version).from(stop.weighs).by(Therapist)
	}
	d := f.decided()
	hint, hinted := f.hint()
	if d == nil && hinted {
		return untold(p+" recorded the referral as "+hint.says+" on "+f.on(hint.at)+", and the decision itself is not on file", "ask "+p+" for the decision: who decided, for which medicine, until when", hint.task)
	}
	if letter := f.letter(); d == nil && letter != nil {
		return untold("A letter of "+p+" of "+f.on(f.instant(letter.Recorded(), letter.Value.Date))+" is received and needs transcription", "read it, and enter what it decides at the desk", letter.Version).by(Admin)
	}
	if d == nil && f.policy.Prescriber.Lacks("Observation") && f.policy.Prescriber.Lacks("DiagnosticReport") {
		return f.silent(f.policy.Prescriber, "of decisions", "ask "+p+" for the decision, and enter it at the desk", f.ground()...)
	}
	if d == nil {
		return open("No decision of "+p+" on clearance is on file", "ask "+p+" for the decision")
	}
	on := f.on(d.issued)
	switch d.means {
	case pending:
		return open("The decision of "+p+" of "+on+" is pending", "wait for the decision", d.Version)
	case deferred:
		if hinted && hint.clears() && hint.at.After(d.issued) {
			return untold(p+" recorded deferred on "+on+", but the referral says "+hint.says+" since", "ask "+p+" which holds", d.Version, hint.task)
		}
		return open(p+" recorded deferred on "+on, "ask "+p+" what is missing", d.Version)
	case unreadable, stopsIt:
		return untold("The decision of "+p+" of "+on+" cannot be read", "ask "+p+" for the decision", d.Version)
	}
	said := p + " recorded " + d.says + " on " + on
	if !d.live() {
		return untold(said+", and the record disappeared since", "ask "+p+" for the decision", d.last(), d.Version)
	}
	if d.doubt != "" {
		if d.ask != "" {
			return untold(said+", but "+d.doubt, d.ask, d.Version).by(Admin)
		}
		return untold(said+", but "+d.doubt, "ask "+p+" for the decision in full", d.Version)
	}
	switch d.who {
	case cannotTell:
		return untold(said+", and it cannot be told who decided", "ask "+p+" who decided", d.Version)
	case no:
		return open(said+", by somebody who is not on the sheet as a decider", "ask "+p+" who may decide", d.Version).by(Admin)
	}
	if v, against := f.contradicted(d); v != nil {
		return untold(said+", but the referral says "+against+" since", "ask "+p+" which holds", d.Version, v)
	}
	if !f.clock.passed(d.from) {
		return open(said+", from "+f.on(d.from)+" on", "wait for that day, or ask "+p, d.Version)
	}
	if !d.to.IsZero() {
		said += ", valid to " + lastDay(d.to, f.zone)
	}
	if d.assumed != "" {
		said += " (" + d.assumed + ")"
	}
	if !d.to.IsZero() && f.over(d.to) {
		if f.next == nil {
			return open(said, "ask "+p+" for a new decision", d.Version).from(d.to)
		}
		words := said + "; the session is on " + f.on(f.next.start)
		if lastDay(d.to, f.zone) == f.on(f.next.start) {
			words = said + ", up to " + atTime(d.to, f.zone) + "; the session begins that day at " + atTime(f.next.start, f.zone)
		}
		return open(words, "ask "+p+" for a new decision", d.Version, f.next.Version)
	}
	if g, spent := f.spent(d, said); spent {
		return g
	}
	left, rests := f.outstanding(d)
	if len(left) > 0 {
		return open(said+"; no record says that the condition is met: "+strings.Join(left, "; "), "ask "+p+" whether it is met, and "+string(EnterAnswer), append(rests, d.Version)...)
	}
	if len(rests) > 0 {
		said += "; " + plural(len(rests) == 1, "its condition is", "its conditions are") + " recorded as met"
	}
	if gone, words, _, role := f.departure(d); gone {
		return open(said+"; "+words, "ask "+p+" who stands for the decision", d.Version, role).by(Admin)
	}
	if d.waits != "" {
		said += "; " + d.waits
	}
	g := met(said, append(rests, d.Version)...).from(d.issued)
	if d.agreed {
		g = g.per(f.agreed())
	}
	return g
}

// contradicted returns the Task in which the prescriber says, after d, that the client is not cleared.
func (f *facts) contradicted(d *decision) (*fhir.Version, string) {
	task := f.task()
	if task == nil {
		return nil, ""
	}
	if h, ok := f.hint(); ok && !h.clears() && h.at.After(d.issued) {
		return h.task, h.says
	}
	switch status := f.businessStatus(task); status {
	case fhir.DecisionNotCleared, fhir.DecisionDeferred, fhir.DecisionWithdrawn, "4.0", "6.0":
		if f.turned(task, func(t *fhir.Task) bool {
			return f.code(task.Party, t.BusinessStatus, fhir.SystemBusinessStatus) == status
		}).After(d.issued) {
			return task.Version, cmp.Or(map[string]string{"4.0": "declined", "6.0": "cancelled"}[status], status)
		}
	}
	return nil, ""
}

// spent returns the gate as it stands when the sessions that d, or an active care plan, allows are all taken.
func (f *facts) spent(d *decision, said string) (g Gate, spent bool) {
	for _, m := range f.own().mosts {
		taken := f.takenSince(DayOf(m.value.from, f.zone))
		if taken < m.value.sessions {
			continue
		}
		if said += ", for "; m.of != d.Version {
			said += "at most "
		}
		said += strconv.Itoa(m.value.sessions) + " sessions"
		if m.of != d.Version {
			said += " since " + f.on(m.value.from) + " by the care plan"
		}
		return open(said+"; "+strconv.Itoa(taken)+" are done", "ask "+f.prescriber()+" for a new decision", append(slices.Clone(f.takenBy), m.of, d.Version)...), true
	}
	return g, false
}

// takenSince counts the days from day on on which a dose was taken.
func (f *facts) takenSince(day Day) (n int) {
	from := day.Start(f.zone)
	for _, d := range f.taken {
		if !d.at.Before(from) {
			n++
		}
	}
	return n
}

// holdGate asks whether anything recorded stops the client.
//
//	on file                                                    gate
//	a stop that stands, of this or any other prescriber        blocked (R15)
//	a serious adverse event that nobody answered               blocked (R30)
//	an alert or a held prescription that cannot be read        unknown
//	an adverse event that cannot be read                       unknown
//	an adverse event, "ask the prescriber", not answered       open (R30)
//	none of these                                              met
//
// That a record disappeared lifts nothing. What it rests on when met is the complete reads of every source.
func holdGate(f *facts) Gate {
	if len(f.stops) > 0 {
		s := f.stops[0]
		return blocked(begin(s.title)+" recorded "+s.what+" on "+f.on(s.since)+s.why, f.until(s), s.says, s.gone).from(s.since)
	}
	for _, e := range f.events {
		if e.grade == fhir.CodeSerious {
			return blocked(e.title+" recorded a serious adverse event on "+f.on(e.since), "hold; call "+f.prescriber()+f.phones(), e.says, e.gone).from(e.since)
		}
	}
	if len(f.doubts) > 0 {
		s := f.doubts[0]
		return untold(begin(s.title)+" recorded "+s.what+" on "+f.on(s.since), "ask "+s.title+" what it means", s.says, s.gone).from(s.since).by(Prescriber)
	}
	for _, e := range f.events {
		if e.grade == "" {
			words, next := f.open(&e, "")
			return untold(words, next, e.says, e.gone).from(e.since)
		}
	}
	for _, e := range f.events {
		words, next := f.open(&e, "")
		return open(words, next, e.says, e.gone).from(e.since)
	}
	g := met("No stop and no open adverse event is on file", f.ground()...)
	g.Since = time.Time{}
	return g
}

// ground is what a gate rests on that is met by the absence of something: the practice's record of the client, whose
// sources were read completely, else there is no verdict but unknown.
func (f *facts) ground() []*fhir.Version {
	for i := range f.clients {
		if r := &f.clients[i]; r.live() {
			return []*fhir.Version{r.Version}
		}
	}
	return nil
}

// until says whose word ends a stop, and how they are reached where it is the prescriber's.
func (f *facts) until(s stop) string {
	if s.client {
		return "hold; speak with the client and " + f.prescriber() + f.phones()
	}
	if s.title == f.prescriber() {
		return "hold until " + s.title + f.phones() + " lifts it"
	}
	return "hold until " + s.title + " lifts it"
}

// phones returns how the prescriber is reached, weekends included.
func (f *facts) phones() string { return f.policy.Sheet.phones() }

// followUpGate asks whether the prescriber saw the client again in time. The hub has no cadence of its own: it is the
// sheet's or the care plan's, counted from the newest decision, a withdrawal left out, or follow-up.
//
//	cadence on file    due                                          gate
//	not asked          –                                            unknown: ask
//	none set           –                                            met, per agreement
//	set                no decision or follow-up to count from       open
//	set                not before the instant of need               met
//	set                before it, and still to come                 not due
//	set                over, none done since                        open (R29); unknown where the prescriber's systems
//	                                                                have no Appointment
func followUpGate(f *facts) Gate {
	u := f.followUp()
	p := f.prescriber()
	switch {
	case u.due.IsZero() && f.policy.Sheet.FollowUp.Answer == NotAsked:
		return untold("How often "+p+" wants to see the client again is not on file", "ask "+p+" and note it on the sheet")
	case u.due.IsZero() && f.policy.Sheet.FollowUp.Answer == NoneSet:
		return met("No follow-up is asked for").per(f.agreed())
	case u.due.IsZero():
		return open("No decision or follow-up of "+p+" is on file to count from", "ask "+p)
	}
	words := "The follow-up is due by " + lastDay(u.due, f.zone)
	if !f.over(u.due) {
		if u.sheet && u.seen.Type == "Appointment" {
			words = "Seen by " + p + " on " + f.on(u.last) + "; the next follow-up is due by " + lastDay(u.due, f.zone)
		}
		g := met(words, u.rests...)
		if u.sheet {
			g = g.per(f.agreed())
		}
		return g
	}
	if u.booked != nil {
		words += "; booked for " + f.on(u.booked.start)
	}
	if f.clock.passed(u.due) && f.policy.Prescriber.Lacks("Appointment") {
		return f.silent(f.policy.Prescriber, "of follow-ups", "ask "+p+" whether it was held, and enter it at the desk", u.rests...)
	}
	if f.clock.passed(u.due) {
		return open(words+", and none is on file", "have the client book the follow-up with "+p, u.rests...).from(u.due)
	}
	return notDue(words, "have the client see "+p+" by then", u.rests...).until(u.due)
}

// followUp says when the next follow-up is due; due is the first instant at which it is overdue, zero when none is.
type followUp struct {
	due    time.Time
	sheet  bool // by the sheet, else by the care plan
	booked *session
	rests  []*fhir.Version
	last   time.Time     // when the prescriber saw the client last, or decided
	seen   *fhir.Version // … by this record; nil: never
}

func (f *facts) followUp() followUp {
	if f.follow == nil {
		u := f.findFollowUp()
		f.follow = &u
	}
	return *f.follow
}

func (f *facts) findFollowUp() (u followUp) {
	var last time.Time
	var rests *fhir.Version
	note := func(at time.Time, v *fhir.Version) {
		if at.After(last) || at.Equal(last) && rests != nil && v.String() < rests.String() { // of one moment always the same
			last, rests = at, v
		}
	}
	for i := range f.decisions {
		if d := &f.decisions[i]; d.counts() && d.says != fhir.DecisionWithdrawn && f.clock.passed(d.issued) { // to withdraw is not to see
			note(d.issued, d.Version)
		}
	}
	var withdrawn *decision // the clearance that it withdrew may have stood in this very record
	for i := range f.decisions {
		if d := &f.decisions[i]; d.counts() && d.says == fhir.DecisionWithdrawn && f.clock.passed(d.issued) {
			withdrawn = d
		}
	}
	for i := range f.followUps {
		switch s := &f.followUps[i]; {
		case s.done() && f.clock.passed(s.start):
			note(s.start, s.Version)
		case s.standing() && !f.clock.passed(s.end) && u.booked == nil:
			u.booked = s
		}
	}
	if rests == nil && withdrawn != nil {
		note(withdrawn.issued, withdrawn.Version)
	}
	u.last, u.seen = last, rests
	if every := f.policy.Sheet.FollowUp; every.Answer == Set && rests != nil {
		u.due, u.sheet, u.rests = shift(last, every.Value, f.zone), true, []*fhir.Version{rests}
	}
	if due, v := f.planned(last); v != nil && (u.due.IsZero() || due.Before(u.due)) {
		u.due, u.sheet, u.rests = due, false, []*fhir.Version{v}
	}
	return u
}

// planned returns the earliest follow-up that a care plan still asks for after last.
func (f *facts) planned(last time.Time) (due time.Time, v *fhir.Version) {
	for i := range f.plans {
		r := &f.plans[i]
		if !r.live() || r.Value.Status.Code() != "active" {
			continue
		}
		for _, a := range r.Value.Activity {
			if a.Detail == nil || a.Detail.ScheduledPeriod == nil || f.code(r.Party, a.Detail.Code, fhir.SystemSession) != fhir.SessionFollowUp {
				continue
			}
			switch a.Detail.Status.Code() {
			case "completed", "cancelled", "stopped", "entered-in-error":
				continue
			}
			from, to, bad := f.period(a.Detail.ScheduledPeriod)
			if bad || to.IsZero() || last.After(from) && !from.IsZero() {
				continue
			}
			if due.IsZero() || to.Before(due) {
				due, v = to, r.Version
			}
		}
	}
	return due, v
}
