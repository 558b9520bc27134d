package console

import (
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// turned is a client who would stand otherwise, as somebody may see it.
type turned struct {
	Key, Name string
	Session   time.Time // zero = none
	From, To  readiness.State
	Words     string
	Why       []Why
}

// Why is a gate or finding that would be another.
type Why struct {
	Rule  string // its code; "" = it is a gate
	Name  string
	Words string
	Gone  bool // it would be there no more
}

// turned are clients who would stand otherwise, as this visitor may see them.
func (v *visit) turned(turns []Turn) []turned {
	var all []turned
	for _, t := range turns {
		before := seen(report.Input{Clients: []readiness.Verdict{t.Before}}, v.who, "").Clients
		after := seen(report.Input{Clients: []readiness.Verdict{t.After}}, v.who, "").Clients
		if len(before) == 0 || len(after) == 0 {
			continue
		}
		one := turned{Key: t.After.Client, Name: t.After.Chosen, From: before[0].State, To: after[0].State, Words: after[0].Words, Why: Whys(before[0], after[0])}
		if a := t.After.Appointment; a != nil {
			one.Session = a.Start
		}
		all = append(all, one)
	}
	return all
}

// Repeats reports whether the words of the verdict say no more than a reason under them.
func (t turned) Repeats() bool {
	return slices.ContainsFunc(t.Why, func(w Why) bool {
		_, words, ok := strings.Cut(w.Words, ": ")
		return ok && !w.Gone && strings.HasSuffix(t.Words, words)
	})
}

// Whys are the gates and findings that differ between two verdicts on the same records. What is for the client's therapist
// alone is not told of.
func Whys(before, after readiness.Verdict) (all []Why) {
	was := map[readiness.GateName]readiness.Gate{}
	for _, g := range before.Gates {
		was[g.Name] = g
	}
	for _, g := range after.Gates {
		if old, ok := was[g.Name]; ok && (old.State != g.State || old.Words != g.Words) {
			all = append(all, Why{Name: string(g.Name), Words: g.Words})
		}
	}
	old, fresh := openFindings(before), openFindings(after)
	for _, f := range after.Findings {
		if now, open := fresh[f.ID]; open {
			if w, ok := old[f.ID]; !ok || w.Severity != now.Severity || w.Words != now.Words {
				all = append(all, Why{Rule: f.Code, Name: f.Rule, Words: string(f.Severity) + ": " + f.Words})
			}
		}
	}
	for _, f := range before.Findings {
		if _, was := old[f.ID]; was {
			if _, still := fresh[f.ID]; !still {
				all = append(all, Why{Rule: f.Code, Name: f.Rule, Words: f.Words, Gone: true})
			}
		}
	}
	return all
}

func openFindings(v readiness.Verdict) map[string]readiness.Finding {
	by := map[string]readiness.Finding{}
	for _, f := range v.Findings {
		if f.State != readiness.Resolved && !readiness.Confided(f.Code) {
			by[f.ID] = f
		}
	}
	return by
}
