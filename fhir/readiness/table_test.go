package readiness_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

type course = fhirtest.Course

// told is what the records of a row say.
type told func(c *course) []fhir.Version

// set is shorter than fhirtest.Set in tables.
var set = fhirtest.Set

// all is the blameless client.
func all(c *course) []fhir.Version { return c.Blameless() }

// plus is the blameless client, and one thing more.
func plus(more func(c *course) fhir.Version) told {
	return func(c *course) []fhir.Version { return append(c.Blameless(), more(c)) }
}

// then is a row's records, and one thing more.
func (t told) then(more func(c *course) fhir.Version) told {
	return func(c *course) []fhir.Version { return append(t(c), more(c)) }
}

// less is the blameless client without a record, by type and name.
func less(kind, name string) told {
	return func(c *course) []fhir.Version {
		id := name + "-" + c.Patient
		if kind == "Patient" {
			id = name
		}
		return fhirtest.WithoutRecord(c.Blameless(), kind, id)
	}
}

// none is the client whom the practice knows, and nothing else.
func none(c *course) []fhir.Version { return []fhir.Version{c.DaysBefore(60).PatientHere()} }

// gone takes the newest version of a record away.
func (t told) gone(kind, name string) told {
	return func(c *course) []fhir.Version {
		vs := t(c)
		c.On(now.Add(-5 * time.Minute))
		for _, v := range vs {
			if v.Type == kind && v.ID == name+"-"+c.Patient {
				return append(vs, c.Gone(v, "deleted"))
			}
		}
		panic("no such record: " + kind + " " + name)
	}
}

// cleared is the blameless client with another decision in place of theirs, made 50 days ago.
func cleared(decision, start, end string, edits ...fhir.Edit) told {
	return func(c *course) []fhir.Version {
		return append(less("Observation", "clearance")(c), c.DaysBefore(50).Clearance(decision, start, end, edits...))
	}
}

// rowAt is one situation.
type rowAt struct {
	name   string
	told   told
	policy func(*readiness.Policy)
	at     time.Duration // after now
	chart  func(*fhir.Chart)
	want   string // a gate's state, or a finding's severity; "" = no finding
	state  readiness.State
}

func (r rowAt) verdict() readiness.Verdict {
	c := fhirtest.Client(now)
	chart := c.Chart(r.told(c)...)
	for i := range chart.Sources {
		chart.Sources[i].LastComplete = now.Add(r.at)
	}
	if r.chart != nil {
		r.chart(&chart)
	}
	p := policy()
	if r.policy != nil {
		r.policy(&p)
	}
	return readiness.Assess(chart, p, now.Add(r.at))
}

func judgeGate(t *testing.T, name readiness.GateName, rows []rowAt) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			v := r.verdict()
			g := gate(t, v, name)
			if string(g.State) != r.want {
				t.Errorf("%s is %s (%s), want %s", name, g.State, g.Words, r.want)
			}
			if g.Words == "" || g.State != readiness.Met && g.State != readiness.NotDue && g.Next == "" {
				t.Errorf("words %q, next %q: a gate says what and who", g.Words, g.Next)
			}
			if g.State == readiness.Met && len(g.Because) == 0 && g.Agreed == "" {
				t.Error("met, and rests on nothing")
			}
			if r.state != "" && v.State != r.state {
				t.Errorf("the verdict is %s (%s), want %s", v.State, v.Words, r.state)
			}
		})
	}
}

func judgeRule(t *testing.T, code string, rows []rowAt) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			v := r.verdict()
			f, _ := finding(v, code)
			if string(f.Severity) != r.want {
				t.Errorf("%s is %q (%s), want %q", code, f.Severity, f.Words, r.want)
			}
			if r.want != "" && (f.Words == "" || f.Next == "" || f.Owner == "" || f.ID == "" || f.State != readiness.New) {
				t.Errorf("a finding says what, who and what next: %+v", f)
			}
			if (r.want == "S1" || r.want == "S2") && v.State != readiness.Hold && v.State != readiness.Unknown && v.State != readiness.NotReady {
				t.Errorf("the verdict is %s beside an open %s", v.State, r.want)
			}
			if r.state != "" && v.State != r.state {
				t.Errorf("the verdict is %s (%s), want %s", v.State, v.Words, r.state)
			}
		})
	}
}
