package fhir

import (
	"strings"
)

// Lint refuses what must not be sent: null, "", {}, [], duplicate or wrong-case keys, a value that does not fit its
// type, or a dangling reference: literal ones must be absolute, contained here, or to a Ref that known reports true for.
// An id is not needed: the receiver gives one. Answers a *Refusal.
func Lint(body []byte, known func(Ref) bool) error {
	t, reason := open(body)
	defer t.close()
	if reason != "" {
		return t.refuse(&fault{reason: reason, at: broken})
	}
	if f := t.lint(known); f != nil {
		return t.refuse(f)
	}
	return nil
}

func (t *tree) lint(known func(Ref) bool) *fault {
	if t.kind(0) != object {
		return &fault{reason: ReasonNotObject, at: 0}
	}
	if f := t.clean(0); f != nil {
		return f
	}
	if f := t.knownType(""); f != nil {
		return f
	}
	for i := range t.nodes {
		if t.kind(i) == text && string(t.key(i)) == "reference" && !t.leads(t.string(i), known) {
			return &fault{reason: ReasonDangling, at: i}
		}
	}
	return nil
}

// leads reports whether a literal reference leads somewhere for whoever receives it.
func (t *tree) leads(literal string, known func(Ref) bool) bool {
	if strings.HasPrefix(literal, "https://") || strings.HasPrefix(literal, "http://") {
		return true
	}
	if id, ok := strings.CutPrefix(literal, "#"); ok {
		if id == "" {
			return true // from a contained resource to the one around it
		}
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
