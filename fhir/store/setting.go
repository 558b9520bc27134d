package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
