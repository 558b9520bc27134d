package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
)

// run takes the job's lane, works, and keeps the history; every trigger comes through here. The error is the work's
// own, ErrBusy, or what kept the engine from its tables; only a run that began has an ID.
func (e *Engine) run(ctx context.Context, j Job, trigger string) (r Run, err error) {
	h, err := e.take(ctx, j.Lane)
	if err != nil {
		return Run{}, err
	}
	defer func() { err = errors.Join(err, e.give(ctx, h)) }()
	if r, err = e.begin(ctx, j, trigger); err != nil {
		return Run{}, fmt.Errorf("note that %s began: %w", j.Name, err)
	}
	working, lost := context.WithCancelCause(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { e.keep(working, h, lost) })
	e.heed(j.Name, true)
	defer e.heed(j.Name, false)
	beside.Go(func() { e.tell(working, r) })
	counts, err := work(working, j)
	if err != nil && errors.Is(context.Cause(working), errLost) {
		err = errors.Join(errLost, err)
	}
	lost(nil)
	beside.Wait()
	r.Ended, r.Counts, r.Error = e.now(), counts, coded(err)
	if noted := e.end(ctx, r); noted != nil {
		err = errors.Join(err, fmt.Errorf("note that %s ended: %w", j.Name, noted))
	}
	return r, err
}

// work does the work; a panic becomes an error that says where, and never with which value: it may hold a name.
func work(ctx context.Context, j Job) (counts Counts, err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		what := "panic"
		if known, ok := p.(runtime.Error); ok {
			what = known.Error()
		}
		err = fmt.Errorf("%s: stopped by a mistake in the program: %s at %s", j.Name, what, origin())
	}()
	return j.Work(ctx)
}

// origin names the line that panicked.
func origin() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		if !more {
			return "an unknown line"
		}
	}
}

// coded is an error's text as the history keeps it: one line, bounded.
func coded(err error) string {
	if err == nil {
		return ""
	}
	const most = 500
	text := strings.Join(strings.Fields(err.Error()), " ")
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return text
}

// cutOff is what the history says of a run whose process died.
const cutOff = "it was stopped before its end"

// begin notes that a run began. Whoever holds the lane knows that older runs in it, still open, are dead.
func (e *Engine) begin(ctx context.Context, j Job, trigger string) (Run, error) {
	r := Run{Job: j.Name, Lane: j.Lane, Trigger: trigger, Began: e.now()}
	at := r.Began.UnixMilli()
	tx, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return Run{}, err
	}
	defer func() { _ = tx.Rollback() }()
	if err := tx.QueryRowContext(ctx, `UPDATE job_counter SET n = n + 1 WHERE name = 'run' RETURNING n`).Scan(&r.ID); err != nil {
		return Run{}, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE job_run SET ended = $1, error = $2 WHERE lane = $3 AND ended = 0`, at, cutOff, j.Lane); err != nil {
		return Run{}, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO job_run (id, job, lane, cause, began, ended, counts, error) VALUES ($1, $2, $3, $4, $5, 0, '{}', '')`,
		r.ID, j.Name, j.Lane, trigger, at); err != nil {
		return Run{}, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO job_slot (job, slot, began) VALUES ($1, 0, $2)
		ON CONFLICT (job) DO UPDATE SET began = excluded.began`, j.Name, at); err != nil {
		return Run{}, err
	}
	return r, tx.Commit()
}

// end notes how a run ended, whatever became of ctx. A look that found nothing to do leaves no line.
func (e *Engine) end(ctx context.Context, r Run) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if r.Trigger == ByLook && r.Error == "" && idle(r.Counts) {
		_, err := e.db.ExecContext(ctx, `DELETE FROM job_run WHERE id = $1`, r.ID)
		return err
	}
	counts, err := json.Marshal(r.Counts)
	if err != nil {
		return err
	}
	_, err = e.db.ExecContext(ctx, `UPDATE job_run SET ended = $1, counts = $2, error = $3 WHERE id = $4`,
		r.Ended.UnixMilli(), string(counts), r.Error, r.ID)
	return err
}

func idle(c Counts) bool {
	for _, n := range c {
		if n != 0 {
			return false
		}
	}
	return true
}

// prune keeps the newest lines of the history.
func (e *Engine) prune(ctx context.Context) error {
	_, err := e.db.ExecContext(ctx, `DELETE FROM job_run WHERE ended <> 0 AND id <= (SELECT n FROM job_counter WHERE name = 'run') - $1`, e.tempo.keep)
	return err
}
