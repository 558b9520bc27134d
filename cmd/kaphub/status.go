package main

import (
	"context"
	"errors"

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
	Diff   bool   `help:"What changed between FROM and TO, and why the verdict moved."`
	From   string `arg:"" optional:"" help:"With --diff: the earlier moment, as --as-of takes it."`
	To     string `arg:"" optional:"" help:"With --diff: the later moment; now if it is left out, or said."`
}

// Run shows every gate of one client, or what changed.
func (c *explainCommand) Run(ctx context.Context, s *scene) error {
	if c.Diff {
		return c.diff(ctx, s)
	}
	if c.From != "" {
		return errors.New("two moments are compared with --diff: write explain CLIENT --diff FROM TO")
	}
	return s.look(ctx, "view client", c.AsOf, c.Client, func(in report.Input, client string) error {
		if c.JSON {
			return report.ExplainJSON(s.out, in, client)
		}
		return report.Explain(s.out, in, client, s.options())
	})
}

// look opens the hub and has it looked at.
func (s *scene) look(ctx context.Context, action, asOf, word string, show func(in report.Input, client string) error) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	return h.look(ctx, action, asOf, word, show)
}

func (s *scene) options() report.Options {
	width, ok := terminal(s.out)
	return report.Options{Width: width, Colour: ok && s.getenv("NO_COLOR") == ""}
}
