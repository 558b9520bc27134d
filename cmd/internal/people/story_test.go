package people

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
)

// A stranger learns from no answer, nor from the work that it takes, whether there is such a login.
func tellsNothing(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	v.join("ann", Owner)
	v.join("bo", Owner)
	_, _, err := v.Invite(v.ctx, "Ann", Profile{Login: "new", Name: "New", Roles: []Role{Reader}})
	v.must(err)
	gone := v.join("gone", Reader)
	_, err = v.Disable(v.ctx, "Ann", gone.ID)
	v.must(err)
	for _, c := range []struct{ login, password string }{
		{"ann", other}, {"nobody", good}, {"nobody", ""}, {"new", ""}, {"new", good}, {"gone", good}, {"gone", other}, {"", ""},
		{strings.Repeat("x", 1<<20), strings.Repeat("y", 1<<20)}, {"ann\x00", good}, {"' OR 1=1 --", good},
	} {
		before := v.hasher.computed.Load()
		_, err := v.Password(v.ctx, here, c.login, c.password)
		v.refused(cut(c.login, 20), err, ErrRefused)
		want(t, "what the answer says", err.Error(), ErrRefused.Error())
		want(t, "hashes for "+cut(c.login, 20), v.hasher.computed.Load()-before, 1)
	}
	for n := range 5 {
		_, err := v.Password(v.ctx, there, "nobody-at-all", good)
		v.refused(fmt.Sprint("nobody at all, ", n), err, ErrRefused)
		_, err = v.Password(v.ctx, there, "bo", other)
		v.refused(fmt.Sprint("bo, ", n), err, ErrRefused)
	}
	before := v.hasher.computed.Load()
	_, nobody := v.Password(v.ctx, there, "nobody-at-all", good)
	_, bo := v.Password(v.ctx, there, "bo", good)
	want(t, "both wait as long", v.waits("nobody", nobody), v.waits("bo", bo))
	want(t, "and nothing is computed", v.hasher.computed.Load(), before)
	for _, typed := range []string{"nobody", "OR 1=1", "xxx", other, good} {
		if strings.Contains(v.log(), typed) {
			t.Errorf("the audit log holds %q, as it was typed", typed)
		}
	}
}

func locksOut(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	ann := v.join("ann", Owner)
	bo := v.join("bo", Reader)
	again, _ := v.replica()
	houses := []*House{v.House, again}
	for n := range freeTries {
		_, err := houses[n%2].Password(v.ctx, there, " ANN ", other)
		v.refused("a wrong password", err, ErrRefused)
	}
	for _, h := range houses {
		_, err := ann.in(h)
		want(t, "the fifth shuts it, for the right password and at every replica", v.waits("ann", err), firstWait)
	}
	_, err := bo.in(v.House)
	v.must(err)
	wait := firstWait
	for range 8 {
		v.pass(wait)
		_, err := v.Password(v.ctx, there, "ann", other)
		v.refused("one more", err, ErrRefused)
		wait = min(2*wait, longWait)
		_, err = ann.in(v.House)
		want(t, "each more doubles it", v.waits("ann", err), wait)
	}
	v.pass(wait - time.Second)
	_, err = ann.in(v.House)
	want(t, "to the second", v.waits("ann", err), time.Second)
	v.pass(time.Second)
	_, err = ann.in(v.House)
	v.must(err)
	for range freeTries - 1 {
		_, err := v.Password(v.ctx, there, "ann", other)
		v.refused("it counts from the beginning", err, ErrRefused)
	}
	v.pass(time.Minute)
	_, err = ann.in(v.House)
	v.must(err)
	if n := strings.Count(v.log(), "sign-in: sign-in locked "+ann.ID+" password, "); n != 9 {
		t.Errorf("the lock-out is told %d times:\n%s", n, v.log())
	}
	v.whole("after all")
}

