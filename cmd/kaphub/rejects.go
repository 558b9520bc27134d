package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

type rejectsCommand struct {
	List listRejects `cmd:"" default:"withargs" help:"List what could not be read."`
	Show showReject  `cmd:"" help:"Show one, whole as it was received. It holds a client's data: mind who looks on."`

	Resolve resolveReject `cmd:"" help:"Close one that nobody will send anew, with a reason; until then its client, or its source, counts as not wholly read."`
}

type listRejects struct {
	All bool `help:"Those that were superseded or resolved, too."`
}

// Run lists rejects.
func (c *listRejects) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	rejects, err := h.store.Rejects(ctx, c.All)
	if err != nil {
		return fmt.Errorf("read rejects: %w", err)
	}
	if len(rejects) == 0 {
		s.printf("No rejects: everything that came could be read.\n")
		return nil
	}
	table := s.table("ID", "SOURCE", "RECORD", "RECEIVED", "REASON", "RESOLVED")
	for _, r := range rejects {
		record := fhir.Ref{Type: r.Type, ID: r.Ref}.String()
		if record == "" {
			record = "?"
		}
		table.row(short(r.ID), r.Source, record, h.local(r.Received), r.Reason, r.Resolved)
	}
	return table.end()
}

type showReject struct {
	ID string `arg:"" help:"The reject's id, or how it begins."`
}

// Run shows one reject as it was received.
func (c *showReject) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	r, err := h.reject(ctx, c.ID)
	if err != nil {
		return err
	}
	if r, err = h.store.Reject(ctx, r.ID); err != nil {
		return fmt.Errorf("read reject: %w", err)
	}
	if err := h.store.Audit(ctx, actor(), "view reject", r.ID, ""); err != nil { // first: its body is about to be seen
		return err
	}
	s.printf("source    %s\nreceived  %s\nreason    %s\n\n%s\n", r.Source, h.local(r.Received), r.Reason, harmless(r.Body))
	return nil
}

// harmless is what was received, with nothing in it that a terminal would obey.
func harmless(body []byte) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, string(body))
}

type resolveReject struct {
	ID     string `arg:"" help:"The reject's id, or how it begins."`
	Reason string `required:"" help:"What was done about it, in a few words: kept with it."`
	By     string `help:"Who decides, where that is not who types."`
}

// Run closes one reject by a person's decision.
func (c *resolveReject) Run(ctx context.Context, s *scene) error {
	if c.Reason = strings.TrimSpace(c.Reason); c.Reason == "" {
		return errors.New("a reason is needed: --reason says what was done about it")
	}
	if !console.Telling(c.Reason) {
		return errors.New("the reason tells nothing: --reason says what was done about it, in a few words, like “Skylight says it was a test”")
	}
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	r, err := h.reject(ctx, c.ID)
	if err != nil {
		return err
	}
	if err := h.resolve(ctx, saidBy(c.By), r, c.Reason); err != nil {
		return err
	}
	s.printf("%s is resolved. Its client is judged again with the next sync.\n", r.ID)
	return nil
}

// resolve closes a reject. exchange.ErrConflict when it is closed.
func (h *hub) resolve(ctx context.Context, by string, r fhir.Reject, reason string) error {
	if r.Resolved != "" {
		return inWords(exchange.ErrConflict, "%s is resolved already: %s", r.ID, r.Resolved)
	}
	return h.store.Resolve(ctx, by, r.ID, reason)
}

// reject finds one by its id or how it begins.
func (h *hub) reject(ctx context.Context, id string) (fhir.Reject, error) {
	rejects, err := h.store.Rejects(ctx, true)
	if err != nil {
		return fhir.Reject{}, fmt.Errorf("read rejects: %w", err)
	}
	return only(rejects, id, "reject", func(r fhir.Reject) string { return r.ID })
}
