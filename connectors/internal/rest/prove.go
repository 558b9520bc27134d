package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/jwks"
)

// The verdicts of a claim.
const (
	works    = "works"
	degrades = "degrades"
	unknown  = "unknown"
	fails    = "fails"
)

// Prove tells claim by claim why the hub is let in or not, and really asks for a token. It changes nothing. The error is
// that no token was to be had; the claims say what to look at. Nothing where auth is not smart.
func (c *Client) Prove(ctx context.Context) ([]connectors.Claim, error) {
	if c.tokens == nil {
		return nil, nil
	}
	p := &proof{client: c, smart: c.tokens.smart}
	err := p.run(ctx)
	return p.claims, err
}

// proof is one look at everything that a token request says.
type proof struct {
	client *Client
	smart  *Smart
	claims []connectors.Claim
	found  discovery
}

func (p *proof) say(claim, sent, expected, verdict, next string) {
	p.claims = append(p.claims, connectors.Claim{Claim: claim, Sent: sent, Expected: expected, Verdict: verdict, Next: next})
}

func (p *proof) run(ctx context.Context) error {
	endpoint, err := p.discovery(ctx)
	if err != nil {
		return err
	}
	p.offered("grant_type", "client_credentials", p.found.Grants, "have the counterpart switch on SMART Backend Services")
	p.offered("client_auth", "private_key_jwt", p.found.Methods, "the counterpart wants another way to authenticate: ask whether it offers SMART Backend Services")
	key, err := p.smart.Key()
	if err != nil {
		p.say("key", "none", "EC P-384, or RSA of 2048 bits or more", fails, err.Error())
		return connectors.Errorf(opToken, connectors.Denied, "the hub's key cannot be used")
	}
	p.say("key", key.Kind(), "EC P-384, or RSA of 2048 bits or more", works, "")
	p.offered("alg", key.Algorithm(), p.found.Algorithms, "make a key for one of these: kaphub keys new --alg")
	p.kid(ctx, key)
	p.say("iss, sub", p.smart.ClientID, "the client id registered there", unknown, "")
	audience := p.audience(endpoint)
	p.say("jti", "a fresh one each time", "one never used before", works, "")

	began := p.client.now()
	got, err := p.client.token(ctx, p.smart, endpoint, audience, p.smart.Scopes)
	p.clock(began, got)
	p.scopes()
	if err != nil {
		p.refused(ctx, endpoint, audience, err)
		return err
	}
	p.believed()
	p.token(got)
	return nil
}

// discovery is where tokens come from.
func (p *proof) discovery(ctx context.Context) (endpoint string, err error) {
	d, err := p.client.discover(ctx)
	p.found = d
	set := p.smart.TokenURL
	switch {
	case err == nil && set != "" && set != d.TokenEndpoint:
		p.say("discovery", set, d.TokenEndpoint, degrades, "auth.token_url is followed, and the server names another: take it out unless the counterpart asked for it")
	case err == nil:
		p.say("discovery", wellKnown, d.TokenEndpoint, works, "")
	case set != "":
		p.found = discovery{date: d.date}
		p.say("discovery", set, "unknown: "+err.Error(), degrades, "auth.token_url is followed; what the server offers cannot be compared")
	default:
		p.say("discovery", wellKnown, "a SMART configuration that names a token_endpoint", fails, err.Error())
		return "", err
	}
	if set != "" {
		return set, nil
	}
	return d.TokenEndpoint, nil
}

// offered compares what is sent with a list that the server states.
func (p *proof) offered(claim, sent string, list []string, next string) {
	switch {
	case len(list) == 0:
		p.say(claim, sent, "not stated", unknown, "")
	case slices.Contains(list, sent):
		p.say(claim, sent, strings.Join(few(list), ", "), works, "")
	default:
		p.say(claim, sent, strings.Join(few(list), ", "), fails, next)
	}
}

