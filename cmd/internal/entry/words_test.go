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
