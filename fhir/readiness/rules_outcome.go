package readiness

import "github.com/kaphub/kaphub/fhir"

// noMonitor goes along with every word on scores: nobody may take the hub's silence for safety.
const noMonitor = "the hub is no crisis monitor"

// R38 outcome-worsening: what the practice's own questionnaires say, to the therapist only. Its words hold no score, and
// nothing of it leaves (fhir.md section 1: the hub sends no score, of whoever).
//
//	scores on file                                    the therapist's word since   session booked   finding
//	none of a scale                                   –                            –                none: nothing is asked for
//	item 9 above the client's first                   a go-ahead                   –                none
//	item 9 above the client's first                   none                         yes              S2
//	item 9 above the client's first                   none                         no               S3
//	a total 5 or more above the one before it, or     a go-ahead                   –                none
//	  above the client's first
//	  … the same                                      none                         yes              S2
//	  … the same                                      none                         no               S3
//	newest PHQ-9 older than 30 days at the session    –                            yes              S3
//	else                                              –                            –                none
//
// A go-ahead given after the score was recorded is the therapist's answer to it: the practice's other key (law 4).
func outcomeWorsening(f *facts) (out []Finding) {
	severity, next := S3, "look at it with the client; "+noMonitor
	if f.next != nil {
		severity, next = S2, "look at it with the client before the session, and answer with the go-ahead; "+noMonitor
	}
	if list := f.scored(loincItem9); len(list) > 1 {
		if first, last := list[0], list[len(list)-1]; last.value > first.value && !f.answeredByTherapist(last.of) {
			out = append(out, found(severity, loincItem9, "Item 9 of the PHQ-9 of "+f.on(last.at)+" is above the client's first", next, last.of, first.of))
		}
	}
	for _, scale := range []struct{ code, name string }{{loincPHQ9, "PHQ-9"}, {loincGAD7, "GAD-7"}} {
		list := f.scored(scale.code)
		if len(list) < 2 {
			continue
		}
		first, before, last := list[0], list[len(list)-2], list[len(list)-1]
		worse := float64(f.policy.Rules.OutcomeWorse)
		than := "the one before it"
		switch {
		case worse <= 0, f.answeredByTherapist(last.of):
			continue
		case last.value-before.value >= worse:
		case last.value-first.value >= worse:
			before, than = first, "the client's first"
		default:
			continue
		}
		out = append(out, found(severity, scale.code, "The "+scale.name+" of "+f.on(last.at)+" is worse than "+than+" of "+f.on(before.at), next, last.of, before.of))
	}
	return append(out, f.scaleDue()...)
}

// scaleDue asks for a PHQ-9 of a client who answers it, where the newest is old.
func (f *facts) scaleDue() []Finding {
	list, every := f.scored(loincPHQ9), f.policy.Rules.OutcomeEvery
	if len(list) == 0 || every == 0 || f.next == nil || len(f.window()) == 0 {
		return nil
	}
	last := list[len(list)-1]
	if due := last.at.Add(every); due.After(f.next.start) {
		return nil
	}
	return []Finding{found(S3, "due", "The newest PHQ-9 is of "+f.on(last.at), "ask the client for another before the session of "+f.on(f.next.start)+"; "+noMonitor, last.of, f.next.Version)}
}

// answeredByTherapist reports whether a go-ahead was given after v was recorded, for whichever session.
func (f *facts) answeredByTherapist(v *fhir.Version) bool {
	for i := range f.goAheads {
		r := &f.goAheads[i]
		if r.live() && final(r.Value) && is(r.Value.ValueBoolean, true) && f.confirmed(r).After(v.Recorded()) && f.clock.passed(f.confirmed(r).Add(-f.policy.Rules.Skew)) {
			return true
		}
	}
	return false
}
