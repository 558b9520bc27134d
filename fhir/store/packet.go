package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Recall notes why a packet that is laid out must not be handed over any more, and has the engagement judged again. It
// stays laid out: it may have been handed over already. ErrConflict for any other delivery, and for one recalled before.
func (db *DB) Recall(ctx context.Context, id, why string) error {
	return db.commit(ctx, "recall", id, func(c *commit) error {
		d, err := c.Delivery(ctx, id)
		if err != nil {
			return found(err)
		}
		if d.State != string(exchange.LaidOut) || d.Why != "" {
			return fmt.Errorf("delivery is %s: %w", d.State, exchange.ErrConflict)
		}
		d.Why, c.detail = why, why
		if err := c.step(ctx, d); err != nil {
			return err
		}
		return c.replan(ctx, d)
	})
}

// handedOver returns the client's packets that a person had said were handed over at a moment.
func handedOver(ctx context.Context, q *table.Queries, client string, at int64) ([]fhir.HandedOver, error) {
	rows, err := q.PacketSteps(ctx, table.PacketStepsParams{Client: client, Moment: at})
	if err != nil {
		return nil, err
	}
	var all []fhir.HandedOver
	for i, s := range rows {
		if i+1 < len(rows) && rows[i+1].ID == s.ID || s.State != string(exchange.Delivered) {
			continue
		}
		h := fhir.HandedOver{ID: s.ID, Prescriber: s.Prescriber, At: clock(s.At)}
		var r exchange.Receipt
		if json.Unmarshal([]byte(s.Rests), &h.Rests) != nil || json.Unmarshal([]byte(s.Receipt), &r) != nil {
			return nil, fmt.Errorf("delivery %s is damaged: run `kaphub audit verify`", s.ID)
		}
		if !r.At.IsZero() {
			h.At = r.At
		}
		all = append(all, h)
	}
	return slices.Clip(all), nil
}
