package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store"
)

// linksWindow is what the console sees of links.
type linksWindow struct{ *hub }

// Pairs are those to decide, and those that people decided.
func (w linksWindow) Pairs(ctx context.Context, all bool) ([]console.Pair, error) {
	pairs, err := w.store.Pairs(ctx)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	var list []console.Pair
	for _, p := range pairs {
		if all || p.Open || p.Linked && p.How == store.ByPerson {
			list = append(list, w.pairOf(p))
		}
	}
	return list, nil
}

func (w linksWindow) pairOf(p store.Pair) console.Pair {
	l := shownOf(p)
	one := console.Pair{
		ID: p.ID, State: l.State, Client: p.Client, Source: p.Source, Party: p.Party, Whom: w.title(p.Party), Patient: p.Patient, How: p.How, Since: p.Since,
		Linked: p.Linked, Open: p.Open, Likely: l.Likely, Refused: p.Refused(), Evidence: p.Evidence, TiedClients: p.TiedClients, TiedPatients: p.TiedPatients,
	}
	for _, r := range p.Rulings {
		one.Rulings = append(one.Rulings, console.Ruling{Said: r.Said, By: r.Actor, Reason: r.Reason, At: r.At})
	}
	return one
}

func (w linksWindow) find(ctx context.Context, id string) (store.Pair, error) {
	pairs, err := w.store.Pairs(ctx)
	if err != nil {
		return store.Pair{}, fmt.Errorf("read links: %w", err)
	}
	i := slices.IndexFunc(pairs, func(p store.Pair) bool { return p.ID == id })
	if i < 0 {
		return store.Pair{}, exchange.ErrNotFound
	}
	return pairs[i], nil
}

// Pair is one with who the client is, looked at by somebody.
func (w linksWindow) Pair(ctx context.Context, by, id string) (console.Pair, error) {
	p, err := w.find(ctx, id)
	if err != nil {
		return console.Pair{}, err
	}
	if by != "" {
		if err := w.store.Audit(ctx, by, "view link", p.Client, p.ID); err != nil { // first: who the client is, is about to be seen
			return console.Pair{}, fmt.Errorf("note in the audit log: %w", err)
		}
	}
	one := w.pairOf(p)
	chart, err := w.store.Chart(ctx, p.Client, 0)
	if err != nil {
		return one, fmt.Errorf("read the client's chart: %w", err)
	}
	one.Here = identities(readiness.People(chart), "")
	if p.Linked && p.Party != fhir.Practice {
		one.Then = identities(readiness.PeopleAt(chart, p.Party), p.Source)
	}
	told, err := w.told(ctx, p)
	if err != nil {
		return one, err
	}
	for _, t := range told {
		one.Told = append(one.Told, console.Told{Delivery: t.Delivery, What: exchange.What(t.What), Whom: w.title(t.To), State: exchange.State(t.State), At: t.At})
	}
	return one, nil
}

// identities are people as sources know them; of one source, or with "" of all.
func identities(list []readiness.Person, source string) (all []console.Identity) {
	for _, p := range list {
		if source != "" && p.Source != source {
			continue
		}
		one := console.Identity{Source: p.Source, Birth: p.Birth}
		for _, n := range p.Names {
			one.Names = append(one.Names, harmless([]byte(n)))
		}
		for _, id := range p.Identifiers {
			one.Identifiers = append(one.Identifiers, harmless([]byte(id.Value+" ("+id.System[strings.LastIndexAny(id.System, "/:")+1:]+")")))
		}
		all = append(all, one)
	}
	return all
}

// Rule commits a person's word on a pair that stands as they saw it; the store sees to it that it still does.
func (w linksWindow) Rule(ctx context.Context, by, id, seen string, word console.Word, reason string) error {
	p, err := w.find(ctx, id)
	if err != nil {
		return err
	}
	if w.pairOf(p).Seen() != seen {
		return inWords(exchange.ErrConflict, "link %s moved meanwhile", p.ID)
	}
	switch word {
	case console.Confirm:
		return w.confirm(ctx, by, p)
	case console.Refuse:
		return w.refuse(ctx, by, p, reason)
	case console.Undo:
		return w.undo(ctx, by, p, reason)
	}
	return fmt.Errorf("%q is no word on a link", word)
}
