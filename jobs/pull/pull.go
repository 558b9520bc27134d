// Package pull reads one source to its end, page by page, and hands every page to the store.
package pull

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs"
)

// Store is what pull needs of the store.
type Store interface {
	exchange.Leases
	Cursor(ctx context.Context, source string) (exchange.Cursor, error)
	Roster(ctx context.Context, src exchange.Source) (exchange.Roster, error)
	Receive(ctx context.Context, src exchange.Source, l exchange.Lease, since exchange.Cursor, page exchange.Page) (exchange.Changed, error)
	Failed(ctx context.Context, src exchange.Source, why string) error
}

// Step reads one source. It can be run twice, and by two at once: one holds the lease, the other answers "busy".
type Step struct {
	Store    Store
	Puller   connectors.Puller
	Source   exchange.Source
	Holder   string // this process, as the lease knows it
	Now      func() time.Time
	Progress func(pages, resources int) // of this run so far; nil = nobody looks
	Pages    int                        // at most so many in one run; 0 = 10,000. The next run goes on where this one ended.
}

const rounds = 10 // of members that were linked while we read

// What a run counts besides what the store counts.
const (
	Pages      = "pages"
	Resources  = "resources"
	Busy       = "busy"       // another reads this source
	Incomplete = "incomplete" // the source withheld something
	Unfinished = "unfinished" // the bound on pages was reached
	ReadBack   = "read-back"  // members linked while reading, read back to the beginning
)

// Run reads the source until there is no more and every member is read back. A source that another process reads is
// left to it. A read that fails is noted with the store: the source is incomplete until a read is complete again.
func (s Step) Run(ctx context.Context) (counts jobs.Counts, err error) {
	counts = jobs.Counts{}
	hold, err := exchange.Take(ctx, s.Store, s.Source.Name, s.Holder, s.Now)
	if errors.Is(err, exchange.ErrBusy) {
		counts[Busy] = 1
		return counts, nil
	}
	if err != nil {
		return counts, err
	}
	r := reading{Step: s, hold: hold, counts: counts, left: s.Pages, offered: map[string]bool{}}
	if r.left <= 0 {
		r.left = 10_000
	}
	defer func() { err = errors.Join(err, hold.End(ctx)) }()
	err = r.all(ctx)
	if errors.Is(err, exchange.ErrConflict) || errors.Is(err, exchange.ErrBusy) {
		counts[Busy] = 1 // another was first, and goes on from where it is
		return counts, nil
	}
	return counts, err
}

// reading is one run.
type reading struct {
	Step
	hold    *exchange.Hold
	counts  jobs.Counts
	left    int             // pages
	offered map[string]bool // members that were to be read back, and that the puller was told of
}

// all reads to the end, and once more whenever reading has brought members to read back.
func (r *reading) all(ctx context.Context) error {
	for round := range rounds {
		roster, err := r.Store.Roster(ctx, r.Source)
		if err != nil {
			return fmt.Errorf("roster of %s: %w", r.Source.Name, err)
		}
		brought := r.offer(roster)
		if round > 0 {
			if brought == 0 {
				return nil
			}
			r.counts[ReadBack] += int64(brought)
		}
		if complete, err := r.toTheEnd(ctx, roster); err != nil || !complete {
			return err
		}
	}
	return nil
}

// offer counts the members to read back that no earlier round was told of.
func (r *reading) offer(roster exchange.Roster) (brought int) {
	for _, patient := range roster.New {
		if !r.offered[patient] {
			r.offered[patient] = true
			brought++
		}
	}
	return brought
}

// toTheEnd reads until there is no more; while a page is stored the next one is on its way. complete is false when the
// source withheld something or the bound was reached.
func (r *reading) toTheEnd(ctx context.Context, roster exchange.Roster) (complete bool, err error) {
	since, err := r.Store.Cursor(ctx, r.Source.Name)
	if err != nil {
		return false, fmt.Errorf("cursor of %s: %w", r.Source.Name, err)
	}
	ask := func(ctx context.Context, since exchange.Cursor) (exchange.Page, error) {
		return r.Puller.Pull(ctx, since, roster)
	}
	next := begin(ctx, ask, since)
	defer func() { next.drop() }()
	seen := map[exchange.Cursor]bool{since: true}
	for ; r.left > 0; r.left-- {
		if err := r.hold.Keep(ctx); err != nil {
			return false, err
		}
		page, err := next.wait()
		if err != nil {
			return false, r.failed(ctx, fmt.Errorf("pull %s: %w", r.Source.Name, err))
		}
		if page.More && seen[page.Next] {
			return false, r.failed(ctx, fmt.Errorf("pull %s: %w", r.Source.Name, errLoop))
		}
		if page.More && r.left > 1 {
			next = begin(ctx, ask, page.Next)
		}
		changed, err := r.Store.Receive(ctx, r.Source, r.hold.Lease, since, page)
		if err != nil {
			return false, fmt.Errorf("receive a page of %s: %w", r.Source.Name, err)
		}
		r.count(page, changed)
		if !page.More {
			if !page.Complete && !page.Aside {
				r.counts[Incomplete] = 1
			}
			return page.Complete || page.Aside, nil
		}
		since = page.Next
		seen[since] = true
	}
	r.counts[Unfinished] = 1
	return false, nil
}

var errLoop = connectors.Errorf("follow pages", connectors.Garbled, "a page leads back to one that was read before: its source pages in a circle")

// failed notes that a read failed. Being stopped is no news of the source.
func (r *reading) failed(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return err
	}
	if noted := r.Store.Failed(context.WithoutCancel(ctx), r.Source, connectors.Why(err)); noted != nil {
		return errors.Join(err, fmt.Errorf("note that %s failed: %w", r.Source.Name, noted))
	}
	return err
}

func (r *reading) count(page exchange.Page, changed exchange.Changed) {
	r.counts[Pages]++
	r.counts[Resources] += int64(len(page.Resources))
	add(r.counts, changed)
	if r.Progress != nil {
		r.Progress(int(r.counts[Pages]), int(r.counts[Resources]))
	}
}

func add(counts jobs.Counts, c exchange.Changed) {
	for name, n := range map[string]int{
		"versions": c.Versions, "gone": c.Gone, "rejects": c.Rejects, "links": c.Links, "ignored": c.Ignored, "clients": c.Clients, "sealed": c.Sealed,
	} {
		if n != 0 {
			counts[name] += int64(n)
		}
	}
}
