package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Stale returns engagements to be judged: never judged, moved since, past their Until, or judged under another policy
// than policies (prescriber -> Policy.Hash) now gives. Those that moved come first.
func (db *DB) Stale(ctx context.Context, now time.Time, policies map[string]string, limit int) ([]Engagement, error) {
	var list []Engagement
	due, err := db.read.StaleByTime(ctx, table.StaleByTimeParams{Now: ms(now), Lim: int32(limit)})
	if err != nil {
		return nil, fmt.Errorf("look for stale verdicts: %w", plain(err))
	}
	for _, e := range due {
		list = append(list, Engagement{Client: e.Client, Prescriber: e.Prescriber})
	}
	for _, prescriber := range sorted(policies) {
		if len(list) >= limit {
			break
		}
		rows, err := db.read.StaleByPolicy(ctx, table.StaleByPolicyParams{Prescriber: prescriber, Policy: policies[prescriber],
			Due: ms(now), Limit: int32(limit - len(list))})
		if err != nil {
			return nil, fmt.Errorf("look for stale verdicts: %w", plain(err))
		}
		for _, e := range rows {
			list = append(list, Engagement{Client: e.Client, Prescriber: e.Prescriber})
		}
	}
	return list, nil
}

// Decide commits a verdict, its findings and the ledger's changes. ErrConflict if the client's chart moved since
// v.Moment, or a delivery to be withdrawn was tried meanwhile; then nothing was changed.
func (db *DB) Decide(ctx context.Context, v readiness.Verdict, changes plan.Changes) error {
	said, err := words(v)
	if err != nil {
		return fmt.Errorf("decide: %w", err)
	}
	return db.commit(ctx, "decide", v.Client+" "+v.Prescriber, func(c *commit) error {
		e, err := c.Engagement(ctx, table.EngagementParams{Client: v.Client, Prescriber: v.Prescriber})
		if err != nil {
			return found(err)
		}
		if e.Moved > int64(v.Moment) || e.Chart > int64(v.Moment) {
			return fmt.Errorf("engagement of %s: %w", v.Client, exchange.ErrConflict)
		}
		due := v.Until
		switch noted, err := c.began(ctx, v, e); {
		case err != nil:
			return err
		case noted:
			due = v.Judged
		}
		hash := bodyHash([]byte(said))
		if e.Verdict == 0 || e.Hash != hash {
			if err := c.putVerdict(ctx, v, e, said); err != nil {
				return err
			}
			e.Verdict, e.Hash = c.moment, hash
		}
		j := table.Judgement{Client: v.Client, Prescriber: v.Prescriber, Moment: c.moment, Verdict: e.Verdict, Chart: int64(v.Moment),
			Judged: ms(v.Judged), Until: ms(v.Until), Policy: v.Policy, Stirred: e.Stirred}
		j.Mac = c.seal("judgement", judgementParts(j)...)
		if err := c.PutJudgement(ctx, table.PutJudgementParams(j)); err != nil {
			return err
		}
		if err := c.Judge(ctx, table.JudgeParams{Client: v.Client, Prescriber: v.Prescriber, Due: ms(due), Chart: int64(v.Moment),
			Judged: ms(v.Judged), Until: ms(v.Until), Policy: v.Policy, State: string(v.State), Starved: starved(v),
			Verdict: e.Verdict, Hash: e.Hash, Session: session(v)}); err != nil {
			return err
		}
		for _, id := range changes.Withdraw {
			if err := c.withdraw(ctx, id, "withdrawn by a later verdict"); err != nil {
				return err
			}
		}
		for _, d := range changes.Stage {
			if err := c.stage(ctx, d); err != nil {
				return err
			}
		}
		c.detail = fmt.Sprintf("%s staged=%d withdrawn=%d", v.State, len(changes.Stage), len(changes.Withdraw))
		return nil
	})
}

// judgementParts are what a judgement's MAC covers.
func judgementParts(j table.Judgement) []string {
	return []string{j.Client, j.Prescriber, num(j.Verdict), num(j.Chart), num(j.Judged), num(j.Until), j.Policy, num(j.Stirred)}
}

// session is when the dosing session begins that v is about; 0 = there is none.
func session(v readiness.Verdict) int64 {
	if v.Appointment == nil {
		return 0
	}
	return ms(v.Appointment.Start)
}

// words is the verdict as it is kept: without the times that change with every judgement, which are kept apart.
func words(v readiness.Verdict) (string, error) {
	v.Judged, v.Until, v.Moment, v.Policy = time.Time{}, time.Time{}, 0, ""
	b, err := json.Marshal(v)
	return string(b), err
}

