package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/report"
)

// Exchange is where the hub reads and writes. Nothing that it returns tells of a client.
type Exchange interface {
	// Counterparts returns every source and counterpart, as it stands now.
	Counterparts(ctx context.Context) ([]Counterpart, error)
	// Test asks a counterpart what it offers, changes nothing there, and keeps the answer with the counterpart for the next
	// who looks. exchange.ErrBusy while another test of it is under way, exchange.ErrNotFound where there is no such source.
	Test(ctx context.Context, by, source string) error
}

// Engine is what runs, and when.
type Engine interface {
	// Work returns the newest runs, at most limit of them, those that are under way, and when jobs run next.
	Work(ctx context.Context, limit int) (Work, error)
	// Queue returns what lies in River's queue, without its arguments.
	Queue(ctx context.Context, limit int) ([]jobs.Queued, error)
	// Sync asks for a sync, as kaphub sync does one. exchange.ErrBusy, and the run, while one is under way; ErrNoEngine
	// where nothing runs by itself.
	Sync(ctx context.Context, by string) (jobs.Run, error)
}

// ErrNoEngine says that nothing runs by itself: the console is shown by a process without an engine.
var ErrNoEngine = errors.New("no engine runs: start kaphub serve")

// Counterpart is a source, or somebody who is written to, as it stands.
type Counterpart struct {
	report.Source
	Kind    string // "FHIR server", "folder", "calendar", "by hand"
	Address string // of the counterpart; "" = it has none
	Reads, Sends, Sweeps,
	Tests bool // what the hub can do there
	Tried time.Time // when it was last read, to the end or not
	Next  time.Time // when it is read next by schedule; zero = by no schedule
	Swept time.Time // when it is swept next
	Known bool      // what it offers was learned
	Lacks []string  // types that it does not tell of
	Takes []string  // types that can be written there
	Quiet []string  // its quiet hours: "22:00-06:00"
	Hush  time.Time // until when quiet hours last that are now
	Rests time.Time // until when it is left in peace, because it asked for that or failed
	Test  *Test     // the newest; nil = none since the hub began
}

// Test is what a counterpart was found to offer.
type Test struct {
	At       time.Time
	By       string
	Software string
	Mode     string // how it is read, in words
	Lines    []TestLine
}

// TestLine is one thing that was looked at.
type TestLine struct{ Level, About, Text, Instead string } // Level: works, degrades, impossible, fails

// Work is what the engine does.
type Work struct {
	Running []Ran
	Runs    []Ran // newest first
	Plans   []jobs.Plan
}

// Ran is one run, with what it did in words.
type Ran struct {
	jobs.Run
	Words string
	Idle  bool // it brought nothing
}

// Who may see how the exchange fares, and who runs it.
var (
	exchanging = []people.Role{people.Owner, people.Admin, people.Privacy, people.Reader, people.Operator}
	running    = []people.Role{people.Owner, people.Admin, people.Operator}
)

func (c *Console) exchangeRoutes() []route {
	return slices.Concat(c.deliveryRoutes(), c.rejectRoutes(), c.sealedRoutes(), c.linkRoutes(), []route{
		{Pattern: "GET /exchange", May: exchanging, do: (*visit).exchange},
		{Pattern: "GET /exchange/running", May: exchanging, ByItself: true, do: (*visit).underWay},
		{Pattern: "POST /exchange/sync", May: running, do: (*visit).syncNow},
		{Pattern: "GET /exchange/sources/{source}", May: exchanging, do: (*visit).source},
		{Pattern: "POST /exchange/sources/{source}/test", May: running, do: (*visit).testSource},
		{Pattern: "GET /exchange/jobs", May: running, do: (*visit).queues},
	})
}

// exchangeFrame is the frame of a page below Exchange, and what leads to its sisters.
type exchangeFrame struct {
	frame
	Tabs []link
}

// exchangeTabs are the pages of the exchange.
var exchangeTabs = []struct {
	link
	may []people.Role
}{
	{link{Path: "/exchange", Name: "Sources"}, exchanging},
	{link{Path: "/exchange/deliveries", Name: "Deliveries"}, lookingAtSent},
	{link{Path: "/exchange/links", Name: "Links"}, exchanging},
	{link{Path: "/exchange/rejects", Name: "Rejects"}, exchanging},
	{link{Path: "/exchange/sealed", Name: "Sealed"}, unsealing},
	{link{Path: "/exchange/jobs", Name: "Jobs"}, running},
}

