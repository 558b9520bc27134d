// Package push sends what the ledger has due for one counterpart, asks about what may have arrived, and keeps the answers.
package push

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs"
)

// Ledger is what push needs of the store to send.
type Ledger interface {
	Due(ctx context.Context, to string, now time.Time, limit int) ([]exchange.Entry, error) // of each lane the first only
	Attempt(ctx context.Context, id string, ttl time.Duration) (exchange.Fence, exchange.Entry, error)
	Deliver(ctx context.Context, f exchange.Fence, r exchange.Receipt) error
	Defer(ctx context.Context, f exchange.Fence, until time.Time, why string) error
	Lost(ctx context.Context, f exchange.Fence, until time.Time, why string) error
	Withdraw(ctx context.Context, id, why string) error
}

// Store is the ledger, and what push looks up before it sends.
type Store interface {
	Ledger
	Chart(ctx context.Context, client string, asOf fhir.Moment) (fhir.Chart, error)
	Standing(ctx context.Context, e readiness.Engagement, asOf fhir.Moment) (readiness.Standing, error)
	Paused(ctx context.Context) (bool, error)
}

// Step pushes to one counterpart. It can be run twice, and by two at once: one holds the fence of a delivery.
type Step struct {
	Store    Store
	To       string                       // the party
	Pusher   connectors.Pusher            // nil = nothing can be sent there: what is due stays due, and is shown
	Asker    connectors.Asker             // nil = it cannot be asked without sending
	Laid     Laid                         // what is laid out for a person, looked after; nil = nothing is
	Recaller connectors.Recaller          // takes back what is laid out; nil = it lies where nobody here reaches
	Readers  map[string]connectors.Reader // the practice's sources that can read one resource again, by name
	Policies map[string]readiness.Policy  // by prescriber
	Now      func() time.Time
	Rand     func() float64     // in [0,1): spreads the tries
	Progress func(answered int) // in this run so far; nil = nobody looks

	allowed func(d exchange.Delivery, chart fhir.Chart, p readiness.Policy, now time.Time) (bool, string) // nil = plan.Allowed
}

const (
	batch     = 50
	tryFor    = 25 * time.Second // a try takes no longer,
	attemptOf = 30 * time.Second // so that one that another has not ended after this is nobody's
	fresh     = time.Hour        // a release read so long ago is still good enough to send under
	current   = time.Minute      // a verdict that stood so long ago is good enough for the engagement's next delivery
	settle    = 10 * time.Minute // after a try, until what is not found is taken for not there
	quoted    = 10               // failures named in the error; the rest are counted
	trips     = 3                // temporary failures in a row end this counterpart's run
)

// What a run counts.
const (
	Sent      = "sent"
	Existed   = "existed" // stood there already, from a try whose reply was lost
	Refused   = "refused"
	Unknown   = "unknown"   // a person decides
	LaidOut   = "laid out"  // lies ready for a person to hand over
	Recalled  = "recalled"  // laid out, and not to be handed over any more
	Withdrawn = "withdrawn" // not sent: the release no longer allows it
	Deferred  = "deferred"  // surely not arrived
	Lost      = "lost"      // may have arrived: asked about later
	Waiting   = "waiting"   // the chart moved since the verdict: judged again first
	Failed    = "failed"    // at the hub itself; named in the error
	Paused    = "paused"    // nothing is sent until sending is resumed
	Busy      = "busy"      // another tries it now
)

// Run sends until nothing is due. What is refused, deferred or lost is in the ledger and no error; a counterpart that
// cannot be reached or does not let us in ends the run with one.
func (s Step) Run(ctx context.Context) (jobs.Counts, error) {
	recalled, err := s.recall(ctx)
	if s.Pusher == nil || err != nil {
		return recalled, err
	}
	if s.allowed == nil {
		s.allowed = plan.Allowed
	}
	r := run{Step: s, counts: recalled, seen: map[string]bool{}, stood: map[readiness.Engagement]time.Time{}}
	for {
		paused, err := s.Store.Paused(ctx)
		if err != nil {
			return r.counts, fmt.Errorf("push to %s: is sending paused: %w", s.To, err)
		}
		r.paused = paused
		// What this run has seen may still be due: look past it.
		due, err := s.Store.Due(ctx, s.To, s.Now(), batch+len(r.seen))
		if err != nil {
			return r.counts, fmt.Errorf("push to %s: what is due: %w", s.To, err)
		}
		looked := false
		for _, e := range due {
			if r.seen[e.ID] {
				continue
			}
			looked, r.seen[e.ID] = true, true
			if err := ctx.Err(); err != nil {
				return r.counts, fmt.Errorf("push to %s: %w", s.To, err)
			}
			if err := r.one(ctx, e); err != nil {
				return r.counts, fmt.Errorf("push to %s: %w", s.To, err)
			}
		}
		if !looked {
			return r.counts, errors.Join(r.wrong...)
		}
	}
}

// run is one run.
type run struct {
	Step
	counts jobs.Counts
	paused bool
	seen   map[string]bool                    // delivery ids
	stood  map[readiness.Engagement]time.Time // when its verdict was last seen to stand
	inRow  int                                // temporary failures
	wrong  []error                            // that concern one delivery and do not stop the others
}

