package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

const runColumns = `r.id, r.job, r.lane, r.cause, r.began, r.ended, r.counts, r.error, CASE WHEN r.ended = 0 AND COALESCE(l.until, 0) <= $1 THEN 1 ELSE 0 END`

// Runs returns the newest runs first. A look that found nothing to do is not kept.
func (e *Engine) Runs(ctx context.Context, limit int) ([]Run, error) {
	runs, err := scanRuns(e.db.QueryContext(ctx, `SELECT `+runColumns+` FROM job_run r LEFT JOIN job_lane l ON l.lane = r.lane ORDER BY r.id DESC LIMIT $2`,
		e.now().UnixMilli(), limit))
	if err != nil {
		return nil, fmt.Errorf("read run history: %w", err)
	}
	return runs, nil
}

// Running returns the runs that are under way, in any process, oldest first: those whose lane is held. What a dead process
// left open is not among them once its lease is over.
func (e *Engine) Running(ctx context.Context) ([]Run, error) {
	runs, err := scanRuns(e.db.QueryContext(ctx, `SELECT `+runColumns+` FROM job_run r JOIN job_lane l ON l.lane = r.lane
		WHERE r.ended = 0 AND l.until > $1 ORDER BY r.id`, e.now().UnixMilli()))
	if err != nil {
		return nil, fmt.Errorf("read what runs: %w", err)
	}
	return runs, nil
}

func scanRuns(rows *sql.Rows, asked error) (runs []Run, err error) {
	if asked != nil {
		return nil, asked
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var (
			r            Run
			began, ended int64
			counts       string
			dead         int
		)
		if err := rows.Scan(&r.ID, &r.Job, &r.Lane, &r.Trigger, &began, &ended, &counts, &r.Error, &dead); err != nil {
			return nil, err
		}
		r.Dead = dead == 1
		r.Began = time.UnixMilli(began).UTC()
		if ended != 0 {
			r.Ended = time.UnixMilli(ended).UTC()
		}
		if err := json.Unmarshal([]byte(counts), &r.Counts); err != nil {
			return nil, fmt.Errorf("counts of run %d: %w", r.ID, err)
		}
		runs = append(runs, r)
	}
	return runs, rows.Err()
}

// Plan is when a job runs by itself.
type Plan struct {
	Job      string
	Lane     string
	Schedule string        // as in the config; "" = none
	Look     time.Duration // it is looked at so often; 0 = not
	Last     time.Time     // the newest slot that was put in the queue; zero = none yet
	Next     time.Time     // the next slot; zero = none
}

// Plans returns every job, in the order in which they were given.
func (e *Engine) Plans(ctx context.Context) ([]Plan, error) {
	var plans []Plan
	for _, name := range e.names {
		j := e.jobs[name]
		p := Plan{Job: name, Lane: j.Lane, Schedule: j.Schedule, Look: j.Look}
		if s, ok := e.cron[name]; ok {
			last, err := e.slot(ctx, name)
			if err != nil {
				return nil, fmt.Errorf("read the schedule of %s: %w", name, err)
			}
			p.Last, p.Next = last, s.Next(e.now())
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// Queued is one entry of River's queue, without its arguments.
type Queued struct {
	ID      int64
	Kind    string // "slot" = a schedule asked, "look" = a look or a nudge, "due" = the look at the schedules
	Lane    string // "" = none of the jobs there are: it left the config, or is the look at the schedules
	State   string // River's own: available, running, scheduled, retryable, pending, discarded, cancelled
	Attempt int
	Most    int // attempts
	Asked   time.Time
	Due     time.Time
	Failed  int // attempts that failed; what they said is in the run history
}

// queuedStates are River's states of what is not at its end, and of what ended without its work done.
var queuedStates = []rivertype.JobState{
	rivertype.JobStateRunning, rivertype.JobStateAvailable, rivertype.JobStateRetryable, rivertype.JobStateScheduled, rivertype.JobStatePending,
	rivertype.JobStateDiscarded, rivertype.JobStateCancelled,
}

// Queue returns what River's queue holds, but for what is done: by state as above, and the newest first. Of a state at most
// limit.
func (e *Engine) Queue(ctx context.Context, limit int) ([]Queued, error) {
	lanes := map[string]string{}
	for _, lane := range e.lanesInOrder() {
		lanes[queueOf(lane)] = lane
	}
	var all []Queued
	for _, state := range queuedStates {
		rows, err := e.queue.list(ctx, river.NewJobListParams().States(state).OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(limit))
		if err != nil {
			return nil, fmt.Errorf("read the queue: %w", err)
		}
		for _, r := range rows {
			all = append(all, Queued{ID: r.ID, Kind: r.Kind, Lane: lanes[r.Queue], State: string(r.State), Attempt: r.Attempt, Most: r.MaxAttempts,
				Asked: r.CreatedAt.UTC(), Due: r.ScheduledAt.UTC(), Failed: len(r.Errors)})
		}
	}
	return all, nil
}

// Tell notes how far a job's run in this process has come: it is kept with the run, about once a second, until the run ends
// and its own counts stand there. Nothing is noted of a job that does not run here.
func (e *Engine) Tell(job string, counts Counts) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, runs := e.told[job]; runs {
		e.told[job] = maps.Clone(counts)
	}
}

// heed has Tell listen to a job, or no longer.
func (e *Engine) heed(job string, runs bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if runs {
		e.told[job] = Counts{}
	} else {
		delete(e.told, job)
	}
}

// tell writes down how far r has come, until ctx ends.
func (e *Engine) tell(ctx context.Context, r Run) {
	tick := time.NewTicker(e.tempo.tell)
	defer tick.Stop()
	for before := "{}"; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		e.mu.Lock()
		text, err := json.Marshal(e.told[r.Job])
		e.mu.Unlock()
		if err != nil || string(text) == before {
			continue
		}
		if _, err := e.db.ExecContext(ctx, `UPDATE job_run SET counts = $1 WHERE id = $2 AND ended = 0`, string(text), r.ID); err == nil {
			before = string(text) // else the next tick tries again: it is only a note
		}
	}
}
