package fhir

import (
	"errors"
)

// ErrUnreadable is what Read answers when a resource does not fit its view.
var ErrUnreadable = errors.New("resource does not fit its view")

// Refusal says why the gate did not let a resource in. It never carries a value from the resource:
// Reason is a coded sentence, Path the element's path; Type, ID and Subject are what could be salvaged.
type Refusal struct {
	Reason  string
	Path    string
	Type    string
	ID      string
	Subject Ref
}

func (r *Refusal) Error() string {
	if r.Path == "" {
		return "refused: " + r.Reason
	}
	return "refused: " + r.Reason + " at " + r.Path
}
