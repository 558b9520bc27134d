package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// Triage is what people do about findings.
type Triage interface {
	// WhoseFinding returns the client of a finding; exchange.ErrNotFound when none was ever told with that id.
	WhoseFinding(ctx context.Context, finding string) (client string, err error)
	// Handle keeps what by did, all of it or nothing; exchange.ErrConflict when one of them is resolved.
	Handle(ctx context.Context, by string, handlings ...readiness.Handling) error
	// Colleagues are the accounts of the practice, by name.
	Colleagues(ctx context.Context) ([]people.Account, error)
}

// onPage is how many rows stand on one page.
const onPage = 40

func (c *Console) findingsRoutes() []route {
	return []route{
		{Pattern: "GET /findings", May: seeing, do: (*visit).findings},
		{Pattern: "POST /findings", May: keeping, do: (*visit).handleSeveral},
		{Pattern: "GET /findings/{finding}", May: seeing, do: (*visit).finding},
		{Pattern: "POST /findings/{finding}", May: keeping, do: (*visit).handleOne},
	}
}

// findingsPage is what is open, gravest first.
type findingsPage struct {
	frame
	AsOf, Since time.Time
	Asked       report.Sought
	Here        string // this page's address, to come back to
	Piles       []pile
	Mine        pile
	Owners      []pick
	Severities  []pick
	Persons     []pick
	Rows        []findingRow
	N           int // rows on all pages
	From, To    int
	Newer       string // the page before, "" = none
	Older       string
	May         bool // handle them
	Several     triageForm
	Wrong       string // why nothing was saved
}

// pile is a link to some of the findings.
type pile struct {
	link
	N int
}

// pick is one of a list to choose from.
type pick struct {
	Value, Name string
	Chosen      bool
}

// findingRow is a row with what can be done about it.
type findingRow struct {
	report.Row
	Page *findingsPage
	Form triageForm
}

// ofMany is how many of those that one row touches are shown.
const ofMany = 50

// One is a finding of a row, with the page that it stands on.
func (r findingRow) One(f report.Finding) aFinding { return aFinding{f, r.Page} }

// Shown are those that a row touches, as many as are shown.
func (r findingRow) Shown() []report.Finding { return r.Each[:min(len(r.Each), ofMany)] }

// Rest is how many more there are.
func (r findingRow) Rest() int { return len(r.Each) - len(r.Shown()) }

// May reports whether something can be done about it here.
func (r findingRow) May() bool { return r.Page.May && r.State != readiness.Resolved }

// MayAll reports whether all that a row touches can be acknowledged.
func (r findingRow) MayAll() bool { return r.May() && !unseen(r.Finding) }

// aFinding is a finding on a page.
type aFinding struct {
	report.Finding
	Page *findingsPage
}

// MayTick reports whether it can be ticked.
func (f aFinding) MayTick() bool { return f.Page.May && !f.Over() }

// Over reports whether it is resolved.
func (f aFinding) Over() bool { return f.State == readiness.Resolved }

// Lasts is an age in words.
func (f frame) Lasts(days int) string {
	if days == 0 {
		return "under a day"
	}
	return count(days, "day", "days")
}

// Standing says since when a finding is so, and how long that is; "" where all that is known is that the hub saw it lately.
func (f frame) Standing(x report.Finding) string {
	from := x.From()
	if from.IsZero() {
		return ""
	}
	return "since " + f.Day(from) + ", " + f.Lasts(x.Age)
}

// Meeting is a session's start.
func (f frame) Meeting(t time.Time) string {
	if t.IsZero() {
		return "no session booked"
	}
	return "session " + f.Clock(t)
}

func (v *visit) findings() error { return v.showFindings(http.StatusOK, triageForm{}, "") }

