package store

import (
	"context"
	"fmt"

	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

const byPerson = "person"

// Link says, by a person's decision, that a source's patient is this client; the patient is read back to the
// beginning with the next pull. ErrConflict while the patient is somebody's already, ErrNotFound for nobody's key.
func (db *DB) Link(ctx context.Context, actor string, src Source, patient, client string) error {
	return db.commit(ctx, "link", client, func(c *commit) error {
		c.actor, c.detail = actor, src.Name
		known, err := c.ClientKnown(ctx, client)
		if err != nil {
			return err
		}
		if known == 0 {
			return exchange.ErrNotFound
		}
		links, err := c.LinksOf(ctx, table.LinksOfParams{Patients: set(map[string]bool{patient: true}), Source: src.Name})
		if err != nil {
			return err
		}
		moved := map[string]bool{client: true}
		for _, l := range links {
			if l.How != candidate {
				return fmt.Errorf("patient is linked: %w", exchange.ErrConflict)
			}
			moved[l.Client] = true
			if err := c.endCandidate(ctx, src.Name, patient, l.Client); err != nil {
				return err
			}
		}
		if err := c.storeLink(ctx, src.Name, src.Party, patient, client, byPerson); err != nil {
			return err
		}
		return c.moveAll(ctx, moved)
	})
}

// Unlink undoes a link by a person's decision. What was received under it stays stored and is in no chart from now
// on; the two are not linked again by identifier, only by a person. ErrNotFound when there is no such link.
func (db *DB) Unlink(ctx context.Context, actor string, src Source, patient, client string) error {
	return db.commit(ctx, "unlink", client, func(c *commit) error {
		c.actor, c.detail = actor, src.Name
		n, err := c.EndLink(ctx, table.EndLinkParams{Ended: c.moment, Source: src.Name, Patient: patient, Client: client})
		if err != nil {
			return err
		}
		if n == 0 {
			return exchange.ErrNotFound
		}
		c.seal("unlink", src.Name, patient, client)
		return c.moveAll(ctx, map[string]bool{client: true})
	})
}

// moveAll has every engagement of these clients judged again.
func (c *commit) moveAll(ctx context.Context, clients map[string]bool) error {
	if _, err := c.MoveClients(ctx, table.MoveClientsParams{Moment: c.moment, Clients: set(clients)}); err != nil {
		return err
	}
	return c.LogMoved(ctx, table.LogMovedParams{Moment: c.moment, Clients: set(clients)})
}
