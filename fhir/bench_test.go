package fhir_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

// threeKB is a prescription as an EHR writes it, of about 3 KB.
func threeKB(b *testing.B) []byte {
	b.Helper()
	body := fhirtest.Client(time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC)).Prescription().Resource.Body
	note := map[string]any{"text": "Keep the lozenges <locked away> and take none between sessions.", "time": "2026-03-02T09:00:00-07:00"}
	coding := map[string]any{"system": "http://snomed.info/sct", "code": "373873005", "display": "Pharmaceutical / biologic product"}
	for len(body) < 3000 {
		var err error
		body, err = fhir.Apply(body, fhirtest.Set("note.-1", note), fhirtest.Set("category.-1.coding.0", coding))
		if err != nil {
			b.Fatal(err)
		}
	}
	return body
}

func BenchmarkParse(b *testing.B) {
	body := threeKB(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fhir.Parse(body, ""); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCanonical(b *testing.B) {
	body := threeKB(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fhir.Canonical(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	r, err := fhir.Parse(threeKB(b), "")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(r.Body)))
	for b.Loop() {
		if _, err := fhir.Read[fhir.MedicationRequest](r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewChart(b *testing.B) {
	c := fhirtest.Client(time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC))
	versions := c.Blameless()
	b.ReportAllocs()
	for b.Loop() {
		chart := c.Chart(versions...)
		if len(chart.Unread) > 0 {
			b.Fatal("unread versions")
		}
	}
}
