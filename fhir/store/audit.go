package store

import (
	"context"
	"encoding/hex"
	"fmt"

	table "github.com/kaphub/kaphub/fhir/store/db"
)

// chain is the MAC that ties an entry to the one before it.
func (db *DB) chain(before string, e table.Audit) string {
	m := mac(db.keys.audit, "audit", before, num(e.Moment), num(e.At), e.Actor, e.Action, e.Subject, e.Detail, e.Digest)
	return hex.EncodeToString(m[:])
}

// sealTip is the MAC of the chain's end: how many entries there are, and the last one's MAC.
func (db *DB) sealTip(moment, entries int64, last string) string {
	m := mac(db.keys.tip, num(moment), num(entries), last)
	return hex.EncodeToString(m[:])
}

// appendAudit writes the commit's line.
func (c *commit) appendAudit(ctx context.Context) error {
	tip, err := c.Tip(ctx)
	if err != nil {
		return err
	}
	e := table.Audit{Moment: c.moment, At: c.at, Actor: c.actor, Action: c.action, Subject: c.subject, Detail: c.detail,
		Digest: hex.EncodeToString(c.digest[:])}
	e.Mac = c.db.chain(tip.Mac, e)
	if err := c.AppendAudit(ctx, table.AppendAuditParams(e)); err != nil {
		return err
	}
	return c.MoveTip(ctx, table.MoveTipParams{Moment: c.moment, Entries: tip.Entries + 1, Mac: e.Mac,
		Seal: c.db.sealTip(c.moment, tip.Entries+1, e.Mac)})
}

// Audit adds a line of its own: who did or looked at what. subject and detail hold hub keys and codes only.
func (db *DB) Audit(ctx context.Context, actor, action, subject, detail string) error {
	return db.commit(ctx, action, subject, func(c *commit) error {
		c.actor, c.detail = actor, detail
		return nil
	})
}

// AuditLog returns up to limit entries after the given sequence number, oldest first.
func (db *DB) AuditLog(ctx context.Context, after int64, limit int) ([]AuditEntry, error) {
	rows, err := db.read.AuditAfter(ctx, table.AuditAfterParams{After: after, Lim: int32(min(limit, 1<<30))})
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", plain(err))
	}
	log := make([]AuditEntry, 0, len(rows))
	for _, e := range rows {
		log = append(log, entry(e))
	}
	return log, nil
}
