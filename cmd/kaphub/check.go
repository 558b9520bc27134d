package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs"
)

type checkCommand struct {
	JSON bool `help:"Write JSON."`
}

// checked is one thing that was looked at.
type checked struct {
	Level   string `json:"level"` // works, degrades, impossible, fails
	About   string `json:"about"`
	Text    string `json:"text"`
	Instead string `json:"instead,omitempty"` // what is done instead
}

// counterpart is what a connector found at the other side.
type counterpart struct {
	name, party, title, software string
	capabilities                 connectors.Capabilities
	auth                         []connectors.Claim // why the hub is let in or not
	lines                        []checked
}

// checkup is everything that kaphub check says.
type checkup struct {
	hub          []checked
	counterparts []counterpart
}

// Run looks at everything that a sync would need and changes nothing at any counterpart.
func (c *checkCommand) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	up := checkup{hub: h.checkHub(ctx)}
	for _, one := range h.configured() {
		up.counterparts = append(up.counterparts, check(ctx, one, h.titles()[one.Party]))
	}
	if err := c.show(s, up); err != nil {
		return err
	}
	if !up.well() {
		return errors.New("something does not work: see what the lines that begin with FAILS say to do")
	}
	return nil
}

// checkHub says what is worth knowing of the hub's own parts, which could all be opened.
func (h *hub) checkHub(ctx context.Context) []checked {
	c := &h.config
	lines := []checked{{Level: "works", About: "config", Text: fmt.Sprintf("%s: %s, %s", filepath.Base(c.File()), many(len(h.configured()), "source"), many(len(h.policies()), "prescriber"))}}
	if isPostgres(c.Store.DSN.Reveal()) {
		lines = append(lines, checked{Level: "degrades", About: "store", Text: "PostgreSQL is reached; the hub does not encrypt it: see that its disk and its backups are encrypted, for nothing else does"})
	} else {
		lines = append(lines, checked{Level: "works", About: "store", Text: "opens with this key; the file, its WAL and its backups are encrypted"})
	}
	switch paused, err := h.store.Paused(ctx); {
	case err != nil:
		lines = append(lines, checked{Level: "fails", About: "store", Text: err.Error()})
	case paused:
		lines = append(lines, checked{Level: "degrades", About: "store", Text: "sending is paused after a restore: kaphub sync reads every source, asks about every open attempt, and goes on"})
	}
	for _, key := range []string{"sync", "night", "sweep", "report", "digest"} {
		if _, is := schedules(c)[key]; !is {
			continue // nobody is told by mail: said below
		}
		switch warning, err := jobs.Check(schedules(c)[key], c.Location()); {
		case schedules(c)[key] == "":
			lines = append(lines, checked{Level: "degrades", About: "schedule " + key, Text: "is not set: it runs by hand only"})
		case err != nil:
			lines = append(lines, checked{Level: "fails", About: "schedule " + key, Text: err.Error()})
		case warning != "":
			lines = append(lines, checked{Level: "degrades", About: "schedule " + key, Text: warning})
		case key == "sync" && h.asksTooOften():
			lines = append(lines, checked{Level: "degrades", About: "schedule " + key,
				Text: "asks partners more often than every 15 minutes, which HL7's SDOH Clinical Care asks polling systems not to do: write */15; what was sent is looked after sooner by itself"})
		default:
			lines = append(lines, checked{Level: "works", About: "schedule " + key, Text: schedules(c)[key]})
		}
	}
	lines = append(lines, h.checkNotices(ctx)...)
	for _, p := range h.policies() {
		if len(p.Prescriber.Sources) == 0 {
			lines = append(lines, h.deskLine(ctx, p))
		}
		if text := strangers(p); text != "" {
			lines = append(lines, checked{Level: "degrades", About: p.Prescriber.Name, Text: text})
		}
		if text := untranslated(p); text != "" {
			lines = append(lines, checked{Level: "degrades", About: p.Prescriber.Name, Text: text, Instead: "they are written as text, without a code"})
		}
		if open := unasked(p.Sheet); len(open) > 0 {
			lines = append(lines, checked{Level: "degrades", About: p.Prescriber.Name, Text: "the sheet leaves open " + strings.Join(open, ", ") + ": these gates stay unknown until the prescriber is asked"})
		}
	}
	return lines
}

