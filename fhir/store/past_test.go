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

func (w *world) newest() fhir.Moment {
	w.Helper()
	m, err := w.Newest(w.ctx)
	w.must(err)
	return m
}

func keeps(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	w.must(w.Keep(w.ctx, "hub", map[string]string{"a": "1", "b": "1"}))
	first := w.newest()
	w.must(w.Keep(w.ctx, "hub", map[string]string{"a": "1", "b": "1"}))
	want(t, "the same again is no commit", w.newest(), first)
	w.must(w.Keep(w.ctx, "hub", map[string]string{"a": "1", "b": "2"}))
	want(t, "one commit", w.newest(), first+1)
	for _, c := range []struct {
		name, want string
		at         fhir.Moment
	}{{"a", "1", first + 1}, {"b", "1", first}, {"b", "2", first + 1}, {"b", "2", 0}} {
		value, err := w.Setting(w.ctx, c.name, c.at)
		w.must(err)
		want(t, c.name, value, c.want)
	}
	since, err := w.SettingSince(w.ctx, "b")
	w.must(err)
	want(t, "since", since, first)
	since, err = w.SettingSince(w.ctx, "nobody")
	w.must(err)
	want(t, "never", since, 0)
	said, err := w.SettingHistory(w.ctx, "b", 0, 10)
	w.must(err)
	want(t, "what it was", len(said), 2)
	want(t, "the newest first", said[0].Value+said[1].Value, "21")
	want(t, "who set it, and when", said[1].Actor == "hub" && said[1].Moment == first && said[1].At.Equal(morning), true)
	said, err = w.SettingHistory(w.ctx, "b", said[0].Moment, 10)
	w.must(err)
	want(t, "before that", len(said), 1)
	report, err := w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "altered", len(report.Altered)+len(report.Broken), 0)
}

func looks(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	w.must(w.Audit(w.ctx, "me", "before", "", ""))
	m, at, err := w.Look(w.ctx, "me", "view board", "", "")
	w.must(err)
	w.must(w.Audit(w.ctx, "me", "after, in the same millisecond", "", ""))
	want(t, "its time", at.Equal(morning), true)
	then, err := w.MomentAt(w.ctx, at)
	w.must(err)
	want(t, "its time names its moment", then, m)
	e, err := w.Logged(w.ctx, m)
	w.must(err)
	want(t, "the entry", e.Action, "view board")
	_, err = w.Logged(w.ctx, m+9)
	wantError(t, err, exchange.ErrNotFound)
}

// Each way in which an engagement comes to be judged again, seen from the moment before, from its own, and from after the
// next judgement.
func moved(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	e := Engagement{Client: client, Prescriber: fhirtest.Prescriber}
	stood := func(asOf fhir.Moment) bool {
		s, err := w.Standing(w.ctx, e, asOf)
		w.must(err)
		want(t, "judged", s.Judged, true)
		board, err := w.Board(w.ctx, asOf)
		w.must(err)
		want(t, "the board says the same", board[0].Moved, s.Moved)
		return !s.Moved
	}
	var d exchange.Delivery
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"a record came", func() { w.receive(skylight, page(course.On(w.now).Flag("active"))) }},
		{"a source failed", func() { w.must(w.DB.Failed(w.ctx, skylight, "temporary")) }},
		{"a source came back", func() { w.receive(skylight, page()) }},
		{"a delivery did not go", func() {
			f, _, err := w.Attempt(w.ctx, d.ID, time.Minute)
			w.must(err)
			w.must(w.Defer(w.ctx, f, w.now.Add(time.Minute), "unavailable"))
		}},
		{"a source was read once more, and it was UNKNOWN for want of that", func() { w.receive(ehr, page()) }},
	} {
		v := w.verdict(client, readiness.Unknown)
		v.Findings = []readiness.Finding{{ID: "f", Code: "R44"}}
		d = delivery(client, "", c.name)
		w.decide(v, plan.Changes{Stage: []exchange.Delivery{d}})
		before := w.newest()
		w.now = w.now.Add(time.Minute)
		c.do()
		after := w.newest()
		look := func(when string) {
			t.Helper()
			want(t, c.name+": it stood before, told "+when, stood(before), true)
			want(t, c.name+": it stood after, told "+when, stood(after), false)
		}
		look("at once")
		want(t, c.name+": it stands now", stood(0), false)
		w.must(w.DB.Failed(w.ctx, skylight, "temporary")) // moved once more: since when it does not stand is the first
		look("when it moved once more")
		w.receive(skylight, page(course.On(w.now).Flag("inactive")))
		look("when another record came")
		w.receive(skylight, page())
		w.decide(w.verdict(client, readiness.InOrder), plan.Changes{})
		want(t, c.name+": judged again, it stands", stood(0), true)
		look("when it was judged again")
	}
}

func openThen(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a, b := delivery(client, "", "a"), delivery(client, "", "b")
	w.decide(w.verdict(client, readiness.NotReady), plan.Changes{Stage: []exchange.Delivery{a, b}})
	staged := w.newest()
	again := w.now.Add(7 * time.Minute)
	f, _, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	tried := w.newest()
	w.must(w.Defer(w.ctx, f, again, "unavailable"))
	deferred := w.newest()
	w.must(w.Withdraw(w.ctx, b.ID, "not wanted"))
	w.now = again
	f, _, err = w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeCreated}))

	open := func(asOf fhir.Moment) []exchange.Entry {
		list, err := w.Open(w.ctx, asOf)
		w.must(err)
		return list
	}
	want(t, "before", len(open(staged-1)), 0)
	then := open(staged)
	want(t, "staged", len(then), 2)
	want(t, "the first", then[0].ID, a.ID)
	want(t, "its state", then[0].State, exchange.Staged)
	want(t, "its due time", then[0].Due.Equal(morning), true)
	want(t, "tried", open(tried)[0].State, exchange.Attempted)
	then = open(deferred)
	want(t, "deferred", then[0].State, exchange.Staged)
	want(t, "tries", then[0].Attempts, 1)
	want(t, "why", then[0].Why, "unavailable")
	want(t, "due again", then[0].Due.Equal(again), true)
	want(t, "one withdrawn", len(open(deferred+1)), 1)
	want(t, "now", len(open(0)), 0)

	p := page()
	p.Rejects = []fhir.Reject{{Reason: "no JSON", Body: []byte("<html>")}}
	w.receive(ehr, p)
	came := w.newest()
	list, err := w.RejectsAt(w.ctx, came)
	w.must(err)
	w.must(w.Resolve(w.ctx, "admin", list[0].ID, "nothing"))
	list, err = w.RejectsAt(w.ctx, came)
	w.must(err)
	want(t, "open then", len(list), 1)
	want(t, "not resolved yet", list[0].Resolved, "")
	list, err = w.RejectsAt(w.ctx, w.newest())
	w.must(err)
	want(t, "resolved since", len(list), 0)
}
