package ical

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// zone tells how far its clocks are from UTC at an instant. Times on its clocks ("walls") are kept as if they were UTC.
type zone struct {
	offset func(time.Time) time.Duration
}

// at returns the instant at which z's clocks show wall (RFC 5545, 3.3.5):
//
//	the clocks show it    instant
//	once                  that
//	twice (autumn)        the first time
//	never (spring)        as if the clocks had not been put forward yet
func (z zone) at(wall time.Time) time.Time {
	before, after := z.offset(wall.Add(-day)), z.offset(wall.Add(day))
	early, late := wall.Add(-before), wall.Add(-after)
	if z.offset(early) != before && z.offset(late) == after {
		return late
	}
	return early
}

// wall returns what z's clocks show at t.
func (z zone) wall(t time.Time) time.Time { return t.UTC().Add(z.offset(t)) }

func zoneOf(loc *time.Location) zone {
	return zone{func(t time.Time) time.Duration {
		_, seconds := t.In(loc).Zone()
		return time.Duration(seconds) * time.Second
	}}
}

// zones finds zones by the name an event gives.
type zones struct {
	told  map[string]*component // VTIMEZONE blocks by their TZID
	found map[string]*zone      // nil = unknown
}

func newZones(blocks []*component) *zones {
	z := &zones{told: map[string]*component{}, found: map[string]*zone{}}
	for _, b := range blocks {
		if id := b.text("TZID"); id != "" {
			z.told[id] = b
		}
	}
	return z
}

// named returns the zone called id; ok is false when nobody says which one that is: it is not guessed.
//
//	id                                                  it is
//	an IANA name, also behind /vendor/…/                that one
//	a Windows name                                      the IANA zone that CLDR says it is
//	any other with a VTIMEZONE whose X-LIC-LOCATION     that one
//	  is an IANA name
//	any other with a VTIMEZONE                          what its STANDARD and DAYLIGHT rules say
//	a short IANA name without a slash (EST)             that one
//	else                                                unknown
func (z *zones) named(id string) (zone, bool) {
	if at, seen := z.found[id]; seen {
		if at == nil {
			return zone{}, false
		}
		return *at, true
	}
	at, ok := z.look(id)
	if !ok {
		z.found[id] = nil
		return zone{}, false
	}
	z.found[id] = &at
	return at, true
}

func (z *zones) look(id string) (zone, bool) {
	if strings.Contains(id, "/") {
		parts := strings.Split(strings.TrimPrefix(id, "/"), "/")
		for i := range parts {
			if loc, ok := iana(strings.Join(parts[i:], "/")); ok && (i == 0 || len(parts)-i >= 2) {
				return zoneOf(loc), true
			}
		}
	}
	if name, ok := windows[id]; ok {
		if loc, ok := iana(name); ok {
			return zoneOf(loc), true
		}
	}
	if block := z.told[id]; block != nil {
		if loc, ok := iana(block.text("X-LIC-LOCATION")); ok {
			return zoneOf(loc), true
		}
		return fromRules(block)
	}
	if loc, ok := iana(id); ok {
		return zoneOf(loc), true
	}
	return zone{}, false
}

func iana(name string) (*time.Location, bool) {
	if name == "" || name == "Local" {
		return nil, false
	}
	loc, err := time.LoadLocation(name)
	return loc, err == nil
}

// onset is an instant from which on a zone's clocks are off by to.
type onset struct {
	at       time.Time
	from, to time.Duration
}

// fromRules reads a VTIMEZONE. ok is false when any of its rules cannot be read.
func fromRules(block *component) (zone, bool) {
	var list []onset
	for _, part := range block.parts {
		if part.name != "STANDARD" && part.name != "DAYLIGHT" {
			continue
		}
		more, ok := onsets(part)
		if !ok {
			return zone{}, false
		}
		list = append(list, more...)
	}
	if len(list) == 0 {
		return zone{}, false
	}
	slices.SortStableFunc(list, func(a, b onset) int { return a.at.Compare(b.at) })
	return zone{func(t time.Time) time.Duration {
		i, _ := slices.BinarySearchFunc(list, t, func(o onset, t time.Time) int {
			if o.at.After(t) {
				return 1
			}
			return -1
		})
		if i == 0 {
			return list[0].from
		}
		return list[i-1].to
	}}, true
}

// horizon is up to when a VTIMEZONE's rules are followed: further than any window reaches.
var horizon = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

func onsets(part *component) ([]onset, bool) {
	from, ok1 := offset(part.text("TZOFFSETFROM"))
	to, ok2 := offset(part.text("TZOFFSETTO"))
	start, err := time.Parse(localForm, part.text("DTSTART"))
	if !ok1 || !ok2 || err != nil {
		return nil, false
	}
	walls := []time.Time{start}
	if text := part.text("RRULE"); text != "" {
		rule, ok := ruleOf(text, start, func(utc time.Time) time.Time { return utc.Add(from) })
		if !ok || rule.OrigOptions.Freq != rrule.YEARLY {
			return nil, false
		}
		if !follow(rule, 1000, func(wall time.Time) bool {
			walls = append(walls, wall)
			return wall.Before(horizon)
		}) {
			return nil, false
		}
	}
	bad := false
	part.each("RDATE", func(p *prop) {
		for _, value := range strings.Split(p.Value, ",") {
			wall, err := time.Parse(localForm, value)
			bad = bad || p.bad || err != nil
			walls = append(walls, wall)
		}
	})
	list := make([]onset, 0, len(walls))
	for _, wall := range walls {
		list = append(list, onset{wall.Add(-from), from, to})
	}
	return list, !bad
}

var offsetForm = regexp.MustCompile(`^([+-])(\d\d)(\d\d)(\d\d)?$`)

// offset reads a UTC offset: "-0700".
func offset(text string) (time.Duration, bool) {
	parts := offsetForm.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil {
		return 0, false
	}
	var sum time.Duration
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(parts[i+2]) // digits, or nothing
		sum += time.Duration(n) * unit
	}
	if sum >= day {
		return 0, false
	}
	if parts[1] == "-" {
		sum = -sum
	}
	return sum, true
}
