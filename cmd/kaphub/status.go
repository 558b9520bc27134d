package main

import (
	"context"

	"github.com/kaphub/kaphub/jobs/report"
)

type statusCommand struct {
	JSON bool   `help:"Write JSON, schema 1."`
	AsOf string `placeholder:"T" help:"As it was known then: 2026-03-03T09:15, or @1234, a moment of the audit log."`
}

// Run shows the board.
func (c *statusCommand) Run(ctx context.Context, s *scene) error {
	return s.look(ctx, "view board", c.AsOf, "", func(in report.Input, _ string) error {
		if c.JSON {
			return report.Status(s.out, in)
		}
		return report.Board(s.out, in, s.options())
	})
}

type explainCommand struct {
	Client string `arg:"" help:"A hub key, or the value of a business identifier."`
	JSON   bool   `help:"Write JSON, schema 1."`
	AsOf   string `placeholder:"T" help:"As it was known then: 2026-03-03T09:15, or @1234, a moment of the audit log."`
}

// Run shows every gate of one client.
func (c *explainCommand) Run(ctx context.Context, s *scene) error {
	return s.look(ctx, "view client", c.AsOf, c.Client, func(in report.Input, client string) error {
		if c.JSON {
			return report.ExplainJSON(s.out, in, client)
		}
		return report.Explain(s.out, in, client, s.options())
	})
}

// look opens the hub, notes in the audit log who looks at what, and has that shown: of the client whom word names, or
// of all. What is shown as of now is what stood at the audit's own entry: --as-of with its time, or with its moment, shows
// the same once more, byte for byte.
func (s *scene) look(ctx context.Context, action, asOf, word string, show func(in report.Input, client string) error) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	p, now, err := h.when(ctx, "--as-of", asOf)
	if err != nil {
		return err
	}
	client := ""
	if word != "" {
		in, err := h.viewAt(ctx, p, "")
		if err != nil {
			return err
		}
		if client, err = find(in, word); err != nil {
			return err
		}
	} else if _, err := h.policiesAt(ctx, p.moment); err != nil {
		return err
	}
	seen, at, err := h.store.Look(ctx, actor(), action, client, asOf)
	if err != nil {
		return err
	}
	if now {
		p = point{seen, at}
	}
	in, err := h.viewAt(ctx, p, client)
	if err != nil {
		return err
	}
	return show(in, client)
}

func (s *scene) options() report.Options {
	width, ok := terminal(s.out)
	return report.Options{Width: width, Colour: ok && s.getenv("NO_COLOR") == ""}
}
