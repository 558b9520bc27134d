package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Second is what a second person looks at, and what is corrected.
type Second interface {
	// Waiting returns the decisions that wait for a second person, the one that must be confirmed first in front. It notes that
	// by looks, unless by is the zero Hand.
	Waiting(ctx context.Context, by people.Hand) ([]Awaiting, error)
	// Confirming returns the slips by which by confirms an entry. A *Refused says why they may not, or that nothing waits.
	Confirming(ctx context.Context, by people.Hand, entry, id string) ([]exchange.Slip, error)
	// Undoing returns the slips that correct an entry. A *Refused says why it cannot be.
	Undoing(ctx context.Context, by people.Hand, entry, id, why string) ([]exchange.Slip, error)
}

// Refused is why something cannot be entered, in words for whoever tried.
type Refused struct{ Err error }

func (r *Refused) Error() string { return r.Err.Error() }

// Unwrap returns why.
func (r *Refused) Unwrap() error { return r.Err }

// Awaiting is a decision that waits for a second person.
type Awaiting struct {
	entry.Entered
	Chart fhir.Chart
	Title string // the prescriber's
	Shown string // what was entered: desk.Shown
	// Directions are those that change with it, "" when they stay as they are. They are compared by whoever sees doses.
	Directions string
	// Cannot is why whoever looks may not confirm it, "" when they may: they entered it, or it cannot be told that they did not.
	Cannot string
}

// mine leaves of what waits what is of a person's own clients.
func (v *visit) mine(all []Awaiting, err error) ([]Awaiting, error) {
	if err != nil || v.who.SeesAll() {
		return all, err
	}
	var own []Awaiting
	for _, a := range all {
		switch err := v.mayMeet(a.Chart.Client); {
		case err == nil:
			own = append(own, a)
		case !errors.Is(err, strangeClient):
			return nil, err
		}
	}
	return own, nil
}

// waitingPage is the second person's queue.
type waitingPage struct {
	frame
	Waiting []waitingRow
}

type waitingRow struct {
	Awaiting
	Subject subject
	Says    []string // what was entered, part by part
	Path    string
	Entry   string // the id of the confirmation
	Hidden  bool   // conditions or directions come with it, which they do not read
	Term    string // by when it must be confirmed
	Late    bool   // the day by which it must be confirmed is over
}

// Spoken says how it was said, "" when it came in writing or nobody said how.
func (r waitingRow) Spoken() string {
	return map[string]string{"phone": "by phone", "in-person": "in person"}[r.Medium]
}

// Paper is what it is compared with, where it came in writing.
func (r waitingRow) Paper() string {
	return cmp.Or(map[string]string{"e-mail": "the e-mail", "letter": "the letter", "portal": "the message in the portal"}[r.Medium], "the message")
}

// Sentence is words as a sentence begins.
func (waitingRow) Sentence(words string) string { return sentence(words) }

func (v *visit) waiting() error {
	all, err := v.mine(v.Second.Waiting(v.ctx(), v.who.Hand()))
	if err != nil {
		return err
	}
	p := waitingPage{frame: v.deskFrame("Second person’s queue")}
	for _, a := range all {
		whole, err := v.theirs(a.Chart.Client)
		if err != nil {
			return err
		}
		row := waitingRow{Awaiting: a, Subject: subjectOf(a.Chart), Says: strings.Split(a.Shown, "; "), Entry: desk.NewEntry(),
			Path: "/clients/" + a.Chart.Client + "/desk/entries/" + a.ID + "/confirm", Late: !a.ConfirmBy.After(v.now), Term: readiness.ConfirmBy(a.ConfirmBy, v.Zone)}
		if row.Cannot != "" {
			row.Cannot = sentence(row.Cannot) + "."
		}
		if own := wordsOfTheirOwn(a.Directions, a.Shown); own && !whole {
			row.Hidden, row.Directions, row.Shown = true, "", ""
			row.Says = slices.DeleteFunc(row.Says, func(part string) bool { return strings.HasPrefix(part, condition) })
		}
		p.Waiting = append(p.Waiting, row)
	}
	return v.show("desk_waiting", p)
}

// condition is how desk.Shown begins a condition.
const condition = "condition: "

// wordsOfTheirOwn reports whether a decision brings what the prescriber wrote: directions, or conditions.
func wordsOfTheirOwn(directions, shown string) bool {
	return directions != "" || strings.Contains(shown, condition)
}

// confirm has a second person confirm an entry of this client.
func (v *visit) confirm() error {
	f, err := v.filled()
	if err != nil {
		return err
	}
	id := f.Get("entry")
	slips, a, err := v.entryOf("")
	switch {
	case err != nil:
		return err
	case !entryID.MatchString(id) || f.Get("shown") != subjectOf(a.Chart).Carried():
		return staleForm
	}
	if words, err := ofTheirOwn(slips[0]); err != nil {
		return err
	} else if words {
		switch whole, err := v.theirs(v.client); {
		case err != nil:
			return err
		case !whole:
			return &refusal{http.StatusForbidden, "This one is not yours to confirm", "Conditions or directions come with it, which the client's therapist or the owner compares and confirms."}
		}
	}
	made, err := v.Second.Confirming(v.ctx(), v.who.Hand(), slips[0].Entry, id)
	if refused, ok := errors.AsType[*Refused](err); ok {
		if was, err := v.Desk.Entry(v.ctx(), id); err == nil && was[0].Kind == desk.KindConfirm { // sent twice
			return v.before(subjectOf(a.Chart), id, desk.KindConfirm, "/desk/waiting")
		}
		return &refusal{http.StatusConflict, "It was not confirmed", sentence(refused.Error()) + "."}
	}
	if err != nil {
		return err
	}
	return v.entered(subjectOf(a.Chart), id, desk.KindConfirm, made, "/desk/waiting")
}

