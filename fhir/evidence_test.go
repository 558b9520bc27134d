package fhir_test

import (
	"fmt"
	"testing"

	"github.com/kaphub/kaphub/fhir"
)

func TestTraitsAreWrittenTheSameForTheSamePerson(t *testing.T) {
	read := func(body string) fhir.Traits {
		return fhir.TraitsOf(fhir.Resource{Type: "Patient", Body: []byte(body)})
	}
	tests := []struct{ name, body, want string }{
		{"a legal and a chosen name, both theirs", `{"birthDate":"1990-04-01","name":[{"use":"official","family":"Müller-Łoś","given":["Jennifer Ann"]},{"use":"usual","given":["Juniper"]}]}`,
			"{1990-04-01 [mullerlos] [m46 l2 m464] [jennifer ann juniper] [] []}"},
		{"a name that is only a text", `{"name":[{"text":"Juniper Roe"}]}`, "{ [roe] [r] [juniper] [] []}"},
		{"a birth year finds nobody", `{"birthDate":"1990"}`, "{ [] [] [] [] []}"},
		{"one phone, however it is written", `{"telecom":[{"system":"phone","value":"+1 (303) 555-0177"},{"system":"sms","value":"303.555.0177 ext. 4"},{"system":"phone","value":"001 303 555 0177"}]}`, "{ [] [] [] [3035550177] []}"},
		{"a phone from abroad", `{"telecom":[{"system":"phone","value":"+49 30 901820"}]}`, "{ [] [] [] [4930901820] []}"},
		{"too short for a phone", `{"telecom":[{"system":"phone","value":"911"},{"system":"fax","value":"303 555 0100"}]}`, "{ [] [] [] [] []}"},
		{"an e-mail", `{"telecom":[{"system":"email","value":" Juniper@Example.ORG"},{"system":"email","value":"none"}]}`, "{ [] [] [] [] [juniper@example.org]}"},
		{"one element of a wrong type silences no other", `{"birthDate":"1990-04-01","name":"Roe","telecom":[{"system":"email","value":"a@b.c"}]}`, "{1990-04-01 [] [] [] [] [a@b.c]}"},
		{"a name in other letters", `{"name":[{"family":"Иванова","given":["Анна"]}]}`, "{ [иванова] [иванова] [анна] [] []}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := fmt.Sprint(read(test.body)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestWhatEvidenceCountsFor(t *testing.T) {
	is := func(says ...string) (e []fhir.Evidence) {
		for i, kind := range []string{fhir.EvidenceBirth, fhir.EvidenceFamily, fhir.EvidenceGiven, fhir.EvidencePhone, fhir.EvidenceMail}[:len(says)] {
			e = append(e, fhir.Evidence{Kind: kind, Says: says[i]})
		}
		return e
	}
	const yes, near, no, none = fhir.Agrees, fhir.Alike, fhir.Differs, fhir.Missing
	tests := []struct {
		name     string
		evidence []fhir.Evidence
		weight   int
	}{
		{"all but the birth date", is(no, yes, yes, yes, yes), 0},
		{"no birth date on file", is(none, yes, yes, yes, yes), 0},
		{"the birth date alone", is(yes, no, no, no, no), 0},
		{"and the given name", is(yes, no, yes, no), 2},
		{"and the family name", is(yes, yes, no, no), 3},
		{"and how it sounds, and the phone", is(yes, near, no, yes), 4},
		{"family name and phone", is(yes, yes, no, yes), 5},
		{"family and given name", is(yes, yes, yes, none), 5},
		{"everything", is(yes, yes, yes, yes, yes), 9},
		{"an identifier, and another birth date", append(is(no, no), fhir.Evidence{Kind: fhir.EvidenceIdentifier, Says: yes}), 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := fhir.Weight(test.evidence); got != test.weight {
				t.Errorf("weighs %d, want %d", got, test.weight)
			}
		})
	}
	for _, l := range []struct {
		link   fhir.Link
		likely bool
	}{
		{fhir.Link{How: fhir.Candidate}, true}, // of before evidence was kept
		{fhir.Link{How: fhir.Candidate, Evidence: is(yes, yes)}, false},
		{fhir.Link{How: fhir.Candidate, Evidence: is(yes, yes, yes)}, true},
		{fhir.Link{How: "person", Evidence: is(yes, yes, yes)}, false},
	} {
		if l.link.Likely() != l.likely {
			t.Errorf("%v: likely is %t", l.link, !l.likely)
		}
	}
}
