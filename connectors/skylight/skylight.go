// Package skylight owns what is particular to Skylight Psychedelics, as its public pages tell it: the prescriber's block
// of a config and what its words mean, over the desk, a folder, or a FHIR server should there be one.
package skylight

import _ "embed"

// Prescriber is the block of kaphub.yaml, with its sources, that a practice begins with and may change.
//
//go:embed prescriber.yaml
var Prescriber string

// Words is a FHIR ConceptMap of what Skylight and its pharmacies say of a parcel.
//
//go:embed words.json
var Words []byte

// The ways over which Skylight can be reached.
const (
	OverDesk   = "desk"     // by hand: e-mail, phone and portal
	OverFolder = "folder"   // a directory that its messages are saved into
	OverREST   = "fhirrest" // a FHIR server
)
