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
	c := fhirtest.Client(now)
	for _, id := range []fhir.ID{{System: fhir.SystemToken, Value: "K-7Q"}, {System: fhir.SystemClient, Value: c.Client}} {
		vs := append(c.Blameless(), c.Told("calendar", fhir.Practice, fmt.Sprintf(`{"resourceType":"Patient","id":"t-1","identifier":[{"system":%q,"value":%q}]}`, id.System, id.Value)))
		v := readiness.Assess(c.Chart(vs...), policy(), now)
		if g := gate(t, v, readiness.GateIdentity); g.State != readiness.Met {
			t.Errorf("%s: %s", id.System, g.Words)
		}
		c = fhirtest.Client(now)
	}
}
