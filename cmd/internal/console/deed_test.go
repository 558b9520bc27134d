package console

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// typed finds what can be typed at a terminal only.
var typed = regexp.MustCompile(`kaphub (?:init|check|import|sync|serve|status|explain|report|findings|record|questions|packet|deliveries|rejects|sealed|links|disclosures|user|backup|restore|audit|key|rules|expunge)\b|--(?:by|all|party|in-person|state|paste|phone)\b`)

// typedStill is what may stand on a page all the same, and why. The first run's own pages, which lead whoever typed kaphub serve
// from the terminal into the browser, are no routes of a town.
var typedStill = map[string]string{
	"kaphub import": "nobody is a client yet: a roster file lies on the hub's machine, and is brought in there",
}

// Nobody can type a command in a browser: no page asks for one.
func TestNoPageAsksForACommand(t *testing.T) {
	w := newTown(t)
	n := 0
	for _, rt := range w.routes() {
		method, path := sample(rt.Pattern)
		if method != http.MethodGet {
			continue
		}
		for _, role := range people.Roles() {
			a := w.as(role).get(path)
			if a.StatusCode != http.StatusOK || !strings.Contains(a.Header.Get("Content-Type"), "text/html") {
				continue
			}
			n++
			if found := typed.FindString(a.text()); found != "" && typedStill[found] == "" {
				t.Errorf("%s, as %s: %q", path, role, found)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d pages were looked at", n)
	}
}

// Whatever a next step asks to be done at the hub is done somewhere in the browser, by somebody.
func TestEveryDeedHasItsPlace(t *testing.T) {
	w := newTown(t)
	for _, deed := range readiness.Deeds() {
		led := 0
		for _, role := range people.Roles() {
			door := doorOf(people.Account{Roles: []people.Role{role}}, "ask them, then "+string(deed), "c-robin")
			if door == nil {
				continue
			}
			led++
			if a := w.as(role).get(door.Path); a.StatusCode != http.StatusOK {
				t.Errorf("%s leads %s to %s, which answers %d", deed, role, door.Path, a.StatusCode)
			}
		}
		if led == 0 {
			t.Errorf("%s leads nobody anywhere", deed)
		}
	}
	if door := doorOf(people.Account{Roles: []people.Role{people.Owner}}, string(readiness.SayWhy), ""); door != nil {
		t.Errorf("what touches many leads to one client: %+v", door)
	}
}
