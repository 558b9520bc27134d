package rest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/connectors"
)

// scope is what one SMART scope for a system lets it do, of version 1 (system/Task.read) or 2 (system/Task.rs).
type scope struct {
	text string
	typ  string // "*" = every type
	may  string // of c, r, u, d, s
	part bool   // v2 with a query: only some rows
}

// parseScope reads a scope; ok is false for one that says nothing of what a system may do to resources.
func parseScope(text string) (scope, bool) {
	what, query, part := strings.Cut(text, "?")
	context, rest, _ := strings.Cut(what, "/")
	typ, may, dotted := strings.Cut(rest, ".")
	if context != "system" || typ == "" || !dotted || part && query == "" {
		return scope{}, false
	}
	switch may {
	case "*":
		may = "cruds"
	case "read":
		may = "rs"
	case "write":
		may = "cud"
	}
	if may == "" || strings.Trim(may, "cruds") != "" {
		return scope{}, false
	}
	return scope{text: text, typ: typ, may: may, part: part}, true
}

// SystemScope reports whether text is a SMART scope for a system, of version 1 or 2.
func SystemScope(text string) bool {
	_, ok := parseScope(text)
	return ok
}

// scopes are what was asked for and what was granted.
type scopes struct {
	asked   []string
	granted []string
	said    bool // the server told what it granted; else it is what was asked for (RFC 6749 section 5.1)
}

// speaks reports whether the grant is told in words that the hub understands. Where it is not, only the server knows.
func (s scopes) speaks() bool {
	return s.said && (len(s.granted) == 0 || slices.ContainsFunc(s.granted, SystemScope))
}

// allows reports whether act (one of c, r, u, d, s) on all of typ is granted. A grant of some rows counts only when that
// is what was asked for: otherwise what is withheld would read as "no news".
func (s scopes) allows(typ string, act byte) bool {
	return slices.ContainsFunc(s.granted, func(text string) bool {
		g, ok := parseScope(text)
		return ok && (g.typ == typ || g.typ == "*") && strings.IndexByte(g.may, act) >= 0 && (!g.part || slices.Contains(s.asked, text))
	})
}

// missing are the scopes that were asked for and not granted wholly, as they were asked for.
func (s scopes) missing() []string {
	if !s.said {
		return nil
	}
	var all []string
	for _, text := range s.asked {
		a, ok := parseScope(text)
		whole := slices.Contains(s.granted, text)
		if ok && !whole {
			whole = true
			for i := range len(a.may) {
				whole = whole && s.allows(a.typ, a.may[i])
			}
		}
		if !whole {
			all = append(all, text)
		}
	}
	return all
}

// lacking names the scope that a call needs and that was not granted, "" when there is none; asked tells whether it was
// asked for.
func (s scopes) lacking(typ string, act byte) (name string, asked bool) {
	if typ == "" || !s.speaks() || s.allows(typ, act) {
		return "", false
	}
	for _, text := range s.asked {
		if a, ok := parseScope(text); ok && (a.typ == typ || a.typ == "*") && strings.IndexByte(a.may, act) >= 0 {
			asked = true
		}
	}
	may := string(act)
	if act == 'r' || act == 's' {
		may = "rs"
	}
	return "system/" + typ + "." + may, asked
}

// ErrScope is the cause of the error for a call that the token's scope does not allow. It was not made: a server may well
// answer such a call with nothing, which would read as "no news".
var ErrScope = errors.New("not granted to the hub")

// allowed says whether s lets call go to address; an error is Denied and names the scope.
func (c *Client) allowed(s scopes, call Call, address string) error {
	typ, act := c.act(call, address)
	name, asked := s.lacking(typ, act)
	if name == "" {
		return nil
	}
	e := connectors.Errorf(call.Op, connectors.Denied, "scope %s: %w", name, ErrScope)
	e.Unsent, e.Codes = true, []string{"no scope " + name}
	e.Hint = fmt.Sprintf("the authorisation server left %s out of what was asked for: have the counterpart register it for this client", name)
	if !asked {
		e.Hint = fmt.Sprintf("have the counterpart register %s for this client, and write it under auth.scopes", name)
	}
	return e
}

// act is what a call does to which type: c, r, u, d or s. "" is no type: the server's statement, or a link whose path says none.
func (c *Client) act(call Call, address string) (typ string, act byte) {
	u, err := url.Parse(address)
	if err != nil {
		return "", 0
	}
	path := strings.Split(strings.Trim(strings.TrimPrefix(u.Path, c.base.Path), "/"), "/")
	if typ = path[0]; typ == "" || typ[0] < 'A' || typ[0] > 'Z' {
		return "", 0
	}
	switch call.Method {
	case http.MethodPost:
		return typ, 'c'
	case http.MethodPut, http.MethodPatch:
		return typ, 'u'
	case http.MethodDelete:
		return typ, 'd'
	}
	if len(path) > 1 && !strings.HasPrefix(path[1], "_") {
		return typ, 'r'
	}
	return typ, 's'
}
