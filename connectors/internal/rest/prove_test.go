package rest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/connectors/jwks"
)

// Every claim broken in turn: the one that is wrong is named, and what to do.
func TestWhyATokenRequestFails(t *testing.T) {
	key, rsa, other := newKey(t, jwks.ES384), newKey(t, jwks.RS384), newKey(t, jwks.ES384)
	for _, tc := range []struct {
		name    string
		key     *jwks.Key
		world   func(*authority)
		hub     func(*authority, *rest.Smart)
		claim   string
		verdict string
		next    string
		granted bool
	}{
		{name: "all is well", claim: "token", verdict: "works", granted: true},
		{name: "all is well with RSA", key: &rsa, claim: "alg", verdict: "works", granted: true},
		{name: "no configuration", world: func(a *authority) {
			a.discovery = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusNotFound); return true }
		}, claim: "discovery", verdict: "fails", next: "auth.token_url"},
		{name: "no backend services", world: func(a *authority) {
			a.tell = map[string]any{"grant_types_supported": []string{"authorization_code"}}
			a.answer = refuses(400, "unsupported_grant_type")
		}, claim: "grant_type", verdict: "fails", next: "Backend Services"},
		{name: "another way to authenticate", world: func(a *authority) {
			a.tell = map[string]any{"token_endpoint_auth_methods_supported": []string{"client_secret_basic"}}
			a.answer = refuses(401, "invalid_client")
		}, claim: "client_auth", verdict: "fails", next: "another way"},
		{name: "an algorithm that it does not take", world: func(a *authority) {
			a.tell = map[string]any{"token_endpoint_auth_signing_alg_values_supported": []string{"RS384"}}
			a.answer = refuses(401, "invalid_client")
		}, claim: "alg", verdict: "fails", next: "keys new --alg"},
		{name: "a key that it never saw", key: &other, claim: "kid", verdict: "unknown", next: "register the public key"},
		{name: "a client id that it never saw", hub: func(_ *authority, s *rest.Smart) { s.ClientID = "somebody" }, claim: "token", verdict: "fails", next: "client_id"},
		{name: "the issuer where the endpoint is wanted", hub: func(a *authority, s *rest.Smart) { s.Audience = a.issuer() }, claim: "token", verdict: "fails", next: "it is aud: with auth.audience: http"},
		{name: "the endpoint where the issuer is wanted", world: func(a *authority) { a.audience = (*authority).issuer }, claim: "token", verdict: "fails", next: "it is aud: with auth.audience: http"},
		{name: "the issuer, which is taken", world: func(a *authority) { a.audience = (*authority).issuer },
			hub: func(a *authority, s *rest.Smart) { s.Audience = a.issuer() }, claim: "aud", verdict: "degrades", next: "keep it only if", granted: true},
		{name: "a client id that it never saw is to be compared", hub: func(_ *authority, s *rest.Smart) { s.ClientID = "somebody" }, claim: "iss, sub", verdict: "unknown", next: "letter by letter"},
		{name: "the issuer, which is taken and not stated", world: func(a *authority) { a.audience = (*authority).issuer; a.tell = map[string]any{"issuer": ""} },
			hub: func(a *authority, s *rest.Smart) { s.Audience = a.issuer() }, claim: "aud", verdict: "degrades", next: "keep it only if", granted: true},
		{name: "some other audience", hub: func(_ *authority, s *rest.Smart) { s.Audience = "https://elsewhere.example.org" }, claim: "aud", verdict: "fails", next: "take it out"},
		{name: "a clock that is two minutes fast", world: func(a *authority) { a.skew = -2 * time.Minute }, claim: "exp", verdict: "fails", next: "2m0s ahead of the server's"},
		{name: "a clock that is five minutes slow", world: func(a *authority) { a.skew = 5 * time.Minute }, claim: "exp", verdict: "fails", next: "5m0s behind the server's"},
		{name: "a clock that is a little slow", world: func(a *authority) { a.skew = 40 * time.Second }, claim: "exp", verdict: "degrades", next: "NTP", granted: true},
		{name: "a scope that it does not state", hub: func(_ *authority, s *rest.Smart) { s.Scopes = append(s.Scopes, "system/Flag.cruds") },
			claim: "scope", verdict: "degrades", next: "system/Flag.cruds", granted: true},
		{name: "a scope left out without a word", world: func(a *authority) { a.grants = []string{"system/Patient.rs"} },
			claim: "granted scope", verdict: "fails", next: "left out without a word: system/Task.cruds;", granted: true},
		{name: "a scope that is refused", world: func(a *authority) {
			a.answer = func(w http.ResponseWriter, r *http.Request) bool {
				return strings.Contains(r.PostForm.Get("scope"), "Task") && refuses(400, "invalid_scope")(w, r)
			}
		}, claim: "token", verdict: "fails", next: "refused, each by itself: system/Task.cruds;"},
		{name: "a key file that cannot be read", hub: func(_ *authority, s *rest.Smart) {
			s.Key = func() (jwks.Key, error) { return jwks.Load(t.TempDir()) }
		}, claim: "key", verdict: "fails", next: "name one that the hub's user owns"},
		{name: "an endpoint by hand that is not the stated one", hub: func(a *authority, s *rest.Smart) { s.TokenURL = a.tokenURL() + "?" },
			claim: "discovery", verdict: "degrades", next: "take it out unless"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAuthority(t, key, rsa)
			if tc.world != nil {
				tc.world(a)
			}
			sign := key
			if tc.key != nil {
				sign = *tc.key
			}
			c := a.open(sign, func(s *rest.Smart) {
				if tc.hub != nil {
					tc.hub(a, s)
				}
			})
			claims, err := c.Prove(t.Context())
			if tc.granted != (err == nil) {
				t.Errorf("granted %v: %v", tc.granted, err)
			}
			i := slices.IndexFunc(claims, func(c connectors.Claim) bool { return c.Claim == tc.claim })
			if i < 0 {
				t.Fatalf("nothing is said of %s: %+v", tc.claim, claims)
			}
			if got := claims[i]; got.Verdict != tc.verdict || !strings.Contains(got.Next, tc.next) {
				t.Errorf("%+v", got)
			}
			failing := slices.ContainsFunc(claims, func(c connectors.Claim) bool { return c.Verdict == "fails" })
			if !failing && err != nil {
				t.Errorf("no claim fails, and yet %v", err)
			}
			text, _ := json.Marshal(claims)
			for _, secret := range []string{canary, "eyJ", "t-1", "t-2"} {
				if strings.Contains(string(text), secret) {
					t.Errorf("it repeats %q: %s", secret, text)
				}
			}
		})
	}
}

