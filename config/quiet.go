package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Quiet are hours of every day in which a party is left in peace: "22:00-06:00", in the hub's zone. They may pass midnight.
type Quiet struct{ From, To time.Duration } // after midnight

var quietParts = regexp.MustCompile(`^(\d{1,2}:\d{2})-(\d{1,2}:\d{2})$`)

// UnmarshalText reads quiet hours like "22:00-06:00".
func (q *Quiet) UnmarshalText(text []byte) error {
	bad := fmt.Errorf("%q are no quiet hours: write from when to when, like 22:00-06:00", text)
	parts := quietParts.FindStringSubmatch(strings.TrimSpace(string(text)))
	if parts == nil {
		return bad
	}
	from, err1 := clock(parts[1])
	to, err2 := clock(parts[2])
	if err1 != nil || err2 != nil || from == to || from == 24*time.Hour {
		return bad
	}
	*q = Quiet{from, to}
	return nil
}

// QuietUntil returns when the quiet hours end that now lies in, by the clocks of zone; zero when it lies in none. Hours
// that follow each other without a gap are one.
func QuietUntil(all []Quiet, now time.Time, zone *time.Location) (until time.Time) {
	for range len(all) + 1 {
		at := now
		if !until.IsZero() {
			at = until
		}
		end := endOf(all, at.In(zone))
		if end.IsZero() {
			break
		}
		until = end
	}
	return until
}

func endOf(all []Quiet, local time.Time) time.Time {
	clock := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute + time.Duration(local.Second())*time.Second
	on := func(days int, d time.Duration) time.Time { // by the clock on the wall, whatever the clocks do that night
		return time.Date(local.Year(), local.Month(), local.Day()+days, int(d/time.Hour), int(d%time.Hour/time.Minute), 0, 0, local.Location())
	}
	for _, q := range all {
		switch {
		case q.From < q.To && q.From <= clock && clock < q.To, q.From > q.To && clock < q.To:
			return on(0, q.To)
		case q.From > q.To && clock >= q.From:
			return on(1, q.To)
		}
	}
	return time.Time{}
}
