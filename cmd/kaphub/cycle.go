package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/folder"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/pull"
	"github.com/kaphub/kaphub/jobs/push"
	"github.com/kaphub/kaphub/jobs/reconcile"
	"github.com/kaphub/kaphub/jobs/sweep"
)

// rounds bounds how often a cycle decides and sends: a referral takes one for each of its steps.
const rounds = 20

// done is what a cycle did, by job, and what failed on the way. A failure of one source or counterpart stops no other.
type done struct {
	by     map[string]jobs.Counts
	failed map[string]error
}

func (d *done) note(job string, counts jobs.Counts, err error) {
	if d.by[job] == nil {
		d.by[job] = jobs.Counts{}
	}
	for name, n := range counts {
		d.by[job][name] += n
	}
	if err != nil {
		d.failed[job] = err
	}
}

// counts adds up what every job did.
func (d *done) counts() jobs.Counts {
	sum := jobs.Counts{}
	for _, counts := range d.by {
		for name, n := range counts {
			sum[name] += n
		}
	}
	return sum
}

// err is everything that failed, in the order of a cycle.
func (d *done) err() error {
	return errors.Join(d.errs(func(error) bool { return true })...)
}

func (d *done) errs(which func(error) bool) []error {
	var all []error
	for _, job := range slices.SortedFunc(maps.Keys(d.failed), inOrder) {
		if err := d.failed[job]; which(err) {
			all = append(all, err) // a step's errors name the step
		}
	}
	return all
}

// elsewhere reports whether a failure is the other side's: the hub itself is well.
func elsewhere(err error) bool {
	_, ok := errors.AsType[*connectors.Error](err)
	return ok
}

// cycle pulls every source, then decides and sends until nothing is left. What failed at a source or counterpart is in
// done; the error is for what the hub itself could not do.
func (h *hub) cycle(ctx context.Context, shown bars) (done, error) {
	d := done{by: map[string]jobs.Counts{}, failed: map[string]error{}}
	began := h.now()
	h.pullAll(ctx, &d, shown)
	if err := ctx.Err(); err != nil {
		return d, err
	}
	judging, sending := shown.count("reconcile"), shown.count("push")
	defer sending.done()
	defer judging.done()
	if err := h.decideAndSend(ctx, &d, judging, sending); err != nil {
		return d, err
	}
	resumed, err := h.resume(ctx, &d, began)
	if resumed && err == nil {
		err = h.decideAndSend(ctx, &d, judging, sending)
	}
	return d, err
}

