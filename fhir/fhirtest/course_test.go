package fhirtest

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

var now = time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC)

func TestABlamelessClientCanBeRead(t *testing.T) {
	c := Client(now)
	vs := c.Blameless()
	vs = append(vs,
		c.HeartRate(60), c.Flag("active"), c.AdverseEvent(fhir.CodeSerious), c.Administration(now, 1),
		c.SessionDone(now), c.Fulfilment(fhir.FulfilmentShipped),
		c.Clearance(fhir.DecisionConditions, c.Day(0), "", Set("component.-1", Condition("ECG"))),
	)
	chart := c.Chart(append(vs, c.Gone(vs[0], "deleted"))...)
	if len(chart.Unread) > 0 {
		t.Errorf("unread: %v", chart.Unread[0].Key)
	}
	for _, v := range vs {
		ref, ok := fhir.Subject(v.Resource)
		if want := map[string]string{PracticeSource: "p1", PrescriberSource: "s-p1"}[v.Source]; !ok || ref.ID != want {
			t.Errorf("%s belongs to %v, want %s", v.Key, ref, want)
		}
	}
}

func TestARecordToldAgainIsItsNextVersion(t *testing.T) {
	c := Client(now)
	c.Task("requested")
	again := c.Task("accepted")
	if again.N != 2 || again.Resource.VersionID != "2" || again.Moment != 2 {
		t.Errorf("got version %d, versionId %s, moment %d", again.N, again.Resource.VersionID, again.Moment)
	}
	if other := c.Task("requested", Set("id", "other")); other.N != 1 {
		t.Errorf("another record starts at version %d", other.N)
	}
}

func TestWithoutLeavesTheRest(t *testing.T) {
	vs := Client(now).InOrder()
	if got := len(Without(vs, "Consent")); got != len(vs)-2 {
		t.Errorf("%d left of %d", got, len(vs))
	}
	if got := len(WithoutRecord(vs, "Consent", "release-p1")); got != len(vs)-1 {
		t.Errorf("%d left of %d", got, len(vs))
	}
}
