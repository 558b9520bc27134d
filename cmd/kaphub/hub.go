package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/jobs"
)

// hub is everything put together: what a command works with.
type hub struct {
	config     config.Config
	written    []readiness.Policy                 // as the config has them, in its order, never empty
	informed   atomic.Pointer[[]readiness.Policy] // the same, with what the counterparts were found to offer
	connectors []connectors.Connector
	store      *store.DB
	post       *post // nil = nobody is told by mail
	pace       *turnstile
	scene      *scene        // where it was opened
	writing    sync.Mutex    // of the config
	rewritten  chan struct{} // the config was written anew: whoever serves opens the hub again
	now        func() time.Time
	log        *slog.Logger
	foreground bool // somebody waits for it
	regardless bool // of anybody's quiet hours
	actor      string
	held       held   // the board, as it was looked at last
	names      names  // who clients are, as somebody was looked for last
	holder     string // this process, where several share a store

	running atomic.Pointer[jobs.Engine] // while it serves; nil = nothing runs by itself
}

// open reads the config and opens the store. It touches no network. Everything that is wrong with the config, whoever
// reads that part of it, is one *config.Invalid.
func (s *scene) open(ctx context.Context) (*hub, error) {
	h, err := s.assemble(config.Load(s.cli.Config, s.environment))
	if err != nil {
		return nil, err
	}
	key, err := masterKey(&h.config)
	if err != nil {
		return nil, err
	}
	if err := vanished(&h.config); err != nil {
		return nil, err
	}
	h.store, err = store.Open(ctx, store.Options{DSN: dsn(&h.config), Key: key, Now: s.now, Recogniser: recogniser(&h.config, h.written)})
	if err != nil {
		return nil, err
	}
	h.pace.DB = h.store
	h.connectors = append(h.connectors, desks(h.written, h.store)...)
	if err := errors.Join(remember(&h.config), h.inform(ctx)); err != nil {
		return nil, errors.Join(err, h.store.Close())
	}
	noteHosts(&h.config)
	return h, nil
}

// assemble puts everything together that a config makes but the store, and changes nothing: a config that is about to be
// written is tried by it first.
func (s *scene) assemble(c config.Config, err error) (*hub, error) {
	h := &hub{now: s.now, log: s.log, actor: actor(), holder: holder(), scene: s, pace: &turnstile{}, rewritten: make(chan struct{}, 1)}
	invalid, mistaken := errors.AsType[*config.Invalid](err)
	if err != nil && !mistaken {
		return nil, err
	}
	var problems []config.Problem
	if mistaken {
		problems = invalid.Problems
	}
	var wrong []config.Problem
	h.connectors, wrong = connect(&c, s, h.pace)
	problems = append(append(append(problems, wrong...), badSchedules(&c)...), notWithholdable(&c)...)
	h.post, wrong = postOf(&c)
	problems = append(problems, wrong...)
	if err := c.Invalid(problems); err != nil {
		return nil, err
	}
	h.config = c
	if h.written, err = policies(&c, bases(h.connectors)); err != nil {
		return nil, err
	}
	h.informed.Store(&h.written)
	return h, nil
}

// bases are what the absolute references of each source begin with, where it has any.
func bases(all []connectors.Connector) map[string]string {
	by := map[string]string{}
	for _, c := range all {
		if c.Base != "" {
			by[c.Name] = c.Base
		}
	}
	return by
}

// notWithholdable are the elements that no prescriber can be kept from.
func notWithholdable(c *config.Config) []config.Problem {
	var problems []config.Problem
	for i, p := range c.Prescribers {
		for j, name := range p.Withhold {
			if !slices.Contains(exchange.Withholdable(), name) {
				problems = append(problems, c.Problem(fmt.Sprintf("prescribers[%d].withhold[%d]", i, j),
					"%s cannot be withheld: write some of %s", name, strings.Join(exchange.Withholdable(), ", ")))
			}
		}
	}
	return problems
}

// badSchedules are the schedules that cannot be kept.
func badSchedules(c *config.Config) []config.Problem {
	var problems []config.Problem
	zone := c.Location()
	if zone == nil { // said already
		zone = time.UTC
	}
	for key, line := range schedules(c) {
		if line == "" {
			continue
		}
		if _, err := jobs.Check(line, zone); err != nil {
			path := "schedules." + key
			if key == "digest" {
				path = "notices.digest"
			}
			problems = append(problems, c.Problem(path, "cannot be kept: %s", err.Error()))
		}
	}
	return problems
}

func schedules(c *config.Config) map[string]string {
	all := map[string]string{"sync": c.Schedules.Sync, "night": c.Schedules.Night, "sweep": c.Schedules.Sweep, "report": c.Schedules.Report}
	if c.Notices != nil {
		all["digest"] = c.Notices.Digest
	}
	return all
}

// close ends what open began.
func (h *hub) close() {
	if err := h.store.Close(); err != nil {
		h.log.Error("close store", "error", err)
	}
}

// policy is the prescriber's; one whom the config no longer names has a policy under which no verdict stands.
func (h *hub) policy(prescriber string) readiness.Policy { return policyOf(h.policies(), prescriber) }

func policyOf(policies []readiness.Policy, prescriber string) readiness.Policy {
	for _, p := range policies {
		if p.Prescriber.Name == prescriber {
			return p
		}
	}
	return readiness.Policy{Prescriber: readiness.Party{Name: prescriber, Title: prescriber}, Practice: policies[0].Practice, Zone: policies[0].Zone}
}

// byPrescriber are the policies by the prescriber's name.
func (h *hub) byPrescriber() map[string]readiness.Policy {
	all := map[string]readiness.Policy{}
	for _, p := range h.policies() {
		all[p.Prescriber.Name] = p
	}
	return all
}

// hashes name the policy that each prescriber's verdicts must rest on.
func (h *hub) hashes() map[string]string {
	all := map[string]string{}
	for _, p := range h.policies() {
		all[p.Prescriber.Name] = p.Hash
	}
	return all
}

// parties are the parties that can be written to, in the order of the config, and the prescribers who are reached by hand:
// what is printed for them is looked after.
func (h *hub) parties() []string {
	var all []string
	for _, c := range h.connectors {
		if c.Pusher != nil && !slices.Contains(all, c.Party) {
			all = append(all, c.Party)
		}
	}
	for _, p := range h.written {
		if name := p.Prescriber.Name; !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// titles are the parties as shown.
func (h *hub) titles() map[string]string {
	all := map[string]string{fhir.Practice: h.policies()[0].Practice.Title}
	for _, p := range h.policies() {
		all[p.Prescriber.Name] = p.Prescriber.Title
	}
	return all
}

func dsn(c *config.Config) string {
	if text := c.Store.DSN.Reveal(); isPostgres(text) {
		return text
	}
	return c.Path(c.Store.DSN.Reveal())
}

// holder names this process where several share a store.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "hub"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}
