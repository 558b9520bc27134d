package plan

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// What is still said of a referral after it was made, outward. All of it needs the release as the referral did: once that is
// withdrawn nothing more leaves, not even a cancellation, which tells that there was something to cancel. Then a person
// calls, and the board says so.
//
//	the practice …                          its Task there            what goes
//	----------------------------------------+-------------------------+--------------------------------------------------
//	revokes the referral, or names another  not begun                 the Task, cancelled where it stands
//	                                        not begun, under BSeR     a Task that asks to cancel it
//	                                        in progress, on hold      a Task that asks to cancel it (SDOH: cancelled)
//	                                        closed                    nothing
//	                                        any of these, then        the referral's copy, revoked
//	stops, or proposes to abort             –                         a Task that proposes to abort the referral
//	lifts that                              –                         that Task, cancelled
//	closes its copy of the other's question still open there          the question, closed where it stands
//
// A cancellation and a stop overtake: they do not queue behind the referral's own steps.

// conversation returns what is to be said now.
func (s *situation) conversation() (wanted []exchange.Delivery) {
	for _, r := range s.made() {
		if s.calledOff(r) {
			wanted = append(wanted, s.cancellation(r)...)
		}
	}
	return append(append(wanted, s.stops()...), s.answersBack()...)
}

// made returns the practice's referrals that stand at the prescriber, whatever became of them here.
func (s *situation) made() []referral {
	return slices.DeleteFunc(fhir.Now(fhir.Of(fhir.Practice, s.chart.ServiceRequests)), func(r referral) bool {
		_, told := s.there(s.copyThere(exchange.WhatReferral, r.Key))
		return fhir.IsCopy(r.Resource) || !told
	})
}

// calledOff reports whether the practice no longer asks this prescriber: it revoked the referral, says that it was a
// mistake, or names somebody else in it now.
func (s *situation) calledOff(r referral) bool {
	switch r.Value.Status.Code() {
	case "revoked", "entered-in-error":
		return true
	case "active", "on-hold":
		return !s.refers(r)
	}
	return false
}

// urgent is where what overtakes queues.
func urgent(referral fhir.Key) string { return exchange.Urgent + lane(referral) }

// cancellation returns the next step of calling r off.
func (s *situation) cancellation(r referral) []exchange.Delivery {
	taskCopy := s.copyThere(exchange.WhatTask, r.Key)
	at, told := s.there(taskCopy)
	if told {
		t, read := s.taskAt(at)
		if !read {
			return nil // not read back yet, or gone there
		}
		if !slices.Contains(over, t.Value.Status.Code()) {
			d, ok := s.cancel(r, t, taskCopy)
			if !ok {
				return nil
			}
			wanted := []exchange.Delivery{s.urgent(d, r)}
			if _, asked := s.there(d.Copy); d.What == exchange.WhatCancelRequest && asked {
				wanted = append(wanted, s.revocation(r)...)
			}
			return wanted
		}
	}
	return s.revocation(r)
}

// over are the states in which there is nothing left to cancel.
var over = []string{"completed", "failed", "rejected", "cancelled", "entered-in-error"}

// taskAt returns the prescriber's Task at ref, as it stands now.
func (s *situation) taskAt(ref fhir.Ref) (fhir.Seen[fhir.Task], bool) {
	for _, t := range fhir.Now(fhir.Of(s.prescriber, s.chart.Tasks)) {
		if t.Ref() == ref && slices.Contains(s.policy.Prescriber.Sources, t.Source) {
			return t, true
		}
	}
	return fhir.Seen[fhir.Task]{}, false
}

// cancel cancels t where its guide lets the placer, and its server lets it be done to that very version; else it asks.
func (s *situation) cancel(r referral, t fhir.Seen[fhir.Task], taskCopy fhir.ID) (exchange.Delivery, bool) {
	status, guide := t.Value.Status.Code(), s.policy.TaskGuide
	begun := !slices.Contains([]string{"draft", "requested", "received", "accepted"}, status)
	lets := guide.Manner(status, "cancelled", readiness.Placer, false, s.policy.TaskSteps) != readiness.Anomalous
	if lets && (!begun || guide == readiness.SDOH) && t.Resource.VersionID != "" {
		edits := []fhir.Edit{{Path: "status", Value: "cancelled"}, {Path: "lastModified", Value: s.now.UTC().Format(time.RFC3339)}}
		if t.Value.StatusReason == nil {
			edits = append(edits, fhir.Edit{Path: "statusReason", Value: object{"text": "The practice called the referral off"}})
		}
		return s.inPlace(exchange.WhatCancel, r.Version, t.Version, taskCopy, edits...)
	}
	patient, ok := s.patientThere(r)
	if !ok {
		return exchange.Delivery{}, false
	}
	id := s.copyThere(exchange.WhatCancelRequest, r.Key)
	edits := append(s.asks("order", id, t.Ref(), patient), fhir.Edit{Path: "businessStatus", Value: s.business(fhir.BusinessCancelAsked, "Cancellation requested")})
	return s.delivery(exchange.WhatCancelRequest, r.Version, id, []byte(`{"resourceType":"Task"}`), edits...)
}

