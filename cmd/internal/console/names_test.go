package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

// known has an account be known by a number.
func (w *town) known(role people.Role, number fhir.ID) {
	a := w.people["p-"+string(role)]
	a.Numbers = []fhir.ID{number}
	w.people[a.ID] = a
}

// A calendar may name its therapist by a number alone: who has the number sees the client, and nobody else does.
func TestATherapistIsKnownByTheirNumber(t *testing.T) {
	w := newTown(t)
	npi := fhirtest.TherapistNPI
	w.view.Clients[0].Therapists = []fhir.Therapist{{IDs: []fhir.ID{npi}}}
	g := w.as(people.Therapist)
	if a := g.get("/clients/c-robin"); a.StatusCode != http.StatusNotFound {
		t.Errorf("without the number: %d", a.StatusCode)
	}
	owner := w.as(people.Owner)
	if a := owner.get("/accounts"); !a.has("unclaimed") || !strings.Contains(a.text(), "NPI 1679576722 : the sessions of 1 client") {
		t.Errorf("the owner is not told: %s", a.text())
	}
	w.known(people.Therapist, npi)
	if a := g.get("/clients/c-robin"); a.StatusCode != http.StatusOK {
		t.Errorf("with the number: %d", a.StatusCode)
	}
	if a := g.get("/"); !strings.Contains(a.body, "Robin") {
		t.Error("Today does not show the client")
	}
}

// Of two people of one name nobody is guessed: neither is seen by the name, and the owner is told.
func TestTwoTherapistsOfOneName(t *testing.T) {
	w := newTown(t)
	mine, other := fhirtest.TherapistNPI, fhirtest.DeciderNPI
	w.view.Clients[0].Therapists = []fhir.Therapist{{Name: "Dana", IDs: []fhir.ID{mine}}}
	w.view.Clients[1].Therapists = []fhir.Therapist{{Name: "Dana", IDs: []fhir.ID{other}}}
	g := w.as(people.Therapist)
	first, second := "/clients/"+w.view.Clients[0].Client, "/clients/"+w.view.Clients[1].Client
	for _, path := range []string{first, second} {
		if a := g.get(path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s by the name alone: %d", path, a.StatusCode)
		}
	}
	if text := w.as(people.Owner).get("/accounts").text(); !strings.Contains(text, "only a number tells them apart") {
		t.Errorf("the owner is not told: %s", text)
	}
	w.known(people.Therapist, mine)
	if a, b := g.get(first), g.get(second); a.StatusCode != http.StatusOK || b.StatusCode != http.StatusNotFound {
		t.Errorf("by the number: theirs %d, the other's %d", a.StatusCode, b.StatusCode)
	}
}

// Whoever is named second on a session gives the go-ahead as well as the first, in their own name; who is not named does not.
func TestACoTherapistGivesTheGoAhead(t *testing.T) {
	w := newTown(t)
	c := robins()
	first := map[string]any{"actor": map[string]any{"type": "Practitioner", "display": "Lee", "identifier": map[string]any{"system": "https://ehr.example/staff", "value": "1"}}, "status": "accepted"}
	second := map[string]any{"actor": map[string]any{"type": "Practitioner", "display": "Dana", "identifier": map[string]any{"system": "https://ehr.example/staff", "value": "2"}}, "status": "accepted"}
	client := map[string]any{"actor": map[string]any{"reference": "Patient/" + c.Patient}, "status": "accepted"}
	w.learns(c, append(arriving(c), c.Dosing(c.Session, fhirtest.Set("participant", []any{client, first, second}))))
	g := w.as(people.Therapist)
	a := g.get(card)
	if !a.has("go-ahead") {
		t.Fatalf("the second therapist is not offered it: %s", a.text())
	}
	form := opened(t, a, "checks")
	for field, value := range map[string]string{"bp": "118/76", "hr": "72", "ride": "y", "fasting": "y", "location": "y", "new": "n", "go-ahead": "y"} {
		form.Set(field, value)
	}
	if a := g.post(card, form); a.StatusCode != http.StatusSeeOther || len(w.room.slips) != 1 {
		t.Fatalf("%d %s", a.StatusCode, a.text())
	}
	given := ""
	for _, r := range w.room.slips[0].Records {
		if r.Type == "Observation" && strings.Contains(string(r.Body), fhir.CodeGoAhead) {
			given = string(r.Body)
		}
	}
	if !strings.Contains(given, `"display":"Dana"`) || strings.Contains(given, "Lee") {
		t.Errorf("it is given by somebody else: %s", given)
	}
	if text := g.get(card).text(); !strings.Contains(text, "READY today 11:00") {
		t.Errorf("the session is not READY: %s", text)
	}

	dana := w.people["p-therapist"]
	dana.Therapist = "Kit"
	w.people[dana.ID] = dana
	w.view.Clients[0].Therapists = []fhir.Therapist{{Name: "Kit"}}
	a = g.get(card)
	if a.has("go-ahead") || !strings.Contains(a.text(), "The go-ahead is Lee or Dana’s to give") {
		t.Errorf("somebody whom the session does not name is offered it: %s", a.text())
	}
}

// An account's number is written as people write it, and what is none is said to be none.
func TestAnOwnerWritesANumber(t *testing.T) {
	l := onSQLite(t)
	ann := l.joined("ann", people.Owner)
	ann.sees(ann.post("/accounts", url.Values{"login": {"bo"}, "name": {"Bo"}, "role": {"therapist"}, "number": {"12345"}}), http.StatusUnprocessableEntity, "problems")
	ann.invites(url.Values{"login": {"bo"}, "name": {"Bo"}, "role": {"therapist"}, "number": {"1679576722, https://ehr.example/staff|17"}})
	one := "/accounts/" + ann.account("Bo")
	if a := ann.get(one); !strings.Contains(a.body, `value="1679576722 https://ehr.example/staff|17"`) {
		t.Errorf("the numbers are not kept: %s", a.body)
	}
	ann.sees(ann.post("/accounts", url.Values{"login": {"cy"}, "name": {"Cy"}, "role": {"therapist"}, "number": {"1679576722"}}), http.StatusUnprocessableEntity, "problems")
}

// What a therapist saw of a client then is not theirs to see once the client is another's, whatever else they are: the past
// is looked at by today's rights.
func TestThePastIsSeenByTodaysRights(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, arriving(c)...)
	g := w.as(people.Admin, people.Therapist)
	if a := g.get("/clients/c-robin?as-of=@3"); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "acknowledged on") {
		t.Fatalf("while the client is theirs: %d %s", a.StatusCode, a.text())
	}
	w.moved = map[string][]fhir.Therapist{"c-robin": {{Name: "Lee"}}}
	if a := g.get("/clients/c-robin?as-of=@3"); a.StatusCode != http.StatusOK || strings.Contains(a.body, "acknowledged on") {
		t.Errorf("after it is Lee's: %d %s", a.StatusCode, a.text())
	}
}
