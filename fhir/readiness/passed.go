package readiness

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// A referral that one prescriber turned down goes to another in one of two ways: it names the other now, or it stays as it
// is and a Task of the practice's passes it on. The first prescriber is told nothing of the second, and the second nothing
// of the first.

// passedOn returns the practice's Tasks that pass a referral on.
func (f *facts) passedOn(g fhir.Recogniser) (tasks []record[fhir.Task]) {
	if !slices.ContainsFunc(f.chart.Tasks, func(t fhir.Seen[fhir.Task]) bool {
		return practices(t.Version) && t.Latest && t.Value != nil && !copied(t.Value.Identifier)
	}) {
		return nil // as nearly always
	}
	for _, r := range records(f.chart.Tasks, f.look) {
		if practices(r.Version) && r.live() && !copied(r.Value.Identifier) && g.PassesOn(*r.Value) {
			tasks = append(tasks, r)
		}
	}
	return tasks
}

// asks reports whether referral r asks party, by itself or by a Task that passes it on.
func (f *facts) asks(r record[fhir.ServiceRequest], party *Party) bool {
	return f.refersTo(r, party) || slices.ContainsFunc(f.passed, func(t record[fhir.Task]) bool {
		return points(t.Value.Focus, t.Source, r.Version, r.Value.Identifier) && f.names(t.Value.Owner, t.Version, party)
	})
}

// Passed returns the practice's referrals that a Task of its own passes on to this prescriber. It is the one judgement by
// which that is shown and planned.
func Passed(chart fhir.Chart, policy Policy, now time.Time) (keys []fhir.Key) {
	f := &facts{chart: &chart, policy: &policy, clock: &clock{now: now}, zone: cmp.Or(policy.Zone, time.UTC)}
	f.papers()
	for _, r := range f.referrals {
		if !f.refersTo(r, &policy.Prescriber) && f.asks(r, &policy.Prescriber) {
			keys = append(keys, r.Key)
		}
	}
	return keys
}

// ofOne reports whether what may be several prescribers' is this one's: where several may own it, of those who have not
// turned the referral down.
func (f *facts) ofOne(may func(*Party) bool) answer {
	we := may(&f.policy.Prescriber)
	others := slices.DeleteFunc(slices.Clone(f.policy.Others), func(p Party) bool { return !may(&p) })
	if we && len(others) > 0 {
		we = !f.turnedDown(&f.policy.Prescriber)
		others = slices.DeleteFunc(others, func(p Party) bool { return f.turnedDown(&p) })
	}
	switch {
	case we && len(others) == 0:
		return yes
	case !we && len(others) > 0:
		return no
	}
	return cannotTell
}

// turnedDown reports whether the newest that party says of a referral is that it does not take it.
func (f *facts) turnedDown(party *Party) bool {
	var last *record[fhir.Task]
	for _, r := range records(f.chart.Tasks, f.look) {
		if r.Party != party.Name || !r.live() || len(r.Value.PartOf) > 0 || !f.coordinates(r.Value) || r.Value.Status.Code() == "entered-in-error" {
			continue
		}
		if last == nil || !f.instant(r.Recorded(), r.Value.AuthoredOn).Before(f.instant(last.Recorded(), last.Value.AuthoredOn)) {
			last = &r
		}
	}
	if last == nil || !slices.Contains([]string{"rejected", "cancelled", "failed"}, last.Value.Status.Code()) {
		return false
	}
	at := f.instant(last.Recorded(), last.Value.LastModified)
	return !slices.ContainsFunc(fhir.Now(f.chart.Observations), func(o fhir.Seen[fhir.Observation]) bool {
		return o.Party == party.Name && !copied(o.Value.Identifier) && f.decides(o.Party, o.Value) && f.instant(o.Recorded(), o.Value.Issued).After(at)
	})
}
