package console

import (
	"html"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console/consoletest"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

// shownForm is the form that posts to path as a browser has it before anybody writes: what is hidden, chosen and filled in.
func shownForm(t *testing.T, a answerTo, path string) url.Values {
	t.Helper()
	_, values, ok := consoletest.Form(a.body, `action="`+path+`"`)
	if !ok {
		_, values, ok = consoletest.Form(a.body, `<form class="form" method="post" data-test-id`) // to the page itself
	}
	if !ok {
		t.Fatalf("no form posts to %s:\n%s", path, a.body)
	}
	return values
}

// fill opens a form, answers it and sends it. Answers are name and value in turn; "-" takes an answer back.
func (g *guest) fill(path string, answers ...string) (url.Values, answerTo) {
	g.t.Helper()
	opened := g.get(path)
	if opened.StatusCode != http.StatusOK {
		g.t.Fatalf("%s is answered %d:\n%s", path, opened.StatusCode, opened.body)
	}
	form := shownForm(g.t, opened, path)
	for i := 0; i < len(answers); i += 2 {
		if form.Set(answers[i], answers[i+1]); answers[i+1] == "-" {
			form.Del(answers[i])
		}
	}
	return form, g.post(path, form)
}

// said follows to where the answer leads, and returns the line with which that page begins.
func (g *guest) said(a answerTo) string {
	g.t.Helper()
	if a.StatusCode != http.StatusSeeOther {
		g.t.Fatalf("it was not saved, but answered %d:\n%s", a.StatusCode, a.body)
	}
	next := g.get("/desk")
	_, line, _ := strings.Cut(next.body, `data-test-id="said">`)
	line, _, _ = strings.Cut(line, "</p>")
	return html.UnescapeString(line)
}

const robin = "/clients/c-robin/desk/"

// decision clears, and waits for a second person.
var clearing = []string{"outcome", fhir.DecisionCleared, "valid-to", "2026-05-31", "medium", "e-mail"}

var labelled = []string{"name-matches", "y", "filled", "2026-02-20", "discard-after-none", "y", "sessions", "4", "directions", "One lozenge under the tongue"}

func TestEveryFormIsAnsweredGoodAndBad(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before [][]string // what is entered first: a form and its answers
		form   string
		good   []string
		bad    []string
		wrong  string // at which field
	}{
		{"a stop", nil, "stop", []string{"said", "prescriber", "why", "chest pain"}, []string{"why", "chest pain"}, "said"},
		{"papers", nil, "papers", []string{"release", "y", "release-to-none", "y", "consents", "y"}, []string{"release", "y", "consents", "y"}, "release-to"},
		{"papers withdrawn", nil, "papers", []string{"withdraw", "both"}, []string{"signed", "2099-01-01", "release", "n", "consents", "y"}, "signed"},
		{"a decision", nil, "decision", clearing, []string{"outcome", "cleared"}, "valid-to"},
		{"a decision with terms", nil, "decision",
			[]string{"outcome", fhir.DecisionConditions, "valid-to-none", "y", "condition", "an ECG\na letter", "by-reading", "y", "limit", "BP 140/90, HR 100", "sessions", "6 in all, office", "valid-to-again", "2026-06-01"},
			[]string{"outcome", fhir.DecisionCleared, "valid-to", "2026-05-31", "limit", "low"}, "limit"},
		{"a follow-up", nil, "decision", []string{"outcome", "follow-up-done", "told", "yesterday"}, []string{"outcome", "follow-up-done", "told", "tomorrow"}, "told"},
		{"a condition", [][]string{append([]string{"decision"}, "outcome", fhir.DecisionConditions, "valid-to", "2026-05-31", "condition", "an ECG")}, "condition", []string{"met", "y"}, nil, "met"},
		{"a label", nil, "label", labelled, []string{"name-matches", "y", "filled", "2026-04-20", "discard-after-none", "y", "sessions", "4", "directions", "One lozenge"}, "filled"},
		{"a label with the directions on file", [][]string{append([]string{"label"}, labelled...)}, "label",
			[]string{"name-matches", "y", "filled", "2026-02-28", "discard-after", "2026-08-01", "sessions", "2", "same", "same"},
			[]string{"name-matches", "y", "filled", "2026-02-28", "discard-after", "2026-08-01", "discard-after-none", "y", "sessions", "2", "same", "same"}, "discard-after"},
		{"a label of which nobody compared the directions", [][]string{append([]string{"label"}, labelled...)}, "label",
			[]string{"name-matches", "y", "filled", "2026-02-28", "discard-after-none", "y", "sessions", "2", "same", "other", "directions", "Half a lozenge"},
			[]string{"name-matches", "y", "filled", "2026-02-28", "discard-after-none", "y", "sessions", "2"}, "same"},
		{"after", nil, "after", []string{"at", "08:30", "held", "y", "as-directed", "y", "effects", "none"}, []string{"held", "y"}, "effects"},
		{"after, of a session that no calendar has", nil, "after", []string{"which", "other", "kind", "integration", "on", "2026-03-01", "at", "10:00", "held", "y"}, []string{"which", "other", "kind", "integration", "on", "someday", "held", "y"}, "on"},
		{"the end of a stop", [][]string{{"stop", "said", "client"}}, "lift", []string{"said", "client", "from", "the client"}, nil, "from"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTown(t)
			g := w.as(people.Owner)
			for _, b := range tt.before {
				if _, a := g.fill(robin+b[0], b[1:]...); a.StatusCode != http.StatusSeeOther {
					t.Fatalf("%s before it is answered %d:\n%s", b[0], a.StatusCode, a.body)
				}
			}
			if n := len([]string{"the name", "find", "the client", "the form", "save"}) + len(tt.good)/2; n > 12 {
				t.Errorf("it takes %d interactions", n)
			}
			had := len(w.desk.slips)
			form, a := g.fill(robin+tt.form, tt.bad...)
			if a.StatusCode != http.StatusUnprocessableEntity || !a.has("wrong-"+tt.wrong) || len(w.desk.slips) != had {
				t.Fatalf("a bad answer to %s is answered %d:\n%s", tt.wrong, a.StatusCode, a.body)
			}
			if again := shownForm(t, a, robin+tt.form); !maps.EqualFunc(again, form, slices.Equal) {
				t.Errorf("what was written is lost:\n%v\n%v", form, again)
			}
			if n := strings.Count(a.body, " autofocus"); n != 1 {
				t.Errorf("%d fields are in focus", n)
			}
			_, a = g.fill(robin+tt.form, tt.good...)
			if line := g.said(a); !strings.HasPrefix(line, "Saved as e-") || !strings.Contains(line, "born ") || !strings.Contains(line, "IN-ORDER") {
				t.Errorf("it says %q", line)
			}
			to := "/clients/c-robin"
			if tt.name == "after" { // the client was never cleared: it asks why
				to = robin + "reason?prescriber=skylight"
			}
			if a.Header.Get("Location") != to || len(w.desk.slips) == had {
				t.Errorf("it leads to %s; %d slips", a.Header.Get("Location"), len(w.desk.slips))
			}
			last := w.desk.slips[len(w.desk.slips)-1]
			if last.Client != "c-robin" || last.Actor != "Ann owner" {
				t.Errorf("it is about %s, by %s", last.Client, last.Actor)
			}
		})
	}
}

