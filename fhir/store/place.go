package store

import (
	"context"

	"github.com/kaphub/kaphub/fhir"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// place finds out whose the records are that name nobody. A Task that is about a client's record is that client's: it may be
// a stop, and few systems insist on its saying whom it is for. What named a client before and names nobody now cannot be
// read: the version before it does not stand for it. Nothing else of these is kept.
//
//	a record that names nobody                          it is
//	a Task, about records of one patient                theirs
//	a Task, about records of several                    a reject, of one of them
//	any, whose last version was a patient's             a reject, of theirs
//	any other                                           ignored
func (r *receipt) place(ctx context.Context, read *reading) error {
	if len(read.nobodys) == 0 {
		return nil
	}
	subjects, err := r.subjectsOf(ctx, read)
	if err != nil {
		return err
	}
	for _, it := range read.nobodys {
		of := map[string]bool{}
		for _, ref := range it.about {
			if s := subjects[ref]; s != "" {
				of[s] = true
			}
		}
		own := subjects[it.Ref()]
		switch {
		case len(of) == 1:
			it.subject = sorted(of)[0]
			read.items = append(read.items, it)
		case len(of) == 0 && own == "":
			r.done.Ignored++
		default:
			reject := unreadable(it.Resource, "it names no client")
			if own == "" {
				own = sorted(of)[0]
			}
			reject.Subject = fhir.Ref{Type: "Patient", ID: own}
			read.rejects = append(read.rejects, reject)
		}
	}
	return nil
}

// subjectsOf returns to whom the records of the page belong, and those that its nobodys are, or are about.
func (r *receipt) subjectsOf(ctx context.Context, read *reading) (map[fhir.Ref]string, error) {
	subjects, ask := map[fhir.Ref]string{}, map[string]map[string]bool{}
	for _, it := range read.nobodys {
		for _, ref := range append([]fhir.Ref{it.Ref()}, it.about...) {
			if ref.Type == "Patient" {
				subjects[ref] = ref.ID
				continue
			}
			if ask[ref.Type] == nil {
				ask[ref.Type] = map[string]bool{}
			}
			ask[ref.Type][ref.ID] = true
		}
	}
	for _, kind := range sorted(ask) {
		rows, err := r.Heads(ctx, table.HeadsParams{Ids: set(ask[kind]), Source: r.src.Name, Type: kind})
		if err != nil {
			return nil, err
		}
		for _, h := range rows {
			subjects[fhir.Ref{Type: kind, ID: h.ID}] = h.Subject
		}
	}
	for _, it := range read.items {
		if it.subject != "" {
			subjects[it.Ref()] = it.subject
		}
	}
	return subjects, nil
}
