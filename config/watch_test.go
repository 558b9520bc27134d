package config

import (
	"strings"
	"testing"
)

func TestTheWatchListIsThePracticesOwn(t *testing.T) {
	with := func(rows string) string {
		return strings.Replace(small, "practice:\n", "practice:\n  watch_list: "+rows+"\n", 1)
	}
	for text, want := range map[string]int{with("[]"): 0, with(`[{system: "http://loinc.org", code: 82810-3, words: a pregnancy status, severity: S1, in: [Observation], unless: [{system: x, code: "y"}]}]`): 1} {
		c, err := Load(write(t, text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Practice.WatchList == nil || len(c.Practice.WatchList) != want {
			t.Errorf("%d rows: %+v", want, c.Practice.WatchList)
		}
	}
	if c, err := Load(write(t, small), nil); err != nil || c.Practice.WatchList != nil {
		t.Errorf("left out is not the same as empty: %v", err)
	}
	_, err := Load(write(t, with(`[{system: "http://loinc.org", code: "1", severity: high, in: [Procedure]}, {system: a, code: b, words: c, severity: S2}]`)), nil)
	got := problems(t, err)
	for _, want := range []string{"[0] needs system, code and words", `[0].severity "high" is neither S1 nor S2`, `[0].in[0] "Procedure" is not looked at`, "[1].in is missing"} {
		if !strings.Contains(got, "practice.watch_list"+want) {
			t.Errorf("missing %s among:\n%s", want, got)
		}
	}
}

func TestALimitInKPa(t *testing.T) {
	sheet := func(line string) (Config, error) {
		return Load(write(t, small+"    sheet: {signed: 2026-01-10, "+line+"}\n"), nil)
	}
	if c, err := sheet("systolic_limit: 18.7 kPa"); err != nil || c.Prescribers[0].Sheet.Systolic.Value != (Limit{18.7, "kPa"}) {
		t.Errorf("%v", err)
	}
	if _, err := sheet("heart_rate_limit: 18.7 kPa"); !strings.Contains(problems(t, err), "wrong unit") {
		t.Error("a heart rate is told in kPa")
	}
}
