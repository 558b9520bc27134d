package store

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func ledgerLife(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a, b := delivery(client, "", "a"), delivery(client, "", "b")
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a, b}})
	due, err := w.Due(w.ctx, fhirtest.Prescriber, w.now, 10)
	w.must(err)
	want(t, "due", len(due), 2)
	want(t, "body", string(due[0].Body), string(a.Body))

	f, before, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	want(t, "as it stood", before.State, exchange.Staged)
	_, _, err = w.Attempt(w.ctx, a.ID, time.Minute)
	wantError(t, err, exchange.ErrBusy)
	want(t, "due meanwhile", len(w.due()), 1)
	wantError(t, w.Withdraw(w.ctx, a.ID, "no"), exchange.ErrConflict)
	wantError(t, w.Decide(w.ctx, w.verdict(client, readiness.InOrder), plan.Changes{Withdraw: []string{a.ID}}), exchange.ErrConflict)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeCreated, Ref: fhir.Ref{Type: "Task", ID: "t1"}, At: w.now}))
	wantError(t, w.Deliver(w.ctx, f, exchange.Receipt{}), exchange.ErrConflict)
	e, err := w.Delivery(w.ctx, a.ID)
	w.must(err)
	want(t, "state", e.State, exchange.Delivered)
	want(t, "where", e.Receipt.Ref.ID, "t1")
	want(t, "planned again", len(w.stale()), 1)
	_, _, err = w.Attempt(w.ctx, a.ID, time.Minute) // what arrived is never tried again
	wantError(t, err, exchange.ErrConflict)

	w.decide(w.verdict(client, readiness.NotReady), plan.Changes{Withdraw: []string{b.ID}})
	list, err := w.Deliveries(w.ctx, exchange.Withdrawn)
	w.must(err)
	want(t, "withdrawn", len(list), 1)
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a, b}})
	want(t, "what is in the ledger is not staged again", len(w.due()), 0)
	_, _, err = w.Attempt(w.ctx, "nothing", time.Minute)
	wantError(t, err, exchange.ErrNotFound)
}

func (w *world) due() []exchange.Entry {
	w.Helper()
	due, err := w.Due(w.ctx, fhirtest.Prescriber, w.now, 10)
	w.must(err)
	return due
}

func lanes(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a, b, other := delivery(client, "x", "a"), delivery(client, "x", "b"), delivery(client, "y", "c")
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a, b, other}})
	occasions := func() (s string) {
		for _, e := range w.due() {
			s += e.Occasion
		}
		return s
	}
	want(t, "due", occasions(), "ac")
	f, _, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeUnknown}))
	want(t, "an unknown outcome holds the lane", occasions(), "c")
	w.must(w.Retry(w.ctx, "admin", a.ID, 0))
	want(t, "due", occasions(), "ac")
	f, before, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	want(t, "an unknown one is asked about", before.State, exchange.Attempted)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeRefused, Codes: []string{"error/invalid"}}))
	want(t, "a refused one frees the lane", occasions(), "bc")
	w.must(w.Retry(w.ctx, "admin", a.ID, 0))
	want(t, "tried again by hand", occasions(), "ac")
	wantError(t, w.Retry(w.ctx, "admin", b.ID, 0), exchange.ErrConflict)
}

func lost(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a := delivery(client, "x", "a")
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a}})
	f, _, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Defer(w.ctx, f, w.now.Add(time.Minute), "temporary"))
	want(t, "due", len(w.due()), 0)
	w.now = w.now.Add(time.Minute)
	f, before, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	want(t, "it did not arrive for sure", before.State, exchange.Staged)
	want(t, "why", before.Why, "temporary")

	// The process dies here. Another takes over when its time is up.
	w.now = w.now.Add(2 * time.Minute)
	want(t, "due", len(w.due()), 1)
	g, before, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	want(t, "it may have arrived", before.State, exchange.Attempted)
	wantError(t, w.Defer(w.ctx, f, w.now, "late"), exchange.ErrConflict)
	w.must(w.Lost(w.ctx, g, w.now, "reply lost"))
	g, _, err = w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Defer(w.ctx, g, w.now, "unreachable"))
	e, err := w.Delivery(w.ctx, a.ID)
	w.must(err)
	want(t, "an earlier try may still have arrived", e.State, exchange.Attempted)
	want(t, "attempts", e.Attempts, 4)
}

// What lies ready for a person may have been handed over already: it holds no lane, and is neither tried nor withdrawn.
func laidOut(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a, b := delivery(client, "x", "a"), delivery(client, "x", "b")
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a, b}})
	f, _, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeLaidOut, At: w.now}))
	e, err := w.Delivery(w.ctx, a.ID)
	w.must(err)
	want(t, "state", e.State, exchange.LaidOut)
	want(t, "due", len(w.due()), 1)
	want(t, "the next one in its lane", w.due()[0].ID, b.ID)
	_, _, err = w.Attempt(w.ctx, a.ID, time.Minute)
	wantError(t, err, exchange.ErrConflict)
	wantError(t, w.Withdraw(w.ctx, a.ID, "no"), exchange.ErrConflict)
	wantError(t, w.Retry(w.ctx, "admin", a.ID, 0), exchange.ErrConflict)
}
