package main

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// stewarded is a place's hub, and its settings.
func (p *place) stewarded() steward {
	p.t.Helper()
	s := &scene{cli: &cli{Config: p.path("kaphub.yaml")}, out: p.t.Output(), err: p.t.Output(), now: time.Now, log: slog.New(slog.DiscardHandler)}
	h, err := s.open(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(h.close)
	if err := h.noteConfig(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	return steward{h}
}

// form is a section's form as a browser sends it, with some of it typed over.
func (k steward) form(t *testing.T, section string, typed ...string) console.Change {
	t.Helper()
	s, err := k.Settled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := console.Change{Section: section, Base: s.Base, Form: url.Values{}, Reason: "they wrote it"}
	for _, one := range s.Sections {
		if one.Key != section {
			continue
		}
		for _, f := range one.Fields {
			c.Form.Set(f.Path+"~answer", f.Answer)
			c.Form.Set(f.Path, f.Text)
			for i, row := range f.Blank() {
				for j, column := range f.Columns {
					c.Form.Set(f.At(i, column.Key), row[j])
				}
			}
		}
	}
	for pair := range slices.Chunk(typed, 2) {
		if !c.Form.Has(pair[0]) {
			t.Fatalf("the form has no %s", pair[0])
		}
		c.Form.Set(pair[0], pair[1])
	}
	return c
}

func (k steward) weigh(t *testing.T, c console.Change) console.Weighed {
	t.Helper()
	w, err := k.Weigh(t.Context(), c, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (p *place) text() string {
	p.t.Helper()
	text, err := os.ReadFile(p.path("kaphub.yaml"))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// A row that nobody wrote into is sent with the first of each choice: it must be an empty one.
func TestABlankRowIsNoRow(t *testing.T) {
	t.Parallel()
	k := settle(t).stewarded()
	s, err := k.Settled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range s.Sections {
		for _, f := range one.Fields {
			for _, c := range f.Columns {
				if len(c.Options) > 0 && c.Options[0].Value != "" {
					t.Errorf("%s, %s: its first choice is %q", f.Path, c.Key, c.Options[0].Value)
				}
			}
		}
	}
}

// What a change says it would alter is what it alters.
func TestAChangeOfTheSettingsDoesWhatItWasWeighedToDo(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	k := p.stewarded()
	before := p.text()
	if w := k.weigh(t, k.form(t, "sheet-skylight")); len(w.Lines) != 0 {
		t.Fatalf("a form that is sent as it came would change %+v", w.Lines)
	}
	c := k.form(t, "sheet-skylight", "prescribers[0].sheet.follow_up", "10d", "prescribers[0].sheet.holidays", "2026-12-25\n2027-01-01", signedField, "2026-02-27")
	w := k.weigh(t, c)
	if len(w.Lines) != 3 || w.Lines[1].To != "10d" || len(w.Wrong) > 0 || w.Moved {
		t.Fatalf("%+v %v", w.Lines, w.Wrong)
	}
	wanted := map[string]readiness.State{}
	for _, turn := range w.Effect.Turned {
		wanted[turn.After.Client] = turn.After.State
	}
	if len(wanted) == 0 || w.Effect.Looked != w.Effect.Clients {
		t.Fatalf("%+v", w.Effect)
	}
	if p.text() != before {
		t.Fatal("it was written before anybody said so")
	}

	if err := k.Settle(t.Context(), "Ann", c); err != nil {
		t.Fatal(err)
	}
	select {
	case <-k.rewritten:
	default:
		t.Error("whoever serves is not told")
	}
	if err := k.Settle(t.Context(), "Ben", c); !errors.Is(err, console.ErrMoved) {
		t.Errorf("the same over the old text: %v", err)
	}
	info, err := os.Stat(p.path("kaphub.yaml"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	kept, err := filepath.Glob(p.path("kaphub.yaml.2*"))
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	if old, err := os.ReadFile(kept[0]); err != nil || string(old) != before {
		t.Errorf("what is kept beside it is not what it was: %v", err)
	}

	k = p.stewarded() // as whoever serves does
	k.judgeFirst(t.Context())
	in, err := k.view(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range in.Clients {
		if state, ok := wanted[v.Client]; ok && v.State != state {
			t.Errorf("%s was weighed to be %s and is %s", v.Client, state, v.State)
		}
	}
	changes, err := k.Changes(t.Context(), 0)
	if err != nil || len(changes) != 2 || changes[0].By != "Ann" || changes[0].Reason != "they wrote it" || len(changes[0].Lines) != 3 || changes[0].Lines[0].From == "" || !changes[1].First {
		t.Errorf("%+v %v", changes, err)
	}
	if log := p.must(0, "audit", "list").out; !strings.Contains(log, "prescribers[skylight].sheet.follow_up: ") || !strings.Contains(log, "→ 10d") || !strings.Contains(log, "Ann") {
		t.Errorf("the audit log says\n%s", log)
	}
	p.must(0, "audit", "verify")
}

func TestASettingThatIsWrongIsToldAtItsField(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	k := p.stewarded()
	for _, row := range []struct{ section, path, typed, says string }{
		{"rules", "rules.refill_limit", "9", "21 CFR 1306.22 allows no more"},
		{"rules", "rules.fill_limit_months", "7", "21 CFR 1306.22 allows no more"},
		{"rules-skylight", "prescribers[0].rules.window", "soon", "is no duration"},
		{"sheet-skylight", "prescribers[0].sheet.systolic_limit", "high", "is no limit"},
		{"sheet-skylight", "prescribers[0].sheet.follow_up", "", "is missing"},
		{"sheet-skylight", "prescribers[0].sheet.follow_up~answer", "perhaps", "choose one"},
		{"sheet-skylight", "prescribers[0].sheet.deciders~1~value", "1881697747", "is no NPI"},
		{"sheet-skylight", "prescribers[0].sheet.deciders~1~system", "NPI", "the number is missing"},
		{"practice", "hub.time_zone", "Denver: yes", "is no time zone"},
		{"schedules", "schedules.sync", "* * * *", "cannot be kept"},
		{"watch", "practice.watch_list~answer", "set", ""},
		{"source-ehr", "practice.connectors[0].base_url", "", "is missing"},
	} {
		c := k.form(t, row.section, row.path, row.typed)
		w := k.weigh(t, c)
		path, _, _ := strings.Cut(row.path, "~")
		i := slices.IndexFunc(w.Section.Fields, func(f console.Field) bool { return f.Path == path })
		f := w.Section.Fields[i]
		if row.says == "" {
			if len(f.Wrong) > 0 || len(w.Lines) != 1 {
				t.Errorf("%s: %v", row.path, f.Wrong)
			}
			continue
		}
		if !strings.Contains(strings.Join(f.Wrong, " "), row.says) || !strings.Contains(row.path, "~") && f.Text != row.typed {
			t.Errorf("%s: %q says %q", row.path, f.Text, f.Wrong)
		}
		if err := k.Settle(t.Context(), "Ann", c); !errors.Is(err, console.ErrWrong) {
			t.Errorf("%s: it was settled: %v", row.path, err)
		}
	}
}

// Whoever changes settings in a browser is not whoever has the machine. What a file of the hub is, is
// said in the config by hand: else the hub would send its own key to a server of somebody's choosing as a password, or write
// what is typed as a secret over any file of its own.
func TestNoFileOfTheHubsIsNamedInABrowser(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	k := p.stewarded()
	s, err := k.Settled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, one := range s.Sections {
		for _, f := range one.Fields {
			key := f.Path[strings.LastIndex(f.Path, ".")+1:]
			byHand := key == "file" || strings.HasSuffix(key, "_env")
			if !strings.HasSuffix(key, "_file") && !byHand {
				continue
			}
			files++
			if !one.Owner {
				t.Errorf("%s is not only the owner's", f.Path)
			}
			for path, may := range map[string]bool{"kaphub.key": false, "./kaphub.key": false, "/etc/passwd": false, "secrets/../kaphub.key": false, "secrets/../../x": false, "../secrets/x": false, "secrets": false, "secrets/": false,
				"secrets/other": !byHand, "secrets/a/b": !byHand, "KAPHUB_KEY": false} {
				c := k.form(t, one.Key, f.Path, path)
				if c.Form.Has("notices~answer") {
					c.Form.Set("notices~answer", console.AnswerSet)
				}
				w := k.weigh(t, c)
				i := slices.IndexFunc(w.Section.Fields, func(x console.Field) bool { return x.Path == f.Path })
				if refused := strings.Contains(strings.Join(w.Section.Fields[i].Wrong, " "), "by hand"); refused == may {
					t.Errorf("%s: %s says %q", f.Path, path, w.Section.Fields[i].Wrong)
				}
				if err := k.Settle(t.Context(), "Eve", c); !may && !errors.Is(err, console.ErrWrong) {
					t.Errorf("%s: %s was settled: %v", f.Path, path, err)
				}
			}
			if i := slices.IndexFunc(k.weigh(t, k.form(t, one.Key)).Section.Fields, func(x console.Field) bool { return len(x.Wrong) > 0 }); i >= 0 && one.Key != "notices" {
				t.Errorf("%s: what stands there already is refused", f.Path)
			}
		}
	}
	if files < 4 {
		t.Errorf("only %d files were looked at", files)
	}
	if i := slices.IndexFunc(s.Sections, func(one console.Section) bool {
		return !one.Owner && slices.ContainsFunc(one.Fields, func(f console.Field) bool {
			return f.Path == "hub.public_url" || strings.Contains(f.Path, ".smtp.")
		})
	}); i >= 0 {
		t.Error("where invitations lead, and whose server is given the mail's password, is not only the owner's to say")
	}
}

func TestAConfigThatCannotBeWrittenIsShown(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	p := settle(t)
	p.must(0, "sync")
	k := p.stewarded()
	c := k.form(t, "rules", "rules.window", "10d")
	if err := os.Chmod(p.dir, 0o500); err != nil { //nolint:gosec // a directory
		t.Fatal(err)
	}
	defer func() { _ = os.Chmod(p.dir, 0o700) }() //nolint:gosec // as it was
	if err := k.Settle(t.Context(), "Ann", c); !errors.Is(err, console.ErrReadOnly) {
		t.Error(err)
	}
	if s, err := k.Settled(t.Context()); err != nil || s.Fixed == "" {
		t.Errorf("%+v %v", s, err)
	}
}

func TestWhatIsChangedByHandIsSeenAndReadWhenSaid(t *testing.T) {
	t.Parallel()
	p := settle(t)
	k := p.stewarded()
	p.change("prescribers:", "prescribers: # ours")
	if s, err := k.Settled(t.Context()); err != nil || !s.Strayed {
		t.Errorf("%v %v", s.Strayed, err)
	}
	if err := k.Reread(t.Context(), "Ann"); err != nil {
		t.Error(err)
	}
	p.change("prescribers:", "prescribres:")
	if err := k.Reread(t.Context(), "Ann"); !errors.Is(err, console.ErrWrong) || !strings.Contains(err.Error(), "prescribres") {
		t.Error(err)
	}
}

// Whoever has thousands of clients sees the first before all were looked at.
func TestAChangeIsWeighedAsLongAsSomebodyWaits(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	k := p.stewarded()
	w, err := k.Weigh(context.WithoutCancel(t.Context()), k.form(t, "sheet-skylight", "prescribers[0].sheet.follow_up", "10d", signedField, "2026-02-27"), 0)
	if err != nil || w.Effect.Looked != 1 || w.Effect.Clients < 2 || w.Effect.Rest <= 0 {
		t.Errorf("%+v %v", w.Effect, err)
	}
}

const signedField = "prescribers[0].sheet.signed_anew"

// A term that changes was agreed on another day than the terms before: it is asked for, and empty at first.
func TestAChangedTermAsksWhenItWasSigned(t *testing.T) {
	t.Parallel()
	k := settle(t).stewarded()
	const sheet = "prescribers[0].sheet."
	for name, tt := range map[string]struct {
		typed []string
		wrong bool
		lines int
	}{
		"a term, and no day":                   {[]string{sheet + "follow_up", "10d"}, true, 0},
		"a term by an answer, and no day":      {[]string{sheet + "follow_up~answer", "none set"}, true, 0},
		"a decider more, and no day":           {[]string{sheet + "deciders~1~system", "http://hl7.org/fhir/sid/us-npi", sheet + "deciders~1~value", "1234567893"}, true, 0},
		"a term, and its day":                  {[]string{sheet + "follow_up", "10d", signedField, "2026-02-27"}, false, 2},
		"a slip, with the day that stands":     {[]string{sheet + "follow_up", "10d", signedField, "2026-01-10"}, false, 1},
		"a term, and another day of its own":   {[]string{sheet + "follow_up", "10d", sheet + "signed", "2026-02-27"}, false, 2},
		"a holiday is public":                  {[]string{sheet + "holidays", "2026-12-25"}, false, 1},
		"a day alone":                          {[]string{signedField, "2026-02-27"}, false, 1},
		"a term, and what is no day of a year": {[]string{sheet + "follow_up", "10d", signedField, "last week"}, true, 0},
	} {
		w := k.weigh(t, k.form(t, "sheet-skylight", tt.typed...))
		if wrong := len(w.Section.WrongAt()) > 0; wrong != tt.wrong || !wrong && len(w.Lines) != tt.lines {
			t.Errorf("%s: wrong at %v, %+v %v", name, w.Section.WrongAt(), w.Lines, w.Wrong)
		}
	}
	s, err := k.Settled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range s.Sections {
		if f := fieldOf(&one, signedField); f != nil && f.Text != "" {
			t.Errorf("it begins with %q", f.Text)
		}
	}
}

// Typing is an answer: it is written down, or refused, and never thrown away.
func TestWhatIsTypedIsNotThrownAway(t *testing.T) {
	t.Parallel()
	k := settle(t).stewarded()
	const sheet = "prescribers[0].sheet."
	for _, c := range []struct {
		name, section string
		typed         []string
		wrong         bool
	}{
		{"a number below not asked", "sheet-skylight", []string{sheet + "lead_days~answer", "not asked", sheet + "lead_days", "77"}, true},
		{"a number below none set", "sheet-skylight", []string{sheet + "lead_days~answer", "none set", sheet + "lead_days", "77"}, true},
		{"a row below not asked", "practice", []string{"practice.credentials~answer", "not asked", "practice.credentials~7~name", "Licence"}, true},
		{"an answer that is taken back", "sheet-skylight", []string{sheet + "follow_up~answer", "not asked", signedField, "2026-02-27"}, false},
		{"an NPI", "sheet-skylight", []string{sheet + "deciders~1~value", "1234567893", signedField, "2026-02-27"}, false},
		{"another register", "sheet-skylight", []string{sheet + "deciders~1~value", "77", sheet + "deciders~1~system", "https://ehr.example/staff", signedField, "2026-02-27"}, false},
		{"a word for a register", "sheet-skylight", []string{sheet + "deciders~1~value", "1234567893", sheet + "deciders~1~system", "NPI", signedField, "2026-02-27"}, true},
	} {
		form := k.form(t, c.section)
		for pair := range slices.Chunk(c.typed, 2) {
			form.Form.Set(pair[0], pair[1])
		}
		if c.section == "practice" {
			for i := range 8 { // a table's rows follow each other
				for _, key := range []string{"name", "until"} {
					if at := "practice.credentials~" + string(rune('0'+i)) + "~" + key; !form.Form.Has(at) {
						form.Form.Set(at, "")
					}
				}
			}
		}
		w := k.weigh(t, form)
		if wrong := len(w.Section.WrongAt()) > 0; wrong != c.wrong || !c.wrong && len(w.Lines) == 0 {
			t.Errorf("%s: %+v %v %v", c.name, w.Lines, w.Wrong, w.Section.WrongAt())
		}
	}
}

// What was only read on a prescriber's pages is not agreed because a day of signing is written beside it.
func TestNobodyAgreesByADayAlone(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.change("signed: 2026-01-10", "published: 2026-01-10")
	k := p.stewarded()
	const sheet = "prescribers[0].sheet."
	read := []string{}
	if w := k.weigh(t, k.form(t, "sheet-skylight")); len(w.Section.WrongAt()) != 0 || len(w.Lines) != 0 {
		t.Fatalf("as it came it is wrong at %v, and would change %v", w.Section.WrongAt(), w.Lines)
	} else {
		for _, f := range w.Section.Fields {
			if f.Answer == answerPublished {
				read = append(read, f.Path)
			}
		}
	}
	if len(read) < 2 {
		t.Fatalf("of public pages is only %v", read)
	}
	said := func(answer string) (typed []string) {
		for _, path := range read {
			typed = append(typed, path+"~answer", answer)
		}
		return typed
	}
	for name, tt := range map[string]struct {
		typed        []string
		wrong, lines int
	}{
		"signed, and nothing said of the lines":      {[]string{sheet + "signed", "2026-02-27"}, len(read), 0},
		"signed anew, and nothing said of the lines": {[]string{signedField, "2026-02-27"}, len(read), 0},
		"signed, and one of the lines agreed":        {[]string{sheet + "signed", "2026-02-27", read[0] + "~answer", console.AnswerSet}, len(read) - 1, 0},
		"signed, and each of them agreed":            {append(said(console.AnswerSet), sheet+"signed", "2026-02-27"), 0, 1},
		"signed, and none of them agreed":            {append(said("not asked"), sheet+"signed", "2026-02-27"), 0, 1 + len(read)},
		"a line is agreed, and no day":               {[]string{read[0] + "~answer", console.AnswerSet}, 1, 0},
		"the pages were read anew and say otherwise": {[]string{sheet + "follow_up", "10d", sheet + "published", "2026-02-27"}, 0, 2},
	} {
		w := k.weigh(t, k.form(t, "sheet-skylight", tt.typed...))
		if at := w.Section.WrongAt(); len(at) != tt.wrong || tt.wrong == 0 && len(w.Lines) < tt.lines {
			t.Errorf("%s: wrong at %+v, %+v", name, at, w.Lines)
		}
	}
}
