package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
)

// due compares every schedule's last slot with the clock and puts into the queue what is asked for. The job is unique
// by (name, slot) and goes in before the slot moves: whatever stops between the two only makes it ask once more.
func (e *Engine) due(ctx context.Context) error {
	var wrong []error
	for _, name := range e.names {
		s, ok := e.cron[name]
		if !ok {
			continue
		}
		if err := e.dueOne(ctx, e.jobs[name], s); err != nil {
			wrong = append(wrong, fmt.Errorf("schedule of %s: %w", name, err))
		}
	}
	if err := e.prune(ctx); err != nil {
		wrong = append(wrong, fmt.Errorf("prune run history: %w", err))
	}
	return errors.Join(wrong...)
}

func (e *Engine) dueOne(ctx context.Context, j Job, s schedule) error {
	now := e.now()
	last, err := e.slot(ctx, j.Name)
	if err != nil {
		return err
	}
	if last.IsZero() { // first seen: nothing was missed
		return e.moveSlot(ctx, j.Name, last, now)
	}
	if last.After(now.Add(time.Hour)) {
		e.log.WarnContext(ctx, "a schedule's last slot lies ahead of the clock: was the clock put back?", "job", j.Name)
		return e.moveSlot(ctx, j.Name, last, now)
	}
	at, missed := overdue(s, last, now)
	if at.IsZero() {
		return nil
	}
	opts := &river.InsertOpts{Queue: queueOf(j.Lane), MaxAttempts: attempts(j), UniqueOpts: river.UniqueOpts{ByArgs: true}}
	if err := e.queue.insert(ctx, slotted{Job: j.Name, Slot: at.UnixMilli(), Late: missed}, opts); err != nil {
		return err
	}
	return e.moveSlot(ctx, j.Name, last, at)
}

// attempts is how often a slot is tried: once where the job is looked at again anyway, else a few times, so that
// neither a failure nor a dead process costs a whole night.
func attempts(j Job) int {
	if j.Look > 0 {
		return 1
	}
	return 3
}

// slot is the newest slot of the job that was put in the queue; zero if there was none.
func (e *Engine) slot(ctx context.Context, job string) (time.Time, error) {
	return e.instant(ctx, `SELECT slot FROM job_slot WHERE job = $1`, job)
}

// began is when the newest run of the job began; zero if there was none.
func (e *Engine) began(ctx context.Context, job string) (time.Time, error) {
	return e.instant(ctx, `SELECT began FROM job_slot WHERE job = $1`, job)
}

func (e *Engine) instant(ctx context.Context, query, job string) (time.Time, error) {
	var ms int64
	err := e.db.QueryRowContext(ctx, query, job).Scan(&ms)
	if errors.Is(err, sql.ErrNoRows) || err == nil && ms == 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(ms).UTC(), err
}

// moveSlot moves a schedule's slot; when another replica moved it first, that one stands.
func (e *Engine) moveSlot(ctx context.Context, job string, from, to time.Time) error {
	var was int64
	if !from.IsZero() {
		was = from.UnixMilli()
	}
	_, err := e.db.ExecContext(ctx, `INSERT INTO job_slot (job, slot, began) VALUES ($1, $2, 0)
		ON CONFLICT (job) DO UPDATE SET slot = excluded.slot WHERE job_slot.slot = $3`, job, to.UnixMilli(), was)
	return err
}
