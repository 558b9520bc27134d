package rest

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// pace spends a counterpart's turns. Its limiter spreads them within this process; the turnstile, where there is one,
// hands them out over all replicas, a second's worth at a time, and says who is left in peace.
//
// The breaker itself stays in each process (gobreaker's shared one holds its lock for as long as a request takes): what
// it finds is told at the turnstile, where the others pass.
type pace struct {
	limiter     *rate.Limiter
	turnstile   connectors.Turnstile
	counterpart string // its host: what several connectors may share
	limits      Limits
	now         func() time.Time

	mu    sync.Mutex
	left  int       // turns in hand
	since time.Time // taken then; good for a second
	told  bool      // that the counterpart rests
}

// longestRest bounds what a Retry-After may ask of all replicas; a single delivery waits as long as it was told to.
const longestRest = 15 * time.Minute

func newPace(t connectors.Turnstile, counterpart string, l Limits, now func() time.Time) *pace {
	return &pace{limiter: rate.NewLimiter(rate.Limit(l.Rate), l.Burst), turnstile: t, counterpart: counterpart, limits: l, now: now}
}

// wait waits for a turn. rest is for how long the counterpart is left in peace instead.
func (p *pace) wait(ctx context.Context) (rest time.Duration, err error) {
	if p.turnstile == nil {
		return 0, p.limiter.Wait(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock() // the next one in line waits too
	if p.left == 0 || p.now().Sub(p.since) >= time.Second {
		turns := exchange.Pace{Turns: max(1, min(p.limits.Burst, int(p.limits.Rate))), Each: time.Duration(float64(time.Second) / p.limits.Rate), Burst: p.limits.Burst}
		first, rests, err := p.turnstile.Turns(ctx, p.counterpart, turns)
		if err != nil {
			return 0, err
		}
		if rest := rests.Sub(p.now()); rest > 0 {
			return rest, nil
		}
		if err := sleep(ctx, first); err != nil {
			return 0, err
		}
		p.left, p.since = turns.Turns, p.now()
	}
	p.left--
	return 0, p.limiter.Wait(ctx)
}

// tell passes on that the counterpart is to be left in peace, because the breaker opened or because it asked for it
// (Retry-After), and that it answers again.
func (p *pace) tell(ctx context.Context, open bool, err error) {
	if p.turnstile == nil {
		return
	}
	rest := time.Duration(0)
	if open {
		rest = p.limits.Rest
	}
	if e, ok := asked(err); ok {
		rest = max(rest, min(e, longestRest))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var until time.Time
	switch {
	case rest > 0:
		until, p.told, p.left = p.now().Add(rest), true, 0
	case err == nil && p.told:
		p.told = false
	default:
		return
	}
	// Not told, the others find out for themselves.
	_ = p.turnstile.Rest(context.WithoutCancel(ctx), p.counterpart, until)
}

// asked is how long the counterpart itself asked to be left in peace.
func asked(err error) (time.Duration, bool) {
	e, ok := errors.AsType[*connectors.Error](err)
	if !ok || e.Fault != connectors.Temporary || e.After <= 0 {
		return 0, false
	}
	return e.After, true
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
