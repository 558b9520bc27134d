package readiness_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// passesOn is a Task of the practice's that passes the referral on to a prescriber.
func passesOn(npi string, edits ...fhir.Edit) func(c *course) fhir.Version {
	return func(c *course) fhir.Version {
		return c.Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"Task","id":"passed","status":"requested","intent":"order","code":{"coding":[{"system":"`+fhir.SystemTaskCode+`","code":"fulfill"}]},
			"focus":{"reference":"ServiceRequest/referral-p1"},"for":{"reference":"Patient/p1"},"owner":{"identifier":{"system":"`+fhir.SystemNPI+`","value":"`+npi+`"}}}`, edits...)
	}
}

const otherNPI = "1098765432" // of another

// turnsDown is the referral, turned down by a party.
func turnsDown(source string) func(c *course) fhir.Version {
	return func(c *course) fhir.Version {
		return c.On(now).Told(source, source, `{"resourceType":"Task","id":"theirs","status":"rejected","intent":"order","code":{"coding":[{"system":"`+fhir.SystemTaskCode+`","code":"fulfill"}]},"for":{"reference":"Patient/x"}}`)
	}
}

// A client who was referred to this prescriber and has no decision yet, and a session.
func TestWhoseSessionItIsAfterAReferralWasPassedOn(t *testing.T) {
	undecided := told(func(c *course) []fhir.Version {
		return slices.DeleteFunc(fhirtest.Without(c.Blameless(), "MedicationRequest", "MedicationDispense", "Task"), func(v fhir.Version) bool {
			return v.Type == "Observation" && v.Party != fhir.Practice
		})
	})
	taken := undecided.then(func(c *course) fhir.Version { return c.DaysBefore(3).Task("accepted") })
	rejected := undecided.then(func(c *course) fhir.Version { return c.DaysBefore(3).Task("rejected") })
	const ours, theirs, doubt = "ours", "not ours", "cannot tell"
	for _, row := range []struct {
		name string
		told told
		want string
	}{
		{"not passed on", taken, ours},
		{"passed on while we have it", taken.then(passesOn(otherNPI)), doubt},
		{"we turned it down, and it is passed on", rejected.then(passesOn(otherNPI)), theirs},
		{"we turned it down, and nobody else is asked", rejected, ours},
		{"we turned it down, and who is asked is no prescriber here", rejected.then(passesOn("1999999999")), ours},
		{"passed on, and turned down there", taken.then(passesOn(otherNPI)).then(turnsDown("other")), ours},
		{"passed on, and turned down by both", rejected.then(passesOn(otherNPI)).then(turnsDown("other")), doubt},
		{"what passed it on was called off", rejected.then(passesOn(otherNPI, set("status", "cancelled"))), ours},
		{"what passes it on is a proposal only", rejected.then(passesOn(otherNPI, set("intent", "proposal"))), ours},
		{"what passes on is another referral", rejected.then(passesOn(otherNPI, set("focus.reference", "ServiceRequest/lab"))), ours},
		{"a copy of the hub's own passes nothing on", rejected.then(passesOn(otherNPI, set("identifier", []any{fhir.ID{System: fhir.SystemCopy, Value: "x"}}))), ours},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := fhirtest.Client(now)
			p := policy()
			another(&p)
			v := readiness.Assess(c.Chart(row.told(c)...), p, now)
			got := ours
			switch {
			case v.Appointment == nil:
				got = theirs
			case strings.Contains(v.Words, "more than one may own it"):
				got = doubt
			}
			if got != row.want {
				explain(t, v)
				t.Errorf("it is %s, want %s", got, row.want)
			}
		})
	}
}

// The referral names another, and a Task of the practice's passes it on to this prescriber.
func TestAReferralThatIsPassedOnHereIsOurs(t *testing.T) {
	elsewhere := func(c *course) fhir.Version {
		return c.DaysBefore(20).Referral(set("performer", []any{map[string]any{"identifier": fhir.ID{System: fhir.SystemNPI, Value: otherNPI}}}))
	}
	bare := told(func(c *course) []fhir.Version { return []fhir.Version{c.DaysBefore(60).PatientHere(), elsewhere(c)} })
	for _, row := range []struct {
		name string
		told told
		want int
	}{
		{"it is not passed on", bare, 0},
		{"it is", bare.then(passesOn(fhirtest.PrescriberNPI.Value)), 1},
		{"it is, to the other one, whom it names anyway", bare.then(passesOn(otherNPI)), 0},
		{"it was, and was called off", bare.then(passesOn(fhirtest.PrescriberNPI.Value)).then(passesOn(fhirtest.PrescriberNPI.Value, set("status", "cancelled"))), 0},
		{"it is, by a Task that is gone", bare.then(passesOn(fhirtest.PrescriberNPI.Value)).then(func(c *course) fhir.Version {
			return c.Gone(passesOn(fhirtest.PrescriberNPI.Value)(c), "deleted")
		}), 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := fhirtest.Client(now)
			p := policy()
			another(&p)
			chart := c.Chart(row.told(c)...)
			if got := readiness.Passed(chart, p, now); len(got) != row.want {
				t.Errorf("%v are passed on", got)
			}
			words := gate(t, readiness.Assess(chart, p, now), readiness.GateReferral).Words
			if is := words != "No referral to Skylight Psychedelics is on file"; is != (row.want == 1) {
				t.Errorf("the gate says %q", words)
			}
		})
	}
}
