package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// tray holds a reject and a psychotherapy note.
type tray struct {
	rejects []fhir.Reject
	sealed  []fhir.Sealed
	did     []string
}

func newTray() *tray {
	return &tray{
		rejects: []fhir.Reject{{ID: "r-1-abc", Source: "skylight", Type: "Observation", Ref: "obs-77", Reason: "effectiveDateTime: no date", Received: now}},
		sealed:  []fhir.Sealed{{ID: "s-1-abc", Source: "ehr", Type: "DocumentReference", Client: "c-robin", Reason: fhir.OutOfScopeNotes, Bears: true, Received: now}},
	}
}

func (f *tray) Rejects(_ context.Context, all bool) (list []fhir.Reject, err error) {
	for _, r := range f.rejects {
		if all || r.Resolved == "" {
			list = append(list, r)
		}
	}
	return list, nil
}

func (f *tray) Reject(_ context.Context, by, id string) (fhir.Reject, error) {
	f.did = append(f.did, by+" looks at "+id)
	r := f.rejects[0]
	r.Body = []byte(`{"name":"Featherstone"`)
	return r, nil
}

func (f *tray) Resolve(_ context.Context, by, id, reason string) error {
	if f.rejects[0].Resolved != "" {
		return exchange.ErrConflict
	}
	f.rejects[0].Resolved = reason
	f.did = append(f.did, by+" resolves "+id+": "+reason)
	return nil
}

func (f *tray) Whose(_ context.Context, by string, rejects []fhir.Reject) (map[string]Whose, error) {
	whose := map[string]Whose{}
	for _, r := range rejects {
		if one := (Whose{Client: "c-robin"}); r.Subject.ID == "p-robin" {
			if by != "" {
				one.Name = "Robin"
			}
			whose[r.ID] = one
		}
	}
	return whose, nil
}

func (f *tray) Sealed(_ context.Context, all bool) (list []fhir.Sealed, err error) {
	for _, x := range f.sealed {
		if all || x.Outcome == "" {
			list = append(list, x)
		}
	}
	return list, nil
}

func (f *tray) Unseal(_ context.Context, by, id, why string) ([]byte, error) {
	if f.sealed[0].Outcome == "expunged" {
		return nil, exchange.ErrNotFound
	}
	f.did = append(f.did, by+" opens "+id+": "+why)
	return []byte("what was said in confidence"), nil
}

func (f *tray) Admit(_ context.Context, by, id, why string) error {
	return f.end("admitted", by, id, why)
}

func (f *tray) Expunge(_ context.Context, by, id, why string) error {
	return f.end("expunged", by, id, why)
}

func (f *tray) end(outcome, by, id, why string) error {
	x := &f.sealed[0]
	if x.Outcome != "" {
		return exchange.ErrConflict
	}
	x.Outcome, x.By, x.Why = outcome, by, why
	f.did = append(f.did, by+" has "+id+" "+outcome+": "+why)
	return nil
}

func TestWhatCouldNotBeReadIsClosedForAReason(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Admin)
	g.get("/exchange/rejects").says(t, "Observation obs-77", "effectiveDateTime: no date")
	if a := g.get("/exchange/rejects/r-1-abc"); a.has("ask-body") || !a.has("resolve") {
		t.Errorf("an admin closes it and does not read it: %s", a.body)
	}
	const path = "/exchange/rejects/r-1-abc/resolve"
	for _, none := range []string{"", "  ", "ok", "done", ".", strings.Repeat("x", 40), strings.Repeat("x", 501)} {
		if a := g.post(path, url.Values{"why": {none}}); a.StatusCode != http.StatusUnprocessableEntity || !a.has("problems") {
			t.Errorf("%.5q is no reason: %d", none, a.StatusCode)
		}
	}
	g.after(g.post(path, url.Values{"why": {"a duplicate"}})).says(t, "It is resolved", "closed: a duplicate")
	g.after(g.post(path, url.Values{"why": {"a duplicate"}})).says(t, "It is resolved already")
	if a := w.as(people.Owner).post(path, url.Values{"why": {"another reason"}}); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "a duplicate") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := g.get("/exchange/rejects"); !a.has("no-rejects") {
		t.Error("it is listed as open")
	}
	g.get("/exchange/rejects?all=1").says(t, "a duplicate")
	if a := g.get("/exchange/rejects/r-9"); a.StatusCode != http.StatusNotFound {
		t.Errorf("%d", a.StatusCode)
	}
	if !slices.Equal(w.tray.did, []string{"Ann admin resolves r-1-abc: a duplicate"}) {
		t.Errorf("%v", w.tray.did)
	}
}

