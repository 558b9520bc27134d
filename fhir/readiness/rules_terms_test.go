package readiness_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestR11ClearanceWithoutExpiry(t *testing.T) {
	notAsked := onSheet(func(s *readiness.Sheet) { s.ClearanceValidity = readiness.Asked[time.Duration]{} })
	endless := cleared(fhir.DecisionCleared, "2026-01-12", "")
	judgeRule(t, "R11", []rowAt{
		{name: "an end in the decision → none", told: all, policy: notAsked, want: "", state: readiness.Ready},
		{name: "no end, and a validity on the sheet → none: per agreement", told: endless, want: ""},
		{name: "no end, and none set on the sheet → none: per agreement", told: endless, want: "", policy: onSheet(func(s *readiness.Sheet) { s.ClearanceValidity = readiness.None[time.Duration]() })},
		{name: "no end, and the sheet was not asked → S3, and the window is unknown", told: endless, policy: notAsked, want: "S3", state: readiness.Unknown},
		{name: "no end, the sheet not asked, an age assumed → S3", told: endless, want: "S3", policy: func(p *readiness.Policy) { notAsked(p); p.Rules.ClearanceMaxAge = 90 * day }},
		{name: "no end, and withdrawn since → none", told: endless.then(func(c *course) fhir.Version {
			return c.DaysBefore(1).Clearance(fhir.DecisionWithdrawn, c.Day(-1), "", set("id", "w"))
		}), policy: notAsked, want: "", state: readiness.Hold},
		{name: "not decided yet → none", told: none, policy: notAsked, want: ""},
	})
	v := rowAt{told: endless, policy: notAsked}.verdict()
	if f, _ := finding(v, "R11"); f.RollUp != "R11/skylight" || strings.Contains(f.Words, "2026") {
		t.Errorf("one row for all clients: %q, %q", f.RollUp, f.Words)
	}
}

func TestR13ClearanceConditionOpen(t *testing.T) {
	with := func(texts ...string) told {
		var parts []any
		for _, text := range texts {
			parts = append(parts, fhirtest.Condition(text))
		}
		c := fhirtest.Client(now)
		return cleared(fhir.DecisionConditions, c.Day(-50), c.Day(40), set("component", parts))
	}
	met := func(text, status string, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version { return c.DaysBefore(30).ConditionMet(text, status, edits...) }
	}
	achieved := func(text, code string, edits ...fhir.Edit) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(30).Goal(append([]fhir.Edit{set("description", obj{"text": text}), set("category", []any{inSystem(fhir.SystemClearanceItem, "condition")}),
				set("achievementStatus", inSystem("http://terminology.hl7.org/CodeSystem/goal-achievement", code)), set("statusDate", c.At.Format(time.DateOnly))}, edits...)...)
		}
	}
	inTenDays := func(t told) told {
		return t.then(func(c *course) fhir.Version { return c.DaysBefore(9).Dosing(now.AddDate(0, 0, 10)) })
	}
	endless := func(p *readiness.Policy) {
		p.Sheet.ClearanceValidity, p.Rules.ClearanceMaxAge = readiness.Asked[time.Duration]{}, 0
	}
	rows := []rowAt{
		{name: "no condition → none", told: all, want: "", state: readiness.Ready},
		{name: "open, the session in two hours → S2", told: with("ECG"), want: "S2", state: readiness.NotReady},
		{name: "open, the session in ten days → S3: it is due five days before", told: inTenDays(with("ECG")), want: "S3", state: readiness.NotReady},
		{name: "open, the session in ten days, six days on → S2", told: inTenDays(with("ECG")), at: 6 * day, want: "S2"},
		{name: "open, and no session → S3", told: with("ECG").then(func(c *course) fhir.Version { return c.DaysBefore(1).Dosing(c.Session, set("status", "cancelled")) }), want: "S3"},
		{name: "recorded as met → none", told: with("ECG").then(met("ECG", "completed")).confirmed(), want: "", state: readiness.Ready},
		{name: "recorded as met, in other capitals and spaces → none", told: with("Letter of the  cardiologist").then(met("letter of the Cardiologist", "completed")).confirmed(), want: "", state: readiness.Ready},
		{name: "one of two recorded as met → S2", told: with("ECG", "UDS").then(met("ECG", "completed")), want: "S2"},
		{name: "both recorded as met → none", told: with("ECG", "UDS").then(met("ECG", "completed")).then(met("UDS", "completed", set("id", "uds"))).confirmed(), want: "", state: readiness.Ready},
		{name: "asked for, and not met yet → S2", told: with("ECG").then(met("ECG", "requested")), want: "S2"},
		{name: "met, and asked for anew since → S2", told: with("ECG").then(met("ECG", "completed")).then(func(c *course) fhir.Version {
			return c.DaysBefore(3).ConditionMet("ECG", "requested", set("id", "again"))
		}), want: "S2"},
		{name: "met, and the record gone → S2", told: with("ECG").then(met("ECG", "completed")).gone("Task", "condition"), want: "S2"},
		{name: "met, entered in error → S2", told: with("ECG").then(met("ECG", "entered-in-error")), want: "S2"},
		{name: "met before this decision was made → S2", told: with("ECG").then(func(c *course) fhir.Version {
			return c.DaysBefore(55).ConditionMet("ECG", "completed", set("focus", nil))
		}), want: "S2"},
		{name: "met for another decision → S2", told: with("ECG").then(met("ECG", "completed", set("focus.reference", "Observation/other"))), want: "S2"},
		{name: "met, says the practice → S2: it is the prescriber's word", want: "S2", told: with("ECG").then(func(c *course) fhir.Version {
			v := met("ECG", "completed", set("focus", nil))(c)
			v.Party, v.Source = fhir.Practice, fhirtest.PracticeSource
			return v
		})},
		{name: "a goal of it achieved → none", told: with("ECG").then(achieved("ECG", "achieved")).confirmed(), want: "", state: readiness.Ready},
		{name: "a goal of it in progress → S2", told: with("ECG").then(achieved("ECG", "in-progress")), want: "S2"},
		{name: "a goal of something else achieved → S2", told: with("ECG").then(achieved("Less worry", "achieved")), want: "S2"},
		{name: "open, and the clearance gives no end that anybody agreed → S2 all the same", want: "S2", told: cleared(fhir.DecisionConditions, fhirtest.Client(now).Day(-50), "", set("component", []any{fhirtest.Condition("ECG")})), state: readiness.Unknown,
			policy: endless},
		{name: "withdrawn since → none: R12 says it", told: with("ECG").then(func(c *course) fhir.Version {
			return c.DaysBefore(1).Clearance(fhir.DecisionWithdrawn, c.Day(-1), "", set("id", "w"))
		}), want: "", state: readiness.Hold},
	}
	judgeRule(t, "R13", rows)
	for i := range rows { // the gate goes by the same
		if r := rows[i]; r.state != readiness.Hold && r.policy == nil {
			g, want := gate(t, r.verdict(), readiness.GateClearance), readiness.Met
			if r.want != "" {
				want = readiness.Open
			}
			if g.State != want {
				t.Errorf("%s: the gate is %s: %s", r.name, g.State, g.Words)
			}
		}
	}
}

