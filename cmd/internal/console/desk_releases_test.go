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
	"github.com/kaphub/kaphub/fhir/readiness"
)

// unreleasedTown has nobody's release on file.
func unreleasedTown(t *testing.T) *town {
	w := newTown(t)
	for i := range w.view.Clients {
		w.view.Clients[i].Prescriber = w.desk.parties[0].Name
		w.view.Clients[i].Gates = []readiness.Gate{{Name: readiness.GateRelease, State: readiness.Untold, Owner: readiness.Admin, Words: "Nobody was asked"}}
	}
	return w
}

// boxes are what the page's boxes would send.
func boxes(t *testing.T, a answerTo) (all []string) {
	t.Helper()
	for _, part := range strings.Split(a.body, `name="release" value="`)[1:] {
		value, rest, _ := strings.Cut(part, `"`)
		if strings.HasPrefix(rest, " checked") {
			t.Error("somebody is ticked beforehand")
		}
		all = append(all, value)
	}
	return all
}

func TestManyReleasesOnPaperAreEnteredEachByItself(t *testing.T) {
	w := unreleasedTown(t)
	g := w.as(people.Admin)
	all := boxes(t, g.get("/desk/releases"))
	if len(all) != 2 {
		t.Fatalf("offered are %q", all)
	}
	form := url.Values{"release": all, "signed": {"2026-02-20"}, "release-to": {"2027-02-20"}}
	if line := g.said(g.post("/desk/releases", form)); !strings.Contains(line, "2 releases are entered") {
		t.Errorf("it says %q", line)
	}
	var of []string
	for _, s := range w.desk.slips {
		of = append(of, s.Client)
		body := string(s.Records[slices.IndexFunc(s.Records, func(r fhir.Resource) bool { return r.Type == "Consent" })].Body)
		if s.Kind != desk.KindPapers || s.Actor != "Ann admin" || !strings.Contains(body, `"2026-02-20"`) || !strings.Contains(body, `"2027-02-20"`) {
			t.Errorf("entered is %s by %s: %s", s.Kind, s.Actor, body)
		}
	}
	if slices.Sort(of); !slices.Equal(of, []string{"c-kim", "c-robin"}) || w.desk.slips[0].Entry == w.desk.slips[1].Entry {
		t.Errorf("entered are %v", of)
	}
	if line := g.said(g.post("/desk/releases", form)); !strings.Contains(line, "sent twice") || len(w.desk.slips) != 2 {
		t.Errorf("sent twice it says %q, and %d are entered", line, len(w.desk.slips))
	}
}

func TestNoReleaseIsEnteredThatNobodyTicked(t *testing.T) {
	w := unreleasedTown(t)
	g := w.as(people.Owner)
	all := boxes(t, g.get("/desk/releases"))
	for name, form := range map[string]url.Values{
		"nobody":              {"signed": {"2026-02-20"}, "release-to": {"2027-02-20"}},
		"no day":              {"release": all, "release-to": {"2027-02-20"}},
		"no end":              {"release": all, "signed": {"2026-02-20"}},
		"a day to come":       {"release": all, "signed": {"2031-02-20"}, "release-to-none": {"y"}},
		"it ends beforehand":  {"release": all, "signed": {"2026-02-20"}, "release-to": {"2025-02-20"}},
		"another name by now": {"release": {strings.Replace(all[0], ", born", "a, born", 1)}, "signed": {"2026-02-20"}, "release-to-none": {"y"}},
	} {
		if a := g.post("/desk/releases", form); a.StatusCode != http.StatusUnprocessableEntity || !a.has("problem") && !strings.Contains(a.body, "aria-invalid") {
			t.Errorf("%s: %d\n%s", name, a.StatusCode, a.body)
		}
	}
	if len(w.desk.slips) != 0 {
		t.Errorf("entered is %v", w.desk.slips)
	}
	if own := boxes(t, w.as(people.Therapist).get("/desk/releases")); len(own) != 1 || !strings.Contains(own[0], "c-robin") {
		t.Errorf("Dana is offered %q", own)
	}
	for i := range w.view.Clients {
		w.view.Clients[i].Gates[0].State, w.view.Clients[i].Gates[0].Owner = readiness.Open, readiness.Client // withdrawn
	}
	if a := g.get("/desk/releases"); !a.has("none") {
		t.Errorf("a withdrawal is written over:\n%s", a.body)
	}
	if a := g.post("/desk/releases", url.Values{"release": all, "signed": {"2026-02-20"}, "release-to-none": {"y"}}); a.StatusCode != http.StatusUnprocessableEntity || len(w.desk.slips) != 0 {
		t.Errorf("and by an old form: %d", a.StatusCode)
	}
}

// What was saved before something failed is saved, and whoever ticked is told so.
func TestReleasesThatFailMidwayAreTold(t *testing.T) {
	w := unreleasedTown(t)
	g := w.as(people.Admin)
	all := boxes(t, g.get("/desk/releases"))
	w.desk.full = 1
	form := url.Values{"release": all, "signed": {"2026-02-20"}, "release-to-none": {"y"}}
	if line := g.said(g.post("/desk/releases", form)); !strings.HasPrefix(line, "Only 1 release is entered.") || len(w.desk.slips) != 1 {
		t.Errorf("it says %q; %d are entered", line, len(w.desk.slips))
	}
}
