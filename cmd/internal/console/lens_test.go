package console

import (
	"strings"
	"testing"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// What is told to the therapist only (R38) is told to the client's therapist, to whoever opened the client in need, and to
// the owner. Nobody else learns that it is there.
func TestWhatIsForTheTherapistOnlyIsToldToNobodyElse(t *testing.T) {
	as := func(therapist string, roles ...people.Role) people.Account {
		return people.Account{ID: "x", Name: "X", Roles: roles, Therapist: therapist}
	}
	in := func() report.Input {
		v := verdict("c-robin", "Robin", "Dana", now, readiness.NotReady)
		v.Findings = []readiness.Finding{
			{ID: "f-38", Code: "R38", Words: "The PHQ-9 of 2 Mar is worse", Next: "look at it with the client"},
			{ID: "f-24", Code: "R24", Words: "The dose changed to 200 mg"},
			{ID: "f-10", Code: "R10", Words: "The clearance ends"},
		}
		v.Words, v.Next = "3 items open: The PHQ-9 of 2 Mar is worse (therapist)", "look at it with the client"
		return report.Input{Clients: []readiness.Verdict{v}, Handlings: []readiness.Handling{
			{Finding: "f-38", Client: "c-robin", Reason: "a note on the PHQ-9"}, {Finding: "f-24", Client: "c-robin", Reason: "a note on 200 mg"}, {Finding: "f-10", Client: "c-robin", Reason: "a note"}}}
	}
	for _, r := range []struct {
		name string
		who  people.Account
		met  string
		want string // what they read of: a score, a dose
	}{
		{"the client's therapist", as("Dana", people.Therapist), "", "PHQ-9 mg"},
		{"the owner", as("", people.Owner), "", "PHQ-9 mg"},
		{"an admin who is the client's therapist", as("Dana", people.Admin, people.Therapist), "", "PHQ-9 mg"},
		{"a therapist who opened the client in need", as("Lee", people.Therapist), "c-robin", "PHQ-9 mg"},
		{"an admin", as("", people.Admin), "", ""},
		{"an admin, on the client's page", as("", people.Admin), "c-robin", ""},
		{"an admin who treats others", as("Lee", people.Admin, people.Therapist), "c-robin", ""},
		{"the privacy officer", as("", people.Privacy), "", "mg"},
		{"a reader", as("", people.Reader), "c-robin", "mg"},
	} {
		saw := seen(in(), r.who, r.met)
		if len(saw.Clients) != 1 {
			t.Errorf("%s: sees %d clients", r.name, len(saw.Clients))
			continue
		}
		v, all := saw.Clients[0], ""
		for _, f := range v.Findings {
			all += f.Code + f.Words + f.Next + " "
		}
		for _, h := range saw.Handlings {
			all += h.Reason + " "
		}
		all += v.Words + v.Next
		var got []string
		for _, word := range []string{"PHQ-9", "mg"} {
			if strings.Contains(all, word) {
				got = append(got, word)
			}
		}
		if strings.Join(got, " ") != r.want {
			t.Errorf("%s reads of %q, want %q, in %s", r.name, got, r.want, all)
		}
		if !strings.Contains(r.want, "PHQ-9") && strings.Contains(all, "R38") {
			t.Errorf("%s learns that it is there", r.name)
		}
	}
}

// Whatever a rule or a gate says, somebody who sees no dose reads nothing of what was recorded unless a row of the tables says
// that it may be read: a rule that is new, and a gate, are hidden. Of a row that may be read, what others wrote is not.
func TestWhatNobodyClassifiedIsHidden(t *testing.T) {
	const mark, quote = "Zqmark 200 mg", ": “Zqquote 181”"
	v := readiness.Verdict{Client: "c-robin", Therapists: []fhir.Therapist{{Name: "Dana"}}}
	codes := []string{"R99"}
	for _, r := range readiness.Catalogue() {
		codes = append(codes, r.Code)
	}
	for i, code := range codes {
		v.Findings = append(v.Findings, readiness.Finding{ID: "f-" + code, Code: code, Rule: "rule-" + code, Words: code + " says " + mark + quote, Next: "next of " + code + quote, By: mark + quote,
			Values: map[string]string{"skylight": mark + quote}, Since: now, Owner: readiness.Therapist})
		if i%7 == 0 {
			v.Words, v.Next = "2 items open: "+code+" says "+mark+quote+" (therapist)", "next of "+code+quote
		}
	}
	for _, name := range append(readiness.Gates(), "new-gate") {
		for _, state := range []readiness.GateState{readiness.Met, readiness.Open, readiness.Blocked, readiness.Untold, readiness.NotDue} {
			v.Gates = append(v.Gates, readiness.Gate{Name: name, State: state, Words: string(name) + " says " + mark + quote, Next: "next" + quote, Since: now})
		}
	}
	for _, name := range []readiness.FigureName{readiness.Left, "a-new-figure"} {
		v.Account = append(v.Account, readiness.Figure{Of: name, Value: "4"})
	}
	saw := discreet(v)
	if len(saw.Gates) != len(v.Gates) || len(saw.Findings) != len(v.Findings) || len(saw.Account) != 1 {
		t.Errorf("%d of %d gates, %d of %d findings, %d figures", len(saw.Gates), len(v.Gates), len(saw.Findings), len(v.Findings), len(saw.Account))
	}
	for _, f := range saw.Findings {
		all := f.Words + f.Next + f.By + strings.Join([]string{f.Values["skylight"]}, "")
		if strings.Contains(all, "Zqquote") {
			t.Errorf("%s tells what others wrote: %s", f.Code, all)
		}
		if may := ruleShown[f.Code] == whole; strings.Contains(all, mark) != may {
			t.Errorf("%s tells what is recorded: %v, may: %v", f.Code, !may, may)
		}
		if f.Words == "" || f.Next == "" || f.Since.IsZero() || f.Owner == "" {
			t.Errorf("%s says too little to act on: %+v", f.Code, f)
		}
	}
	for _, g := range saw.Gates {
		if may := gateShown[g.Name] == whole; strings.Contains(g.Words, mark) != may || strings.Contains(g.Words+g.Next, "Zqquote") || g.Words == "" || g.Next == "" {
			t.Errorf("%s %s: %q, %q", g.Name, g.State, g.Words, g.Next)
		}
	}
	for _, code := range []string{"R13", "R14", "R24", "R25", "R30", "R37", "R38", "R55", "R56", "R99"} {
		if ruleShown[code] == whole {
			t.Errorf("%s tells doses, readings, scores or events, and may be read whole", code)
		}
		w := v
		w.Findings = []readiness.Finding{{Code: code, Words: "what " + mark, Next: "next"}}
		w.Words = "1 item open: what " + mark + " (therapist)"
		if saw := discreet(w); strings.Contains(saw.Words, mark) {
			t.Errorf("%s is told by the verdict: %s", code, saw.Words)
		}
	}
	// Every rule and gate has been looked at by somebody: who adds one decides.
	for _, code := range codes[1:] {
		if _, ok := ruleShown[code]; !ok {
			t.Errorf("%s has no row in ruleShown: it is hidden until it has", code)
		}
	}
	for _, name := range readiness.Gates() {
		if _, ok := gateShown[name]; !ok {
			t.Errorf("%s has no row in gateShown: it is hidden until it has", name)
		}
	}
}
