package desk_test

import (
	"testing"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

// What is acknowledged are these very directions: their digest is kept, as the practice's fact.
func TestDirectionsAreAcknowledgedByTheirDigest(t *testing.T) {
	t.Parallel()
	n := desk.Note{Entry: desk.NewEntry(), Client: "c-1", By: "maya", At: now}
	c := fhirtest.Client(now)
	rx := c.DaysBefore(9).Prescription()
	slips, err := book.Acknowledge(n, &rx)
	if err != nil || len(slips) != 1 || slips[0].Source != desk.Source(fhir.Practice) || slips[0].Kind != desk.KindAcknowledge {
		t.Fatalf("%+v, %v", slips, err)
	}
	o, err := fhir.Read[fhir.Observation](slips[0].Records[1])
	if err != nil || *o.ValueString != fhir.DosageDigest(rx.Resource) || *o.Code.Coding[0].Code != fhir.CodeAcknowledged || *o.Focus[0].Reference != fhir.Base+"/source/skylight/MedicationRequest/"+rx.ID {
		t.Errorf("%+v, %v", o, err)
	}
	bare := c.Prescription(fhirtest.Set("dosageInstruction", nil))
	for name, of := range map[string]*fhir.Version{"none": nil, "one without directions": &bare} {
		if slips, err := book.Acknowledge(n, of); err == nil {
			t.Errorf("%s is acknowledged: %+v", name, slips)
		}
	}
}
