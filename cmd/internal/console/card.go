package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// Room is the desk as it is used in the session room.
type Room interface {
	// About returns what an entry about a client and a prescriber is made of; exchange.ErrNotFound when nobody has that key, or
	// no prescriber that name.
	About(ctx context.Context, by, client, prescriber string) (entry.About, error)
	// Enter saves an entry, brings it in and has the client judged again; exchange.ErrConflict when its id is taken.
	Enter(ctx context.Context, by string, slips []exchange.Slip) (Saved, error)
}

// cardPage is all that a therapist needs in the session room, on a phone.
type cardPage struct {
	frame
	whom
	E        engagement
	Others   []link // the other prescribers' cards
	End      time.Time
	Early    string // what is said of checks that come too early; "" = they count
	Form     checks
	Problems []problem
	Readings []limitRow
	Arrival  []gateRow // the checks as they stand
	Rx       directions
	Call     call
	Began    *beganRow // a session that asks why it began
	Why      problem
}

// checks is the form of the arrival checks, as it was filled in.
type checks struct {
	Entry, Session, With string // carried along: its id, the session that it is for, the prescriber
	Other                string // the id of the other forms on the page: one of them is sent
	entry.Arrival
	MayGo bool   // the visitor is the session's therapist, whose go-ahead it is
	Whose string // who that is
	Rows  []question
	wrong map[string]string
}

// Hour is an hour of the session's day.
func (p cardPage) Hour(t time.Time) string { return t.In(p.zone).Format("15:04") }

// Zone is the name of the practice's zone at the session.
func (p cardPage) Zone() string { return p.E.Session.In(p.zone).Format("MST") }

// Wrong is what is wrong with an answer, "" when nothing is.
func (c checks) Wrong(field string) string { return c.wrong[field] }

// question is a check that is answered by yes or no.
type question struct {
	Field, Asks, Yes, No, Is string
	Stands                   gateRow
}

type problem struct {
	Field, Text string
}

// limitRow is a reading that is taken, and the limit on file for it.
type limitRow struct {
	Name, Says, From string
	Missing          bool
}

// directions are what the prescriber wrote, word for word.
type directions struct {
	Lines   []string
	Written time.Time
	Title   string // whose they are
	Digest  string // of these very directions: what is acknowledged
	Stands  gateRow
	Ask     bool // they are to be acknowledged, and the visitor may
}

// call is whom to call now.
type call struct {
	readiness.Reach
	Title string
	Tel   string // as a link dials it
	Far   string // the other number, as a link dials it
}

// beganRow is a session that began while its records were not in order.
type beganRow struct {
	Start time.Time
	State string
	Key   string
	Why   string
}

// arrivalAsks are the checks in the order in which they are asked.
var arrivalAsks = []struct {
	gate               readiness.GateName
	field, asks, y, no string
}{
	{readiness.GateRide, "ride", "Is the ride home arranged?", "Yes", "No"},
	{readiness.GateFasting, "fasting", "Was fasting kept?", "Yes", "No"},
	{readiness.GateLocation, "location", "Is the client where the session is to be?", "Yes", "No"},
	{readiness.GateNewInformation, "new", "Is anything new since the clearance?", "Yes, something is new", "No, nothing"},
}

// cardEntry is how the id of an entry looks: the form brings its own, so that sending it twice enters nothing twice.
var cardEntry = regexp.MustCompile(`^e-[0-9a-z]{8}$`)

func (v *visit) cardPage() error {
	return v.card(v.r.URL.Query().Get("with"), checks{}, problem{}, nil)
}

