package readiness

import (
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// R39 session-facts-not-returned: only where the prescriber's sheet asks for them.
//
//	sheet: session facts     the last dosing sessions that are over                    finding
//	not asked, none set      –                                                         none
//	n business days          its facts are on file, or that it was not held            none
//	n business days          over for fewer than n business days                       none
//	n business days          over for n and more, the follow-up is 5 days off or more  S3
//	n business days          … and the follow-up is nearer                             S2
//
// Facts are what the practice recorded of it: a dose, a procedure, an encounter. That the calendar has it as kept is none.
func sessionFactsMissing(f *facts) (out []Finding) {
	line := f.policy.Sheet.SessionFacts
	if line.Answer != Set {
		return nil
	}
	severity := S3
	if u := f.followUp(); u.booked != nil && f.clock.passed(u.booked.start.Add(-f.policy.Rules.FactsFollowUp)) ||
		u.booked == nil && !u.due.IsZero() && f.clock.passed(u.due.Add(-f.policy.Rules.FactsFollowUp)) {
		severity = S2
	}
	for i := range f.dosing {
		s := &f.dosing[i]
		day := DayOf(s.start, f.zone)
		if !s.standing() && !s.done() || !f.clock.passed(s.end) || f.owns(s) == no || slices.Contains(f.factsOf, day) || slices.Contains(f.notHeld, day) {
			continue
		}
		due := f.later(s.end, line.Value)
		if !f.clock.passed(due) {
			continue
		}
		out = append(out, found(severity, s.String(), f.prescriber()+" wants the facts of a session within "+several(line.Value, "business day")+"; of that of "+f.on(s.start)+" none are on file",
			string(EnterAfter), s.Version).due(due))
	}
	return out
}

// R40 integration-not-booked
//
//	the last dose          integration session booked or held since   finding
//	none                   –                                          none
//	72 hours ago or less   –                                          none
//	longer ago             yes                                        none
//	longer ago             no                                         S3
//	30 days ago and more   –                                          none: it is too late to ask for it
//	longer ago             appointments are not told                  none
func integrationNotBooked(f *facts) []Finding {
	if len(f.taken) == 0 || f.policy.Practice.Lacks("Appointment") {
		return nil
	}
	last := f.taken[len(f.taken)-1]
	rules := &f.policy.Rules
	if !f.clock.passed(last.at.Add(rules.IntegrationWait)) || f.clock.passed(last.at.Add(rules.DischargeWait)) {
		return nil
	}
	if slices.ContainsFunc(f.integrations, func(s session) bool { return s.start.After(last.first) && (s.standing() || s.done()) }) ||
		slices.ContainsFunc(f.integrated, func(d dose) bool { return !d.at.Before(last.first) }) {
		return nil
	}
	return []Finding{found(S3, last.day.String(), "No integration session is booked after the dose of "+f.on(last.at), "book one with the client", last.of)}
}

// R41 appointment-drift: the next sessions stand otherwise on the other side, or were never closed.
//
//	a session of the practice (dosing, or the first preparation), still to come on either side   finding
//	the prescriber's system has it under the same number, at the same time                       none
//	… and its start differs by more than 15 minutes                                              S3
//	… and it is cancelled on one side only                                                       S3
//	a packet that was handed over told of it, and it was moved or cancelled since                S3
//	nobody told the prescriber of it                                                             none
//
//	a dosing session that is over                                                                finding
//	closed: held or not                                                                          none
//	never closed, over for 2 days or less                                                        none
//	never closed, over for longer                                                                S3; R39 where it says so
func appointmentDrift(f *facts) (out []Finding) {
	mine := make([]*session, 0, len(f.dosing)+1)
	for i := range f.dosing {
		mine = append(mine, &f.dosing[i])
	}
	if len(f.preparations) > 0 {
		mine = append(mine, &f.preparations[0])
	}
	told := f.toldOf()
	for _, s := range mine {
		if f.owns(s) == no {
			continue
		}
		for i := range f.theirCopies {
			if theirs := &f.theirCopies[i]; theirs.kind == s.kind && theirs.live() && f.oneAppointment(s, theirs) {
				out = append(out, f.drifted(s, theirs, f.prescriber()+" has it ", s.Version, theirs.Version)...)
			}
		}
		if was := told[s.Key]; was != nil {
			out = append(out, f.drifted(s, was, f.prescriber()+" was told in a packet ", s.Version, was.Version)...)
		}
	}
	if f.policy.Sheet.SessionFacts.Answer == Set {
		return out
	}
	for _, s := range f.unclosed() {
		if f.owns(s) != no && f.clock.passed(s.end.Add(f.policy.Rules.UnclosedWait)) {
			out = append(out, found(S3, "unclosed "+s.String(), "The session of "+f.on(s.start)+" was never closed", string(EnterHeld), s.Version))
		}
	}
	return out
}

// drifted compares a session with what the other side knows of it.
func (f *facts) drifted(s, theirs *session, knows string, rests ...*fhir.Version) []Finding {
	if f.clock.passed(later(s.start, theirs.start)) {
		return nil // it is over, wherever it was
	}
	here, there := f.stamp(s.start), f.stamp(theirs.start)
	switch moved := s.start.Sub(theirs.start).Abs() > f.policy.Rules.DriftStart; {
	case s.standing() && theirs.standing() && moved:
	case s.standing() && !theirs.standing():
		there = theirs.status
	case !s.standing() && theirs.standing():
		if here = s.status; !s.live() {
			here = "gone"
		}
	default:
		return nil
	}
	title := f.party(fhir.Practice).Title
	return []Finding{found(S3, "drift "+s.String(), "The "+s.kind+" session of "+f.on(s.start)+" stands otherwise at "+f.prescriber()+": "+knows+there+", "+title+" has it "+here,
		"agree on it with "+f.prescriber(), rests...).values(fhir.Practice, here, f.policy.Prescriber.Name, there)}
}

// oneAppointment reports whether two records of two sides mean one appointment: by a number in common, or because one is
// the hub's copy of the other.
func (f *facts) oneAppointment(s, theirs *session) bool {
	for i := range theirs.Value.Identifier {
		id, ok := fhir.IDOf(&theirs.Value.Identifier[i])
		if !ok {
			continue
		}
		if id.System == fhir.SystemCopy && strings.HasSuffix(id.Value, s.Version.Ref().ID) {
			return true
		}
		for j := range s.Value.Identifier {
			if own, ok := fhir.IDOf(&s.Value.Identifier[j]); ok && own == id {
				return true
			}
		}
	}
	return false
}

// toldOf returns the practice's appointments as the packet that was handed over last told of them, by their keys.
func (f *facts) toldOf() map[fhir.Key]*session {
	var last *fhir.HandedOver
	for i := range f.chart.HandedOver {
		if h := &f.chart.HandedOver[i]; h.Prescriber == f.policy.Prescriber.Name && (last == nil || !h.At.Before(last.At)) {
			last = h
		}
	}
	if last == nil {
		return nil
	}
	out := map[fhir.Key]*session{}
	for i := range f.chart.Appointments {
		a := &f.chart.Appointments[i]
		if a.Value == nil || !slices.Contains(last.Rests, a.Basis()) || f.look != nil && !f.look.sees(a.Version) {
			continue
		}
		if from, _, ok := f.when(a.Value.Start); ok {
			out[a.Key] = &session{record: record[fhir.Appointment]{Version: a.Version, Value: a.Value}, status: a.Value.Status.Code(), start: from}
		}
	}
	return out
}

// R43 discharge-open: the sessions have stopped, and medicine is left. Whether the treatment is over, the hub does not
// know: it asks for the follow-up in which it is settled.
//
//	the last dose          a session to come   seen by the prescriber since, or a follow-up booked   in hand           finding
//	none, or 30 days ago   –                   –                                                     –                 none
//	  or fewer
//	longer ago             booked              –                                                     –                 none
//	longer ago             none                yes                                                   –                 none
//	longer ago             none                no                                                    nothing           none
//	longer ago             none                no                                                    some, or not      S3
//	                                                                                                 to be counted
func dischargeOpen(f *facts) []Finding {
	if f.next != nil || len(f.taken) == 0 || !f.stock.any || f.stock.known && f.stock.left <= 0 {
		return nil
	}
	last := f.taken[len(f.taken)-1]
	if !f.clock.passed(last.at.Add(f.policy.Rules.DischargeWait)) || f.seenSince(last.at) {
		return nil
	}
	left := "medicine may be left"
	if f.stock.known {
		left = several(int(f.stock.left), "session's worth") + " of medicine is left"
		if f.stock.left > 1 {
			left = count(f.stock.left) + " sessions' worth of medicine are left"
		}
	}
	return []Finding{found(S3, "discharge", "The last dose was taken on "+f.on(last.at)+", no session is booked, and "+left,
		"have the client book a last follow-up with "+f.prescriber()+", or book the next session", append([]*fhir.Version{last.of}, f.stock.rests...)...)}
}

// seenSince reports whether the prescriber decided on the client or saw them after t, or will.
func (f *facts) seenSince(t time.Time) bool {
	return slices.ContainsFunc(f.followUps, func(s session) bool { return s.start.After(t) && (s.standing() || s.done()) }) ||
		slices.ContainsFunc(f.decisions, func(d decision) bool { return d.live() && d.who == yes && d.issued.After(t) })
}
