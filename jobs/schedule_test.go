package jobs

import (
	"strings"
	"testing"
	"time"
)

var denver = zone("America/Denver")

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

func at(z *time.Location, text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", text, z)
	if err != nil {
		panic(err)
	}
	return t
}

func TestOverdue(t *testing.T) {
	tests := []struct {
		name       string
		line       string
		after, now string
		zone       *time.Location
		want       string // "" = nothing
		missed     bool
	}{
		{"nothing is due before the hour", "0 * * * *", "2026-03-03 09:00:00", "2026-03-03 09:59:59", time.UTC, "", false},
		{"the hour itself is due", "0 * * * *", "2026-03-03 09:00:00", "2026-03-03 10:00:00", time.UTC, "2026-03-03 10:00:00", false},
		{"a slot that was run is not due again", "0 * * * *", "2026-03-03 10:00:00", "2026-03-03 10:00:30", time.UTC, "", false},
		{"half a minute later it is still on time", "0 * * * *", "2026-03-03 09:00:00", "2026-03-03 10:00:30", time.UTC, "2026-03-03 10:00:00", false},
		{"half an hour later it was missed", "0 * * * *", "2026-03-03 09:00:00", "2026-03-03 10:30:00", time.UTC, "2026-03-03 10:00:00", true},
		{"a night off is caught up once, with the newest slot", "0 * * * *", "2026-03-03 18:00:00", "2026-03-04 07:00:10", time.UTC, "2026-03-04 07:00:00", true},
		{"a year off is caught up once", "*/15 * * * *", "2025-03-03 18:00:00", "2026-03-04 07:01:00", time.UTC, "2026-03-04 07:00:00", true},
		{"a yearly report is found however far back", "30 6 1 1 *", "2025-06-01 00:00:00", "2026-12-24 07:00:00", time.UTC, "2026-01-01 06:30:00", true},
		{"a clock that was put back asks for nothing", "0 * * * *", "2026-03-03 12:00:00", "2026-03-03 10:00:00", time.UTC, "", false},
		{"the working hours are the practice's", "0 6 * * *", "2026-03-03 00:00:00", "2026-03-03 06:00:10", denver, "2026-03-03 06:00:00", false},
		{"the spring night leaves 02:30 out", "30 2 * * *", "2026-03-07 02:30:00", "2026-03-08 12:00:00", denver, "", false},
		{"the night after has it again", "30 2 * * *", "2026-03-07 02:30:00", "2026-03-09 02:30:10", denver, "2026-03-09 02:30:00", false},
		{"04:00 is kept on the spring night", "0 4 * * *", "2026-03-07 04:00:00", "2026-03-08 04:00:05", denver, "2026-03-08 04:00:00", false},
		{"04:00 is kept on the autumn night, once", "0 4 * * *", "2026-11-01 04:00:00", "2026-11-01 23:00:00", denver, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := at(tt.zone, tt.now)
			s, err := parse(tt.line, tt.zone, now)
			if err != nil {
				t.Fatal(err)
			}
			slot, missed := overdue(s, at(tt.zone, tt.after), now)
			var want time.Time
			if tt.want != "" {
				want = at(tt.zone, tt.want)
			}
			if !slot.Equal(want) || missed != tt.missed {
				t.Errorf("got %v, missed %v; want %v, missed %v", slot, missed, want, tt.missed)
			}
			if !slot.IsZero() && slot.Location() != time.UTC {
				t.Errorf("the slot is keyed in %v, want UTC", slot.Location())
			}
		})
	}
}

// The autumn night has 01:30 twice: two slots in UTC, so that neither replica nor restart takes one for the other.
func TestTheAutumnHourHasTwoSlots(t *testing.T) {
	s, err := parse("30 1 * * *", denver, at(denver, "2026-10-01 00:00:00"))
	if err != nil {
		t.Fatal(err)
	}
	first := s.Next(at(denver, "2026-11-01 00:00:00"))
	second := s.Next(first)
	if second.Sub(first) != time.Hour || first.UnixMilli() == second.UnixMilli() {
		t.Errorf("slots %v and %v: want two, an hour apart", first, second)
	}
}

