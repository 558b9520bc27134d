package readiness_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestABlamelessClientIsReady(t *testing.T) {
	c := fhirtest.Client(now)
	v := readiness.Assess(c.Chart(c.Blameless()...), policy(), now)
	if v.State != readiness.Ready || v.Owner != "" || v.Next != "" {
		explain(t, v)
		t.Fatalf("got %s: %s", v.State, v.Words)
	}
	if len(v.Findings) > 0 {
		t.Errorf("a blameless client has findings: %v", v.Findings)
	}
	if v.Chosen != "Juniper Invented-p1" || !reflect.DeepEqual(v.Identifiers, []fhir.ID{{System: "https://reverie.example/mrn", Value: "MRN-p1"}}) {
		t.Errorf("chosen %q, known as %v", v.Chosen, v.Identifiers)
	}
	if a := v.Appointment; a == nil || !a.Start.Equal(c.Session) || a.Therapist != "Invented Therapist" || a.ID != "dosing-p1" {
		t.Errorf("appointment %+v", a)
	}
	if !slices.Equal(v.Sources, []string{fhirtest.PracticeSource, fhirtest.PrescriberSource}) {
		t.Errorf("depends on %v", v.Sources)
	}
}

func TestTheWordsOfEachState(t *testing.T) {
	friday := time.Date(2026, 2, 27, 23, 10, 0, 0, time.UTC)
	for _, r := range []struct {
		rowAt
		words string
		owner readiness.Owner
		next  string
	}{
		{rowAt{name: "stopped by the prescriber", state: readiness.Hold, told: plus(func(c *course) fhir.Version { return c.DaysBefore(2).Flag("active") })},
			"Stopped by Skylight Psychedelics on Sun 1 Mar 2026", readiness.Therapist, "hold until Skylight Psychedelics (555-0100; weekends 555-0199) lifts it"},
		{rowAt{name: "stopped by the prescriber's decision", state: readiness.Hold, told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(2).Clearance(fhir.DecisionWithdrawn, c.Day(-2), c.Day(40), set("id", "w"))
		})}, "Skylight Psychedelics withdrew the clearance on Sun 1 Mar 2026", readiness.Therapist, "hold; speak with Skylight Psychedelics (555-0100; weekends 555-0199)"},
		{rowAt{name: "not cleared by the prescriber", state: readiness.Hold, told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(2).Clearance(fhir.DecisionNotCleared, c.Day(-2), c.Day(40), set("id", "n"))
		})}, "Skylight Psychedelics did not clear on Sun 1 Mar 2026", readiness.Therapist, "hold; speak with Skylight Psychedelics (555-0100; weekends 555-0199)"},
		{rowAt{name: "stopped by the client", state: readiness.Hold, told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(2).TreatmentConsent(set("status", "inactive"))
		})}, "Stopped by the client on Sun 1 Mar 2026", readiness.Therapist, "hold; speak with the client and Skylight Psychedelics"},
		{rowAt{name: "stopped by the therapist's record", state: readiness.Hold, told: plus(func(c *course) fhir.Version { return c.DaysBefore(2).AdverseEvent(fhir.CodeSerious) })},
			"Stopped by Reverie on Sun 1 Mar 2026", readiness.Therapist, "hold; call Skylight Psychedelics (555-0100; weekends 555-0199)"},
		{rowAt{name: "a mailbox not read since Friday", state: readiness.Unknown, told: all, chart: func(c *fhir.Chart) { c.Sources[1].LastComplete = friday }},
			"Cannot tell: skylight last read Fri 27 Feb 2026 16:10", readiness.Operator, "see why nothing is read from skylight"},
		{rowAt{name: "a link not read back", state: readiness.Unknown, told: all, chart: func(c *fhir.Chart) { c.Links[1].ReadBack = false }},
			"Cannot tell: skylight is not read back to the beginning for this client yet", readiness.Operator, "read the sources again"},
		{rowAt{name: "a prescriber whom nothing reads", state: readiness.Unknown, told: all, policy: func(p *readiness.Policy) { p.Prescriber.Sources = nil }},
			"Cannot tell: nothing is read for Skylight Psychedelics", readiness.Operator, "configure a source for it"},
		{rowAt{name: "no release", state: readiness.NotReady, told: less("Consent", "release")},
			"1 item open: No release naming Skylight Psychedelics is on file (admin)", readiness.Admin, "have the client sign a release"},
		{rowAt{name: "two things, the first in the gates' order", state: readiness.NotReady, told: func(c *course) []fhir.Version {
			return append(fhirtest.WithoutRecord(less("Observation", "acknowledged")(c), "Task", ""), c.DaysBefore(2).AdverseEvent(fhir.CodeAskPrescriber))
		}}, "2 items open: Reverie recorded an adverse event to ask Skylight Psychedelics about on Sun 1 Mar 2026 (therapist, since Sun 1 Mar 2026)", readiness.Therapist, "ask Skylight Psychedelics (555-0100; weekends 555-0199)"},
		{rowAt{name: "before arrival", state: readiness.InOrder, told: inOrder}, "Records in order; arrival checks pending", readiness.Therapist, "take blood pressure and heart rate"},
		{rowAt{name: "no session", state: readiness.InOrder, told: less("Appointment", "dosing")}, "Records in order; could be booked", readiness.Therapist, "nothing is due until a session is booked"},
		{rowAt{name: "everything", state: readiness.Ready, told: all, at: 15 * time.Minute}, "Records in order as of 09:15. Not a medical decision.", "", ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			v := r.verdict()
			if v.State != r.state || v.Words != r.words || v.Owner != r.owner || v.Next != r.next {
				t.Errorf("got  %s: %s | %s | %s\nwant %s: %s | %s | %s", v.State, v.Words, v.Owner, v.Next, r.state, r.words, r.owner, r.next)
			}
		})
	}
}

