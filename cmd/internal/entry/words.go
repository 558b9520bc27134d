package entry

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Clock reads words that tell a time: now and where the practice is.
type Clock struct {
	Now  time.Time
	Zone *time.Location
}

// Date reads a day as people write it and returns it as FHIR does; "none" and "none given" are no date.
func (c Clock) Date(s string) (string, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "none", "none given", "n/a":
		return "", nil
	case "today":
		return c.Now.In(c.Zone).Format(time.DateOnly), nil
	case "yesterday":
		return c.Now.In(c.Zone).AddDate(0, 0, -1).Format(time.DateOnly), nil
	}
	weekday, day, named := weekdayOf(strings.TrimSpace(s))
	for _, form := range []string{time.DateOnly, "1/2/2006", "1/2/06", "2 Jan 2006", "2 January 2006", "Jan 2, 2006", "January 2, 2006", "Jan 2 2006"} {
		if t, err := time.Parse(form, day); err == nil {
			if named && t.Weekday() != weekday {
				return "", fmt.Errorf("must be a day that exists: %s is a %s", t.Format("2 Jan 2006"), t.Weekday())
			}
			return t.Format(time.DateOnly), nil
		}
	}
	return "", errors.New("must be a date, like 2026-05-31")
}

// weekdayOf parts a weekday that is written before a day, as in "Sun 31 May 2026", from the day.
func weekdayOf(s string) (which time.Weekday, day string, named bool) {
	word, rest, spaced := strings.Cut(s, " ")
	word = strings.ToLower(strings.TrimRight(word, ".,"))
	for d := time.Sunday; spaced && len(word) >= 3 && d <= time.Saturday; d++ {
		if strings.HasPrefix(strings.ToLower(d.String()), word) {
			return d, strings.TrimSpace(rest), true
		}
	}
	return 0, s, false
}

// Moment reads when something was said: a time of today, a day, or both. Of a day alone nobody knows the hour: what
// stops is then taken to be said at its end, what clears at its beginning, so that neither outdoes the other by chance.
func (c Clock) Moment(s string, stops bool) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" || s == "now" {
		return c.Now, nil
	}
	at, whole, err := Written(s, c.Zone)
	if t, wrong := time.Parse("15:04", s); err != nil && wrong == nil {
		y, m, d := c.Now.In(c.Zone).Date()
		at, whole, err = time.Date(y, m, d, t.Hour(), t.Minute(), 0, 0, c.Zone), false, nil
	}
	if err != nil || whole {
		day, wrong := c.Date(s)
		if wrong != nil || day == "" {
			return at, errors.New("must be a time, like 16:05, 2026-03-02 or 2026-03-02T16:05")
		}
		from, _ := time.ParseInLocation(time.DateOnly, day, c.Zone)
		if readiness.DayOf(from, c.Zone) == readiness.DayOf(c.Now, c.Zone) {
			return c.Now, nil
		}
		at, err = from, nil
		if stops {
			at = from.AddDate(0, 0, 1).Add(-time.Second)
		}
	}
	if at.After(c.Now) {
		return at, errors.New("lies in the future: give when it was said")
	}
	return at, err
}

// Said is Moment for a decision. One that clears and is dated today, at no hour, was made when the day began: a stop of this
// morning may have come after it.
func (c Clock) Said(s, outcome string) (time.Time, error) {
	at, err := c.Moment(s, !desk.Clears(outcome))
	if day, wrong := c.Date(s); err == nil && desk.Clears(outcome) && wrong == nil && day != "" {
		return readiness.DayOf(at, c.Zone).Start(c.Zone), nil
	}
	return at, err
}

// Written reads a time as people write it: an instant, or a civil time in zone. Of a date, day is true, and at its beginning.
func Written(word string, zone *time.Location) (at time.Time, day bool, err error) {
	at, err = time.Parse(time.RFC3339, word)
	for _, form := range []string{"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if err != nil {
			at, err = time.ParseInLocation(form, word, zone)
		}
	}
	if err == nil {
		return at, false, nil
	}
	at, err = time.ParseInLocation(time.DateOnly, word, zone)
	return at, true, err
}

// Spelled is a time as people say it, "10:00", "today 10:00" or "yesterday", with its date written out, as Written reads it.
// What it does not know it returns as it is.
func (c Clock) Spelled(word string) string {
	day, hour, _ := strings.Cut(strings.ToLower(strings.Join(strings.Fields(word), " ")), " ")
	if _, err := time.Parse("15:04", day); err == nil && hour == "" {
		day, hour = "today", day
	}
	if day != "today" && day != "yesterday" {
		return word
	}
	day, _ = c.Date(day)
	if hour == "" {
		return day
	}
	at, err := time.Parse("15:04", hour)
	if err != nil {
		return word
	}
	return day + at.Format("T15:04")
}

// Yes reads yes or no.
func Yes(s string) (*bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "y", "yes", "true":
		return new(true), nil
	case "n", "no", "false":
		return new(false), nil
	}
	return nil, errors.New("must be y or n")
}

// One reads one of a few words, of which the beginning is enough.
func One(words ...string) func(string) (string, error) {
	return func(s string) (string, error) {
		s = strings.TrimSpace(s)
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
			return "", errors.New("must be one of " + strings.Join(words, ", "))
		}
		return fit[0], nil
	}
}

// Number reads a number that is not below nothing.
func Number(s string) (*float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(v >= 0 && v <= 1000) {
		return nil, errors.New("must be a number")
	}
	return &v, nil
}

// Rate reads a heart rate; what no heart does was mistyped.
func Rate(s string) (*float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if span := readiness.HeartRateSpan; err != nil || !span.Has(v) {
		return nil, fmt.Errorf("must be a number between %.0f and %.0f, like 72", span.Low, span.High)
	}
	return &v, nil
}

// Pressure reads a blood pressure, like "118/76"; what no cuff shows was mistyped.
func Pressure(s string) ([2]float64, error) {
	var p [2]float64
	upper, lower, ok := strings.Cut(s, "/")
	var wrong [2]error
	p[0], wrong[0] = strconv.ParseFloat(strings.TrimSpace(upper), 64)
	p[1], wrong[1] = strconv.ParseFloat(strings.TrimSpace(lower), 64)
	upperSpan, lowerSpan := readiness.SystolicSpan, readiness.DiastolicSpan
	switch {
	case !ok, wrong[0] != nil, wrong[1] != nil, p[0] <= p[1]:
		return p, errors.New("must be two numbers, the upper before the lower, like 118/76")
	case !upperSpan.Has(p[0]) || !lowerSpan.Has(p[1]):
		return p, fmt.Errorf("must be a reading that there can be, the upper between %.0f and %.0f and the lower between %.0f and %.0f", upperSpan.Low, upperSpan.High, lowerSpan.Low, lowerSpan.High)
	}
	return p, nil
}
