package config

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Edit is what the file is to say at a path from now on. Everything else in it stays byte for byte as it is, comments and
// their columns included: a YAML library that writes the whole file anew keeps neither.
type Edit struct {
	Path string   // as problems name it: "prescribers[0].sheet.follow_up"; one past the end of a list adds to it
	Text string   // the value as the file writes it, on one line: Quoted, or "{name: a, until: 2027-01-31}"; of a further element of a list it may be the lines of a block; "" = the line goes
	List []string // in place of Text: the elements of a list, each as Text; empty and not nil = an empty list
}

// ErrEdit is what Apply answers when it cannot make a change in this file: write it by hand.
var ErrEdit = errors.New("the file is written in a way that cannot be changed from here: write the change into it by hand")

// Apply returns text with the edits made, one after the other. What it returns was read back, and says what text said but
// for the edits; anything else is ErrEdit. It does not ask whether the values are good: Read does.
func Apply(text []byte, edits []Edit) ([]byte, error) {
	now := string(text)
	for _, e := range edits {
		next, err := apply(now, e)
		if err != nil {
			return nil, fmt.Errorf("change %s: %w", e.Path, err)
		}
		now = next
	}
	return []byte(now), nil
}

func apply(text string, e Edit) (string, error) {
	before, err := parsed(text)
	if err != nil {
		return "", err
	}
	next, err := before.edited(e)
	if err != nil {
		return "", err
	}
	after, err := parsed(next)
	if err != nil || !maps.Equal(before.expected(e), after.leaves(nil)) {
		return "", ErrEdit
	}
	return next, nil
}

// Quoted is text as a value that reads back as the same text, plain where it can be.
func Quoted(text string) string {
	if plainForm.MatchString(text) && !strings.Contains(text, "  ") && !strings.HasSuffix(text, " ") && !reserved[strings.ToLower(text)] {
		return text
	}
	return strconv.Quote(text)
}

var (
	plainForm = regexp.MustCompile(`^[\pL0-9](?:[\pL0-9 ._/@+%-]|:[0-9])*$`)
	reserved  = map[string]bool{"null": true, "true": true, "false": true, "yes": true, "no": true, "on": true, "off": true}
)

// draft is a text with what it says.
type draft struct {
	text  string
	lines []int // where each line begins
	body  ast.Node
}

func parsed(text string) (*draft, error) {
	tree, err := parser.ParseBytes([]byte(text), 0)
	if err != nil || strings.ContainsAny(text, "\r\t") {
		return nil, ErrEdit
	}
	d := &draft{text: text, lines: []int{0}}
	for i, c := range text {
		if c == '\n' {
			d.lines = append(d.lines, i+1)
		}
	}
	for _, doc := range tree.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if d.body != nil {
			return nil, ErrEdit
		}
		d.body = doc.Body
	}
	if _, ok := pairs(d.body); !ok {
		return nil, ErrEdit
	}
	return d, nil
}

// leaves are all single values by their paths, as they are written; empty blocks and lists say nothing.
func (d *draft) leaves(of ast.Node) map[string]string {
	if of == nil {
		of = d.body
	}
	all := map[string]string{}
	collectLeaves(of, "", all)
	return all
}

func collectLeaves(n ast.Node, path string, into map[string]string) {
	if list, ok := pairs(n); ok {
		for _, p := range list {
			key, _ := scalar(p.Key)
			collectLeaves(p.Value, strings.TrimPrefix(path+"."+key, "."), into)
		}
		return
	}
	if seq, ok := n.(*ast.SequenceNode); ok {
		for i, item := range seq.Values {
			collectLeaves(item, fmt.Sprintf("%s[%d]", path, i), into)
		}
		if len(seq.Values) == 0 {
			into[path] = "[]"
		}
		return
	}
	if word, ok := scalar(n); ok {
		into[path] = word
	}
}

// expected is what the text says once e is made.
func (d *draft) expected(e Edit) map[string]string {
	all := d.leaves(nil)
	list, index, isElement := element(e.Path)
	if isElement && e.Text == "" && e.List == nil { // the rest of the list moves up
		moved := map[string]string{}
		for path, value := range all {
			if rest, ok := strings.CutPrefix(path, list+"["); ok {
				number, tail, _ := strings.Cut(rest, "]")
				if n, err := strconv.Atoi(number); err == nil && n >= index {
					if n > index {
						moved[fmt.Sprintf("%s[%d]%s", list, n-1, tail)] = value
					}
					continue
				}
			}
			moved[path] = value
		}
		if _, still := first(moved, list); !still {
			moved[list] = "[]"
		}
		return moved
	}
	for path := range all {
		if path == e.Path || strings.HasPrefix(path, e.Path+".") || strings.HasPrefix(path, e.Path+"[") {
			delete(all, path)
		}
	}
	if isElement && all[list] == "[]" {
		delete(all, list)
	}
	if e.List == nil && e.Text == "" {
		return all
	}
	value := " " + flow(e)
	if strings.Contains(value, "\n") {
		value = "\n  " + indented(e.Text, 2)
	}
	tree, err := parser.ParseBytes([]byte("v:"+value+"\n"), 0)
	if err != nil || len(tree.Docs) != 1 {
		return nil
	}
	for path, value := range d.leaves(tree.Docs[0].Body) {
		all[e.Path+strings.TrimPrefix(path, "v")] = value
	}
	return all
}

func first(all map[string]string, list string) (string, bool) {
	for path := range all {
		if strings.HasPrefix(path, list+"[") {
			return path, true
		}
	}
	return "", false
}

// element cuts the last index off a path.
func element(path string) (list string, index int, ok bool) {
	if !strings.HasSuffix(path, "]") {
		return "", 0, false
	}
	at := strings.LastIndexByte(path, '[')
	index, err := strconv.Atoi(path[at+1 : len(path)-1])
	return path[:at], index, err == nil
}

func flow(e Edit) string {
	if e.List == nil {
		return e.Text
	}
	return "[" + strings.Join(e.List, ", ") + "]"
}

// Leaves are all single values of a text by their paths, as they are written: "prescribers[0].sheet.follow_up" is "90d".
// A list without elements is "[]". ErrEdit when the text cannot be edited.
func Leaves(text []byte) (map[string]string, error) {
	d, err := parsed(string(text))
	if err != nil {
		return nil, err
	}
	return d.leaves(nil), nil
}
