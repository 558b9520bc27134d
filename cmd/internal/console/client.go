package console

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// Clients is what is known of one client at a time.
type Clients interface {
	// Client notes in the audit log that by looks at what of a client, and returns what was known of them at asOf: "" = now, else
	// as kaphub explain --as-of reads it; a *BadMoment when that cannot be.
	Client(ctx context.Context, by, what, client, asOf string) (Dossier, error)
	// Changed notes that by looks, and returns what the client's standing at from, and at to, is compared by.
	Changed(ctx context.Context, by, client, from, to string) (report.ChangesInput, error)
	// Begins returns the earliest time that can be looked at: "first" names it in asOf, from and to.
	Begins(ctx context.Context) (time.Time, error)
	// Disclosed notes that by looks in that form, and returns what the accounting of the client's disclosures is made of.
	Disclosed(ctx context.Context, by, client, form, from, to string) (report.AccountingInput, error)
}

// Dossier is what was known of one client at a moment.
type Dossier struct {
	View     report.Input // of this client alone
	Chart    fhir.Chart
	Policies map[string]readiness.Policy // by prescriber, of then
	Sent     []exchange.Recorded         // each with what had become of it by then
	Told     []exchange.Telling
	Names    map[fhir.ID]string // whom the settings know by a number
}

// BadMoment is a time that cannot be looked at, and why, for whoever typed it. Field says which of two it is.
type BadMoment struct {
	Field string
	Err   error
}

func (b *BadMoment) Error() string { return b.Err.Error() }

// Unwrap returns why.
func (b *BadMoment) Unwrap() error { return b.Err }

func (c *Console) clientRoutes() []route {
	const one = "/clients/{client}"
	return []route{
		{Pattern: "GET " + one, May: seeing, Client: true, do: (*visit).clientPage},
		{Pattern: "GET " + one + "/changes", May: seeing, Client: true, do: (*visit).changesPage},
		{Pattern: "GET " + one + "/disclosures", May: seeing, Client: true, do: (*visit).disclosuresPage},
		{Pattern: "GET " + one + "/disclosures.csv", May: clinical, Client: true, do: (*visit).disclosuresCSV},
		{Pattern: "GET " + one + "/looks", May: overseeing, Client: true, do: (*visit).looksPage},
		{Pattern: "POST " + one + "/glass", May: treating, do: (*visit).breakGlass},
		{Pattern: "GET " + one + "/card", May: caring, Client: true, do: (*visit).cardPage},
		{Pattern: "POST " + one + "/card", May: caring, Client: true, do: (*visit).learn},
		{Pattern: "POST " + one + "/card/directions", May: treating, Client: true, do: (*visit).acknowledge},
		{Pattern: "POST " + one + "/card/reason", May: caring, Client: true, do: (*visit).beganWhy},
	}
}

// whom is a client as every page about them shows them: by the chosen name.
type whom struct {
	Key, Name, Pronouns, Born string
}

func whomOf(chart *fhir.Chart, key string) whom {
	w := whom{Key: key, Name: readiness.ChosenName(*chart), Pronouns: report.Pronouns(chart), Born: entry.Born(*chart)}
	if t, err := time.Parse(time.DateOnly, w.Born); err == nil {
		w.Born = t.Format("2 January 2006")
	}
	if w.Name == "" {
		w.Name = "(no name on file)"
	}
	return w
}

// moment is a time that somebody may type, and what was wrong with it.
type moment struct {
	Typed, Wrong    string
	Value, Min, Max string // as a browser's own field for a time takes them
}

// civil is how a browser's field for a time writes one.
const civil = "2006-01-02T15:04"

// moment is a field for a time, in which stands word, if the hub could read it as at. From when on times can be looked at begins says.
func (v *visit) moment(word string, at, begins time.Time) moment {
	m := moment{Typed: word, Value: word, Max: v.now.In(v.Zone).Format(civil)}
	least := begins.Add(time.Minute - time.Nanosecond).In(v.Zone).Format(civil)
	if least < m.Max && !begins.IsZero() {
		m.Min = least
	}
	if !at.IsZero() {
		m.Value = max(at.In(v.Zone).Format(civil), m.Min)
	}
	return m
}

// clientPage is all that is known of one client, the verdict on top.
type clientPage struct {
	frame
	whom
	At       moment
	Then     string // what is looked at is past: its moment, to be carried along; else ""
	Refused  bool   // what was asked for cannot be looked at: nothing of the client is shown but who they are
	AsOf     time.Time
	Engaged  []engagement
	Contacts []contact
	Language string
	Doubts   []string // records of the client that are not part of it, and why
	Events   []event
	Total    int
	Older    string // the next page of events; "" = none
	Newer    string
	Clinical bool // doses, readings and events are shown
	Card     bool
	Desk     []formLink // what the visitor may enter about them, now
	Looks    bool
	Since    string // yesterday, for the comparison; "first" when nothing was known then
}

// eventsAPage is how many events stand on one page of the timeline.
const eventsAPage = 40

