package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
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
			}
			s.Fields[3].Text = file["prescribers[0].sheet.phone"]
			for _, at := range []string{"prescribers[0].identifiers[0]", "prescribers[0].identifiers[1]"} {
				if file[at+".system"] == fhir.SystemNPI {
					s.Fields[2].Text = file[at+".value"]
				}
			}
		}
		return s, nil
	case stepSheet:
		return fromPages(filled(w.sheet(file), file), file), nil
	case stepRecords:
		s := whereRecordsAre()
		switch file["practice.connectors[0].kind"] {
		case "ical":
			s.Fields[0].Answer = recordsDates
		case "fhirrest":
			s.Fields[0].Answer, fieldOf(&s, "base").Text = recordsEHR, file["practice.connectors[0].base_url"]
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
		if f := &s.Fields[i]; f.Path == "hub.name" || f.Path == "hub.time_zone" {
			f.Label += " (required)"
		}
	}
	return s
}

func (w *wizard) sheet(file map[string]string) console.Section {
	c := config.Config{Prescribers: []config.Prescriber{{Name: file["prescribers[0].name"], Title: file["prescribers[0].title"]}}}
	sheet := &c.Prescribers[0].Sheet
	_ = sheet.Signed.UnmarshalText([]byte(file["prescribers[0].sheet.signed"])) // no day is none
	_ = sheet.Published.UnmarshalText([]byte(file["prescribers[0].sheet.published"]))
	s := sheetSection(&c, 0)
	s.Fields = slices.DeleteFunc(s.Fields, func(f console.Field) bool { return strings.HasSuffix(f.Path, signedAnew) }) // nobody was told of a day yet
	s.Lead += " You can go on without, and come back when they answered: until then nobody is ready by these lines."
	return s
}

// pagesOf are where each line of Skylight's sheet was read that nobody agreed to yet.
var pagesOf = map[string]string{"office_only": "FAQs for therapists", "states_not_served": "FAQ", "pharmacies": "Client Handbook", "hours": "Therapist Bible (“business hours”; which, no page says)",
	"time_zone": "Therapist Bible (it names none: ask)"}

// fromPages says of each line that was read on Skylight's public pages where it is from, and that it is not agreed.
func fromPages(s console.Section, file map[string]string) console.Section {
	const sheet = "prescribers[0].sheet."
	if file["prescribers[0].connectors[0].kind"] != kindSkylight || file[sheet+"published"] == "" || file[sheet+"signed"] != "" {
		return s
	}
	s.Lead += " What is filled in was read on Skylight’s public pages and says so: it is not agreed with you. Signing the rest does not change that: of each such line you then say whether it was agreed, too."
	for i := range s.Fields {
		f := &s.Fields[i]
		if f.Answer != answerPublished {
			f.Answers = slices.DeleteFunc(slices.Clone(f.Answers), func(o console.Option) bool { return o.Value == answerPublished })
		}
		page, ok := pagesOf[strings.TrimPrefix(f.Path, sheet)]
		if !ok || len(f.Answers) > 0 && f.Answer != answerPublished || len(f.Answers) == 0 && f.Text == "" && len(f.Rows) == 0 {
			continue
		}
		f.Hint = strings.TrimSpace(f.Hint + " From their public pages: " + page + ", read on " + file[sheet+"published"] + ".")
	}
	return s
}

func whereRecordsAre() console.Section {
	s := console.Section{Lead: "Where your clients’ appointments stand. Where nothing can be read, people enter them at the desk. More can be added later, under Settings.", Fields: []console.Field{
		{Path: "how", Label: "Can the hub read them?", Answers: []console.Option{{Value: recordsDates, Label: "From a calendar"}, {Value: recordsEHR, Label: "From an EHR with a FHIR server"}, {Value: recordsNone, Label: "No: everything is entered by hand"}}},
	}}
	s.Fields = append(append(s.Fields, calendarFields()...), serverFields()[:2]...) // who is known by a key is asked under Settings
	return s
}

// Take takes what was typed into a step's form.
func (w *wizard) Take(_ context.Context, step string, form url.Values) (console.Section, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
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
	came := addition{undo: func() {}}
	switch step {
	case stepPrescriber:
		next, err = w.settled(file, &is)
	case stepRecords:
		next, came, err = w.recorded(text, &is)
	default:
		next, err = config.Apply(text, edits(was, &is))
	}
	if err != nil {
		return is, err
	}
	if step == stepRecords {
		_, err := w.scene.assemble(config.Read(w.draft(), next, w.scene.environment))
		if invalid, ok := errors.AsType[*config.Invalid](err); ok {
			came.blame(&is, invalid.Problems) // what other steps will settle is wrong as yet
		}
	} else if next != nil {
		blame(&is, w.problems(next))
	}
	missing(step, &is)
	if len(is.WrongAt()) > 0 {
		came.undo()
		return is, nil
	}
	w.closed()
	if err := replaceFile(w.draft(), next); err != nil {
		return is, err
	}
	return is, w.mark(step)
}

// Skip goes on without what a step asks, which can wait.
func (w *wizard) Skip(_ context.Context, step string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if step != stepSheet && step != stepRoster {
		return fmt.Errorf("go on without step %s: %w", step, exchange.ErrNotFound)
	}
	return w.mark(step)
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

// settled is the draft with the prescriber who was chosen, and what was said of the practice.
func (w *wizard) settled(file map[string]string, s *console.Section) ([]byte, error) {
	fresh, err := prescribed(s)
	if err != nil || fresh == nil {
		return nil, err
	}
	there, err := config.Leaves(fresh)
	if err != nil {
		return nil, err
	}
	of := filled(w.practice(), file)
	return config.Apply(fresh, edits(filled(w.practice(), there), &of))
}

// recorded is the draft with where the practice's records are.
func (w *wizard) recorded(text []byte, s *console.Section) (next []byte, a addition, err error) {
	a.undo = func() {}
	list, beside := []string{}, drawer{filepath.Dir(w.final), w.scene.log}
	switch s.Fields[0].Answer {
	case recordsNone:
		for _, f := range s.Fields[1:] {
			if f.Text != "" {
				blameOn(s, f.Path, "you wrote something here and chose that everything is entered by hand: choose where it is read from, or empty this")
			}
		}
	case recordsDates:
		a, err = beside.source("ical", "calendar", s)
		list = append(list, a.text)
	case recordsEHR:
		a, err = beside.source("fhirrest", "ehr", s)
		list = append(list, a.text)
	default:
		blameOn(s, "how", "choose one")
	}
	if err != nil {
		return nil, a, err
	}
	a.path = "practice.connectors[0]"
	next, err = config.Apply(text, []config.Edit{{Path: "practice.connectors", List: list}})
	return next, a, err
}