// ofTheirOwn is wordsOfTheirOwn of an entry.
func ofTheirOwn(s exchange.Slip) (bool, error) {
	for _, r := range s.Records {
		switch r.Type {
		case "MedicationRequest":
			return true, nil
		case "Observation":
			if shown, err := desk.Shown(r); err != nil || wordsOfTheirOwn("", shown) {
				return true, err
			}
		}
	}
	return false, nil
}

// entryOf is the entry that a path names, of the client whom it names; it is noted that by looks, unless by is "".
func (v *visit) entryOf(by string) ([]exchange.Slip, entry.About, error) {
	slips, err := v.Desk.Entry(v.ctx(), v.r.PathValue("entry"))
	if err == nil && slips[0].Client != v.client {
		err = exchange.ErrNotFound
	}
	if err != nil {
		return nil, entry.About{}, err
	}
	parties, err := v.Roster.Prescribers(v.ctx(), v.client)
	if err != nil {
		return nil, entry.About{}, err
	}
	a, err := v.Desk.About(v.ctx(), by, v.client, parties[0].Name)
	return slips, a, err
}

// undoPage asks why an entry is corrected.
type undoPage struct {
	frame
	Subject subject
	Of      string // the entry
	What    string
	By      string
	At      time.Time
	Words   []string // what it says, as far as the visitor may see it
	Apart   bool     // it says more than that
	Entry   string   // the id of the correction
	Undone  string   // how it was corrected, "" = it was not
	Anew    string   // the form in which it is entered as it should be, "" = none that is the visitor's
	Why     field
	Cannot  string
	Back    string
}

func (v *visit) undoing(by string) (undoPage, error) {
	slips, a, err := v.entryOf(by)
	if err != nil {
		return undoPage{}, err
	}
	of := slips[0]
	p := undoPage{Subject: subjectOf(a.Chart), Of: of.Entry, What: sentence(kindName(of.Kind)), By: of.Actor, At: of.At, Back: "/clients/" + v.client + "/desk",
		Why: field{Name: "why", Label: "Why is it corrected, in one line?", Kind: "line", Hint: "It is kept with the entry. Nothing is deleted."}}
	whole, err := v.theirs(v.client)
	if err != nil {
		return p, err
	}
	p.Words, p.Apart = v.said(entry.Entered{Account: desk.WriterOf(of).Account, Says: desk.Says(slips, v.Zone)}, whole)
	if slices.Contains(lasting, of.Kind) {
		p.Cannot = "This kind of entry cannot be taken back: enter what is so now, and both are kept."
	}
	return p, nil
}

func (v *visit) undo() error {
	p, err := v.undoing(v.who.Name)
	if err != nil {
		return err
	}
	if err := v.corrected(&p); err != nil {
		return err
	}
	p.Entry, p.frame = desk.NewEntry(), v.deskFrame("Correct an entry")
	return v.show("desk_undo", p)
}

// corrected finds whether the entry was corrected already, and where it is entered anew.
func (v *visit) corrected(p *undoPage) error {
	all, err := v.Desk.Entries(v.ctx(), v.who.Name, v.client)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(e entry.Entered) bool { return e.ID == p.Of && e.UndoneBy != "" })
	if i < 0 {
		return nil
	}
	parties, err := v.Roster.Prescribers(v.ctx(), v.client)
	if err != nil {
		return err
	}
	whole, err := v.theirs(v.client)
	if err != nil {
		return err
	}
	p.Undone, p.Anew = v.stands(all[i], all), v.anew(all[i], parties, whole)
	return nil
}

func (v *visit) saveUndo() error {
	f, err := v.filled()
	if err != nil {
		return err
	}
	p, err := v.undoing("")
	if err != nil {
		return err
	}
	p.Entry, p.Why.Value = f.Get("entry"), answer(f, "why")
	if !entryID.MatchString(p.Entry) || f.Get("shown") != p.Subject.Carried() {
		return staleForm
	}
	slips, err := v.Second.Undoing(v.ctx(), v.who.Hand(), p.Of, p.Entry, p.Why.Value)
	refused, no := errors.AsType[*Refused](err)
	wrong, part := errors.AsType[desk.Wrong](err)
	switch {
	case utf8.RuneCountInString(p.Why.Value) > longest:
		p.Why.Wrong, p.Why.Focus = fmt.Sprintf("It is too long: %d characters, and %d at most", utf8.RuneCountInString(p.Why.Value), longest), true
	case part:
		p.Why.Wrong, p.Why.Focus = sentence(wrong.Error()), true
	case no:
		if was, err := v.Desk.Entry(v.ctx(), p.Entry); err == nil && was[0].Kind == desk.KindUndo { // sent twice
			return v.before(p.Subject, p.Entry, desk.KindUndo, v.r.URL.Path)
		}
		p.Cannot = sentence(refused.Error()) + "."
	case err != nil:
		return err
	default:
		return v.entered(p.Subject, p.Entry, desk.KindUndo, slips, v.r.URL.Path)
	}
	p.frame = v.deskFrame("Correct an entry")
	return v.send(http.StatusUnprocessableEntity, "desk_undo", p)
}
