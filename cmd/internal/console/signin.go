package console

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// Door lets people in, in two steps. *people.House is one, and its errors are answered here.
type Door interface {
	Password(ctx context.Context, from people.From, login, password string) (people.Passed, error)
	Code(ctx context.Context, from people.From, passed people.Passed, code string) (people.Account, error)
	// Device is what a browser keeps where an account signed in, so that it is known there when strangers shut its door.
	Device(account string) string
	Enrolment
}

func (c *Console) signInRoutes() []route {
	return append([]route{
		{Pattern: "GET /sign-in", Everybody: true, do: (*visit).signInPage},
		{Pattern: "POST /sign-in", Everybody: true, do: (*visit).signIn},
		{Pattern: "GET /sign-in/code", Everybody: true, do: (*visit).codePage},
		{Pattern: "POST /sign-in/code", Everybody: true, do: (*visit).code},
		{Pattern: "POST /sign-out", Everybody: true, do: (*visit).signOut},
	}, c.enrolRoutes()...)
}

// What is kept of somebody who gave the right password, until they gave the code.
const (
	keyHalf      = "half" // whose account
	keyHalfEpoch = "half-epoch"
	keyHalfAt    = "half-at"
	keyHalfEnrol = "half-enrol"
	keyTo        = "to" // where they wanted to go
)

// signInPage asks for login and password.
type signInPage struct {
	frame
	To    string // where to go on
	Why   string // why one must sign in
	Login string
	tried
}

// tried is what came of a try that failed.
type tried struct {
	Wrong string    // what to do
	Until time.Time // when it may be tried again; zero = at once
}

// whys are why somebody is asked to sign in, by what stands in the address.
var whys = map[string]string{
	"idle":       "You were signed out because nothing happened for 20 minutes.",
	"day":        "You were signed out: a session lasts twelve hours at most.",
	"elsewhere":  "Your session was ended: by yourself elsewhere, or because your password, second factor or roles changed.",
	"out":        "You are signed out.",
	"everywhere": "You are signed out everywhere.",
	"late":       "Begin again, please: the code follows the password within ten minutes. If you read this at once, your browser keeps no cookie of this address.",
}

func (v *visit) signInPage() error {
	asks := v.r.URL.Query()
	to := within(asks.Get("to"))
	if v.who.ID != "" {
		return v.to(to)
	}
	why := asks.Get("why")
	if v.ended != "" {
		why = v.ended
	}
	return v.show("sign_in", signInPage{frame: v.frame("Sign in"), To: to, Why: whys[why]})
}

// signIn takes a password.
func (v *visit) signIn() error {
	if err := v.r.ParseForm(); err != nil {
		return unread(err)
	}
	if v.Guest != nil {
		return v.to("/")
	}
	to, login := within(v.r.PostForm.Get("to")), v.r.PostForm.Get("login")
	passed, err := v.Door.Password(v.ctx(), v.from(), login, v.r.PostForm.Get("password"))
	if err != nil {
		return v.again(err, "The login or the password does not fit. Try again.", func(status int, t tried) error {
			return v.send(status, "sign_in", signInPage{frame: v.frame("Sign in"), To: to, Login: login, tried: t})
		})
	}
	if err := v.halfway(passed, to); err != nil {
		return err
	}
	return v.to(next(passed))
}

// halfway keeps that somebody gave the right password. Whoever was signed in here is not any more.
func (v *visit) halfway(p people.Passed, to string) error {
	if err := errors.Join(v.sessions.Clear(v.ctx()), v.sessions.RenewToken(v.ctx())); err != nil {
		return err
	}
	v.sessions.Put(v.ctx(), keyHalf, p.Account)
	v.sessions.Put(v.ctx(), keyHalfEpoch, p.Epoch)
	v.sessions.Put(v.ctx(), keyHalfAt, p.At.UnixMilli())
	v.sessions.Put(v.ctx(), keyHalfEnrol, p.Enrol)
	v.sessions.Put(v.ctx(), keyTo, to)
	return nil
}

