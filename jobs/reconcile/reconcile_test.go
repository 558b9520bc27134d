package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs"
)

var now = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)

// book is a store of engagements in memory: what is stale, what was decided, and what moves when.
type book struct {
	moment  fhir.Moment
	moved   map[readiness.Engagement]fhir.Moment
	judged  map[readiness.Engagement]readiness.Verdict
	soon    map[readiness.Engagement]bool // its Until has always passed
	charts  []string                      // clients whose chart was read, in order
	decided []string
	staged  int
	broken  map[string]bool // clients whose chart cannot be read
	before  func(e readiness.Engagement)
	down    error
}

func newBook(engagements ...readiness.Engagement) *book {
	b := &book{moment: 1, moved: map[readiness.Engagement]fhir.Moment{}, judged: map[readiness.Engagement]readiness.Verdict{},
		soon: map[readiness.Engagement]bool{}, broken: map[string]bool{}}
	for _, e := range engagements {
		b.move(e)
	}
	return b
}

func (b *book) move(e readiness.Engagement) { b.moment++; b.moved[e] = b.moment }

func (b *book) Stale(_ context.Context, _ time.Time, policies map[string]string, limit int) ([]readiness.Engagement, error) {
	var out []readiness.Engagement
	for e, at := range b.moved {
		if v, ok := b.judged[e]; !ok || at > v.Moment || b.soon[e] || policies[e.Prescriber] != v.Policy {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(x, y readiness.Engagement) int { // not by client: the order is reconcile's own business
		return cmp.Or(cmp.Compare(x.Prescriber, y.Prescriber), cmp.Compare(x.Client, y.Client))
	})
	return out[:min(limit, len(out))], b.down
}

func (b *book) Chart(_ context.Context, client string, _ fhir.Moment) (fhir.Chart, error) {
	if b.broken[client] {
		return fhir.Chart{}, errors.New("the page is damaged")
	}
	b.charts = append(b.charts, client)
	return fhir.Chart{Client: client, Moment: b.moment}, nil
}

func (b *book) Standing(_ context.Context, e readiness.Engagement, _ fhir.Moment) (readiness.Standing, error) {
	v, ok := b.judged[e]
	return readiness.Standing{Engagement: e, Verdict: v, Judged: ok, Moved: b.moved[e] > v.Moment}, nil
}

func (b *book) Ledger(context.Context, readiness.Engagement) ([]exchange.Entry, error) {
	return nil, nil
}

func (b *book) Decide(_ context.Context, v readiness.Verdict, c plan.Changes) error {
	e := readiness.Engagement{Client: v.Client, Prescriber: v.Prescriber}
	if b.before != nil {
		b.before(e)
	}
	if b.moved[e] > v.Moment {
		return fmt.Errorf("engagement of %s: %w", v.Client, exchange.ErrConflict)
	}
	b.moment++ // a decision is a commit like any other
	b.judged[e] = v
	b.decided = append(b.decided, e.Client+" with "+e.Prescriber)
	b.staged += len(c.Stage)
	return nil
}

// plainly judges without looking: NOT-READY, one delivery staged.
func plainly(chart fhir.Chart, p readiness.Policy, _ readiness.Verdict, _ []exchange.Entry, now time.Time) (readiness.Verdict, plan.Changes) {
	return readiness.Verdict{Client: chart.Client, Prescriber: p.Prescriber.Name, State: readiness.NotReady, Moment: chart.Moment, Policy: p.Hash, Judged: now},
		plan.Changes{Stage: []exchange.Delivery{{ID: chart.Client + p.Prescriber.Name}}}
}

func policies(names ...string) map[string]readiness.Policy {
	out := map[string]readiness.Policy{}
	for _, n := range names {
		out[n] = readiness.Policy{Hash: "1", Prescriber: readiness.Party{Name: n}}
	}
	return out
}

func of(client, prescriber string) readiness.Engagement {
	return readiness.Engagement{Client: client, Prescriber: prescriber}
}

func TestReconcile(t *testing.T) {
	ada, bea, cleo := of("ada", "skylight"), of("bea", "skylight"), of("cleo", "skylight")
	adaAtLumen := of("ada", "lumen")
	tests := []struct {
		name    string
		book    func() *book
		judge   judge
		decided string
		counts  jobs.Counts
		err     string
	}{
		{
			name:   "nothing moved: nothing is judged",
			book:   func() *book { return newBook() },
			counts: jobs.Counts{},
		},
		{
			name:    "every client whose chart moved is judged, in a fixed order",
			book:    func() *book { return newBook(cleo, bea, adaAtLumen, ada) },
			decided: "ada with lumen, ada with skylight, bea with skylight, cleo with skylight",
			counts:  jobs.Counts{Judged: 4, Changed: 4, Staged: 4},
		},
		{
			name: "a verdict that says the same as before has not changed",
			book: func() *book {
				b := newBook(ada)
				b.judged[ada] = readiness.Verdict{State: readiness.NotReady, Policy: "1"}
				return b
			},
			decided: "ada with skylight",
			counts:  jobs.Counts{Judged: 1, Staged: 1},
		},
		{
			name: "a mistake over one client blocks no other",
			book: func() *book { return newBook(ada, bea, cleo) },
			judge: func(c fhir.Chart, p readiness.Policy, last readiness.Verdict, l []exchange.Entry, now time.Time) (readiness.Verdict, plan.Changes) {
				if c.Client == "bea" {
					panic("Wilhelmina Canary, born 1990-01-01")
				}
				return plainly(c, p, last, l, now)
			},
			decided: "ada with skylight, cleo with skylight",
			counts:  jobs.Counts{Judged: 2, Changed: 2, Staged: 2, Failed: 1},
			err:     "judge bea with skylight: a mistake in the program",
		},
		{
			name:    "a chart that cannot be read blocks no other",
			book:    func() *book { b := newBook(ada, bea, cleo); b.broken["ada"] = true; return b },
			decided: "bea with skylight, cleo with skylight",
			counts:  jobs.Counts{Judged: 2, Changed: 2, Staged: 2, Failed: 1},
			err:     "judge ada with skylight: read the chart",
		},
		{
			name:    "a prescriber that left the config is named, and blocks no other",
			book:    func() *book { return newBook(ada, of("bea", "gone")) },
			decided: "ada with skylight",
			counts:  jobs.Counts{Judged: 1, Changed: 1, Staged: 1, Failed: 1},
			err:     "there is no policy for gone; there are: [lumen skylight]",
		},
		{
			name: "a chart that moves while it is judged is judged again as it then is",
			book: func() *book {
				b, once := newBook(ada), true
				b.before = func(e readiness.Engagement) {
					if once {
						once = false
						b.move(e)
					}
				}
				return b
			},
			decided: "ada with skylight",
			counts:  jobs.Counts{Judged: 1, Changed: 1, Staged: 1},
		},
		{
			name: "a chart that keeps moving is left for the next run",
			book: func() *book {
				b := newBook(ada, bea)
				b.before = func(e readiness.Engagement) {
					if e == ada {
						b.move(e)
					}
				}
				return b
			},
			decided: "bea with skylight",
			counts:  jobs.Counts{Judged: 1, Changed: 1, Staged: 1, Moved: 1},
		},
		{
			name:    "a verdict that is stale again at once is not judged for ever",
			book:    func() *book { b := newBook(ada, bea); b.soon[ada] = true; return b },
			decided: "ada with skylight, bea with skylight",
			counts:  jobs.Counts{Judged: 2, Changed: 2, Staged: 2},
		},
		{
			name:   "a store that cannot say what is stale stops the run",
			book:   func() *book { b := newBook(); b.down = errors.New("disk full"); return b },
			counts: jobs.Counts{},
			err:    "find what is stale: disk full",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.book()
			step := Step{Store: b, Policies: policies("skylight", "lumen"), Now: func() time.Time { return now }, judge: tt.judge}
			if step.judge == nil {
				step.judge = plainly
			}
			counts, err := step.Run(t.Context())
			if got := strings.Join(b.decided, ", "); got != tt.decided {
				t.Errorf("decided %s\nwant    %s", got, tt.decided)
			}
			if !maps.Equal(counts, tt.counts) {
				t.Errorf("counts %v, want %v", counts, tt.counts)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if err != nil && strings.Contains(err.Error(), "Canary") {
				t.Errorf("the error tells what the chart says: %v", err)
			}
		})
	}
}

func TestRunningTwiceDoesNothingTheSecondTime(t *testing.T) {
	b := newBook(of("ada", "skylight"))
	step := Step{Store: b, Policies: policies("skylight"), Now: func() time.Time { return now }, judge: plainly}
	for range 2 {
		if _, err := step.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.decided) != 1 || b.staged != 1 {
		t.Errorf("decided %v, staged %d", b.decided, b.staged)
	}
}

func TestAClientsChartIsReadOnceForAllPrescribers(t *testing.T) {
	b := newBook(of("ada", "skylight"), of("bea", "skylight"), of("ada", "lumen"), of("bea", "lumen"))
	step := Step{Store: b, Policies: policies("skylight", "lumen"), Now: func() time.Time { return now }, judge: plainly}
	if _, err := step.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(b.charts, ", "); got != "ada, bea" {
		t.Errorf("charts read: %s", got)
	}
}

func TestManyFailuresStarveNobody(t *testing.T) {
	b := newBook()
	for i := range 3 * batch {
		e := of(fmt.Sprintf("broken-%04d", i), "a-skylight")
		b.move(e)
		b.broken[e.Client] = true
	}
	b.move(of("zoe", "skylight"))
	var seen []int
	step := Step{Store: b, Policies: policies("skylight", "a-skylight"), Now: func() time.Time { return now }, judge: plainly, Progress: func(n int) { seen = append(seen, n) }}
	counts, err := step.Run(t.Context())
	if counts[Judged] != 1 || counts[Failed] != 3*batch || len(seen) != 1 {
		t.Errorf("counts %v, progress %v", counts, seen)
	}
	if err == nil || strings.Count(err.Error(), "\n") != quoted-1 {
		t.Errorf("want %d failures named, got: %v", quoted, err)
	}
}

func TestAStoppedRunStops(t *testing.T) {
	b := newBook(of("ada", "skylight"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	step := Step{Store: b, Policies: policies("skylight"), Now: func() time.Time { return now }, judge: plainly}
	if _, err := step.Run(ctx); !errors.Is(err, context.Canceled) || len(b.decided) != 0 {
		t.Errorf("error %v, decided %v", err, b.decided)
	}
}
