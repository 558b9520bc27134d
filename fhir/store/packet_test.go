package store

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// A packet stays laid out until a person says otherwise, and the chart knows since when it was handed over.
func packetLife(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a := delivery(client, "x", "a")
	a.What, a.Rests = exchange.WhatPacket, []fhir.Basis{{Source: "ehr", Type: "ServiceRequest", ID: "r", Version: 1}}
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a}})
	wantError(t, w.Recall(w.ctx, a.ID, "lapsed"), exchange.ErrConflict)
	f, _, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeLaidOut, At: w.now}))

	w.must(w.Recall(w.ctx, a.ID, "lapsed"))
	wantError(t, w.Recall(w.ctx, a.ID, "lapsed"), exchange.ErrConflict)
	e, err := w.Delivery(w.ctx, a.ID)
	w.must(err)
	want(t, "still", e.State, exchange.LaidOut)
	want(t, "why", e.Why, "lapsed")
	want(t, "judged again", len(w.stale()), 1)
	before, err := w.Chart(w.ctx, client, 0)
	w.must(err)
	want(t, "handed over", len(before.HandedOver), 0)

	yesterday := w.now.Add(-24 * time.Hour)
	w.must(w.Settle(w.ctx, "admin", a.ID, 0, exchange.Receipt{Outcome: exchange.OutcomeHandedOver, By: "Tara", At: yesterday}))
	after, err := w.Chart(w.ctx, client, 0)
	w.must(err)
	want(t, "handed over", len(after.HandedOver), 1)
	want(t, "when", after.HandedOver[0].At.Equal(yesterday), true)
	want(t, "what", after.HandedOver[0].Rests[0].ID, "r")
	then, err := w.Chart(w.ctx, client, before.Moment)
	w.must(err)
	want(t, "as it was known then", len(then.HandedOver), 0)
}
