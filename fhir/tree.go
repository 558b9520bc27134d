package fhir

import (
	"iter"
	"math"
	"sync"
)

// kind is what a JSON value is.
type kind uint8

const (
	object kind = iota
	array
	text
	number
	boolean
	null
)

// node is one JSON value of a tree, as spans of the body. Nodes lie in reading order, so a subtree is one run.
type node struct {
	from, to       int32 // the value with its quotes or brackets
	keyFrom, keyTo int32 // the key without quotes, equal for what has none
	end            int32 // index of the node after this subtree; 0 while the subtree is unfinished
	kind           kind
	escaped        bool // the value is text with a backslash in it
	keyEscaped     bool
}

// tree is a JSON document read once, in place. Node 0 is the document.
type tree struct {
	body  []byte
	nodes []node
}

const (
	maxSize  = 4 << 20 // bytes of one resource
	maxDepth = 64      // the deepest official example has 21 levels
)

var trees = sync.Pool{New: func() any { return new(tree) }}

// open reads body into a tree, which must be closed. reason says why body is no JSON; the tree then holds what stood
// before the fault.
func open(body []byte) (t *tree, reason string) {
	t = trees.Get().(*tree)
	return t, t.grow(body)
}

// close gives the tree's memory to the next reader, unless one big resource made it too much to keep.
func (t *tree) close() {
	t.body = nil
	if cap(t.nodes) > 1<<16 {
		t.nodes = nil
	}
	trees.Put(t)
}

// grow reads body into t, reusing its memory. On a fault t holds what was read before it.
func (t *tree) grow(body []byte) (reason string) {
	t.body, t.nodes = body, t.nodes[:0]
	if len(body) > math.MaxInt32 {
		return ReasonTooLarge
	}
	s := scanner{tree: t}
	s.space()
	if reason := s.value(0, 0, false); reason != "" {
		return reason
	}
	s.space()
	if s.pos != len(body) {
		return ReasonTrailing
	}
	return ""
}

func (t *tree) key(i int) []byte { return t.body[t.nodes[i].keyFrom:t.nodes[i].keyTo] }
func (t *tree) raw(i int) []byte { return t.body[t.nodes[i].from:t.nodes[i].to] }
func (t *tree) kind(i int) kind  { return t.nodes[i].kind }

// children yields the members of an object or the items of an array, as far as they were read.
func (t *tree) children(i int) iter.Seq[int] {
	return func(yield func(int) bool) {
		if k := t.nodes[i].kind; k != object && k != array {
			return
		}
		end := int(t.nodes[i].end)
		if end == 0 {
			end = len(t.nodes)
		}
		for c := i + 1; c < end; c = int(t.nodes[c].end) {
			if t.nodes[c].end == 0 || !yield(c) {
				return
			}
		}
	}
}

// child returns the member of object i with that key, or -1.
func (t *tree) child(i int, key string) int {
	if t.nodes[i].kind != object {
		return -1
	}
	for c := range t.children(i) {
		if string(t.key(c)) == key {
			return c
		}
	}
	return -1
}

// at follows keys down from node i; -1 when one is missing.
func (t *tree) at(i int, keys ...string) int {
	for _, k := range keys {
		if i = t.child(i, k); i < 0 {
			return -1
		}
	}
	return i
}

// string returns the text that node i holds, "" when it is none or i is -1.
func (t *tree) string(i int) string {
	if i < 0 || t.nodes[i].kind != text || t.nodes[i].end == 0 {
		return ""
	}
	n := t.nodes[i]
	inner := t.body[n.from+1 : n.to-1]
	if !n.escaped {
		return string(inner)
	}
	return string(unescape(nil, inner))
}
