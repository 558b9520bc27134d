package people

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"pgregory.net/rapid"

	"github.com/kaphub/kaphub/fhir"
)

func TestWhatEachRoleSees(t *testing.T) {
	own, others := fhir.Therapist{Name: "Dr. Tara Vance"}, fhir.Therapist{Name: "Dr. Bo Lind"}
	for _, c := range []struct {
		roles       []Role
		own, others Sight
		all         bool
	}{
		{[]Role{Owner}, Whole, Whole, true},
		{[]Role{Admin}, Records, Records, true},
		{[]Role{Therapist}, Whole, Nothing, false},
		{[]Role{Privacy}, Whole, Whole, true},
		{[]Role{Reader}, Whole, Whole, true},
		{[]Role{Operator}, Nothing, Nothing, false},
		{[]Role{Admin, Therapist}, Whole, Records, true},
		{[]Role{Operator, Therapist}, Whole, Nothing, false},
		{nil, Nothing, Nothing, false},
	} {
		a := Account{Roles: c.roles, Therapist: "Dr.  tara VANCE"}
		if a.Sight(others, own) != c.own || a.Sight(others) != c.others || a.Sight() != c.others || a.SeesAll() != c.all {
			t.Errorf("%v: own %v, others %v, of nobody %v, all %v", c.roles, a.Sight(own), a.Sight(others), a.Sight(), a.SeesAll())
		}
		a.Disabled = true
		if a.Sight(own) != Nothing || a.SeesAll() || a.Is(c.roles...) {
			t.Errorf("%v: disabled, and yet sees something", c.roles)
		}
	}
	if (Account{Roles: []Role{Therapist}}).Sight(fhir.Therapist{}) != Nothing {
		t.Error("a therapist of no name sees the clients of nobody")
	}
	for _, r := range Roles() {
		if r.Says() == "" || r.Title() == "" {
			t.Errorf("%s: nothing is said of it", r)
		}
	}
}