func (v *visit) exchangeFrame(title string) exchangeFrame {
	f := exchangeFrame{frame: v.frame(title)}
	for _, t := range exchangeTabs {
		if v.who.Is(t.may...) {
			t.Here = v.r.URL.Path == t.Path || t.Path != "/exchange" && strings.HasPrefix(v.r.URL.Path, t.Path+"/")
			f.Tabs = append(f.Tabs, t.link)
		}
	}
	return f
}

type exchangePage struct {
	exchangeFrame
	Counterparts []Counterpart
	Progress     progress
	Runs         []ranRow
	Waits        []waiting // for a person
	Runner       bool      // may have it sync and be tested
	Next         time.Time // sync, by schedule
}

// waiting is how much of a kind waits for a person, and where.
type waiting struct{ Path, Says string }

// waitsForPeople counts what the visitor may look at: counts only, so that nobody's look needs to be noted.
func (v *visit) waitsForPeople() (list []waiting, err error) {
	add := func(n int, path, one, more string) {
		if n == 1 {
			list = append(list, waiting{path, "1 " + one})
		} else if n > 1 {
			list = append(list, waiting{path, strconv.Itoa(n) + " " + more})
		}
	}
	_, counts, err := v.Ledger.Deliveries(v.ctx(), v.who.Name, 0)
	if err != nil {
		return nil, err
	}
	add(counts[exchange.Unknown], "/exchange/deliveries", "delivery of unknown outcome to settle", "deliveries of unknown outcome to settle")
	add(counts[exchange.Refused], "/exchange/deliveries", "delivery that was refused", "deliveries that were refused")
	add(counts[exchange.LaidOut], "/exchange/deliveries", "packet to hand over", "packets to hand over")
	pairs, err := v.Links.Pairs(v.ctx(), false)
	if err != nil {
		return nil, err
	}
	add(openFirst(pairs), "/exchange/links", "link to confirm or refuse", "links to confirm or refuse")
	rejects, err := v.Rejects.Rejects(v.ctx(), false)
	if err != nil {
		return nil, err
	}
	add(len(rejects), "/exchange/rejects", "record that could not be read", "records that could not be read")
	if v.who.Is(unsealing...) {
		sealed, err := v.Vault.Sealed(v.ctx(), false)
		if err != nil {
			return nil, err
		}
		add(len(sealed), "/exchange/sealed", "sealed record to look at", "sealed records to look at")
	}
	return list, nil
}

// progress is what runs now, or was asked for and is about to begin.
type progress struct {
	frame
	Rows  []ranRow
	Asked time.Time // a sync was asked for then and has not begun; zero = none
	Late  bool      // and ought to have
}

// ranRow is a run as it is shown.
type ranRow struct {
	Ran
	Name string // of the job, in words
	How  string // it came about
	Took string
}

const shownRuns = 40

func (v *visit) exchange() error {
	p := exchangePage{exchangeFrame: v.exchangeFrame("Exchange"), Runner: v.who.Is(running...)}
	work, err := v.Engine.Work(v.ctx(), 5*shownRuns)
	if err != nil {
		return err
	}
	if p.Counterparts, err = v.Exchange.Counterparts(v.ctx()); err != nil {
		return err
	}
	if p.Waits, err = v.waitsForPeople(); err != nil {
		return err
	}
	p.Progress = v.progress(p.frame, work)
	p.Runs = notable(ranRows(work))
	p.Runs = p.Runs[:min(len(p.Runs), shownRuns)]
	for _, plan := range work.Plans {
		if plan.Job == "sync" || plan.Job == "night" {
			p.Next = sooner(p.Next, plan.Next)
		}
	}
	return v.show("exchange", p)
}

// underWay is what runs now, for a page that asks every few seconds: when all is done, that page is shown anew.
func (v *visit) underWay() error {
	work, err := v.Engine.Work(v.ctx(), shownRuns)
	if err != nil {
		return err
	}
	f := frame{Now: v.now, zone: v.Zone} // a part of a page: what was said stays for the next whole one
	p := v.progress(f, work)
	if len(p.Rows) == 0 && p.Asked.IsZero() {
		v.w.Header().Set("HX-Redirect", "/exchange")
	}
	return v.show("exchange_running", p)
}

// patient is how soon a sync begins that was asked for, where the engine is well.
const patient = time.Minute

// glance is how long a look, or a run for some news, may take that nobody needs to hear of.
const glance = 5 * time.Second

