package fhir

import (
	"encoding/json"
	"slices"
	"strings"
)

// ContainedIdentifiers returns the business identifiers of the resource that r contains and that reference ("#id") leads
// to; nil for any other reference.
func ContainedIdentifiers(r Resource, reference string) []ID {
	id, inside := strings.CutPrefix(reference, "#")
	if !inside {
		return nil
	}
	var body struct {
		Contained []struct {
			ID         string `json:"id"`
			Identifier []ID   `json:"identifier"`
		} `json:"contained"`
	}
	if json.Unmarshal(r.Body, &body) != nil {
		return nil
	}
	for _, c := range body.Contained {
		if c.ID == id {
			return slices.DeleteFunc(c.Identifier, func(i ID) bool { return i.System == "" || i.Value == "" })
		}
	}
	return nil
}
