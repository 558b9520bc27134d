package console

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// deskPage is one client's desk: what can be entered, and what was.
type deskPage struct {
	frame
	Subject subject
	Forms   []formLink
	Entries []entryRow // newest first
}

type formLink struct {
	Path, Name, Says string
}

// entryRow is an entry in the list of them.
type entryRow struct {
	entry.Entered
	What   string
	Words  []string // what was entered, as far as the visitor may see it
	Apart  bool     // it says more than the visitor sees
	Stands string
	Undo   string // the path, "" when it cannot be taken back
	Anew   string // of what was corrected: the form in which it is entered as it should be, "" = none that is the visitor's
}

func (v *visit) deskClient() error {
	parties, err := v.Roster.Prescribers(v.ctx(), v.client)
	if err != nil {
		return err
	}
	a, err := v.Desk.About(v.ctx(), "", v.client, parties[0].Name)
	if err != nil {
		return err
	}
	entries, err := v.Desk.Entries(v.ctx(), v.who.Name, v.client)
	if err != nil {
		return err
	}
	p := deskPage{frame: v.deskFrame("Enter"), Subject: subjectOf(a.Chart)}
	base := "/clients/" + v.client + "/desk/"
	whole, err := v.theirs(v.client)
	if err != nil {
		return err
	}
	p.Forms = v.entryLinks(v.client, whole)
	for _, e := range slices.Backward(entries) {
		row := entryRow{Entered: e, What: sentence(kindName(e.Kind)), Stands: v.stands(e, entries)}
		row.Words, row.Apart = v.said(e, whole)
		if e.Of != "" {
			row.Words = slices.Insert(row.Words, 0, "of "+entryName(e.Of, entries))
		}
		switch {
		case e.UndoneBy != "":
			row.Anew = v.anew(e, parties, whole)
		case e.ChangedBy == "" && !slices.Contains(lasting, e.Kind):
			row.Undo = base + "entries/" + url.PathEscape(e.ID) + "/undo"
		}
		p.Entries = append(p.Entries, row)
	}
	return v.show("desk_client", p)
}

// said is what an entry says, for the visitor: the client's therapist and the owner read all of it, anybody else what is open, and
// what they wrote themselves.
func (v *visit) said(e entry.Entered, whole bool) (words []string, apart bool) {
	for _, s := range e.Says {
		if s.Open || whole || e.Account == v.who.ID {
			words = append(words, s.Words)
		} else {
			apart = true
		}
	}
	return words, apart
}

// anew is where what a corrected entry said is entered as it should be: the same form about the same client.
func (v *visit) anew(e entry.Entered, parties []desk.Party, whole bool) string {
	kind := e.Kind
	switch kind {
	case desk.KindFollowUp:
		kind = desk.KindDecision
	case desk.KindArrival, desk.KindAcknowledge:
		if whole && v.who.Is(treating...) {
			return "/clients/" + v.client + "/card"
		}
		return ""
	}
	i := slices.IndexFunc(deskForms, func(k deskKind) bool { return k.Kind == kind })
	if i < 0 || !v.who.Is(deskForms[i].may...) || deskForms[i].near && !whole {
		return ""
	}
	q := url.Values{"anew": {e.ID}}
	for _, p := range parties {
		if desk.Source(p.Name) == e.Source {
			q.Set("prescriber", p.Name)
		}
	}
	return "/clients/" + v.client + "/desk/" + kind + "?" + q.Encode()
}

// heardAs fills a form with how an entry that was corrected came, and of a stop who said it: what is entered anew was told by the
// same hand on the same day. What it decides is written anew.
func (q asked) heardAs(e entry.Entered, zone *time.Location) asked {
	told := e.Told.In(zone).Format("2006-01-02 15:04")
	if hour := e.Told.In(zone).Format("15:04:05"); hour == "00:00:00" || hour == "23:59:59" { // the day was told, and no hour
		told = told[:len(time.DateOnly)]
	}
	q.Fields = slices.Clone(q.Fields)
	for i := range q.Fields {
		f := &q.Fields[i]
		switch f.Name {
		case "told":
			f.Value = told
		case "from":
			if !strings.HasPrefix(e.From, "the ") { // a name, and not whose word it was
				f.Value = e.From
			}
		case "medium":
			f.Choices = choose(e.Medium, slices.Clone(f.Choices))
		}
	}
	q.Remarks = append(slices.Clone(q.Remarks), "It is entered anew for "+e.ID+", which was corrected. When and how it came stands as it was entered then: change it where that was the mistake.")
	return q
}

// anewOf is the corrected entry that a form is opened for; false when it names none of this client's.
func (v *visit) anewOf(id string) (e entry.Entered, ok bool, err error) {
	if id == "" {
		return e, false, nil
	}
	entries, err := v.Desk.Entries(v.ctx(), v.who.Name, v.client)
	i := slices.IndexFunc(entries, func(e entry.Entered) bool { return e.ID == id && e.UndoneBy != "" })
	if err != nil || i < 0 {
		return e, false, err
	}
	return entries[i], true, nil
}

// lasting are the kinds of entry that nobody takes back: they are answered by another entry.
var lasting = []string{desk.KindConfirm, desk.KindUndo, desk.KindRead}

// stands says how an entry stands, among all of a client's.
func (v *visit) stands(e entry.Entered, all []entry.Entered) string {
	by := func(id string) string {
		if i := slices.IndexFunc(all, func(one entry.Entered) bool { return one.ID == id }); i >= 0 {
			return " by " + all[i].By + " on " + all[i].At.In(v.Zone).Format("Mon 2 Jan 2006 15:04") + " (" + id + ")"
		}
		return " by " + id
	}
	switch {
	case e.UndoneBy != "":
		return "Undone" + by(e.UndoneBy)
	case e.ChangedBy != "" && e.Kind == desk.KindStop:
		return "Over: ended" + by(e.ChangedBy)
	case e.ChangedBy != "":
		return "Changed" + by(e.ChangedBy)
	case e.AgainBy != "" && e.Kind == desk.KindStop:
		return "The stop stands again: its end was undone" + by(e.AgainBy)
	case e.AgainBy != "":
		return "Stands again: what had changed it was undone" + by(e.AgainBy)
	case !e.ConfirmBy.IsZero():
		return sentence(readiness.ConfirmBy(e.ConfirmBy, v.Zone))
	}
	return "Stands"
}

// entryName is an entry in words: "end of a stop e-12345678".
func entryName(id string, all []entry.Entered) string {
	if i := slices.IndexFunc(all, func(one entry.Entered) bool { return one.ID == id }); i >= 0 {
		return kindName(all[i].Kind) + " " + id
	}
	return id
}
