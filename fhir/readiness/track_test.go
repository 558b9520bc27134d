package readiness_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestTrack(t *testing.T) {
	const day = 24 * time.Hour
	lately := now.AddDate(0, 0, -9)
	was := func(state readiness.FindingState, since time.Time, more ...func(*readiness.Finding)) []readiness.Finding {
		f := readiness.Finding{ID: "a", Code: "R10", State: state, Since: since}
		for _, m := range more {
			m(&f)
		}
		return []readiness.Finding{f}
	}
	resolved := func(ago time.Duration) func(*readiness.Finding) {
		return func(f *readiness.Finding) { f.Resolved, f.By = now.Add(-ago), "a record" }
	}
	reopened := func(times int, ago time.Duration) func(*readiness.Finding) {
		return func(f *readiness.Finding) { f.Reopened, f.Opened = times, now.Add(-ago) }
	}
	there := []readiness.Finding{{ID: "a", Code: "R10", State: readiness.New}}
	for _, r := range []struct {
		name              string
		previous, current []readiness.Finding
		state             readiness.FindingState // "" = none is left
		since             time.Time
		opened            time.Time
		times             int
		resolved          time.Time
	}{
		{name: "seen for the first time → new", current: there, state: readiness.New, since: now},
		{name: "seen again within the day → still new", previous: was(readiness.New, now.Add(-23*time.Hour)), current: there, state: readiness.New, since: now.Add(-23 * time.Hour)},
		{name: "seen again after a day → persisting, since it was first seen", previous: was(readiness.New, now.Add(-day)), current: there, state: readiness.Persisting, since: now.Add(-day)},
		{name: "seen once more → persisting", previous: was(readiness.Persisting, lately), current: there, state: readiness.Persisting, since: lately},
		{name: "not seen any more → resolved now", previous: was(readiness.Persisting, lately), state: readiness.Resolved, since: lately, resolved: now},
		{name: "resolved, and still not there → as it was", previous: was(readiness.Resolved, lately, resolved(day)), state: readiness.Resolved, since: lately, resolved: now.Add(-day)},
		{name: "resolved, and back → reopened, since it was first seen", previous: was(readiness.Resolved, lately, resolved(day)), current: there, state: readiness.Reopened, since: lately, opened: now, times: 1},
		{name: "resolved 29 days ago, and back → reopened", previous: was(readiness.Resolved, now.Add(-60*day), resolved(29*day)), current: there, state: readiness.Reopened, since: now.Add(-60 * day), opened: now, times: 1},
		{name: "resolved 30 days ago, and back → new", previous: was(readiness.Resolved, now.Add(-60*day), resolved(30*day)), current: there, state: readiness.New, since: now},
		{name: "resolved 30 days ago, and not back → forgotten", previous: was(readiness.Resolved, now.Add(-60*day), resolved(30*day))},
		{name: "reopened an hour ago, and still there → still reopened", previous: was(readiness.Reopened, lately, reopened(1, time.Hour)), current: there, state: readiness.Reopened, since: lately, opened: now.Add(-time.Hour), times: 1},
		{name: "reopened a day ago, and still there → persisting, and it says how often it came back", previous: was(readiness.Reopened, lately, reopened(2, day)), current: there, state: readiness.Persisting, since: lately, opened: now.Add(-day), times: 2},
		{name: "reopened, and resolved again → resolved", previous: was(readiness.Persisting, lately, reopened(2, day)), state: readiness.Resolved, since: lately, opened: now.Add(-day), times: 2, resolved: now},
		{name: "resolved, and back for the third time", previous: was(readiness.Resolved, lately, reopened(2, 3*day), resolved(day)), current: there, state: readiness.Reopened, since: lately, opened: now, times: 3},
	} {
		t.Run(r.name, func(t *testing.T) {
			got := readiness.Track(r.previous, r.current, now)
			if r.state == "" {
				if len(got) > 0 {
					t.Fatalf("got %+v, want none", got)
				}
				return
			}
			if len(got) != 1 {
				t.Fatalf("got %+v", got)
			}
			f := got[0]
			if f.State != r.state || !f.Since.Equal(r.since) || !f.Resolved.Equal(r.resolved) || !f.Opened.Equal(r.opened) || f.Reopened != r.times {
				t.Fatalf("got %+v", f)
			}
			if (f.By != "") != (r.state == readiness.Resolved) {
				t.Errorf("by %q", f.By)
			}
		})
	}
}

func TestTrackingTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		findings := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) readiness.Finding {
			f := readiness.Finding{
				ID:       rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "id"),
				State:    rapid.SampledFrom([]readiness.FindingState{readiness.New, readiness.Persisting, readiness.Resolved, readiness.Reopened}).Draw(t, "state"),
				Since:    now.AddDate(0, 0, -rapid.IntRange(41, 50).Draw(t, "days")),
				Reopened: rapid.IntRange(0, 2).Draw(t, "times"),
			}
			if f.State == readiness.Resolved {
				f.Resolved = now.AddDate(0, 0, -rapid.IntRange(1, 40).Draw(t, "resolved days ago"))
			}
			return f
		}), 0, 4, func(f readiness.Finding) string { return f.ID })
		previous := findings.Draw(t, "previous")
		current := findings.Draw(t, "current")
		for i := range current {
			current[i] = readiness.Finding{ID: current[i].ID, State: readiness.New}
		}
		once := readiness.Track(previous, current, now)
		if twice := readiness.Track(previous, once, now.Add(time.Hour)); !reflect.DeepEqual(once, twice) {
			t.Fatalf("once %+v\ntwice %+v", once, twice)
		}
	})
}

func TestTheSameFactsGiveTheSameFinding(t *testing.T) {
	row := rowAt{told: plus(func(c *course) fhir.Version { return c.DaysBefore(1).Flag("active") })}
	a, _ := finding(row.verdict(), "R15")
	row.at = time.Hour
	b, _ := finding(row.verdict(), "R15")
	if a.ID == "" || a.ID != b.ID {
		t.Errorf("%q and %q", a.ID, b.ID)
	}
	row.policy = func(p *readiness.Policy) { p.Prescriber.Name = "other" }
	if c, _ := finding(row.verdict(), "R15"); c.ID == a.ID {
		t.Error("two engagements share a finding")
	}
}

func TestCurrent(t *testing.T) {
	sources := fhirtest.Sources(now)
	ready := rowAt{told: all}.verdict()
	hold := rowAt{told: plus(func(c *course) fhir.Version { return c.Flag("active") })}.verdict()
	stale := fhirtest.Sources(now.AddDate(0, 0, -4))
	half := fhirtest.Sources(now)
	half[1].Complete = false
	for _, r := range []struct {
		name    string
		verdict readiness.Verdict
		moved   bool
		hash    string
		sources []fhir.SourceState
		at      time.Duration
		want    readiness.State
		words   string
	}{
		{"nothing happened → as it was", ready, false, "one", sources, time.Hour, readiness.Ready, ready.Words},
		{"the chart moved → unknown", ready, true, "one", sources, 0, readiness.Unknown, "Cannot tell: the records moved since it was judged"},
		{"the policy changed → unknown", ready, false, "two", sources, 0, readiness.Unknown, "Cannot tell: the settings, code maps or rules changed since it was judged"},
		{"its Until passed → unknown", ready, false, "one", sources, 4 * time.Hour, readiness.Unknown, "Cannot tell: the verdict stood up to Tue 3 Mar 2026 13:00"},
		{"a source went stale → unknown", ready, false, "one", stale, 0, readiness.Unknown, "Cannot tell: ehr last read Fri 27 Feb 2026 09:00"},
		{"a source is half read → unknown", ready, false, "one", half, 0, readiness.Unknown, "Cannot tell: skylight is not read completely; last time it was Tue 3 Mar 2026 09:00"},
		{"a source was never heard of → unknown", ready, false, "one", sources[:1], 0, readiness.Unknown, "Cannot tell: skylight was never read completely"},
		{"a hold, and everything happened → a hold", hold, true, "two", stale, 90 * 24 * time.Hour, readiness.Hold, hold.Words},
	} {
		t.Run(r.name, func(t *testing.T) {
			p := policy(func(p *readiness.Policy) { p.Hash = r.hash })
			got := readiness.Current(r.verdict, r.moved, p, r.sources, now.Add(r.at))
			if got.State != r.want || got.Words != r.words {
				t.Errorf("got %s: %s", got.State, got.Words)
			}
			if got.State == readiness.Unknown && (got.Owner == "" || got.Next == "") {
				t.Error("unknown, and nobody is told what to do")
			}
		})
	}
}

// What Current calls current, Assess would say again; what Assess calls stale, Current does not let stand.
func TestCurrentAgreesWithAssess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := lived(t)
		v := l.assess()
		later := l.now.Add(time.Duration(rapid.IntRange(0, 3*24*60).Draw(t, "minutes later")) * time.Minute)
		c := readiness.Current(v, false, l.policy, l.sources, later)
		if c.State != v.State && c.State != readiness.Unknown {
			t.Fatalf("from %s to %s", v.State, c.State)
		}
		l.now = later
		if w := l.assess(); c.State == readiness.Ready && w.State != readiness.Ready {
			t.Fatalf("stands as READY, and Assess says %s: %s\n%v", w.State, w.Words, l.story)
		}
	})
}
