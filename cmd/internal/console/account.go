package console

import (
	"context"
	"errors"
	"net/http"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// Oneself is what the holder of an account changes about it.
type Oneself interface {
	ChangePassword(ctx context.Context, from people.From, id, old, new string) (people.Account, error)
	NewRecovery(ctx context.Context, from people.From, id, code string) ([]string, error)
	SignOut(ctx context.Context, actor, id string) (people.Account, error)
}

func (c *Console) accountRoutes() []route {
	return []route{
		{Pattern: "GET /account", SignedIn: true, do: (*visit).accountPage},
		{Pattern: "POST /account/password", SignedIn: true, do: (*visit).changePassword},
		{Pattern: "POST /account/recovery", SignedIn: true, do: (*visit).newRecovery},
		{Pattern: "POST /account/sign-out", SignedIn: true, do: (*visit).signOutOf},
	}
}

// home is the first screen that somebody may see.
func (v *visit) home() error {
	if v.who.Is(seeing...) {
		return v.today()
	}
	for _, s := range screens {
		if v.who.Is(s.may...) {
			return v.to(s.Path)
		}
	}
	return v.to("/account")
}

// accountPage is what somebody sees of themselves.
type accountPage struct {
	frame
	people.Account
	Invented bool // nobody signs in here: the demo
	Sittings []sitting
	Password tried
	Codes    tried
}

func (v *visit) accountPage() error {
	return v.showAccount(http.StatusOK, accountPage{})
}

func (v *visit) showAccount(status int, p accountPage) error {
	p.frame, p.Account, p.Invented = v.frame("Your account"), v.who, v.Guest != nil
	if !p.Invented {
		var err error
		if p.Sittings, err = v.sittings(v.who, nil); err != nil {
			return err
		}
	}
	return v.send(status, "account", p)
}

// invented answers who is nobody's account: in the demo.
var invented = &refusal{http.StatusConflict, "Nobody signs in to the demo", "There is no password and no session here to change."}

// onOwn reads a form about the visitor's own account.
func (v *visit) onOwn() error {
	if v.Guest != nil {
		return invented
	}
	if err := v.r.ParseForm(); err != nil {
		return unread(err)
	}
	return nil
}

func (v *visit) changePassword() error {
	if err := v.onOwn(); err != nil {
		return err
	}
	again := func(status int, t tried) error { return v.showAccount(status, accountPage{Password: t}) }
	word := v.r.PostForm.Get("password")
	if word != v.r.PostForm.Get("again") {
		return again(http.StatusUnprocessableEntity, tried{Wrong: "The two new passwords are not the same. Type both again."})
	}
	began := v.sessions.GetInt64(v.ctx(), keyBegan)
	who, err := v.Accounts.ChangePassword(v.ctx(), v.from(), v.who.ID, v.r.PostForm.Get("old"), word)
	if unfit, ok := errors.AsType[*people.Unfit](err); ok {
		return again(http.StatusUnprocessableEntity, tried{Wrong: spoken(unfit.Error())})
	}
	if err != nil {
		return v.again(err, "The password that you have now does not fit. Try again.", again)
	}
	if err := v.enter(who); err != nil { // under a token of its own
		return err
	}
	v.sessions.Put(v.ctx(), keyBegan, began) // the working day goes on
	v.say("Your password is changed. Wherever else you were signed in you are not any more.")
	return v.to("/account")
}

func (v *visit) newRecovery() error {
	if err := v.onOwn(); err != nil {
		return err
	}
	codes, err := v.Accounts.NewRecovery(v.ctx(), v.from(), v.who.ID, v.r.PostForm.Get("code"))
	if err != nil {
		return v.again(err, "The code does not fit, or was used already. Wait for the next one and try again.", func(status int, t tried) error {
			return v.showAccount(status, accountPage{Codes: t})
		})
	}
	return v.show("recovery", recoveryPage{frame: v.frame("Your recovery codes"), Codes: codes, To: "/account"})
}

// signOutOf ends one of the visitor's sessions, or all of them.
func (v *visit) signOutOf() error {
	if err := v.onOwn(); err != nil {
		return err
	}
	mark := v.r.PostForm.Get("session")
	if mark == "" {
		if _, err := v.Accounts.SignOut(v.ctx(), v.who.Name, v.who.ID); err != nil {
			return err
		}
		if err := v.sessions.Destroy(v.ctx()); err != nil {
			return err
		}
		return v.to("/sign-in?why=everywhere")
	}
	if mark == v.sessions.GetString(v.ctx(), keyMark) {
		return v.signOut()
	}
	found := false
	_, err := v.sittings(v.who, func(ctx context.Context, s sitting) error {
		if s.Mark != mark {
			return nil
		}
		found = true
		return v.sessions.Destroy(ctx)
	})
	if err != nil {
		return err
	}
	if v.say("That session had ended already."); found {
		v.say("That session is ended.")
	}
	return v.to("/account")
}
