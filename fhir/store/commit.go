package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// commit is one transaction that writes: it has a moment of its own and leaves one line in the audit; but for one that
// finds nothing to tell, which gives its moment back and leaves no line.
// Taking the moment locks out every other commit until this one ends, so that what it reads stays true.
type commit struct {
	*table.Queries
	db     *DB
	moment int64
	at     int64 // unix ms; never before the commit before
	digest [32]byte

	actor, action, subject, detail string

	silent bool // nothing was found that any reader of a moment could see
}

// commit runs fn in a transaction. Whatever error fn answers undoes all of it.
func (db *DB) commit(ctx context.Context, action, subject string, fn func(*commit) error) error {
	tx, err := db.begin(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", action, plain(err))
	}
	defer tx.close()
	c := &commit{Queries: tx.Queries, db: db, actor: "hub", action: action, subject: subject}
	next, err := c.NextMoment(ctx, ms(db.now()))
	if err != nil {
		return fmt.Errorf("%s: %w", action, plain(err))
	}
	c.moment, c.at = next.N, next.At
	if err := fn(c); err != nil {
		return fmt.Errorf("%s: %w", action, plain(err))
	}
	if err := c.end(ctx); err != nil {
		return fmt.Errorf("%s: %w", action, plain(err))
	}
	if err := tx.commit(ctx); err != nil {
		return fmt.Errorf("%s: %w", action, plain(err))
	}
	return nil
}

func (c *commit) end(ctx context.Context) error {
	if c.silent {
		return c.ReturnMoment(ctx) // nobody has seen it yet
	}
	return c.appendAudit(ctx)
}

// writing is an open transaction with the queries that run in it.
type writing struct {
	*table.Queries
	tx   *sql.Tx
	pipe *pipeline // on PostgreSQL
}

func (db *DB) begin(ctx context.Context) (writing, error) {
	if db.pool == nil {
		tx, err := db.writer.BeginTx(ctx, nil)
		if err != nil {
			return writing{}, err
		}
		return writing{Queries: db.write.WithTx(tx), tx: tx}, nil
	}
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return writing{}, err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return writing{}, errors.Join(err, conn.Close())
	}
	pipe := &pipeline{Tx: tx, conn: conn}
	return writing{Queries: table.New(pipe), tx: tx, pipe: pipe}, nil
}

func (w writing) commit(ctx context.Context) error {
	if w.pipe != nil {
		if err := w.pipe.flush(ctx); err != nil {
			return err
		}
	}
	return w.tx.Commit()
}

// close undoes what was not committed.
func (w writing) close() {
	_ = w.tx.Rollback() // after Commit it does nothing
	if w.pipe != nil {
		_ = w.pipe.conn.Close()
	}
}

// seal returns the MAC of one stored row and takes it into the commit's digest.
func (c *commit) seal(kind string, parts ...string) string {
	m := c.db.seal(kind, c.moment, parts...)
	mix(&c.digest, m)
	return hex.EncodeToString(m[:])
}

// seal is the MAC of one row that the commit at moment stored.
func (db *DB) seal(kind string, moment int64, parts ...string) [32]byte {
	return mac(db.keys.audit, append([]string{kind, num(moment)}, parts...)...)
}

// mix adds a row's MAC to a commit's digest. Order does not matter, and no row can be stored twice.
func mix(digest *[32]byte, m [32]byte) {
	for i := range digest {
		digest[i] ^= m[i]
	}
}

// snap runs fn on a snapshot: all it reads is of one moment.
func (db *DB) snap(ctx context.Context, what string, fn func(*table.Queries) error) error {
	tx, err := db.reader.BeginTx(ctx, &db.snapshot)
	if err != nil {
		return fmt.Errorf("%s: %w", what, plain(err))
	}
	defer func() { _ = tx.Rollback() }()
	if err := fn(db.read.WithTx(tx)); err != nil {
		return fmt.Errorf("%s: %w", what, plain(err))
	}
	return nil
}

// moment returns asOf, or the newest moment for 0.
func moment(ctx context.Context, q *table.Queries, asOf fhir.Moment) (int64, error) {
	if asOf != 0 {
		return int64(asOf), nil
	}
	return q.Moment(ctx)
}

// momentOr returns asOf, or a moment after all others for 0: of now.
func momentOr(asOf fhir.Moment) int64 {
	if asOf == 0 {
		return 1<<63 - 1
	}
	return int64(asOf)
}

// found turns "no rows" into ErrNotFound.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return exchange.ErrNotFound
	}
	return err
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func clock(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func num(n int64) string { return strconv.FormatInt(n, 10) }

// set is a list of keys as json_each reads it, on SQLite and on PostgreSQL alike.
func set[T any](keys map[string]T) string {
	flat := make(map[string]int, len(keys))
	for k := range keys {
		flat[k] = 0
	}
	b, _ := json.Marshal(flat) // a map of numbers always encodes
	return string(b)
}
