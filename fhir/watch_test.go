package fhir

import (
	"slices"
	"testing"
)

func TestNothingButTheWatchListIsKept(t *testing.T) {
	g := Recogniser{Watch: DefaultWatchList()}
	for _, r := range []struct {
		name, party, typ, body string
		want                   bool
	}{
		{"a condition on the list", Practice, "Condition", `{"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"Z33.1"}]}}`, true},
		{"a condition that is not", Practice, "Condition", `{"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"F43.10"}]}}`, false},
		{"a condition in words only", Practice, "Condition", `{"code":{"text":"pregnancy"}}`, false},
		{"a condition without a code", Practice, "Condition", `{}`, false},
		{"a condition that is broken", Practice, "Condition", `{"code":`, true},
		{"a medicine on the list", Practice, "MedicationStatement", `{"medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"2598"}]}}`, true},
		{"a medicine that is not", Practice, "MedicationStatement", `{"medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"161"}]}}`, false},
		{"a medicine on the list, by the Medication inside it", Practice, "MedicationStatement", `{"medicationReference":{"reference":"#m"},"contained":[{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"2598"}]}}]}`, true},
		{"… by its ingredient", Practice, "MedicationStatement", `{"medicationReference":{"reference":"#m"},"contained":[{"resourceType":"Medication","id":"other"},{"resourceType":"Medication","id":"m","ingredient":[{"itemCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"2598"}]}}]}]}`, true},
		{"… one inside that it does not mean", Practice, "MedicationStatement", `{"medicationReference":{"reference":"#m"},"contained":[{"resourceType":"Medication","id":"other","code":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"2598"}]}}]}`, false},
		{"a medicine that is a Medication elsewhere", Practice, "MedicationStatement", `{"medicationReference":{"reference":"Medication/m"}}`, false},
		{"a code of the list for other records", Practice, "Condition", `{"code":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"2598"}]}}`, false},
		{"a goal of blood pressure", "skylight", "Goal", `{"target":[{"measure":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]}}]}`, true},
		{"a goal that is a condition of the clearance", "skylight", "Goal", `{"category":[{"coding":[{"system":"https://kaphub.example/fhir/CodeSystem/clearance-item","code":"condition"}]}]}`, true},
		{"a goal of something else", "skylight", "Goal", `{"description":{"text":"fewer nightmares"}}`, false},
		{"a goal of the practice's", Practice, "Goal", `{"target":[{"measure":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]}}]}`, false},
		{"anything else", Practice, "Observation", `{}`, true},
	} {
		if got := g.Keeps(r.party, r.typ, []byte(r.body)); got != r.want {
			t.Errorf("%s: %t", r.name, got)
		}
	}
	if (Recogniser{}).Keeps(Practice, "Condition", []byte(`{"code":`)) {
		t.Error("an empty list keeps something")
	}
}

func TestTheDefaultWatchListCanBeUsed(t *testing.T) {
	seen := map[Code]bool{}
	for _, r := range DefaultWatchList() {
		if r.System == "" || r.Code.Code == "" || r.Words == "" || r.Severity != "S1" && r.Severity != "S2" || len(r.In) == 0 || seen[r.Code] {
			t.Errorf("%+v", r)
		}
		seen[r.Code] = true
		for _, typ := range r.In {
			if !slices.Contains(Watchable(), typ) {
				t.Errorf("%s: %s is not looked at", r.Words, typ)
			}
		}
	}
}
