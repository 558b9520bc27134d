package fhir

import (
	"strings"
)

// Lint refuses what must not be sent: null, "", {}, [], duplicate or wrong-case keys, a value that does not fit its
// type, or a dangling reference: literal ones must be absolute, contained here, or to a Ref that known reports true for.
// An id is not needed: the receiver gives one. Answers a *Refusal.
func Lint(body []byte, known func(Ref) bool) error {
	t := trees.Get().(*tree)
	defer trees.Put(t)
	if reason := t.grow(body); reason != "" {
		return t.refuse(reason, -1)
	}
	if reason, where := t.lint(known); reason != "" {
		return t.refuse(reason, where)
	}
	return nil
}

func (t *tree) lint(known func(Ref) bool) (reason string, where int) {
	if t.kind(0) != object {
		return ReasonNotObject, 0
	}
	if reason, where := t.clean(0); reason != "" {
		return reason, where
	}
	if reason, where := t.knownType(""); reason != "" {
		return reason, where
	}
	for i := range t.nodes {
		if t.kind(i) == text && string(t.key(i)) == "reference" && !t.leads(t.string(i), known) {
			return ReasonDangling, i
		}
	}
	return "", 0
}

// leads reports whether a literal reference leads somewhere for whoever receives it.
func (t *tree) leads(literal string, known func(Ref) bool) bool {
	if strings.HasPrefix(literal, "https://") || strings.HasPrefix(literal, "http://") {
		return true
	}
	if id, ok := strings.CutPrefix(literal, "#"); ok {
		list := t.child(0, "contained")
		if list < 0 {
			return false
		}
		for c := range t.children(list) {
			if t.string(t.child(c, "id")) == id {
				return true
			}
		}
		return false
	}
	ref, ok := ParseRef(literal, "")
	return ok && known != nil && known(ref)
}
