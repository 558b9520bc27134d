package readiness_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func business(code string) fhir.Edit {
	return set("businessStatus", map[string]any{"coding": []any{map[string]any{"system": fhir.SystemBusinessStatus, "code": code}}})
}

// taken is a client whose referral the prescriber took ten days ago, and who has no evaluation; the Task says the edits since
// two days.
func taken(edits ...fhir.Edit) told {
	return func(c *course) []fhir.Version {
		vs := append(none(c), c.PatientThere(), c.Release(), c.Referral(), c.DaysBefore(11).Task("requested"), c.DaysBefore(10).Task("accepted"))
		return append(vs, c.DaysBefore(2).Task("accepted", edits...))
	}
}

// tellsUs is a record that the prescriber told yesterday.
func tellsUs(body string) func(c *course) fhir.Version {
	return func(c *course) fhir.Version {
		return c.DaysBefore(1).Told(fhirtest.PrescriberSource, fhirtest.Prescriber, body)
	}
}

const asks = `{"resourceType":"Task","id":"q1","status":"requested","intent":"order","description":"Please send\nthe last ECG","partOf":[{"reference":"Task/task-p1"}],
	"for":{"reference":"Patient/s-p1"},"owner":{"display":"Reverie"},"authoredOn":"2026-03-01"}`

func TestWhereTheEvaluationStands(t *testing.T) {
	clears := func(c *course) fhir.Version {
		return c.On(now.Add(-day/2)).Clearance(fhir.DecisionCleared, c.Day(0), c.Day(60))
	}
	judgeGate(t, readiness.GateEvaluation, []rowAt{
		{name: "visit complete → met", told: taken(business("visit-complete")), want: "met"},
		{name: "5.1.4 → met", told: taken(business("5.1.4")), want: "met"},
		{name: "scheduled, its date not on file → open", told: taken(business("visit-scheduled")), want: "open"},
		{name: "no-show → open", told: taken(business("5.1.2")), want: "open"},
		{name: "awaiting information → open", told: taken(business("awaiting-information")), want: "open"},
		{name: "the intake is incomplete → open", told: taken(business("intake-incomplete")), want: "open"},
		{name: "awaiting information, and decided since → met", told: taken(business("awaiting-information")).then(clears), want: "met"},
		{name: "they opened a question of the practice's → open", told: taken().then(tellsUs(asks)), want: "open"},
		{name: "a business status of their own that nobody mapped → open", told: taken(set("businessStatus.coding", []any{map[string]any{"system": "urn:x", "code": "visit-complete"}})), want: "open"},
	})
}

func TestR04ReferralStalled(t *testing.T) {
	judgeRule(t, "R04", []rowAt{
		{name: "taken ten days ago, nothing booked → S3", told: taken(), want: "S3"},
		{name: "taken ten days ago, scheduled they say → none", told: taken(business("5.1.1"))},
		{name: "taken three days ago → none", told: walks("requested", "accepted", "accepted", "accepted")},
		{name: "the evaluation is booked → none", told: taken().then(func(c *course) fhir.Version { return c.On(now.Add(3 * day)).Evaluation(set("status", "booked")) })},
		{name: "decided → none", told: all},
		{name: "only requested → none", told: walks("requested")},
	})
}

func TestR55InformationAsked(t *testing.T) {
	judgeRule(t, "R55", []rowAt{
		{name: "nothing is asked → none", told: taken()},
		{name: "awaiting information → S3", told: taken(business("awaiting-information"), set("statusReason.text", "last ECG")), want: "S3"},
		{name: "a Task of the practice's, part of the referral → S3", told: taken().then(tellsUs(asks)), want: "S3"},
		{name: "the practice closed it → none", told: taken().then(tellsUs(asks)).then(tellsUs(strings.Replace(asks, "requested", "completed", 1)))},
		{name: "the prescriber asks itself → none", told: taken().then(tellsUs(strings.Replace(asks, `{"display":"Reverie"}`, `{"identifier":{"system":"`+fhirtest.PrescriberNPI.System+`","value":"`+fhirtest.PrescriberNPI.Value+`"}}`, 1)))},
		{name: "the referral was closed meanwhile → none", told: walks("accepted", "in-progress", "completed")},
	})

	c := fhirtest.Client(now)
	v := readiness.Assess(c.Chart(taken().then(tellsUs(asks))(c)...), policy(), now)
	f, _ := finding(v, "R55")
	if f.Owner != readiness.Admin || !strings.Contains(f.Words, "since Sun 1 Mar 2026: “Please send the last ECG”") {
		t.Errorf("%s: %s", f.Owner, f.Words)
	}
	c = fhirtest.Client(now)
	v = readiness.Assess(c.Chart(taken().then(tellsUs(strings.Replace(asks, `{"display":"Reverie"}`, `{"reference":"Patient/s-p1"}`, 1)))(c)...), policy(), now)
	if f, _ := finding(v, "R55"); f.Owner != readiness.Client {
		t.Errorf("what the client is asked is the %s's", f.Owner)
	}
}

