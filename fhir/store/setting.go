package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/kaphub/kaphub/fhir"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Setting returns what a setting was at a moment, 0 for now; "" when it was never set.
func (db *DB) Setting(ctx context.Context, name string, asOf fhir.Moment) (string, error) {
	value, err := db.read.SettingAt(ctx, table.SettingAtParams{Name: name, Moment: momentOr(asOf)})
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("setting %s: %w", name, plain(err))
	}
	return value, nil
}

// Set gives a setting a new value; the old ones are kept.
func (db *DB) Set(ctx context.Context, actor, name, value string) error {
	return db.commit(ctx, "set", name, func(c *commit) error {
		c.actor = actor
		return c.PutSetting(ctx, table.PutSettingParams{Name: name, Moment: c.moment, Actor: actor, Value: value,
			Mac: c.seal("setting", name, actor, value)})
	})
}

// Said is what a setting was said to be, by whom and when.
type Said struct {
	Moment fhir.Moment
	At     time.Time
	Actor  string
	Value  string
}

// SettingHistory returns up to limit values that a setting had before a moment, 0 for now and before, newest first.
func (db *DB) SettingHistory(ctx context.Context, name string, before fhir.Moment, limit int) ([]Said, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := db.read.SettingHistory(ctx, table.SettingHistoryParams{Name: name, Before: int64(before), Lim: int32(min(limit, 1<<30))})
	if err != nil {
		return nil, fmt.Errorf("setting %s: %w", name, plain(err))
	}
	all := make([]Said, 0, len(rows))
	for _, r := range rows {
		all = append(all, Said{Moment: fhir.Moment(r.Moment), At: clock(r.At), Actor: r.Actor, Value: r.Value})
	}
	return all, nil
}

// Paused reports whether sending waits, after a restore, for every source to be read and every open attempt to be asked about.
func (db *DB) Paused(ctx context.Context) (bool, error) {
	_, err := db.read.Meta(ctx, metaPaused)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("paused: %w", plain(err))
	}
	return true, nil
}

// Resume lets sending go on.
func (db *DB) Resume(ctx context.Context) error {
	return db.commit(ctx, "resume", "", func(c *commit) error { return c.DropMeta(ctx, metaPaused) })
}
