package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

type findingsCommand struct {
	List        listFindings        `cmd:"" default:"withargs" help:"List what is open, snoozed ones too."`
	Show        showFinding         `cmd:"" help:"Show one, what it rests on, and all that people did about it."`
	Acknowledge acknowledgeFindings `cmd:"" help:"Say that it was seen. It ends when the finding is resolved."`
	Snooze      snoozeFindings      `cmd:"" help:"Have it silent for a while, with a reason: an S1 for 24 hours at most. It speaks again when it is graver."`
	Assign      assignFindings      `cmd:"" help:"Give it to a person."`
	Release     releaseFindings     `cmd:"" help:"Take back all that was done about it."`
}

type listFindings struct {
	Owner    string `enum:"therapist,admin,prescriber,pharmacy,client,operator,privacy officer," default:"" placeholder:"WHO" help:"Who must act: therapist, admin, prescriber, pharmacy, client, operator or privacy officer."`
	Person   string `placeholder:"NAME" help:"To whom it is assigned."`
	Severity string `enum:"S1,S2,S3,S4," default:"" placeholder:"S2" help:"So grave, or graver."`
	Client   string `placeholder:"CLIENT" help:"A hub key, or the value of a business identifier."`
	All      bool   `help:"Those told by an open parent, and those resolved in the last 30 days, too."`
	JSON     bool   `help:"Write JSON, schema 1."`
	AsOf     string `placeholder:"T" help:"As it was known then: 2026-03-03T09:15, or @1234, a moment of the audit log."`
}

// Run lists findings.
func (c *listFindings) Run(ctx context.Context, s *scene) error {
	return s.look(ctx, "view findings", c.AsOf, c.Client, func(in report.Input, client string) error {
		f := report.Filter{Owner: readiness.Owner(c.Owner), Person: c.Person, Severity: readiness.Severity(c.Severity), Client: client, All: c.All}
		if c.JSON {
			return report.FindingsJSON(s.out, in, f)
		}
		return report.Findings(s.out, in, f, s.options())
	})
}

type showFinding struct {
	ID   string `arg:"" help:"Its id, or how it begins."`
	JSON bool   `help:"Write JSON, schema 1."`
	AsOf string `placeholder:"T" help:"As it was known then: 2026-03-03T09:15, or @1234, a moment of the audit log."`
}

// Run shows one finding.
func (c *showFinding) Run(ctx context.Context, s *scene) error {
	return s.look(ctx, "view finding", c.AsOf, "", func(in report.Input, _ string) error {
		f, err := only(findingsIn(in, true), c.ID, "finding", func(f aFinding) string { return f.ID })
		if err != nil {
			return err
		}
		if c.JSON {
			return report.ShowFindingJSON(s.out, in, f.ID)
		}
		return report.ShowFinding(s.out, in, f.ID, s.options())
	})
}

// aFinding is a finding and the verdict that tells it.
type aFinding struct {
	readiness.Finding
	verdict *readiness.Verdict
}

func findingsIn(in report.Input, resolved bool) (list []aFinding) {
	for i := range in.Clients {
		v := &in.Clients[i]
		for _, f := range v.Findings {
			if resolved || f.State != readiness.Resolved {
				list = append(list, aFinding{f, v})
			}
		}
	}
	return list
}

// handled is which findings a command is about, and who says so.
type handled struct {
	ID []string `arg:"" help:"Their ids, or how they begin; or what touches many by its key, like R44/ehr."`
	By string   `placeholder:"NAME" help:"Who says so, where that is not who types."`
}

