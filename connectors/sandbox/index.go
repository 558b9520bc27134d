package sandbox

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// index is what a version can be found by: the values of its type's search parameters.
type index map[string][]value

// value is one searchable value: a code in a system, a reference, or a span of time.
type value struct {
	system, code string
	from, to     time.Time
}

func indexed(typ string, body []byte) (index, error) {
	var tree map[string]any
	if err := json.Unmarshal(body, &tree); err != nil {
		return nil, fmt.Errorf("index %s: %w", typ, errNoResource)
	}
	ix := index{}
	for _, p := range kinds[typ] {
		for _, path := range p.paths {
			for _, found := range walk(tree, strings.Split(path, ".")) {
				ix[p.name] = append(ix[p.name], valuesOf(p.kind, found)...)
			}
		}
	}
	return ix, nil
}

// walk returns what stands at path below v, through lists.
func walk(v any, path []string) []any {
	if list, ok := v.([]any); ok {
		var out []any
		for _, item := range list {
			out = append(out, walk(item, path)...)
		}
		return out
	}
	if len(path) == 0 {
		return []any{v}
	}
	if m, ok := v.(map[string]any); ok && m[path[0]] != nil {
		return walk(m[path[0]], path[1:])
	}
	return nil
}

func valuesOf(k kind, v any) []value {
	m, _ := v.(map[string]any)
	text := func(name string) string { s, _ := m[name].(string); return s }
	switch {
	case k == reference:
		if ref := text("reference"); ref != "" {
			return []value{{code: plainReference(ref)}}
		}
	case k == date && m != nil:
		return period(text("start"), text("end"))
	case k == date:
		s, _ := v.(string)
		return period(s, s)
	case m == nil:
		switch v := v.(type) {
		case string:
			return []value{{code: v}}
		case bool:
			return []value{{code: strconv.FormatBool(v)}}
		}
	case m["coding"] != nil:
		var out []value
		for _, c := range walk(m["coding"], nil) {
			out = append(out, valuesOf(token, c)...)
		}
		return out
	case text("code") != "":
		return []value{{system: text("system"), code: text("code")}}
	case text("value") != "":
		return []value{{system: text("system"), code: text("value")}}
	}
	return nil
}

// plainReference drops the version from a literal reference; an absolute one stays absolute.
func plainReference(s string) string {
	plain, _, _ := strings.Cut(s, "/_history/")
	return plain
}

var (
	longAgo = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	farOff  = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

// period spans from the beginning of start to the end of end; what is missing is open.
func period(start, end string) []value {
	v := value{from: longAgo, to: farOff}
	if start == "" && end == "" {
		return nil
	}
	if start != "" {
		from, _, ok := moment(start)
		if !ok {
			return nil
		}
		v.from = from
	}
	if end != "" {
		_, to, ok := moment(end)
		if !ok {
			return nil
		}
		v.to = to
	}
	return []value{v}
}

// moment reads a FHIR date, dateTime or instant as the time it covers, to exclusive. Dates are read in UTC.
func moment(s string) (from, to time.Time, ok bool) {
	for _, p := range []struct {
		layout string
		end    func(time.Time) time.Time
	}{
		{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
		{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
		{time.DateOnly, func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
		{"2006-01-02T15:04Z07:00", func(t time.Time) time.Time { return t.Add(time.Minute) }},
		{time.RFC3339, func(t time.Time) time.Time {
			if strings.Contains(s, ".") {
				return t.Add(time.Millisecond)
			}
			return t.Add(time.Second)
		}},
	} {
		if t, err := time.Parse(p.layout, s); err == nil {
			return t, p.end(t), true
		}
	}
	return time.Time{}, time.Time{}, false
}
