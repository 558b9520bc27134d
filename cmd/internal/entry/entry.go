// Package entry is what an entry at the desk is made of before it is one: what the chart tells already, how answers are read,
// and which of them are wrong. The terminal and the console ask in their own ways and make the same entries of the same words.
package entry

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// About is whom an entry is about, whose policy they are judged by, and when it is made.
type About struct {
	Chart    fhir.Chart
	Policy   readiness.Policy
	Book     desk.Book
	Parties  []desk.Party  // all who have a desk
	Deciders []desk.Person // who may decide, as the prescriber's sheet lists them
	Now      time.Time
}

// Clock is when and where an answer is read.
func (a About) Clock() Clock {
	zone := a.Book.Zone
	if zone == nil {
		zone = time.UTC
	}
	return Clock{Now: a.Now, Zone: zone}
}

// Form is an entry as it was written down: words, each as its writer wrote it, "" for what was left out.
type Form interface {
	// Make returns the slips of the entry. Of answers that are wrong, or that are missing and needed, it returns Problems; any
	// other error is about the entry as a whole.
	Make(about About, note desk.Note) ([]exchange.Slip, error)
}

// Problem is what is wrong with one answer. Field is the answer's name, in a form and as a flag.
type Problem struct {
	Field string
	Err   error
}

func (p Problem) Error() string { return p.Field + " " + p.Err.Error() }

// Unwrap returns what is wrong.
func (p Problem) Unwrap() error { return p.Err }

// Problems are all that is wrong with an entry's answers, in the order in which they are asked for.
type Problems []Problem

func (p Problems) Error() string {
	var all []string
	for _, one := range p {
		all = append(all, one.Error())
	}
	return strings.Join(all, "; ")
}

// ErrMissing is what is wrong with an answer that is needed and was not given.
var ErrMissing = errors.New("is missing")

// reading gathers what is wrong while an entry's answers are read.
type reading struct {
	problems Problems
}

func (r *reading) wrong(field string, err error) {
	if err != nil {
		r.problems = append(r.problems, Problem{field, err})
	}
}

// made is what Make returns: what build makes of the answers, or all that is wrong with them.
func (r *reading) made(build func() ([]exchange.Slip, error)) ([]exchange.Slip, error) {
	slips, err := build()
	if wrong, ok := errors.AsType[desk.Wrong](err); ok && !slices.ContainsFunc(r.problems, func(p Problem) bool { return p.Field == wrong.Part }) {
		r.wrong(wrong.Part, wrong)
	}
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return slips, err
}

// needed reads an answer that cannot be left out.
func needed[T any](r *reading, field, word string, read func(string) (T, error)) (value T) {
	if strings.TrimSpace(word) == "" {
		r.wrong(field, ErrMissing)
		return value
	}
	return maybe(r, field, word, read)
}

// maybe reads an answer that may be left out.
func maybe[T any](r *reading, field, word string, read func(string) (T, error)) (value T) {
	if strings.TrimSpace(word) == "" {
		return value
	}
	value, err := read(word)
	r.wrong(field, err)
	return value
}

// Heard is how what is entered came to the practice.
type Heard struct {
	Told   string // when it was said or written; "" is now
	Medium string // e-mail, phone, letter, in-person or portal; "" was not said
	From   string // who said it
}

// Media are the ways by which something comes.
var Media = []string{"e-mail", "phone", "letter", "in-person", "portal"}

// Note reads how it came. id is the entry's, by is who enters it; stops tells how a day without an hour is meant.
func (a About) Note(id string, by desk.Writer, h Heard, stops bool) (desk.Note, error) {
	return a.note(id, by, h, func(word string) (time.Time, error) { return a.Clock().Moment(word, stops) })
}

// NoteOf is Note for a decision: its outcome tells how a day without an hour is meant.
func (a About) NoteOf(outcome, id string, by desk.Writer, h Heard) (desk.Note, error) {
	return a.note(id, by, h, func(word string) (time.Time, error) { return a.Clock().Said(word, outcome) })
}

func (a About) note(id string, by desk.Writer, h Heard, read func(string) (time.Time, error)) (desk.Note, error) {
	n := desk.Note{Entry: id, Client: a.Chart.Client, At: a.Now, Medium: h.Medium, From: strings.TrimSpace(h.From)}.Signed(by)
	var r reading
	if h.Medium != "" && !slices.Contains(Media, h.Medium) {
		r.wrong("medium", errors.New("must be one of "+strings.Join(Media, ", ")))
	}
	at, err := read(cmp.Or(strings.TrimSpace(h.Told), "now"))
	r.wrong("told", err)
	n.Told = at
	if len(r.problems) > 0 {
		return n, r.problems
	}
	return n, nil
}