// half is who gave the right password; no Account when nobody did.
func (v *visit) half() people.Passed {
	return people.Passed{Account: v.sessions.GetString(v.ctx(), keyHalf), Epoch: v.sessions.GetInt64(v.ctx(), keyHalfEpoch),
		At: time.UnixMilli(v.sessions.GetInt64(v.ctx(), keyHalfAt)), Enrol: v.sessions.GetBool(v.ctx(), keyHalfEnrol)}
}

// next is where whoever gave the right password proves the rest.
func next(p people.Passed) string {
	if p.Enrol {
		return "/sign-in/factor"
	}
	return "/sign-in/code"
}

// codePage asks for the second factor.
type codePage struct {
	frame
	tried
}

func (v *visit) codePage() error {
	switch p := v.half(); {
	case p.Account == "":
		return v.to("/sign-in?why=late")
	case p.Enrol:
		return v.to(next(p))
	}
	return v.show("code", codePage{frame: v.frame("Your code")})
}

// code takes a code of the app, or a recovery code, and lets them in.
func (v *visit) code() error {
	if err := v.r.ParseForm(); err != nil {
		return unread(err)
	}
	passed := v.half()
	if passed.Account == "" {
		return v.to("/sign-in?why=late")
	}
	to := v.sessions.GetString(v.ctx(), keyTo)
	who, err := v.Door.Code(v.ctx(), v.from(), passed, v.r.PostForm.Get("code"))
	if err != nil {
		return v.again(err, "The code does not fit, or was used already. Wait for the next one and try again.", func(status int, t tried) error {
			return v.send(status, "code", codePage{frame: v.frame("Your code"), tried: t})
		})
	}
	if err := v.enter(who); err != nil {
		return err
	}
	if who.Recovery <= 2 {
		v.say("You have " + strconv.Itoa(who.Recovery) + " recovery codes left. Make new ones under your name.")
	}
	return v.to(within(to))
}

// enter signs somebody in.
func (v *visit) enter(who people.Account) error {
	v.remember(who.ID)
	return v.begin(v.ctx(), who, deviceOf(v.r), rand.Text()[:10], v.now)
}

// again answers a try that failed with the same form, or with what to do instead.
func (v *visit) again(err error, wrong string, show func(status int, t tried) error) error {
	wait, early := errors.AsType[*people.Wait](err)
	switch {
	case early:
		v.w.Header().Set("Retry-After", strconv.Itoa(int(wait.Until.Sub(v.now).Seconds())+1))
		return show(http.StatusTooManyRequests, tried{Until: wait.Until})
	case errors.Is(err, people.ErrRefused):
		return show(http.StatusUnprocessableEntity, tried{Wrong: wrong})
	case errors.Is(err, people.ErrBusy):
		return show(http.StatusServiceUnavailable, tried{Wrong: "Too many people sign in at this moment. Try again in a minute."})
	case errors.Is(err, people.ErrOver):
		if err := v.sessions.Destroy(v.ctx()); err != nil {
			return err
		}
		return v.to("/sign-in?why=late")
	}
	return err
}

// unread is why a form could not be read, and never with what stands in it.
func unread(err error) error {
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return err
	}
	return &refusal{http.StatusBadRequest, "That form could not be read", "Nothing was saved. Open the page again and send the form from there."}
}

// pageAsking is the page of ours that a part of it is asked for, as htmx tells; "/" when it does not.
func pageAsking(r *http.Request) string {
	u, err := url.Parse(r.Header.Get("HX-Current-URL"))
	if err != nil {
		return "/"
	}
	return within((&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String())
}

// signInPath is where somebody signs in, to come back to where they wanted to go.
func signInPath(to, why string) string {
	asks := url.Values{}
	if to != "/" {
		asks.Set("to", to)
	}
	if why != "" {
		asks.Set("why", why)
	}
	if len(asks) == 0 {
		return "/sign-in"
	}
	return "/sign-in?" + asks.Encode()
}

// within returns path when it is one of our own, else the first screen: nobody is sent on to another site.
func within(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

// signOut ends the session, here and in the store.
func (v *visit) signOut() error {
	if err := v.sessions.Destroy(v.ctx()); err != nil {
		return err
	}
	return v.to("/sign-in?why=out")
}
