package console

import (
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// clinicalRules are the rules whose words and values tell of doses, readings, scores or what happened to a client.
var clinicalRules = []string{"R24", "R25", "R30", "R37", "R38"}

// clinicalGates are the gates that do.
var clinicalGates = []readiness.GateName{readiness.GateInstructions, readiness.GateVitals, readiness.GateNewInformation}

// seen leaves of a view what somebody may see of it. met is the client whom they were let in to, "" when all are looked at:
// whoever opened a client with a reason sees the whole of them.
func seen(in report.Input, who people.Account, met string) report.Input {
	sight := map[string]people.Sight{}
	for _, v := range in.Clients {
		s := who.Sight(v.Therapists...)
		if s == people.Nothing && v.Client == met {
			s = people.Whole
		}
		sight[v.Client] = max(sight[v.Client], s)
	}
	gone := func(client string) bool { return client != "" && sight[client] == people.Nothing }
	in.Clients = slices.DeleteFunc(slices.Clone(in.Clients), func(v readiness.Verdict) bool { return gone(v.Client) })
	in.Handlings = slices.DeleteFunc(slices.Clone(in.Handlings), func(h readiness.Handling) bool { return gone(h.Client) })
	in.Deliveries = slices.DeleteFunc(slices.Clone(in.Deliveries), func(d exchange.Entry) bool { return gone(d.Client) })
	if !who.SeesAll() {
		in.Rejects, in.Strays = nil, nil // of nobody yet
	}
	mute := map[string]bool{} // findings of which nothing is said: neither what nor that they are there
	dim := map[string]bool{}  // … of which a note may say too much
	for i := range in.Clients {
		v := &in.Clients[i]
		if opened := v.Client == met && who.Sight(v.Therapists...) == people.Nothing; !opened && !who.Confidant(v.Therapists...) {
			for _, f := range v.Findings {
				mute[f.ID] = readiness.Confided(f.Code)
			}
			*v = unconfided(*v)
		}
		if sight[v.Client] != people.Whole {
			for _, f := range v.Findings {
				dim[f.ID] = slices.Contains(clinicalRules, f.Code)
			}
			*v = discreet(*v)
		}
	}
	in.Handlings = slices.DeleteFunc(in.Handlings, func(h readiness.Handling) bool { return mute[h.Finding] })
	for i := range in.Handlings {
		if dim[in.Handlings[i].Finding] {
			in.Handlings[i].Reason = ""
		}
	}
	return in
}

// unconfided leaves out of a verdict what is told to the client's therapist only (R38), and that it is there.
func unconfided(v readiness.Verdict) readiness.Verdict {
	for _, f := range v.Findings {
		if readiness.Confided(f.Code) && f.Words != "" && strings.Contains(v.Words, f.Words) {
			v.Words, v.Next = strings.Replace(v.Words, f.Words, "something that the therapist looks at", 1), "ask the therapist"
		}
	}
	v.Findings = slices.DeleteFunc(slices.Clone(v.Findings), func(f readiness.Finding) bool { return readiness.Confided(f.Code) })
	return v
}

// Unclinical is a verdict without the gates and findings that tell of doses, readings, scores or what happened: for what is
// written to somebody else.
func Unclinical(v readiness.Verdict) readiness.Verdict {
	v.Findings = slices.DeleteFunc(slices.Clone(v.Findings), func(f readiness.Finding) bool { return slices.Contains(clinicalRules, f.Code) })
	v.Gates = slices.DeleteFunc(slices.Clone(v.Gates), func(g readiness.Gate) bool { return slices.Contains(clinicalGates, g.Name) })
	return v
}

// discreet leaves out of a verdict what is for the client's therapist: doses, readings, scores, what happened. That
// something is there, whose it is and since when, stays.
func discreet(v readiness.Verdict) readiness.Verdict {
	v.Findings, v.Gates = slices.Clone(v.Findings), slices.Clone(v.Gates)
	for j := range v.Findings {
		if f := &v.Findings[j]; slices.Contains(clinicalRules, f.Code) {
			v.Words = instead(v.Words, f.Words)
			f.Words, f.Values = "Something that the therapist looks at ("+f.Rule+")", nil
		}
	}
	for j := range v.Gates {
		if g := &v.Gates[j]; slices.Contains(clinicalGates, g.Name) {
			v.Words = instead(v.Words, g.Words)
			g.Words = "The therapist sees what is recorded"
		}
	}
	return v
}

// instead keeps out of a verdict's words what a gate or a finding says.
func instead(words, says string) string {
	if says == "" {
		return words
	}
	return strings.Replace(words, says, "something that the therapist looks at", 1)
}
