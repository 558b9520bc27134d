package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
)

// queue is River with its transaction type erased.
type queue interface {
	start(ctx context.Context) error
	stop(ctx context.Context) error   // waits for running jobs
	cancel(ctx context.Context) error // cancels running jobs, then waits
	insert(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) error
	list(ctx context.Context, p *river.JobListParams) ([]*rivertype.JobRow, error)
}

type client[T any] struct{ *river.Client[T] }

func (c client[T]) start(ctx context.Context) error  { return c.Start(ctx) }
func (c client[T]) stop(ctx context.Context) error   { return c.Stop(ctx) }
func (c client[T]) cancel(ctx context.Context) error { return c.StopAndCancel(ctx) }
func (c client[T]) insert(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) error {
	_, err := c.Insert(ctx, args, opts)
	return err
}
func (c client[T]) list(ctx context.Context, p *river.JobListParams) ([]*rivertype.JobRow, error) {
	found, err := c.JobList(ctx, p)
	if err != nil {
		return nil, err
	}
	return found.Jobs, nil
}

// River's job arguments hold names and slots only.
type (
	// dueCheck asks the engine to look at the schedules.
	dueCheck struct{}

	// slotted is what one slot of a schedule asked for: once per name and slot, over all replicas.
	slotted struct {
		Job  string `json:"job"  river:"unique"`
		Slot int64  `json:"slot" river:"unique"`
		Late bool   `json:"late"`
	}

	// look asks for a run that begins after Asked. It is not unique: a unique job would be skipped while its twin runs.
	look struct {
		Job   string `json:"job"`
		Asked int64  `json:"asked"`
		Nudge bool   `json:"nudge"`
		Hand  bool   `json:"hand,omitempty"`
	}
)

func (dueCheck) Kind() string { return "due" }
func (slotted) Kind() string  { return "slot" }
func (look) Kind() string     { return "look" }

const dueQueue = "due"

// queueOf is the River queue of a lane: readable, and never the same for two lanes.
func queueOf(lane string) string {
	sum := sha256.Sum256([]byte(lane))
	words := strings.FieldsFunc(strings.ToLower(lane), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	slug := strings.Join(words, "-")
	if len(slug) > 40 {
		slug = strings.TrimRight(slug[:40], "-")
	}
	return strings.TrimLeft(slug+"-"+hex.EncodeToString(sum[:4]), "-")
}

func (e *Engine) lookOpts(j Job) *river.InsertOpts {
	return &river.InsertOpts{Queue: queueOf(j.Lane), MaxAttempts: 1}
}

// openQueue makes the River client: one queue a lane with one worker, the look at the schedules, and each job's own.
func openQueue[T any](e *Engine, d riverdriver.Driver[T]) (queue, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker[dueCheck]{do: func(ctx context.Context, _ dueCheck) error { return e.due(ctx) }})
	river.AddWorker(workers, &worker[slotted]{do: e.workSlot})
	river.AddWorker(workers, &worker[look]{do: e.workLook})

	queues := map[string]river.QueueConfig{dueQueue: {MaxWorkers: 1}}
	for _, lane := range e.lanesInOrder() {
		queues[queueOf(lane)] = river.QueueConfig{MaxWorkers: 1}
	}
	periodic := []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(e.tempo.due),
		func() (river.JobArgs, *river.InsertOpts) {
			return dueCheck{}, &river.InsertOpts{Queue: dueQueue, MaxAttempts: 1}
		}, &river.PeriodicJobOpts{ID: "due", RunOnStart: true})}
	longest := DefaultTimeout
	for _, name := range e.names {
		j := e.jobs[name]
		longest = max(longest, j.Timeout)
		if j.Look == 0 {
			continue
		}
		periodic = append(periodic, river.NewPeriodicJob(river.PeriodicInterval(j.Look),
			func() (river.JobArgs, *river.InsertOpts) {
				return look{Job: j.Name, Asked: e.now().UnixMilli()}, e.lookOpts(j)
			}, &river.PeriodicJobOpts{ID: queueOf("look " + j.Name), RunOnStart: true}))
	}
	c, err := river.NewClient(d, &river.Config{
		ID:                          e.holder,
		Logger:                      quiet(e.log),
		Workers:                     workers,
		Queues:                      queues,
		PeriodicJobs:                periodic,
		FetchPollInterval:           e.tempo.poll,
		JobTimeout:                  -1, // the engine's own: River must not end what the lane still holds
		RescueStuckJobsAfter:        longest + 2*e.tempo.lease,
		CompletedJobRetentionPeriod: time.Hour, // looks are many, and the history is the engine's own
		RetryPolicy:                 patience{},
	})
	if err != nil {
		return nil, err
	}
	return client[T]{c}, nil
}

// patience is how long a slot that failed waits: one minute, then five.
type patience struct{}

func (patience) NextRetry(j *rivertype.JobRow) time.Time {
	return time.Now().Add([]time.Duration{time.Minute, 5 * time.Minute}[min(len(j.Errors), 1)])
}

type worker[A river.JobArgs] struct {
	river.WorkerDefaults[A]
	do func(context.Context, A) error
}

func (w *worker[A]) Work(ctx context.Context, j *river.Job[A]) error { return w.do(ctx, j.Args) }

// workSlot runs what a slot asked for. A busy lane only means later.
func (e *Engine) workSlot(ctx context.Context, a slotted) error {
	j, ok := e.jobs[a.Job]
	if !ok {
		return river.JobCancel(e.unknown(a.Job)) // it left the config since
	}
	trigger := BySchedule
	if a.Late {
		trigger = ByCatchUp
	}
	r, err := e.timed(ctx, j, trigger)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrBusy):
		return river.JobSnooze(e.tempo.again)
	case e.stopping.Load() && ctx.Err() != nil:
		return river.JobSnooze(0) // cut off by Stop: from the start, next time
	case r.ID != 0:
		return errors.New(r.Error)
	}
	return err
}

// workLook runs a job that was nudged or is looked at, unless a run has begun since it was asked for.
// The work's own error is in the history; the next look tries again.
func (e *Engine) workLook(ctx context.Context, a look) error {
	j, ok := e.jobs[a.Job]
	if !ok {
		return river.JobCancel(e.unknown(a.Job))
	}
	began, err := e.began(ctx, j.Name)
	if err != nil {
		return fmt.Errorf("look at %s: %w", j.Name, err)
	}
	if began.UnixMilli() > a.Asked {
		return nil
	}
	trigger := ByLook
	switch {
	case a.Hand:
		trigger = ByHand
	case a.Nudge:
		trigger = ByNudge
	}
	r, err := e.timed(ctx, j, trigger)
	switch {
	case errors.Is(err, ErrBusy) && a.Nudge:
		return river.JobSnooze(e.tempo.again)
	case errors.Is(err, ErrBusy), r.ID != 0:
		return nil
	}
	return err
}

func (e *Engine) timed(ctx context.Context, j Job, trigger string) (Run, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, j.Timeout, fmt.Errorf("%s took longer than %v", j.Name, j.Timeout))
	defer cancel()
	return e.run(ctx, j, trigger)
}
