package store

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// pipeline sends the writes of one transaction on PostgreSQL many at a time: a statement whose result nobody asks for
// waits until a result is asked for, and then goes with all that wait before it, in their order. An error of one that
// waited comes with the flush, and undoes the transaction as it would have at once.
type pipeline struct {
	*sql.Tx
	conn  *sql.Conn
	batch pgx.Batch
}

// pipelineSize bounds what waits.
const pipelineSize = 256

// ExecContext queues the statement. Its result flushes.
func (p *pipeline) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	w := &waiting{p: p, ctx: ctx}
	p.batch.Queue(query, args...).Exec(func(tag pgconn.CommandTag) error {
		w.rows = tag.RowsAffected()
		return nil
	})
	if p.batch.Len() >= pipelineSize {
		return w, p.flush(ctx)
	}
	return w, nil
}

// QueryContext flushes, then asks.
func (p *pipeline) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	return p.Tx.QueryContext(ctx, query, args...)
}

// QueryRowContext flushes, then asks. A flush that failed has left the transaction unusable, so that the row tells.
func (p *pipeline) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	_ = p.flush(ctx)
	return p.Tx.QueryRowContext(ctx, query, args...)
}

// flush sends what waits and reads every answer.
func (p *pipeline) flush(ctx context.Context) error {
	if p.batch.Len() == 0 {
		return nil
	}
	batch := p.batch
	p.batch = pgx.Batch{}
	return p.conn.Raw(func(dc any) error {
		return dc.(*stdlib.Conn).Conn().SendBatch(ctx, &batch).Close()
	})
}

// waiting is the result of a statement that has not been sent yet.
type waiting struct {
	p    *pipeline
	ctx  context.Context
	rows int64
}

var _ sql.Result = (*waiting)(nil)

func (w *waiting) LastInsertId() (int64, error) { return driver.ResultNoRows.LastInsertId() }

func (w *waiting) RowsAffected() (int64, error) {
	err := w.p.flush(w.ctx)
	return w.rows, err
}
