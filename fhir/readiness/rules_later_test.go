package readiness_test

import (
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestR53ContactPreference(t *testing.T) {
	byPhone := func(p *readiness.Policy) { p.ClientWays = []string{"phone"} }
	who := func(telecom any) told {
		return less("Patient", "").then(func(c *course) fhir.Version { return c.DaysBefore(60).PatientHere(set("telecom", telecom)) })
	}
	type point = map[string]any
	first := func(system string, more ...any) point {
		p := point{"system": system, "value": "x", "rank": 1}
		for i := 0; i+1 < len(more); i += 2 {
			p[more[i].(string)] = more[i+1]
		}
		return p
	}
	judgeRule(t, "R53", []rowAt{
		{name: "the practice's ways are not on file → none", told: who([]point{first("email")})},
		{name: "no preference is on file → none", told: who([]point{{"system": "email", "value": "x"}}), policy: byPhone},
		{name: "asked for the way that the practice has → none", told: who([]point{first("phone")}), policy: byPhone},
		{name: "asked for either → none", told: who([]point{first("email"), first("phone")}), policy: byPhone},
		{name: "asked for another way → S3, and the session waits for nothing", told: who([]point{first("email"), {"system": "phone", "value": "x", "rank": 2}}), policy: byPhone, want: "S3", state: readiness.Ready},
		{name: "asked for another way that is no longer used → none", told: who([]point{first("email", "use", "old")}), policy: byPhone},
		{name: "… whose time is over → none", told: who([]point{first("email", "period", point{"end": "2026-03-02"})}), policy: byPhone},
		{name: "… whose time ends today → S3 still", told: who([]point{first("email", "period", point{"end": "2026-03-03"})}), policy: byPhone, want: "S3"},
	})
}
