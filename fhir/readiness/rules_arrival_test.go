package readiness_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// dated has the version told last carry another lastUpdated, and be received at another time.
func dated(updated, received time.Time) func(*fhir.Chart) {
	return func(c *fhir.Chart) {
		v := c.Patients[len(c.Patients)-1].Version
		v.Resource.LastUpdated, v.Received = updated, received
	}
}

func TestR47ClockAnomaly(t *testing.T) {
	hour := now.Add(-time.Hour)
	again := plus(func(c *course) fhir.Version { return c.PatientThere() })
	judgeRule(t, "R47", []rowAt{
		{name: "every version is dated before it came → none", told: again, chart: dated(hour, hour)},
		{name: "dated a little ahead, within the skew → none", told: again, chart: dated(hour.Add(4*time.Minute), hour)},
		{name: "dated two days ahead → S3, and the state stays as it was", told: again, chart: dated(now.Add(2*day), hour), want: "S3"},
		{name: "dated ahead of when it came, and that time has come by now → none", told: again, chart: dated(now.Add(-time.Minute), hour)},
		{name: "an older version came after a newer one → S3", told: again, chart: dated(now.Add(-400*day), hour), want: "S3"},
		{name: "an older version came long ago → none", told: again, chart: dated(now.Add(-400*day), now.Add(-8*day))},
		{name: "a server that dates nothing → none", told: again, chart: dated(time.Time{}, hour)},
	})
}

func TestR49OutOfScopeContent(t *testing.T) {
	sealed := func(bears bool, received time.Time) func(*fhir.Chart) {
		return func(c *fhir.Chart) {
			c.Sealed = []fhir.Sealed{{ID: "s-1", Source: "skylight", Party: "skylight", Type: "Observation", Reason: fhir.OutOfScopeNotes, Bears: bears, Received: received}}
		}
	}
	judgeRule(t, "R49", []rowAt{
		{name: "nothing is sealed → none", told: all},
		{name: "something that could bear on safety → S1, and nobody can tell", told: all, chart: sealed(true, now.Add(-time.Hour)), want: "S1", state: readiness.Unknown},
		{name: "something else → S1, and the session waits for the look at it", told: all, chart: sealed(false, now.Add(-time.Hour)), want: "S1", state: readiness.NotReady},
	})
	v := rowAt{told: all, chart: sealed(true, now.Add(-5*day))}.verdict()
	for _, f := range v.Findings {
		if f.Code == "R49" && (f.Owner != readiness.Privacy || !strings.Contains(f.Words, "was to be looked at by")) {
			t.Errorf("after a business day: %s, %s", f.Owner, f.Words)
		}
	}
}
