package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// sessionBegins judges a client before and after a session, and looks at what was noted of its beginning.
func sessionBegins(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	judge := func(state readiness.State, session time.Time, until time.Duration) {
		v := w.verdict(client, state)
		v.Until = w.now.Add(until)
		if !session.IsZero() {
			v.Appointment = &readiness.Appointment{Source: "ehr", Type: "Appointment", ID: "dosing", Start: session}
		}
		w.decide(v, plan.Changes{})
	}
	move := func() { w.receive(skylight, page(course.On(w.now).Flag("inactive"))) }
	// begins has a session begin two hours after a verdict, with what happens between, and says how it stood.
	begins := func(name string, state readiness.State, until time.Duration, between func(start time.Time), stood string) {
		t.Helper()
		w.now = w.now.Add(24 * time.Hour).Truncate(time.Minute)
		start := w.now.Add(2 * time.Hour)
		judge(state, start, until)
		before := len(w.chart(client).Began)
		between(start)
		got := ""
		if list := w.chart(client).Began; len(list) > before {
			b := list[len(list)-1]
			got = b.State
			if !b.Start.Equal(start) || b.ID != "dosing" || b.Source != "ehr" || b.Prescriber != fhirtest.Prescriber || len(list) != before+1 {
				t.Errorf("%s: %+v", name, b)
			}
		}
		want(t, name, got, stood)
	}
	later := func(after time.Duration, do func()) func(time.Time) {
		return func(time.Time) {
			w.now = w.now.Add(after)
			do()
		}
	}
	next := func() { judge(readiness.InOrder, time.Time{}, time.Hour) }

	begins("judged again before it begins", readiness.Ready, 12*time.Hour, later(time.Hour, next), "")
	begins("READY, and it stood", readiness.Ready, 12*time.Hour, later(3*time.Hour, next), "READY")
	begins("in order, the checks never made, and it stood", readiness.InOrder, 12*time.Hour, later(3*time.Hour, next), "IN-ORDER")
	begins("READY, but its time was over when it began", readiness.Ready, time.Hour, later(3*time.Hour, next), "UNKNOWN")
	begins("READY up to the beginning", readiness.Ready, 2*time.Hour, later(3*time.Hour, next), "UNKNOWN")
	begins("over by time, and judged anew from the same chart about the same session", readiness.InOrder, 2*time.Hour, func(start time.Time) {
		w.now = start.Add(time.Minute)
		judge(readiness.NotReady, start, time.Hour)
	}, "NOT-READY")
	begins("over by time, and the chart moved since", readiness.InOrder, 2*time.Hour, func(start time.Time) {
		w.now = start.Add(time.Minute)
		move()
		judge(readiness.Ready, start, time.Hour)
	}, "UNKNOWN")
	begins("READY, and the chart moved before it began", readiness.Ready, 12*time.Hour, func(start time.Time) {
		w.now = start.Add(-time.Minute)
		move()
		w.now = start.Add(time.Hour)
		next()
	}, "UNKNOWN")
	begins("READY, and the chart moved after it began", readiness.Ready, 12*time.Hour, func(start time.Time) {
		w.now = start.Add(time.Minute)
		move()
		next()
	}, "READY")
	begins("HOLD, and something came before it began that may have lifted it", readiness.Hold, time.Hour, func(start time.Time) {
		w.now = start.Add(-time.Minute)
		move()
		w.now = start.Add(time.Hour)
		next()
	}, "UNKNOWN")
	begins("HOLD, something came, and it is one still", readiness.Hold, time.Hour, func(start time.Time) {
		w.now = start.Add(-time.Minute)
		move()
		w.now = start.Add(time.Hour)
		judge(readiness.Hold, time.Time{}, time.Hour)
	}, "HOLD")
	begins("HOLD, and nothing came, whatever its time", readiness.Hold, time.Hour, later(3*time.Hour, next), "HOLD")
	begins("HOLD, and what came came after it began", readiness.Hold, time.Hour, func(start time.Time) {
		w.now = start.Add(time.Minute)
		move()
		next()
	}, "HOLD")
	begins("noted once, by the first judgement after", readiness.Ready, 12*time.Hour, func(start time.Time) {
		w.now = start.Add(time.Minute)
		judge(readiness.NotReady, start, time.Hour)
		w.now = w.now.Add(time.Minute)
		judge(readiness.Hold, start, time.Hour)
	}, "READY")

	// Two sessions begin between two judgements: the first as the last verdict stood, the second as nobody can tell; and one
	// that the last verdict was not about, nor knew of, is noted all the same.
	w.now = w.now.Add(24 * time.Hour).Truncate(time.Minute)
	first, second := w.now.Add(2*time.Hour), w.now.Add(26*time.Hour)
	judge(readiness.Ready, first, 12*time.Hour)
	before := len(w.chart(client).Began)
	w.now = w.now.Add(30 * time.Hour)
	v := w.verdict(client, readiness.InOrder)
	v.Begun = []readiness.Appointment{{Source: "ehr", Type: "Appointment", ID: "dosing", Start: first}, {Source: "ehr", Type: "Appointment", ID: "second", Start: second}}
	w.decide(v, plan.Changes{})
	w.decide(v, plan.Changes{})
	got := map[string]string{}
	for _, b := range w.chart(client).Began[before:] {
		got[b.ID] = b.State
	}
	want(t, "two began", fmt.Sprint(got), "map[dosing:READY second:UNKNOWN]")

	all := w.chart(client).Began
	past, err := w.Chart(w.ctx, client, all[len(all)-1].Moment-1)
	w.must(err)
	want(t, "a moment before, two fewer", len(past.Began), len(all)-2)

	report, err := w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "the audit", len(report.Broken)+len(report.Altered), 0)
	_, err = w.writer.ExecContext(w.ctx, "UPDATE began SET state = 'READY' WHERE state = 'NOT-READY'")
	w.must(err)
	report, err = w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "altered by hand", len(report.Altered), 1)
}