func TestProfiles(t *testing.T) {
	whole := Profile{Login: " Ann.Lee@Reverie ", Name: " Ann  Lee ", Roles: []Role{Reader, Owner, Reader}, Email: "ann@example.org"}
	got, err := whole.tidy()
	if err != nil || got.Login != "ann.lee@reverie" || got.Name != "Ann Lee" || !slices.Equal(got.Roles, []Role{Owner, Reader}) {
		t.Fatalf("%+v: %v", got, err)
	}
	for _, c := range []struct {
		name   string
		change func(*Profile)
		says   string
	}{
		{"no login", func(p *Profile) { p.Login = "" }, "the login must be"},
		{"a login with a blank", func(p *Profile) { p.Login = "ann lee" }, "the login must be"},
		{"a login of another alphabet", func(p *Profile) { p.Login = "аnn" }, "the login must be"},
		{"no name", func(p *Profile) { p.Name = " " }, "a name is missing"},
		{"a name that is too long", func(p *Profile) { p.Name = strings.Repeat("n", 81) }, "up to 80"},
		{"a name that turns the line", func(p *Profile) { p.Name = "Ann\u202eLee" }, "can be printed"},
		{"a name that says who typed", func(p *Profile) { p.Name = "Ann (operator root)" }, "taken for another's"},
		{"the operator's name", func(p *Profile) { p.Name = "Operator root" }, "taken for another's"},
		{"the hub's name", func(p *Profile) { p.Name = "hub" }, "taken for another's"},
		{"no role", func(p *Profile) { p.Roles = nil }, "a role is missing"},
		{"no such role", func(p *Profile) { p.Roles = []Role{"god"} }, `"god" is no role`},
		{"a therapist nobody knows", func(p *Profile) { p.Roles = []Role{Therapist} }, "a therapist needs the name"},
		{"an address with a name", func(p *Profile) { p.Email = "Ann <ann@example.org>" }, "e-mail"},
		{"an address with a header", func(p *Profile) { p.Email = "ann@example.org\r\nBcc: eve@example.org" }, "e-mail"},
	} {
		p := whole
		c.change(&p)
		if _, err := p.tidy(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestPasswordsThatWouldBeGuessed(t *testing.T) {
	ann := person{facts: facts{Login: "ann.lee", Name: "Annabel Vandermeer"}}
	for _, p := range []string{"tiny", "elevenchars", "aaaaaaaaaaaa", "abababababab", "123456789012", "987654321098", "abcdefghijklm", "Password1234", "P4$$w0rd2026!!", "qwertyuiop12345",
		"PasswordPassword", "iloveyou2026!", "Welcome2026!!", "annabelvandermeer", "Vandermeer2026!", "ann.lee@2026!", "annlee-annlee", "kaphubkaphub", "Skylight2026!", "administrator1",
		"summer2026!!!", "111122223333", strings.Repeat("long enough ", 20)} {
		if err := mistakes(p, ann); err == nil {
			t.Errorf("%q is taken", p)
		} else if strings.Contains(err.Error(), p) {
			t.Errorf("%q is repeated", p)
		}
	}
	for _, p := range []string{good, other, "Tr4verse!Moss9kettle", "wjq8-7d2k-zz91-rr4p", "правильная лошадь батарея", "90731846205517", "ketamine lanterns by the lake", "my summer is a kettle"} {
		if err := mistakes(p, ann); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
}

func TestAPasswordIsKeptSoThatItCanBeHashedAnew(t *testing.T) {
	h := newHasher(cheap)
	kept, err := h.hash(t.Context(), good)
	if err != nil || !strings.HasPrefix(kept, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatalf("%s: %v", kept, err)
	}
	again, _ := h.hash(t.Context(), good)
	if again == kept {
		t.Error("two hashes of one password are the same: no salt")
	}
	dear := newHasher(Cost{Passes: 2, KiB: 128, Lanes: 1})
	for _, c := range []struct {
		name, kept, password string
		h                    *hasher
		fits, old            bool
	}{
		{"it", kept, good, h, true, false},
		{"another", kept, other, h, false, false},
		{"nothing", kept, "", h, false, false},
		{"at a lower cost than today's", kept, good, dear, true, true},
		{"another at a lower cost", kept, other, dear, false, false},
		{"nobody's", "", good, h, false, false},
		{"the decoy's own", "", "", h, false, false},
	} {
		before := c.h.computed.Load()
		fits, old, err := c.h.fits(t.Context(), c.kept, c.password)
		if err != nil || fits != c.fits || old != c.old {
			t.Errorf("%s: fits %v, old %v: %v", c.name, fits, old, err)
		}
		if c.h.computed.Load() != before+1 {
			t.Errorf("%s: %d hashes computed", c.name, c.h.computed.Load()-before)
		}
	}
	for _, broken := range []string{"x", "$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAA", strings.Replace(kept, "m=64", "m=99999999", 1), strings.Replace(kept, "t=1", "t=0", 1), kept[:len(kept)-4]} {
		if _, _, err := h.fits(t.Context(), broken, good); err == nil {
			t.Errorf("%s is read", broken)
		}
	}
}

// The vectors of RFC 6238, appendix B, cut to the six digits that apps show.
func TestCodesAreThoseOfTheStandard(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for at, code := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"} {
		now := time.Unix(at, 0)
		for near, want := range map[time.Duration]int64{0: at / 30, 30 * time.Second: at / 30, -30 * time.Second: at / 30, time.Minute: 0, -90 * time.Second: 0} {
			if got, err := stepOf(secret, code, now.Add(near)); err != nil || got != want {
				t.Errorf("%d, %s later: step %d, want %d: %v", at, near, got, want, err)
			}
		}
	}
	if _, err := stepOf("1", "287082", time.Unix(59, 0)); err == nil {
		t.Error("a broken secret makes codes")
	}
	for text, want := range map[string]string{" 287 082\t": "287082", "ABCD-efgh-2345-wxyz": "abcdefgh2345wxyz", "": ""} {
		if typed(text) != want {
			t.Errorf("%q is read as %q", text, typed(text))
		}
	}
}

func TestAFactorIsWhatAnAppReads(t *testing.T) {
	f, err := newFactor("Reverie & Sons", "ann@x")
	if err != nil || !strings.HasPrefix(f.URI, "otpauth://totp/Reverie%20&%20Sons:ann@x?") || !strings.Contains(f.URI, "secret="+f.Secret) || len(f.Secret) != 32 {
		t.Fatalf("%+v: %v", f.URI, err)
	}
	if string(f.PNG[1:4]) != "PNG" {
		t.Error("no picture")
	}
	if code, err := totp.GenerateCode(f.Secret, morning); err != nil || len(code) != 6 {
		t.Errorf("%q: %v", code, err)
	}
}

// However tries fall, a login opens again no later than an hour after the last, never while five failed within their wait, and
// more failures never open it sooner.
func TestLockOutBacksOffAndEnds(t *testing.T) {
	for failed, wait := range map[int]time.Duration{0: 0, 1: 0, 4: 0, 5: time.Minute, 6: 2 * time.Minute, 10: 32 * time.Minute, 11: time.Hour, 12: time.Hour, 100000: time.Hour} {
		if got := opens(failed, morning).Sub(morning); got != wait {
			t.Errorf("after %d: %s, want %s", failed, got, wait)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 1<<40).Draw(t, "failed")
		if d := opens(n, morning).Sub(morning); d < 0 || d > longWait || n >= freeTries && d < firstWait || opens(n+1, morning).Sub(morning) < d {
			t.Fatalf("after %d: %s", n, d)
		}
	})
}

// From one network no more than remoteFree tries fail in any remoteSpan that begins with the first of them, however they come.
func TestOneStrangerIsHeldUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, now, begun, failed := &remotes{}, morning, time.Time{}, 0
		for range rapid.IntRange(1, 200).Draw(t, "tries") {
			now = now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "later")) * time.Second)
			if begun.IsZero() || now.Sub(begun) >= remoteSpan {
				begun, failed = now, 0
			}
			until, ok := r.take(here.Remote, now)
			if ok != (failed < remoteFree) || !ok && !until.Equal(begun.Add(remoteSpan)) {
				t.Fatalf("try %d at %s: %v until %s", failed, now.Sub(begun), ok, until.Sub(begun))
			}
			if !ok {
				continue
			}
			if failed++; rapid.Bool().Draw(t, "it fits") {
				r.giveBack(here.Remote)
				failed--
			}
			if _, ok := r.take(there.Remote, now); !ok {
				t.Fatal("another pays for it")
			}
			r.giveBack(there.Remote)
		}
	})
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.7", "192.0.2.8", false}, {"192.0.2.7", "::ffff:192.0.2.7", true}, {"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false}, {"fe80::1%eth0", "fe80::1%eth1", true},
	} {
		if got := network(netip.MustParseAddr(c.a)) == network(netip.MustParseAddr(c.b)); got != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
	r := &remotes{}
	for n := range remoteMost + 10 {
		r.take(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), morning)
	}
	if len(r.by) > remoteMost {
		t.Errorf("%d addresses are remembered", len(r.by))
	}
	if _, ok := r.take(netip.Addr{}, morning); !ok {
		t.Error("an address that cannot be read is refused at once")
	}
}

