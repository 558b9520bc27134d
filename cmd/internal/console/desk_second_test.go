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
	if a := g.get("/clients/c-robin/desk"); !strings.Contains(a.body, "Undone by Ann owner on Tue 3 Mar 2026 09:01 ("+form.Get("entry")+")") || a.has("undo") || !strings.Contains(a.body, "another client") {
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
	if line := g.said(a); !strings.HasSuffix(line, ": read and entered up to Tue 3 Mar 2026 08:40.") {
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

// What was entered stands in the list, as far as whoever looks may read it, and so does why it was corrected.
func TestTheListSaysWhatWasEntered(t *testing.T) {
	w := newTown(t)
	owner, admin := w.as(people.Owner), w.as(people.Admin)
	owner.fill(robin+"stop", "said", "client", "why", "a row at home")
	stop := w.desk.slips[0].Entry
	owner.fill(robin+"entries/"+stop+"/undo", "why", "they were at ease")
	owner.fill(robin+"decision", "outcome", fhir.DecisionConditions, "valid-to", "2026-05-31", "valid-again", "2026-05-31", "condition", "a letter of the cardiologist")
	owner.fill(robin+"papers", "release", "y", "release-to", "2026-09-01", "consents", "n")
	own := []string{"a row at home", "they were at ease", "a letter of the cardiologist"}
	told := []string{"hold, from Tue 3 Mar 2026", "cleared-with-conditions", "valid to Sun 31 May 2026", "decided by Dr. Imaginary", "release signed Tue 3 Mar 2026, to Tue 1 Sep 2026", "of stop " + stop}
	a := w.as(people.Therapist).get("/clients/c-robin/desk")
	for _, part := range append(slices.Clone(told), own...) {
		if !strings.Contains(a.body, part) {
			t.Errorf("the therapist does not read %q", part)
		}
	}
	a = admin.get("/clients/c-robin/desk")
	for _, part := range told {
		if !strings.Contains(a.body, part) {
			t.Errorf("an admin does not read %q", part)
		}
	}
	for _, part := range own {
		if strings.Contains(a.body, part) {
			t.Errorf("an admin reads %q", part)
		}
	}
	if !a.has("apart") {
		t.Error("it does not say that there is more")
	}
	admin.fill(robin+"stop", "said", "client", "why", "they rang")
	if a = admin.get("/clients/c-robin/desk"); !strings.Contains(a.body, "they rang") {
		t.Error("an admin does not read what they wrote themselves")
	}
}

// A correction leads to the form in which it is entered as it should be, with when and how it was told; what it says is written anew.
func TestACorrectionLeadsToEnteringItAnew(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	g.fill(robin+"decision", "outcome", fhir.DecisionCleared, "valid-to", "2026-05-31", "valid-again", "2026-05-31", "told", "2026-03-02 11:05", "medium", "phone", "from", "Pat of Skylight")
	id := w.desk.slips[0].Entry
	undo := robin + "entries/" + id + "/undo"
	if a := g.get(undo); !strings.Contains(a.body, "valid to Sun 31 May 2026") || a.has("anew") {
		t.Errorf("what is corrected is not shown:\n%s", a.body)
	}
	_, a := g.fill(undo, "why", "the end was mistyped")
	if to := a.Header.Get("Location"); to != undo {
		t.Errorf("it leads to %s", to)
	}
	a = g.get(undo)
	to := robin + "decision?anew=" + id + "&amp;prescriber=" + fhirtest.Prescriber
	if !a.has("undone") || !a.has("anew") || !strings.Contains(a.body, to) || a.has("form-undo") {
		t.Fatalf("after it\n%s", a.body)
	}
	if list := g.get("/clients/c-robin/desk"); !strings.Contains(list.body, to) {
		t.Errorf("the list does not lead there:\n%s", list.body)
	}
	form := shownForm(t, g.get(strings.ReplaceAll(to, "&amp;", "&")), robin+"decision")
	for name, want := range map[string]string{"told": "2026-03-02 11:05", "medium": "phone", "from": "Pat of Skylight", "outcome": "", "valid-to": ""} {
		if form.Get(name) != want {
			t.Errorf("%s: %q, not %q", name, form.Get(name), want)
		}
	}
	if a := g.get(robin + "decision?anew=e-00000000"); a.StatusCode != http.StatusOK || strings.Contains(a.body, "entered anew") {
		t.Errorf("of no entry: %d\n%s", a.StatusCode, a.body)
	}
}

// The end of a stop was a mistake: the stop stands again, and the list says so at the stop.
func TestAStopWhoseEndIsUndoneStandsAgain(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	g.fill(robin+"stop", "said", "client")
	stop := w.desk.slips[0].Entry
	g.fill(robin+"lift", "stop", stop, "said", "client", "from", "the client")
	lift := w.desk.slips[1].Entry
	if a := g.get("/clients/c-robin/desk"); !strings.Contains(a.body, "Over: ended by Ann owner on Tue 3 Mar 2026 09:01 ("+lift+")") {
		t.Errorf("of a stop that is over\n%s", a.body)
	}
	g.fill(robin+"entries/"+lift+"/undo", "why", "it was about another client")
	a := g.get("/clients/c-robin/desk")
	if !strings.Contains(a.body, "The stop stands again: its end was undone by Ann owner on Tue 3 Mar 2026 09:02 (") || strings.Contains(a.body, "Over:") {
		t.Errorf("it says\n%s", a.body)
	}
}

// How far the mailbox was read is listed, and how a wrong one is set right.
func TestReadThroughsAreListed(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Admin)
	if a := g.get("/desk/read-through"); a.has("reads") {
		t.Error("nobody said so yet")
	}
	g.fill("/desk/read-through", "prescriber", fhirtest.Prescriber, "up-to", "2026-03-03 08:30")
	g.fill("/desk/read-through", "prescriber", fhirtest.Prescriber, "up-to", "2026-03-02 16:00")
	a := g.get("/desk/read-through")
	if strings.Count(a.body, `data-test-id="read"`) != 2 || !strings.Contains(a.body, "Mon 2 Mar 16:00") || strings.Count(a.body, "The board goes by it") != 1 || !a.has("set-right") {
		t.Errorf("it lists\n%s", a.body)
	}
}
