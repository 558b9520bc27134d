package push

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// unreachable ends the run for this counterpart.
type unreachable struct {
	inRow int
	err   error
}

func (u *unreachable) Error() string {
	if u.inRow > 1 {
		return fmt.Sprintf("stopped after %d failures in a row, the rest stays due: %v", u.inRow, u.err)
	}
	return fmt.Sprintf("stopped, the rest stays due: %v", u.err)
}

func (u *unreachable) Unwrap() error { return u.err }

// attempt commits that a try begins (invariant 3). ok is false when another holds it or it is no longer due.
func (r *run) attempt(ctx context.Context, e exchange.Entry) (f exchange.Fence, before exchange.Entry, ok bool, err error) {
	f, before, err = r.Store.Attempt(ctx, e.ID, attemptOf)
	switch {
	case errors.Is(err, exchange.ErrBusy), errors.Is(err, exchange.ErrConflict):
		r.counts[Busy]++
		return f, before, false, nil
	case err != nil:
		return f, before, false, fmt.Errorf("commit the attempt: %w", err)
	}
	return f, before, true, nil
}

// push makes one try, and keeps how it ended whatever became of ctx meanwhile.
func (r *run) push(ctx context.Context, e exchange.Entry) error {
	bounded, cancel := context.WithTimeout(ctx, tryFor) // from before the attempt: nothing is sent once another may take over
	defer cancel()
	f, before, ok, err := r.attempt(ctx, e)
	if err != nil || !ok {
		return err
	}
	d := before.Delivery
	d.Tried = before.Last
	receipt, err := r.Pusher.Push(bounded, d, before.State == exchange.Attempted)
	if err == nil {
		r.inRow = 0
		return r.deliver(ctx, f, receipt)
	}
	return r.failed(ctx, f, before, err)
}

// ask asks whether an earlier try arrived, and sends nothing. lapsed says that the release no longer covers it; else it
// only must not be sent just now. why says which.
//
//	there                      delivered: the disclosure happened, and the ledger says so
//	not there, not just now    stays attempted: sent, asked first, when it may be
//	not there, lapsed          asked again until the dust has settled; then a person sees it as unknown. It is never
//	                           withdrawn: that would say that nothing was ever sent
//	cannot be asked            the same, at once
func (r *run) ask(ctx context.Context, e exchange.Entry, why string, lapsed bool) error {
	f, before, ok, err := r.attempt(ctx, e)
	if err != nil || !ok {
		return err
	}
	finding, settled := "not-askable", true
	if r.Asker != nil {
		bounded, cancel := context.WithTimeout(ctx, tryFor)
		defer cancel()
		receipt, err := r.Asker.Ask(bounded, before.Delivery)
		if err == nil {
			r.inRow = 0
			return r.deliver(ctx, f, receipt)
		}
		if !errors.Is(err, exchange.ErrNotFound) {
			return r.failed(ctx, f, before, err)
		}
		finding, settled = "not-there-when-asked", r.Now().Sub(before.Last) >= settle
	}
	if lapsed && settled {
		return r.deliver(ctx, f, exchange.Receipt{Outcome: exchange.OutcomeUnknown, Codes: []string{"attempted", finding, "release-lapsed"}})
	}
	wait := r.wait(before.Attempts)
	if lapsed {
		wait = settle // being asked counts as a try: the next one finds the dust settled
	}
	return r.lost(ctx, f, r.Now().Add(wait), finding+"; "+why)
}

