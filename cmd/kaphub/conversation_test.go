package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
)

// speaker is one client of a conversation through hub, store and both servers.
type speaker struct {
	*testing.T
	p  *place
	id string
}

// introduce plants a client with a release and a referral.
func introduce(t *testing.T, p *place, id string) speaker {
	t.Helper()
	referred(t, p.world.Practice, id, "Invented-"+id, "1990-01-01", "MRN-"+id)
	s := speaker{t, p, id}
	s.practice("ServiceRequest", id+"-referral", fhir.Edit{Path: "identifier", Value: []any{map[string]any{
		"type":   map[string]any{"coding": []any{map[string]any{"system": fhir.SystemIdentifierType, "code": "PLAC"}}},
		"system": "https://reverie.example/referral", "value": "PLAC-" + id}}})
	return s
}

// practice has the practice revise one of its records.
func (s speaker) practice(typ, id string, edits ...fhir.Edit) {
	s.Helper()
	s.revise(s.p.world.Practice, fhir.Ref{Type: typ, ID: id}, edits...)
}

func (s speaker) revise(server *sandbox.Server, ref fhir.Ref, edits ...fhir.Edit) {
	s.Helper()
	body, ok := server.Get(ref)
	if !ok {
		s.Fatalf("there is no %s", ref)
	}
	body, err := fhir.Apply(body, edits...)
	if err != nil {
		s.Fatal(err)
	}
	plant(s.T, server, string(body))
}

// task is the coordination Task as it stands at the prescriber.
func (s speaker) task() fhir.Resource {
	s.Helper()
	found := whole(s.p.world.Prescriber, "Task", `"PLAC-`+s.id+`"`)
	if len(found) != 1 {
		s.Fatalf("%d coordination Tasks of %s at the prescriber", len(found), s.id)
	}
	r, err := fhir.Parse([]byte(found[0]), "Task")
	if err != nil {
		s.Fatal(err)
	}
	return r
}

// moves has the prescriber move the coordination Task.
func (s speaker) moves(status string, edits ...fhir.Edit) {
	s.Helper()
	s.revise(s.p.world.Prescriber, s.task().Ref(), append([]fhir.Edit{{Path: "status", Value: status}}, edits...)...)
}

// hears fails unless every one of words stands in what the hub explains of the client.
func (s speaker) hears(words ...string) {
	s.Helper()
	said := strings.Join(strings.Fields(s.p.must(0, "explain", "MRN-"+s.id).out), " ")
	for _, word := range words {
		if !strings.Contains(said, word) {
			s.Errorf("%s: the hub does not say %q:\n%s", s.id, word, s.p.must(0, "explain", "MRN-"+s.id).out)
		}
	}
}

// standing fails unless the coordination Task at the prescriber is in that status.
func (s speaker) standing(status string) {
	s.Helper()
	if body := string(s.task().Body); !strings.Contains(body, `"status":"`+status+`"`) {
		s.Errorf("%s: the Task is not %s there: %s", s.id, status, body)
	}
}