func TestWhatWasReceivedIsShownToFewAndNoted(t *testing.T) {
	w := newTown(t)
	w.as(people.Privacy).post("/exchange/rejects/r-1-abc/body", url.Values{}).says(t, "Featherstone")
	if !slices.Equal(w.tray.did, []string{"Ann privacy looks at r-1-abc"}) {
		t.Errorf("%v", w.tray.did)
	}
	for _, path := range []string{"/exchange/rejects", "/exchange/rejects/r-1-abc"} {
		if a := w.as(people.Operator).get(path); strings.Contains(a.body, "obs-77") || strings.Contains(a.body, "Featherstone") || !strings.Contains(a.body, "Observation") {
			t.Errorf("%s tells an operator too much, or nothing: %s", path, a.body)
		}
	}
}

func TestWhatIsSealedIsThePrivacyOfficersAlone(t *testing.T) {
	w := newTown(t)
	for _, role := range people.Roles() {
		a := w.as(role).get("/exchange")
		if listed := strings.Contains(a.body, `href="/exchange/sealed"`); listed != (role == people.Privacy) {
			t.Errorf("%s is shown the way to what is sealed: %v", role, listed)
		}
	}
	g := w.as(people.Privacy)
	g.get("/exchange/sealed").says(t, fhir.OutOfScopeNotes, "UNKNOWN until then")
	const path = "/exchange/sealed/s-1-abc"
	for _, end := range []string{"/open", "/admit", "/expunge"} {
		if a := g.post(path+end, url.Values{"why": {" "}, "sure": {"1"}}); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s without a reason: %d", end, a.StatusCode)
		}
	}
	if a := g.post(path+"/expunge", url.Values{"why": {"not ours"}}); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, "cannot be undone") || !strings.Contains(a.body, `value="not ours"`) {
		t.Errorf("it is destroyed by half a form: %d", a.StatusCode)
	}
	g.post(path+"/open", url.Values{"why": {"to decide"}}).says(t, "what was said in confidence")
	g.after(g.post(path+"/expunge", url.Values{"why": {"not ours"}, "sure": {"1"}})).says(t, "It is expunged: its content is destroyed here", "expunged by Ann privacy: not ours")
	g.after(g.post(path+"/expunge", url.Values{"why": {"not ours"}, "sure": {"1"}})).says(t, "It is expunged already")
	if a := g.post(path+"/admit", url.Values{"why": {"ours"}}); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "It is decided already") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := g.post(path+"/open", url.Values{"why": {"again"}}); a.StatusCode != http.StatusGone {
		t.Errorf("%d", a.StatusCode)
	}
	if a := g.get("/exchange/sealed"); !a.has("no-sealed") {
		t.Error("it is listed as if it waited")
	}
	if want := []string{"Ann privacy opens s-1-abc: to decide", "Ann privacy has s-1-abc expunged: not ours"}; !slices.Equal(w.tray.did, want) {
		t.Errorf("%v", w.tray.did)
	}
}

// Of whom a record is that could not be read is told where it is known: by name to whoever sees clients, by key to an operator.
func TestARejectNamesItsClient(t *testing.T) {
	w := newTown(t)
	for _, path := range []string{"/exchange/rejects", "/exchange/rejects/r-1-abc"} {
		if a := w.as(people.Admin).get(path); !strings.Contains(a.body, "not known") {
			t.Errorf("%s: of nobody that is known\n%s", path, a.body)
		}
	}
	w.tray.rejects[0].Subject = fhir.Ref{Type: "Patient", ID: "p-robin"}
	for _, path := range []string{"/exchange/rejects", "/exchange/rejects/r-1-abc"} {
		if a := w.as(people.Admin).get(path); !strings.Contains(a.body, `<a href="/clients/c-robin">Robin</a>`) {
			t.Errorf("%s: an admin\n%s", path, a.body)
		}
		if a := w.as(people.Operator).get(path); strings.Contains(a.body, "Robin<") || !strings.Contains(a.body, "<code>c-robin</code>") || strings.Contains(a.body, "p-robin") {
			t.Errorf("%s: an operator\n%s", path, a.body)
		}
	}
}
