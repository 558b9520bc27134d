package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/jobs/pull"
	"github.com/kaphub/kaphub/jobs/reconcile"
)

// The ratios that the project promises are computed by .ci/ratios from the benchmarks below, measured in one run.

var benchNow = time.Date(2026, 3, 3, 16, 15, 0, 0, time.UTC)

func benchStore(b *testing.B) *store.DB {
	b.Helper()
	db, err := store.Open(b.Context(), store.Options{
		DSN: filepath.Join(b.TempDir(), "kaphub.db"), Key: store.NewKey(), Now: func() time.Time { return benchNow },
		Recogniser: fhir.Recogniser{Prescribers: []fhir.Known{fhirtest.Known}},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db
}

// told is a source that tells raw resources, a page at a time, each through the gate.
type told struct {
	bodies [][]byte
	page   int
}

func (t told) Pull(_ context.Context, since exchange.Cursor, _ exchange.Roster) (exchange.Page, error) {
	at, _ := strconv.Atoi(string(since))
	end := min(at+t.page, len(t.bodies))
	p := exchange.Page{Next: exchange.Cursor(strconv.Itoa(end)), More: end < len(t.bodies), Complete: end == len(t.bodies)}
	for _, body := range t.bodies[at:end] {
		r, err := fhir.Parse(body, "")
		if err != nil {
			return p, err
		}
		p.Resources = append(p.Resources, r)
		if r.Type == "Patient" { // a page tells all there is of its patients
			p.Swept = append(p.Swept, r.ID)
		}
	}
	return p, nil
}

// tenThousandBodies are ten resources of about 3 KB for each of a thousand clients, as a practice's server tells them.
func tenThousandBodies(b *testing.B) [][]byte {
	b.Helper()
	note := map[string]any{"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">" + strings.Repeat("abcdefghij", 240) + "</div>"}
	var bodies [][]byte
	for n := range 1000 {
		c := fhirtest.Nth(n+1, benchNow)
		versions := []fhir.Version{c.PatientHere(), c.Referral(), c.Release(), c.TreatmentConsent()}
		for i := range 6 {
			versions = append(versions, c.Dosing(c.Session, fhirtest.Set("id", fmt.Sprintf("a%d-%d", n, i))))
		}
		for _, v := range versions {
			body, err := fhir.Apply(v.Resource.Body, fhirtest.Set("text", note))
			if err != nil {
				b.Fatal(err)
			}
			bodies = append(bodies, body)
		}
	}
	return bodies
}

// BenchmarkPull reads 10,000 resources through gate and store, with all that this means: versions, links, audit.
func BenchmarkPull(b *testing.B) {
	bodies := tenThousandBodies(b)
	for b.Loop() {
		b.StopTimer()
		db := benchStore(b)
		b.StartTimer()
		step := pull.Step{Store: db, Puller: told{bodies, 500}, Source: exchange.Source{Name: fhirtest.PracticeSource, Party: fhir.Practice}, Holder: "bench", Now: func() time.Time { return benchNow }}
		if counts, err := step.Run(b.Context()); err != nil || counts["versions"] != int64(len(bodies)) {
			b.Fatal(counts, err)
		}
	}
	b.ReportMetric(float64(len(bodies))*float64(b.N)/b.Elapsed().Seconds(), "resources/s")
}

// BenchmarkRawInsert writes the same bytes into one bare table of an equally encrypted file, in as many transactions.
func BenchmarkRawInsert(b *testing.B) {
	bodies := tenThousandBodies(b)
	for b.Loop() {
		b.StopTimer()
		db := rawSQLite(b)
		b.StartTimer()
		for at := 0; at < len(bodies); at += 500 {
			insertRaw(b, db, at, bodies[at:at+500])
		}
	}
	b.ReportMetric(float64(len(bodies))*float64(b.N)/b.Elapsed().Seconds(), "resources/s")
}

func rawSQLite(b *testing.B) *sql.DB {
	b.Helper()
	dsn := "file:" + filepath.Join(b.TempDir(), "raw.db") + "?vfs=adiantum&hexkey=" + hex.EncodeToString(make([]byte, 32)) +
		"&_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(b.Context(), "CREATE TABLE raw (id text PRIMARY KEY, body text NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	return db
}

func insertRaw(b *testing.B, db *sql.DB, at int, bodies [][]byte) {
	b.Helper()
	tx, err := db.BeginTx(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	insert, err := tx.PrepareContext(b.Context(), "INSERT INTO raw (id, body) VALUES ($1, $2)")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = insert.Close() }()
	for i, body := range bodies {
		if _, err := insert.ExecContext(b.Context(), fmt.Sprintf("ehr/Appointment/a%d", at+i), string(body)); err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCycle is a pull that brings ten clients' moved sessions, and the judging of those ten, among few and many.
func BenchmarkCycle(b *testing.B) {
	for _, many := range []int{1_000, 20_000, 50_000} {
		b.Run(strconv.Itoa(many), func(b *testing.B) { cycleAmong(b, many) })
	}
}

func cycleAmong(b *testing.B, many int) {
	db := benchStore(b)
	source := exchange.Source{Name: fhirtest.PracticeSource, Party: fhir.Practice}
	policy := readiness.Policy{Hash: "p", Practice: readiness.Party{Name: fhir.Practice, Sources: []string{fhirtest.PracticeSource}},
		Prescriber: readiness.Party{Name: fhirtest.Prescriber, Title: "Skylight Psychedelics", Identifiers: []fhir.ID{fhirtest.PrescriberNPI}},
		Zone:       fhirtest.Denver, Rules: readiness.DefaultRules()}
	now := func() time.Time { return benchNow }
	judge := reconcile.Step{Store: db, Policies: map[string]readiness.Policy{fhirtest.Prescriber: policy}, Now: now}
	cursor := 0
	pullOf := func(bodies [][]byte) pull.Step { // a source that goes on telling where it was
		all := make([][]byte, cursor+len(bodies))
		copy(all[cursor:], bodies)
		cursor = len(all)
		return pull.Step{Store: db, Puller: told{all, 2000}, Source: source, Holder: "bench", Now: now}
	}
	run := func(bodies [][]byte, judged int) {
		if _, err := pullOf(bodies).Run(b.Context()); err != nil {
			b.Fatal(err)
		}
		counts, err := judge.Run(b.Context())
		if err != nil || counts[reconcile.Judged] != int64(judged) {
			b.Fatal(counts, err)
		}
	}
	var crowd [][]byte
	courses := make([]*fhirtest.Course, many)
	for n := range courses {
		c := fhirtest.Nth(n+1, benchNow)
		courses[n] = c
		for _, v := range []fhir.Version{c.DaysBefore(3).PatientHere(), c.Referral(), c.Release(), c.Dosing(c.Session)} {
			crowd = append(crowd, v.Resource.Body)
		}
	}
	run(crowd, many)
	turn := 0
	for b.Loop() {
		b.StopTimer()
		turn++
		var moved [][]byte
		for i := range 10 {
			c := courses[(turn*10+i*97)%many]
			moved = append(moved, c.On(benchNow.Add(-time.Hour).Add(time.Duration(turn)*time.Second)).Dosing(c.Session.Add(time.Duration(turn)*time.Minute)).Resource.Body)
		}
		b.StartTimer()
		run(moved, 10)
	}
}
