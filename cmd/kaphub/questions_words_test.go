package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// What only a word of the prescriber ends is asked, whoever must ask it; and each question brings the fields that fit it.
func TestQuestionsAskWhatOnlyThePrescriberAnswers(t *testing.T) {
	v := readiness.Verdict{Findings: []readiness.Finding{
		{Code: "R30", Severity: readiness.S2, Owner: readiness.Therapist, Words: "An effect asks for their word"},
		{Code: "R25", Severity: readiness.S1, Owner: readiness.Therapist, Words: "The label has other directions"},
		{Code: "R50", Severity: readiness.S1, Owner: readiness.Therapist, Words: "It began while NOT-READY"},
	}}
	if got := ask(v); !slices.Equal(got, []string{"An effect asks for their word", "The label has other directions"}) {
		t.Errorf("the message says %q", got)
	}
	if got := replyTo(v, 2); !strings.HasPrefix(got, "ANSWER:") || !strings.HasSuffix(got, desk.ReplyBlock) {
		t.Errorf("both are answered in\n%s", got)
	}
	rx := readiness.Verdict{Gates: []readiness.Gate{{Name: readiness.GatePrescription, Owner: readiness.Prescriber, State: readiness.Open, Words: "No prescription"}}}
	if got := replyTo(rx, 1); strings.Contains(got, "STATUS:") {
		t.Errorf("a prescription is answered in\n%s", got)
	}
	rx.Gates[0].Name = readiness.GateClearance
	if got := replyTo(rx, 1); got != desk.ReplyBlock {
		t.Errorf("a decision is answered in\n%s", got)
	}
}

// A message to one prescriber repeats nothing that another one recorded, and nothing of what the client took.
func TestQuestionsTellNothingOfOthersRecords(t *testing.T) {
	finding := func(code, words string) readiness.Finding {
		return readiness.Finding{Code: code, Severity: readiness.S1, Owner: readiness.Prescriber, Words: words}
	}
	v := readiness.Verdict{Findings: []readiness.Finding{
		finding("R27", "Dispensed on 3 Mar 2026, against a hold of another prescriber"),
		finding("R28", "Another prescriber has a prescription of ketamine for the client"),
		finding("R43", "The last dose was taken on 3 Jan 2026"),
		finding("R08", "The evaluation was missed"),
	}}
	if got := ask(v); !slices.Equal(got, []string{"The evaluation was missed"}) {
		t.Errorf("the message says %q", got)
	}
}

// A prescription follows from a decision that clears: nobody asks for one of a client who was just not cleared.
func TestAPrescriptionIsAskedForOfWhoIsCleared(t *testing.T) {
	v := readiness.Verdict{Gates: []readiness.Gate{
		{Name: readiness.GateClearance, Owner: readiness.Prescriber, State: readiness.Blocked, Words: "Skylight recorded not-cleared"},
		{Name: readiness.GatePrescription, Owner: readiness.Prescriber, State: readiness.Open, Words: "No prescription is on file"},
	}}
	if got := ask(v); len(got) > 0 {
		t.Errorf("of a client who is not cleared the message says %q", got)
	}
	v.Gates[0].State = readiness.Met
	if got := ask(v); !slices.Equal(got, []string{"No prescription is on file"}) {
		t.Errorf("of one who is cleared it says %q", got)
	}
}
