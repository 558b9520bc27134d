package console

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// deskKind is one of the desk's forms.
type deskKind struct {
	Kind, Name string
	Says       string // what it is for, in a line
	may        []people.Role
	near       bool                                  // it is for who is there when a session begins
	stops      bool                                  // a day without an hour is taken to its end
	ask        func(a entry.About, whole bool) asked // whole: whoever asks may read what others wrote in words of their own
	read       func(entry.About, url.Values) entry.Form
}

// asked is what a form asks, with what is usually answered.
type asked struct {
	Remarks []string
	Fields  []field
	More    string // what the rare answers are about, under which they are folded; "" = there are none
	Rests   string // what on file it shows to be compared with; "" = nothing
	Pasted  bool   // it was filled in from a message
	Cannot  string // why nothing of the kind can be entered now; "" = it can
}

// field is one answer.
type field struct {
	Name, Label string
	Hint        string
	Shy         bool   // the hint is seen while one writes: what stands there is what is usually meant
	Kind        string // line, text, date, end (a date, or none), number, choice, check
	Value       string
	None        bool // of an end: none is given
	NoneLabel   string
	Choices     []choice
	Quote       string // what is on file, word for word, to be compared with
	Only        string // for which answers it is asked: a class that the stylesheet knows
	Leads       string // the field that is asked for where the answer is other
	Rare        bool   // it is folded away until it is needed
	Optional    bool   // it says that it may be left out
	Needed      string // it says that it may not: "always", or where another is so answered: "which=other"
	Booked      string // what an answer that is left out means, where the session is one that is booked
	Wrong       string
	Focus       bool
}

// choice is one of a few answers.
type choice struct {
	Value, Label string
	Chosen       bool
}

// ID names the field in its page.
func (f field) ID() string { return "f-" + f.Name }

// Described names what else tells of the field.
func (f field) Described() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.ID()+"-hint")
	}
	if f.Wrong != "" {
		ids = append(ids, f.ID()+"-wrong")
	}
	return strings.Join(ids, " ")
}

// Picks reports whether a browser's own calendar can show the value: else it is shown as it was written.
func (f field) Picks() bool {
	_, err := time.Parse(time.DateOnly, f.Value)
	return f.Value == "" || err == nil
}

// formPage is a form of the desk about one client.
type formPage struct {
	frame
	asked
	Subject    subject
	Kind, Says string
	Entry      string // its id, made when it was opened
	Prescriber desk.Party
	Others     []otherParty // the client's other prescribers
	Problem    string       // about the entry as a whole
	Wrong      []field      // what is wrong, in order
	Back       string
	Reply      *replyBox // nil: nothing can be pasted here

	whole bool // doses, and what others wrote in words of their own, may be shown
}

type otherParty struct {
	Path, Title string
}

// MoreOpen reports whether one of the rare answers is given, or wrong.
func (q asked) MoreOpen() bool {
	return slices.ContainsFunc(q.Fields, func(f field) bool { return f.Rare && (f.Value != "" || f.Wrong != "") })
}

// opened is what every form needs: whom it is about, and with which prescriber.
func (v *visit) opened(k deskKind, by, prescriber string) (formPage, entry.About, error) {
	p := formPage{Kind: k.Kind, Says: k.Says, Back: "/clients/" + v.client + "/desk"}
	var err error
	if p.whole, err = v.theirs(v.client); err != nil {
		return p, entry.About{}, err
	}
	if k.near && !p.whole {
		return p, entry.About{}, notNear
	}
	parties, err := v.Roster.Prescribers(v.ctx(), v.client)
	if err != nil {
		return p, entry.About{}, err
	}
	p.Prescriber = parties[0]
	if i := slices.IndexFunc(parties, func(one desk.Party) bool { return one.Name == prescriber }); i >= 0 {
		p.Prescriber = parties[i]
	} else if prescriber != "" {
		return p, entry.About{}, missing
	}
	for _, one := range parties {
		if one.Name != p.Prescriber.Name {
			p.Others = append(p.Others, otherParty{v.r.URL.Path + "?" + url.Values{"prescriber": {one.Name}}.Encode(), one.Title})
		}
	}
	a, err := v.Desk.About(v.ctx(), by, v.client, p.Prescriber.Name)
	if err != nil {
		return p, a, err
	}
	p.Subject = subjectOf(a.Chart)
	if err := v.tellApart(&p.Subject, a.Chart); err != nil {
		return p, a, err
	}
	if k.Kind == desk.KindDecision {
		p.Reply = &replyBox{Path: p.Back + "/decision/reply"}
	}
	return p, a, nil
}

var notNear = &refusal{http.StatusForbidden, "This is for the client's therapist", "The checks before a session, the label with its directions and the go-ahead are for the client's own therapist, or the owner."}

