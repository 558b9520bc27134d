package readiness_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestWhomTheClientCallsAboutTheParcel(t *testing.T) {
	three := []readiness.Dispensary{{Name: "The Art of Medicine", Phone: "555-0101", States: []string{"CO", "NY"}}, {Name: "Koshland", States: []string{"CA"}}, {Name: "Clearspring", Rest: true}}
	for _, tc := range []struct {
		name  string
		state any
		on    []readiness.Dispensary
		want  string
	}{
		{"the one that lists the client's state, with its phone", "CO", three, "have the client call The Art of Medicine, 555-0101"},
		{"a state written out is the same state", "California", three, "have the client call Koshland"},
		{"the one for the rest", "UT", three, "have the client call Clearspring"},
		{"no state on file: nobody is guessed", nil, three, "have the client call the pharmacy"},
		{"no pharmacies on the sheet", "CO", nil, "have the client call the pharmacy"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := fhirtest.Client(now)
			address := []map[string]any{{"use": "home", "city": "Somewhere"}}
			if tc.state != nil {
				address[0]["state"] = tc.state
			}
			vs := append(none(c), c.PatientHere(set("address", address)), c.Told(fhirtest.PrescriberSource, fhirtest.Prescriber, fmt.Sprintf(
				`{"resourceType":"Task","id":"parcel","status":"in-progress","intent":"order","for":{"reference":"Patient/s-%s"},"code":{"coding":[{"system":%q,"code":%q}]},
				"businessStatus":{"coding":[{"system":%q,"code":%q}]}}`, c.Patient, fhir.SystemKAP, fhir.CodeFulfilment, fhir.SystemFulfilment, fhir.FulfilmentAddress)))
			v := readiness.Assess(c.Chart(vs...), policy(onSheet(func(s *readiness.Sheet) { s.Pharmacies = tc.on })), now)
			g := gate(t, v, readiness.GateMedicine)
			if g.Next != tc.want || g.Owner != readiness.Client || !strings.Contains(g.Words, "by phone") {
				t.Errorf("%s > %s: %s", g.Words, g.Owner, g.Next)
			}
		})
	}
}
