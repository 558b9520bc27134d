package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// Desk is where people enter by hand.
type Desk interface {
	// About returns what an entry about a client and a prescriber is made of, now; it notes that by looks, unless by is "".
	// exchange.ErrNotFound when nobody has that key, or no prescriber that name.
	About(ctx context.Context, by, client, prescriber string) (entry.About, error)
	// Entries returns what was entered about a client, oldest first, and notes that by looks.
	Entries(ctx context.Context, by, client string) ([]entry.Entered, error)
	// Enter saves an entry, brings it in and has the client judged again; exchange.ErrConflict when its id is taken.
	Enter(ctx context.Context, by string, slips []exchange.Slip) (Saved, error)
	// Entry returns the slips of an entry; exchange.ErrNotFound when there is none.
	Entry(ctx context.Context, id string) ([]exchange.Slip, error)
}

// ErrTooMany is what Find answers when more clients fit than one looks through.
var ErrTooMany = errors.New("too many clients fit: write more of the name, or the birth date")

// Saved is what came of an entry.
type Saved struct {
	Verdicts []readiness.Verdict // the client's; none of an entry about no client
	Later    bool                // it is saved, and comes in with the next sync
}

// Roster knows the clients and the prescribers.
type Roster interface {
	// Find returns the charts of the clients whom word may mean: by part of a name, birth date, identifier or hub key. It notes
	// that by looked for somebody. ErrTooMany when they are too many to be shown.
	Find(ctx context.Context, by, word string) ([]fhir.Chart, error)
	// Prescribers returns the prescribers of a client, or with "" all of the practice's, in the order of the config.
	Prescribers(ctx context.Context, client string) ([]desk.Party, error)
	// Called returns the practice's clients whose whole name stands in a text.
	Called(ctx context.Context, text string) ([]entry.Called, error)
}

func (c *Console) deskRoutes() []route {
	const about = "/clients/{client}/desk"
	all := []route{
		{Pattern: "GET /desk", May: keeping, do: (*visit).deskHome},
		{Pattern: "POST /desk/find", May: keeping, do: (*visit).deskFind},
		{Pattern: "GET /desk/waiting", May: keeping, do: (*visit).waiting},
		{Pattern: "GET /desk/read-through", May: mailing, do: (*visit).readThrough},
		{Pattern: "POST /desk/read-through", May: mailing, do: (*visit).saveReadThrough},
		{Pattern: "GET /desk/releases", May: keeping, do: (*visit).releases},
		{Pattern: "POST /desk/releases", May: keeping, do: (*visit).saveReleases},
		{Pattern: "GET /desk/questions/{prescriber}", May: mailing, do: (*visit).questions},
		{Pattern: "POST /desk/questions/{prescriber}", May: mailing, do: (*visit).questionsSent},
		{Pattern: "GET " + about, May: keeping, Client: true, do: (*visit).deskClient},
		{Pattern: "POST " + about + "/decision/reply", May: keeping, Client: true, do: (*visit).pasteReply},
		{Pattern: "GET " + about + "/entries/{entry}/undo", May: keeping, Client: true, do: (*visit).undo},
		{Pattern: "POST " + about + "/entries/{entry}/undo", May: keeping, Client: true, do: (*visit).saveUndo},
		{Pattern: "POST " + about + "/entries/{entry}/confirm", May: keeping, Client: true, do: (*visit).confirm},
	}
	for _, f := range deskForms {
		all = append(all,
			route{Pattern: "GET " + about + "/" + f.Kind, May: f.may, Client: true, do: func(v *visit) error { return v.deskForm(f) }},
			route{Pattern: "POST " + about + "/" + f.Kind, May: f.may, Client: true, do: func(v *visit) error { return v.deskSave(f) }})
	}
	return all
}

// theirs reports whether the client is this person's to be with at a session: their own, or they are the owner. Somebody who
// opened another's client with a reason may look and say stop; the checks, the label and the go-ahead are not theirs.
func (v *visit) theirs(client string) (bool, error) {
	by, err := v.Views.Therapists(v.ctx(), client)
	if err != nil {
		return false, fmt.Errorf("whose client %s is: %w", client, err)
	}
	return v.who.Confidant(by...), nil
}

