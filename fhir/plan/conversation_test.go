package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// agreed is a world whose referral stands at the prescriber, whose Task was moved to status there, and whose practice has
// been told so.
func agreed(t *testing.T, guide readiness.Guide, status string) *world {
	w := referred()
	w.policy.TaskGuide = guide
	w.settle(t)
	if status != "requested" {
		w.move(set("status", status), set("owner.display", "their own words"))
		w.settle(t)
	}
	return w
}

func (w *world) revoke() *world {
	w.On(w.clock)
	return w.tell(w.Referral(set("status", "revoked")))
}

// last is the newest delivery of a kind.
func (w *world) last(what exchange.What) exchange.Entry {
	for _, e := range slices.Backward(w.ledger) {
		if e.What == what {
			return e
		}
	}
	return exchange.Entry{}
}

func TestAReferralIsCalledOff(t *testing.T) {
	for _, row := range []struct {
		name   string
		guide  readiness.Guide
		status string // of the Task at the prescriber
		off    func(w *world)
		want   string // what is said, until nothing is left to say
	}{
		{"revoked while it is requested: the Task is cancelled where it stands, then the referral revoked", readiness.AnyGuide, "requested", nil, "cancellation again, revocation again, task-status"},
		{"revoked after it was accepted, COW", readiness.COW, "accepted", nil, "cancellation again, revocation again, task-status again"},
		{"revoked after it was accepted, BSeR: only asked", readiness.BSeR, "accepted", nil, "cancellation-request, revocation again"},
		{"revoked while in progress, COW: only asked", readiness.COW, "in-progress", nil, "cancellation-request, revocation again"},
		{"revoked while in progress, nobody knows the guide: only asked", readiness.AnyGuide, "in-progress", nil, "cancellation-request, revocation again"},
		{"revoked while in progress, SDOH lets the placer", readiness.SDOH, "in-progress", nil, "cancellation again, revocation again, task-status again"},
		{"revoked while on hold: only asked", readiness.AnyGuide, "on-hold", nil, "cancellation-request, revocation again"},
		{"revoked after it was rejected: the Task is closed", readiness.AnyGuide, "rejected", nil, "revocation again"},
		{"revoked after it was completed: the Task is closed", readiness.AnyGuide, "completed", nil, "revocation again"},
		{"entered in error", readiness.AnyGuide, "accepted", func(w *world) { w.tell(w.Referral(set("status", "entered-in-error"))) }, "cancellation again, revocation again, task-status again"},
		{"it names another prescriber now: called off for this one", readiness.AnyGuide, "accepted", func(w *world) {
			w.policy.Others = []readiness.Party{other}
			w.tell(w.Referral(set("performer", []any{by(otherNPI)})))
		}, "cancellation again, revocation again, task-status again"},
		{"completed at the practice is not called off", readiness.AnyGuide, "accepted", func(w *world) { w.tell(w.Referral(set("status", "completed"))) }, ""},
		{"revoked, and the release withdrawn with it: a person calls, nothing leaves", readiness.AnyGuide, "accepted", func(w *world) {
			w.revoke().tell(w.Release(set("status", "inactive")))
		}, ""},
		{"the release alone is withdrawn: nothing leaves, not even a cancellation", readiness.AnyGuide, "accepted", func(w *world) { w.tell(w.Release(set("status", "inactive"))) }, ""},
		{"the release ran out: nothing leaves", readiness.AnyGuide, "accepted", func(w *world) { w.clock = w.clock.AddDate(1, 0, 0); w.revoke() }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := agreed(t, row.guide, row.status)
			w.On(w.clock)
			if row.off == nil {
				w.revoke()
			} else {
				row.off(w)
			}
			same(t, w.settle(t), row.want)
		})
	}
}

