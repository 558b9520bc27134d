package store

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store/storetest"
)

const (
	benchClients = 1000
	benchPage    = 500
)

// tenThousand are ten resources of about 3 KB for each of a thousand clients, as the practice tells them.
func tenThousand(b *testing.B) []fhir.Resource {
	b.Helper()
	list := make([]fhir.Resource, 0, 10*benchClients)
	filler := make([]byte, 2400)
	for i := range filler {
		filler[i] = 'a' + byte(i%26)
	}
	for n := range benchClients {
		c := fhirtest.Nth(n+1, morning)
		versions := []fhir.Version{c.PatientHere(), c.Referral(), c.Release(), c.TreatmentConsent()}
		for i := range 6 {
			versions = append(versions, c.Dosing(c.Session, fhirtest.Set("id", fmt.Sprintf("a%d-%d", n, i))))
		}
		for _, v := range versions {
			body, err := fhir.Apply(v.Resource.Body, fhir.Edit{Path: "text", Value: map[string]any{"status": "generated", "div": "<div>" + string(filler) + "</div>"}})
			if err != nil {
				b.Fatal(err)
			}
			r, err := fhir.Parse(body, "")
			if err != nil {
				b.Fatal(err)
			}
			list = append(list, r)
		}
	}
	return list
}

// BenchmarkReceive stores 10,000 resources, and by turns the same bytes by bare inserts into the same encrypted engine,
// in as many transactions. "of-raw" compares the best of each: 1 would be as fast as bare inserts.
func BenchmarkReceive(b *testing.B) {
	resources := tenThousand(b)
	for _, engine := range engines {
		b.Run(engine.name, func(b *testing.B) {
			var ours, raw time.Duration
			for b.Loop() {
				ours = best(ours, receiveAll(b, newWorld(b, engine.fresh(b)), resources))
				b.StopTimer()
				raw = best(raw, insertAll(b, newWorld(b, engine.fresh(b)), resources))
				b.StartTimer()
			}
			b.ReportMetric(float64(len(resources))/ours.Seconds(), "resources/s")
			b.ReportMetric(float64(len(resources))/raw.Seconds(), "raw/s")
			b.ReportMetric(raw.Seconds()/ours.Seconds(), "of-raw")
		})
	}
}

func best(before, now time.Duration) time.Duration {
	if before == 0 {
		return now
	}
	return min(before, now)
}

func receiveAll(b *testing.B, w *world, resources []fhir.Resource) time.Duration {
	b.Helper()
	l := w.leaseOf(ehr)
	began := time.Now()
	for i := 0; i < len(resources); i += benchPage {
		p := exchange.Page{Resources: resources[i : i+benchPage], Next: exchange.Cursor(fmt.Sprint(i)), More: true}
		c, err := w.Receive(b.Context(), ehr, l, w.since["ehr"], p)
		if err != nil || c.Versions != benchPage {
			b.Fatal(c, err)
		}
		w.since["ehr"] = p.Next
	}
	return time.Since(began)
}

func insertAll(b *testing.B, w *world, resources []fhir.Resource) time.Duration {
	b.Helper()
	w.exec("CREATE TABLE raw (source text, type text, id text, n bigint, body text, PRIMARY KEY (source, type, id, n))")
	began := time.Now()
	for i := 0; i < len(resources); i += benchPage {
		rawPage(b, w, resources[i:i+benchPage])
	}
	return time.Since(began)
}

func rawPage(b *testing.B, w *world, resources []fhir.Resource) {
	b.Helper()
	tx, err := w.writer.BeginTx(b.Context(), nil)
	w.must(err)
	insert, err := tx.PrepareContext(b.Context(), "INSERT INTO raw (source, type, id, n, body) VALUES ($1, $2, $3, $4, $5)")
	w.must(err)
	defer func() { w.must(insert.Close()) }()
	for _, r := range resources {
		_, err := insert.ExecContext(b.Context(), "ehr", r.Type, r.ID, int64(1), string(r.Body))
		w.must(err)
	}
	w.must(tx.Commit())
}

// BenchmarkCycle judges ten clients that moved, among few and among many.
func BenchmarkCycle(b *testing.B) {
	for _, engine := range engines {
		for _, many := range []int{1000, 50000} {
			b.Run(fmt.Sprintf("%s/%d", engine.name, many), func(b *testing.B) {
				w := newWorld(b, engine.fresh(b))
				w.fill(many)
				policies := map[string]string{fhirtest.Prescriber: "p1"}
				for b.Loop() {
					b.StopTimer()
					w.exec(fmt.Sprintf("UPDATE engagement SET due = 0 WHERE client IN (SELECT client FROM engagement ORDER BY client LIMIT 10 OFFSET %d)", many/2))
					b.StartTimer()
					w.cycle(b.Context(), policies)
				}
			})
		}
	}
}

// fill makes clients with one link, one record and one settled verdict each.
func (w *world) fill(many int) {
	w.Helper()
	course := fhirtest.Client(w.now)
	referral, patient := course.Referral().Resource, course.PatientHere().Resource
	const size = 1000
	for i := 0; i < many; i += size {
		p := exchange.Page{Next: exchange.Cursor(fmt.Sprint(i)), Complete: true}
		for n := i; n < i+size; n++ {
			body, err := fhir.Apply(referral.Body, fhirtest.Set("id", fmt.Sprintf("r%d", n)), fhirtest.Set("subject.reference", fmt.Sprintf("Patient/x%d", n)))
			w.must(err)
			r, err := fhir.Parse(body, "")
			w.must(err)
			p.Resources = append(p.Resources, r)
		}
		if i == 0 {
			p.Resources = append(p.Resources, patient)
		}
		_, err := w.Receive(w.ctx, ehr, w.leaseOf(ehr), w.since["ehr"], p)
		w.must(err)
		w.since["ehr"] = p.Next
	}
	w.exec(fmt.Sprintf("UPDATE engagement SET due = %d, policy = 'p1', state = 'IN-ORDER', chart = moved", ms(w.now.Add(time.Hour))))
	if w.pool != nil {
		w.exec("VACUUM ANALYZE engagement, version, link") // as PostgreSQL does by itself after a while
	}
}

func (w *world) cycle(ctx context.Context, policies map[string]string) {
	w.Helper()
	list, err := w.Stale(ctx, w.now, policies, 100)
	w.must(err)
	want(w.TB, "moved", len(list), 10)
	for _, e := range list {
		chart, err := w.Chart(ctx, e.Client, 0)
		w.must(err)
		v := readiness.Verdict{Client: e.Client, Prescriber: e.Prescriber, State: readiness.NotReady, Judged: w.now,
			Until: w.now.Add(time.Hour), Moment: chart.Moment, Policy: "p1"}
		w.must(w.Decide(ctx, v, plan.Changes{}))
	}
}

var engines = []struct {
	name  string
	fresh func(testing.TB) string
}{
	{"sqlite", func(t testing.TB) string { return filepath.Join(t.TempDir(), "kaphub.db") }},
	{"postgres", storetest.Postgres},
}
