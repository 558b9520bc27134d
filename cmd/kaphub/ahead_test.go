package main

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
)

func TestASyncWaitsOutOnlyPausesThatHaveAReason(t *testing.T) {
	now := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		name      string
		last, due time.Duration // from now
		by        time.Duration
		want      bool
	}{
		{"a short pause after a failed try is not waited out", -5 * time.Second, 10 * time.Second, time.Minute, false},
		{"what may not show yet is given its minute, not asked for again at once", -5 * time.Second, 55 * time.Second, time.Minute, true},
		{"when the minute is over it is due", -time.Minute, 0, time.Minute, false},
		{"a pause that the other side asked for is kept to its end", -9 * time.Minute, time.Minute, time.Minute, true},
		{"a restored hub asks about everything", -9 * time.Minute, time.Hour, 365 * 24 * time.Hour, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := exchange.Entry{Last: now.Add(test.last), Due: now.Add(test.due)}
			if got := (ahead{by: test.by}).rests(e, now); got != test.want {
				t.Errorf("rests is %v, want %v", got, test.want)
			}
		})
	}
}
