package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/jobs/pull"
	"github.com/kaphub/kaphub/jobs/reconcile"
)

// maxPage is how much a page may weigh.
const maxPage = 200 << 10

// BenchmarkToday is the first screen over a real store, from the request to the last byte, while one client's records move
// between two looks.
func BenchmarkToday(b *testing.B) { looksAmong(b, true, func(peopled) string { return "/" }) }

// BenchmarkClient is a client's own page.
func BenchmarkClient(b *testing.B) {
	looksAmong(b, true, func(p peopled) string { return "/clients/" + p.client })
}

// BenchmarkChanges is what a page asks by itself, which is answered by nothing when nothing changed.
func BenchmarkChanges(b *testing.B) {
	looksAmong(b, false, func(p peopled) string { return p.ask })
}

// peopled is a practice's hub of so many clients.
type peopled struct {
	*hub
	http.Handler
	client string
	ask    string
	moves  func(turn int) // one client's records, which are judged again
}

func looksAmong(b *testing.B, moving bool, path func(peopled) string) {
	for _, many := range []int{100, 10_000} {
		b.Run(fmt.Sprint(many), func(b *testing.B) {
			p := peopledBy(b, many)
			if weight := p.get(b, path(p)); weight > maxPage {
				b.Errorf("the page weighs %d KB", weight>>10)
			}
			turn, weight := 0, 0
			for b.Loop() {
				if moving {
					b.StopTimer()
					turn++
					p.moves(turn)
					b.StartTimer()
				}
				weight = p.get(b, path(p))
			}
			b.ReportMetric(float64(weight), "bytes")
		})
	}
}

func need(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// askOf is what the first screen asks for changes with.
func askOf(b *testing.B, window http.Handler) string {
	b.Helper()
	rec := httptest.NewRecorder()
	window.ServeHTTP(rec, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "http://127.0.0.1/", nil))
	_, rest, _ := strings.Cut(rec.Body.String(), `hx-get="/changes`)
	path, _, _ := strings.Cut(rest, `"`)
	return "/changes" + strings.ReplaceAll(path, "&amp;", "&")
}

func (p peopled) get(b *testing.B, path string) (weight int) {
	rec := httptest.NewRecorder()
	p.ServeHTTP(rec, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "http://127.0.0.1"+path, nil))
	if rec.Code >= http.StatusMultipleChoices {
		b.Fatalf("%s is answered %d: %s", path, rec.Code, rec.Body)
	}
	n, err := io.Copy(io.Discard, rec.Body)
	if err != nil {
		b.Fatal(err)
	}
	return int(n)
}