// do keeps one thing done about each of the findings; nothing is kept unless all may be.
func (c *handled) do(ctx context.Context, s *scene, meant func(*hub) (what readiness.Handling, said string, err error)) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	what, said, err := meant(h)
	if err != nil {
		return err
	}
	in, err := h.view(ctx)
	if err != nil {
		return err
	}
	open := findingsIn(in, false)
	var all []aFinding
	for _, id := range c.ID {
		found, err := meantBy(open, findingsIn(in, true), id)
		if err != nil {
			return err
		}
		for _, f := range found {
			if !slices.ContainsFunc(all, func(x aFinding) bool { return x.ID == f.ID }) {
				all = append(all, f)
			}
		}
	}
	what.Reason, what.Person = strings.TrimSpace(what.Reason), strings.Join(strings.Fields(what.Person), " ")
	list := make([]readiness.Handling, 0, len(all))
	for _, f := range all {
		one := what
		one.Finding, one.Client, one.Prescriber, one.Severity = f.ID, f.verdict.Client, f.verdict.Prescriber, f.Severity
		if err := f.MayHandle(one, h.now()); err != nil {
			return fmt.Errorf("%s of %s: %w", f.Code, f.verdict.Client, err)
		}
		list = append(list, one)
	}
	err = h.store.Handle(ctx, saidBy(c.By), list...)
	if errors.Is(err, exchange.ErrConflict) {
		return errors.New("it was resolved meanwhile: nothing is left to do about it")
	}
	if err != nil {
		return err
	}
	for _, f := range all {
		s.printf("%s of %s (%.8s) is %s. The client stays %s.\n", f.Code, f.verdict.Client, f.ID, said, f.verdict.State)
	}
	return nil
}

// meantBy returns the findings that a word names: one by the beginning of its id, or all of a key that are open.
func meantBy(open, all []aFinding, word string) ([]aFinding, error) {
	many := slices.DeleteFunc(slices.Clone(open), func(f aFinding) bool { return f.RollUp != word || word == "" })
	if len(many) > 0 {
		return many, nil
	}
	f, err := only(all, word, "finding", func(f aFinding) string { return f.ID })
	return []aFinding{f}, err
}

type acknowledgeFindings struct {
	handled
	Note string `placeholder:"TEXT" help:"What to remember."`
}

// Run keeps that they were seen.
func (c *acknowledgeFindings) Run(ctx context.Context, s *scene) error {
	return c.do(ctx, s, func(*hub) (readiness.Handling, string, error) {
		return readiness.Handling{Kind: readiness.Acknowledge, Reason: c.Note}, "acknowledged", nil
	})
}

type snoozeFindings struct {
	handled
	Reason string          `required:"" placeholder:"TEXT" help:"Why."`
	For    config.Duration `xor:"end" required:"" placeholder:"3d" help:"For how long: 3d, 12h."`
	Until  string          `xor:"end" required:"" placeholder:"T" help:"Up to when: 2026-03-05T09:00, or a date, at whose beginning it speaks again."`
}

// Run has them silent for a while.
func (c *snoozeFindings) Run(ctx context.Context, s *scene) error {
	return c.do(ctx, s, func(h *hub) (readiness.Handling, string, error) {
		until := h.now().Add(time.Duration(c.For))
		if c.Until != "" {
			at, _, err := entry.Written(c.Until, h.config.Location())
			if err != nil {
				return readiness.Handling{}, "", fmt.Errorf("--until %q is no time: write it like 2026-03-05T09:00 or 2026-03-05", c.Until)
			}
			until = at
		}
		until = until.UTC().Truncate(time.Millisecond)
		return readiness.Handling{Kind: readiness.Snooze, Reason: c.Reason, Until: until}, "silent up to " + h.local(until), nil
	})
}

type assignFindings struct {
	handled
	To   string `required:"" placeholder:"NAME" help:"To whom."`
	Note string `placeholder:"TEXT" help:"What to tell them."`
}

// Run gives them to a person.
func (c *assignFindings) Run(ctx context.Context, s *scene) error {
	return c.do(ctx, s, func(*hub) (readiness.Handling, string, error) {
		return readiness.Handling{Kind: readiness.Assign, Person: c.To, Reason: c.Note}, "assigned to " + strings.Join(strings.Fields(c.To), " "), nil
	})
}

type releaseFindings struct{ handled }

// Run takes back what was done about them.
func (c *releaseFindings) Run(ctx context.Context, s *scene) error {
	return c.do(ctx, s, func(*hub) (readiness.Handling, string, error) {
		return readiness.Handling{Kind: readiness.LetGo}, "released: it speaks, and is nobody's but its owner's", nil
	})
}