func (v *visit) progress(f frame, work Work) progress {
	p := progress{frame: f}
	for _, r := range work.Running {
		if r.Trigger != jobs.ByLook && r.Trigger != jobs.ByNudge || v.now.Sub(r.Began) > glance {
			p.Rows = append(p.Rows, rowOf(r))
		}
	}
	ms, err := strconv.ParseInt(v.r.URL.Query().Get("asked"), 10, 64)
	if err != nil {
		return p
	}
	asked := time.UnixMilli(ms)
	began := func(r Ran) bool { return (r.Job == "sync" || r.Job == "night") && !r.Began.Before(asked) }
	if age := v.now.Sub(asked); age >= 0 && age < time.Hour && !slices.ContainsFunc(work.Running, began) && !slices.ContainsFunc(work.Runs, began) {
		p.Asked, p.Late = asked, age > patient
	}
	return p
}

// Path is where the progress of what was asked for is told.
func (p progress) Path(page string) string {
	if p.Asked.IsZero() {
		return page
	}
	return page + "?" + url.Values{"asked": {strconv.FormatInt(p.Asked.UnixMilli(), 10)}}.Encode()
}

func (v *visit) syncNow() error {
	r, err := v.Engine.Sync(v.ctx(), v.who.Name)
	switch {
	case errors.Is(err, exchange.ErrBusy):
		v.say("A sync is under way since " + v.frame("").Clock(r.Began) + ". It does the work: what came since is read with it, or with the next.")
		return v.to("/exchange")
	case errors.Is(err, ErrNoEngine):
		return &refusal{http.StatusServiceUnavailable, "Nothing runs by itself here", "Start kaphub serve; or run kaphub sync at the terminal, which does the same."}
	case err != nil:
		return err
	}
	return v.to(progress{Asked: v.now}.Path("/exchange"))
}

type sourcePage struct {
	exchangeFrame
	At     Counterpart
	Runner bool
	Runs   []ranRow // that were about it alone
}

func (v *visit) source() error {
	c, err := v.counterpart()
	if err != nil {
		return err
	}
	p := sourcePage{exchangeFrame: v.exchangeFrame(c.Name), At: c, Runner: v.who.Is(running...)}
	work, err := v.Engine.Work(v.ctx(), 500)
	if err != nil {
		return err
	}
	for _, r := range ranRows(work) {
		about := r.Job == "pull "+c.Name || r.Job == "sweep "+c.Name || c.Sends && r.Job == "push "+c.Party
		if about && len(p.Runs) < shownRuns {
			p.Runs = append(p.Runs, r)
		}
	}
	return v.show("exchange_source", p)
}

func (v *visit) counterpart() (Counterpart, error) {
	all, err := v.Exchange.Counterparts(v.ctx())
	if err != nil {
		return Counterpart{}, err
	}
	i := slices.IndexFunc(all, func(c Counterpart) bool { return c.Name == v.r.PathValue("source") })
	if i < 0 {
		return Counterpart{}, exchange.ErrNotFound
	}
	return all[i], nil
}

func (v *visit) testSource() error {
	c, err := v.counterpart()
	if err != nil {
		return err
	}
	switch err := v.Exchange.Test(v.ctx(), v.who.Name, c.Name); {
	case errors.Is(err, exchange.ErrBusy):
		v.say("Somebody is testing " + c.Name + " right now. Open this page again in a moment: the answer stands here.")
	case err != nil:
		return err
	}
	return v.to("/exchange/sources/" + url.PathEscape(c.Name))
}

// historyPart and notesPart are parts of several pages.
type (
	historyPart struct {
		frame
		Rows    []ranRow
		Caption string
	}
	notesPart struct {
		frame
		Of Counterpart
	}
)

// History is a table of runs.
func (f frame) History(rows []ranRow, caption string) historyPart {
	return historyPart{f, rows, caption}
}

// Notes are what is to be known of a counterpart.
func (f frame) Notes(c Counterpart) notesPart { return notesPart{f, c} }

// sooner is the earlier of two times, of which a zero one is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Away reports whether t is still to come.
func (f frame) Away(t time.Time) bool { return t.After(f.Now) }

// Can says what the hub does at a counterpart.
func (c Counterpart) Can() string {
	var can []string
	for _, x := range []struct {
		is   bool
		what string
	}{{c.Reads, "read"}, {c.Sends, "written to"}, {c.Sweeps, "swept by night"}} {
		if x.is {
			can = append(can, x.what)
		}
	}
	if len(can) == 0 {
		return "nothing yet"
	}
	return strings.Join(can, ", ")
}

// notFoundHere is a refusal for what a list no longer has.
func notFoundHere(what string) *refusal {
	return &refusal{http.StatusNotFound, "There is no such " + what, "It may have been settled meanwhile, or the address is not whole. Open the list and look there."}
}
