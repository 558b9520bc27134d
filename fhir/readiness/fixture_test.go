package readiness_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// now is a Tuesday, 09:00 in Denver.
var now = time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// sheet answers every line.
func sheet() readiness.Sheet {
	return readiness.Sheet{
		Signed:            readiness.Day{Year: 2026, Month: time.January, Day: 10},
		Deciders:          []fhir.ID{fhirtest.DeciderNPI},
		ClearanceValidity: readiness.Is(90 * day),
		FollowUp:          readiness.Is(90 * day),
		DoseInterval:      readiness.Is(6 * day),
		SessionCap:        readiness.Is(2),
		Systolic:          readiness.Is(readiness.Limit{Value: 140, Unit: "mm[Hg]"}),
		Diastolic:         readiness.Is(readiness.Limit{Value: 90, Unit: "mm[Hg]"}),
		HeartRate:         readiness.Is(readiness.Limit{Value: 100, Unit: "/min"}),
		Preparations:      readiness.Is(1),
		OfficeOnly:        readiness.Is(true),
		StatesNotServed:   readiness.Is([]string{"AK", "AL"}),
		LeadDays:          readiness.Is(10),
		Phone:             "555-0100", WeekendPhone: "555-0199",
	}
}

func policy(edits ...func(*readiness.Policy)) readiness.Policy {
	p := readiness.Policy{
		Hash:        "one",
		Practice:    readiness.Party{Name: fhir.Practice, Title: "Reverie", Sources: []string{fhirtest.PracticeSource}},
		Prescriber:  readiness.Party{Name: fhirtest.Prescriber, Title: "Skylight Psychedelics", Identifiers: []fhir.ID{fhirtest.PrescriberNPI}, Sources: []string{fhirtest.PrescriberSource}},
		Zone:        fhirtest.Denver,
		Sheet:       sheet(),
		Credentials: readiness.Is([]readiness.Credential{{Name: "licence", Until: readiness.Day{Year: 2027, Month: time.June, Day: 30}}}),
		Rules:       readiness.DefaultRules(),
	}
	for _, e := range edits {
		e(&p)
	}
	return p
}

// onSheet edits the sheet of a policy.
func onSheet(edit func(*readiness.Sheet)) func(*readiness.Policy) {
	return func(p *readiness.Policy) { edit(&p.Sheet) }
}

func gate(t *testing.T, v readiness.Verdict, name readiness.GateName) readiness.Gate {
	t.Helper()
	g, ok := v.Gate(name)
	if !ok {
		t.Fatalf("no gate %s", name)
	}
	return g
}

func finding(v readiness.Verdict, code string) (readiness.Finding, bool) {
	for _, f := range v.Findings {
		if f.Code == code {
			return f, true
		}
	}
	return readiness.Finding{}, false
}

func explain(t *testing.T, v readiness.Verdict) {
	t.Helper()
	t.Logf("%s: %s (next: %s, %s)", v.State, v.Words, v.Owner, v.Next)
	for _, g := range v.Gates {
		t.Logf("  %-16s %-8s %s | %s | %s", g.Name, g.State, g.Words, g.Next, g.Agreed)
	}
	for _, f := range v.Findings {
		t.Logf("  %s %s %s %s", f.Code, f.Severity, f.Words, f.Under)
	}
}

func decode(v fhir.Version, into any) {
	if err := json.Unmarshal(v.Resource.Body, into); err != nil {
		panic(err)
	}
}

func status(v fhir.Version) string {
	var r struct{ Status string }
	decode(v, &r)
	return r.Status
}
