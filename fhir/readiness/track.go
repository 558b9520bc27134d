package readiness

import (
	"slices"
	"time"
)

// Track tells the life of findings across runs: it returns current with State and Since set from previous, and the
// findings of previous that are gone as resolved (once). current comes from Assess, previous from the last verdict.
//
//	previous               current   then
//	–                      there     new, since now
//	open                   there     persisting, since it was first seen
//	resolved               there     reopened, since it was first seen
//	open                   –         resolved now
//	resolved               –         forgotten: it was told once
//
// Tracked twice over the same previous, nothing changes.
func Track(previous, current []Finding, now time.Time) []Finding {
	was := make(map[string]*Finding, len(previous))
	for i := range previous {
		was[previous[i].ID] = &previous[i]
	}
	out := make([]Finding, 0, len(current)+len(previous))
	kept := map[string]Finding{} // already told as resolved
	there := map[string]bool{}
	for _, f := range current {
		if f.State == Resolved {
			kept[f.ID] = f
			continue
		}
		if there[f.ID] {
			continue
		}
		there[f.ID] = true
		p := was[f.ID]
		switch {
		case p == nil:
			f.State = New
			if f.Since.IsZero() {
				f.Since = now
			}
		case p.State == Resolved:
			f.State, f.Since = Reopened, p.Since
		default:
			f.State, f.Since = Persisting, p.Since
		}
		f.Resolved, f.By = time.Time{}, ""
		out = append(out, f)
	}
	for _, p := range previous {
		if p.State == Resolved || there[p.ID] {
			continue
		}
		if f, again := kept[p.ID]; again {
			out = append(out, f)
			continue
		}
		p.State, p.Resolved, p.By = Resolved, now, "the records no longer say so"
		out = append(out, p)
	}
	return slices.Clip(out)
}

// After returns v as the successor of previous: its findings tracked, and what is resolved told with what resolved it,
// in the words of the gate that the rule speaks of.
func (v Verdict) After(previous Verdict, now time.Time) Verdict {
	v.Findings = Track(previous.Findings, v.Findings, now)
	for i := range v.Findings {
		f := &v.Findings[i]
		r := rule(f.Code)
		if f.State != Resolved || r == nil || !f.Resolved.Equal(now) {
			continue
		}
		if g, ok := v.Gate(r.Gate); ok && g.State == Met {
			f.By = g.Words
		}
	}
	return v
}

// Gate returns the gate called name.
func (v Verdict) Gate(name GateName) (Gate, bool) {
	i := slices.IndexFunc(v.Gates, func(g Gate) bool { return g.Name == name })
	if i < 0 {
		return Gate{}, false
	}
	return v.Gates[i], true
}