func TestACancellationKeepsWhatTheOtherSideWrote(t *testing.T) {
	w := agreed(t, readiness.COW, "accepted").revoke()
	d := w.stage().Stage[0]
	b := body(t, d)
	place, version, ok := d.InPlace()
	if !ok || place != w.sentTask().Receipt.Ref || version != "2" {
		t.Errorf("it is an edit of %s version %s (%v)", place, version, ok)
	}
	for _, row := range []struct{ name, got, want string }{
		{"cancelled", at(b, "status"), "cancelled"},
		{"the owner's words", at(b, "owner", "display"), "their own words"},
		{"the number", at(b, "identifier", 0, "value"), "PLAC-p1"},
		{"no clinical word", at(b, "statusReason", "text"), "The practice called the referral off"},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, row.got, row.want)
		}
	}
	if !strings.HasPrefix(d.Lane, exchange.Urgent) {
		t.Errorf("it queues in %s", d.Lane)
	}
}

func TestACancellationRequestNamesTheTask(t *testing.T) {
	w := agreed(t, readiness.COW, "in-progress").revoke()
	b := body(t, w.stage().Stage[0])
	for _, row := range []struct{ name, got, want string }{
		{"abort", at(b, "code", "coding", 0, "code"), "abort"},
		{"an order, not a proposal", at(b, "intent"), "order"},
		{"about the coordination Task", at(b, "focus", "reference"), w.sentTask().Receipt.Ref.String()},
		{"what was asked, in words where nobody mapped a code", at(b, "businessStatus", "text"), "Cancellation requested"},
		{"no guessed code", at(b, "businessStatus", "coding", 0, "code"), ""},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, row.got, row.want)
		}
	}
	w.arrive()
	w.readBack()
	w.move(set("status", "cancelled")) // the prescriber does as asked
	same(t, w.settle(t), "revocation again, task-status again")
}

func TestThePrescriberWasFaster(t *testing.T) {
	w := agreed(t, readiness.COW, "accepted").revoke()
	same(t, whats(w.stage()), "cancellation again")
	w.move(set("status", "in-progress"))
	c := w.stage()
	if got := whats(c); !slices.Contains(got, "cancellation-request") || !slices.Contains(got, "withdraw") || slices.Contains(got, "cancellation again") {
		t.Errorf("got %v: the edit is taken back, and it is asked", got)
	}
}

func TestTheReferralIsWantedAfterAll(t *testing.T) {
	w := agreed(t, readiness.COW, "accepted").revoke()
	d := w.stage().Stage[0]
	if ok, why := plan.Allowed(d, w.chart(), w.policy, w.clock); !ok {
		t.Errorf("the cancellation may not leave: %s", why)
	}
	w.On(w.clock)
	w.tell(w.Referral())
	if ok, _ := plan.Allowed(d, w.chart(), w.policy, w.clock); ok {
		t.Error("a cancellation leaves though the referral stands again")
	}
	same(t, whats(w.plan()), "withdraw")
}

func TestNoCancellationLeavesUnderAReleaseThatWasWithdrawn(t *testing.T) {
	w := agreed(t, readiness.COW, "in-progress").revoke()
	d := w.stage().Stage[0]
	w.On(w.clock)
	w.tell(w.Release(set("status", "inactive")))
	if ok, why := plan.Allowed(d, w.chart(), w.policy, w.clock); ok || why == "" {
		t.Error("it leaves")
	}
}

