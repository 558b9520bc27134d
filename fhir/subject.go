package fhir

import (
	"slices"
	"strings"
)

// Subject returns the Patient that r belongs to; zero for a resource that belongs to none (a directory entry).
// For a Patient it is itself. ok is false when r names a subject that is no literal reference to a Patient of its own
// server: a logical or contained one, another type, another server, or two that differ.
func Subject(r Resource) (ref Ref, ok bool) { return SubjectAt(r, "") }

// SubjectAt is Subject for a server that also writes absolute references: those under base are its own.
func SubjectAt(r Resource, base string) (ref Ref, ok bool) {
	t, reason := open(r.Body)
	defer t.close()
	if reason != "" {
		return Ref{}, false
	}
	return t.subject(r.Type, r.ID, base)
}

func (t *tree) subject(kind, id, base string) (ref Ref, ok bool) {
	if t.kind(0) != object {
		return Ref{}, false
	}
	if kind == "Patient" {
		return Ref{kind, id}, id != ""
	}
	var refs []int
	for c := range t.children(0) {
		switch string(t.key(c)) {
		case "subject", "patient", "for", "beneficiary":
			refs = append(refs, t.each(c)...)
		}
	}
	if kind == "Appointment" || kind == "AppointmentResponse" {
		refs = append(refs, t.patientsTakingPart(base)...)
	}
	if kind == "Provenance" {
		refs = append(refs, t.patientsAimedAt()...)
	}
	if len(refs) == 0 {
		return Ref{}, true
	}
	for _, i := range refs {
		found, is := t.patientAt(i, base)
		if !is || !ref.IsZero() && ref != found {
			return Ref{}, false
		}
		ref = found
	}
	return ref, true
}

// each returns the items of a list, or the node itself when it is none.
func (t *tree) each(i int) []int {
	if t.kind(i) != array {
		return []int{i}
	}
	return slices.Collect(t.children(i))
}

// patientAt reads the Reference at node i as a Patient of the same server.
func (t *tree) patientAt(i int, base string) (Ref, bool) {
	ref, ok := ParseRef(t.string(t.child(i, "reference")), base)
	return ref, ok && ref.Type == "Patient"
}

// patientsTakingPart returns the actors of an appointment that are, or say they are, patients.
func (t *tree) patientsTakingPart(base string) (actors []int) {
	if actor := t.child(0, "actor"); actor >= 0 {
		actors = append(actors, actor)
	}
	if list := t.child(0, "participant"); list >= 0 && t.nodes[list].end != 0 {
		for p := range t.children(list) {
			if actor := t.child(p, "actor"); actor >= 0 {
				actors = append(actors, actor)
			}
		}
	}
	patients := actors[:0]
	for _, a := range actors {
		if t.string(t.child(a, "type")) == "Patient" || typeOf(t.string(t.child(a, "reference"))) == "Patient" {
			patients = append(patients, a)
		}
	}
	return patients
}

// patientsAimedAt returns the targets of a Provenance that are patients: it is about several records, and belongs to whom
// it names among them.
func (t *tree) patientsAimedAt() (patients []int) {
	list := t.child(0, "target")
	if list < 0 {
		return nil
	}
	for _, i := range t.each(list) {
		if typeOf(t.string(t.child(i, "reference"))) == "Patient" {
			patients = append(patients, i)
		}
	}
	return patients
}

// typeOf returns the resource type that a literal reference ends in, wherever it leads.
func typeOf(literal string) string {
	literal, _, _ = strings.Cut(literal, "/_history/")
	parts := strings.Split(literal, "/")
	if len(parts) < 2 {
		return ""
	}
	return parts[len(parts)-2]
}

// About returns the records of its own server that a Task is about, or part of; nil for any other resource.
func About(r Resource, base string) (refs []Ref) {
	if r.Type != "Task" {
		return nil
	}
	t, reason := open(r.Body)
	defer t.close()
	if reason != "" {
		return nil
	}
	for _, name := range []string{"focus", "basedOn", "partOf"} {
		list := t.child(0, name)
		if list < 0 {
			continue
		}
		for _, i := range t.each(list) {
			if ref, ok := ParseRef(t.string(t.child(i, "reference")), base); ok {
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// References returns every literal reference in r to its own server, without repeats, in order of appearance.
func References(r Resource) []Ref {
	t, reason := open(r.Body)
	defer t.close()
	if reason != "" {
		return nil
	}
	return t.references()
}

func (t *tree) references() (refs []Ref) {
	for i := range t.nodes {
		if t.kind(i) != text || string(t.key(i)) != "reference" {
			continue
		}
		if ref, ok := ParseRef(t.string(i), ""); ok && !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	return refs
}

// Outline is what SubjectAt, References and Identifiers tell of a resource, and its security labels.
type Outline struct {
	Subject     Ref
	Placed      bool // SubjectAt's ok
	References  []Ref
	Identifiers []ID
	Labels      []Code
}

// OutlineAt reads an Outline in one go, which for a whole page matters.
func OutlineAt(r Resource, base string) (o Outline) {
	t, reason := open(r.Body)
	defer t.close()
	if reason != "" {
		return o
	}
	o.Subject, o.Placed = t.subject(r.Type, r.ID, base)
	o.References, o.Identifiers, o.Labels = t.references(), t.identifiers(), t.labels()
	return o
}

// Identifiers returns r's own business identifiers that have both a system and a value.
func Identifiers(r Resource) []ID {
	t, reason := open(r.Body)
	defer t.close()
	if reason != "" {
		return nil
	}
	return t.identifiers()
}

func (t *tree) identifiers() (ids []ID) {
	list := t.child(0, "identifier")
	if list < 0 {
		return nil
	}
	for _, i := range t.each(list) {
		id := ID{t.string(t.child(i, "system")), t.string(t.child(i, "value"))}
		if id.System != "" && id.Value != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

func (t *tree) labels() (labels []Code) {
	list := t.at(0, "meta", "security")
	if list < 0 {
		return nil
	}
	for _, i := range t.each(list) {
		labels = append(labels, Code{t.string(t.child(i, "system")), t.string(t.child(i, "code"))})
	}
	return labels
}

// IsCopy reports whether r is something the hub itself wrote: it carries an identifier in SystemCopy.
func IsCopy(r Resource) bool {
	return slices.ContainsFunc(Identifiers(r), func(id ID) bool { return id.System == SystemCopy })
}

// ParseRef reads a literal reference ("Patient/p1", "Patient/p1/_history/2" or an absolute URL under base) as a Ref.
// ok is false for contained, logical and foreign references.
func ParseRef(literal, base string) (ref Ref, ok bool) {
	if base = strings.TrimRight(base, "/"); base != "" {
		if rest, under := strings.CutPrefix(literal, base+"/"); under {
			literal = rest
		}
	}
	literal, version, versioned := strings.Cut(literal, "/_history/")
	kind, id, found := strings.Cut(literal, "/")
	if !found || definitions[kind] == nil || !validID(id) || versioned && !validID(version) {
		return Ref{}, false
	}
	return Ref{kind, id}, true
}

// validID reports whether s is a FHIR id: 1 to 64 letters, digits, hyphens and dots.
func validID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.':
		default:
			return false
		}
	}
	return true
}
