package jobs

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// schedule is a cron line in the practice's zone.
type schedule struct {
	cron.Schedule
	zone *time.Location
}

// Next returns the first slot after t, in UTC; zero if there is none.
func (s schedule) Next(t time.Time) time.Time {
	n := s.Schedule.Next(t.In(s.zone))
	if n.IsZero() {
		return n
	}
	return n.UTC()
}

// Check answers what is wrong with a schedule in zone (err), or only worth knowing (warning): a line that cannot be
// read, that never fires or fires more often than once a minute is refused; one that fires between midnight and three
// in a zone with daylight saving is warned about, unless it fires all day long anyway.
func Check(line string, zone *time.Location) (warning string, err error) {
	return check(line, zone, time.Now())
}

func check(line string, zone *time.Location, now time.Time) (string, error) {
	s, err := parse(line, zone, now)
	if err != nil || !changesClocks(zone, now) {
		return "", err
	}
	hours, night := map[int]bool{}, time.Time{}
	for at, end := s.Next(now), now.AddDate(1, 0, 0); !at.IsZero() && at.Before(end) && len(hours) < allDay; at = s.Next(at) {
		local := at.In(zone)
		hours[local.Hour()] = true
		if local.Hour() < 3 {
			night = local
		}
	}
	if night.IsZero() || len(hours) >= allDay {
		return "", nil
	}
	return fmt.Sprintf("schedule %q fires at %s, where %s changes its clocks: one night a year it may be left out, and one night run twice; choose 03:00 or later",
		line, night.Format("15:04"), zone), nil
}

// Closest is the shortest time between two slots of a schedule, zero when it cannot be kept or fires only once.
func Closest(line string, zone *time.Location, now time.Time) (least time.Duration) {
	s, err := parse(line, zone, now)
	if err != nil {
		return 0
	}
	at := s.Next(now)
	for range 300 { // a day of every five minutes
		next := s.Next(at)
		if next.IsZero() {
			break
		}
		if gap := next.Sub(at); least == 0 || gap < least {
			least = gap
		}
		at = next
	}
	return least
}

// allDay is in how many different hours of the day a schedule must fire for one slot more or less not to matter.
const allDay = 12

// changesClocks reports whether zone has two offsets from UTC in the year after now.
func changesClocks(zone *time.Location, now time.Time) bool {
	_, first := now.In(zone).Zone()
	for month := 1; month <= 12; month++ {
		if _, offset := now.AddDate(0, month, 0).In(zone).Zone(); offset != first {
			return true
		}
	}
	return false
}

func parse(line string, zone *time.Location, now time.Time) (schedule, error) {
	if strings.Contains(line, "TZ=") {
		return schedule{}, fmt.Errorf("schedule %q: leave the zone out, it is hub.time_zone (%s)", line, zone)
	}
	c, err := cron.ParseStandard(line)
	if err != nil {
		return schedule{}, fmt.Errorf("schedule %q: %w; write five fields, e.g. \"*/15 6-20 * * *\"", line, err)
	}
	if every, ok := c.(cron.ConstantDelaySchedule); ok && every.Delay < time.Minute {
		return schedule{}, fmt.Errorf("schedule %q fires more often than once a minute", line)
	}
	s := schedule{c, zone}
	if s.Next(now).IsZero() {
		return schedule{}, fmt.Errorf("schedule %q: %w", line, errNever)
	}
	return s, nil
}

var errNever = errors.New("it never fires: there is no such day")

// late is how long after its slot a run still counts as on time.
const late = 2 * time.Minute

// overdue answers what a schedule asks for now, when the newest slot put in the queue was after:
//
//	nothing fell into (after, now]   slot is zero
//	one slot, just now               the slot
//	one slot, long ago               the slot, missed
//	several slots                    the newest, missed: they collapse into one run
//	after lies ahead of the clock    as if it were now: the clock was put back
func overdue(s cron.Schedule, after, now time.Time) (slot time.Time, missed bool) {
	slot = lastSlot(s, after, now)
	if slot.IsZero() {
		return slot, false
	}
	return slot, now.Sub(slot) > late || s.Next(after).Before(slot)
}

// lastSlot is the newest slot in (after, now]; zero if there is none. It looks at the last day first, so that a hub
// which was off for a year does not walk through all of it.
func lastSlot(s cron.Schedule, after, now time.Time) time.Time {
	for back := 24 * time.Hour; ; back *= 8 {
		from := now.Add(-back)
		if from.Before(after) || back > 20*365*24*time.Hour {
			from = after
		}
		var at time.Time
		for n := s.Next(from); !n.IsZero() && !n.After(now); n = s.Next(n) {
			at = n
		}
		if !at.IsZero() || !from.After(after) {
			return at
		}
	}
}
