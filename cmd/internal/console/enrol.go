package console

import (
	"context"
	"errors"
	"html/template"
	"net/http"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// Enrolment is how somebody comes in for the first time: by an invitation, with a password and a second factor.
type Enrolment interface {
	Invited(ctx context.Context, token string) (people.Account, error)
	Accept(ctx context.Context, token, password string) (people.Passed, error)
	Enrol(ctx context.Context, passed people.Passed) (people.Factor, error)
	Confirm(ctx context.Context, from people.From, passed people.Passed, secret, code string) (people.Account, []string, error)
}

func (c *Console) enrolRoutes() []route {
	return []route{
		{Pattern: "GET " + people.InvitePath + "{token}", Everybody: true, do: (*visit).invitation},
		{Pattern: "GET /invitation", Everybody: true, do: (*visit).invitationPage},
		{Pattern: "POST /invitation", Everybody: true, do: (*visit).accept},
		{Pattern: "GET /sign-in/factor", Everybody: true, do: (*visit).factorPage},
		{Pattern: "GET /sign-in/factor.png", Everybody: true, do: (*visit).factorImage},
		{Pattern: "POST /sign-in/factor", Everybody: true, do: (*visit).confirmFactor},
	}
}

// What is kept of somebody who is invited, or sets up a second factor.
const (
	keyInvited = "invited"
	keySecret  = "factor"
	keyURI     = "factor-uri"
	keyImage   = "factor-image"
)

var (
	staleInvitation = &refusal{http.StatusGone, "This invitation does not work", "It is used, over or replaced. Ask whoever sent it for a new one. If you came in by it before, sign in."}
	alreadyIn       = &refusal{http.StatusConflict, "Somebody is signed in here", "Sign out first, then open the link of the invitation again."}
)

// invitation takes the token out of the address, where others read it later, into the session.
func (v *visit) invitation() error {
	if v.who.ID != "" {
		return alreadyIn
	}
	token := v.r.PathValue("token")
	if _, err := v.Door.Invited(v.ctx(), token); err != nil {
		return invitationError(err)
	}
	if err := errors.Join(v.sessions.Clear(v.ctx()), v.sessions.RenewToken(v.ctx())); err != nil {
		return err
	}
	v.sessions.Put(v.ctx(), keyInvited, token)
	return v.to("/invitation")
}

func invitationError(err error) error {
	if errors.Is(err, people.ErrInvitation) {
		return staleInvitation
	}
	return err
}

// invitedPage asks for the first password, or the next.
type invitedPage struct {
	frame
	Name, Login string
	Wrong       string
}

func (v *visit) invitationPage() error {
	a, err := v.Door.Invited(v.ctx(), v.sessions.GetString(v.ctx(), keyInvited))
	if err != nil {
		return invitationError(err)
	}
	return v.show("invitation", invitedPage{frame: v.frame("Welcome"), Name: a.Name, Login: a.Login})
}

func (v *visit) accept() error {
	if err := v.r.ParseForm(); err != nil {
		return unread(err)
	}
	token := v.sessions.GetString(v.ctx(), keyInvited)
	a, err := v.Door.Invited(v.ctx(), token)
	if err != nil {
		return invitationError(err)
	}
	wrong := func(status int, says string) error {
		return v.send(status, "invitation", invitedPage{frame: v.frame("Welcome"), Name: a.Name, Login: a.Login, Wrong: says})
	}
	password := v.r.PostForm.Get("password")
	if password != v.r.PostForm.Get("again") {
		return wrong(http.StatusUnprocessableEntity, "The two passwords are not the same. Type both again.")
	}
	passed, err := v.Door.Accept(v.ctx(), token, password)
	if unfit, ok := errors.AsType[*people.Unfit](err); ok {
		return wrong(http.StatusUnprocessableEntity, spoken(unfit.Error()))
	}
	if errors.Is(err, people.ErrBusy) {
		return wrong(http.StatusServiceUnavailable, "Too many people sign in at this moment. Try again in a minute.")
	}
	if err != nil {
		return invitationError(err)
	}
	if err := v.halfway(passed, "/"); err != nil {
		return err
	}
	return v.to(next(passed))
}

// factorPage shows the second factor that is being set up.
type factorPage struct {
	frame
	Secret string
	URI    template.URL
	tried
}

// factor is the one that was offered in this session; the same however often it is shown.
func (v *visit) factor() (factorPage, error) {
	p := factorPage{frame: v.frame("Your second factor")}
	if v.sessions.GetString(v.ctx(), keySecret) == "" {
		f, err := v.Door.Enrol(v.ctx(), v.half())
		if err != nil {
			return p, err
		}
		v.sessions.Put(v.ctx(), keySecret, f.Secret)
		v.sessions.Put(v.ctx(), keyURI, f.URI)
		v.sessions.Put(v.ctx(), keyImage, f.PNG)
	}
	p.Secret = grouped(v.sessions.GetString(v.ctx(), keySecret))
	p.URI = template.URL(v.sessions.GetString(v.ctx(), keyURI)) //nolint:gosec // of people.Factor, which escapes the login in it
	return p, nil
}

func (v *visit) factorPage() error {
	switch p := v.half(); {
	case p.Account == "":
		return v.to("/sign-in?why=late")
	case !p.Enrol:
		return v.to(next(p))
	}
	p, err := v.factor()
	if errors.Is(err, people.ErrOver) || errors.Is(err, people.ErrEnrolled) {
		return v.to("/sign-in?why=late")
	}
	if err != nil {
		return err
	}
	return v.show("factor", p)
}

func (v *visit) factorImage() error {
	image := v.sessions.GetBytes(v.ctx(), keyImage)
	if len(image) == 0 {
		return missing
	}
	v.w.Header().Set("Content-Type", "image/png")
	_, _ = v.w.Write(image) // the asker has gone: nobody to tell
	return nil
}

// recoveryPage shows the recovery codes, this once.
type recoveryPage struct {
	frame
	Codes []string
	To    string
	First bool // with the second factor that was just set up
}

// confirmFactor has the second factor count, and lets them in. The codes stand in the answer itself: they are kept nowhere from
// where they could be shown again.
func (v *visit) confirmFactor() error {
	if err := v.r.ParseForm(); err != nil {
		return unread(err)
	}
	passed, secret := v.half(), v.sessions.GetString(v.ctx(), keySecret)
	if passed.Account == "" || secret == "" {
		return v.to("/sign-in?why=late")
	}
	to := within(v.sessions.GetString(v.ctx(), keyTo))
	who, codes, err := v.Door.Confirm(v.ctx(), v.from(), passed, secret, v.r.PostForm.Get("code"))
	if errors.Is(err, people.ErrEnrolled) {
		err = people.ErrOver
	}
	if err != nil {
		return v.again(err, "The code does not fit. Wait for the next one, and see that the phone's clock is right.", func(status int, t tried) error {
			p, err := v.factor()
			if err != nil {
				return err
			}
			p.tried = t
			return v.send(status, "factor", p)
		})
	}
	if err := v.enter(who); err != nil {
		return err
	}
	v.who = who
	return v.show("recovery", recoveryPage{frame: v.frame("Your recovery codes"), Codes: codes, To: to, First: true})
}

// grouped is a secret as one can read it off.
func grouped(secret string) string {
	var b []byte
	for i := range len(secret) {
		if i > 0 && i%4 == 0 {
			b = append(b, ' ')
		}
		b = append(b, secret[i])
	}
	return string(b)
}

// spoken is what an error says, as it stands on a page.
func spoken(says string) string {
	if says == "" {
		return ""
	}
	return string(says[0]-'a'+'A') + says[1:] + "."
}
