package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

func TestASecondPersonCompares(t *testing.T) {
	w := newTown(t)
	admin, owner := w.as(people.Admin), w.as(people.Owner)
	owner.fill(robin+"label", labelled...)
	_, a := admin.fill(robin+"decision", append(slices.Clone(clearing), "directions", "Half a lozenge")...)
	admin.said(a)
	id := w.desk.slips[len(w.desk.slips)-1].Entry
	path := "/clients/c-robin/desk/entries/" + id + "/confirm"

	if a := admin.get("/desk/waiting"); !a.has("own") || a.has("confirm") || strings.Contains(a.body, "Half a lozenge") {
		t.Errorf("whoever entered it sees\n%s", a.body)
	}
	second := w.as(people.Admin)
	other := w.people["p-admin"]
	other.Name = "Bea"
	w.people["p-admin"] = other
	if a := second.get("/desk/waiting"); !a.has("hidden") || strings.Contains(a.body, "Half a lozenge") {
		t.Errorf("an admin sees the directions:\n%s", a.body)
	}
	form := shownForm(t, owner.get("/desk/waiting"), path)
	if a := second.post(path, form); a.StatusCode != http.StatusForbidden {
		t.Errorf("an admin confirms directions: %d", a.StatusCode)
	}
	if a := owner.get("/desk/waiting"); !a.has("confirm") || !strings.Contains(a.body, "Half a lozenge") || !strings.Contains(a.body, "valid to 2026-05-31") {
		t.Errorf("the second person sees\n%s", a.body)
	}
	if a := owner.get("/desk"); !strings.Contains(a.body, "1 decision waits") {
		t.Error("the desk does not say that one waits")
	}
	for name, stale := range map[string]url.Values{ // a form that was opened about somebody else, or that is no form of ours
		"another client": {"entry": form["entry"], "shown": {"c-kim, Kim, born 1 January 1980"}}, "nobody": {"entry": form["entry"]}, "an id of its own making": {"entry": {"e-1"}, "shown": form["shown"]},
	} {
		if a := owner.post(path, stale); a.StatusCode != http.StatusConflict {
			t.Errorf("confirmed with %s: %d", name, a.StatusCode)
		}
	}
	if line := owner.said(owner.post(path, form)); !strings.Contains(line, "confirmation") {
		t.Errorf("it says %q", line)
	}
	if line := owner.said(owner.post(path, form)); !strings.Contains(line, "already") {
		t.Errorf("twice it says %q", line)
	}
	_, b := owner.fill(robin+"decision", "outcome", fhir.DecisionConditions, "valid-to", "2026-05-31", "condition", "a letter of the cardiologist")
	owner.said(b)
	if a := second.get("/desk/waiting"); !a.has("hidden") || strings.Contains(a.body, "cardiologist") || !strings.Contains(a.body, "valid to 2026-05-31") {
		t.Errorf("an admin reads a condition:\n%s", a.body)
	}
	last := w.desk.slips[len(w.desk.slips)-1]
	if a := second.post("/clients/c-robin/desk/entries/"+last.Entry+"/confirm", url.Values{"entry": {desk.NewEntry()}, "shown": form["shown"]}); a.StatusCode != http.StatusForbidden {
		t.Errorf("and confirms it: %d", a.StatusCode)
	}
	w.desk.slips = slices.DeleteFunc(w.desk.slips, func(s exchange.Slip) bool { return s.Entry == last.Entry })
	c := w.desk.clients["c-robin"]
	c.versions = slices.DeleteFunc(c.versions, func(v fhir.Version) bool { return strings.HasSuffix(v.ID, strings.TrimPrefix(last.Entry, "e-")) })
	if a := owner.get("/desk/waiting"); !a.has("nothing-waits") {
		t.Errorf("it still waits:\n%s", a.body)
	}
	form.Set("entry", desk.NewEntry())
	if a := owner.post(path, form); a.StatusCode != http.StatusConflict {
		t.Errorf("what waits for nobody is confirmed: %d", a.StatusCode)
	}
	if a := w.as(people.Therapist).post("/clients/c-kim/desk/entries/"+id+"/confirm", form); a.StatusCode != http.StatusNotFound {
		t.Errorf("by a therapist, about another's client: %d", a.StatusCode)
	}
}

