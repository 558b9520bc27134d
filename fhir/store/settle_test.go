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

// newest tells of each state its newest deliveries first, and of each lane who goes ahead.
func newest(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	var ids []string
	for i := range 3 {
		d := delivery(client, "", "newest "+num(int64(i)))
		d.Lane = "lane of " + client
		w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{d}})
		ids = append(ids, d.ID)
	}
	f, _, err := w.Attempt(w.ctx, ids[0], time.Minute)
	w.must(err)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeUnknown, At: w.now}))
	list, err := w.Latest(w.ctx, exchange.Staged, 1)
	w.must(err)
	want(t, "one", len(list), 1)
	want(t, "the newest", list[0].ID, ids[2])
	want(t, "with its steps", len(list[0].Steps), 1)
	one, err := w.Recorded(w.ctx, ids[0])
	w.must(err)
	want(t, "state", one.State, exchange.Unknown)
	want(t, "steps", len(one.Steps), 3)
	_, err = w.Recorded(w.ctx, "nobody's")
	wantError(t, err, exchange.ErrNotFound)
	ahead, err := w.Ahead(w.ctx)
	w.must(err)
	want(t, "who goes ahead is of unknown outcome", ahead["lane of "+client].ID, ids[0])
}

// settles tries every word of a person on a delivery in every state.
func settles(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	n := 0
	// at brings a new delivery into a state.
	at := func(state exchange.State) string {
		t.Helper()
		n++
		d := delivery(client, "", "settled "+num(int64(n)))
		w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{d}})
		if state == exchange.Staged {
			return d.ID
		}
		f, _, err := w.Attempt(w.ctx, d.ID, time.Minute)
		w.must(err)
		switch state {
		case exchange.Attempted:
			w.must(w.Lost(w.ctx, f, w.now.Add(time.Hour), "temporary"))
		case exchange.Withdrawn:
			w.must(w.Defer(w.ctx, f, w.now, "temporary"))
			w.must(w.Withdraw(w.ctx, d.ID, "not wanted"))
		default:
			outcome := map[exchange.State]exchange.Outcome{exchange.Unknown: exchange.OutcomeUnknown, exchange.Refused: exchange.OutcomeRefused,
				exchange.LaidOut: exchange.OutcomeLaidOut, exchange.Delivered: exchange.OutcomeCreated}[state]
			w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: outcome, At: w.now}))
		}
		return d.ID
	}
	const conflict exchange.State = "conflict"
	for _, row := range []struct {
		from                         exchange.State
		told, notThere, handedOver   exchange.State
		toldAs, notThereAs, handedAs exchange.Certainty
	}{
		{exchange.Staged, exchange.Delivered, conflict, conflict, exchange.Received, "", ""},
		{exchange.Attempted, exchange.Delivered, exchange.Staged, conflict, exchange.Received, exchange.SaidNot, exchange.MayHave},
		{exchange.Unknown, exchange.Delivered, exchange.Staged, conflict, exchange.Received, exchange.SaidNot, exchange.MayHave},
		{exchange.Refused, exchange.Delivered, conflict, conflict, exchange.Received, exchange.TurnedDown, exchange.TurnedDown},
		{exchange.LaidOut, exchange.Delivered, exchange.Withdrawn, exchange.Delivered, exchange.Received, "", exchange.HandedOver},
		{exchange.Delivered, conflict, conflict, conflict, exchange.Received, exchange.Received, exchange.Received},
		{exchange.Withdrawn, conflict, conflict, conflict, "", "", ""},
	} {
		for outcome, expect := range map[exchange.Outcome]struct {
			state exchange.State
			as    exchange.Certainty
		}{exchange.OutcomeTold: {row.told, row.toldAs}, exchange.OutcomeNotThere: {row.notThere, row.notThereAs}, exchange.OutcomeHandedOver: {row.handedOver, row.handedAs}} {
			id := at(row.from)
			name := string(row.from) + ", " + string(outcome)
			err := w.Settle(w.ctx, "admin", id, 0, exchange.Receipt{Outcome: outcome, By: "Robin", At: w.now})
			e, readErr := w.Delivery(w.ctx, id)
			w.must(readErr)
			if expect.state == conflict {
				wantError(t, err, exchange.ErrConflict)
				want(t, name+" changes nothing", e.State, row.from)
			} else {
				w.must(err)
				want(t, name, e.State, expect.state)
				want(t, name+": who says so", e.Receipt.By, "Robin")
			}
			steps, err := w.History(w.ctx, id)
			w.must(err)
			as, when := exchange.Disclosed(steps)
			want(t, name+", in the accounting", as, expect.as)
			want(t, name+": when", when.IsZero(), as == exchange.NotDisclosed)
		}
	}
	if err := w.Settle(w.ctx, "admin", at(exchange.Unknown), 0, exchange.Receipt{Outcome: exchange.OutcomeTold}); err == nil {
		t.Error("nobody's word settled it")
	}
	id := at(exchange.Staged)
	_, _, err := w.Attempt(w.ctx, id, time.Minute)
	w.must(err)
	wantError(t, w.Settle(w.ctx, "admin", id, 0, exchange.Receipt{Outcome: exchange.OutcomeTold, By: "Robin"}), exchange.ErrBusy)
	wantError(t, w.Retry(w.ctx, "admin", id, 0), exchange.ErrBusy)

	id = at(exchange.Unknown) // two look at it, at two replicas, and both act
	saw, err := w.Delivery(w.ctx, id)
	w.must(err)
	w.must(w.Settle(w.ctx, "ann", id, saw.Moment, exchange.Receipt{Outcome: exchange.OutcomeNotThere, By: "Ann"}))
	wantError(t, w.Settle(w.ctx, "bo", id, saw.Moment, exchange.Receipt{Outcome: exchange.OutcomeTold, By: "Bo"}), ErrMoved)
	wantError(t, w.Retry(w.ctx, "bo", id, saw.Moment), ErrMoved)
	now, err := w.Delivery(w.ctx, id)
	w.must(err)
	want(t, "the first one's word stands", string(now.State)+" "+now.Receipt.By, "staged Ann")
	honest(t, w)
}

