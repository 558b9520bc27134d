package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// What a person can say of a source's Patient and a client.
const (
	saidConfirmed = "confirmed"
	saidRefused   = "refused"
	saidUndone    = "undone"
)

// Confirm says, by a person's decision, that the two of a pair (Pairs) are one person; the patient is read back to the
// beginning with the next pull. Of every other client whom the patient might have been, that is a no. What was refused, or
// parted, may be confirmed too, and what is linked by an identifier: then it stands by a person's word. ErrConflict while
// the patient is somebody else's, or this client's by a person's word already; ErrNotFound for nobody's id. seen is the
// pair's Seen as they saw it, "" = however it stands; ErrMoved when it stands otherwise by now.
func (db *DB) Confirm(ctx context.Context, actor, id, seen string) error {
	return db.say(ctx, "link", actor, id, seen, "", func(c *commit, p Pair, v verdictOf) error {
		links, err := c.LinksOf(ctx, table.LinksOfParams{Patients: set(map[string]bool{p.Patient: true}), Source: p.Source})
		if err != nil {
			return err
		}
		return c.confirm(ctx, v, links)
	})
}

// Refuse says that an open pair is not one person. It is not asked again unless something agrees that did not then. A
// link that was in doubt ends. ErrConflict for a pair that is not open; seen as for Confirm.
func (db *DB) Refuse(ctx context.Context, actor, id, seen, reason string) error {
	return db.say(ctx, "refuse link", actor, id, seen, reason, func(c *commit, p Pair, v verdictOf) error {
		switch {
		case !p.Open:
			return fmt.Errorf("it is not open: %w", exchange.ErrConflict)
		case p.Linked:
			return c.part(ctx, v, saidRefused)
		}
		if err := c.endCandidate(ctx, v.source, v.patient, v.client); err != nil {
			return err
		}
		if err := c.rule(ctx, v, saidRefused); err != nil {
			return err
		}
		return c.lookAgain(ctx, v, nil)
	})
}

// Undo ends the link of a pair by a person's decision. What was received under it stays stored and is in no chart from now
// on; the two are not linked again by identifier, only by a person: as far as the records agree, the question is open
// again. ErrConflict for a pair that is not linked; seen as for Confirm.
func (db *DB) Undo(ctx context.Context, actor, id, seen, reason string) error {
	return db.say(ctx, "unlink", actor, id, seen, reason, func(c *commit, p Pair, v verdictOf) error {
		if !p.Linked {
			return fmt.Errorf("it is not linked: %w", exchange.ErrConflict)
		}
		return c.part(ctx, v, saidUndone)
	})
}

// say finds the pair of id and has a person's word on it committed.
func (db *DB) say(ctx context.Context, action, actor, id, seen, reason string, do func(*commit, Pair, verdictOf) error) error {
	return db.commit(ctx, action, id, func(c *commit) error {
		p, err := c.db.pair(ctx, c.Queries, id)
		if err != nil {
			return err
		}
		if seen != "" && p.Seen() != seen {
			return ErrMoved
		}
		c.actor, c.subject, c.detail = actor, p.Client, p.Source+" "+id
		return do(c, p, verdictOf{who{p.Source, p.Party, p.Patient}, p.Client, reason})
	})
}

// verdictOf is whom a person speaks about, and why.
type verdictOf struct {
	who
	client, reason string
}

// confirm makes the patient the client's. links are the patient's as they stand.
func (c *commit) confirm(ctx context.Context, v verdictOf, links []table.Link) error {
	now := table.Link{Source: v.source, Patient: v.patient, Client: v.client, Party: v.party, How: byPerson, Since: c.at}
	doubted := slices.ContainsFunc(links, func(l table.Link) bool { return l.How == candidate && l.Client == v.client })
	var others []string
	for _, l := range links {
		switch {
		case l.How == candidate:
			others = append(others, l.Client)
			if err := c.endCandidate(ctx, v.source, v.patient, l.Client); err != nil {
				return err
			}
			if l.Client == v.client {
				continue
			}
			if err := c.rule(ctx, verdictOf{v.who, l.Client, "confirmed as another client's"}, saidRefused); err != nil {
				return err
			}
		case l.Client != v.client || !doubted && l.How != byIdentifier:
			return fmt.Errorf("patient is linked: %w", exchange.ErrConflict)
		default: // the link that was in doubt stands from now on by a person's word
			now.Since, now.ReadBack = l.Since, l.ReadBack
			if err := c.endLink(ctx, v); err != nil {
				return err
			}
		}
	}
	if err := c.storeLink(ctx, now); err != nil {
		return err
	}
	if err := c.rule(ctx, v, saidConfirmed); err != nil {
		return err
	}
	return c.lookAgain(ctx, v, others)
}

