package readiness

import (
	"slices"

	"github.com/kaphub/kaphub/fhir"
)

// R33 telehealth-authority-ending: prescribing without having seen the client in person is allowed up to a date. It is the
// law of prescribing, not of taking: what was prescribed by then may be taken after it. So nobody is kept from a session by
// the date alone.
//
//	seen in person, on file   prescription in force    session booked after the date   finding
//	yes                       –                        –                               none
//	no                        written after the date   –                               S2
//	no                        written by the date      no                              none
//	no                        written by the date      yes                             S3: the next one needs it
//	no                        none                     yes, and 30 days or more are    S3
//	                                                   left to the date
//	no                        none                     yes, and fewer are left         S2
//	no                        none                     no                              none
func telehealthEnding(f *facts) []Finding {
	last := f.policy.Rules.TelehealthUntil
	if last.IsZero() || f.inPerson() != nil {
		return nil
	}
	over := last.Plus(1).Start(f.zone)
	p := f.prescriber()
	say := func(severity Severity, words string, rests ...*fhir.Version) []Finding {
		next := "ask " + p + ", and " + string(EnterInPerson)
		return []Finding{rolled("R33/"+f.policy.Prescriber.Name, found(severity, "telehealth", words, next, rests...))}
	}
	rx := f.prescribed()
	if rx != nil && !rx.authored.Before(over) {
		return say(S2, "The prescription of "+f.on(rx.authored)+" is later than prescribing by telehealth alone is allowed ("+lastDay(over, f.zone)+"), and nobody recorded that "+p+" saw the client in person", rx.Version)
	}
	i := slices.IndexFunc(f.dosing, func(s session) bool {
		return s.standing() && !s.start.Before(over) && !f.clock.passed(s.end) && f.owns(&s) != no
	})
	if i < 0 {
		return nil
	}
	severity, rests := S3, []*fhir.Version{f.dosing[i].Version}
	words := "A session is booked for " + f.on(f.dosing[i].start) + ", after prescribing by telehealth alone ends (" + lastDay(over, f.zone) + "), and nobody recorded that " + p + " saw the client in person"
	switch {
	case rx != nil:
		rests = append(rests, rx.Version)
		words += ": the prescription of " + f.on(rx.authored) + " stands, a later one needs it"
	case f.clock.passed(over.Add(-f.policy.Rules.TelehealthWarn)):
		severity = S2
	}
	return say(severity, words, rests...)
}

// R34 credential-expired: what the config lists (licence, certificate, insurance, agreements, the contracts with those who
// host, mail and keep the calendar), and what the practice's directory says of the session's therapist. It agrees with the
// credentials gate: it keeps a session from being READY when it is over by then, and never before.
//
//	it ends                                             finding
//	in more than 60 days                                none
//	in 60 days or fewer                                 S4
//	in 30 days or fewer                                 S3
//	in 7 days or fewer                                  S3, said again
//	before the session, or, without one, before today   S2
//
// Of the therapist it ends                                 when
//
//	the role in which they come, or every role they have    its period is over, or it is said to be active no more
//	a licence                                               its period is over, and the same one is not told with a
//	                                                          later end, or as begun later and open
//
// Two of one title are the same unless their issuers, or else their numbers, differ.
func credentialExpired(f *facts) (out []Finding) {
	rules := &f.policy.Rules
	for _, c := range f.credentials() {
		severity, soon := S4, ""
		switch {
		case f.over(c.end):
			severity = S2
		case f.clock.passed(c.end.Add(-rules.CredentialLast)):
			severity, soon = S3, ", in a few days"
		case f.clock.passed(c.end.Add(-rules.CredentialAgain)):
			severity = S3
		case !f.clock.passed(c.end.Add(-rules.CredentialFirst)):
			continue
		}
		words := begun(c.name) + f.endsOn(&c) + soon
		out = append(out, rolled("R34/"+c.about, found(severity, c.about, words, "renew it, and note its new end", c.of).due(c.end)))
	}
	return out
}

// R35 consent-document-missing: before the first dose, and where the practice asks for it anew, every consent to treatment
// that is asked for is signed. It agrees with the consents gate, kind by kind.
//
//	the consent gate of a kind           a session booked   finding
//	open: none, ended, too old, begins   yes                S2
//	  later, refused
//	  … the same                         no                 S3
//	blocked                              –                  none: R07 says it
//	unknown                              –                  none: the gate says it
//	met                                  –                  none
func consentDocumentMissing(f *facts) (out []Finding) {
	severity := S3
	if f.next != nil {
		severity = S2
	}
	for _, kind := range f.kinds() {
		g, rests := f.consented(kind)
		if g.State == Open {
			out = append(out, found(severity, kind.System+"|"+kind.Code, g.Words, g.Next, rests...))
		}
	}
	return out
}
