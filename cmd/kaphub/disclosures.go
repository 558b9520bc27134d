package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs/report"
)

type disclosuresCommand struct {
	Show accountDisclosures `cmd:"" default:"withargs" help:"To whom something of a client was told, for the client's own eyes (45 CFR 164.528)."`
	Add  addDisclosure      `cmd:"" help:"Record what a person told somebody outside: a safety call, a fax, a letter."`
}

type accountDisclosures struct {
	Client string `arg:"" help:"The hub key, or a record number."`
	From   string `placeholder:"T" help:"From this day on; six years back when left out."`
	To     string `placeholder:"T" help:"Up to this day; now when left out."`
	Format string `enum:"html,csv,json,text" default:"text" help:"html, csv, json or text."`
	Out    string `placeholder:"FILE" help:"Write to a file (mode 0600) instead of the terminal."`
}

// Run writes the accounting of one client's disclosures.
func (c *accountDisclosures) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	from, to, err := c.span(h.config.Location(), h.now())
	if err != nil {
		return err
	}
	in, err := h.account(ctx, c.Client)
	if err != nil {
		return err
	}
	in.From, in.To = from, to
	a := report.NewAccounting(in)
	// First: nobody looks without it.
	if err := h.store.Audit(ctx, h.actor, "view disclosures", in.Client, c.Format); err != nil {
		return fmt.Errorf("note in the audit log: %w", err)
	}
	var page bytes.Buffer
	switch c.Format {
	case "html":
		err = a.HTML(&page)
	case "csv":
		err = a.CSV(&page)
	case "json":
		err = a.JSON(&page)
	default:
		options := s.options()
		options.Colour = options.Colour && c.Out == ""
		err = a.Text(&page, options)
	}
	if err != nil {
		return err
	}
	if c.Out == "" {
		_, err = s.out.Write(page.Bytes())
		return err
	}
	if err := replace(c.Out, page.Bytes()); err != nil {
		return err
	}
	s.printf("Wrote %s (readable by you alone).\n", c.Out)
	return nil
}

// span reads --from, which begins its day, and --to, which ends it.
func (c *accountDisclosures) span(zone *time.Location, now time.Time) (from, to time.Time, err error) {
	from, to = report.SixYears(now), now
	if c.From != "" {
		if from, err = time.ParseInLocation(time.DateOnly, c.From, zone); err != nil {
			return from, to, fmt.Errorf("--from %q is no day: write it like 2026-03-02", c.From)
		}
	}
	if c.To != "" {
		if to, err = time.ParseInLocation(time.DateOnly, c.To, zone); err != nil {
			return from, to, fmt.Errorf("--to %q is no day: write it like 2026-03-02", c.To)
		}
		to = to.AddDate(0, 0, 1).Add(-time.Millisecond)
	}
	if to.Before(from) {
		return from, to, errors.New("--to lies before --from: the time accounted for would be empty")
	}
	return from, to, nil
}

// account gathers what an accounting of the client whom word names is built from.
func (h *hub) account(ctx context.Context, word string) (report.AccountingInput, error) {
	view, err := h.view(ctx)
	if err != nil {
		return report.AccountingInput{}, err
	}
	client, err := find(view, word)
	if err != nil {
		return report.AccountingInput{}, err
	}
	return h.accountOf(ctx, view, client)
}

// accountOf is account of a client whose key is known. view holds at least theirs.
func (h *hub) accountOf(ctx context.Context, view report.Input, client string) (_ report.AccountingInput, err error) {
	in := report.AccountingInput{Generated: h.now(), Practice: view.Practice, Zone: h.config.Location(),
		Recipients: map[string]report.Recipient{}, Permits: map[fhir.Basis]report.Permit{}}
	in.Client = client
	for _, v := range view.Clients {
		if v.Client == in.Client && in.Chosen == "" {
			in.Chosen = v.Chosen
		}
	}
	for i := range h.config.Prescribers {
		p := &h.config.Prescribers[i]
		to := report.Recipient{Name: h.policy(p.Name).Prescriber.Title, Address: strings.Join(p.Contact, ", ")}
		for _, id := range p.Identifiers {
			if to.Identifier == "" && id.System == fhir.SystemNPI {
				to.Identifier = "NPI " + id.Value
			}
		}
		in.Recipients[p.Name] = to
	}
	first, err := h.store.Logged(ctx, 1)
	if err != nil {
		return in, fmt.Errorf("read the hub's first record: %w", err)
	}
	in.Known = first.At
	if in.Sent, in.Told, err = h.store.Account(ctx, in.Client); err != nil {
		return in, fmt.Errorf("read the ledger: %w", err)
	}
	chart, err := h.store.Chart(ctx, in.Client, 0)
	if err != nil && !errors.Is(err, exchange.ErrNotFound) {
		return in, fmt.Errorf("read the chart: %w", err)
	}
	for _, r := range in.Sent {
		if b := r.Release; b != nil {
			in.Permits[*b] = *report.PermitOf(*b, released(chart, *b), time.Time{})
		}
	}
	return in, nil
}

type addDisclosure struct {
	Client    string `arg:"" help:"The hub key, or a record number."`
	To        string `placeholder:"NAME" help:"Who received it."`
	Party     string `placeholder:"PARTY" help:"Of which prescriber, as the config names it."`
	Address   string `placeholder:"TEXT" help:"Where, if known."`
	How       string `required:"" enum:"phone,fax,letter,in-person,e-mail,portal" placeholder:"WAY" help:"phone, fax, letter, in-person, e-mail or portal."`
	What      string `required:"" placeholder:"TEXT" help:"What was told, briefly, as the client may read it."`
	Purpose   string `required:"" placeholder:"TEXT" help:"Why, or on what basis: safety of the client, the release, a written request."`
	By        string `required:"" placeholder:"NAME" help:"Who told it."`
	On        string `placeholder:"T" help:"When: 2026-03-02, or 2026-03-02T14:30; now when left out."`
	InsteadOf string `placeholder:"ID" help:"The entry that this one corrects; it is kept, and not shown any more."`
}

// Run records what a person told somebody outside.
func (c *addDisclosure) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	client, err := h.client(ctx, c.Client)
	if err != nil {
		return err
	}
	if c.Party == fhir.Practice {
		return errors.New("--party is the practice itself: what its people tell each other is no disclosure")
	}
	if err := h.knows(c.Party); err != nil {
		return err
	}
	at, err := occurred("--on", c.On, h.config.Location(), h.now())
	if err != nil {
		return err
	}
	t := exchange.Telling{Client: client, Party: c.Party, Recipient: strings.TrimSpace(c.To), Address: c.Address, At: at, How: c.How,
		What: strings.TrimSpace(c.What), Purpose: strings.TrimSpace(c.Purpose), By: strings.TrimSpace(c.By), Instead: c.InsteadOf}
	if t.Recipient == "" && t.Party == "" {
		return errors.New("say who received it: --to, --party, or both")
	}
	if t.What == "" || t.Purpose == "" || t.By == "" {
		return errors.New("--what, --purpose and --by must each say something: the client reads them")
	}
	id, err := h.store.Tell(ctx, h.actor, t)
	switch {
	case errors.Is(err, exchange.ErrNotFound) && c.InsteadOf != "":
		return fmt.Errorf("there is no entry %s of this client: kaphub disclosures %s shows them", c.InsteadOf, client)
	case errors.Is(err, exchange.ErrConflict):
		return fmt.Errorf("entry %s was corrected already: correct the one that stands in its place", c.InsteadOf)
	case err != nil:
		return err
	}
	s.printf("Recorded as %s.\n", id)
	return nil
}
