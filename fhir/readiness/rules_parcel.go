package readiness

import (
	"slices"
	"strconv"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// R18 medicine-without-preparation. A parcel before the preparation is the normal order of things.
//
//	in the client's hands      therapist on file   preparation (its gate)      finding
//	nothing                    –                   –                           none
//	some                       none                –                           S1
//	some, up to seven days     known               neither kept nor booked     none
//	some, for longer           known               neither kept nor booked     S2
//	some                       known               kept, booked, none asked    none
//	                                               for, or not known how many
//	some                       appointments are not told of by the practice    by the preparation alone
func medicineWithoutPreparation(f *facts) []Finding {
	if !f.stock.any {
		return nil
	}
	since, rests := f.on(f.stock.first), f.stock.rests
	if !f.accompanied() && !f.policy.Practice.Lacks("Appointment") {
		return []Finding{found(S1, "therapist", "The medicine is with the client since "+since+", and no therapist of the practice is on file with them",
			"call the client, and tell "+f.prescriber()+f.phones(), rests...)}
	}
	if preparationGate(f).State != Open || !f.clock.passed(shift(f.stock.first, f.policy.Rules.PreparationWait, f.zone)) {
		return nil
	}
	return []Finding{found(S2, "preparation", "The medicine is with the client since "+since+", and no preparation session is kept or booked", "book a preparation session with the client", rests...)}
}

// accompanied reports whether somebody of the practice goes the way with the client, as far as its records can say it: a
// practice that keeps no care team has appointments, a referral or session facts, and they are always somebody's.
//
//	the practice's record                                  it is
//	an appointment of the course that was not called off   yes
//	a referral that names who asks, active or completed    yes
//	a session that took place, directions acknowledged     yes
func (f *facts) accompanied() bool {
	for _, list := range [][]session{f.dosing, f.preparations} {
		if slices.ContainsFunc(list, func(s session) bool { return s.standing() || s.done() }) {
			return true
		}
	}
	if order := f.order(); order != nil && order.Value.Requester != nil && slices.Contains([]string{"active", "completed"}, order.Value.Status.Code()) {
		return true
	}
	return len(f.taken)+len(f.prepared) > 0 || f.acknowledged() != nil
}

// R19 address-call-pending
//
//	where the parcel is        since               enough in hand for the session   finding
//	waits for the call         < 2 business days   –                                S3
//	waits for the call         2 and more          yes                              S3: that one is for later
//	waits for the call         2 and more          no                               S2
//	anywhere else, or arrived  –                   –                                none
func addressCallPending(f *facts) []Finding {
	t := f.under()
	if t == nil || t.status != fhir.FulfilmentAddress {
		return nil
	}
	severity, since := S3, f.sinceSo(t)
	if f.empty() {
		severity = f.rising(S3, once(f.later(since, f.policy.Rules.AddressWait), S2))
	}
	pharmacy, home := f.pharmacy()
	return []Finding{found(severity, t.String(), "Waiting on the client's call to the pharmacy about the address since "+f.on(since), "have the client call "+pharmacy, t.Version, home)}
}

// empty reports whether the client does not surely have what the next session needs.
func (f *facts) empty() bool { return medicineGate(f).State != Met }

// R20 delivery-unconfirmed
//
//	on file                                  since      session, nothing in hand for it   finding
//	shipped, no word that it arrived         ≤ 5 days   more than 3 days off, or none     none
//	shipped, no word that it arrived         > 5 days   more than 3 days off, or none     S3
//	shipped, no word that it arrived         any        within 3 days                     S2
//	shipped, no word that it arrived         any        came and went since               S3
//	dispensed, neither handed over nor on    as above   as above                          as above
//	  its way by any record
//	delivered, or a label check since        –          –                                 none
func deliveryUnconfirmed(f *facts) []Finding {
	var of *fhir.Version
	var since time.Time
	words := "Shipped on "
	if t := f.under(); t != nil {
		if t.status != fhir.FulfilmentShipped {
			return nil
		}
		of, since = t.Version, f.sinceSo(t)
	} else if d := f.unconfirmed(); d != nil {
		of, since, words = d.Version, d.when, "Dispensed on "
	} else {
		return nil
	}
	severity := S3
	if f.empty() {
		severity = f.rising(S3, near(f.next, f.policy.Rules.ParcelUrgent, S2))
	}
	if severity == S3 && !f.clock.passed(shift(since, f.policy.Rules.ParcelWait, f.zone)) && (!f.empty() || !f.wentBy(since)) {
		return nil
	}
	return []Finding{found(severity, of.String(), words+f.on(since)+", and no word that the client has it", "ask the client whether it arrived; look at the label together", of)}
}

// wentBy reports whether a session that was booked has come and gone since: what was asked for it is not answered by that.
func (f *facts) wentBy(since time.Time) bool {
	return slices.ContainsFunc(f.dosing, func(s session) bool {
		return s.standing() && s.end.After(since) && f.owns(&s) != no && f.clock.passed(s.end)
	})
}

// R23 refill-late
//
//	medicine for the sessions booked      next fill         from now to the first     finding
//	  before the next follow-up (R22)                         session without
//	enough, not counted, none in hand     –                 –                         none
//	short                                 on its way        –                         none: R19 and R20 say where
//	short                                 asked nothing of  the lead time or more     none yet
//	short                                 asked nothing of  less                      S2 when it is the next session, else S3
//	short                                 –                 "none set" on the sheet   none
//
// The lead time is the sheet's, in the prescriber's business days; where they were not asked, the practice's setting.
func refillLate(f *facts) []Finding {
	days, per, agreed := f.lead()
	s := f.firstWithout()
	if s == nil || !agreed {
		return nil
	}
	if t := f.under(); t != nil && t.status != fhir.FulfilmentException && t.status != fhir.FulfilmentReturned || f.unconfirmed() != nil {
		return nil
	}
	by := f.askBy(s, days)
	if !f.clock.passed(by) {
		return nil
	}
	words := "The session of " + f.on(s.start) + " is short of medicine; a refill takes " + strconv.Itoa(days) + " business " + plural(days == 1, "day", "days") + " (" + per + "), and was to be asked for by " + f.on(by)
	rests := append(slices.Clone(f.stock.rests), s.Version)
	return []Finding{found(f.graveFor(s), "refill", words, "ask "+f.prescriber()+f.phones()+" for the refill, or move the session", rests...).due(by)}
}

// lead is how many business days a refill takes, and who says so; ok is false where the sheet says that none is set.
func (f *facts) lead() (days int, per string, ok bool) {
	switch line := f.policy.Sheet.LeadDays; line.Answer {
	case Set:
		return line.Value, f.agreed(), true
	case NoneSet:
		return 0, f.agreed(), false
	}
	return f.policy.Rules.RefillLead, "the practice's setting; " + f.prescriber() + " was not asked", true
}

// askBy is when a refill for s must be asked for.
func (f *facts) askBy(s *session, days int) time.Time {
	return f.policy.Sheet.Hours.Earlier(s.start, days, f.zone)
}

// firstWithout returns the first session booked before the next follow-up for which there is no medicine; nil when there is
// enough, or nothing that can be counted.
func (f *facts) firstWithout() *session {
	if !f.stock.any || !f.stock.known {
		return nil
	}
	sessions := f.bookedSessions()
	if n := int(max(f.stock.left, 0)); n < len(sessions) {
		return sessions[n]
	}
	return nil
}
