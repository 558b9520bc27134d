package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

type recordConfirm struct {
	byFlag
	Entry string `arg:"" help:"The entry's id, as kaphub record list shows it."`
}

// Run has a second person confirm a decision that clears.
func (c *recordConfirm) Run(ctx context.Context, s *scene) error {
	h, slips, err := s.entry(ctx, c.Entry)
	if err != nil {
		return err
	}
	defer h.close()
	by, err := h.hand(ctx, c.By)
	if err != nil {
		return err
	}
	of, decision, err := h.toConfirm(ctx, slips, by)
	if err != nil {
		return err
	}
	if err := c.compare(ctx, s, h, of); err != nil {
		return err
	}
	confirmed, err := h.confirmation(of, decision, desk.NewEntry(), by)
	if err != nil {
		return err
	}
	return s.save(ctx, h, confirmed)
}

// toConfirm is the decision of an entry, for a second person to confirm; the error says why by could not.
func (h *hub) toConfirm(ctx context.Context, slips []exchange.Slip, by people.Hand) (of exchange.Slip, decision fhir.Resource, err error) {
	of = slips[0]
	i := slices.IndexFunc(of.Records, func(r fhir.Resource) bool { return r.Type == "Observation" })
	if of.Kind != desk.KindDecision || i < 0 {
		return of, decision, refused("%s is no decision: only a decision that clears is confirmed", of.Entry)
	}
	accounts, err := h.accounts(ctx)
	if err != nil {
		return of, decision, err
	}
	if why := people.Second(accounts, people.Hand(desk.WriterOf(of)), by); why != nil {
		return of, decision, &console.Refused{Err: why}
	}
	decision = of.Records[i]
	if err := h.newest(ctx, of, decision.Ref()); err != nil {
		return of, decision, err
	}
	chart, err := h.store.Chart(ctx, of.Client, 0)
	if err != nil {
		return of, decision, err
	}
	if !slices.ContainsFunc(entry.Waiting(chart, h.policies()), func(e entry.Entered) bool { return e.ID == of.Entry }) {
		err = refused("%s waits for nobody: it was confirmed, its end was typed twice, or it does not clear", of.Entry)
	}
	return of, decision, err
}

// refused is why something is not entered, in words for whoever tried.
func refused(format string, args ...any) error {
	return &console.Refused{Err: fmt.Errorf(format, args...)}
}

// confirmation is the slip by which a second person confirms a decision.
func (h *hub) confirmation(of exchange.Slip, decision fhir.Resource, id string, by people.Hand) ([]exchange.Slip, error) {
	book := h.book(strings.TrimPrefix(of.Source, "desk-"))
	return book.Confirm(desk.Note{Entry: id, Client: of.Client, At: h.now()}.Signed(desk.Writer(by)),
		&fhir.Version{Key: fhir.Key{Source: of.Source, Type: decision.Type, ID: decision.ID}, Resource: decision})
}

// compare shows whom the entry is about and what it says; whoever sits at a terminal says that the message says the same.
func (c *recordConfirm) compare(ctx context.Context, s *scene, h *hub, of exchange.Slip) error {
	chart, err := h.store.Chart(ctx, of.Client, 0)
	if err != nil {
		return err
	}
	s.printf("%s\n", shownBack(chart))
	if err := showDecision(s.out, []exchange.Slip{of}); err != nil {
		return err
	}
	a := s.asker(ctx, h.config.Location())
	if !a.tty {
		return nil
	}
	same, err := a.yes("", question{flag: "entry", ask: "Does the message, or whoever said it, say the same"})
	if err == nil && !*same {
		return errors.New("it is not confirmed: enter the decision anew as the message has it, or undo it with kaphub record undo")
	}
	return err
}

type recordUndo struct {
	byFlag
	Entry string `arg:"" help:"The entry's id, as kaphub record list shows it."`
	Why   string `placeholder:"LINE" help:"Why it is corrected, in one line."`
}

// Run corrects an entry: what it made is marked as entered in error, what it changed becomes what it was.
func (c *recordUndo) Run(ctx context.Context, s *scene) error {
	h, slips, err := s.entry(ctx, c.Entry)
	if err != nil {
		return err
	}
	defer h.close()
	if err := undoable(slips[0].Kind); err != nil {
		return err
	}
	a := s.asker(ctx, h.config.Location())
	chart, err := h.store.Chart(ctx, slips[0].Client, 0)
	if err != nil {
		return err
	}
	s.printf("%s\n", shownBack(chart))
	if _, err := word(a, &c.Why, question{flag: "why", ask: "Why is it corrected, in one line"}, desk.Line); err != nil {
		return err
	}
	by, err := h.hand(ctx, c.By)
	if err != nil {
		return err
	}
	undone, err := h.correction(ctx, slips, desk.NewEntry(), by, c.Why)
	if err != nil {
		return err
	}
	return s.save(ctx, h, undone)
}

