package readiness_test

import (
	"testing"

	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestABlamelessClientIsReady(t *testing.T) {
	c := fhirtest.Client(now)
	v := readiness.Assess(c.Chart(c.Blameless()...), policy(), now)
	explain(t, v)
	if v.State != readiness.Ready {
		t.Errorf("got %s: %s", v.State, v.Words)
	}
}
func BenchmarkAssess(b *testing.B) {
	c := fhirtest.Client(now)
	chart, p := c.Chart(c.Blameless()...), policy()
	b.ReportAllocs()
	for b.Loop() {
		readiness.Assess(chart, p, now)
	}
}
