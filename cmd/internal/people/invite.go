package people

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"time"
)

// Invitation is how somebody comes in for the first time, or again: once, and not after Until. The token is told this once
// and kept as its hash.
type Invitation struct {
	Token string
	Until time.Time
}

// invited is how long an invitation stands.
const invited = 72 * time.Hour

// InvitePath is where an invitation is accepted, below the hub's address; the token follows it.
const InvitePath = "/invitation/"

// newInvitation replaces whatever invitation there was.
func (p *person) newInvitation(now time.Time) Invitation {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	inv := Invitation{Token: base64.RawURLEncoding.EncodeToString(raw), Until: now.Add(invited)}
	p.secrets.Invite, p.secrets.Until = hashOf(inv.Token), inv.Until
	return inv
}

// Invite makes an account, with an invitation to it. ErrTaken when another has its login or name.
func (h *House) Invite(ctx context.Context, actor string, of Profile) (Account, Invitation, error) {
	of, err := of.tidy()
	if err != nil {
		return Account{}, Invitation{}, err
	}
	var inv Invitation
	p, err := h.change(ctx, func(all []person) (step, error) {
		if taken(all, "", of) {
			return step{}, ErrTaken
		}
		p := person{id: newID("p"), facts: facts{Login: of.Login, Name: of.Name, Roles: of.Roles, Therapist: of.Therapist, Numbers: of.Numbers, Email: of.Email, Epoch: 1}}
		inv = p.newInvitation(h.now())
		return step{p, actor, "invite", listed(of.Roles)}, nil
	})
	if err != nil {
		return Account{}, Invitation{}, err
	}
	return p.account(h.now()), inv, nil
}

// Lost is what somebody cannot come in without.
type Lost string

// What can be lost.
const (
	LostPassword Lost = "password" // the second factor stays as it is
	LostPhone    Lost = "phone"    // the second factor and its recovery codes end, and the password too
)

// Reset invites the holder of an account again and ends all their sessions. Their password is good no more.
func (h *House) Reset(ctx context.Context, actor, id string, lost Lost) (Account, Invitation, error) {
	var inv Invitation
	p, err := h.changeOne(ctx, id, func(p person, _ []person) (step, error) {
		if p.facts.Disabled {
			return step{}, ErrDisabled
		}
		p.secrets.Password = ""
		if lost == LostPhone {
			p.secrets.Factor, p.secrets.Recovery = "", nil
		}
		inv = p.newInvitation(h.now())
		p.over()
		return step{p, actor, "reset account", string(lost)}, nil
	})
	if err != nil {
		return Account{}, Invitation{}, err
	}
	return p.account(h.now()), inv, nil
}

// Invited returns the account that a token invites to; ErrInvitation when it does not, or not any more.
func (h *House) Invited(ctx context.Context, token string) (Account, error) {
	all, _, err := h.everybody(ctx)
	if err != nil {
		return Account{}, err
	}
	p, err := h.holder(all, token)
	if err != nil {
		return Account{}, err
	}
	return p.account(h.now()), nil
}

func (h *House) holder(all []person, token string) (person, error) {
	hash := hashOf(cut(token, 100))
	for _, p := range all {
		if p.secrets.Invite == hash && !p.facts.Disabled && h.now().Before(p.secrets.Until) {
			return p, nil
		}
	}
	return person{}, ErrInvitation
}

// Accept gives the account that a token invites to its password. The invitation is used with it. What is wrong with the
// password is said, and it can be tried again.
func (h *House) Accept(ctx context.Context, token, password string) (Passed, error) {
	all, _, err := h.everybody(ctx)
	if err != nil {
		return Passed{}, err
	}
	p, err := h.holder(all, token) // before anything is computed
	if err != nil {
		return Passed{}, err
	}
	if err := mistakes(password, p); err != nil {
		return Passed{}, err
	}
	hash, err := h.hasher.hash(ctx, password)
	if err != nil {
		return Passed{}, err
	}
	p, err = h.change(ctx, func(all []person) (step, error) {
		p, err := h.holder(all, token)
		if err != nil {
			return step{}, err
		}
		p.secrets.Password, p.secrets.Invite, p.secrets.Until = hash, "", time.Time{}
		p.over()
		return step{p, p.facts.Name, "accept invitation", ""}, nil
	})
	if err != nil {
		return Passed{}, err
	}
	return h.passed(p), h.store.ForgetTries(ctx, p.facts.Login)
}

// Withdraw ends every invitation. After a restore they may have been used already, of which the restored store knows
// nothing. It returns how many there were.
func (h *House) Withdraw(ctx context.Context, actor string) (int, error) {
	all, _, err := h.everybody(ctx)
	if err != nil {
		return 0, err
	}
	all = slices.DeleteFunc(all, func(p person) bool { return p.secrets.Invite == "" })
	for _, p := range all {
		if _, err := h.changeOne(ctx, p.id, func(p person, _ []person) (step, error) {
			p.secrets.Invite, p.secrets.Until = "", time.Time{}
			return step{p, actor, "withdraw invitation", ""}, nil
		}); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

// taken reports whether another account has the login or the name, or is the same therapist.
func taken(all []person, id string, of Profile) bool {
	return slices.ContainsFunc(all, func(p person) bool {
		return p.id != id && (p.facts.Login == of.Login || sameName(p.facts.Name, of.Name) || !p.facts.Disabled && (meet(p.facts.Numbers, of.Numbers) ||
			of.Therapist != "" && sameName(p.facts.Therapist, of.Therapist) && !differ(p.facts.Numbers, of.Numbers)))
	})
}
