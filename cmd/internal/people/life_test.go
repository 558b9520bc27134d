package people

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"pgregory.net/rapid"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// shelf is a Store in memory, for lives by the thousand; the real one is under the stories.
type shelf struct {
	Store
	by    map[string]exchange.Account
	steps map[string]int64
	at    fhir.Moment
}

func (s *shelf) Accounts(context.Context) ([]exchange.Account, fhir.Moment, error) {
	list := slices.Collect(maps.Values(s.by))
	slices.SortFunc(list, func(a, b exchange.Account) int { return strings.Compare(a.ID, b.ID) })
	return list, s.at, nil
}

func (s *shelf) AccountOf(_ context.Context, id string) (exchange.Account, error) {
	a, ok := s.by[id]
	if !ok {
		return a, exchange.ErrNotFound
	}
	return a, nil
}

func (s *shelf) KeepAccount(_ context.Context, _, _, _ string, asOf fhir.Moment, a exchange.Account) error {
	if asOf != s.at {
		return exchange.ErrConflict
	}
	s.at++
	s.by[a.ID] = a
	return nil
}

func (s *shelf) SignedIn(_ context.Context, _, _, id string, step int64) error {
	if step != 0 && step <= s.steps[id] {
		return exchange.ErrConflict
	}
	s.steps[id] = max(step, s.steps[id])
	return nil
}

func (s *shelf) Mark(parts ...string) string                                 { return strings.Join(parts, " ") }
func (s *shelf) Tries(context.Context, string) (int, time.Time, error)       { return 0, time.Time{}, nil }
func (s *shelf) CountTry(context.Context, string, int) error                 { return nil }
func (s *shelf) ReturnTry(context.Context, string, int, time.Time) error     { return nil }
func (s *shelf) ForgetTries(context.Context, string) error                   { return nil }
func (s *shelf) Audit(context.Context, string, string, string, string) error { return nil }

// held is what a life remembers of an account.
type held struct {
	id, secret string
	epoch      int64 // of the session they are in; 0 = none
	token      string
	until      time.Time
	disabled   bool
}

