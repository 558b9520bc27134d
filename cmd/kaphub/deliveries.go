package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
)

type deliveriesCommand struct {
	List  listDeliveries `cmd:"" default:"withargs" help:"List them, newest change last."`
	Show  showDelivery   `cmd:"" help:"Show one: what it rests on and how it ended. Never its body."`
	Retry retryDelivery  `cmd:"" help:"Make a refused or unknown one due again."`
}

type listDeliveries struct {
	State string `enum:",staged,attempted,laid-out,delivered,refused,withdrawn,unknown" default:"" help:"Only these: staged, attempted, laid-out, delivered, refused, withdrawn or unknown."`
}

// Run lists deliveries.
func (c *listDeliveries) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	entries, err := h.store.Deliveries(ctx, exchange.State(c.State))
	if err != nil {
		return fmt.Errorf("read deliveries: %w", err)
	}
	if len(entries) == 0 {
		s.printf("No deliveries.\n")
		return nil
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tTO\tWHAT\tSTATE\tTRIES\tLAST\tWHY")
	for _, e := range entries {
		_, _ = fmt.Fprintf(table, "%.12s\t%s\t%s\t%s\t%d\t%s\t%s\n", e.ID, e.To, e.What, e.State, e.Attempts, h.local(e.Last), e.Why)
	}
	return table.Flush()
}

type showDelivery struct {
	ID string `arg:"" help:"The delivery's id, or how it begins."`
}

// Run shows one delivery.
func (c *showDelivery) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	e, err := h.delivery(ctx, c.ID)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(table, "%s\t%s\n", name, value)
		}
	}
	row("id", e.ID)
	row("client", e.Client)
	row("prescriber", e.Prescriber)
	row("to", e.To)
	row("what", string(e.What)+" ("+e.Type+")")
	row("state", string(e.State))
	row("why", e.Why)
	row("staged", h.local(e.Staged))
	row("due", h.local(e.Due))
	row("tries", fmt.Sprint(e.Attempts))
	row("last try", h.local(e.Last))
	row("copy", e.Copy.System+"|"+e.Copy.Value)
	for _, b := range e.Rests {
		row("discloses", fmt.Sprintf("%s/%s/%s version %d", b.Source, b.Type, b.ID, b.Version))
	}
	if e.Release != nil {
		row("release", fmt.Sprintf("%s/%s/%s version %d", e.Release.Source, e.Release.Type, e.Release.ID, e.Release.Version))
	}
	if r := e.Receipt; r != nil {
		row("receipt", strings.TrimSpace(string(r.Outcome)+" "+r.Ref.String()+" "+r.VersionID))
		row("received", h.local(r.At))
		row("codes", strings.Join(r.Codes, " "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return h.store.Audit(ctx, actor(), "view delivery", e.ID, "")
}

type retryDelivery struct {
	ID string `arg:"" help:"The delivery's id, or how it begins."`
}

// Run makes a delivery due again; the next sync or push sends it.
func (c *retryDelivery) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	e, err := h.delivery(ctx, c.ID)
	if err != nil {
		return err
	}
	switch err := h.store.Retry(ctx, h.actor, e.ID); {
	case errors.Is(err, exchange.ErrConflict):
		return fmt.Errorf("delivery %.12s is %s: only refused and unknown ones can be tried again", e.ID, e.State)
	case err != nil:
		return fmt.Errorf("retry delivery %.12s: %w", e.ID, err)
	}
	s.printf("Delivery %.12s is due now: kaphub sync sends it.\n", e.ID)
	return h.store.Audit(ctx, actor(), "retry delivery", e.ID, "")
}

// delivery finds one entry by its id or how it begins.
func (h *hub) delivery(ctx context.Context, id string) (exchange.Entry, error) {
	entries, err := h.store.Deliveries(ctx, "")
	if err != nil {
		return exchange.Entry{}, fmt.Errorf("read deliveries: %w", err)
	}
	return only(entries, id, "delivery", func(e exchange.Entry) string { return e.ID })
}

// only returns the one item whose id begins with start.
func only[T any](list []T, start, what string, id func(T) string) (T, error) {
	var found []T
	for _, item := range list {
		if strings.HasPrefix(id(item), start) {
			found = append(found, item)
		}
	}
	var none T
	switch {
	case start == "" || len(found) == 0:
		return none, fmt.Errorf("no %s of that id: the list shows them", what)
	case len(found) > 1:
		return none, fmt.Errorf("%d ids begin like that: write more of the %s's id", len(found), what)
	}
	return found[0], nil
}

// local shows a time in the practice's zone, "" for none.
func (h *hub) local(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(h.config.Location()).Format("2006-01-02 15:04 MST")
}
