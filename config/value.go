package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time as people write it: 90 days, 90d, 26h, 45m, 1d12h.
type Duration time.Duration

var durationParts = regexp.MustCompile(`^(?:(\d{1,5})w)?(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$`)

// durationWords are the units written out, with the space before them.
var durationWords = regexp.MustCompile(` *(?:weeks?|days?|hours?|minutes?|seconds?)\b| +[wdhms]\b`)

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	short := durationWords.ReplaceAllStringFunc(string(text), func(word string) string { return strings.TrimSpace(word)[:1] })
	parts := durationParts.FindStringSubmatch(strings.TrimSpace(short))
	if parts == nil || parts[0] == "" {
		return fmt.Errorf("%q is no duration: write days, hours or minutes, like 90d, 26h or 45m", text)
	}
	units := []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second}
	var sum time.Duration
	for i, unit := range units {
		n, _ := strconv.Atoi(parts[i+1]) // digits only, or empty for 0
		sum += time.Duration(n) * unit
	}
	*d = Duration(sum)
	return nil
}

// Day is a civil date.
type Day struct {
	Year  int
	Month time.Month
	Day   int
}

// UnmarshalText reads a date like 2026-01-10.
func (d *Day) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%q is no date: write year, month and day, like 2026-01-10", text)
	}
	d.Year, d.Month, d.Day = t.Date()
	return nil
}

// IsZero reports whether no date was given.
func (d Day) IsZero() bool { return d == Day{} }

// Limit is a number with its UCUM unit.
type Limit struct {
	Value float64
	Unit  string
}

var limitUnits = map[string]string{"mmHg": "mm[Hg]", "mm[Hg]": "mm[Hg]", "kPa": "kPa", "bpm": "/min", "/min": "/min"}

// UnmarshalText reads a limit like "140 mmHg".
func (l *Limit) UnmarshalText(text []byte) error {
	number, unit, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	value, err := strconv.ParseFloat(number, 64)
	ucum, known := limitUnits[strings.TrimSpace(unit)]
	if err != nil || !known || value <= 0 || value > 1000 {
		return fmt.Errorf("%q is no limit: write a number and its unit, like 140 mmHg or 100 bpm", text)
	}
	*l = Limit{value, ucum}
	return nil
}

// Network is one address, or all that begin alike.
type Network struct{ at netip.Prefix }

// UnmarshalText reads an address like 10.0.0.7 or a network like 10.0.0.0/24.
func (n *Network) UnmarshalText(text []byte) error {
	if a, err := netip.ParseAddr(string(text)); err == nil && a.Zone() == "" {
		n.at = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
		return nil
	}
	at, err := netip.ParsePrefix(string(text))
	if err != nil || at.Bits() == 0 {
		return fmt.Errorf("%q is no address: write one like 10.0.0.7, or a network like 10.0.0.0/24", text)
	}
	n.at = at.Masked()
	return nil
}

// Prefix returns the network.
func (n Network) Prefix() netip.Prefix { return n.at }

// Zone is a time zone by its IANA name.
type Zone struct{ at *time.Location }

// UnmarshalText reads a zone like America/Denver.
func (z *Zone) UnmarshalText(text []byte) error {
	at, err := time.LoadLocation(string(text))
	if err != nil || len(text) == 0 || string(text) == "Local" {
		return fmt.Errorf("%q is no time zone: write its IANA name, like America/Denver", text)
	}
	z.at = at
	return nil
}

// Location returns the zone, nil when none was given.
func (z Zone) Location() *time.Location { return z.at }

// Hours are opening hours on some weekdays.
type Hours struct {
	Days     []time.Weekday
	From, To time.Duration // after midnight
}

var (
	hoursParts = regexp.MustCompile(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:-(Mon|Tue|Wed|Thu|Fri|Sat|Sun))? +(\d{1,2}:\d{2})-(\d{1,2}:\d{2})$`)
	weekdays   = map[string]time.Weekday{"Sun": 0, "Mon": 1, "Tue": 2, "Wed": 3, "Thu": 4, "Fri": 5, "Sat": 6}
)

// UnmarshalText reads hours like "Mon-Fri 09:00-17:00".
func (h *Hours) UnmarshalText(text []byte) error {
	bad := fmt.Errorf("%q are no hours: write days and times, like Mon-Fri 09:00-17:00", text)
	parts := hoursParts.FindStringSubmatch(string(text))
	if parts == nil {
		return bad
	}
	from, err1 := clock(parts[3])
	to, err2 := clock(parts[4])
	if err1 != nil || err2 != nil || to <= from {
		return bad
	}
	*h = Hours{From: from, To: to}
	first := weekdays[parts[1]]
	last := first
	if parts[2] != "" {
		last = weekdays[parts[2]]
	}
	for day := first; ; day = (day + 1) % 7 {
		h.Days = append(h.Days, day)
		if day == last {
			return nil
		}
	}
}

func clock(s string) (time.Duration, error) {
	if s == "24:00" {
		return 24 * time.Hour, nil
	}
	t, err := time.Parse("15:04", s)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err
}

// Answer is which of three things a line of the sheet says.
type Answer int

// The three answers. A line that is left out is NotAsked.
const (
	NotAsked Answer = iota
	NoneSet
	Set
)

// Asked is a line of the sheet: a value, "none set" or "not asked".
type Asked[T any] struct {
	Answer Answer
	Value  T
}

// open answers where a value is to be read into, once Answer is known to be Set.
func (a *Asked[T]) open(word string) (value any) {
	switch word {
	case "not asked":
		*a = Asked[T]{}
		return nil
	case "none set":
		*a = Asked[T]{Answer: NoneSet}
		return nil
	}
	a.Answer = Set
	return &a.Value
}
