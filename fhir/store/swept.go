package store

import (
	"context"
	"encoding/json"
	"maps"
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
	present, nameless := maps.Clone(readable), false
	for _, j := range read.rejects {
		present[fhir.Ref{Type: j.Type, ID: j.Ref}] = true // there, though it cannot be read
		nameless = nameless || j.Type == "" || j.Ref == ""
	}
	swept := map[string]bool{}
	for _, patient := range page.Swept {
		if r.clients[patient] != "" {
			swept[patient] = true
		}
	}
	if !nameless { // else it may be any of those that seem to be absent
		if err := r.keepAbsent(ctx, swept, present); err != nil {
			return err
		}
	}
	for _, patient := range sorted(swept) {
		if !r.fresh[patient] {
			continue
		}
		if _, err := r.MarkReadBack(ctx, table.MarkReadBackParams{Moment: r.moment, Source: r.src.Name, Patient: patient}); err != nil {
			return err
		}
		r.moved[r.clients[patient]] = true
	}
	return nil
}

// keepAbsent marks as gone what the patients had and the sweep did not find. An appointment that is over is no loss, and a
// Task that names nobody is in nobody's sweep.
func (r *receipt) keepAbsent(ctx context.Context, patients map[string]bool, present map[fhir.Ref]bool) error {
	held, err := r.HeldBy(ctx, table.HeldByParams{Subjects: set(patients), Source: r.src.Name})
	if err != nil {
		return err
	}
	for _, h := range held {
		ref := fhir.Ref{Type: h.Type, ID: h.ID}
		if present[ref] {
			continue
		}
		if h.Type == "Appointment" || h.Type == "Task" {
			last, err := r.VersionOf(ctx, table.VersionOfParams{Source: r.src.Name, Type: h.Type, ID: h.ID, N: h.N})
			if err != nil {
				return err
			}
			if subject, ok := fhir.Subject(resourceOf(last)); h.Type == "Task" && ok && subject.IsZero() || h.Type == "Appointment" && over(last.Body, clock(r.at)) {
				continue
			}
		}
		now := r.heads[ref]
		if now == nil {
			now = &head{n: h.N, party: h.Party, subject: h.Subject}
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
