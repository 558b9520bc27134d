package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// pointAt is hub.when for a field of a page.
func (w window) pointAt(ctx context.Context, field, word string) (p point, now bool, err error) {
	p, now, err = w.when(ctx, "this", word)
	return p, now, atField(field, err)
}

// atField says of a time that cannot be looked at in which field it was typed.
func atField(field string, err error) error {
	if bad, ok := errors.AsType[unseeable](err); ok {
		return &console.BadMoment{Field: field, Err: bad.error}
	}
	return err
}

// Begins is the earliest time that can be looked at.
func (w window) Begins(ctx context.Context) (time.Time, error) {
	p, err := w.first(ctx)
	return p.at, err
}

// Client gathers what was known of one client, by key.
func (w window) Client(ctx context.Context, by, what, client, asOf string) (d console.Dossier, err error) {
	p, now, err := w.pointAt(ctx, "as-of", asOf)
	if err != nil {
		return d, err
	}
	if _, err := w.Therapists(ctx, client); err != nil {
		return d, err
	}
	seen, at, err := w.store.Look(ctx, by, "view "+what, client, asOf)
	if err != nil {
		return d, err
	}
	if now {
		p = point{seen, at}
	}
	if d.View, err = w.standing(ctx, p, client); err != nil {
		return d, atField("as-of", err)
	}
	if d.Chart, err = w.store.Chart(ctx, client, p.moment); err != nil && !errors.Is(err, exchange.ErrNotFound) {
		return d, fmt.Errorf("read the chart: %w", err)
	}
	d.Chart.Client, d.Names = client, w.numbered()
	policies, err := w.policiesAt(ctx, p.moment)
	if err != nil {
		return d, err
	}
	d.Policies = make(map[string]readiness.Policy, len(policies))
	for _, v := range d.View.Clients {
		d.Policies[v.Prescriber] = policyOf(policies, v.Prescriber)
	}
	sent, told, err := w.store.Account(ctx, client)
	if err != nil {
		return d, fmt.Errorf("read the ledger: %w", err)
	}
	for _, s := range sent {
		if s, ok := upTo(s, p); ok {
			d.Sent = append(d.Sent, s)
		}
	}
	for _, t := range told {
		if t.Moment <= p.moment {
			d.Told = append(d.Told, t)
		}
	}
	return d, nil
}

// upTo is a delivery with what had become of it at a point; false when it had not been decided.
func upTo(s exchange.Recorded, p point) (exchange.Recorded, bool) {
	n := 0
	for n < len(s.Steps) && s.Steps[n].Moment <= p.moment {
		n++
	}
	if n == 0 {
		return s, false
	}
	if n < len(s.Steps) {
		last := s.Steps[n-1]
		s.Steps, s.State, s.Attempts, s.Why, s.Receipt, s.Due = s.Steps[:n], last.State, last.Attempts, last.Why, last.Receipt, time.Time{}
	}
	return s, true
}

// Changed gathers what a client's standing at two moments is compared by.
func (w window) Changed(ctx context.Context, by, client, from, to string) (in report.ChangesInput, err error) {
	a, _, err := w.pointAt(ctx, "from", from)
	if err != nil {
		return in, err
	}
	b, now, err := w.pointAt(ctx, "to", to)
	if err != nil {
		return in, err
	}
	if b.at.Before(a.at) || b.moment < a.moment {
		return in, &console.BadMoment{Field: "from", Err: errors.New("this is later than the other: write the earlier moment first")}
	}
	if _, err := w.Therapists(ctx, client); err != nil {
		return in, err
	}
	in, err = w.compared(ctx, by, client, from+" "+to, a, b, now)
	return in, atField("from", err)
}

// Disclosed gathers what the accounting of a client's disclosures is made of.
func (w window) Disclosed(ctx context.Context, by, client, form, from, to string) (in report.AccountingInput, err error) {
	day := func(field, word string, otherwise time.Time) (time.Time, error) {
		if word == "" {
			return otherwise, nil
		}
		at, err := time.ParseInLocation(time.DateOnly, word, w.config.Location())
		if err != nil {
			return at, &console.BadMoment{Field: field, Err: fmt.Errorf("this %q is no day: write it like 2026-03-02", word)}
		}
		return at, nil
	}
	now := w.now()
	first, err := day("from", from, report.SixYears(now))
	if err != nil {
		return in, err
	}
	last, err := day("to", to, now)
	if err != nil {
		return in, err
	}
	if to != "" {
		last = last.AddDate(0, 0, 1).Add(-time.Millisecond)
	}
	if last.Before(first) {
		return in, &console.BadMoment{Field: "to", Err: errors.New("this lies before the other: the time accounted for would be empty")}
	}
	p, err := w.present(ctx)
	if err != nil {
		return in, err
	}
	if _, err := w.Therapists(ctx, client); err != nil {
		return in, err
	}
	if err := w.store.Audit(ctx, by, "view disclosures", client, form); err != nil { // nobody looks without it
		return in, fmt.Errorf("note in the audit log: %w", err)
	}
	view, err := w.standing(ctx, p, client)
	if err != nil {
		return in, err
	}
	in, err = w.accountOf(ctx, view, client)
	in.From, in.To = first, last
	return in, err
}