func TestAnEntryIsCorrectedWithAReason(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	g.fill(robin+"stop", "said", "client")
	path := robin + "entries/" + w.desk.slips[0].Entry + "/undo"
	if a := g.get("/clients/c-robin/desk"); !a.has("undo") || !strings.Contains(a.body, path) {
		t.Errorf("it is not offered:\n%s", a.body)
	}
	_, a := g.fill(path, "why", " ")
	if a.StatusCode != http.StatusUnprocessableEntity || !a.has("wrong-why") {
		t.Fatalf("without a reason: %d\n%s", a.StatusCode, a.body)
	}
	form, a := g.fill(path, "why", "another client")
	if line := g.said(a); !strings.Contains(line, "correction") {
		t.Errorf("it says %q", line)
	}
	if line := g.said(g.post(path, form)); !strings.Contains(line, "already") {
		t.Errorf("twice it says %q", line)
	}
	if a := g.get("/clients/c-robin/desk"); !strings.Contains(a.body, "Undone by "+form.Get("entry")) || a.has("undo") {
		t.Errorf("the list says\n%s", a.body)
	}
	if a := g.get("/clients/c-kim/desk/entries/" + w.desk.slips[0].Entry + "/undo"); a.StatusCode != http.StatusNotFound {
		t.Errorf("an entry about Robin is Kim's: %d", a.StatusCode)
	}
}

// Why somebody said stop is told in words of their own: an admin lifts the stop without reading them.
func TestAnAdminReadsNobodysOwnWords(t *testing.T) {
	w := newTown(t)
	w.as(people.Owner).fill(robin+"stop", "said", "client", "why", "a row at home")
	if a := w.as(people.Admin).get(robin + "lift"); !a.has("save") || strings.Contains(a.body, "a row at home") {
		t.Errorf("an admin is shown\n%s", a.body)
	}
	if a := w.as(people.Therapist).get(robin + "lift"); !strings.Contains(a.body, "a row at home") {
		t.Errorf("a therapist is shown\n%s", a.body)
	}
}

func TestAMailboxIsReadThrough(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Admin)
	_, a := g.fill("/desk/read-through", "up-to", "23:59")
	if a.StatusCode != http.StatusUnprocessableEntity || !a.has("wrong-up-to") {
		t.Fatalf("%d\n%s", a.StatusCode, a.body)
	}
	form, a := g.fill("/desk/read-through", "up-to", "08:40")
	if line := g.said(a); !strings.Contains(line, "read through") || !strings.Contains(line, "up to Tue 3 Mar 08:40 MST") {
		t.Errorf("it says %q", line)
	}
	s := w.desk.slips[0]
	if s.Kind != desk.KindRead || s.Source != desk.Source(fhirtest.Prescriber) || s.ReadTo.In(denver).Format("15:04") != "08:40" {
		t.Errorf("%+v", s)
	}
	if line := g.said(g.post("/desk/read-through", form)); !strings.Contains(line, "already") || len(w.desk.slips) != 1 {
		t.Errorf("twice it says %q", line)
	}
	w.desk.parties = append(w.desk.parties, desk.Party{Name: "aurora", Title: "Aurora"})
	if _, a := g.fill("/desk/read-through"); !a.has("wrong-prescriber") {
		t.Error("whose mailbox was read is not asked")
	}
}

func TestTheDaysQuestions(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Admin)
	const path = "/desk/questions/" + fhirtest.Prescriber
	if a := g.get(path); !a.has("nothing") {
		t.Errorf("nothing is asked, and it shows\n%s", a.body)
	}
	w.desk.draft = Draft{Text: "1. R.E., born 1988: <b>no decision</b>", Digest: "abc", Clients: 1, Left: 2}
	a := g.get(path)
	if !a.has("draft") || !strings.Contains(a.body, "&lt;b&gt;no decision") || !a.has("left") {
		t.Errorf("it shows\n%s", a.body)
	}
	if line := g.said(g.post(path, url.Values{"digest": {"old"}})); !strings.Contains(line, "changed") || len(w.desk.told) != 0 {
		t.Errorf("of an older draft it says %q", line)
	}
	if line := g.said(g.post(path, url.Values{"digest": {"abc"}})); !strings.Contains(line, "sent") || !slices.Equal(w.desk.told, []string{"Ann admin sent the questions to " + fhirtest.Prescriber}) {
		t.Errorf("it says %q, noted %q", line, w.desk.told)
	}
	if line := g.said(g.post(path, url.Values{"digest": {"abc"}})); !strings.Contains(line, "already") || len(w.desk.told) != 1 {
		t.Errorf("pressed twice it says %q, noted %q", line, w.desk.told)
	}
	if a := g.get(path); !a.has("take-back") || a.has("form-sent") {
		t.Errorf("once sent it shows\n%s", a.body)
	}
	if line := g.said(g.post(path, url.Values{"do": {"take-back"}})); !strings.Contains(line, "Taken back") || len(w.desk.told) != 2 {
		t.Errorf("taken back it says %q, noted %q", line, w.desk.told)
	}
	if a := g.get(path); a.has("take-back") || !a.has("form-sent") {
		t.Errorf("taken back it shows\n%s", a.body)
	}
	if a := g.get("/desk/questions/nobody"); a.StatusCode != http.StatusNotFound {
		t.Errorf("to nobody: %d", a.StatusCode)
	}
}
