package report

import (
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// writtenOf is what was written of the stop that v tells of first, as it is quoted in its gate; "" where nothing was.
func writtenOf(v readiness.Verdict) string {
	for _, g := range v.Gates {
		if g.State == readiness.Blocked {
			if from, to := strings.Index(g.Words, "“"), strings.LastIndex(g.Words, "”"); from >= 0 && to > from {
				return g.Words[from : to+len("”")]
			}
			return ""
		}
	}
	return ""
}

// stopOf is what was recorded of the stop that v tells of first; "" where v's own words say it, as of a decision on clearance.
func stopOf(v readiness.Verdict) string {
	for _, g := range v.Gates {
		if g.State == readiness.Blocked {
			if g.Name == readiness.GateClearance || strings.Contains(v.Words, g.Words) {
				return ""
			}
			return g.Words
		}
	}
	return ""
}

// alsoOpen is what of a client who is not ready is open beside what its words tell of: gates, and how many findings that no
// such gate tells of.
func alsoOpen(v readiness.Verdict, asOf time.Time) (also []readiness.GateName, more int) {
	open := map[readiness.GateName]bool{}
	for _, g := range v.Gates {
		if g.State != readiness.Open || arrival(g.Name) && g.Due.After(asOf) {
			continue
		}
		open[g.Name] = true
		if !strings.Contains(v.Words, g.Words) {
			also = append(also, g.Name)
		}
	}
	for _, f := range v.Findings {
		urgent := f.State != readiness.Resolved && f.Under == "" && (f.Severity == readiness.S1 || f.Severity == readiness.S2)
		if gate := gateOf[f.Code]; urgent && (gate == "" || !open[gate]) && !strings.Contains(v.Words, f.Words) {
			more++
		}
	}
	return also, more
}

// DoneAt is when the last of the arrival checks and the go-ahead that v rests on was recorded; zero where none is.
func DoneAt(v readiness.Verdict) (last time.Time) {
	for _, g := range v.Gates {
		if arrival(g.Name) && g.State == readiness.Met && g.Since.After(last) {
			last = g.Since
		}
	}
	return last
}

func arrival(name readiness.GateName) bool {
	return slices.Contains(readiness.ArrivalGates(), name)
}