// A stranger who knows a login, and fails on purpose for ever, keeps out nobody who sits where they signed in before. What is
// tried there counts apart, and shuts that device too.
func strangersKeepNobodyOut(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	ann, bo := v.join("ann", Owner), v.join("bo", Reader)
	again, _ := v.replica()
	nonce, mark, _ := strings.Cut(v.Device(ann.ID), ".")
	known := From{Remote: there.Remote, Devices: []string{"x", v.Device(bo.ID), nonce + "." + mark}} // as the stranger's: a practice behind one address
	for failed, wait := 0, firstWait; failed < freeTries+3; failed++ {
		_, err := v.Password(v.ctx, there, "ann", other)
		v.refused("on purpose", err, ErrRefused)
		if failed >= freeTries-1 && failed < freeTries+2 {
			v.pass(wait)
			wait *= 2
		}
	}
	for n := range remoteFree {
		_, _ = v.Password(v.ctx, there, fmt.Sprint("login-", n), other)
	}
	for name, from := range map[string]From{
		"no device": here, "another's device": {Remote: here.Remote, Devices: []string{v.Device(bo.ID)}}, "nothing": {Remote: here.Remote, Devices: []string{"", ".", "x." + mark, nonce + ".", nonce}},
		"the device of nobody": {Remote: here.Remote, Devices: []string{v.Device("")}},
	} {
		if _, err := v.Password(v.ctx, from, "ann", good); v.waits(name, err) <= 0 {
			t.Errorf("%s: the door is open", name)
		}
	}
	for _, h := range []*House{v.House, again} {
		v.pass(time.Minute)
		passed, err := h.Password(v.ctx, known, "ann", good)
		v.must(err)
		_, err = h.Code(v.ctx, known, passed, ann.code())
		v.must(err)
		_, err = v.Password(v.ctx, here, "ann", good)
		v.waits("it forgives strangers nothing", err)
	}
	for range freeTries {
		_, err := v.Password(v.ctx, known, "ann", other)
		v.refused("a wrong password there", err, ErrRefused)
	}
	_, err := again.Password(v.ctx, known, "ann", good)
	want(t, "it shuts that device", v.waits("known", err), firstWait)
	_, err = v.Password(v.ctx, From{Remote: known.Remote, Devices: []string{v.Device(ann.ID)}}, "ann", good)
	v.must(err) // and no other
}

// The right password does not make guessing codes free.
func codesLockOut(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	ann := v.join("ann", Owner)
	for n := range freeTries {
		passed, err := v.Password(v.ctx, there, "ann", good)
		v.must(err)
		_, err = v.Code(v.ctx, there, passed, "000000")
		v.refused(fmt.Sprint("code ", n), err, ErrRefused)
	}
	_, err := v.Password(v.ctx, there, "ann", good)
	want(t, "locked", v.waits("ann", err), firstWait)
	v.pass(firstWait)
	_, err = ann.in(v.House)
	v.must(err)
}

func strangersAreHeldUp(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	ann := v.join("ann", Owner)
	for n := range remoteFree {
		_, err := v.Password(v.ctx, there, fmt.Sprint("login-", n), good)
		v.refused("guessing", err, ErrRefused)
	}
	before := v.hasher.computed.Load()
	_, err := v.Password(v.ctx, there, "ann", other)
	want(t, "held up", v.waits("there", err), remoteSpan)
	want(t, "at no cost", v.hasher.computed.Load(), before)
	failed, _, err := v.store.Tries(v.ctx, "ann")
	v.must(err)
	want(t, "and nobody is locked out by it", failed, 0)
	_, err = ann.in(v.House)
	v.must(err)
	if n := strings.Count(v.log(), "no such login"); n != 1 {
		t.Errorf("%d lines about strangers in one minute:\n%s", n, v.log())
	}
	v.pass(remoteSpan)
	_, err = v.Password(v.ctx, there, "login-0", other)
	v.refused("later", err, ErrRefused)
	if !strings.Contains(v.log(), "sign-in: sign-in refused  no such login, 20 more like it since the last") {
		t.Errorf("those left out are not told:\n%s", v.log())
	}
}

// Who succeeds is not held against whoever sits beside them: a practice has one address.
func oneAddress(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	ann := v.join("ann", Owner)
	for n := range remoteFree - 2 {
		_, err := v.Password(v.ctx, here, fmt.Sprint("typo-", n), good)
		v.refused("as it is", err, ErrRefused)
	}
	for n := range 2 * remoteFree {
		passed, err := v.Password(v.ctx, here, "ann", good)
		if err == nil && n%10 == 0 { // a code is new only every half minute
			v.pass(30 * time.Second)
			_, err = v.Code(v.ctx, here, passed, ann.code())
		}
		if err != nil {
			t.Fatalf("after %d that fit: %v", n, err)
		}
	}
}

