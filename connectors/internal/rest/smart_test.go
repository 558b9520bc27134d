package rest_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/connectors/jwks"
)

var (
	searchPatient = rest.Call{Op: "search Patient", Path: "Patient"}
	createTask    = rest.Call{Op: "create Task", Method: http.MethodPost, Path: "Task", Body: []byte(`{}`)}
)

func must(t *testing.T, c *rest.Client, call rest.Call) {
	t.Helper()
	if _, err := c.Do(t.Context(), call); err != nil {
		t.Fatal(err)
	}
}

func TestATokenIsAskedForByTheBookAndKept(t *testing.T) {
	for _, alg := range []string{jwks.ES384, jwks.RS384} {
		t.Run(alg, func(t *testing.T) {
			key := newKey(t, alg)
			a := newAuthority(t, newKey(t, alg), key)
			c := a.open(key)
			for range 5 {
				must(t, c, searchPatient)
			}
			must(t, c, createTask)
			if got := a.counts(); got != [3]int{1, 6, 0} {
				t.Errorf("token requests, served, turned away: %v", got)
			}
		})
	}
}

func TestInALongSweepTheTokenIsRenewedBeforeItEnds(t *testing.T) {
	key := newKey(t, jwks.ES384)
	for _, tc := range []struct {
		name     string
		life     time.Duration
		step     time.Duration
		calls    int
		requests int // at most
	}{
		{"tokens of five seconds, a call each quarter of one", 5 * time.Second, 250 * time.Millisecond, 400, 28},
		{"tokens of five minutes, a call each ten seconds", 5 * time.Minute, 10 * time.Second, 360, 14},
		{"tokens of one second", time.Second, 100 * time.Millisecond, 100, 15},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAuthority(t, key)
			a.life = tc.life
			c := a.open(key)
			for range tc.calls {
				must(t, c, searchPatient)
				a.wait(tc.step)
			}
			if got := a.counts(); got[1] != tc.calls || got[2] != 0 || got[0] > tc.requests || got[0] < 2 {
				t.Errorf("token requests, served, turned away: %v", got)
			}
			if len(a.jtis) != a.requests {
				t.Errorf("%d requests had %d distinct jti", a.requests, len(a.jtis))
			}
		})
	}
}

func TestManyWhoNeedATokenWaitForOneRequest(t *testing.T) {
	key := newKey(t, jwks.ES384)
	a := newAuthority(t, key)
	c := a.open(key)
	for round := range 3 {
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				if _, err := c.Do(t.Context(), searchPatient); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := a.counts(); got != [3]int{round + 1, 40 * (round + 1), 0} {
			t.Fatalf("token requests, served, turned away: %v", got)
		}
		a.wait(a.life)
	}
}

func TestAFreshJTIForEveryAttempt(t *testing.T) {
	key := newKey(t, jwks.ES384)
	a := newAuthority(t, key)
	status := 503
	a.answer = func(w http.ResponseWriter, _ *http.Request) bool {
		if status == 0 {
			return false
		}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		return true
	}
	c := a.open(key)
	for _, status = range []int{503, 500, 502, 429} {
		e := fails(t, c, searchPatient)
		if e.Fault != connectors.Temporary || e.After != 7*time.Second || !e.Unsent {
			t.Errorf("%d: %v after %s", status, e, e.After)
		}
		a.wait(3 * time.Second)
		if e := fails(t, c, searchPatient); e.After != 4*time.Second {
			t.Errorf("before its time it is not asked again: %v after %s", e, e.After)
		}
		a.wait(4 * time.Second)
	}
	status = 0
	must(t, c, searchPatient)
	if a.requests != 5 || len(a.jtis) != 5 {
		t.Errorf("%d requests with %d distinct jti", a.requests, len(a.jtis))
	}
}

