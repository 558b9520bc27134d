package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Lease takes the right to read the named source until ttl has passed. ErrBusy while another lease holds.
func (db *DB) Lease(ctx context.Context, name, holder string, ttl time.Duration) (Lease, error) {
	now := db.now()
	fence, err := db.write.TakeLease(ctx, table.TakeLeaseParams{Name: name, Holder: holder, Until: ms(now.Add(ttl)), Now: ms(now)})
	if errors.Is(err, sql.ErrNoRows) {
		return Lease{}, fmt.Errorf("lease %s: %w", name, exchange.ErrBusy)
	}
	if err != nil {
		return Lease{}, fmt.Errorf("lease %s: %w", name, plain(err))
	}
	return Lease{Name: name, Fence: fence}, nil
}

// Release gives a lease back. One that was taken over meanwhile is left alone.
func (db *DB) Release(ctx context.Context, l Lease) error {
	if _, err := db.write.DropLease(ctx, table.DropLeaseParams{Name: l.Name, Fence: l.Fence}); err != nil {
		return fmt.Errorf("release %s: %w", l.Name, plain(err))
	}
	return nil
}

// Cursor returns how far the source has been read; "" from the beginning.
func (db *DB) Cursor(ctx context.Context, source string) (exchange.Cursor, error) {
	value, err := db.read.Cursor(ctx, source)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("cursor of %s: %w", source, plain(err))
	}
	return exchange.Cursor(value), nil
}

// moveCursor keeps invariant 1: the cursor moves with the page, and only from where the page began.
func (c *commit) moveCursor(ctx context.Context, name string, since, next exchange.Cursor) error {
	if since == "" {
		first, err := c.FirstCursor(ctx, table.FirstCursorParams{Name: name, Value: string(next)})
		if err != nil || first == 1 {
			return err
		}
	}
	moved, err := c.MoveCursor(ctx, table.MoveCursorParams{Name: name, Value: string(next), Since: string(since)})
	if err != nil {
		return err
	}
	if moved == 0 {
		return fmt.Errorf("cursor of %s: %w", name, exchange.ErrConflict)
	}
	return nil
}

// checkLease answers ErrConflict when l is no longer the newest lease of src.
func (c *commit) checkLease(ctx context.Context, src Source, l Lease) error {
	if l.Name != src.Name {
		return fmt.Errorf("lease is for %s, not for %s: take one by the source's name", l.Name, src.Name)
	}
	fence, err := c.Fence(ctx, l.Name)
	if errors.Is(err, sql.ErrNoRows) || err == nil && fence != l.Fence {
		return fmt.Errorf("lease of %s: %w", l.Name, exchange.ErrConflict)
	}
	return err
}

// Roster returns whom src is asked about: who is linked there and not read to the beginning yet, and whose records were
// told before their Patient was; and, if a source asks,
// everybody who is linked, and the identifiers of those who are not. At a prescriber only clients are wanted who were
// disclosed there, since asking tells. The whole is read once.
func (db *DB) Roster(ctx context.Context, src Source) (exchange.Roster, error) {
	var r exchange.Roster
	err := db.snap(ctx, "roster of "+src.Name, func(q *table.Queries) (err error) {
		if r.New, err = q.Unread(ctx, src.Name); err != nil {
			return err
		}
		unseen, err := q.Unseen(ctx, table.UnseenParams{Source: src.Name, Since: ms(db.now().Add(-askFor))})
		r.New = append(r.New, unseen...)
		return err
	})
	var once sync.Once
	var all exchange.Everybody
	var failed error
	r.Whole = func(ctx context.Context) (exchange.Everybody, error) {
		once.Do(func() {
			failed = db.snap(ctx, "whole roster of "+src.Name, func(q *table.Queries) (err error) {
				all, err = everybody(ctx, q, src)
				return err
			})
		})
		return all, failed
	}
	return r, err
}

// askFor is how long a Patient is asked for whom records name and whose own record was never read.
const askFor = 7 * 24 * time.Hour

