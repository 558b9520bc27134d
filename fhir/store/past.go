package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Newest returns the last commit; 0 when there was none.
func (db *DB) Newest(ctx context.Context) (fhir.Moment, error) {
	m, err := db.read.Moment(ctx)
	if err != nil {
		return 0, fmt.Errorf("moment: %w", plain(err))
	}
	return fhir.Moment(m), nil
}

// MomentAt returns the last commit at or before t; 0 when there was none. Of several within one millisecond it is the last.
func (db *DB) MomentAt(ctx context.Context, t time.Time) (fhir.Moment, error) {
	m, err := db.read.MomentAt(ctx, ms(t))
	if errors.Is(found(err), exchange.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("moment: %w", plain(err))
	}
	return fhir.Moment(m), nil
}

// Logged returns the audit's line of one commit; ErrNotFound when there is none.
func (db *DB) Logged(ctx context.Context, m fhir.Moment) (AuditEntry, error) {
	e, err := db.read.Entry(ctx, int64(m))
	if err != nil {
		return AuditEntry{}, fmt.Errorf("moment %d: %w", m, plain(found(err)))
	}
	return entry(e), nil
}

func entry(e table.Audit) AuditEntry {
	return AuditEntry{Seq: e.Moment, At: clock(e.At), Actor: e.Actor, Action: e.Action, Subject: e.Subject, Detail: e.Detail}
}

// Look adds a line to the audit like Audit, and returns its moment and its time: what is shown then is what stood at that
// moment. No later commit shares its millisecond, so that either names the same answer for ever.
func (db *DB) Look(ctx context.Context, actor, action, subject, detail string) (fhir.Moment, time.Time, error) {
	var m fhir.Moment
	var at time.Time
	err := db.commit(ctx, action, subject, func(c *commit) error {
		c.actor, c.detail = actor, detail
		m, at = fhir.Moment(c.moment), clock(c.at)
		return c.CloseInstant(ctx)
	})
	return m, at, err
}

// Keep gives settings their values in one commit, those that have others by now. When all stand so already nothing is written.
func (db *DB) Keep(ctx context.Context, actor string, values map[string]string) error {
	return db.KeepAs(ctx, actor, "keep settings", "", values)
}

// KeepAs is Keep with words of its own in the audit log. detail holds no client data.
func (db *DB) KeepAs(ctx context.Context, actor, action, detail string, values map[string]string) error {
	return db.commit(ctx, action, "", func(c *commit) error {
		c.actor, c.detail, c.silent = actor, detail, true
		for _, name := range sorted(values) {
			before, err := c.SettingAt(ctx, table.SettingAtParams{Name: name, Moment: c.moment})
			if err = found(err); err == nil && before == values[name] {
				continue
			}
			if err != nil && !errors.Is(err, exchange.ErrNotFound) {
				return err
			}
			c.silent = false
			if err := c.PutSetting(ctx, table.PutSettingParams{Name: name, Moment: c.moment, Actor: actor, Value: values[name],
				Mac: c.seal("setting", name, actor, values[name])}); err != nil {
				return err
			}
		}
		return nil
	})
}

// SettingSince returns the first moment at which a setting had a value; 0 when it never had.
func (db *DB) SettingSince(ctx context.Context, name string) (fhir.Moment, error) {
	m, err := db.read.SettingSince(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("setting %s: %w", name, plain(err))
	}
	return fhir.Moment(m), nil
}

// Came returns the versions of a client's chart that were known at one moment and not at an earlier one, oldest first; and
// those that had been the client's and were no more. None has a body.
func (db *DB) Came(ctx context.Context, client string, from, to fhir.Moment) (came, went []fhir.Version, err error) {
	var at [2][]fhir.Version
	err = db.snap(ctx, "what came of "+client, func(q *table.Queries) error {
		for i, m := range []fhir.Moment{from, to} {
			own, err := q.VersionsAt(ctx, table.VersionsAtParams{Client: client, Moment: int64(m)})
			if err != nil {
				return err
			}
			dir, err := q.DirectoryAt(ctx, table.DirectoryAtParams{Client: client, Moment: int64(m)})
			if err != nil {
				return err
			}
			for _, v := range append(own, dir...) {
				v.Body = ""
				at[i] = append(at[i], versionOf(v))
			}
		}
		return nil
	})
	return less(at[1], at[0]), less(at[0], at[1]), err
}

// less are the versions in list that are not in others.
func less(list, others []fhir.Version) []fhir.Version {
	there := map[fhir.Basis]bool{}
	for _, v := range others {
		there[v.Basis()] = true
	}
	list = slices.DeleteFunc(slices.Clone(list), func(v fhir.Version) bool { return there[v.Basis()] })
	slices.SortStableFunc(list, func(a, b fhir.Version) int { return int(a.Moment - b.Moment) })
	return list
}

// VerdictsBetween returns the verdicts on a client that said something new after one moment and up to another, oldest first.
func (db *DB) VerdictsBetween(ctx context.Context, client string, after, upTo fhir.Moment) ([]readiness.Verdict, error) {
	rows, err := db.read.VerdictsBetween(ctx, table.VerdictsBetweenParams{Client: client, After: int64(after), Upto: int64(upTo)})
	if err != nil {
		return nil, fmt.Errorf("verdicts on %s: %w", client, plain(err))
	}
	list := make([]readiness.Verdict, len(rows))
	for i, r := range rows {
		if err := json.Unmarshal([]byte(r.Body), &list[i]); err != nil {
			return nil, fmt.Errorf("verdict of %s is damaged: run `kaphub audit verify`", client)
		}
		list[i].Judged = clock(r.Judged)
	}
	return list, nil
}
