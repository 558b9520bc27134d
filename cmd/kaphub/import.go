package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/folder"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// rosterSource is the source of what is imported: the practice's, and read only when somebody imports. Its name is
// reserved.
const rosterSource = "roster"

type importCommand struct {
	Roster   string `arg:"" type:"existingfile" help:"The CSV roster; kaphub import --columns tells its header." optional:""`
	Baseline string `type:"existingfile" placeholder:"FILE" help:"A CSV with what was verified on paper of each client, so that the first day begins where the papers stand."`
	System   string `placeholder:"URI" help:"The identifier system of the practice's own numbers, as its other sources write it."`
	USDates  bool   `name:"us-dates" help:"Dates like 2/28/1988 are read too."`
	LeaveOut bool   `name:"leave-out" help:"Columns of the roster that are not known are left out."`
	ReferTo  string `name:"refer-to" placeholder:"NAME" help:"The prescriber of a row that names none, by name in the config."`
	Referred string `name:"referred-on" placeholder:"DAY" help:"The day of the referral of a row without one, like 2026-01-31."`
	DryRun   bool   `help:"Say what would happen, and change nothing."`
	Columns  bool   `help:"Show which columns both files may have."`
}

// Run imports a roster. What is there already in the same words is left as it is, so that it can be run again after every
// correction. Rows that cannot be taken are told by line, and the others come in.
func (c *importCommand) Run(ctx context.Context, s *scene) error {
	if c.Columns {
		s.printf("roster:   %s\nbaseline: %s\n", folder.RosterColumns(), strings.Join(baselineColumns, ","))
		return nil
	}
	if c.Roster == "" {
		return errors.New("which roster is missing: kaphub import roster.csv; kaphub import --columns tells its header")
	}
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	h.foreground = true
	in, err := c.read(s, h)
	if err != nil {
		return err
	}
	known, err := h.imported(ctx)
	if err != nil {
		return err
	}
	s.tellRoster(in, known)
	if len(in.records) == 0 {
		return errors.New("nothing could be taken from the roster: correct the lines above and import it again")
	}
	if c.DryRun {
		s.printf("Nothing was changed: run it without --dry-run to bring this in.\n")
		return in.refusal("the others would be taken; correct these first, or import without them")
	}
	if err := h.admit(ctx, in); err != nil {
		return err
	}
	if err := s.verify(ctx, h, in); err != nil {
		return err
	}
	if _, err := h.reconcile(ctx, nil); err != nil {
		return err
	}
	s.printf("Next: kaphub sync, then kaphub status.\n")
	return in.refusal("the others are taken, so correct these and import again")
}

// admit takes a roster in, and has that noted.
func (h *hub) admit(ctx context.Context, in *intake) error {
	if err := h.store.Audit(ctx, h.actor, "import roster", "", fmt.Sprintf("clients=%d refused=%d baseline=%d", in.clients(), len(in.refused), len(in.verified))); err != nil {
		return fmt.Errorf("note in the audit log: %w", err)
	}
	_, err := h.pull(ctx, connectors.Connector{Name: rosterSource, Party: fhir.Practice, Puller: in}, nil)
	return err
}

// intake is a roster on its way in: a source that is read once.
type intake struct {
	records  []fhir.Resource
	left     []string // the roster's words above what is left out
	refused  []string
	verified []verified
}

// Pull tells the whole roster at once. Those who are new to the source are read back with it.
func (in *intake) Pull(_ context.Context, _ exchange.Cursor, roster exchange.Roster) (exchange.Page, error) {
	page := exchange.Page{Resources: in.records, Next: "imported", Complete: true}
	for _, r := range in.records {
		if r.Type == "Patient" && slices.Contains(roster.New, r.ID) {
			page.Swept = append(page.Swept, r.ID)
		}
	}
	return page, nil
}

func (in *intake) clients() (n int) {
	for _, r := range in.records {
		if r.Type == "Patient" {
			n++
		}
	}
	return n
}

// refusal is the error of a roster of which something could not be taken, and what to do then.
func (in *intake) refusal(next string) error {
	if len(in.refused) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s refused; %s", errUnwell, many(len(in.refused), "row"), next)
}

