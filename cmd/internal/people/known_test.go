package people

import (
	"slices"
	"testing"

	"github.com/kaphub/kaphub/fhir"
)

func npiOf(value string) fhir.ID { return fhir.ID{System: fhir.SystemNPI, Value: value} }

// An account is a therapist by number or by name; nobody is guessed across two people of one name.
func TestWhichTherapistAnAccountIs(t *testing.T) {
	one, two, group := npiOf("1679576722"), npiOf("1245319599"), npiOf("1999999984")
	local := fhir.ID{System: "https://ehr.example/staff", Value: "17"}
	of := func(name string, ids ...fhir.ID) fhir.Therapist { return fhir.Therapist{Name: name, IDs: ids} }
	for _, r := range []struct {
		name    string
		account Account
		records []fhir.Therapist // each of a client of their own
		sees    []bool
	}{
		{"shown by name", Account{Therapist: "robin  SAMPLE"}, []fhir.Therapist{of("Robin Sample"), of("Alex Example")}, []bool{true, false}},
		{"a number alone, and the account has none → nobody", Account{Therapist: "Robin Sample"}, []fhir.Therapist{of("", one)}, []bool{false}},
		{"a number alone, and the account has it", Account{Therapist: "Robin Sample", Numbers: []fhir.ID{one}}, []fhir.Therapist{of("", one), of("", two)}, []bool{true, false}},
		{"an account of a number alone", Account{Numbers: []fhir.ID{one}}, []fhir.Therapist{of("Robin Sample", one), of("Robin Sample")}, []bool{true, false}},
		{"a number alone, that other records show with the name", Account{Therapist: "Robin Sample"}, []fhir.Therapist{of("", one), of("Robin Sample", one)}, []bool{true, true}},
		{"two people of one name → neither", Account{Therapist: "Robin Sample"}, []fhir.Therapist{of("Robin Sample", one), of("Robin Sample", two), of("Robin Sample"), of("", one)}, []bool{false, false, false, false}},
		{"two people of one name, one of whom the account is by number", Account{Therapist: "Robin Sample", Numbers: []fhir.ID{one}},
			[]fhir.Therapist{of("Robin Sample", one), of("Robin Sample", two), of("Robin Sample"), of("", one)}, []bool{true, false, false, true}},
		{"the only one of that name has another number", Account{Therapist: "Robin Sample", Numbers: []fhir.ID{one}}, []fhir.Therapist{of("Robin Sample", two), of("Robin Sample")}, []bool{false, false}},
		{"numbers of different kinds do not tell two people", Account{Therapist: "Robin Sample"}, []fhir.Therapist{of("Robin Sample", one), of("Robin Sample", local)}, []bool{true, true}},
		{"one person with two numbers", Account{Therapist: "Robin Sample"}, []fhir.Therapist{of("Robin Sample", one), of("Robin Sample", one, local), of("Robin Sample", local), of("", local)}, []bool{true, true, true, true}},
		{"a number that two names bear is nobody's", Account{Therapist: "Robin Sample"}, []fhir.Therapist{of("Robin Sample", group), of("Alex Example", group), of("", group)}, []bool{true, false, false}},
		{"nothing known of either", Account{}, []fhir.Therapist{of(""), of("Robin Sample")}, []bool{false, false}},
	} {
		r.account.Roles = []Role{Therapist}
		var clients [][]fhir.Therapist
		for _, x := range r.records {
			clients = append(clients, []fhir.Therapist{x})
		}
		k := Know(clients)
		is := k.Of(r.account)
		for i, x := range r.records {
			if got := is.Sight(x) == Whole; got != r.sees[i] {
				t.Errorf("%s: sees the client of %q %v: %v, want %v", r.name, x.Name, x.IDs, got, r.sees[i])
			}
			claimed := !slices.ContainsFunc(k.Unclaimed([]Account{r.account}), func(u Unclaimed) bool { return token(u.Therapist) == token(x) })
			if claimed != r.sees[i] {
				t.Errorf("%s: the owner is told that nobody is %q %v: %v", r.name, x.Name, x.IDs, !claimed)
			}
		}
	}
}

// What the owner is told of therapists whom no account is.
func TestTherapistsWhomNoAccountIs(t *testing.T) {
	one, two := npiOf("1679576722"), npiOf("1245319599")
	k := Know([][]fhir.Therapist{
		{{Name: "Robin Sample", IDs: []fhir.ID{one}}}, {{Name: "Robin Sample", IDs: []fhir.ID{two}}, {Name: "Dana"}}, {{IDs: []fhir.ID{npiOf("1999999984")}}},
		{{IDs: []fhir.ID{npiOf("1999999984")}}, {IDs: []fhir.ID{npiOf("1999999984")}}},
	})
	accounts := []Account{{Roles: []Role{Therapist}, Therapist: "Dana"}, {Roles: []Role{Therapist}, Therapist: "Robin Sample"}, {Roles: []Role{Owner}, Numbers: []fhir.ID{npiOf("1999999984")}}}
	got := k.Unclaimed(accounts)
	if len(got) != 3 || got[0].Shown() != "NPI 1999999984" || got[0].Clients != 2 || got[0].Shared || !got[1].Shared || !got[2].Shared || got[1].Clients != 1 {
		t.Errorf("%+v", got)
	}
	accounts[0].Disabled = true
	if got := k.Unclaimed(accounts); len(got) != 4 {
		t.Errorf("a disabled account is somebody: %+v", got)
	}
}

// Two accounts are never one therapist, unless a number tells them apart.
func TestTwoAccountsAreNotOneTherapist(t *testing.T) {
	all := []person{{id: "p-1", facts: facts{Login: "robin", Name: "Robin", Therapist: "Robin Sample", Numbers: []fhir.ID{npiOf("1679576722")}}}}
	for _, r := range []struct {
		name string
		of   Profile
		want bool
	}{
		{"of another name", Profile{Therapist: "Alex Example"}, false},
		{"no therapist", Profile{}, false},
		{"of the same name", Profile{Therapist: "robin sample"}, true},
		{"of the same name, with another number", Profile{Therapist: "Robin Sample", Numbers: []fhir.ID{npiOf("1245319599")}}, false},
		{"of the same number", Profile{Therapist: "R. Sample", Numbers: []fhir.ID{npiOf("1679576722")}}, true},
	} {
		r.of.Login, r.of.Name = "other", "Other"
		if got := taken(all, "", r.of); got != r.want {
			t.Errorf("%s: taken %v", r.name, got)
		}
		all[0].facts.Disabled = true
		if taken(all, "", r.of) {
			t.Errorf("%s: a disabled account holds it", r.name)
		}
		all[0].facts.Disabled = false
	}
}
