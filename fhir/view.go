package fhir

import (
	"encoding/json"
	"fmt"

	"github.com/samply/golang-fhir-models/fhir-models/fhir"
)

// The views a resource is read through: samply's, and where samply drops or invents data, a shadow of it that embeds
// the method-less type and overrides only the broken fields (contained everywhere, value[x] of Task, medication[x]).
// A view is for reading; what is relayed or updated is edited in the raw tree (Edit), never encoded from a view.

// Resources read through samply's own types.
type (
	Patient                  = fhir.Patient
	Consent                  = fhir.Consent
	Appointment              = fhir.Appointment
	Procedure                = fhir.Procedure
	Encounter                = fhir.Encounter
	Flag                     = fhir.Flag
	CarePlan                 = fhir.CarePlan
	Goal                     = fhir.Goal
	Condition                = fhir.Condition
	AdverseEvent             = fhir.AdverseEvent
	DiagnosticReport         = fhir.DiagnosticReport
	DocumentReference        = fhir.DocumentReference
	MedicationAdministration = fhir.MedicationAdministration
	Practitioner             = fhir.Practitioner
	PractitionerRole         = fhir.PractitionerRole
	Organization             = fhir.Organization
	Medication               = fhir.Medication
	Provenance               = fhir.Provenance
	OperationOutcome         = fhir.OperationOutcome
	CapabilityStatement      = fhir.CapabilityStatement
)

// The data types they are made of.
type (
	Reference       = fhir.Reference
	Identifier      = fhir.Identifier
	CodeableConcept = fhir.CodeableConcept
	Dosage          = fhir.Dosage
	Coding          = fhir.Coding
	Period          = fhir.Period
	Quantity        = fhir.Quantity

	ObservationComponent      = fhir.ObservationComponent
	PractitionerQualification = fhir.PractitionerQualification
	TimingRepeat              = fhir.TimingRepeat
)

// ServiceRequest is samply's with contained resources kept.
type ServiceRequest struct {
	fhir.OtherServiceRequest
	ResourceType string            `json:"resourceType"`
	Contained    []json.RawMessage `json:"contained,omitempty"`
}

// Observation is samply's with contained resources kept.
type Observation struct {
	fhir.OtherObservation
	ResourceType string            `json:"resourceType"`
	Contained    []json.RawMessage `json:"contained,omitempty"`
}

// Task is samply's with contained resources kept and input and output readable.
type Task struct {
	fhir.OtherTask
	ResourceType string            `json:"resourceType"`
	Contained    []json.RawMessage `json:"contained,omitempty"`
	Input        []TaskValue       `json:"input,omitempty"`
	Output       []TaskValue       `json:"output,omitempty"`
}

// MedicationRequest is samply's with contained resources and medication[x] kept.
type MedicationRequest struct {
	fhir.OtherMedicationRequest
	ResourceType              string            `json:"resourceType"`
	Contained                 []json.RawMessage `json:"contained,omitempty"`
	MedicationCodeableConcept *CodeableConcept  `json:"medicationCodeableConcept,omitempty"`
	MedicationReference       *Reference        `json:"medicationReference,omitempty"`
	Substitution              *Substitution     `json:"substitution,omitempty"`
}

// MedicationDispense is samply's with contained resources and medication[x] kept.
type MedicationDispense struct {
	fhir.OtherMedicationDispense
	ResourceType              string            `json:"resourceType"`
	Contained                 []json.RawMessage `json:"contained,omitempty"`
	MedicationCodeableConcept *CodeableConcept  `json:"medicationCodeableConcept,omitempty"`
	MedicationReference       *Reference        `json:"medicationReference,omitempty"`
}

// MedicationStatement is samply's with contained resources and medication[x] kept.
type MedicationStatement struct {
	fhir.OtherMedicationStatement
	ResourceType              string            `json:"resourceType"`
	Contained                 []json.RawMessage `json:"contained,omitempty"`
	MedicationCodeableConcept *CodeableConcept  `json:"medicationCodeableConcept,omitempty"`
	MedicationReference       *Reference        `json:"medicationReference,omitempty"`
}

// Substitution is MedicationRequest.substitution with its choice kept apart.
type Substitution struct {
	fhir.MedicationRequestSubstitution
	AllowedBoolean         *bool            `json:"allowedBoolean,omitempty"`
	AllowedCodeableConcept *CodeableConcept `json:"allowedCodeableConcept,omitempty"`
}

// TaskValue is one Task.input or Task.output: its type and the one value[x] it holds, as received.
type TaskValue struct {
	ID        *string
	Extension []fhir.Extension
	Type      CodeableConcept
	Name      string          // the key of the value, e.g. "valueReference"; "" if there is none
	Value     json.RawMessage // as received
	Rest      map[string]json.RawMessage
}

// Read reads r through the view T. The error names the type and what could not be read, never a value.
func Read[T any](r Resource) (T, error) {
	var v T
	if err := json.Unmarshal(readable(r.Body), &v); err != nil {
		return v, fmt.Errorf("read %s: %w", r.Type, ErrUnreadable)
	}
	return v, nil
}

// glance is Read but for the narrative, which is most of what there is and which a decision never rests on.
func glance[T any](r Resource) (T, error) {
	r.Body = withoutNarrative(r.Body)
	return Read[T](r)
}
