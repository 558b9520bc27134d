package plan_test

import (
	"strings"
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// sent is a world in which the referral has arrived at the prescriber and was read back there.
func sent(t testing.TB) *world {
	w := referred()
	same(t, w.settle(t), "patient, consent, referral, task")
	return w
}

// theirs edits a record of the prescriber so that it belongs to the Patient the hub made there.
func (w *world) theirs(element string) fhir.Edit {
	return set(element+".reference", w.ledger[0].Receipt.Ref.String())
}

var fill = map[string]any{
	"type":   map[string]any{"coding": []any{map[string]any{"system": fhir.SystemIdentifierType, "code": "FILL"}}},
	"system": "https://skylight.example/case", "value": "FILL-1",
}

func TestWhatGoesHome(t *testing.T) {
	rows := []struct {
		name string
		then func(w *world)
		want string
	}{
		{"the Task as we wrote it is no news", func(w *world) {}, ""},
		{"the Task in other words of the server is no news", func(w *world) { w.move(set("priority", "routine")) }, ""},
		{"the Task was accepted", func(w *world) { w.move(set("status", "accepted")) }, "task-status"},
		{"the Task was given a number", func(w *world) { w.move(set("identifier.-1", fill)) }, "task-status"},
		{"the Task waits for information", func(w *world) {
			w.move(set("businessStatus.coding", []any{map[string]any{"system": fhir.SystemBusinessStatus, "code": "awaiting-information"}}))
		}, "task-status"},
		{"the Task lost our identifier: it is known by its receipt", func(w *world) {
			w.move(set("identifier", nil), set("focus", nil), set("status", "accepted"))
		}, "task-status"},
		{"a Task about the fulfilment stays there", func(w *world) { w.tell(w.Fulfilment(fhir.FulfilmentShipped)) }, ""},
		{"a clearance", func(w *world) { w.tell(w.Clearance(fhir.DecisionCleared, w.Day(0), w.Day(90), w.theirs("subject"))) }, "clearance"},
		{"a clearance that is pending", func(w *world) {
			w.tell(w.Clearance(fhir.DecisionCleared, w.Day(0), "", w.theirs("subject"), set("status", "registered")))
		}, "clearance"},
		{"another observation stays there", func(w *world) {
			w.tell(w.Clearance(fhir.DecisionCleared, w.Day(0), "", set("code.coding.0.code", "mood")))
		}, ""},
		{"a clearance labelled very restricted stays there", func(w *world) {
			w.tell(w.Clearance(fhir.DecisionCleared, w.Day(0), "", set("meta.security", label("V"))))
		}, ""},
		{"a clearance that was an error before anybody was told", func(w *world) {
			w.tell(w.Clearance(fhir.DecisionCleared, w.Day(0), "", set("status", "entered-in-error")))
		}, ""},
		{"a ketamine prescription and its dispense", func(w *world) { w.tell(w.Prescription(), w.Dispense()) }, "prescription, dispense"},
		{"a prescription of something else stays there, and so does its dispense", func(w *world) {
			code := set("medicationCodeableConcept.coding.0.code", "161")
			w.tell(w.Prescription(code), w.Dispense(code))
		}, ""},
		{"a prescription by the prescriber's own code for ketamine", func(w *world) {
			w.policy.Ketamine = []fhir.Code{{System: "https://skylight.example/items", Code: "KET-SL"}}
			w.tell(w.Prescription(set("medicationCodeableConcept.coding.0", map[string]any{"system": "https://skylight.example/items", "code": "KET-SL"})))
		}, "prescription"},
		{"a prescription whose medicine is an entry of its own", func(w *world) {
			w.tell(w.Told(fhirtest.PrescriberSource, fhirtest.Prescriber, `{"resourceType":"Medication","id":"ket","code":{"coding":[{"system":"`+fhir.SystemRxNorm+`","code":"6130"}]}}`),
				w.Prescription(set("medicationCodeableConcept", nil), set("medicationReference.reference", "Medication/ket")))
		}, "prescription"},
		{"a prescription whose medicine is contained", func(w *world) {
			w.tell(w.Prescription(set("medicationCodeableConcept", nil), set("medicationReference.reference", "#m"),
				set("contained", []any{map[string]any{"resourceType": "Medication", "id": "m", "code": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemRxNorm, "code": "6130"}}}}})))
		}, "prescription"},
		{"a dispense that only its prescription tells to be ketamine", func(w *world) {
			w.tell(w.Prescription(), w.Dispense(set("medicationCodeableConcept.coding", []any{map[string]any{"system": "https://pharmacy.example", "code": "4711"}})))
		}, "prescription, dispense"},
		{"a prescription and its dispense inside the Task", func(w *world) {
			drug := map[string]any{"coding": []any{map[string]any{"system": fhir.SystemRxNorm, "code": "6130"}}}
			w.move(set("status", "completed"), set("contained", []any{
				map[string]any{"resourceType": "MedicationRequest", "id": "rx", "status": "active", "intent": "order", "medicationCodeableConcept": drug},
				map[string]any{"resourceType": "MedicationDispense", "id": "d", "status": "completed", "medicationCodeableConcept": drug, "authorizingPrescription": []any{map[string]any{"reference": "#rx"}}},
			}), set("output", []any{map[string]any{"type": map[string]any{"text": "parcel"}, "valueReference": map[string]any{"reference": "#d"}}}))
		}, "task-status, prescription, dispense"},
		{"a proposal is no prescription", func(w *world) { w.tell(w.Prescription(set("intent", "proposal"))) }, ""},
		{"without a release facts still go home", func(w *world) {
			w.tell(w.Release(set("status", "inactive")), w.Clearance(fhir.DecisionWithdrawn, w.Day(0), ""))
		}, "clearance"},
		{"facts about a closed referral still go home", func(w *world) {
			w.tell(w.Referral(set("status", "completed")))
			w.move(set("status", "completed"))
		}, "task-status"},
		{"whose records they are is in doubt", func(w *world) {
			w.tell(w.Clearance(fhir.DecisionCleared, w.Day(0), ""))
			w.verdict.Findings = []readiness.Finding{{Code: "R01", Severity: readiness.S1, State: readiness.New}}
		}, ""},
		{"what the hub put there itself is no fact of the prescriber", func(w *world) {
			w.tell(w.Prescription(set("identifier.-1", map[string]any{"system": fhir.SystemCopy, "value": "x"})))
		}, ""},
		{"a clearance that is a copy of the hub's is none", func(w *world) {
			w.tell(w.Clearance(fhir.DecisionCleared, w.Day(0), "", set("identifier.-1", map[string]any{"system": fhir.SystemCopy, "value": "x"})))
		}, ""},
		{"the practice's own observations do not go home to it", func(w *world) { w.tell(w.Check(fhir.CodeRide, true)) }, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := sent(t)
			w.On(w.clock)
			row.then(w)
			same(t, whats(w.stage()), row.want)
			w.settle(t)
			same(t, whats(w.plan()), "")
		})
	}
}

