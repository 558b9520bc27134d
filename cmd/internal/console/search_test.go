package console

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func (w *town) Meant(_ context.Context, words string) (Meant, error) {
	is := func(client string) bool {
		return words == "1990-04-12" && client == "c-kim" || slices.ContainsFunc(w.view.Clients, func(v readiness.Verdict) bool {
			return v.Client == client && strings.Contains(strings.ToLower(v.Chosen), strings.ToLower(words))
		})
	}
	return Meant{
		Is: is,
		All: func() (keys []string) {
			for _, v := range w.view.Clients {
				if is(v.Client) && !slices.Contains(keys, v.Client) {
					keys = append(keys, v.Client)
				}
			}
			return keys
		},
		Surely: func(client string) bool {
			return slices.ContainsFunc(w.view.Clients, func(v readiness.Verdict) bool { return v.Client == client && strings.EqualFold(v.Chosen, words) })
		},
		Born: func(client string) string {
			for _, v := range w.view.Clients {
				if chart, err := w.desk.chart(client); err == nil && v.Client == client && v.Chosen == readiness.ChosenName(chart) {
					return entry.Born(chart)
				}
			}
			return map[string]string{"c-kim": "1990-04-12"}[client]
		},
		Exactly: func(client string) bool {
			return client == "c-kim" && (words == "Kim Key 1990-04-12" || words == client)
		},
	}, w.away
}

// find looks for somebody, and goes where that leads.
func (g *guest) find(words string) answerTo {
	g.t.Helper()
	return g.after(g.post("/clients", form("q", words)))
}

// types is what a page shows while somebody types.
func (g *guest) types(words string) answerTo {
	g.t.Helper()
	g.headers = http.Header{"Hx-Request": {"true"}}
	defer func() { g.headers = nil }()
	return g.post("/clients", form("q", words))
}

// Whom somebody looks for stands in no address: not in the form's, not in where it leads, not in a link on the page.
func TestNoAddressHoldsANameThatWasLookedFor(t *testing.T) {
	w := newTown(t)
	for n := range 2*perPage + 1 {
		w.view.Clients = append(w.view.Clients, verdict(fmt.Sprintf("c-%03d", n), "Zqname", "Dana", now.AddDate(0, 0, n), readiness.Ready))
	}
	g := w.as(people.Owner)
	if body := g.get("/").body; strings.Contains(body, `method="get" action="/clients"`) || strings.Contains(body, `hx-get="/clients"`) {
		t.Error("a name is asked for in a way that puts it into an address")
	}
	answers := []answerTo{g.post("/clients", form("q", "zqname")), g.find("zqname"), g.get("/clients?found=yes&page=2"), g.types("zqname")}
	answers[1].says(t, "101 clients fit", `value="zqname"`, "found=yes&amp;page=2")
	answers[2].says(t, "51 to 100", "page=3")
	for i, a := range answers {
		addresses := append(hrefs.FindAllString(a.body, -1), a.Header.Get("Location"))
		for _, at := range addresses {
			if strings.Contains(strings.ToLower(at), "zqname") {
				t.Errorf("answer %d leads to %s", i, at)
			}
		}
	}
	g.get("/clients").says(t, "Everybody: 103 clients")
	w.as(people.Reader).get("/clients?found=yes").says(t, "Everybody") // another's search is theirs
	if a := g.get("/clients?q=zqname"); !strings.Contains(a.body, "Everybody") {
		t.Error("an address that holds a name is answered as before")
	}
	g.find("").says(t, "Everybody")
}

// A part of a page is as harmless as a whole one.
func TestWhatIsShownWhileSomebodyTypesIsWhatItSeemsToBe(t *testing.T) {
	w := newTown(t)
	w.view.Clients[0].Chosen = "Ro\u202ebin <b>\u001b[2J"
	g := w.as(people.Owner)
	for name, a := range map[string]answerTo{"typing": g.types("bin"), "the board": g.asks("/changes?mark=old"), "a page": g.get("/clients")} {
		if strings.ContainsAny(a.body, "\u202e\u001b") || strings.Contains(a.body, "<b>\u001b") || !strings.Contains(a.body, "bin &lt;b&gt;") {
			t.Errorf("%s: %q", name, a.body)
		}
	}
}

