package rest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/jwks"
)

// Smart is how the hub gets its tokens by SMART Backend Services (fhir.md section 6).
type Smart struct {
	ClientID string
	Key      func() (jwks.Key, error) // asked for each assertion, so that a rotated key needs no restart
	Scopes   []string                 // what is asked for
	Audience string                   // the assertion's aud; "" = the token endpoint
	TokenURL string                   // "" = as the counterpart's .well-known/smart-configuration says
	KeySet   string                   // where the hub publishes its keys; "" = nowhere that it knows of
}

func (s *Smart) check(base *url.URL) error {
	switch {
	case s == nil || s.Key == nil:
		return errors.New("smart auth without a key: name a key file")
	case s.ClientID == "":
		return errors.New("smart auth without a client id: write the one that the counterpart registered")
	case s.TokenURL != "":
		if err := CheckTokenURL(s.TokenURL, loopback(base.Hostname())); err != nil {
			return errors.New("auth.token_url " + err.Error())
		}
	}
	return nil
}

// lifetime is how long an assertion may be used: SMART allows five minutes, and clocks differ.
const lifetime = 4 * time.Minute

// claims are what an assertion says, and no more: what is not there cannot be too early or too late.
type claims struct {
	Issuer   string           `json:"iss"`
	Subject  string           `json:"sub"`
	Audience string           `json:"aud"`
	Expiry   *jwt.NumericDate `json:"exp"`
	ID       string           `json:"jti"`
}

// assert makes the form of one token request. Its jti was never used before and never will be.
func (s *Smart) assert(key jwks.Key, audience string, asked []string, now time.Time) (url.Values, error) {
	said := claims{Issuer: s.ClientID, Subject: s.ClientID, Audience: audience, Expiry: jwt.NewNumericDate(now.Add(lifetime)), ID: rand.Text()}
	assertion, err := key.Sign(said)
	if err != nil {
		return nil, err
	}
	form := url.Values{
		"grant_type":            {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {assertion},
	}
	if len(asked) > 0 {
		form.Set("scope", strings.Join(asked, " "))
	}
	return form, nil
}

// grant is a token and what it is good for. It lives in memory only.
type grant struct {
	token  string
	scopes scopes
	life   time.Duration // as the server said; 0 if it did not
	until  time.Time     // by our clock: renewed from then on
	forced bool          // it was asked for because the one before was refused
	date   time.Time     // the server's clock when it answered
}

// tokens gets tokens, one request at a time, and keeps the last one.
type tokens struct {
	smart  *Smart
	client *Client
	turn   chan struct{} // holds one: who looks at what follows

	found   *discovery
	current *grant
	refused *grant            // the counterpart did not take it
	failed  *connectors.Error // the last request's, believed until again
	again   time.Time
}

func newTokens(s *Smart, c *Client) *tokens {
	return &tokens{smart: s, client: c, turn: make(chan struct{}, 1)}
}

const opToken = "get token"

// valid returns a token that is good for a while yet, and asks for one where there is none. Whoever comes meanwhile
// waits for that one. A request that failed is not made again at once by everybody who needs it.
func (t *tokens) valid(ctx context.Context) (*grant, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, waited(ctx, opToken)
	}
	now := t.client.now()
	if t.current != nil && now.Before(t.current.until) {
		return t.current, nil
	}
	if t.failed != nil && now.Before(t.again) {
		e := *t.failed
		if e.Fault == connectors.Temporary {
			e.After = t.again.Sub(now)
		}
		return nil, &e
	}
	got, err := t.renew(ctx)
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		if ctx.Err() == nil {
			t.failed, t.again = e, now.Add(t.pause(e))
		}
		return nil, e
	}
	got.forced = t.refused != nil
	t.current, t.refused, t.failed = got, nil, nil
	return got, nil
}

// pause is how long a failed request is not repeated.
func (t *tokens) pause(e *connectors.Error) time.Duration {
	if e.Fault == connectors.Temporary {
		return max(e.After, time.Second)
	}
	return t.client.limits.Rest
}

// drop lets go of g, which the counterpart refused although it should be good, and reports whether another one may do:
// not when g itself came in such a one's place.
func (t *tokens) drop(ctx context.Context, g *grant) bool {
	if g.forced {
		return false
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return false
	}
	if t.current == g { // else somebody was faster
		t.current, t.refused = nil, g
	}
	return true
}

// renew asks for a token. What was discovered is forgotten when that fails: it may have moved.
func (t *tokens) renew(ctx context.Context) (*grant, error) {
	endpoint := t.smart.TokenURL
	if endpoint == "" {
		if t.found == nil {
			d, err := t.client.discover(ctx)
			if err != nil {
				return nil, err
			}
			t.found = &d
		}
		endpoint = t.found.TokenEndpoint
	}
	audience := t.smart.Audience
	if audience == "" {
		audience = endpoint
	}
	got, err := t.client.token(ctx, t.smart, endpoint, audience, t.smart.Scopes)
	if err != nil {
		t.found = nil
	}
	return got, err
}