func TestRecoveryCodesAreGoodOnce(t *testing.T) {
	codes, hashes := newRecovery()
	if len(codes) != 8 || len(hashes) != 8 {
		t.Fatal(codes)
	}
	for i, code := range codes {
		left, ok := without(hashes, typed(strings.ToUpper(code)))
		if !ok || len(left) != 8-i-1 {
			t.Fatalf("%d: %v, %d left", i, ok, len(left))
		}
		if _, ok := without(left, typed(code)); ok {
			t.Fatal("it is good twice")
		}
		hashes = left
	}
}

// A letter with its accent is one password and one name, whether a keyboard sends it as one character or as two.
func TestAnAccentIsTypedInTwoWays(t *testing.T) {
	const one, two = "caf\u00e9 ha\u00efti na\u00efve \u00e5ngstr\u00f6m", "cafe\u0301 hai\u0308ti nai\u0308ve a\u030angstro\u0308m"
	h := newHasher(cheap)
	for typed, again := range map[string]string{one: two, two: one} {
		kept, err := h.hash(t.Context(), typed)
		if err != nil {
			t.Fatal(err)
		}
		if fits, _, err := h.fits(t.Context(), kept, again); !fits || err != nil {
			t.Errorf("%q is not %q: %v", again, typed, err)
		}
	}
	if fits, _, _ := h.fits(t.Context(), must(h.hash(t.Context(), one)), strings.ReplaceAll(one, "\u00e9", "e")); fits {
		t.Error("without its accents it fits too")
	}
	if err := mistakes(strings.Repeat("e\u0301", shortest-1), person{}); err == nil {
		t.Error("a short password counts its accents")
	}
	of := Profile{Login: "ann", Name: "Andre\u0301 Lee", Roles: []Role{Therapist}, Therapist: "Andre\u0301 Lee"}
	tidy, err := of.tidy()
	if err != nil || tidy.Name != "Andr\u00e9 Lee" || tidy.Therapist != tidy.Name {
		t.Errorf("%+q, %v", tidy, err)
	}
	if !taken([]person{{id: "p-1", facts: facts{Login: "other", Name: "Andre\u0301 Lee"}}}, "", tidy) {
		t.Error("two may have what is one name to the eye")
	}
	if a := (Account{Roles: []Role{Therapist}, Therapist: tidy.Therapist}); a.Sight(fhir.Therapist{Name: "Andre\u0301  lee"}) != Whole {
		t.Error("a therapist is another to the practice's records")
	}
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}