// card shows the card: with what was typed, where something of it was wrong.
func (v *visit) card(with string, form checks, why problem, problems []problem) error {
	d, err := v.dossier("card", "")
	if err != nil {
		return err
	}
	if !v.whole {
		return notTheirs
	}
	records := report.NewRecords(&d.Chart, d.View.Titles, v.Zone)
	verdict, ok := chosenEngagement(d.View.Clients, with)
	if !ok {
		return exchange.ErrNotFound
	}
	policy := d.Policies[verdict.Prescriber]
	p := cardPage{frame: v.frame("Card"), whom: whomOf(&d.Chart, v.client), E: v.engagement(d.View, verdict, records), Form: form, Why: why, Problems: problems}
	p.Title, p.Now = "Card "+p.Key, d.View.AsOf
	for _, x := range d.View.Clients {
		if x.Prescriber != verdict.Prescriber {
			p.Others = append(p.Others, link{Path: v.r.URL.Path + "?" + url.Values{"with": {x.Prescriber}}.Encode(), Name: cmp.Or(d.View.Titles[x.Prescriber], x.Prescriber)})
		}
	}
	about := entry.About{Chart: d.Chart, Policy: policy, Now: d.View.AsOf}
	p.fill(v, about, verdict)
	for _, l := range readiness.Limits(d.Chart, policy, d.View.AsOf) {
		p.Readings = append(p.Readings, limitRow{Name: l.Name, Says: l.Says(), From: l.From, Missing: l.On == readiness.NotAsked})
	}
	p.Rx = v.directions(about, p.E, records)
	p.Call = callNow(&policy, p.E.Title, d.View.AsOf)
	if list := readiness.Beginning(d.Chart, policy, d.View.AsOf); len(list) > 0 {
		p.Began = &beganRow{Start: list[0].Start, State: list[0].State, Key: list[0].String(), Why: v.r.PostForm.Get("why")}
	}
	status := http.StatusOK
	if len(problems) > 0 || why.Text != "" {
		status = http.StatusUnprocessableEntity
	}
	return v.send(status, "card", p)
}

// chosenEngagement is the engagement that is asked for, else the one whose session is next.
func chosenEngagement(all []readiness.Verdict, with string) (best readiness.Verdict, ok bool) {
	for _, x := range all {
		if with != "" {
			if x.Prescriber == with {
				return x, true
			}
			continue
		}
		sooner := x.Appointment != nil && (best.Appointment == nil || x.Appointment.Start.Before(best.Appointment.Start))
		if !ok || sooner {
			best, ok = x, true
		}
	}
	return best, ok
}

// fill makes the form for the session that the verdict is about.
func (p *cardPage) fill(v *visit, about entry.About, verdict readiness.Verdict) {
	f := &p.Form
	f.With = verdict.Prescriber
	if f.Entry == "" {
		f.Entry = desk.NewEntry()
	}
	f.Other = desk.NewEntry()
	next, early, booked := about.Next()
	if booked {
		f.Session, p.Early, p.End = sessionKey(next), early, next.End
		f.Whose = about.Whose(next)
		_, f.MayGo = v.mayGo(about.Treating(next))
	} else {
		f.Session = ""
	}
	for _, g := range p.E.Gates {
		if slices.Contains(arrivalGates, readiness.GateName(g.Name)) {
			p.Arrival = append(p.Arrival, g)
		}
	}
	is := map[string]string{"ride": f.Ride, "fasting": f.Fasting, "location": f.Location, "new": f.New}
	for _, q := range arrivalAsks {
		row := question{Field: q.field, Asks: q.asks, Yes: q.y, No: q.no, Is: is[q.field]}
		if i := slices.IndexFunc(p.E.Gates, func(g gateRow) bool { return g.Name == string(q.gate) }); i >= 0 {
			row.Stands = p.E.Gates[i]
		}
		f.Rows = append(f.Rows, row)
	}
}

var arrivalGates = []readiness.GateName{readiness.GateVitals, readiness.GateRide, readiness.GateFasting, readiness.GateLocation, readiness.GateNewInformation, readiness.GateGoAhead}

// mayGo reports whether the visitor is one of the session's therapists, whose go-ahead it is, and how the session names them:
// nobody gives another's. A session that names nobody can be answered for by any therapist.
func (v *visit) mayGo(session []readiness.Named) (as *fhir.Reference, may bool) {
	if len(session) == 0 {
		return nil, v.who.Is(treating...)
	}
	for _, t := range session {
		if v.who.Treats(t.Therapist) { // whatever else they are
			return t.Ref, true
		}
	}
	return nil, false
}

