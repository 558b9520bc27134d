package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/store"
)

type userCommand struct {
	List    listUsers   `cmd:"" default:"withargs" help:"List everybody who may come in."`
	Add     addUser     `cmd:"" help:"Make an account and print the invitation to it, once."`
	Roles   userRoles   `cmd:"" help:"Give an account other roles; without a login, what each role may."`
	Reset   resetUser   `cmd:"" help:"Invite somebody again who lost their password or phone. Their sessions end."`
	Disable disableUser `cmd:"" help:"Shut an account. Its sessions end."`
	Enable  enableUser  `cmd:"" help:"Open an account again, as it was."`
}

// houseOf knows who may come in to the hub with that store.
func houseOf(s *scene, db *store.DB, title string) (*people.House, error) {
	return people.New(people.Options{Store: db, Now: s.now, Title: title})
}

// people opens the hub and its door. Whoever asks closes the hub.
func (s *scene) people(ctx context.Context) (*hub, *people.House, error) {
	h, err := s.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	house, err := houseOf(s, h.store, h.config.Hub.Name)
	if err != nil {
		h.close()
		return nil, nil, err
	}
	return h, house, nil
}

// account finds whose login it is.
func account(ctx context.Context, house *people.House, login string) (people.Account, error) {
	all, err := house.Accounts(ctx)
	if err != nil {
		return people.Account{}, err
	}
	for _, a := range all {
		if a.Login == strings.ToLower(strings.TrimSpace(login)) || a.ID == login {
			return a, nil
		}
	}
	return people.Account{}, people.ErrNoAccount
}

type listUsers struct {
	JSON bool `name:"json" help:"For a program."`
}

// shownUser is an account for a program.
type shownUser struct {
	ID        string        `json:"id"`
	Login     string        `json:"login"`
	Name      string        `json:"name"`
	Roles     []people.Role `json:"roles"`
	Therapist string        `json:"therapist,omitempty"`
	Numbers   []fhir.ID     `json:"numbers,omitempty"`
	State     string        `json:"state"`
	Seen      string        `json:"seen,omitempty"`
}