func TestACopyFollowsItsOriginal(t *testing.T) {
	w := sent(t)
	w.On(w.clock)
	clearance := w.Clearance(fhir.DecisionCleared, w.Day(0), w.Day(90), w.theirs("subject"))
	w.tell(clearance)
	same(t, w.settle(t), "clearance")
	first := w.ledger[len(w.ledger)-1]

	decided := w.clock
	w.On(decided)
	w.tell(w.Clearance(fhir.DecisionWithdrawn, w.Day(0), w.Day(90), w.theirs("subject")))
	same(t, w.settle(t), "clearance again")
	second := w.ledger[len(w.ledger)-1]
	if second.Copy != first.Copy || second.ID == first.ID || second.Lane != first.Lane {
		t.Error("a newer version is another delivery of the same copy in the same lane")
	}

	w.On(decided)
	w.tell(w.Clearance(fhir.DecisionWithdrawn, w.Day(0), w.Day(90), w.theirs("subject"), set("encounter.display", "words we do not relay")))
	same(t, w.settle(t), "")

	w.tell(w.Gone(clearance, "deleted"))
	same(t, w.settle(t), "clearance again")
	last := w.ledger[len(w.ledger)-1]
	if got := at(body(t, last.Delivery), "status"); got != "entered-in-error" {
		t.Errorf("the copy of a record that is gone is %s", got)
	}
	if got := at(body(t, last.Delivery), "valueCodeableConcept", "coding", 0, "code"); got != fhir.DecisionWithdrawn {
		t.Errorf("the copy forgot what it said: %s", got)
	}
}

func TestANewerVersionTakesThePlaceOfOneNotYetSent(t *testing.T) {
	w := sent(t)
	w.On(w.clock)
	w.tell(w.Clearance(fhir.DecisionCleared, w.Day(0), ""))
	same(t, whats(w.stage()), "clearance")
	w.tell(w.Clearance(fhir.DecisionWithdrawn, w.Day(0), ""))
	same(t, whats(w.stage()), "clearance, withdraw")
	w.ledger[len(w.ledger)-1].State = exchange.Attempted
	w.tell(w.Clearance(fhir.DecisionDeferred, w.Day(0), ""))
	same(t, whats(w.stage()), "")
	w.ledger[len(w.ledger)-1].State = exchange.Staged
	w.arrive()
	same(t, whats(w.stage()), "clearance again")
}

