package main

import (
	"fmt"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// pastAt reads a time that is past; the zero time means now. A date means the end of that day.
func pastAt(flag, word string, zone *time.Location, now time.Time) (time.Time, error) {
	at, day, err := entry.Written(entry.Clock{Now: now, Zone: zone}.Spelled(word), zone)
	if day {
		at = at.AddDate(0, 0, 1).Add(-time.Millisecond)
	}
	switch {
	case err != nil:
		return at, fmt.Errorf("%s %q is no time: write it like 2026-03-03T09:15, 2026-03-03 or today 09:15, or a moment of the audit log like @1234", flag, word)
	case at.After(now) && day && readiness.DayOf(at, zone) == readiness.DayOf(now, zone):
		return time.Time{}, nil // the day is not over
	case at.After(now):
		return at, fmt.Errorf("%s lies in the future: the hub knows only what has been recorded", flag)
	}
	return at, nil
}

// occurred reads when something happened; "" is now. Of a date without an hour it is noon, or now on the day itself.
func occurred(flag, word string, zone *time.Location, now time.Time) (time.Time, error) {
	if word == "" {
		return now, nil
	}
	at, day, err := entry.Written(word, zone)
	if day {
		if at = at.Add(12 * time.Hour); readiness.DayOf(at, zone) == readiness.DayOf(now, zone) && at.After(now) {
			at = now
		}
	}
	switch {
	case err != nil:
		return at, fmt.Errorf("%s %q is no time: write it like 2026-03-02 or 2026-03-02T14:30", flag, word)
	case at.After(now):
		return at, fmt.Errorf("%s lies in the future: record it when it has happened", flag)
	}
	return at, nil
}

// local shows a time in the practice's zone, "" for none.
func (h *hub) local(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(h.config.Location()).Format("2006-01-02 15:04 MST")
}