// one takes one due delivery as far as it goes now:
//
//	| ledger says | may it leave now?            | what happens                                         |
//	|-------------|------------------------------|------------------------------------------------------|
//	| staged      | yes                          | attempt, push                                        |
//	| staged      | no                           | withdrawn: every try so far surely did not arrive    |
//	| staged      | release too old to tell      | read again; gone, changed or unreachable: deferred   |
//	| either      | chart moved since verdict    | waits: it is judged again first                      |
//	| attempted   | who the client is, in doubt  | waits: it would tell of one person under another     |
//	| staged      | paused                       | waits                                                |
//	| attempted   | yes                          | attempt, push asked: the other side is asked first   |
//	| attempted   | no, cannot tell, or paused   | asked only; nothing is sent                          |
//
// The error stops the run for this counterpart.
func (r *run) one(ctx context.Context, e exchange.Entry) error {
	err := r.try(ctx, e)
	if _, ok := errors.AsType[*unreachable](err); ok || err == nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.counts[Failed]++
	if len(r.wrong) < quoted {
		r.wrong = append(r.wrong, fmt.Errorf("delivery %s: %w", e.ID, err))
	}
	return nil
}

func (r *run) try(ctx context.Context, e exchange.Entry) error {
	tried := e.State == exchange.Attempted
	if r.paused && !tried {
		r.counts[Paused]++
		return nil
	}
	policy, ok := r.Policies[e.Prescriber]
	if !ok {
		return fmt.Errorf("there is no policy for %s: is it still in the config?", e.Prescriber)
	}
	chart, err := r.Store.Chart(ctx, e.Client, 0)
	if err != nil {
		return fmt.Errorf("read the chart: %w", err)
	}
	allowed, why := r.allowed(e.Delivery, chart, policy, r.Now())
	switch {
	case tried && !allowed:
		return r.ask(ctx, e, why, true)
	case tried && r.paused:
		return r.ask(ctx, e, "sending is paused", false)
	case !allowed:
		return r.withdraw(ctx, e, why)
	}
	if stands, err := r.stands(ctx, e, policy); err != nil || !stands {
		return err
	}
	switch why := r.readAgain(ctx, e.Delivery, chart); {
	case why != "" && tried:
		return r.ask(ctx, e, why, false)
	case why != "":
		return r.postpone(ctx, e, why)
	}
	return r.push(ctx, e)
}

// withdraw takes back what was never there. Somebody else who was first decides.
func (r *run) withdraw(ctx context.Context, e exchange.Entry, why string) error {
	err := r.Store.Withdraw(ctx, e.ID, why)
	if errors.Is(err, exchange.ErrConflict) {
		r.counts[Busy]++
		return nil
	}
	if err != nil {
		return fmt.Errorf("withdraw it: %w", err)
	}
	r.counts[Withdrawn]++
	return nil
}

// stands reports whether the verdict behind it was judged on the chart as it is now (law 8), and knows who the client is.
// What was staged before a doubt is withdrawn by the verdict; what was tried is not, and must not be sent on. A receipt moves the
// engagement too, but takes nothing back that stood before it.
func (r *run) stands(ctx context.Context, e exchange.Entry, p readiness.Policy) (bool, error) {
	of := readiness.Engagement{Client: e.Client, Prescriber: e.Prescriber}
	if at, ok := r.stood[of]; ok && r.Now().Sub(at) < current {
		return true, nil
	}
	st, err := r.Store.Standing(ctx, of, 0)
	if err != nil {
		return false, fmt.Errorf("does its verdict still stand: %w", err)
	}
	if !st.Judged || st.Moved || st.Verdict.Policy != p.Hash || plan.Mistaken(st.Verdict) {
		r.counts[Waiting]++
		return false, nil
	}
	r.stood[of] = r.Now()
	return true, nil
}

// readAgain reads the release once more where the practice was not read completely within the hour. It answers why the
// delivery must not leave now, "" when it may.
func (r *run) readAgain(ctx context.Context, d exchange.Delivery, chart fhir.Chart) string {
	if d.Release == nil {
		return "" // goes home to whom the facts are about, under a rule of its own
	}
	if s, ok := chart.Source(d.Release.Source); ok && !s.LastComplete.IsZero() && r.Now().Sub(s.LastComplete).Abs() <= fresh {
		return "" // read in the future is not read: some hub's clock was ahead
	}
	const must = "release must be read again first"
	reader := r.Readers[d.Release.Source]
	if reader == nil {
		return must + ": its source reads whole pages only"
	}
	now, err := reader.Read(ctx, fhir.Ref{Type: d.Release.Type, ID: d.Release.ID})
	if errors.Is(err, exchange.ErrNotFound) {
		return must + ": it is gone"
	}
	if err != nil {
		return must + ": " + connectors.Why(err)
	}
	for _, c := range fhir.Now(chart.Consents) {
		if c.Source == d.Release.Source && c.Type == d.Release.Type && c.ID == d.Release.ID && c.Resource.Hash == now.Hash {
			return ""
		}
	}
	return must + ": it changed"
}