func TestTheHomeTaskGoesBackToRequestedWhenThePrescriberSaysSo(t *testing.T) {
	w := sent(t)
	w.move(set("status", "accepted"))
	same(t, w.settle(t), "task-status")
	w.move()
	same(t, w.settle(t), "task-status again")
}

func TestTheCopiesAtHomePointToThePracticesOwnRecords(t *testing.T) {
	w := sent(t)
	w.move(set("status", "accepted"), set("identifier.-1", fill), set("owner", map[string]any{"reference": "Organization/7", "display": "Skylight"}))
	w.tell(w.Clearance(fhir.DecisionConditions, w.Day(0), w.Day(90), set("component.-1", fhirtest.Condition("ECG")),
		set("note", []any{map[string]any{"text": "PROCESS"}}), set("derivedFrom", []any{map[string]any{"reference": "Observation/bp-1"}})),
		w.Prescription(set("dosageInstruction.0.text", strings.Repeat("One lozenge. ", 40))), w.Dispense())
	w.settle(t)
	find := func(what exchange.What) any {
		for _, e := range w.ledger {
			if e.What == what {
				if e.Release != nil || e.To != fhir.Practice {
					t.Errorf("%s goes to %s under a release", what, e.To)
				}
				if strings.Contains(string(e.Body), "s-p1") || strings.Contains(string(e.Body), "PROCESS") || strings.Contains(string(e.Body), "derivedFrom") {
					t.Errorf("%s carries what belongs to the prescriber alone", what)
				}
				return body(t, e.Delivery)
			}
		}
		t.Fatalf("no %s was sent", what)
		return nil
	}
	task, clearance, rx, dispense := find(exchange.WhatTaskStatus), find(exchange.WhatClearance), find(exchange.WhatPrescription), find(exchange.WhatDispense)
	numbers := at(task, "identifier")
	rows := []struct{ name, got, want string }{
		{"the Task is about the practice's referral", at(task, "focus", "reference"), "ServiceRequest/referral-p1"},
		{"the Task is for the practice's client", at(task, "for", "reference"), "Patient/p1"},
		{"the Task's status", at(task, "status"), "accepted"},
		{"the Task's owner by name, not by a foreign reference", at(task, "owner"), "map[display:Skylight]"},
		{"the clearance is the practice's client's", at(clearance, "subject", "reference"), "Patient/p1"},
		{"the clearance answers the practice's referral", at(clearance, "basedOn", 0, "reference"), "ServiceRequest/referral-p1"},
		{"the clearance's period", at(clearance, "effectivePeriod", "end"), w.Day(90)},
		{"the clearance's decider", at(clearance, "performer", 0, "identifier", "value"), fhirtest.DeciderNPI.Value},
		{"the clearance's condition", at(clearance, "component", 0, "valueCodeableConcept", "text"), "ECG"},
		{"the prescription is the practice's client's", at(rx, "subject", "reference"), "Patient/p1"},
		{"the prescription is a report", at(rx, "reportedBoolean"), "true"},
		{"the dose is never cut", at(rx, "dosageInstruction", 0, "text"), strings.Repeat("One lozenge. ", 40)},
		{"the dispense names its prescription's copy", at(dispense, "authorizingPrescription", 0, "identifier", "value"), at(rx, "identifier", 0, "value")},
		{"the clearance names its medicine's copy", at(clearance, "focus", 0, "identifier", "value"), at(rx, "identifier", 0, "value")},
	}
	for _, row := range rows {
		if row.got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, row.got, row.want)
		}
	}
	for _, number := range []string{"FILL-1", "PLAC-p1"} {
		if !strings.Contains(numbers, number) {
			t.Errorf("the Task at home lost %s", number)
		}
	}
	if strings.Count(numbers, fhir.SystemCopy) != 1 {
		t.Error("the Task at home bears another copy's identifier")
	}
}

func TestWhatStandsAtHomeIsReadBackAndStartsNothing(t *testing.T) {
	w := sent(t)
	w.On(w.clock)
	w.move(set("status", "accepted"))
	w.tell(w.Clearance(fhir.DecisionCleared, w.Day(0), ""), w.Prescription(), w.Dispense())
	same(t, w.settle(t), "task-status, clearance, prescription, dispense")
	before := len(w.ledger)
	for range 5 {
		w.stage()
		w.readBack()
	}
	if len(w.ledger) != before {
		t.Errorf("unchanged worlds staged %d deliveries", len(w.ledger)-before)
	}
}
