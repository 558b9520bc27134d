package main

import (
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/jobs/push"
)

// evening is an outpost with one newly referred client, at nine in the evening of the practice.
func evening(t *testing.T) *outpost {
	t.Helper()
	clock := &hands{}
	clock.at.Store(time.Date(2026, 3, 3, 4, 0, 0, 0, time.UTC).UnixMilli())
	world, err := sandbox.NewWorld(sandbox.WorldOptions{Now: clock.now, Seed: 1, Newcomers: 1})
	if err != nil {
		t.Fatal(err)
	}
	here, there, err := world.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return settleAt(t, world, clock, store.NewKey(), []string{here, there})
}

func TestInItsQuietHoursAPartyIsLeftInPeace(t *testing.T) {
	t.Parallel()
	o := evening(t)
	if zone := o.config.Location().String(); zone != "America/Denver" {
		t.Fatalf("the clock is set for Denver, the hub is in %s", zone)
	}
	o.config.Prescribers[0].Quiet = []config.Quiet{{From: 20 * time.Hour, To: 6 * time.Hour}}
	o.turn(0)
	if n := len(o.world.Prescriber.Calls()); n != 0 {
		t.Errorf("the prescriber is asked %d times in its quiet hours", n)
	}
	if len(o.world.Practice.Calls()) == 0 {
		t.Error("the practice has none, and is not read")
	}
	staged, err := o.store.Deliveries(t.Context(), exchange.Staged)
	if err != nil || len(staged) != 1 {
		t.Fatalf("the referral waits: %d %v", len(staged), err)
	}
	o.turn(9*time.Hour + time.Minute)
	if n := len(copies(o.world.Prescriber)); n != 4 {
		t.Errorf("in the morning %d records are sent, want 4", n)
	}

	late := evening(t)
	late.config.Prescribers[0].Quiet = o.config.Prescribers[0].Quiet
	late.regardless = true
	late.turn(0)
	if n := len(copies(late.world.Prescriber)); n != 4 {
		t.Errorf("anyway, %d records are sent, want 4", n)
	}
}

func TestAfterSendingTheAnswerIsLookedForSoon(t *testing.T) {
	t.Parallel()
	o := evening(t)
	looks := func() []string {
		t.Helper()
		var nudged []string
		if _, err := o.lookAfterSending(t.Context(), func(job string) { nudged = append(nudged, job) }); err != nil {
			t.Fatal(err)
		}
		return nudged
	}
	if got := looks(); len(got) != 0 {
		t.Errorf("nothing was sent yet, and %v is nudged", got)
	}
	counts, err := o.cycle(t.Context(), bars{})
	if err != nil || counts.counts()[push.Sent] != 4 {
		t.Fatalf("sent %v %v", counts.counts(), err)
	}
	if got := looks(); len(got) != 0 {
		t.Errorf("sent a moment ago, and %v is nudged", got)
	}
	o.clock.forward(time.Minute)
	if got := looks(); !slices.Equal(got, []string{"pull skylight"}) {
		t.Errorf("a minute after: %v", got)
	}
	o.config.Prescribers[0].Quiet = []config.Quiet{{From: 20 * time.Hour, To: 6 * time.Hour}}
	if got := looks(); len(got) != 0 {
		t.Errorf("in its quiet hours: %v", got)
	}
}

// Whatever two replicas ask a counterpart, each request of either was paid for with a turn that they share.
func TestNoReplicaAsksWithoutATurn(t *testing.T) {
	t.Parallel()
	one := evening(t)
	server := httptest.NewServer(one.world.Prescriber)
	t.Cleanup(server.Close)
	paced := func(h *hub) *hub {
		h.connectors = slices.Clone(h.connectors)
		for i, c := range h.connectors {
			if c.Party == fhir.Practice {
				continue
			}
			limits := impatient
			limits.Rate, limits.Burst = 1000, 10 // a turn each millisecond
			c, err := fhirrest.New(fhirrest.Options{Name: c.Name, Party: c.Party, BaseURL: server.URL, Auth: fhirrest.Auth{Kind: fhirrest.AuthNone}, Limits: limits, Now: one.clock.now, Turnstile: h.store})
			if err != nil {
				t.Fatal(err)
			}
			h.connectors[i] = c
		}
		return h
	}
	other := &hub{config: one.config, written: one.written, connectors: one.connectors, store: one.store, now: one.now, log: one.log, holder: "another"}
	other.informed.Store(&other.written)
	replicas := []*hub{paced(one.hub), paced(other)}
	for range 3 {
		var all sync.WaitGroup
		for _, h := range replicas {
			all.Go(func() {
				if _, err := h.cycle(t.Context(), bars{}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	asked := len(one.world.Prescriber.Calls())
	if asked < 20 {
		t.Fatalf("only %d requests: nothing to pace", asked)
	}
	taken, _, err := one.store.Turns(t.Context(), strings.TrimPrefix(server.URL, "http://"), exchange.Pace{}) // its clock stands still: what is owed is what was taken
	if err != nil || taken < time.Duration(asked)*time.Millisecond {
		t.Errorf("%d requests, and turns for %v only: %v", asked, taken, err)
	}
	if n := len(copies(one.world.Prescriber)); n != 4 {
		t.Errorf("%d records stand at the prescriber, want 4", n)
	}
}
