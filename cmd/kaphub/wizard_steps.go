package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// The answers of the first run's own questions.
const (
	another      = "another"
	recordsNone  = "none"
	recordsDates = "calendar"
	recordsEHR   = "ehr"
)

// Form is a step's form as it stands.
func (w *wizard) Form(_ context.Context, step string) (console.Section, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, file, err := w.text()
	if err != nil {
		return console.Section{}, err
	}
	return w.form(step, file)
}

func (w *wizard) form(step string, file map[string]string) (console.Section, error) {
	switch step {
	case stepPractice:
		return filled(w.practice(), file), nil
	case stepPrescriber:
		s := whoPrescribes()
		if w.marked()[stepPrescriber] {
			s.Fields[0].Answer = kindSkylight
			if file["prescribers[0].connectors[0].kind"] != kindSkylight {
				s.Fields[0].Answer, s.Fields[1].Text = another, file["prescribers[0].title"]
				s.Fields[3].Text = file["prescribers[0].sheet.phone"]
				if file["prescribers[0].identifiers[0].system"] == fhir.SystemNPI {
					s.Fields[2].Text = file["prescribers[0].identifiers[0].value"]
				}
			}
		}
		return s, nil
	case stepSheet:
		return filled(w.sheet(file), file), nil
	case stepRecords:
		s := whereRecordsAre()
		switch file["practice.connectors[0].kind"] {
		case "ical":
			s.Fields[0].Answer = recordsDates
		case "fhirrest":
			s.Fields[0].Answer, s.Fields[2].Text = recordsEHR, file["practice.connectors[0].base_url"]
		default:
			if w.marked()[stepRecords] {
				s.Fields[0].Answer = recordsNone
			}
		}
		return s, nil
	}
	return console.Section{}, fmt.Errorf("step %s: %w", step, exchange.ErrNotFound)
}

// practice are the first questions; the others wait under Settings.
func (w *wizard) practice() console.Section {
	s := practiceSection()
	s.Lead = "Who you are. Everything can be changed later, under Settings."
	first := []string{"hub.name", "hub.time_zone", "practice.contact", "practice.client_ways"}
	s.Fields = slices.DeleteFunc(s.Fields, func(f console.Field) bool { return !slices.Contains(first, f.Path) })
	for i := range s.Fields {
		if s.Fields[i].Path == "hub.time_zone" {
			s.Fields[i].Hint = "Like America/New_York, America/Chicago, America/Denver, America/Phoenix or America/Los_Angeles."
		}
	}
	return s
}

func whoPrescribes() console.Section {
	return console.Section{Lead: "Who screens your clients and prescribes. A second one can be added later, in the file.", Fields: []console.Field{
		{Path: "who", Label: "Who is it?", Answers: []console.Option{
			{Value: kindSkylight, Label: "Skylight Psychedelics, as its public pages describe it"}, {Value: another, Label: "Somebody else, who is reached by mail, phone or letter"}}},
		{Path: "title", Label: "Somebody else: their name", Kind: console.KindText},
		{Path: "npi", Label: "Their NPI", Hint: "Ten digits, by which your referrals and releases name them. Left empty where you do not know it yet.", Kind: console.KindText},
		{Path: "phone", Label: "Their phone", Kind: console.KindText},
	}}
}

func (w *wizard) sheet(file map[string]string) console.Section {
	c := config.Config{Prescribers: []config.Prescriber{{Name: file["prescribers[0].name"], Title: file["prescribers[0].title"]}}}
	s := sheetSection(&c, 0)
	s.Lead += " You can go on without, and come back when they answered: until then nobody is ready by these lines."
	return s
}

func whereRecordsAre() console.Section {
	return console.Section{Lead: "Where your clients’ appointments stand. Where nothing can be read, people enter them at the desk.", Fields: []console.Field{
		{Path: "how", Label: "Can the hub read them?", Answers: []console.Option{{Value: recordsDates, Label: "From a calendar"}, {Value: recordsEHR, Label: "From an EHR with a FHIR server"}, {Value: recordsNone, Label: "No: everything is entered by hand"}}},
		{Path: "calendar", Label: "Calendar: its secret address", Hint: "In iCal format, as your calendar’s settings show it. Kept in a file of its own and never shown again. Events name a client by a token, such as K-17, and not by name.", Kind: console.KindSecret},
		{Path: "base", Label: "EHR: its address", Hint: "What stands before /metadata and /Patient.", Kind: console.KindText},
		{Path: "token", Label: "EHR: its token", Hint: "Kept in a file of its own and never shown again. Left empty for a server on this machine.", Kind: console.KindSecret},
	}}
}

// Take takes what was typed into a step's form.
func (w *wizard) Take(_ context.Context, step string, form url.Values) (console.Section, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if step == stepRoster { // without
		return console.Section{}, w.mark(stepRoster)
	}
	text, file, err := w.text()
	if err != nil {
		return console.Section{}, err
	}
	was, err := w.form(step, file)
	if err != nil {
		return was, err
	}
	is := typed(was, form)
	var next []byte
	undo := func() {}
	switch step {
	case stepPrescriber:
		next, err = w.prescribed(text, file, &is)
	case stepRecords:
		next, undo, err = w.recorded(text, &is)
	default:
		next, err = config.Apply(text, edits(was, &is))
	}
	if err != nil {
		return is, err
	}
	if step == stepRecords {
		_, err := w.scene.assemble(config.Read(w.draft(), next, w.scene.environment))
		if invalid, ok := errors.AsType[*config.Invalid](err); ok {
			blameRecords(&is, invalid.Problems)
		}
	} else {
		blame(&is, w.problems(next)) // what other steps will settle is wrong as yet
	}
	missing(step, &is)
	if len(is.WrongAt()) > 0 {
		undo()
		return is, nil
	}
	w.closed()
	if err := replaceFile(w.draft(), next); err != nil {
		return is, err
	}
	return is, w.mark(step)
}

