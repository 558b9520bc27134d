package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func asOf(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	then := w.chart(client).Moment
	w.now = w.now.Add(time.Hour)
	w.receive(skylight, page(course.On(w.now).Clearance(fhir.DecisionWithdrawn, course.Day(0), course.Day(1))))
	w.decide(w.verdict(client, readiness.Hold), plan.Changes{})

	past, err := w.Chart(w.ctx, client, then)
	w.must(err)
	want(t, "observations then", len(past.Observations), 2)
	want(t, "observations now", len(w.chart(client).Observations), 3)
	want(t, "source then", past.Sources[0].LastComplete.Equal(morning), true)
	e := Engagement{Client: client, Prescriber: fhirtest.Prescriber}
	s, err := w.Standing(w.ctx, e, then)
	w.must(err)
	want(t, "verdict then", s.Verdict.State, readiness.InOrder)
	want(t, "moved then", s.Moved, false)
	s, err = w.Standing(w.ctx, e, 0)
	w.must(err)
	want(t, "verdict now", s.Verdict.State, readiness.Hold)
	board, err := w.Board(w.ctx, then)
	w.must(err)
	want(t, "board then", board[0].Verdict.State, readiness.InOrder)
	board, err = w.Board(w.ctx, 1)
	w.must(err)
	want(t, "board on the first day", len(board), 1)
	want(t, "not judged yet", board[0].Judged, false)
	shifts, err := w.BoardSince(w.ctx, 0, then)
	w.must(err)
	want(t, "the board of then", fmt.Sprint(len(shifts), shifts[0].Anew, shifts[0].Verdict.State, shifts[0].Moved), "1 trueIN-ORDERfalse")
	shifts, err = w.BoardSince(w.ctx, then, w.newest())
	w.must(err)
	want(t, "who was judged since", fmt.Sprint(len(shifts), shifts[0].Anew, shifts[0].Verdict.State, shifts[0].Moved), "1 trueHOLDfalse")
	shifts, err = w.BoardSince(w.ctx, w.newest(), w.newest())
	w.must(err)
	want(t, "nobody since", len(shifts), 0)
	m, err := w.MomentAt(w.ctx, morning.Add(time.Minute))
	w.must(err)
	want(t, "the moment", m, then)
	m, err = w.MomentAt(w.ctx, morning.Add(-time.Minute))
	w.must(err)
	want(t, "before all time", m, 0)
	_, err = w.Chart(w.ctx, "c-nobody", 0)
	wantError(t, err, exchange.ErrNotFound)
}

func decideConflicts(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	old := w.verdict(client, readiness.Ready)
	w.receive(skylight, page(course.On(w.now).Flag("active")))
	d := delivery(client, "lane", "1")
	wantError(t, w.Decide(w.ctx, old, plan.Changes{Stage: []exchange.Delivery{d}}), exchange.ErrConflict)
	_, err := w.Delivery(w.ctx, d.ID)
	wantError(t, err, exchange.ErrNotFound)
	want(t, "stale", fmt.Sprint(w.stale()), fmt.Sprintf("[{%s skylight}]", client))
	w.decide(w.verdict(client, readiness.Hold), plan.Changes{Stage: []exchange.Delivery{d, d}})
	want(t, "stale", len(w.stale()), 0)
	l, err := w.Ledger(w.ctx, Engagement{Client: client, Prescriber: fhirtest.Prescriber})
	w.must(err)
	want(t, "ledger", len(l), 1)
	want(t, "what it rests on", fmt.Sprint(l[0].Rests, *l[0].Release), fmt.Sprint(d.Rests, *d.Release))
	wantError(t, w.Decide(w.ctx, readiness.Verdict{Client: "c-nobody", Prescriber: "skylight"}, plan.Changes{}), exchange.ErrNotFound)
}

func judgesAgain(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	e := Engagement{Client: client, Prescriber: fhirtest.Prescriber}
	count := func() (n int) {
		rows, err := w.read.VerdictsFrom(w.ctx, everyVerdict)
		w.must(err)
		return len(rows)
	}
	before := w.chart(client).Moment
	want(t, "verdicts", count(), 1)
	w.now = w.now.Add(13 * time.Hour)
	want(t, "its time has passed", len(w.stale()), 1)
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{})
	want(t, "verdicts", count(), 1)
	want(t, "stale", len(w.stale()), 0)
	now, err := w.Standing(w.ctx, e, 0)
	w.must(err)
	want(t, "until", now.Verdict.Until.Equal(w.now.Add(12*time.Hour)), true)
	then, err := w.Standing(w.ctx, e, before)
	w.must(err)
	want(t, "until, then", then.Verdict.Until.Equal(morning.Add(12*time.Hour)), true)

	v := w.verdict(client, readiness.NotReady)
	v.Findings = []readiness.Finding{{ID: "f1", Code: "R17", Severity: readiness.S3, State: readiness.New}}
	w.decide(v, plan.Changes{})
	want(t, "verdicts", count(), 2)
	list, err := w.Stale(w.ctx, w.now, map[string]string{fhirtest.Prescriber: "p2", "nobody": "p1"}, 10)
	w.must(err)
	want(t, "another policy", len(list), 1)
}

func recovers(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	w.now = w.now.Add(15 * time.Minute)
	w.receive(skylight, page())
	w.receive(ehr, page())
	want(t, "a fresh source read once more touches nobody", len(w.stale()), 0)
	w.must(w.DB.Failed(w.ctx, skylight, "temporary"))
	want(t, "complete", w.source("skylight").Complete, false)
	want(t, "why", w.source("skylight").Why, "temporary")
	want(t, "judged again", len(w.stale()), 1)
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{})
	w.receive(skylight, page())
	want(t, "and again", len(w.stale()), 1)

	v := w.verdict(client, readiness.Unknown)
	v.Findings = []readiness.Finding{{ID: "f", Code: "R44"}}
	w.decide(v, plan.Changes{})
	w.receive(ehr, page())
	want(t, "nothing new: complete at the same time", len(w.stale()), 0)
	w.now = w.now.Add(time.Minute)
	w.receive(ehr, page())
	want(t, "UNKNOWN for want of a read is judged after one", len(w.stale()), 1)
	more := page()
	more.More, more.Unknowns = true, 2
	w.receive(ehr, more)
	want(t, "complete until the read has ended", w.source("ehr").Complete, true)
	w.receive(ehr, page())
	want(t, "rows withheld on an earlier page", w.source("ehr").Complete, false)
	w.receive(ehr, page())
	want(t, "complete", w.source("ehr").Complete, true)
}
