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

func handles(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	v := w.verdict(client, readiness.NotReady)
	one := readiness.Finding{ID: "f1", Code: "R17", Severity: readiness.S3, State: readiness.New, Since: w.now}
	two := one
	two.ID = "f2"
	v.Findings = []readiness.Finding{one, two}
	w.decide(v, plan.Changes{})
	did := func(id string, kind readiness.HandlingKind) readiness.Handling {
		return readiness.Handling{Finding: id, Client: client, Prescriber: fhirtest.Prescriber, Kind: kind, Person: "Rosa", Reason: "they rang",
			Until: w.now.Add(time.Hour), Severity: readiness.S3}
	}
	at := func(asOf fhir.Moment) string {
		list, err := w.Handlings(w.ctx, "", asOf)
		w.must(err)
		var out []string
		for _, h := range list {
			out = append(out, string(h.Kind)+" "+h.Finding+" by "+h.Actor)
		}
		return strings.Join(out, ", ")
	}
	newest := func() fhir.Moment {
		m, err := w.Newest(w.ctx)
		w.must(err)
		return m
	}

	nothing := newest()
	w.must(w.Handle(w.ctx, "Rosa", did("f1", readiness.Acknowledge)))
	seen := newest()
	w.must(w.Handle(w.ctx, "Dana", did("f1", readiness.Snooze), did("f2", readiness.Snooze)))
	want(t, "all that was done", at(0), "acknowledge f1 by Rosa, snooze f1 by Dana, snooze f2 by Dana")
	want(t, "what had been done then", at(seen), "acknowledge f1 by Rosa")
	want(t, "what had been done before", at(nothing), "")
	list, err := w.Handlings(w.ctx, client, 0)
	w.must(err)
	if len(list) != 3 || !list[0].At.Equal(w.now) || !list[0].Until.Equal(w.now.Add(time.Hour)) || list[0].Person != "Rosa" || list[0].Reason != "they rang" || list[0].Severity != readiness.S3 || list[0].Moment != seen {
		t.Errorf("it is kept as %+v", list)
	}
	none, err := w.Handlings(w.ctx, "nobody", 0)
	w.must(err)
	want(t, "of another client", len(none), 0)
	want(t, "it makes no verdict stale", len(w.stale()), 0)

	whose, err := w.Whose(w.ctx, "f1")
	w.must(err)
	want(t, "whose it is", whose, client)
	_, err = w.Whose(w.ctx, "f9")
	wantError(t, err, exchange.ErrNotFound)

	wantError(t, w.Handle(w.ctx, "Rosa", did("f9", readiness.Acknowledge)), exchange.ErrNotFound)
	other := did("f1", readiness.Acknowledge)
	other.Client = "another"
	wantError(t, w.Handle(w.ctx, "Rosa", other), exchange.ErrNotFound)
	wantError(t, w.Handle(w.ctx, "Rosa", did("f2", readiness.Acknowledge), did("f9", readiness.Acknowledge)), exchange.ErrNotFound)
	want(t, "one that cannot be kept keeps none", at(0), "acknowledge f1 by Rosa, snooze f1 by Dana, snooze f2 by Dana")
	v.Findings[0].State, v.Findings[0].Resolved = readiness.Resolved, w.now
	w.decide(v, plan.Changes{})
	wantError(t, w.Handle(w.ctx, "Rosa", did("f1", readiness.Acknowledge)), exchange.ErrConflict)

	report, err := w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "broken or altered", len(report.Broken)+len(report.Altered), 0)
	w.exec(`UPDATE handling SET until = until + 1 WHERE finding = 'f2'`)
	report, err = w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "a snooze that was made longer", strings.HasPrefix(strings.Join(report.Altered, ","), "what was done about finding f2"), true)
	w.exec(`DELETE FROM handling WHERE finding = 'f2'`)
	report, err = w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "one that was removed", strings.Contains(strings.Join(report.Altered, ","), "what commit"), true)
}
