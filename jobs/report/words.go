package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// stamp writes t as one reads it at asOf: "09:15" today, "Fri 16:10" within the week, else "Mon 2 Mar 16:10", with the year
// when it is another.
func stamp(t time.Time, zone *time.Location, asOf time.Time) string {
	if t.IsZero() {
		return "never"
	}
	t, asOf = t.In(zone), asOf.In(zone)
	age := asOf.Sub(t)
	switch {
	case readiness.DayOf(t, zone) == readiness.DayOf(asOf, zone):
		return t.Format("15:04")
	case t.Year() != asOf.Year():
		return t.Format("Mon 2 Jan 2006 15:04")
	case -6*24*time.Hour < age && age < 6*24*time.Hour:
		return t.Format("Mon 15:04")
	default:
		return t.Format("Mon 2 Jan 15:04")
	}
}

// date writes the day of t: "Sun 1 Mar", with the year when it is another than asOf's.
func date(t time.Time, zone *time.Location, asOf time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(zone)
	if t.Year() != asOf.In(zone).Year() {
		return t.Format("Mon 2 Jan 2006")
	}
	return t.Format("Mon 2 Jan")
}

// meeting writes a session's start: "today 11:00", "tomorrow 09:30", "Thu 12 Mar 11:00".
func meeting(t time.Time, zone *time.Location, asOf time.Time) string {
	if t.IsZero() {
		return "no session booked"
	}
	today := readiness.DayOf(asOf, zone)
	switch readiness.DayOf(t, zone) {
	case today:
		return "today " + t.In(zone).Format("15:04")
	case today.Plus(1):
		return "tomorrow " + t.In(zone).Format("15:04")
	}
	return date(t, zone, asOf) + t.In(zone).Format(" 15:04")
}

// lasts writes an age in days.
func lasts(days int) string {
	if days == 0 {
		return "under a day"
	}
	return many(days, "day")
}

// Called is a source by the name in the config; a desk, which stands in no config, by whose mailbox it is.
func (l Line) Called() string {
	if l.Desk {
		return l.Title
	}
	return l.Name
}

// Reading says how far a source can be trusted, and what its own news had kept from us until a sweep found it.
func (l Line) Reading(zone *time.Location, asOf time.Time) string {
	last := stamp(l.LastComplete, zone, asOf)
	switch {
	case l.Desk && l.LastComplete.IsZero():
		return "mailbox never read through"
	case l.Desk && l.State == Fresh:
		return "mailbox read to " + last
	case l.Desk:
		return "stale, mailbox read to " + last
	}
	words := "never read"
	switch l.State {
	case Fresh:
		words = "read " + last
	case Stale:
		words = "stale, last read " + last
	case Incomplete:
		words = "incomplete, last complete " + last
	}
	if l.Missed > 0 {
		words += fmt.Sprintf(" (%d missed by delta this week)", l.Missed)
	}
	return words
}

// name is how a client is called on screens: by the chosen name.
func (c Client) name() string {
	if c.Chosen == "" {
		return c.Key
	}
	return c.Chosen
}

// plain makes text of records fit for a terminal: one line, without control characters.
func plain(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }), " ")
}
