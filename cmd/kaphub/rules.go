package main

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir/readiness"
)

type rulesCommand struct {
	Rule       string `arg:"" optional:"" help:"One rule, by its code or name: R10, clearance-expires-before-session."`
	Prescriber string `help:"With the settings and the sheet of this prescriber; else of the first."`
	JSON       bool   `help:"As JSON."`
}

// ruleRow is a rule with what it goes by at present: a contract of rules --json.
type ruleRow struct {
	Code     string              `json:"code"`
	Name     string              `json:"rule"`
	Asks     string              `json:"asks"`
	Severity string              `json:"severity"`
	Owner    readiness.Owner     `json:"owner"`
	Gate     readiness.GateName  `json:"gate,omitempty"`
	Holds    bool                `json:"holds,omitempty"`
	Under    []string            `json:"under,omitempty"`
	Source   string              `json:"source"`
	Settings []readiness.Setting `json:"settings,omitempty"`
	Sheet    []sheetLine         `json:"sheet,omitempty"`
}

// sheetLine is one line of the prescriber sheet as it is at present.
type sheetLine struct {
	Key   string `json:"key"`
	Value string `json:"value"` // a value, "none set" or "not asked"
}

// Run lists every rule with its present settings.
func (c *rulesCommand) Run(_ context.Context, s *scene) error {
	cfg, err := config.Load(s.cli.Config, s.environment)
	if err != nil {
		return err
	}
	var p *config.Prescriber
	for i := range cfg.Prescribers {
		if c.Prescriber == "" || cfg.Prescribers[i].Name == c.Prescriber {
			p = &cfg.Prescribers[i]
			break
		}
	}
	if p == nil {
		return fmt.Errorf("no prescriber is called %q in %s: leave --prescriber out, or write one of its names", c.Prescriber, s.cli.Config)
	}
	rows := ruleRows(rules(rules(readiness.DefaultRules(), cfg.Rules), p.Rules), &p.Sheet)
	if c.Rule != "" {
		rows = slices.DeleteFunc(rows, func(r ruleRow) bool { return !strings.EqualFold(r.Code, c.Rule) && r.Name != c.Rule })
		if len(rows) == 0 {
			return fmt.Errorf("no rule is called %q: kaphub rules lists them", c.Rule)
		}
	}
	if c.JSON {
		return s.json(struct {
			Schema     int       `json:"schema"`
			Prescriber string    `json:"prescriber"`
			Rules      []ruleRow `json:"rules"`
		}{1, p.Name, rows})
	}
	s.printf("The rules, with the settings and the sheet of %s. A value in the sheet is the prescriber's; the others are the practice's choice.\n\n", cmp.Or(p.Title, p.Name))
	for _, r := range rows {
		r.print(s)
	}
	return nil
}

// print writes a rule as a paragraph.
func (r *ruleRow) print(s *scene) {
	s.printf("%s  %s\n", r.Code, r.Name)
	s.printf("     %s\n", r.Asks)
	what := r.Severity + "; " + string(r.Owner) + " acts"
	if r.Holds {
		what += "; may be a recorded stop"
	}
	if len(r.Under) > 0 {
		what += "; shown under " + strings.Join(r.Under, " or ") + " while that is open"
	}
	s.printf("     %s\n     from: %s\n", what, r.Source)
	for _, t := range r.Settings {
		line := t.Key + ": " + t.Value
		if t.Unit != "" {
			line += " " + t.Unit
		}
		line += ", " + t.Means
		if t.Value != t.Default {
			line += " (else " + t.Default + ")"
		}
		s.printf("     %s\n", line)
	}
	for _, l := range r.Sheet {
		s.printf("     sheet, %s: %s\n", l.Key, l.Value)
	}
	s.printf("\n")
}

// ruleRows is the catalogue with what it goes by. Without a sheet, only the names of its lines are told.
func ruleRows(now readiness.Rules, sheet *config.Sheet) (rows []ruleRow) {
	settings := now.Settings()
	for _, r := range readiness.Catalogue() {
		row := ruleRow{Code: r.Code, Name: r.Name, Asks: r.Asks, Severity: r.Severity, Owner: r.Owner, Gate: r.Gate, Holds: r.Holds, Under: r.Under, Source: r.Source}
		for _, t := range settings {
			if slices.Contains(t.Rules, r.Code) {
				row.Settings = append(row.Settings, t)
			}
		}
		for _, key := range r.Sheet {
			row.Sheet = append(row.Sheet, sheetLine{key, sheetSays(sheet, key)})
		}
		rows = append(rows, row)
	}
	return rows
}

// sheetSays is what the sheet says in the line called key, as the config writes it; "" when it has no such line.
func sheetSays(sheet *config.Sheet, key string) string {
	if sheet == nil {
		return ""
	}
	v := reflect.ValueOf(sheet).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") != key {
			continue
		}
		line := v.Field(i)
		if line.Kind() == reflect.Struct && line.FieldByName("Answer").IsValid() {
			switch line.FieldByName("Answer").Interface() {
			case config.NoneSet:
				return "none set"
			case config.NotAsked:
				return "not asked"
			}
			line = line.FieldByName("Value")
		}
		switch v := line.Interface().(type) {
		case config.Duration:
			return readiness.Spelled(time.Duration(v))
		case config.Limit:
			return fmt.Sprint(v.Value, " ", v.Unit)
		case []string:
			return strings.Join(v, ", ")
		case string:
			return cmp.Or(v, "not on file")
		case int, bool, float64:
			return fmt.Sprint(v)
		}
		if line.IsZero() || line.Kind() == reflect.Slice && line.Len() == 0 {
			return "not on file"
		}
		return "on file"
	}
	return ""
}