// Nor does any page's title, which a browser keeps with the address.
func TestNoTitleNamesAClient(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, append(c.InOrder(), dana(c))...)
	called := readiness.ChosenName(w.room.charts["c-robin"])
	g := w.as(people.Owner, people.Therapist)
	if !strings.Contains(g.get("/clients/c-robin").body, called) || called == "" {
		t.Fatalf("nobody is called %q", called)
	}
	for _, rt := range w.routes() {
		method, path := sample(rt.Pattern)
		if method != http.MethodGet {
			continue
		}
		body := g.get(path).body
		_, after, _ := strings.Cut(body, "<title>")
		if title, _, _ := strings.Cut(after, "</title>"); strings.Contains(title, called) {
			t.Errorf("%s is titled %q", path, title)
		}
	}
}

var hrefs = regexp.MustCompile(`(?:href|action|hx-get|hx-post)="[^"]*"`)

func TestAClientIsFoundByWhatOneKnowsOfThem(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Reader)
	a := g.find("1990-04-12")
	a.inOrder(t, `value="1990-04-12"`, "1 client fits", "Kim", "c-kim", "12 Apr 1990", "HOLD", "today 13:00", "Lee")
	if strings.Contains(a.body, "Robin") || w.looks[len(w.looks)-1] != "Ann reader|search clients" {
		t.Errorf("%v %s", w.looks, a.body)
	}
	g.get("/clients").inOrder(t, "Everybody: 2 clients", "Kim", "Robin", "not on file")
	if a := g.find("nobody of this name"); !a.has("nobody") {
		t.Errorf("%s", a.body)
	}
	if a := w.as(people.Therapist).find("i"); strings.Contains(a.body, "Kim") || !strings.Contains(a.body, "Robin") {
		t.Error("Dana finds another's client")
	}
	if body := g.get("/").body; !strings.Contains(body, `action="/clients"`) {
		t.Error("the search is not in the head of each page")
	}
	if body := w.stranger().get("/nowhere").body; strings.Contains(body, `role="search"`) {
		t.Error("a stranger is offered a search")
	}
}

func TestWhoTypesSeesTheFirstWhoFit(t *testing.T) {
	w := newTown(t)
	for n := range 20 {
		w.view.Clients = append(w.view.Clients, verdict(fmt.Sprintf("c-%02d", n), fmt.Sprintf("Someone %02d", n), "Dana", now.AddDate(0, 0, n), readiness.Ready))
	}
	g := w.as(people.Admin)
	a := g.types("someone")
	if n := strings.Count(a.body, `class="row"`); a.StatusCode != http.StatusOK || n != perPeek || strings.Contains(a.body, "<html") {
		t.Fatalf("%d rows: %s", n, a.body)
	}
	a.inOrder(t, "20 clients fit", `form="find"`, "Someone 00", "born not on file", "READY")
	looks := len(w.looks)
	if a := g.types("s"); strings.TrimSpace(a.body) != "" || len(w.looks) != looks {
		t.Errorf("one letter means everybody: %s", a.body)
	}
}