// undoable says of a kind of entry why it cannot be taken back, nil when it can.
func undoable(kind string) error {
	switch kind {
	case desk.KindRead:
		return refused("that a mailbox was read cannot be taken back: enter what was missed, then it is as it should be")
	case desk.KindConfirm:
		return refused("a confirmation cannot be taken back: undo the decision it confirms, and enter it anew")
	case desk.KindUndo:
		return refused("a correction cannot be taken back: enter it anew as it should be")
	}
	return nil
}

// correction are the slips that correct an entry.
func (h *hub) correction(ctx context.Context, slips []exchange.Slip, id string, by people.Hand, why string) ([]exchange.Slip, error) {
	note := desk.Note{Entry: id, Client: slips[0].Client, At: h.now()}.Signed(desk.Writer(by))
	var undone []exchange.Slip
	for _, of := range slips {
		book, party := h.whose(of.Source)
		records, err := h.changed(ctx, of)
		if err != nil {
			return nil, err
		}
		slip, err := book.Undo(note, party, why, records)
		if err != nil {
			return nil, err
		}
		undone = append(undone, slip)
	}
	return undone, nil
}

// entry opens the hub and finds an entry by its id.
func (s *scene) entry(ctx context.Context, id string) (*hub, []exchange.Slip, error) {
	h, err := s.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	h.foreground = true
	slips, err := h.store.Entry(ctx, id)
	if errors.Is(err, exchange.ErrNotFound) {
		err = fmt.Errorf("there is no entry %s: kaphub record list CLIENT shows them", id)
	}
	if err != nil {
		h.close()
		return nil, nil, err
	}
	return h, slips, nil
}

// whose is by whose desk a source's entries came.
func (h *hub) whose(source string) (desk.Book, desk.Party) {
	name, theirs := strings.CutPrefix(source, "desk-")
	if !theirs {
		book := h.book(h.policies()[0].Prescriber.Name)
		return book, book.Practice
	}
	book := h.book(name)
	return book, book.Prescriber
}

// changed are the records of a slip as it left them, and as they were before.
func (h *hub) changed(ctx context.Context, of exchange.Slip) ([]desk.Told, error) {
	var all []desk.Told
	for _, r := range of.Records {
		if r.Type == "Patient" || r.Type == "Provenance" {
			continue
		}
		if err := h.newest(ctx, of, r.Ref()); err != nil {
			return nil, err
		}
		version := func(r fhir.Resource) *fhir.Version {
			return &fhir.Version{Key: fhir.Key{Source: of.Source, Type: r.Type, ID: r.ID}, Resource: r}
		}
		told := desk.Told{Now: version(r)}
		before, err := h.store.SlipBefore(ctx, of.Source, r.Ref(), of.Place)
		switch {
		case errors.Is(err, exchange.ErrNotFound):
		case err != nil:
			return nil, err
		default:
			for _, was := range before.Records {
				if was.Ref() == r.Ref() {
					told.Before = version(was)
				}
			}
		}
		all = append(all, told)
	}
	return all, nil
}

// newest answers an error when a later entry has changed what of tells.
func (h *hub) newest(ctx context.Context, of exchange.Slip, ref fhir.Ref) error {
	last, err := h.store.SlipWith(ctx, of.Source, ref)
	if err != nil {
		return err
	}
	if last.Entry != of.Entry {
		return refused("entry %s (%s) changed it since: look at that one first", last.Entry, last.Kind)
	}
	return nil
}

type recordList struct {
	Client string `arg:"" help:"Part of the client's name, the birth date, or the hub key."`
}

// Run shows a client's entries, oldest first.
func (c *recordList) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	chart, err := h.who(ctx, s.asker(ctx, h.config.Location()), c.Client)
	if err != nil {
		return err
	}
	entries := entry.List(chart, h.policies())
	if len(entries) == 0 {
		s.printf("Nothing was entered by hand about this client.\n")
	} else {
		table := s.table("ENTRY", "ENTERED", "WHAT", "BY", "TOLD", "BY WAY OF", "STANDS")
		for _, e := range entries {
			table.row(e.ID, h.local(e.At), e.Kind, e.By, h.local(e.Told), e.Medium, h.stands(e))
		}
		if err := table.end(); err != nil {
			return err
		}
	}
	return h.store.Audit(ctx, actor(), "view entries", chart.Client, "")
}

// stands says whether an entry was corrected or changed since, and whether a decision waits for a second person.
func (h *hub) stands(e entry.Entered) string {
	switch {
	case e.UndoneBy != "":
		return "undone by " + e.UndoneBy
	case e.ChangedBy != "":
		return "changed by " + e.ChangedBy
	case !e.ConfirmBy.IsZero():
		return readiness.ConfirmBy(e.ConfirmBy, h.config.Location())
	}
	return ""
}
