package main

import (
	"context"
	"fmt"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs/report"
)

// ledgerWindow is what the console sees of the ledger. Who comes second is told that what they saw has moved: the store
// sees to it, whichever replica is asked.
type ledgerWindow struct{ *hub }

// Deliveries are the newest in each of some states.
func (w ledgerWindow) Deliveries(ctx context.Context, by string, limit int, states ...exchange.State) ([]console.Sent, map[exchange.State]int, error) {
	counted, err := w.store.CountDeliveries(ctx)
	if err != nil {
		return nil, nil, err
	}
	counts := map[exchange.State]int{}
	for _, c := range counted {
		counts[c.State] += c.N
	}
	if len(states) == 0 {
		return nil, counts, nil
	}
	waits, err := w.waiting(ctx)
	if err != nil {
		return nil, nil, err
	}
	var list []console.Sent
	known, detail := map[string]console.Sent{}, ""
	for _, state := range states {
		all, err := w.store.Latest(ctx, state, limit)
		if err != nil {
			return nil, nil, err
		}
		for _, r := range all {
			d := report.NewDispatch(r, w.config.Location(), w.now())
			d.Waits = waits(r.Entry)
			one, err := w.about(ctx, known, r.Entry)
			if err != nil {
				return nil, nil, err
			}
			one.Dispatch = d
			list = append(list, one)
		}
		detail += " " + string(state)
	}
	return list, counts, w.store.Audit(ctx, by, "list deliveries", "", detail[min(1, len(detail)):])
}

// about is whom a delivery is about.
func (w ledgerWindow) about(ctx context.Context, known map[string]console.Sent, e exchange.Entry) (console.Sent, error) {
	one, is := known[e.Client]
	if !is {
		board, err := w.store.BoardOf(ctx, e.Client, 0)
		if err != nil {
			return one, err
		}
		for _, s := range board {
			one.Chosen = s.Verdict.Chosen
			one.Therapists = append(one.Therapists, s.Verdict.Therapists...)
		}
		known[e.Client] = one
	}
	one.Whom, one.Seen = w.title(e.To), e.Moment
	return one, nil
}

// Delivery is one, looked at by somebody.
func (w ledgerWindow) Delivery(ctx context.Context, by, id, why string, may func(client string) error) (console.Sent, error) {
	r, err := w.store.Recorded(ctx, id)
	if err != nil {
		return console.Sent{}, err
	}
	if err := may(r.Client); err != nil {
		return console.Sent{}, err
	}
	action := "view delivery"
	if why != "" {
		action = "view body of delivery"
	}
	if by != "" {
		if err := w.store.Audit(ctx, by, action, id, why); err != nil { // first: nobody looks without it
			return console.Sent{}, fmt.Errorf("note in the audit log: %w", err)
		}
	}
	one, err := w.about(ctx, map[string]console.Sent{}, r.Entry)
	if err != nil {
		return one, err
	}
	if one.Dispatch, err = w.dispatch(ctx, r.Entry); err != nil {
		return one, err
	}
	if why != "" {
		body, err := bodyOf(r.Entry)
		if err != nil {
			return one, err
		}
		one.Body = []byte(harmless(body))
	}
	return one, nil
}

// Settle commits a person's word on what they saw.
func (w ledgerWindow) Settle(ctx context.Context, by, id string, seen fhir.Moment, r exchange.Receipt) error {
	return w.unmoved(ctx, id, seen, func(e exchange.Entry) (err error) {
		if r.Outcome == exchange.OutcomeHandedOver {
			if r.At, err = w.notBefore(e, r.At); err != nil {
				return inWords(exchange.ErrConflict, "when delivery %.12s was handed over %s", id, err.Error())
			}
		}
		return w.settle(ctx, by, e, r)
	})
}

// Retry makes a delivery due now, which stands as they saw it.
func (w ledgerWindow) Retry(ctx context.Context, by, id string, seen fhir.Moment) error {
	return w.unmoved(ctx, id, seen, func(e exchange.Entry) error { return w.retry(ctx, by, e) })
}

func (w ledgerWindow) unmoved(ctx context.Context, id string, seen fhir.Moment, do func(e exchange.Entry) error) error {
	r, err := w.store.Recorded(ctx, id)
	if err != nil {
		return err
	}
	if r.Moment != seen {
		return inWords(exchange.ErrConflict, "delivery %.12s moved meanwhile", id)
	}
	return do(r.Entry)
}
