package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// most is how many rows each list of the first screen has; the rest is counted, and led to.
var most = report.Limits{Stopped: 12, Sessions: 25, DoNow: 7, Waiting: 10, Strays: 7, Upcoming: 20}

// Board is what stands now, of everybody.
type Board interface {
	// Brief notes in the audit log that by did what ("view board", "print board", "search clients") and returns what stands then.
	Brief(ctx context.Context, by, what string) (report.Brief, error)
	// Glance returns what stands now and notes nothing: nobody is shown any of it.
	Glance(ctx context.Context) (report.Brief, error)
}

func (c *Console) todayRoutes() []route {
	return []route{
		{Pattern: "GET /{$}", SignedIn: true, do: (*visit).home},
		{Pattern: "GET /changes", May: seeing, ByItself: true, do: (*visit).changes},
		{Pattern: "GET /print", May: seeing, do: (*visit).print},
	}
}

// todayPage is what the practice opens every morning, what needs acting on first.
type todayPage struct {
	frame
	report.Today
	Days    []dayOf                       // of the sessions of today and tomorrow
	Coming  []dayOf                       // of the rest of the next 14 days: those that are not in order, or all where they are a therapist's own and few
	Later   []dayOf                       // … the others, folded
	NLater  int                           // how many those are
	Mine    map[string]bool               // clients of the visitor's own, whose card is theirs
	Staff   map[readiness.Owner]colleague // whom a therapist tells; nil for who sees everybody's
	above   map[[2]string]bool            // who is stopped, and told of there
	Above   int                           // how many of the rest of the next 14 days those are
	Reaches map[string]readiness.Reach
	Waits   []waitOn
	Quiet   bool   // nothing that anybody must act on
	Begin   bool   // who looks may bring the first clients in
	Own     string // whose clients alone are shown: as the practice's records name them; "" = everybody's
	Mark    string // what is shown of clients
	Strip   string // what is shown of sources
	Changed bool   // it takes the place of what was shown before
	Alone   bool   // only the strip does
}

// dayOf are the sessions of a day.
type dayOf struct {
	Name string // "Today, Tuesday 3 March"
	List []report.Session
}

// waitOn are the clients who wait on somebody.
type waitOn struct {
	Who  readiness.Owner
	List []report.Wait
}

// todayOf builds the page of what stands.
func (v *visit) todayOf(in report.Brief) (todayPage, error) {
	in.Sources = slices.DeleteFunc(slices.Clone(in.Sources), func(s report.Source) bool { return s.Gone }) // somebody took it out, and it only grows older
	p := todayPage{frame: v.frame("Today"), above: map[[2]string]bool{}}
	p.Now = in.AsOf
	own := v.own(in)
	p.Today = report.BuildToday(own, most, v.lens(p.frame, in.Reaches))
	p.Reaches, p.Mine = in.Reaches, v.treated(in)
	p.Days = p.byDay(p.Sessions.Rows)
	for _, w := range p.Waiting.Rows {
		i := slices.IndexFunc(p.Waits, func(x waitOn) bool { return x.Who == w.Nudge })
		if i < 0 {
			i, p.Waits = len(p.Waits), append(p.Waits, waitOn{Who: w.Nudge})
		}
		p.Waits[i].List = append(p.Waits[i].List, w)
	}
	p.Quiet = len(p.Stopped.Rows)+len(p.Sessions.Rows)+len(p.DoNow.Rows)+len(p.Many)+len(p.Strays.Rows) == 0 && // of whom nobody can tell, nobody says that nothing is to be done
		!slices.ContainsFunc(own.Clients, func(c report.Shown) bool { return c.State == readiness.Unknown })
	p.Begin = v.who.Is(people.Owner, people.Admin)
	if !v.who.SeesAll() {
		p.Own = v.who.Therapist
		for _, c := range p.Stopped.Rows {
			p.above[[2]string{c.Key, c.With}] = true
		}
		var err error
		if p.Staff, err = v.staff(); err != nil {
			return p, fmt.Errorf("whom to tell: %w", err)
		}
	}
	p.ahead(p.Own != "")
	p.Strip = digestOf(p.Sources)
	shown := p.Today
	shown.AsOf, shown.Sources, shown.Until = time.Time{}, nil, time.Time{}
	p.Mark = digestOf(shown, p.Now.In(v.Zone).Format(time.DateOnly)) // tomorrow the same is told in other words
	return p, nil
}

// few is how many sessions of their own a therapist sees at once.
const few = 10