func TestPrecedence(t *testing.T) {
	stale := func(c *fhir.Chart) { c.Sources[1].LastComplete = now.AddDate(0, 0, -5) }
	stopped := plus(func(c *course) fhir.Version { return c.Flag("active") })
	for _, r := range []rowAt{
		{name: "a stop beats a stale source", told: stopped, chart: stale, state: readiness.Hold},
		{name: "a stale source beats an open gate", told: less("Consent", "release"), chart: stale, state: readiness.Unknown},
		{name: "an open gate beats pending checks", told: func(c *course) []fhir.Version {
			return fhirtest.WithoutRecord(c.InOrder(), "Consent", "release-p1")
		}, state: readiness.NotReady},
	} {
		t.Run(r.name, func(t *testing.T) {
			if v := r.verdict(); v.State != r.state {
				t.Errorf("got %s (%s), want %s", v.State, v.Words, r.state)
			}
		})
	}
}

func TestTheNextDosingSession(t *testing.T) {
	at := func(c *course) time.Time { return c.Session }
	for _, r := range []struct {
		rowAt
		start func(c *course) time.Time // zero: none
	}{
		{rowAt{name: "the earliest that may still happen", told: plus(func(c *course) fhir.Version { return c.Dosing(now.AddDate(0, 0, 5), set("id", "b")) })}, at},
		{rowAt{name: "one that began is next until it ends", told: all, at: 3 * time.Hour}, at},
		{rowAt{name: "one that ended is not", told: all, at: 4 * time.Hour}, nil},
		{rowAt{name: "one that was kept is not", told: plus(func(c *course) fhir.Version { return c.Dosing(c.Session, set("status", "fulfilled")) })}, nil},
		{rowAt{name: "one that was cancelled is not", told: plus(func(c *course) fhir.Version { return c.Dosing(c.Session, set("status", "cancelled")) })}, nil},
		{rowAt{name: "one entered in error is not", told: plus(func(c *course) fhir.Version { return c.Dosing(c.Session, set("status", "entered-in-error")) })}, nil},
		{rowAt{name: "one that is gone is not", told: told(all).gone("Appointment", "dosing")}, nil},
		{rowAt{name: "without an end it lasts two hours", told: plus(func(c *course) fhir.Version { return c.Dosing(c.Session, set("end", nil)) }), at: 239 * time.Minute}, at},
		{rowAt{name: "the client arrived", told: plus(func(c *course) fhir.Version { return c.Dosing(c.Session, set("status", "arrived")) })}, at},
		{rowAt{name: "one that the prescriber tells is not the practice's", told: func(c *course) []fhir.Version {
			vs := c.Blameless()
			for i := range vs {
				if vs[i].ID == "dosing-p1" {
					vs[i].Party = fhirtest.Prescriber
				}
			}
			return vs
		}}, nil},
	} {
		t.Run(r.name, func(t *testing.T) {
			v := r.verdict()
			switch {
			case r.start == nil && v.Appointment != nil:
				t.Errorf("the session of %s is next, want none", v.Appointment.Start)
			case r.start != nil && (v.Appointment == nil || !v.Appointment.Start.Equal(r.start(fhirtest.Client(now)))):
				t.Errorf("got %+v", v.Appointment)
			}
		})
	}
}

