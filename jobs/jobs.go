// Package jobs is the engine, which says which job runs when, where and how often; it knows River and time, and nothing
// of FHIR or of any client: the store's rows are the queue, a nudge only says "look now".
package jobs

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrBusy says that another run holds the job's lane. It is an answer, not a failure: the holder does the work.
var ErrBusy = errors.New("another run holds this lane and does the work")

// Counts are what a run did, by name ("versions", "sent").
type Counts map[string]int64

// Job is something that can be run by schedule, by nudge and by hand; running it twice does no harm.
type Job struct {
	Name     string        // "pull ehr", "reconcile", "push skylight": hub and source names only
	Lane     string        // jobs of one lane never run at the same time, over all replicas; "" = a lane of its own
	Schedule string        // cron (robfig, standard five fields), in the hub's zone; "" = none
	Look     time.Duration // also run this often; 0 = not
	Timeout  time.Duration // of a run in the queue; 0 = DefaultTimeout. A run by hand ends with its caller's context.
	Work     func(ctx context.Context) (Counts, error)
}

// DefaultTimeout ends a run in the queue whose job names no Timeout.
const DefaultTimeout = 15 * time.Minute

// The triggers of a run.
const (
	BySchedule = "schedule"
	ByCatchUp  = "catch-up" // one run for all slots that were missed
	ByNudge    = "nudge"
	ByLook     = "look"
	ByHand     = "hand"
)

// Run is one line of the run history.
type Run struct {
	ID      int64
	Job     string
	Lane    string
	Trigger string
	Began   time.Time
	Ended   time.Time // zero while it runs, and of one whose process died until another run of its lane begins
	Dead    bool      // its process died: it has no end, and its lane is not held
	Counts  Counts    // while it runs: how far it has come
	Error   string    // coded; no client data
}

// Options are what Open needs. Exactly one of SQLite and Postgres is set.
type Options struct {
	SQLite   *sql.DB        // with one connection
	Postgres *pgxpool.Pool  // with at least two connections; the engine takes one more out of it, to be seen alive
	ID       string         // of this process, as shown
	Zone     *time.Location // of the schedules; nil = UTC
	Now      func() time.Time
	Log      *slog.Logger // hears River's warnings and the engine's own; nil = nobody
	Jobs     []Job
}

// tempo is how fast the engine looks and how long it waits; tests choose their own.
type tempo struct {
	due   time.Duration // between two looks at the schedules
	poll  time.Duration // between two looks at a queue that nobody announced anything for
	lease time.Duration // a lane whose holder was not heard of for so long is free
	again time.Duration // a job that found its lane busy asks again after this
	tell  time.Duration // between two notes of how far a run has come
	keep  int           // lines of history
}

var usual = tempo{due: 30 * time.Second, poll: 2 * time.Second, lease: 20 * time.Second, again: 2 * time.Second, tell: time.Second, keep: 5000}

// Engine runs jobs. It is safe for concurrent use.
type Engine struct {
	db       *sql.DB
	queue    queue
	leave    func() error // no longer be seen alive
	holder   string       // this process, this time
	now      func() time.Time
	log      *slog.Logger
	tempo    tempo
	jobs     map[string]Job
	names    []string // of jobs, in the order given
	cron     map[string]schedule
	stopping atomic.Bool

	mu    sync.Mutex
	lanes map[string]bool   // held by this process
	told  map[string]Counts // how far the jobs have come that run in this process
}

// Open migrates the engine's own tables under one lock and checks the jobs and their schedules; all mistakes in them are
// reported together. When no other process is alive, it takes up what a dead one was at.
func Open(ctx context.Context, o Options) (*Engine, error) { return open(ctx, o, usual) }

