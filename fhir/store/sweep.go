package store

import (
	"context"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// When a member is due to be swept (rules.md, R48): every night with a session within 14 days, else every seventh night.
// Both are a few hours short, so that a sweep that begins a little earlier than the last one did finds them due.
const (
	sweepSoon    = 14 * day
	sweepNightly = day - 4*time.Hour
	sweepWeekly  = 7*day - 12*time.Hour

	day = 24 * time.Hour
)

// SweepDue returns at most limit members of the source to sweep now: first who has a dosing session soon and was not
// swept in the last 20 hours, by session; then who was not swept this week, the longest ago first.
func (db *DB) SweepDue(ctx context.Context, source string, limit int) ([]string, error) {
	now := db.now()
	rows, err := db.read.SweepDue(ctx, table.SweepDueParams{Source: source, Now: ms(now), Soon: ms(now.Add(sweepSoon)),
		Tonight: ms(now.Add(-sweepNightly)), Week: ms(now.Add(-sweepWeekly)), Lim: int32(min(limit, 1<<20))}) //nolint:gosec // bounded
	if err != nil {
		return nil, fmt.Errorf("who is due to be swept: %w", plain(err))
	}
	patients := make([]string, 0, len(rows))
	for _, r := range rows {
		patients = append(patients, r.Patient)
	}
	return patients, nil
}

// noteSwept notes who was read to the beginning, by a sweep or when they were new, and what a sweep found that the pulls
// had missed. Where rows were withheld nobody was.
func (r *receipt) noteSwept(ctx context.Context, page exchange.Page) error {
	if r.sweep && r.done.Missed > 0 {
		if err := r.AddOverlooked(ctx, table.AddOverlookedParams{Source: r.src.Name, Moment: r.moment, At: r.at, N: int64(r.done.Missed)}); err != nil {
			return err
		}
	}
	if page.Unknowns > 0 {
		return nil
	}
	members := map[string]bool{}
	for _, patient := range page.Swept {
		if r.clients[patient] != "" {
			members[patient] = true
		}
	}
	if len(members) == 0 {
		return nil
	}
	return r.PutSwept(ctx, table.PutSweptParams{Source: r.src.Name, Patients: set(members), At: r.at})
}

// Overlooked returns what sweeps had found at a moment, 0 for now, in the week before at, that the pulls had missed; by source.
func (db *DB) Overlooked(ctx context.Context, asOf fhir.Moment, at time.Time) (map[string]int, error) {
	rows, err := db.read.OverlookedSince(ctx, table.OverlookedSinceParams{Since: ms(at.Add(-7 * day)), Moment: momentOr(asOf)})
	if err != nil {
		return nil, fmt.Errorf("what sweeps found: %w", plain(err))
	}
	found := map[string]int{}
	for _, r := range rows {
		found[r.Source] = int(r.N)
	}
	return found, nil
}
