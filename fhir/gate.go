package fhir

import (
	"bytes"
	"strings"
	"time"
)

// Parse is the gate: it lets one JSON resource in, or answers a *Refusal. want is the expected resourceType, "" for any.
// What it lets in can be read by everybody in one way only, and through its view if it has one. Body is a copy of body.
func Parse(body []byte, want string) (Resource, error) {
	t, reason := open(body[:min(len(body), maxSize)])
	defer t.close()
	if len(body) > maxSize {
		reason = ReasonTooLarge
	}
	if reason != "" {
		return Resource{}, t.refuse(&fault{reason: reason, at: broken})
	}
	if f := t.check(want); f != nil {
		return Resource{}, t.refuse(f)
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
			return Resource{}, t.refuse(&fault{reason: ReasonBadTime, at: i})
		}
		r.LastUpdated = at
	}
	return r, nil
}

// check looks at what the grammar of JSON does not: FHIR's rules for any resource, then those of its type.
func (t *tree) check(want string) *fault {
	if t.kind(0) != object {
		return &fault{reason: ReasonNotObject, at: 0}
	}
	if f := t.clean(0); f != nil {
		return f
	}
	if f := t.knownType(want); f != nil {
		return f
	}
	switch id := t.child(0, "id"); {
	case id < 0:
		return &fault{reason: ReasonNoID, at: 0}
	case !validID(t.string(id)):
		return &fault{reason: ReasonBadID, at: id}
	}
	return nil
}

// knownType looks at the resource as its type wants it.
func (t *tree) knownType(want string) *fault {
	kind := t.child(0, "resourceType")
	name := t.string(kind)
	definition, ok := definitions[name]
	switch {
	case kind < 0:
		return &fault{reason: ReasonNoType, at: 0}
	case !ok:
		return &fault{reason: ReasonUnknownType, at: kind}
	case want != "" && name != want:
		return &fault{reason: ReasonOtherType, at: kind}
	}
	return t.fitsType(name, shapeOf(definition))
}

// fitsType asks a type that has a view for all that the view reads, any other for its names and its status.
func (t *tree) fitsType(name string, definition *shape) *fault {
	if view, ok := views[name]; ok {
		return t.fits(0, shapeOf(view))
	}
	for c := range t.children(0) {
		if t.wrongCase(c, definition) {
			return &fault{reason: ReasonWrongCase, at: c}
		}
	}
	for _, name := range definition.required {
		if (name == "status" || name == "intent") && t.child(0, name) < 0 {
			return &fault{reason: ReasonMissing, at: 0, name: name}
		}
	}
	return nil
}

// clean looks for what no resource may hold at any depth, in node i and below.
func (t *tree) clean(i int) *fault {
	switch n := &t.nodes[i]; n.kind {
	case text:
		if n.to-n.from == 2 {
			return &fault{reason: ReasonEmpty, at: i}
		}
	case array:
		if int(n.end) == i+1 {
			return &fault{reason: ReasonEmpty, at: i}
		}
		for c := range t.children(i) {
			switch t.kind(c) {
			case null: // its object looks whether it has a partner
				continue
			case array: // FHIR has no lists of lists
				return &fault{reason: ReasonWrongKind, at: c}
			}
			if f := t.clean(c); f != nil {
				return f
			}
		}
	case null:
		return &fault{reason: ReasonNull, at: i}
	case object:
		return t.cleanMembers(i)
	}
	return nil
}

func (t *tree) cleanMembers(i int) *fault {
	if int(t.nodes[i].end) == i+1 {
		return &fault{reason: ReasonEmpty, at: i}
	}
	if c := t.repeats(i); c >= 0 {
		return &fault{reason: ReasonDuplicateKey, at: c}
	}
	for c := range t.children(i) {
		if reason := t.keyFault(c); reason != "" {
			return &fault{reason: reason, at: c}
		}
		if t.kind(c) == array && t.lonelyNull(i, c) {
			return &fault{reason: ReasonNull, at: c}
		}
		if f := t.clean(c); f != nil {
			return f
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
func (t *tree) choices(i int) *fault {
	var few [8][]byte
	made := few[:0]
	for c := range t.children(i) {
		name := bytes.TrimPrefix(t.key(c), []byte{'_'})
		choice := choiceOf(name)
		if choice == nil {
			continue
		}
		for _, m := range made {
			if bytes.Equal(choiceOf(m), choice) && !bytes.Equal(m, name) {
				return &fault{reason: ReasonChoice, at: c}
			}
		}
		made = append(made, name)
	}
	return nil
}

// fault is what is wrong with a tree, and at which node.
type fault struct {
	reason string
	at     int
	name   string // of a member that is missing there
}

// broken is the place of a fault in the grammar: there is no tree to name it by.
const broken = -1

// refuse tells of f what may be told, and salvages what can be.
func (t *tree) refuse(f *fault) *Refusal {
	r := &Refusal{Reason: f.reason}
	if len(t.nodes) == 0 || t.kind(0) != object {
		return r
	}
	if f.at != broken {
		r.Path = t.path(f.at)
	}
	if f.name != "" {
		r.Path = strings.TrimPrefix(r.Path+"."+f.name, ".")
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