// showFindings shows the list, with what was typed into the form for several of them.
func (v *visit) showFindings(status int, typed triageForm, wrong string) error {
	in, err := v.look("view findings", "", "")
	if err != nil {
		return err
	}
	given, err := v.Reports.Given(v.ctx())
	if err != nil {
		return err
	}
	in = v.nowCallable(in)
	in.Since = Before(given, in.AsOf)
	persons, err := v.colleagues()
	if err != nil {
		return err
	}
	p := &findingsPage{frame: v.frame("Findings"), AsOf: in.AsOf, Since: in.Since, Asked: v.sought(), May: v.who.Is(keeping...), Wrong: wrong}
	p.Now = in.AsOf
	rows, n := report.Triage(in, p.Asked, v.who.Name)
	p.links(v, n)
	p.choices(v, persons, rows)
	page, _ := strconv.Atoi(v.r.URL.Query().Get("page"))
	page = min(max(page, 1), max((len(rows)+onPage-1)/onPage, 1))
	p.N, p.From, p.To = len(rows), (page-1)*onPage, min(page*onPage, len(rows))
	if page > 1 {
		p.Newer = p.at("page", strconv.Itoa(page-1))
	}
	if p.To < len(rows) {
		p.Older = p.at("page", strconv.Itoa(page+1))
	}
	p.Here = p.at("page", strconv.Itoa(page))
	for i, r := range rows[p.From:p.To] {
		form := v.formFor(r.Finding, persons, p.Here)
		if next := p.From + i + 1; next < p.To {
			form.After = rows[next].ID
		}
		p.Rows = append(p.Rows, findingRow{r, p, form})
	}
	p.From++
	p.Several = typed
	p.Several.Persons, p.Several.Back = persons, p.Here
	return v.send(status, "findings", p)
}

// sought is what the address asks for. What it does not know is not asked for.
func (v *visit) sought() report.Sought {
	q := v.r.URL.Query()
	s := report.Sought{Pile: report.PileOpen, Owner: readiness.Owner(q.Get("owner")), Severity: readiness.Severity(q.Get("severity")), Person: q.Get("person"), New: q.Get("new") != "", Unseen: q.Get("unseen") != "", Now: q.Get("now") != ""}
	if pile := report.Pile(q.Get("pile")); pile == report.PileSnoozed || pile == report.PileResolved {
		s.Pile = pile
	}
	if !slices.Contains(owners, s.Owner) {
		s.Owner = ""
	}
	if !slices.Contains(severities, s.Severity) {
		s.Severity = ""
	}
	return s
}

var (
	owners = []readiness.Owner{readiness.Therapist, readiness.Admin, readiness.Prescriber, readiness.Pharmacy, readiness.Client, readiness.Operator, readiness.Privacy}

	severities    = []readiness.Severity{readiness.S1, readiness.S2, readiness.S3, readiness.S4}
	severityWords = map[readiness.Severity]string{readiness.S1: "S1 only: act now", readiness.S2: "S1 and S2", readiness.S3: "S1 to S3", readiness.S4: "all, housekeeping too"}
)

// at is the address of this list with one thing changed.
func (p *findingsPage) at(key, value string) string {
	q := url.Values{}
	set := func(k, val string) {
		if val != "" {
			q.Set(k, val)
		}
	}
	set("pile", string(p.Asked.Pile))
	set("owner", string(p.Asked.Owner))
	set("severity", string(p.Asked.Severity))
	set("person", p.Asked.Person)
	for key, asked := range map[string]bool{"new": p.Asked.New, "unseen": p.Asked.Unseen, "now": p.Asked.Now} {
		if asked {
			q.Set(key, "yes")
		}
	}
	q.Del(key)
	set(key, value)
	if q.Get("pile") == string(report.PileOpen) {
		q.Del("pile")
	}
	if q.Get("page") == "1" {
		q.Del("page")
	}
	if len(q) == 0 {
		return "/findings"
	}
	return "/findings?" + q.Encode()
}

func (p *findingsPage) links(v *visit, n report.Piles) {
	is := p.Asked.Pile
	mine := p.Asked.Person == v.who.Name
	p.Mine = pile{link{"/findings?" + url.Values{"person": {v.who.Name}}.Encode(), "Mine", mine && is == report.PileOpen}, n.Mine}
	p.Piles = []pile{
		{link{"/findings", "Open", is == report.PileOpen && !mine}, n.Open},
		p.Mine,
		{link{"/findings?pile=snoozed", "Snoozed", is == report.PileSnoozed}, n.Snoozed},
		{link{"/findings?pile=resolved", "Resolved this week", is == report.PileResolved}, n.Resolved},
	}
}

