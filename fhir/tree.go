package fhir

import (
	"iter"
	"math"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
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

// scanner reads JSON by its grammar (RFC 8259), one pass, and refuses what is not.
type scanner struct {
	*tree
	pos   int
	depth int
}

func (s *scanner) space() {
	for s.pos < len(s.body) {
		switch s.body[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) next() byte {
	if s.pos < len(s.body) {
		return s.body[s.pos]
	}
	return 0
}

func (s *scanner) value(keyFrom, keyTo int, keyEscaped bool) (reason string) {
	i := len(s.nodes)
	s.nodes = append(s.nodes, node{from: int32(s.pos), keyFrom: int32(keyFrom), keyTo: int32(keyTo), keyEscaped: keyEscaped})
	switch c := s.next(); {
	case c == '{':
		s.nodes[i].kind = object
		reason = s.members('}', true)
	case c == '[':
		s.nodes[i].kind = array
		reason = s.members(']', false)
	case c == '"':
		var escaped bool
		escaped, reason = s.text()
		s.nodes[i].kind, s.nodes[i].escaped = text, escaped
	case c == '-' || '0' <= c && c <= '9':
		s.nodes[i].kind = number
		reason = s.number()
	case c == 't':
		s.nodes[i].kind = boolean
		reason = s.word("true")
	case c == 'f':
		s.nodes[i].kind = boolean
		reason = s.word("false")
	case c == 'n':
		s.nodes[i].kind = null
		reason = s.word("null")
	default:
		reason = ReasonNotJSON
	}
	if reason == "" {
		s.nodes[i].to, s.nodes[i].end = int32(s.pos), int32(len(s.nodes))
	}
	return reason
}

// members reads what stands between brackets, to closing.
func (s *scanner) members(closing byte, keyed bool) (reason string) {
	if s.depth++; s.depth > maxDepth {
		return ReasonTooDeep
	}
	s.pos++
	s.space()
	if s.next() == closing {
		s.pos++
		s.depth--
		return ""
	}
	for {
		var from, to int
		var escaped bool
		if keyed {
			if s.next() != '"' {
				return ReasonNotJSON
			}
			from = s.pos + 1
			if escaped, reason = s.text(); reason != "" {
				return reason
			}
			to = s.pos - 1
			s.space()
			if s.next() != ':' {
				return ReasonNotJSON
			}
			s.pos++
			s.space()
		}
		if reason := s.value(from, to, escaped); reason != "" {
			return reason
		}
		s.space()
		switch s.next() {
		case ',':
			s.pos++
			s.space()
		case closing:
			s.pos++
			s.depth--
			return ""
		default:
			return ReasonNotJSON
		}
	}
}

func (s *scanner) word(w string) string {
	if len(s.body)-s.pos < len(w) || string(s.body[s.pos:s.pos+len(w)]) != w {
		return ReasonNotJSON
	}
	s.pos += len(w)
	return ""
}

func (s *scanner) number() string {
	if s.next() == '-' {
		s.pos++
	}
	if s.next() == '0' {
		s.pos++
	} else if !s.digits() {
		return ReasonNotJSON
	}
	if s.next() == '.' {
		s.pos++
		if !s.digits() {
			return ReasonNotJSON
		}
	}
	if c := s.next(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.next(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return ReasonNotJSON
		}
	}
	return ""
}

func (s *scanner) digits() bool {
	from := s.pos
	for c := s.next(); '0' <= c && c <= '9'; c = s.next() {
		s.pos++
	}
	return s.pos > from
}

// text reads a string from its opening to behind its closing quote.
func (s *scanner) text() (escaped bool, reason string) {
	s.pos++
	from, wide := s.pos, false
	for p := from; p < len(s.body); p++ {
		switch c := s.body[p]; {
		case c == '"':
			if wide && !utf8.Valid(s.body[from:p]) {
				return escaped, ReasonBadText
			}
			s.pos = p + 1
			return escaped, ""
		case c == '\\':
			escaped = true
			n := escapeLen(s.body[p:])
			if n == 0 {
				return escaped, ReasonBadText
			}
			p += n - 1
		case c < ' ':
			return escaped, ReasonBadText
		case c >= utf8.RuneSelf:
			wide = true
		}
	}
	return escaped, ReasonNotJSON
}

// escapeLen returns how many bytes the escape at the start of b takes, both halves of a surrogate pair together;
// 0 for what is none. Half a pair is no text: readers would each put something else in its place.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		r, ok := hex4(b)
		switch {
		case !ok:
			return 0
		case !utf16.IsSurrogate(r):
			return 6
		}
		if low, ok := hex4(b[6:]); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			return 12
		}
	}
	return 0
}

// hex4 reads the four digits of a \uXXXX at the start of b.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape appends to dst what the inside of a scanned string says.
func unescape(dst, inner []byte) []byte {
	for p := 0; p < len(inner); {
		c := inner[p]
		if c != '\\' {
			dst = append(dst, c)
			p++
			continue
		}
		n := escapeLen(inner[p:])
		switch inner[p+1] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, _ := hex4(inner[p:])
			if n == 12 {
				low, _ := hex4(inner[p+6:])
				r = utf16.DecodeRune(r, low)
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, inner[p+1])
		}
		p += n
	}
	return dst
}
