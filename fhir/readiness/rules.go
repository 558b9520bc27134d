package readiness

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Rule is one row of the catalogue (rules.md): what it is called and how it judges.
type Rule struct {
	Code     string   // "R10"
	Name     string   // "clearance-expires-before-session"
	Severity string   // as in the catalogue: "S2; S1 within 48 h"
	Owner    Owner    // who acts unless a finding says otherwise
	Gate     GateName // the gate it speaks of, "" when of none
	Holds    bool     // what it finds may be a recorded stop
	Under    []string // parents: while one is open, its findings are folded under it
	judge    func(*facts) []Finding
}

// Catalogue returns the rules that are judged, in the order of rules.md.
func Catalogue() []Rule { return slices.Clone(catalogue) }

var catalogue = []Rule{
	{"R01", "identity-mismatch", "S1 if a prescription or a decision would attach; else S2", Admin, GateIdentity, false, nil, identityMismatch},
	{"R02", "duplicate-referral", "S3; S2 when both are accepted", Admin, GateReferral, false, nil, duplicateReferral},
	{"R03", "referral-unacknowledged", "S3; S2 after 5 business days", Admin, GateReferral, false, nil, referralUnacknowledged},
	{"R04", "referral-stalled", "S3", Admin, GateReferral, false, nil, referralStalled},
	{"R05", "referral-closed-but-booked", "S1", Therapist, GateReferral, false, nil, referralClosedButBooked},
	{"R06", "release-missing", "S1; S3 when it will end soon", Admin, GateRelease, false, nil, releaseMissing},
	{"R07", "consent-withdrawn", "S1", Therapist, GateConsents, true, nil, consentWithdrawn},
	{"R08", "evaluation-missed", "S2; S1 if a dose is booked", Prescriber, GateEvaluation, false, nil, evaluationMissed},
	{"R09", "booked-without-clearance", "S2; S1 within 72 h", Therapist, GateClearance, false, nil, bookedWithoutClearance},
	{"R10", "clearance-expires-before-session", "S2; S1 within 48 h", Prescriber, GateClearance, false, nil, clearanceExpires},
	{"R12", "clearance-withdrawn", "S1", Therapist, GateClearance, true, nil, clearanceWithdrawn},
	{"R15", "prescriber-hold", "S1", Therapist, GateHold, true, nil, prescriberHold},
	{"R17", "cleared-without-prescription", "S3; S2 after 3 business days", Prescriber, GatePrescription, false, noClearance, clearedWithoutPrescription},
	{"R21", "prescription-stale", "S1", Prescriber, GatePrescription, false, noClearance, prescriptionStale},
	{"R22", "doses-short", "S2; S3 when few are spare", Prescriber, GateMedicine, false, noClearance, dosesShort},
	{"R24", "dose-change-unacknowledged", "S1", Therapist, GateInstructions, false, nil, doseChangeUnacknowledged},
	{"R29", "follow-up-overdue", "S2; S1 if a dose is booked after it was due", Prescriber, GateFollowUp, false, nil, followUpOverdue},
	{"R30", "adverse-event-open", "S1 serious; S2 ask the prescriber", Therapist, GateHold, true, nil, adverseEventOpen},
	{"R44", "source-stale", "S2", Operator, "", false, nil, sourceStale},
	{"R45", "page-incomplete", "S2", Operator, "", false, nil, pageIncomplete},
	{"R46", "delivery-failed", "S2; S4 once the referral was taken up without it", Operator, "", false, nil, deliveryFailed},
	{"R47", "clock-anomaly", "S3", Operator, "", false, nil, clockAnomaly},
	{"R48", "record-disappeared", "S1 for a clearance or a hold; else S2", Operator, "", true, nil, recordDisappeared},
	{"R49", "out-of-scope-content", "S1", Privacy, "", false, nil, outOfScopeContent},
	{"R51", "calendar-event-unmatched", "S2", Admin, "", false, nil, calendarEventUnmatched},
	{"R52", "go-ahead-void", "S2", Therapist, GateGoAhead, false, nil, goAheadVoid},
	{"R54", "task-anomalous", "S2", Admin, GateReferral, false, nil, taskAnomalous},
	{"R55", "information-asked", "S3", Admin, GateEvaluation, false, nil, informationAsked},
	{"R56", "alternative-proposed", "S3", Therapist, GateReferral, false, nil, alternativeProposed},
}

// noClearance are the parents of what need not be said while nothing is cleared.
var noClearance = []string{"R09", "R12"}

// rule returns the catalogue's row of code.
func rule(code string) *Rule {
	for i := range catalogue {
		if catalogue[i].Code == code {
			return &catalogue[i]
		}
	}
	return nil
}

// judgeRules asks every rule and folds children under their open parent.
func (f *facts) judgeRules() []Finding {
	out := []Finding{}
	for i := range catalogue {
		r := &catalogue[i]
		for _, found := range r.judge(f) {
			found.Code, found.Rule, found.State = r.Code, r.Name, New
			if found.Owner == "" {
				found.Owner = r.Owner
			}
			if found.Because == nil {
				found.Because = []fhir.Basis{}
			}
			found.ID = findingID(f.chart.Client, f.policy.Prescriber.Name, r.Name, found.ID)
			out = append(out, found)
		}
	}
	return fold(out)
}

// fold puts each finding under the first of its parents that is there too.
func fold(found []Finding) []Finding {
	for i := range found {
		for _, parent := range rule(found[i].Code).Under {
			if found[i].Under == "" && slices.ContainsFunc(found, func(f Finding) bool { return f.Code == parent }) {
				found[i].Under = parent
			}
		}
	}
	return found
}

// findingID names a finding: the same for the same client, prescriber, rule and thing it is about.
func findingID(client, prescriber, rule, about string) string {
	h := sha256.New()
	for _, s := range []string{client, prescriber, rule, about} {
		_, _ = h.Write([]byte(s))
		_, _ = h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// found makes a finding about something; the rule's row and the id are filled in by judgeRules.
func found(severity Severity, about, words, next string, rests ...*fhir.Version) Finding {
	return Finding{ID: about, Severity: severity, Words: words, Next: next, Because: because(rests...)}
}

func (f Finding) by(o Owner) Finding {
	f.Owner = o
	return f
}

func (f Finding) values(pairs ...string) Finding {
	f.Values = make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Values[pairs[i]] = pairs[i+1]
	}
	return f
}

// window is the dosing sessions that rules look at: those that may still happen in the next 14 days.
func (f *facts) window() []*session {
	ahead := f.policy.Rules.Window
	if ahead == 0 {
		ahead = DefaultRules().Window
	}
	var out []*session
	for i := range f.dosing {
		s := &f.dosing[i]
		if s.standing() && !f.clock.passed(s.end) && f.clock.passed(s.start.Add(-ahead)) && (s == f.next || f.owns(s) != no) {
			out = append(out, s)
		}
	}
	return out
}

// later is n business days after t by the prescriber's calendar.
func (f *facts) later(t time.Time, n int) time.Time {
	return f.policy.Sheet.Hours.Later(t, n, f.zone)
}
