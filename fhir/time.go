package fhir

import (
	"errors"
	"time"
)

// errTime never shows what was read: a date may be a birth date.
var errTime = errors.New("not a FHIR date, dateTime or instant")

// Span reads a FHIR date, dateTime or instant as the time it covers, from its first moment to its last: "2026-03-02" is
// that whole day in zone, "2026-03" that month; a time to the second is that very moment. What has a time but no zone of
// its own is an error: nobody knows when it is.
func Span(s string, zone *time.Location) (from, to time.Time, err error) {
	whole := func(layout string, years, months, days int) (time.Time, time.Time, error) {
		from, err := time.ParseInLocation(layout, s, zone)
		if err != nil {
			return time.Time{}, time.Time{}, errTime
		}
		y, m, d := from.Date()
		next := time.Date(y+years, m+time.Month(months), d+days, 0, 0, 0, 0, zone)
		return from, next.Add(-time.Nanosecond), nil
	}
	switch len(s) {
	case len("2006"):
		return whole("2006", 1, 0, 0)
	case len("2006-01"):
		return whole("2006-01", 0, 1, 0)
	case len(time.DateOnly):
		return whole(time.DateOnly, 0, 0, 1)
	}
	if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return at, at, nil
	}
	if at, err := time.Parse("2006-01-02T15:04Z07:00", s); err == nil {
		return at, at.Add(time.Minute - time.Nanosecond), nil
	}
	return time.Time{}, time.Time{}, errTime
}