// asks is a Task of the practice's that asks the prescriber to abort what it is about.
func (s *situation) asks(intent string, id fhir.ID, about, patient fhir.Ref) []fhir.Edit {
	return []fhir.Edit{
		{Path: "identifier", Value: []object{identifier(id)}},
		{Path: "status", Value: "requested"},
		{Path: "intent", Value: intent},
		{Path: "code", Value: object{"coding": []object{{"system": fhir.SystemTaskCode, "code": "abort"}}}},
		{Path: "focus", Value: literal(about)},
		{Path: "for", Value: literal(patient)},
		{Path: "authoredOn", Value: s.now.UTC().Format(time.RFC3339)},
		{Path: "requester", Value: party(s.policy.Practice)},
		{Path: "owner", Value: party(s.policy.Prescriber)},
	}
}

// business is a business status as the prescriber writes it, ours beside it; where nobody has mapped ours, its name in
// words, and no code of theirs is guessed.
func (s *situation) business(code, name string) object {
	coding := []object{}
	for _, c := range s.policy.Terms.Theirs(s.prescriber, fhir.Code{System: fhir.SystemBusinessStatus, Code: code}) {
		coding = append(coding, object{"system": c.System, "code": c.Code})
	}
	if len(coding) == 0 {
		return object{"text": name}
	}
	return object{"coding": coding, "text": name}
}

// revocation is the referral's copy, in the status that its original has; one that names another prescriber now is revoked
// for this one.
func (s *situation) revocation(r referral) []exchange.Delivery {
	id := s.copyThere(exchange.WhatReferral, r.Key)
	last, ok := s.stands(id)
	status := "revoked"
	if r.Value.Status.Code() == "entered-in-error" {
		status = "entered-in-error"
	}
	if !ok || last.What == exchange.WhatRevoked {
		return nil
	}
	d, ok := s.ended(exchange.WhatRevoked, r.Version, id, last.Body, status)
	if !ok {
		return nil
	}
	return []exchange.Delivery{s.urgent(d, r)}
}

func (s *situation) urgent(d exchange.Delivery, r referral) exchange.Delivery {
	d.Lane = urgent(r.Key)
	return d
}

// inPlace is an edit of there, the prescriber's own record, because of v: everything that stands there stays but for the
// edits. ok is false when it cannot be told which version it is an edit of.
func (s *situation) inPlace(what exchange.What, v, there *fhir.Version, id fhir.ID, edits ...fhir.Edit) (exchange.Delivery, bool) {
	body, err := fhir.Apply(there.Resource.Body, append(edits, fhir.Edit{Path: "text"})...)
	mine := func(fhir.Ref) bool { return true } // its references are its own server's
	if err != nil || there.Resource.VersionID == "" || fhir.Lint(body, mine) != nil {
		return exchange.Delivery{}, false
	}
	return exchange.Delivery{What: what, Type: there.Type, Occasion: at(v) + " over " + at(there), Copy: id, Body: body, Rests: []fhir.Basis{v.Basis()}}, true
}

// stops returns the practice's own stops as the prescriber is to read them: a Task that proposes to abort the referral,
// and that Task cancelled once the practice has lifted the stop.
func (s *situation) stops() (wanted []exchange.Delivery) {
	made := s.made()
	if len(made) == 0 {
		return nil
	}
	r := made[len(made)-1]
	about, _ := s.there(s.copyThere(exchange.WhatReferral, r.Key))
	patient, ok := s.patientThere(r)
	if !ok {
		return nil
	}
	for _, halt := range s.stopped() {
		id := s.copyThere(exchange.WhatUnsafe, halt.version.Key)
		last, told := s.stands(id)
		var d exchange.Delivery
		ok := false
		switch {
		case halt.stands:
			edits := append(s.asks("proposal", id, about, patient), fhir.Edit{Path: "reasonCode", Value: object{"coding": []object{{"system": stop.System, "code": stop.Code}}}})
			d, ok = s.delivery(exchange.WhatUnsafe, halt.version, id, []byte(`{"resourceType":"Task"}`), edits...)
			d.Occasion = at(halt.begun) // one telling for one stop, however often its record is written again
		case told && statusOf(last.Body) != "cancelled":
			d, ok = s.ended(exchange.WhatUnsafe, halt.version, id, last.Body, "cancelled")
		}
		if ok {
			wanted = append(wanted, s.urgent(d, r))
		}
	}
	return wanted
}

// stopped is a stop that the practice recorded, and whether it still stands.
type stopped struct {
	version, begun *fhir.Version // the newest, and the one with which it began to say what it says
	stands         bool
}