func TestR56AlternativeProposed(t *testing.T) {
	const proposal = `{"resourceType":"ServiceRequest","id":"alt","status":"active","intent":"proposal","basedOn":[{"reference":"ServiceRequest/s-referral-p1"}],"subject":{"reference":"Patient/s-p1"},"code":{"text":"Intranasal esketamine"}}`
	judgeRule(t, "R56", []rowAt{
		{name: "in place of the referral → S3", told: taken().then(tellsUs(proposal)), want: "S3"},
		{name: "revoked → none", told: taken().then(tellsUs(proposal)).then(tellsUs(strings.Replace(proposal, "active", "revoked", 1)))},
		{name: "answered by a newer referral → none", told: taken().then(tellsUs(proposal)).then(func(c *course) fhir.Version { return c.On(now).Referral(set("id", "newer")) })},
		{name: "an order of theirs is none → none", told: taken().then(tellsUs(strings.Replace(proposal, "proposal", "order", 1)))},
		{name: "about no request → none", told: taken().then(tellsUs(strings.Replace(proposal, "basedOn", "supportingInfo", 1)))},
	})
}

func TestUnsafeForAnybody(t *testing.T) {
	const unsafe = `{"resourceType":"Task","id":"abort","status":"requested","intent":"proposal","code":{"coding":[{"system":"` + fhir.SystemTaskCode + `","code":"abort"}]},"focus":{"reference":"ServiceRequest/s-referral-p1"},"for":{"reference":"Patient/s-p1"}}`
	rows := []rowAt{
		{name: "the prescriber proposes to abort → S1", told: plus(tellsUs(unsafe)), want: "S1", state: readiness.Hold},
		{name: "it was carried out → S1: that lifts nothing", told: plus(tellsUs(unsafe)).then(tellsUs(strings.Replace(unsafe, "requested", "completed", 1))), want: "S1", state: readiness.Hold},
		{name: "it was taken back → none", told: plus(tellsUs(unsafe)).then(tellsUs(strings.Replace(unsafe, "requested", "cancelled", 1)))},
		{name: "the hub's own telling of a stop → none", told: plus(tellsUs(strings.Replace(unsafe, `"status"`, `"identifier":[{"system":"`+fhir.SystemCopy+`","value":"x"}],"status"`, 1)))},
		{name: "a cancellation that was asked for is none", told: plus(tellsUs(strings.Replace(unsafe, "proposal", "order", 1)))},
	}
	judgeRule(t, "R15", rows)
	for i := range rows {
		rows[i].want = map[string]string{"S1": "blocked", "": "met"}[rows[i].want]
	}
	judgeGate(t, readiness.GateHold, rows)
	c := fhirtest.Client(now)
	var stops int
	for _, f := range readiness.Assess(c.Chart(plus(tellsUs(unsafe))(c)...), policy(), now).Findings {
		if f.Code == "R15" {
			stops++
		}
	}
	if stops != 1 {
		t.Errorf("one proposal to abort stops %d times", stops)
	}
}

func TestWhatTheReferralSaysOfTheDecision(t *testing.T) {
	output := func(code string) fhir.Edit {
		return set("output", []any{map[string]any{"type": map[string]any{"text": "decision"}, "valueCodeableConcept": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemDecision, "code": code}}}}})
	}
	completed := func(edits ...fhir.Edit) told {
		return func(c *course) []fhir.Version {
			return append(fhirtest.WithoutRecord(c.Blameless(), "Observation", "clearance-p1"), c.On(now.Add(-day)).Task("completed", edits...))
		}
	}
	decided := func(decision string, edits ...fhir.Edit) told {
		return func(c *course) []fhir.Version {
			return append(cleared(decision, c.Day(-50), c.Day(40))(c), c.On(now.Add(-day)).Task("completed", edits...))
		}
	}
	judgeGate(t, readiness.GateClearance, []rowAt{
		{name: "cleared they say, and no decision is on file → unknown", told: completed(business("cleared")), want: "unknown", state: readiness.Unknown},
		{name: "a code among the outputs, and no decision → unknown", told: completed(output("cleared")), want: "unknown"},
		{name: "not cleared they say, and no decision → unknown", told: completed(business("not-cleared")), want: "unknown"},
		{name: "no word of it, and no decision → open", told: completed(), want: "open"},
		{name: "both say cleared → met", told: decided(fhir.DecisionCleared, business("cleared")), want: "met"},
		{name: "cleared, and an output says deferred since → unknown", told: decided(fhir.DecisionCleared, output("deferred")), want: "unknown"},
		{name: "cleared, and the referral says not cleared since → unknown", told: decided(fhir.DecisionCleared, business("not-cleared")), want: "unknown"},
		{name: "deferred, and an output says cleared since → unknown", told: decided(fhir.DecisionDeferred, output("cleared")), want: "unknown"},
		{name: "not cleared, and an output says cleared → blocked: only a decision lifts it", told: decided(fhir.DecisionNotCleared, output("cleared")), want: "blocked", state: readiness.Hold},
		{name: "cleared after the referral said deferred → met", want: "met", told: func(c *course) []fhir.Version {
			return append(completed(business("deferred"))(c), c.On(now.Add(-2*time.Hour)).Clearance(fhir.DecisionCleared, c.Day(0), c.Day(40)))
		}},
	})
}

