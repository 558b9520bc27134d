package readiness

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// R02 duplicate-referral
//
//	active referrals to this prescriber, of the last 90 days     Tasks there under way    finding
//	one, or several records that share a number                  –                        none
//	two and more                                                 one at most              S3
//	two and more                                                 two and more             S2: both were accepted
func duplicateReferral(f *facts) []Finding {
	within := f.policy.Rules.ReferralTwice
	var open []*record[fhir.ServiceRequest]
	for i := range f.referrals {
		r := &f.referrals[i]
		if !r.live() || r.Value.Status.Code() != "active" || f.clock.passed(f.instant(r.Recorded(), r.Value.AuthoredOn).Add(within)) {
			continue
		}
		open = append(open, r)
	}
	slices.SortFunc(open, func(a, b *record[fhir.ServiceRequest]) int { // in whichever order they came
		return cmp.Or(f.instant(a.Recorded(), a.Value.AuthoredOn).Compare(f.instant(b.Recorded(), b.Value.AuthoredOn)), cmp.Compare(a.String(), b.String()))
	})
	distinct := open[:0]
	for _, r := range open {
		if !slices.ContainsFunc(distinct, func(o *record[fhir.ServiceRequest]) bool { return share(o.Value.Identifier, r.Value.Identifier) }) {
			distinct = append(distinct, r)
		}
	}
	open = distinct
	if len(open) < 2 {
		return nil
	}
	first, last := open[0], open[len(open)-1]
	rests := []*fhir.Version{first.Version, last.Version}
	severity, words := S3, "Two referrals to "+f.prescriber()+" are open, of "
	if under := f.underway(); len(under) > 1 {
		severity, words, rests = S2, f.prescriber()+" took two referrals, of ", append(rests, under...)
	}
	on := func(r *record[fhir.ServiceRequest]) string { return f.on(f.instant(r.Recorded(), r.Value.AuthoredOn)) }
	return []Finding{found(severity, last.String(), words+on(first)+" and "+on(last), "revoke the one that is not meant", rests...)}
}

// underway are the prescriber's Tasks by which it has a referral in hand.
func (f *facts) underway() (tasks []*fhir.Version) {
	for i := range f.coordination {
		r := &f.coordination[i]
		if r.live() && slices.Contains([]string{"accepted", "ready", "in-progress", "on-hold"}, r.Value.Status.Code()) {
			tasks = append(tasks, r.Version)
		}
	}
	return tasks
}

// share reports whether two records bear one number: they are one, told twice.
func share(a, b []fhir.Identifier) bool {
	return slices.ContainsFunc(a, func(x fhir.Identifier) bool {
		id, ok := fhir.IDOf(&x)
		return ok && slices.ContainsFunc(b, func(y fhir.Identifier) bool {
			other, ok := fhir.IDOf(&y)
			return ok && id == other
		})
	})
}

// R08 evaluation-missed
//
//	the last evaluation              another booked or kept, or a decision since   since              finding
//	missed, cancelled                no                                            < 3 business days  none
//	missed, cancelled                no                                            3 and more         S2; S1 when a session is booked
//	missed, cancelled                yes                                           –                  none
//	no date on file, and their Task
//	says missed or cancelled         as above                                      as above           as above
func evaluationMissed(f *facts) []Finding {
	if f.laterDecision(nil, nil) != nil {
		return nil
	}
	var of *fhir.Version
	var since time.Time
	words := ""
	for i := range f.evaluations {
		s := &f.evaluations[i]
		switch {
		case !s.live():
		case s.done(), s.standing():
			return nil
		case s.status == "noshow" || s.status == "cancelled":
			status := s.status
			since = s.since(func(a *fhir.Appointment) bool { return a.Status.Code() == status })
			of, words = s.Version, "The evaluation of "+f.on(s.start)+" was "+plural(status == "noshow", "missed", "cancelled")
		}
	}
	if task := f.task(); of == nil && task != nil && task.live() {
		means := func(t *fhir.Task) string {
			return businessMeaning(f.businessStatus(&record[fhir.Task]{Version: task.Version, Value: t}))
		}
		is := means(task.Value)
		if is == fhir.BusinessNoShow || is == fhir.BusinessVisitCancelled {
			since = task.since(func(t *fhir.Task) bool { return means(t) == is })
			of, words = task.Version, f.prescriber()+" recorded that the evaluation was "+plural(is == fhir.BusinessNoShow, "missed", "cancelled")
		}
	}
	if of == nil || !f.clock.passed(f.later(since, f.policy.Rules.RebookWait)) {
		return nil
	}
	severity, next := S2, "have the client book another with "+f.prescriber()
	rests := []*fhir.Version{of}
	if f.next != nil {
		severity, next, rests = S1, next+", and look at the session of "+f.on(f.next.start), append(rests, f.next.Version)
	}
	return []Finding{found(severity, of.String(), words+", and none was booked since", next, rests...)}
}
