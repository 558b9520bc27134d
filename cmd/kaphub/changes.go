package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// diff shows what changed for a client between two moments, and why the verdict moved.
func (c *explainCommand) diff(ctx context.Context, s *scene) error {
	switch {
	case c.AsOf != "":
		return errors.New("--as-of and --diff do not go together: write explain CLIENT --diff FROM TO")
	case c.From == "":
		return errors.New("--diff needs two moments: write explain CLIENT --diff FROM TO; without TO it is up to now")
	}
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	changes, err := h.changes(ctx, c.Client, c.From, c.To)
	if err != nil {
		return err
	}
	if c.JSON {
		return changes.JSON(s.out)
	}
	return changes.Text(s.out, s.options())
}

// changes compares what was known of the client whom word names at two points, and notes in the audit log who looked.
func (h *hub) changes(ctx context.Context, word, from, to string) (report.Changes, error) {
	var none report.Changes
	a, _, err := h.when(ctx, "--diff", from)
	if err != nil {
		return none, err
	}
	b, now, err := h.when(ctx, "--diff", to)
	if err != nil {
		return none, err
	}
	if b.at.Before(a.at) || b.moment < a.moment {
		return none, errors.New("--diff goes forward in time: write the earlier moment first")
	}
	all, err := h.viewAt(ctx, b, "")
	if err != nil {
		return none, err
	}
	client, err := find(all, word)
	if err != nil {
		return none, err
	}
	in, err := h.compared(ctx, h.actor, client, strings.TrimSpace(from+" "+to), a, b, now)
	if err != nil {
		return none, err
	}
	return report.NewChanges(in), nil
}

// compared notes in the audit log who looks, and returns what a client's standing at a, and at b, is compared by. now says
// that b is now, and may be looked at a little later.
func (h *hub) compared(ctx context.Context, by, client, detail string, a, b point, now bool) (in report.ChangesInput, err error) {
	none := in
	in.Client = client
	seen, at, err := h.store.Look(ctx, by, "view changes", client, detail)
	if err != nil {
		return none, err
	}
	if now {
		b = point{seen, at}
	}
	if in.Before, err = h.viewAt(ctx, a, in.Client); err != nil {
		return none, err
	}
	if in.After, err = h.viewAt(ctx, b, in.Client); err != nil {
		return none, err
	}
	if in.Came, in.Went, err = h.store.Came(ctx, in.Client, a.moment, b.moment); err != nil {
		return none, err
	}
	if in.Verdicts, err = h.store.VerdictsBetween(ctx, in.Client, a.moment, b.moment); err != nil {
		return none, err
	}
	if in.Settings, err = h.settingsBetween(ctx, a, b); err != nil {
		return none, err
	}
	engaged := map[string]bool{}
	for _, v := range in.After.Clients {
		engaged[v.Prescriber] = true
	}
	in.Settings = slices.DeleteFunc(in.Settings, func(s report.Setting) bool { return !engaged[s.Prescriber] })
	return in, nil
}

// settingsBetween are the settings that stood otherwise at b than at a, by prescriber and key.
func (h *hub) settingsBetween(ctx context.Context, a, b point) ([]report.Setting, error) {
	var both [2]map[string]map[string]string
	var names []string
	for i, p := range []point{a, b} {
		both[i] = map[string]map[string]string{}
		_, texts, err := h.documentsAt(ctx, p.moment)
		if err != nil {
			return nil, err
		}
		for _, text := range texts {
			name, settings, err := settingsOf(text)
			if err != nil {
				return nil, err
			}
			both[i][name] = settings
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	var list []report.Setting
	for _, name := range names {
		keys := map[string]bool{}
		for _, side := range both {
			for key := range side[name] {
				keys[key] = true
			}
		}
		for _, key := range sortedKeys(keys) {
			if from, to := both[0][name][key], both[1][name][key]; from != to {
				list = append(list, report.Setting{Prescriber: name, Key: key, From: from, To: to})
			}
		}
	}
	return list, nil
}

func sortedKeys(m map[string]bool) []string {
	list := make([]string, 0, len(m))
	for key := range m {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}

// settingsOf are the settings in a policy as it was kept, by their key.
func settingsOf(text string) (prescriber string, settings map[string]string, err error) {
	p, err := recalled(text, "")
	if err != nil {
		return "", nil, err
	}
	var doc document
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return "", nil, err
	}
	settings = map[string]string{"code_maps": fmt.Sprint(doc.Terms), "version_of_the_rules": fmt.Sprint(doc.Version)}
	for _, s := range p.Rules.Settings() {
		settings["rules."+s.Key] = s.Value
	}
	p.Rules, p.Others, p.Terms = readiness.Rules{}, slices.Clone(p.Others), nil
	write(settings, "", reflect.ValueOf(p))
	return p.Prescriber.Name, settings, nil
}

// write puts what v says under key, or what its fields say under keys of their own. What says nothing is left out.
func write(to map[string]string, key string, v reflect.Value) {
	switch value := v.Interface().(type) {
	case time.Duration:
		to[key] = readiness.Spelled(value)
		return
	case *time.Location:
		to[key] = value.String()
		return
	case readiness.Rules:
		return
	case fmt.Stringer:
		to[key] = value.String()
		return
	}
	if v.Kind() != reflect.Struct {
		if v.IsZero() {
			return
		}
		to[key] = fmt.Sprint(v.Interface())
		return
	}
	if answer, asked := v.FieldByName("Answer"), v.FieldByName("Value"); answer.IsValid() && asked.IsValid() {
		switch answer.Interface() {
		case readiness.NotAsked:
			to[key] = "not asked"
		case readiness.NoneSet:
			to[key] = "none set"
		default:
			if to[key] = strings.Trim(fmt.Sprint(asked.Interface()), "{}"); asked.Type() == reflect.TypeFor[time.Duration]() {
				write(to, key, asked)
			}
		}
		return
	}
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.IsExported() {
			write(to, strings.TrimPrefix(key+"."+snake(field.Name), "."), v.Field(i))
		}
	}
}

// snake writes a field's name as the config writes its key: "FollowUp" is follow_up.
func snake(name string) string {
	switch name {
	case "Systolic", "Diastolic", "HeartRate":
		name += "Limit"
	}
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