func (p *findingsPage) choices(v *visit, colleagues []people.Account, rows []report.Row) {
	for _, o := range owners {
		p.Owners = append(p.Owners, pick{string(o), string(o), p.Asked.Owner == o})
	}
	for _, s := range severities {
		p.Severities = append(p.Severities, pick{string(s), severityWords[s], p.Asked.Severity == s})
	}
	names := make([]string, 0, len(colleagues))
	for _, a := range colleagues {
		names = append(names, a.Name)
	}
	for _, r := range rows {
		if r.Assigned != nil {
			names = append(names, r.Assigned.To)
		}
	}
	if p.Asked.Person != "" && v.who.SeesAll() {
		names = append(names, p.Asked.Person)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		p.Persons = append(p.Persons, pick{name, name, p.Asked.Person == name})
	}
}

// colleagues are those to whom a finding can be given, this visitor among them.
func (v *visit) colleagues() ([]people.Account, error) {
	all, err := v.Triage.Colleagues(v.ctx())
	if err != nil {
		return nil, fmt.Errorf("who works here: %w", err)
	}
	all = slices.DeleteFunc(slices.Clone(all), func(a people.Account) bool { return !a.Is(keeping...) })
	if v.who.Is(keeping...) && !slices.ContainsFunc(all, func(a people.Account) bool { return a.Name == v.who.Name }) {
		all = append(all, v.who)
	}
	for i := range all {
		if all[i], err = v.told(all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// strangeFinding answers alike about what is not there and what is not theirs: an id tells nothing.
var strangeFinding = &refusal{http.StatusNotFound, "No finding of yours has this id", "It may be of somebody else's client, or long over. Go to Findings and look there."}

// findingPage is one finding, what it rests on, and all that people did about it.
type findingPage struct {
	frame
	report.Whole
	AsOf     time.Time
	Form     triageForm
	May      bool
	Over     bool
	Children []report.Finding
	Wrong    string
}

// meet returns what is known of the client of the finding that the route names, if the visitor may know it, noted like look.
func (v *visit) meet(what string) (report.Input, report.Whole, error) {
	id := v.r.PathValue("finding")
	client, err := v.Triage.WhoseFinding(v.ctx(), id)
	if errors.Is(err, exchange.ErrNotFound) {
		return report.Input{}, report.Whole{}, strangeFinding
	}
	if err != nil {
		return report.Input{}, report.Whole{}, err
	}
	v.client = client
	if err := v.mayMeet(client); err != nil {
		if _, refused := errors.AsType[*refusal](err); refused {
			return report.Input{}, report.Whole{}, strangeFinding
		}
		return report.Input{}, report.Whole{}, err
	}
	in, err := v.look(what, client, "")
	if err != nil {
		return in, report.Whole{}, err
	}
	in = v.nowCallable(in)
	whole, ok := report.One(in, id)
	if !ok {
		return in, whole, strangeFinding
	}
	return in, whole, nil
}

func (v *visit) finding() error {
	in, whole, err := v.meet("view finding")
	if err != nil {
		return err
	}
	persons, err := v.colleagues()
	if err != nil {
		return err
	}
	form := v.formFor(whole.Finding, persons, "")
	return v.showFinding(http.StatusOK, in, whole, form, "")
}

func (v *visit) showFinding(status int, in report.Input, whole report.Whole, form triageForm, wrong string) error {
	p := findingPage{frame: v.frame("Finding"), Whole: whole, AsOf: in.AsOf, Form: form, May: v.who.Is(keeping...), Over: whole.State == readiness.Resolved, Wrong: wrong}
	p.Now = in.AsOf
	for _, f := range report.All(in) {
		if f.Under == whole.Code && f.Client.Key == whole.Client.Key && f.Client.Prescriber == whole.Client.Prescriber && f.State != readiness.Resolved && !p.Over {
			p.Children = append(p.Children, f)
		}
	}
	return v.send(status, "finding", p)
}

// here marks the screen that a page belongs to.
func (f *frame) here(name string) {
	for i := range f.Nav {
		f.Nav[i].Here = f.Nav[i].Name == name
	}
}
