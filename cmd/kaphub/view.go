package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// view gathers what was known and decided at asOf, the zero time for now. Every verdict in it has passed
// readiness.Current: a verdict shown is a verdict checked (law 8).
func (h *hub) view(ctx context.Context, asOf time.Time) (report.Input, error) {
	now := h.now()
	in := report.Input{Generated: now, AsOf: now, Practice: h.policies()[0].Practice.Title, Zone: h.config.Location(), Titles: h.titles()}
	var moment fhir.Moment
	if !asOf.IsZero() {
		var err error
		if moment, err = h.store.MomentAt(ctx, asOf); err != nil {
			return in, fmt.Errorf("find what was known then: %w", err)
		}
		if moment == 0 { // 0 would mean now
			return in, fmt.Errorf("nothing was known at %s: the hub's first record is younger", asOf.Format(time.RFC3339))
		}
		in.AsOf = asOf
	}
	states, err := h.store.Sources(ctx, moment)
	if err != nil {
		return in, fmt.Errorf("read sources: %w", err)
	}
	in.Sources = report.SourceStates(h.policies(), states, in.AsOf)
	board, err := h.store.Board(ctx, moment)
	if err != nil {
		return in, fmt.Errorf("read board: %w", err)
	}
	for _, s := range board {
		in.Clients = append(in.Clients, h.checked(s, states, in.AsOf, !asOf.IsZero()))
	}
	if in.Rejects, err = h.store.Rejects(ctx, false); err != nil {
		return in, fmt.Errorf("read rejects: %w", err)
	}
	if in.Deliveries, err = h.store.Deliveries(ctx, ""); err != nil {
		return in, fmt.Errorf("read deliveries: %w", err)
	}
	for _, src := range states {
		list, err := h.store.Strays(ctx, src.Name, moment)
		if err != nil {
			return in, err
		}
		for _, x := range list {
			if x.End.After(in.AsOf) {
				in.Strays = append(in.Strays, report.Stray{Source: src.Name, Digest: x.Token.Value, Start: x.Start, End: x.End})
			}
		}
	}
	if moment != 0 {
		in.Rejects = until(in.Rejects, func(r fhir.Reject) bool { return r.Moment <= moment })
		in.Deliveries = until(in.Deliveries, func(e exchange.Entry) bool { return !e.Staged.After(asOf) })
	}
	return in, nil
}

// checked asks whether a verdict still stands. One from the past is asked under the settings of its own time.
func (h *hub) checked(s readiness.Standing, states []fhir.SourceState, at time.Time, past bool) readiness.Verdict {
	if !s.Judged {
		return readiness.Verdict{
			Client: s.Client, Prescriber: s.Prescriber, State: readiness.Unknown, Judged: at, Until: at,
			Words: "Cannot tell: not judged yet", Owner: readiness.Operator, Next: "run kaphub sync",
		}
	}
	policy := h.policy(s.Prescriber)
	if past {
		policy.Hash = s.Verdict.Policy
	}
	return readiness.Current(s.Verdict, s.Moved, policy, states, at)
}

func until[T any](list []T, keep func(T) bool) []T {
	var kept []T
	for _, item := range list {
		if keep(item) {
			kept = append(kept, item)
		}
	}
	return kept
}