func everybody(ctx context.Context, q *table.Queries, src Source) (all exchange.Everybody, err error) {
	if all.Members, err = q.Members(ctx, src.Name); err != nil {
		return all, err
	}
	var clients []string
	if src.Party == fhir.Practice {
		clients, err = q.WantedAtPractice(ctx, src.Name)
	} else {
		clients, err = q.WantedAtPrescriber(ctx, table.WantedAtPrescriberParams{Party: src.Party, Source: src.Name})
	}
	if err != nil {
		return all, err
	}
	seen := map[fhir.ID]bool{}
	want := func(id fhir.ID) {
		if !seen[id] {
			seen[id] = true
			all.Wanted = append(all.Wanted, id)
		}
	}
	for _, client := range clients {
		if src.Party != fhir.Practice {
			want(fhir.ID{System: fhir.SystemClient, Value: client})
		}
		patients, err := q.PatientsOf(ctx, client)
		if err != nil {
			return all, err
		}
		for _, p := range patients {
			for _, id := range fhir.Identifiers(fhir.Resource{Type: "Patient", ID: p.ID, Body: []byte(p.Body)}) {
				want(id)
			}
		}
	}
	return all, nil
}

// Failed notes that a read of src failed: the source is incomplete from now on, until a read is complete.
func (db *DB) Failed(ctx context.Context, src Source, why string) error {
	return db.commit(ctx, "failed", src.Name, func(c *commit) error {
		c.detail = why
		before, err := c.sourceState(ctx, src)
		if err != nil {
			return err
		}
		after := before
		after.Complete, after.Why, after.LastTried, after.Withheld = false, why, c.at, 0
		_, err = c.putSource(ctx, before, after)
		return err
	})
}

// sourceState returns how far src has been read; a new source is incomplete.
func (c *commit) sourceState(ctx context.Context, src Source) (table.Source, error) {
	s, err := c.Source(ctx, src.Name)
	if errors.Is(err, sql.ErrNoRows) {
		return table.Source{Name: src.Name, Party: src.Party, Why: "never read"}, nil
	}
	s.Party = src.Party
	return s, err
}

// putSource stores how far a source is read, and marks the engagements that must be judged again for it: all that
// depend on it when it turns complete or incomplete; else only those that were UNKNOWN for want of a fresh read.
// The common case, a fresh source read once more, touches none.
func (c *commit) putSource(ctx context.Context, before, after table.Source) (moved int64, err error) {
	after.Moment = c.moment
	if err := c.PutSource(ctx, table.PutSourceParams(after)); err != nil {
		return 0, err
	}
	log := table.SourceLog{Name: after.Name, Moment: c.moment, Party: after.Party,
		LastComplete: after.LastComplete, LastTried: after.LastTried, Complete: after.Complete, Why: after.Why}
	log.Mac = c.seal("source", sourceParts(log)...)
	if err := c.LogSource(ctx, table.LogSourceParams(log)); err != nil {
		return 0, err
	}
	switch {
	case before.Complete != after.Complete:
		return c.MoveParty(ctx, table.MovePartyParams{Moment: c.moment, Party: after.Party})
	case after.LastComplete-before.LastComplete > longSilence.Milliseconds():
		return c.MoveUnknown(ctx, table.MoveUnknownParams{Moment: c.moment, Party: after.Party})
	case after.LastComplete != before.LastComplete:
		return c.MoveStarved(ctx, table.MoveStarvedParams{Moment: c.moment, Party: after.Party})
	}
	return 0, nil
}

// sourceParts are what the MAC of a line of the source log covers.
func sourceParts(s table.SourceLog) []string {
	return []string{s.Name, s.Party, num(s.LastComplete), num(s.LastTried), fmt.Sprint(s.Complete), s.Why}
}

// longSilence between two complete reads makes every UNKNOWN worth another look, whatever it was put down to.
const longSilence = time.Hour

// Sources returns how far each source had been read at a moment, 0 for now, by name. What sweeps had found is Overlooked's.
func (db *DB) Sources(ctx context.Context, asOf fhir.Moment) ([]fhir.SourceState, error) {
	var states []fhir.SourceState
	err := db.snap(ctx, "sources", func(q *table.Queries) (err error) {
		at, err := moment(ctx, q, asOf)
		if err != nil {
			return err
		}
		states, err = sourcesAt(ctx, q, at)
		return err
	})
	return states, err
}

func sourcesAt(ctx context.Context, q *table.Queries, at int64) ([]fhir.SourceState, error) {
	rows, err := q.SourcesAt(ctx, at)
	if err != nil {
		return nil, err
	}
	states := make([]fhir.SourceState, 0, len(rows))
	for _, s := range rows {
		states = append(states, fhir.SourceState{Name: s.Name, Party: s.Party, LastComplete: clock(s.LastComplete),
			LastTried: clock(s.LastTried), Complete: s.Complete, Why: s.Why, Moment: fhir.Moment(s.Moment)})
	}
	return states, nil
}