// A flood of tries at one login made at once is no more tries than one after another.
func manyAtOnce(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	v.join("ann", Owner)
	again, _ := v.replica()
	var refused, others atomic.Int64
	var group sync.WaitGroup
	for n := range 12 {
		h := v.House
		if n%2 == 1 {
			h = again
		}
		group.Go(func() {
			if _, err := h.Password(v.ctx, there, "ann", other); errors.Is(err, ErrRefused) {
				refused.Add(1)
			} else {
				others.Add(1)
			}
		})
	}
	group.Wait()
	if refused.Load() > freeTries || refused.Load() == 0 || refused.Load()+others.Load() != 12 {
		t.Errorf("%d tries were made before it shut", refused.Load())
	}
	failed, _, err := v.store.Tries(v.ctx, "ann")
	v.must(err)
	want(t, "all are counted", failed, int(refused.Load()))
}

func noCodeTwice(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	ann := v.join("ann", Owner)
	again, _ := v.replica()
	halves := make([]Passed, 2)
	for i, h := range []*House{v.House, again} {
		var err error
		halves[i], err = h.Password(v.ctx, here, "ann", good)
		v.must(err)
	}
	code := ann.code()
	var in, refused atomic.Int64
	var group sync.WaitGroup
	for i, h := range []*House{v.House, again, v.House, again} {
		group.Go(func() {
			switch _, err := h.Code(v.ctx, here, halves[i%2], code); {
			case err == nil:
				in.Add(1)
			case errors.Is(err, ErrRefused):
				refused.Add(1)
			}
		})
	}
	group.Wait()
	want(t, "one came in", in.Load(), 1)
	want(t, "the others did not", refused.Load(), 3)
	v.must(v.store.ForgetTries(v.ctx, "ann"))
	v.pass(29 * time.Second) // near enough for that code, were it not taken
	passed, err := v.Password(v.ctx, here, "ann", good)
	v.must(err)
	_, err = v.Code(v.ctx, here, passed, code)
	v.refused("later", err, ErrRefused)
	v.pass(time.Minute)
	_, err = v.Code(v.ctx, here, passed, ann.code())
	v.must(err)
	v.pass(-time.Minute)
	_, err = v.Code(v.ctx, here, passed, ann.code())
	v.refused("the clock set back makes no old code new", err, ErrRefused)
}

func recoveryOnce(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	ann := v.join("ann", Owner)
	again, _ := v.replica()
	passed, err := v.Password(v.ctx, here, "ann", good)
	v.must(err)
	var in atomic.Int64
	var group sync.WaitGroup
	for _, h := range []*House{v.House, again} {
		group.Go(func() {
			a, err := h.Code(v.ctx, here, passed, strings.ToUpper(ann.recovery[3]))
			if err == nil && a.Recovery == recoveryCodes-1 {
				in.Add(1)
			}
		})
	}
	group.Wait()
	want(t, "one came in", in.Load(), 1)
	codes, err := v.NewRecovery(v.ctx, here, ann.ID, ann.code())
	v.must(err)
	want(t, "eight new ones", len(codes), recoveryCodes)
	_, err = v.Code(v.ctx, here, passed, ann.recovery[0])
	v.refused("the old ones are good no more", err, ErrRefused)
	v.pass(time.Minute)
	_, err = v.Code(v.ctx, here, passed, codes[0])
	v.must(err)
	_, err = v.NewRecovery(v.ctx, here, ann.ID, "000000")
	v.refused("for no code there are none", err, ErrRefused)
	if log := v.log(); !strings.Contains(log, "Ann: use recovery code "+ann.ID+" 7 left") || strings.Contains(log, ann.recovery[3]) {
		t.Errorf("the log:\n%s", log)
	}
}

func halfwayEnds(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	ann := v.join("ann", Owner)
	half := func() Passed {
		t.Helper()
		passed, err := v.Password(v.ctx, here, "ann", good)
		v.must(err)
		want(t, "they have a factor", passed.Enrol, false)
		return passed
	}
	passed := half()
	_, err := v.Enrol(v.ctx, passed)
	v.refused("with the password alone nobody gets another factor", err, ErrEnrolled)
	_, _, err = v.Confirm(v.ctx, here, passed, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "123456")
	v.refused("nor sets one up", err, ErrEnrolled)
	v.pass(halfway)
	_, err = v.Code(v.ctx, here, passed, ann.code())
	v.refused("ten minutes later", err, ErrOver)
	passed = half()
	_, err = v.SignOut(v.ctx, "Ann", ann.ID)
	v.must(err)
	_, err = v.Code(v.ctx, here, passed, ann.code())
	v.refused("signed out everywhere", err, ErrOver)
	forged := half()
	forged.Account = "p-nobody"
	_, err = v.Code(v.ctx, here, forged, ann.code())
	v.refused("of nobody", err, ErrOver)
	forged = half()
	forged.At = v.clock().Add(time.Hour)
	_, err = v.Code(v.ctx, here, forged, ann.code())
	v.refused("from the future", err, ErrOver)
}

