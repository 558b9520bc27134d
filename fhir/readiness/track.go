package readiness

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

const (
	// newFor is how long a finding that came, or came back, is called so: long enough for people to see it.
	newFor = 24 * time.Hour
	// remembered is how long a resolved finding is remembered: what returns meanwhile is reopened, and not new.
	remembered = 30 * 24 * time.Hour
)

// Track tells the life of findings across runs: it returns current with state, Since, Opened and Reopened set from
// previous, and of previous what is resolved. current comes from Assess, previous from the last verdict.
//
//	previous                       current   then
//	–                              there     new, since now
//	new or reopened, under a day   there     as it was
//	open, for a day and more       there     persisting, since it was first seen
//	open                           –         resolved now
//	resolved, up to 30 days ago    there     reopened: since it was first seen, once more
//	resolved, up to 30 days ago    –         as it was
//	resolved, longer ago           there     new, since now
//	resolved, longer ago           –         forgotten
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
		f.follow(was[f.ID], now)
		out = append(out, f)
	}
	for _, p := range previous {
		f, again := kept[p.ID]
		switch {
		case there[p.ID]:
		case again:
			out = append(out, f)
		case p.State == Resolved:
			if p.recalled(now) {
				out = append(out, p)
			}
		default:
			out = append(out, p.resolve(now))
		}
	}
	return slices.Clip(out)
}

// follow makes f the successor of p, which is nil when there was none.
func (f *Finding) follow(p *Finding, now time.Time) {
	f.Resolved, f.By, f.Ended = time.Time{}, "", nil
	switch {
	case p == nil, p.State == Resolved && !p.recalled(now):
		f.State = New
		if f.Since.IsZero() {
			f.Since = now
		}
		return
	case p.State == Resolved:
		if f.State != Reopened { // not tracked before
			f.Opened = now
		}
		f.State, f.Since, f.Reopened = Reopened, p.Since, p.Reopened+1
		return
	}
	f.State, f.Since, f.Opened, f.Reopened = p.State, p.Since, p.Opened, p.Reopened
	if !now.Before(f.opened().Add(newFor)) {
		f.State = Persisting
	}
}

// recalled reports whether f, resolved, is still remembered.
func (f *Finding) recalled(now time.Time) bool { return now.Before(f.Resolved.Add(remembered)) }

// resolve returns f as it is remembered: what it said, and no longer what to do.
func (f Finding) resolve(now time.Time) Finding {
	f.State, f.Resolved, f.By = Resolved, now, nothingSaysSo
	f.Due, f.Next, f.Values, f.Because = time.Time{}, "", nil, []fhir.Basis{}
	return f
}

// Gate returns the gate called name.
func (v Verdict) Gate(name GateName) (Gate, bool) {
	i := slices.IndexFunc(v.Gates, func(g Gate) bool { return g.Name == name })
	if i < 0 {
		return Gate{}, false
	}
	return v.Gates[i], true
}
