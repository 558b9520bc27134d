package readiness

import (
	"testing"
	"time"
)

func TestAFindingGetsGraverWithTimeAndNearness(t *testing.T) {
	now := time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	tomorrow := &session{start: in(24 * time.Hour)}
	for _, r := range []struct {
		name  string
		first Severity
		rises []rise
		want  Severity
		until time.Time // when it is judged again
	}{
		{"nothing makes it graver", S3, nil, S3, in(horizon)},
		{"it will be graver in an hour", S3, []rise{once(in(time.Hour), S2)}, S3, in(time.Hour)},
		{"it is graver from now on", S3, []rise{once(in(0), S2)}, S2, in(horizon)},
		{"it was graver for days", S3, []rise{once(in(-50*time.Hour), S2)}, S2, in(horizon)},
		{"the session is tomorrow, and it is graver 48 h before", S2, []rise{near(tomorrow, 48*time.Hour, S1)}, S1, in(horizon)},
		{"the session is tomorrow, and it is graver 12 h before", S2, []rise{near(tomorrow, 12*time.Hour, S1)}, S2, in(12 * time.Hour)},
		{"there is no session", S2, []rise{near(nil, 48*time.Hour, S1)}, S2, in(horizon)},
		{"nobody knows when", S3, []rise{once(time.Time{}, S1)}, S3, in(horizon)},
		{"by time and by nearness, the gravest counts", S3, []rise{once(in(-time.Hour), S2), near(tomorrow, 48*time.Hour, S1)}, S1, in(horizon)},
		{"whatever the order", S3, []rise{near(tomorrow, 48*time.Hour, S1), once(in(-time.Hour), S2)}, S1, in(horizon)},
		{"the next step is looked out for too", S3, []rise{once(in(-time.Hour), S2), once(in(time.Hour), S1)}, S2, in(time.Hour)},
		{"nothing makes it less grave", S1, []rise{once(in(-time.Hour), S3)}, S1, in(horizon)},
	} {
		t.Run(r.name, func(t *testing.T) {
			f := &facts{clock: &clock{now: now}}
			if got := f.rising(r.first, r.rises...); got != r.want {
				t.Errorf("it is %s, want %s", got, r.want)
			}
			if got := f.clock.until(); !got.Equal(r.until) {
				t.Errorf("it is judged again at %s, want %s", got, r.until)
			}
		})
	}
}
