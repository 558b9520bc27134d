package fhir

import "time"

// Parse is the gate: it lets one JSON resource in, or answers a *Refusal. want is the expected resourceType, "" for any.
func Parse(body []byte, want string) (Resource, error) { panic("to be written") }

// Canonical returns body as canonical JSON: keys sorted, no insignificant space, numbers as written.
func Canonical(body []byte) ([]byte, error) { panic("to be written") }

// Subject returns the Patient that r belongs to; zero for a resource that belongs to none (a directory entry).
// For a Patient it is itself. ok is false when r names a subject that is no literal reference to a Patient of its own server.
func Subject(r Resource) (ref Ref, ok bool) { panic("to be written") }

// References returns every literal reference in r to its own server, without repeats, in order of appearance.
func References(r Resource) []Ref { panic("to be written") }

// Identifiers returns r's own business identifiers that have both a system and a value.
func Identifiers(r Resource) []ID { panic("to be written") }

// IsCopy reports whether r is something the hub itself wrote: it carries an identifier in SystemCopy.
func IsCopy(r Resource) bool { panic("to be written") }

// DosageDigest is the hex SHA-256 of the canonical JSON of a MedicationRequest's dosageInstruction array
// ("[]" when there is none): what the therapist acknowledges.
func DosageDigest(r Resource) string { panic("to be written") }

// Span reads a FHIR date, dateTime or instant as the time it covers: a date-only end lasts to the end of that day in zone.
func Span(s string, zone *time.Location) (from, to time.Time, err error) { panic("to be written") }

// ParseRef reads a literal reference ("Patient/p1", "Patient/p1/_history/2" or an absolute URL under base) as a Ref.
// ok is false for contained, logical and foreign references.
func ParseRef(literal, base string) (ref Ref, ok bool) { panic("to be written") }

// Edit changes elements of a JSON resource in the raw tree and leaves every other byte's meaning alone.
// Paths are dotted element names with indices: "status", "identifier.-1" appends. A nil value removes the element.
type Edit struct {
	Path  string
	Value any
}

// Apply returns body with edits made in order. The error names the path that does not fit.
func Apply(body []byte, edits ...Edit) ([]byte, error) { panic("to be written") }

// Lint refuses what must not be sent: null, "", {}, [], duplicate or wrong-case keys, a dangling relative reference
// left over (literal references must be absolute or to a Ref in known). Answers a *Refusal.
func Lint(body []byte, known func(Ref) bool) error { panic("to be written") }

// Known is a prescriber as recognition needs it.
type Known struct {
	Name        string
	Identifiers []ID
}

// Recogniser tells what of a source concerns the hub at all (fhir.md section 8).
type Recogniser struct {
	ReferralCodes []Code
	Prescribers   []Known
	Terms         *Terms
}

// Concerns reports whether a resource of the practice makes its subject a client of the hub: a KAP referral, a KAP
// appointment or a release. prescribers are those it names; a trigger that names none, or whom it cannot tell, names all.
func (g Recogniser) Concerns(r Resource) (prescribers []string, ok bool) { panic("to be written") }
