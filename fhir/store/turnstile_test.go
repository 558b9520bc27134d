package store

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func turns(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	five := exchange.Pace{Turns: 5, Each: 200 * time.Millisecond, Burst: 10}
	take := func(counterpart string) (time.Duration, time.Time) {
		wait, rests, err := w.Turns(w.ctx, counterpart, five)
		w.must(err)
		return wait, rests
	}
	for i, wanted := range []time.Duration{0, 0, time.Second, 2 * time.Second} {
		wait, rests := take("partner.example")
		want(t, "wait of "+string(rune('1'+i)), wait, wanted)
		want(t, "nobody rests", rests.IsZero(), true)
	}
	wait, _ := take("other.example")
	want(t, "another counterpart's turns are its own", wait, 0)
	w.now = w.now.Add(time.Hour)
	wait, _ = take("partner.example")
	want(t, "after an hour there is no debt", wait, 0)
	until := w.now.Add(time.Minute)
	w.must(w.Rest(w.ctx, "partner.example", until))
	_, rests := take("partner.example")
	want(t, "left in peace until", rests.Equal(until), true)
	told, err := w.Rests(w.ctx, "partner.example")
	w.must(err)
	want(t, "and it can be asked", told.Equal(until), true)
	told, err = w.Rests(w.ctx, "nobody.example")
	w.must(err)
	want(t, "one whom nobody asked", told.IsZero(), true)
	w.must(w.Rest(w.ctx, "new.example", until))
	_, rests = take("new.example")
	want(t, "one that nobody asked yet rests too", rests.Equal(until), true)
	w.must(w.Rest(w.ctx, "partner.example", time.Time{}))
	_, rests = take("partner.example")
	want(t, "it answers again", rests.IsZero(), true)
}

func lastSent(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	last := func() time.Time {
		at, err := w.LastSent(w.ctx, "skylight", w.now.Add(-time.Hour))
		w.must(err)
		return at
	}
	d := delivery(client, "", "a")
	w.decide(w.verdict(client, readiness.NotReady), plan.Changes{Stage: []exchange.Delivery{d}})
	want(t, "staged is not sent", last().IsZero(), true)
	_, _, err := w.Attempt(w.ctx, d.ID, time.Minute)
	w.must(err)
	want(t, "a try counts", last().Equal(w.now), true)
	w.now = w.now.Add(2 * time.Hour)
	want(t, "too long ago to ask for", last().IsZero(), true)
}
