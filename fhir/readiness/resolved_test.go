package readiness_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestWhatIsResolvedSaysByWhat(t *testing.T) {
	hour := time.Hour
	for _, r := range []struct {
		name   string
		before told
		then   func(c *course) []fhir.Version // told within the next hour
		chart  func(*fhir.Chart)              // as it was judged before
		policy func(*readiness.Policy)        // as it was judged after
		later  time.Duration
		code   string
		by     string
		ended  []string // the records
	}{
		{
			name: "the release is on file again: the gate's words, and that release", code: "R06", later: hour,
			before: less("Consent", "release"),
			then:   func(c *course) []fhir.Version { return []fhir.Version{c.Release()} },
			by:     "Released to Skylight Psychedelics on Tue 3 Mar 2026, valid to Sat 2 Jan 2027", ended: []string{"ehr/Consent/release-p1@2"},
		},
		{
			name: "the prescriber lifted the flag: the flag as they told it anew", code: "R15", later: hour,
			before: plus(func(c *course) fhir.Version { return c.DaysBefore(1).Flag("active") }),
			then:   func(c *course) []fhir.Version { return []fhir.Version{c.Flag("inactive")} },
			by:     "Skylight Psychedelics recorded the stop as inactive on Tue 3 Mar 2026 09:55", ended: []string{"skylight/Flag/stop-p1@2"},
		},
		{
			name: "the session was cancelled, and nothing was decided: the session", code: "R09", later: hour,
			before: less("Observation", "clearance"),
			then: func(c *course) []fhir.Version {
				return []fhir.Version{c.Dosing(c.Session, fhirtest.Set("status", "cancelled"))}
			},
			by: "Reverie recorded the appointment as cancelled on Tue 3 Mar 2026 09:55", ended: []string{"ehr/Appointment/dosing-p1@2"},
		},
		{
			name: "a withdrawn release, and a new one signed: the new one, and not the consent to treatment", code: "R07", later: hour,
			before: plus(func(c *course) fhir.Version { return c.DaysBefore(1).Release(fhirtest.Set("status", "inactive")) }),
			then: func(c *course) []fhir.Version {
				return []fhir.Version{c.Release(fhirtest.Set("id", "anew"), fhirtest.Set("dateTime", "2026-03-03T09:55:00-07:00"))}
			},
			by: "Released to Skylight Psychedelics on Tue 3 Mar 2026, valid to Sat 2 Jan 2027", ended: []string{"ehr/Consent/anew@1"},
		},
		{
			name: "a serious event, answered: the prescriber's decision", code: "R30", later: hour,
			before: plus(func(c *course) fhir.Version { return c.DaysBefore(1).AdverseEvent(fhir.CodeSerious) }),
			then: func(c *course) []fhir.Version {
				return []fhir.Version{c.Clearance(fhir.DecisionCleared, "2026-03-03", "2026-06-01", fhirtest.Set("id", "anew"))}
			},
			by: "Skylight Psychedelics recorded cleared on Tue 3 Mar 2026, valid to Mon 1 Jun 2026", ended: []string{"skylight/Observation/anew@1"},
		},
		{
			name: "the source was read again: that read", code: "R44", later: hour,
			before: all, chart: func(c *fhir.Chart) { c.Sources[1].LastComplete = now.AddDate(0, 0, -6) },
			by: "skylight was read completely, up to Tue 3 Mar 2026 10:00",
		},
		{
			name: "the settings let it pass: the settings", code: "R22", later: hour,
			before: all, policy: func(p *readiness.Policy) { p.Rules.DosesSpare, p.Hash = -9, "two" },
			by: "the settings, code maps or rules changed",
		},
		{
			name: "nothing was told: its time is over", code: "R47", later: 8 * day,
			before: func(c *course) []fhir.Version {
				vs := c.Blameless()
				c.On(now.Add(-2 * time.Hour))
				newer := c.Flag("inactive")
				c.On(now.Add(-3 * time.Hour))
				older := c.Flag("inactive")
				older.Received, older.Moment = now.Add(-hour), newer.Moment+1
				return append(vs, newer, older)
			},
			by: "its time is over; no newer record was told",
		},
	} {
		t.Run(r.name, func(t *testing.T) {
			c := fhirtest.Client(now)
			versions := r.before(c)
			p := policy()
			if r.code == "R22" {
				p.Rules.DosesSpare = 9
			}
			chart := c.Chart(versions...)
			if r.chart != nil {
				r.chart(&chart)
			}
			first := readiness.Assess(chart, p, now).After(readiness.Verdict{}, &chart, &p, now)
			if f, ok := finding(first, r.code); !ok || f.State != readiness.New || !f.Since.Equal(now) {
				explain(t, first)
				t.Fatalf("before, it is %+v", f)
			}
			if r.then != nil {
				c.On(now.Add(55 * time.Minute))
				versions = append(versions, r.then(c)...)
			}
			if r.policy != nil {
				r.policy(&p)
			}
			after := now.Add(r.later)
			chart = c.Chart(versions...)
			for i := range chart.Sources {
				chart.Sources[i].LastComplete = after
			}
			v := readiness.Assess(chart, p, after).After(first, &chart, &p, after)
			f, _ := finding(v, r.code)
			if f.State != readiness.Resolved || f.By != r.by || !f.Resolved.Equal(after) {
				explain(t, v)
				t.Fatalf("it is %s, by %q", f.State, f.By)
			}
			if len(f.Ended) != len(r.ended) {
				t.Fatalf("ended by %v, want %v", f.Ended, r.ended)
			}
			for i, b := range f.Ended {
				if got := b.Source + "/" + b.Type + "/" + b.ID + "@" + string(rune('0'+b.Version)); got != r.ended[i] {
					t.Errorf("ended by %s, want %s", got, r.ended[i])
				}
			}
			again := readiness.Assess(chart, p, after.Add(hour)).After(v, &chart, &p, after.Add(hour))
			if g, _ := finding(again, r.code); g.By != f.By || !g.Resolved.Equal(f.Resolved) {
				t.Errorf("an hour later it is %s, by %q", g.State, g.By)
			}
		})
	}
}
