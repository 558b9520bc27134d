package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// stage adds a delivery to the ledger, due at once. One that is in it already stays as it is (invariant 3).
func (c *commit) stage(ctx context.Context, d exchange.Delivery) error {
	rests, err := json.Marshal(d.Rests)
	if err != nil {
		return fmt.Errorf("stage %s: %w", d.ID, err)
	}
	permit, err := json.Marshal(d.Release)
	if err != nil {
		return fmt.Errorf("stage %s: %w", d.ID, err)
	}
	place, err := c.NextPlace(ctx)
	if err != nil {
		return err
	}
	row := table.StageParams{ID: d.ID, Client: d.Client, Prescriber: d.Prescriber, Party: d.To, What: string(d.What),
		Occasion: d.Occasion, CopySystem: d.Copy.System, CopyValue: d.Copy.Value, Type: d.Type, Body: string(d.Body),
		Replaces: d.Update, Rests: string(rests), Permit: string(permit), Lane: d.Lane, Place: place, Staged: c.at, Moment: c.moment}
	sum := c.db.seal("delivery", c.moment, deliveryParts(table.Delivery{ID: row.ID, Client: row.Client, Prescriber: row.Prescriber,
		Party: row.Party, What: row.What, Occasion: row.Occasion, CopySystem: row.CopySystem, CopyValue: row.CopyValue, Type: row.Type,
		Body: row.Body, Replaces: row.Replaces, Rests: row.Rests, Permit: row.Permit, Lane: row.Lane, Place: row.Place})...)
	row.Mac = hex.EncodeToString(sum[:])
	n, err := c.Stage(ctx, row)
	if err != nil || n == 0 {
		return err
	}
	mix(&c.digest, sum)
	return c.putStep(ctx, table.Delivery{ID: row.ID, State: string(exchange.Staged), Due: row.Staged})
}

// deliveryParts are what a delivery's MAC covers: all that says what is sent, to whom, and on what it rests.
func deliveryParts(d table.Delivery) []string {
	return []string{d.ID, d.Client, d.Prescriber, d.Party, d.What, d.Occasion, d.CopySystem, d.CopyValue, d.Type, d.Body,
		fmt.Sprint(d.Replaces), d.Rests, d.Permit, d.Lane, num(d.Place)}
}

// putStep keeps what became of a delivery with this commit.
func (c *commit) putStep(ctx context.Context, d table.Delivery) error {
	s := table.Step{ID: d.ID, Moment: c.moment, At: c.at, State: d.State, Attempts: d.Attempts, Why: d.Why, Receipt: d.Receipt, Due: d.Due}
	s.Mac = c.seal("step", stepParts(s)...)
	return c.PutStep(ctx, table.PutStepParams(s))
}

// stepParts are what a step's MAC covers. Steps of before their due time was kept have none.
func stepParts(s table.Step) []string {
	parts := []string{s.ID, num(s.At), s.State, num(s.Attempts), s.Why, s.Receipt}
	if s.Due != 0 {
		parts = append(parts, num(s.Due))
	}
	return parts
}

// step changes how a delivery stands.
func (c *commit) step(ctx context.Context, d table.Delivery) error {
	if err := c.StepDelivery(ctx, table.StepDeliveryParams{ID: d.ID, State: d.State, Due: d.Due, Attempts: d.Attempts,
		Trying: d.Trying, Last: d.Last, Why: d.Why, Receipt: d.Receipt, Moment: c.moment}); err != nil {
		return err
	}
	return c.putStep(ctx, d)
}

// Attempt commits that a try of id begins (invariant 3). The entry returned is as it stood before: Attempted means
// that an earlier try may have arrived. ErrBusy while another holder's attempt is younger than ttl; ErrConflict when
// nothing is left to be tried.
func (db *DB) Attempt(ctx context.Context, id string, ttl time.Duration) (Fence, exchange.Entry, error) {
	var before table.Delivery
	err := db.commit(ctx, "attempt", id, func(c *commit) (err error) {
		if before, err = c.Delivery(ctx, id); err != nil {
			return found(err)
		}
		d := before
		switch {
		case d.State != string(exchange.Staged) && d.State != string(exchange.Attempted):
			return fmt.Errorf("delivery is %s: %w", d.State, exchange.ErrConflict)
		case d.Trying && d.Due > c.at: // a try in flight holds it until then
			return exchange.ErrBusy
		}
		d.State, d.Trying, d.Last = string(exchange.Attempted), true, c.at
		d.Attempts, d.Due, d.Receipt = d.Attempts+1, c.at+ttl.Milliseconds(), "" // an answer of before stays in its step
		return c.step(ctx, d)
	})
	if err != nil {
		return Fence{}, exchange.Entry{}, err
	}
	entry, err := entryOf(before)
	return Fence{ID: id, N: before.Attempts + 1}, entry, err
}