// What Today cut is listed whole, page by page.
func TestWhatWasCutIsListedWhole(t *testing.T) {
	w := newTown(t)
	w.view.Clients = nil
	for n := range 120 {
		v := verdict(fmt.Sprintf("c-%03d", n), fmt.Sprintf("Client %03d", n), "Dana", now.Add(time.Duration(n)*time.Hour), readiness.Ready)
		if n%2 == 0 {
			v.State = readiness.Hold
		}
		if n == 7 {
			v.Findings = []readiness.Finding{{ID: "f", Code: "R03", State: readiness.New, Since: now}}
		}
		w.view.Clients = append(w.view.Clients, v)
	}
	g := w.as(people.Owner)
	for path, want := range map[string]string{
		"/clients?show=stopped": "Stopped: 60 clients", "/clients?show=soon": "Today or tomorrow: 39 clients", "/clients?show=waiting": "Waiting: 1 client.",
		"/clients?show=later": "Next 14 days: 81 clients", "/clients?show=unknown": "Cannot tell: no clients",
	} {
		if a := g.get(path); !strings.Contains(a.body, want) {
			t.Errorf("%s does not say %q", path, want)
		}
	}
	seen := map[string]bool{}
	path := "/clients"
	for pages := 0; path != "" && pages < 5; pages++ {
		a := g.get(path)
		for n := range 120 {
			if key := fmt.Sprintf("c-%03d", n); strings.Contains(a.body, key) {
				seen[key] = true
			}
		}
		before, _, _ := strings.Cut(a.body, `" rel="next"`)
		path = ""
		if before != a.body {
			path = strings.ReplaceAll(before[strings.LastIndex(before, `"`)+1:], "&amp;", "&")
		}
	}
	if len(seen) != 120 {
		t.Errorf("%d of 120 were listed", len(seen))
	}
	if a := g.get("/clients?page=99999999999999999999"); a.StatusCode != http.StatusOK {
		t.Errorf("a page that is not there: %d", a.StatusCode)
	}
	if a := g.get("/clients?page=9999"); a.StatusCode != http.StatusOK {
		t.Errorf("a page that is not there: %d", a.StatusCode)
	}
}

func TestAStoreThatIsAwayIsAPageToo(t *testing.T) {
	w := newTown(t)
	w.away = fmt.Errorf("the disk is full of Robin")
	g := w.as(people.Owner)
	for _, path := range []string{"/", "/print", "/clients", "/changes"} {
		if a := g.get(path); a.StatusCode != http.StatusInternalServerError || strings.Contains(a.body, "disk") {
			t.Errorf("%s is answered %d", path, a.StatusCode)
		}
	}
}

// Somebody else's client is told to a therapist who knows all that they are known by, to be opened with a reason; to anybody
// who knows less, nothing: neither their name nor that there is such a client.
func TestSomebodyElsesClientIsToldToWhoeverNamesThemInFull(t *testing.T) {
	for words, told := range map[string]bool{"Kim": false, "1990-04-12": false, "Kim Key": false, "Kim Key 1990-04-12": true, "c-kim": true, "c-robin": false, "c-nobody": false} {
		w := newTown(t)
		g := w.as(people.Therapist)
		for where, a := range map[string]answerTo{"the search": g.find(words), "while typing": g.types(words)} {
			if a.has("stranger") != told || strings.Contains(a.body, `href="/clients/c-kim"`) != told {
				t.Errorf("%s for %q: told %v\n%s", where, words, a.has("stranger"), a.text())
			}
		}
		if noted := slices.Contains(w.looks, "Ann therapist|found by full name|c-kim|"); noted != told {
			t.Errorf("%q: noted %v in %q", words, noted, w.looks)
		}
		if a := w.as(people.Owner).find(words); a.has("stranger") {
			t.Errorf("an owner, who sees everybody, finds a stranger by %q", words)
		}
	}
}

func TestClientsAreInTheOrderOfTheirNames(t *testing.T) {
	w := newTown(t) // Robin's session is before Kim's, and her key after his
	for path, first := range map[string]string{"/clients": ">Kim<", "/clients?show=soon": ">Robin<"} {
		body := w.as(people.Admin).get(path).body
		kim, robin := strings.Index(body, ">Kim<"), strings.Index(body, ">Robin<")
		if kim < 0 || robin < 0 || (kim < robin) != (first == ">Kim<") {
			t.Errorf("%s: Kim stands at %d, Robin at %d", path, kim, robin)
		}
	}
}