func TestR16ClearingClinicianInactive(t *testing.T) {
	role := func(edits ...fhir.Edit) told {
		return plus(func(c *course) fhir.Version { return c.DaysBefore(3).Role(edits...) })
	}
	closed := func(month time.Month, d int) func(*readiness.Policy) {
		return func(p *readiness.Policy) { p.Prescriber.Closed = readiness.Day{Year: 2026, Month: month, Day: d} }
	}
	rows := []rowAt{
		{name: "no role on file → none", told: all, want: "", state: readiness.Ready},
		{name: "a role that goes on → none", told: role(), want: "", state: readiness.Ready},
		{name: "a role that ends after the session → none", told: role(set("period", obj{"end": "2026-03-03"})), want: "", state: readiness.Ready},
		{name: "a role that ended yesterday → S2", told: role(set("period", obj{"end": "2026-03-02"})), want: "S2", state: readiness.NotReady},
		{name: "a role that is not active → S2", told: role(set("active", false)), want: "S2", state: readiness.NotReady},
		{name: "a role that ended, and another that goes on → none", told: role(set("active", false)).then(func(c *course) fhir.Version { return c.Role(set("id", "role-2")) }), want: "", state: readiness.Ready},
		{name: "somebody else's role ended → none", told: role(set("active", false), set("practitioner.identifier.value", "1111111111")), want: ""},
		{name: "a role that ended, and a decision by somebody else since → none", want: "",
			policy: onSheet(func(s *readiness.Sheet) {
				s.Deciders = append(s.Deciders, fhir.ID{System: fhir.SystemNPI, Value: "1881697747"})
			}),
			told: role(set("active", false)).then(func(c *course) fhir.Version {
				return c.DaysBefore(2).Clearance(fhir.DecisionCleared, c.Day(-2), c.Day(40), set("id", "anew"), set("performer.0.identifier.value", "1881697747"))
			})},
		{name: "the prescriber closes after the session's day → none", told: all, policy: closed(time.March, 4), want: "", state: readiness.Ready},
		{name: "the prescriber closes on the session's day → S2", told: all, policy: closed(time.March, 3), want: "S2", state: readiness.NotReady},
		{name: "the prescriber closed, and nothing is cleared → none: R09 says it", told: none, policy: closed(time.March, 1), want: ""},
	}
	judgeRule(t, "R16", rows)
	for _, r := range rows {
		if g := gate(t, r.verdict(), readiness.GateClearance); r.want != "" && g.State != readiness.Open {
			t.Errorf("%s: the gate is %s: %s", r.name, g.State, g.Words)
		}
	}
	if f, _ := finding(rowAt{told: all, policy: closed(time.March, 1)}.verdict(), "R16"); f.RollUp != "R16/skylight/closed" {
		t.Errorf("one row for all clients: %q", f.RollUp)
	}
}
