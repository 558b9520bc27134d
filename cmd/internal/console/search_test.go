package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func (w *town) Meant(_ context.Context, words string) (Meant, error) {
	return Meant{
		Is: func(v *readiness.Verdict) bool {
			return strings.Contains(strings.ToLower(v.Chosen), strings.ToLower(words)) || words == "1990-04-12" && v.Client == "c-kim"
		},
		Born: func(client string) string { return map[string]string{"c-kim": "1990-04-12"}[client] },
	}, w.away
}

func TestAClientIsFoundByWhatOneKnowsOfThem(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Reader)
	a := g.get("/clients?q=1990-04-12")
	a.inOrder(t, `value="1990-04-12"`, "1 client fits", "Kim", "c-kim", "12 Apr 1990", "HOLD", "today 13:00", "Lee")
	if strings.Contains(a.body, "Robin") || w.looks[len(w.looks)-1] != "Ann reader|search clients" {
		t.Errorf("%v %s", w.looks, a.body)
	}
	g.get("/clients").inOrder(t, "Everybody: 2 clients", "Robin", "not on file", "Kim")
	if a := g.get("/clients?q=nobody+of+this+name"); !a.has("nobody") {
		t.Errorf("%s", a.body)
	}
	if a := w.as(people.Therapist).get("/clients?q=i"); strings.Contains(a.body, "Kim") || !strings.Contains(a.body, "Robin") {
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
	a := g.asks("/clients?q=someone")
	if n := strings.Count(a.body, `class="row"`); a.StatusCode != http.StatusOK || n != perPeek || strings.Contains(a.body, "<html") {
		t.Fatalf("%d rows: %s", n, a.body)
	}
	a.inOrder(t, "20 clients fit", "/clients?q=someone", "Someone 00", "born not on file", "READY")
	looks := len(w.looks)
	if a := g.asks("/clients?q=s"); strings.TrimSpace(a.body) != "" || len(w.looks) != looks {
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
		"/clients?show=stopped": "Stopped: 60 clients", "/clients?show=soon": "Session today or tomorrow: 39 clients", "/clients?show=waiting": "Waiting: 1 client.",
		"/clients?show=later": "Session in the next 14 days: 81 clients", "/clients?show=unknown": "Cannot tell: no clients",
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
	for _, path := range []string{"/", "/print", "/clients?q=ro", "/changes"} {
		if a := g.get(path); a.StatusCode != http.StatusInternalServerError || strings.Contains(a.body, "disk") {
			t.Errorf("%s is answered %d", path, a.StatusCode)
		}
	}
}
