package people

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/fhir/store/storetest"
)

var (
	morning = time.Date(2026, 3, 3, 16, 15, 0, 0, time.UTC)
	here    = From{Remote: netip.MustParseAddr("192.0.2.7")}
	there   = From{Remote: netip.MustParseAddr("198.51.100.9")}
	cheap   = Cost{Passes: 1, KiB: 64, Lanes: 1}
	key     = store.NewKey()
)

const (
	good  = "quiet lantern over teal rivers"
	other = "seven brass kettles in the attic"
)

// village is a store with one House or more before it, on one clock.
type village struct {
	testing.TB
	*House
	ctx   context.Context
	store *store.DB
	at    atomic.Int64
	dsn   string
}

func newVillage(t testing.TB, dsn string) *village {
	v := &village{TB: t, ctx: t.Context(), dsn: dsn}
	v.at.Store(morning.UnixNano())
	v.House, v.store = v.replica()
	return v
}

func (v *village) clock() time.Time { return time.Unix(0, v.at.Load()).UTC() }

func (v *village) pass(d time.Duration) { v.at.Add(int64(d)) }

// replica is another process before the same store.
func (v *village) replica() (*House, *store.DB) {
	v.Helper()
	db, err := store.Open(v.ctx, store.Options{DSN: v.dsn, Key: key, Now: v.clock})
	v.must(err)
	v.Cleanup(func() { v.must(db.Close()) })
	h, err := New(Options{Store: db, Now: v.clock, Title: "Reverie", Cost: cheap})
	v.must(err)
	return h, db
}

func (v *village) must(err error) {
	v.Helper()
	if err != nil {
		v.Fatal(err)
	}
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func (v *village) refused(what string, err, because error) {
	v.Helper()
	if !errors.Is(err, because) {
		v.Fatalf("%s: got %v, want %v", what, err, because)
	}
}

func (v *village) waits(what string, err error) time.Duration {
	v.Helper()
	w, ok := errors.AsType[*Wait](err)
	if !ok {
		v.Fatalf("%s: got %v, want to wait", what, err)
	}
	return w.Until.Sub(v.clock())
}

// phone is somebody with an account and an authenticator app.
type phone struct {
	*village
	Account
	secret   string
	recovery []string
}

func (p *phone) code() string {
	p.Helper()
	code, err := totp.GenerateCode(p.secret, p.clock())
	p.must(err)
	return code
}

// join invites somebody, who accepts, and is in.
func (v *village) join(login string, roles ...Role) *phone {
	v.Helper()
	of := Profile{Login: login, Name: strings.ToUpper(login[:1]) + login[1:], Roles: roles}
	if of.Therapist = ""; len(roles) > 0 && roles[0] == Therapist {
		of.Therapist = "Dr. " + of.Name
	}
	_, inv, err := v.Invite(v.ctx, "operator root", of)
	v.must(err)
	return v.accept(inv)
}

func (v *village) accept(inv Invitation) *phone {
	v.Helper()
	passed, err := v.Accept(v.ctx, inv.Token, good)
	v.must(err)
	want(v, "a second factor is set up", passed.Enrol, true)
	factor, err := v.Enrol(v.ctx, passed)
	v.must(err)
	p := &phone{village: v, secret: factor.Secret}
	p.Account, p.recovery, err = v.Confirm(v.ctx, here, passed, factor.Secret, p.code())
	v.must(err)
	v.pass(time.Minute) // that code is used
	return p
}

// in signs in.
func (p *phone) in(h *House) (Account, error) {
	passed, err := h.Password(p.ctx, here, p.Login, good)
	if err != nil {
		return Account{}, err
	}
	return h.Code(p.ctx, here, passed, p.code())
}

func (v *village) whole(what string) {
	v.Helper()
	report, err := v.store.VerifyAudit(v.ctx, nil)
	v.must(err)
	if len(report.Altered)+len(report.Broken) > 0 {
		v.Fatalf("%s: %+v", what, report)
	}
}

// log is what the audit log says was done, oldest first.
func (v *village) log() string {
	v.Helper()
	lines, err := v.store.AuditLog(v.ctx, 0, 10_000)
	v.must(err)
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.Actor + ": " + l.Action + " " + l.Subject + " " + l.Detail + "\n")
	}
	return b.String()
}

func TestSQLite(t *testing.T) {
	exercise(t, func(t testing.TB) string { return filepath.Join(t.TempDir(), "kaphub.db") })
}

func TestPostgres(t *testing.T) { exercise(t, storetest.Postgres) }

// exercise is what a House does, whichever engine its store has.
func exercise(t *testing.T, fresh func(testing.TB) string) {
	for _, c := range []struct {
		name string
		test func(*testing.T, string)
	}{
		{"somebody who is invited comes in, and again", comesIn},
		{"a stranger learns nothing", tellsNothing},
		{"a login shuts after five that failed, and longer each time", locksOut},
		{"nobody is kept out of where they signed in before", strangersKeepNobodyOut},
		{"codes cannot be guessed with the right password", codesLockOut},
		{"one stranger who tries every login locks nobody out", strangersAreHeldUp},
		{"whoever comes in holds nobody up", oneAddress},
		{"tries made at once are counted one by one", manyAtOnce},
		{"no code is good twice, at two replicas either", noCodeTwice},
		{"a recovery code is good once, at two replicas either", recoveryOnce},
		{"a password that was given waits ten minutes for its code", halfwayEnds},
		{"an invitation is good once, and for three days", invitations},
		{"what ends a session", epochs},
		{"a reset begins again, without the second factor or with it", resets},
		{"the last owner stays", lastOwnerStays},
		{"a look in need is taken with a reason, and seen", looksInNeed},
		{"a password is hashed anew when the cost rises", rehashes},
		{"a flood takes no more memory than two hashes", busy},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, fresh(t)) })
	}
}

func comesIn(t *testing.T, dsn string) {
	v := newVillage(t, dsn)
	ann := v.join("ann", Owner)
	want(t, "enrolled", ann.Enrolled && ann.Ready && ann.Recovery == recoveryCodes && ann.Invited.IsZero(), true)
	got, err := ann.in(v.House)
	v.must(err)
	want(t, "she is in", got.ID, ann.ID)
	want(t, "and was seen", got.Seen, v.clock())
	same, err := v.Session(v.ctx, got.ID, got.Epoch)
	v.must(err)
	want(t, "her session goes on", same.Name, "Ann")
	want(t, "as seen a moment ago", same.Seen.Equal(v.clock()), true)
	v.whole("after all")
	for _, line := range []string{"operator root: invite " + ann.ID + " owner", "Ann: accept invitation", "Ann: add second factor", "Ann: signed in " + ann.ID} {
		if !strings.Contains(v.log(), line) {
			t.Errorf("%q is not in the audit log:\n%s", line, v.log())
		}
	}
}
