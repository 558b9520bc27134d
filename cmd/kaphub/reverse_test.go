package main

import (
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
)

// A prescriber whose server finds decisions from their referral and dispenses from their prescription and in no other way, and
// who never names a result in the Task: once it is agreed that all name what they were made for the board is what it is
// elsewhere, and until then every client is UNKNOWN.
func TestResultsAreFoundByLookingTheOtherWay(t *testing.T) {
	t.Parallel()
	p := settle(t)
	for _, body := range p.world.Prescriber.All("Task") {
		less, err := fhir.Apply(body, fhir.Edit{Path: "output"})
		must(t, err)
		plant(t, p.world.Prescriber, string(less))
	}
	p.world.Prescriber.Speak(sandbox.Dialect{ByLink: []string{"Observation", "MedicationDispense"}})
	p.run("sync")
	p.run("sync")
	for mrn, state := range read(t, p.must(0, "status", "--json").out).byMRN() {
		if state != "UNKNOWN" && state != "HOLD" {
			t.Errorf("%s is %s while not all can be read", mrn, state)
		}
	}
	out := p.run("check").out
	if !strings.Contains(out, "names_referral: true") {
		t.Errorf("check does not say what to agree upon:\n%s", out)
	}

	p.change("name: skylight, kind: fhirrest,", "name: skylight, kind: fhirrest, dialect: {names_referral: true},")
	p.must(0, "sync")
	p.must(0, "sync")
	got := read(t, p.must(0, "status", "--json").out).byMRN()
	for _, c := range p.world.Clients() {
		want := c.Wants
		if strings.HasPrefix(c.Why, "the prescriber sent a record of this client that contradicts itself") {
			want = "IN-ORDER" // a reading that names no referral: the counterpart broke its word, and nobody can see it
		}
		if got[c.MRN] != want {
			t.Errorf("%s (%s) is %s, want %s\n%s", c.MRN, c.Why, got[c.MRN], want, p.must(0, "explain", c.MRN).out)
		}
	}
}
