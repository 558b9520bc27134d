package main

import (
	"strings"
	"testing"

	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// What a next step adds for a terminal can be typed there.
func TestEveryDeedCanBeTyped(t *testing.T) {
	commands := report.Commands()
	for _, deed := range readiness.Deeds() {
		words := strings.Fields(commands[deed])
		if len(words) == 0 {
			t.Errorf("nothing is typed to %s", deed)
			continue
		}
		p := &place{t: t, dir: t.TempDir()}
		p.must(0, append(words, "--help")...)
	}
}