func TestADecisionCarriedInsideTheTaskCounts(t *testing.T) {
	c := fhirtest.Client(now)
	inside := c.DaysBefore(50).Clearance(fhir.DecisionCleared, c.Day(-50), c.Day(40), set("id", "o1"), set("subject", nil))
	var decision map[string]any
	decode(inside, &decision)
	delete(decision, "meta")
	carries := func(edits ...fhir.Edit) fhir.Version {
		return c.DaysBefore(49).Task("completed", append([]fhir.Edit{set("contained", []any{decision}),
			set("output", []any{map[string]any{"type": map[string]any{"text": "decision"}, "valueReference": map[string]any{"reference": "#o1"}}})}, edits...)...)
	}
	vs := fhirtest.WithoutRecord(c.Blameless(), "Observation", "clearance-p1")
	task := carries()
	v := readiness.Assess(c.Chart(append(fhirtest.Without(vs, "Task"), task)...), policy(), now)
	g := gate(t, v, readiness.GateClearance)
	if g.State != readiness.Met || len(g.Because) != 1 || g.Because[0] != task.Basis() {
		explain(t, v)
		t.Errorf("%s: %s, because %+v", g.State, g.Words, g.Because)
	}
	if v.State != readiness.Ready {
		explain(t, v)
	}
}

// The prescription and its dispense, told nowhere but inside the Task that says that the parcel came.
func TestMedicineCarriedInsideATaskCounts(t *testing.T) {
	c := fhirtest.Client(now)
	part := func(v fhir.Version, id string) map[string]any {
		var m map[string]any
		decode(v, &m)
		delete(m, "meta")
		delete(m, "subject")
		m["id"] = id
		return m
	}
	var rx, dispense fhir.Version
	blameless := c.Blameless()
	for _, v := range blameless {
		switch v.Type {
		case "MedicationRequest":
			rx = v
		case "MedicationDispense":
			dispense = v
		}
	}
	fills := part(dispense, "d")
	fills["authorizingPrescription"] = []any{map[string]any{"reference": "#rx"}}
	carried := c.DaysBefore(20).Fulfilment(fhir.FulfilmentDelivered, set("contained", []any{part(rx, "rx"), fills}), set("focus", map[string]any{"reference": "#rx"}),
		set("output", []any{map[string]any{"type": map[string]any{"text": "parcel"}, "valueReference": map[string]any{"reference": "#d"}}}))
	without := fhirtest.WithoutRecord(fhirtest.Without(blameless, "MedicationRequest", "MedicationDispense"), "Task", carried.ID)
	bare := readiness.Assess(c.Chart(without...), policy(), now)
	for _, name := range []readiness.GateName{readiness.GatePrescription, readiness.GateMedicine} {
		if g := gate(t, bare, name); g.State == readiness.Met {
			t.Fatalf("%s is met with nothing on file: %s", name, g.Words)
		}
	}
	v := readiness.Assess(c.Chart(append(without, carried)...), policy(), now)
	for _, name := range []readiness.GateName{readiness.GatePrescription, readiness.GateMedicine} {
		g := gate(t, v, name)
		if g.State != readiness.Met || !slices.Contains(g.Because, carried.Basis()) {
			explain(t, v)
			t.Errorf("%s is %s: %s, because %+v", name, g.State, g.Words, g.Because)
		}
	}
}

func TestWhoIsToldThatItIsCalledOff(t *testing.T) {
	withdrawn := taken().then(func(c *course) fhir.Version { return c.On(now.Add(-time.Hour)).Release(set("status", "inactive")) })
	revoked := func(c *course) fhir.Version { return c.On(now.Add(-time.Hour)).Referral(set("status", "revoked")) }
	for _, row := range []struct {
		name string
		told told
		next string // of the referral gate
		r07  string
	}{
		{"revoked under a release: the hub tells it", taken().then(revoked), "the cancellation is sent", ""},
		{"revoked, and the release withdrawn: a person calls", withdrawn.then(revoked), "call Skylight Psychedelics (555-0100; weekends 555-0199): the referral is called off", "call Skylight Psychedelics"},
		{"the release withdrawn alone: a person calls", withdrawn, "", "call Skylight Psychedelics (555-0100; weekends 555-0199): the release was withdrawn"},
		{"revoked, and closed there already", walks("requested", "rejected").then(revoked), "refer the client again", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := fhirtest.Client(now)
			v := readiness.Assess(c.Chart(row.told(c)...), policy(), now)
			if g := gate(t, v, readiness.GateReferral); !strings.Contains(g.Next, row.next) {
				t.Errorf("next is %q", g.Next)
			}
			if f, _ := finding(v, "R07"); !strings.HasPrefix(f.Next, row.r07) {
				t.Errorf("R07 says %q", f.Next)
			}
		})
	}
}
