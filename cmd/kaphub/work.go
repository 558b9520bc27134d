package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/push"
	"github.com/kaphub/kaphub/jobs/reconcile"
)

// look is how often reconcile and push look for work that nobody announced: a lost nudge costs so much at most.
const look = 30 * time.Second

// jobs are everything that runs by schedule, by nudge and by hand (design.md section 5). The rows are the queue: each
// of them finds its own work in the store. nudge says that a job should look now.
func (h *hub) jobs(nudge func(job string)) []jobs.Job {
	at := h.config.Schedules
	news := func(ctx context.Context, d *done) { // by its own job, unless somebody waits for it
		if h.foreground {
			h.noteNotices(ctx, d)
		} else if h.post != nil {
			nudge("notices")
		}
	}
	whole := func(job string) func(context.Context) (jobs.Counts, error) {
		return func(ctx context.Context) (jobs.Counts, error) {
			done, err := h.cycle(ctx, h.showing(job))
			news(ctx, &done)
			return done.counts(), errors.Join(err, done.err())
		}
	}
	list := []jobs.Job{
		{Name: "sync", Schedule: at.Sync, Timeout: 2 * time.Hour, Work: whole("sync")},
		{Name: "night", Schedule: at.Night, Lane: "sync", Timeout: 2 * time.Hour, Work: whole("night")},
		{Name: "sweep", Schedule: at.Sweep, Timeout: 8 * time.Hour, Work: func(ctx context.Context) (jobs.Counts, error) {
			counts, err := h.sweepAll(ctx)
			nudge("reconcile")
			return counts, err
		}},
		{Name: "report", Schedule: at.Report, Timeout: 2 * time.Hour, Work: func(ctx context.Context) (jobs.Counts, error) {
			done, err := h.cycle(ctx, h.showing("report")) // a report is of the world as it is now
			if err != nil {
				return nil, err
			}
			news(ctx, &done)
			counts, err := h.writeReport(ctx)
			return counts, errors.Join(err, done.failed["notices"])
		}},
		{Name: "reconcile", Look: look, Timeout: time.Hour, Work: func(ctx context.Context) (jobs.Counts, error) {
			counts, err := h.reconcile(ctx, h.showing("reconcile").count("reconcile"))
			if counts[reconcile.Staged] > 0 {
				for _, party := range h.parties() {
					nudge("push " + party)
				}
			}
			if counts[reconcile.Judged] > 0 && h.post != nil {
				nudge("notices")
			}
			return counts, err
		}},
	}
	list = append(list, h.noticeJobs()...)
	list = append(list, jobs.Job{Name: "look", Look: look, Work: func(ctx context.Context) (jobs.Counts, error) { return h.lookAfterSending(ctx, nudge) }})
	for _, c := range h.connectors {
		if c.Puller != nil {
			list = append(list, jobs.Job{Name: "pull " + c.Name, Lane: "source " + c.Name, Timeout: time.Hour, Work: func(ctx context.Context) (jobs.Counts, error) {
				counts, err := h.pull(ctx, c, h.showing("pull "+c.Name).count("pull "+c.Name))
				nudge("reconcile")
				return counts, err
			}})
		}
		if c.Sweeper != nil {
			list = append(list, jobs.Job{Name: "sweep " + c.Name, Lane: "source " + c.Name, Timeout: 8 * time.Hour, Work: func(ctx context.Context) (jobs.Counts, error) {
				counts, err := h.sweep(ctx, c)
				nudge("reconcile")
				return counts, err
			}})
		}
	}
	for _, party := range h.parties() {
		list = append(list, jobs.Job{Name: "push " + party, Lane: h.sendingLane(party), Look: look, Timeout: time.Hour, Work: func(ctx context.Context) (jobs.Counts, error) {
			counts, err := h.push(ctx, party, h.showing("push "+party).count("push "+party))
			if settled(counts) || counts[push.Deferred]+counts[push.Lost] > 0 { // the next step, or what a failed try says of the client
				nudge("reconcile")
			}
			return counts, err
		}})
	}
	return list
}

// sendingLane is where sending to a party queues: in a lane of its own, or with reading where the counterpart bears one
// job at a time.
func (h *hub) sendingLane(party string) string {
	for _, c := range h.connectors {
		if c.Party == party && c.Pusher != nil && c.Alone {
			return "source " + c.Name
		}
	}
	return "push-" + party
}

// engine opens the job engine on the store's own database. It must be stopped.
func (h *hub) engine(ctx context.Context, list []jobs.Job) (*jobs.Engine, error) {
	sqlite, postgres := h.store.Handles()
	return jobs.Open(ctx, jobs.Options{SQLite: sqlite, Postgres: postgres, ID: h.holder, Zone: h.config.Location(), Now: h.now, Log: h.log, Jobs: list})
}

type runCommand struct {
	Job string `arg:"" help:"A job's name: sync, reconcile, report, digest, notices, sweep, \"pull SOURCE\", \"sweep SOURCE\", \"push PARTY\" (the practice's is \"push practice\")."`
}

// Run runs one job in the foreground and keeps its history.
func (c *runCommand) Run(ctx context.Context, s *scene) (err error) {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	h.foreground = true
	engine, err := h.engine(ctx, h.jobs(func(string) {}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Stop(context.WithoutCancel(ctx))) }()
	if err := h.store.Audit(ctx, h.actor, "run "+c.Job, "", ""); err != nil {
		return fmt.Errorf("note in the audit log: %w", err)
	}
	run, err := engine.RunNow(ctx, c.Job)
	switch {
	case errors.Is(err, jobs.ErrBusy):
		s.printf("%s: another process is at it and does the work\n", c.Job)
		return nil
	case err != nil:
		return err // it names the job
	}
	s.printf("%s%s\n", c.Job, words(run.Counts))
	if c.Job == "report" {
		s.printf("The report lies in %s.\n", h.config.Path(h.config.Hub.Reports))
	}
	return nil
}
