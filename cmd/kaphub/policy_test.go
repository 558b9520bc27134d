package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

const base = `hub: {name: Reverie, time_zone: America/Denver}
rules: {clearance_warn: 21d, doses_spare: 2}
practice:
  connectors: [{name: ehr, kind: fhirrest, base_url: "http://127.0.0.1:9001"}]
prescribers:
  - name: skylight
    identifiers: [{system: "http://hl7.org/fhir/sid/us-npi", value: "1234567893"}]
    stale_after: 26h
    rules: {clearance_warn: 30d}
    sheet:
      signed: 2026-01-10
      clearance_validity: 90d
      follow_up: not asked
      dose_interval: none set
      systolic_limit: 140 mmHg
      hours: [Mon-Thu 08:00-16:30, Fri 08:00-12:00]
      time_zone: America/New_York
      holidays: [2026-12-25]
  - name: second
    identifiers: [{system: "http://hl7.org/fhir/sid/us-npi", value: "1881697747"}]
`

// load reads a config and turns it into policies.
func load(t *testing.T, text string, files map[string]string) []readiness.Policy {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "kaphub.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(filepath.Join(dir, "kaphub.yaml"), []string{"KAPHUB_KEY=x"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := policies(&c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAPolicyIsWhatTheOperatorWrote(t *testing.T) {
	all := load(t, base, nil)
	if len(all) != 2 || len(all[0].Others) != 1 || all[0].Others[0].Name != "second" {
		t.Fatalf("each prescriber has a policy that knows the others: %+v", all)
	}
	p := all[0]
	if p.Rules.ClearanceWarn != 30*24*time.Hour || all[1].Rules.ClearanceWarn != 21*24*time.Hour {
		t.Error("a prescriber's rule stands over the hub's, the hub's over the default")
	}
	if p.Rules.DosesSpare != 2 || p.Rules.RefillLimit != readiness.DefaultRules().RefillLimit {
		t.Error("what is not written keeps its default")
	}
	if p.Sheet.ClearanceValidity != readiness.Is(90*24*time.Hour) || p.Sheet.FollowUp.Answer != readiness.NotAsked || p.Sheet.DoseInterval.Answer != readiness.NoneSet {
		t.Error("a value, not asked and none set are three things")
	}
	if p.Sheet.Preparations.Answer != readiness.NotAsked || p.Credentials.Answer != readiness.NotAsked {
		t.Error("a line that is left out is not asked")
	}
	if p.Sheet.Systolic != readiness.Is(readiness.Limit{Value: 140, Unit: "mm[Hg]"}) {
		t.Errorf("limits carry UCUM units: %+v", p.Sheet.Systolic)
	}
	if p.Sheet.Hours.Zone.String() != "America/New_York" || p.Sheet.Hours.Open[time.Friday][1] != 12*time.Hour || !p.Sheet.Hours.Holidays[readiness.Day{Year: 2026, Month: 12, Day: 25}] {
		t.Errorf("hours: %+v", p.Sheet.Hours)
	}
	if p.Prescriber.Limit != 26*time.Hour || p.Practice.Limit != 0 || p.Practice.Title != "Reverie" {
		t.Error("freshness and titles are the parties' own")
	}
	if len(p.ReferralCodes) != 1 || len(p.Consents) != 1 {
		t.Error("without codes of its own a practice uses kaphub's")
	}
}