// ahead parts the rest of the next 14 days: nothing is folded but what is in order.
func (p *todayPage) ahead(own bool) {
	var open, folded []report.Session
	for _, s := range p.Upcoming.Rows {
		if p.Told(s.Client) {
			p.Above++
			continue
		}
		sober := s.State == readiness.InOrder || s.State == readiness.Ready
		if sober && (!own || p.NAhead() > few) {
			folded = append(folded, s)
		} else {
			open = append(open, s)
		}
	}
	byTime := func(x, y report.Session) int { return x.Start.Compare(y.Start) }
	slices.SortStableFunc(open, byTime)
	slices.SortStableFunc(p.Upcoming.Rows, byTime)
	p.Coming, p.Later, p.NLater = p.byDay(open), p.byDay(folded), len(folded)
}

// Told reports whether a client's row stands above, among those who are stopped: to a therapist each is told once.
func (p todayPage) Told(c report.Client) bool { return p.above[[2]string{c.Key, c.With}] }

// treated are the clients whose card is the visitor's, nil where they treat nobody.
func (v *visit) treated(in report.Brief) map[string]bool {
	if !v.who.Is(treating...) {
		return nil
	}
	out := map[string]bool{}
	for _, c := range in.Clients {
		if v.who.Sight(c.Therapists...) == people.Whole {
			out[c.Client] = true
		}
	}
	return out
}

// To is where a row leads: to the card, for whoever sits with the client, else to all that is known of them.
func (p todayPage) To(c report.Client) string {
	if p.Mine[c.Key] {
		return "/clients/" + c.Key + "/card?" + url.Values{"with": {c.With}}.Encode()
	}
	return "/clients/" + c.Key
}

// NAhead is how many sessions the rest of the next 14 days has.
func (p todayPage) NAhead() int { return len(p.Upcoming.Rows) + p.Upcoming.More }

// own leaves of a board the clients of whom its reader may see something.
func (v *visit) own(in report.Brief) report.Brief {
	if v.who.SeesAll() {
		return in
	}
	in.Clients = slices.DeleteFunc(slices.Clone(in.Clients), func(c report.Shown) bool { return v.who.Sight(c.Therapists...) == people.Nothing })
	in.Strays = nil // of nobody yet
	return in
}

// lens is how much of each client the reader sees.
func (v *visit) lens(f frame, reaches map[string]readiness.Reach) report.Lens {
	return report.Lens{
		Own: !v.who.SeesAll(),
		Of: func(c readiness.Verdict) readiness.Verdict {
			if !v.who.Confidant(c.Therapists...) {
				c = unconfided(c)
			}
			if v.who.Sight(c.Therapists...) != people.Whole {
				c = discreet(c)
			}
			return f.callable(c, reaches)
		},
		Hides: func(c *readiness.Verdict) bool { return !v.who.Confidant(c.Therapists...) },
	}
}

