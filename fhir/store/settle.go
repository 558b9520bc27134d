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

// ErrMoved is an ErrConflict: what a person speaks of is not as they saw it any more, another replica's hand or their own.
var ErrMoved = fmt.Errorf("it moved meanwhile: %w", exchange.ErrConflict)

// byPerson changes a delivery by a person's decision, in the audit under their name, and has the engagement judged again.
// seen is the moment as of which they saw it stand so, 0 = whatever it is. ErrMoved when it moved since; ErrBusy while a
// try is under way: its answer comes first.
func (db *DB) byPerson(ctx context.Context, actor, action, id string, seen fhir.Moment, change func(c *commit, d *table.Delivery) error) error {
	return db.commit(ctx, action, id, func(c *commit) error {
		c.actor = actor
		d, err := c.Delivery(ctx, id)
		if err != nil {
			return found(err)
		}
		if d.Trying && d.Due > c.at {
			return exchange.ErrBusy
		}
		if seen != 0 && fhir.Moment(d.Moment) != seen {
			return ErrMoved
		}
		d.Trying = false
		if err := change(c, &d); err != nil {
			return err
		}
		if err := c.step(ctx, d); err != nil {
			return err
		}
		return c.replan(ctx, d)
	})
}

// Retry makes a delivery due now, by a person's decision: one that was refused or is of unknown outcome, and one that
// only waits for its next try. What may have arrived is asked about first. ErrConflict for any other; seen as for Settle.
func (db *DB) Retry(ctx context.Context, actor, id string, seen fhir.Moment) error {
	return db.byPerson(ctx, actor, "retry", id, seen, func(c *commit, d *table.Delivery) error {
		switch exchange.State(d.State) {
		case exchange.Refused:
			lost, err := c.LostBefore(ctx, table.LostBeforeParams{ID: d.ID, Attempts: d.Attempts})
			if err != nil {
				return err
			}
			d.State = string(exchange.Staged)
			if lost > 0 {
				d.State = string(exchange.Attempted)
			}
		case exchange.Unknown:
			d.State = string(exchange.Attempted)
		case exchange.Staged, exchange.Attempted:
			if d.Due <= c.at {
				return fmt.Errorf("delivery is due already: %w", exchange.ErrConflict)
			}
		default:
			return fmt.Errorf("delivery is %s: %w", d.State, exchange.ErrConflict)
		}
		d.Due, d.Why, d.Receipt = c.at, "tried again by hand", ""
		return nil
	})
}

// Settle ends a delivery by a person's word r, which says who, By, and what:
//
//	                          | OutcomeTold: it arrived  | OutcomeNotThere        | OutcomeHandedOver
//	--------------------------+--------------------------+------------------------+------------------
//	unknown, or being asked   | delivered                | staged: due now        | ErrConflict
//	  about                   |                          |                        |
//	staged, refused           | delivered, by other means| ErrConflict            | ErrConflict
//	laid out                  | delivered                | withdrawn              | delivered
//	delivered, withdrawn      | ErrConflict              | ErrConflict            | ErrConflict
//
// The next verdict decides whether what is staged is still wanted. What was tried and may have arrived stays in the
// accounting of disclosures, whatever was said of it. seen is the moment of the entry that they saw, 0 = however it stands;
// ErrMoved when it is of another by now.
func (db *DB) Settle(ctx context.Context, actor, id string, seen fhir.Moment, r exchange.Receipt) error {
	if r.By == "" {
		return fmt.Errorf("settle: nobody is named who says so")
	}
	return db.byPerson(ctx, actor, "settle", id, seen, func(c *commit, d *table.Delivery) error {
		to, ok := settled(exchange.State(d.State), r.Outcome)
		if !ok {
			return fmt.Errorf("delivery is %s, which cannot be settled as %s: %w", d.State, r.Outcome, exchange.ErrConflict)
		}
		if r.At.IsZero() {
			r.At = clock(c.at)
		}
		receipt, err := json.Marshal(r)
		if err != nil {
			return err
		}
		d.State, d.Receipt, d.Why, d.Due = string(to), string(receipt), "", 0
		if to == exchange.Staged {
			d.Due, d.Why = c.at, "a person says that it did not arrive"
		}
		c.detail = string(r.Outcome)
		return nil
	})
}

