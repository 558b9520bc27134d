package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
)

// asker gets the answers of an entry: from flags, and at a terminal from whoever sits there. Where nobody sits, an
// answer that is missing is an error that names its flag.
type asker struct {
	out  io.Writer
	in   *bufio.Reader
	tty  bool
	zone *time.Location
	now  time.Time
	gone <-chan struct{} // closed when whoever is asked wants no more of it
}

func (s *scene) asker(ctx context.Context, zone *time.Location) *asker {
	_, tty := terminal(s.in)
	return &asker{out: s.out, in: bufio.NewReader(s.in), tty: tty, zone: zone, now: s.now(), gone: ctx.Done()}
}

// errNoAnswer is what a question ends with when whoever was asked went away.
var errNoAnswer = errors.New("stopped: nothing was saved")

// question is one answer that is needed.
type question struct {
	flag  string // its flag's name
	ask   string
	usual string // what no answer means; "" = an answer is needed, "-" = it may be left out
	form  string // how it is written
}

// text fills value, unless a flag did.
func (a *asker) text(value *string, q question) error {
	if *value != "" {
		return nil
	}
	if !a.tty {
		if q.usual != "" {
			*value = strings.TrimPrefix(q.usual, "-")
			return nil
		}
		return fmt.Errorf("--%s is missing: give it, or enter it at a terminal, where it is asked for", q.flag)
	}
	for {
		line, err := a.line(q)
		switch {
		case err != nil:
			return err
		case line != "":
			*value = line
		case q.usual != "":
			*value = strings.TrimPrefix(q.usual, "-")
		default:
			continue
		}
		return nil
	}
}

func (a *asker) line(q question) (string, error) {
	hint := q.form
	if q.usual != "" && q.usual != "-" {
		hint = strings.TrimPrefix(hint+", else "+q.usual, ", ")
	}
	if q.usual == "-" {
		hint = strings.TrimPrefix(hint+", or nothing", ", ")
	}
	if hint != "" {
		hint = " (" + hint + ")"
	}
	_, _ = fmt.Fprintf(a.out, "%s%s: ", q.ask, hint)
	line, err := unless(a.gone, func() (string, error) { return a.in.ReadString('\n') })
	if err != nil && line == "" {
		_, _ = fmt.Fprintln(a.out)
		return "", errNoAnswer
	}
	return strings.TrimSpace(line), nil
}

// unless reads, unless whoever types wants no more of it (Ctrl-C): then it ends with errNoAnswer, and what is being read is
// left to the end of the process.
func unless[T any](gone <-chan struct{}, read func() (T, error)) (value T, err error) {
	done := make(chan struct{})
	var got T
	var wrong error
	go func() {
		defer close(done)
		got, wrong = read()
	}()
	select {
	case <-done:
		return got, wrong
	case <-gone:
		return value, errNoAnswer
	}
}

// answered fills value by parse; at a terminal what cannot be read is asked for again.
func answered[T any](a *asker, word string, q question, parse func(string) (T, error)) (value T, err error) {
	for {
		given := word
		if err := a.text(&given, q); err != nil {
			return value, err
		}
		if given == "" {
			return value, nil // it may be left out
		}
		value, err = parse(given)
		if err == nil {
			return value, nil
		}
		if !a.tty || word != "" {
			return value, fmt.Errorf("--%s %w", q.flag, err)
		}
		_, _ = fmt.Fprintf(a.out, "  %s\n", err)
	}
}

// choice fills value with one of a few words, of which the beginning is enough.
func (a *asker) choice(word string, q question, words ...string) (string, error) {
	q.form = strings.Join(words, ", ")
	return answered(a, word, q, entry.One(words...))
}

// yes asks a question of yes or no; nil is no answer.
func (a *asker) yes(word string, q question) (*bool, error) {
	q.form = "y or n"
	return answered(a, word, q, entry.Yes)
}

// clock reads words that tell a time.
func (a *asker) clock() entry.Clock { return entry.Clock{Now: a.now, Zone: a.zone} }

// word fills *to with an answer that read can read.
func word[T any](a *asker, to *string, q question, read func(string) (T, error)) (value T, err error) {
	given := *to
	value, err = answered(a, given, q, func(s string) (T, error) {
		*to = s
		return read(s)
	})
	return value, err
}

// flagged says of a wrong answer by which flag it was given.
func flagged(err error) error {
	problems, ok := errors.AsType[entry.Problems](err)
	if !ok {
		return err
	}
	first := problems[0]
	if wrong, ok := errors.AsType[desk.Wrong](first.Err); ok {
		return wrong
	}
	return fmt.Errorf("--%s %w", first.Field, first.Err)
}
