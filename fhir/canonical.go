package fhir

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Canonical returns body as canonical JSON: keys sorted, no insignificant space, numbers as written, text with no more
// escapes than JSON demands. Any JSON value will do. The error is a *Refusal when body is no JSON or repeats a key.
func Canonical(body []byte) ([]byte, error) {
	t, reason := open(body)
	defer t.close()
	if reason != "" {
		return nil, &Refusal{Reason: reason}
	}
	for i := range t.nodes {
		if t.kind(i) == object && t.repeats(i) >= 0 {
			return nil, &Refusal{Reason: ReasonDuplicateKey}
		}
	}
	return t.canonical(make([]byte, 0, len(body)), 0), nil
}

// hash is the hex SHA-256 of the canonical JSON of node i.
func (t *tree) hash(i int) string {
	sum := sha256.Sum256(t.canonical(make([]byte, 0, len(t.raw(i))), i))
	return hex.EncodeToString(sum[:])
}

// canonical appends node i in canonical form.
func (t *tree) canonical(dst []byte, i int) []byte {
	return writer{tree: t, sorted: true}.write(dst, i)
}

// readable returns body with no more escapes than JSON demands, keys where they were: samply reads codes
// without undoing escapes.
func readable(body []byte) []byte {
	if !bytes.Contains(body, []byte(`\u`)) && !bytes.Contains(body, []byte(`\/`)) {
		return body
	}
	t, reason := open(body)
	defer t.close()
	if reason != "" {
		return body // let the reader say what is wrong
	}
	return writer{tree: t}.write(make([]byte, 0, len(body)), 0)
}

// withoutNarrative returns a resource without its text, as it stands when it is no object.
func withoutNarrative(body []byte) []byte {
	t, reason := open(body)
	defer t.close()
	if reason != "" || t.kind(0) != object {
		return body
	}
	dst := []byte{'{'}
	for c := range t.children(0) {
		if string(t.key(c)) != "text" {
			dst = append(writer{tree: t}.writeMember(dst, c), ',')
		}
	}
	return append(bytes.TrimSuffix(dst, []byte{','}), '}')
}

// writer writes a tree compactly.
type writer struct {
	*tree
	sorted bool
}

func (w writer) write(dst []byte, i int) []byte {
	switch n := w.nodes[i]; n.kind {
	case object:
		dst = append(dst, '{')
		if w.sorted {
			dst = w.writeSorted(dst, i)
		} else {
			for c := range w.children(i) {
				dst = append(w.writeMember(dst, c), ',')
			}
			dst = bytes.TrimSuffix(dst, []byte{','})
		}
		return append(dst, '}')
	case array:
		dst = append(dst, '[')
		for c := range w.children(i) {
			dst = append(w.write(dst, c), ',')
		}
		return append(bytes.TrimSuffix(dst, []byte{','}), ']')
	case text:
		return w.writeText(dst, w.body[n.from+1:n.to-1], n.escaped)
	default:
		return append(dst, w.raw(i)...)
	}
}

func (w writer) writeSorted(dst []byte, i int) []byte {
	var few [32]int
	members := few[:0]
	for c := range w.children(i) {
		members = append(members, c)
	}
	slices.SortFunc(members, func(a, b int) int { return bytes.Compare(w.plainKey(a), w.plainKey(b)) })
	for _, c := range members {
		dst = append(w.writeMember(dst, c), ',')
	}
	return bytes.TrimSuffix(dst, []byte{','})
}

func (w writer) writeMember(dst []byte, c int) []byte {
	dst = append(w.writeText(dst, w.key(c), w.nodes[c].keyEscaped), ':')
	return w.write(dst, c)
}

func (w writer) writeText(dst, inner []byte, escaped bool) []byte {
	dst = append(dst, '"')
	if !escaped {
		dst = append(dst, inner...)
	} else {
		dst = escape(dst, unescape(make([]byte, 0, len(inner)), inner))
	}
	return append(dst, '"')
}

// plainKey returns the key of c with its escapes undone.
func (t *tree) plainKey(c int) []byte {
	if t.nodes[c].keyEscaped {
		return unescape(nil, t.key(c))
	}
	return t.key(c)
}

// repeats returns the first member of object i whose key stood there before, or -1.
func (t *tree) repeats(i int) int {
	const few = 24 // comparing pairs beats a map up to about here
	var keys [few]int
	n := 0
	var seen map[string]bool
	for c := range t.children(i) {
		k := t.plainKey(c)
		if seen == nil && n == few {
			seen = make(map[string]bool, 2*few)
			for _, e := range keys {
				seen[string(t.plainKey(e))] = true
			}
		}
		if seen != nil {
			if seen[string(k)] {
				return c
			}
			seen[string(k)] = true
			continue
		}
		for _, e := range keys[:n] {
			if bytes.Equal(t.plainKey(e), k) {
				return c
			}
		}
		keys[n] = c
		n++
	}
	return -1
}
