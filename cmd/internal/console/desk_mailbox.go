package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// readThroughPage says how far a mailbox was read.
type readThroughPage struct {
	frame
	Fields  []field
	Entry   string
	Problem string
	Last    []mailboxRead // what was said before, newest first
}

// mailboxRead is that a mailbox was read, as somebody said.
type mailboxRead struct {
	exchange.Slip
	Title  string // the prescriber's
	Counts bool   // the board goes by it: nobody said a later time
}

func (v *visit) readingThrough() (readThroughPage, []desk.Party, error) {
	parties, err := v.Roster.Prescribers(v.ctx(), "")
	if err != nil {
		return readThroughPage{}, nil, err
	}
	whose := field{Name: "prescriber", Label: "I have read everything from", Kind: "choice"}
	for _, p := range parties {
		whose.Choices = append(whose.Choices, choice{Value: p.Name, Label: p.Title, Chosen: len(parties) == 1})
	}
	return readThroughPage{Fields: []field{whose,
		{Name: "up-to", Label: "up to", Kind: "line", Value: "now", Hint: "Now if left empty, or like 07:40, 2026-03-02 16:30."}}}, parties, nil
}

// lastRead puts what was said before into the page.
func (v *visit) lastRead(p *readThroughPage, parties []desk.Party) error {
	for _, party := range parties {
		slips, err := v.Asking.LastRead(v.ctx(), party.Name)
		if err != nil {
			return err
		}
		latest := -1
		for i, s := range slips {
			if latest < 0 || s.ReadTo.After(slips[latest].ReadTo) {
				latest = i
			}
		}
		for i, s := range slips {
			p.Last = append(p.Last, mailboxRead{s, party.Title, i == latest})
		}
	}
	slices.SortStableFunc(p.Last, func(a, b mailboxRead) int { return b.At.Compare(a.At) })
	return nil
}

func (v *visit) readThrough() error {
	p, parties, err := v.readingThrough()
	if err != nil {
		return err
	}
	if err := v.lastRead(&p, parties); err != nil {
		return err
	}
	p.frame, p.Entry = v.deskFrame("Mailbox read through"), desk.NewEntry()
	return v.show("desk_read_through", p)
}

func (v *visit) saveReadThrough() error {
	f, err := v.filled()
	if err != nil {
		return err
	}
	p, parties, err := v.readingThrough()
	if err != nil {
		return err
	}
	p.Entry, p.Fields = f.Get("entry"), asked{Fields: p.Fields}.filled(f).Fields
	if !entryID.MatchString(p.Entry) {
		return staleForm
	}
	whose := slices.IndexFunc(parties, func(one desk.Party) bool { return one.Name == answer(f, "prescriber") })
	if whose < 0 {
		p.Fields[0].Wrong, p.Fields[0].Focus = wrongWords(entry.ErrMissing), true
	}
	upTo, err := entry.Clock{Now: v.now, Zone: v.Zone}.Moment(answer(f, "up-to"), false)
	var slips []exchange.Slip
	if err == nil && whose >= 0 {
		slips, err = desk.Book{Zone: v.Zone}.ReadThrough(desk.Note{Entry: p.Entry, At: v.now}.Signed(desk.Writer(v.who.Hand())), parties[whose], upTo)
	}
	if err != nil {
		p.Fields[1].Wrong, p.Fields[1].Focus = sentence(err.Error()), whose >= 0
	}
	if slips == nil {
		if err := v.lastRead(&p, parties); err != nil {
			return err
		}
		p.frame = v.deskFrame("Mailbox read through")
		return v.send(http.StatusUnprocessableEntity, "desk_read_through", p)
	}
	return v.entered(subject{}, p.Entry, desk.KindRead, slips, "/desk")
}

// Asking drafts what is asked of a prescriber: one message a day, which a person sends.
type Asking interface {
	// Draft returns the day's questions to a prescriber, and notes that by looks; without clinical it leaves out what is not for
	// an admin.
	Draft(ctx context.Context, by, prescriber string, clinical bool) (Draft, error)
	// Sent notes that by sends a draft: of whom it tells goes to the accounting of disclosures. exchange.ErrConflict when it
	// would read otherwise by now. The same draft is noted once: already says that it was.
	Sent(ctx context.Context, by, prescriber string, clinical bool, digest string) (already bool, err error)
	// Unsent takes back that the last draft was sent: the accounting tells nobody of it any more. exchange.ErrNotFound when none
	// is noted.
	Unsent(ctx context.Context, by, prescriber string) error
	// LastRead returns what was said last of how far a prescriber's mailbox was read, newest first.
	LastRead(ctx context.Context, prescriber string) ([]exchange.Slip, error)
}

// Draft is a day's questions.
type Draft struct {
	Text    string // "" = nothing to ask
	Digest  string // of the text
	Clients int    // of whom it tells
	Left    int    // lines that it leaves out, since they are not for an admin
	Sent    time.Time
	Same    bool // this very draft was noted as sent
	Told    int  // of how many clients the draft told that was noted as sent
}

// questionsPage is the day's draft to one prescriber.
type questionsPage struct {
	frame
	Draft
	Prescriber desk.Party
	Today      bool // one was sent today already
}

func (v *visit) questions() error {
	parties, err := v.Roster.Prescribers(v.ctx(), "")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(parties, func(p desk.Party) bool { return p.Name == v.r.PathValue("prescriber") })
	if i < 0 {
		return missing
	}
	p := questionsPage{frame: v.deskFrame("Questions"), Prescriber: parties[i]}
	if p.Draft, err = v.Asking.Draft(v.ctx(), v.who.Name, parties[i].Name, v.who.Sight() == people.Whole); err != nil {
		return err
	}
	p.Today = !p.Sent.IsZero() && p.Sent.In(v.Zone).Format(time.DateOnly) == v.now.In(v.Zone).Format(time.DateOnly)
	return v.show("desk_questions", p)
}

func (v *visit) questionsSent() error {
	f, err := v.filled()
	if err != nil {
		return err
	}
	prescriber := v.r.PathValue("prescriber")
	parties, err := v.Roster.Prescribers(v.ctx(), "")
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(parties, func(p desk.Party) bool { return p.Name == prescriber }) {
		return missing
	}
	if f.Get("do") == "take-back" {
		switch err := v.Asking.Unsent(v.ctx(), v.who.Name, prescriber); {
		case errors.Is(err, exchange.ErrNotFound):
			v.say("No draft is noted as sent: nothing was changed.")
		case err != nil:
			return err
		default:
			v.say("Taken back: it counts as not sent, and no accounting tells of it.")
		}
		return v.to("/desk/questions/" + prescriber)
	}
	already, err := v.Asking.Sent(v.ctx(), v.who.Name, prescriber, v.who.Sight() == people.Whole, f.Get("digest"))
	switch {
	case err == nil && already:
		v.say("This draft is noted as sent already, once.")
	case errors.Is(err, exchange.ErrConflict):
		v.say("The questions changed since you opened them. Nothing was noted: look at them again, and send what stands there now.")
	case err != nil:
		return err
	default:
		v.say("Noted as sent. The accounting of disclosures tells each client of it.")
	}
	return v.to("/desk/questions/" + prescriber)
}

// mailing is who says how far a mailbox was read, and asks the prescriber: whoever sees every client.
var mailing = []people.Role{people.Owner, people.Admin}
