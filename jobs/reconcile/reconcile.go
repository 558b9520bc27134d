// Package reconcile is the loop around readiness and plan: it has every engagement judged whose chart, policy or time has
// moved, and what should cross the border now staged.
package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs"
)

// Store is what reconcile needs of the store.
type Store interface {
	Stale(ctx context.Context, now time.Time, policies map[string]string, limit int) ([]readiness.Engagement, error)
	Chart(ctx context.Context, client string, asOf fhir.Moment) (fhir.Chart, error)
	Standing(ctx context.Context, e readiness.Engagement, asOf fhir.Moment) (readiness.Standing, error)
	Ledger(ctx context.Context, e readiness.Engagement) ([]exchange.Entry, error)
	Decide(ctx context.Context, v readiness.Verdict, c plan.Changes) error
}

// Step judges what is stale. It can be run twice, and by two at once: the other's Decide conflicts and changes nothing.
type Step struct {
	Store    Store
	Policies map[string]readiness.Policy // by prescriber
	Now      func() time.Time
	Progress func(judged int) // in this run so far; nil = nobody looks

	judge judge // nil = the real one
}

// judge decides on one engagement: pure.
type judge func(chart fhir.Chart, p readiness.Policy, last readiness.Verdict, ledger []exchange.Entry, now time.Time) (readiness.Verdict, plan.Changes)

func decide(chart fhir.Chart, p readiness.Policy, last readiness.Verdict, ledger []exchange.Entry, now time.Time) (readiness.Verdict, plan.Changes) {
	v := readiness.Assess(chart, p, now)
	v = v.After(last, &chart, &p, now)
	return v, plan.Plan(chart, v, p, ledger, now)
}

const (
	batch  = 200
	tries  = 3  // of an engagement whose chart keeps moving while it is judged
	quoted = 10 // failures named in the error; the rest are counted
)

// What a run counts.
const (
	Judged    = "judged"
	Changed   = "changed" // verdicts whose state is another than before
	Staged    = "staged"
	Withdrawn = "withdrawn"
	Moved     = "moved" // left for the next run, because the chart kept moving
	Failed    = "failed"
)

// Run judges until nothing is stale. An engagement is judged once a run, a few times if its chart moves meanwhile; one
// that fails is counted, named in the error, and never blocks the others.
func (s Step) Run(ctx context.Context) (jobs.Counts, error) {
	if s.judge == nil {
		s.judge = decide
	}
	hashes := make(map[string]string, len(s.Policies))
	for name, p := range s.Policies {
		hashes[name] = p.Hash
	}
	r := run{Step: s, counts: jobs.Counts{}, done: map[readiness.Engagement]bool{}, tried: map[readiness.Engagement]int{}, set: map[readiness.Engagement]bool{}}
	for {
		// What this run has set aside still counts as stale: look past it.
		stale, err := s.Store.Stale(ctx, s.Now(), hashes, batch+len(r.set))
		if err != nil {
			return r.counts, errors.Join(append(r.wrong, fmt.Errorf("find what is stale: %w", err))...)
		}
		stale = slices.DeleteFunc(stale, func(e readiness.Engagement) bool { return r.set[e] })
		if len(stale) == 0 {
			return r.counts, errors.Join(r.wrong...)
		}
		if err := r.round(ctx, stale); err != nil {
			return r.counts, errors.Join(append(r.wrong, err)...)
		}
	}
}

// run is one run.
type run struct {
	Step
	counts jobs.Counts
	done   map[readiness.Engagement]bool // judged in this run
	tried  map[readiness.Engagement]int  // judged, or tried to
	set    map[readiness.Engagement]bool // set aside for the next run
	wrong  []error
}

// round judges a batch in a fixed order, reading each client's chart once. Each engagement leaves it with one try less
// or set aside, so that the run ends. The error is for what stops it.
func (r *run) round(ctx context.Context, stale []readiness.Engagement) (err error) {
	slices.SortFunc(stale, func(a, b readiness.Engagement) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Prescriber, b.Prescriber))
	})
	var chart fhir.Chart
	for _, e := range stale {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.tried[e] >= tries {
			r.set[e] = true
			r.counts[Moved]++
			continue
		}
		if chart.Client != e.Client {
			if chart, err = r.Store.Chart(ctx, e.Client, 0); err != nil {
				r.fail(e, fmt.Errorf("read the chart: %w", err))
				chart = fhir.Chart{}
				continue
			}
		}
		switch err := r.one(ctx, e, chart); {
		case errors.Is(err, exchange.ErrConflict):
			chart = fhir.Chart{} // it moved: read it again
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			r.fail(e, err)
		}
	}
	return nil
}

func (r *run) fail(e readiness.Engagement, err error) {
	r.set[e] = true
	r.counts[Failed]++
	if len(r.wrong) < quoted {
		r.wrong = append(r.wrong, fmt.Errorf("judge %s with %s: %w", e.Client, e.Prescriber, err))
	}
}

// one judges one engagement and commits what was decided.
func (r *run) one(ctx context.Context, e readiness.Engagement, chart fhir.Chart) error {
	policy, ok := r.Policies[e.Prescriber]
	if !ok {
		return fmt.Errorf("there is no policy for %s; there are: %v", e.Prescriber, slices.Sorted(maps.Keys(r.Policies)))
	}
	last, err := r.Store.Standing(ctx, e, 0)
	if err != nil {
		return fmt.Errorf("read the last verdict: %w", err)
	}
	if r.done[e] && !last.Moved {
		r.set[e] = true // nothing moved since: whatever makes it stale again is for the next run
		return nil
	}
	r.tried[e]++
	ledger, err := r.Store.Ledger(ctx, e)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	verdict, changes, err := r.careful(chart, policy, last.Verdict, ledger)
	if err != nil {
		return err
	}
	if err := r.Store.Decide(ctx, verdict, changes); err != nil {
		return fmt.Errorf("commit the verdict: %w", err)
	}
	r.done[e] = true
	r.counts[Judged]++
	r.count(Staged, len(changes.Stage))
	r.count(Withdrawn, len(changes.Withdraw))
	if !last.Judged || last.Verdict.State != verdict.State {
		r.counts[Changed]++
	}
	if r.Progress != nil {
		r.Progress(int(r.counts[Judged]))
	}
	return nil
}

func (r *run) count(name string, n int) {
	if n != 0 {
		r.counts[name] += int64(n)
	}
}

// careful judges; a panic over one chart becomes an error without the value, which may hold what the chart says.
func (r *run) careful(chart fhir.Chart, p readiness.Policy, last readiness.Verdict, ledger []exchange.Entry) (v readiness.Verdict, c plan.Changes, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a mistake in the program stopped it (%T)", p)
		}
	}()
	v, c = r.judge(chart, p, last, ledger, r.Now())
	return v, c, nil
}
