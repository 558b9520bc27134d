package fhirrest

import (
	"testing"
	"time"
)

func TestAPageLeadsOnByTimeOnlyIfItsRowsComeInOrder(t *testing.T) {
	at := func(seconds float64) time.Time {
		return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
	}
	row := func(seconds float64) entry { return entry{updated: at(seconds), match: true} }
	for _, tc := range []struct {
		name string
		from time.Time
		rows []entry
		last time.Time
		ok   bool
	}{
		{"oldest first", at(0), []entry{row(1), row(2), row(2), row(3)}, at(3), true},
		{"from the beginning of time", time.Time{}, []entry{row(1)}, at(1), true},
		{"a little before what was asked for, as coarse servers do", at(1), []entry{row(0.5), row(2)}, at(2), true},
		{"far before what was asked for: it is not honoured", at(10), []entry{row(1), row(20)}, at(10), false},
		{"in another order", at(0), []entry{row(2), row(1), row(3)}, at(0), false},
		{"newest first", at(0), []entry{row(3), row(2)}, at(0), false},
		{"one instant only: time leads nowhere", at(1), []entry{row(1), row(1)}, at(1), false},
		{"a row without a time", at(0), []entry{row(1), {match: true}}, at(0), false},
		{"what came along, or tells of the search, is not counted", at(0), []entry{row(1), {updated: at(-9)}, {outcome: true, match: true}, row(2)}, at(2), true},
		{"no row at all", at(0), nil, at(-1), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			last, ok := ordered(tc.rows, tc.from)
			if ok != tc.ok || ok && !last.Equal(tc.last) {
				t.Errorf("leads on %v, to %s", ok, last)
			}
		})
	}
}

func TestEveryCircleOfLinksIsNoticed(t *testing.T) {
	for lead := range 12 {
		for length := 1; length < 12; length++ {
			var w walk
			name := func(i int) string {
				if i >= lead {
					i = lead + (i-lead)%length
				}
				return string(rune('A' + i))
			}
			for i := 0; ; i++ {
				if i > 4*(lead+length)+4 {
					t.Fatalf("a circle of %d after %d pages is not noticed", length, lead)
				}
				_, loop := w.follow(bundle{next: name(i)}, false)
				if loop && i < lead+length {
					t.Fatalf("a circle of %d after %d pages is noticed before it is one", length, lead)
				}
				if loop {
					break
				}
			}
		}
	}
}