func (v *visit) clientPage() error {
	query := v.r.URL.Query()
	asOf := query.Get("as-of")
	p := clientPage{frame: v.frame("Client"), Then: asOf}
	begins, err := v.Clients.Begins(v.ctx())
	if err != nil {
		return err
	}
	d, err := v.dossier("client", asOf)
	if bad, ok := errors.AsType[*BadMoment](err); ok {
		p.At, p.Refused = v.moment(asOf, time.Time{}, begins), true
		p.At.Wrong = sentence(bad.Error())
		if d, err = v.dossier("who the client is", ""); err != nil {
			return err
		}
		p.whom = whomOf(&d.Chart, v.client)
		return v.show("client", p)
	}
	if err != nil {
		return err
	}
	p.whom = whomOf(&d.Chart, v.client)
	p.Title = "Client " + p.Key // no title names anybody: a browser keeps titles
	p.AsOf, p.Now = d.View.AsOf, d.View.AsOf
	p.At = v.moment(asOf, time.Time{}, begins)
	if p.Then != "" {
		p.At = v.moment(asOf, p.AsOf, begins)
		p.Title += ", as it was known"
	}
	p.Clinical = v.whole
	p.Card, p.Looks = v.whole && v.who.Is(caring...), v.who.Is(overseeing...)
	if p.Then == "" {
		if p.Desk, err = v.shortcuts(d.Chart); err != nil {
			return err
		}
	}
	if p.Since = "first"; d.View.AsOf.AddDate(0, 0, -1).After(begins) {
		p.Since = d.View.AsOf.In(v.Zone).AddDate(0, 0, -1).Format(civil)
	}
	p.Contacts, p.Language = contactsOf(&d.Chart)
	p.Doubts = doubtsOf(&d.Chart)
	records := report.NewRecords(&d.Chart, d.View.Titles, d.Names, v.Zone)
	for _, verdict := range d.View.Clients {
		e := v.engagement(d.View, verdict, records)
		for i := range e.Gates {
			if p.Then == "" {
				e.Gates[i].Form = v.answeredBy(verdict.Gates[i], verdict.Prescriber)
			}
		}
		p.Engaged = append(p.Engaged, e)
	}
	all := v.events(d, records)
	page, _ := strconv.Atoi(query.Get("page"))
	from := min(max(page-1, 0)*eventsAPage, max(len(all)-1, 0)/eventsAPage*eventsAPage)
	p.Total, p.Events = len(all), all[from:min(from+eventsAPage, len(all))]
	at := from/eventsAPage + 1
	if from+eventsAPage < len(all) {
		p.Older = eventsAt(v.r.URL.Path, p.Then, at+1)
	}
	if at > 1 {
		p.Newer = eventsAt(v.r.URL.Path, p.Then, at-1)
	}
	return v.show("client", p)
}

// dossier is what the visitor may see of the client.
func (v *visit) dossier(what, asOf string) (Dossier, error) {
	if err := v.sees(); err != nil {
		return Dossier{}, err
	}
	d, err := v.Clients.Client(v.ctx(), v.who.Name, what, v.client, asOf)
	if err != nil {
		return d, err
	}
	if asOf != "" && v.who.Is(people.Therapist) {
		d.View.Clients = v.todays(d.View.Clients, map[string][]fhir.Therapist{v.client: v.by})
	}
	d.View = v.nowCallable(seen(d.View, v.who, v.client))
	slices.SortStableFunc(d.View.Clients, func(a, b readiness.Verdict) int { return cmp.Compare(a.Prescriber, b.Prescriber) })
	return d, nil
}

// sees finds out whether the visitor, who was let in to the client, sees the whole of them: by today's therapists, whatever
// moment is looked at.
func (v *visit) sees() error {
	by, err := v.Views.Therapists(v.ctx(), v.client)
	v.by = by
	sight := v.who.Sight(by...)
	v.whole = err == nil && (sight == people.Whole || sight == people.Nothing) // of nothing: they were let in with a reason
	return err
}

func doubtsOf(chart *fhir.Chart) (list []string) {
	if n := len(chart.Rejects); n > 0 {
		list = append(list, many(n, "record of this client could not be read", "records of this client could not be read")+": see Exchange.")
	}
	if n := len(chart.Sealed); n > 0 {
		list = append(list, many(n, "record of this client is sealed", "records of this client are sealed")+" and waits for the privacy officer.")
	}
	if n := len(chart.Unread); n > 0 {
		list = append(list, many(n, "stored record of this client cannot be interpreted", "stored records of this client cannot be interpreted")+": its source is to correct it.")
	}
	return list
}

// contact is one way by which the client may be reached.
type contact struct {
	Way, Value, Use string
	Rank            int
	First           bool
}

// contactsOf are the ways by which the client may be reached, as the practice has them: the preferred one first; and the
// language they prefer.
func contactsOf(chart *fhir.Chart) (list []contact, language string) {
	for _, p := range fhir.Now(fhir.Of(fhir.Practice, chart.Patients)) {
		for _, t := range p.Value.Telecom {
			if t.System == nil || t.Value == nil || t.Use != nil && t.Use.Code() == "old" {
				continue
			}
			c := contact{Way: ways[t.System.Code()], Value: *t.Value, Rank: 99}
			if c.Way == "" {
				c.Way = t.System.Code()
			}
			if t.Use != nil {
				c.Use = t.Use.Code()
			}
			if t.Rank != nil {
				c.Rank, c.First = *t.Rank, *t.Rank == 1
			}
			if !slices.ContainsFunc(list, func(x contact) bool { return x.Way == c.Way && x.Value == c.Value }) {
				list = append(list, c)
			}
		}
		for _, l := range p.Value.Communication {
			if language == "" || l.Preferred != nil && *l.Preferred {
				language = conceptOf(&l.Language)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b contact) int { return cmp.Compare(a.Rank, b.Rank) })
	return list, language
}

var ways = map[string]string{"phone": "Phone", "sms": "Text message", "email": "E-mail", "fax": "Fax", "url": "Web", "pager": "Pager", "other": "Other"}

func conceptOf(c *fhir.CodeableConcept) string {
	if c.Text != nil {
		return *c.Text
	}
	for _, k := range c.Coding {
		if k.Display != nil {
			return *k.Display
		}
		if k.Code != nil {
			return *k.Code
		}
	}
	return ""
}

func many(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + more
}