func TestAStopIsTold(t *testing.T) {
	flag := func(w *world, status string) fhir.Version {
		return w.Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"Flag","id":"stop","code":{"coding":[{"system":"`+fhir.SystemKAP+`","code":"stop"}],"text":"she said something private"},"subject":{"reference":"Patient/p1"}}`, set("status", status))
	}
	w := agreed(t, readiness.AnyGuide, "accepted")
	w.On(w.clock)
	w.tell(flag(w, "active"))
	same(t, w.settle(t), "unsafe")
	b := body(t, w.last(exchange.WhatUnsafe).Delivery)
	for _, row := range []struct{ name, got, want string }{
		{"a proposal", at(b, "intent"), "proposal"},
		{"to abort", at(b, "code", "coding", 0, "code"), "abort"},
		{"the referral there", at(b, "focus", "reference"), w.last(exchange.WhatReferral).Receipt.Ref.String()},
		{"requested", at(b, "status"), "requested"},
		{"its code alone", at(b, "reasonCode", "coding", 0, "code"), "stop"},
		{"no private word", at(b, "reasonCode", "text"), ""},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, row.got, row.want)
		}
	}
	w.On(w.clock)
	w.tell(flag(w, "active")) // written again, it is the same stop
	same(t, w.settle(t), "")
	w.On(w.clock)
	w.tell(flag(w, "inactive"))
	same(t, w.settle(t), "unsafe again")
	if got := at(body(t, w.last(exchange.WhatUnsafe).Delivery), "status"); got != "cancelled" {
		t.Errorf("lifted, it is %s there", got)
	}
	w.On(w.clock)
	w.tell(flag(w, "inactive"))
	same(t, w.settle(t), "")
	w.On(w.clock)
	w.tell(flag(w, "active")) // another stop
	same(t, w.settle(t), "unsafe again")
}

func TestTheirQuestionComesHomeAndTheAnswerGoesBack(t *testing.T) {
	w := agreed(t, readiness.AnyGuide, "accepted")
	question := func(status string, edits ...fhir.Edit) fhir.Version {
		w.On(w.clock)
		return w.Told(fhirtest.PrescriberSource, fhirtest.Prescriber, `{"resourceType":"Task","id":"q1","intent":"order","description":"Please send the last ECG",
		  "partOf":[{"reference":"`+w.sentTask().Receipt.Ref.String()+`"}],"for":{"reference":"`+w.ledger[0].Receipt.Ref.String()+`"},"owner":{"identifier":{"system":"`+fhir.SystemNPI+`","value":"1740283779"}}}`, append(edits, set("status", status))...)
	}
	w.tell(question("requested"))
	same(t, w.settle(t), "question")
	home := w.last(exchange.WhatQuestion)
	b := body(t, home.Delivery)
	for _, row := range []struct{ name, got, want string }{
		{"its words", at(b, "description"), "Please send the last ECG"},
		{"about the referral", at(b, "focus", "reference"), "ServiceRequest/referral-p1"},
		{"for the client here", at(b, "for", "reference"), "Patient/p1"},
		{"the practice's to answer", at(b, "owner", "identifier", "value"), "1740283779"},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, row.got, row.want)
		}
	}
	w.On(w.clock)
	w.tell(w.Told(fhirtest.PracticeSource, fhir.Practice, string(home.Body), set("id", home.Receipt.Ref.ID), set("status", "completed")))
	same(t, w.settle(t), "answer")
	d := w.last(exchange.WhatAnswer)
	if place, _, ok := d.InPlace(); !ok || place.ID != "q1" {
		t.Errorf("the answer is no edit of the question: %s", place)
	}
	if got := at(body(t, d.Delivery), "status"); got != "completed" {
		t.Errorf("the question is %s there", got)
	}
	if ok, why := plan.Allowed(d.Delivery, w.chart(), w.policy, w.clock); !ok {
		t.Errorf("the answer may not leave: %s", why)
	}

	w.tell(question("requested", set("id", "q2"), set("owner.identifier.value", fhirtest.PrescriberNPI.Value)))
	same(t, w.settle(t), "")
}

func TestAnotherPrescriberIsToldNothingOfTheFirst(t *testing.T) {
	w := agreed(t, readiness.AnyGuide, "rejected")
	w.On(w.clock)
	w.tell(w.Referral(set("performer", []any{by(otherNPI)}), set("identifier.-1", map[string]any{
		"type": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemIdentifierType, "code": "FILL"}}}, "system": "https://skylight.example/case", "value": "FILL-p1"}),
		set("identifier.-1", map[string]any{"system": "urn:x", "value": "FILL-untyped", "assigner": by(fhirtest.PrescriberNPI)}),
		set("identifier.-1", map[string]any{"system": "urn:x", "value": "FILL-by-reference", "assigner": map[string]any{"reference": "Organization/first"}})),
		w.organization("first", fhirtest.PrescriberNPI),
		w.PatientHere(set("identifier.-1", map[string]any{"system": "urn:x", "value": "FILL-patient", "assigner": map[string]any{"reference": "Organization/first"}})))
	// The same client as the other prescriber's engagement sees them: what was sent there is all that there is in its ledger.
	next := *w
	next.policy.Prescriber, next.policy.Others = other, []readiness.Party{w.policy.Prescriber}
	next.ledger, next.links = nil, w.links[:1]
	next.tell(next.Release(set("id", "second"), set("provision.actor.0.reference", by(otherNPI))))
	for range 5 {
		next.stage()
		next.arrive()
	}
	if len(next.ledger) < 4 {
		t.Fatalf("the second prescriber got %d deliveries", len(next.ledger))
	}
	for _, e := range next.ledger {
		for _, word := range []string{"skylight", "Skylight", "FILL", "rejected", fhirtest.PrescriberNPI.Value} {
			if strings.Contains(string(e.Body), word) {
				t.Errorf("%s tells the second prescriber %q", e.What, word)
			}
		}
	}
}

// What happens to a delivery on its way is no word of anybody about the referral.
func TestATransportFailureIsNoStatus(t *testing.T) {
	for _, status := range []string{"requested", "accepted", "in-progress"} {
		w := agreed(t, readiness.AnyGuide, status)
		for i := range w.ledger {
			for _, state := range []exchange.State{exchange.Staged, exchange.Attempted, exchange.Refused, exchange.Unknown} {
				tried := *w
				tried.ledger = slices.Clone(w.ledger)
				tried.ledger[i].State, tried.ledger[i].Why, tried.ledger[i].Attempts = state, "temporary: 503", 40
				for _, d := range tried.plan().Stage {
					if s := at(body(t, d), "status"); d.Type == "Task" && s != "requested" && s != status || d.What == exchange.WhatCancel || d.What == exchange.WhatCancelRequest {
						t.Errorf("with the %s %s, a %s is planned that says %q", w.ledger[i].What, state, d.What, s)
					}
				}
			}
		}
	}
}

// Some servers write every reference as a full address: what stands there is still the client's.
func TestFullAddressesHoldNothingUp(t *testing.T) {
	const here, there = "https://ehr.example/fhir", "https://skylight.example/fhir/"
	bases := map[string]string{fhirtest.PracticeSource: here, fhirtest.PrescriberSource: there}

	w := newWorld()
	w.policy.Bases = bases
	w.tell(w.PatientHere(), w.Release(), w.Referral(set("subject.reference", here+"/Patient/p1")))
	same(t, w.settle(t), "patient, consent, referral, task")

	w.move(set("status", "accepted"), set("for.reference", there+w.sentPatient().String()))
	w.settle(t)
	w.revoke()
	w.tell(w.Referral(set("status", "revoked"), set("subject.reference", here+"/Patient/p1")))
	c := w.stage()
	same(t, whats(c), "cancellation again")
	if ok, why := plan.Allowed(c.Stage[0], w.chart(), w.policy, w.clock); !ok {
		t.Errorf("the cancellation is not sent: %s", why)
	}
	w.policy.Bases = map[string]string{fhirtest.PracticeSource: here, fhirtest.PrescriberSource: "https://elsewhere.example/fhir"}
	if ok, _ := plan.Allowed(c.Stage[0], w.chart(), w.policy, w.clock); ok {
		t.Error("what is about somebody at another server is sent")
	}
}

// sentPatient is the client as the hub made them at the prescriber.
func (w *world) sentPatient() fhir.Ref {
	for _, e := range w.ledger {
		if e.What == exchange.WhatPatient && e.Receipt != nil {
			return e.Receipt.Ref
		}
	}
	panic("no Patient was sent")
}
