package readiness

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Current answers whether a verdict still stands: if its Until has passed, a source it depends on has gone stale, the
// chart has moved or the policy has changed since, its state is Unknown with the reason; a Hold stays a Hold.
// Every reader and every send asks (law 8).
//
//	verdict          since then                             it is
//	HOLD             anything                               HOLD: silence lifts nothing
//	any other        the chart moved                        UNKNOWN
//	any other        settings, code maps or rules changed   UNKNOWN
//	any other        a source stale, incomplete, unheard of UNKNOWN
//	any other        its Until has passed                   UNKNOWN
//	any              nothing                                as it was
func Current(v Verdict, moved bool, policy Policy, sources []fhir.SourceState, now time.Time) Verdict {
	if v.State == Hold {
		return v
	}
	var why string
	next, owner := "judge it again: kaphub sync", Operator
	switch {
	case moved:
		why = "the records moved since it was judged"
	case v.Policy != policy.Hash:
		why = "the settings, code maps or rules changed since it was judged"
	default:
		var source string
		if source, why = policy.unread(v, sources, now); policy.isDesk(source) {
			next, owner = policy.readIt(source)
		}
		if why == "" && !now.Before(v.Until) {
			why = "the verdict stood up to " + onDay(v.Until, cmp.Or(policy.Zone, time.UTC)) + " " + atTime(v.Until, cmp.Or(policy.Zone, time.UTC))
		}
	}
	if why == "" {
		return v
	}
	v.State, v.Words, v.Owner, v.Next = Unknown, "Cannot tell: "+why, owner, next
	return v
}

// unread names the first source of v that is not fresh now, and says so in words; "" when all are.
func (p Policy) unread(v Verdict, sources []fhir.SourceState, now time.Time) (source, why string) {
	var session time.Time
	if v.Appointment != nil {
		session = v.Appointment.Start
	}
	for _, name := range v.Sources {
		state := fhir.SourceState{Name: name}
		if i := slices.IndexFunc(sources, func(s fhir.SourceState) bool { return s.Name == name }); i >= 0 {
			state = sources[i]
		}
		if is := p.Freshness(state, session, now); is != Fresh {
			return name, p.lastRead(state, is, cmp.Or(p.Zone, time.UTC))
		}
	}
	return "", ""
}
