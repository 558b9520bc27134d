package console

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Who has what of the settings. Operators look, for they keep the sources running, and there is no client in them; what a
// change would do to whom, and to change anything, is for those who answer for it: what the prescriber agreed, the rules,
// the watch list and the sources are the owner's, and the practice's own particulars the admin's too.
var (
	lookingAtSettings = []people.Role{people.Owner, people.Admin, people.Operator}
	settling          = []people.Role{people.Owner, people.Admin}
)

// How long a change is weighed before the page is answered, and how long when somebody asks for the rest.
const (
	patience     = 6 * time.Second
	longPatience = 45 * time.Second
)

func (c *Console) settingsRoutes() []route {
	return []route{
		{Pattern: "GET /settings", May: lookingAtSettings, do: (*visit).settings},
		{Pattern: "GET /settings/{section}", May: lookingAtSettings, do: (*visit).section},
		{Pattern: "POST /settings/{section}", May: settling, do: (*visit).changeSection},
		{Pattern: "GET /settings/history", May: lookingAtSettings, do: (*visit).settingsHistory},
		{Pattern: "GET /settings/remove/{section}", May: []people.Role{people.Owner}, do: (*visit).removal},
		{Pattern: "POST /settings/remove/{section}", May: []people.Role{people.Owner}, do: (*visit).remove},
		{Pattern: "POST /settings/reread", May: []people.Role{people.Owner}, do: (*visit).rereadSettings},
		{Pattern: "GET /settings/secrets/{secret}", May: []people.Role{people.Owner}, do: (*visit).secret},
		{Pattern: "POST /settings/secrets/{secret}", May: []people.Role{people.Owner}, do: (*visit).setSecret},
		{Pattern: "GET /rules", May: everyone, do: (*visit).rules},
	}
}

type settingsPage struct {
	frame
	Settled
	Groups []settingsGroup
	Owns   bool
}

type settingsGroup struct {
	Name     string
	Sections []Section
	Adds     []Section // by which more come in
}

func (v *visit) settings() error {
	s, err := v.Settings.Settled(v.ctx())
	if err != nil {
		return err
	}
	p := settingsPage{frame: v.frame("Settings"), Settled: s, Owns: v.who.Is(people.Owner)}
	for _, one := range s.Sections {
		i := slices.IndexFunc(p.Groups, func(g settingsGroup) bool { return g.Name == one.Group })
		if i < 0 {
			p.Groups = append(p.Groups, settingsGroup{Name: one.Group})
			i = len(p.Groups) - 1
		}
		g := &p.Groups[i]
		if one.Adds {
			g.Adds = append(g.Adds, one)
		} else {
			g.Sections = append(g.Sections, one)
		}
	}
	return v.show("settings", p)
}

// Brief is what a section says, in a line: of a sheet, how many lines nobody asked about yet.
func (s Section) Brief() string {
	asked, open := 0, 0
	for _, f := range s.Fields {
		if len(f.Answers) > 0 && f.Answers[0].Value == "not asked" {
			asked++
			if f.Answer == "not asked" {
				open++
			}
		}
	}
	switch {
	case asked > 1 && open > 0:
		return many(open, "line not asked", "lines not asked")
	case asked > 1:
		return "every line is answered"
	}
	first, _, _ := strings.Cut(s.Lead, ". ")
	return strings.TrimSuffix(first, ".")
}

type sectionPage struct {
	frame
	Section Section
	Base    string
	Fixed   string
	May     bool // change it
	Wrong   []string
	Moved   bool // somebody else changed the file since
	Saved   string
}

// Blank adds empty rows to a table, to write into.
func (f Field) Blank() [][]string {
	row := make([]string, len(f.Columns))
	return append(slices.Clone(f.Rows), row, row)
}

// Has reports whether one of several is chosen.
func (f Field) Has(value string) bool {
	return slices.Contains(strings.Split(f.Text, ", "), value)
}

// ID is what the field's parts are called in the page.
func (f Field) ID() string {
	return "f-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '-'
	}, f.Path)
}

// At is the name of a cell.
func (f Field) At(row int, column string) string {
	return f.Path + "~" + strconv.Itoa(row) + "~" + column
}

func (v *visit) sectionOf() (Settled, Section, error) {
	s, err := v.Settings.Settled(v.ctx())
	if err != nil {
		return s, Section{}, err
	}
	i := slices.IndexFunc(s.Sections, func(one Section) bool { return one.Key == v.r.PathValue("section") })
	if i < 0 {
		return s, Section{}, missing
	}
	return s, s.Sections[i], nil
}