// Run lists accounts; nothing of what they prove themselves by.
func (c *listUsers) Run(ctx context.Context, s *scene) error {
	h, house, err := s.people(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	all, err := house.Accounts(ctx)
	if err != nil {
		return err
	}
	list := make([]shownUser, 0, len(all))
	for _, a := range all {
		u := shownUser{a.ID, a.Login, a.Name, a.Roles, a.Therapist, a.Numbers, h.goodFor(a), ""}
		if !a.Seen.IsZero() {
			u.Seen = h.local(a.Seen)
		}
		list = append(list, u)
	}
	if c.JSON {
		return s.json(list)
	}
	if len(list) == 0 {
		s.printf("Nobody may come in yet: kaphub user add LOGIN --name NAME --role owner makes the first account.\n")
		return nil
	}
	table := s.table("LOGIN", "NAME", "ROLES", "SHOWN AS", "STATE", "LAST SIGNED IN")
	for _, u := range list {
		seen, as := u.Seen, u.Therapist
		if seen == "" {
			seen = "never"
		}
		for _, id := range u.Numbers {
			as = strings.TrimSpace(as + " " + id.Shown())
		}
		if as == "" {
			as = "-"
		}
		table.row(u.Login, u.Name, rolesOf(u.Roles), as, u.State, seen)
	}
	return table.end()
}

// goodFor is what an account is good for at this moment.
func (h *hub) goodFor(a people.Account) string {
	switch {
	case a.Disabled:
		return "disabled"
	case !a.Invited.IsZero():
		return "invited until " + h.local(a.Invited)
	case !a.Ready:
		return "the invitation is over: reset it"
	case !a.Enrolled:
		return "no second factor yet: asked for at sign-in"
	}
	return "in use"
}

func rolesOf(roles []people.Role) string {
	list := make([]string, len(roles))
	for i, r := range roles {
		list[i] = string(r)
	}
	return strings.Join(list, ", ")
}

type addUser struct {
	Login     string        `arg:"" help:"What they type to sign in."`
	Name      string        `required:"" help:"How they are called, and whom the audit log names."`
	Role      []people.Role `required:"" placeholder:"ROLE" help:"What they do: owner, admin, therapist, privacy, reader or operator; more than one if need be."`
	Therapist string        `help:"The name under which the practice's records show them, for a therapist."`
	Number    []string      `placeholder:"NPI" help:"Their number in the practice's records, for a therapist: an NPI, or SYSTEM|VALUE."`
	Email     string        `help:"Their e-mail address."`
}

// Run makes an account.
func (c *addUser) Run(ctx context.Context, s *scene) error {
	h, house, err := s.people(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	of := people.Profile{Login: c.Login, Name: c.Name, Roles: c.Role, Therapist: c.Therapist, Email: c.Email}
	if of.Numbers, err = numbers(c.Number); err != nil {
		return err
	}
	a, inv, err := house.Invite(ctx, h.actor, of)
	if err != nil {
		return err
	}
	h.invite(s, a, inv)
	return nil
}

// numbers reads the numbers by which the records know somebody.
func numbers(words []string) (all []fhir.ID, err error) {
	for _, word := range words {
		id, ok := fhir.ParseID(word)
		if !ok {
			return nil, errors.New("--number must be an NPI of ten digits, or a number behind its system, like https://ehr.example/staff|17")
		}
		all = append(all, id)
	}
	return all, nil
}

// invite prints an invitation, which is told this once.
func (h *hub) invite(s *scene, a people.Account, inv people.Invitation) {
	s.printf("%s may come in as %s (%s). Give them this, by a way that only they read; it is shown once, works once, and until %s:\n\n    %s\n",
		a.Name, a.Login, rolesOf(a.Roles), h.local(inv.Until), link(h.config.Hub.PublicURL, inv))
	if h.config.Hub.PublicURL == "" {
		s.printf("\nIt follows the address under which people reach the hub: with hub.public_url in the config the whole link is printed.\n")
	}
}

func link(address string, inv people.Invitation) string {
	return strings.TrimSuffix(address, "/") + people.InvitePath + inv.Token
}

type userRoles struct {
	Login     string        `arg:"" optional:"" help:"Whose."`
	Role      []people.Role `placeholder:"ROLE" help:"All that they do from now on."`
	Therapist string        `help:"The name under which the practice's records show them, for a therapist."`
	Number    []string      `placeholder:"NPI" help:"Their number in the practice's records, for a therapist: an NPI, or SYSTEM|VALUE."`
}

// Run gives other roles, or tells what there are.
func (c *userRoles) Run(ctx context.Context, s *scene) error {
	if c.Login == "" {
		if len(c.Role) > 0 {
			return errors.New("whose roles? Name the login: kaphub user roles LOGIN --role ROLE")
		}
		table := s.table("ROLE", "SEES AND DOES")
		for _, r := range people.Roles() {
			table.row(string(r), r.Says())
		}
		return table.end()
	}
	h, house, err := s.people(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	a, err := account(ctx, house, c.Login)
	if err != nil {
		return err
	}
	if len(c.Role) == 0 {
		s.printf("%s: %s\n", a.Login, rolesOf(a.Roles))
		return nil
	}
	to := people.Profile{Login: a.Login, Name: a.Name, Roles: c.Role, Therapist: a.Therapist, Numbers: a.Numbers, Email: a.Email}
	if len(c.Number) > 0 {
		if to.Numbers, err = numbers(c.Number); err != nil {
			return err
		}
	}
	if c.Therapist != "" {
		to.Therapist = c.Therapist
	}
	if a, err = house.Change(ctx, h.actor, a.ID, to); err != nil {
		return err
	}
	s.printf("%s: %s. Whoever is signed in so signs in again.\n", a.Login, rolesOf(a.Roles))
	return h.store.Sessions().End(ctx, a.ID)
}

type resetUser struct {
	Login string `arg:"" help:"Whose."`
	Phone bool   `help:"They lost their phone: the second factor and the recovery codes end too."`
}

// Run invites again.
func (c *resetUser) Run(ctx context.Context, s *scene) error {
	lost := people.LostPassword
	if c.Phone {
		lost = people.LostPhone
	}
	return onAccount(ctx, s, c.Login, func(h *hub, house *people.House, id string) error {
		a, inv, err := house.Reset(ctx, h.actor, id, lost)
		if err != nil {
			return err
		}
		h.invite(s, a, inv)
		return nil
	})
}

type disableUser struct {
	Login string `arg:"" help:"Whose."`
}

// Run shuts an account.
func (c *disableUser) Run(ctx context.Context, s *scene) error {
	return onAccount(ctx, s, c.Login, func(h *hub, house *people.House, id string) error {
		a, err := house.Disable(ctx, h.actor, id)
		if err != nil {
			return err
		}
		s.printf("%s is disabled: nobody comes in by it any more. What %s did stays on record.\n", a.Login, a.Name)
		return nil
	})
}

type enableUser struct {
	Login string `arg:"" help:"Whose."`
}

// Run opens an account again.
func (c *enableUser) Run(ctx context.Context, s *scene) error {
	return onAccount(ctx, s, c.Login, func(h *hub, house *people.House, id string) error {
		a, err := house.Enable(ctx, h.actor, id)
		if err != nil {
			return err
		}
		s.printf("%s is enabled: %s.\n", a.Login, h.goodFor(a))
		return nil
	})
}

// onAccount does something to an account that ends its sessions.
func onAccount(ctx context.Context, s *scene, login string, do func(h *hub, house *people.House, id string) error) error {
	h, house, err := s.people(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	a, err := account(ctx, house, login)
	if err != nil {
		return err
	}
	if err := do(h, house, a.ID); err != nil {
		return fmt.Errorf("%s: %w", a.Login, err)
	}
	return h.store.Sessions().End(ctx, a.ID)
}
