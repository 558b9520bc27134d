package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Shift is how an engagement stands after something befell it. Without Anew its verdict says what it said before, and only
// the verdict's times, chart and policy are here.
type Shift struct {
	Standing
	Anew bool
}

// BoardSince returns the standings, as Board gives them at one moment, of the engagements that something befell after an
// earlier one: by client and prescriber. Whoever has the board of then has that of the later moment with them; after 0 it is
// the whole board. Some of them may stand as before.
func (db *DB) BoardSince(ctx context.Context, after, upTo fhir.Moment) ([]Shift, error) {
	rows, err := db.read.BoardSince(ctx, table.BoardSinceParams{After: int64(after), Upto: int64(upTo)})
	if err != nil {
		return nil, fmt.Errorf("board since @%d: %w", after, plain(err))
	}
	list := make([]Shift, 0, len(rows))
	for _, r := range rows {
		s := Shift{Standing: Standing{Engagement: Engagement{Client: r.Client, Prescriber: r.Prescriber}, Judged: r.Decided != 0}, Anew: r.Body != ""}
		if s.Anew {
			if err := json.Unmarshal([]byte(r.Body), &s.Verdict); err != nil {
				return nil, fmt.Errorf("verdict of %s is damaged: run `kaphub audit verify`", r.Client)
			}
		}
		s.Verdict.Judged, s.Verdict.Until = clock(r.Judged), clock(r.Until)
		s.Verdict.Moment, s.Verdict.Policy = fhir.Moment(r.Chart), r.Policy
		s.Moved = !s.Judged || r.Stirred != 0 && r.Stirred <= int64(upTo)
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Shift) int { // PostgreSQL may sort by another alphabet
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Prescriber, b.Prescriber))
	})
	return list, nil
}

// Retold is v with the times, the chart and the policy of s, which has no other words.
func (s Shift) Retold(v readiness.Verdict) readiness.Verdict {
	v.Judged, v.Until, v.Moment, v.Policy = s.Verdict.Judged, s.Verdict.Until, s.Verdict.Moment, s.Verdict.Policy
	return v
}

// PatientsSince calls yield for the Patients by which the practice knows the clients whom something befell after a moment,
// client by client, as it stands now: first the zero Patient, then theirs. After 0 it is EachPatient.
func (db *DB) PatientsSince(ctx context.Context, after fhir.Moment, yield func(client string, p fhir.Patient)) error {
	if after == 0 {
		return db.EachPatient(ctx, yield)
	}
	clients, err := db.read.MovedSince(ctx, int64(after))
	if err != nil {
		return fmt.Errorf("patients since @%d: %w", after, plain(err))
	}
	slices.Sort(clients)
	for _, client := range slices.Compact(clients) {
		rows, err := db.read.PatientsOf(ctx, client)
		if err != nil {
			return fmt.Errorf("patients since @%d: %w", after, plain(err))
		}
		yield(client, fhir.Patient{})
		for _, row := range rows {
			if p, err := fhir.Read[fhir.Patient](fhir.Resource{Type: "Patient", ID: row.ID, Body: []byte(row.Body)}); err == nil {
				yield(client, p)
			}
		}
	}
	return nil
}
