package people

import (
	"context"
	"errors"
	"slices"
)

// Change gives an account another profile. Other roles end its sessions. ErrTaken when another has the login or name,
// ErrLastOwner when nobody would be left to let others in.
func (h *House) Change(ctx context.Context, actor, id string, to Profile) (Account, error) {
	to, err := to.tidy()
	if err != nil {
		return Account{}, err
	}
	return h.shown(h.changeOne(ctx, id, func(p person, all []person) (step, error) {
		if taken(all, id, to) {
			return step{}, ErrTaken
		}
		before := p.facts.Roles
		p.facts.Login, p.facts.Name, p.facts.Roles, p.facts.Therapist, p.facts.Numbers, p.facts.Email = to.Login, to.Name, to.Roles, to.Therapist, to.Numbers, to.Email
		if !slices.Equal(before, to.Roles) {
			p.over()
		}
		if !p.owns() && lastOwner(all, id) {
			return step{}, ErrLastOwner
		}
		return step{p, actor, "change account", listed(to.Roles)}, nil
	}))
}

// Disable shuts an account and ends its sessions; an invitation to it ends as well. ErrLastOwner as for Change.
func (h *House) Disable(ctx context.Context, actor, id string) (Account, error) {
	return h.shown(h.changeOne(ctx, id, func(p person, all []person) (step, error) {
		if lastOwner(all, id) {
			return step{}, ErrLastOwner
		}
		p.facts.Disabled = true
		p.secrets.Invite = ""
		p.over()
		return step{p, actor, "disable account", ""}, nil
	}))
}

// Enable opens an account again, with the password and second factor that it had. ErrTaken when another is its therapist by now.
func (h *House) Enable(ctx context.Context, actor, id string) (Account, error) {
	return h.shown(h.changeOne(ctx, id, func(p person, all []person) (step, error) {
		if taken(all, id, Profile{Login: p.facts.Login, Name: p.facts.Name, Therapist: p.facts.Therapist, Numbers: p.facts.Numbers}) {
			return step{}, ErrTaken
		}
		p.facts.Disabled = false
		p.over()
		return step{p, actor, "enable account", ""}, nil
	}))
}

// SignOut ends every session of an account.
func (h *House) SignOut(ctx context.Context, actor, id string) (Account, error) {
	return h.shown(h.changeOne(ctx, id, func(p person, _ []person) (step, error) {
		p.over()
		return step{p, actor, "sign out everywhere", ""}, nil
	}))
}

// ChangePassword gives the holder of an account another password, for the one they have. Their other sessions end; the one
// they are in goes on when the console gives it the new epoch.
func (h *House) ChangePassword(ctx context.Context, from From, id, old, new string) (Account, error) {
	p, err := h.person(ctx, id)
	if err != nil {
		return Account{}, err
	}
	if err := mistakes(new, p); err != nil {
		return Account{}, err
	}
	if old == new {
		return Account{}, &Unfit{"the password is the one you have: take another"}
	}
	t, err := h.try(ctx, from, p.facts.Login, p.id)
	if err != nil {
		return Account{}, err
	}
	fits, _, err := h.hasher.fits(ctx, p.secrets.Password, old)
	if err != nil {
		return Account{}, t.void(ctx, err)
	}
	if !fits || p.facts.Disabled {
		return Account{}, t.fail(ctx, p, "password to change")
	}
	hash, err := h.hasher.hash(ctx, new)
	if err == nil {
		p, err = h.changeOne(ctx, id, func(now person, _ []person) (step, error) {
			if now.secrets.Password != p.secrets.Password || now.facts.Disabled {
				return step{}, ErrOver
			}
			now.secrets.Password = hash
			now.over()
			return step{now, now.facts.Name, "change password", ""}, nil
		})
	}
	return h.shown(p, t.void(ctx, err))
}

// NewRecovery replaces the recovery codes of an account, for a code of its second factor. They are told this once.
func (h *House) NewRecovery(ctx context.Context, from From, id, code string) ([]string, error) {
	p, err := h.person(ctx, id)
	if err != nil {
		return nil, err
	}
	t, err := h.try(ctx, from, p.facts.Login, p.id)
	if err != nil {
		return nil, err
	}
	if p, err = h.prove(ctx, p, code, "prove second factor"); errors.Is(err, ErrRefused) {
		return nil, t.fail(ctx, p, "code")
	} else if err != nil {
		return nil, t.void(ctx, err)
	}
	codes, hashes := newRecovery()
	_, err = h.changeOne(ctx, id, func(now person, _ []person) (step, error) {
		if now.secrets.Factor != p.secrets.Factor || now.facts.Disabled {
			return step{}, ErrOver
		}
		now.secrets.Recovery = hashes
		return step{now, now.facts.Name, "make recovery codes", ""}, nil
	})
	if err := t.void(ctx, err); err != nil {
		return nil, err
	}
	return codes, nil
}

// shown is a person as others may see them.
func (h *House) shown(p person, err error) (Account, error) {
	if err != nil {
		return Account{}, err
	}
	return p.account(h.now()), nil
}

// lastOwner reports whether nobody else could let people in: who never came in yet counts only beside another who did not.
func lastOwner(all []person, id string) bool {
	ready := false
	others := 0
	for _, p := range all {
		if p.id == id {
			if !p.owns() {
				return false
			}
			ready = p.secrets.Password != ""
		}
	}
	for _, p := range all {
		if p.id != id && p.owns() && (!ready || p.secrets.Password != "" && p.secrets.Factor != "") {
			others++
		}
	}
	return others == 0
}