// What is rarely said is folded away until it is said, or wrong.
func TestRareAnswersAreFolded(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	const folded, open = `data-test-id="more">`, `data-test-id="more" open>`
	if a := g.get(robin + "decision"); !strings.Contains(a.body, folded) {
		t.Errorf("a new form is\n%s", a.body)
	}
	if _, a := g.fill(robin+"decision", append(slices.Clone(clearing), "limit", "low")...); !strings.Contains(a.body, open) || !a.has("wrong-limit") {
		t.Errorf("what is wrong is folded away:\n%s", a.body)
	}
	if a := g.post(robin+"decision/reply", url.Values{"reply": {"STATUS: cleared\nVALID-TO: none\nSESSIONS: 6 in all"}}); !strings.Contains(a.body, open) {
		t.Errorf("what the reply says is folded away:\n%s", a.body)
	}
}

// Why a session was held that began while the records were not in order can be given where one asks for it, and only there.
func TestWhatCannotBeEnteredSaysWhy(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	for _, form := range []string{"lift", "condition", "reason"} {
		a := g.get(robin + form)
		if a.StatusCode != http.StatusOK || !a.has("cannot") || a.has("save") {
			t.Errorf("%s: %d\n%s", form, a.StatusCode, a.body)
		}
		sent := g.post(robin+form, url.Values{"entry": {desk.NewEntry()}, "shown": {subjectNow(t, w, "c-robin").Carried()}})
		if sent.StatusCode != http.StatusUnprocessableEntity || !sent.has("cannot") {
			t.Errorf("%s sent all the same: %d", form, sent.StatusCode)
		}
	}
	w.desk.deciders = nil
	if a := g.get(robin + "decision"); !a.has("cannot") {
		t.Error("nobody may decide, and a decision can be entered")
	}
}

