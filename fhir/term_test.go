package fhir

import (
	"os"
	"strings"
	"testing"
)

const outcomes = "https://skylight.example/fhir/CodeSystem/outcome"

func TestWhatACodeMeans(t *testing.T) {
	file, err := os.ReadFile("testdata/kap/ConceptMap-skylight.json")
	if err != nil {
		t.Fatal(err)
	}
	terms, err := NewTerms(map[string][][]byte{"skylight": {file}})
	if err != nil {
		t.Fatal(err)
	}
	own := Code{SystemDecision, DecisionCleared}
	rows := []struct {
		name    string
		terms   *Terms
		party   string
		concept *CodeableConcept
		want    string
		reading Reading
	}{
		{"nothing was said", terms, "skylight", nil, "", Absent},
		{"only words were said", terms, "skylight", &CodeableConcept{Text: said("cleared")}, "", Absent},
		{"our own code is read as it is", terms, "skylight", concept(own), DecisionCleared, Mapped},
		{"our own code needs no map", nil, "skylight", concept(own), DecisionCleared, Mapped},
		{"the prescriber's code is translated", terms, "skylight", concept(Code{outcomes, "OK"}), DecisionCleared, Mapped},
		{"an equal code is translated too", terms, "skylight", concept(Code{outcomes, "OK-IF"}), DecisionConditions, Mapped},
		{"another party's map is not asked", terms, "someone", concept(Code{outcomes, "OK"}), "", Unmapped},
		{"without maps a partner's code means nothing", nil, "skylight", concept(Code{outcomes, "OK"}), "", Unmapped},
		{"a wider code is no translation", terms, "skylight", concept(Code{outcomes, "PROBABLY"}), "", Unmapped},
		{"a related code is no translation", terms, "skylight", concept(Code{outcomes, "LATER"}), "", Unmapped},
		{"a code that depends on more is no translation", terms, "skylight", concept(Code{outcomes, "OK-IN-CO"}), "", Unmapped},
		{"a code in other case is another code", terms, "skylight", concept(Code{outcomes, "ok"}), "", Unmapped},
		{"our code in an unknown system is not ours", terms, "skylight", concept(Code{"https://x.example", DecisionCleared}), "", Unmapped},
		{"two codings that agree", terms, "skylight", concept(own, Code{outcomes, "OK"}), DecisionCleared, Mapped},
		{"two codings that differ", terms, "skylight", concept(own, Code{outcomes, "NO"}), "", Ambiguous},
		{"two of ours that differ", terms, "skylight", concept(own, Code{SystemDecision, DecisionDeferred}), "", Ambiguous},
		{"one that maps beside one that does not", terms, "skylight", concept(Code{outcomes, "HM"}, Code{outcomes, "NO"}), DecisionNotCleared, Mapped},
		{"a coding without a system", terms, "skylight", &CodeableConcept{Coding: []Coding{{Code: said("cleared")}}}, "", Unmapped},
		{"a coding without a code", terms, "skylight", &CodeableConcept{Coding: []Coding{{System: said(SystemDecision)}}}, "", Absent},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, reading := row.terms.Code(row.party, row.concept, SystemDecision)
			if got != row.want || reading != row.reading {
				t.Errorf("got %q %d, want %q %d", got, reading, row.want, row.reading)
			}
		})
	}
}

func TestAConceptMapThatCannotBeUsed(t *testing.T) {
	group := func(inner string) string {
		return `{"resourceType":"ConceptMap","status":"active","group":[{"source":"a","target":"b","element":[` + inner + `]}]}`
	}
	for name, row := range map[string]struct {
		files []string
		says  string
	}{
		"no JSON":                {[]string{`{`}, "not JSON"},
		"a list":                 {[]string{`[]`}, "not an object"},
		"something else":         {[]string{flag + `}`}, "not the expected resourceType"},
		"a key told twice":       {[]string{`{"resourceType":"ConceptMap","status":"active","status":"draft"}`}, "duplicate key"},
		"no systems":             {[]string{`{"resourceType":"ConceptMap","status":"active","group":[{"target":"b","element":[{"code":"x"}]}]}`}, "without source or target"},
		"groups of another form": {[]string{`{"resourceType":"ConceptMap","status":"active","group":"x"}`}, "do not read"},
		"two meanings":           {[]string{group(`{"code":"x","target":[{"code":"y","equivalence":"equal"},{"code":"z","equivalence":"equal"}]}`)}, "a|x means both y and z"},
		"two meanings in two files": {[]string{
			group(`{"code":"x","target":[{"code":"y","equivalence":"equal"}]}`),
			group(`{"code":"x","target":[{"code":"z","equivalence":"equivalent"}]}`)}, "concept map 2 of skylight"},
	} {
		t.Run(name, func(t *testing.T) {
			var files [][]byte
			for _, f := range row.files {
				files = append(files, []byte(f))
			}
			if _, err := NewTerms(map[string][][]byte{"skylight": files}); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("got %v, want it to say %q", err, row.says)
			}
		})
	}
	_, err := NewTerms(map[string][][]byte{"a": {[]byte(`{`)}, "b": {[]byte(`[]`)}})
	if err == nil || !strings.Contains(err.Error(), "of a:") || !strings.Contains(err.Error(), "of b:") {
		t.Errorf("not all mistakes are told at once: %v", err)
	}
}

func concept(codes ...Code) *CodeableConcept {
	c := &CodeableConcept{}
	for _, code := range codes {
		c.Coding = append(c.Coding, Coding{System: &code.System, Code: &code.Code})
	}
	return c
}

func said(s string) *string { return &s }