// starved reports whether the verdict is UNKNOWN for want of a fresh and complete read, so that the next one may change it.
func starved(v readiness.Verdict) bool {
	if v.State != readiness.Unknown {
		return false
	}
	open := 0
	for _, f := range v.Findings {
		if f.State == readiness.Resolved {
			continue
		}
		if open++; f.Code == "R44" || f.Code == "R45" {
			return true
		}
	}
	return open == 0
}

// putVerdict keeps a verdict that says something new, and each finding whose state changed with it.
func (c *commit) putVerdict(ctx context.Context, v readiness.Verdict, e table.Engagement, said string) error {
	before := map[string]readiness.FindingState{}
	if e.Verdict != 0 {
		old, err := c.Verdict(ctx, table.VerdictParams{Client: v.Client, Prescriber: v.Prescriber, Moment: e.Verdict})
		if err != nil {
			return err
		}
		var was readiness.Verdict
		if err := json.Unmarshal([]byte(old), &was); err != nil {
			return fmt.Errorf("verdict before is damaged: run `kaphub audit verify`")
		}
		for _, f := range was.Findings {
			before[f.ID] = f.State
		}
	}
	for _, f := range v.Findings {
		if before[f.ID] == f.State {
			continue
		}
		before[f.ID] = f.State
		if err := c.PutFinding(ctx, table.PutFindingParams{ID: f.ID, Moment: c.moment, Client: v.Client, Prescriber: v.Prescriber,
			Code: f.Code, Severity: string(f.Severity), State: string(f.State), Since: ms(f.Since)}); err != nil {
			return err
		}
	}
	return c.PutVerdict(ctx, table.PutVerdictParams{Client: v.Client, Prescriber: v.Prescriber, Moment: c.moment, Body: said,
		Mac: c.seal("verdict", v.Client, v.Prescriber, said)})
}

// Standing returns the last verdict of an engagement at a moment, 0 for now, and whether its chart moved after it.
// ErrNotFound when there is no such engagement.
func (db *DB) Standing(ctx context.Context, e Engagement, asOf fhir.Moment) (Standing, error) {
	board, err := db.BoardOf(ctx, e.Client, asOf)
	if err != nil {
		return Standing{}, err
	}
	for _, s := range board {
		if s.Prescriber == e.Prescriber {
			return s, nil
		}
	}
	return Standing{}, fmt.Errorf("standing of %s: %w", e.Client, exchange.ErrNotFound)
}

// Board returns the standing of every engagement at a moment, 0 for now, by client and prescriber.
func (db *DB) Board(ctx context.Context, asOf fhir.Moment) ([]Standing, error) {
	at := momentOr(asOf)
	rows, err := db.read.Board(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("board: %w", plain(err))
	}
	board := make([]Standing, 0, len(rows))
	for _, r := range rows {
		s, err := standing(r, at)
		if err != nil {
			return nil, err
		}
		board = append(board, s)
	}
	return board, nil
}

// BoardOf returns the standings of one client, like Board; none when nobody is of that key.
func (db *DB) BoardOf(ctx context.Context, client string, asOf fhir.Moment) ([]Standing, error) {
	at := momentOr(asOf)
	rows, err := db.read.BoardOf(ctx, table.BoardOfParams{Client: client, Moment: at})
	if err != nil {
		return nil, fmt.Errorf("board of %s: %w", client, plain(err))
	}
	board := make([]Standing, 0, len(rows))
	for _, r := range rows {
		s, err := standing(table.BoardRow(r), at)
		if err != nil {
			return nil, err
		}
		board = append(board, s)
	}
	return board, nil
}

// standing is how an engagement stood at a moment: by its last judgement up to then, which stood unless something had
// moved after it.
func standing(r table.BoardRow, at int64) (Standing, error) {
	s := Standing{Engagement: Engagement{Client: r.Client, Prescriber: r.Prescriber}, Judged: r.Body.Valid}
	if !s.Judged {
		s.Moved = true
		return s, nil
	}
	if err := json.Unmarshal([]byte(r.Body.String), &s.Verdict); err != nil {
		return s, fmt.Errorf("verdict of %s is damaged: run `kaphub audit verify`", r.Client)
	}
	s.Verdict.Judged, s.Verdict.Until = clock(r.Judged.Int64), clock(r.Until.Int64)
	s.Verdict.Moment, s.Verdict.Policy = fhir.Moment(r.Chart.Int64), r.Policy.String
	s.Moved = r.Stirred != 0 && r.Stirred <= at
	return s, nil
}
