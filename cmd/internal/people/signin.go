package people

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
)

// Passed is what somebody holds who gave the right password and has yet to give a code. The console keeps it in the
// session, never on the page.
type Passed struct {
	Account string
	Epoch   int64
	At      time.Time
	Enrol   bool // they have no second factor yet: one is set up now
}

// halfway is how long a password that was given waits for the code.
const halfway = 10 * time.Minute

// stranger is whom the audit log names while nobody knows who it is.
const stranger = "sign-in"

// Password is the first step of signing in. ErrRefused does not tell what of it was wrong, nor does the time it takes; a
// *Wait that it was tried in vain too often, whether there is such a login or not.
func (h *House) Password(ctx context.Context, from From, login, password string) (Passed, error) {
	login = loginOf(login)
	p, err := h.byLogin(ctx, login)
	if err != nil {
		return Passed{}, err
	}
	t, err := h.try(ctx, from, login, p.id)
	if err != nil {
		return Passed{}, err
	}
	fits, old, err := h.hasher.fits(ctx, p.secrets.Password, password)
	if err != nil {
		return Passed{}, t.void(ctx, err)
	}
	if !fits || p.facts.Disabled {
		return Passed{}, t.fail(ctx, p, "password")
	}
	if err := t.void(ctx, nil); err != nil { // what follows counts by itself
		return Passed{}, err
	}
	if old {
		if err := h.rehash(ctx, p, password); err != nil {
			return Passed{}, err
		}
	}
	return h.passed(p), nil
}

func (h *House) passed(p person) Passed {
	return Passed{Account: p.id, Epoch: p.facts.Epoch, At: h.now(), Enrol: p.secrets.Factor == ""}
}

// Code is the second step: a code of the app, or one of the recovery codes, each of which is good once, whichever replica
// is asked. ErrOver means to begin again.
func (h *House) Code(ctx context.Context, from From, passed Passed, code string) (Account, error) {
	p, err := h.half(ctx, passed)
	if err == nil && p.secrets.Factor == "" {
		err = ErrOver
	}
	if err != nil {
		return Account{}, err
	}
	t, err := h.try(ctx, from, p.facts.Login, p.id)
	if err != nil {
		return Account{}, err
	}
	if p, err = h.prove(ctx, p, code, "signed in"); errors.Is(err, ErrRefused) {
		return Account{}, t.fail(ctx, p, "code")
	} else if err != nil {
		return Account{}, t.void(ctx, err)
	}
	return h.seen(p), t.fit(ctx)
}

// prove takes a code, once. It commits that they did what action says.
func (h *House) prove(ctx context.Context, p person, code, action string) (person, error) {
	code = typed(code)
	if len(code) != 6 {
		return h.recover(ctx, p, code, action)
	}
	step, err := stepOf(p.secrets.Factor, code, h.now())
	if err != nil {
		return p, err
	}
	if step == 0 {
		return p, ErrRefused
	}
	err = h.store.SignedIn(ctx, p.facts.Name, action, p.id, step)
	if errors.Is(err, exchange.ErrConflict) { // it was taken already
		return p, ErrRefused
	}
	return p, err
}

// recover takes a recovery code.
func (h *House) recover(ctx context.Context, was person, code, action string) (person, error) {
	if _, ok := without(was.secrets.Recovery, code); !ok {
		return was, ErrRefused
	}
	p, err := h.changeOne(ctx, was.id, func(p person, _ []person) (step, error) {
		left, ok := without(p.secrets.Recovery, code)
		if !ok || p.facts.Disabled || p.facts.Epoch != was.facts.Epoch {
			return step{}, ErrRefused
		}
		p.secrets.Recovery = left
		return step{p, p.facts.Name, "use recovery code", fmt.Sprintf("%d left", len(left))}, nil
	})
	if err != nil {
		return was, err
	}
	return p, h.store.SignedIn(ctx, p.facts.Name, action, p.id, 0)
}

// Enrol offers a new second factor to somebody who has none; ErrEnrolled when they have one.
func (h *House) Enrol(ctx context.Context, passed Passed) (Factor, error) {
	p, err := h.half(ctx, passed)
	if err != nil {
		return Factor{}, err
	}
	if p.secrets.Factor != "" {
		return Factor{}, ErrEnrolled
	}
	return newFactor(h.title, p.facts.Login)
}

// Confirm has a second factor that Enrol offered count, by a code of it, and signs in. The recovery codes are told this
// once.
func (h *House) Confirm(ctx context.Context, from From, passed Passed, secret, code string) (Account, []string, error) {
	p, err := h.half(ctx, passed)
	if err != nil {
		return Account{}, nil, err
	}
	if p.secrets.Factor != "" {
		return Account{}, nil, ErrEnrolled
	}
	t, err := h.try(ctx, from, p.facts.Login, p.id)
	if err != nil {
		return Account{}, nil, err
	}
	n, err := stepOf(secret, typed(code), h.now())
	if err != nil {
		return Account{}, nil, t.void(ctx, err)
	}
	if n == 0 {
		return Account{}, nil, t.fail(ctx, p, "first code")
	}
	codes, hashes := newRecovery()
	p, err = h.changeOne(ctx, p.id, func(p person, _ []person) (step, error) {
		switch {
		case p.facts.Disabled || p.facts.Epoch != passed.Epoch:
			return step{}, ErrOver
		case p.secrets.Factor != "":
			return step{}, ErrEnrolled
		}
		p.secrets.Factor, p.secrets.Recovery = secret, hashes
		return step{p, p.facts.Name, "add second factor", ""}, nil
	})
	if err != nil {
		return Account{}, nil, t.void(ctx, err)
	}
	err = h.store.SignedIn(ctx, p.facts.Name, "signed in", p.id, n)
	if errors.Is(err, exchange.ErrConflict) { // a code of this step was taken, but of the factor that went before
		err = h.store.SignedIn(ctx, p.facts.Name, "signed in", p.id, 0)
	}
	if err != nil {
		return Account{}, nil, t.void(ctx, err)
	}
	return h.seen(p), codes, t.fit(ctx)
}

