package fhir

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Edit changes elements of a JSON resource in the raw tree and leaves every other byte's meaning alone.
// Paths are dotted element names with indices: "status", "identifier.-1" appends. What is missing on the way is made.
// A nil value removes the element, and what would be left empty by that: FHIR knows no empty element.
type Edit struct {
	Path  string
	Value any
}

// Apply returns body with edits made in order; without edits it is body itself. Order of keys, spelling of numbers,
// spaces, contained resources and extensions stay. The error names the path that does not fit.
func Apply(body []byte, edits ...Edit) ([]byte, error) {
	for _, e := range edits {
		next, err := apply(body, e)
		if err != nil {
			return nil, fmt.Errorf("edit %s: %w", e.Path, err)
		}
		body = next
	}
	return body, nil
}

func apply(body []byte, e Edit) ([]byte, error) {
	t, reason := open(body)
	defer t.close()
	if reason != "" {
		return nil, &Refusal{Reason: reason}
	}
	return t.edit(e)
}

func (t *tree) edit(e Edit) ([]byte, error) {
	var value []byte
	if e.Value != nil {
		var err error
		if value, err = encode(e.Value); err != nil {
			return nil, err
		}
	}
	steps := strings.Split(e.Path, ".")
	trail := []int{0} // the nodes that exist along the path
	for len(trail) <= len(steps) {
		next, err := t.follow(trail[len(trail)-1], steps[len(trail)-1])
		if err != nil {
			return nil, err
		}
		if next < 0 {
			break
		}
		trail = append(trail, next)
	}
	found := len(trail) == len(steps)+1
	switch {
	case value == nil && !found:
		return t.body, nil
	case value == nil:
		return t.remove(trail), nil
	case found:
		last := t.nodes[trail[len(trail)-1]]
		return splice(t.body, last.from, last.to, value), nil
	default:
		return t.add(trail[len(trail)-1], steps[len(trail)-1:], value)
	}
}

// follow takes one step of a path down from node i; -1 when there is nothing yet.
func (t *tree) follow(i int, step string) (int, error) {
	switch t.kind(i) {
	case object:
		if _, err := strconv.Atoi(step); err == nil || step == "" {
			return 0, fmt.Errorf("%q is no element name", step)
		}
		return t.child(i, step), nil
	case array:
		n, err := strconv.Atoi(step)
		if err != nil || n < -1 {
			return 0, fmt.Errorf("a list needs an index, not %q", step)
		}
		if n == -1 {
			return -1, nil
		}
		for c := range t.children(i) {
			if n == 0 {
				return c, nil
			}
			n--
		}
		return 0, fmt.Errorf("index %s is beyond the end of the list", step)
	default:
		return 0, fmt.Errorf("%q leads into a plain value", step)
	}
}

// add puts value at the end of node i, wrapped in what the rest of the path asks for.
func (t *tree) add(i int, steps []string, value []byte) ([]byte, error) {
	for _, step := range slices.Backward(steps[1:]) {
		if n, err := strconv.Atoi(step); err == nil {
			if n != 0 && n != -1 {
				return nil, fmt.Errorf("index %s is beyond the end of the list", step)
			}
			value = slices.Concat([]byte{'['}, value, []byte{']'})
			continue
		}
		if step == "" {
			return nil, fmt.Errorf("%q is no element name", step)
		}
		value = slices.Concat([]byte{'{'}, quote(step), []byte{':'}, value, []byte{'}'})
	}
	if t.kind(i) == object {
		value = slices.Concat(quote(steps[0]), []byte{':'}, value)
	}
	n := t.nodes[i]
	at := n.to - 1
	if int(n.end) > i+1 {
		value = slices.Concat([]byte{','}, value)
		at = t.lastEnd(i)
	}
	return splice(t.body, at, at, value), nil
}

// lastEnd returns where the last child of i ends.
func (t *tree) lastEnd(i int) (at int32) {
	for c := range t.children(i) {
		at = t.nodes[c].to
	}
	return at
}

// remove cuts out the last node of trail, or the nearest node above that would be left empty, and one comma with it.
func (t *tree) remove(trail []int) []byte {
	at := len(trail) - 1
	for at > 1 && len(t.siblings(trail[at-1])) == 1 {
		at--
	}
	siblings := t.siblings(trail[at-1])
	i := slices.Index(siblings, trail[at])
	switch {
	case i+1 < len(siblings):
		return splice(t.body, t.start(siblings[i]), t.start(siblings[i+1]), nil)
	case i > 0:
		return splice(t.body, t.nodes[siblings[i-1]].to, t.nodes[siblings[i]].to, nil)
	default:
		return splice(t.body, t.start(siblings[i]), t.nodes[siblings[i]].to, nil)
	}
}

func (t *tree) siblings(parent int) []int { return slices.Collect(t.children(parent)) }

// start returns where node i begins, its key included.
func (t *tree) start(i int) int32 {
	if n := t.nodes[i]; n.keyFrom > 0 {
		return n.keyFrom - 1
	}
	return t.nodes[i].from
}

func splice(body []byte, from, to int32, value []byte) []byte {
	return slices.Concat(body[:from], value, body[to:])
}

// encode writes v as JSON without the escapes that only a web page needs: samply could not read them.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode value: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func quote(name string) []byte {
	return append(escape([]byte{'"'}, []byte(name)), '"')
}