// subject is a client as a form shows back whom it is about: nobody enters anything about the wrong one.
type subject struct {
	Key, Name, Born string
	Apart           string // what tells them apart from others of this name and birth date; "" = there are none
}

// subjectOf reads a chart.
func subjectOf(chart fhir.Chart) subject {
	s := subject{Key: chart.Client, Name: readiness.ChosenName(chart), Born: entry.Born(chart)}
	if s.Name == "" {
		s.Name = "(no name on file)"
	}
	if t, err := time.Parse(time.DateOnly, s.Born); err == nil {
		s.Born = t.Format("2 January 2006")
	}
	return s
}

// Shown is the subject in a line.
func (s subject) Shown() string { return s.Name + ", born " + s.Born }

// Carried is the subject as a form carries it: who it is about when it is sent must be who it was about when it was opened.
// Two clients of one name and birth date are two.
func (s subject) Carried() string { return s.Key + ", " + s.Shown() }

// deskHome is where an entry begins: find the client, or look after what waits.
type deskHome struct {
	frame
	Finder
	Doors       []door
	Waiting     int
	Mail        bool // they may say how far a mailbox was read, and ask
	Prescribers []desk.Party
}

// Finder is the search for a client, and what it found.
type Finder struct {
	Word    string // what was looked for; it stands in no address
	For     string // the kind of entry that begins with it; "" = that is chosen at the client
	Looked  bool
	Found   []found
	Others  []string // the keys of somebody else's clients, who were named in full
	Problem string
}

type found struct {
	subject
	Path string
}

// deskFrame is the frame of a page of the desk. No title names anybody: a browser keeps titles.
func (v *visit) deskFrame(title string) frame {
	f := v.frame(title)
	f.here("Desk")
	return f
}

func (v *visit) deskHome() error { return v.showDesk(Finder{}) }

func (v *visit) showDesk(f Finder) error {
	p := deskHome{frame: v.deskFrame("Desk"), Finder: f, Doors: v.doors(true), Mail: v.who.Is(mailing...)}
	var err error
	if p.Prescribers, err = v.Roster.Prescribers(v.ctx(), ""); err != nil {
		return err
	}
	waiting, err := v.mine(v.Second.Waiting(v.ctx(), people.Hand{}))
	if err != nil {
		return err
	}
	p.Waiting = len(waiting)
	return v.show("desk", p)
}

// deskFind shows whom a word may mean, to a therapist their own alone. The word comes in the form's body: no address, log or
// history holds a name.
func (v *visit) deskFind() error {
	form, err := v.filled()
	if err != nil {
		return err
	}
	f := Finder{Word: strings.TrimSpace(form.Get("who")), Looked: true, For: form.Get("for")}
	if !slices.ContainsFunc(v.doors(true), func(d door) bool { return d.Kind == f.For }) {
		f.For = ""
	}
	if f.Word == "" {
		f.Looked, f.Problem = false, "Write part of the name, the birth date or the hub key."
		return v.showDesk(f)
	}
	charts, err := v.Roster.Find(v.ctx(), v.who.Name, f.Word)
	if errors.Is(err, ErrTooMany) {
		f.Looked, f.Problem = false, sentence(err.Error())
		return v.showDesk(f)
	}
	if err != nil {
		return err
	}
	meant, err := v.Search.Meant(v.ctx(), f.Word)
	if err != nil {
		return err
	}
	in, err := v.Board.Glance(v.ctx())
	if err != nil {
		return err
	}
	if f.Others, err = v.strangersNamed(in.Clients, meant); err != nil {
		return err
	}
	for _, c := range charts {
		switch err := v.mayMeet(c.Client); {
		case errors.Is(err, strangeClient): // nobody learns that there is such a client, unless they know all that a client is known by
		case err != nil:
			return err
		default:
			path, err := v.begins(c.Client, f.For)
			if err != nil {
				return err
			}
			one := found{subjectOf(c), path}
			if err := v.tellApart(&one.subject, c); err != nil {
				return err
			}
			f.Found = append(f.Found, one)
		}
	}
	if only, err := v.only(f.Word); err != nil {
		return err
	} else if len(f.Found) == 1 && len(f.Others) == 0 && f.Found[0].Key == only {
		return v.to(f.Found[0].Path)
	}
	slices.SortStableFunc(f.Found, func(a, b found) int { return strings.Compare(a.Name, b.Name) })
	return v.showDesk(f)
}