func TestAGoodTokenThatIsRefusedIsRenewedOnce(t *testing.T) {
	key := newKey(t, jwks.ES384)
	forget := func(a *authority) {
		a.mu.Lock()
		defer a.mu.Unlock()
		clear(a.issued) // as after a restart
	}
	for _, call := range []rest.Call{searchPatient, createTask, {Op: "update Task", Method: http.MethodPut, Path: "Task/t1", Body: []byte(`{}`)}} {
		t.Run(call.Op, func(t *testing.T) {
			a := newAuthority(t, key)
			c := a.open(key)
			must(t, c, searchPatient)
			forget(a)
			must(t, c, call)
			if got := a.counts(); got != [3]int{2, 2, 1} {
				t.Errorf("token requests, served, turned away: %v", got)
			}
			forget(a)
			for range 3 { // the renewed one is refused too: whoever comes is told, and nobody asks again and again
				if e := fails(t, c, call); e.Fault != connectors.Denied || !e.Unsent || !strings.Contains(e.Hint, "just granted") {
					t.Errorf("got %v", e)
				}
			}
			if got := a.counts(); got[0] != 2 {
				t.Errorf("%d token requests", got[0])
			}
			a.wait(a.life)
			must(t, c, call)
		})
	}
	t.Run("many at once renew it once", func(t *testing.T) {
		a := newAuthority(t, key)
		c := a.open(key)
		must(t, c, searchPatient)
		forget(a)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := c.Do(t.Context(), searchPatient); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := a.counts(); got[0] != 2 || got[1] != 21 {
			t.Errorf("token requests, served, turned away: %v", got)
		}
	})
	t.Run("a post whose reply is lost is not made again", func(t *testing.T) {
		a := newAuthority(t, key)
		var posts atomic.Int64
		a.fhir = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost {
				return false
			}
			posts.Add(1)
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return true
			}
			_ = conn.Close()
			return true
		}
		c := a.open(key)
		must(t, c, searchPatient)
		if e := fails(t, c, createTask); e.Fault != connectors.Temporary || e.Unsent {
			t.Errorf("%v, unsent %v", e, e.Unsent)
		}
		if posts.Load() != 1 {
			t.Errorf("posted %d times", posts.Load())
		}
	})
}

func TestWhatWasNotGrantedIsNotAskedForAndIsNamed(t *testing.T) {
	key := newKey(t, jwks.ES384)
	a := newAuthority(t, key)
	a.grants = []string{"system/Patient.rs"}
	c := a.open(key)
	must(t, c, searchPatient)
	must(t, c, rest.Call{Op: "read capabilities", Path: "metadata"})
	for _, tc := range []struct {
		call rest.Call
		want string
	}{
		{createTask, "the authorisation server left system/Task.c out"},
		{rest.Call{Op: "search Task", Path: "Task"}, "the authorisation server left system/Task.rs out"},
		{rest.Call{Op: "next page", Link: a.server.URL + "/r4/Task?page=2"}, "the authorisation server left system/Task.rs out"},
		{rest.Call{Op: "read Flag", Path: "Flag/f1"}, "register system/Flag.rs for this client, and write it under auth.scopes"},
		{rest.Call{Op: "delete Patient", Method: http.MethodDelete, Path: "Patient/p1"}, "system/Patient.d"},
	} {
		e := fails(t, c, tc.call)
		if e.Fault != connectors.Denied || !errors.Is(e, rest.ErrScope) || !e.Unsent || !strings.Contains(e.Hint, tc.want) {
			t.Errorf("%s: %v", tc.call.Op, e)
		}
		if !strings.Contains(connectors.Why(e), "no scope system/") {
			t.Errorf("the log says only %q", connectors.Why(e))
		}
	}
	if !slices.Equal(a.seen, []string{"GET /r4/Patient", "GET /r4/metadata"}) {
		t.Errorf("asked for %q", a.seen)
	}
}

