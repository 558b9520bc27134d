package exchange

import (
	"encoding/json"

	"github.com/kaphub/kaphub/fhir"
)

// InPlace returns the record of the receiver's own that d is an edit of, and which version of it was edited: the body then
// carries its id and meta.versionId, everything that stood there, and the edit. It may be put in place of that version
// only. ok is false for a copy of the hub's, which carries no id and is found by its identifier.
func (d Delivery) InPlace() (at fhir.Ref, version string, ok bool) {
	var glance struct {
		ID   string                     `json:"id"`
		Meta struct{ VersionID string } `json:"meta"`
	}
	if json.Unmarshal(d.Body, &glance) != nil || glance.ID == "" {
		return fhir.Ref{}, "", false
	}
	return fhir.Ref{Type: d.Type, ID: glance.ID}, glance.Meta.VersionID, true
}
