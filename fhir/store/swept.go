package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// settleSwept notes who was read to the beginning, and what of theirs the source does not have any more. Where rows
// were withheld nothing is taken for absent.
func (r *receipt) settleSwept(ctx context.Context, page exchange.Page, read reading, readable map[fhir.Ref]bool) error {
	if page.Unknowns > 0 || len(page.Swept) == 0 {
		return nil
	}
	present := readable
	for _, j := range read.rejects {
		present[fhir.Ref{Type: j.Type, ID: j.Ref}] = true // there, though it cannot be read
	}
	for _, patient := range page.Swept {
		client := r.clients[patient]
		if client == "" {
			continue
		}
		if err := r.keepAbsent(ctx, patient, present); err != nil {
			return err
		}
		if !r.fresh[patient] {
			continue
		}
		if _, err := r.MarkReadBack(ctx, table.MarkReadBackParams{Moment: r.moment, Source: r.src.Name, Patient: patient}); err != nil {
			return err
		}
		r.moved[client] = true
	}
	return nil
}

// keepAbsent marks as gone what the patient had and the sweep did not find. An appointment that is over is no loss.
func (r *receipt) keepAbsent(ctx context.Context, patient string, present map[fhir.Ref]bool) error {
	held, err := r.HeldBy(ctx, table.HeldByParams{Source: r.src.Name, Subject: patient})
	if err != nil {
		return err
	}
	for _, h := range held {
		ref := fhir.Ref{Type: h.Type, ID: h.ID}
		if present[ref] || h.Type == "Appointment" && over(h.Body, clock(r.at)) {
			continue
		}
		now := r.heads[ref]
		if now == nil {
			now = &head{n: h.N, party: h.Party, subject: patient}
			r.heads[ref] = now
		}
		before := r.done.Gone
		if err := r.keepGone(ctx, ref, "absent from sweep"); err != nil {
			return err
		}
		if r.sweep {
			r.done.Missed += r.done.Gone - before
		}
	}
	return nil
}

// over reports whether an appointment has ended, or has begun and tells no end.
func over(body string, now time.Time) bool {
	var a struct{ Start, End time.Time }
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		return false
	}
	if a.End.IsZero() {
		a.End = a.Start
	}
	return !a.End.IsZero() && a.End.Before(now)
}