// The whole conversation over real servers: each client is referred by the hub, and then something is said.
func TestTheConversation(t *testing.T) {
	t.Parallel()
	p := settle(t)
	patientThere := func(s speaker) string {
		ref, ok := fhir.Subject(s.task())
		if !ok {
			t.Fatal("a Task for nobody")
		}
		return ref.String()
	}
	var (
		rejected  = introduce(t, p, "rejected")
		early     = introduce(t, p, "early")
		late      = introduce(t, p, "late")
		taken     = introduce(t, p, "taken")
		withdrawn = introduce(t, p, "withdrawn")
		unsafe    = introduce(t, p, "unsafe")
		stopped   = introduce(t, p, "stopped")
		asked     = introduce(t, p, "asked")
		reopened  = introduce(t, p, "reopened")
		inside    = introduce(t, p, "inside")
		odd       = introduce(t, p, "odd")
	)
	p.must(0, "sync")
	p.must(0, "sync")

	rejected.moves("rejected", fhir.Edit{Path: "statusReason", Value: map[string]any{"text": "Outside the states we serve"}})
	for _, s := range []speaker{early, late, taken, withdrawn, unsafe, stopped, asked, inside} {
		s.moves("accepted")
	}
	p.must(0, "sync")
	rejected.hears("recorded the referral as rejected", "“Outside the states we serve”", "or refer elsewhere")
	if n := len(whole(p.world.Practice, "Task", "PLAC-rejected", `"rejected"`)); n != 1 {
		t.Errorf("%d rejections came home", n)
	}
	if n := len(whole(p.world.Practice, "ServiceRequest", "PLAC-rejected", `"active"`)); n != 1 {
		t.Error("the request did not stay active")
	}

	late.moves("in-progress")
	reopened.moves("completed")
	odd.moves("completed")
	p.must(0, "sync")
	revoke := fhir.Edit{Path: "status", Value: "revoked"}
	early.practice("ServiceRequest", "early-referral", revoke)
	late.practice("ServiceRequest", "late-referral", revoke)
	withdrawn.practice("ServiceRequest", "withdrawn-referral", revoke)
	withdrawn.practice("Consent", "withdrawn-release", fhir.Edit{Path: "status", Value: "inactive"})
	reopened.moves("in-progress")
	odd.moves("requested")
	plant(t, p.world.Prescriber,
		`{"resourceType":"Task","id":"abort","status":"requested","intent":"proposal","code":{"coding":[{"system":"http://hl7.org/fhir/CodeSystem/task-code","code":"abort"}]},
		  "focus":{"reference":"ServiceRequest/any"},"for":{"reference":"`+patientThere(unsafe)+`"}}`,
		`{"resourceType":"Task","id":"question","status":"requested","intent":"order","description":"Please send the last ECG","partOf":[{"reference":"`+asked.task().Ref().String()+`"}],
		  "for":{"reference":"`+patientThere(asked)+`"},"owner":{"display":"the practice"}}`)
	plant(t, p.world.Practice,
		`{"resourceType":"Flag","id":"stop","status":"active","code":{"coding":[{"system":"https://kaphub.example/fhir/CodeSystem/kap","code":"stop"}],"text":"said in confidence"},"subject":{"reference":"Patient/stopped"}}`)
	inside.moves("completed", fhir.Edit{Path: "contained", Value: []any{map[string]any{
		"resourceType": "Observation", "id": "o1", "status": "final", "code": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemKAP, "code": fhir.CodeClearance}}},
		"issued": "2026-02-01T10:00:00Z", "effectivePeriod": map[string]any{"start": "2026-02-01"}, "performer": []any{map[string]any{"identifier": map[string]any{"system": fhir.SystemNPI, "value": sandbox.NPI}}},
		"valueCodeableConcept": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemDecision, "code": fhir.DecisionDeferred}}}}}},
		fhir.Edit{Path: "output", Value: []any{map[string]any{"type": map[string]any{"text": "decision"}, "valueReference": map[string]any{"reference": "#o1"}}}})
	p.must(0, "sync")
	p.must(0, "sync")

	early.standing("cancelled")
	early.hears("is revoked", "refer the client again, or close the course")
	late.standing("in-progress")
	if n := len(whole(p.world.Prescriber, "Task", `"abort"`, `"order"`, late.task().Ref().String())); n != 1 {
		t.Errorf("%d requests to cancel", n)
	}
	if n := len(whole(p.world.Prescriber, "ServiceRequest", "PLAC-late", `"revoked"`)); n != 1 {
		t.Error("the referral's copy is not revoked")
	}
	withdrawn.standing("accepted")
	withdrawn.hears("the referral is called off, and without a release nothing is sent", "the release was withdrawn")
	unsafe.hears("HOLD", "that the referral is unsafe")
	if n := len(whole(p.world.Prescriber, "Task", `"proposal"`, patientThere(stopped), `"stop"`)); n != 1 {
		t.Errorf("the practice's stop stands %d times at the prescriber", n)
	}
	if n := len(whole(p.world.Prescriber, "Task", "in confidence")); n != 0 {
		t.Error("the practice's own words left")
	}
	asked.hears("waits for information", "“Please send the last ECG”")
	reopened.hears("took the closed referral up again")
	inside.hears("recorded deferred on Sun 1 Feb 2026")
	if n := len(whole(p.world.Practice, "Observation", "Patient/inside", "medical-clearance", "deferred")); n != 1 {
		t.Errorf("the decision inside the Task came home %d times", n)
	}
	odd.hears("from completed to requested", "R54")

	// The practice closes the question in its own copy, and calls another referral off.
	home := whole(p.world.Practice, "Task", "Please send the last ECG")
	if len(home) != 1 {
		t.Fatalf("the question came home %d times", len(home))
	}
	copied, err := fhir.Parse([]byte(home[0]), "Task")
	if err != nil {
		t.Fatal(err)
	}
	asked.practice("Task", copied.ID, fhir.Edit{Path: "status", Value: "completed"})
	taken.practice("ServiceRequest", "taken-referral", revoke)
	p.must(0, "sync")
	p.must(0, "sync")
	if n := len(whole(p.world.Prescriber, "Task", "Please send the last ECG", `"completed"`)); n != 1 {
		t.Error("the question is not closed at the prescriber")
	}
	taken.standing("cancelled")

	said, written := p.must(0, "deliveries").out, p.writes()
	p.must(0, "sync")
	if p.writes() != written || p.must(0, "deliveries").out != said {
		t.Error("there is something left to say")
	}
}

