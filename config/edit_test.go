package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const house = `# ours
hub:
  name: Reverie                      # yours
  time_zone: America/Denver

practice:
  # client_ways: [phone, email]      # how
  credentials: not asked
  connectors:
    - name: ehr
      kind: fhirrest                 # here
      auth: {kind: none}

prescribers:
  - name: skylight
    sheet:
      # signed: 2026-01-10
      follow_up: not asked             # 90d after
      holidays: []
      deciders:
        - {system: "http://hl7.org/fhir/sid/us-npi", value: "1"}   # Dr. Vale
        - {system: "http://hl7.org/fhir/sid/us-npi", value: "2"}
    rules: {referral_warn: 2, referral_escalate: 5}

rules: {}
  # window: 14d
`

func TestAnEditLeavesEverythingElseAsItStands(t *testing.T) {
	for _, c := range []struct {
		name     string
		edit     Edit
		old, new string // what stands there before and after
	}{
		{"a word before a comment keeps the comment's column", Edit{Path: "hub.name", Text: "Hill House"}, "  name: Reverie                      # yours\n", "  name: Hill House                   # yours\n"},
		{"a longer word pushes it", Edit{Path: "prescribers[0].sheet.follow_up", Text: "none set, or something else that is long"}, "follow_up: not asked             # 90d", "follow_up: none set, or something else that is long # 90d"},
		{"what is only a comment is written before it", Edit{Path: "prescribers[0].sheet.signed", Text: "2026-03-01"}, "      # signed:", "      signed: 2026-03-01\n      # signed:"},
		{"so is a list", Edit{Path: "practice.client_ways", List: []string{"phone", "sms"}}, "  # client_ways:", "  client_ways: [phone, sms]\n  # client_ways:"},
		{"a key in empty brackets", Edit{Path: "rules.window", Text: "10d"}, "rules: {}\n", "rules: {window: 10d}\n"},
		{"a key more in brackets", Edit{Path: "prescribers[0].rules.skew", Text: "9m"}, "referral_escalate: 5}", "referral_escalate: 5, skew: 9m}"},
		{"a key less in brackets", Edit{Path: "prescribers[0].rules.referral_warn"}, "{referral_warn: 2, ref", "{ref"},
		{"the last key in brackets", Edit{Path: "prescribers[0].rules.referral_escalate"}, ", referral_escalate: 5}", "}"},
		{"the only key in brackets", Edit{Path: "practice.connectors[0].auth.kind"}, "{kind: none}", "{}"},
		{"a key at a block's end", Edit{Path: "hub.part2_program", Text: "true"}, "America/Denver\n", "America/Denver\n  part2_program: true\n"},
		{"blocks that are not there", Edit{Path: "notices.smtp.host", Text: "smtp.example.org"}, "  # window: 14d\n", "  # window: 14d\n"}, // see below
		{"an element more", Edit{Path: "prescribers[0].sheet.deciders[2]", Text: `{system: x, value: "3"}`}, "value: \"2\"}\n", "value: \"2\"}\n        - {system: x, value: \"3\"}\n"},
		{"the first element", Edit{Path: "prescribers[0].sheet.holidays[0]", Text: "2026-12-25"}, "holidays: []\n", "holidays:\n        - 2026-12-25\n"},
		{"an element less", Edit{Path: "prescribers[0].sheet.deciders[0]"}, "        - {system: \"http://hl7.org/fhir/sid/us-npi\", value: \"1\"}   # Dr. Vale\n", ""},
		{"a block more, behind what is remarked of the one before", Edit{Path: "prescribers[1]", Text: "name: aurora   # short\nsheet:\n  follow_up: not asked\n  # signed: 2026-01-10"},
			"referral_escalate: 5}\n", "referral_escalate: 5}\n  - name: aurora   # short\n    sheet:\n      follow_up: not asked\n      # signed: 2026-01-10\n"},
		{"a block as the first element", Edit{Path: "prescribers[0].sheet.holidays[0]", Text: "name: a\nuntil: 2027-01-31"}, "holidays: []\n", "holidays:\n        - name: a\n          until: 2027-01-31\n"},
		{"a whole list", Edit{Path: "prescribers[0].sheet.deciders", List: []string{}},
			"deciders:\n        - {system: \"http://hl7.org/fhir/sid/us-npi\", value: \"1\"}   # Dr. Vale\n        - {system: \"http://hl7.org/fhir/sid/us-npi\", value: \"2\"}\n", "deciders: []\n"},
		{"a word gives way to a list of blocks", Edit{Path: "practice.credentials", List: []string{"{name: insurance, until: 2027-01-31}"}},
			"  credentials: not asked\n", "  credentials:\n    - {name: insurance, until: 2027-01-31}\n"},
		{"a line less", Edit{Path: "hub.time_zone"}, "  time_zone: America/Denver\n", ""},
		{"the first key of an element", Edit{Path: "prescribers[0].name"}, "  - name: skylight\n    sheet:", "  - sheet:"},
		{"what is not there need not go", Edit{Path: "hub.listen"}, "", ""},
		{"an element's own key", Edit{Path: "practice.connectors[0].base_url", Text: "https://ehr.example/fhir"}, "auth: {kind: none}\n", "auth: {kind: none}\n      base_url: https://ehr.example/fhir\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Apply([]byte(house), []Edit{c.edit})
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(house, c.old, c.new, 1)
			if c.edit.Path == "notices.smtp.host" {
				want = strings.Replace(house, "\nrules: {}\n", "\nrules: {}\nnotices: {smtp: {host: smtp.example.org}}\n", 1)
			}
			if string(got) != want {
				t.Errorf("got\n%s", got)
			}
		})
	}
}

