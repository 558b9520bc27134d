package readiness_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestAFindingIsDue(t *testing.T) {
	session := now.Add(2 * time.Hour)
	event := func(grade string, ago time.Duration) told {
		return plus(func(c *course) fhir.Version { return c.On(now.Add(-ago)).AdverseEvent(grade) })
	}
	for _, r := range []struct {
		name string
		row  rowAt
		code string
		want time.Time
	}{
		{"what keeps a session from beginning, when it begins", rowAt{told: less("Consent", "release")}, "R06", session},
		{"what only warns, never", rowAt{told: plus(func(c *course) fhir.Version {
			return c.PatientThere(set("name.0.family", "Inventedsosn-p1"))
		})}, "R01", time.Time{}},
		{"without a session, never", rowAt{told: told(none).then(func(c *course) fhir.Version { return c.PatientThere(set("birthDate", "1988-03-01")) })}, "R01", time.Time{}},
		{"a serious adverse event, in the same hour", rowAt{told: event(fhir.CodeSerious, 30*time.Minute)}, "R30", now.Add(30 * time.Minute)},
		{"one to ask about, a business day later", rowAt{told: event(fhir.CodeAskPrescriber, 26*time.Hour).then(func(c *course) fhir.Version {
			return c.Dosing(now.AddDate(0, 0, 3))
		})}, "R30", now.Add(-2 * time.Hour)},
		{"… but when the session begins, where that is sooner", rowAt{told: event(fhir.CodeAskPrescriber, 20*time.Hour)}, "R30", session},
	} {
		t.Run(r.name, func(t *testing.T) {
			v := r.row.verdict()
			f, ok := finding(v, r.code)
			if !ok || f.State != readiness.New || !f.Due.Equal(r.want) {
				t.Errorf("%s is due %s, want %s", r.code, f.Due, r.want)
			}
		})
	}
}