// entryID is how the id of an entry looks: a form brings its own, so that sending it twice enters nothing twice.
var entryID = regexp.MustCompile(`^e-[0-9a-hjkmnp-tv-z]{8}$`)

// entered saves an entry of a form and says what came of it. Of a form that was sent twice it says that, and enters
// nothing more.
func (v *visit) entered(s subject, id, kind string, slips []exchange.Slip, to string) error {
	saved, err := v.Desk.Enter(v.ctx(), v.who.Name, slips)
	if errors.Is(err, exchange.ErrConflict) {
		return v.before(s, id, kind, to)
	}
	if err != nil {
		return err
	}
	line := "Saved as " + id + ": " + v.repeated(s, kind, slips) + "."
	if kind == desk.KindDecision && desk.Clears(v.r.PostForm.Get("outcome")) && answer(v.r.PostForm, "valid-to-again") == "" {
		line += " A second person confirms it at the desk."
	}
	if saved.Later {
		line += " The board shows it after the next sync."
	}
	for _, c := range seen(report.Input{Clients: saved.Verdicts}, v.who, s.Key).Clients {
		line += fmt.Sprintf(" %s: %s.", c.State, strings.TrimSuffix(c.Words, "."))
	}
	if asks, err := v.asksWhy(s, kind); err != nil {
		return err
	} else if asks != "" {
		line += " It began while its records were not in order: say why."
		to = asks
	}
	v.say(line)
	return v.to(to)
}

// repeated is what was entered about whom, in words: whoever entered it sees that it is what they meant. A line that is shown at
// the head of the next page tells of no dose, reading or event.
func (v *visit) repeated(s subject, kind string, slips []exchange.Slip) string {
	var said []string
	for _, one := range desk.Says(slips, v.Zone) {
		if one.Open && len(said) < 3 {
			said = append(said, one.Words)
		}
	}
	line := cmp.Or(strings.Join(said, ", "), kindName(kind))
	if s.Key != "" {
		line += ", about " + s.Shown()
	}
	return line
}

// asksWhy is where somebody says why a session was held that they just entered, "" when nothing asks for it.
func (v *visit) asksWhy(s subject, kind string) (string, error) {
	with := v.r.PostForm.Get("prescriber")
	if kind != desk.KindAfter || v.r.PostForm.Get("held") != "y" || with == "" {
		return "", nil
	}
	a, err := v.Desk.About(v.ctx(), "", s.Key, with)
	if err != nil || len(readiness.Unexplained(a.Chart, a.Policy, a.Now)) == 0 {
		return "", err
	}
	return "/clients/" + s.Key + "/desk/" + desk.KindReason + "?" + url.Values{"prescriber": {with}}.Encode(), nil
}

// before answers a form whose entry was saved already: by the same hand about the same client it was sent twice.
func (v *visit) before(s subject, id, kind, to string) error {
	was, err := v.Desk.Entry(v.ctx(), id)
	switch {
	case errors.Is(err, exchange.ErrNotFound): // another was quicker with something else
		return exchange.ErrConflict
	case err != nil:
		return err
	case was[0].Client != s.Key || was[0].Kind != kind || was[0].Actor != v.who.Name:
		return staleForm
	}
	v.say("Saved as " + id + " (" + kindName(kind) + ") already: the form was sent twice, and is entered once. If you changed something in between, open a new form and enter it there.")
	return v.to(to)
}

var staleForm = &refusal{http.StatusConflict, "This form is too old", "Nothing was saved. Open a new form and enter it there."}

// filled reads the form that was sent.
func (v *visit) filled() (url.Values, error) {
	err := v.r.ParseForm()
	if _, over := errors.AsType[*http.MaxBytesError](err); err != nil && !over {
		err = garbledForm
	}
	return v.r.PostForm, err
}

var garbledForm = &refusal{http.StatusBadRequest, "This form cannot be read", "Nothing was saved. Go back, and send it again."}

// kindName is a kind of entry in words.
func kindName(kind string) string {
	for _, f := range deskForms {
		if f.Kind == kind {
			return strings.ToLower(f.Name)
		}
	}
	switch kind {
	case desk.KindConfirm:
		return "confirmation"
	case desk.KindUndo:
		return "correction"
	}
	return strings.ReplaceAll(kind, "-", " ")
}
