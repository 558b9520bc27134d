package main

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
)

// withColleague gives the place a second prescriber.
func (p *place) withColleague() *sandbox.Colleague {
	p.t.Helper()
	c := p.world.Colleague()
	server := httptest.NewServer(c)
	p.t.Cleanup(server.Close)
	p.change("      weekend_phone: 303-555-0199\n", `      weekend_phone: 303-555-0199
  - name: aurora
    title: Aurora
    identifiers: [{system: "http://hl7.org/fhir/sid/us-npi", value: "`+sandbox.ColleagueNPI+`"}]
    connectors: [{name: aurora, kind: fhirrest, base_url: "`+server.URL+`", auth: {kind: none}}]
    sheet:
      signed: 2026-02-01
      deciders: [{system: "http://hl7.org/fhir/sid/us-npi", value: "`+sandbox.ColleagueNPI+`"}]
      clearance_validity: 60d
      follow_up: none set
      dose_interval: none set
      session_cap: none set
      systolic_limit: none set
      diastolic_limit: none set
      heart_rate_limit: none set
      preparations: none set
      office_only: none set
      states_not_served: none set
      lead_days: none set
`)
	return c
}

// standings are a client's states by prescriber.
func (p *place) standings(mrn string) map[string]string {
	p.t.Helper()
	all := map[string]string{}
	for _, c := range read(p.t, p.must(0, "status", "--json").out).Clients {
		for _, id := range c.Identifiers {
			if id.Value == mrn {
				all[c.Prescriber] = c.State
			}
		}
	}
	return all
}

// Two prescribers at once: a verdict for each, nothing of one at the other, a hold from either holds both.
func TestTwoPrescribersAtOnce(t *testing.T) {
	t.Parallel()
	p := settle(t)
	aurora := p.withColleague()
	clients := p.world.Clients()
	i := slices.IndexFunc(clients, func(c sandbox.Situation) bool {
		return strings.HasPrefix(c.Why, "everything is in order and no session")
	})
	mrn := clients[i].MRN
	p.must(0, "sync")
	if got := p.standings(mrn); len(got) != 1 || got["skylight"] != "IN-ORDER" {
		t.Fatalf("before the second referral: %v", got)
	}
	if !aurora.IsSent(mrn) {
		t.Fatal("nobody was sent")
	}
	p.must(0, "sync")
	p.must(0, "sync")
	if got := p.standings(mrn); len(got) != 2 || got["aurora"] != "NOT-READY" {
		t.Fatalf("referred to both: %v", got)
	}
	if len(aurora.All("Task")) != 1 || len(aurora.All("Patient")) != 1 {
		t.Fatalf("the colleague got %d Tasks of %d Patients", len(aurora.All("Task")), len(aurora.All("Patient")))
	}

	const reason = "Zebra-stripe finding on the second ECG"
	if err := aurora.Stops(mrn, true, reason); err != nil {
		t.Fatal(err)
	}
	p.must(0, "sync")
	if got := p.standings(mrn); got["skylight"] != "HOLD" || got["aurora"] != "HOLD" {
		t.Errorf("stopped by one: %v", got)
	}
	text := p.must(0, "explain", mrn).out
	// What Aurora wrote stands with Aurora's engagement alone.
	var ofAurora, ofSkylight string
	for _, part := range strings.Split(text, "\nHOLD ")[1:] {
		if head, _, _ := strings.Cut(part, "\n"); strings.Contains(head, "Aurora") {
			ofAurora += part
		} else {
			ofSkylight += part
		}
	}
	if !strings.Contains(ofSkylight, "Stopped by another prescriber") || !strings.Contains(ofAurora, "Stopped by Aurora") || strings.Contains(ofSkylight, "Zebra") || !strings.Contains(ofAurora, "Zebra") {
		t.Errorf("explain says\n%s", text)
	}
	if err := aurora.Stops(mrn, false, reason); err != nil {
		t.Fatal(err)
	}
	if err := aurora.Decides(mrn, fhir.DecisionNotCleared); err != nil {
		t.Fatal(err)
	}
	p.must(0, "sync")
	if got := p.standings(mrn); got["skylight"] != "HOLD" || got["aurora"] != "HOLD" {
		t.Errorf("turned down by one, after the other cleared: %v", got)
	}
	if err := aurora.Decides(mrn, fhir.DecisionCleared); err != nil {
		t.Fatal(err)
	}
	p.must(0, "sync")
	p.must(0, "sync")
	if got := p.standings(mrn); got["skylight"] != "IN-ORDER" {
		t.Errorf("cleared by both: %v", got)
	}

	homes := p.world.Practice.All("Observation")
	if !slices.ContainsFunc(homes, func(b []byte) bool {
		return strings.Contains(string(b), sandbox.ColleagueNPI) && strings.Contains(string(b), fhir.SystemCopy)
	}) {
		t.Error("the colleague's decision was not carried home")
	}
	for _, body := range p.world.Prescriber.All() {
		if s := string(body); strings.Contains(s, sandbox.ColleagueNPI) || strings.Contains(s, "Aurora") || strings.Contains(s, "AUR-") {
			t.Errorf("Skylight was told of Aurora: %.80s", s)
		}
	}
	for _, body := range aurora.All() {
		if s := string(body); strings.Contains(s, sandbox.NPI) || strings.Contains(s, "Skylight") {
			t.Errorf("Aurora was told of Skylight: %.80s", s)
		}
	}
}