func TestASessionBelongsToOneEngagement(t *testing.T) {
	referred := func(c *course) fhir.Version {
		return c.DaysBefore(30).Referral(set("id", "elsewhere"), set("performer.0.identifier.value", "1098765432"))
	}
	basedOn := func(id string) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.On(now.Add(-20*time.Minute)).Dosing(c.Session, set("basedOn", []any{map[string]any{"reference": "ServiceRequest/" + id}}))
		}
	}
	for _, r := range []struct {
		rowAt
		next bool
	}{
		{rowAt{name: "one prescriber only → ours", told: all, state: readiness.Ready}, true},
		{rowAt{name: "another is configured, the client is not theirs → ours", told: all, policy: another, state: readiness.Ready}, true},
		{rowAt{name: "referred to both, nothing says whose → unknown", told: plus(referred), policy: another, state: readiness.Unknown}, true},
		{rowAt{name: "referred to both, based on ours → ours", told: plus(referred).then(basedOn("referral-p1")), policy: another, state: readiness.Ready}, true},
		{rowAt{name: "referred to both, based on theirs → not ours", told: plus(referred).then(basedOn("elsewhere")), policy: another, state: readiness.InOrder}, false},
		{rowAt{name: "the other referral was revoked → ours", told: plus(referred).then(func(c *course) fhir.Version {
			return c.DaysBefore(20).Referral(set("id", "elsewhere"), set("performer.0.identifier.value", "1098765432"), set("status", "revoked"))
		}), policy: another, state: readiness.Ready}, true},
		{rowAt{name: "a referral that names nobody, of several → unknown", told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(30).Referral(set("id", "elsewhere"), set("performer", nil))
		}), policy: another, state: readiness.Unknown}, true},
	} {
		t.Run(r.name, func(t *testing.T) {
			v := r.verdict()
			if v.State != r.state || (v.Appointment != nil) != r.next {
				t.Errorf("got %s (%s), next %v", v.State, v.Words, v.Appointment)
			}
		})
	}
}

func TestTheSheetAnswersInWords(t *testing.T) {
	v := rowAt{told: cleared(fhir.DecisionCleared, "2026-01-12", "")}.verdict()
	g := gate(t, v, readiness.GateClearance)
	if want := "Skylight Psychedelics recorded cleared on Mon 12 Jan 2026, valid to Sun 12 Apr 2026 (per agreement of Sat 10 Jan 2026)"; g.Words != want || g.Agreed != "per agreement of Sat 10 Jan 2026" {
		t.Errorf("got %q, agreed %q", g.Words, g.Agreed)
	}
}

func TestUntilIsTheNextInstantThatMatters(t *testing.T) {
	for _, r := range []struct {
		rowAt
		until time.Time
	}{
		{rowAt{name: "ready: when the session is over", told: all}, time.Date(2026, 3, 3, 20, 0, 0, 0, time.UTC)},
		{rowAt{name: "checks pending: when the session begins", told: inOrder}, time.Date(2026, 3, 3, 18, 0, 0, 0, time.UTC)},
		{rowAt{name: "two days before: a day later at most", told: inOrder, at: -2 * day}, now.Add(-day)},
		{rowAt{name: "a limit of one hour: when the source goes stale", told: all, policy: func(p *readiness.Policy) { p.Prescriber.Limit = time.Hour }}, now.Add(time.Hour)},
	} {
		t.Run(r.name, func(t *testing.T) {
			if v := r.verdict(); !v.Until.Equal(r.until) {
				t.Errorf("until %s, want %s", v.Until, r.until)
			}
		})
	}
}

func TestAChartThatIsEmptyIsUnknown(t *testing.T) {
	v := readiness.Assess(fhir.Chart{Client: "client-1"}, readiness.Policy{}, now)
	if v.State != readiness.Unknown || len(v.Gates) != len(readiness.Gates()) || v.Until.IsZero() || v.Findings == nil {
		t.Errorf("got %+v", v)
	}
}

func BenchmarkAssess(b *testing.B) {
	c := fhirtest.Client(now)
	chart, p := c.Chart(c.Blameless()...), policy()
	b.ReportAllocs()
	for b.Loop() {
		readiness.Assess(chart, p, now)
	}
}
