package readiness_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// fromCalendar is the blameless client whose dosing session was read from a calendar.
func fromCalendar(lasting time.Duration, kind, status string) told {
	return func(c *course) []fhir.Version {
		service := ""
		if kind != "" {
			service = fmt.Sprintf(`"serviceType":[{"coding":[{"system":%q,"code":%q}]}],`, fhir.SystemSession, kind)
		}
		return append(less("Appointment", "dosing")(c), c.Told(fhirtest.PracticeSource, fhir.Practice, fmt.Sprintf(
			`{"resourceType":"Appointment","id":"e-1","identifier":[{"system":%q,"value":"e-1"}],"status":%q,%s"start":%q,"end":%q,
			"participant":[{"actor":{"reference":"Patient/%s"},"status":"accepted"}]}`, fhir.SystemCalendarEvent, status, service,
			c.Session.Format(time.RFC3339), c.Session.Add(lasting).Format(time.RFC3339), c.Patient)))
	}
}

func TestAnEventThatNobodySorts(t *testing.T) {
	for _, tc := range []struct {
		name  string
		told  told
		found bool
		next  bool
	}{
		{"three hours and no kind: it counts as dosing, and the admin is to say what it is", fromCalendar(3*time.Hour, "", "booked"), true, true},
		{"ninety minutes and no kind", fromCalendar(90*time.Minute, "", "booked"), true, true},
		{"an hour and no kind is no dosing session", fromCalendar(time.Hour, "", "booked"), false, false},
		{"three hours of integration are no dosing session", fromCalendar(3*time.Hour, "integration", "booked"), false, false},
		{"three hours of dosing need no word", fromCalendar(3*time.Hour, "dosing", "booked"), false, true},
		{"three hours and no kind, cancelled", fromCalendar(3*time.Hour, "", "cancelled"), false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := fhirtest.Client(now)
			v := readiness.Assess(c.Chart(tc.told(c)...), policy(), now)
			f, found := finding(v, "R51")
			if found != tc.found || (v.Appointment != nil) != tc.next {
				explain(t, v)
				t.Errorf("found %v, next session %v", found, v.Appointment)
			}
			if found && (f.Severity != readiness.S2 || f.Owner != readiness.Admin || v.State == readiness.Ready) {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestABarePatientSaysNothingOfIdentity(t *testing.T) {
	token, key := fhir.ID{System: fhir.SystemToken, Value: "K-7Q"}, fhir.ID{System: fhir.SystemClient, Value: "client-1"}
	for _, row := range []struct {
		name, source, party string
		id                  fhir.ID
		more                string
		want                readiness.GateState
	}{
		{"a calendar's, at the practice", "calendar", fhir.Practice, token, "", readiness.Met},
		{"the practice's desk's", "desk", fhir.Practice, key, "", readiness.Met},
		{"the prescriber's desk's", "desk-skylight", fhirtest.Prescriber, key, "", readiness.Met},
		{"the prescriber's own, which withholds name and birth date", fhirtest.PrescriberSource, fhirtest.Prescriber, key, "", readiness.Untold},
		{"the prescriber's own, which bears a token", fhirtest.PrescriberSource, fhirtest.Prescriber, token, "", readiness.Untold},
		{"a system of the practice's that is no desk", "mirror", fhir.Practice, key, "", readiness.Untold},
		{"a system of the practice's that says that the client died", "calendar", fhir.Practice, token, `,"deceasedBoolean":true`, readiness.Open},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := fhirtest.Client(now)
			vs := append(c.Blameless(), c.Told(row.source, row.party, fmt.Sprintf(`{"resourceType":"Patient","id":"t-1","identifier":[{"system":%q,"value":%q}]%s}`, row.id.System, row.id.Value, row.more)))
			v := readiness.Assess(c.Chart(vs...), policy(func(p *readiness.Policy) { p.Practice.Desk, p.Prescriber.Desk = "desk", "desk-skylight" }), now)
			if g := gate(t, v, readiness.GateIdentity); g.State != row.want {
				t.Errorf("%s: %s", g.State, g.Words)
			}
		})
	}
}
