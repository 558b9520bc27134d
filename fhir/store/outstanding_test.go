package store

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// outstandings follows one delivery through its life, and asks at the end once more what each moment knew.
func outstandings(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a := delivery(client, "x", "a")
	type seen struct {
		moment fhir.Moment
		fhir.Outstanding
	}
	var life []seen
	look := func(state exchange.State, since time.Time, attempts int, why string) {
		t.Helper()
		c := w.chart(client)
		if state == "" {
			want(t, "outstanding", len(c.Outstanding), 0)
			life = append(life, seen{moment: c.Moment})
			return
		}
		want(t, "outstanding", len(c.Outstanding), 1)
		o := c.Outstanding[0]
		want(t, "state", o.State, string(state))
		want(t, "since", o.Since.Unix(), since.Unix())
		want(t, "attempts", o.Attempts, attempts)
		want(t, "why", o.Why, why)
		want(t, "rests on", len(o.Rests), 1)
		life = append(life, seen{c.Moment, o})
	}
	look("", time.Time{}, 0, "")
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a}})
	look(exchange.Staged, time.Time{}, 0, "")
	first := w.now
	f, _, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	look(exchange.Attempted, first, 1, "")
	w.must(w.Defer(w.ctx, f, w.now.Add(time.Minute), "temporary"))
	want(t, "a failed try has the client judged again", len(w.stale()), 1)
	look(exchange.Staged, first, 1, "temporary")
	w.now = w.now.Add(time.Hour)
	f, _, err = w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	look(exchange.Attempted, first, 2, "temporary")
	w.must(w.Lost(w.ctx, f, w.now.Add(time.Minute), "reply lost"))
	look(exchange.Attempted, first, 2, "reply lost")
	w.now = w.now.Add(time.Hour)
	f, _, err = w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeUnknown}))
	look(exchange.Unknown, w.now, 3, "outcome unknown")
	w.now = w.now.Add(time.Hour)
	w.must(w.Retry(w.ctx, "admin", a.ID, 0))
	look(exchange.Attempted, w.now, 3, "tried again by hand")
	f, _, err = w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeExisted, Ref: fhir.Ref{Type: "Task", ID: "t1"}}))
	look("", time.Time{}, 0, "")

	for _, then := range life {
		c, err := w.Chart(w.ctx, client, then.moment)
		w.must(err)
		if then.ID == "" {
			want(t, "outstanding then", len(c.Outstanding), 0)
			continue
		}
		want(t, "outstanding then", len(c.Outstanding), 1)
		got := c.Outstanding[0]
		want(t, "state then", got.State, then.State)
		want(t, "since then", got.Since, then.Since)
		want(t, "attempts then", got.Attempts, then.Attempts)
		want(t, "last try then", got.Last, then.Last)
		want(t, "why then", got.Why, then.Why)
	}
}

// What was refused is made good by a later delivery of the same copy, and only by such a one.
func superseded(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a, b, other := delivery(client, "x", "a"), delivery(client, "x", "b"), delivery(client, "x", "c")
	b.Copy = a.Copy
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a, other}})
	f, _, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeRefused}))
	before := w.chart(client)
	want(t, "before the later one is staged", before.Outstanding[0].Superseded, false)
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{b}})
	after := w.chart(client)
	want(t, "outstanding", len(after.Outstanding), 3)
	for i, expect := range []bool{true, false, false} {
		want(t, "superseded", after.Outstanding[i].Superseded, expect)
	}
	then, err := w.Chart(w.ctx, client, before.Moment)
	w.must(err)
	want(t, "as it was then", then.Outstanding[0].Superseded, false)
}

// What was refused and is not wanted any more is taken back, and the verdict that still speaks of it is judged again.
func takenBack(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a := delivery(client, "x", "a")
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a}})
	f, _, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeRefused}))
	want(t, "outstanding", len(w.chart(client).Outstanding), 1)
	w.decide(w.verdict(client, readiness.NotReady), plan.Changes{Withdraw: []string{a.ID}})
	want(t, "outstanding", len(w.chart(client).Outstanding), 0)
	want(t, "judged again", len(w.stale()), 1)
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{})
	want(t, "and then no more", len(w.stale()), 0)
}