// digestOf is by what it is known whether something is shown as it was.
func digestOf(shown ...any) string {
	text, err := json.Marshal(shown)
	if err != nil { // numbers, texts and times always encode
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func (f frame) byDay(list []report.Session) (days []dayOf) {
	today := readiness.DayOf(f.Now, f.zone)
	for _, s := range list {
		name := f.Day(s.Start)
		switch readiness.DayOf(s.Start, f.zone) {
		case today:
			name = "Today, " + s.Start.In(f.zone).Format("Monday 2 January")
		case today.Plus(1):
			name = "Tomorrow, " + s.Start.In(f.zone).Format("Monday 2 January")
		}
		if len(days) == 0 || days[len(days)-1].Name != name {
			days = append(days, dayOf{Name: name})
		}
		last := &days[len(days)-1]
		last.List = append(last.List, s)
	}
	return days
}

func (v *visit) today() error {
	in, err := v.Board.Brief(v.ctx(), v.who.Name, "view board")
	if err != nil {
		return err
	}
	p, err := v.todayOf(in)
	if err != nil {
		return err
	}
	return v.show("today", p)
}

// changes answers 204 while the first screen shows what it showed, the strip when only a source was read further, and
// otherwise all of it, as one more look. A page asks by itself: that keeps nobody signed in.
func (v *visit) changes() error {
	in, err := v.Board.Glance(v.ctx())
	if err != nil {
		return err
	}
	p, err := v.todayOf(in)
	if err != nil {
		return err
	}
	switch q := v.r.URL.Query(); {
	case q.Get("mark") != p.Mark:
		if in, err = v.Board.Brief(v.ctx(), v.who.Name, "view board"); err != nil {
			return err
		}
		if p, err = v.todayOf(in); err != nil {
			return err
		}
		p.Changed = true
		return v.part(http.StatusOK, "today", "board", p)
	case q.Get("strip") != p.Strip:
		v.w.Header().Set("HX-Reswap", "none")
		p.Alone = true
		return v.part(http.StatusOK, "today", "freshness", p)
	}
	v.w.WriteHeader(http.StatusNoContent)
	return nil
}

// printPage is the first screen on paper: who is meant by initials and the hub's key, nothing of what ails them.
type printPage struct {
	todayPage
	Void  time.Time
	Alike map[string]bool // initials that several of them share
}

// print shows what is put on paper. It is void when the first verdict on it may be another, and with the day.
func (v *visit) print() error {
	in, err := v.Board.Brief(v.ctx(), v.who.Name, "print board")
	if err != nil {
		return err
	}
	today, err := v.todayOf(in)
	if err != nil {
		return err
	}
	p := printPage{todayPage: today}
	p.here("Today")
	p.Title = "Today on paper"
	p.Void = readiness.DayOf(in.AsOf, v.Zone).Plus(1).Start(v.Zone)
	if !p.Until.IsZero() && p.Until.Before(p.Void) {
		p.Void = p.Until
	}
	p.Alike = p.alike()
	return v.show("print", p)
}

// paper is a client on paper.
type paper struct {
	printPage
	report.Client
}

// Paper is how a client stands on paper.
func (p printPage) Paper(c report.Client) paper { return paper{p, c} }

// Short is the client by their initials.
func (p paper) Short() string { return p.Initials(p.Chosen) }

// Initials are the first letters of a name: "R. S.", and with a star where they are several people's.
func (p printPage) Initials(name string) string {
	short := initials(name)
	if p.Alike[short] {
		short += "*"
	}
	return short
}

// alike are the initials that several of those on the paper share; nil when none are.
func (p printPage) alike() (several map[string]bool) {
	whose := map[string]string{}
	meet := func(c report.Client) {
		short := initials(c.Chosen)
		if key, met := whose[short]; met && key != c.Key {
			if several == nil {
				several = map[string]bool{}
			}
			several[short] = true
		}
		whose[short] = c.Key
	}
	for _, c := range p.Stopped.Rows {
		meet(c)
	}
	for _, s := range append(slices.Clone(p.Sessions.Rows), p.Upcoming.Rows...) {
		meet(s.Client)
	}
	for _, f := range p.DoNow.Rows {
		meet(f.Client)
	}
	for _, w := range p.Waiting.Rows {
		meet(w.Client)
	}
	return several
}

// About says on paper what a finding is about: by the name of its rule, where that tells of nothing clinical.
func (printPage) About(f report.Finding) string {
	if ruleShown[f.Code] != whole {
		return "see the screen"
	}
	return strings.ReplaceAll(f.Rule, "-", " ")
}

func initials(name string) string {
	var out []string
	for _, word := range strings.Fields(name) {
		for _, r := range word {
			out = append(out, strings.ToUpper(string(r))+".")
			break
		}
	}
	return strings.Join(out, " ")
}

// Hour is the time of a day.
func (f frame) Hour(t time.Time) string { return t.In(f.zone).Format("15:04") }

// ZoneName is the practice's zone, by its name and as clocks show it now.
func (f frame) ZoneName() string {
	short := f.Now.In(f.zone).Format("MST")
	if name := f.zone.String(); name != short && !strings.HasPrefix(short, "+") && !strings.HasPrefix(short, "-") {
		return short + " (" + name + ")"
	}
	return f.zone.String()
}

// Reading says how far a source was read.
func (f frame) Reading(l report.Line) string { return l.Reading(f.zone, f.Now) }

// When is a session's day and time, as one says it.
func (f frame) When(t time.Time) string {
	today := readiness.DayOf(f.Now, f.zone)
	switch readiness.DayOf(t, f.zone) {
	case today:
		return "today " + f.Hour(t)
	case today.Plus(1):
		return "tomorrow " + f.Hour(t)
	}
	return f.Day(t) + " " + f.Hour(t)
}

// slug makes an element's id of a text.
func slug(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, text)
}

// Urgency is a severity in words.
func (todayPage) Urgency(s readiness.Severity) string {
	if s == readiness.S1 {
		return "Act now"
	}
	return "Before the session"
}

// part sends one part of a page.
func (v *visit) part(status int, page, name string, data any) error {
	var b bytes.Buffer
	if err := v.pages.ExecuteTemplate(&b, page+"-"+name, data); err != nil {
		return fmt.Errorf("part %s of page %s: %w", name, page, err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(harmless(b.Bytes())) // the asker has gone: nobody to tell
	return nil
}

// listing are days whose sessions stand in one list.
type listing struct {
	todayPage
	Days []dayOf
}

// Listing is a list of what comes.
func (p todayPage) Listing(days []dayOf) listing { return listing{p, days} }
