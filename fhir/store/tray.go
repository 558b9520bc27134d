package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Enter puts what a person entered into the tray, all slips of one entry in one commit; the desk's sources bring it in
// with their next read. The audit names actor: whoever the entry says made it, and who typed. ErrConflict when the entry's
// id is taken.
func (db *DB) Enter(ctx context.Context, actor string, slips ...exchange.Slip) error {
	if len(slips) == 0 {
		return nil
	}
	first := slips[0]
	return db.commit(ctx, "record "+first.Kind, first.Client, func(c *commit) error {
		c.actor, c.detail = actor, first.Entry
		taken, err := c.CountEntry(ctx, first.Entry)
		if err != nil {
			return err
		}
		if taken > 0 {
			return exchange.ErrConflict
		}
		for _, s := range slips {
			if err := c.putSlip(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *commit) putSlip(ctx context.Context, s exchange.Slip) error {
	bodies := make([]json.RawMessage, 0, len(s.Records))
	for _, r := range s.Records {
		bodies = append(bodies, r.Body)
	}
	body, err := json.Marshal(bodies)
	if err != nil {
		return fmt.Errorf("write entry %s: %w", s.Entry, err)
	}
	t := table.Tray{Source: s.Source, Moment: c.moment, Entry: s.Entry, Client: s.Client, Kind: s.Kind, Actor: s.Actor,
		At: ms(s.At), ReadTo: ms(s.ReadTo), Body: string(body)}
	t.Mac = c.seal("tray", trayParts(t)...)
	if err := c.PutTray(ctx, table.PutTrayParams(t)); err != nil {
		return err
	}
	for _, r := range s.Records {
		if err := c.PutTrayRecord(ctx, table.PutTrayRecordParams{Source: s.Source, Type: r.Type, ID: r.ID, Moment: c.moment}); err != nil {
			return err
		}
	}
	return nil
}

// trayParts are what a slip's MAC covers.
func trayParts(t table.Tray) []string {
	return []string{t.Source, t.Entry, t.Client, t.Kind, t.Actor, num(t.At), num(t.ReadTo), t.Body}
}

// Slips returns up to limit slips of a source that were entered after place, oldest first.
func (db *DB) Slips(ctx context.Context, source string, place int64, limit int) ([]exchange.Slip, error) {
	rows, err := db.read.TrayAfter(ctx, table.TrayAfterParams{Source: source, After: place, Lim: int32(min(limit, 1<<30))})
	if err != nil {
		return nil, fmt.Errorf("read the tray of %s: %w", source, plain(err))
	}
	return slipsOf(rows)
}

// SlipsAbout returns all slips of a source about a client, oldest first.
func (db *DB) SlipsAbout(ctx context.Context, source, client string) ([]exchange.Slip, error) {
	rows, err := db.read.TrayAbout(ctx, table.TrayAboutParams{Client: client, Source: source})
	if err != nil {
		return nil, fmt.Errorf("read the tray of %s: %w", source, plain(err))
	}
	return slipsOf(rows)
}

// Decisions returns the slips of kind decision about every client of whom more of them were entered at a source than slips of
// kind confirm, oldest first: among them is each that waits for a second person.
func (db *DB) Decisions(ctx context.Context, decision, confirm string) ([]exchange.Slip, error) {
	rows, err := db.read.TrayDecisions(ctx, table.TrayDecisionsParams{Decision: decision, Confirm: confirm})
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", plain(err))
	}
	return slipsOf(rows)
}

// LastSlips returns up to limit slips of a kind that were entered at a source, newest first.
func (db *DB) LastSlips(ctx context.Context, source, kind string, limit int) ([]exchange.Slip, error) {
	rows, err := db.read.TrayLast(ctx, table.TrayLastParams{Source: source, Kind: kind, Lim: int32(min(limit, 1<<30))})
	if err != nil {
		return nil, fmt.Errorf("read the tray of %s: %w", source, plain(err))
	}
	return slipsOf(rows)
}

func slipsOf(rows []table.Tray) ([]exchange.Slip, error) {
	slips := make([]exchange.Slip, 0, len(rows))
	for _, t := range rows {
		s, err := slipOf(t)
		if err != nil {
			return nil, err
		}
		slips = append(slips, s)
	}
	return slips, nil
}

// SlipWith returns the newest slip of a source that tells of ref. ErrNotFound when none does.
func (db *DB) SlipWith(ctx context.Context, source string, ref fhir.Ref) (exchange.Slip, error) {
	return db.SlipBefore(ctx, source, ref, 1<<63-1)
}

// Entry returns the slips of an entry, by source. ErrNotFound when there is no such entry.
func (db *DB) Entry(ctx context.Context, entry string) ([]exchange.Slip, error) {
	rows, err := db.read.TrayOf(ctx, entry)
	if err == nil && len(rows) == 0 {
		err = exchange.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("entry %s: %w", entry, plain(err))
	}
	return slipsOf(rows)
}

// SlipBefore returns the newest slip of a source that told of ref before place. ErrNotFound when none did.
func (db *DB) SlipBefore(ctx context.Context, source string, ref fhir.Ref, place int64) (exchange.Slip, error) {
	t, err := db.read.TrayWith(ctx, table.TrayWithParams{Source: source, Type: ref.Type, ID: ref.ID, Before: place})
	if err != nil {
		return exchange.Slip{}, fmt.Errorf("look into the tray of %s: %w", source, plain(found(err)))
	}
	return slipOf(t)
}

// slipOf reads a row. Its records passed the gate before they were put there.
func slipOf(t table.Tray) (exchange.Slip, error) {
	s := exchange.Slip{Place: t.Moment, Source: t.Source, Entry: t.Entry, Client: t.Client, Kind: t.Kind, Actor: t.Actor,
		At: clock(t.At), ReadTo: clock(t.ReadTo)}
	var bodies []json.RawMessage
	if err := json.Unmarshal([]byte(t.Body), &bodies); err != nil {
		return s, fmt.Errorf("entry %s is damaged: run kaphub audit verify", t.Entry)
	}
	for _, body := range bodies {
		r, err := fhir.Parse(body, "")
		if err != nil {
			return s, fmt.Errorf("entry %s: %w", t.Entry, err)
		}
		s.Records = append(s.Records, r)
	}
	return s, nil
}

func (v *verifier) trays(ctx context.Context) error {
	var at table.TraysFromParams
	at.Lim = verifyPage
	for {
		rows, err := v.TraysFrom(ctx, at)
		if err != nil {
			return err
		}
		for _, r := range rows {
			v.row("tray", "entry "+r.Entry+" at "+r.Source, r.Moment, r.Mac, trayParts(r)...)
			at.Source, at.Moment = r.Source, r.Moment
		}
		if len(rows) < verifyPage {
			return nil
		}
	}
}