// settledNot is one whose earlier tries may have arrived until a person said that they did not: then a try that surely did
// not go leaves it staged, and only one that may have arrived makes it doubtful again.
func settledNot(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a := delivery(client, "x", "a")
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a}})
	try := func(end func(Fence) error) exchange.Entry {
		t.Helper()
		f, _, err := w.Attempt(w.ctx, a.ID, time.Minute)
		w.must(err)
		w.must(end(f))
		e, err := w.Delivery(w.ctx, a.ID)
		w.must(err)
		return e
	}
	lost := func(f Fence) error { return w.Lost(w.ctx, f, w.now, "lost") }
	not := func(f Fence) error { return w.Defer(w.ctx, f, w.now, "temporary") }
	try(lost)
	try(lost)
	want(t, "after a try that may have arrived", try(not).State, exchange.Attempted)
	w.must(w.Settle(w.ctx, "admin", a.ID, 0, exchange.Receipt{Outcome: exchange.OutcomeNotThere, By: "Robin"}))
	want(t, "after a person's word", try(not).State, exchange.Staged)
	want(t, "tries begin with no answer", try(not).Receipt == nil, true)
	try(lost)
	want(t, "doubtful again", try(not).State, exchange.Attempted)

	// A refusal does not undo that an earlier try may have arrived.
	try(func(f Fence) error { return w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeRefused}) })
	w.must(w.Retry(w.ctx, "admin", a.ID, 0))
	_, before, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	want(t, "it is asked about first", before.State, exchange.Attempted)
}

// retries makes everything due that a person can have tried again.
func retries(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a, b := delivery(client, "", "a"), delivery(client, "", "b")
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a, b}})
	wantError(t, w.Retry(w.ctx, "admin", b.ID, 0), exchange.ErrConflict) // due already
	f, _, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Defer(w.ctx, f, w.now.Add(time.Hour), "temporary"))
	want(t, "due", len(w.due()), 1)
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{})
	w.must(w.Retry(w.ctx, "admin", a.ID, 0))
	want(t, "due", len(w.due()), 2)
	want(t, "judged again before it is sent", len(w.stale()), 1)
}

func tellings(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	call := exchange.Telling{Client: client, Party: fhirtest.Prescriber, Recipient: "Skylight, the nurse on call", At: w.now.Add(-time.Hour), How: "phone",
		What: "an adverse reaction after the session", Purpose: "safety", By: "Robin"}
	first, err := w.Tell(w.ctx, "admin", call)
	w.must(err)
	call.Instead, call.What = first, "a reaction, settled within the hour"
	second, err := w.Tell(w.ctx, "admin", call)
	w.must(err)
	_, err = w.Tell(w.ctx, "admin", call)
	wantError(t, err, exchange.ErrConflict)
	call.Instead = "t-0"
	_, err = w.Tell(w.ctx, "admin", call)
	wantError(t, err, exchange.ErrNotFound)
	call.Client, call.Instead = "c-nobody", ""
	_, err = w.Tell(w.ctx, "admin", call)
	wantError(t, err, exchange.ErrNotFound)

	_, told, err := w.Account(w.ctx, client)
	w.must(err)
	want(t, "entries", len(told), 2)
	want(t, "the first", told[0].ID, first)
	want(t, "is corrected", told[0].Corrected, true)
	want(t, "by the second", told[1].ID, second)
	want(t, "which stands", told[1].Corrected, false)
	want(t, "as it was told", told[1].What, "a reaction, settled within the hour")
	honest(t, w)
	w.exec(`UPDATE telling SET what = 'nothing'`)
	report, err := w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "altered", len(report.Altered), 2)
}

// honest fails unless the audit finds the store as it was written.
func honest(t *testing.T, w *world) {
	t.Helper()
	var done, total int64
	report, err := w.VerifyAudit(w.ctx, func(d, t int64) { done, total = d, t })
	w.must(err)
	if len(report.Broken)+len(report.Altered) > 0 {
		t.Errorf("the audit: %+v", report)
	}
	want(t, "all was looked at", done, total)
}

// accounts reads every delivery of a client with its steps.
func accounts(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a, b := delivery(client, "", "a"), delivery(client, "", "b")
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a, b}})
	sent := w.now
	f, _, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Lost(w.ctx, f, w.now, "create: temporary"))
	w.now = w.now.Add(time.Hour)
	f, _, err = w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeExisted, Ref: fhir.Ref{Type: "Task", ID: "t1"}, At: w.now}))
	all, _, err := w.Account(w.ctx, client)
	w.must(err)
	want(t, "deliveries", len(all), 2)
	as, when := exchange.Disclosed(all[0].Steps)
	want(t, "the first", as, exchange.Received)
	want(t, "when it was sent", when.Equal(sent), true)
	tries := exchange.Tries(all[0].Steps)
	want(t, "tries", len(tries), 2)
	want(t, "the first ended", tries[0].End, exchange.EndLost)
	want(t, "and why", tries[0].Why, "create: temporary")
	want(t, "the second ended", tries[1].End, exchange.EndArrived)
	as, _ = exchange.Disclosed(all[1].Steps)
	want(t, "the second", as, exchange.NotDisclosed)
}
