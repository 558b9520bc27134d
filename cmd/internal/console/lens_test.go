package console

import (
	"strings"
	"testing"

	"github.com/kaphub/kaphub/cmd/internal/people"
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
