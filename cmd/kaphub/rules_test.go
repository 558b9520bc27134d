package main

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// The README's table of rules is what the registry says, with the defaults. `go test ./cmd/kaphub -run README -update` writes it anew.
func TestTheREADMEListsEveryRule(t *testing.T) {
	const file, begin, end = "../../README.md", "<!-- rules: from the registry -->\n", "<!-- end of the rules -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	was, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatal("the README has no place for the rules")
	}
	now := ruleTable()
	if was == now {
		return
	}
	if !*update {
		t.Fatal("the README's table of rules is not the registry's: go test ./cmd/kaphub -run README -update")
	}
	if err := os.WriteFile(file, []byte(before+begin+now+end+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ruleTable is the catalogue as the README shows it.
func ruleTable() string {
	var b strings.Builder
	b.WriteString("| rule | what it asks | severity | who acts | from | goes by |\n|---|---|---|---|---|---|\n")
	for _, r := range ruleRows(readiness.DefaultRules(), nil) {
		var by []string
		for _, t := range r.Settings {
			by = append(by, strings.TrimSpace("`"+t.Key+"` "+t.Value+" "+t.Unit))
		}
		for _, l := range r.Sheet {
			by = append(by, "sheet: `"+l.Key+"`")
		}
		cells := []string{r.Code + " " + r.Name, r.Asks, r.Severity, string(r.Owner), r.Source, strings.Join(by, ", ")}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	return b.String()
}

// Every setting can be written in the config, and every key of the config's rules is a setting; every line of the sheet
// that a rule names is one.
func TestEverySettingOfTheRulesIsAKey(t *testing.T) {
	var keys, known []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[config.Rules]()) {
		keys = append(keys, field.Tag.Get("yaml"))
	}
	for _, s := range readiness.DefaultRules().Settings() {
		known = append(known, s.Key)
		if s.Means == "" {
			t.Errorf("%s: what it means is not said", s.Key)
		}
		for _, code := range s.Rules {
			if !slices.ContainsFunc(readiness.Catalogue(), func(r readiness.Rule) bool { return r.Code == code }) {
				t.Errorf("%s: %s is no rule", s.Key, code)
			}
		}
	}
	slices.Sort(keys)
	slices.Sort(known)
	if !slices.Equal(keys, known) {
		t.Errorf("the config has %v\nthe rules have %v", keys, known)
	}
	for _, r := range readiness.Catalogue() {
		for _, key := range r.Sheet {
			if sheetSays(&config.Sheet{}, key) == "" {
				t.Errorf("%s goes by %s, which is no line of the sheet", r.Code, key)
			}
		}
	}
}

// What is written in the config is what the rules go by.
func TestASettingOfTheRulesIsTakenOver(t *testing.T) {
	n, d := 7, config.Duration(36*3600e9)
	got := rules(readiness.DefaultRules(), config.Rules{RebookWait: &n, BookedUrgent: &d})
	want := readiness.DefaultRules()
	want.RebookWait, want.BookedUrgent = 7, 36*3600e9
	if got != want {
		t.Errorf("%+v", got)
	}
}
