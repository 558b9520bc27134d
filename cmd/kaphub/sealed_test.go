package main

import (
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
)

// What the prescriber labels as psychotherapy notes is kept apart, said, and decided on by the privacy officer.
func TestWhatIsOutOfScopeWaitsForThePrivacyOfficer(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	ready := ""
	for mrn, state := range read(t, p.must(0, "status", "--json").out).byMRN() {
		if state == "READY" {
			ready = mrn
		}
	}
	if ready == "" {
		t.Fatal("the sandbox has nobody who is READY")
	}
	patients := p.world.Prescriber.Find("Patient", fhir.ID{System: sandbox.SystemMRN, Value: ready})
	plant(t, p.world.Prescriber, `{"resourceType":"Flag","id":"note-1","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSYTHPN"}]},
		"status":"active","code":{"text":"what was said in the room"},"subject":{"reference":"`+patients[0].String()+`"}}`)
	p.must(0, "sync")
	if state := read(t, p.must(0, "status", "--json").out).byMRN()[ready]; state != "UNKNOWN" {
		t.Errorf("with a sealed record the state is %s", state)
	}
	list := p.must(0, "sealed").out
	if strings.Contains(list, "in the room") || !strings.Contains(list, "psychotherapy notes") {
		t.Errorf("the list tells\n%s", list)
	}
	sealed := strings.Fields(strings.Split(list, "\n")[1])[0]
	p.run("sealed", "show", sealed).oneSentence(t, "--reason")
	if out := p.must(0, "sealed", "show", sealed, "--reason", "to decide").out; !strings.Contains(out, "in the room") {
		t.Errorf("opened, it tells\n%s", out)
	}
	p.must(0, "sealed", "expunge", sealed, "--reason", "notes of a session", "--by", "Sam")
	p.run("sealed", "show", sealed, "--reason", "again").oneSentence(t, "expunged by Sam")
	p.run("sealed", "admit", sealed, "--reason", "after all").oneSentence(t, "expunged already")
	p.must(0, "sync")
	if state := read(t, p.must(0, "status", "--json").out).byMRN()[ready]; state != "READY" {
		t.Errorf("after it was expunged the state is %s", state)
	}
	p.must(0, "audit", "verify")
}

func TestARejectIsResolvedWithAReason(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	list := strings.Split(p.must(0, "rejects").out, "\n")
	if len(list) < 2 {
		t.Fatal("the sandbox has no record that cannot be read")
	}
	reject := strings.Fields(list[1])[0]
	p.run("rejects", "resolve", reject).oneSentence(t, "--reason")
	p.run("rejects", "resolve", reject, "--reason", " ").oneSentence(t, "a reason is needed")
	p.run("rejects", "resolve", reject, "--reason", "xxxxxxxxxxxx").oneSentence(t, "tells nothing")
	p.must(0, "rejects", "resolve", reject, "--reason", "Skylight says it was a test")
	p.run("rejects", "resolve", reject, "--reason", "once more, it was a test").oneSentence(t, "resolved already: Skylight says it was a test")
	p.must(0, "sync")
	if again := p.must(0, "rejects").out; strings.Contains(again, reject) {
		t.Errorf("it is still open:\n%s", again)
	}
}
