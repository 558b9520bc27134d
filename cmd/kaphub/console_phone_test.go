package main

import "testing"

func TestThePracticesPhoneIsTheFirstThatIsNoFax(t *testing.T) {
	for want, lines := range map[string][]string{
		"303-555-0140":   {"12 Aspen Way, Denver CO 80202", "Fax 303-555-0101", "303-555-0140", "303-555-0150"},
		"(303) 555-0140": {"Phone (303) 555-0140"},
		"":               {"12 Aspen Way", "desk@reverie.example", "fax 303-555-0101"},
	} {
		if got := phoneOf(lines); got != want {
			t.Errorf("%q: %q, want %q", lines, got, want)
		}
	}
}
