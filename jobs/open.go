package jobs

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migrations/*.sql
var migrations embed.FS

// versions is the goose table of the engine's own migrations; the store has another.
const versions = "jobs_version"

// migrating stands in for a lock on SQLite, whose file this process holds alone.
var migrating sync.Mutex

// lockID is the PostgreSQL advisory lock under which replicas that start together migrate one after the other.
const lockID = 0x6b61706a6f6273 // "kapjobs"

func (e *Engine) openSQLite(ctx context.Context, db *sql.DB) error {
	e.db, e.sqlite = db, true
	d := riversqlite.New(db)
	migrating.Lock()
	defer migrating.Unlock()
	if err := migrate(ctx, e.log, goose.DialectSQLite3, db, d); err != nil {
		return err
	}
	var err error
	// Nothing announces a job that was put in by this process' own transaction, but everything else does: poll seldom.
	e.queue, err = openQueue(e, d, e.tempo.poll)
	return err
}

func (e *Engine) openPostgres(ctx context.Context, pool *pgxpool.Pool) (err error) {
	e.db = stdlib.OpenDBFromPool(pool)
	d := riverpgxv5.New(pool)
	lock, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("reach PostgreSQL: %w", err)
	}
	defer lock.Release()
	if _, err := lock.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(lockID)); err != nil {
		return fmt.Errorf("wait for the migration lock: %w", err)
	}
	defer func() {
		_, unlocked := lock.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(lockID))
		err = errors.Join(err, unlocked)
	}()
	if err := migrate(ctx, e.log, goose.DialectPostgres, e.db, d); err != nil {
		return err
	}
	e.queue, err = openQueue(e, d, e.tempo.poll)
	return err
}

// migrate brings the engine's tables up to date, then River's.
func migrate[T any](ctx context.Context, log *slog.Logger, dialect goose.Dialect, db *sql.DB, d riverdriver.Driver[T]) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	own, err := goose.NewProvider(dialect, db, files, goose.WithTableName(versions), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrate the engine's tables: %w", err)
	}
	if _, err := own.Up(ctx); err != nil {
		return fmt.Errorf("migrate the engine's tables: %w", err)
	}
	rivers, err := rivermigrate.New(d, &rivermigrate.Config{Logger: quiet(log)})
	if err != nil {
		return fmt.Errorf("migrate River's tables: %w", err)
	}
	if _, err := rivers.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate River's tables: %w", err)
	}
	return nil
}

// takeUpOrphans releases what a dead process was at: on SQLite nobody else can be at it. Slots run again; looks come
// again anyway. Without it River would wait for the dead leader and for its rescuer.
func (e *Engine) takeUpOrphans(ctx context.Context) error {
	tx, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, statement := range []string{
		`DELETE FROM river_job WHERE state = 'running' AND (kind <> 'slot' OR attempt >= max_attempts)`,
		`UPDATE river_job SET state = 'available' WHERE state = 'running'`,
		`DELETE FROM river_leader`,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("take up what a dead process was at: %w", err)
		}
	}
	return tx.Commit()
}

// quiet lets River's warnings through, and no more.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(warnings{log.Handler()}) }

type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}
func (w warnings) WithAttrs(a []slog.Attr) slog.Handler { return warnings{w.Handler.WithAttrs(a)} }
func (w warnings) WithGroup(g string) slog.Handler      { return warnings{w.Handler.WithGroup(g)} }