// settled returns the state that a person's word brings a delivery to.
func settled(from exchange.State, outcome exchange.Outcome) (to exchange.State, ok bool) {
	going := from == exchange.Unknown || from == exchange.Attempted
	switch outcome {
	case exchange.OutcomeTold:
		return exchange.Delivered, going || from == exchange.Staged || from == exchange.Refused || from == exchange.LaidOut
	case exchange.OutcomeHandedOver:
		return exchange.Delivered, from == exchange.LaidOut
	case exchange.OutcomeNotThere:
		if from == exchange.LaidOut {
			return exchange.Withdrawn, true
		}
		return exchange.Staged, going
	}
	return from, false
}

// History returns everything that became of a delivery, oldest first; nothing for an id that is not in the ledger.
func (db *DB) History(ctx context.Context, id string) ([]exchange.Step, error) {
	rows, err := db.read.StepsOf(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", plain(err))
	}
	return stepsOf(rows)
}

// Dispatched returns the deliveries in a state, "" for all, each with everything that became of it, in the order in which
// they were staged.
func (db *DB) Dispatched(ctx context.Context, state exchange.State) (all []exchange.Recorded, err error) {
	err = db.snap(ctx, "read ledger", func(q *table.Queries) error {
		list, err := entries(q.Deliveries(ctx, string(state)))
		if err != nil {
			return err
		}
		rows, err := q.AllSteps(ctx)
		if err != nil {
			return err
		}
		all, err = recorded(list, rows)
		return err
	})
	return all, err
}

// Latest returns the newest deliveries in a state, at most limit, each with everything that became of it.
func (db *DB) Latest(ctx context.Context, state exchange.State, limit int) (all []exchange.Recorded, err error) {
	err = db.snap(ctx, "read ledger", func(q *table.Queries) error {
		list, err := entries(q.NewestDeliveries(ctx, table.NewestDeliveriesParams{State: string(state), Lim: int32(min(limit, 1<<20))})) //nolint:gosec // bounded
		if err != nil {
			return err
		}
		var rows []table.Step
		for _, e := range list {
			steps, err := q.StepsOf(ctx, e.ID)
			if err != nil {
				return err
			}
			rows = append(rows, steps...)
		}
		all, err = recorded(list, rows)
		return err
	})
	return all, err
}

// Recorded returns one delivery with everything that became of it; ErrNotFound when there is none of that id.
func (db *DB) Recorded(ctx context.Context, id string) (r exchange.Recorded, err error) {
	err = db.snap(ctx, "read delivery", func(q *table.Queries) error {
		row, err := q.Delivery(ctx, id)
		if err != nil {
			return found(err)
		}
		if r.Entry, err = entryOf(row); err != nil {
			return err
		}
		steps, err := q.StepsOf(ctx, id)
		if err != nil {
			return err
		}
		r.Steps, err = stepsOf(steps)
		return err
	})
	return r, err
}

// Ahead returns by lane which open delivery goes before the others in it: its ID and State, and nothing else of it.
func (db *DB) Ahead(ctx context.Context) (map[string]exchange.Entry, error) {
	rows, err := db.read.OpenLanes(ctx)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", plain(err))
	}
	first := map[string]exchange.Entry{}
	for _, r := range rows {
		if _, is := first[r.Lane]; !is {
			first[r.Lane] = exchange.Entry{Delivery: exchange.Delivery{ID: r.ID, Lane: r.Lane}, State: exchange.State(r.State)}
		}
	}
	return first, nil
}

// recorded gives each delivery its steps.
func recorded(list []exchange.Entry, rows []table.Step) ([]exchange.Recorded, error) {
	by := map[string][]table.Step{}
	for _, s := range rows {
		by[s.ID] = append(by[s.ID], s)
	}
	all := make([]exchange.Recorded, 0, len(list))
	for _, e := range list {
		steps, err := stepsOf(by[e.ID])
		if err != nil {
			return nil, err
		}
		all = append(all, exchange.Recorded{Entry: e, Steps: steps})
	}
	return all, nil
}

