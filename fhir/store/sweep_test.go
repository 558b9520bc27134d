package store

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func sweepers(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	clients := map[string]string{}
	for n, patient := range []string{"p1", "p2", "p3"} {
		course := fhirtest.Nth(n+1, w.now)
		w.receive(ehr, page(course.Referral(), course.PatientHere()))
		clients[patient] = w.client(ehr, patient)
	}
	due := func(limit int) string {
		t.Helper()
		patients, err := w.SweepDue(w.ctx, ehr.Name, limit)
		w.must(err)
		return strings.Join(patients, " ")
	}
	books := func(patient string, in time.Duration) {
		v := w.verdict(clients[patient], readiness.NotReady)
		v.Appointment = nil
		if in > 0 {
			v.Appointment = &readiness.Appointment{Source: ehr.Name, Type: "Appointment", ID: "a", Start: w.now.Add(in)}
		}
		w.decide(v, plan.Changes{})
	}
	sweep := func(patient string) { w.sweep(ehr, exchange.Page{Swept: []string{patient}}) }

	want(t, "who was never swept is due", due(9), "p1 p2 p3")
	books("p2", 13*24*time.Hour)
	books("p3", 24*time.Hour)
	want(t, "first who has a session soon, the soonest first", due(9), "p3 p2 p1")
	want(t, "bounded", due(2), "p3 p2")
	w.sweep(ehr, exchange.Page{Swept: []string{"p1"}, Unknowns: 1})
	want(t, "rows were withheld: that was no sweep", due(9), "p3 p2 p1")
	for _, p := range []string{"p1", "p2", "p3"} {
		sweep(p)
	}
	want(t, "swept: nobody is due", due(9), "")
	w.now = w.now.Add(23 * time.Hour)
	books("p2", 40*24*time.Hour)
	want(t, "the next night, whose session is soon", due(9), "p3")
	sweep("p3")
	w.now = w.now.Add(6 * 24 * time.Hour)
	want(t, "within the week everybody, each when it is their turn", due(9), "p1 p2")
	w.must(w.Undo(w.ctx, "me", w.pairID(ehr.Name, "p1", clients["p1"]), "", "another person"))
	want(t, "who is linked no more is not asked for", due(9), "p2")

	w.now = w.now.Add(8 * 24 * time.Hour)
	missed := func(asOf fhir.Moment, at time.Time) int {
		found, err := w.Overlooked(w.ctx, asOf, at)
		w.must(err)
		return found[ehr.Name]
	}
	want(t, "nothing was missed this week", missed(0, w.now), 0)
	course := fhirtest.Nth(3, w.now)
	found := page(course.On(w.now).Dosing(w.now.Add(time.Hour)))
	want(t, "found by the sweep", w.sweep(ehr, found).Missed, 1)
	first, then := w.newest(), w.now
	w.now = w.now.Add(24 * time.Hour)
	found = page(course.On(w.now).Dosing(w.now.Add(2 * time.Hour)))
	want(t, "another day another", w.sweep(ehr, found).Missed, 1)
	want(t, "missed by delta this week", missed(0, w.now), 2)
	want(t, "as was known the day before", missed(first, then), 1)
	w.now = w.now.Add(6 * 24 * time.Hour)
	want(t, "a week after the first", missed(0, w.now), 1)
}
