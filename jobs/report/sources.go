package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// SourceState is how far a source can be trusted now.
type SourceState string

// The states of a source.
const (
	Fresh      SourceState = "fresh"
	Stale      SourceState = "stale"
	Incomplete SourceState = "incomplete"
	Never      SourceState = "never"
)

// Source is one source as the reader of a report needs it.
type Source struct {
	Name         string
	Party        string
	Title        string // of the party
	State        SourceState
	LastComplete time.Time // zero = never
	Why          string    // coded reason when it is not fresh
	Missed       int       // what sweeps found this week that the pulls had missed
	Desk         bool      // what people enter by hand: it is read as far as they said they have read
	Gone         bool      // no policy names it any more: it was taken out of the settings
}

// SourceStates judges the sources that policies name at now: the practice's first, then each prescriber's, in their order.
// A source that no policy names any more follows, judged by the default limit. A desk beside another source, which nobody
// waits for, is left out.
func SourceStates(policies []readiness.Policy, states []fhir.SourceState, now time.Time) []Source {
	var out []Source
	seen := map[string]bool{}
	add := func(party readiness.Party, hours readiness.Hours, zone *time.Location) {
		for _, name := range party.Awaited() {
			if !seen[name] {
				seen[name] = true
				out = append(out, judge(name, party, stateOf(states, name), hours, zone, now))
			}
		}
	}
	zone := time.UTC
	for _, p := range policies {
		zone = cmp.Or(p.Zone, time.UTC)
		add(p.Practice, readiness.Hours{}, zone)
	}
	for _, p := range policies {
		add(p.Prescriber, p.Sheet.Hours, cmp.Or(p.Zone, time.UTC))
	}
	for _, s := range states {
		if !seen[s.Name] && !beside(policies, s.Name) {
			seen[s.Name] = true
			gone := judge(s.Name, readiness.Party{Name: s.Party}, s, readiness.Hours{}, zone, now)
			gone.Gone = true
			out = append(out, gone)
		}
	}
	return out
}

// beside reports whether a source is a desk that no verdict waits for.
func beside(policies []readiness.Policy, source string) bool {
	return slices.ContainsFunc(policies, func(p readiness.Policy) bool {
		return source == p.Practice.Desk || source == p.Practice.Imported || source == p.Prescriber.Desk
	})
}

func stateOf(states []fhir.SourceState, name string) fhir.SourceState {
	i := slices.IndexFunc(states, func(s fhir.SourceState) bool { return s.Name == name })
	if i < 0 {
		return fhir.SourceState{Name: name}
	}
	return states[i]
}

// judge says how far s can be trusted. A read that did not reach the end is incomplete however young the one before is.
func judge(name string, party readiness.Party, s fhir.SourceState, hours readiness.Hours, zone *time.Location, now time.Time) Source {
	out := Source{Desk: name == party.Desk, Name: name, Party: party.Name, Title: cmp.Or(party.Title, party.Name), LastComplete: s.LastComplete, Why: s.Why, Missed: s.Missed}
	limit := s.LastComplete.Add(party.Limit)
	if party.Limit == 0 {
		limit = hours.Later(s.LastComplete, 1, zone)
	}
	switch {
	case s.LastComplete.IsZero():
		out.State = Never
	case !s.Complete:
		out.State = Incomplete
	case now.After(limit):
		out.State = Stale
	default:
		out.State = Fresh
	}
	return out
}
