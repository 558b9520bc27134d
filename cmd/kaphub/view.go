package main

import (
	"context"
	"errors"
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

// find returns the hub key of the client whom word names: a hub key, or a business identifier's value.
func find(in report.Input, word string) (string, error) {
	found := ""
	for _, v := range in.Clients {
		named := v.Client == word
		for _, id := range v.Identifiers {
			named = named || id.Value == word
		}
		if !named || v.Client == found {
			continue
		}
		if found != "" {
			return "", errors.New("that identifier belongs to several clients: use the hub key that kaphub status --json shows")
		}
		found = v.Client
	}
	if found == "" {
		return "", errors.New("no client of that key or identifier is known: kaphub status shows the hub keys")
	}
	return found, nil
}

// moment reads --as-of: an instant, or a civil time or date in the practice's zone. A date means the end of that day.
func moment(word string, zone *time.Location, now time.Time) (time.Time, error) {
	if word == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, word)
	for _, form := range []string{"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if err != nil {
			at, err = time.ParseInLocation(form, word, zone)
		}
	}
	if err != nil {
		if at, err = time.ParseInLocation(time.DateOnly, word, zone); err == nil {
			at = at.AddDate(0, 0, 1).Add(-time.Millisecond)
		}
	}
	switch {
	case err != nil:
		return at, fmt.Errorf("--as-of %q is no time: write it like 2026-03-03T09:15 or 2026-03-03", word)
	case at.After(now) && word == now.In(zone).Format(time.DateOnly):
		return time.Time{}, nil // the day is not over
	case at.After(now):
		return at, errors.New("--as-of lies in the future: the hub knows only what has been recorded")
	}
	return at, nil
}
