package console

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// What a page is made of comes from an address that tells what is in it: it is kept for ever, and an upgrade is seen at once.
func TestOwnFilesAreKeptUntilTheyChange(t *testing.T) {
	g := newTown(t).as(people.Owner)
	asked := regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`).FindAllStringSubmatch(g.get("/").body, -1)
	if len(asked) < 4 {
		t.Fatalf("the page asks for %q", asked)
	}
	for _, m := range asked {
		a := g.get(m[1])
		if a.StatusCode != http.StatusOK || a.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s is answered %d, to be kept %q", m[1], a.StatusCode, a.Header.Get("Cache-Control"))
		}
		bare, _, _ := strings.Cut(m[1], "?")
		for _, other := range []string{bare, bare + "?v=0123456789abcdef"} {
			if a := g.get(other); a.Header.Get("Cache-Control") != "no-cache" {
				t.Errorf("%s may be kept %q: it is there under that address after an upgrade, too", other, a.Header.Get("Cache-Control"))
			}
		}
		g.headers = http.Header{"If-None-Match": {g.get(bare).Header.Get("ETag")}}
		if a := g.get(bare); a.StatusCode != http.StatusNotModified {
			t.Errorf("%s is answered %d to whoever has it", bare, a.StatusCode)
		}
		g.headers = nil
	}
	if _, err := static("nothing.css"); err == nil {
		t.Error("a page may name a file that is not there")
	}
}