func TestATokenLeavesForNoOtherHost(t *testing.T) {
	key := newKey(t, jwks.ES384)
	var strayed atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	defer elsewhere.Close()
	a := newAuthority(t, key)
	redirect := func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		return true
	}
	a.fhir = redirect
	c := a.open(key)
	if e := fails(t, c, searchPatient); e.Fault != connectors.Refused {
		t.Errorf("a redirect: %v", e)
	}
	if _, err := c.Do(t.Context(), rest.Call{Op: "next page", Link: elsewhere.URL + "/r4/Patient?page=2"}); !errors.Is(err, rest.ErrAway) {
		t.Errorf("a link away: %v", err)
	}
	a.fhir, a.answer = nil, redirect
	if e := fails(t, a.open(key), searchPatient); e.Fault != connectors.Denied || !strings.Contains(e.Hint, "redirect") {
		t.Errorf("a redirected token request: %v", e)
	}
	a.answer, a.discovery = nil, redirect
	if e := fails(t, a.open(key), searchPatient); e.Fault != connectors.Denied {
		t.Errorf("a redirected configuration: %v", e)
	}
	if strayed.Load() != 0 {
		t.Error("something reached the other host")
	}
}

func TestWhereTokensComeFrom(t *testing.T) {
	key := newKey(t, jwks.ES384)
	for _, tc := range []struct {
		name string
		tell any
		want string
	}{
		{"no endpoint", nil, "token_endpoint is missing"},
		{"plain http beyond this machine", "http://auth.example.org/token", "it must be https"},
		{"a name that only looks like this machine", "http://localhost.example.org/token", "it must be https"},
		{"another protocol", "file:///etc/passwd", "is no address"},
		{"a password in it", "https://me:" + canary + "@auth.example.org/token", "user name"},
		{"a number", 17, "no JSON that can be read"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAuthority(t, key)
			a.tell = map[string]any{"token_endpoint": tc.tell}
			e := fails(t, a.open(key), searchPatient)
			if e.Fault != connectors.Garbled || !strings.Contains(e.Error(), tc.want) || a.requests != 0 {
				t.Errorf("got %v", e)
			}
		})
	}
	t.Run("it is asked once, and again when a token request failed", func(t *testing.T) {
		a := newAuthority(t, key)
		var asked, old atomic.Int64
		moved := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { old.Add(1); w.WriteHeader(http.StatusNotFound) }))
		defer moved.Close()
		a.tell = map[string]any{}
		a.discovery = func(http.ResponseWriter, *http.Request) bool {
			if asked.Add(1) == 1 {
				a.tell["token_endpoint"] = moved.URL + "/token"
			} else {
				delete(a.tell, "token_endpoint")
			}
			return false
		}
		c := a.open(key)
		if e := fails(t, c, searchPatient); e.Fault != connectors.Denied || !strings.Contains(e.Hint, "no token endpoint at that address") {
			t.Errorf("got %v", e)
		}
		a.wait(time.Minute)
		for range 3 {
			must(t, c, searchPatient)
			a.wait(a.life)
		}
		if asked.Load() != 2 || old.Load() != 1 {
			t.Errorf("asked %d times, the old place %d times", asked.Load(), old.Load())
		}
	})
	t.Run("none, and an endpoint by hand", func(t *testing.T) {
		a := newAuthority(t, key)
		a.discovery = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusNotFound); return true }
		if e := fails(t, a.open(key), searchPatient); e.Fault != connectors.Denied || !strings.Contains(e.Hint, "auth.token_url") {
			t.Errorf("got %v", e)
		}
		must(t, a.open(key, func(s *rest.Smart) { s.TokenURL = a.tokenURL() }), searchPatient)
	})
}

