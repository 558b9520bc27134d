package fhir

import (
	"strconv"
	"strings"
)

// path names node i from the top, in words of FHIR only: a key can be a client's name too.
func (t *tree) path(i int) string {
	var path []string
	for at := 0; at != i; {
		next, index := -1, 0
		for c := range t.children(at) {
			if end := int(t.nodes[c].end); c <= i && (end == 0 || i < end) {
				next = c
				break
			}
			index++
		}
		if next < 0 {
			break
		}
		path = append(path, t.step(at, next, index))
		at = next
	}
	return strings.Join(path, ".")
}

// step names child c of node at in a path.
func (t *tree) step(at, c, index int) string {
	if t.kind(at) == array {
		return strconv.Itoa(index)
	}
	key := string(t.key(c))
	if names()[strings.TrimPrefix(key, "_")] {
		return key
	}
	return "?"
}
