package readiness

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// session is one appointment of the course.
type session struct {
	record[fhir.Appointment]
	kind       string
	status     string
	start, end time.Time
	unsorted   bool // an event of a calendar that no rule sorts: it counts as dosing (R51)
}

// dose is a day on which a dose was taken.
type dose struct {
	day       Day
	first, at time.Time // the earliest and the latest that is told of it
	of        *fhir.Version
}

// How long a session lasts when its record does not say, and how long at most: an end beyond that is a slip.
const (
	usual   = 2 * time.Hour
	longest = 24 * time.Hour
)

// standing reports whether the appointment may still happen, or is going on.
func (s *session) standing() bool {
	switch s.status {
	case "booked", "pending", "arrived", "checked-in":
		return s.live()
	}
	return false
}

// done reports whether the appointment was kept.
func (s *session) done() bool { return s.status == "fulfilled" && s.live() }

// appointments finds the course's appointments: sessions are the practice's, evaluation and follow-up the prescriber's.
func (f *facts) appointments() {
	for _, r := range records(f.chart.Appointments, f.look) {
		mirrored := copied(r.Value.Identifier)
		if mirrored && !f.ours(r.Version) || !practices(r.Version) && !f.ours(r.Version) {
			continue
		}
		kind := f.kind(r)
		if kind == "" {
			continue
		}
		s := session{record: r, kind: kind, status: r.Value.Status.Code(), unsorted: f.unsorted(r.Value)}
		from, _, ok := f.when(r.Value.Start)
		if !ok {
			if practices(r.Version) && kind == fhir.SessionDosing && s.standing() && s.status != "pending" {
				f.nextDoubt = "a booked dosing session has no start that can be read"
			}
			continue
		}
		s.start, s.end = from, from.Add(usual)
		if end, _, ok := f.when(r.Value.End); ok && end.After(from) && end.Sub(from) <= longest {
			s.end = end
		}
		switch {
		case f.ours(r.Version) && (kind == fhir.SessionDosing || kind == fhir.SessionPreparation):
			f.theirCopies = append(f.theirCopies, s)
		case mirrored:
		case practices(r.Version) && kind == fhir.SessionIntegration:
			f.integrations = append(f.integrations, s)
		case practices(r.Version) && kind == fhir.SessionDosing:
			f.dosing = append(f.dosing, s)
		case practices(r.Version) && kind == fhir.SessionPreparation:
			f.preparations = append(f.preparations, s)
		case f.ours(r.Version) && kind == fhir.SessionEvaluation:
			f.evaluations = append(f.evaluations, s)
		case f.ours(r.Version) && kind == fhir.SessionFollowUp:
			f.followUps = append(f.followUps, s)
		}
	}
	for _, list := range [][]session{f.dosing, f.preparations, f.evaluations, f.followUps, f.integrations, f.theirCopies} {
		slices.SortStableFunc(list, func(a, b session) int {
			return cmp.Or(a.start.Compare(b.start), cmp.Compare(a.ID, b.ID))
		})
	}
}

// kind reads which appointment of the course r is. One that might be a dosing session is one, and so is an event of the
// practice's calendar that is as long as one and that no rule sorts.
func (f *facts) kind(r record[fhir.Appointment]) string {
	kind := ""
	if practices(r.Version) && f.unsorted(r.Value) {
		return fhir.SessionDosing
	}
	for i := range r.Value.ServiceType {
		concept := &r.Value.ServiceType[i]
		if holds(concept, fhir.Code{System: fhir.SystemSession, Code: fhir.SessionDosing}) {
			return fhir.SessionDosing
		}
		if code := f.code(r.Party, concept, fhir.SystemSession); code == fhir.SessionDosing || kind == "" {
			kind = code
		}
	}
	return kind
}

// unsorted reports whether a is an event of a calendar, as long as a dosing session, whose kind is not told.
func (f *facts) unsorted(a *fhir.Appointment) bool {
	if !fhir.FromCalendar(*a) || len(a.ServiceType) > 0 {
		return false
	}
	from, _, ok := f.when(a.Start)
	to, _, too := f.when(a.End)
	return ok && too && to.Sub(from) >= cmp.Or(f.policy.Rules.UnsortedEvent, DefaultRules().UnsortedEvent)
}

// findNext finds the dosing session that the verdict is about: the earliest of the practice that may still happen and
// has not ended, and that belongs to this engagement.
//
//	the session says                  engagements that could own it     it is
//	based on a referral to us         any                               ours
//	based on one passed on to several any                               as below, of these
//	based on a referral elsewhere     any                               not ours: the next one is looked at
//	nothing                           ours, or none and no other        ours
//	nothing                           another's only                    not ours
//	nothing                           several, one of whom has not      that one's
//	                                  turned the referral down
//	nothing                           several, or none of several       cannot tell
func (f *facts) findNext() {
	for i := range f.dosing {
		s := &f.dosing[i]
		if !s.standing() || f.clock.passed(s.end) {
			continue
		}
		switch f.owns(s) {
		case yes:
			f.next = s
		case cannotTell:
			f.next = s
			f.nextDoubt = "the session of " + f.on(s.start) + " names no prescriber, and more than one may own it"
		case no:
			continue
		}
		return
	}
}

// owns reports whether a dosing session belongs to this engagement.
func (f *facts) owns(s *session) answer {
	if len(f.policy.Others) == 0 {
		return yes
	}
	for _, r := range f.referrals {
		if anyPoints(s.Value.BasedOn, s.Source, r.Version, r.Value.Identifier) {
			return f.ofOne(func(p *Party) bool { return p.Name == f.policy.Prescriber.Name || f.asks(r, p) })
		}
	}
	for _, r := range f.elsewhere {
		if anyPoints(s.Value.BasedOn, s.Source, r.Version, r.Value.Identifier) {
			return no
		}
	}
	return f.ofOne(f.engaged)
}