// read reads both files; it touches no store.
func (c *importCommand) read(s *scene, h *hub) (*intake, error) {
	format := tables(&h.config, folder.Format{System: c.System, USDates: c.USDates, LeaveOut: true, Now: h.now()})
	if c.Referred == "" && c.ReferTo != "" {
		return nil, errors.New("--refer-to needs a day: --referred-on 2026-01-31")
	}
	if c.Referred != "" {
		to := c.ReferTo
		if to == "" && len(format.Prescribers) == 1 {
			to = format.Prescribers[0].Name
		}
		if wrong := referAll(&format, to, c.Referred); wrong != "" {
			return nil, fmt.Errorf("read --refer-to and --referred-on: %s", wrong)
		}
	}
	file, err := os.Open(c.Roster)
	if err != nil {
		return nil, fmt.Errorf("open the roster: %w", err)
	}
	defer func() { _ = file.Close() }()
	read, err := folder.Roster(file, format)
	if err != nil {
		return nil, fmt.Errorf("read the roster: %w", err)
	}
	for _, t := range read.Taken {
		s.printf("column:  %s is taken as %s\n", t.Wrote, t.As)
	}
	for _, word := range read.Left {
		s.printf("column:  %s is not known, and left out\n", word)
	}
	if read.USOnly {
		s.printf("dates:   every day in the roster is written with the month first: add --us-dates\n")
	}
	if len(read.Left) > 0 && !c.LeaveOut && !c.DryRun {
		return nil, fmt.Errorf("nothing came in: the roster has %s that the hub does not know; add --leave-out to go on without", many(len(read.Left), "column"))
	}
	in := &intake{records: read.Records, left: read.Left}
	for _, r := range read.Refused {
		in.refused = append(in.refused, "roster "+r.String())
	}
	if c.Baseline != "" {
		if err := in.readBaseline(c.Baseline, format, h); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// imported is what the roster's source told before, by record and hash.
func (h *hub) imported(ctx context.Context) (map[fhir.Ref]string, error) {
	board, err := h.store.Board(ctx, 0)
	if err != nil {
		return nil, fmt.Errorf("read board: %w", err)
	}
	known := map[fhir.Ref]string{}
	for _, b := range board {
		chart, err := h.store.Chart(ctx, b.Client, 0)
		if err != nil {
			return nil, fmt.Errorf("read chart of %s: %w", b.Client, err)
		}
		note := func(v *fhir.Version) {
			if v.Source == rosterSource && !v.Gone {
				known[v.Ref()] = v.Resource.Hash
			}
		}
		for _, p := range chart.Patients {
			note(p.Version)
		}
		for _, r := range chart.ServiceRequests {
			note(r.Version)
		}
	}
	return known, nil
}

// tally is how many clients of a roster are new, changed, as they were, and no clients of the hub, for nobody was asked
// about them.
type tally struct{ fresh, changed, same, alone int }

func (in *intake) tally(known map[fhir.Ref]string) (t tally) {
	referred, moved := map[string]bool{}, map[string]bool{} // a client who has a referral, and one whose referral changed
	for _, r := range in.records {
		if of, ok := fhir.Subject(r); ok && r.Type == "ServiceRequest" {
			referred[of.ID] = true
			moved[of.ID] = moved[of.ID] || known[r.Ref()] != r.Hash
		}
	}
	for _, r := range in.records {
		if r.Type != "Patient" {
			continue
		}
		switch hash := known[r.Ref()]; {
		case hash == "" && !referred[r.ID]:
			t.alone++
		case hash == "":
			t.fresh++
		case hash != r.Hash || moved[r.ID]:
			t.changed++
		default:
			t.same++
		}
	}
	return t
}

// tellRoster says what is new, changed, as it was, and refused.
func (s *scene) tellRoster(in *intake, known map[fhir.Ref]string) {
	t := in.tally(known)
	s.printf("clients: %d new, %d changed, %d as they were; %s refused\n", t.fresh, t.changed, t.same, many(len(in.refused), "row"))
	if t.alone > 0 {
		s.printf("         %d more have no referral and no baseline row: they are no clients of the hub yet\n", t.alone)
	}
	if n := len(in.verified); n > 0 {
		s.printf("baseline: what was verified on paper of %s\n", many(n, "client"))
	}
	for _, line := range in.refused {
		s.printf("  refused: %s\n", line)
	}
}

// verify enters what the baseline says of each client. What was entered before is not entered again.
func (s *scene) verify(ctx context.Context, h *hub, in *intake) error {
	if len(in.verified) == 0 {
		return nil
	}
	clients, err := h.clientsOf(ctx)
	if err != nil {
		return err
	}
	accounts, err := h.accounts(ctx)
	if err != nil {
		return err
	}
	entered, before := 0, 0
	sources := map[string]bool{}
	for _, v := range in.verified {
		client := clients[v.patient]
		if client == "" {
			in.refused = append(in.refused, fmt.Sprintf("baseline line %d: its client could not be taken", v.line))
			s.printf("  refused: %s\n", in.refused[len(in.refused)-1])
			continue
		}
		all, err := v.slips(h, client, people.AtTerminal(accounts, v.cells["verified_by"], actor()))
		if err != nil {
			in.refused = append(in.refused, fmt.Sprintf("baseline line %d: %s", v.line, err.Error()))
			s.printf("  refused: %s\n", in.refused[len(in.refused)-1])
			continue
		}
		for _, slips := range all {
			switch err := h.store.Enter(ctx, saidBy(slips[0].Actor), slips...); {
			case errors.Is(err, exchange.ErrConflict):
				before++
			case err != nil:
				return fmt.Errorf("enter baseline line %d: %w", v.line, err)
			default:
				entered++
			}
			for _, slip := range slips {
				sources[slip.Source] = true
			}
		}
	}
	for _, c := range h.connectors {
		if sources[c.Name] {
			if _, err := h.pull(ctx, c, nil); err != nil {
				return err
			}
		}
	}
	s.printf("verified: entries saved %d, there already %d\n", entered, before)
	return nil
}

// clientsOf are the clients by the roster's Patient.
func (h *hub) clientsOf(ctx context.Context) (map[string]string, error) {
	board, err := h.store.Board(ctx, 0)
	if err != nil {
		return nil, fmt.Errorf("read board: %w", err)
	}
	clients := map[string]string{}
	for _, b := range board {
		chart, err := h.store.Chart(ctx, b.Client, 0)
		if err != nil {
			return nil, fmt.Errorf("read chart of %s: %w", b.Client, err)
		}
		for _, l := range chart.Links {
			if l.Source == rosterSource && l.How != fhir.Candidate {
				clients[l.Patient] = b.Client
			}
		}
	}
	return clients, nil
}
