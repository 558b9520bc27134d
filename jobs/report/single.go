package report

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// FindingsOf words the findings of one verdict, in its order, with how each stands with the people who look after it.
func FindingsOf(in Input, v readiness.Verdict) []Finding {
	b := newBuilder(in)
	c := b.client(v)
	list := make([]Finding, 0, len(v.Findings))
	for _, f := range v.Findings {
		list = append(list, b.finding(f, v, c))
	}
	return list
}

// FigureName is what a number of the account is called.
func FigureName(g readiness.Figure) string { return or(figures[g.Of], string(g.Of)) }

// FigureValue is a number of the account with its unit: "1 session", "30 Jun 2026", "unknown".
func FigureValue(in Input, g readiness.Figure) string {
	return figure(Report{zone: cmp.Or(in.Zone, time.UTC), AsOf: in.AsOf}, g)
}

// Pronouns are the words by which the client is spoken of, as the practice has them; "" when none are on file.
func Pronouns(chart *fhir.Chart) string {
	for _, s := range fhir.Now(fhir.Of(fhir.Practice, chart.Patients)) {
		var p struct {
			Extension []struct {
				URL       string
				Extension []struct {
					URL   string
					Value map[string]any `json:"valueCodeableConcept"`
				}
			}
		}
		if json.Unmarshal(s.Resource.Body, &p) != nil {
			continue
		}
		for _, e := range p.Extension {
			for _, v := range e.Extension {
				if e.URL == fhir.ExtensionPronouns && v.URL == "value" {
					return (&Records{}).concept(v.Value)
				}
			}
		}
	}
	return ""
}
