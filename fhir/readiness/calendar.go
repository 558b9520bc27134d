package readiness

import (
	"strconv"
	"time"
)

// DayOf returns the civil date of t in zone.
func DayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	return Day{Year: y, Month: m, Day: d}
}

// Start returns the first instant of d in zone.
func (d Day) Start(zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone)
}

// Plus returns the civil date n days later.
func (d Day) Plus(n int) Day {
	return DayOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC), time.UTC)
}

// Months returns the same day n months later, or the last day of that month when it is shorter: 31 August plus six is
// the last of February, never a day in March.
func (d Day) Months(n int) Day {
	last := time.Date(d.Year, d.Month+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC)
	y, m, end := last.Date()
	return Day{Year: y, Month: m, Day: min(d.Day, end)}
}

// IsZero reports whether d is no date.
func (d Day) IsZero() bool { return d == Day{} }

// String returns d as "2026-01-10".
func (d Day) String() string {
	if d.IsZero() {
		return ""
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// weekday returns the day of the week.
func (d Day) weekday() time.Weekday {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Weekday()
}

// works reports whether d is a business day. Without opening hours, Monday to Friday are.
func (h Hours) works(d Day) bool {
	if h.Holidays[d] {
		return false
	}
	if len(h.Open) == 0 {
		return d.weekday() != time.Saturday && d.weekday() != time.Sunday
	}
	_, open := h.Open[d.weekday()]
	return open
}

// Later returns the instant n business days after t, at the same time of day on the wall. What comes in on a closed day
// counts from the beginning of the next business day: Friday 16:10 plus one is Monday 16:10, Saturday plus one is
// Tuesday 00:00. zone is used when the hours state none.
func (h Hours) Later(t time.Time, n int, zone *time.Location) time.Time {
	if h.Zone != nil {
		zone = h.Zone
	}
	at, day := t.In(zone), DayOf(t, zone)
	hour, minute, second := at.Clock()
	if !h.works(day) {
		hour, minute, second = 0, 0, 0
		day = h.next(day)
	}
	for range n {
		day = h.next(day)
	}
	return time.Date(day.Year, day.Month, day.Day, hour, minute, second, 0, zone)
}

// Earlier returns the last instant from which n business days (Later) are over by t: Monday 10:00 less one is Friday 10:00.
// A t on a closed day counts from the end of the business day before: Saturday less one is the end of Thursday.
func (h Hours) Earlier(t time.Time, n int, zone *time.Location) time.Time {
	if h.Zone != nil {
		zone = h.Zone
	}
	at, day := t.In(zone), DayOf(t, zone)
	hour, minute, second := at.Clock()
	closed := !h.works(day)
	if closed {
		day = h.before(day)
	}
	for range n {
		day = h.before(day)
	}
	if closed {
		return day.Plus(1).Start(zone).Add(-time.Nanosecond)
	}
	return time.Date(day.Year, day.Month, day.Day, hour, minute, second, 0, zone)
}

// before returns the last business day before d; a calendar closed for a whole year yields the day before d.
func (h Hours) before(d Day) Day {
	for i := 1; i <= 366; i++ {
		if earlier := d.Plus(-i); h.works(earlier) {
			return earlier
		}
	}
	return d.Plus(-1)
}

// next returns the first business day after d; a calendar closed for a whole year yields the day after d.
func (h Hours) next(d Day) Day {
	for i := 1; i <= 366; i++ {
		if later := d.Plus(i); h.works(later) {
			return later
		}
	}
	return d.Plus(1)
}

// shift returns t moved by d. Whole days move on the calendar, to the end of the day they reach: ninety days from
// 2 March last through 31 May.
func shift(t time.Time, d time.Duration, zone *time.Location) time.Time {
	const day = 24 * time.Hour
	if d%day != 0 {
		return t.Add(d)
	}
	return DayOf(t, zone).Plus(int(d/day) + 1).Start(zone)
}

// shiftBack returns the last instant at which something had to be over to be at least d before t. Whole days are counted
// on the calendar: a week between Thursdays is a week, whatever the hour and whatever the clocks did.
func shiftBack(t time.Time, d time.Duration, zone *time.Location) time.Time {
	const day = 24 * time.Hour
	if d%day != 0 {
		return t.Add(-d)
	}
	return DayOf(t, zone).Plus(1 - int(d/day)).Start(zone).Add(-time.Nanosecond)
}

// later returns the later of two instants.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// onDay writes the date of t as on the screen, with its weekday: "Mon 2 Mar 2026".
func onDay(t time.Time, zone *time.Location) string {
	t = t.In(zone)
	y, m, d := t.Date()
	var b [20]byte
	out := append(append(b[:0], t.Weekday().String()[:3]...), ' ')
	out = append(strconv.AppendInt(out, int64(d), 10), ' ')
	out = append(append(out, m.String()[:3]...), ' ')
	return string(strconv.AppendInt(out, int64(y), 10))
}

// lastDay writes the last day of a span that ends before t.
func lastDay(t time.Time, zone *time.Location) string {
	return onDay(t.Add(-time.Nanosecond), zone)
}

// atTime writes the time of day of t: "09:15".
func atTime(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("15:04")
}