// sessionKey names the session that a form is for, with its beginning: one that was moved is another.
func sessionKey(s desk.Session) string {
	if s.Appointment == nil {
		return ""
	}
	return s.Appointment.String() + "@" + s.Start.UTC().Format(time.RFC3339)
}

// notTheirs is answered to somebody who sees the client, and no dose or reading of theirs.
var notTheirs = &refusal{http.StatusForbidden, "The card is for the client's therapist", "You see how the client's records stand, and no dose or reading. Go to the client's page for that."}

// about is what an entry about the client is made of, for somebody who may make one in the session room.
func (v *visit) about(prescriber string) (entry.About, error) {
	if err := v.sees(); err != nil {
		return entry.About{}, err
	}
	if !v.whole {
		return entry.About{}, notTheirs
	}
	return v.Room.About(v.ctx(), "", v.client, prescriber)
}

// directions are those in force, as the prescriber wrote them.
func (v *visit) directions(a entry.About, e engagement, records *report.Records) directions {
	out := directions{Title: e.Title}
	for _, g := range e.Gates {
		if g.Name == string(readiness.GateInstructions) {
			out.Stands = g
		}
	}
	rx := readiness.Prescribed(a.Chart, a.Policy, a.Now)
	if rx == nil {
		return out
	}
	read, err := fhir.Read[fhir.MedicationRequest](rx.Resource)
	if err != nil {
		return out
	}
	for _, d := range read.DosageInstruction {
		for _, s := range []*string{d.Text, d.PatientInstruction} {
			if s != nil && strings.TrimSpace(*s) != "" && !slices.Contains(out.Lines, *s) {
				out.Lines = append(out.Lines, *s)
			}
		}
	}
	if len(out.Lines) == 0 {
		for _, s := range records.Word(rx).Says {
			if s.Name == "Directions" {
				out.Lines = append(out.Lines, s.Value)
			}
		}
	}
	out.Written, out.Digest = rx.Recorded(), fhir.DosageDigest(rx.Resource)
	out.Ask = len(read.DosageInstruction) > 0 && out.Stands.Class == "open" && v.who.Is(treating...)
	return out
}

// callNow is whom to call at this hour.
func callNow(policy *readiness.Policy, title string, now time.Time) call {
	c := call{Reach: policy.Sheet.Reach(now, policy.Zone), Title: title}
	c.Tel, c.Far = dialled(c.Phone), dialled(c.Other)
	return c
}

// dialled is a number as a telephone dials it.
func dialled(phone string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, phone)
}

// learn saves what was found at the client's arrival.
func (v *visit) learn() error {
	if err := v.r.ParseForm(); err != nil {
		return err
	}
	form := v.r.PostForm
	f := checks{With: form.Get("with"), Entry: form.Get("entry"), Session: form.Get("session"), wrong: map[string]string{}, Arrival: entry.Arrival{
		BP: form.Get("bp"), HR: form.Get("hr"), Ride: form.Get("ride"), Fasting: form.Get("fasting"), Location: form.Get("location"), New: form.Get("new"), GoAhead: form.Get("go-ahead"),
	}}
	if !cardEntry.MatchString(f.Entry) {
		f.Entry = desk.NewEntry()
	}
	about, err := v.about(f.With)
	if err != nil {
		return err
	}
	wrong := func(list ...problem) error {
		for _, p := range list {
			f.wrong[p.Field] = p.Text
		}
		return v.card(f.With, f, problem{}, list)
	}
	next, _, booked := about.Next()
	own, may := v.mayGo(about.Treating(next))
	switch {
	case !booked:
		return wrong(problem{"session", "No dosing session of the client is booked: the checks are for one."})
	case f.Session != sessionKey(next):
		return wrong(problem{"session", "The session was moved or changed while you wrote. Look at it, and send the checks again."})
	case f.GoAhead != "" && !may:
		return wrong(problem{"go-ahead", "The go-ahead is " + about.Whose(next) + "'s to give."})
	}
	f.Giver = own
	note, err := about.Note(f.Entry, desk.Writer(v.who.Hand()), entry.Heard{}, false)
	if err != nil {
		return err
	}
	slips, err := f.Make(about, note)
	if list, ok := errors.AsType[entry.Problems](err); ok {
		var all []problem
		for _, p := range list {
			all = append(all, problem{p.Field, ended(fieldNames[p.Field] + " " + p.Err.Error())})
		}
		return wrong(all...)
	}
	if err != nil {
		return wrong(problem{"bp", "Nothing is filled in yet: answer what you found, and leave out what was not asked."})
	}
	return v.learned(f.With, f.Entry, slips)
}

