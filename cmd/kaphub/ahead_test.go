package main

import (
	"strings"
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

func TestWhatStillWaitsIsToldWithItsReason(t *testing.T) {
	one := []exchange.Entry{{Delivery: exchange.Delivery{To: "skylight"}}}
	tests := []struct {
		name      string
		open      []exchange.Entry
		reachable []string
		want      string
	}{
		{"nothing waits", nil, []string{"skylight"}, ""},
		{"one waits for its next try", one, []string{"practice", "skylight"}, "1 delivery is staged and waits for the next try: kaphub deliveries shows why"},
		{"a prescriber has no server yet", one, []string{"practice"}, "no connector leads to skylight: configure one, and what waits for it (1) is sent"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(waiting(test.open, exchange.Staged, test.reachable), "; "); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
