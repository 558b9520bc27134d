package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store"
)

type linksCommand struct {
	List    listLinks   `cmd:"" default:"withargs" help:"Who may be, is, or was said not to be whom. Open questions first."`
	Show    showLink    `cmd:"" help:"Show one: the client as the practice knows them, what agrees at the other side, and what was told on its strength. It holds a client's data: mind who looks on."`
	Confirm confirmLink `cmd:"" help:"Say that it is this client; the record there is read back with the next sync."`
	Refuse  refuseLink  `cmd:"" help:"Say that it is not. It is asked again only when something agrees that did not before."`
	Undo    undoLink    `cmd:"" help:"End a link that was wrong: the clients are judged again, and what was told on its strength is listed. Nothing is deleted."`
}

// shownLink is a pair as list and show tell of it to a program.
type shownLink struct {
	ID       string          `json:"id"`
	State    string          `json:"state"` // open, in doubt, linked, refused, undone
	Client   string          `json:"client"`
	Source   string          `json:"source"`
	Patient  string          `json:"patient"` // id at the source
	How      string          `json:"how,omitempty"`
	Since    time.Time       `json:"since,omitzero"`
	Likely   bool            `json:"likely,omitempty"` // while open
	Evidence []fhir.Evidence `json:"evidence,omitempty"`
	Ties     []string        `json:"ties,omitempty"` // ids of the pairs that cannot all be true
	Rulings  []shownRuling   `json:"rulings,omitempty"`
	Told     []shownTelling  `json:"told,omitempty"` // what rested on it
}