func open(ctx context.Context, o Options, t tempo) (*Engine, error) {
	if (o.SQLite == nil) == (o.Postgres == nil) {
		return nil, errors.New("open job engine: exactly one of SQLite and Postgres must be given")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{
		now: o.Now, log: o.Log, tempo: t,
		// Unlike a host's name or a process id, it never comes back after a restart.
		holder: strings.Trim(o.ID+"-"+rand.Text()[:8], "-"),
		leave:  func() error { return nil },
		jobs:   map[string]Job{}, cron: map[string]schedule{}, lanes: map[string]bool{}, told: map[string]Counts{},
	}
	if err := e.add(o.Jobs, o.Zone); err != nil {
		return nil, fmt.Errorf("open job engine: %w", err)
	}
	var err error
	if o.SQLite != nil {
		err = e.openSQLite(ctx, o.SQLite)
	} else {
		err = e.openPostgres(ctx, o.Postgres)
	}
	if err != nil {
		return nil, fmt.Errorf("open job engine: %w", errors.Join(err, e.leave()))
	}
	e.leave = sync.OnceValue(e.leave)
	return e, nil
}

func (e *Engine) add(list []Job, zone *time.Location) error {
	var wrong []error
	refuse := func(job, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("job %q: %w", job, fmt.Errorf(format, args...)))
	}
	for _, j := range list {
		if j.Lane == "" {
			j.Lane = j.Name
		}
		if j.Timeout == 0 {
			j.Timeout = DefaultTimeout
		}
		switch _, twice := e.jobs[j.Name]; {
		case j.Name == "":
			refuse(j.Name, "it has no name")
		case twice:
			refuse(j.Name, "the name is given twice")
		case j.Work == nil:
			refuse(j.Name, "it has no work")
		case j.Look < 0 || j.Look > 0 && j.Look < time.Second:
			refuse(j.Name, "look %v is below one second", j.Look)
		case j.Timeout < 0:
			refuse(j.Name, "timeout %v is negative", j.Timeout)
		}
		if j.Schedule != "" {
			s, err := parse(j.Schedule, zone, e.now())
			if err != nil {
				refuse(j.Name, "%w", err)
			}
			e.cron[j.Name] = s
		}
		e.jobs[j.Name] = j
		e.names = append(e.names, j.Name)
	}
	return errors.Join(wrong...)
}

// lanesInOrder are the lanes of all jobs, each once.
func (e *Engine) lanesInOrder() []string {
	var out []string
	for _, name := range e.names {
		if lane := e.jobs[name].Lane; !slices.Contains(out, lane) {
			out = append(out, lane)
		}
	}
	return out
}

// Start begins schedules and queue. Cancelling ctx does not stop the engine: Stop does.
func (e *Engine) Start(ctx context.Context) error {
	e.stopping.Store(false)
	if err := e.queue.start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start job engine: %w", err)
	}
	return nil
}

// Stop takes no more work and waits for running jobs until ctx ends; then their contexts are cancelled, they get a few
// seconds to return, and what the schedule had asked for runs again at the next Start. An engine that was stopped is
// done: whoever opens next may take what it still does for dead. Stop needs no Start.
func (e *Engine) Stop(ctx context.Context) error {
	e.stopping.Store(true)
	err := e.queue.stop(ctx)
	if err != nil {
		hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err = e.queue.cancel(hard); err != nil {
			err = fmt.Errorf("a job ignores that it was told to stop: %w", err)
		}
	}
	if err = errors.Join(err, e.leave()); err != nil {
		return fmt.Errorf("stop job engine: %w", err)
	}
	return nil
}

// Nudge says "look now"; a lost nudge costs at most the job's Look. A nudge during a run brings another run after it.
func (e *Engine) Nudge(ctx context.Context, job string) error {
	j, ok := e.jobs[job]
	if !ok {
		return fmt.Errorf("nudge: %w", e.unknown(job))
	}
	if err := e.queue.insert(ctx, look{Job: j.Name, Asked: e.now().UnixMilli(), Nudge: true}, e.lookOpts(j)); err != nil {
		return fmt.Errorf("nudge %s: %w", job, err)
	}
	return nil
}

// Ask has a job run in the queue, soon and by hand. While a run of its lane is under way it asks for nothing, and answers
// with that run and ErrBusy. Whoever asks twice before it begins gets one run.
func (e *Engine) Ask(ctx context.Context, job string) (Run, error) {
	j, ok := e.jobs[job]
	if !ok {
		return Run{}, fmt.Errorf("ask: %w", e.unknown(job))
	}
	running, err := e.Running(ctx)
	if err != nil {
		return Run{}, err
	}
	for _, r := range running {
		if r.Lane == j.Lane {
			return r, ErrBusy
		}
	}
	if err := e.queue.insert(ctx, look{Job: j.Name, Asked: e.now().UnixMilli(), Nudge: true, Hand: true}, e.lookOpts(j)); err != nil {
		return Run{}, fmt.Errorf("ask for %s: %w", job, err)
	}
	return Run{}, nil
}

// RunNow runs a job in the foreground, by hand, and keeps its history. The error is the work's own, or ErrBusy.
// It needs no Start.
func (e *Engine) RunNow(ctx context.Context, job string) (Run, error) {
	j, ok := e.jobs[job]
	if !ok {
		return Run{}, fmt.Errorf("run: %w", e.unknown(job))
	}
	return e.run(ctx, j, ByHand)
}

func (e *Engine) unknown(job string) error {
	return fmt.Errorf("there is no job %q; there are: %s", job, strings.Join(e.names, ", "))
}
