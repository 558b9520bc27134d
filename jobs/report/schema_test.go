package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// rule is as much of JSON Schema as the status contract uses.
type rule struct {
	Ref        string           `json:"$ref"`
	Type       string           `json:"type"`
	Format     string           `json:"format"`
	Enum       []any            `json:"enum"`
	Required   []string         `json:"required"`
	Properties map[string]*rule `json:"properties"`
	Additional json.RawMessage  `json:"additionalProperties"`
	Items      *rule            `json:"items"`
	Defs       map[string]*rule `json:"$defs"`
}

// check returns what of v does not fit r, by path.
func (r *rule) check(root *rule, at string, v any) []string {
	if r.Ref != "" {
		r = root.Defs[strings.TrimPrefix(r.Ref, "#/$defs/")]
	}
	if len(r.Enum) > 0 && !slices.Contains(r.Enum, v) {
		return []string{fmt.Sprintf("%s: %v is none of %v", at, v, r.Enum)}
	}
	var wrong []string
	switch v := v.(type) {
	case map[string]any:
		if r.Type != "object" {
			return []string{at + ": an object"}
		}
		for _, name := range r.Required {
			if _, ok := v[name]; !ok {
				wrong = append(wrong, at+"."+name+": missing")
			}
		}
		for name, value := range v {
			switch p := r.Properties[name]; {
			case p != nil:
				wrong = append(wrong, p.check(root, at+"."+name, value)...)
			case string(r.Additional) == "false":
				wrong = append(wrong, at+"."+name+": not in the contract")
			case r.Additional != nil:
				var each rule
				if err := json.Unmarshal(r.Additional, &each); err != nil {
					return []string{err.Error()}
				}
				wrong = append(wrong, each.check(root, at+"."+name, value)...)
			}
		}
	case []any:
		if r.Type != "array" {
			return []string{at + ": a list"}
		}
		for i, item := range v {
			wrong = append(wrong, r.Items.check(root, fmt.Sprintf("%s.%d", at, i), item)...)
		}
	case string:
		if r.Type != "string" {
			return []string{at + ": text"}
		}
		if r.Format == "date-time" {
			if _, err := time.Parse(time.RFC3339, v); err != nil {
				wrong = append(wrong, at+": no time")
			}
		}
	case float64:
		if r.Type != "integer" || v != float64(int64(v)) {
			return []string{at + ": a number"}
		}
	default:
		return []string{fmt.Sprintf("%s: %v", at, v)}
	}
	return wrong
}

func contract(t *testing.T) *rule {
	t.Helper()
	text, err := os.ReadFile("testdata/status.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var r rule
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestStatusAndExplanationKeepTheContract(t *testing.T) {
	r := contract(t)
	for name, in := range map[string]Input{"a busy practice": seed(), "an empty one": {}} {
		var b bytes.Buffer
		if err := Status(&b, in); err != nil {
			t.Fatal(err)
		}
		fits(t, name, r, b.Bytes())
		for _, explainOnly := range []string{`"words"`, `"agreed"`, "Juniper"} {
			if strings.Contains(b.String(), explainOnly) {
				t.Errorf("%s: status says %s", name, explainOnly)
			}
		}
	}
	var b bytes.Buffer
	if err := ExplainJSON(&b, seed(), "c-7f3a"); err != nil {
		t.Fatal(err)
	}
	fits(t, "an explanation", r, b.Bytes())
	if !strings.Contains(b.String(), "Stopped by Skylight on 1 Mar") {
		t.Error("an explanation has no words")
	}
}

func fits(t *testing.T, name string, r *rule, text []byte) {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range r.check(r, "status", v) {
		t.Errorf("%s: %s", name, wrong)
	}
}

func TestTheContractIsCheckedIndeed(t *testing.T) {
	r := contract(t)
	var b bytes.Buffer
	if err := Status(&b, seed()); err != nil {
		t.Fatal(err)
	}
	rows := []struct{ name, from, to string }{
		{"a state nobody knows", `"state": "HOLD"`, `"state": "FINE"`},
		{"a field nobody agreed on", `"client": "c-7f3a"`, `"client": "c-7f3a", "chosen": "x"`},
		{"a field that is missing", `"severity": "S1",`, ``},
		{"a time that is none", `"generated": "2026-03-03T16:15:02Z"`, `"generated": "Tuesday"`},
		{"a version that is text", `"version": 2`, `"version": "2"`},
		{"null for nothing", `"findings": []`, `"findings": null`},
	}
	for _, row := range rows {
		var v any
		broken := strings.Replace(b.String(), row.from, row.to, 1)
		if broken == b.String() {
			t.Errorf("%s: nothing was changed", row.name)
		}
		if err := json.Unmarshal([]byte(broken), &v); err != nil {
			t.Fatal(err)
		}
		if len(r.check(r, "status", v)) == 0 {
			t.Errorf("%s is accepted", row.name)
		}
	}
}
