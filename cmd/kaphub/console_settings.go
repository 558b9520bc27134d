package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// steward keeps the settings for the console: in the config's file, where they are for everybody else too.
type steward struct{ *hub }

// fileNow is the config's text as it stands, and what it says.
func (k steward) fileNow() (text []byte, file map[string]string, err error) {
	if text, err = os.ReadFile(k.config.File()); err != nil {
		return nil, nil, fmt.Errorf("read the config: %w", err)
	}
	file, err = config.Leaves(text)
	return text, file, err
}

// Settled returns the settings as they stand in the file.
func (k steward) Settled(context.Context) (console.Settled, error) {
	s := console.Settled{File: filepath.Base(k.config.File())}
	text, file, err := k.fileNow()
	switch {
	case errors.Is(err, config.ErrEdit):
		s.Fixed = err.Error()
	case err != nil:
		return s, err
	case !writable(k.config.File()):
		s.Fixed = console.ErrReadOnly.Error()
	}
	s.Base = config.HashOf(text)
	s.Strayed = s.Base != k.config.Hash()
	for _, one := range sections(&k.config) {
		one.Removable = strings.HasPrefix(one.Key, ofSource) || strings.HasPrefix(one.Key, ofPrescriber)
		s.Sections = append(s.Sections, filled(one, file))
	}
	s.Sections = append(s.Sections, additions(&k.config)...)
	for _, p := range secretPlaces(&k.config, file) {
		secret := console.Secret{Name: p.name, Title: p.title, File: file[p.path]}
		if info, err := os.Stat(k.config.Path(secret.File)); err == nil {
			secret.Set = info.ModTime()
		}
		s.Secrets = append(s.Secrets, secret)
	}
	return s, nil
}

// drafted is what a change would make of the file.
type drafted struct {
	old, new []byte
	file     map[string]string // what old says
	was      console.Section   // without values
	section  console.Section   // with what was typed
	wrong    []string          // beside what stands at the fields
	lines    []console.Line
	notes    []string
	removal  console.Removal
	source   string // the one that it is about, "" = none
	next     *hub   // nil while something is wrong
}

// well reports whether nothing is wrong.
func (d *drafted) well() bool {
	return len(d.wrong) == 0 && len(d.section.WrongAt()) == 0
}

// draft tries a change on the file's text, exactly as the hub would read it, and writes nothing to it.
func (k steward) draft(ctx context.Context, c console.Change) (d drafted, err error) {
	text, file, err := k.fileNow()
	if err != nil {
		return d, err
	}
	all := append(sections(&k.config), additions(&k.config)...)
	i := slices.IndexFunc(all, func(s console.Section) bool { return s.Key == c.Section })
	if i < 0 {
		return d, fmt.Errorf("section of the settings: %w", exchange.ErrNotFound)
	}
	was := filled(all[i], file)
	d = drafted{old: text, file: file, was: all[i], section: was}
	d.source, _ = strings.CutPrefix(c.Section, ofSource)
	if d.source == c.Section {
		d.source = ""
	}
	var changes []config.Edit
	came := addition{undo: func() {}}
	switch {
	case c.Removes:
		path, removal, err := k.removed(ctx, c.Section)
		if err != nil {
			return d, err
		}
		d.removal, d.source = removal, ""
		if removal.Refused != "" {
			return d, nil
		}
		changes = []config.Edit{{Path: path}}
	case was.Adds:
		d.section = typed(was, c.Form)
		if came, err = k.added(ctx, &d.section, file); err != nil || !d.well() {
			came.undo()
			return d, err
		}
		changes, d.notes = []config.Edit{{Path: came.path, Text: came.text}}, came.notes
	default:
		d.section = typed(was, c.Form)
		goes, undo, err := k.anotherServer(was, &d.section, file)
		came.undo = undo
		if err != nil {
			return d, err
		}
		if blameFiles(was, &d.section) || !goes {
			came.undo()
			return d, nil
		}
		changes = signed(was, &d.section, edits(was, &d.section))
	}
	if d.new, err = config.Apply(text, changes); err != nil {
		came.undo()
		return d, err
	}
	after, err := config.Leaves(d.new)
	if err != nil {
		came.undo()
		return d, err
	}
	next, err := k.scene.assemble(config.Read(k.config.File(), d.new, k.scene.environment))
	if invalid, ok := errors.AsType[*config.Invalid](err); ok {
		if was.Adds {
			d.wrong = came.blame(&d.section, invalid.Problems)
		} else {
			d.wrong = blame(&d.section, invalid.Problems)
		}
		came.undo()
		return d, nil
	}
	if err != nil {
		came.undo()
		return d, err
	}
	d.next = next
	if was.Adds {
		d.source = after[came.path+".name"]
		d.lines = differences(&next.config, withoutSecrets(file), withoutSecrets(after))
	} else {
		d.lines = differences(&k.config, withoutSecrets(file), withoutSecrets(after))
	}
	return d, nil
}

