package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

func render(t *testing.T, in Input) string {
	t.Helper()
	var b bytes.Buffer
	if err := Build(in).HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var testID = regexp.MustCompile(`data-test-id="([a-z-]+)(\{\{|")`)

// Each data-test-id of the templates occurs in the seeded page or in the empty one: so every branch was executed against
// its struct, and nothing a template says is unreachable.
func TestEveryPartOfTheTemplatesIsReached(t *testing.T) {
	full, empty := render(t, seed())+letterOf(t, accountingSeed()), render(t, Input{Practice: "Reverie"})+letterOf(t, AccountingInput{})
	err := fs.WalkDir(files, "templates", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".html") {
			return err
		}
		text, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		for _, id := range testID.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(full, `data-test-id="`+id[1]) && !strings.Contains(empty, `data-test-id="`+id[1]) {
				t.Errorf("%s: %s is never shown", path, id[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSectionsStandInTheOrderOneActsOnThem(t *testing.T) {
	page := render(t, seed())
	last := -1
	for _, id := range []string{"freshness", "stopped", "sessions", "do-now", "waiting", "new", "persisting", "resolved", "roll-ups", "upcoming", "sources", "deliveries", "rejects"} {
		at := strings.Index(page, `data-test-id="`+id+`"`)
		if at < last {
			t.Errorf("%s stands at %d, before what comes before it", id, at)
		}
		last = at
	}
}

func TestThePageMayLoadNothingButItsOwnStyle(t *testing.T) {
	page := render(t, seed())
	css := page[strings.Index(page, "<style>")+len("<style>") : strings.Index(page, "</style>")]
	sum := sha256.Sum256([]byte(css))
	policy := html.UnescapeString(regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)[1])
	if want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"; policy != want {
		t.Errorf("the policy is %q, want %q", policy, want)
	}
	for _, never := range []string{"<script", " style=", " onclick", "<link", "<img", "url(", "@import", "http://", "https://"} {
		if strings.Contains(page, never) {
			t.Errorf("the page contains %s", never)
		}
	}
}

func TestTextOfRecordsCannotSpeakToTheBrowser(t *testing.T) {
	page := render(t, seed())
	if strings.Contains(page, "<Madeup>") || !strings.Contains(page, "Rowan &lt;Madeup&gt;") {
		t.Error("a chosen name is not escaped")
	}
}

func TestThePageCanBeReadByEars(t *testing.T) {
	page := render(t, seed())
	for _, want := range []string{`<html lang="en">`, "<main>", "<header>", "<footer>", `scope="col"`, `scope="row"`} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is missing", want)
		}
	}
	ids := map[string]bool{}
	for _, id := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[id[1]] {
			t.Errorf("two elements are called %s", id[1])
		}
		ids[id[1]] = true
	}
	for _, ref := range regexp.MustCompile(`aria-labelledby="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !ids[ref[1]] {
			t.Errorf("nothing is called %s", ref[1])
		}
	}
}

func TestAnEmptyPageSaysSo(t *testing.T) {
	page := render(t, Input{Practice: "Reverie"})
	for _, id := range []string{"no-sessions", "no-upcoming"} {
		if !strings.Contains(page, `data-test-id="`+id+`"`) {
			t.Errorf("%s is missing", id)
		}
	}
	if strings.Contains(page, `data-test-id="stopped"`) {
		t.Error("an empty section is shown")
	}
}
