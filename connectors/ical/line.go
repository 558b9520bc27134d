package ical

import (
	"errors"
	"slices"
	"strings"

	ics "github.com/arran4/golang-ical"
)

// component is a block of a calendar: BEGIN:NAME to END:NAME.
type component struct {
	name  string
	line  int // of its BEGIN, from 1
	props []prop
	parts []*component
}

// prop is a content line that could be read, or at least named.
type prop struct {
	line int
	bad  bool // it is named and cannot be read
	*ics.BaseProperty
}

// What makes a feed as a whole unreadable.
var (
	errEmpty   = errors.New("the answer is empty")
	errForeign = errors.New("the answer is no calendar")
	errCut     = errors.New("the calendar is cut off or its blocks do not nest")
	errTooMany = errors.New("the calendar has more than 50,000 entries")
)

// most is how many blocks a feed may have, and deepest how far they may nest.
const (
	most    = 50_000
	deepest = 8
)

// wanted are the names that are read at all: everything else is passed over and never leaves the feed's bytes.
var wanted = map[string][]string{
	"VEVENT": {"UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "STATUS", "SEQUENCE", "DTSTAMP",
		"LAST-MODIFIED", "SUMMARY", "DESCRIPTION", "LOCATION"},
	"VTIMEZONE": {"TZID", "X-LIC-LOCATION"},
	"STANDARD":  {"DTSTART", "RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO"},
	"DAYLIGHT":  {"DTSTART", "RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO"},
}

// blocks reads the events and time zones of a feed. A line that no calendar would hold is passed over, as calendars
// that break their lines by mistake have them; blocks that do not nest or do not end are an error, since what is cut off
// must not read as fewer events.
func blocks(body string) (events, zones []*component, err error) {
	body = strings.TrimPrefix(body, "\uFEFF")
	if strings.TrimSpace(body) == "" {
		return nil, nil, errEmpty
	}
	if first, _, _ := strings.Cut(strings.TrimLeft(body, " \t\r\n"), "\n"); !strings.EqualFold(strings.TrimSpace(first), "BEGIN:VCALENDAR") {
		return nil, nil, errForeign
	}
	var open []*component
	n := 0
	for line, text := range unfolded(body) {
		name, rest, found := cutName(text)
		if !found {
			continue
		}
		switch name {
		case "BEGIN":
			if n++; n > most {
				return nil, nil, errTooMany
			}
			c := &component{name: strings.ToUpper(strings.TrimSpace(rest)), line: line}
			if len(open) == 0 && c.name != "VCALENDAR" || len(open) >= deepest {
				return nil, nil, errCut
			}
			if len(open) > 0 {
				top := open[len(open)-1]
				top.parts = append(top.parts, c)
			}
			open = append(open, c)
		case "END":
			if len(open) == 0 || open[len(open)-1].name != strings.ToUpper(strings.TrimSpace(rest)) {
				return nil, nil, errCut
			}
			done := open[len(open)-1]
			open = open[:len(open)-1]
			if len(open) == 1 && done.name == "VEVENT" {
				events = append(events, done)
			}
			if len(open) == 1 && done.name == "VTIMEZONE" {
				zones = append(zones, done)
			}
		default:
			if len(open) == 0 {
				continue
			}
			top := open[len(open)-1]
			if slices.Contains(wanted[top.name], name) {
				top.props = append(top.props, read(line, name, text))
			}
		}
	}
	if len(open) > 0 {
		return nil, nil, errCut
	}
	return events, zones, nil
}

// read reads one content line. What the library fails at is bad, and not a crash.
func read(line int, name, text string) (p prop) {
	p = prop{line: line, bad: true, BaseProperty: &ics.BaseProperty{IANAToken: name}}
	defer func() { _ = recover() }()
	if base, err := ics.ParseProperty(ics.ContentLine(text)); err == nil && base != nil {
		base.IANAToken = name
		p.bad, p.BaseProperty = false, base
	}
	return p
}

// param returns the first value of a parameter, "" if p has none.
func (p *prop) param(name string) string {
	for key, values := range p.ICalParameters {
		if strings.EqualFold(key, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// one returns the only property called name; ok is false when there is none. bad: there are several, or it cannot be read.
func (c *component) one(name string) (p *prop, bad bool) {
	for i := range c.props {
		if c.props[i].IANAToken != name {
			continue
		}
		if p != nil {
			return p, true
		}
		p = &c.props[i]
		bad = p.bad
	}
	return p, bad
}

// each calls yield for every property called name.
func (c *component) each(name string, yield func(*prop)) {
	for i := range c.props {
		if c.props[i].IANAToken == name {
			yield(&c.props[i])
		}
	}
}

// text returns the text of the property called name, "" when there is none.
func (c *component) text(name string) string {
	p, _ := c.one(name)
	if p == nil || p.bad {
		return ""
	}
	return p.Value
}

// cutName splits a content line behind its name.
func cutName(text string) (name, rest string, ok bool) {
	i := strings.IndexAny(text, ":;")
	if i <= 0 {
		return "", "", false
	}
	return strings.ToUpper(text[:i]), text[i+1:], true
}

// unfolded yields the content lines of body with the number of their first line. A line that begins with a space or tab
// goes on the one before.
func unfolded(body string) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		var whole strings.Builder
		first, n, started := 0, 0, false
		for raw := range strings.Lines(body) {
			n++
			raw = strings.TrimRight(raw, "\r\n")
			if started && raw != "" && (raw[0] == ' ' || raw[0] == '\t') {
				whole.WriteString(raw[1:])
				continue
			}
			if started && !yield(first, whole.String()) {
				return
			}
			whole.Reset()
			whole.WriteString(raw)
			first, started = n, true
		}
		if started {
			yield(first, whole.String())
		}
	}
}
