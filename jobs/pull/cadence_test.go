package pull

import (
	"testing"
	"time"
)

func TestNext(t *testing.T) {
	sent := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	after := func(d time.Duration) time.Time { return sent.Add(d) }
	for _, c := range []struct {
		name         string
		sent, looked time.Time
		now          time.Time
		want         time.Time
	}{
		{"nothing was ever sent: the schedule is enough", time.Time{}, after(0), after(time.Hour), time.Time{}},
		{"sent a moment ago: not before a minute", sent, after(-time.Hour), after(time.Second), after(time.Minute)},
		{"looked at while it was sent: not before a minute", sent, after(0), after(2 * time.Minute), after(time.Minute)},
		{"looked at after a minute: again five minutes later", sent, after(time.Minute), after(2 * time.Minute), after(6 * time.Minute)},
		{"looked at by schedule meanwhile: five minutes from there", sent, after(8 * time.Minute), after(9 * time.Minute), after(13 * time.Minute)},
		{"after half an hour: an hour later", sent, after(31 * time.Minute), after(32 * time.Minute), after(91 * time.Minute)},
		{"the last look of the day", sent, after(23 * time.Hour), after(23*time.Hour + time.Minute), after(24 * time.Hour)},
		{"a day later: the schedule is enough", sent, after(23*time.Hour + 30*time.Minute), after(24 * time.Hour), time.Time{}},
		{"the next look would be a day later", sent, after(23*time.Hour + 30*time.Minute), after(23*time.Hour + 40*time.Minute), time.Time{}},
		{"it was down for hours: at once", sent, after(time.Minute), after(5 * time.Hour), after(6 * time.Minute)},
	} {
		if got := Next(c.sent, c.looked, c.now); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// From a send on, a source that never answers is looked at so often, whatever the length of the hub's own look.
func TestHowOftenASilentSourceIsLookedAt(t *testing.T) {
	sent := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	looked, times := sent.Add(-time.Hour), map[string]int{}
	for now := sent; now.Sub(sent) < 48*time.Hour; now = now.Add(30 * time.Second) {
		if next := Next(sent, looked, now); next.IsZero() || next.After(now) {
			continue
		}
		looked = now
		switch since := now.Sub(sent); {
		case since <= 31*time.Minute:
			times["half an hour"]++
		case since <= 24*time.Hour:
			times["the day"]++
		default:
			times["later"]++
		}
	}
	if times["half an hour"] != 7 || times["the day"] != 23 || times["later"] != 0 {
		t.Errorf("looked at %v", times)
	}
}
