package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// BreakGlass keeps a look at a client that is not one's own. The audit names the client, and who took it.
func (db *DB) BreakGlass(ctx context.Context, g exchange.Glass) error {
	return db.commit(ctx, "break glass", g.Client, func(c *commit) error {
		c.actor, c.detail = g.Actor, g.ID
		row := table.Glass{ID: g.ID, Moment: c.moment, Account: g.Account, Client: g.Client, Reason: g.Reason, Actor: g.Actor, Begins: ms(g.From), Ends: ms(g.Until)}
		row.Mac = c.seal("glass", glassParts(row)...)
		return c.PutGlass(ctx, table.PutGlassParams(row))
	})
}

// Glasses returns the looks that ended or end after since, of one account or, with "", of all, newest first.
func (db *DB) Glasses(ctx context.Context, account string, since time.Time) ([]exchange.Glass, error) {
	var rows []table.Glass
	var err error
	if account == "" {
		rows, err = db.read.GlassesSince(ctx, ms(since))
	} else {
		rows, err = db.read.GlassOf(ctx, table.GlassOfParams{Account: account, Since: ms(since)})
	}
	if err != nil {
		return nil, fmt.Errorf("read looks in need: %w", plain(err))
	}
	list := make([]exchange.Glass, 0, len(rows))
	for _, r := range rows {
		list = append(list, exchange.Glass{ID: r.ID, Account: r.Account, Client: r.Client, Reason: r.Reason, Actor: r.Actor, From: clock(r.Begins), Until: clock(r.Ends)})
	}
	return list, nil
}

func glassParts(r table.Glass) []string {
	return []string{r.ID, r.Account, r.Client, r.Reason, r.Actor, num(r.Begins), num(r.Ends)}
}

func (v *verifier) glasses(ctx context.Context) error {
	rows, err := v.AllGlasses(ctx)
	for _, r := range rows {
		v.row("glass", "look in need "+r.ID, r.Moment, r.Mac, glassParts(r)...)
	}
	return err
}

// AuditOf returns up to limit entries of the audit log about one subject, newest first; with before, those that came
// before that sequence number.
func (db *DB) AuditOf(ctx context.Context, subject string, before int64, limit int) ([]exchange.Line, error) {
	rows, err := db.read.AuditOf(ctx, table.AuditOfParams{Subject: subject, Before: beforeOr(before), Lim: int32(min(limit, 1<<30))})
	return lines(rows, err, "audit of "+subject)
}

// LooksAt returns up to limit entries of the audit log about what people did or looked at of a client, newest first: of the
// client's own, and of their deliveries, sealed records and findings that somebody dealt with. What shows many clients at
// once, the board and reports, names none of them. before as for AuditOf.
func (db *DB) LooksAt(ctx context.Context, client string, before int64, limit int) ([]exchange.Line, error) {
	rows, err := db.read.LooksAt(ctx, table.LooksAtParams{Client: client, Before: beforeOr(before), Lim: int32(min(limit, 1<<30))})
	return lines(rows, err, "looks at "+client)
}

// LooksAtAll returns what people were shown of everybody since a time, the board, findings and reports, on paper and in files
// too, in which a client stood: one for each person, kind and day of zone, newest first. Of a therapist it was their own clients only.
func (db *DB) LooksAtAll(ctx context.Context, client string, since time.Time, zone *time.Location, limit int) ([]exchange.Crowd, error) {
	_, east := since.In(zone).Zone() // where clocks are put on within the time, a day begins an hour off
	rows, err := db.read.LooksAtAll(ctx, table.LooksAtAllParams{Client: client, Since: ms(since), Shift: int64(east) * 1000, Lim: int32(min(limit, 1<<30))})
	if err != nil {
		return nil, fmt.Errorf("read what showed %s among others: %w", client, plain(err))
	}
	list := make([]exchange.Crowd, 0, len(rows))
	for _, r := range rows {
		list = append(list, exchange.Crowd{Actor: r.Actor, Action: r.Action, First: clock(r.Began), Last: clock(r.Ended), Times: int(r.Times)})
	}
	return list, nil
}

func beforeOr(before int64) int64 {
	if before == 0 {
		return math.MaxInt64
	}
	return before
}

func lines(rows []table.Audit, err error, what string) ([]exchange.Line, error) {
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, plain(err))
	}
	list := make([]exchange.Line, 0, len(rows))
	for _, r := range rows {
		list = append(list, entry(r))
	}
	return list, nil
}