// Whatever owners do to one another in whatever order, somebody is left who can let others in; a session goes on exactly
// until something ends it; an invitation is good once, the newest only, and in its time; no code is good twice.
func TestWhateverIsDoneSomebodyIsLeftAndNothingIsGoodTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := morning
		s := &shelf{by: map[string]exchange.Account{}, steps: map[string]int64{}}
		h, err := New(Options{Store: s, Now: func() time.Time { return now }, Cost: Cost{Passes: 1, KiB: 8, Lanes: 1}})
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(err)
		ctx := context.Background()
		var all []*held
		var spent []string
		roles := func() []Role { return []Role{rapid.SampledFrom([]Role{Owner, Owner, Reader}).Draw(t, "role")} }
		invite := func() {
			n := len(all)
			r := roles()
			if n == 0 {
				r = []Role{Owner}
			}
			a, inv, err := h.Invite(ctx, "x", Profile{Login: fmt.Sprint("login", n), Name: fmt.Sprint("Name ", n), Roles: r})
			must(err)
			all = append(all, &held{id: a.ID, token: inv.Token, until: inv.Until})
		}
		invite()
		for range rapid.IntRange(5, 40).Draw(t, "acts") {
			p := rapid.SampledFrom(all).Draw(t, "who")
			now = now.Add(time.Duration(rapid.SampledFrom([]int{1, 31, 3600, 24 * 3600}).Draw(t, "later")) * time.Second)
			switch act := rapid.SampledFrom([]string{"invite", "accept", "accept", "sign in", "sign in", "reset", "phone", "disable", "enable", "roles", "out", "spent"}).Draw(t, "act"); act {
			case "invite":
				if len(all) < 4 {
					invite()
				}
			case "accept":
				fits := p.token != "" && now.Before(p.until) && !p.disabled
				passed, err := h.Accept(ctx, p.token, good)
				if fits != (err == nil) || err != nil && !errors.Is(err, ErrInvitation) {
					t.Fatalf("accepted: %v, want %v", err, fits)
				}
				if !fits {
					break
				}
				spent, p.token, p.epoch = append(spent, p.token), "", 0
				if passed.Enrol {
					f, err := h.Enrol(ctx, passed)
					must(err)
					code, err := totp.GenerateCode(f.Secret, now)
					must(err)
					a, _, err := h.Confirm(ctx, here, passed, f.Secret, code)
					must(err)
					p.secret, p.epoch = f.Secret, a.Epoch
				}
			case "sign in":
				a, err := h.Account(ctx, p.id)
				must(err)
				passed, err := h.Password(ctx, here, a.Login, good)
				if err != nil || passed.Enrol {
					if err == nil || a.Ready && !a.Disabled {
						t.Fatalf("%+v is not let in: %v", a, err)
					}
					break
				}
				code, err := totp.GenerateCode(p.secret, now)
				must(err)
				fresh := now.Unix()/30 > s.steps[p.id]
				in, err := h.Code(ctx, here, passed, code)
				if fresh != (err == nil) {
					t.Fatalf("a code that is fresh (%v): %v", fresh, err)
				}
				if err == nil {
					p.epoch = in.Epoch
				}
				if _, err := h.Code(ctx, here, passed, code); err == nil {
					t.Fatal("a code is good twice")
				}
			case "reset", "phone":
				lost := LostPassword
				if act == "phone" {
					lost = LostPhone
				}
				_, inv, err := h.Reset(ctx, "x", p.id, lost)
				if p.disabled != errors.Is(err, ErrDisabled) {
					t.Fatal(err)
				}
				if err == nil {
					if p.token != "" {
						spent = append(spent, p.token)
					}
					p.token, p.until, p.epoch = inv.Token, inv.Until, 0
				}
			case "disable":
				if _, err := h.Disable(ctx, "x", p.id); err == nil {
					p.disabled, p.epoch, p.token = true, 0, ""
				} else if !errors.Is(err, ErrLastOwner) {
					t.Fatal(err)
				}
			case "enable":
				_, err := h.Enable(ctx, "x", p.id)
				must(err)
				p.disabled, p.epoch = false, 0
			case "roles":
				a, err := h.Account(ctx, p.id)
				must(err)
				to := roles()
				_, err = h.Change(ctx, "x", p.id, Profile{Login: a.Login, Name: a.Name, Roles: to})
				if err == nil && !slices.Equal(to, a.Roles) {
					p.epoch = 0
				} else if err != nil && !errors.Is(err, ErrLastOwner) {
					t.Fatal(err)
				}
			case "out":
				_, err := h.SignOut(ctx, "x", p.id)
				must(err)
				p.epoch = 0
			case "spent":
				for _, token := range spent {
					if _, err := h.Accept(ctx, token, good); !errors.Is(err, ErrInvitation) {
						t.Fatalf("a spent invitation: %v", err)
					}
				}
			}
			owners := 0
			for _, p := range all {
				a, err := h.Account(ctx, p.id)
				must(err)
				if a.Is(Owner) {
					owners++
				}
				if _, err := h.Session(ctx, p.id, a.Epoch-1); !errors.Is(err, ErrOver) {
					t.Fatalf("a session of an earlier epoch: %v", err)
				}
				if p.epoch == 0 {
					continue
				}
				if _, err := h.Session(ctx, p.id, p.epoch); err != nil {
					t.Fatalf("%s: a session that nothing ended: %v", p.id, err)
				}
			}
			if owners == 0 {
				t.Fatal("nobody is left who could let anybody in")
			}
		}
	})
}

// What is stored is read by later releases: its shape is this.
func TestTheStoredShape(t *testing.T) {
	const kept = `{"login":"tara","name":"Tara","roles":["admin","therapist"],"therapist":"Dr. Tara","email":"tara@example.org","disabled":true,"epoch":7}`
	const secret = `{"password":"$argon2id$…","factor":"GEZD","recovery":["ab","cd"],"invite":"ef","until":"2026-03-06T16:15:00Z"}`
	p, err := personOf(exchange.Account{ID: "p-1", Facts: []byte(kept), Secrets: []byte(secret)})
	if err != nil {
		t.Fatal(err)
	}
	back, err := p.kept()
	if err != nil || string(back.Facts) != kept || string(back.Secrets) != secret {
		t.Errorf("%s\n%s\n%v", back.Facts, back.Secrets, err)
	}
	a := p.account(morning)
	if a.Login != "tara" || a.Invited.IsZero() || !a.Ready || !a.Enrolled || a.Recovery != 2 || !a.Disabled || a.Epoch != 7 {
		t.Errorf("%+v", a)
	}
	text, err := json.Marshal(a)
	if err != nil || strings.Contains(string(text), "argon2id") || strings.Contains(string(text), "GEZD") {
		t.Errorf("an account tells its secrets: %s %v", text, err)
	}
	for _, broken := range []exchange.Account{{ID: "p-1", Facts: []byte("{"), Secrets: []byte("{}")}, {ID: "p-1", Facts: []byte("{}"), Secrets: []byte("swordfish")}} {
		if _, err := personOf(broken); err == nil || strings.Contains(err.Error(), "swordfish") || !strings.Contains(err.Error(), "audit verify") {
			t.Errorf("%v", err)
		}
	}
}