// What is remarked at the end of an element, further in than its dash, is about that element.
func TestAnElementTakesItsRemarksAlong(t *testing.T) {
	const text = "hub: {name: x}\nlist:\n  - name: a\n    # about a\n  # about b\n  - name: b\n    # also about b\n\nend: 1\n"
	for _, c := range []struct {
		edit Edit
		want string
	}{
		{Edit{Path: "list[0]"}, "hub: {name: x}\nlist:\n  # about b\n  - name: b\n    # also about b\n\nend: 1\n"},
		{Edit{Path: "list[1]"}, "hub: {name: x}\nlist:\n  - name: a\n    # about a\n  # about b\n\nend: 1\n"},
		{Edit{Path: "list[2]", Text: "{name: c}"}, "hub: {name: x}\nlist:\n  - name: a\n    # about a\n  # about b\n  - name: b\n    # also about b\n  - {name: c}\n\nend: 1\n"},
	} {
		if got, err := Apply([]byte(text), []Edit{c.edit}); err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s", c.edit.Path, err, got)
		}
	}
	if _, err := Apply([]byte("list: [{name: a}]\n"), []Edit{{Path: "list[1]", Text: "name: b\nx: 1"}}); !errors.Is(err, ErrEdit) {
		t.Errorf("a block in brackets: %v", err)
	}
}

func TestATextThatIsQuotedReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		said := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"no", "2026-01-10", "a: b", "# x", "{a}", "[", "~", "'", `"`, "null", " a", "a ", "007", "1e3", "é – ü", "a\nb", "%", "@x", "- a"})).
			Filter(func(s string) bool { return !strings.ContainsAny(s, "\x00\u0085\u2028\u2029\ufeff") }).Draw(t, "said")
		if said == "" {
			return
		}
		got, err := Apply([]byte(house), []Edit{{Path: "hub.name", Text: Quoted(said)}})
		if errors.Is(err, ErrEdit) {
			return // refused, and not written wrongly
		}
		d, err := parsed(string(got))
		if err != nil {
			t.Fatal(err)
		}
		if back := d.leaves(nil)["hub.name"]; back != said {
			t.Fatalf("%q reads back as %q", said, back)
		}
	})
}

// Whatever is edited, in whatever order: the text says what was asked (Apply refuses to answer otherwise), and nearly all
// of it can be done.
func TestEveryEditOfTheExampleCanBeMade(t *testing.T) {
	paths := []string{"hub.name", "hub.public_url", "practice.title", "practice.contact", "practice.stale_after", "practice.client_ways", "practice.credentials", "practice.watch_list",
		"practice.quiet_hours", "prescribers[0].title", "prescribers[0].contact", "prescribers[0].sheet.signed", "prescribers[0].sheet.follow_up", "prescribers[0].sheet.deciders", "prescribers[0].sheet.hours",
		"prescribers[0].sheet.holidays", "prescribers[0].sheet.pharmacies", "prescribers[0].rules.referral_warn", "prescribers[0].rules.skew", "rules.window", "rules.skew", "notices.smtp.host",
		"notices.people", "schedules.sync", "schedules.report", "practice.connectors[0].limits.timeout", "practice.connectors[0].auth.kind", "practice.connectors[1]", "practice.connectors[0]"}
	rapid.Check(t, func(t *rapid.T) {
		text, done := Example, []string{}
		for range rapid.IntRange(1, 12).Draw(t, "edits") {
			e := Edit{Path: rapid.SampledFrom(paths).Draw(t, "path")}
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				e.Text = "90d"
			case 1:
				if _, _, one := element(e.Path); !one {
					e.List = []string{"one", "two"}
				}
			case 2:
				if _, _, one := element(e.Path); !one {
					e.List = slices.Repeat([]string{`{name: somebody, email: "some@example.org"}`}, rapid.IntRange(0, 4).Draw(t, "n"))
				}
			}
			next, err := Apply(text, []Edit{e})
			if err != nil {
				if strings.Contains(e.Path, "connectors[") { // an element that was made a single word has no keys, and none follows one that is not there
					continue
				}
				t.Fatalf("%+v after %v: %v\n%s", e, done, err, text)
			}
			text, done = next, append(done, fmt.Sprintf("%+v", e))
		}
	})
}

func TestAFileThatIsNotEditedIsNotChanged(t *testing.T) {
	for _, text := range []string{"a: |\n  block\n  of text\nb: 1\n", "a: one\n  two\nb: 1\n", "a: &x 1\nb: *x\n", "hub: {\n  name: x,\n  time_zone: y\n}\n", "a: 1\r\n"} {
		got, err := Apply([]byte(text), []Edit{{Path: "a", Text: "2"}})
		if err != nil && !errors.Is(err, ErrEdit) {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil {
			d, err := parsed(string(got))
			if err != nil || d.leaves(nil)["a"] != "2" {
				t.Errorf("%q became %q", text, got)
			}
		}
	}
}
