package store

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/kaphub/kaphub/fhir/exchange"
)

// Whoever looks for the decisions that wait for a second person looks at no client of whom each was confirmed.
func TestDecisionsThatMayWait(t *testing.T) {
	w := newWorld(t, filepath.Join(t.TempDir(), "kaphub.db"))
	for _, s := range []exchange.Slip{
		{Entry: "e-1", Client: "c-1", Kind: "decision", Actor: "ada"},
		{Entry: "e-2", Client: "c-1", Kind: "confirm", Actor: "grace"},
		{Entry: "e-3", Client: "c-2", Kind: "decision", Actor: "ada"},
		{Entry: "e-4", Client: "c-2", Kind: "decision", Actor: "ada"},
		{Entry: "e-5", Client: "c-2", Kind: "confirm", Actor: "grace"},
		{Entry: "e-6", Client: "c-3", Kind: "decision", Actor: "ada"},
		{Entry: "e-7", Client: "c-3", Kind: "stop", Actor: "ada"},
		{Entry: "e-8", Client: "c-4", Kind: "stop", Actor: "ada"},
	} {
		s.Source, s.At = "desk-skylight", w.now
		w.must(w.Enter(w.ctx, s.Actor, s))
	}
	slips, err := w.Decisions(w.ctx, "decision", "confirm")
	w.must(err)
	var entries []string
	for _, s := range slips {
		entries = append(entries, s.Entry)
	}
	if want := []string{"e-3", "e-4", "e-6"}; !slices.Equal(entries, want) {
		t.Errorf("%q, want %q", entries, want)
	}
}
