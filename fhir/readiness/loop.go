package readiness

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Loop is how far a client's way to the prescriber and back has come: when each thing happened, by its owner's record. It is
// the way of the newest referral; a zero time is not yet, or nobody tells.
type Loop struct {
	Sent         time.Time  `json:"sent,omitzero"`         // since when the prescriber has had the referral; where nobody recorded that, when it was written
	Acknowledged time.Time  `json:"acknowledged,omitzero"` // the first that the prescriber recorded of it, short of a decision
	Evaluated    time.Time  `json:"evaluated,omitzero"`    // they saw the client
	Decided      time.Time  `json:"decided,omitzero"`      // their first decision, whatever it says
	Declined     time.Time  `json:"declined,omitzero"`     // they closed it without one
	InHand       time.Time  `json:"in_hand,omitzero"`      // the first medicine was in the client's hands
	FollowUps    []Followed `json:"follow_ups,omitempty"`  // that were asked for, oldest first
}

// Followed is one follow-up: by when the prescriber wanted to see the client, and when they did.
type Followed struct {
	Due  time.Time `json:"due"`           // the first instant at which it is overdue
	Seen time.Time `json:"seen,omitzero"` // zero = not yet
}

// loop finds the way of the newest referral; nil where there is none.
//
//	the prescriber's Task                       our order     sent
//	there                                       –             when it came to be there
//	none                                        handed over   when the packet was, first
//	none                                        otherwise     when it was written
//	several, or one before it                   –             the newest counts; what is older than it is of an earlier way
//
//	acknowledged: the Task is no longer requested, or bears their number; they booked an evaluation; they asked something
//	decided:      a decision that can be read and is no longer pending, by somebody who may decide
//	declined:     the Task is rejected, cancelled or failed, and no decision was made
func (f *facts) loop() *Loop {
	task, order := f.task(), f.order()
	l := &Loop{}
	switch {
	case task != nil:
		l.Sent = f.waiting(task)
	case order == nil:
		return nil
	case !f.handedOver(order).IsZero():
		l.Sent = f.handedOver(order)
	default:
		l.Sent = f.instant(order.first(), order.Value.AuthoredOn)
	}
	first := func(to *time.Time, at time.Time) {
		if at.Before(l.Sent) && DayOf(at, f.zone) == DayOf(l.Sent, f.zone) {
			at = l.Sent // a date without an hour
		}
		if !at.Before(l.Sent) && f.clock.passed(at) && (to.IsZero() || at.Before(*to)) {
			*to = at
		}
	}
	if task != nil {
		f.tookUp(task, l, first)
	}
	for i := range f.questions {
		if q := &f.questions[i]; q.live() {
			first(&l.Acknowledged, f.instant(q.first(), q.Value.AuthoredOn))
		}
	}
	for i := range f.evaluations {
		s := &f.evaluations[i]
		if !s.live() {
			continue
		}
		first(&l.Acknowledged, s.first())
		if s.done() {
			first(&l.Evaluated, s.start)
		}
	}
	for i := range f.decisions {
		if d := &f.decisions[i]; d.counts() && !d.other {
			first(&l.Decided, d.issued)
		}
	}
	if !l.Decided.IsZero() {
		l.Declined = time.Time{}
	}
	if f.stock.any {
		first(&l.InHand, f.stock.first)
	}
	l.FollowUps = f.followed()
	return l
}

// tookUp notes what the prescriber's Task told of the referral.
func (f *facts) tookUp(task *record[fhir.Task], l *Loop, first func(*time.Time, time.Time)) {
	tellings := task.Told
	if tellings == nil {
		tellings = []fhir.Seen[fhir.Task]{{Version: task.Version, Value: task.Value}}
	}
	for i := range tellings {
		told := &tellings[i]
		status, at := told.Value.Status.Code(), f.instant(told.Recorded(), told.Value.LastModified)
		if status != "requested" && status != "draft" || filled(told.Value) {
			first(&l.Acknowledged, at)
		}
		switch businessMeaning(f.businessStatus(&record[fhir.Task]{Version: told.Version, Value: told.Value})) {
		case fhir.BusinessVisited, fhir.BusinessDone:
			first(&l.Evaluated, at)
		}
	}
	if slices.Contains([]string{"rejected", "cancelled", "failed"}, task.Value.Status.Code()) && task.live() {
		first(&l.Declined, f.instant(task.Recorded(), task.Value.LastModified))
	}
}

// followed are the follow-ups that were asked for: after each decision that clears and each follow-up one is due, by the
// sheet's cadence or the care plan, and the next time that the prescriber saw the client, or decided, answers it.
func (f *facts) followed() (list []Followed) {
	type met struct {
		at   time.Time
		asks bool // to be followed up
	}
	var all []met
	for i := range f.decisions {
		if d := &f.decisions[i]; d.counts() && f.clock.passed(d.issued) {
			all = append(all, met{d.issued, d.means == clears || d.means == clearsWith})
		}
	}
	for i := range f.followUps {
		if s := &f.followUps[i]; s.done() && f.clock.passed(s.start) {
			all = append(all, met{s.start, true})
		}
	}
	slices.SortFunc(all, func(a, b met) int { return a.at.Compare(b.at) })
	for i, m := range all {
		due := f.dueAfter(m.at)
		if !m.asks || due.IsZero() {
			continue
		}
		next := Followed{Due: due}
		if i+1 < len(all) {
			next.Seen = all[i+1].at
		}
		list = append(list, next)
	}
	return list
}

// dueAfter is when a follow-up is overdue that is counted from at; zero when none is asked for.
func (f *facts) dueAfter(at time.Time) (due time.Time) {
	if every := f.policy.Sheet.FollowUp; every.Answer == Set {
		due = shift(at, every.Value, f.zone)
	}
	if planned, v := f.planned(at); v != nil && (due.IsZero() || planned.Before(due)) {
		due = planned
	}
	return due
}