// token makes one token request; with an error, the grant at most tells the server's clock. An error is a *connectors.Error whose Codes hold the OAuth error's code and nothing else
// of what the server wrote.
func (c *Client) token(ctx context.Context, s *Smart, endpoint, audience string, asked []string) (*grant, error) {
	denied := func(hint, text string) error {
		e := connectors.Errorf(opToken, connectors.Denied, "%s", text)
		e.Hint, e.Unsent = hint, true
		return e
	}
	key, err := s.Key()
	if err != nil {
		return nil, denied("kaphub check says what is wrong with the key file", "the hub's key cannot be used")
	}
	began := c.now()
	form, err := s.assert(key, audience, asked, began)
	if err != nil {
		return nil, denied("make another with kaphub keys", "the hub's key cannot sign")
	}
	answer, err := c.aside(ctx, opToken, http.MethodPost, endpoint, form)
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		return &grant{date: answer.Date}, oauth(e, answer.Body)
	}
	got := &grant{scopes: scopes{asked: asked}, date: answer.Date}
	if err := got.read(answer.Body); err != nil {
		e := connectors.Errorf(opToken, connectors.Garbled, "%w", err)
		e.Hint, e.Unsent = "tell the counterpart", true
		return nil, e
	}
	got.until = began.Add(got.usable())
	return got, nil
}

// unsaid is how long a token is taken to live whose answer does not say.
const unsaid = time.Minute

// usable is how long after it was asked for a token is used: till shortly before its end, since clocks differ and whole
// seconds are told.
func (g *grant) usable() time.Duration {
	life := g.life
	if life <= 0 {
		life = unsaid
	}
	return life - min(life/4, 30*time.Second)
}

// read takes a token answer apart.
func (g *grant) read(body []byte) error {
	var said struct {
		Token   string          `json:"access_token"`
		Type    string          `json:"token_type"`
		Expires json.RawMessage `json:"expires_in"`
		Scope   *string         `json:"scope"`
	}
	if json.Unmarshal(body, &said) != nil {
		return errors.New("the token answer is no JSON that can be read")
	}
	const most = 16 << 10
	if said.Token == "" || len(said.Token) > most || strings.ContainsFunc(said.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("the token answer holds no token")
	}
	if said.Type != "" && !strings.EqualFold(said.Type, "bearer") {
		return errors.New("the token is no bearer token")
	}
	g.token = said.Token
	const day = 24 * time.Hour
	if n, err := strconv.ParseFloat(strings.Trim(string(said.Expires), `"`), 64); err == nil && n > 0 { // some write a string
		g.life = time.Duration(min(n, day.Seconds()) * float64(time.Second))
	}
	g.scopes.granted = g.scopes.asked
	if said.Scope != nil {
		g.scopes.granted, g.scopes.said = strings.Fields(*said.Scope), true
	}
	return nil
}

// oauthErrors are the codes of RFC 6749 and its kin, and what to look at next.
var oauthErrors = []struct{ code, next string }{
	{"invalid_client", "it does not know the client, or does not believe the assertion: look at client_id, at the key registered there (kid and alg), at aud, and at this machine's clock"},
	{"invalid_scope", "it does not offer a scope that was asked for, or not to this client: compare auth.scopes with what is registered"},
	{"invalid_grant", "it takes the assertion for expired, used before or meant for another: look at aud and at this machine's clock"},
	{"unauthorized_client", "it knows the client, which may not use client_credentials: have the counterpart register it as a backend service"},
	{"invalid_request", "it misses something in the request, or has it twice: it may want the issuer as auth.audience, or token_url may be another endpoint"},
	{"unsupported_grant_type", "it offers no client_credentials: is this the right token endpoint?"},
	{"invalid_target", "it does not know what the token is for: have the counterpart name the FHIR server for this client"},
	{"access_denied", "it refuses this client: ask the counterpart whether it is approved yet"},
	{"server_error", "it failed by itself: try again, and tell the counterpart if it stays"},
	{"temporarily_unavailable", "try again later"},
}

// oauth words the failure of a token request: e as aside made it, with the answer's error code.
func oauth(e *connectors.Error, body []byte) *connectors.Error {
	status := StatusOf(e)
	if status == 0 { // nothing came, or nothing that can be read
		if e.Hint != "" {
			e.Hint = "is the token endpoint right, and does it run?"
		}
		return e
	}
	var said struct{ Error string }
	_ = json.Unmarshal(body, &said) // what is not there is the empty code
	i := slices.IndexFunc(oauthErrors, func(o struct{ code, next string }) bool { return o.code == said.Error })
	code, hint := "uncoded", "it gives no reason that OAuth knows: ask the counterpart what its log says"
	switch {
	case i >= 0:
		code, hint = oauthErrors[i].code, oauthErrors[i].next
	case status == http.StatusNotFound || status == http.StatusGone || status == http.StatusMethodNotAllowed:
		hint = "there is no token endpoint at that address"
	case status < 400:
		hint = e.Hint
	}
	if e.Fault != connectors.Temporary {
		e.Fault = connectors.Denied
	}
	e.Codes, e.Hint = []string{code}, hint
	e.Err = coded{status: Status(status), code: code}
	return e
}

// coded is an HTTP status and the OAuth code that came with it.
type coded struct {
	status Status
	code   string
}

func (c coded) Error() string { return c.status.Error() + " " + c.code }
func (c coded) Unwrap() error { return c.status }

// grant is the token for call, empty where there is no auth.
func (c *Client) grant(ctx context.Context, call Call, address string) (*grant, error) {
	switch c.auth.Kind {
	case AuthSmart:
		g, err := c.tokens.valid(ctx)
		if err != nil {
			return nil, err
		}
		return g, c.allowed(g.scopes, call, address)
	case AuthBearer:
		token, err := c.auth.Token()
		if err != nil || token == "" {
			e := connectors.Errorf(call.Op, connectors.Denied, "no token")
			e.Hint, e.Unsent = "check the token's file or environment variable", true
			return nil, e
		}
		return &grant{token: token}, nil
	}
	return &grant{}, nil
}
