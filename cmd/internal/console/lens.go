package console

import (
	"slices"

	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// clinicalRules are the rules whose words and values tell of doses, readings, scores or what happened to a client.
var clinicalRules = []string{"R24", "R25", "R30", "R37", "R38"}

// clinicalGates are the gates that do.
var clinicalGates = []readiness.GateName{readiness.GateInstructions, readiness.GateVitals, readiness.GateNewInformation}

// discreet leaves out of a view what is for the client's therapist: doses, readings, scores, what happened. That
// something is there, whose it is and since when, stays.
func discreet(in report.Input) report.Input {
	in.Clients = slices.Clone(in.Clients)
	for i := range in.Clients {
		v := &in.Clients[i]
		v.Findings, v.Gates = slices.Clone(v.Findings), slices.Clone(v.Gates)
		for j := range v.Findings {
			if f := &v.Findings[j]; slices.Contains(clinicalRules, f.Code) {
				f.Words, f.Values = "Something that the therapist looks at ("+f.Rule+")", nil
			}
		}
		for j := range v.Gates {
			if g := &v.Gates[j]; slices.Contains(clinicalGates, g.Name) {
				g.Words = "The therapist sees what is recorded"
			}
		}
	}
	return in
}
