package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
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
	return answered(a, word, q, func(s string) (string, error) {
		if slices.Contains(words, s) {
			return s, nil
		}
		var fit []string
		for _, w := range words {
			if strings.HasPrefix(w, strings.ToLower(s)) {
				fit = append(fit, w)
			}
		}
		if len(fit) != 1 {
			return "", errors.New("must be one of " + q.form)
		}
		return fit[0], nil
	})
}

// yes asks a question of yes or no; nil is no answer.
func (a *asker) yes(word string, q question) (*bool, error) {
	q.form = "y or n"
	return answered(a, word, q, func(s string) (*bool, error) {
		switch strings.ToLower(s) {
		case "y", "yes", "true":
			return new(true), nil
		case "n", "no", "false":
			return new(false), nil
		}
		return nil, errors.New("must be y or n")
	})
}

// number reads a number above nothing; "" is nil.
func (a *asker) number(word string, q question) (*float64, error) {
	return answered(a, word, q, func(s string) (*float64, error) {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || v < 0 || v > 1000 {
			return nil, errors.New("must be a number")
		}
		return &v, nil
	})
}

// rate reads a heart rate; what no heart does was mistyped.
func rate(s string) (*float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v < 10 || v > 400 {
		return nil, errors.New("must be a number, like 72")
	}
	return &v, nil
}

// pressure reads "118/76".
func pressure(s string) ([2]float64, error) {
	var p [2]float64
	upper, lower, ok := strings.Cut(s, "/")
	var wrong [2]error
	p[0], wrong[0] = strconv.ParseFloat(strings.TrimSpace(upper), 64)
	p[1], wrong[1] = strconv.ParseFloat(strings.TrimSpace(lower), 64)
	if !ok || wrong[0] != nil || wrong[1] != nil || p[1] <= 0 || p[0] <= p[1] || p[0] > 400 {
		return p, errors.New("must be two numbers, the upper before the lower, like 118/76")
	}
	return p, nil
}

// date reads a day as people write it and returns it as FHIR does; "none" and "none given" are no date.
func (a *asker) date(s string) (string, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "none", "none given", "n/a":
		return "", nil
	case "today":
		return a.now.In(a.zone).Format(time.DateOnly), nil
	case "yesterday":
		return a.now.In(a.zone).AddDate(0, 0, -1).Format(time.DateOnly), nil
	}
	for _, form := range []string{time.DateOnly, "1/2/2006", "1/2/06", "2 Jan 2006", "2 January 2006", "Jan 2, 2006", "January 2, 2006", "Jan 2 2006"} {
		if t, err := time.Parse(form, strings.TrimSpace(s)); err == nil {
			return t.Format(time.DateOnly), nil
		}
	}
	return "", errors.New("must be a date, like 2026-05-31")
}

// moment reads when something was said: a time of today, a day, or both. Of a day alone nobody knows the hour: what
// stops is then taken to be said at its end, what clears at its beginning, so that neither outdoes the other by chance.
func (a *asker) moment(s string, stops bool) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" || s == "now" {
		return a.now, nil
	}
	at, whole, err := written(s, a.zone)
	if t, wrong := time.Parse("15:04", s); err != nil && wrong == nil {
		y, m, d := a.now.In(a.zone).Date()
		at, whole, err = time.Date(y, m, d, t.Hour(), t.Minute(), 0, 0, a.zone), false, nil
	}
	if err != nil || whole {
		day, wrong := a.date(s)
		if wrong != nil || day == "" {
			return at, errors.New("must be a time, like 16:05, 2026-03-02 or 2026-03-02T16:05")
		}
		from, _ := time.ParseInLocation(time.DateOnly, day, a.zone)
		if readiness.DayOf(from, a.zone) == readiness.DayOf(a.now, a.zone) {
			return a.now, nil
		}
		at, err = from, nil
		if stops {
			at = from.AddDate(0, 0, 1).Add(-time.Second)
		}
	}
	if at.After(a.now) {
		return at, errors.New("lies in the future: give when it was said")
	}
	return at, err
}
