package readiness

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// identityGate asks whether everybody speaks of the same person.
//
//	the practice's record    the prescriber's record      gate
//	missing or gone          –                            unknown
//	there                    one that may be theirs       unknown: a person decides
//	says that they died      –, or says so                open
//	merged into one that is not linked, or not in use, on either side: unknown
//	there                    none yet                     met: nothing of theirs to confuse
//	there                    same birth date and family   met
//	there                    no birth date, or part of it unknown
//	there                    another birth date or family open (R01)
func identityGate(f *facts) Gate {
	var rests []*fhir.Version
	var home *record[fhir.Patient]
	for i := range f.clients {
		if r := &f.clients[i]; r.live() {
			home = r
			rests = append(rests, r.Version)
		}
	}
	if home == nil {
		return untold("The practice's own record of the client is not on file", "ask the practice's system for the client's record")
	}
	for _, list := range [][]record[fhir.Patient]{f.clients, f.theirs} {
		for i := range list {
			if r := &list[i]; r.live() && (r.Value.DeceasedDateTime != nil || r.Value.DeceasedBoolean != nil && *r.Value.DeceasedBoolean) {
				return open(f.title(r.Version)+" recorded that the client has died", "ask, and close the course", r.Version)
			}
		}
	}
	for _, list := range [][]record[fhir.Patient]{f.clients, f.theirs} {
		if r, why := retired(list); r != nil {
			return untold("The record of the client at "+f.title(r.Version)+" "+why, "say which record there is the client's now", r.Version)
		}
	}
	for _, m := range f.mismatches() {
		if m.is == no {
			return open(m.words, "compare the two records with the client's papers", m.a, m.b)
		}
		if m.is == cannotTell {
			return untold(m.words, "complete the birth date and the family name on both sides", m.a, m.b)
		}
	}
	for i := range f.theirs {
		if r := &f.theirs[i]; r.live() {
			rests = append(rests, r.Version)
		}
	}
	if l := f.openHere(); l != nil {
		return untold("Whether a record at "+f.prescriber()+" is this client's is not decided"+likeness(l.Evidence), decide, rests...)
	}
	if len(rests) == 1 {
		return met("Known at "+f.title(home.Version)+"; "+f.prescriber()+" keeps no record of the client yet", rests...)
	}
	return met("Birth date and family name agree at "+f.title(home.Version)+" and "+f.prescriber(), rests...)
}

// retired returns a record that was replaced by one that is not linked, or that is no longer in use, and why: what the
// source tells of the client from then on stands elsewhere. One that was replaced by another of list is none.
func retired(list []record[fhir.Patient]) (*record[fhir.Patient], string) {
	linked := func(source string, ref *fhir.Reference) bool {
		to, _, ok := target(ref)
		return ok && slices.ContainsFunc(list, func(r record[fhir.Patient]) bool {
			return r.live() && r.Source == source && r.Ref() == to && (r.Value.Active == nil || *r.Value.Active)
		})
	}
	for i := range list {
		r := &list[i]
		if !r.live() {
			continue
		}
		replaced, at := false, true
		for j := range r.Value.Link {
			if l := &r.Value.Link[j]; l.Type.Code() == "replaced-by" {
				replaced, at = true, at && linked(r.Source, &l.Other)
			}
		}
		switch {
		case replaced && !at:
			return r, "was merged into another that is not linked"
		case !replaced && r.Value.Active != nil && !*r.Value.Active:
			return r, "is no longer in use"
		}
	}
	return nil, ""
}

// releaseGate asks whether the prescriber may be told.
//
//	newest release for this prescriber           gate
//	none                                         open; unknown where the practice's systems do not tell of releases
//	permits, active, in its period               met, until its end
//	  … but one given later was withdrawn        open (R07)
//	  … but an active record, not older, denies  open
//	period over, or not yet begun                open
//	with exceptions, unreadable period or type   unknown
//	gone                                         open (R48)
func releaseGate(f *facts) Gate {
	r := f.released()
	switch {
	case r.denied != nil:
		return open("The practice recorded a denial to tell "+f.prescriber(), "ask the client whom they allow to be told", r.denied.Version).by(Client)
	case r.now != nil:
		words := "Released to " + f.prescriber() + " on " + f.on(r.now.given)
		if !r.now.to.IsZero() {
			words += ", valid to " + lastDay(r.now.to, f.zone)
		}
		return met(words, r.now.Version)
	case r.withdrawn != nil:
		return open("The client withdrew the release on "+f.on(r.withdrawn.Recorded()), "tell nothing more; ask the client", r.withdrawn).by(Client)
	case r.doubtful != nil:
		return untold("The release of "+f.on(r.doubtful.given)+" cannot be applied: "+r.doubtful.doubt, "have the release written anew", r.doubtful.Version)
	case r.over != nil:
		return open("The release ended on "+lastDay(r.over.to, f.zone), "have the client sign a new release", r.over.Version).from(r.over.to)
	case r.early != nil:
		return open("The release begins on "+f.on(later(r.early.from, r.early.given)), "wait, or have the client sign one from today", r.early.Version)
	}
	if f.policy.Practice.Lacks("Consent") {
		return f.silent(f.policy.Practice, "of releases", "enter the signed release at the desk", f.ground()...)
	}
	return open("No release naming "+f.prescriber()+" is on file", "have the client sign a release")
}

