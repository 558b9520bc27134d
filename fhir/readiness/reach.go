package readiness

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Limited is a reading that is taken before a session, and the limit on file for it: all that whoever takes it needs.
type Limited struct {
	Name  string        // "systolic pressure"
	Unit  string        // "mmHg", "a minute"
	Value float64       // the limit; 0 where none is on file or none is set
	Below bool          // the limit itself is already beyond
	On    Answer        // Set, NoneSet, or NotAsked: the limit is not on file
	From  string        // whose it is and since when: "Skylight recorded it on 12 Jan 2026"; "" where it is not on file
	Of    *fhir.Version // the record that says so; nil: the sheet
}

// Limits returns systolic pressure, diastolic pressure and heart rate with the limits on file. The hub has none of its own.
func Limits(chart fhir.Chart, policy Policy, now time.Time) []Limited {
	f := gather(&chart, &policy, &clock{now: now}, nil)
	all := make([]Limited, 0, vitals)
	for which := range vitals {
		l := f.limit(which)
		x := Limited{Name: which.name(), Unit: [...]string{"mmHg", "mmHg", "a minute"}[which], On: l.line, Of: l.of}
		if l.line != NotAsked {
			x.From = l.from
		}
		if l.line == Set {
			x.Value, x.Below = l.value, l.exclusive
		}
		all = append(all, x)
	}
	return all
}

// Says is the limit in words: "up to 140 mmHg", "below 140 mmHg", "none set"; "" where it is not on file.
func (l Limited) Says() string {
	switch {
	case l.On == NotAsked:
		return ""
	case l.On == NoneSet:
		return "none set"
	case l.Below:
		return "below " + count(l.Value) + " " + l.Unit
	}
	return "up to " + count(l.Value) + " " + l.Unit
}

// Reach is how a prescriber is reached at an hour.
type Reach struct {
	Phone string    // whom to call now; "" = no number is on file
	Open  bool      // they are open, as far as their hours are on file
	Until time.Time // while open: when they close; zero = not on file
	Again time.Time // while closed: when they open; zero = not on file
	Hours bool      // their hours are on file
	Other string    // the other number, "" = none
	Out   bool      // Phone is the number for weekends, and Other that of their hours
	Words string    // all of their numbers, as the hub's next steps have them behind the prescriber's name
}

// phones are all of their numbers, for words that must not depend on the hour.
func (s *Sheet) phones() string {
	switch {
	case s.Phone != "" && s.WeekendPhone != "":
		return " (" + s.Phone + "; weekends " + s.WeekendPhone + ")"
	case s.Phone != "":
		return " (" + s.Phone + ")"
	case s.WeekendPhone != "":
		return " (weekends " + s.WeekendPhone + ")"
	}
	return ""
}

// Reach returns how the prescriber is reached at now, by the hours and the numbers of the sheet.
//
//	hours on file    now                  call
//	some             within them          the phone
//	some             outside of them      the weekend phone; without one the phone, and it says when they open
//	none             a weekday            the phone, and nobody knows whether they are there
//	none             a weekend, holiday   the weekend phone; without one the phone
func (s *Sheet) Reach(now time.Time, zone *time.Location) Reach {
	h := &s.Hours
	if h.Zone != nil {
		zone = h.Zone
	}
	day := DayOf(now, zone)
	r := Reach{Hours: len(h.Open) > 0, Phone: s.Phone, Other: s.WeekendPhone, Words: s.phones()}
	from, to := h.span(day, zone)
	r.Open = h.works(day) && !now.Before(from) && now.Before(to)
	switch {
	case r.Open && r.Hours:
		r.Until = to
	case !r.Open && r.Hours && h.works(day) && now.Before(from):
		r.Again = from
	case !r.Open && r.Hours:
		r.Again = h.near(day, zone)
	}
	if !r.Open || r.Phone == "" {
		if s.WeekendPhone != "" {
			r.Phone, r.Other, r.Out = s.WeekendPhone, s.Phone, true
		}
	}
	if r.Other == r.Phone {
		r.Other = ""
	}
	return r
}
