package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/pull"
)

// turnstile is the store's, for connectors that are made before it is open and used after.
type turnstile struct{ *store.DB }

// quietUntil returns when a party's quiet hours end, zero outside of them. Nothing is asked of a party in its quiet
// hours and nothing sent; what was read stays as fresh as it is.
func (h *hub) quietUntil(party string) time.Time {
	if h.regardless {
		return time.Time{}
	}
	return config.QuietUntil(quietHours(&h.config, party), h.now(), h.config.Location())
}

// quietHours are a party's, as the config has them.
func quietHours(c *config.Config, party string) []config.Quiet {
	if party == fhir.Practice {
		return c.Practice.Quiet
	}
	if i := slices.IndexFunc(c.Prescribers, func(p config.Prescriber) bool { return p.Name == party }); i >= 0 {
		return c.Prescribers[i].Quiet
	}
	return nil
}

// quiet is what a job counts that was not run for its party's quiet hours.
const quiet = "quiet"

// hush is what a job answers that is not run for its party's quiet hours; nil when it is to be run.
func (h *hub) hush(party string) jobs.Counts {
	if h.quietUntil(party).IsZero() {
		return nil
	}
	return jobs.Counts{quiet: 1}
}

// lookAfterSending nudges a pull of every source that is worth a look besides its schedule, since something was sent there.
func (h *hub) lookAfterSending(ctx context.Context, nudge func(job string)) (jobs.Counts, error) {
	states, err := h.store.Sources(ctx, 0)
	if err != nil {
		return nil, fmt.Errorf("read sources: %w", err)
	}
	counts := jobs.Counts{}
	var wrong []error
	for _, c := range h.configured() {
		if c.Puller == nil || c.Party == fhir.Practice || !h.quietUntil(c.Party).IsZero() {
			continue
		}
		now := h.now()
		sent, err := h.store.LastSent(ctx, c.Party, now.Add(-24*time.Hour))
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		var looked time.Time
		for _, s := range states {
			if s.Name == c.Name {
				looked = s.LastTried
			}
		}
		if next := pull.Next(sent, looked, now); !next.IsZero() && !next.After(now) {
			nudge("pull " + c.Name)
			counts["nudged"]++
		}
	}
	return counts, errors.Join(wrong...)
}

// asksTooOften reports whether the sync schedule asks a partner more often than every 15 minutes. Servers on this machine are the
// practice's own.
func (h *hub) asksTooOften() bool {
	far := slices.ContainsFunc(h.connectors, func(c connectors.Connector) bool { return c.Base != "" && !onThisMachine(c.Base) })
	closest := jobs.Closest(h.config.Schedules.Sync, h.config.Location(), h.now())
	return far && closest > 0 && closest < 15*time.Minute
}
