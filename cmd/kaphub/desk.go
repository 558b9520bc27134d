package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/pull"
	"github.com/kaphub/kaphub/jobs/report"
)

// desks are the sources of what people enter by hand: the practice's, and one for each prescriber. Nobody configures them.
func desks(policies []readiness.Policy, tray desk.Tray) []connectors.Connector {
	all := []connectors.Connector{desk.New(fhir.Practice, tray)}
	for _, p := range policies {
		all = append(all, desk.New(p.Prescriber.Name, tray))
	}
	return all
}

// isDesk reports whether a source is one of them.
func (h *hub) isDesk(source string) bool {
	for _, p := range h.policies() {
		if source == p.Practice.Desk || source == p.Prescriber.Desk {
			return true
		}
	}
	return false
}

// configured are the sources that the config names.
func (h *hub) configured() []connectors.Connector {
	var all []connectors.Connector
	for _, c := range h.connectors {
		if !h.isDesk(c.Name) {
			all = append(all, c)
		}
	}
	return all
}

// waits reports whether entries lie at a desk that were not read yet.
func (h *hub) waits(ctx context.Context, source string) (bool, error) {
	since, err := h.store.Cursor(ctx, source)
	if err != nil {
		return false, fmt.Errorf("cursor of %s: %w", source, err)
	}
	return desk.Waiting(ctx, h.store, source, since)
}

// enter is enterAs of whoever typed, and of whom they said that it was.
func (h *hub) enter(ctx context.Context, slips []exchange.Slip) error {
	return h.enterAs(ctx, saidBy(slips[0].Actor), slips)
}

// notIn is why an entry that is saved has not come in yet.
type notIn struct {
	entry string
	err   error
}

func (n *notIn) Error() string {
	return fmt.Sprintf("it is saved as %s and comes in with the next sync: %v", n.entry, n.err)
}

func (n *notIn) Unwrap() error { return n.err }

// enterAs puts an entry into the tray, reads it in and has whom it moves judged again. It touches no network. A *notIn says
// that it is saved, and no more.
func (h *hub) enterAs(ctx context.Context, actor string, slips []exchange.Slip) error {
	if err := h.store.Enter(ctx, actor, slips...); err != nil {
		return err
	}
	var wrong []error
	for _, c := range h.connectors {
		for _, s := range slips {
			if c.Name != s.Source {
				continue
			}
			if err := h.bringIn(ctx, c); err != nil {
				wrong = append(wrong, err)
			}
		}
	}
	_, err := h.reconcile(ctx, nil)
	if err := errors.Join(append(wrong, err)...); err != nil {
		return &notIn{slips[0].Entry, err}
	}
	return nil
}

// bringIn reads a desk, though another is just reading it: whoever saved an entry looks at what came of it.
func (h *hub) bringIn(ctx context.Context, c connectors.Connector) error {
	const pause, most = 50 * time.Millisecond, 2 * time.Second
	for waited := time.Duration(0); ; waited += pause {
		counts, err := h.pull(ctx, c, nil)
		if err != nil || counts[pull.Busy] == 0 || waited >= most {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// deskLine says of a prescriber without a connector that its desk is the way, and how fresh that is.
func (h *hub) deskLine(ctx context.Context, p readiness.Policy) checked {
	states, err := h.store.Sources(ctx, 0)
	if err != nil {
		return checked{Level: "fails", About: p.Prescriber.Name, Text: err.Error()}
	}
	const way = "is read by no connector: its desk is the way, so what it tells is entered by hand (kaphub record); "
	again := "; read on, enter what came, and say so: " + h.readThrough(p.Prescriber.Name)
	for _, s := range report.SourceStates([]readiness.Policy{p}, states, h.now()) {
		if s.Name != p.Prescriber.Desk {
			continue
		}
		switch s.State {
		case report.Fresh:
			return checked{Level: "works", About: p.Prescriber.Name, Text: way + "its mailbox is read to " + h.local(s.LastComplete)}
		case report.Never:
			return checked{Level: "degrades", About: p.Prescriber.Name, Text: way + "its mailbox was never read through, so no client of theirs is ready" + again}
		}
		return checked{Level: "degrades", About: p.Prescriber.Name, Text: way + "its mailbox is read to " + h.local(s.LastComplete) + ", which is too long ago" + again}
	}
	return checked{Level: "degrades", About: p.Prescriber.Name, Text: way + "how far its mailbox was read is not known" + again}
}

// mailbox says of a desk that is no longer fresh how far it was read, and what to do.
func (h *hub) mailbox(src report.Source) string {
	box := "the mailbox of " + src.Title
	if src.State == report.Never {
		return box + " was never read through: read it, enter what came, then " + h.readThrough(src.Party)
	}
	return box + " is read to " + h.local(src.LastComplete) + ": read on, enter what came, then " + h.readThrough(src.Party)
}

// readThrough is the command by which somebody says that a mailbox was read.
func (h *hub) readThrough(prescriber string) string {
	const command = "kaphub record read-through"
	if len(h.policies()) == 1 {
		return command
	}
	return command + " --prescriber " + prescriber
}

// sheet is what a prescriber agreed, as the config has it.
func (h *hub) sheet(prescriber string) config.Sheet {
	for _, p := range h.config.Prescribers {
		if p.Name == prescriber {
			return p.Sheet
		}
	}
	return config.Sheet{}
}

// numbered is whom the settings know by a number: the parties, and who may decide.
func (h *hub) numbered() map[fhir.ID]string {
	names := map[fhir.ID]string{}
	for _, p := range h.policies() {
		for _, party := range []readiness.Party{p.Practice, p.Prescriber} {
			for _, id := range party.Identifiers {
				names[id] = cmp.Or(party.Title, party.Name)
			}
		}
		for _, d := range h.sheet(p.Prescriber.Name).Deciders {
			if d.Name != "" {
				names[fhir.ID{System: d.System, Value: d.Value}] = d.Name
			}
		}
	}
	return names
}
