package readiness_test

import (
	"strings"
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

var (
	pregnancy  = fhir.Code{System: fhir.SystemICD10, Code: "Z33.1"}
	pressure   = fhir.Code{System: fhir.SystemSNOMED, Code: "38341003"}
	clonazepam = fhir.Code{System: fhir.SystemRxNorm, Code: "2598"}
)

func TestR14NewInformationSinceClearance(t *testing.T) {
	days := func(n int, code fhir.Code, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version { return c.DaysBefore(n).Diagnosis(code, edits...) }
	}
	takes := func(n int, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version { return c.DaysBefore(n).Takes(clonazepam, edits...) }
	}
	test := func(answer any) func(c *course) fhir.Version { // a pregnancy status of three days ago
		return func(c *course) fhir.Version {
			return c.DaysBefore(3).Check("x", true, set("id", "pregnancy"), set("focus", nil), set("valueBoolean", nil),
				set("code", inSystem(fhir.SystemLOINC, "82810-3")), set("valueCodeableConcept", answer))
		}
	}
	visit := func(class, status string, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			c.DaysBefore(3)
			return c.Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"Encounter","id":"visit","status":"`+status+`","class":{"system":"`+fhir.SystemActCode+`","code":"`+class+`"},
				"subject":{"reference":"Patient/p1"},"period":{"start":"2026-02-28T10:00:00Z"}}`, edits...)
		}
	}
	before := func(answer string) told { // a pregnancy status of before the decision
		return plus(func(c *course) fhir.Version {
			return c.DaysBefore(55).Check("x", true, set("id", "pregnancy"), set("focus", nil), set("valueBoolean", nil), set("issued", nil),
				set("code", inSystem(fhir.SystemLOINC, "82810-3")), set("valueCodeableConcept", inSystem(fhir.SystemSNOMED, answer)))
		})
	}
	corrected := before("60001007").again(3*day, "Observation", "pregnancy", set("status", "corrected"), set("valueCodeableConcept", inSystem(fhir.SystemSNOMED, "77386006")))
	toldAgain := before("77386006").again(3*day, "Observation", "pregnancy", set("status", "amended"))
	anew := func(decision string, daysAgo int) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(daysAgo).Clearance(decision, c.Day(-daysAgo), c.Day(40), set("id", "anew"))
		}
	}
	by := func(party, source string, made func(c *course) fhir.Version) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			v := made(c)
			v.Party, v.Source = party, source
			return v
		}
	}
	listed := func(more ...func(*readiness.Policy)) func(*readiness.Policy) {
		return func(p *readiness.Policy) {
			p.Watch = fhir.DefaultWatchList()
			for _, m := range more {
				m(p)
			}
		}
	}
	rows := []rowAt{
		{name: "nothing recorded → none", told: all, want: "", state: readiness.Ready},
		{name: "a pregnancy recorded after the decision → S1", told: plus(days(3, pregnancy)), want: "S1", state: readiness.NotReady},
		{name: "high blood pressure recorded after it → S2", told: plus(days(3, pressure)), want: "S2", state: readiness.NotReady},
		{name: "a pregnancy recorded before it → none", told: plus(days(51, pregnancy)), want: "", state: readiness.Ready},
		{name: "something that is not on the list → none", told: plus(days(3, fhir.Code{System: fhir.SystemICD10, Code: "M54.5"})), want: "", state: readiness.Ready},
		{name: "the same code in another system → none", told: plus(days(3, fhir.Code{System: "https://ehr.example", Code: "Z33.1"})), want: ""},
		{name: "one of two codes on the list → S1", want: "S1", told: plus(days(3, pregnancy, set("code.coding.-1", obj{"system": "https://ehr.example", "code": "own"})))},
		{name: "and decided anew since, it clears → none: answered", told: plus(days(3, pregnancy)).then(anew(fhir.DecisionCleared, 2)), want: ""},
		{name: "and decided anew since, deferred → none: answered", told: plus(days(3, pregnancy)).then(anew(fhir.DecisionDeferred, 2)), want: "", state: readiness.NotReady},
		{name: "and decided anew by somebody who may not → S1", want: "S1", told: plus(days(3, pregnancy)).then(func(c *course) fhir.Version {
			return c.DaysBefore(2).Clearance(fhir.DecisionDeferred, c.Day(-2), "", set("id", "anew"), set("performer.0.identifier.value", "1111111111"), set("issued", c.Day(-60)))
		})},
		{name: "nothing cleared → none: R09 says it", told: less("Observation", "clearance").then(days(3, pregnancy)), want: ""},
		{name: "withdrawn → none: R12 says it", told: plus(days(3, pregnancy)).then(anew(fhir.DecisionWithdrawn, 2)), want: "", state: readiness.Hold},
		{name: "entered in error → none", told: plus(days(3, pregnancy, set("verificationStatus", inSystem("http://terminology.hl7.org/CodeSystem/condition-ver-status", "entered-in-error")))), want: "", state: readiness.Ready},
		{name: "refuted → none", told: plus(days(3, pregnancy, set("verificationStatus", inSystem("http://terminology.hl7.org/CodeSystem/condition-ver-status", "refuted")))), want: ""},
		{name: "provisional → S1", told: plus(days(3, pregnancy, set("verificationStatus", inSystem("http://terminology.hl7.org/CodeSystem/condition-ver-status", "provisional")))), want: "S1"},
		{name: "resolved by now → S1: it is still new", told: plus(days(3, pregnancy, set("clinicalStatus", inSystem("http://terminology.hl7.org/CodeSystem/condition-clinical", "resolved")))), want: "S1"},
		{name: "the record gone → S1: silence takes nothing back", told: plus(days(3, pregnancy)).gone("Condition", "diagnosis"), want: "S1"},

		{name: "on the day of the decision, no hour, first told before it → none", told: plus(days(50, pregnancy, set("recordedDate", "2026-01-12"))), want: ""},
		{name: "on the day of the decision, no hour, first told later → S1", told: plus(days(49, pregnancy, set("recordedDate", "2026-01-12"))), want: "S1"},
		{name: "no date, told after the decision → S1", told: plus(days(3, pregnancy, set("recordedDate", nil))), want: "S1"},
		{name: "dated a year ago, first told after the decision → S2: did they know of it?", told: plus(days(3, pregnancy, set("recordedDate", "2025-03-01"))), want: "S2", state: readiness.NotReady},
		{name: "dated a year ago, first told before the decision → none", told: plus(days(51, pregnancy, set("recordedDate", "2025-03-01"))), want: "", state: readiness.Ready},
		{name: "dated a year ago, there already when the client's records were first read → none", told: plus(days(3, pregnancy, set("recordedDate", "2025-03-01"))), want: "", state: readiness.Ready,
			chart: func(c *fhir.Chart) { c.Links[0].Whole = c.Moment }},
		{name: "dated a year ago, first told after the decision, and decided anew since → none: answered", want: "", told: plus(days(3, pregnancy, set("recordedDate", "2025-03-01"))).then(anew(fhir.DecisionCleared, 2))},
		{name: "dated before the decision, told before and once more after it → none", want: "", told: plus(days(51, pregnancy)).again(3*day, "Condition", "diagnosis-p1", set("note", []any{obj{"text": "seen"}}))},
		{name: "the prescriber's own, dated before the decision, told after it → none: they knew", want: "", told: plus(by(fhirtest.Prescriber, fhirtest.PrescriberSource, days(3, pregnancy, set("recordedDate", "2025-03-01"), set("subject.reference", "Patient/s-p1"))))},
		{name: "another prescriber's, dated before the decision, told after it → S2", want: "S2", told: plus(by("other", "other", days(3, pregnancy, set("recordedDate", "2025-03-01"))))},
		{name: "a visit of before the decision, first told after it → S2", want: "S2", state: readiness.NotReady, told: plus(visit("EMER", "finished", set("period.start", "2026-01-05T10:00:00Z")))},
		{name: "a medicine since before the decision, first told after it → S2", want: "S2", state: readiness.NotReady, told: plus(takes(3, set("dateAsserted", "2026-01-05")))},
		{name: "the prescriber's own, of the decision's day → none: they knew", want: "", told: plus(by(fhirtest.Prescriber, fhirtest.PrescriberSource, days(3, pregnancy, set("recordedDate", "2026-01-12"), set("subject.reference", "Patient/s-p1"))))},
		{name: "the prescriber's own, after the decision → S1", want: "S1", told: plus(by(fhirtest.Prescriber, fhirtest.PrescriberSource, days(3, pregnancy)))},
		{name: "another prescriber's → S1", want: "S1", told: plus(by("other", "other", days(3, pregnancy)))},

		{name: "a medicine on the list → S2", told: plus(takes(3)), want: "S2", state: readiness.NotReady},
		{name: "a medicine on the list, by the Medication inside the statement → S2", want: "S2", told: plus(takes(3, set("medicationCodeableConcept", nil), set("medicationReference", obj{"reference": "#m"}),
			set("contained", []any{obj{"resourceType": "Medication", "id": "m", "code": inSystem(clonazepam.System, clonazepam.Code)}})))},
		{name: "a medicine that is not taken → none", told: plus(takes(3, set("status", "not-taken"))), want: ""},
		{name: "another medicine → none", told: plus(takes(3, set("medicationCodeableConcept.coding.0.code", "161"))), want: ""},
		{name: "a pregnancy status of pregnant → S1", told: plus(test(inSystem(fhir.SystemSNOMED, "77386006"))), want: "S1"},
		{name: "a pregnancy status that is not known → S1", told: plus(test(inSystem(fhir.SystemSNOMED, "261665006"))), want: "S1"},
		{name: "a pregnancy status without an answer → S1", told: plus(test(nil)), want: "S1"},
		{name: "a pregnancy status of not pregnant → none", told: plus(test(inSystem(fhir.SystemSNOMED, "60001007"))), want: "", state: readiness.Ready},
		{name: "a pregnancy status of not pregnant from before the decision, corrected after it without a new date → S1", want: "S1", state: readiness.NotReady, told: corrected},
		{name: "a pregnancy status from before the decision, told once more after it → none", want: "", told: toldAgain},
		{name: "a visit to an emergency department → S2", told: plus(visit("EMER", "finished")), want: "S2"},
		{name: "a planned one → none", told: plus(visit("EMER", "planned")), want: ""},
		{name: "another visit → none", told: plus(visit("AMB", "finished")), want: ""},
	}
	for i := range rows {
		rows[i].policy = listed()
	}
	rows = append(rows,
		rowAt{name: "an empty list → none", told: plus(days(3, pregnancy)), want: "", state: readiness.Ready},
		rowAt{name: "a list of the practice's own → S2", told: plus(days(3, fhir.Code{System: fhir.SystemICD10, Code: "M54.5"})), want: "S2", policy: func(p *readiness.Policy) {
			p.Watch = fhir.WatchList{{Code: fhir.Code{System: fhir.SystemICD10, Code: "M54.5"}, Words: "back pain", Severity: "S2", In: []string{"Condition"}}}
		}},
		rowAt{name: "on the list for other records only → none", told: plus(days(3, pregnancy)), want: "", policy: func(p *readiness.Policy) {
			p.Watch = fhir.WatchList{{Code: pregnancy, Words: "pregnancy", Severity: "S1", In: []string{"Encounter"}}}
		}},
	)
	judgeRule(t, "R14", rows)

	v := rowAt{told: plus(days(3, pregnancy)).then(days(2, pregnancy, set("id", "second"))), policy: listed()}.verdict()
	n := 0
	for _, f := range v.Findings {
		if f.Code == "R14" {
			n++
		}
	}
	f, _ := finding(v, "R14")
	if want := "Reverie recorded pregnancy on Sat 28 Feb 2026, after the decision of Mon 12 Jan 2026"; n != 1 || f.Words != want || len(f.Because) != 3 || !strings.HasPrefix(f.Next, "tell Skylight Psychedelics") {
		t.Errorf("%d findings, %q, %v; next %s", n, f.Words, f.Because, f.Next)
	}
	f, _ = finding(rowAt{told: plus(takes(3, set("dateAsserted", "2026-01-05"))), policy: listed()}.verdict(), "R14")
	if want := "Reverie first told of clonazepam of Mon 5 Jan 2026 on Sat 28 Feb 2026, after the decision of Mon 12 Jan 2026"; f.Words != want || !strings.Contains(f.Next, "whether they knew of it") {
		t.Errorf("%q; next %s", f.Words, f.Next)
	}
	if f, _ := finding(rowAt{told: plus(by("other", "other", days(3, pregnancy))), policy: listed()}.verdict(), "R14"); strings.Contains(f.Words, "pregnancy") || !strings.Contains(f.Words, "Another prescriber") {
		t.Errorf("what another prescriber wrote is told: %s", f.Words)
	}
}