// seen is the account of whom just signed in.
func (h *House) seen(p person) Account {
	p.seen = h.now()
	return p.account(h.now())
}

// half is the person who gave the right password a while ago; ErrOver when too long ago, or they may not come in any more.
func (h *House) half(ctx context.Context, passed Passed) (person, error) {
	p, err := h.person(ctx, passed.Account)
	age := h.now().Sub(passed.At)
	switch {
	case errors.Is(err, ErrNoAccount):
		return p, ErrOver
	case err != nil:
		return p, err
	case p.facts.Disabled || p.facts.Epoch != passed.Epoch || age < 0 || age >= halfway:
		return p, ErrOver
	}
	return p, nil
}

// byLogin is who has that login, or nobody.
func (h *House) byLogin(ctx context.Context, login string) (person, error) {
	all, _, err := h.everybody(ctx)
	if err != nil {
		return person{}, err
	}
	for _, p := range all {
		if p.facts.Login == login {
			return p, nil
		}
	}
	return person{}, nil
}

// try is one try to prove who one is. It is counted as failed before it is made, so that many made at once are not more.
type try struct {
	*House
	remote netip.Addr
	known  bool      // it is made at a device that the account signed in at
	login  string    // by which it counts: that device in its place
	failed int       // before it
	last   time.Time // when the last of them was
}

func (h *House) try(ctx context.Context, from From, login, account string) (*try, error) {
	device := h.known(from, account)
	if device != "" {
		login = "device " + device
	} else if until, ok := h.remotes.take(from.Remote, h.now()); !ok {
		return nil, errors.Join(&Wait{Until: until}, h.note(ctx, "sign-in held up", "one address"))
	}
	for range conflicts {
		failed, last, err := h.store.Tries(ctx, login)
		if err != nil {
			return nil, err
		}
		if until := opens(failed, last); h.now().Before(until) {
			return nil, &Wait{Until: until}
		}
		err = h.store.CountTry(ctx, login, failed)
		if err == nil {
			return &try{House: h, remote: from.Remote, known: device != "", login: login, failed: failed, last: last}, nil
		}
		if !errors.Is(err, exchange.ErrConflict) {
			return nil, err
		}
	}
	return nil, ErrBusy
}

// fail keeps that it failed, and at what.
func (t *try) fail(ctx context.Context, p person, at string) error {
	action := "sign-in refused"
	if t.failed+1 >= freeTries {
		action, at = "sign-in locked", fmt.Sprintf("%s, %d failed", at, t.failed+1)
	}
	if p.id == "" {
		return errors.Join(ErrRefused, t.note(ctx, "sign-in refused", "no such login"))
	}
	return errors.Join(ErrRefused, t.store.Audit(ctx, stranger, action, p.id, at))
}

func (t *try) giveBack() {
	if !t.known { // else nothing was taken
		t.remotes.giveBack(t.remote)
	}
}

// void takes it back: it came to nothing, or only halfway.
func (t *try) void(ctx context.Context, err error) error {
	t.giveBack()
	return errors.Join(err, t.store.ReturnTry(context.WithoutCancel(ctx), t.login, t.failed, t.last))
}

// fit forgets those that failed before.
func (t *try) fit(ctx context.Context) error {
	t.giveBack()
	return t.store.ForgetTries(ctx, t.login)
}

// note adds a line to the audit about strangers; once a minute, so that they cannot fill it.
func (h *House) note(ctx context.Context, action, detail string) error {
	left, ok := h.strange.may(h.now())
	if !ok {
		return nil
	}
	if left > 0 {
		detail = strings.Join([]string{detail, fmt.Sprintf("%d more like it since the last", left)}, ", ")
	}
	return h.store.Audit(ctx, stranger, action, "", detail)
}

// rehash keeps a password at today's cost. When there is no time for it, it waits for the next time.
func (h *House) rehash(ctx context.Context, was person, password string) error {
	hash, err := h.hasher.hash(ctx, password)
	if errors.Is(err, ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = h.changeOne(ctx, was.id, func(p person, _ []person) (step, error) {
		if p.secrets.Password != was.secrets.Password {
			return step{}, exchange.ErrConflict
		}
		p.secrets.Password = hash
		return step{p, "hub", "hash password anew", ""}, nil
	})
	if errors.Is(err, exchange.ErrConflict) {
		return nil
	}
	return err
}
