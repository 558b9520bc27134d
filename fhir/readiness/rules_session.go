package readiness

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// sessionRules are part D: sessions, follow-up, safety (rules.md).
var sessionRules = []Rule{
	{
		Code: "R29", Name: "follow-up-overdue", Severity: "S2; S1 if a dose is booked after it was due", Owner: Prescriber, Gate: GateFollowUp,
		Asks:   "A follow-up with the prescriber is overdue.",
		Source: "the prescriber's care plan or sheet", Sheet: []string{"follow_up"},
		judge: followUpOverdue,
	},
	{
		Code: "R30", Name: "adverse-event-open", Severity: "S1 serious; S2 ask the prescriber", Owner: Therapist, Gate: GateHold, Holds: true,
		Asks:   "An adverse event was recorded, and the prescriber has not answered.",
		Source: "practice's choice", Sheet: []string{"hours", "weekend_phone"},
		judge: adverseEventOpen, Answered: true,
	},
	{
		Code: "R31", Name: "sessions-too-close", Severity: "S2 for the next session; S3 for a later session", Owner: Therapist, Gate: GateInterval,
		Asks:   "A dosing session is booked sooner after another, or is one more in a week or other span, than the prescriber recorded or agreed to.",
		Source: "the prescriber's record or sheet; no built-in number", Sheet: []string{"dose_interval", "session_cap"},
		judge: sessionsTooClose,
	},
	{
		Code: "R32", Name: "wrong-setting", Severity: "S1; S3 for a later session", Owner: Therapist, Gate: GateSetting,
		Asks:   "A dosing session is booked elsewhere than the prescriber recorded or agreed, or the client lives in a state that is not served.",
		Source: "the prescriber's record or sheet", Sheet: []string{"office_only", "states_not_served"},
		judge: wrongSetting,
	},
	{
		Code: "R33", Name: "telehealth-authority-ending", Severity: "S3; S2 where a prescription waits for it", Owner: Prescriber,
		Asks:   "Prescribing by telehealth alone ends, and no exam in person is on file.",
		Source: "90 FR 61301; 21 CFR 1307.41",
		judge:  telehealthEnding,
	},
	{
		Code: "R34", Name: "credential-expired", Severity: "S4, S3; S2 when it ends before the session", Owner: Admin, Gate: GateCredentials,
		Asks:   "A licence, certificate, insurance or agreement ends.",
		Source: "45 CFR 164.504(e); practice's choice",
		judge:  credentialExpired,
	},
	{
		Code: "R35", Name: "consent-document-missing", Severity: "S2; S3 with no session booked", Owner: Therapist, Gate: GateConsents,
		Asks:   "A consent to treatment is not on file as signed, or is to be signed anew.",
		Source: "practice's choice",
		judge:  consentDocumentMissing,
	},
	{
		Code: "R36", Name: "day-of-checklist-open", Severity: "S2: at the hour of the session for what is not recorded, at once for an answer that asks for more", Owner: Therapist, Under: beforeTheDay,
		Asks:   "Blood pressure and heart rate, ride home, fasting, location, or whether anything is new since the clearance: not recorded when the session begins, or answered otherwise than the session needs. Before that hour nothing is late: the state says \"arrival checks pending\", and is not READY without them.",
		Source: "practice's choice", Sheet: []string{"systolic_limit", "diastolic_limit", "heart_rate_limit"},
		judge: checklistOpen,
	},
	{
		Code: "R37", Name: "vitals-outside-limits", Severity: "S1", Owner: Therapist, Gate: GateVitals, Holds: true,
		Asks:   "A reading of the session's day is beyond the limit that the prescriber recorded or agreed.",
		Source: "the prescriber's record or sheet; no built-in number", Sheet: []string{"systolic_limit", "diastolic_limit", "heart_rate_limit"},
		judge: vitalsOutsideLimits,
	},
	{
		Code: "R38", Name: "outcome-worsening", Severity: "S2; S3 with no session booked, or a scale due", Owner: Therapist, Confided: true,
		Asks:   "The client's PHQ-9 or GAD-7 got worse, item 9 lies above their first, or a scale is due. To the therapist only; the hub is no crisis monitor.",
		Source: "practice's choice",
		judge:  outcomeWorsening,
	},
	{
		Code: "R39", Name: "session-facts-not-returned", Severity: "S3; S2 near the follow-up", Owner: Therapist,
		Asks:   "The prescriber wants to hear of sessions, and nothing is on file of one that is over.",
		Source: "the prescriber's sheet", Sheet: []string{"session_facts"},
		judge: sessionFactsMissing,
	},
	{
		Code: "R40", Name: "integration-not-booked", Severity: "S3", Owner: Therapist,
		Asks:   "No integration session is booked after a dose.",
		Source: "practice's choice",
		judge:  integrationNotBooked,
	},
	{
		Code: "R41", Name: "appointment-drift", Severity: "S3", Owner: Admin,
		Asks:   "A session stands otherwise on the other side, or is over and was never closed.",
		Source: "practice's choice",
		judge:  appointmentDrift,
	},
	{
		Code: "R42", Name: "weekend-gap", Severity: "S3; it brings deadlines forward, and changes no state", Owner: Admin,
		Asks:   "What the prescriber is to answer before a session is due when they are closed.",
		Source: "the prescriber's sheet", Sheet: []string{"hours", "holidays", "weekend_phone"},
		derived: weekendGap,
	},
	{
		Code: "R43", Name: "discharge-open", Severity: "S3", Owner: Prescriber,
		Asks:   "Sessions have stopped, medicine is left, and no follow-up is booked.",
		Source: "practice's choice",
		judge:  dischargeOpen,
	},
}

// beforeTheDay are the parents of what need not be asked on the day while they are open.
var beforeTheDay = []string{"R09", "R10", "R12", "R15", "R30"}

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
			out = append(out, found(S1, about, e.title+" recorded a serious adverse event on "+f.on(e.since), "call "+f.prescriber()+f.phones(), e.says, e.gone).due(e.since.Add(time.Hour)))
		default:
			words, next := f.open(&e, " within one business day")
			out = append(out, found(S2, about, words, next, e.says, e.gone).due(f.later(e.since, 1)))
		}
	}
	return out
}