// engaged reports whether the client may be in treatment with party: an active referral names it, or nobody, or it has a
// record of a decision that may still clear.
func (f *facts) engaged(party *Party) bool {
	for _, list := range [][]record[fhir.ServiceRequest]{f.referrals, f.elsewhere} {
		for _, r := range list {
			if r.live() && r.Value.Status.Code() == "active" && (len(r.Value.Performer) == 0 || f.asks(r, party)) {
				return true
			}
		}
	}
	if party.Name == f.policy.Prescriber.Name {
		return len(f.decisions) > 0
	}
	for _, s := range f.chart.Observations {
		if s.Value == nil || s.Party != party.Name || copied(s.Value.Identifier) || !f.decides(s.Party, s.Value) {
			continue
		}
		if p := s.Value.EffectivePeriod; p == nil || p.End == nil {
			return true
		} else if _, to, ok := f.when(p.End); !ok || !f.clock.passed(to) {
			return true
		}
	}
	return false
}

// sessionFacts finds the days on which a dose was taken: sessions kept, and what the practice recorded of them. Several
// records of one day are one dose.
func (f *facts) sessionFacts() {
	note := func(at time.Time, v *fhir.Version) {
		if !f.clock.passed(at) {
			return
		}
		f.takenBy = append(f.takenBy, v)
		day := DayOf(at, f.zone)
		for i := range f.taken {
			if d := &f.taken[i]; d.day == day {
				if v.Type < d.of.Type || v.Type == d.of.Type && (v.ID < d.of.ID || v.ID == d.of.ID && v.Source < d.of.Source) {
					d.of = v // always the same, whatever was heard of first
				}
				if at.After(d.at) {
					d.at = at
				}
				if at.Before(d.first) {
					d.first = at
				}
				return
			}
		}
		f.taken = append(f.taken, dose{day: day, first: at, at: at, of: v})
	}
	for i := range f.dosing {
		if s := &f.dosing[i]; s.done() {
			note(s.start, s.Version)
		}
	}
	for _, r := range records(f.chart.Procedures, f.look) {
		if !practices(r.Version) || !r.live() || copied(r.Value.Identifier) {
			continue
		}
		start := r.Value.PerformedDateTime
		if p := r.Value.PerformedPeriod; p != nil {
			start = p.Start
		}
		at := f.instant(r.Recorded(), start)
		switch kind, status := f.code(r.Party, r.Value.Code, fhir.SystemSession), r.Value.Status.Code(); {
		case kind == fhir.SessionDosing && status == "completed":
			f.factsOf = append(f.factsOf, DayOf(at, f.zone))
			if f.policy.isDesk(r.Source) {
				f.heldByHand = append(f.heldByHand, heldByHand{r.Version, at})
			}
			note(at, r.Version)
		case kind == fhir.SessionDosing && status == "not-done":
			f.notHeld = append(f.notHeld, DayOf(at, f.zone))
		case kind == fhir.SessionIntegration && status == "completed" && f.clock.passed(at):
			f.integrated = append(f.integrated, dose{day: DayOf(at, f.zone), first: at, at: at, of: r.Version})
		case kind == fhir.SessionPreparation && status == "completed" && f.clock.passed(at):
			f.prepared = append(f.prepared, dose{day: DayOf(at, f.zone), first: at, at: at, of: r.Version})
		}
	}
	for _, r := range records(f.chart.Encounters, f.look) {
		if practices(r.Version) && r.live() && !copied(r.Value.Identifier) && r.Value.Status.Code() == "finished" &&
			slices.ContainsFunc(r.Value.Type, func(c fhir.CodeableConcept) bool {
				return f.code(r.Party, &c, fhir.SystemSession) == fhir.SessionDosing
			}) {
			var start *string
			if r.Value.Period != nil {
				start = r.Value.Period.Start
			}
			at := f.instant(r.Recorded(), start)
			f.factsOf = append(f.factsOf, DayOf(at, f.zone))
			note(at, r.Version)
		}
	}
	for _, r := range records(f.chart.MedicationAdministrations, f.look) {
		v := r.Value
		if practices(r.Version) && r.live() && !copied(v.Identifier) && (v.Status == "completed" || v.Status == "in-progress") &&
			f.ketamine(medicine{source: r.Source, party: r.Party, concept: &v.MedicationCodeableConcept, reference: &v.MedicationReference}) != no {
			at := f.instant(r.Recorded(), &v.EffectiveDateTime, v.EffectivePeriod.Start)
			f.factsOf = append(f.factsOf, DayOf(at, f.zone))
			note(at, r.Version)
			if f.clock.passed(at) {
				f.takes(r, at)
			}
		}
	}
	f.sortIntakes()
	slices.SortFunc(f.taken, func(a, b dose) int { return a.at.Compare(b.at) })
}

// tookOn reports whether a dose is on file as taken on day.
func (f *facts) tookOn(day Day) bool {
	return slices.ContainsFunc(f.taken, func(d dose) bool { return d.day == day })
}

// closed reports whether the practice recorded of a session's day whether a dose was taken: a calendar never says.
func (f *facts) closed(s *session) bool {
	day := DayOf(s.start, f.zone)
	return f.tookOn(day) || f.clock.passed(s.start) && slices.Contains(f.notHeld, day)
}

// unclosed returns the dosing sessions that are over but were never said to be kept or not: a dose may have been taken.
func (f *facts) unclosed() (open []*session) {
	for i := range f.dosing {
		s := &f.dosing[i]
		if s.standing() && f.clock.passed(s.end) && !f.closed(s) {
			open = append(open, s)
		}
	}
	return open
}
