package readiness_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// The table of fhir.md section 2, row by row. A name reads "from -> to : who moves it, guide".
func TestWhoMayMoveATask(t *testing.T) {
	const (
		normal    = readiness.Normal
		allowed   = readiness.Allowed
		anomalous = readiness.Anomalous
	)
	for _, row := range []struct {
		name  string
		asked bool // a cancellation was asked for
		want  readiness.Manner
	}{
		{"draft -> requested : placer, COW", false, normal},
		{"draft -> requested : filler, COW", false, anomalous},
		{"requested -> received : filler, COW", false, normal},
		{"requested -> received : filler, BSeR", false, normal},
		{"requested -> received : filler, SDOH", false, allowed},
		{"requested -> accepted : filler, COW", false, normal},
		{"requested -> accepted : placer, COW", false, anomalous},
		{"requested -> accepted : filler, SDOH", false, normal},
		{"received -> accepted : filler, BSeR", false, normal},
		{"received -> rejected : filler, COW", false, normal},
		{"requested -> rejected : filler, SDOH", false, normal},
		{"received -> rejected : placer, BSeR", false, anomalous},
		{"requested -> cancelled : placer, COW", false, normal},
		{"requested -> cancelled : filler, COW", false, anomalous},
		{"requested -> cancelled : filler, SDOH", false, normal},
		{"accepted -> cancelled : placer, SDOH", false, normal},
		{"accepted -> cancelled : placer, BSeR", false, anomalous},
		{"accepted -> cancelled : placer, BSeR", true, normal},
		{"accepted -> rejected : filler, COW", false, anomalous},
		{"accepted -> rejected : filler, BSeR", false, normal},
		{"accepted -> rejected : filler, SDOH", false, anomalous},
		{"accepted -> failed : filler, COW", false, normal},
		{"accepted -> in-progress : filler, COW", false, normal},
		{"accepted -> in-progress : filler, CDex", false, allowed},
		{"accepted -> completed : filler, BSeR", false, normal},
		{"accepted -> completed : placer, BSeR", false, anomalous},
		{"accepted -> on-hold : filler, SDOH", false, normal},
		{"accepted -> on-hold : filler, COW", false, allowed},
		{"in-progress -> on-hold : filler, COW", false, normal},
		{"on-hold -> in-progress : filler, SDOH", false, normal},
		{"on-hold -> in-progress : filler, BSeR", false, allowed},
		{"in-progress -> completed : filler, COW", false, normal},
		{"in-progress -> failed : filler, SDOH", false, normal},
		{"on-hold -> failed : filler, SDOH", false, normal},
		{"on-hold -> cancelled : filler, COW", false, allowed},
		{"in-progress -> cancelled : placer, COW", false, anomalous},
		{"in-progress -> cancelled : placer, SDOH", false, normal},
		{"in-progress -> cancelled : filler, BSeR", false, anomalous},
		{"in-progress -> cancelled : filler, BSeR", true, normal},
		{"in-progress -> cancelled : placer, BSeR", true, anomalous},
		{"in-progress -> rejected : filler, COW", false, anomalous},
		{"in-progress -> rejected : filler, BSeR", false, normal},
		{"in-progress -> rejected : filler, SDOH", false, anomalous},
		{"completed -> in-progress : filler, CDex", false, normal},
		{"completed -> in-progress : filler, COW", false, allowed},
		{"rejected -> in-progress : filler, BSeR", false, allowed},
		{"completed -> requested : filler, any", false, anomalous},
		{"completed -> rejected : filler, any", false, anomalous},
		{"requested -> in-progress : filler, any", false, anomalous},
		{"requested -> completed : filler, any", false, anomalous},
		{"accepted -> requested : filler, any", false, anomalous},
		{"accepted -> rejected : filler, any", false, normal},
		{"accepted -> accepted : filler, any", false, anomalous},
		{"accepted -> entered-in-error : filler, SDOH", false, normal},
		{"accepted -> entered-in-error : filler, COW", false, allowed},
		{"entered-in-error -> accepted : filler, any", false, anomalous},
	} {
		t.Run(row.name, func(t *testing.T) {
			step, who, _ := strings.Cut(row.name, " : ")
			from, to, _ := strings.Cut(step, " -> ")
			by, guide, _ := strings.Cut(who, ", ")
			got := readiness.Guide(strings.ToLower(guide)).Manner(from, to, readiness.Mover(by), row.asked, nil)
			if got != row.want {
				t.Errorf("%s, want %s", got, row.want)
			}
		})
	}
}

