package people

import (
	"crypto/rand"
	"crypto/subtle"
	"net/netip"
	"strings"
)

// From is from where somebody tries to prove who they are.
type From struct {
	Remote  netip.Addr
	Devices []string // what the browser keeps since people signed in there, as Device gave it
}

// Device is what a browser keeps where an account just signed in. It opens nothing: what is tried there counts apart from
// what strangers try elsewhere, so that whoever knows a login cannot keep its holder out by failing on purpose.
//
//	tries with                               count by               are held up by
//	a device that the account signed in at   that device            the failures there
//	any other, or none                       the login as typed     the failures of all strangers, and of the address
func (h *House) Device(account string) string {
	nonce := strings.ToLower(rand.Text())
	return nonce + "." + h.store.Mark("device", account, nonce)
}

// known is the device from which an account signed in before; "" when it is none of those.
func (h *House) known(from From, account string) string {
	for _, d := range from.Devices {
		nonce, mark, _ := strings.Cut(d, ".")
		if account != "" && subtle.ConstantTimeCompare([]byte(mark), []byte(h.store.Mark("device", account, nonce))) == 1 {
			return nonce
		}
	}
	return ""
}