// Weigh says what a change would write, what is wrong with it, and what it would alter on the board.
func (k steward) Weigh(ctx context.Context, c console.Change, patience time.Duration) (console.Weighed, error) {
	d, err := k.draft(ctx, c)
	if err != nil {
		return console.Weighed{}, err
	}
	w := console.Weighed{Section: d.section, Wrong: d.wrong, Moved: config.HashOf(d.old) != c.Base, Base: config.HashOf(d.old), Lines: d.lines, Notes: d.notes, Removal: d.removal}
	if w.Moved {
		was := filled(d.was, d.file)
		for i := range w.Section.Fields {
			f := &w.Section.Fields[i]
			if is, typed := fromTo(&was.Fields[i], f); is != typed {
				f.Now = or(is, "nothing")
			}
		}
	}
	if !d.well() || d.next == nil || len(d.lines) == 0 {
		return w, nil
	}
	w.Text = hunk(d.old, d.new)
	w.Tests = slices.ContainsFunc(d.next.connectors, func(one connectors.Connector) bool { return one.Name == d.source && one.Checker != nil })
	d.next.store, d.next.pace.DB = k.store, k.store
	d.next.connectors = append(d.next.connectors, desks(d.next.written, k.store)...)
	if err := d.next.inform(ctx); err != nil {
		return w, err
	}
	if maps.Equal(k.hashes(), d.next.hashes()) {
		w.Effect.None = true // nothing that a verdict rests on
		return w, nil
	}
	w.Effect, err = k.effect(ctx, d.next, patience)
	return w, err
}

// Settle writes a change that has nothing wrong, and has the hub opened anew by it.
func (k steward) Settle(ctx context.Context, by string, c console.Change) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	d, err := k.draft(ctx, c)
	switch {
	case err != nil:
		return err
	case config.HashOf(d.old) != c.Base:
		return console.ErrMoved
	case !d.well():
		return console.ErrWrong
	case c.Removes:
		if err := settledWithout(d.removal, c.Sure); err != nil {
			return err
		}
	}
	if len(d.lines) == 0 {
		return nil
	}
	return k.put(ctx, by, "change settings", c.Reason, d.old, d.new, d.lines)
}

// put writes a config, notes who did, and has the hub opened by it. What cannot be noted is not done.
func (k steward) put(ctx context.Context, by, action, reason string, old, text []byte, lines []console.Line) error {
	file, err := config.Leaves(text)
	if err != nil {
		return err
	}
	value, err := json.Marshal(pastConfig{Reason: reason, Values: withoutSecrets(file)})
	if err != nil {
		return fmt.Errorf("write down the settings: %w", err)
	}
	if _, err := rewrite(k.config.File(), old, text, k.now()); err != nil {
		return err
	}
	if err := k.store.KeepAs(ctx, by, action, auditable(lines), map[string]string{asWritten: string(value)}); err != nil {
		return errors.Join(err, replaceFile(k.config.File(), old))
	}
	k.reopen()
	return nil
}

