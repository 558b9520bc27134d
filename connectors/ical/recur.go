package ical

import (
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// The two forms of a time without its zone.
const (
	localForm = "20060102T150405"
	dateForm  = "20060102"
)

// ruleOf reads an RRULE that begins with start, a wall. wall turns an UNTIL given in UTC into one of the same clocks; an
// UNTIL that is a date lasts to the end of that day. ok is false for a rule that cannot be read, and for one that comes
// more often than daily: no appointment does, and following it through the years would take for ever.
func ruleOf(text string, start time.Time, wall func(time.Time) time.Time) (rule *rrule.RRule, ok bool) {
	defer func() {
		if recover() != nil { // the library fails at it
			rule, ok = nil, false
		}
	}()
	var kept []string
	var until time.Time
	for _, part := range strings.Split(strings.ToUpper(strings.TrimSpace(text)), ";") {
		key, value, _ := strings.Cut(part, "=")
		var err error
		switch {
		case part == "", key == "DTSTART":
		case key == "BYEASTER": // the library's own, and no calendar's
			return nil, false
		case key != "UNTIL":
			kept = append(kept, part)
		case len(value) == len(dateForm):
			until, err = time.Parse(dateForm, value)
			until = until.Add(day - time.Second)
		case strings.HasSuffix(value, "Z"):
			until, err = time.Parse(localForm+"Z", value)
			until = wall(until)
		default:
			until, err = time.Parse(localForm, value)
		}
		if err != nil {
			return nil, false
		}
	}
	option, err := rrule.StrToROptionInLocation(strings.Join(kept, ";"), time.UTC)
	if err != nil || option.Freq > rrule.DAILY || option.Interval < 0 || option.Interval > 1000 || option.Count < 0 {
		return nil, false
	}
	option.Dtstart, option.Until = start, until
	rule, err = rrule.NewRRule(*option)
	return rule, err == nil
}

// follow calls yield for every time of rule, in order, until it says no. ok is false when the rule does not end within
// steps, or the library fails at it.
func follow(rule *rrule.RRule, steps int, yield func(wall time.Time) bool) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	next := rule.Iterator()
	for range steps {
		wall, more := next()
		if !more || !yield(wall) {
			return true
		}
	}
	return false
}

// occurrence is one time at which an event takes place.
type occurrence struct {
	*event
	original time.Time // where the rule puts it: what tells it from the others of its event; zero when it never recurs
	start    time.Time
	end      time.Time
}

// steps is how many times of one event are looked at, and so how long a rule may have run: daily for 60 years.
const steps = 22_000

// occurrences returns every occurrence that lies between from and to, in the order of their start, cancelled ones too;
// bad are the events that turned out to be unreadable.
func (c *calendar) occurrences(from, to time.Time) (list []occurrence, bad []*event) {
	for _, s := range c.series {
		some, ok := s.occurrences(from, to)
		if !ok {
			bad = append(bad, s.master)
		}
		list = append(list, some...)
	}
	slices.SortStableFunc(list, func(a, b occurrence) int {
		if n := a.start.Compare(b.start); n != 0 {
			return n
		}
		return strings.Compare(a.id(), b.id())
	})
	return list, bad
}

// occurrences expands a series. A change of one occurrence stands in its place; a change of one and all that follow
// moves those by as much, and each takes the words and the length of it.
func (s *series) occurrences(from, to time.Time) (list []occurrence, ok bool) {
	taken := map[int64]bool{}
	for _, o := range s.changes {
		taken[o.recurrence.Unix()] = true
		if overlaps(o.start, o.end, from, to) {
			list = append(list, occurrence{o, o.recurrence, o.start, o.end})
		}
	}
	m := s.master
	if m == nil {
		return list, true
	}
	starts, ok := m.starts(s.shifted(from), s.shifted(to))
	for _, original := range starts {
		if taken[original.Unix()] {
			continue
		}
		o := occurrence{event: m, original: original, start: original, end: m.ends(original)}
		if !m.recurs() {
			o.original = time.Time{}
		}
		for _, change := range s.onward { // in order: the last one that has begun counts
			if !original.Before(change.recurrence) {
				moved := change.zone.wall(change.start).Sub(change.zone.wall(change.recurrence))
				o.event, o.start = change, change.zone.at(change.zone.wall(original).Add(moved))
				o.end = change.ends(o.start)
			}
		}
		if overlaps(o.start, o.end, from, to) {
			list = append(list, o)
		}
	}
	return list, ok
}

// shifted widens an end of the window by as much as a change moves what follows.
func (s *series) shifted(t time.Time) time.Time {
	for _, change := range s.onward {
		if by := change.recurrence.Sub(change.start); by > 0 && t.Add(by).After(t) {
			t = t.Add(by)
		}
	}
	return t
}

func overlaps(start, end, from, to time.Time) bool { return start.Before(to) && !end.Before(from) }

func (e *event) recurs() bool { return e.rule != "" || len(e.more) > 0 }

// starts returns when e takes place between from and to, its own start always among the times looked at, exceptions
// left out. ok is false when its rule cannot be read or never ends; what was found so far comes all the same.
func (e *event) starts(from, to time.Time) (list []time.Time, ok bool) {
	length := e.end.Sub(e.start)
	seen := map[int64]bool{}
	add := func(t time.Time) {
		if overlaps(t, t.Add(length+day), from, to) && !seen[t.Unix()] && !e.excepted(t) {
			seen[t.Unix()] = true
			list = append(list, t)
		}
	}
	add(e.start)
	for _, t := range e.more {
		add(t)
	}
	if e.rule == "" {
		return list, true
	}
	rule, ok := ruleOf(e.rule, e.zone.wall(e.start), e.zone.wall)
	if !ok {
		return list, false
	}
	last := e.zone.wall(to)
	ok = follow(rule, steps, func(wall time.Time) bool {
		add(e.zone.at(wall))
		return !wall.After(last)
	})
	return list, ok
}

// excepted reports whether an occurrence at t was taken out. A date takes out whatever is on that day.
func (e *event) excepted(t time.Time) bool {
	for _, x := range e.not {
		if x.date && e.zone.wall(t).Format(dateForm) == x.wall.Format(dateForm) || !x.date && x.at.Equal(t) {
			return true
		}
	}
	return false
}

// ends returns when an occurrence of e that begins at start is over: days are counted on its clocks, hours in time.
func (e *event) ends(start time.Time) time.Time {
	if e.allDay {
		days := e.zone.wall(e.end).Sub(e.zone.wall(e.start))
		return e.zone.at(e.zone.wall(start).Add(days))
	}
	return start.Add(e.end.Sub(e.start))
}
