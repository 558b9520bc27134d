package main

import (
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
)

// named is a prescriber as the practice writes it.
func named(npi string) map[string]any {
	return map[string]any{"identifier": map[string]any{"system": fhir.SystemNPI, "value": npi}}
}

// releases has the practice write a release to the colleague.
func (s speaker) releases() {
	s.Helper()
	s.copies("Consent", s.id+"-release", s.id+"-release-2", fhir.Edit{Path: "provision.actor.0.reference", Value: named(sandbox.ColleagueNPI)})
}

// passesOn has the practice ask the colleague, by a Task of its own, to take up the referral as it is.
func (s speaker) passesOn() {
	s.Helper()
	plant(s.T, s.p.world.Practice, `{"resourceType":"Task","id":"`+s.id+`-passed","status":"requested","intent":"order","code":{"coding":[{"system":"`+fhir.SystemTaskCode+`","code":"fulfill"}]},
		"focus":{"reference":"ServiceRequest/`+s.id+`-referral"},"for":{"reference":"Patient/`+s.id+`"},"authoredOn":"2026-02-20T10:00:00Z","owner":{"identifier":{"system":"`+fhir.SystemNPI+`","value":"`+sandbox.ColleagueNPI+`"}}}`)
}

// copies plants a record of the practice once more under another id.
func (s speaker) copies(typ, id, as string, edits ...fhir.Edit) {
	s.Helper()
	body, ok := s.p.world.Practice.Get(fhir.Ref{Type: typ, ID: id})
	if !ok {
		s.Fatalf("there is no %s/%s", typ, id)
	}
	body, err := fhir.Apply(body, append(edits, fhir.Edit{Path: "id", Value: as})...)
	must(s.T, err)
	plant(s.T, s.p.world.Practice, string(body))
}

// boards fails unless the client has these standings.
func (s speaker) boards(step string, want map[string]string) {
	s.Helper()
	got := s.p.standings("MRN-" + s.id)
	if len(got) != len(want) {
		s.Errorf("%s, %s: %v, want %v", s.id, step, got, want)
	}
	for prescriber, state := range want {
		if got[prescriber] != state {
			s.Errorf("%s, %s: %v, want %v\n%s", s.id, step, got, want, s.p.must(0, "explain", "MRN-"+s.id).out)
		}
	}
}

