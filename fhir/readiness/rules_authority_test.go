package readiness_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// visited is an encounter of the prescriber with the client.
func visited(class string, edits ...fhir.Edit) func(c *course) fhir.Version {
	return func(c *course) fhir.Version {
		return c.DaysBefore(50).Told(fhirtest.PrescriberSource, fhirtest.Prescriber, fmt.Sprintf(`{"resourceType":"Encounter","id":"visit-%s","status":"finished",
			"class":{"system":%q,"code":%q},"subject":{"reference":"Patient/s-%[1]s"}}`, c.Patient, fhir.SystemActCode, class), edits...)
	}
}

func TestR33TelehealthAuthorityEnding(t *testing.T) {
	until := func(year int, month time.Month, day int) func(*readiness.Policy) {
		return func(p *readiness.Policy) {
			p.Rules.TelehealthUntil = readiness.Day{Year: year, Month: month, Day: day}
		}
	}
	early := until(2026, time.January, 1) // before the prescription was written
	booked := until(2026, time.March, 2)  // between the prescription and the session
	soon := until(2026, time.March, 31)   // after the session
	waiting := less("MedicationRequest", "rx").then(func(c *course) fhir.Version { return c.On(now).Dosing(now.AddDate(0, 0, 40)) })
	judgeRule(t, "R33", []rowAt{
		{name: "the law lets it to the end of the year, and nothing lies beyond → none", told: all},
		{name: "the session is on the last day → none", told: all, policy: until(2026, time.March, 3)},
		{name: "a session after the date, prescribed before it → S3, and still ready", told: all, policy: booked, want: "S3", state: readiness.Ready},
		{name: "prescribed after the date → S2", told: all, policy: early, want: "S2", state: readiness.NotReady},
		{name: "prescribed after the date, seen in person → none", told: plus(visited("AMB")), policy: early, state: readiness.Ready},
		{name: "seen by video only → S2", told: plus(visited("VR")), policy: early, want: "S2"},
		{name: "the prescriber tells of a visit to an emergency department → S2", told: plus(visited("EMER")), policy: early, want: "S2"},
		{name: "the prescriber tells of a stay in a hospital → S2: that is no exam of theirs", told: plus(visited("IMP")), policy: early, want: "S2"},
		{name: "… under observation → S2", told: plus(visited("OBSENC")), policy: early, want: "S2"},
		{name: "seen at the client's home → none", told: plus(visited("HH")), policy: early, state: readiness.Ready},
		{name: "the visit is only planned → S2", told: plus(visited("AMB", set("status", "planned"))), policy: early, want: "S2"},
		{name: "a session in the practice's rooms is no exam → S2", told: plus(func(c *course) fhir.Version {
			return c.DaysBefore(20).Told(fhirtest.PracticeSource, fhir.Practice, fmt.Sprintf(`{"resourceType":"Encounter","id":"here","status":"finished","class":{"system":%q,"code":"AMB"}}`, fhir.SystemActCode))
		}), policy: early, want: "S2"},
		{name: "no prescription yet, a session after the date, 28 days to it → S2", told: waiting, policy: soon, want: "S2"},
		{name: "no prescription yet, a session after the date, 31 days to it → S3", told: waiting, policy: until(2026, time.April, 3), want: "S3"},
		{name: "no date → none", told: all, policy: until(0, 0, 0)},
	})
}

