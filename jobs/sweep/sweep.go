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
	exchange.Leases
	// SweepDue returns whom to sweep now, the most urgent first: whoever has a session soon and was not swept today, then
	// whoever was not swept this week.
	SweepDue(ctx context.Context, source string, limit int) ([]string, error)
	Sweep(ctx context.Context, src exchange.Source, l exchange.Lease, page exchange.Page) (exchange.Changed, error)
}

// Step sweeps one source. It shares the lease with pull, and can be run twice: who was swept is due no more.
type Step struct {
	Store    Store
	Sweeper  connectors.Sweeper // nil = the source cannot be swept: there is nothing to do
	Source   exchange.Source
	Holder   string // this process, as the lease knows it
	Now      func() time.Time
	Progress func(members, resources int) // of this run so far; nil = nobody looks
	Members  int                          // at most so many in one run; 0 = 2,000. The next run goes on where this one ended.
}

// What a run counts besides what the store counts.
const (
	Members    = "members"
	Resources  = "resources"
	Missed     = "missed"     // found by the sweep though the pulls should have brought it
	Busy       = "busy"       // another reads this source
	Unfinished = "unfinished" // the bound was reached: more are due
)

// Run sweeps who is due, or as many as the bound allows. A member whose records cannot be read is told of and holds up
// nobody else; a source that cannot be reached ends the run. It is no read of the source in the sense of freshness:
// whether the source is complete is what pulls say.
func (s Step) Run(ctx context.Context) (counts jobs.Counts, err error) {
	counts = jobs.Counts{}
	if s.Sweeper == nil {
		return counts, nil
	}
	hold, err := exchange.Take(ctx, s.Store, s.Source.Name, s.Holder, s.Now)
	if errors.Is(err, exchange.ErrBusy) {
		counts[Busy] = 1
		return counts, nil
	}
	if err != nil {
		return counts, err
	}
	defer func() { err = errors.Join(err, hold.End(ctx)) }()
	err = s.sweep(ctx, hold, counts)
	if errors.Is(err, exchange.ErrConflict) || errors.Is(err, exchange.ErrBusy) {
		counts[Busy] = 1 // another was first, and goes on from where it is
		return counts, nil
	}
	return counts, err
}

func (s Step) sweep(ctx context.Context, hold *exchange.Hold, counts jobs.Counts) error {
	bound := s.Members
	if bound <= 0 {
		bound = 2_000
	}
	due, err := s.Store.SweepDue(ctx, s.Source.Name, bound+1)
	if err != nil {
		return fmt.Errorf("who is due to be swept at %s: %w", s.Source.Name, err)
	}
	if len(due) > bound {
		due, counts[Unfinished] = due[:bound], 1
	}
	var unread []error
	for _, patient := range due {
		err := s.member(ctx, hold, patient, counts)
		if fault := connectors.FaultOf(err); err != nil && (fault == connectors.Garbled || fault == connectors.Refused) {
			if len(unread) == 0 { // the first says enough; how many there are, its count does
				unread = append(unread, fmt.Errorf("sweep %s: %w", s.Source.Name, err))
			}
			counts[Unread]++
			continue
		}
		if err != nil {
			return errors.Join(append(unread, fmt.Errorf("sweep %s: %w", s.Source.Name, err))...)
		}
		counts[Members]++
		if s.Progress != nil {
			s.Progress(int(counts[Members]), int(counts[Resources]))
		}
	}
	return errors.Join(unread...)
}

// Unread counts the members whose records could not be read.
const Unread = "unread"

// member reads everything there is of one member, slice after slice.
func (s Step) member(ctx context.Context, hold *exchange.Hold, patient string, counts jobs.Counts) error {
	only := exchange.RosterOf(nil, exchange.Everybody{Members: []string{patient}})
	var resume exchange.Cursor
	seen := map[exchange.Cursor]bool{resume: true}
	for {
		if err := hold.Keep(ctx); err != nil {
			return err
		}
		page, err := s.Sweeper.Sweep(ctx, resume, only)
		if err != nil {
			return err
		}
		if page.More && seen[page.Next] {
			return errLoop
		}
		changed, err := s.Store.Sweep(ctx, s.Source, hold.Lease, page)
		if err != nil {
			return fmt.Errorf("store a slice of %s: %w", s.Source.Name, err)
		}
		count(counts, page, changed)
		if !page.More {
			return nil
		}
		resume = page.Next
		seen[resume] = true
	}
}

var errLoop = connectors.Errorf("follow slices", connectors.Garbled, "a slice leads back to one that was read before: its source pages in a circle")

func count(counts jobs.Counts, page exchange.Page, c exchange.Changed) {
	counts[Resources] += int64(len(page.Resources))
	for name, n := range map[string]int{
		"versions": c.Versions, "gone": c.Gone, "rejects": c.Rejects, "links": c.Links, "clients": c.Clients, "sealed": c.Sealed, Missed: c.Missed,
	} {
		if n != 0 {
			counts[name] += int64(n)
		}
	}
}