func invitations(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	of := Profile{Login: "ann", Name: "Ann", Roles: []Role{Owner}}
	a, inv, err := v.Invite(v.ctx, "operator root", of)
	v.must(err)
	want(t, "it stands for three days", inv.Until, v.clock().Add(72*time.Hour))
	want(t, "and is told", a.Invited.Equal(inv.Until) && !a.Ready, true)
	for what, p := range map[string]Profile{"the login": {Login: "ANN", Name: "Other", Roles: of.Roles}, "the name": {Login: "other", Name: "ann ", Roles: of.Roles}} {
		_, _, err := v.Invite(v.ctx, "operator root", p)
		v.refused(what+" is taken", err, ErrTaken)
	}
	for _, token := range []string{"", "x", inv.Token[1:], inv.Token + "x", strings.ToLower(inv.Token), hashOf(inv.Token)} {
		_, err := v.Invited(v.ctx, token)
		v.refused("another token", err, ErrInvitation)
		before := v.hasher.computed.Load()
		_, err = v.Accept(v.ctx, token, good)
		v.refused("another token", err, ErrInvitation)
		want(t, "nothing is computed for it", v.hasher.computed.Load(), before)
	}
	who, err := v.Invited(v.ctx, inv.Token)
	v.must(err)
	want(t, "whom it invites", who.Name, "Ann")
	if _, err := v.Accept(v.ctx, inv.Token, "password1234"); err == nil || errors.Is(err, ErrInvitation) {
		t.Fatalf("a bad password: %v", err)
	}
	again, _ := v.replica()
	var in atomic.Int64
	var group sync.WaitGroup
	for _, h := range []*House{v.House, again, v.House} {
		group.Go(func() {
			if _, err := h.Accept(v.ctx, inv.Token, good); err == nil {
				in.Add(1)
			} else if !errors.Is(err, ErrInvitation) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	want(t, "it is used once, by whichever replica", in.Load(), 1)

	_, old, err := v.Reset(v.ctx, "operator root", a.ID, LostPassword)
	v.must(err)
	_, inv, err = v.Reset(v.ctx, "operator root", a.ID, LostPassword)
	v.must(err)
	_, err = v.Accept(v.ctx, old.Token, good)
	v.refused("replaced by a newer one", err, ErrInvitation)
	v.pass(72 * time.Hour)
	_, err = v.Accept(v.ctx, inv.Token, good)
	v.refused("three days later", err, ErrInvitation)
	list, err := v.Accounts(v.ctx)
	v.must(err)
	want(t, "and it is not told any more", list[0].Invited.IsZero(), true)

	_, inv, err = v.Reset(v.ctx, "operator root", a.ID, LostPassword)
	v.must(err)
	n, err := v.Withdraw(v.ctx, "operator root")
	v.must(err)
	want(t, "withdrawn", n, 1)
	_, err = v.Accept(v.ctx, inv.Token, good)
	v.refused("withdrawn", err, ErrInvitation)
	if strings.Contains(v.log(), inv.Token) {
		t.Error("the audit log holds a token")
	}
	v.whole("after all")
}

// What ends a session, and what does not.
func epochs(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	v.join("boss", Owner)
	as := Profile{Login: "tara", Name: "Tara", Roles: []Role{Therapist}}
	for i, c := range []struct {
		name string
		do   func(a Account) error
		over bool
	}{
		{"nothing", func(Account) error { return nil }, false},
		{"a second sign-in elsewhere", func(a Account) error {
			_, err := v.Password(v.ctx, here, a.Login, good)
			return err
		}, false},
		{"another name and e-mail address", func(a Account) error {
			p := as
			p.Therapist = "Dr. " + a.Name
			p.Login, p.Name, p.Email = a.Login, a.Name+" Vance", "tara@example.org"
			_, err := v.Change(v.ctx, "Boss", a.ID, p)
			return err
		}, false},
		{"other roles", func(a Account) error {
			p := as
			p.Therapist = "Dr. " + a.Name
			p.Login, p.Name, p.Roles = a.Login, a.Name, []Role{Therapist, Admin}
			_, err := v.Change(v.ctx, "Boss", a.ID, p)
			return err
		}, true},
		{"a reset", func(a Account) error { _, _, err := v.Reset(v.ctx, "Boss", a.ID, LostPassword); return err }, true},
		{"a lost phone", func(a Account) error { _, _, err := v.Reset(v.ctx, "Boss", a.ID, LostPhone); return err }, true},
		{"disabled", func(a Account) error { _, err := v.Disable(v.ctx, "Boss", a.ID); return err }, true},
		{"disabled and enabled", func(a Account) error {
			_, err := v.Disable(v.ctx, "Boss", a.ID)
			if err == nil {
				_, err = v.Enable(v.ctx, "Boss", a.ID)
			}
			return err
		}, true},
		{"signed out everywhere", func(a Account) error { _, err := v.SignOut(v.ctx, a.Name, a.ID); return err }, true},
		{"another password", func(a Account) error {
			now, err := v.ChangePassword(v.ctx, here, a.ID, good, other)
			if err == nil {
				_, err = v.Session(v.ctx, now.ID, now.Epoch) // the one in which it was changed goes on
			}
			return err
		}, true},
	} {
		p := v.join(fmt.Sprintf("tara%d", i), Therapist)
		v.must(c.do(p.Account))
		_, err := v.Session(v.ctx, p.ID, p.Epoch)
		if c.over != errors.Is(err, ErrOver) || !c.over && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	_, err := v.Session(v.ctx, "p-nobody", 1)
	v.refused("nobody's", err, ErrOver)
}

func resets(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	ann := v.join("ann", Owner)
	_, inv, err := v.Reset(v.ctx, "operator root", ann.ID, LostPassword)
	v.must(err)
	_, err = ann.in(v.House)
	v.refused("the old password is good no more", err, ErrRefused)
	passed, err := v.Accept(v.ctx, inv.Token, other)
	v.must(err)
	want(t, "whoever holds the link alone is not in", passed.Enrol, false)
	_, err = v.Code(v.ctx, here, passed, ann.code())
	v.must(err)

	a, inv, err := v.Reset(v.ctx, "operator root", ann.ID, LostPhone)
	v.must(err)
	want(t, "no factor", a.Enrolled || a.Recovery > 0 || a.Ready, false)
	fresh := v.accept(inv)
	if fresh.secret == ann.secret {
		t.Error("the lost phone's secret is used again")
	}
	passed, err = v.Password(v.ctx, here, "ann", good)
	v.must(err)
	_, err = v.Code(v.ctx, here, passed, ann.code())
	v.refused("the lost phone opens nothing", err, ErrRefused)
	_, err = v.Code(v.ctx, here, passed, ann.recovery[0])
	v.refused("nor do its recovery codes", err, ErrRefused)
}

func lastOwnerStays(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	ann := v.join("ann", Owner)
	demoted := Profile{Login: "ann", Name: "Ann", Roles: []Role{Admin}}
	stays := func(what string) {
		t.Helper()
		_, err := v.Disable(v.ctx, "Ann", ann.ID)
		v.refused(what+", disabled", err, ErrLastOwner)
		_, err = v.Change(v.ctx, "Ann", ann.ID, demoted)
		v.refused(what+", demoted", err, ErrLastOwner)
	}
	stays("alone")
	v.join("bo", Admin)
	stays("beside an admin")
	cy, inv, err := v.Invite(v.ctx, "Ann", Profile{Login: "cy", Name: "Cy", Roles: []Role{Owner}})
	v.must(err)
	stays("beside one who never came in")
	passed, err := v.Accept(v.ctx, inv.Token, good)
	v.must(err)
	want(t, "they set up a factor", passed.Enrol, true)
	stays("beside one without a second factor")
	_, _, err = v.Reset(v.ctx, "Ann", cy.ID, LostPassword)
	v.must(err)
	_, err = v.Disable(v.ctx, "Ann", cy.ID)
	v.must(err)
	stays("beside a disabled one")
	_, err = v.Disable(v.ctx, "Ann", cy.ID)
	v.must(err)
	_, _, err = v.Reset(v.ctx, "Ann", cy.ID, LostPassword)
	v.refused("a disabled one is enabled first", err, ErrDisabled)

	dee := v.join("dee", Owner)
	again, _ := v.replica()
	var group sync.WaitGroup
	var gone atomic.Int64
	for h, id := range map[*House]string{v.House: ann.ID, again: dee.ID} {
		group.Go(func() {
			if _, err := h.Disable(v.ctx, "race", id); err == nil {
				gone.Add(1)
			} else if !errors.Is(err, ErrLastOwner) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	want(t, "two owners who end each other at two replicas: one is left", gone.Load(), 1)
	for _, id := range []string{"p-nobody", ""} {
		_, err = v.Disable(v.ctx, "Ann", id)
		v.refused("nobody", err, ErrNoAccount)
	}
}

func looksInNeed(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	tara := v.join("tara", Therapist)
	for _, reason := range []string{"", "  ", "urgent", "a  b  c"} {
		_, err := v.BreakGlass(v.ctx, tara.Account, "c-1", reason)
		v.refused("a reason like "+reason, err, ErrReason)
	}
	g, err := v.BreakGlass(v.ctx, tara.Account, "c-1", "her husband called: she fell")
	v.must(err)
	want(t, "for an hour", g.Until.Sub(v.clock()), time.Hour)
	mine, err := v.Glass(v.ctx, tara.ID)
	v.must(err)
	want(t, "it stands", len(mine) == 1 && mine[0].Client == "c-1", true)
	v.must(v.store.Audit(v.ctx, "Tara", "view client", "c-1", ""))
	v.must(v.store.Audit(v.ctx, "Tara", "view client", "c-2", ""))
	lines, err := v.Looked(v.ctx, "c-1", 0, 10)
	v.must(err)
	want(t, "who looked, newest first", len(lines) == 2 && lines[0].Action == "view client" && lines[1].Action == "break glass" && lines[1].Actor == "Tara", true)
	older, err := v.Looked(v.ctx, "c-1", lines[0].Seq, 10)
	v.must(err)
	want(t, "page by page", len(older) == 1 && older[0] == lines[1], true)
	if strings.Contains(v.log(), "husband") {
		t.Error("the reason is in the audit log, which holds keys only")
	}
	v.pass(time.Hour)
	mine, err = v.Glass(v.ctx, tara.ID)
	v.must(err)
	want(t, "and ends", len(mine), 0)
	all, err := v.Glasses(v.ctx, morning)
	v.must(err)
	want(t, "the privacy officer sees it still", len(all) == 1 && all[0].Reason == "her husband called: she fell", true)
	_, err = v.SignOut(v.ctx, "Tara", tara.ID)
	v.must(err)
	_, err = v.BreakGlass(v.ctx, tara.Account, "c-1", "her husband called again")
	v.refused("not in a session that is over", err, ErrOver)
	op := v.join("op", Operator)
	_, err = v.BreakGlass(v.ctx, op.Account, "c-1", "I would like to know")
	v.refused("nor by an operator", err, ErrMayNot)
	v.whole("after all")
}

func rehashes(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	ann := v.join("ann", Owner)
	v.hasher = newHasher(Cost{Passes: 2, KiB: 128, Lanes: 1})
	_, err := v.Password(v.ctx, here, "ann", good)
	v.must(err)
	want(t, "compared, and hashed anew", v.hasher.computed.Load(), 2)
	p, err := v.person(v.ctx, ann.ID)
	v.must(err)
	want(t, "at the new cost", strings.HasPrefix(p.secrets.Password, "$argon2id$v=19$m=128,t=2,p=1$"), true)
	_, err = v.Session(v.ctx, ann.ID, ann.Epoch)
	v.must(err) // and nobody is signed out by it
	_, err = ann.in(v.House)
	v.must(err)
	want(t, "once", v.hasher.computed.Load(), 3)
	_, err = v.ChangePassword(v.ctx, here, ann.ID, other, "nine lanterns under the quay")
	v.refused("a wrong old password", err, ErrRefused)
	if _, err = v.ChangePassword(v.ctx, here, ann.ID, good, good); err == nil {
		t.Error("the same password is taken for another")
	}
	if _, err = v.ChangePassword(v.ctx, here, ann.ID, good, "password1234"); err == nil {
		t.Error("a bad password is taken")
	}
}

// Who may not wait is told so at once, and it is not held against them.
func busy(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	v.join("ann", Owner)
	for range atOnce {
		v.hasher.turn <- struct{}{} // they are computing
	}
	v.hasher.queue.Add(waiting + atOnce)
	_, err := v.Password(v.ctx, here, "ann", good)
	v.refused("too many wait", err, ErrBusy)
	failed, _, err := v.store.Tries(v.ctx, "ann")
	v.must(err)
	want(t, "which is nobody's failure", failed, 0)
	_, err = v.store.AccountOf(v.ctx, "p-nobody")
	v.refused("nobody", err, exchange.ErrNotFound)
}

func TestAHouseNeedsAStoreAndAClock(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("it was built on nothing")
	}
}
