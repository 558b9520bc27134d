package rest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// doorman is a turnstile in memory: one next turn for all.
type doorman struct {
	mu    sync.Mutex
	next  time.Time
	rests time.Time
	taken int
}

func (d *doorman) Turns(_ context.Context, _ string, p exchange.Pace) (time.Duration, time.Time, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, cost := time.Now(), time.Duration(p.Turns)*p.Each
	if d.next.Before(now) {
		d.next = now
	}
	d.next = d.next.Add(cost)
	d.taken++
	return max(0, d.next.Add(-max(cost, time.Duration(p.Burst)*p.Each)).Sub(now)), d.rests, nil
}

func (d *doorman) Rest(_ context.Context, _ string, until time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rests = until
	return nil
}

func paces(t *connectors.Turnstile, limits Limits) *pace {
	return newPace(*t, "partner.example", limits.orDefault(false), time.Now)
}

// Two replicas, each with more to ask than the counterpart bears, ask it together no faster than one may.
func TestReplicasShareOnePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared connectors.Turnstile = &doorman{}
		var asked [2]int
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var all sync.WaitGroup
		for i := range asked {
			p := paces(&shared, Limits{Rate: 5, Burst: 10})
			all.Go(func() {
				for {
					if _, err := p.wait(ctx); err != nil {
						return
					}
					asked[i]++
				}
			})
		}
		all.Wait()
		// 20 seconds at 5, and the burst before; one replica's last handful may be cut off.
		if sum := asked[0] + asked[1]; sum < 90 || sum > 110 {
			t.Errorf("asked %d and %d times in 20 seconds at 5 a second", asked[0], asked[1])
		}
		for i, n := range asked {
			if n < 30 {
				t.Errorf("replica %d got %d turns only", i, n)
			}
		}
		if taken := shared.(*doorman).taken; taken > 30 {
			t.Errorf("the turnstile was asked %d times: a second's worth is taken at once", taken)
		}
	})
}

func TestWhatOneReplicaFindsTheOthersHeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared connectors.Turnstile = &doorman{}
		one, other := paces(&shared, Limits{}), paces(&shared, Limits{})
		rests := func(p *pace) time.Duration {
			t.Helper()
			rest, err := p.wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return rest
		}
		down := connectors.Errorf("search Task", connectors.Temporary, "status 503")
		if rests(one) != 0 || rests(other) != 0 {
			t.Error("nobody is left in peace at first")
		}
		one.tell(t.Context(), false, down)
		<-time.After(2 * time.Second)
		if rests(other) != 0 {
			t.Error("one failure is no reason to leave it in peace")
		}
		one.tell(t.Context(), true, down) // the breaker opened
		<-time.After(2 * time.Second)
		if rest := rests(other); rest != 28*time.Second {
			t.Errorf("the other leaves it in peace for %v", rest)
		}
		<-time.After(28 * time.Second)
		if rests(other) != 0 {
			t.Error("the rest is over")
		}
		down.After = 10 * time.Minute // the counterpart asked for it
		one.tell(t.Context(), false, down)
		<-time.After(time.Minute)
		if rest := rests(other); rest != 9*time.Minute {
			t.Errorf("as it asked, it is left in peace for %v", rest)
		}
		one.tell(t.Context(), false, nil) // it answers again
		if rests(other) != 0 {
			t.Error("it answers again, and is still left in peace")
		}
		down.After = 100 * time.Hour
		one.tell(t.Context(), false, down)
		<-time.After(time.Second)
		if rest := rests(other); rest > longestRest {
			t.Errorf("it can ask for %v for all", rest)
		}
	})
}

func TestATurnstileThatFailsLetsNobodyPass(t *testing.T) {
	var broken connectors.Turnstile = &broke{}
	if _, err := paces(&broken, Limits{}).wait(t.Context()); err == nil {
		t.Error("passed")
	}
}

type broke struct{ doorman }

func (*broke) Turns(context.Context, string, exchange.Pace) (time.Duration, time.Time, error) {
	return 0, time.Time{}, errors.New("no store")
}
