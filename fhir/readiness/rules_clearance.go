package readiness

import (
	"cmp"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// clearanceRules are part B: evaluation and clearance (rules.md).
var clearanceRules = []Rule{
	{
		Code: "R08", Name: "evaluation-missed", Severity: "S2; S1 if a dose is booked", Owner: Prescriber, Gate: GateEvaluation,
		Asks:   "An evaluation was missed or cancelled, and none is booked again.",
		Source: "practice's choice", Sheet: []string{"hours"},
		judge: evaluationMissed,
	},
	{
		Code: "R09", Name: "booked-without-clearance", Severity: "S2; S1 within 72 h", Owner: Therapist, Gate: GateClearance,
		Asks:   "A dosing session is booked, and no decision clears it.",
		Source: "rules.md; practice's choice", Answered: true,
		judge: bookedWithoutClearance,
	},
	{
		Code: "R10", Name: "clearance-expires-before-session", Severity: "S2; S1 within 48 h of the session; S3 for a later session", Owner: Prescriber, Gate: GateClearance,
		Asks:   "A dosing session is booked for a time at which the clearance will have ended. The last day counts as a whole.",
		Source: "the prescriber's decision or sheet", Sheet: []string{"clearance_validity"},
		judge: clearanceExpires,
	},
	{
		Code: "R11", Name: "clearance-without-expiry", Severity: "S3", Owner: Admin, Gate: GateClearance,
		Asks:   "The clearance gives no end, and the sheet states none.",
		Source: "the prescriber's decision or sheet", Sheet: []string{"clearance_validity"},
		judge: clearanceWithoutExpiry,
	},
	{
		Code: "R12", Name: "clearance-withdrawn", Severity: "S1", Owner: Therapist, Gate: GateClearance, Holds: true,
		Asks:   "The newest decision does not clear, or withdrew the clearance.",
		Source: "the prescriber's decision",
		judge:  clearanceWithdrawn,
	},
	{
		Code: "R13", Name: "clearance-condition-open", Severity: "S3; S2 from 5 days before the session", Owner: Prescriber, Gate: GateClearance, Under: noClearance,
		Asks:   "The clearance depends on a condition, and no record of the prescriber says that it is met.",
		Source: "the prescriber's decision",
		judge:  clearanceConditionOpen,
	},
	{
		Code: "R14", Name: "new-information-since-clearance", Severity: "S1 or S2, as the row of the watch list says; S2 for what was only told after the decision", Owner: Therapist, Gate: GateClearance, Under: noClearance,
		Asks:   "Something on the practice's watch list was recorded, or first told, after the decision that clears.",
		Source: "practice's choice (watch_list); its default: published cautions",
		judge:  newInformation,
	},
	{
		Code: "R15", Name: "prescriber-hold", Severity: "S1", Owner: Therapist, Gate: GateHold, Holds: true,
		Asks:   "A hold of any prescriber stands: a flag, an order on hold, a care plan on hold, or a stop entered by hand.",
		Source: "the prescriber's record",
		judge:  prescriberHold,
	},
	{
		Code: "R16", Name: "clearing-clinician-inactive", Severity: "S2", Owner: Admin, Gate: GateClearance, Under: noClearance,
		Asks:   "Whoever cleared the client left the prescriber, or the prescriber's practice closes before the session.",
		Source: "the prescriber's record; practice's choice",
		judge:  clearingClinicianInactive,
	},
}

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
	severity, rests := f.rising(S2, near(s, f.policy.Rules.BookedUrgent, S1)), []*fhir.Version{s.Version}
	words := "A dosing session is booked for " + f.on(s.start) + ", and no decision of " + f.prescriber() + " clears it"
	if d != nil {
		rests = append(rests, d.last())
	}
	return []Finding{found(severity, "clearance", words, "ask "+f.prescriber()+" for the decision before the session", rests...)}
}

// R10 clearance-expires-before-session. The end is the decision's own, else counted by the sheet's validity, else by
// clearance_max_age. A last day counts to its end, where the session is; an end with an hour counts to that hour.
//
//	the clearance                              first session from its end on   begins from now    finding
//	covers every session as far ahead as       –                               –                  none
//	  clearance_warn says (14 days)
//	ends, or has ended, before a session       the next session, or a later    within 48 hours    S1
//	ends, or has ended, before a session       the next session                later than that    S2
//	ends, or has ended, before a session       a later one: the next one is    later than that    S3
//	                                             covered, and may be READY
//	gives no end, and none can be counted      –                               –                  none: R11, or the gate
//	withdrawn, refused, deferred, or none on   –                               –                  none: R12 or R09 says it
//	  file
//
// The list of what goes wrong has S2, and S1 near the session; S3 is ours, as a later session makes the next one no less in order.
func clearanceExpires(f *facts) []Finding {
	d := f.decided()
	if d == nil || f.stopped() != nil || !d.clearing() || d.to.IsZero() {
		return nil
	}
	for _, s := range f.within(cmp.Or(f.policy.Rules.ClearanceWarn, DefaultRules().ClearanceWarn)) {
		if s.start.Before(d.to) {
			continue
		}
		severity := f.rising(f.graveFor(s), near(s, f.policy.Rules.ClearanceUrgent, S1))
		end := lastDay(d.to, f.zone)
		begins := f.on(s.start)
		if end == begins { // the hour tells
			end, begins = end+" "+atTime(d.to, f.zone), f.stamp(s.start)
		}
		return []Finding{found(severity, s.String(), "The clearance ends on "+end+", the session is on "+begins, "ask "+f.prescriber()+" for a new decision", d.Version, s.Version).
			values(f.policy.Prescriber.Name, "valid to "+end, fhir.Practice, "session on "+begins)}
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

// stamp writes a date and a time of day.
func (f *facts) stamp(t time.Time) string { return f.on(t) + " " + atTime(t, f.zone) }