// deskForm shows a form with what is usually answered.
func (v *visit) deskForm(k deskKind) error {
	p, a, err := v.opened(k, v.who.Name, v.r.URL.Query().Get("prescriber"))
	if err != nil {
		return err
	}
	p.Entry, p.asked = desk.NewEntry(), k.ask(a, p.whole).begun()
	switch was, ok, err := v.anewOf(v.r.URL.Query().Get("anew")); {
	case err != nil:
		return err
	case ok:
		p.asked = p.heardAs(was, v.Zone)
	}
	return v.showForm(http.StatusOK, k, p)
}

func (v *visit) showForm(status int, k deskKind, p formPage) error {
	p.frame = v.deskFrame(k.Name)
	return v.send(status, "desk_form", p)
}

// deskSave saves a form, or shows it again with what is wrong.
func (v *visit) deskSave(k deskKind) error {
	f, err := v.filled()
	if err != nil {
		return err
	}
	p, a, err := v.opened(k, "", f.Get("prescriber"))
	if err != nil {
		return err
	}
	p.Entry = f.Get("entry")
	if !entryID.MatchString(p.Entry) {
		return staleForm
	}
	p.asked = k.ask(a, p.whole).comparing(f).filled(f)
	again := func() error { return v.showForm(http.StatusUnprocessableEntity, k, p) }
	switch {
	case f.Get("shown") != p.Subject.Carried():
		p.Problem = "The client's name or birth date changed since this form was opened. Look whom it is about, then save it again."
		return again()
	case p.Cannot != "":
		return again()
	case f.Get("rests") != p.Rests:
		p.Problem = "What is on file changed since this form was opened. Compare it once more, then save it again."
		return again()
	}
	slips, err := p.make(k, a, f, desk.Writer(v.who.Hand()))
	if len(p.Wrong) > 0 {
		return again()
	}
	if err != nil {
		p.Problem = sentence(err.Error())
		return again()
	}
	return v.entered(p.Subject, p.Entry, k.Kind, slips, "/clients/"+v.client)
}

// make reads the answers. What is wrong with one of them goes to its field.
func (p *formPage) make(k deskKind, a entry.About, f url.Values, by desk.Writer) ([]exchange.Slip, error) {
	problems := p.tooMuch()
	form := k.read(a, f)
	heard := entry.Heard{Told: answer(f, "told"), Medium: answer(f, "medium"), From: answer(f, "from")}
	var note desk.Note
	var err error
	if d, ok := form.(entry.Decision); ok {
		note, err = a.NoteOf(d.Outcome, p.Entry, by, heard)
	} else {
		w, papers := form.(entry.Papers)
		note, err = a.Note(p.Entry, by, heard, k.stops || papers && w.Withdraw != "")
	}
	also, noted := errors.AsType[entry.Problems](err)
	problems = append(problems, also...)
	slips, made := form.Make(a, note)
	more, about := errors.AsType[entry.Problems](made)
	for _, one := range more {
		if !slices.ContainsFunc(problems, func(had entry.Problem) bool { return had.Field == one.Field }) {
			problems = append(problems, one)
		}
	}
	for _, d := range doubts {
		if !ticked(f, d.name) && slices.ContainsFunc(problems, func(one entry.Problem) bool { return d.is(one.Err) }) {
			p.asked = p.doubting(d).filled(f)
		}
	}
	p.point(problems)
	switch {
	case err != nil && !noted:
		return nil, err
	case about:
		return nil, nil
	}
	return slips, made
}

// comparing has whoever saves compare the directions that were pasted, word for word: they are shown large once more.
func (q asked) comparing(f url.Values) asked {
	if q.Pasted = f.Get("pasted") != ""; q.Pasted && answer(f, "directions") != "" {
		q.Fields = append(slices.Clone(q.Fields), field{Name: compared, Label: "The message says these directions word for word, and no more: I compared them", Kind: "check", Quote: answer(f, "directions"), Only: "unless-follow-up"})
	}
	for _, d := range doubts {
		if ticked(f, d.name) {
			q = q.doubting(d)
		}
	}
	return q
}

// doubt is what is asked once of a date that is hardly meant.
type doubt struct {
	name, label string
	of          string // the field of the date
	is          func(error) bool
}

const (
	sure      = "sure"  // the answer that an unlikely date is right
	tookPlace = "seen"  // … that the evaluation took place
	another   = "apart" // … that a session is another than the one booked for its day
)

var doubts = []doubt{
	{sure, "The date is right: it was decided that long ago", "told", func(err error) bool { return errors.Is(err, entry.ErrUnlikely) }},
	{tookPlace, "The evaluation took place already", "told", func(err error) bool { _, booked := errors.AsType[entry.ErrBooked](err); return booked }},
	{another, "It is another than the one booked", "on", func(err error) bool { _, booked := errors.AsType[entry.ErrBookedThatDay](err); return booked }},
}

