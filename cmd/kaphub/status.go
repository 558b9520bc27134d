package main

import (
	"context"

	"github.com/kaphub/kaphub/jobs/report"
)

type statusCommand struct {
	JSON bool   `help:"Write JSON, schema 1."`
	AsOf string `placeholder:"T" help:"As it was known then: 2026-03-03T09:15."`
}

// Run shows the board.
func (c *statusCommand) Run(ctx context.Context, s *scene) error {
	return s.look(ctx, "view board", c.AsOf, func(in report.Input) (string, error) {
		if c.JSON {
			return "", report.Status(s.out, in)
		}
		return "", report.Board(s.out, in, s.options())
	})
}

type explainCommand struct {
	Client string `arg:"" help:"A hub key, or the value of a business identifier."`
	JSON   bool   `help:"Write JSON, schema 1."`
	AsOf   string `placeholder:"T" help:"As it was known then: 2026-03-03T09:15."`
}

// Run shows every gate of one client.
func (c *explainCommand) Run(ctx context.Context, s *scene) error {
	return s.look(ctx, "view client", c.AsOf, func(in report.Input) (string, error) {
		client, err := find(in, c.Client)
		if err != nil {
			return "", err
		}
		if c.JSON {
			return client, report.ExplainJSON(s.out, in, client)
		}
		return client, report.Explain(s.out, in, client, s.options())
	})
}

// look opens the hub, gathers the view, has it shown, and notes in the audit log who looked at what.
func (s *scene) look(ctx context.Context, action, asOf string, show func(report.Input) (subject string, err error)) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	at, err := pastAt(asOf, h.config.Location(), s.now())
	if err != nil {
		return err
	}
	in, err := h.view(ctx, at)
	if err != nil {
		return err
	}
	subject, err := show(in)
	if err != nil {
		return err
	}
	return h.store.Audit(ctx, actor(), action, subject, asOf)
}

func (s *scene) options() report.Options {
	width, ok := terminal(s.out)
	return report.Options{Width: width, Colour: ok && s.getenv("NO_COLOR") == ""}
}
