package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/connectors/jwks"
)

// authority is an authorisation server and, under /r4, the FHIR server behind it. It reads an assertion as strictly as
// SMART Backend Services says and trusts nothing of the code under test.
type authority struct {
	t      *testing.T
	server *httptest.Server
	keys   jose.JSONWebKeySet

	mu       sync.Mutex
	now      time.Time // of all clocks, unless skew
	skew     time.Duration
	life     time.Duration
	grants   []string // what it grants of what is asked
	issued   map[string]time.Time
	jtis     []string
	requests int // to the token endpoint
	served   int // FHIR requests that carried a good token
	turned   int // FHIR requests that did not
	seen     []string

	discovery func(w http.ResponseWriter, r *http.Request) bool // answers in its place
	answer    func(w http.ResponseWriter, r *http.Request) bool // answers a token request in its place
	fhir      func(w http.ResponseWriter, r *http.Request) bool // answers a good FHIR request in its place
	tell      map[string]any                                    // beside or in place of what its configuration says
	audience  func(a *authority) string                         // "" = the token endpoint
}

func newAuthority(t *testing.T, keys ...jwks.Key) *authority {
	t.Helper()
	a := &authority{t: t, now: noon, life: 300 * time.Second, issued: map[string]time.Time{}}
	if err := json.Unmarshal(jwks.Set(keys), &a.keys); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /r4/.well-known/smart-configuration", a.configuration)
	mux.HandleFunc("POST /token", a.token)
	mux.HandleFunc("/r4/", a.resource)
	a.server = httptest.NewServer(mux)
	t.Cleanup(a.server.Close)
	return a
}

func (a *authority) tokenURL() string { return a.server.URL + "/token" }

func (a *authority) issuer() string { return a.server.URL }

func (a *authority) clock() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now
}

func (a *authority) wait(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = a.now.Add(d)
}

// open is a client of its FHIR server that signs with key.
func (a *authority) open(key jwks.Key, change ...func(*rest.Smart)) *rest.Client {
	a.t.Helper()
	s := &rest.Smart{ClientID: "hub", Key: func() (jwks.Key, error) { return key, nil }, Scopes: []string{"system/Patient.rs", "system/Task.cruds"}}
	for _, f := range change {
		f(s)
	}
	return open(a.t, rest.Options{Base: a.server.URL + "/r4", Auth: rest.Auth{Kind: rest.AuthSmart, Smart: s}, Now: a.clock})
}

func (a *authority) configuration(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Date", a.now.Add(a.skew).UTC().Format(http.TimeFormat))
	if r.Header.Get("Authorization") != "" {
		a.t.Error("a token went to the public configuration")
	}
	if a.discovery != nil && a.discovery(w, r) {
		return
	}
	said := map[string]any{
		"issuer": a.issuer(), "token_endpoint": a.tokenURL(), "grant_types_supported": []string{"client_credentials"},
		"token_endpoint_auth_methods_supported":            []string{"private_key_jwt"},
		"token_endpoint_auth_signing_alg_values_supported": []string{"ES384", "RS384"},
		"scopes_supported":                                 []string{"system/*.rs", "system/Task.cruds"},
	}
	for k, v := range a.tell {
		said[k] = v
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(said)
}

func (a *authority) token(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests++
	w.Header().Set("Date", a.now.Add(a.skew).UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	if r.Header.Get("Authorization") != "" || r.URL.RawQuery != "" {
		a.t.Errorf("the token request carries more than its form: %v %s", r.Header, r.URL.RawQuery)
	}
	code, why := a.judge(r)
	switch {
	case why == "" && a.answer != nil && a.answer(w, r):
	case why != "":
		w.WriteHeader(map[string]int{"invalid_client": 401}[code] + map[bool]int{true: 400}[code != "invalid_client"])
		_, _ = fmt.Fprintf(w, `{"error":%q,"error_description":"%s: %s"}`, code, canary, why)
	default:
		asked := strings.Fields(r.PostForm.Get("scope"))
		granted := asked
		if a.grants != nil {
			granted = slices.DeleteFunc(slices.Clone(asked), func(s string) bool { return !slices.Contains(a.grants, s) })
		}
		token := fmt.Sprintf("t-%d", a.requests)
		a.issued[token] = a.now.Add(a.life)
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "bearer", "expires_in": int(a.life.Seconds()), "scope": strings.Join(granted, " ")})
	}
}

// judge reads the request as the standard says; why is empty when it is good.
func (a *authority) judge(r *http.Request) (code, why string) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "client_credentials" ||
		r.PostForm.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || len(r.PostForm["client_assertion"]) != 1 {
		return "invalid_request", "form"
	}
	signed, err := jose.ParseSignedCompact(r.PostForm.Get("client_assertion"), []jose.SignatureAlgorithm{jose.ES384, jose.RS384})
	if err != nil {
		return "invalid_client", "no assertion"
	}
	header := signed.Signatures[0].Protected
	known := a.keys.Key(header.KeyID)
	if len(known) != 1 || known[0].Algorithm != header.Algorithm || header.ExtraHeaders[jose.HeaderType] != "JWT" {
		return "invalid_client", "header"
	}
	payload, err := signed.Verify(known[0])
	if err != nil {
		return "invalid_client", "signature"
	}
	var said map[string]any
	if json.Unmarshal(payload, &said) != nil || len(said) != 5 {
		return "invalid_client", "claims"
	}
	audience := a.tokenURL()
	if a.audience != nil {
		audience = a.audience(a)
	}
	exp, _ := said["exp"].(float64)
	left := time.Unix(int64(exp), 0).Sub(a.now.Add(a.skew))
	jti, _ := said["jti"].(string)
	switch {
	case said["iss"] != "hub" || said["sub"] != "hub":
		return "invalid_client", "iss, sub"
	case said["aud"] != audience:
		return "invalid_client", "aud"
	case left <= 0 || left > 5*time.Minute:
		return "invalid_grant", "exp"
	case len(jti) < 20 || slices.Contains(a.jtis, jti):
		return "invalid_grant", "jti"
	}
	a.jtis = append(a.jtis, jti)
	return "", ""
}

func (a *authority) resource(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if until, ok := a.issued[token]; !ok || !a.now.Before(until) {
		a.turned++
		fhirJSON(w, http.StatusUnauthorized, `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"login"}]}`)
		return
	}
	a.served++
	a.seen = append(a.seen, r.Method+" "+r.URL.Path)
	if a.fhir == nil || !a.fhir(w, r) {
		fhirJSON(w, http.StatusOK, `{}`)
	}
}

// counts are requests for a token, FHIR requests served, and those turned away.
func (a *authority) counts() [3]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return [3]int{a.requests, a.served, a.turned}
}

func newKey(t *testing.T, alg string) jwks.Key {
	t.Helper()
	key, err := jwks.New(alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
