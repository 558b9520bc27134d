package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/pull"
	"github.com/kaphub/kaphub/jobs/push"
	"github.com/kaphub/kaphub/jobs/report"
)

type syncCommand struct {
	Anyway bool `help:"In a party's quiet hours too."`
}

// Run does one whole cycle in the foreground and says in a few lines what came of it.
func (c *syncCommand) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.store.Audit(ctx, h.actor, "sync", "", ""); err != nil {
		return fmt.Errorf("note in the audit log: %w", err)
	}
	h.foreground, h.regardless = true, c.Anyway
	shown := s.bars(ctx)
	d, err := h.cycle(ctx, shown)
	shown.wait()
	h.noteNotices(ctx, &d)
	s.summary(&d)
	if err := h.toHandOver(ctx, s); err != nil {
		return err
	}
	own := d.errs(func(err error) bool { return !elsewhere(err) })
	if err = errors.Join(append(own, err)...); err != nil {
		return err
	}
	return h.unwell(ctx, &d)
}

// summary says what a cycle did, a line a job.
func (s *scene) summary(d *done) {
	for _, job := range slices.SortedFunc(maps.Keys(d.by), inOrder) {
		said := strings.TrimPrefix(words(d.by[job]), ":")
		if d.by[job][quiet] > 0 {
			said = " its quiet hours: neither asked nor sent anything (kaphub sync --anyway does)"
		}
		s.printf("%-20s%s\n", job, said)
	}
}

// inOrder puts jobs into the order in which a cycle runs them.
func inOrder(a, b string) int {
	rank := func(job string) string {
		return strings.NewReplacer("pull", "1", "reconcile", "2", "push", "3").Replace(job)
	}
	return strings.Compare(rank(a), rank(b))
}

// unwell is what is not well after a cycle: what failed in it, and the sources that are not fresh.
func (h *hub) unwell(ctx context.Context, d *done) error {
	states, err := h.store.Sources(ctx, 0)
	if err != nil {
		return fmt.Errorf("read sources: %w", err)
	}
	var told []string
	for _, err := range d.errs(elsewhere) {
		told = append(told, sentence(err))
	}
	for _, job := range slices.SortedFunc(maps.Keys(d.by), inOrder) {
		if d.by[job][pull.Busy] > 0 {
			told = append(told, job+": another kaphub is at it: wait for it, or stop it, then sync again")
		}
		told = append(told, notArrived(strings.TrimPrefix(job, "push "), d.by[job])...)
	}
	for _, src := range report.SourceStates(h.policies(), states, h.now()) {
		switch {
		case src.State == report.Fresh || d.failed["pull "+src.Name] != nil:
		case src.Desk:
			told = append(told, h.mailbox(src))
		default:
			told = append(told, strings.TrimSuffix(fmt.Sprintf("source %s is %s: %s", src.Name, src.State, src.Why), ": "))
		}
	}
	for _, state := range []exchange.State{exchange.Staged, exchange.Attempted} {
		open, err := h.store.Deliveries(ctx, state)
		if err != nil {
			return fmt.Errorf("read deliveries: %w", err)
		}
		told = append(told, waiting(open, state, h.parties())...)
	}
	if len(told) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", errUnwell, strings.Join(told, "; "))
}

// notArrived tells what a person must see to, of what this cycle sent to a party: nothing goes on by itself.
func notArrived(to string, counts jobs.Counts) (told []string) {
	if n := counts[push.Refused]; n > 0 {
		told = append(told, fmt.Sprintf("refused by %s: %d; kaphub deliveries list --state refused shows which, and retry sends one again once its cause is settled", to, n))
	}
	if n := counts[push.Unknown]; n > 0 {
		told = append(told, fmt.Sprintf("sent to %s, and whether it arrived cannot be found out: %d; ask them, then record it: kaphub deliveries list --state unknown shows which, and settle ends it", to, n))
	}
	return told
}

// waiting tells how many deliveries are still open, and which of them have no way to go.
func waiting(open []exchange.Entry, state exchange.State, reachable []string) []string {
	var told []string
	stuck := jobs.Counts{}
	n := 0
	for _, e := range open {
		if e.What == exchange.WhatPacket {
			continue // a person's to print and to hand over
		}
		if n++; !slices.Contains(reachable, e.To) {
			stuck[e.To]++
		}
	}
	for _, to := range slices.Sorted(maps.Keys(stuck)) {
		n -= int(stuck[to])
		told = append(told, fmt.Sprintf("no connector leads to %s: configure one, and what waits for it (%d) is sent", to, stuck[to]))
	}
	if n == 1 {
		told = append(told, fmt.Sprintf("1 delivery is %s and waits for the next try: kaphub deliveries shows why", state))
	} else if n > 1 {
		told = append(told, fmt.Sprintf("%d deliveries are %s and wait for the next try: kaphub deliveries shows why", n, state))
	}
	return told
}

// words tell counts in a fixed order, zeros left out.
func words(counts jobs.Counts) string {
	var parts []string
	_, pulled := counts["pages"]
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if pulled && name == "clients" {
			continue // how often one was touched: how many there are, the board says
		}
		switch n := counts[name]; n {
		case 0:
		case 1:
			parts = append(parts, "1 "+strings.TrimSuffix(name, "s")) // what is not counted in things ends otherwise: gone, sent
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, name))
		}
	}
	if len(parts) == 0 {
		return ": nothing new"
	}
	return ": " + strings.Join(parts, ", ")
}