func subjectNow(t *testing.T, w *town, client string) subject {
	t.Helper()
	chart, err := w.desk.chart(client)
	if err != nil {
		t.Fatal(err)
	}
	return subjectOf(chart)
}

func TestAFormThatIsSentTwiceIsEnteredOnce(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	form, first := g.fill(robin+"stop", "said", "prescriber")
	g.said(first)
	had := len(w.desk.slips)
	line := g.said(g.post(robin+"stop", form))
	if !strings.Contains(line, "already") || !strings.Contains(line, form.Get("entry")) || len(w.desk.slips) != had {
		t.Errorf("sent once more it says %q, and %d slips are there", line, len(w.desk.slips))
	}
	// The same id from another hand, of another kind or about another client is no form of ours.
	kim := url.Values{"entry": form["entry"], "shown": {subjectNow(t, w, "c-kim").Carried()}, "said": {"client"}, "prescriber": form["prescriber"]}
	for name, a := range map[string]answerTo{
		"another hand":    w.as(people.Admin).post(robin+"stop", form),
		"another client":  g.post("/clients/c-kim/desk/stop", kim),
		"another kind":    g.post(robin+"papers", url.Values{"entry": form["entry"], "shown": form["shown"], "withdraw": {"both"}, "prescriber": form["prescriber"]}),
		"no id":           g.post(robin+"stop", url.Values{"shown": form["shown"], "said": {"client"}}),
		"an id of theirs": g.post(robin+"stop", url.Values{"shown": form["shown"], "said": {"client"}, "entry": {"e-12"}}),
	} {
		if a.StatusCode != http.StatusConflict || len(w.desk.slips) != had {
			t.Errorf("%s is answered %d", name, a.StatusCode)
		}
	}
}

// A form tells whom it is about; when that is another by now, nothing is entered.
func TestNobodyEntersAnythingAboutTheWrongClient(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	a := g.get(robin + "stop")
	who := subjectNow(t, w, "c-robin")
	for _, want := range []string{who.Name, who.Born, "Is it this client?", "It is " + who.Name + ", born " + who.Born + ": save"} {
		if !strings.Contains(html.UnescapeString(a.body), want) {
			t.Errorf("the form does not say %q", want)
		}
	}
	form := shownForm(t, a, robin+"stop")
	form.Set("said", "client")
	c := w.desk.clients["c-robin"]
	c.versions = append(c.versions, c.course.On(now).PatientHere(fhirtest.Set("birthDate", "1999-09-09")))
	got := g.post(robin+"stop", form)
	if got.StatusCode != http.StatusUnprocessableEntity || !got.has("problems") || len(w.desk.slips) != 0 || !strings.Contains(got.body, "9 September 1999") {
		t.Fatalf("the birth date changed, and it is answered %d:\n%s", got.StatusCode, got.body)
	}
	g.said(g.post(robin+"stop", func() url.Values { f := shownForm(t, got, robin+"stop"); return f }()))
	// A form of one client that is sent about another.
	form = shownForm(t, g.get(robin+"stop"), robin+"stop")
	form.Set("said", "client")
	if got := g.post("/clients/c-kim/desk/stop", form); got.StatusCode != http.StatusUnprocessableEntity || len(w.desk.slips) != 1 {
		t.Errorf("a form about Robin is taken as one about Kim: %d", got.StatusCode)
	}
}