// Account returns every delivery that tells of a client, with everything that became of it, in the order in which they
// were staged; and what people told of them, corrected entries included.
func (db *DB) Account(ctx context.Context, client string) (all []exchange.Recorded, tellings []exchange.Telling, err error) {
	err = db.snap(ctx, "account of "+client, func(q *table.Queries) error {
		list, err := entries(q.DeliveriesOfClient(ctx, client))
		if err != nil {
			return err
		}
		rows, err := q.StepsOfClient(ctx, client)
		if err != nil {
			return err
		}
		if all, err = recorded(list, rows); err != nil {
			return err
		}
		told, err := q.TellingsOf(ctx, client)
		if err != nil {
			return err
		}
		for _, t := range told {
			tellings = append(tellings, tellingOf(t))
		}
		for i := range tellings {
			tellings[i].Corrected = slices.ContainsFunc(tellings, func(t exchange.Telling) bool { return t.Instead == tellings[i].ID })
		}
		return nil
	})
	return all, tellings, err
}

func stepsOf(rows []table.Step) ([]exchange.Step, error) {
	steps := make([]exchange.Step, 0, len(rows))
	for _, r := range rows {
		s := exchange.Step{Moment: fhir.Moment(r.Moment), At: clock(r.At), State: exchange.State(r.State), Attempts: int(r.Attempts), Why: r.Why}
		if r.Receipt != "" {
			if err := json.Unmarshal([]byte(r.Receipt), &s.Receipt); err != nil {
				return nil, fmt.Errorf("delivery %s is damaged: run `kaphub audit verify`", r.ID)
			}
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// Tell records what a person told of a client, and returns its id. t.Instead may name an entry of the same client that it
// corrects: ErrNotFound when there is none, ErrConflict when another corrects it already.
func (db *DB) Tell(ctx context.Context, actor string, t exchange.Telling) (id string, err error) {
	err = db.commit(ctx, "record disclosure", t.Client, func(c *commit) error {
		c.actor = actor
		links, err := c.LinksAt(ctx, table.LinksAtParams{Client: t.Client, Moment: c.moment})
		if err != nil {
			return err
		}
		if len(links) == 0 {
			return exchange.ErrNotFound
		}
		if t.Instead != "" {
			told, err := c.TellingsOf(ctx, t.Client)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(told, func(r table.Telling) bool { return r.ID == t.Instead }) {
				return fmt.Errorf("entry %s: %w", t.Instead, exchange.ErrNotFound)
			}
			if slices.ContainsFunc(told, func(r table.Telling) bool { return r.Instead == t.Instead }) {
				return fmt.Errorf("entry %s was corrected already: %w", t.Instead, exchange.ErrConflict)
			}
		}
		id = fmt.Sprintf("t-%d", c.moment)
		row := table.Telling{ID: id, Client: t.Client, Party: t.Party, Recipient: t.Recipient, Address: t.Address, At: ms(t.At), How: t.How,
			What: t.What, Purpose: t.Purpose, Teller: t.By, Instead: t.Instead, Recorded: c.at, Actor: actor, Moment: c.moment}
		row.Mac = c.seal("telling", tellingParts(row)...)
		c.detail = id
		return c.PutTelling(ctx, table.PutTellingParams(row))
	})
	return id, err
}

// tellingParts are what a telling's MAC covers: all of it.
func tellingParts(t table.Telling) []string {
	return []string{t.ID, t.Client, t.Party, t.Recipient, t.Address, num(t.At), t.How, t.What, t.Purpose, t.Teller, t.Instead, num(t.Recorded), t.Actor}
}

func tellingOf(t table.Telling) exchange.Telling {
	return exchange.Telling{ID: t.ID, Client: t.Client, Party: t.Party, Recipient: t.Recipient, Address: t.Address, At: clock(t.At), How: t.How,
		What: t.What, Purpose: t.Purpose, By: t.Teller, Instead: t.Instead, Recorded: clock(t.Recorded), Actor: t.Actor, Moment: fhir.Moment(t.Moment)}
}