// end changes a delivery whose current attempt f is; ErrConflict for an attempt that was taken over or has ended.
func (db *DB) end(ctx context.Context, action string, f Fence, change func(c *commit, d *table.Delivery) error) error {
	return db.commit(ctx, action, f.ID, func(c *commit) error {
		d, err := c.Delivery(ctx, f.ID)
		if err != nil {
			return found(err)
		}
		if !d.Trying || d.Attempts != f.N {
			return fmt.Errorf("attempt %d: %w", f.N, exchange.ErrConflict)
		}
		d.Trying = false
		if err := change(c, &d); err != nil {
			return err
		}
		return c.step(ctx, d)
	})
}

// Deliver ends an attempt with the other side's answer, and has the engagement judged again, so that what comes next
// is planned.
func (db *DB) Deliver(ctx context.Context, f Fence, r exchange.Receipt) error {
	return db.end(ctx, "deliver", f, func(c *commit, d *table.Delivery) error {
		receipt, err := json.Marshal(r)
		if err != nil {
			return err
		}
		d.Receipt, d.Due, d.Why = string(receipt), 0, ""
		switch r.Outcome {
		case exchange.OutcomeRefused:
			d.State, d.Why = string(exchange.Refused), "refused"
		case exchange.OutcomeUnknown:
			d.State, d.Why = string(exchange.Unknown), "outcome unknown"
		case exchange.OutcomeLaidOut:
			d.State = string(exchange.LaidOut)
		default:
			d.State = string(exchange.Delivered)
		}
		c.detail = string(r.Outcome)
		return c.replan(ctx, *d)
	})
}

// replan has the engagement of d judged again: a failed try may be the one too many (R46), and an answer may let the
// next step of a referral go.
func (c *commit) replan(ctx context.Context, d table.Delivery) error {
	_, err := c.MoveEngagement(ctx, table.MoveEngagementParams{Moment: c.moment, Client: d.Client, Prescriber: d.Prescriber})
	return err
}

// Defer ends an attempt that for sure did not arrive: it is due again at until. If an earlier attempt may have
// arrived, that still holds.
func (db *DB) Defer(ctx context.Context, f Fence, until time.Time, why string) error {
	return db.end(ctx, "defer", f, func(c *commit, d *table.Delivery) error {
		lost, err := c.LostBefore(ctx, table.LostBeforeParams{ID: d.ID, Attempts: d.Attempts})
		if err != nil {
			return err
		}
		d.State, d.Due, d.Why, c.detail = string(exchange.Staged), ms(until), why, why
		if lost > 0 {
			d.State = string(exchange.Attempted)
		}
		return c.replan(ctx, *d)
	})
}

// Lost ends an attempt that may have arrived: it stays attempted and is asked about at until.
func (db *DB) Lost(ctx context.Context, f Fence, until time.Time, why string) error {
	return db.end(ctx, "lost", f, func(c *commit, d *table.Delivery) error {
		d.Due, d.Why, c.detail = ms(until), why, why
		return c.replan(ctx, *d)
	})
}

// Withdraw takes a staged delivery back, or one that was refused; ErrConflict while a try may have arrived.
func (db *DB) Withdraw(ctx context.Context, id, why string) error {
	return db.commit(ctx, "withdraw", id, func(c *commit) error {
		c.detail = why
		return c.withdraw(ctx, id, why)
	})
}

func (c *commit) withdraw(ctx context.Context, id, why string) error {
	d, err := c.Delivery(ctx, id)
	if err != nil {
		return found(err)
	}
	if d.State == string(exchange.Withdrawn) {
		return nil
	}
	refused := d.State == string(exchange.Refused)
	if d.State != string(exchange.Staged) && !refused {
		return fmt.Errorf("delivery is %s: %w", d.State, exchange.ErrConflict)
	}
	d.State, d.Why, d.Due = string(exchange.Withdrawn), why, 0
	if err := c.step(ctx, d); err != nil || !refused {
		return err
	}
	return c.replan(ctx, d) // the verdict still says that somebody must see to it (R46)
}

