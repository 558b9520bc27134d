package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
)

// newcomer is the world's client whom the practice referred this morning, and who is not known at the prescriber.
func (p *place) newcomer() (mrn string, patient map[string]any) {
	p.t.Helper()
	for _, c := range p.world.Clients() {
		if strings.HasPrefix(c.Why, "new: referred this morning") {
			mrn = c.MRN
		}
	}
	body, _ := p.world.Practice.Get(p.world.Practice.Find("Patient", fhir.ID{System: sandbox.SystemMRN, Value: mrn})[0])
	if err := json.Unmarshal(body, &patient); err != nil {
		p.t.Fatal(err)
	}
	return mrn, patient
}

// registers has the prescriber know a Patient under a number of its own.
func (p *place) registers(id string, patient map[string]any) {
	p.t.Helper()
	there := map[string]any{"resourceType": "Patient", "id": id, "active": true,
		"identifier": []any{map[string]any{"system": "https://skylight.example/chart", "value": "SELF-" + id}}}
	for _, key := range []string{"name", "birthDate", "telecom"} {
		if patient[key] != nil {
			there[key] = patient[key]
		}
	}
	body, _ := json.Marshal(there)
	if _, err := p.world.Prescriber.Put(body); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) posted(kind string) (n int) {
	for _, call := range p.world.Prescriber.Calls() {
		if call.Method == http.MethodPost && call.Type == kind {
			n++
		}
	}
	return n
}

type shownLinks struct {
	Schema int
	Links  []shownLink
}

func (p *place) links(args ...string) []shownLink {
	p.t.Helper()
	var all shownLinks
	if err := json.Unmarshal([]byte(p.must(0, append([]string{"links", "list", "--json"}, args...)...).out), &all); err != nil {
		p.t.Fatal(err)
	}
	return all.Links
}

// Who registered at the prescriber before the referral arrived is found, nobody is doubled, and a person decides.
func TestWhoRegisteredBeforeTheReferralArrived(t *testing.T) {
	t.Parallel()
	p := settle(t)
	mrn, patient := p.newcomer()
	p.registers("early", patient)
	p.must(0, "sync")
	if n := p.posted("Patient"); n != 0 {
		t.Fatalf("%d Patients were made at the prescriber while it is not decided who the one there is", n)
	}
	if got := read(t, p.must(0, "status", "--json").out).byMRN()[mrn]; got != "UNKNOWN" {
		t.Errorf("the client is %s, want UNKNOWN", got)
	}
	text := p.must(0, "explain", mrn).out
	for _, word := range []string{"not decided", "kaphub links", "birth date", "agree"} {
		if !strings.Contains(text, word) {
			t.Errorf("explain does not say %q:\n%s", word, text)
		}
	}
	open := p.links()[0]
	if open.State != "open" || !open.Likely || open.Patient != "early" {
		t.Fatalf("the first link is %+v, want the open question", open)
	}
	list := p.must(0, "links").out
	if !strings.Contains(list, "agrees: birth date, family name, given name, phone") || !strings.Contains(list, "1 question to decide") {
		t.Errorf("list says\n%s", list)
	}
	show := p.must(0, "links", "show", open.ID).out
	if !strings.Contains(show, patient["birthDate"].(string)) || !strings.Contains(show, "nothing is kept") {
		t.Errorf("show says\n%s", show)
	}

	p.must(1, "links", "undo", open.ID, "--by", "Kim", "--reason", "x").oneSentence(t, "only what is linked")
	p.must(1, "links", "confirm", "l-none", "--by", "Kim").oneSentence(t, "no link of that id")
	p.must(1, "links", "confirm", open.ID).oneSentence(t, "--by")
	p.must(0, "links", "confirm", open.ID, "--by", "Kim  Admin")
	p.must(1, "links", "confirm", open.ID, "--by", "Kim").oneSentence(t, "stands already")
	p.must(0, "sync")
	if n := p.posted("Patient"); n != 0 {
		t.Errorf("confirmed, and still %d Patients were made", n)
	}
	if p.posted("Task") == 0 {
		t.Error("confirmed, and the referral was not sent")
	}
	for _, task := range p.world.Prescriber.All("Task") {
		if strings.Contains(string(task), "copy") && !strings.Contains(string(task), "Patient/early") {
			t.Error("the referral went to another record")
		}
	}
	if log := p.must(0, "audit", "list").out; !strings.Contains(log, "Kim Admin") {
		t.Errorf("the audit does not say who decided:\n%s", log)
	}

	undone := p.must(0, "links", "undo", open.ID, "--by", "Kim", "--reason", "her sister").out
	for _, word := range []string{"has ended", "privacy officer", "task", "Consent", "the question is open"} {
		if !strings.Contains(undone, word) {
			t.Errorf("undo does not say %q:\n%s", word, undone)
		}
	}
	if n := len(regexp.MustCompile(`(?m)^[0-9a-f]{12} `).FindAllString(undone, -1)); n < 3 {
		t.Errorf("undo lists %d deliveries, want Consent, referral and Task:\n%s", n, undone)
	}
	p.must(0, "sync")
	if got := read(t, p.must(0, "status", "--json").out).byMRN()[mrn]; got != "UNKNOWN" {
		t.Errorf("undone, the client is %s, want UNKNOWN", got)
	}
	p.must(0, "links", "refuse", open.ID, "--by", "Kim", "--reason", "her sister")
	p.must(0, "sync")
	if got := p.links("--all")[len(p.links("--all"))-1]; got.State != "refused" || len(got.Rulings) != 3 || len(got.Told) != 0 {
		t.Errorf("the refused one is %+v", got)
	}
	if got := read(t, p.must(0, "status", "--json").out).byMRN()[mrn]; got == "UNKNOWN" {
		t.Errorf("refused, the client is %s still", got)
	}
	p.must(0, "audit", "verify")
}
