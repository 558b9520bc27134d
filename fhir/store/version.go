package store

import (
	"strconv"

	"github.com/kaphub/kaphub/fhir"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// versionParts are what a version's MAC covers: everything but the moment, which seal adds, and the MAC.
func versionParts(v table.Version) []string {
	return []string{v.Source, v.Type, v.ID, num(v.N), v.Party, v.Subject, num(v.Received), strconv.FormatBool(v.Gone), v.Why,
		v.VersionID, v.LastUpdated, v.Hash, v.Body}
}

// resourceOf returns the resource as it was received; the zero Resource when the version is gone.
func resourceOf(v table.Version) fhir.Resource {
	if v.Gone {
		return fhir.Resource{}
	}
	return fhir.Resource{Type: v.Type, ID: v.ID, VersionID: v.VersionID, LastUpdated: readInstant(v.LastUpdated),
		Body: []byte(v.Body), Hash: v.Hash}
}

// versionOf returns a stored version as the domain knows it.
func versionOf(v table.Version) fhir.Version {
	return fhir.Version{Key: fhir.Key{Source: v.Source, Type: v.Type, ID: v.ID}, Party: v.Party, N: v.N,
		Moment: fhir.Moment(v.Moment), Received: clock(v.Received), Gone: v.Gone, Why: v.Why, Resource: resourceOf(v)}
}
