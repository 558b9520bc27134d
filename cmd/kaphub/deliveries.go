package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/jobs/report"
)

type deliveriesCommand struct {
	List       listDeliveries     `cmd:"" default:"withargs" help:"List them and what became of each, oldest first."`
	Show       showDelivery       `cmd:"" help:"Show one: every try and its answer, the release it rests on, and which elements it tells."`
	Retry      retryDelivery      `cmd:"" help:"Make one, or all that failed or wait, due now. What may have arrived is asked about before it is sent again."`
	Settle     settleDelivery     `cmd:"" help:"Record whether one arrived, where that cannot be found out or was done by phone or on paper."`
	HandedOver handedOverDelivery `cmd:"" help:"Record that a packet was handed over, by whom and when."`
}

type listDeliveries struct {
	State  string `enum:",staged,attempted,laid-out,delivered,refused,withdrawn,unknown" default:"" help:"Only these: staged, attempted, laid-out, delivered, refused, withdrawn or unknown."`
	Client string `placeholder:"CLIENT" help:"Only this client's: the hub key, or a record number."`
	Party  string `placeholder:"PARTY" help:"Only those to this party: a prescriber's name, or practice."`
	JSON   bool   `name:"json" help:"For a program."`
}

// Run lists deliveries.
func (c *listDeliveries) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.knows(c.Party); err != nil {
		return err
	}
	client := ""
	if c.Client != "" {
		if client, err = h.client(ctx, c.Client); err != nil {
			return err
		}
	}
	list, err := h.dispatches(ctx, exchange.State(c.State))
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(d report.Dispatch) bool {
		return client != "" && d.Client != client || c.Party != "" && d.To != c.Party
	})
	if c.JSON {
		err = report.DispatchesJSON(s.out, list)
	} else {
		err = report.Dispatches(s.out, list, s.options())
	}
	if err != nil {
		return err
	}
	return h.store.Audit(ctx, h.actor, "list deliveries", client, strings.TrimSpace(c.State+" "+c.Party))
}

// dispatches are the deliveries in a state, "" for all, oldest first, without what they tell.
func (h *hub) dispatches(ctx context.Context, state exchange.State) ([]report.Dispatch, error) {
	all, err := h.store.Dispatched(ctx, state)
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	waits, err := h.waiting(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]report.Dispatch, 0, len(all))
	for _, r := range all {
		d := report.NewDispatch(r, h.config.Location(), h.now())
		d.Waits = waits(r.Entry)
		list = append(list, d)
	}
	return list, nil
}

// waiting returns what tells why a delivery does not go now, "" when it does or is at its end.
func (h *hub) waiting(ctx context.Context) (func(exchange.Entry) string, error) {
	paused, err := h.store.Paused(ctx)
	if err != nil {
		return nil, fmt.Errorf("is sending paused: %w", err)
	}
	ahead, err := h.store.Ahead(ctx)
	if err != nil {
		return nil, err
	}
	reachable := h.parties()
	return func(e exchange.Entry) string {
		if e.State != exchange.Staged && e.State != exchange.Attempted {
			return ""
		}
		if first, is := ahead[e.Lane]; is && first.ID != e.ID {
			return fmt.Sprintf("waits for delivery %.12s, which goes before it and is %s", first.ID, first.State)
		}
		switch {
		case !slices.Contains(reachable, e.To):
			return "no connector leads to " + e.To
		case paused && e.State == exchange.Staged:
			return "sending is paused until the restored store has read everything: kaphub sync"
		case e.Due.After(h.now()):
			said := "tried again from " + h.local(e.Due)
			if e.State == exchange.Attempted {
				said = "asked about again from " + h.local(e.Due)
			}
			if e.Why != "" {
				said += ": " + e.Why
			}
			return said
		}
		return ""
	}, nil
}

type showDelivery struct {
	ID     string `arg:"" help:"The delivery's id, or how it begins."`
	JSON   bool   `name:"json" help:"For a program."`
	Body   bool   `help:"Show the body too, with the client's data. It needs a --reason, and the audit log keeps who looked."`
	Reason string `placeholder:"TEXT" help:"Why the body must be seen."`
}

// Run shows one delivery.
func (c *showDelivery) Run(ctx context.Context, s *scene) error {
	if c.Body && strings.TrimSpace(c.Reason) == "" {
		return errors.New("the body holds the client's data: say why it must be seen with --reason")
	}
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	e, err := h.delivery(ctx, c.ID)
	if err != nil {
		return err
	}
	d, err := h.dispatch(ctx, e)
	if err != nil {
		return err
	}
	action, detail := "view delivery", ""
	if c.Body {
		if d.Body, err = bodyOf(e); err != nil {
			return err
		}
		action, detail = "view body of delivery", c.Reason
	}
	if err := h.store.Audit(ctx, h.actor, action, e.ID, detail); err != nil { // first: nobody looks without it
		return fmt.Errorf("note in the audit log: %w", err)
	}
	if c.JSON {
		return d.JSON(s.out)
	}
	return d.Text(s.out, h.config.Location(), s.options())
}

// bodyOf is what a delivery carries, to be read by a person.
func bodyOf(e exchange.Entry) ([]byte, error) {
	var body bytes.Buffer
	if err := json.Indent(&body, e.Body, "", "  "); err != nil {
		return nil, fmt.Errorf("delivery %.12s has no body that can be shown", e.ID)
	}
	return body.Bytes(), nil
}

