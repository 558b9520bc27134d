package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// desk of settings: two sections, one of them the owner's, over an invented file.
type settled struct {
	base     string
	followUp string
	fixed    string
	changes  []Changed
	secrets  map[string]string
	turns    []Turn
	weighed  []time.Duration
	removal  Removal
	removed  []string
	tried    []string
}

func (w *town) settings() *settled {
	return &settled{base: "b1", followUp: "not asked", secrets: map[string]string{}}
}

// office is the town's settings.
func (w *town) bureau() *settled { return w.Settings.(*settled) }

func (s *settled) sections() []Section {
	answer, text := s.followUp, ""
	if answer != "not asked" {
		answer, text = AnswerSet, s.followUp
	}
	return []Section{
		{Key: "practice", Title: "Practice", Group: "The practice", Fields: []Field{{Path: "hub.name", Label: "Name", Kind: KindText, Text: "Reverie"}}},
		{Key: "sheet-skylight", Title: "Sheet", Group: "Prescribers", Owner: true, Fields: []Field{
			{Path: "sheet.follow_up", Label: "A follow-up is due after", Kind: KindText, Answers: []Option{{Value: "not asked", Label: "Not asked"}, {Value: AnswerSet, Label: "Agreed"}}, Answer: answer, Text: text},
			{Path: "sheet.deciders", Label: "Who may clear", Kind: KindRows, Columns: []Column{{Key: "value", Label: "Number"}}, Rows: [][]string{{"1881697747"}}},
		}},
		{Key: "source-ehr", Title: "ehr", Group: "Sources", Owner: true, Removable: true},
		{Key: "new-calendar", Title: "Add a calendar", Group: "Sources", Owner: true, Adds: true, Fields: []Field{{Path: "name", Label: "Short name", Kind: KindText}, {Path: "calendar", Label: "Its secret address", Kind: KindSecret}}},
	}
}

func (s *settled) Settled(context.Context) (Settled, error) {
	return Settled{File: "kaphub.yaml", Base: s.base, Fixed: s.fixed, Sections: s.sections(), Secrets: []Secret{{Name: "ehr", Title: "The token for ehr", File: "secrets/ehr"}}}, nil
}

func (s *settled) Weigh(_ context.Context, c Change, patience time.Duration) (Weighed, error) {
	s.weighed = append(s.weighed, patience)
	for _, one := range s.sections() {
		if one.Key != c.Section {
			continue
		}
		w := Weighed{Section: one, Base: s.base, Moved: c.Base != s.base, Text: []string{"- a", "+ b"}, Tests: one.Adds}
		if c.Removes {
			w.Removal, w.Lines, w.Effect = s.removal, []Line{{"source-ehr", "ehr", "as written", "taken out"}}, Effect{Clients: 2, Looked: 2, Moves: []Move{{readiness.Ready, readiness.Unknown, 2}}, Turned: s.turns}
			return w, nil
		}
		f := &w.Section.Fields[0]
		typed := c.Form.Get(f.Path)
		if typed == "soon" {
			f.Wrong = append(f.Wrong, `"soon" is no duration`)
		}
		if typed != f.Text {
			w.Lines = []Line{{f.Path, f.Label, f.Text, typed}}
		}
		f.Text = typed
		w.Effect = Effect{Clients: 9000, Looked: 3000, Rest: 40 * time.Second, Moves: []Move{{readiness.Ready, readiness.NotReady, 1}}, Turned: s.turns}
		return w, nil
	}
	return Weighed{}, exchange.ErrNotFound
}

func (s *settled) Settle(_ context.Context, by string, c Change) error {
	switch {
	case s.fixed != "":
		return ErrReadOnly
	case c.Base != s.base:
		return ErrMoved
	case c.Removes && s.removal.Refused != "":
		return ErrWrong
	case c.Removes && s.removal.Sure != "" && !c.Sure:
		return ErrUnsure
	case c.Removes:
		s.removed = append(s.removed, c.Section)
		return nil
	}
	s.followUp, s.base = c.Form.Get("sheet.follow_up"), s.base+"'"
	s.changes = append(s.changes, Changed{Moment: 7, At: now, By: by, Reason: c.Reason, Lines: []Line{{"sheet.follow_up", "Sheet", "not asked", s.followUp}}})
	return nil
}

