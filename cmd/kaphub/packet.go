package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors/folder"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/jobs/push"
)

// packetDir is where packets are printed unless something else is said, beside the config.
const packetDir = "packets"

// packets lays packets for a prescriber out in dir; "" = where the config or nobody says.
func (h *hub) packets(prescriber, dir string) *folder.Packets {
	if dir == "" {
		dir = h.config.Path(packetDir)
	}
	return folder.NewPackets(dir, stationer(&h.config, prescriber), h.now)
}

type packetCommand struct {
	ID  string `arg:"" optional:"" name:"delivery-or-client" help:"A delivery's id or a client's key, or how it begins; all that are due when left out."`
	Out string `placeholder:"DIR" help:"Where to (the folder's out in the config, else packets/ beside the config)."`
}

// Run prints what is due, after the records were judged once more: nothing is printed without a release that holds now.
// What is printed already and still may be handed over is put there again where it is missing.
func (c *packetCommand) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	if _, err := h.reconcile(ctx, nil); err != nil {
		return err
	}
	chosen, err := h.chosenPackets(ctx, c.ID)
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		s.printf("No packet is due: kaphub explain says what a referral waits for.\n")
		return nil
	}
	var wrong []error
	printed := 0
	for _, p := range h.policies() {
		name := p.Prescriber.Name
		mine := slices.DeleteFunc(slices.Clone(chosen), func(e exchange.Entry) bool { return e.To != name })
		if len(mine) == 0 {
			continue
		}
		dir, n, err := h.print(ctx, s, name, c.Out, mine)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("print for %s: %w", name, err))
		}
		if printed += n; n > 0 {
			s.printf("Hand over what lies in %s (one page and one Bundle each), then record each: kaphub deliveries handed-over ID --by NAME\n", dir)
		}
	}
	if _, err := h.reconcile(ctx, nil); err != nil { // what was printed is in the records now
		wrong = append(wrong, err)
	}
	if printed < len(chosen) && len(wrong) == 0 {
		wrong = append(wrong, fmt.Errorf("%d of %d packets were not printed: kaphub deliveries shows why; after kaphub sync, try again", len(chosen)-printed, len(chosen)))
	}
	return errors.Join(wrong...)
}

// chosenPackets are the packets that wait or lie there, of a delivery or client whose key begins so, "" for all.
func (h *hub) chosenPackets(ctx context.Context, start string) ([]exchange.Entry, error) {
	var all []exchange.Entry
	for _, state := range []exchange.State{exchange.Staged, exchange.Attempted, exchange.LaidOut} {
		entries, err := h.store.Deliveries(ctx, state)
		if err != nil {
			return nil, fmt.Errorf("read deliveries: %w", err)
		}
		for _, e := range entries {
			named := strings.HasPrefix(e.ID, start) || strings.HasPrefix(e.Client, start)
			if e.What == exchange.WhatPacket && named && (start != "" || state != exchange.LaidOut) {
				all = append(all, e)
			}
		}
	}
	return all, nil
}

// print lays out one prescriber's packets and returns where, and how many lie there now.
func (h *hub) print(ctx context.Context, s *scene, prescriber, out string, chosen []exchange.Entry) (dir string, printed int, err error) {
	packets := h.packets(prescriber, out)
	if way, ok := h.way(prescriber); ok && out == "" {
		if own, ok := way.Pusher.(*folder.Packets); ok {
			packets = own
		}
	}
	if dir = packets.Dir(); out != "" {
		if dir, err = filepath.Abs(out); err != nil {
			return dir, 0, err
		}
	}
	step := h.pushStep(prescriber, nil)
	step.Store, step.Pusher, step.Asker, step.Recaller = selected{h.store, chosen}, packets, packets, packets
	if _, err := step.Run(ctx); err != nil {
		return dir, 0, err
	}
	for _, e := range chosen {
		now, err := h.store.Delivery(ctx, e.ID)
		if err != nil {
			return dir, printed, fmt.Errorf("read delivery: %w", err)
		}
		why := now.Why
		if now.State == exchange.LaidOut && why == "" {
			why, err = h.again(ctx, packets, now)
		}
		if err != nil {
			return dir, printed, err
		}
		if now.State != exchange.LaidOut || why != "" {
			s.printf("%.12s  client %s  not printed (%s): %s\n", e.ID, e.Client, now.State, why)
			continue
		}
		printed++
		s.printf("%.12s  client %s  %s\n", e.ID, e.Client, filepath.Join(dir, folder.Base(e.Delivery)+".html"))
		if err := h.store.Audit(ctx, h.actor, "print packet", e.ID, ""); err != nil {
			return dir, printed, fmt.Errorf("note in the audit log: %w", err)
		}
	}
	return dir, printed, nil
}

// again puts a packet that is laid out there once more, where it is missing, unless it must not be handed over.
func (h *hub) again(ctx context.Context, packets *folder.Packets, e exchange.Entry) (why string, err error) {
	chart, err := h.store.Chart(ctx, e.Client, 0)
	if err != nil {
		return "", fmt.Errorf("read the chart: %w", err)
	}
	if ok, why := plan.Allowed(e.Delivery, chart, h.policy(e.Prescriber), h.now()); !ok {
		return why, nil
	}
	_, err = packets.Push(ctx, e.Delivery, false)
	return "", err
}

// selected is a ledger of which only what was chosen is due.
type selected struct {
	push.Store
	chosen []exchange.Entry
}

// Due returns what is due and chosen.
func (o selected) Due(ctx context.Context, to string, now time.Time, _ int) ([]exchange.Entry, error) {
	due, err := o.Store.Due(ctx, to, now.Add(time.Hour), 100_000) // whoever asks for it does not wait out a pause
	return slices.DeleteFunc(due, func(e exchange.Entry) bool {
		return !slices.ContainsFunc(o.chosen, func(c exchange.Entry) bool { return c.ID == e.ID })
	}), err
}

// toHandOver says how many packets wait for a person.
func (h *hub) toHandOver(ctx context.Context, s *scene) error {
	for _, w := range []struct {
		state exchange.State
		text  string
	}{
		{exchange.Staged, "to be printed: kaphub packet"},
		{exchange.LaidOut, "printed, to be handed over: then kaphub deliveries handed-over ID --by NAME"},
	} {
		entries, err := h.store.Deliveries(ctx, w.state)
		if err != nil {
			return fmt.Errorf("read deliveries: %w", err)
		}
		n := 0
		for _, e := range entries {
			if e.What == exchange.WhatPacket && e.Why == "" && e.To != fhir.Practice {
				n++
			}
		}
		if n > 0 {
			s.printf("by hand              %s %s\n", many(n, "packet"), w.text)
		}
	}
	return nil
}
