// Package jobs is the engine: which job runs when, where and how often. It knows River and time, not FHIR,
// and holds no facts: the store's rows are the queue, a nudge only says "look now".
package jobs

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Counts are what a run did, by name ("versions", "sent").
type Counts map[string]int64

// Job is something that can be run by schedule, by nudge and by hand; running it twice does no harm.
type Job struct {
	Name     string        // "pull ehr", "reconcile", "push skylight": hub and source names only
	Lane     string        // jobs of one lane never run at the same time, over all replicas
	Schedule string        // cron (robfig, standard five fields), in the hub's zone; "" = none
	Look     time.Duration // also run this often; 0 = not
	Timeout  time.Duration
	Work     func(ctx context.Context) (Counts, error)
}

// Run is one line of the run history.
type Run struct {
	ID      int64
	Job     string
	Trigger string // "schedule", "catch-up", "nudge", "look", "hand"
	Began   time.Time
	Ended   time.Time // zero while it runs
	Counts  Counts
	Error   string // coded; no client data
}

// Options are what Open needs. Exactly one of SQLite and Postgres is set.
type Options struct {
	SQLite   *sql.DB
	Postgres *pgxpool.Pool
	ID       string // of this process
	Zone     *time.Location
	Now      func() time.Time
	Log      *slog.Logger
	Jobs     []Job
}

// Engine runs jobs.
type Engine struct{}

// Open migrates the engine's own tables under one lock, checks the schedules and does nothing else.
func Open(ctx context.Context, o Options) (*Engine, error) { panic("to be written") }

// Start begins schedules and queue; Stop waits for running jobs until ctx ends.
func (e *Engine) Start(ctx context.Context) error { panic("to be written") }
func (e *Engine) Stop(ctx context.Context) error  { panic("to be written") }

// Nudge says "look now"; a lost nudge costs at most the job's Look.
func (e *Engine) Nudge(ctx context.Context, job string) error { panic("to be written") }

// RunNow runs a job in the foreground, by hand, and keeps its history.
func (e *Engine) RunNow(ctx context.Context, job string) (Run, error) { panic("to be written") }

// Runs returns the newest runs first.
func (e *Engine) Runs(ctx context.Context, limit int) ([]Run, error) { panic("to be written") }