func TestARefusedTokenRequestTellsItsCodeAndNoMore(t *testing.T) {
	key := newKey(t, jwks.ES384)
	for _, tc := range []struct {
		code, body, want string
		status           int
		fault            connectors.Fault
	}{
		{"invalid_client", "", "look at client_id", 401, connectors.Denied},
		{"invalid_scope", "", "auth.scopes", 400, connectors.Denied},
		{"invalid_grant", "", "clock", 400, connectors.Denied},
		{"unauthorized_client", "", "backend service", 400, connectors.Denied},
		{"invalid_request", "", "auth.audience", 400, connectors.Denied},
		{"unsupported_grant_type", "", "right token endpoint", 400, connectors.Denied},
		{"server_error", "", "failed by itself", 500, connectors.Temporary},
		{"uncoded", `{"error":"` + canary + `"}`, "what its log says", 400, connectors.Denied},
		{"uncoded", `<html>` + canary, "what its log says", 403, connectors.Denied},
		{"uncoded", `[]`, "no token endpoint", 404, connectors.Denied},
	} {
		t.Run(fmt.Sprint(tc.status, " ", tc.code), func(t *testing.T) {
			a := newAuthority(t, key)
			a.answer = func(w http.ResponseWriter, _ *http.Request) bool {
				body := tc.body
				if body == "" {
					body = `{"error":"` + tc.code + `","error_description":"` + canary + `","error_uri":"http://` + canary + `"}`
				}
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(body))
				return true
			}
			c := a.open(key)
			e := fails(t, c, searchPatient)
			if e.Fault != tc.fault || !e.Unsent || !slices.Equal(e.Codes, []string{tc.code}) || !strings.Contains(e.Hint, tc.want) || strings.Contains(e.Error(), canary) || rest.StatusOf(e) != tc.status {
				t.Errorf("got %v, codes %q", e, e.Codes)
			}
			for range 10 {
				fails(t, c, searchPatient)
			}
			if a.requests != 1 {
				t.Errorf("who is refused asks %d times at once", a.requests)
			}
			a.answer = nil
			a.wait(30 * time.Second)
			must(t, c, searchPatient)
		})
	}
}

func TestATokenAnswerAsItMayCome(t *testing.T) {
	key := newKey(t, jwks.ES384)
	for _, tc := range []struct {
		name, body string
		good       time.Duration // how long it is used; 0 = it is not
	}{
		{"as it should be", `{"access_token":"t","token_type":"bearer","expires_in":300,"scope":"system/Patient.rs"}`, 270 * time.Second},
		{"a capital letter", `{"access_token":"t","token_type":"Bearer","expires_in":300}`, 270 * time.Second},
		{"no type", `{"access_token":"t","expires_in":300}`, 270 * time.Second},
		{"the seconds as a text", `{"access_token":"t","expires_in":"300"}`, 270 * time.Second},
		{"no end told", `{"access_token":"t"}`, 45 * time.Second},
		{"an end that is over", `{"access_token":"t","expires_in":-5}`, 45 * time.Second},
		{"an end in ten thousand years", `{"access_token":"t","expires_in":315360000000}`, 24*time.Hour - 30*time.Second},
		{"another type", `{"access_token":"t","token_type":"mac"}`, 0},
		{"no token", `{"expires_in":300}`, 0},
		{"a token that would be two headers", `{"access_token":"t\r\nX-Evil: 1"}`, 0},
		{"no JSON", `t`, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAuthority(t, key)
			a.answer = func(w http.ResponseWriter, _ *http.Request) bool { _, _ = w.Write([]byte(tc.body)); return true }
			a.issued["t"] = noon.Add(1 << 60)
			c := a.open(key)
			if tc.good == 0 {
				if e := fails(t, c, searchPatient); e.Fault != connectors.Garbled {
					t.Errorf("got %v", e)
				}
				return
			}
			must(t, c, searchPatient)
			a.wait(tc.good - time.Second)
			must(t, c, searchPatient)
			if a.requests != 1 {
				t.Fatal("renewed too soon")
			}
			a.wait(time.Second)
			must(t, c, searchPatient)
			if a.requests != 2 {
				t.Error("not renewed in time")
			}
		})
	}
}

func TestAKeyThatCannotBeReadIsTheOperatorsBusiness(t *testing.T) {
	a := newAuthority(t)
	c := a.open(jwks.Key{}, func(s *rest.Smart) {
		s.Key = func() (jwks.Key, error) { return jwks.Key{}, errors.New("sesame") }
	})
	if e := fails(t, c, searchPatient); e.Fault != connectors.Denied || !e.Unsent || !strings.Contains(e.Hint, "kaphub check") {
		t.Errorf("got %v", e)
	}
}
