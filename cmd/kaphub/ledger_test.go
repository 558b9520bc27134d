package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs/report"
)

// sent reads the deliveries of a client.
func (p *place) sent(client string) []report.Dispatch {
	p.t.Helper()
	var list struct{ Deliveries []report.Dispatch }
	if err := json.Unmarshal([]byte(p.must(0, "deliveries", "list", "--json", "--client", client).out), &list); err != nil {
		p.t.Fatal(err)
	}
	return list.Deliveries
}

// posted counts what was written to a server.
func posted(s *sandbox.Server) (n int) {
	for _, call := range s.Calls() {
		if call.Method == http.MethodPost || call.Method == http.MethodPut {
			n++
		}
	}
	return n
}

// withdrawn is the release of a referred client, withdrawn.
func withdrawn(t *testing.T, s *sandbox.Server, id string) {
	t.Helper()
	const npi = `{"identifier":{"system":"http://hl7.org/fhir/sid/us-npi","value":"` + sandbox.NPI + `"}}`
	plant(t, s, `{"resourceType":"Consent","id":"`+id+`-release","status":"inactive","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
		  "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IDSCL"}]}],"patient":{"reference":"Patient/`+id+`"},"dateTime":"2026-01-01T10:00:00Z",
		  "policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]},
		  "provision":{"type":"permit","actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},"reference":`+npi+`}]}}`)
}

// A reply is lost, and before the hub can ask the client withdraws the release: what arrived is told as it was, it is in
// the accounting, and nothing more is sent.
func TestALostReplyThenAWithdrawnRelease(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	p.must(0, "sync")
	referred(t, p.world.Practice, "ada", "Invented", "1990-01-01", "MRN-ADA")
	p.world.Prescriber.Fault(sandbox.Fault{Do: sandbox.DropAfter, Method: http.MethodPost, Type: "Patient"})
	p.must(exitUnwell, "sync")
	list := p.sent("MRN-ADA")
	if len(list) != 1 || list[0].State != "attempted" || list[0].Story != "sent, reply lost" {
		t.Fatalf("after the lost reply: %+v", list)
	}
	if n := len(whole(p.world.Prescriber, "Patient", "MRN-ADA")); n != 1 {
		t.Fatalf("%d records of hers at the prescriber", n)
	}

	withdrawn(t, p.world.Practice, "ada")
	written := posted(p.world.Prescriber)
	for range 3 {
		p.must(0, "sync")
	}
	list = p.sent("MRN-ADA")
	if len(list) != 1 || list[0].State != "delivered" || !regexp.MustCompile(`^sent, reply lost, found there on \d+ \w{3} \d\d:\d\d$`).MatchString(list[0].Story) {
		t.Errorf("after the release was withdrawn: %+v", list)
	}
	if n := posted(p.world.Prescriber) - written; n != 0 {
		t.Errorf("%d more writes to the prescriber", n)
	}
	shown := strings.Join(strings.Fields(p.must(0, "deliveries", "show", list[0].ID[:12]).out), " ")
	for _, word := range []string{"sent, reply lost, found there on", "no answer: it may have arrived", "found there as Patient/", "ada-release version 1", "active", "had been read up to", "Patient.name.family"} {
		if !strings.Contains(shown, word) {
			t.Errorf("want %q in\n%s", word, shown)
		}
	}
	if strings.Contains(shown, "Invented") {
		t.Errorf("the list of elements says what they hold:\n%s", shown)
	}
	lines := p.accounting("MRN-ADA").Lines
	if len(lines) != 1 || lines[0].Certainty != exchange.Received || lines[0].Identifier != "NPI "+sandbox.NPI ||
		!strings.HasPrefix(lines[0].Words, "Sent; the answer was lost. Found at theirs on ") || !strings.Contains(lines[0].What, "date of birth") {
		t.Errorf("the accounting: %+v", lines)
	}
}

// accounting reads the accounting of a client.
func (p *place) accounting(client string, more ...string) report.Accounting {
	p.t.Helper()
	var a report.Accounting
	if err := json.Unmarshal([]byte(p.must(0, append([]string{"disclosures", client, "--format", "json"}, more...)...).out), &a); err != nil {
		p.t.Fatal(err)
	}
	return a
}
