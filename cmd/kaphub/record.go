package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// recordCommand are the desk's entries: what came by e-mail, phone or letter, and what the practice sees itself.
type recordCommand struct {
	Papers      recordPapers      `cmd:"" help:"Signed papers: a release to the prescriber, consents to treatment."`
	Decision    recordDecision    `cmd:"" help:"What the prescriber decided, or that a follow-up took place."`
	Condition   recordCondition   `cmd:"" help:"That a condition of the clearance is met, or open again, by the prescriber's word."`
	Label       recordLabel       `cmd:"" help:"What the label of the medicine says, in the client's hands."`
	Acknowledge recordAcknowledge `cmd:"" help:"That the directions on file were read, and are acknowledged."`
	Stop        recordStop        `cmd:"" help:"A stop. It holds at once."`
	Lift        recordLift        `cmd:"" help:"The end of a stop, by the word of whoever said it."`
	Arrival     recordArrival     `cmd:"" help:"The checks before a session, and the therapist's go-ahead."`
	After       recordAfter       `cmd:"" help:"What became of a session: held or not, the dose, the effects."`
	Reason      recordReason      `cmd:"" help:"Why a session was held that began while its records were not in order."`
	ReadThrough recordReadThrough `cmd:"" help:"\"I have read everything up to …, and all of it is entered.\""`
	Confirm     recordConfirm     `cmd:"" help:"Confirm somebody else's entry of a decision that clears."`
	Undo        recordUndo        `cmd:"" help:"Correct an entry. Nothing is deleted."`
	List        recordList        `cmd:"" help:"The entries about a client, with their ids."`
}

// byFlag says who enters.
type byFlag struct {
	By string `placeholder:"NAME" help:"Who enters it, if it is not you."`
}

// accounts are all who may come in, or might once.
func (h *hub) accounts(ctx context.Context) ([]people.Account, error) {
	house, err := houseOf(h.scene, h.store, h.config.Hub.Name)
	if err != nil {
		return nil, err
	}
	return house.Accounts(ctx)
}

// hand is whose hand it is at this terminal, where they say that they are by.
func (h *hub) hand(ctx context.Context, by string) (people.Hand, error) {
	all, err := h.accounts(ctx)
	return people.AtTerminal(all, by, actor()), err
}

// entryFlags are what every entry about a client has.
type entryFlags struct {
	byFlag
	Client     string `arg:"" optional:"" help:"Part of the client's name, the birth date, or the hub key."`
	Prescriber string `placeholder:"NAME" help:"Which prescriber it is about, where the client has several."`
	Told       string `placeholder:"WHEN" help:"When it was said or written: 16:05, 2026-03-02, 2026-03-02T16:05. Else now."`
	Medium     string `enum:",e-mail,phone,letter,in-person,portal" default:"" help:"How it came: e-mail, phone, letter, in-person or portal."`
	From       string `placeholder:"NAME" help:"Who said it."`
}

// recording is an entry in the making.
type recording struct {
	*hub
	*asker
	entry.About
	flags *entryFlags
	note  desk.Note
}

// record opens the hub, finds the client, has the entry made, saves it and shows what came of it. stops tells how a day
// without an hour is meant.
func (s *scene) record(ctx context.Context, flags *entryFlags, stops bool, build func(*recording) ([]exchange.Slip, error)) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	h.foreground = true
	r := &recording{hub: h, asker: s.asker(ctx, h.config.Location()), flags: flags}
	if r.Chart, err = h.who(ctx, r.asker, flags.Client); err != nil {
		return err
	}
	policy, err := r.which(ctx, flags.Prescriber)
	if err != nil {
		return err
	}
	r.About = h.about(r.Chart, policy)
	by, err := h.hand(ctx, flags.By)
	if err != nil {
		return err
	}
	r.note, err = r.Note(desk.NewEntry(), desk.Writer(by), entry.Heard{Told: flags.Told, Medium: flags.Medium, From: flags.From}, stops)
	if err != nil {
		return flagged(err)
	}
	slips, err := build(r)
	if err != nil {
		return flagged(err)
	}
	return s.save(ctx, h, slips)
}

