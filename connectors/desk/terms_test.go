package desk_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestWhatADecisionSaysOfSessionsIsRead(t *testing.T) {
	for text, want := range map[string]desk.Spacing{
		"":     {},
		"none": {},
		"6":    {InAll: 6},
		"6 in all, 1 a week, 7 days apart, office":        {InAll: 6, Weekly: 1, Apart: 7, Places: []string{"AMB"}},
		"For 4 sessions; at least two weeks apart":        {},
		"6 sessions, one a week":                          {InAll: 6, Weekly: 1},
		"Six sessions, once a week":                       {InAll: 6, Weekly: 1},
		"at most 2 sessions per week":                     {Weekly: 2},
		"once a week and 2 weeks apart":                   {Weekly: 1, Apart: 14},
		"in the office or at home.":                       {Places: []string{"AMB", "HH"}},
		"often enough":                                    {},
		"7 days":                                          {},
		"6 sessions in total; remote; at least 3 d apart": {InAll: 6, Apart: 3, Places: []string{"VR"}},
	} {
		got, err := desk.ParseSpacing(text)
		refused := strings.Contains(text, "two weeks") || text == "often enough" || text == "7 days"
		if refused != (err != nil) || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	r, err := read("STATUS: cleared\nSESSIONS: 6 in all, 1 a week\nDIRECTIONS: none")
	if err != nil || r.Sessions != "6 in all, 1 a week" {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := read("SESSIONS: whenever"); err == nil || !strings.Contains(err.Error(), "SESSIONS cannot be read") || strings.Contains(err.Error(), "whenever") {
		t.Errorf("%v", err)
	}
}

// What the desk enters of this client's limits comes before the sheet, and a condition is met by the prescriber's word.
func TestLimitsAndConditionsThatAreEnteredCount(t *testing.T) {
	decide := entry{"decision", now.Add(-6 * day), true, func(_ *life, n desk.Note) ([]exchange.Slip, error) {
		return book.Decide(n, desk.Decision{Outcome: fhir.DecisionConditions, Decider: decider(), ValidTo: "2026-05-31", Retyped: true, Conditions: []string{"an ECG"},
			Limits: []desk.Limit{{Of: "systolic", Value: 125, Below: true}}, Spacing: desk.Spacing{Weekly: 1, Apart: 10, Places: []string{"VR"}}})
	}}
	condition := func(at time.Time, met bool) entry {
		return entry{"condition", at, true, func(l *life, n desk.Note) ([]exchange.Slip, error) {
			decision, all := readiness.Conditions(l.chart(), l.policy, n.At)
			if len(all) != 1 || all[0].Words != "an ECG" {
				t.Errorf("conditions %+v", all)
			}
			return book.Condition(n, decision, all[0].Words, met)
		}}
	}
	for _, tt := range []struct {
		name    string
		entries []entry
		gate    readiness.GateName
		want    readiness.GateState
		words   string
	}{
		{"a condition that nobody spoke of is open", []entry{decide}, readiness.GateClearance, readiness.Open, "an ECG"},
		{"one that the prescriber says is met", []entry{decide, condition(now.Add(-5*day), true)}, readiness.GateClearance, readiness.Met, "recorded as met"},
		{"one that is open again", []entry{decide, condition(now.Add(-5*day), true), condition(now.Add(-4*day), false)}, readiness.GateClearance, readiness.Open, "an ECG"},
		{"the interval of this client", []entry{decide}, readiness.GateInterval, readiness.Met, "at least 10 days apart ("},
		{"the setting of this client", []entry{decide}, readiness.GateSetting, readiness.Open, "remote only ("},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := live(t, letters(90*day), nil, tt.entries, "")
			g, _ := v.Gate(tt.gate)
			if g.State != tt.want || !strings.Contains(g.Words, tt.words) {
				t.Errorf("%s: %s", g.State, g.Words)
			}
		})
	}
}