// In a hundred forms that were left open in tabs and sent from the wrong one, nobody is entered for another.
func TestNoWrongClientInAHundred(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	keys := []string{"c-robin", "c-kim"}
	random := rand.New(rand.NewPCG(1, 2))
	twin := w.desk.clients["c-kim"] // of the same name and birth date as Robin
	twin.versions[0] = w.desk.clients["c-robin"].course.DaysBefore(80).PatientHere(fhirtest.Set("id", twin.course.Patient))
	if a, b := subjectNow(t, w, keys[0]), subjectNow(t, w, keys[1]); a.Shown() != b.Shown() {
		t.Fatalf("%s is no twin of %s", a.Shown(), b.Shown())
	}
	for range 100 {
		about, sentFor := keys[random.IntN(2)], keys[random.IntN(2)]
		form := shownForm(t, g.get("/clients/"+about+"/desk/stop"), "/clients/"+about+"/desk/stop")
		form.Set("said", "client")
		had := len(w.desk.slips)
		a := g.post("/clients/"+sentFor+"/desk/stop", form)
		switch saved := len(w.desk.slips) > had; {
		case saved && (about != sentFor || w.desk.slips[had].Client != about):
			t.Fatalf("a form about %s is entered about %s", about, sentFor)
		case !saved && about == sentFor:
			t.Fatalf("a form about %s is not entered: %d", about, a.StatusCode)
		}
	}
}

// Directions that changed while somebody compared the label are not taken for those that they saw.
func TestWhatChangedMeanwhileIsComparedOnceMore(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	g.fill(robin+"label", labelled...)
	form := shownForm(t, g.get(robin+"label"), robin+"label")
	for name, word := range map[string]string{"name-matches": "y", "filled": "2026-02-28", "discard-after-none": "y", "sessions": "2", "same": "same"} {
		form.Set(name, word)
	}
	g.fill(robin+"decision", append(slices.Clone(clearing), "directions", "Half a lozenge")...)
	had := len(w.desk.slips)
	a := g.post(robin+"label", form)
	if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, "changed since") || !strings.Contains(a.body, "Half a lozenge") || len(w.desk.slips) != had {
		t.Errorf("%d\n%s", a.StatusCode, a.body)
	}
	g.said(g.post(robin+"label", shownForm(t, a, robin+"label")))
}

func TestWhoseFormsTheyAre(t *testing.T) {
	w := newTown(t)
	dana, admin := w.as(people.Therapist), w.as(people.Admin)
	if a := dana.get("/clients/c-kim/desk/stop"); a.StatusCode != http.StatusNotFound {
		t.Errorf("another's client is answered %d", a.StatusCode)
	}
	if a := admin.get(robin + "label"); a.StatusCode != http.StatusForbidden {
		t.Errorf("an admin is shown the directions: %d", a.StatusCode)
	}
	if a := admin.get("/clients/c-robin/desk"); strings.Contains(a.body, robin+"label") || !strings.Contains(a.body, robin+"papers") {
		t.Errorf("an admin is offered\n%s", a.body)
	}
	// Whoever is admin and therapist has the label of their own clients, and not of others'.
	both := w.as(people.Admin, people.Therapist)
	if a, b := both.get(robin+"label"), both.get("/clients/c-kim/desk/label"); a.StatusCode != http.StatusOK || b.StatusCode != http.StatusForbidden {
		t.Errorf("own %d, another's %d", a.StatusCode, b.StatusCode)
	}
	// Another's client, opened with a reason: a stop may be entered, the go-ahead may not.
	w.open["p-therapist"] = []exchange.Glass{{Client: "c-kim", Until: now.Add(time.Hour)}}
	if a, b := dana.get("/clients/c-kim/desk/stop"), dana.get("/clients/c-kim/desk/label"); a.StatusCode != http.StatusOK || b.StatusCode != http.StatusForbidden {
		t.Errorf("a stop %d, the label %d", a.StatusCode, b.StatusCode)
	}
	if a := dana.get("/clients/c-robin/desk"); !strings.Contains(a.body, robin+"label") {
		t.Errorf("a therapist is offered\n%s", a.body)
	}
}