// failed turns an error of the counterpart into what the ledger keeps:
//
//	refused                      a receipt: shown, replayable, frees the lane
//	uncertain                    a receipt: a person decides
//	surely not arrived           staged again, due later
//	anything else                stays attempted: asked about later
//
// An earlier try that may have arrived is not undone by a later one that surely did not.
func (r *run) failed(ctx context.Context, f exchange.Fence, before exchange.Entry, err error) error {
	why, now := connectors.Why(err), r.Now()
	var codes []string
	after := time.Duration(0)
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		codes, after = e.Codes, e.After
	}
	fault := connectors.FaultOf(err)
	switch fault {
	case connectors.Refused:
		r.inRow = 0
		return r.deliver(ctx, f, exchange.Receipt{Outcome: exchange.OutcomeRefused, Codes: codes, At: now})
	case connectors.Uncertain:
		return r.deliver(ctx, f, exchange.Receipt{Outcome: exchange.OutcomeUnknown, Codes: codes, At: now})
	}
	until := now.Add(max(after, r.wait(before.Attempts)))
	var kept error
	switch {
	case ctx.Err() != nil:
		kept = r.lost(ctx, f, now, why) // we were stopped ourselves: ask as soon as we are back
	case before.State == exchange.Attempted || connectors.MayHaveArrived(err):
		kept = r.lost(ctx, f, until, why)
	default:
		kept = r.deferred(ctx, f, until, why)
	}
	if kept != nil {
		return kept
	}
	switch fault {
	case connectors.Denied:
		return &unreachable{err: err}
	case connectors.Temporary:
		if r.inRow++; r.inRow >= trips {
			return &unreachable{inRow: r.inRow, err: err}
		}
	}
	return nil
}

// postpone keeps a staged delivery for later without trying it. The ledger moves a date only under a fence, so an
// attempt is committed and given back as surely not arrived.
func (r *run) postpone(ctx context.Context, e exchange.Entry, why string) error {
	f, before, ok, err := r.attempt(ctx, e)
	if err != nil || !ok {
		return err
	}
	until := r.Now().Add(r.wait(before.Attempts))
	if before.State == exchange.Attempted {
		return r.lost(ctx, f, until, why) // somebody tried it between our look and our fence
	}
	return r.deferred(ctx, f, until, why)
}

func (r *run) deliver(ctx context.Context, f exchange.Fence, receipt exchange.Receipt) error {
	if receipt.At.IsZero() {
		receipt.At = r.Now()
	}
	if err := r.keep(r.Store.Deliver(context.WithoutCancel(ctx), f, receipt)); err != nil {
		return err
	}
	switch receipt.Outcome {
	case exchange.OutcomeRefused:
		r.counts[Refused]++
	case exchange.OutcomeUnknown:
		r.counts[Unknown]++
	case exchange.OutcomeExisted:
		r.counts[Existed]++
	case exchange.OutcomeLaidOut:
		r.counts[LaidOut]++
	default:
		r.counts[Sent]++
	}
	if r.Progress != nil {
		r.Progress(int(r.counts[Sent] + r.counts[Existed] + r.counts[LaidOut] + r.counts[Refused] + r.counts[Unknown]))
	}
	return nil
}

func (r *run) deferred(ctx context.Context, f exchange.Fence, until time.Time, why string) error {
	r.counts[Deferred]++
	return r.keep(r.Store.Defer(context.WithoutCancel(ctx), f, until, why))
}

func (r *run) lost(ctx context.Context, f exchange.Fence, until time.Time, why string) error {
	r.counts[Lost]++
	return r.keep(r.Store.Lost(context.WithoutCancel(ctx), f, until, why))
}

// keep takes a lost fence for what it is: another asked about this delivery meanwhile, and its answer stands.
func (r *run) keep(err error) error {
	if errors.Is(err, exchange.ErrConflict) {
		r.counts[Busy]++
		return nil
	}
	if err != nil {
		return fmt.Errorf("keep the answer: %w", err)
	}
	return nil
}

// wait is how long a delivery waits after so many tries: half a minute, doubled each time up to an hour, and a random
// part of it less, so that a counterpart that comes back is not met by everybody at once.
func (r *run) wait(attempts int) time.Duration {
	const first, most = 30 * time.Second, time.Hour
	wait := min(first<<min(max(attempts, 0), 8), most)
	return wait - time.Duration(r.Rand()*float64(wait)/3)
}
