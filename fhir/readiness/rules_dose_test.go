package readiness_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestR25DoseDisagreement(t *testing.T) {
	q := func(value any, unit string) map[string]any {
		return map[string]any{"value": value, "unit": unit, "code": unit, "system": fhir.SystemUCUM}
	}
	took := func(value any, unit string, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(8).Administration(c.At, 1, append([]fhir.Edit{set("dosage.dose", q(value, unit))}, edits...)...)
		}
	}
	dose := func(rate any, edits ...fhir.Edit) told { // the directions, before everything else was recorded
		return func(c *course) []fhir.Version {
			vs := fhirtest.WithoutRecord(c.Blameless(), "MedicationRequest", "rx-p1")
			rx := c.DaysBefore(49).Prescription(append([]fhir.Edit{set("dosageInstruction.0.doseAndRate", rate)}, edits...)...)
			return append(vs, rx, c.DaysBefore(5).Acknowledged(rx))
		}
	}
	exactly := func(value any, unit string) []any { return []any{map[string]any{"doseQuantity": q(value, unit)}} }
	from := func(low, high any, unit string) []any {
		r := map[string]any{"high": q(high, unit)}
		if low != nil {
			r["low"] = q(low, unit)
		}
		return []any{map[string]any{"doseRange": r}}
	}
	one := dose(exactly(1, "{lozenge}"))
	booster := dose(exactly(1, "{lozenge}"), set("dosageInstruction.-1", map[string]any{"text": "Half of one more, if needed", "asNeededBoolean": true, "doseAndRate": exactly(0.5, "{lozenge}")}))
	judgeRule(t, "R25", []rowAt{
		{name: "nothing taken yet → none", told: all},
		{name: "one of one → none, and still ready", told: one.then(took(1, "{lozenge}")), state: readiness.Ready},
		{name: "two of one → S1", told: one.then(took(2, "{lozenge}")), want: "S1", state: readiness.NotReady},
		{name: "half of one → S1", told: one.then(took(0.5, "{lozenge}")), want: "S1"},
		{name: "1.0 of 1 → none: numbers, not texts", told: one.then(took(1.0, "{lozenge}"))},
		{name: "two halves on one day → none", told: one.then(took(0.5, "{lozenge}")).then(took(0.5, "{lozenge}", set("id", "second")))},
		{name: "one and then one more on the same day → S1", told: one.then(took(1, "{lozenge}")).then(took(1, "{lozenge}", set("id", "second"))), want: "S1"},
		{name: "one each on two days → none", told: one.then(took(1, "{lozenge}")).then(took(1, "{lozenge}", set("id", "second"), set("effectiveDateTime", "2026-02-10")))},
		{name: "the low end of a range → none", told: dose(from(1, 2, "{lozenge}")).then(took(1, "{lozenge}"))},
		{name: "the high end of a range → none", told: dose(from(1, 2, "{lozenge}")).then(took(2, "{lozenge}"))},
		{name: "below a range → S1", told: dose(from(1, 2, "{lozenge}")).then(took(0.5, "{lozenge}")), want: "S1"},
		{name: "above a range → S1", told: dose(from(1, 2, "{lozenge}")).then(took(2.5, "{lozenge}")), want: "S1"},
		{name: "up to two, and a quarter taken → none", told: dose(from(nil, 2, "{lozenge}")).then(took(0.25, "{lozenge}"))},
		{name: "100 mg of 0.1 g → none: one is the other", told: dose(exactly(0.1, "g")).then(took(100, "mg"))},
		{name: "150 mg of 0.1 g → S1", told: dose(exactly(0.1, "g")).then(took(150, "mg")), want: "S1"},
		{name: "100 mg of one lozenge → none: they cannot be compared", told: one.then(took(100, "mg"))},
		{name: "1 mg/kg of mg → none: they cannot be compared", told: dose(exactly(1, "mg/kg")).then(took(100, "mg"))},
		{name: "a booster left out → none", told: booster.then(took(1, "{lozenge}"))},
		{name: "with the booster → none", told: booster.then(took(1.5, "{lozenge}"))},
		{name: "two boosters → S1", told: booster.then(took(2, "{lozenge}")), want: "S1"},
		{name: "directions without an amount → none", told: dose(nil).then(took(2, "{lozenge}"))},
		{name: "an amount with a comparator → none: it is none", told: one.then(took(2, "{lozenge}", set("dosage.dose.comparator", ">")))},
		{name: "no amount recorded → none", told: one.then(took(1, "{lozenge}", set("dosage", nil)))},
		{name: "recorded as not as directed → S1", want: "S1", told: one.then(took(1, "{lozenge}", set("dosage", nil),
			set("statusReason", []any{map[string]any{"coding": []any{map[string]any{"system": fhir.SystemKAP, "code": fhir.CodeNotAsDirected}}}})))},
		{name: "today's first half, the session going on → none yet", told: one.then(func(c *course) fhir.Version {
			return c.On(now.Add(-20*60e9)).Administration(c.At, 1, set("dosage.dose", q(0.5, "{lozenge}")), set("status", "in-progress"))
		})},
		{name: "as it was prescribed then, before the dose was raised → none", told: one.then(took(1, "{lozenge}")).then(func(c *course) fhir.Version {
			return c.DaysBefore(3).Prescription(set("dosageInstruction.0.doseAndRate", exactly(2, "{lozenge}")), set("authoredOn", c.Day(-49)))
		})},
		{name: "a dose change not read: still as before → S1", want: "S1", told: one.then(func(c *course) fhir.Version {
			return c.DaysBefore(10).Prescription(set("dosageInstruction.0.doseAndRate", exactly(0.5, "{lozenge}")), set("authoredOn", c.Day(-49)))
		}).then(took(1, "{lozenge}"))},
		{name: "the prescriber decided since → none: they know", told: one.then(took(2, "{lozenge}")).then(func(c *course) fhir.Version {
			return c.DaysBefore(2).Clearance(fhir.DecisionCleared, c.Day(-2), c.Day(40), set("id", "since"))
		})},
		{name: "decided after the dose, but before it was recorded → S1", want: "S1", told: one.then(func(c *course) fhir.Version {
			return c.DaysBefore(4).Clearance(fhir.DecisionCleared, c.Day(-4), c.Day(40), set("id", "since"))
		}).then(func(c *course) fhir.Version {
			return c.DaysBefore(2).Administration(now.AddDate(0, 0, -8), 2)
		})},
		{name: "taken back as a mistake → none", told: one.then(took(2, "{lozenge}")).then(took(2, "{lozenge}", set("status", "entered-in-error")))},
	})
	t.Run("both sides' amounts are shown, and nothing is advised", func(t *testing.T) {
		f, _ := finding(rowAt{told: one.then(took(2, "{lozenge}"))}.verdict(), "R25")
		if f.Values[fhir.Practice] != "2 lozenge" || f.Values[fhirtest.Prescriber] != "1 lozenge" || !strings.HasPrefix(f.Next, "tell Skylight Psychedelics") {
			t.Errorf("%q %v > %q", f.Words, f.Values, f.Next)
		}
	})
}