// Due returns deliveries to a party that should be tried now, urgent ones first, in the order in which they were staged. In each lane
// only the oldest unfinished one is due; a refused one frees its lane, one of unknown outcome holds it.
func (db *DB) Due(ctx context.Context, to string, now time.Time, limit int) ([]exchange.Entry, error) {
	return entries(db.read.DueDeliveries(ctx, table.DueDeliveriesParams{Party: to, Now: ms(now), Lim: int32(limit)}))
}

// Ledger returns every delivery of an engagement, in the order in which they were staged.
func (db *DB) Ledger(ctx context.Context, e Engagement) ([]exchange.Entry, error) {
	return entries(db.read.DeliveriesOf(ctx, table.DeliveriesOfParams{Client: e.Client, Prescriber: e.Prescriber}))
}

// Deliveries returns the deliveries in a state, "" for all, in the order in which they were staged.
func (db *DB) Deliveries(ctx context.Context, state exchange.State) ([]exchange.Entry, error) {
	return entries(db.read.Deliveries(ctx, string(state)))
}

// Count is how many deliveries to a party are in a state.
type Count struct {
	To    string
	State exchange.State
	N     int
}

// CountDeliveries counts every delivery there ever was.
func (db *DB) CountDeliveries(ctx context.Context) ([]Count, error) {
	rows, err := db.read.CountDeliveries(ctx)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", plain(err))
	}
	counts := make([]Count, 0, len(rows))
	for _, r := range rows {
		counts = append(counts, Count{r.Party, exchange.State(r.State), int(r.N)})
	}
	return counts, nil
}

// Open returns the deliveries that had not come to their end at a moment, as they stood then, in the order in which they
// were staged: without what they tell and on what they rest.
func (db *DB) Open(ctx context.Context, asOf fhir.Moment) ([]exchange.Entry, error) {
	rows, err := db.read.OpenDeliveriesAt(ctx, momentOr(asOf))
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", plain(err))
	}
	list := make([]exchange.Entry, 0, len(rows))
	for _, d := range rows {
		list = append(list, exchange.Entry{
			Delivery: exchange.Delivery{ID: d.ID, Client: d.Client, Prescriber: d.Prescriber, To: d.Party, What: exchange.What(d.What)},
			State:    exchange.State(d.State), Staged: clock(d.Staged), Due: clock(d.Due), Attempts: int(d.Attempts), Why: d.Why})
	}
	return list, nil
}

// Delivery returns one delivery; ErrNotFound when there is none of that id.
func (db *DB) Delivery(ctx context.Context, id string) (exchange.Entry, error) {
	d, err := db.read.Delivery(ctx, id)
	if err != nil {
		return exchange.Entry{}, fmt.Errorf("read delivery: %w", plain(found(err)))
	}
	return entryOf(d)
}

func entries(rows []table.Delivery, err error) ([]exchange.Entry, error) {
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", plain(err))
	}
	list := make([]exchange.Entry, 0, len(rows))
	for _, d := range rows {
		e, err := entryOf(d)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

func entryOf(d table.Delivery) (exchange.Entry, error) {
	e := exchange.Entry{
		Delivery: exchange.Delivery{ID: d.ID, Client: d.Client, Prescriber: d.Prescriber, To: d.Party, What: exchange.What(d.What),
			Occasion: d.Occasion, Copy: fhir.ID{System: d.CopySystem, Value: d.CopyValue}, Type: d.Type, Body: []byte(d.Body),
			Update: d.Replaces, Lane: d.Lane},
		State: exchange.State(d.State), Staged: clock(d.Staged), Due: clock(d.Due), Attempts: int(d.Attempts), Last: clock(d.Last),
		Why: d.Why, Moment: fhir.Moment(d.Moment)}
	err := errors.Join(json.Unmarshal([]byte(d.Rests), &e.Rests), json.Unmarshal([]byte(d.Permit), &e.Release))
	if d.Receipt != "" {
		err = errors.Join(err, json.Unmarshal([]byte(d.Receipt), &e.Receipt))
	}
	if err != nil {
		return e, fmt.Errorf("delivery %s is damaged: run `kaphub audit verify`", d.ID)
	}
	return e, nil
}