func TestLastSlotDoesNotWalkThroughTheYears(t *testing.T) {
	now := at(time.UTC, "2026-03-03 09:00:30")
	s, err := parse("* * * * *", time.UTC, now)
	if err != nil {
		t.Fatal(err)
	}
	counted := &counting{schedule: s}
	lastSlot(counted, now.AddDate(-10, 0, 0), now)
	if day := 24*60 + 2; counted.n > day {
		t.Errorf("looked at %d slots, want at most the last day's %d", counted.n, day)
	}
}

type counting struct {
	schedule
	n int
}

func (c *counting) Next(t time.Time) time.Time { c.n++; return c.schedule.Next(t) }

func TestCheck(t *testing.T) {
	now := at(time.UTC, "2026-01-15 12:00:00")
	tests := []struct {
		name, line string
		zone       *time.Location
		warns      string
		refuses    string
	}{
		{"every quarter of an hour in working hours", "*/15 6-20 * * *", denver, "", ""},
		{"the sweep at four", "0 4 * * *", denver, "", ""},
		{"the report at half past six", "30 6 * * *", denver, "", ""},
		{"two at night, where clocks change", "0 2 * * *", denver, "02:00", ""},
		{"half past midnight, where clocks change", "30 0 * * *", denver, "00:30", ""},
		{"two at night, where they do not", "0 2 * * *", zone("America/Phoenix"), "", ""},
		{"two at night in UTC", "0 2 * * *", time.UTC, "", ""},
		{"all night long: one more or less does not matter", "0 */2 * * *", denver, "", ""},
		{"every hour", "@hourly", denver, "", ""},
		{"once a day, which is midnight", "@daily", denver, "00:00", ""},
		{"every five minutes, counted", "@every 5m", denver, "", ""},
		{"the thirtieth of February", "0 4 30 2 *", denver, "", "never fires"},
		{"the twenty-ninth of February comes", "0 4 29 2 *", denver, "", ""},
		{"more often than once a minute", "@every 30s", denver, "", "more often than once a minute"},
		{"six fields", "0 */15 6-20 * * *", denver, "", "five fields"},
		{"words", "at four", denver, "", "five fields"},
		{"nothing", "", denver, "", "five fields"},
		{"an hour that is none", "0 25 * * *", denver, "", "five fields"},
		{"a zone of its own", "TZ=Europe/Berlin 0 4 * * *", denver, "", "hub.time_zone"},
		{"a zone and nothing else", "TZ=Europe/Berlin", denver, "", "hub.time_zone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			warning, err := check(tt.line, tt.zone, now)
			if tt.refuses == "" && err != nil || tt.refuses != "" && (err == nil || !strings.Contains(err.Error(), tt.refuses)) {
				t.Errorf("error %v, want %q", err, tt.refuses)
			}
			if (warning == "") != (tt.warns == "") || !strings.Contains(warning, tt.warns) {
				t.Errorf("warning %q, want one about %q", warning, tt.warns)
			}
		})
	}
}

func TestQueuesOfLanes(t *testing.T) {
	seen := map[string]string{}
	for _, lane := range []string{"ehr", "EHR", "e h r", "push skylight", "push-skylight", "läne", "…", strings.Repeat("long ", 40)} {
		q := queueOf(lane)
		if was, ok := seen[q]; ok {
			t.Errorf("lanes %q and %q share the queue %s", was, lane, q)
		}
		seen[q] = lane
		if len(q) > 64 || strings.Trim(q, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("lane %q has the queue %q, which River refuses", lane, q)
		}
	}
}

func TestHowCloseTheSlotsOfAScheduleLie(t *testing.T) {
	now := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)
	for line, want := range map[string]time.Duration{
		"*/15 6-20 * * *": 15 * time.Minute, "*/5 * * * *": 5 * time.Minute, "0 4 * * *": 24 * time.Hour,
		"0,10 6 * * *": 10 * time.Minute, "never": 0,
	} {
		if got := Closest(line, time.UTC, now); got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}
