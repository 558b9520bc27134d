package store

import (
	"context"
	"fmt"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// How something sealed can end.
const (
	admitted = "admitted" // it is stored with the rest
	expunged = "expunged" // its content is gone; that there was something stays
)

// setApart seals what is out of scope. What was admitted before in the same words goes with the rest (kept is false);
// what was expunged, or waits already, is not stored again.
func (r *receipt) setApart(ctx context.Context, it item) (kept bool, err error) {
	before, err := r.SealedBefore(ctx, table.SealedBeforeParams{Source: r.src.Name, Type: it.Type, Ref: it.ID, Hash: it.Hash})
	if err != nil {
		return false, err
	}
	for _, outcome := range before {
		return outcome != admitted, nil
	}
	id := fmt.Sprintf("s-%d-%s", r.moment, it.Hash[:min(8, len(it.Hash))])
	body, err := enclose(r.db.keys.sealed, id, it.Body)
	if err != nil {
		return false, err
	}
	row := table.Sealed{ID: id, Source: r.src.Name, Party: r.src.Party,
		Type: it.Type, Ref: it.ID, Subject: it.subject, Client: r.clients[it.subject], Reason: it.outOfScope, Bears: clinical[it.Type] || it.Type == "Patient" || it.Type == "Appointment",
		Hash: it.Hash, Received: r.at, Moment: r.moment, Body: body}
	r.moved[row.Client] = true
	r.done.Sealed++
	return true, r.PutSealed(ctx, table.PutSealedParams{ID: row.ID, Source: row.Source, Party: row.Party, Type: row.Type, Ref: row.Ref,
		Subject: row.Subject, Client: row.Client, Reason: row.Reason, Bears: row.Bears, Hash: row.Hash, Received: row.Received,
		Moment: row.Moment, Mac: r.seal("sealed", sealedParts(row)...), Body: row.Body})
}

// sealedParts are what the MAC of something sealed covers: what never changes of it. How it ended is sealed by the commit
// that ended it.
func sealedParts(s table.Sealed) []string {
	return []string{s.ID, s.Source, s.Party, s.Type, s.Ref, s.Subject, s.Client, s.Reason, fmt.Sprint(s.Bears), s.Hash, num(s.Received)}
}

// Sealed returns what waits sealed, or with all everything that ever was, oldest first; never a body.
func (db *DB) Sealed(ctx context.Context, all bool) ([]fhir.Sealed, error) {
	rows, err := db.read.SealedAll(ctx, all)
	if err != nil {
		return nil, fmt.Errorf("read what is sealed: %w", plain(err))
	}
	return sealedOf(rows), nil
}

func sealedOf(rows []table.Sealed) []fhir.Sealed {
	list := make([]fhir.Sealed, 0, len(rows))
	for _, s := range rows {
		list = append(list, fhir.Sealed{ID: s.ID, Source: s.Source, Party: s.Party, Type: s.Type, Ref: s.Ref, Client: s.Client, Reason: s.Reason,
			Bears: s.Bears, Received: clock(s.Received), Moment: fhir.Moment(s.Moment), Outcome: s.Outcome, By: s.Actor, Why: s.Why})
	}
	return list
}

// Unseal returns the body of something sealed as it was received, and notes in the audit log who looked, and why.
// ErrNotFound when there is none of that id, or its content was expunged.
func (db *DB) Unseal(ctx context.Context, actor, id, why string) (body []byte, err error) {
	err = db.commit(ctx, "open sealed", id, func(c *commit) error {
		c.actor, c.detail = actor, why
		row, err := c.SealedOne(ctx, id)
		if err != nil {
			return found(err)
		}
		body, err = disclose(db.keys.sealed, id, row.Body)
		return err
	})
	return body, err
}

// Admit has something sealed stored with the rest, by the privacy officer's decision: it becomes a version like any
// other. In the same words it is not sealed again. ErrConflict when it was decided on already.
func (db *DB) Admit(ctx context.Context, actor, id, why string) error {
	return db.endSealed(ctx, actor, id, why, admitted, func(r *receipt, row table.Sealed, body []byte) error {
		res, err := fhir.Parse(body, row.Type)
		if err != nil {
			return fmt.Errorf("admit %s: %w", id, err)
		}
		read := r.db.readPage(r.src, exchange.Page{Resources: []fhir.Resource{res}})
		if len(read.items) != 1 {
			return fmt.Errorf("admit %s: it is no record of a client", id)
		}
		if err := r.loadHeads(ctx, exchange.Page{}, read); err != nil {
			return err
		}
		return r.keep(ctx, read.items[0])
	})
}

// Expunge has the content of something sealed destroyed, by the privacy officer's decision. An older version of the
// record that stands in the chart is gone with it: nobody may be judged by what its owner has replaced. ErrConflict when it
// was decided on already.
func (db *DB) Expunge(ctx context.Context, actor, id, why string) error {
	return db.endSealed(ctx, actor, id, why, expunged, func(r *receipt, row table.Sealed, _ []byte) error {
		ref := fhir.Ref{Type: row.Type, ID: row.Ref}
		if err := r.loadHeads(ctx, exchange.Page{Gone: []fhir.Ref{ref}}, reading{}); err != nil {
			return err
		}
		return r.keepGone(ctx, ref, "expunged")
	})
}

func (db *DB) endSealed(ctx context.Context, actor, id, why, outcome string, do func(*receipt, table.Sealed, []byte) error) error {
	return db.commit(ctx, outcome, id, func(c *commit) error {
		c.actor, c.detail = actor, why
		row, err := c.SealedOne(ctx, id)
		if err != nil {
			return found(err)
		}
		if row.Outcome != "" {
			return fmt.Errorf("%s is %s already: %w", id, row.Outcome, exchange.ErrConflict)
		}
		body, err := disclose(db.keys.sealed, id, row.Body)
		if err != nil {
			return err
		}
		r := &receipt{commit: c, src: Source{Name: row.Source, Party: row.Party}, moved: map[string]bool{},
			clients: map[string]string{}, fresh: map[string]bool{}}
		if err := r.readLinks(ctx, map[string]bool{row.Subject: true}); err != nil { // whose record it is by now
			return err
		}
		r.moved[r.clients[row.Subject]] = true
		if err := do(r, row, body); err != nil {
			return err
		}
		keep := row.Body
		if outcome == expunged {
			keep = ""
		}
		c.seal("sealed "+outcome, id, actor, why)
		n, err := c.EndSealed(ctx, table.EndSealedParams{Outcome: outcome, Actor: actor, Why: why, Moment: c.moment, Body: keep, ID: id})
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%s: %w", id, exchange.ErrConflict)
		}
		return r.moveClients(ctx)
	})
}
