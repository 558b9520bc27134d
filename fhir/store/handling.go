package store

import (
	"context"
	"fmt"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Handle keeps what actor did about findings, all of it in one commit; actor, time and moment are the commit's. It changes
// no verdict. ErrNotFound when a finding of that id was never told of that client, ErrConflict when it is resolved.
func (db *DB) Handle(ctx context.Context, actor string, handlings ...readiness.Handling) error {
	if len(handlings) == 0 {
		return nil
	}
	first := handlings[0]
	subject := first.Finding
	if len(handlings) > 1 {
		subject = ""
	}
	return db.commit(ctx, string(first.Kind)+" finding", subject, func(c *commit) error {
		c.actor, c.detail = actor, fmt.Sprintf("%d of %s", len(handlings), first.Client)
		if len(handlings) > 1 {
			c.detail = fmt.Sprintf("%d findings", len(handlings))
		}
		for _, h := range handlings {
			is, err := c.FindingNow(ctx, h.Finding)
			switch {
			case err != nil:
				return found(err)
			case is.Client != h.Client || is.Prescriber != h.Prescriber:
				return exchange.ErrNotFound
			case is.State == string(readiness.Resolved):
				return exchange.ErrConflict
			}
			row := table.Handling{Finding: h.Finding, Moment: c.moment, Client: h.Client, Prescriber: h.Prescriber, Kind: string(h.Kind),
				Person: h.Person, Reason: h.Reason, Until: ms(h.Until), Severity: string(h.Severity), Actor: actor, At: c.at}
			row.Mac = c.seal("handling", handlingParts(row)...)
			if err := c.PutHandling(ctx, table.PutHandlingParams(row)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Whose returns the client of a finding; ErrNotFound when none of that id was ever told.
func (db *DB) Whose(ctx context.Context, finding string) (string, error) {
	is, err := db.read.FindingNow(ctx, finding)
	if err != nil {
		return "", fmt.Errorf("finding: %w", plain(found(err)))
	}
	return is.Client, nil
}

// handlingParts are what a handling's MAC covers.
func handlingParts(h table.Handling) []string {
	return []string{h.Finding, h.Client, h.Prescriber, h.Kind, h.Person, h.Reason, num(h.Until), h.Severity, h.Actor, num(h.At)}
}

// Handlings returns what people had done about findings at a moment, 0 for now, oldest first: of one client or, with "", of all.
func (db *DB) Handlings(ctx context.Context, client string, asOf fhir.Moment) ([]readiness.Handling, error) {
	var rows []table.Handling
	var err error
	if client == "" {
		rows, err = db.read.HandlingsAt(ctx, momentOr(asOf))
	} else {
		rows, err = db.read.HandlingsOf(ctx, table.HandlingsOfParams{Client: client, Moment: momentOr(asOf)})
	}
	if err != nil {
		return nil, fmt.Errorf("read what was done about findings: %w", plain(err))
	}
	out := make([]readiness.Handling, 0, len(rows))
	for _, h := range rows {
		out = append(out, readiness.Handling{Finding: h.Finding, Client: h.Client, Prescriber: h.Prescriber, Kind: readiness.HandlingKind(h.Kind),
			Person: h.Person, Reason: h.Reason, Until: clock(h.Until), Severity: readiness.Severity(h.Severity),
			Actor: h.Actor, At: clock(h.At), Moment: fhir.Moment(h.Moment)})
	}
	return out, nil
}

func (v *verifier) handlings(ctx context.Context) error {
	rows, err := v.HandlingsAt(ctx, momentOr(0))
	for _, r := range rows {
		v.row("handling", fmt.Sprintf("what was done about finding %s at %d", r.Finding, r.Moment), r.Moment, r.Mac, handlingParts(r)...)
	}
	return err
}