// save enters slips and says in one line that it did, and in another what the client's verdict is now.
func (s *scene) save(ctx context.Context, h *hub, slips []exchange.Slip) error {
	if len(slips) == 0 {
		return errors.New("nothing was entered")
	}
	err := h.enter(ctx, slips)
	if errors.Is(err, exchange.ErrConflict) {
		return errors.New("another entry was saved at the same moment: enter it again")
	}
	if err != nil {
		return err
	}
	s.printf("Saved as %s (%s, by %s).\n", slips[0].Entry, slips[0].Kind, slips[0].Actor)
	if slips[0].Client == "" {
		return nil
	}
	if err := s.standing(ctx, h, slips[0].Client); err != nil || slips[0].Kind != desk.KindDecision {
		return err
	}
	return s.awaited(ctx, h, slips[0])
}

// awaited says that a decision waits for a second person, if it does.
func (s *scene) awaited(ctx context.Context, h *hub, of exchange.Slip) error {
	chart, err := h.store.Chart(ctx, of.Client, 0)
	if err != nil {
		return fmt.Errorf("read the chart: %w", err)
	}
	accounts, err := h.accounts(ctx)
	if err != nil {
		return err
	}
	how := "--by NAME"
	if len(accounts) > 0 {
		how = "under a login of their own, or in the console"
	}
	for _, e := range entry.Waiting(chart, h.policies()) {
		if e.ID == of.Entry {
			s.printf("  > %s: kaphub record confirm %s %s\n", h.stands(e), e.ID, how)
		}
	}
	return nil
}

// standing shows the client's verdicts, one line each.
func (s *scene) standing(ctx context.Context, h *hub, client string) error {
	in, err := h.view(ctx)
	if err != nil {
		return err
	}
	for _, v := range in.Clients {
		if v.Client == client {
			s.printf("%s, %s: %s. %s\n", harmless([]byte(cmp.Or(v.Chosen, v.Client))), in.Titles[v.Prescriber], v.State, v.Words)
			if v.Next != "" {
				s.printf("  > %s: %s\n", report.WhoActs(v.Owner, v.Takes), report.Typed(v.Next))
			}
		}
	}
	return nil
}

// who finds the client whom word means, by hub key, identifier, birth date or part of a name, and shows them back.
func (h *hub) who(ctx context.Context, a *asker, word string) (fhir.Chart, error) {
	if err := a.text(&word, question{flag: "client", ask: "Client", form: "part of the name, birth date or hub key"}); err != nil {
		if !a.tty {
			err = errors.New("whom it is about is missing: write part of the name, the birth date or the hub key behind the command")
		}
		return fhir.Chart{}, err
	}
	fit, err := h.fitting(ctx, &names{}, word, 0)
	switch {
	case err != nil:
		return fhir.Chart{}, err
	case len(fit) == 0:
		return fhir.Chart{}, errors.New("no client of that name, birth date or key is known: kaphub status shows them all")
	case len(fit) > 1 && !a.tty:
		return fhir.Chart{}, fmt.Errorf("%d clients fit: write the hub key, which kaphub status shows", len(fit))
	}
	one := fit[0]
	if len(fit) > 1 {
		for i, c := range fit {
			_, _ = fmt.Fprintf(a.out, "  %d  %s\n", i+1, shownBack(c))
		}
		n, err := answered(a, "", question{flag: "client", ask: "Which one", form: fmt.Sprintf("1 to %d", len(fit))}, func(s string) (int, error) {
			for i := range fit {
				if s == fmt.Sprint(i+1) {
					return i, nil
				}
			}
			return 0, fmt.Errorf("must be a number from 1 to %d", len(fit))
		})
		if err != nil {
			return one, err
		}
		one = fit[n]
	}
	_, _ = fmt.Fprintf(a.out, "%s\n", shownBack(one))
	if !a.tty {
		return one, nil
	}
	is, err := a.yes("", question{flag: "client", ask: "Is it this client", usual: "y"})
	if err == nil && !*is {
		err = errNoAnswer
	}
	return one, err
}

