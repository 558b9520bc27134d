package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/skylight"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/report"
)

// exchangeWindow is what the console sees of sources, counterparts and the engine. Tests of a connection are kept until the
// hub ends: they tell of that moment only.
type exchangeWindow struct {
	*hub
	mu      sync.Mutex
	tests   map[string]*console.Test
	testing map[string]bool
}

func newExchangeWindow(h *hub) *exchangeWindow {
	return &exchangeWindow{hub: h, tests: map[string]*console.Test{}, testing: map[string]bool{}}
}

// Counterparts are the sources in the order of a report, then what is only written to.
func (w *exchangeWindow) Counterparts(ctx context.Context) ([]console.Counterpart, error) {
	states, err := w.sourcesAt(ctx, point{at: w.now()})
	if err != nil {
		return nil, fmt.Errorf("read sources: %w", err)
	}
	next, err := w.nextReads(ctx)
	if err != nil {
		return nil, err
	}
	var all []console.Counterpart
	for _, src := range report.SourceStates(w.policies(), states, w.now()) {
		c := console.Counterpart{Source: src, Kind: "by hand"}
		if i := slices.IndexFunc(states, func(s fhir.SourceState) bool { return s.Name == src.Name }); i >= 0 {
			c.Tried = states[i].LastTried
		}
		all = append(all, c)
	}
	kinds := w.kinds()
	for _, one := range w.configured() {
		i := slices.IndexFunc(all, func(c console.Counterpart) bool { return c.Name == one.Name })
		if i < 0 {
			i = len(all)
			all = append(all, console.Counterpart{Source: report.Source{Name: one.Name, Party: one.Party, Title: w.title(one.Party)}})
		}
		c := &all[i]
		c.Kind, c.Address = cmp.Or(kinds[one.Name], "connector"), one.Base
		c.Reads, c.Sends, c.Sweeps, c.Tests = one.Puller != nil, one.Pusher != nil, one.Sweeper != nil, one.Checker != nil
		if c.Reads {
			c.Next = next["sync"]
		}
		if c.Sweeps {
			c.Swept = next["sweep"]
		}
		if err := w.offersOf(ctx, one, c); err != nil {
			return nil, err
		}
		if u, err := url.Parse(one.Base); err == nil && u.Host != "" {
			if c.Rests, err = w.store.Rests(ctx, u.Host); err != nil {
				return nil, err
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range all {
		c := &all[i]
		c.Quiet, c.Hush, c.Test = hoursOf(quietHours(&w.config, c.Party)), w.quietUntil(c.Party), w.tests[c.Name]
	}
	return all, nil
}

// offersOf is what was learned of a counterpart without asking it now.
func (w *exchangeWindow) offersOf(ctx context.Context, one connectors.Connector, c *console.Counterpart) error {
	if one.Offerer == nil {
		return nil
	}
	o, known, err := w.learned(ctx, one)
	c.Known, c.Lacks, c.Takes = known, o.Lacks, o.Takes
	return err
}

// nextReads is when each job of a schedule runs next; of sync and night it is the sooner one.
func (w *exchangeWindow) nextReads(ctx context.Context) (map[string]time.Time, error) {
	next := map[string]time.Time{}
	engine := w.running.Load()
	if engine == nil {
		return next, nil
	}
	plans, err := engine.Plans(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range plans {
		next[p.Job] = p.Next
	}
	if night := next["night"]; !night.IsZero() && (next["sync"].IsZero() || night.Before(next["sync"])) {
		next["sync"] = night
	}
	return next, nil
}

// kindWords are the ways of talking, as shown.
var kindWords = map[string]string{"fhirrest": "FHIR server", "folder": "shared folder", "ical": "calendar", skylight.OverDesk: "by hand"}

// kinds are the ways of talking, as shown, by the connector's name.
func (w *exchangeWindow) kinds() map[string]string {
	all := map[string]string{}
	for _, entry := range w.config.Connectors() {
		kind, _ := through(&w.config, entry)
		all[entry.Name] = kindWords[kind]
	}
	return all
}

func hoursOf(quiet []config.Quiet) (all []string) {
	hour := func(d time.Duration) string { return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60) }
	for _, q := range quiet {
		all = append(all, hour(q.From)+"-"+hour(q.To))
	}
	return all
}

// soon is how long a test may take that somebody waits for at a browser.
const soon = 40 * time.Second

// Test is kaphub check of one counterpart.
func (w *exchangeWindow) Test(ctx context.Context, by, source string) error {
	i := slices.IndexFunc(w.connectors, func(c connectors.Connector) bool { return c.Name == source && c.Checker != nil })
	if i < 0 {
		return exchange.ErrNotFound
	}
	w.mu.Lock()
	busy := w.testing[source]
	w.testing[source] = true
	w.mu.Unlock()
	if busy {
		return fmt.Errorf("test %s: %w", source, exchange.ErrBusy)
	}
	defer func() { w.mu.Lock(); delete(w.testing, source); w.mu.Unlock() }()
	if err := w.store.Audit(ctx, by, "test connection", source, ""); err != nil {
		return fmt.Errorf("note in the audit log: %w", err)
	}
	t := w.tested(ctx, by, w.connectors[i])
	w.mu.Lock()
	w.tests[source] = t
	w.mu.Unlock()
	return nil
}

// tested is what one counterpart is found to offer now.
func (h *hub) tested(ctx context.Context, by string, one connectors.Connector) *console.Test {
	limited, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	found := check(limited, one, h.title(one.Party))
	t := &console.Test{At: h.now(), By: by, Software: found.software, Mode: modes[found.capabilities.Mode]}
	for _, l := range found.lines {
		t.Lines = append(t.Lines, console.TestLine(l))
	}
	return t
}

// Work is what the engine does. Of an engine that is not there it is nothing.
func (w *exchangeWindow) Work(ctx context.Context, limit int) (console.Work, error) {
	var all console.Work
	engine := w.running.Load()
	if engine == nil {
		return all, nil
	}
	now, err := engine.Running(ctx)
	if err != nil {
		return all, err
	}
	before, err := engine.Runs(ctx, limit)
	if err != nil {
		return all, err
	}
	if all.Plans, err = engine.Plans(ctx); err != nil {
		return all, err
	}
	for _, r := range now {
		all.Running = append(all.Running, console.Ran{Run: r, Words: come(r.Counts)})
	}
	for _, r := range before {
		said := strings.TrimPrefix(words(r.Counts), ": ")
		if r.Counts[quiet] > 0 {
			said = "its quiet hours: neither asked nor sent anything"
		}
		all.Runs = append(all.Runs, console.Ran{Run: r, Words: said, Idle: broughtNothing(r.Counts)})
	}
	return all, nil
}

// broughtNothing reports whether a run that ended brought nothing: whatever it had to read, none of it was new.
func broughtNothing(counts jobs.Counts) bool {
	for name, n := range counts {
		if n != 0 && !slices.Contains([]string{"pages", "resources", "clients"}, name) {
			return false
		}
	}
	return true
}

// come is how far each part of a run has come.
func come(parts jobs.Counts) string {
	var said []string
	for _, part := range slices.SortedFunc(maps.Keys(parts), inOrder) {
		n := parts[part]
		switch kind, of, _ := strings.Cut(part, " "); {
		case n == 0:
		case kind == "pull":
			said = append(said, fmt.Sprintf("%s read from %s", many(int(n), "record"), of))
		case kind == "reconcile":
			said = append(said, many(int(n), "client")+" judged")
		default:
			said = append(said, fmt.Sprintf("%d sent", n))
		}
	}
	return strings.Join(said, ", ")
}

// Queue is River's, without arguments.
func (w *exchangeWindow) Queue(ctx context.Context, limit int) ([]jobs.Queued, error) {
	engine := w.running.Load()
	if engine == nil {
		return nil, nil
	}
	return engine.Queue(ctx, limit)
}

// Sync asks the engine for the very job that the schedule asks for.
func (w *exchangeWindow) Sync(ctx context.Context, by string) (jobs.Run, error) {
	engine := w.running.Load()
	if engine == nil {
		return jobs.Run{}, console.ErrNoEngine
	}
	r, err := engine.Ask(ctx, "sync")
	if errors.Is(err, jobs.ErrBusy) {
		return r, fmt.Errorf("sync: %w", exchange.ErrBusy)
	}
	if err != nil {
		return r, err
	}
	return r, w.store.Audit(ctx, by, "sync", "", "")
}
