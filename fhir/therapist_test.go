package fhir

import "testing"

func TestAnNPIProvesItself(t *testing.T) {
	for text, want := range map[string]bool{"1234567893": true, "1881697746": true, "1881697747": false, "1234567890": false, "1234567839": false, "123456789": false, "NPI": false, "": false} {
		if IsNPI(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
