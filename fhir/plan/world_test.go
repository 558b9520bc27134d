package plan_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

var now = time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC)

var set = fhirtest.Set

// world is one client's course, the ledger beside it, and what the hub has made stand at either side.
type world struct {
	*fhirtest.Course
	policy   readiness.Policy
	verdict  readiness.Verdict
	versions []fhir.Version
	links    []fhir.Link
	ledger   []exchange.Entry
	clock    time.Time
}

// newWorld is a client whom only the practice knows: patient, release and referral are told by the edits of a row.
func newWorld() *world {
	w := &world{Course: fhirtest.Client(now), clock: now}
	w.policy = readiness.Policy{
		Practice:      readiness.Party{Name: fhir.Practice, Title: "Reverie", Sources: []string{fhirtest.PracticeSource}, Identifiers: []fhir.ID{{System: fhir.SystemNPI, Value: "1740283779"}}},
		Prescriber:    readiness.Party{Name: fhirtest.Prescriber, Title: "Skylight Psychedelics", Sources: []string{fhirtest.PrescriberSource}, Identifiers: []fhir.ID{fhirtest.PrescriberNPI}},
		Zone:          fhirtest.Denver,
		ReferralCodes: []fhir.Code{{System: fhir.SystemKAP, Code: fhir.CodeEvaluation}},
		Rules:         readiness.DefaultRules(),
	}
	w.links = w.Links()[:1]
	w.DaysBefore(3)
	return w
}

// referred is a world in which everything is there for the referral to leave.
func referred() *world {
	w := newWorld()
	return w.tell(w.PatientHere(), w.Release(), w.Referral())
}

func (w *world) tell(vs ...fhir.Version) *world {
	w.versions = append(w.versions, vs...)
	return w
}

func (w *world) registeredThere() *world {
	w.links = w.Links()
	return w
}

func (w *world) chart() fhir.Chart {
	var moment fhir.Moment
	for _, v := range w.versions {
		moment = max(moment, v.Moment)
	}
	return fhir.NewChart(w.Client, moment, w.versions, w.links, fhirtest.Sources(w.clock), nil)
}

func (w *world) plan() plan.Changes {
	return plan.Plan(w.chart(), w.verdict, w.policy, w.ledger, w.clock)
}

// stage plans and puts the outcome into the ledger.
func (w *world) stage() plan.Changes {
	c := w.plan()
	for i, e := range w.ledger {
		if slices.Contains(c.Withdraw, e.ID) {
			w.ledger[i].State = exchange.Withdrawn
		}
	}
	for _, d := range c.Stage {
		w.ledger = append(w.ledger, exchange.Entry{Delivery: d, State: exchange.Staged, Staged: w.clock, Due: w.clock})
	}
	return c
}

// arrive lets every staged delivery arrive, without the other side being read again.
func (w *world) arrive() {
	for i := range w.ledger {
		e := &w.ledger[i]
		if e.State != exchange.Staged {
			continue
		}
		w.clock = w.clock.Add(time.Second)
		e.State, e.Attempts = exchange.Delivered, e.Attempts+1
		e.Receipt = &exchange.Receipt{Outcome: exchange.OutcomeCreated, Ref: fhir.Ref{Type: e.Type, ID: copyID(e.Copy)}, At: w.clock}
		if at, _, ok := e.InPlace(); ok {
			e.Receipt.Ref = at
		}
	}
}

func copyID(copy fhir.ID) string { return "copy-" + copy.Value[:12] }

// readBack lets the sources tell what the hub made stand there, and links the Patient that it made.
func (w *world) readBack() {
	for i := range w.ledger {
		e := &w.ledger[i]
		if e.State != exchange.Delivered || e.Receipt.VersionID == "read" {
			continue
		}
		e.Receipt.VersionID = "read"
		source := fhirtest.PracticeSource
		if e.To != fhir.Practice {
			source = fhirtest.PrescriberSource
		}
		w.On(w.clock)
		w.tell(w.Told(source, e.To, string(e.Body), set("id", e.Receipt.Ref.ID)))
		if e.Type == "Patient" {
			w.links = append(w.links, fhir.Link{Client: w.Client, Source: source, Patient: e.Receipt.Ref.ID, How: "identifier"})
		}
	}
}

// settle runs whole cycles until nothing is staged any more, and returns what was staged in order.
func (w *world) settle(t rapid.TB) []string {
	t.Helper()
	var all []string
	for range 20 {
		c := w.stage()
		if len(c.Stage) == 0 && len(c.Withdraw) == 0 {
			return all
		}
		all = append(all, whats(c)...)
		w.arrive()
		w.readBack()
	}
	t.Fatalf("the world never settles: %s", strings.Join(all, ", "))
	return nil
}

// sentTask is the coordination Task as the prescriber has it.
func (w *world) sentTask() exchange.Entry {
	for _, e := range slices.Backward(w.ledger) {
		if e.What == exchange.WhatTask {
			return e
		}
	}
	panic("no Task was sent")
}

// move lets the prescriber change the coordination Task.
func (w *world) move(edits ...fhir.Edit) *world {
	e := w.sentTask()
	w.On(w.clock)
	return w.tell(w.Told(fhirtest.PrescriberSource, fhirtest.Prescriber, string(e.Body), append([]fhir.Edit{set("id", e.Receipt.Ref.ID)}, edits...)...))
}

// whats lists what is staged and withdrawn, in short words.
func whats(c plan.Changes) []string {
	var out []string
	for _, d := range c.Stage {
		word := string(d.What)
		if d.Update {
			word += " again"
		}
		out = append(out, word)
	}
	for range c.Withdraw {
		out = append(out, "withdraw")
	}
	return out
}

func same(t testing.TB, got []string, want string) {
	t.Helper()
	if g := strings.Join(got, ", "); g != want {
		t.Errorf("got %q, want %q", g, want)
	}
}

// body reads a delivery's body, and at follows keys and indices down into it.
func body(t testing.TB, d exchange.Delivery) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(d.Body, &v); err != nil {
		t.Fatalf("the body of %s is no JSON: %v", d.What, err)
	}
	return v
}

func at(v any, path ...any) string {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			o, _ := v.(map[string]any)
			v = o[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return ""
			}
			v = list[step]
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
