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
	yesterday, lately := now.AddDate(0, 0, -1), now.AddDate(0, 0, -9)
	at := func(id string, state readiness.FindingState, since, resolved time.Time) readiness.Finding {
		return readiness.Finding{ID: id, Code: "R10", State: state, Since: since, Resolved: resolved}
	}
	fresh := readiness.Finding{ID: "a", Code: "R10", State: readiness.New}
	for _, r := range []struct {
		name              string
		previous, current []readiness.Finding
		state             readiness.FindingState // "" = none is left
		since, resolved   time.Time
	}{
		{"seen for the first time → new", nil, []readiness.Finding{fresh}, readiness.New, now, time.Time{}},
		{"seen again → persisting, since it was first seen", []readiness.Finding{at("a", readiness.New, lately, time.Time{})}, []readiness.Finding{fresh}, readiness.Persisting, lately, time.Time{}},
		{"seen once more → persisting", []readiness.Finding{at("a", readiness.Persisting, lately, time.Time{})}, []readiness.Finding{fresh}, readiness.Persisting, lately, time.Time{}},
		{"not seen any more → resolved now", []readiness.Finding{at("a", readiness.Persisting, lately, time.Time{})}, nil, readiness.Resolved, lately, now},
		{"resolved and told → forgotten", []readiness.Finding{at("a", readiness.Resolved, lately, yesterday)}, nil, "", time.Time{}, time.Time{}},
		{"resolved and back → reopened", []readiness.Finding{at("a", readiness.Resolved, lately, yesterday)}, []readiness.Finding{fresh}, readiness.Reopened, lately, time.Time{}},
		{"reopened and still there → persisting", []readiness.Finding{at("a", readiness.Reopened, lately, time.Time{})}, []readiness.Finding{fresh}, readiness.Persisting, lately, time.Time{}},
	} {
		t.Run(r.name, func(t *testing.T) {
			got := readiness.Track(r.previous, r.current, now)
			if r.state == "" {
				if len(got) > 0 {
					t.Fatalf("got %+v, want none", got)
				}
				return
			}
			if len(got) != 1 || got[0].State != r.state || !got[0].Since.Equal(r.since) || !got[0].Resolved.Equal(r.resolved) {
				t.Fatalf("got %+v", got)
			}
			if (got[0].By != "") != (r.state == readiness.Resolved) {
				t.Errorf("by %q", got[0].By)
			}
		})
	}
}

func TestTrackingTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		findings := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) readiness.Finding {
			return readiness.Finding{
				ID:    rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "id"),
				State: rapid.SampledFrom([]readiness.FindingState{readiness.New, readiness.Persisting, readiness.Resolved, readiness.Reopened}).Draw(t, "state"),
				Since: now.AddDate(0, 0, -rapid.IntRange(1, 9).Draw(t, "days")),
			}
		}), 0, 4, func(f readiness.Finding) string { return f.ID })
		previous := findings.Draw(t, "previous")
		current := findings.Draw(t, "current")
		for i := range current {
			current[i].State, current[i].Since = readiness.New, time.Time{}
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

func TestWhatIsResolvedSaysByWhat(t *testing.T) {
	before := rowAt{told: less("Consent", "release")}.verdict().After(readiness.Verdict{}, now)
	if f, _ := finding(before, "R06"); f.State != readiness.New || !f.Since.Equal(now) {
		t.Fatalf("got %+v", f)
	}
	after := rowAt{told: all}.verdict().After(before, now.Add(time.Hour))
	f, _ := finding(after, "R06")
	if f.State != readiness.Resolved || f.By != "Released to Skylight Psychedelics on 2 Jan 2026, valid to 2 Jan 2027" {
		t.Errorf("got %s, by %q", f.State, f.By)
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
		{"its Until passed → unknown", ready, false, "one", sources, 4 * time.Hour, readiness.Unknown, "Cannot tell: the verdict stood up to 3 Mar 2026 13:00"},
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
