package plan_test

import (
	"strings"
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// How far an open question about a record at the prescriber goes: what the verdict says, and what is sent.
func TestWhatAnOpenQuestionKeepsBack(t *testing.T) {
	evidence := func(says ...string) (e []fhir.Evidence) {
		for i, kind := range []string{fhir.EvidenceBirth, fhir.EvidenceFamily, fhir.EvidencePhone}[:len(says)] {
			e = append(e, fhir.Evidence{Kind: kind, Says: says[i]})
		}
		return e
	}
	weak, strong := evidence(fhir.Agrees, fhir.Agrees, fhir.Differs), evidence(fhir.Agrees, fhir.Agrees, fhir.Agrees)
	const early, own = "early", "s-p1"
	asked := func(patient string, e []fhir.Evidence) fhir.Link {
		return fhir.Link{Source: fhirtest.PrescriberSource, Patient: patient, How: fhir.Candidate, Evidence: e}
	}
	sure := fhir.Link{Source: fhirtest.PrescriberSource, Patient: own, How: "identifier", ReadBack: true}
	tests := []struct {
		name     string
		links    []fhir.Link
		other    bool // the question is about another prescriber's record
		doubted  bool // the verdict is in doubt for it
		severity readiness.Severity
		staged   string
		words    string
	}{
		{"nobody there may be them", nil, false, false, "", "patient", ""},
		{"somebody there likely is", []fhir.Link{asked(early, strong)}, false, true, readiness.S2, "", "birth date, family name and phone agree"},
		{"somebody there resembles them", []fhir.Link{asked(early, weak)}, false, true, readiness.S2, "", "birth date and family name agree; phone differs"},
		{"two there may be", []fhir.Link{asked(early, weak), asked("twin", weak)}, false, true, readiness.S2, "", ""},
		{"they have a record there, and another likely is theirs too", []fhir.Link{sure, asked(early, strong)}, false, true, readiness.S2, "", ""},
		{"they have a record there, and another resembles it", []fhir.Link{sure, asked(early, weak)}, false, false, readiness.S3, "consent", ""},
		{"the link there is in doubt", []fhir.Link{sure, asked(own, nil)}, false, true, readiness.S2, "", ""},
		{"a record at another prescriber may be theirs", []fhir.Link{asked(early, strong)}, true, true, readiness.S3, "patient", "at another prescriber"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := referred()
			w.links = append(w.links, test.links...)
			if test.other {
				other := other
				other.Sources = []string{"aurora"}
				w.policy.Others = []readiness.Party{other}
				w.links[1].Source = "aurora"
			}
			for _, l := range test.links {
				if l.How != fhir.Candidate {
					w.tell(w.PatientThere())
				}
			}
			chart := w.chart()
			aurora := chart.Sources[1]
			aurora.Name, aurora.Party = "aurora", other.Name
			chart.Sources = append(chart.Sources, aurora)
			w.verdict = readiness.Assess(chart, w.policy, w.clock)
			if got := strings.Contains(w.verdict.Words, "is not decided"); got != test.doubted {
				t.Errorf("says %s: %s", w.verdict.State, w.verdict.Words)
			}
			var severity readiness.Severity
			words := ""
			for _, f := range w.verdict.Findings {
				if f.Code == "R01" {
					severity, words = f.Severity, f.Words
				}
			}
			if severity != test.severity || !strings.Contains(words, test.words) {
				t.Errorf("R01 is %q: %s; want %q with %q", severity, words, test.severity, test.words)
			}
			same(t, whats(w.plan()), test.staged)
			here := test.doubted && !test.other
			if g, _ := w.verdict.Gate(readiness.GateIdentity); (g.State == readiness.Untold) != here {
				t.Errorf("identity is %s: %s", g.State, g.Words)
			}
			if g, _ := w.verdict.Gate(readiness.GateReferral); strings.HasPrefix(g.Words, "The referral waits") != here {
				t.Errorf("referral is %s: %s", g.State, g.Words)
			}
		})
	}
}

func TestALinkWhoseNumberVanishedIsAskedAbout(t *testing.T) {
	tests := []struct {
		name, how string
		edit      fhir.Edit
		asked     bool
	}{
		{"the same number on both", "identifier", set("active", true), false},
		{"corrected at one side", "identifier", set("identifier.0.value", "MRN-corrected"), true},
		{"corrected, and a person has confirmed it", "person", set("identifier.0.value", "MRN-corrected"), false},
		{"taken out, but the hub's own key is on it", "identifier", set("identifier", []any{map[string]any{"system": fhir.SystemClient, "value": "client-1"}}), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := referred().registeredThere()
			w.Client = "client-1"
			w.links[1].How = test.how
			there := w.PatientThere(test.edit)
			if test.edit.Path != "identifier" {
				w.Client = "another"
				there = w.PatientThere(test.edit)
				w.Client = "client-1"
			}
			w.tell(there)
			w.verdict = readiness.Assess(w.chart(), w.policy, w.clock)
			asked := false
			for _, f := range w.verdict.Findings {
				asked = asked || f.Code == "R01" && strings.Contains(f.Words, "shares with the client's no more")
			}
			if asked != test.asked {
				t.Errorf("asked is %t", asked)
			}
			if staged := whats(w.plan()); (len(staged) == 0) != test.asked {
				t.Errorf("staged %v", staged)
			}
		})
	}
}
