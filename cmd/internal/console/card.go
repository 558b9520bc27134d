package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
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
	Done     time.Time // when the last of arrival checks and go-ahead was recorded; zero = none is
	First    openRow   // the one thing to know: why the session is not to begin, or that nothing speaks against it
	Also     []openRow // what else keeps it from being ready: the stops first
	Opens    time.Time // when the arrival checks are asked for; zero = they are
	Form     checks
	Problems []problem
	Limits   []limitRow
	Readings []readingRow // those on file of the session's day
	News     []newsRow    // what was answered to whether anything is new, from the last "yes" on
	Stands   []gateRow    // the checks as they stand: what is not in order first, then those of the arrival
	Rx       directions
	Call     call
	Reach    readiness.Reach // the prescriber, now
	Began    *beganRow       // a session that asks why it began
	Enter    []formLink
	Guest    bool // the visitor was let in to another's client: they look, and may say stop
	Reason   problem
}

// checks is the form of the arrival checks, as it was filled in.
type checks struct {
	Entry, Session, With string // carried along: its id, the session that it is for, the prescriber
	Other                string // the id of the other forms on the page: one of them is sent
	entry.Arrival
	MayGo bool    // the visitor is the session's therapist, whose go-ahead it is
	Whose string  // who that is
	Given gateRow // the go-ahead as it stands
	Rows  []question
	wrong map[string]string
}

// Hour is an hour of the session's day.
func (p cardPage) Hour(t time.Time) string { return t.In(p.zone).Format("15:04") }

// At is an hour, with its day where that is another than the session's.
func (p cardPage) At(t time.Time) string {
	if !p.E.Session.IsZero() && readiness.DayOf(t, p.zone) == readiness.DayOf(p.E.Session, p.zone) {
		return p.Hour(t)
	}
	return p.Clock(t)
}

// SomethingNew reports whether something new since the clearance is still to be asked about: no go-ahead counts before.
func (p cardPage) SomethingNew() bool {
	return p.E.gate(readiness.GateNewInformation).Words == readiness.SomethingNew
}

// Opening is when something begins, with its weekday.
func (p cardPage) Opening(t time.Time) string { return t.In(p.zone).Format("Mon 2 Jan 15:04") }

// Sober reports whether the session may begin as far as the records tell, or may once the checks of the day are in.
func (p cardPage) Sober() bool { return p.E.State == readiness.Ready || p.E.State == readiness.InOrder }

// Before reports whether the directions are from before a stop, or before what cannot be told: nobody is to go by them now.
func (p cardPage) Before() bool {
	return p.E.State == readiness.Hold || p.E.State == readiness.Unknown
}

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
	{readiness.GateLocation, "location", "Is the client where the session is to be?", "Yes", "No"}, // what is new is asked apart: it is never too early
}

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
	records := report.NewRecords(&d.Chart, d.View.Titles, d.Names, v.Zone)
	verdict, ok := chosenEngagement(d.View.Clients, with)
	if !ok {
		return exchange.ErrNotFound
	}
	policy := d.Policies[verdict.Prescriber]
	p := cardPage{frame: v.frame("Card"), whom: whomOf(&d.Chart, v.client), E: v.engagement(d.View, verdict, records), Form: form, Reason: why, Problems: problems}
	p.Title, p.Now = "Card "+p.Key, d.View.AsOf
	for _, x := range d.View.Clients {
		if x.Prescriber != verdict.Prescriber {
			p.Others = append(p.Others, link{Path: v.r.URL.Path + "?" + url.Values{"with": {x.Prescriber}}.Encode(), Name: cmp.Or(d.View.Titles[x.Prescriber], x.Prescriber)})
		}
	}
	p.Reach = policy.Sheet.Reach(d.View.AsOf, policy.Zone)
	about := entry.About{Chart: d.Chart, Policy: policy, Now: d.View.AsOf}
	p.Done = report.DoneAt(verdict)
	p.fill(v, about, verdict)
	if err := p.said(v, about, verdict, records); err != nil {
		return err
	}
	if list := readiness.Beginning(d.Chart, policy, d.View.AsOf); len(list) > 0 {
		p.Began = &beganRow{Start: list[0].Start, State: list[0].State, Key: list[0].String(), Why: v.r.PostForm.Get("why")}
	}
	if p.Enter, err = v.shortcuts(d.Chart); err != nil {
		return err
	}
	theirs, err := v.theirs(v.client)
	if err != nil {
		return err
	}
	if p.Guest = !theirs; p.Guest {
		p.Form.Session, p.Rx.Ask, p.Began = "", false, nil
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
		f.Session, p.End = sessionKey(next), next.End
		if early != "" {
			p.Opens = readiness.ArrivalOpens(next.Start)
		}
		f.Whose = about.Whose(next)
		_, f.MayGo = v.mayGo(about.Treating(next))
	} else {
		f.Session = ""
	}
	is := map[string]string{"ride": f.Ride, "fasting": f.Fasting, "location": f.Location}
	for _, q := range arrivalAsks {
		row := question{Field: q.field, Asks: q.asks, Yes: q.y, No: q.no, Is: is[q.field]}
		row.Stands = p.E.gate(q.gate)
		f.Rows = append(f.Rows, row)
	}
}

var arrivalGates = readiness.ArrivalGates()

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

// Checking reports whether the checks of a session are asked now. Whether anything is new is asked at all times.
func (p cardPage) Checking() bool { return p.Form.Session != "" && p.Opens.IsZero() }

// sessionKey names the session that a form is for, with its beginning: one that was moved is another.
func sessionKey(s desk.Session) string {
	if s.Appointment == nil {
		return ""
	}
	return s.Appointment.String() + "@" + s.Start.UTC().Format(time.RFC3339)
}

// notTheirs is answered to somebody who sees the client, and no dose or reading of theirs.
var notTheirs = &refusal{http.StatusForbidden, "The card is for the client's therapist", "You see how the client's records stand, and no dose or reading. Go to the client's page for that."}
