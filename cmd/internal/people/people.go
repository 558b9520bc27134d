// Package people owns who may come in: accounts and their roles, by what a person proves who they are, and when a door
// stays shut.
package people

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Role is what somebody does at the practice. An account has one or more; what it may is all that any of them may.
//
//	             clients   dose, scores,  enter and   sealed   settings,  accounts  sources,  who looked,  may break
//	             seen      narrative      settle      records  rules                jobs      and in need  the glass
//	owner        all       yes            yes         -        yes        yes       yes       yes          -
//	admin        all       -              yes         -        yes        -         yes       -            -
//	therapist    own       yes            own         -        -          -         -         -            yes
//	privacy      all       yes            -           yes      -          -         -         yes          -
//	reader       all       yes            -           -        -          -         -         -            -
//	operator     none      -              -           -        -          -         yes       -            -
type Role string

// The roles.
const (
	Owner     Role = "owner"
	Admin     Role = "admin"
	Therapist Role = "therapist"
	Privacy   Role = "privacy"
	Reader    Role = "reader"
	Operator  Role = "operator"
)

// Roles are all roles, in the order in which they are shown.
func Roles() []Role { return []Role{Owner, Admin, Therapist, Privacy, Reader, Operator} }

// Title is the role as shown.
func (r Role) Title() string {
	switch r {
	case Privacy:
		return "privacy officer"
	case Reader:
		return "read-only"
	}
	return string(r)
}

// Says is what the role may, in a line.
func (r Role) Says() string {
	switch r {
	case Owner:
		return "everything but sealed records; invites and ends accounts"
	case Admin:
		return "every client, the desk, exchange and settings; no dose, score or narrative of an event"
	case Therapist:
		return "their own clients, with the arrival checks and what they learn; others' with a reason, for an hour"
	case Privacy:
		return "every client to look at, sealed records, who looked at whom"
	case Reader:
		return "every client to look at; changes nothing"
	case Operator:
		return "sources, jobs and deliveries without their content; no client data"
	}
	return ""
}

// Account is one person's way in.
type Account struct {
	ID        string    // a hub key
	Login     string    // what is typed, in lower case
	Name      string    // how they are called, and whom the audit log names
	Roles     []Role    // in the order of Roles
	Therapist string    // as the practice's records show them; "" unless they see clients of their own
	Numbers   []fhir.ID // by which the practice's records know them
	Email     string    // "" = none
	Disabled  bool
	Epoch     int64 // a session that began under an earlier one is over

	Seen     time.Time // when they last signed in; zero = never
	Invited  time.Time // until when an invitation stands; zero = none does
	Ready    bool      // they chose a password
	Enrolled bool      // they have a second factor
	Recovery int       // recovery codes that are left
}

// Is reports whether the account has any of these roles. A disabled one has none.
func (a Account) Is(roles ...Role) bool {
	return !a.Disabled && slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(a.Roles, r) })
}

// Sight is how much of a client an account sees.
type Sight int

// From nothing to everything that is not sealed.
const (
	Nothing Sight = iota // not that there is such a client
	Records              // whether the records are in order; no dose, score or what is told of an event
	Whole
)

// Sight is how much the account sees of a client of these therapists. Somebody who is admin and therapist sees the whole of
// their own clients, and of others whether the records are in order. Which of them it is, Known.Of has made sure.
func (a Account) Sight(therapists ...fhir.Therapist) Sight {
	switch {
	case a.Is(Owner, Privacy, Reader):
		return Whole
	case a.treats(therapists):
		return Whole
	case a.Is(Admin):
		return Records
	}
	return Nothing
}

// Confidant reports whether the account is told what is for a client's therapist only: it is one of theirs, or the owner's.
func (a Account) Confidant(therapists ...fhir.Therapist) bool {
	return a.Is(Owner) || a.treats(therapists)
}

// SeesAll reports whether the account sees something of every client.
func (a Account) SeesAll() bool { return a.Is(Owner, Admin, Privacy, Reader) }

// Profile is what others say of a person: all of an account that is not its holder's own.
type Profile struct {
	Login, Name string
	Roles       []Role
	Therapist   string
	Numbers     []fhir.ID // as Account.Numbers
	Email       string
}

var loginForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{1,63}$`)

// Check says what is wrong with a profile, nil when nothing is.
func (p Profile) Check() error {
	_, err := p.tidy()
	return err
}

// tidy brings a profile into the form in which it is kept, or says what is wrong with it.
func (p Profile) tidy() (Profile, error) {
	p.Login = loginOf(p.Login)
	for _, text := range []*string{&p.Name, &p.Therapist} {
		*text = oneName(*text)
	}
	p.Email = strings.TrimSpace(p.Email)
	var wrong []error
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if !loginForm.MatchString(p.Login) {
		add("the login must be 2 to 64 letters a-z, digits and . _ - @ +, and begin with a letter or digit")
	}
	first, _, _ := strings.Cut(strings.ToLower(p.Name), " ")
	switch {
	case p.Name == "":
		add("a name is missing: it is how the audit log calls them")
	case len(p.Name) > 80 || len(p.Therapist) > 120 || strings.ContainsFunc(p.Name+p.Therapist, func(r rune) bool { return !unicode.IsPrint(r) }):
		add("a name must be up to 80 characters that can be printed")
	case strings.ContainsAny(p.Name, "()<>"), first == "operator", first == "hub", first == "sign-in":
		add("the name could be taken for another's in the audit log: leave out brackets, and do not begin with operator, hub or sign-in")
	}
	if len(p.Roles) == 0 {
		add("a role is missing: give one of %s", listed(Roles()))
	}
	var roles []Role
	for _, r := range Roles() {
		if slices.Contains(p.Roles, r) {
			roles = append(roles, r)
		}
	}
	for _, r := range p.Roles {
		if !slices.Contains(roles, r) {
			add("%q is no role: give one of %s", cut(string(r), 20), listed(Roles()))
		}
	}
	p.Roles = roles
	if slices.Contains(roles, Therapist) && p.Therapist == "" && len(p.Numbers) == 0 {
		add("a therapist needs the name under which the practice's records show them, or their number there: without it nobody is their client")
	}
	for _, id := range p.Numbers {
		if parsed, ok := fhir.ParseID(id.Token()); !ok || parsed != id {
			add("%q is no number of a person: write an NPI as its ten digits, any other number behind its system, like https://ehr.example/staff|17", cut(id.Value, 40))
		}
	}
	if address, err := mail.ParseAddress(p.Email); p.Email != "" && (err != nil || address.Address != p.Email || len(p.Email) > 200) {
		add("the e-mail address cannot be read: write it like ann@example.org")
	}
	return p, errors.Join(wrong...)
}

// loginOf is a login as it is kept, and as it is looked for.
func loginOf(typed string) string { return cut(strings.ToLower(strings.TrimSpace(typed)), 200) }

func sameName(a, b string) bool { return plain(a) == plain(b) }

// oneName is a name as it is kept: with its accents in one character each, however they were typed.
func oneName(name string) string { return norm.NFC.String(strings.Join(strings.Fields(name), " ")) }

func listed(roles []Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = string(r)
	}
	return strings.Join(words, ", ")
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// person is an account with what it keeps to itself.
type person struct {
	id      string
	facts   facts
	secrets secrets
	seen    time.Time
}

// facts are kept as JSON, in every version of the account.
type facts struct {
	Login     string    `json:"login"`
	Name      string    `json:"name"`
	Roles     []Role    `json:"roles"`
	Therapist string    `json:"therapist,omitempty"`
	Numbers   []fhir.ID `json:"numbers,omitempty"`
	Email     string    `json:"email,omitempty"`
	Disabled  bool      `json:"disabled,omitempty"`
	Epoch     int64     `json:"epoch"`
}

// secrets are kept as JSON, encrypted, in the newest version only.
type secrets struct {
	Password string    `json:"password,omitempty"` // argon2id, as a PHC string
	Factor   string    `json:"factor,omitempty"`   // what the second factor's codes are made of
	Recovery []string  `json:"recovery,omitempty"` // SHA-256 of each code that is left
	Invite   string    `json:"invite,omitempty"`   // SHA-256 of the invitation's token
	Until    time.Time `json:"until,omitzero"`     // of the invitation
}

func personOf(kept exchange.Account) (person, error) {
	p := person{id: kept.ID, seen: kept.Seen}
	if errors.Join(json.Unmarshal(kept.Facts, &p.facts), json.Unmarshal(kept.Secrets, &p.secrets)) != nil {
		return p, fmt.Errorf("account %s is damaged: run `kaphub audit verify`", kept.ID)
	}
	return p, nil
}

func (p person) kept() (exchange.Account, error) {
	f, wrong := json.Marshal(p.facts)
	s, err := json.Marshal(p.secrets) //nolint:gosec // hashes, and the store encrypts them
	return exchange.Account{ID: p.id, Facts: f, Secrets: s}, errors.Join(wrong, err)
}

// account is the person as others may see them.
func (p person) account(now time.Time) Account {
	a := Account{ID: p.id, Login: p.facts.Login, Name: p.facts.Name, Roles: slices.Clone(p.facts.Roles), Therapist: p.facts.Therapist,
		Numbers: slices.Clone(p.facts.Numbers), Email: p.facts.Email, Disabled: p.facts.Disabled, Epoch: p.facts.Epoch, Seen: p.seen,
		Ready: p.secrets.Password != "", Enrolled: p.secrets.Factor != "", Recovery: len(p.secrets.Recovery)}
	if p.secrets.Invite != "" && now.Before(p.secrets.Until) {
		a.Invited = p.secrets.Until
	}
	return a
}

func (p person) owns() bool { return !p.facts.Disabled && slices.Contains(p.facts.Roles, Owner) }

// over ends every session that the person has.
func (p *person) over() { p.facts.Epoch++ }
