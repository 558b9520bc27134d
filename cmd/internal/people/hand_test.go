package people

import (
	"strings"
	"testing"
)

var (
	ada = Account{ID: "p-ada", Login: "ada", Name: "Ada Quill", Roles: []Role{Admin}}
	bo  = Account{ID: "p-bo", Login: "bo", Name: "Bo Reed", Roles: []Role{Owner}}
	cy  = Account{ID: "p-cy", Login: "cy", Name: "Cy", Disabled: true}
)

func TestWhoseHandItIsAtATerminal(t *testing.T) {
	all := []Account{ada, bo, cy}
	for _, r := range []struct {
		name, by, machine string
		accounts          []Account
		want              Hand
	}{
		{"nobody has an account", "", "operator ada", nil, Hand{Name: "operator ada"}},
		{"nobody has an account, and a name is given", " Grace  Low ", "operator ada", nil, Hand{Name: "Grace Low", Typist: "operator ada"}},
		{"the login is an account's", "", "operator ada", all, ada.Hand()},
		{"… on Windows", "", `operator PRACTICE\Ada`, all, ada.Hand()},
		{"… and says so, by login", "ada", "operator ada", all, ada.Hand()},
		{"… and says so, by name", "ada  quill", "operator ada", all, ada.Hand()},
		{"… for another account", "bo", "operator ada", all, Hand{Name: "Bo Reed", Account: "p-bo", Typist: "p-ada"}},
		{"… for nobody who is known", "Grace", "operator ada", all, Hand{Name: "Grace", Typist: "p-ada"}},
		{"the login is nobody's", "", "operator root", all, Hand{Name: "operator root"}},
		{"the login is nobody's, for an account", "Bo Reed", "operator root", all, Hand{Name: "Bo Reed", Account: "p-bo", Typist: "operator root"}},
	} {
		if got := AtTerminal(r.accounts, r.by, r.machine); got != r.want {
			t.Errorf("%s: %+v, want %+v", r.name, got, r.want)
		}
	}
}

// The same human is never both who enters and who confirms: at a terminal, in the console, under another name. Where that
// cannot be told they may not, and are told why.
func TestWhoIsASecondPerson(t *testing.T) {
	all := []Account{ada, bo, cy}
	at := func(by, machine string) Hand { return AtTerminal(all, by, machine) }
	for _, r := range []struct {
		name              string
		entered, confirms Hand
		why               string // "" = they may
	}{
		{"console, and another in the console", ada.Hand(), bo.Hand(), ""},
		{"console, and the same in the console", ada.Hand(), ada.Hand(), "whoever entered it"},
		{"terminal, and the same person in the console", at("", "operator ada"), ada.Hand(), "whoever entered it"},
		{"console, and the same person at the terminal", ada.Hand(), at("", "operator ada"), "whoever entered it"},
		{"terminal, and another in the console", at("", "operator ada"), bo.Hand(), ""},
		{"terminal, and another at a terminal", at("", "operator ada"), at("", "operator bo"), ""},
		{"terminal, and the same terminal for another", at("", "operator ada"), at("bo", "operator ada"), "this login is Ada Quill's"},
		{"terminal for another, and whoever typed it in the console", at("Bo Reed", "operator ada"), ada.Hand(), "whoever entered it"},
		{"terminal for another, and that one in the console", at("Bo Reed", "operator ada"), bo.Hand(), "whoever entered it"},
		{"terminal for nobody who is known, and another in the console", at("Grace", "operator ada"), bo.Hand(), ""},
		{"a login that is nobody's, and an account", at("", "operator root"), bo.Hand(), "operator root, who is no account"},
		{"a login that is nobody's, for an account, and another", at("Ada Quill", "operator root"), bo.Hand(), "the login of no account (operator root)"},
		{"console, and a login that is nobody's", ada.Hand(), at("", "operator root"), "operator root is the login of no account"},
		{"console, and a login that is nobody's, for another", ada.Hand(), at("bo", "operator root"), "operator root is the login of no account"},
		{"a name from before there were accounts, and an account", Hand{Name: "Grace"}, bo.Hand(), "entered by Grace, who is no account"},
		{"a login from before it was an account's, and that account", Hand{Name: "operator ada"}, ada.Hand(), "whoever entered it"},
		{"a login from before it was an account's, and another", Hand{Name: "operator ada"}, bo.Hand(), ""},
		{"an account under its name of then", Hand{Name: "Ada Vance", Account: "p-ada"}, ada.Hand(), "whoever entered it"},
		{"an account that is shut", ada.Hand(), at("", "operator cy"), "disabled"},
	} {
		err := Second(all, r.entered, r.confirms)
		if (err == nil) != (r.why == "") || err != nil && !strings.Contains(err.Error(), r.why) {
			t.Errorf("%s: %v, want %q", r.name, err, r.why)
		}
	}
	for _, r := range []struct {
		entered, confirms string
		may               bool
	}{{"ada", "Ada", false}, {"ada", "grace", true}, {"operator root", "grace", true}} {
		if err := Second(nil, Hand{Name: r.entered}, Hand{Name: r.confirms, Typist: "operator root"}); (err == nil) != r.may {
			t.Errorf("without accounts, %s and %s: %v", r.entered, r.confirms, err)
		}
	}
}
