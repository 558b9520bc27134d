package readiness_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// One check of many verdicts says of each what the freshness of its sources says for its own session.
func TestOneCheckOfManyVerdictsIsACheckOfEach(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5)) //nolint:gosec // chances that can be had again
	fell := map[bool]int{}
	for range 3000 {
		now := time.Date(2026, 3, 1+r.IntN(20), r.IntN(24), r.IntN(60), 0, 0, fhirtest.Denver)
		p := policy()
		if r.IntN(3) == 0 {
			p.Prescriber.Limit = time.Duration(1+r.IntN(40)) * time.Hour
		}
		var sources []fhir.SourceState
		for _, name := range []string{fhirtest.PracticeSource, fhirtest.PrescriberSource} {
			s := fhir.SourceState{Name: name, Party: map[string]string{fhirtest.PracticeSource: fhir.Practice, fhirtest.PrescriberSource: fhirtest.Prescriber}[name], Complete: r.IntN(8) > 0}
			if r.IntN(8) > 0 {
				s.LastComplete = now.Add(time.Duration(10-r.IntN(3000)) * time.Minute)
			}
			sources = append(sources, s)
		}
		check := readiness.NewCheck(p, sources, now)
		for range 6 {
			v := readiness.Verdict{State: readiness.Ready, Policy: p.Hash, Until: now.Add(time.Hour), Sources: []string{fhirtest.PracticeSource, fhirtest.PrescriberSource}}
			var session time.Time
			if r.IntN(4) > 0 {
				session = now.Add(time.Duration(r.IntN(96)-24) * time.Hour)
				v.Appointment = &readiness.Appointment{Start: session}
			}
			fresh := true
			for _, s := range sources {
				fresh = fresh && p.Freshness(s, session, now) == readiness.Fresh
			}
			fell[fresh]++
			if is := check.Current(v, false); (is.State == readiness.Ready) != fresh {
				t.Fatalf("at %s, session %s, sources %+v: it is %s %q, and its sources are fresh: %v", now, session, sources, is.State, is.Words, fresh)
			}
		}
	}
	if fell[true] < 1000 || fell[false] < 1000 {
		t.Errorf("chance was too kind: %v", fell)
	}
}