// referralGate asks whether the prescriber took the referral.
//
//	our order         coordination Task at the prescriber   a later decision   gate
//	none              –                                     none               open: refer; unknown where the practice's
//	                                                                           systems do not tell of referrals
//	none any more     closed without a result               none               open, with the reason given
//	revoked           –                                     none, or earlier   open
//	active            none                                  none               open: nothing heard; unknown where the
//	                                                                           prescriber's systems have no Task
//	active            requested, received                   none               open
//	active            accepted, in progress, completed      –                  met
//	active            rejected, cancelled, failed, on hold  none, or earlier   open, with the reason given
//	active            closed, and taken up again            none, or earlier   open: it is looked at again
//	any               any                                   made since         met: it was taken
func referralGate(f *facts) Gate {
	task, order := f.task(), f.order()
	if d := f.laterDecision(task, order); d != nil {
		return met(f.prescriber()+" recorded a decision on "+f.on(d.issued)+": the referral was taken", d.Version)
	}
	if order == nil && f.policy.Practice.Lacks("ServiceRequest") {
		return f.silent(f.policy.Practice, "of referrals", "enter the referral at the desk").by(Admin)
	}
	if order == nil && task != nil && task.live() && slices.Contains([]string{"rejected", "cancelled", "failed"}, task.Value.Status.Code()) {
		return open(f.prescriber()+" recorded the referral as "+task.Value.Status.Code()+" on "+f.on(f.instant(task.Recorded(), task.Value.LastModified))+f.why(task)+"; none to them is on file now",
			"refer the client again, or close the course", task.Version).by(Admin)
	}
	if order == nil {
		return open("No referral to "+f.prescriber()+" is on file", "refer the client").by(Admin)
	}
	if order.Value.Status.Code() != "active" && order.Value.Status.Code() != "completed" {
		return open("The practice's referral of "+f.on(f.instant(order.Recorded(), order.Value.AuthoredOn))+" is "+order.Value.Status.Code(), f.afterRevoking(task), order.Version).by(Admin)
	}
	if g, ok := f.byPacket(order, task); ok {
		return g
	}
	if task == nil && f.policy.Prescriber.Lacks("Task") {
		next := "ask " + f.prescriber() + " whether it was accepted; their decision tells, or the desk"
		if !f.policy.Prescriber.Accepts("ServiceRequest") {
			next = "hand the referral over by hand, for it cannot be written there; then " + next
		}
		return f.silent(f.policy.Prescriber, "what becomes of a referral", next, order.Version)
	}
	if task == nil && f.openHere() != nil {
		return open("The referral waits: it is not sent while it is not decided whether a record at "+f.prescriber()+" is this client's", decide, order.Version).by(Admin)
	}
	if task == nil || !task.live() {
		return open(f.prescriber()+" has recorded nothing on the referral of "+f.on(f.instant(order.Recorded(), order.Value.AuthoredOn)), "ask "+f.prescriber()+" whether it arrived", order.Version)
	}
	if again := reopened(task); again != nil {
		return open(f.prescriber()+" took the closed referral up again on "+f.on(again.Recorded()), "ask "+f.prescriber()+" what is looked at again", again).from(again.Recorded())
	}
	on := f.on(f.instant(task.Recorded(), task.Value.LastModified))
	switch status := task.Value.Status.Code(); status {
	case "accepted", "in-progress", "completed", "ready":
		return met(f.prescriber()+" recorded the referral as "+status+" on "+on, task.Version, order.Version)
	case "requested", "received", "draft":
		return open("The referral is "+status+" at "+f.prescriber()+" since "+f.on(f.waiting(task)), "ask "+f.prescriber()+" to accept it", task.Version).from(f.waiting(task))
	default:
		return open(f.prescriber()+" recorded the referral as "+status+" on "+on+f.why(task), "ask "+f.prescriber()+", or refer elsewhere", task.Version)
	}
}

// afterRevoking is what is left to do once the practice has revoked its referral: what may be told is told by the hub; what
// may not is a person's call.
func (f *facts) afterRevoking(task *record[fhir.Task]) string {
	if task == nil || !task.live() || slices.Contains(closed, task.Value.Status.Code()) {
		return "refer the client again, or close the course"
	}
	if r := f.released(); r.now == nil || r.denied != nil {
		return "call " + f.prescriber() + f.phones() + ": the referral is called off, and without a release nothing is sent"
	}
	return "wait for " + f.prescriber() + " to close it: the cancellation is sent"
}

// waiting is since when the prescriber has had the referral.
func (f *facts) waiting(task *record[fhir.Task]) time.Time {
	return f.instant(task.first(), task.Value.AuthoredOn)
}

