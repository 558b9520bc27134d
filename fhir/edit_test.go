package fhir

import (
	"errors"
	"strings"
	"testing"
)

func TestAnEdit(t *testing.T) {
	const task = `{"id" : "t1", "status": "requested",
 "identifier":[{"value":"a"}, {"value":"b"}], "x": 1.50, "meta":{"tag":[{"code":"only"}]}}`
	rows := []struct {
		name  string
		edits []Edit
		want  string // task with the first text of each pair replaced by the second
	}{
		{"sets a value", []Edit{{"status", "accepted"}}, `"requested">"accepted"`},
		{"sets a value far down", []Edit{{"identifier.1.value", "c"}}, `"b">"c"`},
		{"sets a list's first", []Edit{{"identifier.0", ID{"s", "v"}}}, `{"value":"a"}>{"system":"s","value":"v"}`},
		{"adds an element", []Edit{{"owner.display", "P"}}, `"only"}]}}>"only"}]},"owner":{"display":"P"}}`},
		{"adds an element to one", []Edit{{"identifier.0.system", "s"}}, `"a"}>"a","system":"s"}`},
		{"appends to a list", []Edit{{"identifier.-1", map[string]any{"value": "c"}}}, `{"value":"b"}]>{"value":"b"},{"value":"c"}]`},
		{"starts a list", []Edit{{"note.-1.text", "n"}}, `"only"}]}}>"only"}]},"note":[{"text":"n"}]}`},
		{"starts a list by its first", []Edit{{"note.0.text", "n"}}, `"only"}]}}>"only"}]},"note":[{"text":"n"}]}`},
		{"removes the first member", []Edit{{"id", nil}}, `"id" : "t1", >`},
		{"removes a member in the middle", []Edit{{"x", nil}}, `"x": 1.50, >`},
		{"removes the last member", []Edit{{"meta", nil}}, `, "meta":{"tag":[{"code":"only"}]}>`},
		{"removes the first of a list", []Edit{{"identifier.0", nil}}, `{"value":"a"}, >`},
		{"removes the last of a list", []Edit{{"identifier.1", nil}}, `, {"value":"b"}>`},
		{"removes what would be left empty", []Edit{{"meta.tag.0.code", nil}}, `, "meta":{"tag":[{"code":"only"}]}>`},
		{"removes nothing that is not there", []Edit{{"owner.display", nil}}, `>`},
		{"is made after the one before", []Edit{{"owner.display", "P"}, {"owner.display", "Q"}, {"status", "accepted"}}, `"requested">"accepted"|"only"}]}}>"only"}]},"owner":{"display":"Q"}}`},
		{"writes text for samply to read", []Edit{{"status", "<&>"}}, `"requested">"<&>"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			want := task
			for pair := range strings.SplitSeq(row.want, "|") {
				from, to, _ := strings.Cut(pair, ">")
				if strings.HasPrefix(to, `"<&>`) {
					from, to = `"requested"`, `"<&>"`
				}
				want = strings.Replace(want, from, to, 1)
			}
			got, err := Apply([]byte(task), row.edits...)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestAnEditThatDoesNotFit(t *testing.T) {
	for name, e := range map[string]Edit{
		"beyond the end of a list":        {"identifier.5.value", "x"},
		"beyond the end of a new list":    {"note.3", "x"},
		"a name where a list is":          {"identifier.value", "x"},
		"an index where an object is":     {"meta.0", "x"},
		"into a plain value":              {"status.text", "x"},
		"without a name":                  {"", "x"},
		"with a missing name":             {"owner..display", "x"},
		"a value that cannot be written":  {"status", func() {}},
		"an index below the last":         {"identifier.-2", "x"},
		"from the end, where none can be": {"status.-1", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			const body = `{"identifier":[{"value":"secret"}],"status":"secret","meta":{"versionId":"1"}}`
			_, err := Apply([]byte(body), e)
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), e.Path) {
				t.Errorf("the error %q must name the path and no value", err)
			}
		})
	}
	var r *Refusal
	if _, err := Apply([]byte(`{"a"`), Edit{"a", 1}); !errors.As(err, &r) || r.Reason != ReasonNotJSON {
		t.Errorf("got %v for what is no JSON", err)
	}
}
