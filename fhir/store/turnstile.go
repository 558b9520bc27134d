package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Turns takes turns at a counterpart, which all replicas share: the first may be used after wait, the others each p.Each
// later, after a pause p.Burst of them at once. rests is until when the counterpart is left in peace; zero when it is not.
func (db *DB) Turns(ctx context.Context, counterpart string, p exchange.Pace) (wait time.Duration, rests time.Time, err error) {
	now := db.now()
	cost := time.Duration(p.Turns) * p.Each
	row, err := db.write.TakeTurns(ctx, table.TakeTurnsParams{Name: counterpart, Now: now.UnixMicro(), Cost: cost.Microseconds()})
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("take a turn at %s: %w", counterpart, plain(err))
	}
	first := time.UnixMicro(row.Next).Add(-max(cost, time.Duration(p.Burst)*p.Each))
	return max(0, first.Sub(now)), clock(row.Rests), nil
}

// Rest leaves a counterpart in peace until then, over all replicas; the zero time ends that.
func (db *DB) Rest(ctx context.Context, counterpart string, until time.Time) error {
	if err := db.write.RestUntil(ctx, table.RestUntilParams{Name: counterpart, Rests: ms(until)}); err != nil {
		return fmt.Errorf("leave %s in peace: %w", counterpart, plain(err))
	}
	return nil
}

// Rests is until when a counterpart is left in peace; zero or past when it is not.
func (db *DB) Rests(ctx context.Context, counterpart string) (time.Time, error) {
	until, err := db.read.RestsUntil(ctx, counterpart)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("is %s left in peace: %w", counterpart, plain(err))
	}
	return clock(until), nil
}

// LastSent is when something was last sent to a party, or tried to be, after since; zero when nothing was.
func (db *DB) LastSent(ctx context.Context, party string, since time.Time) (time.Time, error) {
	at, err := db.read.LastSent(ctx, table.LastSentParams{Party: party, Since: ms(since)})
	if err != nil {
		return time.Time{}, fmt.Errorf("when was something last sent to %s: %w", party, plain(err))
	}
	return clock(at), nil
}