// stopsIn returns those records in list of which stands answers whether they stop; ok is false for one that is none.
func stopsIn[T any](list []fhir.Seen[T], stands func(*T) (yes, ok bool)) (all []stopped) {
	for _, v := range fhir.Now(list) {
		now, ok := stands(v.Value)
		if !ok || fhir.IsCopy(v.Resource) {
			continue
		}
		begun := v.Version
		for _, earlier := range slices.Backward(list) {
			if earlier.Key != v.Key {
				continue
			}
			if earlier.Gone {
				break
			}
			if was, _ := stands(earlier.Value); was != now {
				break
			}
			begun = earlier.Version
		}
		all = append(all, stopped{v.Version, begun, now})
	}
	return all
}

// stopped returns the practice's flags that stop, and its Tasks that propose to abort.
func (s *situation) stopped() []stopped {
	flags := stopsIn(fhir.Of(fhir.Practice, s.chart.Flags), func(f *fhir.Flag) (yes, ok bool) {
		return f.Status.Code() == "active", has(&f.Code, stop)
	})
	return append(flags, stopsIn(fhir.Of(fhir.Practice, s.chart.Tasks), func(t *fhir.Task) (yes, ok bool) {
		return !slices.Contains([]string{"draft", "cancelled", "rejected", "entered-in-error"}, t.Status.Code()),
			t.Intent == "proposal" && has(t.Code, fhir.Code{System: fhir.SystemTaskCode, Code: "abort"})
	})...)
}

// stop is all that is told of why: the practice's own words stay at the practice, and a person calls.
var stop = fhir.Code{System: fhir.SystemKAP, Code: fhir.CodeStop}

// answersBack returns the prescriber's questions that the practice has closed in its own copy.
func (s *situation) answersBack() (wanted []exchange.Delivery) {
	for _, q := range fhir.Now(fhir.Of(s.prescriber, s.chart.Tasks)) {
		if _, ok := s.question(q); !ok || slices.Contains(over, q.Value.Status.Code()) {
			continue
		}
		home := exchange.CopyID(s.chart.Client, fhir.Practice, exchange.WhatQuestion, q.Key)
		for _, t := range fhir.Now(fhir.Of(fhir.Practice, s.chart.Tasks)) {
			status := t.Value.Status.Code()
			if !slices.Contains(fhir.Identifiers(t.Resource), home) || !slices.Contains([]string{"completed", "failed", "rejected"}, status) {
				continue
			}
			id := s.copyThere(exchange.WhatAnswer, q.Key)
			d, ok := s.inPlace(exchange.WhatAnswer, t.Version, q.Version, id, fhir.Edit{Path: "status", Value: status},
				fhir.Edit{Path: "lastModified", Value: s.now.UTC().Format(time.RFC3339)})
			if ok {
				d.Lane = "answer " + q.String()
				wanted = append(wanted, d)
			}
		}
	}
	return wanted
}

// question reports whether t asks the practice or the client for something, as part of a referral of ours, and which. What
// the prescriber asks of itself is its own affair.
func (s *situation) question(t fhir.Seen[fhir.Task]) (referral, bool) {
	if fhir.IsCopy(t.Resource) || len(t.Value.PartOf) == 0 {
		return referral{}, false
	}
	if o := t.Value.Owner; o != nil && s.names(t.Version, *o, s.policy.Prescriber) {
		return referral{}, false
	}
	for _, ref := range t.Value.PartOf {
		if ref.Reference == nil {
			continue
		}
		to, ok := local(*ref.Reference)
		if !ok || to.Type != "Task" {
			continue
		}
		parent, ok := latest(s.chart.Tasks, fhir.Key{Source: t.Source, Type: to.Type, ID: to.ID})
		if !ok {
			continue
		}
		for _, r := range s.everReferred() {
			if s.about(parent, r) {
				return r, true
			}
		}
	}
	return referral{}, false
}

// newest reports whether what d rests on of the practice's is still what it says.
func (s *situation) newest(d exchange.Delivery) bool {
	return !slices.ContainsFunc(d.Rests, func(b fhir.Basis) bool {
		if b.Party != fhir.Practice {
			return false
		}
		key := fhir.Key{Source: b.Source, Type: b.Type, ID: b.ID}
		for _, n := range []int64{newestOf(s.chart.ServiceRequests, key), newestOf(s.chart.Tasks, key), newestOf(s.chart.Flags, key)} {
			if n == b.Version {
				return false
			}
		}
		return true
	})
}

// newestOf returns the number of the latest version of key in list, 0 when there is none.
func newestOf[T any](list []fhir.Seen[T], key fhir.Key) int64 {
	if v, ok := latest(list, key); ok {
		return v.N
	}
	return 0
}

// talks are the deliveries of the conversation, outward.
var talks = []exchange.What{exchange.WhatCancel, exchange.WhatCancelRequest, exchange.WhatRevoked, exchange.WhatUnsafe, exchange.WhatAnswer}
