package fhir

import (
	"bytes"
	"strings"
	"time"
)

// Parse is the gate: it lets one JSON resource in, or answers a *Refusal. want is the expected resourceType, "" for any.
// What it lets in can be read by everybody in one way only, and through its view if it has one. Body is a copy of body.
func Parse(body []byte, want string) (Resource, error) {
	if len(body) > maxSize {
		return Resource{}, &Refusal{Reason: ReasonTooLarge, Type: want}
	}
	t := trees.Get().(*tree)
	defer trees.Put(t)
	if reason := t.grow(body); reason != "" {
		return Resource{}, t.refuse(reason, -1)
	}
	if reason, where := t.check(want); reason != "" {
		return Resource{}, t.refuse(reason, where)
	}
	r := Resource{
		Type:      t.string(t.child(0, "resourceType")),
		ID:        t.string(t.child(0, "id")),
		VersionID: t.string(t.at(0, "meta", "versionId")),
		Body:      bytes.Clone(body),
		Hash:      t.hash(0),
	}
	if i := t.at(0, "meta", "lastUpdated"); i >= 0 {
		at, err := time.Parse(time.RFC3339Nano, t.string(i))
		if err != nil {
			return Resource{}, t.refuse(ReasonBadTime, i)
		}
		r.LastUpdated = at
	}
	return r, nil
}

// check looks at what the grammar of JSON does not: FHIR's rules for any resource, then those of its type.
func (t *tree) check(want string) (reason string, where int) {
	if t.kind(0) != object {
		return ReasonNotObject, 0
	}
	if reason, where := t.clean(0); reason != "" {
		return reason, where
	}
	if reason, where := t.knownType(want); reason != "" {
		return reason, where
	}
	switch id := t.child(0, "id"); {
	case id < 0:
		return ReasonNoID, 0
	case !validID(t.string(id)):
		return ReasonBadID, id
	}
	return "", 0
}

// knownType looks at the resource as its type wants it.
func (t *tree) knownType(want string) (reason string, where int) {
	kind := t.child(0, "resourceType")
	name := t.string(kind)
	definition, ok := definitions[name]
	switch {
	case kind < 0:
		return ReasonNoType, 0
	case !ok:
		return ReasonUnknownType, kind
	case want != "" && name != want:
		return ReasonOtherType, kind
	}
	return t.fitsType(name, known.of(definition))
}

// fitsType asks a type that has a view for all that the view reads, any other for its names and its status.
func (t *tree) fitsType(name string, definition *shape) (reason string, where int) {
	if view, ok := views[name]; ok {
		return t.fits(0, known.of(view))
	}
	for c := range t.children(0) {
		if t.wrongCase(c, definition) {
			return ReasonWrongCase, c
		}
	}
	for _, name := range []string{"status", "intent"} {
		for _, required := range definition.required {
			if name == required && t.child(0, name) < 0 {
				return ReasonNoStatus, 0
			}
		}
	}
	return "", 0
}

// clean looks for what no resource may hold at any depth, in node i and below.
func (t *tree) clean(i int) (reason string, where int) {
	switch n := &t.nodes[i]; n.kind {
	case text:
		if n.to-n.from == 2 {
			return ReasonEmpty, i
		}
	case array:
		if int(n.end) == i+1 {
			return ReasonEmpty, i
		}
		for c := range t.children(i) {
			if t.kind(c) == null {
				continue // its object looks whether it has a partner
			}
			if reason, where := t.clean(c); reason != "" {
				return reason, where
			}
		}
	case null:
		return ReasonNull, i
	case object:
		return t.cleanMembers(i)
	}
	return "", i
}

func (t *tree) cleanMembers(i int) (reason string, where int) {
	if int(t.nodes[i].end) == i+1 {
		return ReasonEmpty, i
	}
	if c := t.repeats(i); c >= 0 {
		return ReasonDuplicateKey, c
	}
	for c := range t.children(i) {
		if reason := t.keyFault(c); reason != "" {
			return reason, c
		}
		if t.kind(c) == array && t.lonelyNull(i, c) {
			return ReasonNull, c
		}
		if reason, where := t.clean(c); reason != "" {
			return reason, where
		}
	}
	return t.choices(i)
}

// keyFault looks at the key of c alone.
func (t *tree) keyFault(c int) string {
	key := t.key(c)
	name := bytes.TrimPrefix(key, []byte{'_'})
	switch {
	case len(name) == 0 || t.nodes[c].keyEscaped:
		return ReasonStrangeKey
	case 'A' <= name[0] && name[0] <= 'Z':
		return ReasonWrongCase
	}
	for _, b := range name {
		if b <= ' ' || b >= 0x7f {
			return ReasonStrangeKey
		}
	}
	switch string(key) {
	case "modifierExtension":
		return ReasonModifier
	case "implicitRules", "_implicitRules":
		return ReasonImplicitRules
	}
	return ""
}

// lonelyNull reports whether array c of object i holds a null that does not keep the place of a primitive's partner:
// "given": ["A", null] stands with "_given": [null, {…}] only.
func (t *tree) lonelyNull(i, c int) bool {
	nulls := false
	for e := range t.children(c) {
		nulls = nulls || t.kind(e) == null
	}
	if !nulls {
		return false
	}
	partner, underscored := strings.CutPrefix(string(t.key(c)), "_")
	if !underscored {
		partner = "_" + partner
	}
	other := t.child(i, partner)
	if other < 0 || t.kind(other) != array {
		return true
	}
	var there []kind
	for e := range t.children(other) {
		there = append(there, t.kind(e))
	}
	n := 0
	for e := range t.children(c) {
		if t.kind(e) == null && (n >= len(there) || there[n] == null) {
			return true
		}
		n++
	}
	return n != len(there)
}

// choices looks for two members of object i that are the same choice[x].
func (t *tree) choices(i int) (reason string, where int) {
	var few [8]string
	made := few[:0]
	for c := range t.children(i) {
		name := strings.TrimPrefix(string(t.key(c)), "_")
		choice := choiceOf(name)
		if choice == "" {
			continue
		}
		for _, m := range made {
			if choiceOf(m) == choice && m != name {
				return ReasonChoice, c
			}
		}
		made = append(made, name)
	}
	return "", i
}

// refuse says why, at which node (-1: the grammar gave up), and salvages what can be.
func (t *tree) refuse(reason string, where int) *Refusal {
	r := &Refusal{Reason: reason}
	if len(t.nodes) == 0 || t.kind(0) != object {
		return r
	}
	if where >= 0 {
		r.Path = t.path(where)
	}
	if name := t.string(t.only(0, "resourceType")); definitions[name] != nil {
		r.Type = name
	}
	if id := t.string(t.only(0, "id")); validID(id) {
		r.ID = id
	}
	r.Subject, _ = t.subject(r.Type, r.ID, "")
	return r
}

// only is child, but -1 where the key is repeated: what contradicts itself cannot be salvaged.
func (t *tree) only(i int, key string) int {
	found := -1
	for c := range t.children(i) {
		if strings.EqualFold(string(t.key(c)), key) {
			if found >= 0 {
				return -1
			}
			found = c
		}
	}
	return found
}
