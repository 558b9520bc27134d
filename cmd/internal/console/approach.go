package console

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// asker is from where a request comes. What a proxy says counts when it is one of ours; anybody else can say what they like.
//
//	peer                          X-Forwarded-For       asks
//	this machine, or a proxy      none, or no address   the peer
//	this machine, or a proxy      a, b                  b, or a when b is a proxy of ours as well
//	anybody else                  whatever              the peer
func asker(peer netip.Addr, forwarded []string, proxies []netip.Prefix) netip.Addr {
	list := strings.Split(strings.Join(forwarded, ","), ",")
	for trusted(peer, proxies) && len(list) > 0 {
		last := address(strings.TrimSpace(list[len(list)-1]))
		if !last.IsValid() {
			break
		}
		peer, list = last, list[:len(list)-1]
	}
	return peer
}

// trusted reports whether an address is this machine's, or one of our proxies'.
func trusted(a netip.Addr, proxies []netip.Prefix) bool {
	return a.IsLoopback() || slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// address reads an address, with a port or without.
func address(text string) netip.Addr {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap().WithZone("")
	}
	a, _ := netip.ParseAddr(strings.Trim(text, "[]")) // what is none is the zero one
	return a.Unmap().WithZone("")
}

// from is from where a visit comes, and what its browser keeps since people signed in there.
func (v *visit) from() people.From {
	f := people.From{Remote: asker(address(v.r.RemoteAddr), v.r.Header.Values("X-Forwarded-For"), v.Proxies)}
	for _, c := range v.r.Cookies() {
		if strings.HasPrefix(c.Name, v.deviceCookie("")) && len(f.Devices) < mostDevices {
			f.Devices = append(f.Devices, c.Value)
		}
	}
	return f
}

// A browser is known for so long after somebody signed in there, and to so many who share it.
const (
	deviceKept  = 180 * 24 * time.Hour
	mostDevices = 16
)

// deviceCookie is the name under which a browser keeps that an account signed in there.
func (v *visit) deviceCookie(account string) string {
	return v.sessions.Cookie.Name + "-device-" + account
}

// remember has the browser keep that an account signed in there.
func (v *visit) remember(account string) {
	http.SetCookie(v.w, &http.Cookie{Name: v.deviceCookie(account), Value: v.Door.Device(account), Path: "/", MaxAge: int(deviceKept.Seconds()), //nolint:gosec // this machine has no TLS
		HttpOnly: true, Secure: v.secure(), SameSite: http.SameSiteStrictMode})
}

// approach answers why nobody may use the console in the way in which a request came; nil when they may. A password and what
// is on a page never cross a network in the clear, and a name that a stranger's site has led to this machine opens nothing.
//
//	public_url   came                                                  may
//	https        by this machine or a proxy, who do not say "by http"  yes
//	https        from elsewhere, saying "by https"                     yes
//	https        from elsewhere                                        no
//	none         from this machine, asking for it by an own name       yes
//	none         in any other way                                      no
//
// In the demo all is invented: there an address in numbers will do.
func (c *Console) approach(r *http.Request) *refusal {
	peer, scheme := address(r.RemoteAddr), strings.ToLower(r.Header.Get("X-Forwarded-Proto"))
	host := hostOf(r.Host)
	switch {
	case c.Guest != nil && (ownName(host) || address(host).IsValid()):
		return nil
	case c.Guest != nil:
		return &refusal{http.StatusForbidden, "Open the demo by its address in numbers", "Names may lead anybody's page to this machine."}
	case c.secure() && (scheme == "https" || scheme == "" && trusted(peer, c.Proxies)):
		return nil
	case c.secure():
		return &refusal{http.StatusForbidden, "Open this by https", "Go to " + c.Public + ". For whoever looks after the hub: a TLS proxy that says X-Forwarded-Proto: https, or that hub.proxies names, may ask for people."}
	case asker(peer, r.Header.Values("X-Forwarded-For"), c.Proxies).IsLoopback() && (ownName(host) || address(host).IsLoopback()):
		return nil
	}
	return &refusal{http.StatusForbidden, "This hub is for its own machine alone", "Passwords and clients' names would cross the network in the clear. For whoever looks after the hub: put a TLS proxy before it, and write the https address under which people reach it as hub.public_url."}
}

func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

// ownName reports whether a name is this machine's wherever it is asked.
func ownName(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
