package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

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

// What is late says how late, stands before what is as grave, and is told to begin when its record did, wherever it is listed.
func TestWhatIsLateStandsFirstAndSaysSinceWhenItIsSo(t *testing.T) {
	f := func(id, code string, due time.Time) readiness.Finding {
		return readiness.Finding{ID: id, Code: code, Severity: readiness.S1, State: readiness.New, Since: at(0, 8, 0), Owner: readiness.Prescriber, Next: "ask Skylight to accept it", Due: due}
	}
	v := readiness.Verdict{Client: "c", Prescriber: "p", State: readiness.NotReady, Owner: readiness.Prescriber, Next: "ask Skylight to accept it", Judged: at(0, 9, 0),
		Gates:    []readiness.Gate{{Name: readiness.GateReferral, State: readiness.Open, Owner: readiness.Prescriber, Next: "ask Skylight to accept it", Since: at(-10, 9, 0)}},
		Findings: []readiness.Finding{f("a", "R10", time.Time{}), f("b", "R03", at(-6, 12, 14)), f("c", "R12", at(0, 8, 0))}}
	in := Input{AsOf: asOf, Zone: denver, Clients: []readiness.Verdict{v}}
	rows, _ := Triage(in, Sought{Pile: PileOpen}, "")
	if rows[0].ID != "b" || rows[0].Lateness() != "6 days late" || rows[1].Lateness()+rows[2].Lateness() != "" {
		t.Errorf("%s: %q, %q, %q", inRows(rows), rows[0].Lateness(), rows[1].Lateness(), rows[2].Lateness())
	}
	today := BuildToday(Brief{AsOf: asOf, Zone: denver, Clients: []Shown{{&v, GistOf(&v)}}}, Limits{DoNow: 3, Waiting: 3, Stopped: 3}, Lens{})
	r := Build(in)
	if got := []time.Time{rows[0].From(), today.DoNow.Rows[0].From(), r.DoNow[0].From(), r.Waiting[0].Since, ClientOf(v, nil).Since}; slices.ContainsFunc(got, func(x time.Time) bool { return !x.Equal(at(-10, 9, 0)) }) || rows[0].Age != 10 || r.Waiting[0].Age != 10 {
		t.Errorf("one finding has many beginnings: %v", got)
	}
	if !rows[1].From().IsZero() {
		t.Errorf("what was only seen today is said to be so since %s", rows[1].From())
	}
}

func TestWhatNobodySawAndWhatIsToDoNowCanBeSought(t *testing.T) {
	in := seed()
	in.Handlings = append(in.Handlings, readiness.Handling{Finding: "f-15", Kind: readiness.Acknowledge, Actor: "Rosa", At: at(0, 9, 0)})
	if rows, _ := Triage(in, Sought{Pile: PileOpen, Unseen: true}, ""); strings.Contains(inRows(rows), "R15") || !strings.Contains(inRows(rows), "R22") {
		t.Errorf("not yet acknowledged: %s", inRows(rows))
	}
	now, _ := Triage(in, Sought{Pile: PileOpen, Now: true}, "")
	var want []string
	for _, f := range Build(in).DoNow {
		want = append(want, f.ID)
	}
	var got []string
	for _, r := range now {
		if r.Many == nil {
			got = append(got, r.ID)
		}
	}
	if !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("to do now: %v, and the report has %v", got, want)
	}
}

func TestWhoeverStandsOutsideIsWaitedOn(t *testing.T) {
	for _, r := range [][3]string{
		{"prescriber", "admin", "waiting on the prescriber; admin"}, {"client", "therapist", "waiting on the client; therapist"},
		{"prescriber", "", "waiting on the prescriber"}, {"therapist", "therapist", "therapist"}, {"", "", ""},
	} {
		if got := WhoActs(readiness.Owner(r[0]), readiness.Owner(r[1])); got != r[2] {
			t.Errorf("%s, %s: %q", r[0], r[1], got)
		}
	}
}