func TestR25Labels(t *testing.T) {
	check := func(at time.Duration, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			v := c.On(now.Add(at)).Dispense(edits...)
			v.Source, v.Party = fhirtest.PracticeSource, fhir.Practice
			return v
		}
	}
	reason := set("statusReasonCodeableConcept", map[string]any{"coding": []any{map[string]any{"system": fhir.SystemKAP, "code": fhir.CodeOtherName}}})
	others := set("dosageInstruction", []any{map[string]any{"text": "Two lozenges"}})
	judgeRule(t, "R25", []rowAt{
		{name: "another name → S1", told: told(all).then(check(-30*time.Minute, set("id", "check"), set("status", "on-hold"), reason)), want: "S1", state: readiness.NotReady},
		{name: "another name, and read again as theirs → none", told: told(all).then(check(-30*time.Minute, set("id", "check"), set("status", "on-hold"), reason)).
			then(check(-20*time.Minute, set("id", "check-again")))},
		{name: "other directions → S1", told: told(all).then(check(-30*time.Minute, set("id", "check"), others)), want: "S1", state: readiness.NotReady},
		{name: "other directions, and a decision since → none", told: told(all).then(check(-30*time.Minute, set("id", "check"), others)).then(func(c *course) fhir.Version {
			return c.On(now.Add(-20*time.Minute)).Clearance(fhir.DecisionCleared, c.Day(-1), c.Day(40), set("id", "since"))
		})},
		{name: "the pharmacy's own directions are not the practice's word → none", told: told(all).then(func(c *course) fhir.Version {
			return c.On(now.Add(-30*time.Minute)).Dispense(set("id", "fill2"), others)
		})},
	})
}

func TestR25ShippedToThePractice(t *testing.T) {
	ours := fhir.ID{System: fhir.SystemNPI, Value: "1679576722"}
	here := func(p *readiness.Policy) {
		p.Practice.Identifiers = []fhir.ID{ours}
		p.Practice.Address = []string{"12 Invented Street, Denver CO 80202", "555-0123"}
	}
	to := func(edits ...fhir.Edit) told {
		return less("MedicationDispense", "dispense").then(func(c *course) fhir.Version { return c.DaysBefore(30).Dispense(edits...) })
	}
	at := func(place map[string]any) told {
		place["resourceType"], place["id"] = "Location", "to"
		return to(set("contained", []any{place}), set("destination", map[string]any{"reference": "#to"}))
	}
	address := func(line, town, code string) map[string]any {
		return map[string]any{"address": map[string]any{"line": []any{line}, "city": town, "postalCode": code}}
	}
	id := map[string]any{"system": ours.System, "value": ours.Value}
	judgeRule(t, "R25", []rowAt{
		{name: "no destination is told → none", told: all, policy: here},
		{name: "the practice's identifier → S1", told: to(set("destination", map[string]any{"identifier": id})), policy: here, want: "S1", state: readiness.NotReady},
		{name: "a place that the practice runs → S1", told: at(map[string]any{"managingOrganization": map[string]any{"identifier": id}}), policy: here, want: "S1"},
		{name: "the practice's address → S1", told: at(address("12 Invented  Street", "DENVER", "80299")), policy: here, want: "S1"},
		{name: "another house in the street → none", told: at(address("2 Invented Street", "Denver", "80202")), policy: here},
		{name: "the same street in another town → none", told: at(address("12 Invented Street", "Boulder", "80301")), policy: here},
		{name: "a place that is not on file → none: it cannot be told", told: to(set("destination", map[string]any{"reference": "Location/9"})), policy: here},
		{name: "and the therapist read the label with the client since → none", policy: here,
			told: to(set("destination", map[string]any{"identifier": id})).then(func(c *course) fhir.Version {
				return c.Told(fhirtest.PracticeSource, fhir.Practice, string(c.DaysBefore(20).Dispense(set("id", "label")).Resource.Body), set("meta", nil), set("subject.reference", "Patient/"+c.Patient))
			})},
	})
}