func (s *settled) Try(_ context.Context, by string, c Change) (*Test, error) {
	s.tried = append(s.tried, by+"|"+c.Section)
	return &Test{At: now, By: by, Software: "A calendar", Lines: []TestLine{{Level: "fails", About: "calendar", Text: "it does not answer"}}}, nil
}

func (s *settled) Reread(context.Context, string) error { return nil }

func (s *settled) SetSecret(_ context.Context, _, name, value string) error {
	s.secrets[name] = value
	return nil
}

func (s *settled) Changes(context.Context, int64) ([]Changed, error) { return s.changes, nil }

func (s *settled) Rules(context.Context, string) (Catalogue, error) {
	c := Catalogue{Prescriber: "skylight", Title: "Skylight"}
	for _, r := range readiness.Catalogue() {
		c.Rules = append(c.Rules, RuleRow{Rule: r})
	}
	return c, nil
}

const sheetPath = "/settings/sheet-skylight"

func typedSheet(base, do, followUp string) url.Values {
	return url.Values{"base": {base}, "do": {do}, "sheet.follow_up": {followUp}, "sheet.follow_up~answer": {AnswerSet}, "sheet.deciders~0~value": {"1881697747"}, "reason": {"they wrote it"}}
}

func TestASettingIsWeighedBeforeItIsSaved(t *testing.T) {
	w := newTown(t)
	robin := w.view.Clients[0]
	after := robin
	after.State, after.Words = readiness.NotReady, "1 item open: the follow-up is over"
	w.bureau().turns = []Turn{{Before: robin, After: after}}
	g := w.as(people.Owner)
	if a := g.get(sheetPath); !a.has("settings-form") || !a.has("weigh") {
		t.Fatal(a.body)
	}
	a := g.post(sheetPath, typedSheet("b1", "weigh", "90d"))
	for _, want := range []string{"1 client of the first 3000 would stand otherwise", "Robin", "1 item open", "6000 were not looked at", `name="sheet.deciders~0~value" value="1881697747"`, `value="90d"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page does not say %q: %s", want, a.body)
		}
	}
	if w.bureau().followUp != "not asked" {
		t.Error("it was saved before anybody said so")
	}
	if g.post(sheetPath, typedSheet("b1", "rest", "90d")); w.bureau().weighed[1] <= w.bureau().weighed[0] {
		t.Errorf("the rest is not looked at for longer: %v", w.bureau().weighed)
	}
	if a = g.post(sheetPath, typedSheet("b1", "save", "90d")); a.StatusCode != http.StatusSeeOther || w.bureau().followUp != "90d" {
		t.Errorf("%d %s", a.StatusCode, w.bureau().followUp)
	}
	if a = g.get("/settings/history"); !strings.Contains(a.body, "Ann owner") || !strings.Contains(a.body, "90d") || !strings.Contains(a.body, "they wrote it") {
		t.Error(a.body)
	}
}

func TestWhatIsWrongStandsAtItsFieldWithWhatWasTyped(t *testing.T) {
	a := newTown(t).as(people.Owner).post(sheetPath, typedSheet("b1", "weigh", "soon"))
	if a.StatusCode != http.StatusUnprocessableEntity || !a.has("wrong-here") || !strings.Contains(a.body, `value="soon"`) || !strings.Contains(a.body, "aria-invalid") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

func TestOfTwoWhoChangeAtOnceTheSecondIsTold(t *testing.T) {
	w := newTown(t)
	first, second := w.as(people.Owner), w.as(people.Owner)
	first.post(sheetPath, typedSheet("b1", "save", "90d"))
	a := second.post(sheetPath, typedSheet("b1", "save", "30d"))
	if a.StatusCode != http.StatusConflict || !a.has("moved") || !strings.Contains(a.body, `value="30d"`) || w.bureau().followUp != "90d" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if !strings.Contains(a.body, `name="base" value="b1&#39;"`) {
		t.Error("the page does not go on from what is there now")
	}
}

func TestAFileThatCannotBeWrittenIsShownAsText(t *testing.T) {
	w := newTown(t)
	w.bureau().fixed = "the file cannot be written"
	a := w.as(people.Owner).post(sheetPath, typedSheet("b1", "weigh", "90d"))
	if !a.has("by-hand") || a.has("save") || !strings.Contains(a.body, "&#43; b") {
		t.Error(a.body)
	}
	if a = w.as(people.Owner).post(sheetPath, typedSheet("b1", "save", "90d")); !a.has("by-hand") || a.has("save") {
		t.Error(a.body)
	}
}

func TestWhatThePrescriberAgreedIsTheOwnersToChange(t *testing.T) {
	w := newTown(t)
	admin := w.as(people.Admin)
	if a := admin.get(sheetPath); !a.has("looking") || a.has("weigh") {
		t.Error(a.body)
	}
	if a := admin.post(sheetPath, typedSheet("b1", "save", "90d")); a.StatusCode != http.StatusForbidden || w.bureau().followUp != "not asked" {
		t.Errorf("%d %s", a.StatusCode, w.bureau().followUp)
	}
	if a := admin.get("/settings/practice"); !a.has("weigh") {
		t.Error(a.body)
	}
	if a := w.as(people.Operator).get(sheetPath); !a.has("looking") || strings.Contains(a.body, "Robin") {
		t.Error(a.body)
	}
}

func TestASourceIsTestedBeforeItIsAddedAndItsSecretGoesNoFurther(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	if a := g.get("/settings"); a.count("adds") != 1 || strings.Contains(a.body, `class="who"><a href="/settings/new-calendar"`) {
		t.Error(a.body)
	}
	if a := w.as(people.Admin).get("/settings"); a.has("adds") {
		t.Error("an admin is led to what is the owner's")
	}
	const secret = "https://calendar.example/s3cr3t"
	typed := url.Values{"base": {"b1"}, "do": {"weigh"}, "name": {"calendar"}, "calendar": {secret}}
	a := g.post("/settings/new-calendar", typed)
	if a.StatusCode != http.StatusOK || !a.has("try") || !strings.Contains(a.body, `name="name" value="calendar"`) || strings.Contains(a.body, "s3cr3t") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	typed.Set("do", "test")
	if a = g.post("/settings/new-calendar", typed); !a.has("tested") || !strings.Contains(a.body, "it does not answer") || !a.has("save") || strings.Contains(a.body, "s3cr3t") {
		t.Error(a.body)
	}
	if len(w.bureau().tried) != 1 || w.bureau().tried[0] != "Ann owner|new-calendar" {
		t.Error(w.bureau().tried)
	}
	typed.Set("do", "save")
	if a = g.post("/settings/new-calendar", typed); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/settings" {
		t.Errorf("%d %s", a.StatusCode, a.Header.Get("Location"))
	}
	if a = w.as(people.Admin).post("/settings/new-calendar", typed); a.StatusCode != http.StatusForbidden {
		t.Error(a.StatusCode)
	}
	if strings.Contains(w.log.String(), "s3cr3t") {
		t.Error("the log has it")
	}
}

func TestRemovingAsksOnAPageOfItsOwn(t *testing.T) {
	w := newTown(t)
	robin := w.view.Clients[0]
	after := robin
	after.State, after.Words = readiness.Unknown, "Cannot tell: nobody judges"
	w.bureau().turns = []Turn{{Before: robin, After: after}}
	w.bureau().removal = Removal{Lost: []string{"nothing is read"}, Kept: []string{"everything that was received"}, Sure: "From then on by hand."}
	g := w.as(people.Owner)
	if a := g.get("/settings/source-ehr"); !a.has("removes") {
		t.Error(a.body)
	}
	a := g.get("/settings/remove/source-ehr")
	for _, want := range []string{"nothing is read", "everything that was received", "2 clients would be UNKNOWN", "Robin", "From then on by hand."} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page does not say %q: %s", want, a.body)
		}
	}
	if a = g.post("/settings/remove/source-ehr", url.Values{"base": {"b1"}, "do": {"remove"}}); a.StatusCode != http.StatusUnprocessableEntity || !a.has("wrong-here") || len(w.bureau().removed) > 0 {
		t.Errorf("%d %v", a.StatusCode, w.bureau().removed)
	}
	if a = g.post("/settings/remove/source-ehr", url.Values{"base": {"b0"}, "do": {"remove"}, "sure": {"yes"}}); a.StatusCode != http.StatusConflict || !a.has("moved") || len(w.bureau().removed) > 0 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a = g.post("/settings/remove/source-ehr", url.Values{"base": {"b1"}, "do": {"remove"}, "sure": {"yes"}}); a.StatusCode != http.StatusSeeOther || len(w.bureau().removed) != 1 {
		t.Errorf("%d %v", a.StatusCode, w.bureau().removed)
	}
	if a = g.get("/settings/remove/practice"); a.StatusCode != http.StatusNotFound {
		t.Errorf("the practice can be removed: %d", a.StatusCode)
	}
	w.bureau().removal = Removal{Refused: "it is the only one"}
	if a = g.get("/settings/remove/source-ehr"); !a.has("refused") || a.has("remove") || !strings.Contains(a.body, "it is the only one") {
		t.Error(a.body)
	}
}

func TestASecretIsSetAndNeverShown(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	const secret = "s3cr3t-token"
	if a := g.post("/settings/secrets/ehr", url.Values{"value": {"two\nlines"}}); a.StatusCode != http.StatusUnprocessableEntity || strings.Contains(a.body, "lines") && strings.Contains(a.body, "two") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	a := g.post("/settings/secrets/ehr", url.Values{"value": {" " + secret + " "}})
	if a.StatusCode != http.StatusSeeOther || w.bureau().secrets["ehr"] != secret {
		t.Errorf("%d %v", a.StatusCode, w.bureau().secrets)
	}
	for _, path := range []string{"/settings", "/settings/secrets/ehr", "/settings/history"} {
		if a := g.get(path); strings.Contains(a.body, secret) {
			t.Errorf("%s shows it", path)
		}
	}
	if strings.Contains(w.log.String(), secret) {
		t.Error("the log has it")
	}
	if a := g.get("/settings/secrets/nothing"); a.StatusCode != http.StatusNotFound {
		t.Error(a.StatusCode)
	}
}

func TestEveryRuleIsTold(t *testing.T) {
	w := newTown(t)
	a := w.as(people.Therapist).get("/rules")

	for _, r := range readiness.Catalogue() {
		if a.StatusCode != http.StatusOK || !strings.Contains(a.body, `id="`+r.Code+`"`) {
			t.Errorf("%s is not told of", r.Code)
		}
	}
}

func TestWhyAVerdictWouldBeAnother(t *testing.T) {
	before := readiness.Verdict{Gates: []readiness.Gate{{Name: "follow-up", State: readiness.Met, Words: "held"}}, Findings: []readiness.Finding{{ID: "1", Code: "R10", Severity: readiness.S2, Words: "ends soon"}, {ID: "3", Code: "R38", Severity: readiness.S2, Words: "worse"}}}
	after := readiness.Verdict{Gates: []readiness.Gate{{Name: "follow-up", State: readiness.Open, Words: "over"}}, Findings: []readiness.Finding{{ID: "2", Code: "R29", Severity: readiness.S1, Words: "overdue"}}}
	var said []string
	for _, w := range Whys(before, after) {
		said = append(said, strings.TrimSpace(w.Rule+" "+w.Name+" "+w.Words))
	}
	if got := strings.Join(said, "; "); got != "follow-up over; R29  S1: overdue; R10  ends soon" {
		t.Error(got)
	}
	for words, repeats := range map[string]bool{"Cannot tell: overdue": true, "Stopped by Skylight": false, "ends soon": false} {
		if got := (turned{Words: words, Why: Whys(before, after)}).Repeats(); got != repeats {
			t.Errorf("%q repeats a reason: %t", words, got)
		}
	}
	if len(Whys(before, before)) > 0 {
		t.Error("the same differs from itself")
	}
}
