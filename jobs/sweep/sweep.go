// Package sweep reads everything that a source has of the hub's clients, in resumable slices, so that what the pulls
// missed comes to light.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs"
)

// Store is what sweep needs of the store.
type Store interface {
	Lease(ctx context.Context, name, holder string, ttl time.Duration) (exchange.Lease, error)
	Release(ctx context.Context, l exchange.Lease) error
	Cursor(ctx context.Context, source string) (exchange.Cursor, error)
	Roster(ctx context.Context, src exchange.Source) (exchange.Roster, error)
	Sweep(ctx context.Context, src exchange.Source, l exchange.Lease, since exchange.Cursor, page exchange.Page) (exchange.Changed, error)
}

// Step sweeps one source. It shares the lease with pull, and can be run twice.
type Step struct {
	Store    Store
	Sweeper  connectors.Sweeper // nil = the source cannot be swept: there is nothing to do
	Source   exchange.Source
	Holder   string // this process, as the lease knows it
	Now      func() time.Time
	Progress func(slices, resources int) // of this run so far; nil = nobody looks
	Slices   int                         // at most so many in one run; 0 = 2,000. The next run goes on where this one ended.
}

const leaseFor = 5 * time.Second // short, since the fence keeps what it guards: a dead reader is waited for no longer

// What a run counts besides what the store counts.
const (
	Slices     = "slices"
	Resources  = "resources"
	Missed     = "missed"     // found by the sweep though the pulls should have brought it
	Busy       = "busy"       // another reads this source
	Unfinished = "unfinished" // the bound on slices was reached
)

// Run sweeps the source to its end, or to the bound. A slice that fails ends the run; the next one resumes there. It is
// no read of the source in the sense of freshness: whether the source is complete is what pulls say.
func (s Step) Run(ctx context.Context) (counts jobs.Counts, err error) {
	counts = jobs.Counts{}
	if s.Sweeper == nil {
		return counts, nil
	}
	lease, err := s.Store.Lease(ctx, s.Source.Name, s.Holder, leaseFor)
	if errors.Is(err, exchange.ErrBusy) {
		counts[Busy] = 1
		return counts, nil
	}
	if err != nil {
		return counts, fmt.Errorf("lease %s: %w", s.Source.Name, err)
	}
	defer func() {
		if released := s.Store.Release(context.WithoutCancel(ctx), lease); released != nil && !errors.Is(released, exchange.ErrConflict) {
			err = errors.Join(err, fmt.Errorf("release %s: %w", s.Source.Name, released))
		}
	}()
	err = s.sweep(ctx, &lease, counts)
	if errors.Is(err, exchange.ErrConflict) || errors.Is(err, exchange.ErrBusy) {
		counts[Busy] = 1 // another was first, and goes on from where it is
		return counts, nil
	}
	return counts, err
}

func (s Step) sweep(ctx context.Context, lease *exchange.Lease, counts jobs.Counts) error {
	resume, err := s.Store.Cursor(ctx, "sweep:"+s.Source.Name)
	if err != nil {
		return fmt.Errorf("where the sweep of %s ended: %w", s.Source.Name, err)
	}
	roster, err := s.Store.Roster(ctx, s.Source)
	if err != nil {
		return fmt.Errorf("roster of %s: %w", s.Source.Name, err)
	}
	bound := s.Slices
	if bound <= 0 {
		bound = 2_000
	}
	leased, seen := s.Now(), map[exchange.Cursor]bool{resume: true}
	for range bound {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("sweep %s: %w", s.Source.Name, err)
		}
		if now := s.Now(); now.Sub(leased) >= leaseFor {
			if *lease, err = s.Store.Lease(ctx, s.Source.Name, s.Holder, leaseFor); err != nil {
				return fmt.Errorf("renew the lease of %s: %w", s.Source.Name, err)
			}
			leased = now
		}
		page, err := s.Sweeper.Sweep(ctx, resume, roster)
		if err != nil {
			return fmt.Errorf("sweep %s: %w", s.Source.Name, err)
		}
		if page.More && seen[page.Next] {
			return fmt.Errorf("sweep %s: %w", s.Source.Name, errLoop)
		}
		changed, err := s.Store.Sweep(ctx, s.Source, *lease, resume, page)
		if err != nil {
			return fmt.Errorf("store a slice of %s: %w", s.Source.Name, err)
		}
		s.count(counts, page, changed)
		if !page.More {
			return nil
		}
		resume = page.Next
		seen[resume] = true
	}
	counts[Unfinished] = 1
	return nil
}

var errLoop = connectors.Errorf("follow slices", connectors.Garbled, "a slice leads back to one that was read before: its source pages in a circle")

func (s Step) count(counts jobs.Counts, page exchange.Page, c exchange.Changed) {
	counts[Slices]++
	counts[Resources] += int64(len(page.Resources))
	for name, n := range map[string]int{
		"versions": c.Versions, "gone": c.Gone, "rejects": c.Rejects, "links": c.Links, "clients": c.Clients, Missed: c.Missed,
	} {
		if n != 0 {
			counts[name] += int64(n)
		}
	}
	if s.Progress != nil {
		s.Progress(int(counts[Slices]), int(counts[Resources]))
	}
}
