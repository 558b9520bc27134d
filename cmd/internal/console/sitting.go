package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// Sessions keeps what is known of whom between two requests.
type Sessions interface {
	scs.CtxStore // keeps a token as its hash, and brings back nothing that was ended
	scs.IterableCtxStore
	// Own says whose a session is that was committed, so that it can be ended with the account's others.
	Own(ctx context.Context, token, account string) error
}

// How long somebody stays signed in.
const (
	idle  = 20 * time.Minute // without a request that a person made
	stay  = 12 * time.Hour   // at most: a working day
	blink = time.Minute      // requests as close as this are noted once
)

// What is kept of a visitor between two requests.
const (
	keyAccount = "account"
	keyEpoch   = "epoch"
	keyBegan   = "began"  // in milliseconds, as all times here
	keySeen    = "seen"   // the last request that a person made
	keyDevice  = "device" // as deviceOf names it
	keyMark    = "mark"   // by what the holder names one of their sessions
	keySaid    = "said"
)

// begin has a session be an account's, under a token that nobody knew before.
func (c *Console) begin(ctx context.Context, a people.Account, device, mark string, now time.Time) error {
	if err := errors.Join(c.sessions.Clear(ctx), c.sessions.RenewToken(ctx)); err != nil {
		return err
	}
	c.sessions.Put(ctx, keyAccount, a.ID)
	c.sessions.Put(ctx, keyEpoch, a.Epoch)
	c.sessions.Put(ctx, keyBegan, now.UnixMilli())
	c.sessions.Put(ctx, keySeen, now.UnixMilli())
	c.sessions.Put(ctx, keyDevice, device)
	c.sessions.Put(ctx, keyMark, mark)
	token, _, err := c.sessions.Commit(ctx)
	if err != nil {
		return err
	}
	return c.Sessions.Own(ctx, token, a.ID)
}

// sitting is one session of an account, as its holder sees it.
type sitting struct {
	Mark, Device string
	Began, Seen  time.Time
	Here         bool // the one that asks
	epoch        int64
	account      string
}

func (c *Console) sitting(ctx context.Context) sitting {
	at := func(key string) time.Time { return time.UnixMilli(c.sessions.GetInt64(ctx, key)) }
	return sitting{Mark: c.sessions.GetString(ctx, keyMark), Device: c.sessions.GetString(ctx, keyDevice), Began: at(keyBegan), Seen: at(keySeen),
		epoch: c.sessions.GetInt64(ctx, keyEpoch), account: c.sessions.GetString(ctx, keyAccount)}
}

// over is why a session has ended by itself; "" when it has not.
func (s sitting) over(now time.Time) string {
	switch {
	case now.Sub(s.Seen) >= idle+blink:
		return "idle"
	case now.Sub(s.Began) >= stay:
		return "day"
	}
	return ""
}

// sittings are the sessions of an account that stand, the newest first. each is called with the session's own context.
func (v *visit) sittings(account people.Account, each func(ctx context.Context, s sitting) error) ([]sitting, error) {
	here := v.sessions.GetString(v.ctx(), keyMark)
	var list []sitting
	err := v.sessions.Iterate(v.ctx(), func(ctx context.Context) error {
		s := v.sitting(ctx)
		if s.account != account.ID || s.epoch != account.Epoch || s.over(v.now) != "" {
			return nil
		}
		s.Here = s.Mark == here
		list = append(list, s)
		if each == nil {
			return nil
		}
		return each(ctx, s)
	})
	slices.SortFunc(list, func(a, b sitting) int { return b.Began.Compare(a.Began) })
	return list, err
}

// whoIs finds out who is signed in. A session that is over, or that ended elsewhere, is ended here.
func (v *visit) whoIs(rt route) error {
	if v.Guest != nil {
		v.who = *v.Guest
		return nil
	}
	s := v.sitting(v.ctx())
	if s.account == "" {
		return nil
	}
	if v.ended = s.over(v.now); v.ended != "" {
		return v.sessions.Destroy(v.ctx())
	}
	who, err := v.People.Session(v.ctx(), s.account, s.epoch)
	if errors.Is(err, people.ErrOver) || errors.Is(err, people.ErrNoAccount) {
		v.ended = "elsewhere"
		return v.sessions.Destroy(v.ctx())
	}
	if err != nil {
		return err
	}
	if v.who, err = v.told(who); err != nil {
		return err
	}
	if !rt.ByItself && v.now.Sub(s.Seen) >= blink {
		v.sessions.Put(v.ctx(), keySeen, v.now.UnixMilli())
	}
	return nil
}

// told is somebody as it can be told which of the practice's therapists they are.
func (v *visit) told(who people.Account) (people.Account, error) {
	if !who.Is(people.Therapist) {
		return who, nil
	}
	known, err := v.Staff.Known(v.ctx())
	if err != nil {
		return who, fmt.Errorf("which of the therapists %s is: %w", who.ID, err)
	}
	return known.Of(who), nil
}

// deviceOf is what somebody sits before, as they would call it. More of what a browser tells is not kept.
func deviceOf(r *http.Request) string {
	says := r.UserAgent()
	first := func(names [][2]string) string {
		for _, n := range names {
			if strings.Contains(says, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	browser := first([][2]string{{"Edg", "Edge"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"}})
	machine := first([][2]string{{"iPhone", "an iPhone"}, {"iPad", "an iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "a Chromebook"}, {"Macintosh", "a Mac"}, {"Linux", "Linux"}})
	switch {
	case browser == "" && machine == "":
		return "A browser"
	case machine == "":
		return browser
	case browser == "":
		return "A browser on " + machine
	}
	return browser + " on " + machine
}
