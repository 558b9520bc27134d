package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// hold is a lane held by this process.
type hold struct {
	lane  string
	fence int64
}

// errLost ends a run whose lane went to another holder, because this one was not heard of for too long.
var errLost = errors.New("the lane was lost: this process was not heard of for too long")

// take takes a lane, or answers ErrBusy. The row holds it against other replicas, the map against this process itself,
// which may outlive its own lease (a laptop that slept).
func (e *Engine) take(ctx context.Context, lane string) (hold, error) {
	e.mu.Lock()
	busy := e.lanes[lane]
	e.lanes[lane] = true
	e.mu.Unlock()
	if busy {
		return hold{}, ErrBusy
	}
	now, h := e.now(), hold{lane: lane}
	err := e.db.QueryRowContext(ctx, `INSERT INTO job_lane (lane, holder, fence, until) VALUES ($1, $2, 1, $3)
		ON CONFLICT (lane) DO UPDATE SET holder = excluded.holder, fence = job_lane.fence + 1, until = excluded.until
		WHERE job_lane.until <= $4
		RETURNING fence`,
		lane, e.holder, now.Add(e.tempo.lease).UnixMilli(), now.UnixMilli()).Scan(&h.fence)
	if err != nil {
		e.letGo(lane)
		if errors.Is(err, sql.ErrNoRows) {
			return hold{}, ErrBusy
		}
		return hold{}, fmt.Errorf("take lane %s: %w", lane, err)
	}
	return h, nil
}

func (e *Engine) letGo(lane string) {
	e.mu.Lock()
	delete(e.lanes, lane)
	e.mu.Unlock()
}

// give gives the lane back, whatever became of ctx.
func (e *Engine) give(ctx context.Context, h hold) error {
	defer e.letGo(h.lane)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_, err := e.db.ExecContext(ctx, `UPDATE job_lane SET until = 0 WHERE lane = $1 AND fence = $2`, h.lane, h.fence)
	if err != nil {
		return fmt.Errorf("give lane %s back: %w", h.lane, err)
	}
	return nil
}

// keep renews the lane until ctx ends, and calls lost when it is another's. A run that ignores the end of its context
// loses the lane one lease later, and another may begin beside it.
func (e *Engine) keep(ctx context.Context, h hold, lost func(error)) {
	tick := time.NewTicker(e.tempo.lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		r, err := e.db.ExecContext(ctx, `UPDATE job_lane SET until = $1 WHERE lane = $2 AND fence = $3`,
			e.now().Add(e.tempo.lease).UnixMilli(), h.lane, h.fence)
		if err != nil {
			continue // the next tick tries again; the lease outlives three of them
		}
		if n, err := r.RowsAffected(); err == nil && n == 0 {
			lost(errLost)
			return
		}
	}
}