// kid looks whether the key that signs stands in the set that the hub publishes.
func (p *proof) kid(ctx context.Context, key jwks.Key) {
	const expected = "a key of the set registered there"
	if p.smart.KeySet == "" {
		p.say("kid", key.ID(), expected, unknown, "register the public key there by hand (kaphub keys list --jwks), or set hub.public_url and register its /.well-known/jwks/NAME.json, NAME being the connector's")
		return
	}
	answer, err := p.client.aside(ctx, "read our key set", http.MethodGet, p.smart.KeySet, nil)
	var set struct{ Keys []struct{ KID string } }
	switch {
	case err != nil:
		p.say("kid", key.ID(), expected, degrades, "the hub's own "+p.smart.KeySet+" cannot be read from here ("+connectors.Why(err)+"): is kaphub serve running, and hub.public_url right? Where the key is registered by hand, nothing is lost")
	case json.Unmarshal(answer.Body, &set) != nil || !slices.ContainsFunc(set.Keys, func(k struct{ KID string }) bool { return k.KID == key.ID() }):
		p.say("kid", key.ID(), expected, fails, p.smart.KeySet+" does not hold it: does hub.public_url lead to this hub, and is its kaphub serve running with this config?")
	default:
		p.say("kid", key.ID(), expected, works, "")
	}
}

// audience is the assertion's aud.
func (p *proof) audience(endpoint string) string {
	aud := p.smart.Audience
	switch aud {
	case "", endpoint:
		p.say("aud", endpoint, endpoint, works, "")
		return endpoint
	case p.found.Issuer:
		p.say("aud", aud, endpoint, degrades, "auth.audience is the issuer, where SMART demands the token endpoint: keep it only if the counterpart asked for it")
	default:
		p.say("aud", aud, endpoint, fails, "auth.audience is neither the token endpoint nor the issuer: take it out")
	}
	return aud
}

// clock compares exp with the server's clock, as its answers tell it.
func (p *proof) clock(began time.Time, got *grant) {
	date := p.found.date
	if got != nil && !got.date.IsZero() {
		date = got.date
	}
	const expected = "in the future, and at most 5 min away by the server's clock"
	sent := "in " + lifetime.String()
	if date.IsZero() {
		p.say("exp", sent, expected, unknown, "the server tells no time: see that this machine's clock is set (NTP)")
		return
	}
	ahead := began.Sub(date).Truncate(time.Second)
	left := lifetime + ahead
	word := fmt.Sprintf("%s ahead of", ahead)
	if ahead < 0 {
		word = fmt.Sprintf("%s behind", -ahead)
	}
	next := "this machine's clock is " + word + " the server's: set it (NTP)"
	switch {
	case left <= 0:
		p.say("exp", sent+", which is over for the server", expected, fails, next)
	case left > 5*time.Minute:
		p.say("exp", sent+", which is "+left.String()+" for the server", expected, fails, next)
	case ahead.Abs() > 15*time.Second:
		p.say("exp", sent+", which is "+left.String()+" for the server", expected, degrades, next)
	default:
		p.say("exp", sent, expected, works, "")
	}
}

// scopes compares what is asked for with what the server states that it offers.
func (p *proof) scopes() {
	asked := strings.Join(p.smart.Scopes, " ")
	offers := scopes{granted: p.found.Scopes, asked: p.smart.Scopes, said: len(p.found.Scopes) > 0}
	switch lost := offers.missing(); {
	case !offers.said || !offers.speaks():
		p.say("scope", asked, "not stated", unknown, "")
	case len(lost) > 0:
		p.say("scope", asked, strings.Join(few(p.found.Scopes), " "), degrades, "the server does not state "+strings.Join(lost, ", ")+": see below what it grants")
	default:
		p.say("scope", asked, strings.Join(few(p.found.Scopes), " "), works, "")
	}
}

