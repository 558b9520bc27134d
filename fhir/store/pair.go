package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Pair is a source's Patient together with a client: who it is, may be, or was said not to be. ID is the same for the
// same two for ever.
type Pair struct {
	ID                             string
	Source, Party, Patient, Client string
	Linked                         bool            // the patient's records are in the client's chart
	Open                           bool            // a person must say whether it is the client; beside Linked the link is in doubt
	How                            string          // how the link came about, or last did
	Evidence                       []fhir.Evidence // while Open
	Since                          time.Time       // of the question while Open, else of the link
	Rulings                        []Ruling        // what people said of it, oldest first
	TiedPatients, TiedClients      []string        // IDs of the other open pairs of the same client at the source, and of the same patient
}

// ByPerson is the How of a link that stands by a person's word.
const ByPerson = byPerson

// Refused reports whether a person's last word on it was no.
func (p Pair) Refused() bool {
	return len(p.Rulings) > 0 && p.Rulings[len(p.Rulings)-1].Said == saidRefused
}

// Seen is by what it is known whether the pair still stands as somebody saw it.
func (p Pair) Seen() string {
	return fmt.Sprintf("%t %t %s %d %d", p.Open, p.Linked, p.How, ms(p.Since), len(p.Rulings))
}

// Ruling is what a person said of a pair: "confirmed", "refused" or "undone".
type Ruling struct {
	Said, Actor, Reason string
	At                  time.Time
}

// Pairs returns every pair that stands, is open, or on which a person has spoken: open ones first, oldest first.
func (db *DB) Pairs(ctx context.Context) ([]Pair, error) {
	var list []Pair
	err := db.snap(ctx, "read links", func(q *table.Queries) (err error) {
		list, err = db.pairs(ctx, q)
		return err
	})
	return list, err
}

// Twice returns, two by two, the clients who share an identifier at the practice: one person may have been written down
// twice there.
func (db *DB) Twice(ctx context.Context) (pairs [][2]string, err error) {
	rows, err := db.read.TwiceAtPractice(ctx)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", plain(err))
	}
	for _, r := range rows {
		pairs = append(pairs, [2]string{r.Client, r.Other})
	}
	return pairs, nil
}

func (db *DB) pairs(ctx context.Context, q *table.Queries) ([]Pair, error) {
	type of struct{ source, patient, client string }
	all := map[of]*Pair{}
	at := func(l table.Link) *Pair {
		k := of{l.Source, l.Patient, l.Client}
		if all[k] == nil {
			all[k] = &Pair{ID: db.pairID(l.Source, l.Patient, l.Client), Source: l.Source, Party: l.Party, Patient: l.Patient, Client: l.Client}
		}
		return all[k]
	}
	links, err := q.AllLinks(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range links { // oldest first
		p := at(l)
		switch {
		case l.How == candidate && l.Ended == 0:
			p.Open, p.Evidence, p.Since = true, readEvidence(l.Evidence), clock(l.Since)
		case l.How != candidate:
			p.Linked, p.How = l.Ended == 0, l.How
			if !p.Open {
				p.Since = clock(l.Since)
			}
		}
	}
	rulings, err := q.AllRulings(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rulings {
		if p := all[of{r.Source, r.Patient, r.Client}]; p != nil {
			p.Rulings = append(p.Rulings, Ruling{Said: r.Said, Actor: r.Actor, Reason: r.Reason, At: clock(r.At)})
		}
	}
	var list []Pair
	for _, p := range all {
		if p.Open || p.Linked || len(p.Rulings) > 0 {
			list = append(list, *p)
		}
	}
	slices.SortFunc(list, func(a, b Pair) int {
		return cmp.Or(rank(a)-rank(b), a.Since.Compare(b.Since), cmp.Compare(a.Client, b.Client), cmp.Compare(a.ID, b.ID))
	})
	tie(list)
	return list, nil
}

// rank puts what is open first, then what is linked, then what is not.
func rank(p Pair) int {
	switch {
	case p.Open:
		return 0
	case p.Linked:
		return 1
	}
	return 2
}

// tie notes which open pairs cannot all be true, or not without two records of one person.
func tie(list []Pair) {
	for i := range list {
		for j := range list {
			a, b := &list[i], &list[j]
			if i == j || !a.Open || !b.Open || a.Source != b.Source {
				continue
			}
			if a.Patient == b.Patient {
				a.TiedClients = append(a.TiedClients, b.ID)
			}
			if a.Client == b.Client {
				a.TiedPatients = append(a.TiedPatients, b.ID)
			}
		}
	}
}

// pair returns the pair of an id; ErrNotFound when there is none.
func (db *DB) pair(ctx context.Context, q *table.Queries, id string) (Pair, error) {
	list, err := db.pairs(ctx, q)
	if err != nil {
		return Pair{}, err
	}
	i := slices.IndexFunc(list, func(p Pair) bool { return p.ID == id })
	if i < 0 {
		return Pair{}, exchange.ErrNotFound
	}
	return list[i], nil
}

// Rested returns every delivery that may have arrived and that hangs on p: it was written into the patient's record, or
// tells what stands in it. They are in the order in which they were staged.
func (db *DB) Rested(ctx context.Context, p Pair) ([]exchange.Entry, error) {
	var hang []exchange.Entry
	err := db.snap(ctx, "deliveries that rest on "+p.ID, func(q *table.Queries) error {
		rows, err := q.DeliveriesOfClient(ctx, p.Client)
		if err != nil {
			return err
		}
		list, err := entries(rows, nil)
		if err != nil {
			return err
		}
		for _, e := range list {
			hangs, err := restsOn(ctx, q, e, p)
			if err != nil {
				return err
			}
			if hangs {
				hang = append(hang, e)
			}
		}
		return nil
	})
	return hang, err
}

func restsOn(ctx context.Context, q *table.Queries, e exchange.Entry, p Pair) (bool, error) {
	if e.Attempts == 0 {
		return false, nil
	}
	if e.To == p.Party {
		subject, _ := fhir.Subject(fhir.Resource{Type: e.Type, Body: e.Body})
		made := e.What == exchange.WhatPatient && e.Receipt != nil && e.Receipt.Ref.ID == p.Patient
		if made || subject == (fhir.Ref{Type: "Patient", ID: p.Patient}) {
			return true, nil
		}
	}
	for _, b := range e.Rests {
		if b.Source != p.Source {
			continue
		}
		v, err := q.VersionOf(ctx, table.VersionOfParams{Source: b.Source, Type: b.Type, ID: b.ID, N: b.Version})
		if err = found(err); err != nil {
			return false, fmt.Errorf("delivery %.12s rests on what is not there: run `kaphub audit verify`: %w", e.ID, err)
		}
		if v.Subject == p.Patient {
			return true, nil
		}
	}
	return false, nil
}