func TestTheClientIsFoundAndShownBack(t *testing.T) {
	w := newTown(t)
	robinIs, kimIs := subjectNow(t, w, "c-robin"), subjectNow(t, w, "c-kim")
	a := w.as(people.Admin).post("/desk/find", url.Values{"who": {"everybody"}})
	if strings.Count(a.body, `data-test-id="found-client"`) != 2 || !strings.Contains(a.body, robinIs.Born) {
		t.Errorf("an admin finds\n%s", a.body)
	}
	a = w.as(people.Therapist).post("/desk/find", url.Values{"who": {"everybody"}})
	if strings.Count(a.body, `data-test-id="found-client"`) != 1 || a.has("stranger") || kimIs.Name != robinIs.Name && strings.Contains(a.body, kimIs.Name) || strings.Contains(a.body, "c-kim") {
		t.Errorf("a therapist finds\n%s", a.body)
	}
	if a := w.as(people.Therapist).post("/desk/find", url.Values{"who": {"c-kim"}}); !a.has("stranger") || a.has("found-client") || kimIs.Name != robinIs.Name && strings.Contains(a.body, kimIs.Name) {
		t.Errorf("a therapist who names somebody else's client in full finds\n%s", a.body)
	}
	for _, word := range []string{"", "e"} {
		if a := w.as(people.Admin).post("/desk/find", url.Values{"who": {word}}); !a.has("wrong-who") {
			t.Errorf("%q is answered without a word", word)
		}
	}
	if strings.Contains(w.log.String(), "everybody") {
		t.Error("what was looked for stands in the log")
	}
}

func TestAReplyIsPastedAndKeptNowhere(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Admin)
	const secret = "kind regards from the lighthouse"
	a := g.post(robin+"decision/reply", url.Values{"reply": {"> STATUS: cleared-with-conditions\n> VALID-TO: Sun 31 May 2026\n> LIMITS: BP < 140/90\n> CONDITIONS: an ECG; bp\n> SESSIONS: none\n\n" + secret}})
	if a.StatusCode != http.StatusOK || strings.Contains(a.body, secret) {
		t.Fatalf("%d\n%s", a.StatusCode, a.body)
	}
	form := shownForm(t, a, robin+"decision")
	for name, want := range map[string]string{"outcome": "cleared-with-conditions", "valid-to": "2026-05-31", "condition": "an ECG", "limit": "systolic < 140, diastolic < 90"} {
		if form.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, form.Get(name), want)
		}
	}
	if line := g.said(g.post(robin+"decision", form)); !strings.HasPrefix(line, "Saved as") {
		t.Errorf("it says %q", line)
	}
	for reply, want := range map[string]string{"STATUS: perhaps": "STATUS cannot be read", "hello": "no reply block"} {
		a := g.post(robin+"decision/reply", url.Values{"reply": {reply}})
		if a.StatusCode != http.StatusUnprocessableEntity || !a.has("wrong-reply") || !strings.Contains(a.body, want) {
			t.Errorf("%q: %d\n%s", reply, a.StatusCode, a.body)
		}
	}
	for _, s := range w.desk.slips {
		for _, r := range s.Records {
			if strings.Contains(string(r.Body), secret) {
				t.Error("the letter is kept")
			}
		}
	}
	if strings.Contains(w.log.String(), secret) {
		t.Error("the letter is in the log")
	}
}

// What somebody writes comes back as text, wherever it is shown.
func TestWhatIsWrittenIsNoMarkup(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	const evil = `"><script>alert(1)</script>`
	_, a := g.fill(robin+"stop", "said", evil, "why", evil, "from", evil, "told", evil)
	if strings.Contains(a.body, "<script>alert") {
		t.Errorf("%s", a.body)
	}
	for path, form := range map[string]url.Values{"/desk/find": {"who": {evil}}, robin + "decision/reply": {"reply": {evil}}} {
		if a := g.post(path, form); strings.Contains(a.body, "<script>alert") {
			t.Errorf("%s\n%s", path, a.body)
		}
	}
}

// That something was withdrawn was heard some day by some way, as what a decision says was.
func TestAWithdrawalHasADateAndAWay(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	g.fill(robin+"papers", "withdraw", "release", "told", "2026-03-01", "medium", "phone")
	if a := g.get("/clients/c-robin/desk"); !strings.Contains(a.body, "release withdrawn Sun 1 Mar 2026") || !strings.Contains(a.body, ", phone") {
		t.Errorf("it says\n%s", a.body)
	}
	_, a := g.fill(robin+"papers", "withdraw", "release", "told", "2026-04-01")
	if a.StatusCode != http.StatusUnprocessableEntity || !a.has("wrong-told") {
		t.Errorf("of a day to come: %d", a.StatusCode)
	}
}
