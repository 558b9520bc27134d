package fhir_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

func TestAChartTellsTheLatestFromTheRest(t *testing.T) {
	c := fhirtest.Client(time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC))
	requested, accepted := c.Task("requested"), c.Task("accepted")
	here, there := c.PatientHere(), c.PatientThere()
	stop := c.Flag("active")
	chart := c.Chart(stop, accepted, requested, here, there, c.Gone(stop, "deleted"))

	if n := len(chart.Tasks); n != 2 || chart.Tasks[0].Latest || !chart.Tasks[1].Latest {
		t.Errorf("%d versions of the task, or the wrong one is the latest", n)
	}
	if now := fhir.Now(chart.Tasks); len(now) != 1 || now[0].Value.Status.Code() != "accepted" {
		t.Error("the task is not accepted now")
	}
	if len(chart.Flags) != 2 || chart.Flags[1].Value != nil || len(fhir.Now(chart.Flags)) != 0 {
		t.Error("a flag that is gone is still there now, or its past is lost")
	}
	if of := fhir.Of(fhir.Practice, chart.Patients); len(of) != 1 || of[0].Key != here.Key {
		t.Error("the practice's patient is not told from the prescriber's")
	}
	if s, ok := chart.Source(fhirtest.PrescriberSource); !ok || !s.Complete {
		t.Error("the prescriber's source is not complete")
	}
	if _, ok := chart.Source("nobody"); ok {
		t.Error("a source that was never read is known")
	}
}

func TestAVersionThatCannotBeReadIsListedWhileItIsTheLatest(t *testing.T) {
	c := fhirtest.Client(time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC))
	broken := c.Flag("active")
	broken.Resource.Body = []byte(`{"resourceType":"Flag","id":"stop-p1","status":"paused"}`) // stored before the gate knew better
	chart := c.Chart(broken)
	if len(chart.Unread) != 1 || chart.Unread[0].Key != broken.Key || len(chart.Flags) != 0 {
		t.Errorf("unread: %d, flags: %d", len(chart.Unread), len(chart.Flags))
	}
	if mended := c.Chart(broken, c.Flag("inactive")); len(mended.Unread) != 0 || len(fhir.Now(mended.Flags)) != 1 {
		t.Error("a newer version that can be read does not take its place")
	}
}
