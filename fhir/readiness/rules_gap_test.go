package readiness_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// office is open on weekdays from nine to five in New York, and closed on the holidays.
func office(holidays ...readiness.Day) func(*readiness.Policy) {
	return onSheet(func(s *readiness.Sheet) {
		zone, err := time.LoadLocation("America/New_York")
		if err != nil {
			panic(err)
		}
		s.Hours = readiness.Hours{Zone: zone, Open: map[time.Weekday][2]time.Duration{}, Holidays: map[readiness.Day]bool{}}
		for d := time.Monday; d <= time.Friday; d++ {
			s.Hours.Open[d] = [2]time.Duration{9 * time.Hour, 17 * time.Hour}
		}
		for _, d := range holidays {
			s.Hours.Holidays[d] = true
		}
	})
}

// at is a time of Denver in March 2026; New York is two hours ahead.
func at(dayOfMarch, hour, minute int) time.Time {
	return time.Date(2026, time.March, dayOfMarch, hour, minute, 0, 0, fhirtest.Denver)
}

func TestR42WeekendGap(t *testing.T) {
	// deferred awaits a decision: R09, S1 or S2, which only the prescriber can answer
	deferred := func(session time.Time) told {
		return cleared(fhir.DecisionDeferred, "2026-01-12", "2026-04-12").then(func(c *course) fhir.Version { return c.DaysBefore(1).Dosing(session) })
	}
	for _, r := range []struct {
		name   string
		row    rowAt
		want   string
		due    time.Time // of what waits
		phones bool
	}{
		{name: "all is in order → none", row: rowAt{told: plus(func(c *course) fhir.Version { return c.Dosing(at(9, 8, 0)) }), policy: office()}},
		{name: "a session on Thursday at noon → none", row: rowAt{told: deferred(at(5, 12, 0)), policy: office()}, due: at(5, 12, 0)},
		{name: "a session on Monday afternoon → none: they can be asked that morning", row: rowAt{told: deferred(at(9, 11, 0)), policy: office()}, due: at(9, 11, 0)},
		{name: "a session on Monday at nine, two hours after they open → S3, due on Friday at five", row: rowAt{told: deferred(at(9, 9, 0)), policy: office()}, want: "S3", due: at(6, 15, 0)},
		{name: "a session on Saturday → S3, due on Friday at five", row: rowAt{told: deferred(at(7, 10, 0)), policy: office()}, want: "S3", due: at(6, 15, 0)},
		{name: "a session on Thursday evening → S3, due when they close", row: rowAt{told: deferred(at(5, 18, 0)), policy: office()}, want: "S3", due: at(5, 15, 0)},
		{name: "a session on Thursday at nine after a holiday → S3, due the day before it", row: rowAt{told: deferred(at(5, 9, 0)), policy: office(readiness.Day{Year: 2026, Month: time.March, Day: 4})}, want: "S3", due: at(3, 15, 0)},
		{name: "without hours on file weekdays are open all day: a session on Sunday → S3, due at the end of Friday", row: rowAt{told: deferred(at(8, 10, 0))}, want: "S3", due: at(7, 0, 0)},
		{name: "on Saturday already, for Monday at nine → S3, and the phones", row: rowAt{told: deferred(at(9, 9, 0)), policy: office(), at: at(7, 9, 0).Sub(now)}, want: "S3", due: at(6, 15, 0), phones: true},
		{name: "closed for months → none: nobody knows when they are open", row: rowAt{told: deferred(at(9, 9, 0)), policy: onSheet(func(s *readiness.Sheet) {
			s.Hours.Holidays = map[readiness.Day]bool{}
			for d := (readiness.Day{Year: 2026, Month: time.January, Day: 1}); d.Year < 2027; d = d.Plus(1) {
				s.Hours.Holidays[d] = true
			}
		})}, due: at(9, 9, 0)},
	} {
		t.Run(r.name, func(t *testing.T) {
			v := r.row.verdict()
			f, _ := finding(v, "R42")
			if string(f.Severity) != r.want {
				t.Errorf("R42 is %q (%s), want %q", f.Severity, f.Words, r.want)
			}
			if strings.Contains(f.Next, "555-0199") != r.phones {
				t.Errorf("next: %s", f.Next)
			}
			if waits, ok := finding(v, "R09"); ok != !r.due.IsZero() || ok && !waits.Due.Equal(r.due) {
				t.Errorf("what waits is due %s, want %s", waits.Due.In(fhirtest.Denver), r.due)
			}
		})
	}
}

// R42 brings deadlines forward, and changes no state.
func TestTheWeekendChangesNoState(t *testing.T) {
	for hour := range 7 * 24 {
		row := rowAt{told: cleared(fhir.DecisionDeferred, "2026-01-12", "2026-04-12").then(func(c *course) fhir.Version {
			return c.DaysBefore(1).Dosing(at(5, 0, 0).Add(time.Duration(hour) * time.Hour))
		})}
		open := row.verdict()
		row.policy = office()
		if v := row.verdict(); v.State != open.State || v.Words != open.Words {
			t.Fatalf("at hour %d: %s (%s), without hours %s (%s)", hour, v.State, v.Words, open.State, open.Words)
		}
	}
}
