package main

import (
	"context"
	"errors"
	"strings"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

type sealedCommand struct {
	List    listSealed    `cmd:"" default:"withargs" help:"List what waits for the privacy officer; never its content."`
	Show    showSealed    `cmd:"" help:"Open one, with a reason; who looked is kept in the audit log."`
	Admit   admitSealed   `cmd:"" help:"Take one in with the rest: it is in scope after all."`
	Expunge expungeSealed `cmd:"" help:"Destroy the content of one; that there was something stays on record."`
}

type listSealed struct {
	All bool `help:"Those that were admitted or expunged, too."`
}

// Run lists what arrived out of scope.
func (c *listSealed) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	list, err := h.store.Sealed(ctx, c.All)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		s.printf("Nothing is sealed: all that came was in scope.\n")
		return nil
	}
	table := s.table("ID", "CLIENT", "SOURCE", "KIND", "RECEIVED", "REASON", "OUTCOME")
	for _, x := range list {
		outcome := x.Outcome
		if outcome != "" {
			outcome += " by " + x.By + ": " + x.Why
		}
		table.row(x.ID, x.Client, x.Source, x.Type, h.local(x.Received), x.Reason, outcome)
	}
	return table.end()
}

// decision is what every look at something sealed asks for.
type decision struct {
	ID     string `arg:"" help:"Its id, or how it begins."`
	Reason string `required:"" help:"Why: kept in the audit log."`
	By     string `help:"Who decides, where that is not who types."`
}

// open finds what is meant.
func (d *decision) open(ctx context.Context, s *scene) (h *hub, x fhir.Sealed, who string, err error) {
	if d.Reason = strings.TrimSpace(d.Reason); d.Reason == "" {
		return nil, x, "", errors.New("a reason is needed: --reason says why")
	}
	if h, err = s.open(ctx); err != nil {
		return nil, x, "", err
	}
	list, err := h.store.Sealed(ctx, true)
	if err == nil {
		x, err = only(list, d.ID, "sealed record", func(x fhir.Sealed) string { return x.ID })
	}
	if err != nil {
		h.close()
		return nil, x, "", err
	}
	return h, x, saidBy(d.By), nil
}

type showSealed struct{ decision }

// Run opens one.
func (c *showSealed) Run(ctx context.Context, s *scene) error {
	h, x, who, err := c.open(ctx, s)
	if err != nil {
		return err
	}
	defer h.close()
	body, err := h.unseal(ctx, who, x, c.Reason)
	if err != nil {
		return err
	}
	s.printf("client    %s\nsource    %s\nreceived  %s\nreason    %s\n\n%s\n", x.Client, x.Source, h.local(x.Received), x.Reason, harmless(body))
	return nil
}

// unseal opens one. exchange.ErrNotFound when nothing of it is left.
func (h *hub) unseal(ctx context.Context, who string, x fhir.Sealed, why string) ([]byte, error) {
	body, err := h.store.Unseal(ctx, who, x.ID, why)
	if errors.Is(err, exchange.ErrNotFound) {
		return nil, inWords(err, "%s was expunged by %s: nothing of its content is left", x.ID, x.By)
	}
	return body, err
}

type admitSealed struct{ decision }

// Run admits one.
func (c *admitSealed) Run(ctx context.Context, s *scene) error {
	return c.end(ctx, s, "admitted: it counts with the next sync", func(h *hub, who, id string) error { return h.store.Admit(ctx, who, id, c.Reason) })
}

type expungeSealed struct{ decision }

// Run expunges one.
func (c *expungeSealed) Run(ctx context.Context, s *scene) error {
	return c.end(ctx, s, "expunged: its content is destroyed here; tell its source not to send such records", func(h *hub, who, id string) error { return h.store.Expunge(ctx, who, id, c.Reason) })
}

func (d *decision) end(ctx context.Context, s *scene, said string, do func(h *hub, who, id string) error) error {
	h, x, who, err := d.open(ctx, s)
	if err != nil {
		return err
	}
	defer h.close()
	if err := undecided(x); err != nil {
		return err
	}
	if err := do(h, who, x.ID); err != nil {
		return err
	}
	s.printf("%s is %s.\n", x.ID, said)
	return nil
}

// undecided answers exchange.ErrConflict when something sealed was admitted or expunged.
func undecided(x fhir.Sealed) error {
	if x.Outcome != "" {
		return inWords(exchange.ErrConflict, "%s is %s already, by %s", x.ID, x.Outcome, x.By)
	}
	return nil
}
