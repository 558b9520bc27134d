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
	return NewCheck(policy, sources, now).Current(v, moved)
}

// Check is Current for any number of verdicts at one instant, under one policy.
type Check struct {
	policy  Policy
	sources []fhir.SourceState
	now     time.Time
	known   []*read // a handful
}

// read is how fresh a source is under one policy at one instant: for any session, or by the session's day.
type read struct {
	state fhir.SourceState
	any   bool // fresh, whenever the session is
	on    map[Day]Freshness
}

// NewCheck returns the check of verdicts under policy at now, by how far sources were read. It is not safe for concurrent use.
func NewCheck(policy Policy, sources []fhir.SourceState, now time.Time) *Check {
	return &Check{policy: policy, sources: sources, now: now}
}

// Current is Current of v.
func (c *Check) Current(v Verdict, moved bool) Verdict { return *c.Still(&v, moved) }

// Still is Current of *v: v itself where it stands, else another.
func (c *Check) Still(v *Verdict, moved bool) *Verdict {
	if v.State == Hold {
		return v
	}
	var why string
	next, owner := string(ReadAgain), Operator
	switch {
	case moved:
		why = "the records moved since it was judged"
	case v.Policy != c.policy.Hash:
		why = "the settings, code maps or rules changed since it was judged"
	default:
		var source string
		if source, why = c.unread(v); c.policy.isDesk(source) {
			next, owner = c.policy.readIt(source)
		}
		if why == "" && !c.now.Before(v.Until) {
			why = "the verdict stood up to " + onDay(v.Until, cmp.Or(c.policy.Zone, time.UTC)) + " " + atTime(v.Until, cmp.Or(c.policy.Zone, time.UTC))
		}
	}
	if why == "" {
		return v
	}
	is := *v
	is.State, is.Words, is.Owner, is.Takes, is.Next = Unknown, "Cannot tell: "+why, owner, owner, next
	return &is
}

// unread names the first source of v that is not fresh now, and says so in words; "" when all are.
func (c *Check) unread(v *Verdict) (source, why string) {
	zone := cmp.Or(c.policy.Zone, time.UTC)
	for _, name := range v.Sources {
		i := slices.IndexFunc(c.known, func(r *read) bool { return r.state.Name == name })
		if i < 0 {
			i, c.known = len(c.known), append(c.known, c.read(name, zone))
		}
		r := c.known[i]
		if r.any {
			continue
		}
		var session time.Time
		var day Day
		if v.Appointment != nil {
			session = v.Appointment.Start
			day = DayOf(session, zone)
		}
		is, ok := r.on[day]
		if !ok {
			is = c.policy.Freshness(r.state, session, c.now)
			r.on[day] = is
		}
		if is != Fresh {
			return name, c.policy.lastRead(r.state, is, zone)
		}
	}
	return "", ""
}

// read looks at a source. What was read today and is fresh without a session is fresh for every session: no day has begun since.
func (c *Check) read(source string, zone *time.Location) *read {
	r := &read{state: fhir.SourceState{Name: source}, on: map[Day]Freshness{}}
	if i := slices.IndexFunc(c.sources, func(s fhir.SourceState) bool { return s.Name == source }); i >= 0 {
		r.state = c.sources[i]
	}
	last := r.state.LastComplete
	r.any = !last.After(c.now) && DayOf(last, zone) == DayOf(c.now, zone) && c.policy.Freshness(r.state, time.Time{}, c.now) == Fresh
	return r
}
