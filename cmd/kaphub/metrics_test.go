package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// Metrics count findings by rule; that a client's scores got worse is for the therapist only, and one more or less of a
// small practice would tell.
func TestMetricsCountNothingThatIsConfided(t *testing.T) {
	one := func(code string, s readiness.Severity) readiness.Finding {
		return readiness.Finding{Code: code, Severity: s}
	}
	over := one("R10", readiness.S2)
	over.Resolved = time.Unix(1, 0)
	got := countFindings([]readiness.Verdict{
		{Findings: []readiness.Finding{one("R38", readiness.S2), one("R10", readiness.S2)}},
		{Findings: []readiness.Finding{one("R10", readiness.S2), over, one("R38", readiness.S3)}},
	})
	if fmt.Sprint(got) != "map[[R10 S2]:2]" {
		t.Errorf("counted: %v", got)
	}
}
