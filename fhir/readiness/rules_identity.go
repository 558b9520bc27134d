package readiness

import (
	"slices"

	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// identityRules are part A: identity, consent, referral (rules.md).
var identityRules = []Rule{
	{
		Code: "R01", Name: "identity-mismatch", Severity: "S1 if a prescription or a decision would attach; else S2", Owner: Admin, Gate: GateIdentity,
		Asks:   "Two linked records differ in birth date or family name, or a record somewhere may be this client's and nobody has said.",
		Source: "practice's choice; the chosen name is no mismatch",
		judge:  identityMismatch,
	},
	{
		Code: "R02", Name: "duplicate-referral", Severity: "S3; S2 when both are accepted", Owner: Admin, Gate: GateReferral,
		Asks:   "More than one referral to the same prescriber is open.",
		Source: "practice's choice",
		judge:  duplicateReferral,
	},
	{
		Code: "R03", Name: "referral-unacknowledged", Severity: "S3; S2 after 5 business days", Owner: Admin, Gate: GateReferral,
		Asks:   "The prescriber has not answered the referral.",
		Source: "the prescriber's published reply time; practice's choice",
		judge:  referralUnacknowledged,
	},
	{
		Code: "R04", Name: "referral-stalled", Severity: "S3", Owner: Admin, Gate: GateReferral,
		Asks:   "The referral was taken up, and no evaluation is booked.",
		Source: "practice's choice",
		judge:  referralStalled,
	},
	{
		Code: "R05", Name: "referral-closed-but-booked", Severity: "S1", Owner: Therapist, Gate: GateReferral,
		Asks:   "The referral was refused or closed, and a dosing session is still booked.",
		Source: "practice's choice",
		judge:  referralClosedButBooked,
	},
	{
		Code: "R06", Name: "release-missing", Severity: "S1; S3 when it will end soon", Owner: Admin, Gate: GateRelease,
		Asks:   "No release lets the hub tell the prescriber anything, or it ends soon.",
		Source: "45 CFR 164.508; 42 CFR 2.31 for a Part 2 programme",
		judge:  releaseMissing,
	},
	{
		Code: "R07", Name: "consent-withdrawn", Severity: "S1", Owner: Therapist, Gate: GateConsents, Holds: true,
		Asks:   "The client withdrew a release or a treatment consent.",
		Source: "45 CFR 164.508(b)(5)",
		judge:  consentWithdrawn,
	},
}

// R01 identity-mismatch
//
//	linked records            a decision or prescription is on file   finding
//	birth dates differ        yes                                     S1
//	birth dates differ        no                                      S2
//	family names differ       yes                                     S1
//	family names differ       no                                      S2
//	family names nearly alike –                                       S4, a notice
//	preferred names differ    –                                       none
//	one side not complete     –                                       none: the gate is unknown
//	linked by an identifier   yes, or no                              S1, or S2: a person confirms the link,
//	  that they share no more                                           or undoes it
//	a record there may be     yes, or no                              S1, or S2
//	  theirs: not decided
//	a second record there     –                                       S3
//	  only resembles them
//	a record at another       –                                       S3: this engagement is UNKNOWN
//	  prescriber may be                                                 until it is decided
//	  theirs
func identityMismatch(f *facts) (out []Finding) {
	attached := S2
	if len(f.decisions) > 0 || len(f.prescriptions) > 0 {
		attached = S1
	}
	for _, l := range f.chart.Links {
		if l.How != fhir.Candidate {
			continue
		}
		severity := S3
		if f.undecided(l) && (f.policy.Prescriber.Tells(l.Source) || f.policy.Practice.Tells(l.Source)) {
			severity = attached
		}
		out = append(out, found(severity, l.Source+"/"+l.Patient, "A record at "+f.place(l.Source)+" may be this client's"+likeness(l.Evidence), decide, f.ground()...))
	}
	for _, v := range f.shareNoMore() {
		out = append(out, found(attached, "number "+v.String(), "The record at "+f.title(v)+" was linked by an identifier that it shares with the client's no more",
			"ask which number is right; "+string(OpenLinks)+", then keep the link or undo it", v))
	}
	for _, m := range f.mismatches() {
		switch {
		case m.close:
			out = append(out, found(S4, m.b.String(), m.words, "compare the spelling with the client's papers", m.a, m.b))
		case m.is == no:
			what := "family name"
			if m.birth {
				what = "birth date"
			}
			out = append(out, found(attached, m.b.String(), m.words, "compare the two records with the client's papers; unlink them if they are two people", m.a, m.b).
				values(m.a.Party, what+" as in "+m.a.Ref().String(), m.b.Party, what+" as in "+m.b.Ref().String()))
		}
	}
	return out
}

// decide is what a person does about a record that may be the client's.
const decide = string(OpenLinks) + ", then confirm or refuse it"

// likeness says in words how a record compares with the client's: ": birth date and phone agree; given name differs".
func likeness(evidence []fhir.Evidence) string {
	said := map[string][]string{}
	for _, e := range evidence {
		said[e.Says] = append(said[e.Says], e.Kind)
	}
	var parts []string
	for _, w := range []struct{ says, one, many string }{
		{fhir.Agrees, " agrees", " agree"}, {fhir.Alike, " sounds alike", " sound alike"}, {fhir.Differs, " differs", " differ"},
	} {
		switch kinds := said[w.says]; len(kinds) {
		case 0:
		case 1:
			parts = append(parts, kinds[0]+w.one)
		default:
			parts = append(parts, strings.Join(kinds[:len(kinds)-1], ", ")+" and "+kinds[len(kinds)-1]+w.many)
		}
	}
	if parts == nil {
		return ""
	}
	return ": " + strings.Join(parts, "; ")
}

// R03 referral-unacknowledged
//
//	coordination Task at the prescriber                  waiting               finding
//	requested, no number of theirs, nothing since        < 2 business days     none
//	requested, no number of theirs, nothing since        2 and more            S3
//	requested, no number of theirs, nothing since        5 and more            S2
//	has their number, moved on, or a decision followed   –                     none
//	none, but a packet was handed over                   as above, since then  S3, S2
func referralUnacknowledged(f *facts) []Finding {
	task, order := f.task(), f.order()
	if f.laterDecision(task, order) != nil {
		return nil
	}
	var since time.Time
	var of *fhir.Version
	switch {
	case task != nil && task.live():
		if task.Value.Status.Code() != "requested" || filled(task.Value) {
			return nil
		}
		since, of = f.waiting(task), task.Version
	case order != nil && order.Value.Status.Code() == "active" && f.policy.Prescriber.Packet:
		since, of = f.handedOver(order), order.Version
	}
	r := &f.policy.Rules
	if since.IsZero() || !f.clock.passed(f.later(since, r.ReferralWarn)) {
		return nil
	}
	severity := f.rising(S3, once(f.later(since, r.ReferralEscalate), S2))
	return []Finding{found(severity, of.String(), "Waiting on "+f.prescriber()+" to take the referral since "+f.on(since), "nudge "+f.prescriber()+f.phones(), of)}
}

// filled reports whether t carries the prescriber's own number.
func filled(t *fhir.Task) bool {
	for i := range t.Identifier {
		if holds(t.Identifier[i].Type, fhir.Code{System: fhir.SystemIdentifierType, Code: "FILL"}) {
			return true
		}
	}
	return false
}

// R05 referral-closed-but-booked
//
//	newest coordination Task        a decision made since   dosing session to come   finding
//	rejected, cancelled, failed     no                      yes                      S1
//	rejected, cancelled, failed     no                      no                       none
//	rejected, cancelled, failed     yes                     –                        none: they took it up again
func referralClosedButBooked(f *facts) []Finding {
	task := f.task()
	if task == nil || f.next == nil {
		return nil
	}
	status := task.Value.Status.Code()
	if status != "rejected" && status != "cancelled" && status != "failed" || f.laterDecision(task, f.order()) != nil {
		return nil
	}
	on := f.on(f.instant(task.Recorded(), task.Value.LastModified))
	return []Finding{found(S1, task.String(), f.prescriber()+" recorded the referral as "+status+" on "+on+", and a dosing session is booked for "+f.on(f.next.start),
		"speak with the client and "+f.prescriber()+" before the session", task.Version, f.next.Version).
		values(f.policy.Prescriber.Name, "referral "+status+" on "+on, fhir.Practice, "session "+f.next.status+" for "+f.on(f.next.start))}
}

// R06 release-missing
//
//	release for this prescriber     ends within 30 days   finding
//	none, ended, denied             –                     S1: sending stops
//	withdrawn                       –                     none: R07 says it
//	not to be applied               –                     S1
//	in force                        no                    none
//	in force                        yes                   S3
func releaseMissing(f *facts) []Finding {
	r := f.released()
	about := "release"
	switch {
	case r.now != nil && r.denied == nil:
		if r.now.to.IsZero() || !f.clock.passed(r.now.to.Add(-f.policy.Rules.ReleaseWarn)) {
			return nil
		}
		return []Finding{found(S3, about, "The release ends on "+lastDay(r.now.to, f.zone), "have the client sign a new one", r.now.Version)}
	case r.denied != nil:
		return []Finding{found(S1, about, "The practice recorded a denial to tell "+f.prescriber()+": nothing is sent", "ask the client whom they allow to be told", r.denied.Version).by(Client)}
	case r.withdrawn != nil:
		return nil
	case r.over != nil:
		return []Finding{found(S1, about, "The release ended on "+lastDay(r.over.to, f.zone)+": nothing is sent", "have the client sign a new one", r.over.Version)}
	case r.doubtful != nil:
		return []Finding{found(S1, about, "The release cannot be applied: "+r.doubtful.doubt+": nothing is sent", "have the release written anew", r.doubtful.Version)}
	case r.early != nil:
		return []Finding{found(S1, about, "The release begins on "+f.on(later(r.early.from, r.early.given))+": nothing is sent before", "wait, or have the client sign one from today", r.early.Version)}
	}
	return []Finding{found(S1, about, "No release naming "+f.prescriber()+" is on file: nothing is sent", "have the client sign a release")}
}

// R07 consent-withdrawn
//
//	withdrawn                              given again since   finding
//	the release to this prescriber         no                  S1: sending stops; no hold
//	a treatment consent                    no                  S1, and the gate holds
//	either                                 yes                 none
func consentWithdrawn(f *facts) (out []Finding) {
	if r := f.released(); r.withdrawn != nil {
		out = append(out, found(S1, "release", "The client withdrew the release to "+f.prescriber()+" on "+f.on(r.withdrawn.Recorded())+": nothing more is sent",
			f.afterWithdrawal(), r.withdrawn))
	}
	for _, kind := range f.kinds() {
		if c, v := f.signed(kind); v != nil {
			out = append(out, found(S1, "treatment "+kind.Code, "The client withdrew the consent to treatment on "+f.on(v.Recorded()),
				"hold; speak with the client and "+f.prescriber(), v, c.Gone))
		}
	}
	return out
}

// afterWithdrawal is what to do once the release was withdrawn: nothing more is sent, not even a cancellation, so that
// somebody who still works for the client is called.
func (f *facts) afterWithdrawal() string {
	if task := f.task(); task != nil && task.live() && !slices.Contains(closed, task.Value.Status.Code()) {
		return "call " + f.prescriber() + f.phones() + ": the release was withdrawn; ask the client whether the sessions go on"
	}
	return "tell nothing more; ask the client whether the sessions go on"
}