var fieldNames = map[string]string{"bp": "Blood pressure", "hr": "Heart rate", "ride": "The ride home", "fasting": "Fasting", "location": "The location", "new": "Anything new", "go-ahead": "The go-ahead"}

func ended(s string) string { return strings.TrimSuffix(strings.TrimSpace(s), ".") + "." }

// learned saves slips and shows the card with the new verdict.
func (v *visit) learned(with, id string, slips []exchange.Slip) error {
	saved, err := v.Room.Enter(v.ctx(), v.who.Name, slips)
	switch {
	case errors.Is(err, exchange.ErrConflict):
		v.say("This was saved already as " + id + ": sent twice, it is entered once.")
	case err != nil:
		return err
	case saved.Later:
		v.say("Saved as " + id + ". It comes in with the next sync: the verdict below is from before.")
	default:
		v.say("Saved as " + id + ". The client was judged again with it.")
	}
	return v.to("/clients/" + v.client + "/card?" + url.Values{"with": {with}}.Encode())
}

// acknowledge saves that the therapist read the directions: the very ones that were shown.
func (v *visit) acknowledge() error {
	if err := v.r.ParseForm(); err != nil {
		return err
	}
	form := v.r.PostForm
	with := form.Get("with")
	about, err := v.about(with)
	if err != nil {
		return err
	}
	rx := readiness.Prescribed(about.Chart, about.Policy, about.Now)
	if rx == nil || form.Get("digest") != fhir.DosageDigest(rx.Resource) {
		return v.card(with, checks{}, problem{}, []problem{{"directions", "The directions changed while you read. Read these, and acknowledge them."}})
	}
	id := form.Get("entry")
	if !cardEntry.MatchString(id) {
		id = desk.NewEntry()
	}
	note, err := about.Note(id, desk.Writer(v.who.Hand()), entry.Heard{}, false)
	if err != nil {
		return err
	}
	slips, err := about.Book.Acknowledge(note, rx)
	if err != nil {
		return err
	}
	return v.learned(with, id, slips)
}

// beganWhy saves why a session began while its records were not in order. There is no override: the verdict of then stays
// beside the reason (R50).
func (v *visit) beganWhy() error {
	if err := v.r.ParseForm(); err != nil {
		return err
	}
	form := v.r.PostForm
	with, why := form.Get("with"), form.Get("why")
	about, err := v.about(with)
	if err != nil {
		return err
	}
	list := readiness.Beginning(about.Chart, about.Policy, about.Now)
	i := slices.IndexFunc(list, func(b fhir.Began) bool { return b.String() == form.Get("session") })
	if i < 0 {
		v.say("No session asks for a reason any more.")
		return v.to("/clients/" + v.client + "/card?" + url.Values{"with": {with}}.Encode())
	}
	id := form.Get("entry")
	if !cardEntry.MatchString(id) {
		id = desk.NewEntry()
	}
	note, err := about.Note(id, desk.Writer(v.who.Hand()), entry.Heard{}, false)
	if err != nil {
		return err
	}
	slips, err := about.Book.Reason(note, list[i].Key, why)
	if err != nil {
		return v.card(with, checks{}, problem{"why", "Say why in one line, of at most 300 letters."}, nil)
	}
	return v.learned(with, id, slips)
}