func TestWhatWasAgreedCountsOverTheGuide(t *testing.T) {
	agreed := []readiness.Step{
		{From: "accepted", To: "rejected", By: readiness.Filler, Manner: readiness.Allowed},
		{From: "requested", To: "received", By: readiness.Either, Manner: readiness.Anomalous},
	}
	if m := readiness.COW.Manner("accepted", "rejected", readiness.Filler, false, agreed); m != readiness.Allowed {
		t.Errorf("what was agreed upon is %s", m)
	}
	if m := readiness.COW.Manner("accepted", "rejected", readiness.Placer, false, agreed); m != readiness.Anomalous {
		t.Errorf("what was agreed upon with the filler is %s for the placer", m)
	}
	if m := readiness.COW.Manner("requested", "received", readiness.Filler, false, agreed); m != readiness.Anomalous {
		t.Errorf("what was agreed not to happen is %s", m)
	}
}

// Whatever a Task does, somebody's word on it is one of three, and who cannot be told is judged by the kinder.
func TestEveryStepHasAManner(t *testing.T) {
	all := []string{"draft", "requested", "received", "accepted", "ready", "in-progress", "on-hold", "completed", "failed", "rejected", "cancelled", "entered-in-error"}
	rank := map[readiness.Manner]int{readiness.Normal: 1, readiness.Allowed: 2, readiness.Anomalous: 3}
	for _, g := range readiness.Guides() {
		for _, from := range all {
			for _, to := range all {
				for _, asked := range []bool{true, false} {
					f, p, e := g.Manner(from, to, readiness.Filler, asked, nil), g.Manner(from, to, readiness.Placer, asked, nil), g.Manner(from, to, readiness.Either, asked, nil)
					if rank[f] == 0 || rank[p] == 0 || rank[e] != min(rank[f], rank[p]) {
						t.Errorf("%s: %s -> %s is %s, %s, %s", g, from, to, f, p, e)
					}
				}
			}
		}
	}
}

// walks is a coordination Task that goes through states, one a day; the last one yesterday.
func walks(states ...string) told {
	return func(c *course) []fhir.Version {
		vs := append(none(c), c.PatientThere(), c.Release(), c.Referral())
		for i, s := range states {
			vs = append(vs, c.DaysBefore(len(states)-i).Task(s))
		}
		return vs
	}
}

func by(g readiness.Guide) func(*readiness.Policy) {
	return func(p *readiness.Policy) { p.TaskGuide = g }
}

