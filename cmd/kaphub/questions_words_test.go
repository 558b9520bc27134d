package main

import (
	"slices"
	"testing"

	"github.com/kaphub/kaphub/fhir/readiness"
)

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
