package entry_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
)

func TestReadingsThatWereMistyped(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"12/76", "118", "118/0", "700/80", "NaN/80", "118/NaN"} {
		if _, err := entry.Pressure(word); err == nil {
			t.Errorf("%s is taken for a blood pressure", word)
		}
	}
	for _, word := range []string{"700", "NaN", "9"} {
		if _, err := entry.Rate(word); err == nil {
			t.Errorf("%s is taken for a heart rate", word)
		}
	}
	for _, word := range []string{"-1", "NaN", "Inf", "1001"} {
		if _, err := entry.Number(word); err == nil {
			t.Errorf("%s is taken for a number", word)
		}
	}
	if bp, err := entry.Pressure(" 118 / 76 "); err != nil || bp != [2]float64{118, 76} {
		t.Errorf("%v, %v", bp, err)
	}
}

// Of a day without an hour nobody knows which came first: what stops is never taken for the older.
func TestADecisionDatedByItsDay(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC)
	c := entry.Clock{Now: at, Zone: time.UTC}
	for _, row := range []struct {
		said, outcome string
		want          time.Time
	}{
		{"2026-03-02", "cleared", time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)},
		{"2026-03-02", "withdrawn", time.Date(2026, 3, 2, 23, 59, 59, 0, time.UTC)},
		{"2026-03-03", "cleared", time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)},
		{"today", "cleared-with-conditions", time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)},
		{"today", "withdrawn", at},
		{"14:30", "cleared", time.Date(2026, 3, 3, 14, 30, 0, 0, time.UTC)},
		{"now", "cleared", at},
	} {
		if got, err := c.Said(row.said, row.outcome); err != nil || !got.Equal(row.want) {
			t.Errorf("%s, dated %s: %s, %v", row.outcome, row.said, got, err)
		}
	}
}

// Days are shown with their weekday, and people write back what they were shown; a weekday that belongs to another day is a
// slip in one of the two, and nobody guesses which.
func TestADayIsReadWithItsWeekday(t *testing.T) {
	t.Parallel()
	c := entry.Clock{Now: time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC), Zone: time.UTC}
	for _, said := range []string{"Sun 31 May 2026", "sunday, 31 May 2026", "Sun. May 31, 2026", "Sunday 2026-05-31", "31 May 2026"} {
		if day, err := c.Date(said); err != nil || day != "2026-05-31" {
			t.Errorf("%s: %s, %v", said, day, err)
		}
	}
	for _, said := range []string{"Mon 31 May 2026", "Su 31 May 2026", "Sun", "Sunny 31 May 2026"} {
		if day, err := c.Date(said); err == nil {
			t.Errorf("%s is taken for %s", said, day)
		}
	}
}
