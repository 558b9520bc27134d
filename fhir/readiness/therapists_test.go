package readiness_test

import (
	"slices"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// A client's therapists are those whom the practice's sessions name, up to 90 days after the last of them.
func TestWhoseTheClientIs(t *testing.T) {
	led := func(at time.Time, status, by string) told {
		return func(c *course) []fhir.Version {
			return []fhir.Version{c.DaysBefore(200).Dosing(at, set("status", status), set("participant.1.actor.display", by))}
		}
	}
	for _, r := range []struct {
		name string
		told told
		want []string
	}{
		{"a session is booked → its therapist", led(now.Add(day), "booked", "Robin"), []string{"Robin"}},
		{"a session was held 89 days ago → its therapist still", led(now.Add(-89*day), "fulfilled", "Robin"), []string{"Robin"}},
		{"a session was held 92 days ago → nobody", led(now.Add(-92*day), "fulfilled", "Robin"), nil},
		{"a session was called off → nobody", led(now.Add(day), "cancelled", "Robin"), nil},
		{"nothing is booked → nobody", func(*course) []fhir.Version { return nil }, nil},
	} {
		if got := (rowAt{told: r.told}).verdict().Therapists; !slices.Equal(got, r.want) {
			t.Errorf("%s: %q, want %q", r.name, got, r.want)
		}
	}
}