// token tells of the one that was granted, and which scopes were left out.
func (p *proof) token(got *grant) {
	if got.life == 0 {
		p.say("token", "asked for", "one that says how long it lives", degrades, "granted without expires_in: taken to live "+unsaid.String())
	} else {
		p.say("token", "asked for", "granted, for "+got.life.String(), works, "")
	}
	asked := strings.Join(got.scopes.asked, " ")
	switch lost := got.scopes.missing(); {
	case !got.scopes.said:
		p.say("granted scope", asked, "not told", unknown, "the server does not say what it granted, which means all (RFC 6749) or that it forgot: what is refused later shows it")
	case !got.scopes.speaks():
		p.say("granted scope", asked, strings.Join(few(got.scopes.granted), " "), unknown, "these are no SMART scopes: only the server knows what they allow")
	case len(lost) > 0:
		p.say("granted scope", asked, strings.Join(few(got.scopes.granted), " "), fails, "left out without a word: "+strings.Join(lost, ", ")+"; what needs it is not read or written, and what rests on it stays unknown: have the counterpart register it for this client")
	default:
		p.say("granted scope", asked, strings.Join(few(got.scopes.granted), " "), works, "")
	}
}

// believed turns what only the server knew into what it has shown to know.
func (p *proof) believed() {
	for i, c := range p.claims {
		switch {
		case c.Claim == "iss, sub" || c.Claim == "kid" && c.Verdict == unknown:
			p.claims[i].Verdict, p.claims[i].Next = works, ""
		case c.Verdict == fails: // its own statement says otherwise than it does
			p.claims[i].Verdict, p.claims[i].Next = degrades, "the server takes it all the same: "+c.Next
			if c.Claim == "aud" {
				p.claims[i].Next = "the server takes it, where SMART demands the token endpoint: keep it only if the counterpart asked for it"
			}
		}
	}
}

// refused says why no token was granted, and tries what would tell more: another audience, or the scopes one by one.
func (p *proof) refused(ctx context.Context, endpoint, audience string, err error) {
	e, _ := errors.AsType[*connectors.Error](err)
	if e == nil {
		return
	}
	next := e.Hint
	code := strings.Join(e.Codes, ", ")
	switch code {
	case "invalid_client", "invalid_grant", "invalid_request":
		if other := p.otherAudience(endpoint, audience); other != "" {
			if _, err := p.client.token(ctx, p.smart, endpoint, other, p.smart.Scopes); err == nil {
				next = "it is aud: with auth.audience: " + other + " a token is granted"
			}
		}
	case "invalid_scope":
		if bad := p.oneByOne(ctx, endpoint, audience); len(bad) > 0 {
			next = "refused, each by itself: " + strings.Join(bad, ", ") + "; have the counterpart register them, or take them out of auth.scopes"
		}
	}
	if i := slices.IndexFunc(p.claims, func(c connectors.Claim) bool { return c.Claim == "iss, sub" }); code == "invalid_client" && i >= 0 {
		p.claims[i].Next = "only the server knows it: compare it, letter by letter, with what the counterpart registered"
	}
	if e.Err != nil {
		code = e.Err.Error()
	}
	p.say("token", "asked for", "refused: "+code, fails, next)
}

// otherAudience is what else a server may want as aud: the issuer in place of the token endpoint, or the other way round.
func (p *proof) otherAudience(endpoint, audience string) string {
	if audience != endpoint {
		return endpoint
	}
	return p.found.Issuer
}

// oneByOne asks for each scope alone and returns those that are refused.
func (p *proof) oneByOne(ctx context.Context, endpoint, audience string) []string {
	const most = 24
	var bad []string
	for _, s := range p.smart.Scopes[:min(len(p.smart.Scopes), most)] {
		_, err := p.client.token(ctx, p.smart, endpoint, audience, []string{s})
		if e, ok := errors.AsType[*connectors.Error](err); ok && slices.Contains(e.Codes, "invalid_scope") {
			bad = append(bad, s)
		}
	}
	return bad
}

// few keeps a server's list short enough to show, and each of its words.
func few(list []string) []string {
	const most, long = 12, 80
	var all []string
	for i, word := range list {
		if i == most {
			return append(all, fmt.Sprintf("and %d more", len(list)-most))
		}
		if len(word) > long || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r > '~' }) {
			word = "?"
		}
		all = append(all, word)
	}
	return all
}