func TestR34CredentialExpired(t *testing.T) {
	ends := func(date readiness.Day) func(*readiness.Policy) {
		return func(p *readiness.Policy) {
			p.Credentials = readiness.Is([]readiness.Credential{{Name: "licence", Until: date}, {Name: "BAA of the calendar", Until: readiness.Day{Year: 2027, Month: 1, Day: 1}}})
		}
	}
	march := func(day int) readiness.Day { return readiness.Day{Year: 2026, Month: time.March, Day: day} }
	licence := func(end string, edits ...fhir.Edit) told {
		return func(c *course) []fhir.Version {
			v := c.DaysBefore(90).Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"Practitioner","id":"t1","qualification":[{"code":{"text":"LPC"},"period":{"end":"`+end+`"}}]}`, edits...)
			vs := append(c.Blameless(), c.On(now.Add(-time.Hour)).Dosing(c.Session, set("participant.-1", map[string]any{"status": "accepted", "actor": map[string]any{"reference": "Practitioner/t1", "display": "Robin Sample, LPC"}})))
			return append(vs, v)
		}
	}
	more := func(q obj) fhir.Edit {
		q["code"] = obj{"text": "LPC"}
		return set("qualification.-1", q)
	}
	issuedBy := func(state string) fhir.Edit { return set("qualification.0.issuer", obj{"display": state}) }
	numbered := func(n string) fhir.Edit {
		return set("qualification.0.identifier", []any{obj{"system": "https://board.example", "value": n}})
	}
	role := func(named bool, edits ...fhir.Edit) told {
		return func(c *course) []fhir.Version {
			who := "Practitioner/t1"
			if named {
				who = "PractitionerRole/r1"
			}
			vs := append(c.Blameless(), c.On(now.Add(-time.Hour)).Dosing(c.Session, set("participant.-1", obj{"status": "accepted", "actor": obj{"reference": who, "display": "Robin Sample, LPC"}})))
			return append(vs, c.DaysBefore(3).Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"PractitionerRole","id":"r1","active":true,"practitioner":{"reference":"Practitioner/t1"}}`, edits...))
		}
	}
	renewed := set("qualification.-1", map[string]any{"code": map[string]any{"text": "LPC"}, "period": map[string]any{"end": "2027-06-30"}})
	none := func(p *readiness.Policy) { p.Credentials = readiness.None[[]readiness.Credential]() }
	judgeRule(t, "R34", []rowAt{
		{name: "ends next year → none", told: all},
		{name: "ends in 62 days → none", told: all, policy: ends(readiness.Day{Year: 2026, Month: time.May, Day: 4})},
		{name: "ends in 59 days → S4, and still ready", told: all, policy: ends(readiness.Day{Year: 2026, Month: time.April, Day: 30}), want: "S4", state: readiness.Ready},
		{name: "ends in 29 days → S3, and still ready", told: all, policy: ends(march(31)), want: "S3", state: readiness.Ready},
		{name: "ends on the day of the session → S3, and still ready", told: all, policy: ends(march(3)), want: "S3", state: readiness.Ready},
		{name: "ended yesterday → S2", told: all, policy: ends(march(2)), want: "S2", state: readiness.NotReady},
		{name: "ends tomorrow, the session is in a week → S2", told: plus(func(c *course) fhir.Version { return c.Dosing(now.AddDate(0, 0, 7)) }), policy: ends(march(4)), want: "S2"},
		{name: "none set → none", told: all, policy: none, state: readiness.Ready},
		{name: "the therapist's own licence ends before the session, by the directory → S2", told: licence("2026-03-01"), policy: none, want: "S2"},
		{name: "… and was renewed → none", told: licence("2026-03-01", renewed), policy: none},
		{name: "… and another of that title, from another state, has no end → S2", told: licence("2026-03-01", issuedBy("Colorado"), more(obj{"period": obj{"start": "2025-01-01"}, "issuer": obj{"display": "Oregon"}})), policy: none, want: "S2", state: readiness.NotReady},
		{name: "… and another of that title, of another number, ends next year → S2", told: licence("2026-03-01", numbered("1"), more(obj{"period": obj{"end": "2027-06-30"}, "identifier": []any{obj{"system": "https://board.example", "value": "2"}}})), policy: none, want: "S2"},
		{name: "… and was renewed under a new number by the same board → none", told: licence("2026-03-01", numbered("1"), issuedBy("Colorado"), more(obj{"period": obj{"end": "2027-06-30"}, "issuer": obj{"display": "Colorado"}, "identifier": []any{obj{"system": "https://board.example", "value": "2"}}})), policy: none},
		{name: "… and the title stands there once more without any period → S2: that renews nothing", told: licence("2026-03-01", more(obj{})), policy: none, want: "S2"},
		{name: "… and was renewed without an end → none", told: licence("2026-03-01", more(obj{"period": obj{"start": "2026-03-02"}})), policy: none},
		{name: "the title without any period → none", told: licence("", set("qualification.0.period", nil)), policy: none},
		{name: "the therapist's role is active no more → S2", told: role(true, set("active", false)), policy: none, want: "S2", state: readiness.NotReady},
		{name: "the therapist's role is active → none", told: role(true), policy: none},
		{name: "the therapist's role ended last month → S2", told: role(true, set("period", obj{"end": "2026-02-20"})), policy: none, want: "S2"},
		{name: "the session names the therapist, whose only role is active no more → S2", told: role(false, set("active", false)), policy: none, want: "S2", state: readiness.NotReady},
		{name: "… and who has another, which is active → none", told: role(false, set("active", false)).then(func(c *course) fhir.Version {
			return c.DaysBefore(3).Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"PractitionerRole","id":"r2","active":true,"practitioner":{"reference":"Practitioner/t1"}}`)
		}), policy: none},
		{name: "… and ends in 20 days → S3", told: licence("2026-03-23"), policy: none, want: "S3"},
		{name: "not listed → none: the gate is unknown", told: all, policy: func(p *readiness.Policy) { p.Credentials = readiness.Asked[[]readiness.Credential]{} }, state: readiness.Unknown},
	})
	v := rowAt{told: all, policy: ends(march(31))}.verdict()
	if f, _ := finding(v, "R34"); f.RollUp != "R34/licence" || f.Due.IsZero() {
		t.Errorf("it touches every client, and is one row: %q, due %s", f.RollUp, f.Due)
	}
}

func TestR35ConsentDocumentMissing(t *testing.T) {
	two := func(p *readiness.Policy) {
		p.Consents = []fhir.Code{{System: fhir.SystemKAP, Code: fhir.CodeTreatmentConsent}, {System: "https://ehr.example/codes", Code: "FDA"}}
	}
	renew := func(days int) func(*readiness.Policy) {
		return func(p *readiness.Policy) { p.Rules.ConsentRenew = time.Duration(days) * day }
	}
	judgeRule(t, "R35", []rowAt{
		{name: "signed → none", told: all},
		{name: "not signed, a session booked → S2", told: less("Consent", "treatment-consent"), want: "S2", state: readiness.NotReady},
		{name: "not signed, no session → S3", told: none, want: "S3"},
		{name: "one of two is not signed → S2", told: all, policy: two, want: "S2", state: readiness.NotReady},
		{name: "ended → S2", told: plus(func(c *course) fhir.Version {
			return c.TreatmentConsent(set("provision", map[string]any{"period": map[string]any{"end": "2026-03-02"}}))
		}), want: "S2"},
		{name: "withdrawn → none: R07 says it", told: plus(func(c *course) fhir.Version { return c.TreatmentConsent(set("status", "inactive")) }), state: readiness.Hold},
		{name: "with exceptions → none: the gate is unknown", told: plus(func(c *course) fhir.Version {
			return c.TreatmentConsent(set("provision", map[string]any{"type": "deny"}))
		}), state: readiness.Unknown},
		{name: "signed 60 days ago, to be renewed after 90 → none", told: all, policy: renew(90), state: readiness.Ready},
		{name: "signed 60 days ago, to be renewed after 50 → S2", told: all, policy: renew(50), want: "S2", state: readiness.NotReady},
	})
}
