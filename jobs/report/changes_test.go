package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestWhyAVerdictMoved(t *testing.T) {
	then := time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC)
	now := then.Add(48 * time.Hour)
	basis := func(n int64) fhir.Basis {
		return fhir.Basis{Source: "skylight", Party: "skylight", Type: "Observation", ID: "o1", Version: n}
	}
	version := func(n int64, gone bool) fhir.Version {
		return fhir.Version{Key: fhir.Key{Source: "skylight", Type: "Observation", ID: "o1"}, Party: "skylight", N: n, Received: then.Add(time.Hour), Gone: gone}
	}
	verdict := func(state readiness.State, gate readiness.GateState, rests ...fhir.Basis) readiness.Verdict {
		return readiness.Verdict{Client: "c-1", Prescriber: "skylight", State: state, Words: string(state), Until: then.Add(24 * time.Hour), Sources: []string{"skylight"},
			Gates: []readiness.Gate{{Name: readiness.GateClearance, State: gate, Words: "w", Because: rests}}}
	}
	finding := func(s readiness.Severity, rests ...fhir.Basis) []readiness.Finding {
		return []readiness.Finding{{ID: "f", Code: "R10", Rule: "clearance-expires-before-session", Severity: s, State: readiness.Persisting, Since: then, Because: rests}}
	}
	tests := []struct {
		name          string
		before, after readiness.Verdict
		came, went    []fhir.Version
		settings      []Setting
		source        SourceState // of skylight, after
		f0, f1        []readiness.Finding
		want          []string
	}{
		{name: "a record came", before: verdict(readiness.NotReady, readiness.Open), after: verdict(readiness.InOrder, readiness.Met, basis(1)), came: []fhir.Version{version(1, false)},
			want: []string{"NOT-READY → IN-ORDER", "The gate clearance went from open to met: skylight/Observation/o1 came, received Mon 17:00."}},
		{name: "a record was changed twice", before: verdict(readiness.InOrder, readiness.Met, basis(1)), after: verdict(readiness.NotReady, readiness.Open, basis(3)),
			came: []fhir.Version{version(2, false), version(3, false)}, want: []string{"changed from version 1 to 3"}},
		{name: "its source has it no more", before: verdict(readiness.InOrder, readiness.Met, basis(1)), after: verdict(readiness.NotReady, readiness.Open),
			came: []fhir.Version{version(2, true)}, want: []string{"o1 is gone at its source, seen Mon 17:00"}},
		{name: "a link was undone", before: verdict(readiness.InOrder, readiness.Met, basis(1)), after: verdict(readiness.NotReady, readiness.Open),
			went: []fhir.Version{version(1, false)}, want: []string{"o1 is not this client's any more"}},
		{name: "a setting is another, and the records are the same", before: verdict(readiness.InOrder, readiness.Met, basis(1)), after: verdict(readiness.NotReady, readiness.Open, basis(1)),
			settings: []Setting{{"skylight", "rules.clearance_warn", "14d", "21d"}}, want: []string{"1 setting changed, and with it clearance from met to open.", "rules.clearance_warn: 14d → 21d"}},
		{name: "another prescriber's setting changed nothing here", before: verdict(readiness.InOrder, readiness.Met, basis(1)), after: verdict(readiness.NotReady, readiness.Open, basis(1)),
			settings: []Setting{{"aurora", "rules.clearance_warn", "14d", "21d"}}, want: []string{"only time passed: clearance from met to open."}},
		{name: "a source went stale", before: verdict(readiness.InOrder, readiness.Met, basis(1)), after: verdict(readiness.Unknown, readiness.Untold, basis(1)), source: Stale,
			want: []string{"The source skylight was fresh and is stale.", "With the sources went clearance from met to unknown."}},
		{name: "time alone, through a gate", before: verdict(readiness.InOrder, readiness.Met, basis(1)), after: verdict(readiness.NotReady, readiness.Open, basis(1)),
			want: []string{"Nothing that these gates rest on changed, only time passed: clearance from met to open."}},
		{name: "time alone: it stood no longer", before: verdict(readiness.InOrder, readiness.Met, basis(1)), after: verdict(readiness.Unknown, readiness.Met, basis(1)),
			want: []string{"Nothing was recorded between: time alone moved it. It stood until Tue 16:00 at the latest."}},
		{name: "the same verdict rests on another version", before: verdict(readiness.InOrder, readiness.Met, basis(1)), after: verdict(readiness.InOrder, readiness.Met, basis(2)),
			came: []fhir.Version{version(2, false)}, want: []string{"IN-ORDER, as before", "clearance: still met, by other versions", "from version 1 to 2"}},
		{name: "nothing changed", before: verdict(readiness.InOrder, readiness.Met, basis(1)), after: verdict(readiness.InOrder, readiness.Met, basis(1)), want: []string{"Nothing changed that bears on it."}},
		{name: "a finding weighs more as the session comes near", before: verdict(readiness.NotReady, readiness.Open), after: verdict(readiness.NotReady, readiness.Open),
			f0: finding(readiness.S2), f1: finding(readiness.S1), want: []string{"graver S1 R10 clearance-expires-before-session, was S2"}},
		{name: "a finding is over by a record", before: verdict(readiness.NotReady, readiness.Open), after: verdict(readiness.NotReady, readiness.Open), came: []fhir.Version{version(2, false)},
			f0: finding(readiness.S2, basis(1)), want: []string{"resolved S2 R10", "from version 1 to 2"}},
		{name: "it was never judged before", before: readiness.Verdict{}, after: verdict(readiness.InOrder, readiness.Met), want: []string{"new, IN-ORDER", "It had not been judged before."}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.before.Findings, test.after.Findings = test.f0, test.f1
			in := ChangesInput{Client: "c-1", Came: test.came, Went: test.went, Settings: test.settings,
				Before: Input{AsOf: then, Practice: "Reverie", Clients: []readiness.Verdict{test.before}, Sources: []Source{{Name: "skylight", State: Fresh}}},
				After:  Input{AsOf: now, Practice: "Reverie", Clients: []readiness.Verdict{test.after}, Sources: []Source{{Name: "skylight", State: Fresh}}}}
			if test.source != "" {
				in.After.Sources[0].State = test.source
			}
			var out bytes.Buffer
			if err := NewChanges(in).Text(&out, Options{Width: 200}); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("it does not say %q:\n%s", want, out.String())
				}
			}
		})
	}
}