// reopen has whoever serves this hub open it anew, once what is being answered is answered.
func (h *hub) reopen() {
	select {
	case h.rewritten <- struct{}{}:
	default: // it was said already
	}
}

// Reread has the hub open by the file as it stands. What is wrong with it is ErrWrong, and the hub goes on as it was.
func (k steward) Reread(ctx context.Context, by string) error {
	if _, err := k.scene.assemble(config.Load(k.config.File(), k.scene.environment)); err != nil {
		return fmt.Errorf("%w: %w", console.ErrWrong, err)
	}
	if err := k.store.Audit(ctx, by, "read settings anew", "", ""); err != nil {
		return err
	}
	k.reopen()
	return nil
}

// SetSecret puts a secret into the file that the config names for it.
func (k steward) SetSecret(ctx context.Context, by, name, value string) error {
	_, file, err := k.fileNow()
	if err != nil {
		return err
	}
	all := secretPlaces(&k.config, file)
	i := slices.IndexFunc(all, func(p secretPlace) bool { return p.name == name })
	if i < 0 {
		return fmt.Errorf("secret: %w", exchange.ErrNotFound)
	}
	k.writing.Lock()
	defer k.writing.Unlock()
	if err := k.store.Audit(ctx, by, "set secret", name, ""); err != nil {
		return err
	}
	at := k.config.Path(file[all[i].path])
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return readOnly(err)
	}
	if err := replaceFile(at, []byte(strings.TrimSpace(value)+"\n")); err != nil {
		return err
	}
	k.reopen()
	return nil
}

// pageOfChanges is how many changes of the settings are told at once.
const pageOfChanges = 20

// Changes returns what was changed before a moment, newest first.
func (k steward) Changes(ctx context.Context, before int64) ([]console.Changed, error) {
	said, err := k.store.SettingHistory(ctx, asWritten, fhir.Moment(before), pageOfChanges+1)
	if err != nil {
		return nil, err
	}
	var list []console.Changed
	for i, s := range said {
		var is, was pastConfig
		if err := json.Unmarshal([]byte(s.Value), &is); err != nil {
			return nil, errDamaged
		}
		c := console.Changed{Moment: int64(s.Moment), At: s.At, By: s.Actor, Reason: is.Reason}
		switch {
		case i+1 < len(said):
			if err := json.Unmarshal([]byte(said[i+1].Value), &was); err != nil {
				return nil, errDamaged
			}
			c.Lines = differences(&k.config, was.Values, is.Values)
		case i == pageOfChanges:
			return list, nil
		default:
			c.First = true
		}
		list = append(list, c)
	}
	return list, nil
}

// Rules returns the catalogue with what it goes by with a prescriber.
func (k steward) Rules(_ context.Context, prescriber string) (console.Catalogue, error) {
	var out console.Catalogue
	for i := range k.config.Prescribers {
		p := &k.config.Prescribers[i]
		title := prescriberParty(p).Title
		chosen := p.Name == prescriber || prescriber == "" && i == 0
		out.Prescribers = append(out.Prescribers, console.Option{Value: p.Name, Label: title, On: chosen})
		if !chosen {
			continue
		}
		out.Prescriber, out.Title = p.Name, title
		settings := rules(rules(readiness.DefaultRules(), k.config.Rules), p.Rules).Settings()
		for _, r := range readiness.Catalogue() {
			row := console.RuleRow{Rule: r}
			for _, t := range settings {
				if slices.Contains(t.Rules, r.Code) {
					row.Settings = append(row.Settings, t)
				}
			}
			for _, key := range r.Sheet {
				row.Sheet = append(row.Sheet, console.Fact{Name: key, Value: sheetSays(&p.Sheet, key)})
			}
			out.Rules = append(out.Rules, row)
		}
	}
	if out.Prescriber == "" {
		return out, fmt.Errorf("prescriber: %w", exchange.ErrNotFound)
	}
	return out, nil
}
