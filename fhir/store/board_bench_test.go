package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// BenchmarkBoard reads what a board shows of 10,000 clients, each judged every day for a month: as of now, and as of the
// month's first evening. "of-now" is how many times the past costs; more than three times fails.
func BenchmarkBoard(b *testing.B) {
	const many, days = 10000, 30
	for _, engine := range engines {
		b.Run(engine.name, func(b *testing.B) {
			w := newWorld(b, engine.fresh(b))
			w.fill(many)
			first := w.lives(days)
			look := func(asOf fhir.Moment) time.Duration {
				began := time.Now()
				board, err := w.Board(b.Context(), asOf)
				w.must(err)
				_, err = w.Sources(b.Context(), asOf)
				w.must(err)
				_, err = w.RejectsAt(b.Context(), asOf)
				w.must(err)
				open, err := w.Open(b.Context(), asOf)
				w.must(err)
				took := time.Since(began)
				if len(board) != many || !board[0].Judged || board[0].Moved || len(open) != 0 {
					b.Fatal(len(board), board[0].Judged, board[0].Moved, len(open))
				}
				return took
			}
			var now, past time.Duration
			for b.Loop() {
				now, past = best(now, look(w.newest())), best(past, look(first))
			}
			b.ReportMetric(float64(now.Milliseconds()), "ms-now")
			b.ReportMetric(float64(past.Milliseconds()), "ms-past")
			b.ReportMetric(past.Seconds()/now.Seconds(), "of-now")
			if past > 3*now {
				b.Errorf("as of last month a board costs %v, as of now %v", past, now)
			}
		})
	}
}

// lives has every client of fill judged once a day, otherwise every tenth day, with two deliveries each: one of before, one of
// the time since. It returns the moment at which the first day was over.
func (w *world) lives(days int) fhir.Moment {
	w.Helper()
	course := fhirtest.Client(w.now)
	versions := course.Blameless()
	chart := fhir.NewChart("c-1", 1, versions, course.Links(), fhirtest.Sources(w.now), nil)
	v := readiness.Assess(chart, readiness.Policy{Hash: "p1", Practice: readiness.Party{Name: fhir.Practice, Sources: []string{ehr.Name}},
		Prescriber: readiness.Party{Name: skylight.Party, Sources: []string{skylight.Name}}, Rules: readiness.DefaultRules()}, w.now)
	body, err := words(v)
	w.must(err)
	w.Logf("a verdict of %d gates and %d findings has %d bytes", len(v.Gates), len(v.Findings), len(body))
	body = strings.NewReplacer(";", ",", "'", "’").Replace(body)
	start := int64(w.newest())
	const all = `WITH RECURSIVE n (day) AS (SELECT 1 UNION ALL SELECT day + 1 FROM n WHERE day < %d) `
	w.exec(fmt.Sprintf(`INSERT INTO verdict (client, prescriber, moment, mac, body) `+all+`SELECT e.client, e.prescriber, %d + day, '', '%s' FROM engagement e CROSS JOIN n WHERE day %% 10 = 1`, days, start, body))
	w.exec(fmt.Sprintf(`INSERT INTO judgement (client, prescriber, moment, verdict, chart, judged, until, policy, stirred, mac) `+all+
		`SELECT e.client, e.prescriber, %d + day, %d + day - (day - 1) %% 10, 1, %d, %d, 'p1', CASE WHEN day = 1 THEN 0 ELSE %d + day END, '' FROM engagement e CROSS JOIN n`,
		days, start, start, ms(w.now), ms(w.now.Add(time.Hour)), start))
	w.exec(fmt.Sprintf(`UPDATE counter SET n = %d WHERE name = 'moment'`, start+int64(days)))
	for i, day := range []int64{1, int64(days)} {
		w.exec(fmt.Sprintf(`INSERT INTO delivery (id, client, prescriber, party, what, occasion, copy_system, copy_value, type, body, replaces, rests, permit, lane, place, mac, state, staged, due, attempts, trying, last, why, receipt, moment)
			SELECT client || '-%d', client, prescriber, 'skylight', 'referral', '', '', '', 'Task', '%s', false, '[]', 'null', '', 1, '', 'delivered', 0, 0, 1, false, 0, '', '', %d FROM engagement`, i, body, start+day))
		w.exec(fmt.Sprintf(`INSERT INTO step (id, moment, at, state, attempts, why, receipt, mac, due) SELECT client || '-%d', %d, 0, 'delivered', 1, '', '', '', 0 FROM engagement`, i, start+day))
	}
	if w.pool != nil {
		w.exec("VACUUM ANALYZE engagement, verdict, judgement, delivery, step")
	}
	return fhir.Moment(start + 1)
}
