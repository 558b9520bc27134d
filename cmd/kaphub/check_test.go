package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestCheckTellsWhomAReleaseMustName(t *testing.T) {
	house, clinician := fhir.ID{System: "http://hl7.org/fhir/sid/us-npi", Value: "1234567893"}, fhir.ID{System: "http://hl7.org/fhir/sid/us-npi", Value: "1881697747"}
	tests := []struct {
		name                 string
		identifiers, decides []fhir.ID
		want                 string
	}{
		{"the clinician decides but only the house is the prescriber", []fhir.ID{house}, []fhir.ID{clinician}, "names only a decider (1881697747)"},
		{"the clinician is the prescriber too", []fhir.ID{house, clinician}, []fhir.ID{clinician}, ""},
		{"the house itself decides", []fhir.ID{house}, []fhir.ID{house}, ""},
		{"nobody is known to decide", []fhir.ID{house}, nil, "no clearance counts"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := strangers(readiness.Policy{Prescriber: readiness.Party{Title: "Skylight", Identifiers: test.identifiers}, Sheet: readiness.Sheet{Deciders: test.decides}})
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("says %q, want %q", got, test.want)
			}
		})
	}
}

func TestALineOfCheckFitsTheTerminal(t *testing.T) {
	tests := []struct {
		name  string
		width int
		want  []string
	}{
		{"no terminal", 0, []string{"reachable and speaks FHIR, and that is all"}},
		{"wide enough", 80, []string{"reachable and speaks FHIR, and that is all"}},
		{"narrow", 22, []string{"reachable and speaks", "FHIR, and that is all"}},
		{"too narrow to read", 5, []string{"reachable and speaks FHIR, and that is all"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := wrap("reachable and speaks FHIR, and that is all", test.width); !slices.Equal(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
