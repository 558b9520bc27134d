package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// reader fills Go values from YAML nodes and goes on after every mistake, so that all are told at once:
// a strict decoder stops at the first.
type reader struct {
	marks    marks
	problems []Problem
}

// asked is a line of the sheet, whatever its value's type.
type asked interface{ open(word string) any }

func (r *reader) fail(n ast.Node, path, format string, args ...any) {
	at := place(n)
	r.problems = append(r.problems, Problem{Line: at.line, Column: at.column, Path: path, Text: fmt.Sprintf(format, args...)})
}

func place(n ast.Node) mark {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if n == nil || n.GetToken() == nil {
		return mark{1, 1}
	}
	at := n.GetToken().Position
	return mark{at.Line, at.Column}
}

func (r *reader) read(n ast.Node, v reflect.Value, path string) {
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		r.fail(n, path, "uses an anchor, alias or tag: write the value itself")
		return
	}
	if into, ok := v.Addr().Interface().(asked); ok {
		word, _ := scalar(n)
		if value := into.open(word); value != nil {
			r.read(n, reflect.ValueOf(value).Elem(), path)
		}
		return
	}
	if e, ok := v.Addr().Interface().(*Entry); ok {
		e.read(r, n, path)
		return
	}
	if into, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		r.text(n, into, path)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		r.read(n, v.Elem(), path)
	case reflect.Struct:
		r.mapping(n, v, path, nil)
	case reflect.Slice:
		r.list(n, v, path)
	default:
		r.plain(n, v, path)
	}
}

func (r *reader) text(n ast.Node, into encoding.TextUnmarshaler, path string) {
	word, ok := scalar(n)
	if !ok {
		r.fail(n, path, "must be a single value, not a list or a block")
		return
	}
	if err := into.UnmarshalText([]byte(word)); err != nil {
		r.fail(n, path, "%s", err.Error())
	}
}

func (r *reader) plain(n ast.Node, v reflect.Value, path string) {
	word, ok := scalar(n)
	if !ok {
		r.fail(n, path, "must be a single value, not a list or a block")
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(word)
	case reflect.Bool:
		b, err := strconv.ParseBool(word)
		if err != nil {
			r.fail(n, path, "%q is neither true nor false: write one of them", word)
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		if v.Type().PkgPath() == "time" {
			var d Duration
			r.text(n, &d, path)
			v.SetInt(int64(d))
			return
		}
		i, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			r.fail(n, path, "%q is no whole number: write one, like 3", word)
		}
		v.SetInt(i)
	case reflect.Float64:
		f, err := strconv.ParseFloat(word, 64)
		if err != nil {
			r.fail(n, path, "%q is no number: write one, like 0.5", word)
		}
		v.SetFloat(f)
	default:
		if err := yaml.NodeToValue(n, v.Addr().Interface(), yaml.Strict()); err != nil {
			r.fail(n, path, "cannot be read as %s", v.Type())
		}
	}
}

func (r *reader) list(n ast.Node, v reflect.Value, path string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		r.fail(n, path, "must be a list: write [one, two], or one a line after a dash")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
	for i, item := range seq.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		r.marks[at] = place(item)
		r.read(item, v.Index(i), at)
	}
}

// mapping reads a block into a struct; skip names keys that somebody else reads.
func (r *reader) mapping(n ast.Node, v reflect.Value, path string, skip []string) {
	pairs, ok := pairs(n)
	if !ok {
		r.fail(n, path, "must be a block of keys, not a single value or a list")
		return
	}
	fields := map[string]reflect.Value{}
	names := slices.Clone(skip)
	collect(v, fields, &names)
	seen := map[string]bool{}
	for _, pair := range pairs {
		key, _ := scalar(pair.Key)
		at := strings.TrimPrefix(path+"."+key, ".")
		if seen[key] {
			r.fail(pair.Key, at, "is written twice: keep one")
			continue
		}
		seen[key] = true
		r.marks[at] = place(pair.Key)
		if slices.Contains(skip, key) {
			continue
		}
		field, known := fields[key]
		if !known {
			r.fail(pair.Key, at, "is no key here: %s", instead(key, names))
			continue
		}
		if _, null := pair.Value.(*ast.NullNode); null {
			if field.Kind() != reflect.Struct || field.CanAddr() && isText(field) {
				r.fail(pair.Key, at, "has no value: give it one, or leave the line out")
			}
			continue
		}
		r.read(pair.Value, field, at)
	}
}

func isText(v reflect.Value) bool {
	_, ok := v.Addr().Interface().(encoding.TextUnmarshaler)
	return ok
}

// collect lists a struct's fields by their keys, those of inlined structs included.
func collect(v reflect.Value, fields map[string]reflect.Value, names *[]string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported() || tag == "-":
		case strings.Contains(options, "inline"):
			collect(v.Field(i), fields, names)
		default:
			if tag == "" {
				tag = strings.ToLower(f.Name)
			}
			fields[tag] = v.Field(i)
			*names = append(*names, tag)
		}
	}
}

func pairs(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// scalar returns a single value as it was written.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// instead says which key was probably meant.
func instead(key string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if d := distance(key, name); d < least {
			best, least = name, d
		}
	}
	if best != "" {
		return "write " + best
	}
	slices.Sort(names)
	return "write one of " + strings.Join(slices.Compact(names), ", ")
}

// distance counts the edits between two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