func TestAPolicysHashMovesWithWhatBearsOnAVerdict(t *testing.T) {
	const conceptMap = `{"resourceType":"ConceptMap","status":"active","group":[{"source":"urn:theirs","target":"https://kaphub.example/fhir/CodeSystem/clearance-decision","element":[{"code":"OK","target":[{"code":"cleared","equivalence":"equal"}]}]}]}`
	mapped := strings.Replace(base, "    stale_after: 26h\n", "    stale_after: 26h\n    concept_maps: [map.json]\n", 1)
	before := load(t, base, nil)[0].Hash
	tests := []struct {
		name  string
		text  string
		files map[string]string
		moves bool
	}{
		{"nothing changed", base, nil, false},
		{"a comment", "# note\n" + base, nil, false},
		{"another address of the same source", strings.Replace(base, "9001", "9002", 1), nil, false},
		{"a line of the sheet", strings.Replace(base, "140 mmHg", "150 mmHg", 1), nil, true},
		{"none set in place of not asked", strings.Replace(base, "follow_up: not asked", "follow_up: none set", 1), nil, true},
		{"a holiday", strings.Replace(base, "[2026-12-25]", "[2026-12-25, 2026-12-31]", 1), nil, true},
		{"opening hours", strings.Replace(base, "16:30", "17:30", 1), nil, true},
		{"the practice's zone", strings.Replace(base, "America/Denver", "America/Boise", 1), nil, true},
		{"how old a read may be", strings.Replace(base, "26h", "27h", 1), nil, true},
		{"a rule", strings.Replace(base, "doses_spare: 2", "doses_spare: 3", 1), nil, true},
		{"another prescriber's sources", base + "    connectors: [{name: theirs, kind: fhirrest, base_url: \"http://127.0.0.1:9002\"}]\n", nil, true},
		{"a code map", mapped, map[string]string{"map.json": conceptMap}, true},
	}
	seen := map[string]string{}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := load(t, test.text, test.files)[0].Hash
			if (got != before) != test.moves {
				t.Errorf("hash moved: %v, want %v", got != before, test.moves)
			}
			if other, taken := seen[got]; taken && test.moves {
				t.Errorf("the same hash as after %q", other)
			}
			seen[got] = test.name
		})
	}
}

func TestTheBuiltinCodeMapsGoBothWays(t *testing.T) {
	const bser, cow = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS", "http://hl7.org/fhir/uv/cow/CodeSystem/business-status"
	files := map[string][][]byte{}
	for _, name := range []string{"bser", "cow"} {
		body, err := conceptMap(nil, config.Builtin+name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = [][]byte{body}
	}
	terms, err := fhir.NewTerms(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, party, system, theirs, ours string }{
		{"BSeR: scheduled", "bser", bser, "5.1.1", fhir.BusinessScheduled},
		{"BSeR 1.0: a cancellation was asked for", "bser", bser, "5.4", fhir.BusinessCancelAsked},
		{"BSeR 1.0: its 5.x means nothing in particular", "bser", bser, "5.x", ""},
		{"COW: scheduled", "cow", cow, "visit-scheduled", fhir.BusinessScheduled},
		{"COW: a specimen was collected, which is nothing of ours", "cow", cow, "specimen-collected", ""},
		{"BSeR's codes at a prescriber who speaks COW", "cow", bser, "5.1.1", ""},
	} {
		concept := &fhir.CodeableConcept{Coding: []fhir.Coding{{System: &row.system, Code: &row.theirs}}}
		if got, _ := terms.Code(row.party, concept, fhir.SystemBusinessStatus); got != row.ours {
			t.Errorf("%s: %q, want %q", row.name, got, row.ours)
		}
	}
	for _, row := range []struct{ name, party, ours, theirs string }{
		{"of two of theirs that mean it, the map says which is written", "bser", fhir.BusinessCancelAsked, "[{" + bser + " 5.2}]"},
		{"one of theirs means it", "bser", fhir.BusinessDone, "[{" + bser + " 7.0}]"},
		{"none of theirs means it", "bser", fhir.BusinessPrescribed, "[]"},
		{"none of COW's means that a cancellation was asked for", "cow", fhir.BusinessCancelAsked, "[]"},
	} {
		if got := fmt.Sprint(terms.Theirs(row.party, fhir.Code{System: fhir.SystemBusinessStatus, Code: row.ours})); got != row.theirs {
			t.Errorf("%s: %s, want %s", row.name, got, row.theirs)
		}
	}
}
