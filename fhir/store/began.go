package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// began notes how the verdict stood when the session began that the last verdict was about: v is the first judgement since.
//
//	the session began                    at its beginning the last verdict                         it stood
//	before the last judgement, or it     –                                                         nothing is noted
//	  is still to come
//	since                                was a HOLD                                                HOLD: silence lifts nothing
//	since                                still stood: its Until to come, the chart unmoved         as that verdict
//	since                                was over by time alone, and nothing moved up to v,        as v
//	                                     which is about the same session
//	since                                no longer stood                                           UNKNOWN
//
// What is noted is part of the chart, and v knows nothing of it yet: it is judged again at the next look.
func (c *commit) began(ctx context.Context, v readiness.Verdict, last table.Engagement) (noted bool, err error) {
	if last.Verdict == 0 || last.Session == 0 || last.Session <= last.Judged || last.Session > ms(v.Judged) {
		return false, nil
	}
	body, err := c.Verdict(ctx, table.VerdictParams{Client: v.Client, Prescriber: v.Prescriber, Moment: last.Verdict})
	if err != nil {
		return false, err
	}
	var was readiness.Verdict
	if err := json.Unmarshal([]byte(body), &was); err != nil || was.Appointment == nil {
		return false, fmt.Errorf("verdict before is damaged: run `kaphub audit verify`")
	}
	key := table.HasBeganParams{Client: v.Client, Prescriber: v.Prescriber, Source: was.Appointment.Source, Type: was.Appointment.Type,
		ID: was.Appointment.ID, Starts: last.Session}
	if n, err := c.HasBegan(ctx, key); n > 0 || err != nil {
		return false, err
	}
	moved, err := c.stirredBy(ctx, last, last.Session)
	if err != nil {
		return false, err
	}
	state := readiness.Unknown
	switch {
	case was.State == readiness.Hold, !moved && last.Until > last.Session:
		state = was.State
	case last.Stirred == 0 && v.Appointment != nil && v.Appointment.ID == was.Appointment.ID && ms(v.Appointment.Start) == last.Session:
		state = v.State
	}
	row := table.Began{Client: key.Client, Prescriber: key.Prescriber, Source: key.Source, Type: key.Type, ID: key.ID, Starts: key.Starts,
		State: string(state), Moment: c.moment}
	return true, c.PutBegan(ctx, table.PutBeganParams{Client: row.Client, Prescriber: row.Prescriber, Source: row.Source, Type: row.Type, ID: row.ID,
		Starts: row.Starts, State: row.State, Moment: row.Moment, Mac: c.seal("began", beganParts(row)...)})
}

// stirredBy reports whether something had moved since the last judgement by a time.
func (c *commit) stirredBy(ctx context.Context, last table.Engagement, at int64) (bool, error) {
	if last.Stirred == 0 {
		return false, nil
	}
	then, err := c.MomentAt(ctx, at)
	if errors.Is(found(err), exchange.ErrNotFound) {
		return false, nil
	}
	return last.Stirred <= then, err
}

func beganParts(r table.Began) []string {
	return []string{r.Client, r.Prescriber, r.Source, r.Type, r.ID, num(r.Starts), r.State}
}

// began returns the client's sessions that had begun at a moment while somebody judged.
func began(ctx context.Context, q *table.Queries, client string, at int64) ([]fhir.Began, error) {
	rows, err := q.BeganAt(ctx, table.BeganAtParams{Client: client, Moment: at})
	if err != nil {
		return nil, err
	}
	var all []fhir.Began
	for _, r := range rows {
		all = append(all, fhir.Began{Prescriber: r.Prescriber, Key: fhir.Key{Source: r.Source, Type: r.Type, ID: r.ID},
			Start: clock(r.Starts), State: r.State, Moment: fhir.Moment(r.Moment)})
	}
	return all, nil
}
