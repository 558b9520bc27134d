package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

// A message about another client fills in nothing, and says which form is theirs to whoever may see them.
func TestAMessageAboutAnotherClientFillsInNothing(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	kims := w.desk.clients["c-kim"]
	kims.versions[0] = kims.course.DaysBefore(80).PatientHere(fhirtest.Set("name", []any{map[string]any{"use": "official", "text": "Kim Sample"}}))
	kim := subjectNow(t, w, "c-kim")
	for name, text := range map[string]string{
		"a key":            "1. K.X., born 1990 (c-kim)\n\nSTATUS: cleared\nVALID-TO: none",
		"another's name":   "note on " + kim.Name + ": STATUS: cleared",
		"blocks of others": "(c-kim)\nSTATUS: cleared\nEND\n(c-ky2x0n0se0)\nSTATUS: cleared",
	} {
		a := g.post(robin+"decision/reply", url.Values{"reply": {text}})
		if a.StatusCode != http.StatusUnprocessableEntity || !a.has("wrong-reply") || !strings.Contains(a.body, "not about this client") || !strings.Contains(a.body, "/clients/c-kim/desk/decision") {
			t.Errorf("%s: %d\n%s", name, a.StatusCode, a.body)
		}
		if form := shownForm(t, a, robin+"decision"); form.Get("outcome") != "" {
			t.Errorf("%s fills in %v", name, form)
		}
	}
	// Whose client Kim is not is not told that Kim is one.
	a := w.as(people.Therapist).post(robin+"decision/reply", url.Values{"reply": {"note on " + kim.Name + ": STATUS: cleared"}})
	if a.StatusCode != http.StatusUnprocessableEntity || strings.Contains(a.body, "c-kim") || !strings.Contains(a.body, "another client") {
		t.Errorf("a therapist is told\n%s", a.body)
	}
}

func TestAMessageWithoutABlockIsEnteredByHand(t *testing.T) {
	w := newTown(t)
	a := w.as(people.Owner).post(robin+"decision/reply", url.Values{"reply": {"She may go ahead until May."}})
	if a.StatusCode != http.StatusUnprocessableEntity || !a.has("reply-like") || !strings.Contains(a.body, "Nothing was filled in") || !strings.Contains(a.body, "by hand") {
		t.Errorf("%d\n%s", a.StatusCode, a.body)
	}
}

// What a message fills in is compared with it; directions are shown back, and saved only when somebody says that they looked.
func TestWhatAMessageFillsInIsCompared(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	g.fill(robin+"label", labelled...)
	had := len(w.desk.slips)
	a := g.post(robin+"decision/reply", url.Values{"reply": {"STATUS: cleared\nVALID-TO: 2026-05-31\nDIRECTIONS: Half a lozenge\nBest, Dr. Sample"}})
	if a.StatusCode != http.StatusOK || !a.has("shown-back") || strings.Contains(a.body, "Best, Dr. Sample") {
		t.Fatalf("%d\n%s", a.StatusCode, a.body)
	}
	for _, want := range []string{"names no client", "does not keep the message", "the message goes on"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("it does not say %q:\n%s", want, a.body)
		}
	}
	form := shownForm(t, a, robin+"decision")
	if form.Get("medium") != "e-mail" || form.Get("directions") != "Half a lozenge" {
		t.Errorf("it is filled in as %v", form)
	}
	if a := g.post(robin+"decision", form); a.StatusCode != http.StatusUnprocessableEntity || !a.has("wrong-directions-compared") || !a.has("shown-back") || len(w.desk.slips) != had {
		t.Errorf("nobody compared the directions: %d\n%s", a.StatusCode, a.body)
	}
	form.Set("directions-compared", "y")
	g.said(g.post(robin+"decision", form))
	// Of the day's draft the client's own block is taken, and the others are told.
	a = g.post(robin+"decision/reply", url.Values{"reply": {"(c-kim)\nSTATUS: deferred\nEND\n(c-robin)\nSTATUS: cleared\nVALID-TO: none"}})
	if form := shownForm(t, a, robin+"decision"); form.Get("outcome") != "cleared" || !a.has("still") || !strings.Contains(a.body, `href="/clients/c-kim/desk/decision"`) || strings.Contains(a.body, "names no client") {
		t.Errorf("%v\n%s", form, a.body)
	}
}

// No decision is older than the client; one of long ago is saved when somebody says that the date is right.
func TestTheDateOfADecisionIsLikelyOrConfirmed(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	with := func(told string, more ...string) []string {
		return append(append(slices.Clone(clearing), "told", told), more...)
	}
	for told, wrong := range map[string]string{"1926-11-20": "before the client was born", "2099-01-01": "future", "2026-01-02": "more than 30 days"} {
		_, a := g.fill(robin+"decision", with(told)...)
		if a.StatusCode != http.StatusUnprocessableEntity || !a.has("wrong-told") || !strings.Contains(a.body, wrong) || a.has("field-sure") != (told == "2026-01-02") || len(w.desk.slips) != 0 {
			t.Errorf("%s: %d\n%s", told, a.StatusCode, a.body)
		}
	}
	_, a := g.fill(robin+"decision", with("2026-01-02", "sure", "y")...)
	g.said(a)
	if a := w.as(people.Owner).get("/desk/waiting"); !strings.Contains(a.body, "the e-mail is dated") {
		t.Errorf("the second person is not told of which date it is:\n%s", a.body)
	}
}

func TestATextThatIsTooLongIsToldHowLongItMayBe(t *testing.T) {
	w := newTown(t)
	_, a := w.as(people.Owner).fill(robin+"stop", "said", "client", "why", strings.Repeat("é", 2001))
	if !strings.Contains(a.body, "2001 characters, and 2000 at most") {
		t.Errorf("%s", a.body)
	}
}