// doubting asks whether a date that is hardly meant is right.
func (q asked) doubting(d doubt) asked {
	if i := slices.IndexFunc(q.Fields, func(one field) bool { return one.Name == d.of }); i >= 0 {
		q.Fields = slices.Insert(slices.Clone(q.Fields), i+1, field{Name: d.name, Label: d.label, Kind: "check", Only: q.Fields[i].Only})
	}
	return q
}

// begun puts the first field in focus: of a new form, that is where one begins.
func (q asked) begun() asked {
	if q.Fields = slices.Clone(q.Fields); len(q.Fields) > 0 {
		q.Fields[0].Focus = true
	}
	return q
}

// lacks reports whether a field has to be answered and is not.
func (q asked) lacks(f field) bool {
	name, value, where := strings.Cut(f.Needed, "=")
	return f.Needed != "" && f.Value == "" && (!where || slices.ContainsFunc(q.Fields, func(one field) bool { return one.Name == name && one.Value == value }))
}

// compared is the answer that the directions which were pasted were compared with the message.
const compared = "directions-compared"

// tooMuch finds what no answer may be: a line that is none, or too long, and a date that is given and is none at once.
func (p *formPage) tooMuch() (problems entry.Problems) {
	for _, f := range p.Fields {
		switch {
		case p.lacks(f):
			problems = append(problems, entry.Problem{Field: f.Name, Err: entry.ErrMissing})
		case f.Name == compared && f.Value == "":
			problems = append(problems, entry.Problem{Field: f.Name, Err: errors.New("look at the message: compare the directions word for word, then tick this")})
		case f.Kind == "end" && f.None && f.Value != "":
			problems = append(problems, entry.Problem{Field: f.Name, Err: errors.New("is a date, or none: not both")})
		case utf8.RuneCountInString(f.Value) > longest:
			problems = append(problems, entry.Problem{Field: f.Name, Err: fmt.Errorf("is too long: %d characters, and %d at most", utf8.RuneCountInString(f.Value), longest)})
		case f.Kind != "text" && strings.ContainsFunc(f.Value, unicode.IsControl):
			problems = append(problems, entry.Problem{Field: f.Name, Err: errors.New("must be one line")})
		}
	}
	return problems
}

// longest is how many characters an answer may have.
const longest = 2000

// point puts what is wrong at its field, and the first of them in focus. What has no field is about the entry as a whole.
func (p *formPage) point(problems entry.Problems) {
	for _, one := range problems {
		i := slices.IndexFunc(p.Fields, func(f field) bool { return f.Leads == one.Field && f.Value != other })
		if i < 0 {
			i = slices.IndexFunc(p.Fields, func(f field) bool { return f.Name == one.Field })
		}
		if i < 0 {
			p.Problem = sentence(one.Field + " " + one.Err.Error())
			p.Wrong = append(p.Wrong, field{Name: one.Field, Wrong: p.Problem})
			continue
		}
		p.Fields[i].Wrong = wrongWords(one.Err)
	}
	for i := range p.Fields {
		if p.Fields[i].Wrong == "" {
			continue
		}
		p.Fields[i].Focus = len(p.Wrong) == 0
		p.Wrong = append(p.Wrong, p.Fields[i])
	}
}

// wrongWords say what is wrong with an answer where it stands.
func wrongWords(err error) string {
	if errors.Is(err, entry.ErrMissing) {
		return "Please answer this"
	}
	return sentence(err.Error())
}

// sentence begins with a capital letter.
func sentence(text string) string {
	for i, r := range text {
		return string(unicode.ToUpper(r)) + text[i+len(string(r)):]
	}
	return ""
}

// filled puts what was answered into the fields.
func (q asked) filled(f url.Values) asked {
	q.Fields = slices.Clone(q.Fields)
	for i := range q.Fields {
		one := &q.Fields[i]
		one.Value, one.None = strings.TrimSpace(f.Get(one.Name)), f.Get(one.Name+"-none") != ""
		if one.Kind == "text" {
			one.Value = strings.ReplaceAll(one.Value, "\r\n", "\n")
		}
		one.Choices = slices.Clone(one.Choices)
		for j := range one.Choices {
			one.Choices[j].Chosen = one.Choices[j].Value == one.Value && f.Has(one.Name)
		}
	}
	return q
}

// answer is one answer as it was written.
func answer(f url.Values, name string) string {
	return strings.ReplaceAll(strings.TrimSpace(f.Get(name)), "\r\n", "\n")
}

// end is a date that may be none, as the desk reads it.
func end(f url.Values, name string) string {
	if f.Get(name+"-none") != "" {
		return cmp.Or(answer(f, name), "none")
	}
	return answer(f, name)
}

// ticked is yes where a box is ticked.
func ticked(f url.Values, name string) bool { return f.Get(name) != "" }