// part ends the link of the patient and the client.
func (c *commit) part(ctx context.Context, v verdictOf, said string) error {
	if err := c.endLink(ctx, v); err != nil {
		return err
	}
	if err := c.rule(ctx, v, said); err != nil {
		return err
	}
	return c.lookAgain(ctx, v, nil)
}

func (c *commit) endLink(ctx context.Context, v verdictOf) error {
	n, err := c.EndLink(ctx, table.EndLinkParams{Ended: c.moment, Source: v.source, Patient: v.patient, Client: v.client})
	if err != nil {
		return err
	}
	if n == 0 {
		return exchange.ErrNotFound
	}
	c.seal("unlink", v.source, v.patient, v.client)
	return nil
}

// rule keeps a person's word, with what agreed when they gave it.
func (c *commit) rule(ctx context.Context, v verdictOf, said string) error {
	agreed, err := c.agreeing(ctx, v)
	if err != nil {
		return err
	}
	r := table.Ruling{Source: v.source, Patient: v.patient, Client: v.client, Moment: c.moment, At: c.at, Said: said,
		Actor: c.actor, Reason: v.reason, Agreed: strings.Join(agreed, " ")}
	r.Mac = c.seal("ruling", rulingParts(r)...)
	return c.PutRuling(ctx, table.PutRulingParams(r))
}

// rulingParts are what a ruling's MAC covers.
func rulingParts(r table.Ruling) []string {
	return []string{r.Source, r.Patient, r.Client, num(r.At), r.Said, r.Actor, r.Reason, r.Agreed}
}

// agreeing returns every digest that patient and client share.
func (c *commit) agreeing(ctx context.Context, v verdictOf) (agreed []string, err error) {
	digests, err := c.DigestsOf(ctx, table.DigestsOfParams{Source: v.source, Patient: v.patient})
	if err != nil {
		return nil, err
	}
	found, err := c.sharingWith(ctx, keySet(digests))
	if err != nil {
		return nil, err
	}
	for _, d := range digests {
		if slices.Contains(found[d], v.client) {
			agreed = append(agreed, d)
		}
	}
	traits, err := c.TraitOf(ctx, table.TraitOfParams{Source: v.source, Patient: v.patient})
	if err != nil || len(traits) == 0 {
		return agreed, err
	}
	theirs, err := c.TraitsOfClient(ctx, v.client)
	_, same := compare(traits[0], theirs)
	return append(agreed, same...), err
}

// lookAgain compares anew everybody whom a person's word may concern: the patient, the client's other patients, and
// their rivals; and has the client and others judged again.
func (c *commit) lookAgain(ctx context.Context, v verdictOf, others []string) error {
	r := &receipt{commit: c, src: Source{Party: fhir.Practice}, clients: map[string]string{}, fresh: map[string]bool{},
		moved: map[string]bool{v.client: true}}
	for _, client := range others {
		r.moved[client] = true
	}
	digests, err := c.DigestsOf(ctx, table.DigestsOfParams{Source: v.source, Patient: v.patient})
	if err != nil {
		return err
	}
	theirs, err := c.DigestsOfClient(ctx, v.client)
	if err != nil {
		return err
	}
	births := map[string]bool{}
	traits, err := c.TraitOf(ctx, table.TraitOfParams{Source: v.source, Patient: v.patient})
	if err != nil {
		return err
	}
	for _, t := range traits {
		births[t.Birth] = true
	}
	if err := r.matchAll(ctx, nil, keySet(append(digests, theirs...)), births); err != nil {
		return err
	}
	return r.moveClients(ctx)
}

// pairID is the name of a patient and a client taken together. It says nothing of either.
func (db *DB) pairID(source, patient, client string) string {
	m := mac(db.keys.digests, "pair", source, patient, client)
	return "l-" + hex.EncodeToString(m[:5])
}

// moveAll has every engagement of these clients judged again.
func (c *commit) moveAll(ctx context.Context, clients map[string]bool) error {
	_, err := c.moveThem(ctx, clients)
	return err
}

func (c *commit) moveThem(ctx context.Context, clients map[string]bool) (int64, error) {
	return c.MoveClients(ctx, table.MoveClientsParams{Moment: c.moment, Clients: set(clients)})
}