// fitting are the clients of a key, or those whom word may mean; console.ErrTooMany when they are more than most, unless most is 0.
func (h *hub) fitting(ctx context.Context, n *names, word string, most int) ([]fhir.Chart, error) {
	word = strings.TrimSpace(word)
	switch chart, err := h.store.Chart(ctx, strings.ToLower(word), 0); {
	case err == nil:
		return []fhir.Chart{chart}, nil
	case !errors.Is(err, exchange.ErrNotFound):
		return nil, err
	case word == "":
		return nil, nil
	}
	by, err := n.now(ctx, h)
	if err != nil {
		return nil, err
	}
	keys := meant(by, h.clock().Sought(word))
	if most > 0 && len(keys) > most {
		return nil, console.ErrTooMany
	}
	fit := make([]fhir.Chart, 0, len(keys))
	for _, client := range keys {
		chart, err := h.store.Chart(ctx, client, 0)
		if err != nil {
			return nil, err
		}
		fit = append(fit, chart)
	}
	return fit, nil
}

// called are the practice's clients whose whole name stands in a text.
func (h *hub) called(ctx context.Context, text string) (all []entry.Called, err error) {
	err = h.store.EachPatient(ctx, func(client string, p fhir.Patient) {
		if name := entry.CalledIn(text, &p); name != "" {
			all = append(all, entry.Called{Client: client, Name: name})
		}
	})
	return all, err
}

// shownBack is a client as shown back: the chosen name, and the birth date where nobody overlooks it.
func shownBack(c fhir.Chart) string {
	name, born := readiness.ChosenName(c), entry.Born(c)
	if t, err := time.Parse(time.DateOnly, born); err == nil {
		born = strings.ToUpper(t.Format("2 January 2006"))
	}
	return fmt.Sprintf("%s   BORN %s   %s", cmp.Or(harmless([]byte(name)), "(no name on file)"), cmp.Or(born, "(NOT ON FILE)"), c.Client)
}

// which is the policy of the prescriber that the entry is about.
func (r *recording) which(ctx context.Context, word string) (readiness.Policy, error) {
	board, err := r.store.Board(ctx, 0)
	if err != nil {
		return readiness.Policy{}, fmt.Errorf("read board: %w", err)
	}
	var names []string
	for _, s := range board {
		if s.Client == r.Chart.Client {
			names = append(names, s.Prescriber)
		}
	}
	return r.prescriber(r.asker, word, names)
}

// prescriber is the policy of one of names, or of whom word names.
func (h *hub) prescriber(a *asker, word string, names []string) (readiness.Policy, error) {
	if word == "" && len(names) == 1 {
		word = names[0]
	}
	var all []string
	for _, p := range h.policies() {
		all = append(all, p.Prescriber.Name)
	}
	name, err := a.choice(word, question{flag: "prescriber", ask: "Which prescriber"}, all...)
	return h.policy(name), err
}

// about is what an entry about a client and a prescriber is made of, now.
func (h *hub) about(chart fhir.Chart, policy readiness.Policy) entry.About {
	book := h.book(policy.Prescriber.Name)
	a := entry.About{Chart: chart, Policy: policy, Book: book, Parties: []desk.Party{book.Practice}, Now: h.now()}
	for _, p := range h.policies() {
		a.Parties = append(a.Parties, h.book(p.Prescriber.Name).Prescriber)
	}
	names := h.numbered()
	for _, d := range h.sheet(policy.Prescriber.Name).Deciders {
		id := fhir.ID{System: d.System, Value: d.Value}
		a.Deciders = append(a.Deciders, desk.Person{Name: cmp.Or(d.Name, names[id]), ID: id})
	}
	return a
}

// clock reads words that tell a time, where the practice is.
func (h *hub) clock() entry.Clock { return entry.Clock{Now: h.now(), Zone: h.config.Location()} }

// book is what entries about a prescriber are made with.
func (h *hub) book(prescriber string) desk.Book {
	party := func(p readiness.Party) desk.Party {
		d := desk.Party{Name: p.Name, Title: p.Title}
		if len(p.Identifiers) > 0 {
			d.Identifier = p.Identifiers[0]
		}
		return d
	}
	p := h.policy(prescriber)
	return desk.Book{Practice: party(p.Practice), Prescriber: party(p.Prescriber), Medicine: h.sheet(prescriber).Medicine, Zone: h.config.Location()}
}
