package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// A row is its code; with what is folded under it in brackets, and how many clients it touches.
func inRows(rows []Row) string {
	var out []string
	for _, r := range rows {
		s := r.Code
		for _, u := range r.Under {
			s += "(" + u.Code + ")"
		}
		if r.Many != nil {
			s += fmt.Sprintf("×%d", r.Many.Clients)
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestFindingsAreWorkedThroughGravestFirst(t *testing.T) {
	in := seed()
	second := in.Clients[4] // Rowan, of whom the mailbox was not read either
	second.Client, second.Findings = "c-more", []readiness.Finding{second.Findings[0]}
	second.Findings[0].ID = "f-44b"
	in.Clients = append(in.Clients, second)
	for _, r := range []struct {
		name string
		s    Sought
		want string
	}{
		{"all that is open", Sought{Pile: PileOpen}, "R15 R44×2 R10 R22 R06 R03(R17)"},
		{"what is snoozed", Sought{Pile: PileSnoozed}, "R31"},
		{"what was resolved lately", Sought{Pile: PileResolved}, "R24"},
		{"the therapist's", Sought{Pile: PileOpen, Owner: readiness.Therapist}, "R15"},
		{"somebody's", Sought{Pile: PileOpen, Person: "rosa"}, "R10"},
		{"S2 and graver", Sought{Pile: PileOpen, Severity: readiness.S2}, "R15 R44×2 R10 R22"},
		{"new since the report before", Sought{Pile: PileOpen, New: true}, "R15 R44×2 R22 R06"},
		{"nobody's", Sought{Pile: PileOpen, Person: "Nobody"}, ""},
	} {
		rows, n := Triage(in, r.s, "Rosa")
		got := inRows(rows)
		if r.name == "new since the report before" {
			r.want, got = sorted(r.want), sorted(got)
		}
		if got != r.want {
			t.Errorf("%s: %s, want %s", r.name, got, r.want)
		}
		if want := (Piles{Open: 8, Snoozed: 1, Resolved: 1, Mine: 1}); n != want {
			t.Errorf("%s: %+v, want %+v", r.name, n, want)
		}
	}
}

func sorted(s string) string {
	parts := strings.Fields(s)
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// What a person looked at has changed, when they would want to look again.
func TestAStampChangesWithWhatAPersonSaw(t *testing.T) {
	base := Finding{ID: "f", Severity: readiness.S2, State: readiness.New, Words: "w"}
	for name, change := range map[string]func(*Finding){
		"graver":        func(f *Finding) { f.Severity = readiness.S1 },
		"resolved":      func(f *Finding) { f.State = readiness.Resolved },
		"other words":   func(f *Finding) { f.Words = "x" },
		"acknowledged":  func(f *Finding) { f.Acknowledged = &Mark{By: "Dana", At: asOf} },
		"assigned":      func(f *Finding) { f.Assigned = &Mark{By: "Dana", To: "Rosa", At: asOf} },
		"due elsewhere": func(f *Finding) { f.Due = asOf },
	} {
		f := base
		if change(&f); f.Stamp() == base.Stamp() {
			t.Errorf("%s: it is the same", name)
		}
	}
	older := base
	older.State, older.Age = readiness.Persisting, 4
	if older.Stamp() != base.Stamp() {
		t.Error("a day went by, and it is another")
	}
}
