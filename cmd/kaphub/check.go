package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs"
)

type checkCommand struct {
	JSON bool `help:"Write JSON."`
}

// checked is one thing that was looked at.
type checked struct {
	Level string `json:"level"` // works, degrades, impossible, fails
	About string `json:"about"`
	Text  string `json:"text"`
}

// counterpart is what a connector found at the other side.
type counterpart struct {
	Name         string                   `json:"name"`
	Party        string                   `json:"party"`
	Software     string                   `json:"software,omitempty"`
	Capabilities *connectors.Capabilities `json:"capabilities,omitempty"`
	Lines        []checked                `json:"lines"`
}

// checkup is everything that kaphub check says.
type checkup struct {
	Schema       int           `json:"schema"`
	Well         bool          `json:"well"`
	Hub          []checked     `json:"hub"`
	Counterparts []counterpart `json:"counterparts"`
}

// Run looks at everything that a sync would need and changes nothing at any counterpart.
func (c *checkCommand) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	up := checkup{Schema: 1, Hub: h.checkHub(ctx)}
	for _, one := range h.connectors {
		up.Counterparts = append(up.Counterparts, check(ctx, one))
	}
	lines := up.Hub
	for _, p := range up.Counterparts {
		lines = append(lines, p.Lines...)
	}
	up.Well = !slices.ContainsFunc(lines, func(l checked) bool { return l.Level == "fails" })
	if err := c.show(s, up); err != nil {
		return err
	}
	if !up.Well {
		return errors.New("something does not work: see what the lines that begin with FAILS say to do")
	}
	return nil
}

// checkHub says what is worth knowing of the hub's own parts, which could all be opened.
func (h *hub) checkHub(ctx context.Context) []checked {
	c := &h.config
	lines := []checked{{"works", "config", fmt.Sprintf("%s: %d sources, %d prescribers", filepath.Base(c.File()), len(h.connectors), len(h.policies))}}
	if isPostgres(c.Store.DSN.Reveal()) {
		lines = append(lines, checked{"degrades", "store", "PostgreSQL is reached; the hub does not encrypt it: see that its disk and its backups are encrypted, for nothing else does"})
	} else {
		lines = append(lines, checked{"works", "store", "opens with this key; the file, its WAL and its backups are encrypted"})
	}
	switch paused, err := h.store.Paused(ctx); {
	case err != nil:
		lines = append(lines, checked{"fails", "store", err.Error()})
	case paused:
		lines = append(lines, checked{"degrades", "store", "sending is paused after a restore: kaphub sync reads every source, asks about every open attempt, and goes on"})
	}
	for _, key := range []string{"sync", "night", "sweep", "report"} {
		switch warning, err := jobs.Check(schedules(c)[key], c.Location()); {
		case schedules(c)[key] == "":
			lines = append(lines, checked{"degrades", "schedule " + key, "is not set: it runs by hand only"})
		case err != nil:
			lines = append(lines, checked{"fails", "schedule " + key, err.Error()})
		case warning != "":
			lines = append(lines, checked{"degrades", "schedule " + key, warning})
		default:
			lines = append(lines, checked{"works", "schedule " + key, schedules(c)[key]})
		}
	}
	for _, p := range h.policies {
		if len(p.Prescriber.Sources) == 0 {
			lines = append(lines, checked{"degrades", p.Prescriber.Name, "has no connector: what it tells must be entered by hand"})
		}
		if open := unasked(p.Sheet); len(open) > 0 {
			lines = append(lines, checked{"degrades", p.Prescriber.Name, "the sheet leaves open " + strings.Join(open, ", ") + ": these gates stay unknown until the prescriber is asked"})
		}
	}
	return lines
}

// unasked names the lines of a sheet that nobody has asked about yet.
func unasked(s readiness.Sheet) []string {
	var open []string
	for _, line := range []struct {
		name   string
		answer readiness.Answer
	}{
		{"clearance_validity", s.ClearanceValidity.Answer}, {"follow_up", s.FollowUp.Answer}, {"dose_interval", s.DoseInterval.Answer},
		{"session_cap", s.SessionCap.Answer}, {"systolic_limit", s.Systolic.Answer}, {"diastolic_limit", s.Diastolic.Answer},
		{"heart_rate_limit", s.HeartRate.Answer}, {"preparations", s.Preparations.Answer}, {"office_only", s.OfficeOnly.Answer},
		{"states_not_served", s.StatesNotServed.Answer}, {"lead_days", s.LeadDays.Answer},
	} {
		if line.answer == readiness.NotAsked {
			open = append(open, line.name)
		}
	}
	return open
}

// check asks one counterpart what it offers.
func check(ctx context.Context, one connectors.Connector) counterpart {
	found := counterpart{Name: one.Name, Party: one.Party, Lines: []checked{}}
	if one.Checker == nil {
		found.Lines = append(found.Lines, checked{"degrades", one.Name, "cannot be checked from here"})
		return found
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	report, err := one.Checker.Check(ctx)
	found.Software, found.Capabilities = report.Software, &report.Capabilities
	for _, l := range report.Lines {
		found.Lines = append(found.Lines, checked(l))
	}
	if err != nil {
		found.Lines = append(found.Lines, checked{"fails", one.Name, sentence(err)})
	}
	return found
}

func (c *checkCommand) show(s *scene, up checkup) error {
	if c.JSON {
		to := json.NewEncoder(s.out)
		to.SetIndent("", "  ")
		return to.Encode(up)
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	row := func(l checked) {
		level := l.Level
		if level == "fails" {
			level = "FAILS"
		}
		_, _ = fmt.Fprintf(table, "  %s\t%s\t%s\n", level, l.About, l.Text)
	}
	_, _ = fmt.Fprintln(table, "The hub")
	for _, l := range up.Hub {
		row(l)
	}
	for _, p := range up.Counterparts {
		_, _ = fmt.Fprintln(table, strings.TrimSuffix(fmt.Sprintf("%s, for %s: %s", p.Name, p.Party, p.Software), ": "))
		for _, l := range p.Lines {
			row(l)
		}
	}
	return table.Flush()
}