type shownRuling struct {
	Said   string    `json:"said"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

type shownTelling struct {
	Delivery string    `json:"delivery"`
	What     string    `json:"what"`
	To       string    `json:"to"`
	State    string    `json:"state"`
	At       time.Time `json:"at"`
	Tells    []string  `json:"tells"` // the versions disclosed
}

func shownOf(p store.Pair) shownLink {
	l := shownLink{ID: p.ID, State: state(p), Client: p.Client, Source: p.Source, Patient: p.Patient, How: p.How, Since: p.Since,
		Evidence: p.Evidence, Ties: append(append([]string{}, p.TiedClients...), p.TiedPatients...)}
	l.Likely = p.Open && (fhir.Link{How: fhir.Candidate, Evidence: p.Evidence}).Likely()
	for _, r := range p.Rulings {
		l.Rulings = append(l.Rulings, shownRuling{Said: r.Said, By: r.Actor, At: r.At, Reason: r.Reason})
	}
	return l
}

// state is how a pair stands, in a word.
func state(p store.Pair) string {
	switch {
	case p.Open && p.Linked:
		return "in doubt"
	case p.Open:
		return "open"
	case p.Linked:
		return "linked"
	case p.Refused():
		return "refused"
	}
	return "undone"
}

type listLinks struct {
	All  bool `help:"All of them: those linked by an identifier, those at the practice itself, and those that were refused."`
	JSON bool `name:"json" help:"As JSON."`
}

// Run lists pairs.
func (c *listLinks) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	pairs, err := h.store.Pairs(ctx)
	if err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	twice, err := h.store.Twice(ctx)
	if err != nil {
		return err
	}
	shown := []shownLink{}
	for _, p := range pairs {
		if c.All || p.Open || p.Linked && p.How == store.ByPerson {
			shown = append(shown, shownOf(p))
		}
	}
	if c.JSON {
		return s.json(struct {
			Schema int         `json:"schema"`
			Links  []shownLink `json:"links"`
			Twice  [][2]string `json:"twice,omitempty"` // clients who share an identifier at the practice
		}{1, shown, twice})
	}
	for _, two := range twice {
		s.printf("%s and %s share an identifier at the practice: if they are one person, merge them there; if not, correct the number.\n", two[0], two[1])
	}
	if len(shown) == 0 {
		s.printf("Nothing to decide, and nothing was decided by a person. %s: --all shows them.\n", many(len(pairs), "link"))
		return nil
	}
	open := 0
	list := s.table("ID", "STATE", "CLIENT", "RECORD", "SINCE", "HOW, OR WHAT SPEAKS FOR IT")
	for _, l := range shown {
		why := l.How
		switch {
		case l.Evidence != nil:
			open++
			why = evidence(l)
		case len(l.Rulings) > 0:
			last := l.Rulings[len(l.Rulings)-1]
			why = strings.TrimSuffix(last.Said+" by "+last.By+": "+last.Reason, ": ")
		}
		list.row(l.ID, l.State, l.Client, l.Source+"/Patient/"+l.Patient, h.local(l.Since), why)
	}
	if err := list.end(); err != nil {
		return err
	}
	if less := len(pairs) - len(shown); less > 0 {
		s.printf("\n%s more that nobody needs to decide: --all shows them.\n", many(less, "link"))
	}
	if open > 0 {
		s.printf("\n%s to decide. kaphub links show ID tells whom it is about; then kaphub links confirm ID --by NAME, or refuse ID --by NAME --reason WHY.\n", many(open, "question"))
	}
	return nil
}

// evidence says in a line how two records compare.
func evidence(l shownLink) string {
	by := map[string][]string{}
	for _, e := range l.Evidence {
		by[e.Says] = append(by[e.Says], e.Kind)
	}
	var parts []string
	for _, says := range []string{fhir.Agrees, fhir.Alike, fhir.Differs, fhir.Missing} {
		if kinds := by[says]; kinds != nil {
			parts = append(parts, says+": "+strings.Join(kinds, ", "))
		}
	}
	if len(l.Ties) > 0 {
		parts = append(parts, "tied with "+strings.Join(l.Ties, ", "))
	}
	return strings.Join(parts, "; ")
}

type showLink struct {
	ID   string `arg:"" help:"The link's id, or how it begins."`
	JSON bool   `name:"json" help:"As JSON; without the client's name."`
}

// Run shows one pair to the person who decides. Of the other side's record there are no values: there is no record.
func (c *showLink) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	p, err := h.link(ctx, c.ID)
	if err != nil {
		return err
	}
	if err := h.store.Audit(ctx, actor(), "view link", p.Client, p.ID); err != nil { // first: who the client is, is about to be seen
		return err
	}
	shown := shownOf(p)
	if shown.Told, err = h.told(ctx, p); err != nil {
		return err
	}
	if c.JSON {
		return s.json(shown)
	}
	chart, err := h.store.Chart(ctx, p.Client, 0)
	if err != nil {
		return fmt.Errorf("read the client's chart: %w", err)
	}
	pair := s.table()
	row := func(name, value string) {
		if value != "" {
			pair.row(name, value)
		}
	}
	row("link", p.ID+", "+state(p))
	row("since", h.local(p.Since))
	row("client", p.Client)
	for _, who := range readiness.People(chart) {
		row("  at "+who.Source, harmless([]byte(strings.Join(who.Names, "; "))))
		row("  born", who.Birth)
	}
	row("may be, or is", p.Source+"/Patient/"+p.Patient)
	for _, e := range p.Evidence {
		row("  "+e.Kind, e.Says)
	}
	row("tied with", strings.Join(shown.Ties, ", "))
	for _, r := range p.Rulings {
		row(r.Said, strings.TrimSuffix(h.local(r.At)+" by "+r.Actor+": "+r.Reason, ": "))
	}
	if err := pair.end(); err != nil {
		return err
	}
	if p.Open && !p.Linked {
		s.printf("\nOf the record at %s nothing is kept but what it takes to compare. Look at it there, or ask them, then confirm or refuse.\n", h.title(p.Party))
	}
	h.tell(s, p, shown.Told)
	return nil
}

type confirmLink struct {
	ID string `arg:"" help:"The link's id, or how it begins."`
	By string `required:"" placeholder:"NAME" help:"Who compared the two records and decided."`
}

// Run makes a proposal a link.
func (c *confirmLink) Run(ctx context.Context, s *scene) error {
	return s.rule(ctx, c.ID, c.By, func(h *hub, p store.Pair, by string) error {
		if err := h.confirm(ctx, by, p); err != nil {
			return err
		}
		s.printf("%s/Patient/%s is client %s. Its record is read back to the beginning with the next kaphub sync; birth date and family name are compared then.\n", p.Source, p.Patient, p.Client)
		for _, other := range p.TiedClients {
			s.printf("%s is refused with it.\n", other)
		}
		return nil
	})
}

type refuseLink struct {
	ID     string `arg:"" help:"The link's id, or how it begins."`
	By     string `required:"" placeholder:"NAME" help:"Who compared the two records and decided."`
	Reason string `required:"" placeholder:"WHY" help:"Why they are two people."`
}

// Run turns a proposal down.
func (c *refuseLink) Run(ctx context.Context, s *scene) error {
	return s.rule(ctx, c.ID, c.By, func(h *hub, p store.Pair, by string) error {
		if err := h.refuse(ctx, by, p, c.Reason); err != nil {
			return err
		}
		s.printf("%s/Patient/%s is not client %s. It is asked again only when something agrees that does not now.\n", p.Source, p.Patient, p.Client)
		if !p.Linked {
			return nil
		}
		told, err := h.told(ctx, p)
		if err != nil {
			return err
		}
		p.Linked = false
		h.tell(s, p, told)
		return nil
	})
}

type undoLink struct {
	ID     string `arg:"" help:"The link's id, or how it begins."`
	By     string `required:"" placeholder:"NAME" help:"Who found out and decided."`
	Reason string `required:"" placeholder:"WHY" help:"What was wrong."`
	JSON   bool   `name:"json" help:"What rested on it, as JSON."`
}

// Run ends a link.
func (c *undoLink) Run(ctx context.Context, s *scene) error {
	return s.rule(ctx, c.ID, c.By, func(h *hub, p store.Pair, by string) error {
		if err := h.undo(ctx, by, p, c.Reason); err != nil {
			return err
		}
		told, err := h.told(ctx, p)
		if err != nil {
			return err
		}
		after, err := h.link(ctx, p.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			shown := shownOf(after)
			shown.Told = told
			return s.json(shown)
		}
		s.printf("The link of client %s and %s/Patient/%s has ended. What was received under it stays stored and is in no chart from now on.\n", p.Client, p.Source, p.Patient)
		if after.Open {
			s.printf("Their records still agree, so the question is open: kaphub links refuse %s settles it, or confirm another.\n", p.ID)
		}
		h.tell(s, after, told)
		s.printf("kaphub sync judges all whom it concerns again.\n")
		return nil
	})
}

// rule opens the hub, finds the pair and has a person's word on it done. by is whom the audit log names.
func (s *scene) rule(ctx context.Context, id, by string, do func(h *hub, p store.Pair, by string) error) error {
	if by = strings.Join(strings.Fields(by), " "); by == "" {
		return errors.New("--by must say who decides")
	}
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	p, err := h.link(ctx, id)
	if err != nil {
		return err
	}
	return do(h, p, saidBy(by))
}

// confirm makes a proposal a link. This and the two below answer exchange.ErrConflict where the pair is not in a state for it.
func (h *hub) confirm(ctx context.Context, by string, p store.Pair) error {
	switch err := h.store.Confirm(ctx, by, p.ID, p.Seen()); {
	case errors.Is(err, store.ErrMoved):
		return movedLink(err, p)
	case errors.Is(err, exchange.ErrConflict) && p.Linked:
		return inWords(err, "link %s stands already, and nobody doubts it", p.ID)
	case errors.Is(err, exchange.ErrConflict):
		return inWords(err, "the record of %s is linked to another client: kaphub links list shows to whom; undo that link first if it is wrong", p.ID)
	case err != nil:
		return fmt.Errorf("confirm link: %w", err)
	}
	return nil
}

// refuse turns a proposal down.
func (h *hub) refuse(ctx context.Context, by string, p store.Pair, reason string) error {
	switch err := h.store.Refuse(ctx, by, p.ID, p.Seen(), reason); {
	case errors.Is(err, store.ErrMoved):
		return movedLink(err, p)
	case errors.Is(err, exchange.ErrConflict) && p.Linked:
		return inWords(err, "link %s stands, and nobody doubts it: kaphub links undo ends it", p.ID)
	case errors.Is(err, exchange.ErrConflict):
		return inWords(err, "link %s is %s: only an open question can be refused", p.ID, state(p))
	case err != nil:
		return fmt.Errorf("refuse link: %w", err)
	}
	return nil
}

// undo ends a link.
func (h *hub) undo(ctx context.Context, by string, p store.Pair, reason string) error {
	switch err := h.store.Undo(ctx, by, p.ID, p.Seen(), reason); {
	case errors.Is(err, store.ErrMoved):
		return movedLink(err, p)
	case errors.Is(err, exchange.ErrConflict):
		return inWords(err, "link %s is %s: only what is linked can be undone", p.ID, state(p))
	case err != nil:
		return fmt.Errorf("undo link: %w", err)
	}
	return nil
}

func movedLink(err error, p store.Pair) error {
	return inWords(err, "link %s moved meanwhile: look at it again", p.ID)
}

// link finds one pair by its id or how it begins.
func (h *hub) link(ctx context.Context, id string) (store.Pair, error) {
	pairs, err := h.store.Pairs(ctx)
	if err != nil {
		return store.Pair{}, fmt.Errorf("read links: %w", err)
	}
	return only(pairs, id, "link", func(p store.Pair) string { return p.ID })
}

// told is what was told on the strength of a link.
func (h *hub) told(ctx context.Context, p store.Pair) ([]shownTelling, error) {
	entries, err := h.store.Rested(ctx, p)
	if err != nil {
		return nil, err
	}
	var told []shownTelling
	for _, e := range entries {
		t := shownTelling{Delivery: e.ID, What: string(e.What), To: e.To, State: string(e.State), At: e.Last}
		for _, b := range e.Rests {
			t.Tells = append(t.Tells, fmt.Sprintf("%s/%s/%s version %d", b.Source, b.Type, b.ID, b.Version))
		}
		told = append(told, t)
	}
	return told, nil
}

// tell lists what rested on a link, and says what a person does about it when the link was wrong.
func (h *hub) tell(s *scene, p store.Pair, told []shownTelling) {
	if len(told) == 0 {
		s.printf("\nNothing that was sent rested on it.\n")
		return
	}
	s.printf("\nWhat was sent on its strength:\n")
	list := s.table("DELIVERY", "WHEN", "WHAT", "TO", "STATE", "TELLS")
	for _, t := range told {
		list.row(short(t.Delivery), h.local(t.At), t.What, h.title(t.To), t.State, strings.Join(t.Tells, ", "))
	}
	_ = list.end()
	if !p.Linked || p.Open {
		s.printf("If it was another person's record: ")
	} else {
		s.printf("If the link is wrong: ")
	}
	s.printf("call %s and have them take it out of that record; take what came home out of the client's record at %s; have the practice's privacy officer look at it as a possible breach (45 CFR 164.402); and write a new referral if the client is still to be referred. kaphub deletes nothing on either side, and does not send again what stands in the wrong record.\n",
		h.title(p.Party), h.title(fhir.Practice))
}

// title is what a party is called on the screen.
func (h *hub) title(party string) string {
	if title := h.titles()[party]; title != "" {
		return title
	}
	return party
}
