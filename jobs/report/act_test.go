package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// acting writes what is to be acted on: "admin 2 prescriber 1(1)", in brackets what is S1.
func acting(in Input) string {
	var parts []string
	for _, a := range ToActOn(in) {
		if a.N == 0 {
			continue
		}
		part := fmt.Sprintf("%s %d", a.Owner, a.N)
		if n := len(a.Urgent); n > 0 {
			part += fmt.Sprintf("(%d)", n)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " ")
}

func TestToActOn(t *testing.T) {
	f := func(id, code string, s readiness.Severity, o readiness.Owner) readiness.Finding {
		return readiness.Finding{ID: id, Code: code, Severity: s, State: readiness.Persisting, Since: at(-5, 9, 0), Owner: o}
	}
	with := func(f readiness.Finding, change func(*readiness.Finding)) readiness.Finding {
		change(&f)
		return f
	}
	snoozed := func(id string, until time.Time) []readiness.Handling {
		return []readiness.Handling{{Finding: id, Kind: readiness.Snooze, Severity: readiness.S2, At: at(-1, 9, 0), Until: until}}
	}
	stale := with(f("r", "R44", readiness.S2, readiness.Operator), func(f *readiness.Finding) { f.RollUp = "R44/ehr" })
	late := f("a", "R10", readiness.S2, readiness.Admin)
	for _, r := range []struct {
		name     string
		findings []readiness.Finding
		did      []readiness.Handling
		want     string
	}{
		{"a finding is its owner's", []readiness.Finding{late}, nil, "admin 1"},
		{"an S1 is urgent", []readiness.Finding{f("a", "R15", readiness.S1, readiness.Therapist)}, nil, "therapist 1(1)"},
		{"a child is its parent's", []readiness.Finding{late, with(f("b", "R22", readiness.S2, readiness.Prescriber), func(f *readiness.Finding) { f.Under = "R10" })}, nil, "admin 1"},
		{"several that a client waits on are one line", []readiness.Finding{f("a", "R03", readiness.S3, readiness.Admin), f("b", "R20", readiness.S3, readiness.Admin)}, nil, "admin 1"},
		{"an urgent one of them is urgent", []readiness.Finding{f("a", "R08", readiness.S1, readiness.Prescriber)}, nil, "prescriber 1(1)"},
		{"what touches many is one row", []readiness.Finding{stale}, nil, "operator 1"},
		{"housekeeping is not counted", []readiness.Finding{f("a", "R01", readiness.S4, readiness.Admin)}, nil, ""},
		{"the resolved is not counted", []readiness.Finding{with(late, func(f *readiness.Finding) { f.State = readiness.Resolved })}, nil, ""},
		{"the snoozed is not counted", []readiness.Finding{late}, snoozed("a", at(1, 9, 0)), ""},
		{"once its snooze is over, it is", []readiness.Finding{late}, snoozed("a", at(0, 9, 0)), "admin 1"},
		{"once it is graver, it is", []readiness.Finding{with(late, func(f *readiness.Finding) { f.Severity = readiness.S1 })}, snoozed("a", at(1, 9, 0)), "admin 1(1)"},
		{"a snoozed waiting is not counted", []readiness.Finding{f("a", "R03", readiness.S3, readiness.Admin)}, []readiness.Handling{{Finding: "a", Kind: readiness.Snooze, Severity: readiness.S3, At: at(-1, 9, 0), Until: at(1, 9, 0)}}, ""},
		{"what is snoozed for all whom it touches is not counted", []readiness.Finding{stale}, snoozed("r", at(1, 9, 0)), ""},
		{"the acknowledged is still to be done", []readiness.Finding{late}, []readiness.Handling{{Finding: "a", Kind: readiness.Acknowledge, At: at(-1, 9, 0)}}, "admin 1"},
	} {
		t.Run(r.name, func(t *testing.T) {
			in := Input{AsOf: asOf, Zone: denver, Handlings: r.did, Clients: []readiness.Verdict{{Client: "c", Prescriber: "p", State: readiness.NotReady, Findings: r.findings}}}
			if got := acting(in); got != r.want {
				t.Errorf("got %q, want %q", got, r.want)
			}
		})
	}
}

func TestASessionAtHandWithoutAFindingIsActedOn(t *testing.T) {
	for _, r := range []struct {
		name    string
		state   readiness.State
		start   time.Time
		finding []readiness.Finding
		want    string
	}{
		{"not ready, and the session is tomorrow", readiness.NotReady, at(1, 9, 0), nil, "therapist 1"},
		{"not ready, and the session is next week", readiness.NotReady, at(7, 9, 0), nil, ""},
		{"in order, and the session is today", readiness.InOrder, at(0, 15, 0), nil, ""},
		{"not ready, and a finding says why", readiness.NotReady, at(1, 9, 0), []readiness.Finding{{ID: "a", Code: "R10", Severity: readiness.S2, State: readiness.New, Owner: readiness.Prescriber}}, "prescriber 1"},
	} {
		t.Run(r.name, func(t *testing.T) {
			v := readiness.Verdict{Client: "c", Prescriber: "p", State: r.state, Owner: readiness.Therapist, Findings: r.finding, Appointment: &readiness.Appointment{ID: "a", Start: r.start}}
			if got := acting(Input{AsOf: asOf, Zone: denver, Clients: []readiness.Verdict{v}}); got != r.want {
				t.Errorf("got %q, want %q", got, r.want)
			}
		})
	}
}

func TestOnAQuietDayEveryOwnerIsToldOfNothing(t *testing.T) {
	quiet := ToActOn(Input{AsOf: asOf})
	if len(quiet) != len(owners) || slices.ContainsFunc(quiet, func(a Acts) bool { return a.N != 0 || a.Urgent != nil }) {
		t.Errorf("got %+v", quiet)
	}
}

// What the snooze took out of the report's lists is told apart, with its reason: nothing is lost quietly.
func TestWhatIsSnoozedIsShownApart(t *testing.T) {
	in := seed()
	in.Handlings = []readiness.Handling{
		{Finding: "f-10", Kind: readiness.Snooze, Severity: readiness.S2, Actor: "Rosa", At: at(-1, 9, 0), Until: at(2, 9, 0), Reason: "they answer on Thursday"},
		{Finding: "f-44", Kind: readiness.Snooze, Severity: readiness.S2, Actor: "Rosa", At: at(0, 9, 0), Until: at(1, 9, 0), Reason: "the mailbox moves"},
	}
	r := Build(in)
	if len(r.Snoozed) != 1 || r.Snoozed[0].ID != "f-10" || r.Snoozed[0].Snoozed.Reason != "they answer on Thursday" {
		t.Errorf("persisting %+v, snoozed %+v", r.Lasting, r.Snoozed)
	}
	if len(r.RollUps) != 1 || r.RollUps[0].Snoozed == nil || r.RollUps[0].Snoozed.By != "Rosa" {
		t.Errorf("rolled up: %+v", r.RollUps)
	}
}

func TestAnUrgentWaitingIsAlsoDoneNow(t *testing.T) {
	in := seed()
	in.Clients[1].Findings[0].Severity = readiness.S1 // Wren waits on an answer
	r := Build(in)
	if len(r.Waiting) != 1 || r.Waiting[0].Severity != readiness.S1 || !slices.ContainsFunc(r.DoNow, func(f Finding) bool { return f.Code == "R03" }) {
		t.Errorf("waiting %+v, do now %+v", r.Waiting, r.DoNow)
	}
}
