package people

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Hand is whose hand something is by. A name alone anybody can say; whom the console let in, and whose login a machine has,
// is known.
type Hand struct {
	Name    string // how they are called
	Account string // the id of their account; "" = nobody's that is known
	Typist  string // who typed it for them: an account's id, or as the machine has it ("operator ada"); "" = they did
}

// Machine begins how somebody at a terminal is called, before their login on that machine.
const Machine = "operator"

// Hand is whoever is signed in.
func (a Account) Hand() Hand { return Hand{Name: a.Name, Account: a.ID} }

// AtTerminal is whose hand it is at a terminal: by is who they say they are, "" for nobody else than machine says.
//
//	by                       machine's login         it is
//	nobody else              an account's            that account
//	nobody else              nobody's                as the machine has it
//	an account, or a name    that same account's     that account
//	an account, or a name    any other               that account or name, typed by whoever has the login
func AtTerminal(accounts []Account, by, machine string) Hand {
	by = strings.Join(strings.Fields(by), " ")
	typist, known := logged(accounts, machine)
	of, found := called(accounts, by)
	switch {
	case by == "" || by == machine || known && found && of.ID == typist.ID:
		if known {
			return typist.Hand()
		}
		return Hand{Name: machine}
	case !found:
		of = Account{Name: by}
	}
	h := of.Hand()
	if h.Typist = machine; known {
		h.Typist = typist.ID
	}
	return h
}

// Second answers why whoever confirms is no second person beside whoever entered it; nil when they are. The same human is
// never both: where it cannot be told, they may not.
//
//	accounts   entered                        confirms                       may
//	none       any name                       another name                   yes: names are all there is
//	some       –                              at a login that is nobody's    no
//	some       –                              for somebody else              no
//	some       at a login that is nobody's    –                              no
//	some       by a name, nobody knows where  –                              no
//	some       by or for an account           the same account               no
//	some       by an account                  another account                yes
func Second(accounts []Account, entered, confirms Hand) error {
	if len(accounts) == 0 {
		if sameName(entered.Name, confirms.Name) {
			return errors.New(own + " (--by NAME, if you are not who this machine takes you for)")
		}
		return nil
	}
	with := func(id string) (Account, bool) {
		i := slices.IndexFunc(accounts, func(a Account) bool { return a.ID == id })
		if i < 0 {
			return Account{}, false
		}
		return accounts[i], true
	}
	me, known := with(confirms.Account)
	if confirms.Typist != "" || !known {
		at := confirms.Typist
		if at == "" {
			at = confirms.Name
		}
		if typist, ok := with(at); ok {
			return fmt.Errorf("this login is %s's, so the hub cannot tell that it is anybody else: whoever confirms signs in to the console, or uses a login of their own", typist.Name)
		}
		return fmt.Errorf("%s is the login of no account, so the hub cannot tell who confirms: sign in to the console and confirm there, or have an account with this machine's login", shortly(at))
	}
	if me.Disabled {
		return ErrDisabled
	}
	hand, told := with(entered.Account)
	switch {
	case entered.Typist != "":
		if hand, told = with(entered.Typist); !told {
			hand, told = logged(accounts, entered.Typist)
		}
	case !told:
		hand, told = logged(accounts, entered.Name)
	}
	switch {
	case told && hand.ID == me.ID, entered.Account == me.ID, sameName(entered.Name, me.Name), strings.EqualFold(entered.Name, me.Login):
		return errors.New(own)
	case !told && entered.Typist != "":
		return fmt.Errorf("it was typed under the login of no account (%s), so the hub cannot tell that it was not you: undo it and have it entered in the console, or make the account whose login that is", shortly(entered.Typist))
	case !told:
		return fmt.Errorf("it was entered by %s, who is no account, so the hub cannot tell that it was not you: undo it and have it entered in the console, or make the account whose login that is", shortly(entered.Name))
	}
	return nil
}

const own = "whoever entered it cannot confirm it: a second person compares it with what came, and confirms"

// logged is the account whose login a machine's user has.
func logged(accounts []Account, machine string) (Account, bool) {
	login, ok := strings.CutPrefix(machine, Machine+" ")
	if !ok {
		return Account{}, false
	}
	if _, user, domain := strings.Cut(login, `\`); domain { // as Windows has it
		login = user
	}
	return one(accounts, func(a Account) bool { return a.Login == loginOf(login) })
}

// called is the account that is called so: by login, else by name.
func called(accounts []Account, by string) (Account, bool) {
	if a, ok := one(accounts, func(a Account) bool { return a.Login == loginOf(by) }); ok {
		return a, true
	}
	return one(accounts, func(a Account) bool { return sameName(a.Name, by) })
}

func one(accounts []Account, is func(Account) bool) (Account, bool) {
	i := slices.IndexFunc(accounts, is)
	if i < 0 {
		return Account{}, false
	}
	return accounts[i], true
}

// shortly is a name for a sentence.
func shortly(name string) string { return cut(name, 80) }
