package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// began notes how the verdict stood at the beginning of every session that began since the last judgement: of the one that
// the last verdict was about, and of any other that v knows to have begun (Verdict.Begun). v is the first judgement since.
//
//	the session began                    at its beginning the last verdict                         it stood
//	before the last judgement, or it     –                                                         nothing is noted
//	  is still to come
//	since                                was a HOLD, and nothing moved since, or v is one too      HOLD: silence lifts nothing
//	since                                was a HOLD, something moved, and v is none                UNKNOWN: it may have been lifted
//	since                                still stood: its Until to come, the chart unmoved, and    as that verdict
//	                                       it was about this session
//	since                                was over by time alone, and nothing moved up to v,        as v
//	                                       which is about the same session
//	since                                no longer stood, or was about another                     UNKNOWN
//
// What is noted is part of the chart, and v knows nothing of it yet: it is judged again at the next look.
func (c *commit) began(ctx context.Context, v readiness.Verdict, last table.Engagement) (noted bool, err error) {
	if last.Verdict == 0 {
		return false, nil
	}
	since := func(start int64) bool { return start > last.Judged && start <= ms(v.Judged) }
	var all []readiness.Appointment
	for _, s := range v.Begun {
		if since(ms(s.Start)) {
			all = append(all, s)
		}
	}
	if !since(last.Session) && len(all) == 0 {
		return false, nil
	}
	body, err := c.Verdict(ctx, table.VerdictParams{Client: v.Client, Prescriber: v.Prescriber, Moment: last.Verdict})
	if err != nil {
		return false, err
	}
	var was readiness.Verdict
	if err := json.Unmarshal([]byte(body), &was); err != nil || last.Session != 0 && was.Appointment == nil {
		return false, fmt.Errorf("verdict before is damaged: run `kaphub audit verify`")
	}
	about := func(v *readiness.Verdict, s *readiness.Appointment) bool {
		a := v.Appointment
		return a != nil && a.Source == s.Source && a.Type == s.Type && a.ID == s.ID && ms(a.Start) == ms(s.Start)
	}
	if since(last.Session) && !slices.ContainsFunc(all, func(s readiness.Appointment) bool { return about(&was, &s) }) {
		all = append(all, *was.Appointment)
	}
	for i := range all {
		one, err := c.beganOne(ctx, v, last, &was, &all[i], about)
		if noted = noted || one; err != nil {
			return noted, err
		}
	}
	return noted, nil
}

// beganOne is began for one session.
func (c *commit) beganOne(ctx context.Context, v readiness.Verdict, last table.Engagement, was *readiness.Verdict, s *readiness.Appointment, about func(*readiness.Verdict, *readiness.Appointment) bool) (bool, error) {
	start := ms(s.Start)
	key := table.HasBeganParams{Client: v.Client, Prescriber: v.Prescriber, Source: s.Source, Type: s.Type, ID: s.ID, Starts: start}
	if n, err := c.HasBegan(ctx, key); n > 0 || err != nil {
		return false, err
	}
	moved, err := c.stirredBy(ctx, last, start)
	if err != nil {
		return false, err
	}
	state := readiness.Unknown
	switch {
	case was.State == readiness.Hold && (!moved || v.State == readiness.Hold):
		state = readiness.Hold
	case was.State != readiness.Hold && !moved && last.Until > start && about(was, s):
		state = was.State
	case last.Stirred == 0 && about(&v, s):
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
