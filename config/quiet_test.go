package config

import (
	"strings"
	"testing"
	"time"
)

func TestQuietHours(t *testing.T) {
	denver, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		t.Helper()
		v, err := time.ParseInLocation("2006-01-02 15:04", s, denver)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct{ name, hours, now, until string }{
		{"none are set", "", "2026-03-02 03:00", ""},
		{"in the evening they last into the morning", "22:00-06:00", "2026-03-02 23:10", "2026-03-03 06:00"},
		{"in the morning they end today", "22:00-06:00", "2026-03-03 05:59", "2026-03-03 06:00"},
		{"at their end they are over", "22:00-06:00", "2026-03-03 06:00", ""},
		{"in the day there are none", "22:00-06:00", "2026-03-03 12:00", ""},
		{"over noon", "12:00-13:30", "2026-03-03 12:00", "2026-03-03 13:30"},
		{"the night the clocks go forward", "22:00-06:00", "2026-03-07 23:00", "2026-03-08 06:00"},
		{"the night the clocks go back", "22:00-06:00", "2026-10-31 23:00", "2026-11-01 06:00"},
		{"two that follow each other are one", "22:00-24:00 0:00-05:00", "2026-03-02 22:30", "2026-03-03 05:00"},
		{"a whole day of them ends all the same", "0:00-12:00 12:00-24:00", "2026-03-02 22:30", "2026-03-04 00:00"},
	} {
		var all []Quiet
		for _, h := range strings.Fields(c.hours) {
			var q Quiet
			if err := q.UnmarshalText([]byte(h)); err != nil {
				t.Fatal(err)
			}
			all = append(all, q)
		}
		var want time.Time
		if c.until != "" {
			want = at(c.until)
		}
		if got := QuietUntil(all, at(c.now), denver); !got.Equal(want) {
			t.Errorf("%s: until %v, want %v", c.name, got, want)
		}
	}
	for _, bad := range []string{"", "22-6", "25:00-06:00", "22:00", "06:00-06:00", "Mon 22:00-06:00"} {
		if err := new(Quiet).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is taken for quiet hours", bad)
		}
	}
}
