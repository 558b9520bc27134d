package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
)

// happen lets one thing happen to the world: to its records, its clock, or what is on its way.
func happen(t *rapid.T, w *world) {
	w.On(w.clock)
	switch rapid.IntRange(0, 15).Draw(t, "what happens") {
	case 0:
		status := rapid.SampledFrom([]string{"active", "active", "inactive", "proposed", "rejected", "entered-in-error"}).Draw(t, "release")
		w.tell(w.Release(set("status", status)))
	case 1:
		w.tell(w.Release(set("provision.type", rapid.SampledFrom([]string{"permit", "deny"}).Draw(t, "kind"))))
	case 2:
		w.tell(w.Release(set("provision.period.end", w.Day(rapid.IntRange(-3, 30).Draw(t, "until")))))
	case 3:
		npi := rapid.SampledFrom([]fhir.ID{fhirtest.PrescriberNPI, otherNPI}).Draw(t, "whom")
		w.tell(w.Release(set("provision.actor.0.reference", by(npi))))
	case 4:
		w.tell(w.Referral(set("status", rapid.SampledFrom([]string{"active", "active", "on-hold", "revoked"}).Draw(t, "referral"))))
	case 5:
		w.tell(w.PatientHere(set("birthDate", rapid.SampledFrom([]string{"1988-02-29", "1988-03-01"}).Draw(t, "born"))))
	case 6:
		decision := rapid.SampledFrom([]string{fhir.DecisionCleared, fhir.DecisionDeferred, fhir.DecisionWithdrawn}).Draw(t, "decision")
		w.tell(w.Clearance(decision, w.Day(-1), ""))
	case 7:
		w.tell(w.Prescription(set("status", rapid.SampledFrom([]string{"active", "on-hold", "entered-in-error"}).Draw(t, "prescription"))))
	case 8:
		w.tell(w.Dispense())
	case 9:
		w.clock = w.clock.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "days")) * 24 * time.Hour)
	case 10:
		if n := len(w.versions); n > 0 {
			w.tell(w.Gone(w.versions[rapid.IntRange(0, n-1).Draw(t, "which")], "deleted"))
		}
	case 11:
		w.arrive()
	case 12:
		w.arrive()
		w.readBack()
	case 13:
		for i := range w.ledger {
			if w.ledger[i].State == exchange.Staged && rapid.Bool().Draw(t, "it fails") {
				w.ledger[i].State = rapid.SampledFrom([]exchange.State{exchange.Attempted, exchange.Refused, exchange.Unknown, exchange.Staged}).Draw(t, "how")
				w.ledger[i].Attempts++
			}
		}
	case 14:
		w.stage()
	case 15: // a person, or a second record at the prescriber
		link := fhir.Link{Client: w.Client, Source: fhirtest.PrescriberSource, Patient: rapid.SampledFrom([]string{"s-p1", "twin"}).Draw(t, "record"),
			How: rapid.SampledFrom([]string{"person", "identifier", fhir.Candidate}).Draw(t, "how")}
		w.links = append(slices.DeleteFunc(w.links, func(l fhir.Link) bool {
			return l.Source == link.Source && (l.Patient == link.Patient || rapid.Bool().Draw(t, "instead"))
		}), link)
	}
}

func live(t *rapid.T) *world {
	w := newWorld()
	if rapid.Bool().Draw(t, "registered at the prescriber before") {
		w.registeredThere()
	}
	w.tell(w.PatientHere(), w.Release(), w.Referral())
	for range rapid.IntRange(0, 25).Draw(t, "events") {
		happen(t, w)
	}
	return w
}

func TestPlanningTwiceStagesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := live(t)
		w.stage()
		if c := w.plan(); len(c.Stage)+len(c.Withdraw) > 0 {
			t.Fatalf("planned again: %v", whats(c))
		}
	})
}

func TestWhatIsStagedMayLeave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := live(t)
		for _, d := range w.plan().Stage {
			if ok, why := plan.Allowed(d, w.chart(), w.policy, w.clock); !ok {
				t.Fatalf("%s is staged and may not leave: %s: it would be withdrawn and staged anew for ever", d.What, why)
			}
		}
	})
}

// A consent, referral or Task names a record there that is the client's for sure, or the one that the hub made while
// no other is.
func TestNothingNamesARecordInDoubt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := live(t)
		for _, d := range w.plan().Stage {
			ref, _ := fhir.Subject(fhir.Resource{Type: d.Type, Body: d.Body})
			for _, l := range w.links {
				if d.To != fhir.Practice && d.What != exchange.WhatPatient && l.Source == fhirtest.PrescriberSource && l.Patient == ref.ID && l.How == fhir.Candidate {
					t.Fatalf("%s is for a record that may be another client's", d.What)
				}
			}
		}
	})
}

func TestWhateverHappensTheWorldSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := live(t)
		w.settle(t)
	})
}

// releasedAt says in plain words what permits means: written apart from the code it checks.
func releasedAt(w *world) bool {
	var last *fhir.Version
	for i := range w.versions {
		if v := &w.versions[i]; v.Type == "Consent" && v.Party == fhir.Practice && !strings.HasPrefix(v.ID, "copy-") {
			last = v
		}
	}
	if last == nil || last.Gone {
		return false
	}
	c, err := fhir.Read[fhir.Consent](last.Resource)
	if err != nil || c.Status.Code() != "active" || c.Provision.Type.Code() != "permit" {
		return false
	}
	if *c.Provision.Actor[0].Reference.Identifier.Value != fhirtest.PrescriberNPI.Value {
		return false
	}
	today := w.clock.In(fhirtest.Denver).Format(time.DateOnly)
	return *c.Provision.Period.Start <= today && today <= *c.Provision.Period.End
}

func TestWhateverTheConsentDoesNothingLeavesWithoutAnActiveRelease(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := live(t)
		c := w.plan()
		if !releasedAt(w) && slices.ContainsFunc(c.Stage, func(d exchange.Delivery) bool { return d.To != fhir.Practice }) {
			t.Fatalf("staged without a release: %v", whats(c))
		}
		for _, e := range w.ledger {
			if ok, _ := plan.Allowed(e.Delivery, w.chart(), w.policy, w.clock); ok && e.To != fhir.Practice && !releasedAt(w) {
				t.Fatalf("%s was allowed without a release", e.What)
			}
		}
	})
}

func TestWhatIsStagedIsAllowedAtThatMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := live(t)
		for _, d := range w.plan().Stage {
			if d.To == fhir.Practice {
				continue // linked or not is the store's to say
			}
			if ok, why := plan.Allowed(d, w.chart(), w.policy, w.clock); !ok {
				t.Fatalf("%s is staged and not allowed: %s", d.What, why)
			}
		}
	})
}

func TestOneCopyNeverHasTwoDeliveriesThatCouldBothCreateIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := live(t)
		w.stage()
		open := map[fhir.ID]int{}
		for _, e := range w.ledger {
			if e.State == exchange.Staged || e.State == exchange.Attempted {
				open[e.Copy]++
			}
		}
		for _, n := range open {
			if n > 1 {
				t.Fatal("two deliveries of one copy are under way")
			}
		}
	})
}

func TestTheSameWorldIsPlannedTheSameWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := live(t)
		a, b := w.plan(), w.plan()
		if !slices.EqualFunc(a.Stage, b.Stage, func(x, y exchange.Delivery) bool { return x.ID == y.ID && string(x.Body) == string(y.Body) }) ||
			!slices.Equal(a.Withdraw, b.Withdraw) {
			t.Fatal("the same world planned otherwise")
		}
	})
}