// order returns the referral that counts: the newest that is active, else the newest. nil when there is none.
func (f *facts) order() *record[fhir.ServiceRequest] {
	var best *record[fhir.ServiceRequest]
	for i := range f.referrals {
		r := &f.referrals[i]
		status := r.Value.Status.Code()
		if !r.live() || status == "entered-in-error" {
			continue
		}
		if best == nil || status == "active" || best.Value.Status.Code() != "active" {
			best = r
		}
	}
	return best
}

// laterDecision returns the decision from which it follows that the referral was taken (law 6): one that nothing newer
// on the referral contradicts. nil when there is none.
func (f *facts) laterDecision(task *record[fhir.Task], order *record[fhir.ServiceRequest]) *decision {
	d := f.newest(func(d *decision) bool {
		return d.counts() && !d.other
	})
	if d == nil {
		return nil
	}
	if task != nil {
		switch status := task.Value.Status.Code(); status {
		case "rejected", "cancelled", "failed", "on-hold":
			if f.turned(task, func(t *fhir.Task) bool { return t.Status.Code() == status }).After(d.issued) {
				return nil
			}
		}
		if again := reopened(task); again != nil && again.Recorded().After(d.issued) {
			return nil
		}
	}
	if order != nil && order.Value.Status.Code() == "revoked" && order.Recorded().After(d.issued) {
		return nil
	}
	return d
}

// evaluationGate asks whether the prescriber saw the client.
//
//	on file                                        gate
//	a decision, with nothing newer against it      met: they were evaluated
//	evaluation kept                                met
//	Task completed, or the visit complete          met
//	the prescriber waits for something             open: whose it is
//	evaluation booked                              open, due then
//	booked, missed, cancelled, says the Task alone open
//	evaluation missed or cancelled, none booked    open
//	nothing                                        open; unknown where the referral was taken, and the prescriber's
//	                                               systems have no Appointment
func evaluationGate(f *facts) Gate {
	if d := f.laterDecision(nil, nil); d != nil {
		return met(f.prescriber()+" recorded a decision on "+f.on(d.issued)+": the evaluation is done", d.Version)
	}
	var booked, missed *session
	for i := range f.evaluations {
		s := &f.evaluations[i]
		switch {
		case s.done() && f.clock.passed(s.start):
			return met(f.prescriber()+" saw the client on "+f.on(s.start), s.Version)
		case s.standing():
			booked = s
		case s.live():
			missed = s
		}
	}
	task := f.task()
	if task != nil && task.live() {
		switch f.businessStatus(task) {
		case "visit-complete", fhir.BusinessVisited, fhir.BusinessDone:
			return met(f.prescriber()+" recorded the visit as complete on "+f.on(task.Recorded()), task.Version)
		}
		if task.Value.Status.Code() == "completed" {
			return met(f.prescriber()+" recorded the referral as completed on "+f.on(task.Recorded()), task.Version)
		}
	}
	if waiting := f.asked(); len(waiting) > 0 {
		q := waiting[0]
		return open(f.prescriber()+" waits for "+map[Owner]string{Admin: "information", Client: "the client"}[q.owner]+" since "+f.on(q.since)+q.words,
			map[Owner]string{Admin: "send it", Client: "help the client to answer"}[q.owner], q.Version).from(q.since).by(q.owner)
	}
	if task != nil && task.live() && booked == nil {
		switch on := f.on(f.instant(task.Recorded(), task.Value.LastModified)); businessMeaning(f.businessStatus(task)) {
		case fhir.BusinessScheduled:
			return open(f.prescriber()+" recorded on "+on+" that the evaluation is booked; its date is not on file", "wait for the evaluation", task.Version)
		case fhir.BusinessNoShow:
			return open(f.prescriber()+" recorded on "+on+" that the client missed the evaluation", "have the client book another", task.Version).by(Client)
		case fhir.BusinessVisitCancelled:
			return open(f.prescriber()+" recorded on "+on+" that the evaluation was cancelled", "have the client book another", task.Version).by(Client)
		}
	}
	switch {
	case booked != nil && f.clock.passed(booked.end):
		return open("The evaluation of "+f.on(booked.start)+" was never closed", "ask "+f.prescriber()+" whether it took place", booked.Version)
	case booked != nil:
		return open("The evaluation is booked for "+f.on(booked.start), "wait for the evaluation", booked.Version).until(booked.start)
	case missed != nil:
		return open("The evaluation of "+f.on(missed.start)+" was "+plural(missed.status == "noshow", "missed", "not kept ("+missed.status+")")+" and none is booked", "have the client book another", missed.Version).by(Client)
	}
	if f.policy.Prescriber.Lacks("Appointment") && referralGate(f).State != Open {
		return f.silent(f.policy.Prescriber, "of evaluations", "ask "+f.prescriber()+" whether one is booked; their decision tells that it was held", f.ground()...)
	}
	return open("No evaluation is on file", "have the client book the evaluation with "+f.prescriber()).by(Client)
}