// peopledBy is a hub of so many clients in every situation: in order and not, stopped, waiting, with sessions on each day of
// the weeks to come, some gone by; each read from a source, judged and kept.
func peopledBy(b *testing.B, many int) peopled {
	b.Helper()
	now := func() time.Time { return benchNow }
	db, err := store.Open(b.Context(), store.Options{DSN: filepath.Join(b.TempDir(), "kaphub.db"), Key: store.NewKey(), Now: now, Recogniser: fhir.Recogniser{Prescribers: []fhir.Known{fhirtest.Known}}})
	need(b, err)
	b.Cleanup(func() { _ = db.Close() })
	policy := readiness.Policy{Practice: readiness.Party{Name: fhir.Practice, Title: "Reverie", Sources: []string{fhirtest.PracticeSource}},
		Prescriber: readiness.Party{Name: fhirtest.Prescriber, Title: "Skylight Psychedelics", Identifiers: []fhir.ID{fhirtest.PrescriberNPI}, Sources: []string{fhirtest.PrescriberSource}},
		Zone:       fhirtest.Denver, Rules: readiness.DefaultRules(),
		Credentials: readiness.Is([]readiness.Credential{{Name: "licence", Until: readiness.Day{Year: 2027, Month: time.June, Day: 30}}}),
		Sheet: readiness.Sheet{Signed: readiness.Day{Year: 2026, Month: time.January, Day: 10}, Deciders: []fhir.ID{fhirtest.DeciderNPI}, ClearanceValidity: readiness.Is(90 * 24 * time.Hour),
			FollowUp: readiness.Is(90 * 24 * time.Hour), DoseInterval: readiness.None[time.Duration](), SessionCap: readiness.None[int](), Systolic: readiness.Is(readiness.Limit{Value: 140, Unit: "mm[Hg]"}),
			Diastolic: readiness.Is(readiness.Limit{Value: 90, Unit: "mm[Hg]"}), HeartRate: readiness.Is(readiness.Limit{Value: 100, Unit: "/min"}), Preparations: readiness.Is(1),
			OfficeOnly: readiness.Is(true), StatesNotServed: readiness.Is([]string{"AK"}), LeadDays: readiness.Is(10), Phone: "555-0100", WeekendPhone: "555-0199"}}
	_, hash, err := kept(policy)
	need(b, err)
	policy.Hash = hash
	h := &hub{store: db, now: now, log: slog.New(slog.DiscardHandler), actor: "bench", written: []readiness.Policy{policy}}
	need(b, h.config.Hub.Zone.UnmarshalText([]byte("America/Denver")))
	h.informed.Store(&h.written)
	need(b, h.apply(b.Context()))
	sources := []exchange.Source{{Name: fhirtest.PracticeSource, Party: fhir.Practice}, {Name: fhirtest.PrescriberSource, Party: fhirtest.Prescriber}}
	cursor := map[string]int{}
	judge := reconcile.Step{Store: db, Policies: map[string]readiness.Policy{fhirtest.Prescriber: policy}, Now: now}
	reads := func(bodies map[string][][]byte) {
		for _, src := range sources {
			all := make([][]byte, cursor[src.Name]+len(bodies[src.Name]))
			copy(all[cursor[src.Name]:], bodies[src.Name])
			cursor[src.Name] = len(all)
			_, err := pull.Step{Store: db, Puller: told{all, 2000}, Source: src, Holder: "bench", Now: now}.Run(b.Context())
			need(b, err)
		}
		_, err := judge.Run(b.Context())
		need(b, err)
	}
	bodies := map[string][][]byte{}
	courses := make([]*fhirtest.Course, many)
	for n := range courses {
		c := fhirtest.Nth(n+1, benchNow)
		courses[n] = c
		when := benchNow.AddDate(0, 0, n%60-10).Add(time.Duration(n%9) * time.Hour)
		versions := []fhir.Version{c.PatientHere(), c.Release(), c.Dosing(when)}
		switch n % 20 {
		case 0: // in order, as far as can be
			versions = append(c.Blameless(), c.Dosing(when))
		case 1: // stopped
			versions = append(versions, c.Referral(), c.PatientThere(), c.Flag("active"))
		case 2, 3, 4: // no session booked
			versions = []fhir.Version{c.PatientHere(), c.Release(), c.Referral()}
		default: // waits on an answer to the referral, or has something to be done
			versions = append(versions, c.On(benchNow.AddDate(0, 0, -n%20)).Referral())
		}
		for _, v := range versions {
			body := v.Resource.Body
			if v.Type == "Patient" { // nobody shares a birth date: who is who is no question here
				body, err = fhir.Apply(body, fhirtest.Set("birthDate", benchNow.AddDate(-70, 0, n).Format(time.DateOnly)))
				need(b, err)
			}
			bodies[v.Source] = append(bodies[v.Source], body)
		}
	}
	reads(bodies)
	who := people.Account{ID: "p-owner", Login: "owner", Name: "Ann", Roles: []people.Role{people.Owner}, Epoch: 1, Ready: true, Enrolled: true}
	options, err := h.console(&who)
	need(b, err)
	window, err := console.New(options)
	need(b, err)
	board, err := db.Board(b.Context(), 0)
	need(b, err)
	if len(board) != many {
		b.Fatalf("%d engagements of %d clients", len(board), many)
	}
	states := map[readiness.State]int{}
	for _, s := range board {
		states[s.Verdict.State]++
	}
	b.Logf("%d clients: %v", many, states)
	return peopled{hub: h, Handler: window, client: board[many/2].Client, ask: askOf(b, window), moves: func(turn int) {
		c := courses[(turn*97)%many]
		v := c.On(benchNow.Add(-time.Hour).Add(time.Duration(turn) * time.Second)).Dosing(benchNow.AddDate(0, 0, turn%50).Add(time.Duration(turn) * time.Minute))
		reads(map[string][][]byte{v.Source: {v.Resource.Body}})
	}}
}