func refuses(status int, code string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"error":"` + code + `","error_description":"` + canary + `"}`))
		return true
	}
}

func TestWhetherOurKeyStandsInOurSet(t *testing.T) {
	key, other := newKey(t, jwks.ES384), newKey(t, jwks.ES384)
	for _, tc := range []struct {
		name    string
		answer  http.HandlerFunc
		verdict string
		next    string
	}{
		{"it does", published(key, other), "works", ""},
		{"it does not", published(other), "degrades", "does not hold it"}, // and yet a token is granted: registered by hand
		{"nothing is there", http.NotFound, "degrades", "is kaphub serve running"},
		{"something else is there", func(w http.ResponseWriter, _ *http.Request) { fhirJSON(w, 200, `[]`) }, "degrades", "does not hold it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ours := httptest.NewServer(tc.answer)
			defer ours.Close()
			a := newAuthority(t, key)
			claims, err := a.open(key, func(s *rest.Smart) { s.KeySet = ours.URL + "/.well-known/jwks/skylight.json" }).Prove(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(claims, func(c connectors.Claim) bool { return c.Claim == "kid" })
			if got := claims[i]; got.Sent != key.ID() || got.Verdict != tc.verdict || !strings.Contains(got.Next, tc.next) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func published(keys ...jwks.Key) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fhirJSON(w, 200, string(jwks.Set(keys))) }
}