// The first prescriber turns the referral down, and the practice refers anew: by naming the other in the referral, or by a
// Task of its own that passes it on as it is.
func TestWhoIsTurnedDownIsReferredAnew(t *testing.T) {
	t.Parallel()
	p := settle(t)
	aurora := p.withColleague()
	var (
		renamed  = introduce(t, p, "renamed")
		passed   = introduce(t, p, "passed")
		recalled = introduce(t, p, "recalled")
		stranger = introduce(t, p, "stranger") // a Task of whose passes on to nobody the hub knows
	)
	all := []speaker{renamed, passed, recalled, stranger}
	for _, s := range all {
		s.practice("Patient", s.id, fhir.Edit{Path: "address", Value: []any{map[string]any{"state": "CO"}}})
	}
	p.must(0, "sync")
	p.must(0, "sync")
	for _, s := range all {
		s.moves("rejected", fhir.Edit{Path: "statusReason", Value: map[string]any{"text": "Outside the states we serve"}})
	}
	p.must(0, "sync")
	for _, s := range all {
		s.boards("turned down", map[string]string{"skylight": "NOT-READY"})
		s.hears("recorded the referral as rejected", "“Outside the states we serve”", "or refer elsewhere")
	}

	// Referred anew, and not released yet: the second engagement is there, and nothing leaves.
	renamed.practice("ServiceRequest", "renamed-referral", fhir.Edit{Path: "performer", Value: []any{named(sandbox.ColleagueNPI)}})
	passed.passesOn()
	recalled.passesOn()
	stranger.passesOn()
	stranger.practice("Task", "stranger-passed", fhir.Edit{Path: "owner", Value: named("1999999992")})
	p.must(0, "sync")
	p.must(0, "sync")
	for _, s := range []speaker{renamed, passed, recalled} {
		s.boards("not released", map[string]string{"skylight": "NOT-READY", "aurora": "NOT-READY"})
		s.hears("No release naming Aurora is on file", "Aurora has recorded nothing on the referral")
	}
	stranger.boards("passed on to somebody else", map[string]string{"skylight": "NOT-READY"})
	if n := len(aurora.All("Patient", "Consent", "ServiceRequest", "Task")); n != 0 {
		t.Fatalf("%d records left without a release", n)
	}
	renamed.hears("Skylight recorded the referral as rejected", "none to them is on file now")
	passed.hears("Skylight recorded the referral as rejected", "or refer elsewhere")

	// Released: the second referral goes, each under its own release.
	for _, s := range []speaker{renamed, passed, recalled} {
		s.releases()
	}
	p.must(0, "sync")
	p.must(0, "sync")
	for _, s := range []speaker{renamed, passed, recalled} {
		if n := len(whole(aurora.Server, "Task", `"PLAC-`+s.id+`"`, `"requested"`)); n != 1 {
			t.Errorf("%s: %d coordination Tasks at the colleague", s.id, n)
		}
		s.boards("sent", map[string]string{"skylight": "NOT-READY", "aurora": "NOT-READY"})
		s.hears("The referral is requested at Aurora")
		s.standing("rejected")
	}
	if n := len(whole(p.world.Prescriber, "ServiceRequest", "PLAC-renamed", `"revoked"`)); n != 1 {
		t.Error("the referral that names another now still stands at the first")
	}
	if n := len(whole(p.world.Prescriber, "ServiceRequest", "PLAC-passed", `"active"`)); n != 1 {
		t.Error("the referral that stays as it is does not stand at the first")
	}
	out := p.must(0, "deliveries", "--json", "--client", "MRN-passed").out
	if n := strings.Count(out, "passed-release-2"); n == 0 {
		t.Errorf("the second referral does not rest on its own release:\n%s", out)
	}

	// The second takes one up; the practice calls the other off.
	there := whole(aurora.Server, "Task", `"PLAC-passed"`)[0]
	taken, err := fhir.Parse([]byte(there), "Task")
	must(t, err)
	passed.revise(aurora.Server, taken.Ref(), fhir.Edit{Path: "status", Value: "accepted"})
	recalled.practice("Task", "recalled-passed", fhir.Edit{Path: "status", Value: "cancelled"})
	plant(t, p.world.Practice, `{"resourceType":"Appointment","id":"dose","status":"booked","serviceType":[{"coding":[{"system":"`+fhir.SystemSession+`","code":"dosing"}]}],
		"start":"2099-03-01T17:00:00Z","end":"2099-03-01T19:00:00Z","participant":[{"actor":{"reference":"Patient/passed"},"status":"accepted"}]}`)
	p.must(0, "sync")
	p.must(0, "sync")
	passed.hears("Aurora recorded the referral as accepted")
	if text := p.must(0, "explain", "MRN-passed").out; strings.Contains(text, "more than one may own it") {
		t.Errorf("whose session it is is in doubt:\n%s", text)
	}
	if n := len(whole(aurora.Server, "Task", `"PLAC-recalled"`, `"cancelled"`)); n != 1 {
		t.Error("what the practice called off still stands at the colleague")
	}
	recalled.hears("or close the course")
	if n := len(whole(p.world.Practice, "Task", "PLAC-passed", `"accepted"`)); n != 1 {
		t.Errorf("%d acceptances came home", n)
	}

	for _, body := range aurora.All() {
		for _, word := range []string{sandbox.NPI, "Skylight", "Outside the states", "-release\"", "rejected"} {
			if strings.Contains(string(body), word) {
				t.Errorf("the colleague was told %q: %s", word, body)
			}
		}
	}
	for _, body := range p.world.Prescriber.All() {
		for _, word := range []string{sandbox.ColleagueNPI, "Aurora", "-release-2"} {
			if strings.Contains(string(body), word) {
				t.Errorf("the first was told %q: %s", word, body)
			}
		}
	}
	said, written := p.must(0, "deliveries").out, p.writes()
	p.must(0, "sync")
	if p.writes() != written || p.must(0, "deliveries").out != said {
		t.Error("there is something left to say")
	}
}