// maySettle reports whether this person may change a section.
func (v *visit) maySettle(s Section) bool {
	return v.who.Is(people.Owner) || !s.Owner && v.who.Is(settling...)
}

func (v *visit) section() error {
	s, one, err := v.sectionOf()
	if err != nil {
		return err
	}
	return v.show("section", sectionPage{frame: v.frame(one.Title), Section: one, Base: s.Base, Fixed: s.Fixed, May: v.maySettle(one)})
}

type weighedPage struct {
	frame
	Weighed
	Key    string
	Form   []typedInto
	Reason string
	Fixed  string
	Slow   bool // some were not looked at
	Turned []turned
	Others []turned
	Test   *Test // of the connection, as it would be
}

// typedInto carries what was typed from one page to the next.
type typedInto struct{ Name, Value string }

func (v *visit) changeSection() error {
	s, one, err := v.sectionOf()
	if err != nil {
		return err
	}
	if !v.maySettle(one) {
		return forbidden
	}
	if err := v.r.ParseForm(); err != nil {
		return err
	}
	c := Change{Section: one.Key, Base: v.r.PostFormValue("base"), Form: v.r.PostForm, Reason: strings.TrimSpace(v.r.PostFormValue("reason"))}
	do := v.r.PostFormValue("do")
	wait := patience
	if do == "rest" {
		wait = longPatience
	}
	if do == "save" {
		err := v.Settings.Settle(v.ctx(), v.who.Name, c)
		switch {
		case err == nil && one.Adds:
			v.say("Saved. The hub has read its settings anew; what was added stands in the list, with all that can be set.")
			return v.to("/settings")
		case err == nil:
			v.say("Saved. The hub has read its settings anew, and judges everybody by them now.")
			return v.to("/settings/" + one.Key)
		case errors.Is(err, ErrReadOnly):
			s.Fixed = ErrReadOnly.Error()
		case !errors.Is(err, ErrMoved) && !errors.Is(err, ErrWrong):
			return err
		}
		wait = patience
	}
	if do == "back" {
		wait = 0
	}
	w, err := v.Settings.Weigh(v.ctx(), c, wait)
	if err != nil {
		return err
	}
	wrong := len(w.Wrong) > 0 || slices.ContainsFunc(w.Section.Fields, func(f Field) bool { return len(f.Wrong) > 0 })
	if wrong || w.Moved || do == "back" || len(w.Lines) == 0 {
		p := sectionPage{frame: v.frame(one.Title), Section: w.Section, Base: w.Base, Fixed: s.Fixed, May: true, Wrong: w.Wrong, Moved: w.Moved}
		if !wrong && !w.Moved && do != "back" {
			p.Said = "Nothing would change."
		}
		status := http.StatusOK
		if wrong {
			status = http.StatusUnprocessableEntity
		} else if w.Moved {
			status = http.StatusConflict
		}
		return v.send(status, "section", p)
	}
	p := weighedPage{frame: v.frame("What would change: " + one.Title), Weighed: w, Key: one.Key, Reason: c.Reason, Fixed: s.Fixed, Slow: w.Effect.Looked < w.Effect.Clients,
		Turned: v.turned(w.Effect.Turned), Others: v.turned(w.Effect.Said)}
	p.Form = carried(v.r.PostForm, one)
	if do == "test" && w.Tests {
		if p.Test, err = v.Settings.Try(v.ctx(), v.who.Name, c); err != nil {
			return err
		}
	}
	return v.show("weighed", p)
}

// carried is what was typed and goes on to the next page: all but what is secret, which is kept already.
func carried(form url.Values, of Section) (all []typedInto) {
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if name == "do" || name == "base" || name == "reason" || slices.ContainsFunc(of.Fields, func(f Field) bool { return f.Kind == KindSecret && f.Path == name }) {
			continue
		}
		for _, value := range form[name] {
			all = append(all, typedInto{name, value})
		}
	}
	return all
}

// Count says how many would change, in a line.
func (e Effect) Count() string {
	n := 0
	for _, m := range e.Moves {
		n += m.N
	}
	of := fmt.Sprintf("of %d", e.Looked)
	if e.Looked < e.Clients {
		of = fmt.Sprintf("of the first %d", e.Looked)
	}
	switch {
	case n == 0 && e.Otherwise == 0:
		return "Nobody on today's board would stand otherwise."
	case n == 0:
		return "Nobody's state would change. Of " + many(e.Otherwise, "client", "clients") + " something else would be said."
	}
	text := many(n, "client", "clients") + " " + of + " would stand otherwise."
	if e.Otherwise > 0 {
		text += " Of " + many(e.Otherwise, "more", "more") + " something else would be said, in the same state."
	}
	return text
}