func TestR54TaskAnomalous(t *testing.T) {
	clears := func(c *course) fhir.Version {
		return c.On(now.Add(-time.Hour)).Clearance(fhir.DecisionCleared, c.Day(0), c.Day(60))
	}
	judgeRule(t, "R54", []rowAt{
		{name: "the normal way → none", told: walks("requested", "received", "accepted", "in-progress", "completed")},
		{name: "first heard of when it was completed → none: nobody saw a step", told: walks("completed")},
		{name: "completed -> requested → S2", told: walks("accepted", "completed", "requested"), want: "S2"},
		{name: "completed -> requested -> accepted → none: it goes its way again", told: walks("accepted", "completed", "requested", "accepted")},
		{name: "completed -> requested, and a decision made since → none", told: walks("accepted", "completed", "requested").then(clears)},
		{name: "requested -> completed, one version after the other → S2: steps were left out", told: walks("requested", "completed"), want: "S2"},
		{name: "requested -> completed, versions between that nobody read → none", told: func(c *course) []fhir.Version {
			vs := walks("requested", "received", "accepted", "completed")(c)
			return append(vs[:len(vs)-3], vs[len(vs)-1])
		}},
		{name: "requested -> completed, at a server that does not count versions → none", told: func(c *course) []fhir.Version {
			vs := walks("requested", "completed")(c)
			for i := range vs {
				vs[i].Resource.VersionID = ""
			}
			return vs
		}},
		{name: "in-progress -> rejected under COW → S2", told: walks("accepted", "in-progress", "rejected"), policy: by(readiness.COW), want: "S2"},
		{name: "in-progress -> rejected under BSeR → none", told: walks("accepted", "in-progress", "rejected"), policy: by(readiness.BSeR)},
		{name: "in-progress -> rejected where nobody knows the guide → none", told: walks("accepted", "in-progress", "rejected")},
		{name: "in-progress -> cancelled under COW → S2", told: walks("accepted", "in-progress", "cancelled"), policy: by(readiness.COW), want: "S2"},
		{name: "requested -> cancelled under COW, by whoever → none", told: walks("requested", "cancelled"), policy: by(readiness.COW)},
		{name: "accepted -> rejected under COW, but agreed upon → none", told: walks("requested", "accepted", "rejected"), policy: func(p *readiness.Policy) {
			p.TaskGuide, p.TaskSteps = readiness.COW, []readiness.Step{{From: "accepted", To: "rejected", By: readiness.Filler, Manner: readiness.Allowed}}
		}},
		{name: "an old version heard late, of a Task that went its way → none", told: func(c *course) []fhir.Version {
			vs := walks("requested", "received", "accepted")(c)
			last := len(vs) - 1
			late := vs[last-1]
			late.Moment = vs[last].Moment + 1
			return append(append(vs[:last-1:last-1], vs[last]), late)
		}},
		{name: "an old version heard late, from a server that tells no time → none", told: func(c *course) []fhir.Version {
			vs := walks("requested", "received", "accepted")(c)
			last := len(vs) - 1
			late := vs[last-1]
			late.Moment, late.Received = vs[last].Moment+1, now
			vs = append(append(vs[:last-1:last-1], vs[last]), late)
			for i := range vs {
				vs[i].Resource.LastUpdated = time.Time{}
			}
			return vs
		}},
		{name: "the practice accepts its own Task in the prescriber's place → S2", want: "S2", told: func(c *course) []fhir.Version {
			own := func(status string) fhir.Version {
				return c.Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"Task","id":"own","intent":"order","code":{"coding":[{"system":"`+fhir.SystemTaskCode+`","code":"fulfill"}]},
				  "focus":{"reference":"ServiceRequest/referral-p1"},"for":{"reference":"Patient/p1"},"owner":{"identifier":{"system":"`+fhirtest.PrescriberNPI.System+`","value":"`+fhirtest.PrescriberNPI.Value+`"}}}`, set("status", status))
			}
			vs := walks("requested")(c)
			return append(vs, c.DaysBefore(2).Task("received"), own("requested"), c.DaysBefore(1).Task("accepted"), own("accepted"))
		}},
	})
}

func TestATaskTakenUpAgain(t *testing.T) {
	decidesAt := func(at time.Duration) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.On(now.Add(at)).Clearance(fhir.DecisionCleared, c.Day(-5), c.Day(60))
		}
	}
	judgeGate(t, readiness.GateReferral, []rowAt{
		{name: "completed, then in progress again → open", told: walks("accepted", "completed", "in-progress"), want: "open"},
		{name: "completed, in progress, completed again → met", told: walks("accepted", "completed", "in-progress", "completed"), want: "met"},
		{name: "rejected, then in progress → open", told: walks("rejected", "in-progress"), want: "open"},
		{name: "decided, and then taken up again → open", told: walks("accepted", "completed", "in-progress").then(decidesAt(-3 * day)), want: "open"},
		{name: "taken up again, and decided since → met", told: walks("accepted", "completed", "in-progress").then(decidesAt(-time.Hour)), want: "met"},
		{name: "taken up again, and an old version of before heard late → open", want: "open", told: func(c *course) []fhir.Version {
			vs := walks("accepted", "completed", "in-progress")(c)
			last := len(vs) - 1
			late := vs[last-1]
			late.Moment = vs[last].Moment + 1
			return append(append(vs[:last-1:last-1], vs[last]), late)
		}},
	})
}

func TestARejectionSaysWhy(t *testing.T) {
	c := fhirtest.Client(now)
	long := strings.Repeat("no ", 300)
	vs := append(walks("requested")(c), c.DaysBefore(1).Task("rejected", set("statusReason", map[string]any{"text": "No clinician\nis free. " + long})))
	g := gate(t, readiness.Assess(c.Chart(vs...), policy(), now), readiness.GateReferral)
	if !strings.Contains(g.Words, "rejected on Mon 2 Mar 2026: “No clinician is free. no no") || len(g.Words) > 400 || strings.Contains(g.Words, "\n") {
		t.Errorf("the gate says %q", g.Words)
	}
}