func (h *hub) decideAndSend(ctx context.Context, d *done, judging, sending *bar) error {
	failed := false
	for range rounds {
		counts, err := h.reconcile(ctx, judging)
		d.note("reconcile", counts, err) // a chart that cannot be judged keeps no other's deliveries waiting
		again, judged := false, counts[reconcile.Judged] > 0
		failed = false
		for _, party := range h.parties() {
			if d.failed["push "+party] != nil {
				continue // it was unreachable a moment ago: what is due stays due
			}
			counts, err := h.push(ctx, party, sending)
			d.note("push "+party, counts, err)
			again = again || settled(counts) || judged && counts[push.Waiting] > 0
			failed = failed || counts[push.Deferred]+counts[push.Lost] > 0
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if !again {
			break
		}
	}
	if failed { // what a failed try says of the client (R46) is judged now, without trying once more
		counts, err := h.reconcile(ctx, judging)
		d.note("reconcile", counts, err)
	}
	return ctx.Err()
}

// resume lets a restored store send again, once every source was read and every open attempt was asked about.
func (h *hub) resume(ctx context.Context, d *done, began time.Time) (resumed bool, err error) {
	paused, err := h.store.Paused(ctx)
	if err != nil || !paused || len(d.failed) > 0 {
		return false, err
	}
	open, err := h.store.Deliveries(ctx, exchange.Attempted)
	if err != nil {
		return false, fmt.Errorf("read deliveries: %w", err)
	}
	if slices.ContainsFunc(open, func(e exchange.Entry) bool { return e.Last.Before(began) }) {
		return false, nil
	}
	if err := h.store.Resume(ctx); err != nil {
		return false, fmt.Errorf("resume sending: %w", err)
	}
	return true, h.store.Audit(ctx, h.actor, "resume", "", "")
}

// pullAll reads the practice first, since it says whose records are asked for at the prescribers; within a party's side
// all sources are read at once: a slow one keeps no other waiting.
func (h *hub) pullAll(ctx context.Context, d *done, shown bars) {
	var mu sync.Mutex
	for _, practice := range []bool{true, false} {
		var all sync.WaitGroup
		for _, c := range h.connectors {
			if c.Puller == nil || (c.Party == fhir.Practice) != practice {
				continue
			}
			if h.isDesk(c.Name) {
				if waits, err := h.waits(ctx, c.Name); err != nil || !waits {
					if err != nil {
						mu.Lock()
						d.note("pull "+c.Name, nil, err)
						mu.Unlock()
					}
					continue // nothing lies there
				}
			}
			line := shown.count("pull " + c.Name)
			all.Go(func() {
				defer line.done()
				counts, err := h.pull(ctx, c, line)
				mu.Lock()
				defer mu.Unlock()
				d.note("pull "+c.Name, counts, err)
			})
		}
		all.Wait()
	}
}

func (h *hub) pull(ctx context.Context, c connectors.Connector, line *bar) (jobs.Counts, error) {
	if counts := h.hush(c.Party); counts != nil {
		return counts, nil
	}
	counts, err := h.patiently(ctx, 10*time.Second, pull.Step{
		Store: h.store, Puller: c.Puller, Source: source(c), Holder: h.holder, Now: h.now,
		Progress: func(_, resources int) { line.at(int64(resources), 0) },
	}.Run)
	if err != nil {
		return counts, err
	}
	return counts, h.learn(ctx, c)
}

// patiently runs again while another process holds what is needed. In the foreground only: a process that died is taken
// for alive until its lease ends, and whoever typed sync wants the work done, not the answer that it is being done.
func (h *hub) patiently(ctx context.Context, most time.Duration, run func(context.Context) (jobs.Counts, error)) (jobs.Counts, error) {
	const pause = 250 * time.Millisecond
	sum := jobs.Counts{}
	for waited := time.Duration(0); ; waited += pause {
		counts, err := run(ctx)
		busy := counts[pull.Busy] // push calls it the same
		delete(counts, pull.Busy)
		for name, n := range counts {
			sum[name] += n
		}
		if busy == 0 || err != nil || !h.foreground || waited >= most {
			if busy > 0 {
				sum[pull.Busy] = busy
			}
			return sum, err
		}
		select {
		case <-ctx.Done():
			return sum, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (h *hub) sweep(ctx context.Context, c connectors.Connector) (jobs.Counts, error) {
	if counts := h.hush(c.Party); counts != nil {
		return counts, nil
	}
	return sweep.Step{Store: h.store, Sweeper: c.Sweeper, Source: source(c), Holder: h.holder, Now: h.now}.Run(ctx)
}

// sweepAll sweeps one source after the other; it is the night's work, and in no hurry.
func (h *hub) sweepAll(ctx context.Context) (jobs.Counts, error) {
	d := done{by: map[string]jobs.Counts{}, failed: map[string]error{}}
	for _, c := range h.connectors {
		counts, err := h.sweep(ctx, c)
		d.note("sweep "+c.Name, counts, err)
	}
	return d.counts(), d.err()
}

func (h *hub) reconcile(ctx context.Context, line *bar) (jobs.Counts, error) {
	if err := errors.Join(h.inform(ctx), h.apply(ctx)); err != nil {
		return nil, err
	}
	return reconcile.Step{Store: h.store, Policies: h.byPrescriber(), Now: h.now, Progress: func(judged int) { line.at(int64(judged), 0) }}.Run(ctx)
}

// push sends what is due to one party.
func (h *hub) push(ctx context.Context, party string, line *bar) (jobs.Counts, error) {
	if counts := h.hush(party); counts != nil {
		return counts, nil
	}
	ledger, err := h.ledger(ctx)
	if err != nil {
		return nil, err
	}
	step := h.pushStep(party, line)
	step.Store = ledger
	if _, lays := step.Pusher.(*folder.Packets); step.Pusher != nil && !lays {
		step.Store = unpacked{ledger} // a packet goes by hand, whatever else leads there
	}
	return h.patiently(ctx, 35*time.Second, step.Run)
}

// pushStep is a push to one party by the way that leads there, if any.
func (h *hub) pushStep(party string, line *bar) push.Step {
	step := push.Step{
		Store: h.store, Laid: h.store, To: party, Readers: map[string]connectors.Reader{}, Policies: h.byPrescriber(), Now: h.now, Rand: rand.Float64,
		Progress: func(answered int) { line.at(int64(answered), 0) },
	}
	if c, ok := h.way(party); ok {
		step.Pusher, step.Asker, step.Recaller = c.Pusher, c.Asker, c.Recaller
	} else if party != fhir.Practice {
		step.Recaller = h.packets(party, "") // what was printed is looked after; to print is a person's to ask for
	}
	for _, c := range h.connectors {
		if c.Party == fhir.Practice && c.Reader != nil {
			step.Readers[c.Name] = c.Reader
		}
	}
	return step
}

// settled reports whether a run brought a delivery to an end: it may let the next step of its referral be staged.
func settled(c jobs.Counts) bool {
	return c[push.Sent]+c[push.Existed]+c[push.Refused]+c[push.Unknown]+c[push.Withdrawn] > 0
}

// unpacked is a ledger without the packets.
type unpacked struct{ push.Store }

// Due returns what is due but for packets.
func (u unpacked) Due(ctx context.Context, to string, now time.Time, limit int) ([]exchange.Entry, error) {
	entries, err := u.Store.Due(ctx, to, now, limit)
	return slices.DeleteFunc(entries, func(e exchange.Entry) bool { return e.What == exchange.WhatPacket }), err
}

// ahead is a ledger that does not wait out a pause shorter than by. A longer one has its reason: the other side asked for
// it, or what was sent may not show there yet, and asking too soon would only begin the pause anew.
type ahead struct {
	*store.DB
	by time.Duration
}

// Due returns what is due, and what only waits out such a pause.
func (a ahead) Due(ctx context.Context, to string, now time.Time, limit int) ([]exchange.Entry, error) {
	entries, err := a.DB.Due(ctx, to, now.Add(a.by), limit)
	return slices.DeleteFunc(entries, func(e exchange.Entry) bool { return a.rests(e, now) }), err
}

// rests reports whether e is left alone until its pause is over.
func (a ahead) rests(e exchange.Entry, now time.Time) bool {
	return e.Due.After(now) && !e.Last.IsZero() && e.Due.Sub(e.Last) >= a.by
}

// ledger is what a push works from. Whoever asks for a sync does not want to wait out the pause after a failed try,
// while what the other side asked to be left alone for longer stays alone. A paused store asks about everything at once.
func (h *hub) ledger(ctx context.Context) (push.Store, error) {
	paused, err := h.store.Paused(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("is sending paused: %w", err)
	case paused:
		return ahead{h.store, 365 * 24 * time.Hour}, nil
	case h.foreground:
		return ahead{h.store, time.Minute}, nil
	}
	return h.store, nil
}

func source(c connectors.Connector) exchange.Source {
	return exchange.Source{Name: c.Name, Party: c.Party, Base: c.Base}
}