// untranslated says where a referral may stand that the prescriber has no code for, by its code maps; "" where it has no such
// map at all, and reads the hub's own codes.
func untranslated(p readiness.Policy) string {
	var missing []string
	all := fhir.BusinessStatuses()
	for _, code := range all {
		if len(p.Terms.Theirs(p.Prescriber.Name, fhir.Code{System: fhir.SystemBusinessStatus, Code: code})) == 0 {
			missing = append(missing, code)
		}
	}
	if len(missing) == 0 || len(missing) == len(all) {
		return ""
	}
	return "its code maps have no code for these of referral-business-status: " + strings.Join(missing, ", ")
}

// strangers says what a release or referral must not name: a decider decides, but only the prescriber's own identifiers
// say to whom a client released anything.
func strangers(p readiness.Policy) string {
	if len(p.Sheet.Deciders) == 0 {
		return "the sheet names no deciders: whoever signs a decision is not known to be allowed to, so no clearance counts; write their NPIs under sheet.deciders"
	}
	var others []string
	for _, id := range p.Sheet.Deciders {
		if !slices.Contains(p.Prescriber.Identifiers, id) {
			others = append(others, id.Value)
		}
	}
	if len(others) == 0 {
		return ""
	}
	return "a release (Consent) or referral that names only a decider (" + strings.Join(others, ", ") + ") is not recognised as one for " + p.Prescriber.Title +
		": if yours do, write that identifier under prescribers[].identifiers too"
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
func check(ctx context.Context, one connectors.Connector, title string) counterpart {
	found := counterpart{name: one.Name, party: one.Party, title: title}
	if one.Checker == nil {
		found.lines = append(found.lines, checked{Level: "degrades", About: one.Name, Text: "cannot be checked from here"})
		return found
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	report, err := one.Checker.Check(ctx)
	found.software, found.capabilities, found.auth = report.Software, report.Capabilities, report.Auth
	found.lines = append(found.lines, claimed(report.Auth)...)
	for _, l := range report.Lines {
		found.lines = append(found.lines, checked(l))
	}
	if err != nil {
		found.lines = append(found.lines, checked{Level: "fails", About: one.Name, Text: sentence(err)})
	}
	return found
}

// well reports whether nothing fails.
func (up checkup) well() bool {
	lines := up.hub
	for _, p := range up.counterparts {
		lines = append(lines, p.lines...)
	}
	return !slices.ContainsFunc(lines, func(l checked) bool { return l.Level == "fails" })
}

func (c *checkCommand) show(s *scene, up checkup) error {
	if c.JSON {
		return s.json(up.dialects())
	}
	width, _ := terminal(s.out)
	s.lines(width, "The hub", up.hub)
	for _, p := range up.counterparts {
		title := p.title
		if p.software != "" {
			title += ": " + p.software
		}
		if p.capabilities.Mode != "" {
			title += ", read " + modes[p.capabilities.Mode]
		}
		s.lines(width, p.name+", for "+title, p.lines)
	}
	return nil
}

// lines shows what was looked at as a table that is no wider than width; 0 is as wide as it gets.
func (s *scene) lines(width int, title string, lines []checked) {
	s.printf("%s\n", title)
	levels, abouts := 0, 0
	for _, l := range lines {
		levels, abouts = max(levels, len(l.Level)), max(abouts, len(l.About))
	}
	before := 2 + levels + 2 + abouts + 2
	for _, l := range lines {
		level := l.Level
		if level == "fails" {
			level = "FAILS"
		}
		text := l.Text
		if l.Instead != "" {
			text += "; instead: " + l.Instead
		}
		rows := wrap(text, width-before)
		s.printf("  %-*s  %-*s  %s\n", levels, level, abouts, l.About, rows[0])
		for _, row := range rows[1:] {
			s.printf("%*s%s\n", before, "", row)
		}
	}
}

// wrap breaks text between words into rows of at most width; of anything too narrow to read it makes one row.
func wrap(text string, width int) []string {
	const narrow = 20
	if width < narrow {
		return []string{text}
	}
	var rows []string
	row := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case row == "":
			row = word
		case utf8.RuneCountInString(row)+1+utf8.RuneCountInString(word) > width:
			rows, row = append(rows, row), word
		default:
			row += " " + word
		}
	}
	return append(rows, row)
}
