package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/report"
)

type demoCommand struct {
	Once    bool   `help:"End after one whole cycle."`
	JSON    bool   `help:"Write the status JSON after one whole cycle, and end."`
	Clients int    `placeholder:"N" help:"So many clients; the default is one for each situation."`
	Listen  string `default:"127.0.0.1:0" help:"Where the page of a living demo is shown."`
}

// beat is how long a step of a life takes in a living demo.
const beat = 15 * time.Second

// demoConfig is the sheet that the sandbox's situations were written for.
//
//go:embed demo.yaml
var demoConfig string

// Run lets an invented practice and prescriber live on loopback and runs the hub between them, on a store that is gone
// at the end.
func (c *demoCommand) Run(ctx context.Context, s *scene) (err error) {
	if c.Clients < 0 {
		return errors.New("--clients must not be negative: leave it out for one client in each situation")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.MkdirTemp("", "kaphub-demo-")
	if err != nil {
		return fmt.Errorf("make a directory for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	once := c.Once || c.JSON
	options := sandbox.WorldOptions{Now: s.now, Seed: 1, Clients: c.Clients}
	if !once {
		options.Pace = sandbox.Living(beat)
	}
	world, err := sandbox.NewWorld(options)
	if err != nil {
		return fmt.Errorf("make the sandbox: %w", err)
	}
	practice, prescriber, err := world.Serve(ctx)
	if err != nil {
		return err
	}
	h, err := c.open(ctx, s, dir, practice, prescriber)
	if err != nil {
		return err
	}
	alive := false
	defer func() {
		if !alive {
			h.close()
		}
	}()
	if err := c.cycle(ctx, s, h, world); err != nil {
		return err
	}
	in, err := h.view(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return report.Status(s.out, in)
	}
	if err := report.Board(s.out, in, s.options()); err != nil {
		return err
	}
	if once {
		return nil
	}
	alive = true
	return c.live(ctx, s, h, dir, world, "curl "+practice+"/Patient, curl "+prescriber+"/Task")
}

// open writes a config like an operator's and opens the hub by it.
func (c *demoCommand) open(ctx context.Context, s *scene, dir, practice, prescriber string) (*hub, error) {
	if err := c.write(dir, practice, prescriber); err != nil {
		return nil, err
	}
	return c.again(ctx, s, dir)
}

// write makes the config and a key.
func (c *demoCommand) write(dir, practice, prescriber string) error {
	var text bytes.Buffer
	page, err := template.New("demo").Parse(demoConfig)
	if err != nil {
		return fmt.Errorf("demo config: %w", err)
	}
	facts := struct{ Practice, Prescriber, NPI, Listen string }{practice, prescriber, sandbox.NPI, c.Listen}
	if err := page.Execute(&text, facts); err != nil {
		return fmt.Errorf("demo config: %w", err)
	}
	text.WriteString("\nrules: {telehealth_until: 2099-12-31}\n") // the sandbox is of no year, and its evaluations are by video
	if err := create(filepath.Join(dir, "kaphub.yaml"), text.Bytes()); err != nil {
		return fmt.Errorf("demo config: %w", err)
	}
	return store.NewKey().Save(filepath.Join(dir, "kaphub.key"))
}

// again opens the hub by the demo's config.
func (c *demoCommand) again(ctx context.Context, s *scene, dir string) (*hub, error) {
	own := *s
	own.cli, own.environment = &cli{Config: filepath.Join(dir, "kaphub.yaml")}, nil // the operator's own hub stays out of it
	h, err := own.open(ctx)
	if err != nil {
		return nil, err
	}
	h.actor, h.foreground = "demo", true
	return h, nil
}

// cycle reads, decides and sends; the prescriber looks into its inbox; and once more.
func (c *demoCommand) cycle(ctx context.Context, s *scene, h *hub, world *sandbox.World) error {
	for i := range 2 {
		if i == 1 {
			if err := world.Tick(); err != nil {
				return fmt.Errorf("sandbox: %w", err)
			}
		}
		shown := s.bars(ctx)
		d, err := h.cycle(ctx, shown)
		shown.wait()
		if err = errors.Join(err, d.err()); err != nil {
			return err
		}
	}
	return nil
}

// live lets the world go on and tells what changes, until ctx ends; look says where both sides' own systems are.
func (c *demoCommand) live(ctx context.Context, s *scene, h *hub, dir string, world *sandbox.World, look string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel(nil)
	beside.Go(func() {
		if err := world.Run(ctx, time.Second); err != nil {
			cancel(fmt.Errorf("sandbox: %w", err))
		}
	})
	err := s.live(ctx, h, &entrance{}, func(ctx context.Context) (*hub, error) { return c.again(ctx, s, dir) }, func(ctx context.Context, h *hub, at *entrance) error {
		in, err := h.view(ctx)
		if err = errors.Join(err, h.noteConfig(ctx)); err != nil {
			return err
		}
		following, stop := context.WithCancel(ctx)
		var beside sync.WaitGroup
		defer beside.Wait() // before the store is closed
		defer stop()
		beside.Go(func() { s.follow(following, h, states(in)) })
		m := newMetrics(h)
		routes, err := h.windowed(m, &people.Account{ID: "demo", Login: "demo", Name: "Demo", Roles: []people.Role{people.Owner, people.Privacy}})
		if err != nil {
			return err
		}
		return h.serve(ctx, at, m, fast(h), routes, func(address string) {
			s.printf("\nThe demo lives on: each step of a life takes %s. Where to look: http://%s\nBoth sides' own systems: %s\nCtrl-C ends it and leaves nothing behind.\n\n", beat, address, look)
		})
	})
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(err, cause)
	}
	return err
}

// fast are the hub's jobs, looking every few seconds: lives pass quickly here.
func fast(h *hub) func(nudge func(string)) []jobs.Job {
	return func(nudge func(string)) []jobs.Job {
		list := h.jobs(nudge)
		for i := range list {
			if kind, _, _ := strings.Cut(list[i].Name, " "); kind == "pull" || kind == "push" || kind == "reconcile" {
				list[i].Look = 5 * time.Second
			}
		}
		return list
	}
}

// news is what a change is told by: the state, and what is to be done next.
type news struct {
	state readiness.State
	next  string
}

func states(in report.Input) map[readiness.Engagement]news {
	all := map[readiness.Engagement]news{}
	for _, v := range in.Clients {
		all[readiness.Engagement{Client: v.Client, Prescriber: v.Prescriber}] = news{v.State, v.Next}
	}
	return all
}

// follow tells every change of the board until ctx ends.
func (s *scene) follow(ctx context.Context, h *hub, said map[readiness.Engagement]news) {
	ticker := time.NewTicker(2 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		judging, err := h.store.Stale(ctx, h.now(), h.hashes(), 1)
		if err != nil || len(judging) > 0 {
			continue // what is about to be judged again is not news yet
		}
		if in, err := h.view(ctx); err == nil {
			said = s.changes(said, in)
		}
	}
}

// changes tells who stands otherwise than was said, and returns what has been said now.
func (s *scene) changes(said map[readiness.Engagement]news, in report.Input) map[readiness.Engagement]news {
	for _, v := range in.Clients {
		before := said[readiness.Engagement{Client: v.Client, Prescriber: v.Prescriber}]
		if before == (news{v.State, v.Next}) {
			continue
		}
		to := string(v.State)
		if before.state != v.State && before.state != "" {
			to = string(before.state) + " → " + to
		}
		s.printf("%s  %-16s %-22s %s\n", in.AsOf.In(in.Zone).Format(time.TimeOnly), v.Chosen, to, v.Words)
	}
	return states(in)
}