// dispatch is a delivery with everything that there is to tell of it but its body.
func (h *hub) dispatch(ctx context.Context, e exchange.Entry) (report.Dispatch, error) {
	steps, err := h.store.History(ctx, e.ID)
	if err != nil {
		return report.Dispatch{}, err
	}
	d := report.NewDispatch(exchange.Recorded{Entry: e, Steps: steps}, h.config.Location(), h.now())
	waits, err := h.waiting(ctx)
	if err != nil {
		return d, err
	}
	d.Waits = waits(e)
	if d.Elements, err = exchange.Elements(e.Body); err != nil {
		return d, fmt.Errorf("delivery %.12s: %w", e.ID, err)
	}
	if e.Release == nil {
		return d, nil
	}
	chart, err := h.store.Chart(ctx, e.Client, 0)
	if err != nil && !errors.Is(err, exchange.ErrNotFound) {
		return d, fmt.Errorf("read the chart: %w", err)
	}
	var read time.Time
	if tries := exchange.Tries(steps); len(tries) > 0 {
		sources, err := h.store.Sources(ctx, tries[0].Moment)
		if err != nil {
			return d, fmt.Errorf("read sources: %w", err)
		}
		for _, s := range sources {
			if s.Name == e.Release.Source {
				read = s.LastComplete
			}
		}
	}
	d.Release = report.PermitOf(*e.Release, released(chart, *e.Release), read)
	return d, nil
}

// released returns the very version of a release, nil when the chart holds it no more.
func released(chart fhir.Chart, b fhir.Basis) *fhir.Seen[fhir.Consent] {
	for i := range chart.Consents {
		if c := &chart.Consents[i]; c.Source == b.Source && c.ID == b.ID && c.N == b.Version {
			return c
		}
	}
	return nil
}

type retryDelivery struct {
	ID    string `arg:"" optional:"" help:"The delivery's id, or how it begins."`
	All   bool   `help:"All that were refused, are of unknown outcome, or wait for their next try."`
	Party string `placeholder:"PARTY" help:"With --all: only those to this party."`
}

// Run makes deliveries due again; the next sync sends them.
func (c *retryDelivery) Run(ctx context.Context, s *scene) error {
	if (c.ID == "") != c.All {
		return errors.New("say which: a delivery's id, or --all")
	}
	if c.Party != "" && !c.All {
		return errors.New("--party goes with --all: a delivery's id says enough")
	}
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.knows(c.Party); err != nil {
		return err
	}
	if c.All {
		return h.retryAll(ctx, s, c.Party)
	}
	e, err := h.delivery(ctx, c.ID)
	if err != nil {
		return err
	}
	if err := h.retry(ctx, h.actor, e); err != nil {
		return err
	}
	s.printf("Delivery %.12s is due now: kaphub sync %s.\n", e.ID, sends(e))
	return nil
}

// retry makes a delivery due now, which stands as it was read. exchange.ErrConflict when it does not, or is in no state for it.
func (h *hub) retry(ctx context.Context, by string, e exchange.Entry) error {
	switch err := h.store.Retry(ctx, by, e.ID, e.Moment); {
	case errors.Is(err, store.ErrMoved):
		return inWords(err, "delivery %.12s moved meanwhile: look at it again", e.ID)
	case errors.Is(err, exchange.ErrBusy):
		return inWords(err, "delivery %.12s is being sent right now: wait for its answer, then look again", e.ID)
	case errors.Is(err, exchange.ErrConflict) && (e.State == exchange.Staged || e.State == exchange.Attempted):
		return inWords(err, "delivery %.12s is due already: kaphub sync sends it", e.ID)
	case errors.Is(err, exchange.ErrConflict):
		return inWords(err, "delivery %.12s is %s: only what was refused, is of unknown outcome or waits can be tried again", e.ID, e.State)
	case err != nil:
		return fmt.Errorf("retry delivery %.12s: %w", e.ID, err)
	}
	return nil
}

// sends says what a sync does with what is tried again.
func sends(e exchange.Entry) string {
	if e.State == exchange.Unknown || e.State == exchange.Attempted {
		return "asks first whether it arrived, and sends it only if it is not there"
	}
	return "sends it, if it is still wanted"
}

func (h *hub) retryAll(ctx context.Context, s *scene, party string) error {
	all, err := h.store.Deliveries(ctx, "")
	if err != nil {
		return fmt.Errorf("read deliveries: %w", err)
	}
	due, asked := 0, 0
	for _, e := range all {
		failed := e.State == exchange.Refused || e.State == exchange.Unknown
		waits := (e.State == exchange.Staged || e.State == exchange.Attempted) && e.Due.After(h.now())
		if party != "" && e.To != party || !failed && !waits {
			continue
		}
		switch err := h.store.Retry(ctx, h.actor, e.ID, e.Moment); {
		case errors.Is(err, exchange.ErrConflict), errors.Is(err, exchange.ErrBusy):
			continue // it moved meanwhile, by itself
		case err != nil:
			return fmt.Errorf("retry delivery %.12s: %w", e.ID, err)
		}
		due++
		if e.State == exchange.Unknown || e.State == exchange.Attempted {
			asked++
		}
	}
	if due == 0 {
		s.printf("Nothing to try again.\n")
		return nil
	}
	s.printf("Due now: %d. Of these may have arrived, and are asked about before anything is sent: %d. kaphub sync does it.\n", due, asked)
	return nil
}

// delivery finds one entry by its id or how it begins.
func (h *hub) delivery(ctx context.Context, id string) (exchange.Entry, error) {
	entries, err := h.store.Deliveries(ctx, "")
	if err != nil {
		return exchange.Entry{}, fmt.Errorf("read deliveries: %w", err)
	}
	return only(entries, id, "delivery", func(e exchange.Entry) string { return e.ID })
}