// Ready reports whether somebody would become ready who is not, which is what to look at twice.
func (e Effect) Ready() bool {
	return slices.ContainsFunc(e.Moves, func(m Move) bool { return m.To == readiness.Ready || m.From == readiness.Hold })
}

// Left is how many were not looked at.
func (e Effect) Left() int { return e.Clients - e.Looked }

type historyPage struct {
	frame
	Changes []Changed
	More    int64
}

func (v *visit) settingsHistory() error {
	before, _ := strconv.ParseInt(v.r.URL.Query().Get("before"), 10, 64) // 0 = from now
	list, err := v.Settings.Changes(v.ctx(), max(0, before))
	if err != nil {
		return err
	}
	p := historyPage{frame: v.frame("History of the settings"), Changes: list}
	if n := len(list); n > 0 && !list[n-1].First {
		p.More = list[n-1].Moment
	}
	return v.show("settings-history", p)
}

func (v *visit) rereadSettings() error {
	switch err := v.Settings.Reread(v.ctx(), v.who.Name); {
	case errors.Is(err, ErrWrong):
		return &refusal{http.StatusUnprocessableEntity, "The file has mistakes, and the hub goes on as it was", err.Error()}
	case err != nil:
		return err
	}
	v.say("The hub has read its settings anew.")
	return v.to("/settings")
}

type secretPage struct {
	frame
	Secret Secret
	Wrong  string
}

func (v *visit) secretOf() (Secret, error) {
	s, err := v.Settings.Settled(v.ctx())
	if err != nil {
		return Secret{}, err
	}
	i := slices.IndexFunc(s.Secrets, func(one Secret) bool { return one.Name == v.r.PathValue("secret") })
	if i < 0 {
		return Secret{}, missing
	}
	return s.Secrets[i], nil
}

func (v *visit) secret() error {
	s, err := v.secretOf()
	if err != nil {
		return err
	}
	return v.show("secret", secretPage{frame: v.frame(s.Title), Secret: s})
}

// maxSecret is how long a secret may be: a token is shorter.
const maxSecret = 8 << 10

func (v *visit) setSecret() error {
	s, err := v.secretOf()
	if err != nil {
		return err
	}
	value := strings.TrimSpace(v.r.PostFormValue("value"))
	p := secretPage{frame: v.frame(s.Title), Secret: s}
	switch {
	case value == "":
		p.Wrong = "Paste it here. Left empty, nothing changes."
	case len(value) > maxSecret || strings.ContainsAny(value, "\r\n\x00"):
		p.Wrong = "It must be one line of up to 8 KB."
	}
	if p.Wrong != "" {
		return v.send(http.StatusUnprocessableEntity, "secret", p)
	}
	switch err := v.Settings.SetSecret(v.ctx(), v.who.Name, s.Name, value); {
	case errors.Is(err, ErrReadOnly):
		p.Wrong = "The hub may not write " + s.File + ": put it there by hand, readable by the hub's user alone."
		return v.send(http.StatusConflict, "secret", p)
	case err != nil:
		return err
	}
	v.say("Set. It is shown to nobody; test the connection to see whether it is the right one.")
	return v.to("/settings")
}

type rulesPage struct {
	frame
	Catalogue Catalogue
	Settles   bool
}

func (v *visit) rules() error {
	list, err := v.Settings.Rules(v.ctx(), v.r.URL.Query().Get("prescriber"))
	if err != nil {
		return err
	}
	p := rulesPage{frame: v.frame("Rules"), Catalogue: list, Settles: v.who.Is(lookingAtSettings...)}
	p.here("Settings")
	return v.show("rules", p)
}

// Called is the rule's name in words.
func (r RuleRow) Called() string { return strings.ReplaceAll(r.Name, "-", " ") }

// WrongAt are the fields in which something is wrong.
func (s Section) WrongAt() []Field {
	return slices.DeleteFunc(slices.Clone(s.Fields), func(f Field) bool { return len(f.Wrong) == 0 })
}

// Folded reports whether the rows are another's, to be unfolded by whoever wants to look at them.
func (f Field) Folded() bool { return len(f.Answers) > 0 && f.Answer != AnswerSet && len(f.Rows) > 0 }

// Row is what a row is called: they count from one.
func (f Field) Row(i int) int { return i + 1 }

// Minutes is about how long the rest would take.
func (e Effect) Minutes() string {
	if d := e.Rest.Round(time.Second); d < 90*time.Second {
		return fmt.Sprintf("%d seconds", int(d.Seconds()))
	}
	return fmt.Sprintf("%d minutes", int(e.Rest.Round(time.Minute).Minutes()))
}
