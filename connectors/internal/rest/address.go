package rest

import (
	"errors"
	"net"
	"net/url"
	"path"
	"strings"

	"github.com/kaphub/kaphub/connectors"
)

// The ways to authenticate.
const (
	AuthNone   = "none"   // loopback only
	AuthBearer = "bearer" // a static token
	AuthSmart  = "smart"  // tokens by SMART Backend Services
	AuthLink   = "link"   // none but the address itself, which is the secret (Call.Link) and is in no error
)

// Auth is how the hub proves who it is. Token is asked for each request, so that it is never kept or printed.
type Auth struct {
	Kind  string                 // one of the above
	Token func() (string, error) // of AuthBearer
	Smart *Smart                 // of AuthSmart
}

// CheckBase says whether base may be spoken to under auth: https everywhere but on loopback, and never unauthenticated
// beyond it. Its errors are sentences for the operator and repeat nothing of base.
func CheckBase(base, auth string) (*url.URL, error) {
	u, err := url.Parse(base)
	switch {
	case base == "":
		return nil, errors.New("is missing: write the address of the FHIR server, like https://fhir.example.org/r4")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("is no address: write one like https://fhir.example.org/r4")
	case u.User != nil:
		return nil, errors.New("holds a user name or password: take it out and use auth")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("holds a query or fragment: write the address of the server only")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, errors.New("is http beyond this machine, where everybody on the way can read it: write https")
	case auth == AuthNone && !loopback(u.Hostname()):
		return nil, errors.New("is beyond this machine, where auth none is not allowed: write auth {kind: bearer, …}")
	case auth != AuthNone && auth != AuthBearer && auth != AuthSmart && auth != AuthLink:
		return nil, errors.New("needs an auth kind: write auth {kind: smart, …}, {kind: bearer, token_file: …}, or {kind: none} on loopback")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ErrAway is the cause of the error for a link that does not lie under the base.
var ErrAway = errors.New("next link leads away from the server")

// address is where call goes. A link that leads elsewhere is refused: it would carry the token there.
func (c *Client) address(call Call) (string, error) {
	if call.Link == "" {
		u := c.base.JoinPath(call.Path)
		u.RawQuery = call.Query.Encode()
		return u.String(), nil
	}
	u, err := c.base.Parse(call.Link)
	if err != nil || !c.Covers(u) {
		e := connectors.Errorf(call.Op, connectors.Garbled, "%w", ErrAway)
		e.Hint, e.Unsent = "the server gives its own address otherwise than base_url does: write base_url as the server does", true
		return "", e
	}
	u.Fragment = ""
	return u.String(), nil
}

// Covers reports whether u lies at the counterpart's own origin and under its base path.
func (c *Client) Covers(u *url.URL) bool {
	if u.User != nil || u.Scheme != c.base.Scheme || !strings.EqualFold(hostPort(u), hostPort(c.base)) {
		return false
	}
	inside := path.Clean("/"+u.Path) + "/"
	return strings.HasPrefix(inside, path.Clean("/"+c.base.Path)+"/") || c.base.Path == ""
}

// Base returns the counterpart's address, without anything secret.
func (c *Client) Base() string { return c.base.String() }

// Origin returns the scheme and host of a secret address, which may be shown where the rest of it may not.
func Origin(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", errors.New("is no address")
	}
	return u.Scheme + "://" + u.Host, nil
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