// missing marks what the first step cannot go without.
func missing(step string, s *console.Section) {
	for i := range s.Fields {
		f := &s.Fields[i]
		if step == stepPractice && (f.Path == "hub.name" || f.Path == "hub.time_zone") && f.Text == "" {
			f.Wrong = []string{"is missing"}
		}
	}
}

var npiOnly = regexp.MustCompile(`^[0-9]{10}$`)

// prescribed is the draft with the prescriber who was chosen, and what was said of the practice.
func (w *wizard) prescribed(text []byte, file map[string]string, s *console.Section) ([]byte, error) {
	who, title, npi, phone := s.Fields[0].Answer, s.Fields[1].Text, s.Fields[2].Text, s.Fields[3].Text
	name := slug(title)
	switch {
	case who != kindSkylight && who != another:
		s.Fields[0].Wrong = append(s.Fields[0].Wrong, "choose one")
	case who == another && name == "":
		s.Fields[1].Wrong = append(s.Fields[1].Wrong, "is missing: write their name, as you call them")
	case who == another && npi != "" && !npiOnly.MatchString(npi):
		s.Fields[2].Wrong = append(s.Fields[2].Wrong, "has not ten digits")
	}
	if len(s.WrongAt()) > 0 {
		return text, nil
	}
	preset, changes := "", []config.Edit{}
	if who == kindSkylight {
		preset = kindSkylight
	} else {
		id := "{system: https://kaphub.example/fhir/prescriber, value: " + name + "}"
		if npi != "" {
			id = "{system: " + config.Quoted(fhir.SystemNPI) + ", value: " + fmt.Sprintf("%q", npi) + "}"
		}
		changes = append(changes, config.Edit{Path: "prescribers[0].name", Text: name}, config.Edit{Path: "prescribers[0].title", Text: config.Quoted(title)},
			config.Edit{Path: "prescribers[0].identifiers", List: []string{id}}, config.Edit{Path: "prescribers[0].sheet.time_zone"})
		if phone != "" {
			changes = append(changes, config.Edit{Path: "prescribers[0].sheet.phone", Text: config.Quoted(phone)})
		}
	}
	fresh, err := begunWith(preset)
	if err != nil {
		return nil, err
	}
	there, err := config.Leaves(fresh)
	if err != nil {
		return nil, err
	}
	of := filled(w.practice(), file)
	return config.Apply(fresh, append(edits(filled(w.practice(), there), &of), changes...))
}

// slug is a short name for ever: small letters, digits and hyphens.
func slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9' && b.Len() > 0:
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := b.String()
	return strings.Trim(name[:min(len(name), 32)], "-")
}

// recorded is the draft with where the practice's records are. What is secret goes into a file of its own at once, for
// nothing can be tried without; undo takes it away again.
func (w *wizard) recorded(text []byte, s *console.Section) (next []byte, undo func(), err error) {
	how, calendar, base, token := s.Fields[0].Answer, s.Fields[1].Text, s.Fields[2].Text, s.Fields[3].Text
	s.Fields[1].Text, s.Fields[3].Text = "", "" // never shown again
	undo = func() {}
	list := []string{}
	switch how {
	case recordsNone:
	case recordsDates:
		if calendar == "" && !w.has("secrets/calendar") {
			s.Fields[1].Wrong = append(s.Fields[1].Wrong, "is missing")
		}
		list = append(list, "{name: calendar, kind: ical, url_file: secrets/calendar}")
		undo, err = w.confide("secrets/calendar", calendar)
	case recordsEHR:
		auth := "{kind: none}"
		if token != "" || w.has("secrets/ehr") {
			auth = "{kind: bearer, token_file: secrets/ehr}"
			undo, err = w.confide("secrets/ehr", token)
		}
		list = append(list, "{name: ehr, kind: fhirrest, base_url: "+config.Quoted(base)+", auth: "+auth+"}")
	default:
		s.Fields[0].Wrong = append(s.Fields[0].Wrong, "choose one")
	}
	if err != nil {
		return nil, undo, err
	}
	next, err = config.Apply(text, []config.Edit{{Path: "practice.connectors", List: list}})
	return next, undo, err
}

func (w *wizard) has(name string) bool {
	info, err := os.Stat(filepath.Join(filepath.Dir(w.final), name))
	return err == nil && info.Size() > 0
}

// confide puts a secret into its file, readable by the hub alone; an empty one changes nothing. undo takes away what was
// not there before.
func (w *wizard) confide(name, secret string) (undo func(), err error) {
	undo = func() {}
	if secret == "" {
		return undo, nil
	}
	at := filepath.Join(filepath.Dir(w.final), name)
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return undo, readOnly(err)
	}
	if !w.has(name) {
		undo = func() {
			if err := os.Remove(at); err != nil {
				w.scene.log.Warn("remove a secret that is not used", "file", name, "error", err)
			}
		}
	}
	return undo, replaceFile(at, []byte(secret+"\n"))
}

// blameRecords puts what is wrong with the practice's connector to the field that it came from.
func blameRecords(s *console.Section, problems []config.Problem) {
	at := map[string]int{"url_file": 1, "base_url": 2, "auth": 3}
	for _, p := range problems {
		if !strings.HasPrefix(p.Path, "practice.connectors") {
			continue
		}
		key, _, _ := strings.Cut(strings.TrimPrefix(p.Path, "practice.connectors[0]."), ".")
		f := &s.Fields[at[key]] // else the first
		if len(f.Wrong) == 0 {
			f.Wrong = []string{p.Text}
		}
	}
}