// Whatever becomes of the way there, the referral stays what it was.
func TestATransportFailureBecomesNoStatus(t *testing.T) {
	t.Parallel()
	p := settle(t)
	s := introduce(t, p, "steady")
	p.must(0, "sync")
	s.moves("accepted")
	p.must(0, "sync")
	before := whole(p.world.Practice, "Task", "PLAC-steady")
	s.practice("ServiceRequest", "steady-referral", fhir.Edit{Path: "status", Value: "revoked"})
	for _, fault := range []sandbox.Fault{
		{Do: sandbox.Answer, Status: http.StatusServiceUnavailable, Times: -1}, {Do: sandbox.Answer, Status: http.StatusUnprocessableEntity, Method: http.MethodPut, Times: -1},
		{Do: sandbox.DropAfter, Method: http.MethodGet, Times: -1}, {Do: sandbox.GarbagePage, Times: -1}, {Do: sandbox.Expired, Times: -1},
	} {
		p.world.Prescriber.Fault(fault)
		p.run("sync")
		s.standing("accepted")
		if after := whole(p.world.Practice, "Task", "PLAC-steady"); strings.Join(after, "\n") != strings.Join(before, "\n") {
			t.Errorf("%s: the practice reads of the Task\n%s\nwas\n%s", fault.Do, after, before)
		}
		p.world.Prescriber.Mend()
	}
}

// The sandbox's own conversations, each as the board should show it.
func TestTheSandboxTalks(t *testing.T) {
	t.Parallel()
	p := settleIn(t, sandbox.WorldOptions{Seed: 1, Talk: true})
	p.must(0, "sync")
	got := read(t, p.must(0, "status", "--json").out).byMRN()
	all := p.world.Clients()
	for _, c := range all {
		if got[c.MRN] != c.Wants {
			t.Errorf("%s (%s) is %s, want %s\n%s", c.MRN, c.Why, got[c.MRN], c.Wants, p.must(0, "explain", c.MRN).out)
		}
	}
	plain, err := sandbox.NewWorld(sandbox.WorldOptions{Seed: 1})
	if err != nil || len(all) < len(plain.Clients())+6 {
		t.Errorf("%d lives, of which %d are told anyway", len(all), len(plain.Clients()))
	}
}
