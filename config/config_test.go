package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

const small = `hub: {time_zone: America/Denver}
practice:
  connectors: [{name: ehr, kind: fhirrest, base_url: "http://127.0.0.1:9001"}]
prescribers:
  - name: skylight
    identifiers: [{system: "http://hl7.org/fhir/sid/us-npi", value: "1234567893"}]
`

// write puts text and a key file into a directory of its own and returns the config's path.
func write(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range map[string]string{"kaphub.yaml": text, "kaphub.key": "key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "kaphub.yaml")
}

func problems(t *testing.T, err error) string {
	t.Helper()
	invalid, ok := errors.AsType[*Invalid](err)
	if !ok {
		t.Fatalf("want an *Invalid, got %v", err)
	}
	var lines []string
	for _, p := range invalid.Problems {
		lines = append(lines, fmt.Sprintf("%d:%d %s %s", p.Line, p.Column, p.Path, p.Text))
	}
	return strings.Join(lines, "\n")
}

func TestTheExampleLoads(t *testing.T) {
	c, err := Load(write(t, string(Example)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Location().String() != "America/Denver" || len(c.Connectors()) != 2 || c.Schedules.Sync == "" {
		t.Errorf("the example was read wrongly: %+v", c)
	}
	s := c.Prescribers[0].Sheet
	if s.agreed() || !s.Signed.IsZero() || c.Practice.Credentials.Answer != NotAsked {
		t.Errorf("the example puts words into a prescriber's mouth: %+v", s)
	}
	if len(s.Hours) != 1 || len(s.Hours[0].Days) != 5 || s.Hours[0].From != 9*time.Hour || s.Hours[0].To != 17*time.Hour {
		t.Errorf("hours = %+v", s.Hours)
	}
}

func TestTheThreeAnswersOfTheSheet(t *testing.T) {
	c, err := Load(write(t, small+"    sheet: {signed: 2026-01-10, clearance_validity: 90d, follow_up: not asked, dose_interval: none set, office_only: true}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Prescribers[0].Sheet
	if s.ClearanceValidity != (Asked[Duration]{Set, Duration(90 * 24 * time.Hour)}) {
		t.Errorf("clearance_validity = %+v, want 90 days", s.ClearanceValidity)
	}
	if s.FollowUp.Answer != NotAsked || s.DoseInterval.Answer != NoneSet || s.OfficeOnly != (Asked[bool]{Set, true}) {
		t.Errorf("the three answers of the sheet were mixed up: %+v", s)
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"a misspelt key is told with the right one", "hub: {time_zone: America/Denver, lisen: 127.0.0.1:80}\n" + small[strings.Index(small, "practice"):],
			[]string{"1:34 hub.lisen is no key here: write listen"}},
		{"a key of another block is told with all keys of this one", strings.Replace(small, "    identifiers", "    systolic_limit: 140 mmHg\n    identifiers", 1),
			[]string{"6:5 prescribers[0].systolic_limit is no key here: write one of closed, concept_maps, connectors, contact, identifiers, ketamine_codes, name, quiet_hours, rules, sheet, stale_after, task_dialect, task_steps, title, withhold"}},
		{"every mistake is told at once, in the order of the file", strings.Replace(small, "America/Denver", "Denver", 1) + `    stale_after: a day
    sheet: {signed: 10.1.2026, systolic_limit: 140, hours: [weekdays], session_cap: few, states_not_served: [Alaska]}
schedule: {}
`, []string{
			`1:18 hub.time_zone "Denver" is no time zone: write its IANA name, like America/Denver`,
			`7:18 prescribers[0].stale_after "a day" is no duration: write days, hours or minutes, like 90d, 26h or 45m`,
			`8:21 prescribers[0].sheet.signed "10.1.2026" is no date: write year, month and day, like 2026-01-10`,
			`8:48 prescribers[0].sheet.systolic_limit "140" is no limit: write a number and its unit, like 140 mmHg or 100 bpm`,
			`8:61 prescribers[0].sheet.hours[0] "weekdays" are no hours: write days and times, like Mon-Fri 09:00-17:00`,
			`8:85 prescribers[0].sheet.session_cap "few" is no whole number: write one, like 3`,
			`8:110 prescribers[0].sheet.states_not_served[0] "Alaska" is no state: write its two letters, like AK`,
			`9:1 schedule is no key here: write schedules`,
		}},
		{"a sheet that says something says since when", small + "    sheet: {dose_interval: none set}\n",
			[]string{"7:5 prescribers[0].sheet.signed is missing: write the date on which the prescriber agreed to the sheet, like 2026-01-10"}},
		{"a heart rate in mmHg is refused", small + "    sheet: {signed: 2026-01-10, heart_rate_limit: 100 mmHg}\n",
			[]string{"7:33 prescribers[0].sheet.heart_rate_limit has the wrong unit: write it like 100 bpm"}},
		{"a refill later than the law allows is refused", small + "rules: {fill_limit_months: 7}\n",
			[]string{"7:9 rules.fill_limit_months must lie between 1 and 6: 21 CFR 1306.22 allows no more"}},
		{"two sources of one name are refused", strings.Replace(small, "kind: fhirrest", "kind: fhirrest}, {name: ehr, kind: fhirrest", 1),
			[]string{`3:46 practice.connectors[1].name "ehr" is the name of practice.connectors[0] already: choose another`}},
		{"a prescriber may not be called practice", strings.Replace(small, "name: skylight", "name: practice", 1),
			[]string{`5:5 prescribers[0].name "practice" is the name of the practice itself already: choose another`}},
		{"a missing concept map is told", small + "    concept_maps: [maps/skylight.json]\n",
			[]string{"7:20 prescribers[0].concept_maps[0] maps/skylight.json is not there: write the path of a FHIR ConceptMap, relative to this config"}},
		{"a key written twice is told", small + "    name: other\n",
			[]string{"7:5 prescribers[0].name is written twice: keep one"}},
		{"a list where a block belongs is told", "hub: [a]\n" + small[strings.Index(small, "practice"):],
			[]string{"1:6 hub must be a block of keys, not a single value or a list", "1:1 hub.time_zone is missing: write the practice's zone, like America/Denver"}},
		{"a half identifier is refused", strings.Replace(small, `, value: "1234567893"`, "", 1),
			[]string{"6:20 prescribers[0].identifiers[0] needs both system and value: only together they identify"}},
		{"an anchor is refused", strings.Replace(small, "America/Denver", "&z America/Denver", 1),
			[]string{"1:18 hub.time_zone uses an anchor, alias or tag: write the value itself"}},
		{"an empty file is told in one sentence", "# nothing\n",
			[]string{"1:1  the file is empty: run kaphub init in an empty directory to see a whole one"}},
		{"what is no YAML is told in one sentence", "hub: {name: [}\n",
			[]string{"1:14  cannot be read as YAML ("}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(write(t, test.text), nil)
			got := problems(t, err)
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("missing:\n  %s\namong:\n%s", want, got)
				}
			}
			if n := len(strings.Split(got, "\n")); n != len(test.want) {
				t.Errorf("%d problems, want %d:\n%s", n, len(test.want), got)
			}
		})
	}
}

func TestAMissingKeyFileAndOneThatOthersMayRead(t *testing.T) {
	path := write(t, small)
	key := filepath.Join(filepath.Dir(path), "kaphub.key")
	if err := os.Chmod(key, 0o644); err != nil { //nolint:gosec // the point of the test
		t.Fatal(err)
	}
	_, err := Load(path, nil)
	if got := problems(t, err); !strings.Contains(got, "may be read by others (mode 0644): run chmod 600 kaphub.key") {
		t.Errorf("got %s", got)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	_, err = Load(path, nil)
	if got := problems(t, err); !strings.Contains(got, "store.key_file is not there (kaphub.key): bring the key") {
		t.Errorf("got %s", got)
	}
	c, err := Load(path, []string{"KAPHUB_KEY=abc", "KAPHUB_DSN=postgres://u:pw@h/db", "KAPHUB_LISTEN=127.0.0.1:9"})
	if err != nil {
		t.Fatalf("with the key in the environment no file is needed: %v", err)
	}
	if c.Store.Key.Reveal() != "abc" || c.Store.DSN.Reveal() != "postgres://u:pw@h/db" || c.Hub.Listen != "127.0.0.1:9" {
		t.Error("the environment did not override the file")
	}
}

func TestAConnectorReadsItsOwnPartStrictly(t *testing.T) {
	path := write(t, strings.Replace(small, "base_url:", "page: 3s, retries: many, bse_url: x, auth: {kind: none}, base_url:", 1))
	c, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var own struct {
		BaseURL string        `yaml:"base_url"`
		Page    time.Duration `yaml:"page"`
		Retries int           `yaml:"retries"`
		Auth    struct {
			Kind string `yaml:"kind"`
		} `yaml:"auth"`
	}
	entry := c.Connectors()[0]
	got := problems(t, c.Invalid(entry.Decode(&own)))
	want := "3:63 practice.connectors[0].retries \"many\" is no whole number: write one, like 3\n" +
		"3:69 practice.connectors[0].bse_url is no key here: write base_url"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if own.Page != 3*time.Second || own.Auth.Kind != "none" || own.BaseURL == "" {
		t.Errorf("what was right was not read: %+v", own)
	}
}

func TestASecretNeverPrints(t *testing.T) {
	const word = "hunter2"
	holder := struct {
		Token Secret  `json:"token" yaml:"token"`
		Other *Secret `json:"other" yaml:"other"`
	}{Token: NewSecret(word)}
	holder.Other = &holder.Token
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("config", "secret", holder.Token, "holder", holder)
	asJSON, err1 := json.Marshal(holder)
	asYAML, err2 := yaml.Marshal(holder)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	all := logged.String() + string(asJSON) + string(asYAML) + fmt.Sprint(holder, holder.Token) +
		fmt.Sprintf("%v %+v %#v %s %q %x %d", holder, holder, holder, holder.Token, holder.Token, holder.Token, holder.Token) +
		fmt.Errorf("open: %v", holder.Token).Error()
	if strings.Contains(all, word) || strings.Contains(all, fmt.Sprintf("%x", word)) {
		t.Errorf("the secret was printed: %s", all)
	}
	if !strings.Contains(all, hidden) {
		t.Error("a hidden secret should say that it is one")
	}
}

func TestAConfigNeverPrintsItsSecrets(t *testing.T) {
	c, err := Load(write(t, strings.Replace(small, "practice:", "store: {dsn: \"postgres://u:hunter2@h/db\"}\npractice:", 1)), []string{"KAPHUB_KEY=hunter3"})
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprintf("%v %+v %#v", c, c, c) + string(asJSON); strings.Contains(all, "hunter") {
		t.Error("a config printed one of its secrets")
	}
}

func TestALengthOfTimeIsReadAsPeopleWriteIt(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{"90d": 90 * day, "90 days": 90 * day, "90days": 90 * day, "1 day": day, "2 weeks": 14 * day, "26 h": 26 * time.Hour, "1d12h": 36 * time.Hour,
		"days": 0, "90": 0, "": 0, " ": 0, "90 dayss": 0, "90 months": 0} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); time.Duration(d) != want || (err == nil) != (want > 0) {
			t.Errorf("%q is read as %v, %v", text, time.Duration(d), err)
		}
	}
}
