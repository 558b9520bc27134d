package fhir

import (
	"testing"
	"time"
)

func TestWhatIsANewVersion(t *testing.T) {
	monday := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	tuesday := monday.AddDate(0, 0, 1)
	rows := []struct {
		name         string
		current, got Resource
		same         bool
	}{
		{"the same version read again", Resource{VersionID: "2", LastUpdated: monday, Hash: "h"}, Resource{VersionID: "2", LastUpdated: monday, Hash: "h"}, true},
		{"a hold set again in the same words", Resource{VersionID: "2", Hash: "h"}, Resource{VersionID: "4", Hash: "h"}, false},
		{"the same words at a later time, from a server without versions", Resource{LastUpdated: monday, Hash: "h"}, Resource{LastUpdated: tuesday, Hash: "h"}, false},
		{"the same words from a server that tells neither", Resource{Hash: "h"}, Resource{Hash: "h"}, true},
		{"other words under the same version", Resource{VersionID: "2", Hash: "h"}, Resource{VersionID: "2", Hash: "i"}, false},
		{"other words from a server that tells neither", Resource{Hash: "h"}, Resource{Hash: "i"}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.got.Same(row.current) != row.same {
				t.Errorf("same: %v", !row.same)
			}
		})
	}
}

func TestAVersionSaysWhenItWasRecordedAndWhatItIs(t *testing.T) {
	monday := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	v := Version{Key: Key{"ehr", "Flag", "f1"}, Party: Practice, N: 3, Received: monday.Add(time.Hour)}
	if !v.Recorded().Equal(v.Received) {
		t.Error("without lastUpdated the time received counts")
	}
	v.Resource.LastUpdated = monday
	if !v.Recorded().Equal(monday) {
		t.Error("the owner's own time does not count")
	}
	v.Resource.LastUpdated = v.Received.Add(time.Minute)
	if !v.Recorded().Equal(v.Received) {
		t.Error("nothing is recorded after it was received")
	}
	if got, want := v.Basis(), (Basis{"ehr", Practice, "Flag", "f1", 3}); got != want {
		t.Errorf("basis %v, want %v", got, want)
	}
	if v.String() != "ehr/Flag/f1" || v.Ref().String() != "Flag/f1" || (Ref{}).String() != "" {
		t.Error("keys are not written as source/Type/id")
	}
}
