package plan_test

import (
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
)

func TestWhatMayStillLeaveAtTheMomentOfSending(t *testing.T) {
	rows := []struct {
		name      string
		meanwhile func(w *world)
		home, ok  bool
	}{
		{name: "nothing happened", meanwhile: func(*world) {}, ok: true},
		{name: "the release was withdrawn", meanwhile: func(w *world) { w.tell(w.Release(set("status", "inactive"))) }},
		{name: "the release was deleted", meanwhile: func(w *world) { w.tell(w.Gone(w.versions[1], "deleted")) }},
		{name: "the release was written anew: it is staged anew under that one", meanwhile: func(w *world) { w.tell(w.Release()) }},
		{name: "the release now names somebody else", meanwhile: func(w *world) {
			w.tell(w.Release(set("provision.actor.0.reference", by(otherNPI))))
		}},
		{name: "the release ran out while the delivery waited", meanwhile: func(w *world) { w.clock = w.clock.AddDate(1, 0, 0) }},
		{name: "the release now forbids", meanwhile: func(w *world) { w.tell(w.Release(set("provision.type", "deny"))) }},
		{name: "another record now forbids", meanwhile: func(w *world) { w.tell(w.Release(set("id", "no"), set("provision.type", "deny"))) }},
		{name: "the client gave a second release and withdrew it: nothing more is told", meanwhile: func(w *world) {
			w.tell(w.Release(set("id", "second"), set("status", "inactive")))
		}},
		{name: "another record now forbids everybody", meanwhile: func(w *world) {
			w.tell(w.Release(set("id", "no"), set("provision.type", "deny"), set("provision.actor", nil)))
		}},
		{name: "the referral was revoked", meanwhile: func(w *world) { w.tell(w.Referral(set("status", "revoked"))) }},
		{name: "another referral is no reason for this one", meanwhile: func(w *world) {
			w.tell(w.Referral(set("status", "revoked")), w.Referral(set("id", "second")))
		}},
		{name: "the client gave a second release: this one still holds", meanwhile: func(w *world) { w.tell(w.Release(set("id", "second"))) }, ok: true},
		{name: "facts go home whatever the release does", home: true, meanwhile: func(w *world) { w.tell(w.Release(set("status", "inactive"))) }, ok: true},
		{name: "facts of a record that turned out to be somebody else's do not go home, though the client has another there", home: true, meanwhile: func(w *world) {
			w.links[1].Patient = "another"
			w.versions = fhirtest.WithoutRecord(w.versions, "Observation", "clearance-p1") // what hangs on it is in the chart no more
		}},
		{name: "facts do not go home into a record that is somebody else's", home: true, meanwhile: func(w *world) { w.links[0].Patient = "another" }},
		{name: "facts do not go home while it is in doubt whose record they hang on", home: true, meanwhile: func(w *world) {
			doubt := w.links[1]
			doubt.How = fhir.Candidate
			w.links = append(w.links, doubt)
		}},
		{name: "facts do not go home to a client who was unlinked", home: true, meanwhile: func(w *world) { w.links = w.links[:1] }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := referred()
			if row.home {
				w.settle(t)
				w.On(w.clock)
				w.tell(w.Clearance(fhir.DecisionCleared, w.Day(0), ""))
			}
			c := w.stage()
			row.meanwhile(w)
			ok, why := plan.Allowed(c.Stage[0], w.chart(), w.policy, w.clock)
			if ok != row.ok || ok == (why != "") {
				t.Errorf("allowed: %v, because %q", ok, why)
			}
		})
	}
}

func TestNothingOutwardIsAllowedWithoutARelease(t *testing.T) {
	w := referred()
	d := w.stage().Stage[0]
	d.Release = nil
	if ok, _ := plan.Allowed(d, w.chart(), w.policy, w.clock); ok {
		t.Error("a delivery that names no release was allowed")
	}
	d.Release = &fhir.Basis{Source: fhirtest.PracticeSource, Party: fhir.Practice, Type: "Consent", ID: "unheard-of", Version: 1}
	if ok, _ := plan.Allowed(d, w.chart(), w.policy, w.clock); ok {
		t.Error("a delivery under a release nobody knows was allowed")
	}
	d = w.ledger[0].Delivery
	d.To = "somebody else"
	if ok, _ := plan.Allowed(d, w.chart(), w.policy, w.clock); ok {
		t.Error("a delivery to a third party was allowed")
	}
}
