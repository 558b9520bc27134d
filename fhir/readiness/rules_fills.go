package readiness

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// R26 medicine-out-of-date. The latest last good day of all that the client has in hand, and it counts to its end, in the
// practice's zone. Of one fill that tells two dates the earlier counts.
//
//	last good day                                finding
//	before the next session                      S2, and the gate is open
//	over, and no session is booked               S2, and the gate is open
//	before a later session of the next 14 days   S3, and the next session may be READY
//	within fourteen days                         S3, and the session may be READY
//	later                                        none
//	not on file for a fill, and no newer fill    none: people look at the label
//	  is out of date
//	not on file for a fill, and a newer one is   as that one: an older fill is no fresher
//	  out of date
//	any, and nothing in date is left             none: the gate, or R22, says it
//
// The list of what goes wrong has S2 alone, and a warning: the warning is S3.
func medicineOutOfDate(f *facts) []Finding {
	s := &f.stock
	if !s.any || len(s.fills) == 0 || s.known && s.left < 1 && !s.over {
		return nil
	}
	next := "ask the pharmacy for medicine that is in date"
	if s.over {
		end, of := time.Time{}, s.fills[len(s.fills)-1].of
		for i := range s.fills {
			if x := s.fills[i].of; x.expires.After(end) {
				end, of = x.expires, x
			}
		}
		words, rests := "The medicine of "+f.on(of.when)+" is good up to "+lastDay(end, f.zone), []*fhir.Version{of.Version}
		if f.next != nil {
			words += ", and the session is on " + f.on(f.next.start)
			rests = append(rests, f.next.Version)
		}
		return []Finding{found(S2, "date", words, next, rests...)}
	}
	if s.ends.IsZero() {
		return nil
	}
	after := func(more string, rests ...*fhir.Version) []Finding {
		return []Finding{found(S3, "date", "No medicine in hand is good beyond "+lastDay(s.ends, f.zone)+more, next, rests...)}
	}
	for _, x := range f.window() {
		if !s.ends.After(x.start) {
			return after("; a session is on "+f.on(x.start), append(slices.Clone(s.rests), x.Version)...)
		}
	}
	if f.clock.passed(f.midnight(shiftBack(s.ends.Add(-time.Nanosecond), f.policy.Rules.DiscardWarn, f.zone))) {
		return after("", s.rests...)
	}
	return nil
}

// R27 dispensed-against-hold
//
//	filled or handed over                        finding
//	after a stop or a serious event that still   S1
//	  stands
//	after a decision that stops, none since      S1
//	after its own prescription was stopped, and  S1
//	  no decision or prescription since
//	after the follow-up was due, none done since S1; none where visits are not told of
//	before it, or on its day without an hour     none
//	cancelled, declined, entered in error        none
//
// Of a label check the day on the label counts, not that on which somebody looked at it.
func dispensedAgainstHold(f *facts) (out []Finding) {
	for i := range f.dispenses {
		d := &f.dispenses[i]
		switch d.status {
		case "completed", "in-progress", "preparation":
		default:
			continue
		}
		at := d.when
		if practices(d.Version) {
			at = d.filled
		}
		if !d.live() || !f.clock.passed(at) {
			continue
		}
		if what, says := f.against(d, at); what != "" {
			out = append(out, found(S1, d.String(), "Medicine was dispensed on "+f.on(at)+", after "+what, "ask "+f.prescriber()+f.phones()+" and the pharmacy", append([]*fhir.Version{d.Version}, says...)...).
				values(d.Party, "dispensed on "+f.on(at)))
		}
	}
	return out
}

// against says what stood against dispensing d at that time and still does, "" when nothing.
func (f *facts) against(d *dispense, at time.Time) (what string, says []*fhir.Version) {
	for i := range f.stops {
		if s := &f.stops[i]; at.After(s.since) {
			return s.title + " recorded " + s.what + " on " + f.on(s.since), []*fhir.Version{s.says, s.gone}
		}
	}
	for i := range f.events {
		if e := &f.events[i]; e.grade == fhir.CodeSerious && at.After(e.since) {
			return e.title + " recorded a serious adverse event on " + f.on(e.since), []*fhir.Version{e.says, e.gone}
		}
	}
	if s := f.stopped(); s != nil && at.After(s.weighs) {
		return f.prescriber() + " recorded " + s.says + " on " + f.on(s.issued), []*fhir.Version{s.last(), s.Version}
	}
	for i := range f.prescriptions {
		p := &f.prescriptions[i]
		if p.status != "stopped" && p.status != "cancelled" || !f.fills(d, p) {
			continue
		}
		since := p.since(func(m *fhir.MedicationRequest) bool { return m.Status == p.status })
		if at.After(since) && !f.represcribed(at) {
			return "its prescription was " + p.status + " on " + f.on(since), []*fhir.Version{p.Version}
		}
	}
	if u := f.followUp(); !u.due.IsZero() && !at.Before(u.due) && !f.policy.Prescriber.Lacks("Appointment") {
		return "the follow-up due by " + lastDay(u.due, f.zone) + " was not held", u.rests
	}
	return "", nil
}

// R28 duplicate-prescription
//
//	this prescriber's order   another prescriber's active order of ketamine   finding
//	active, may be filled     may still be filled                             S1
//	active, may be filled     too old to be filled, ended, replaced, gone     none
//	none, or no longer        –                                               none
//	two of this prescriber, one after the other                               none: a successor
func duplicatePrescription(f *facts) []Finding {
	rx := f.prescribed()
	if rx == nil || rx.status != "active" || f.clock.passed(f.fillable(rx)) {
		return nil
	}
	for i := range f.strange {
		p := &f.strange[i]
		if !f.clock.passed(p.authored) || f.clock.passed(f.fillable(p)) {
			continue
		}
		return []Finding{found(S1, "prescription", "Another prescriber has a prescription of ketamine for the client that may be filled, beside that of "+f.prescriber()+" of "+f.on(rx.authored),
			"ask "+f.prescriber()+f.phones()+" which one holds", rx.Version, p.Version)}
	}
	return nil
}
