package jobs

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

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

// lockID and aliveID are PostgreSQL advisory locks, beside the schema's own number: under the first, replicas that start
// together migrate one after the other; the second is shared by all that are alive.
const (
	lockID  = 0x6b61706a // "kapj"
	aliveID = 0x6b61706b
)

func (e *Engine) openSQLite(ctx context.Context, db *sql.DB) error {
	e.db = db
	var path string
	if err := db.QueryRowContext(ctx, `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&path); err != nil {
		return fmt.Errorf("where is the database: %w", err)
	}
	life, err := live(ctx, path)
	if err != nil {
		return fmt.Errorf("be seen alive beside the database: %w", err)
	}
	e.leave = life.end
	d := riversqlite.New(db)
	if err := migrate(ctx, e.log, goose.DialectSQLite3, db, d); err != nil {
		return err
	}
	if life.alone {
		if err := e.takeUpOrphans(ctx); err != nil {
			return err
		}
		if err := life.share(); err != nil {
			return fmt.Errorf("be seen alive beside the database: %w", err)
		}
	}
	e.queue, err = openQueue(e, d)
	return err
}

func (e *Engine) openPostgres(ctx context.Context, pool *pgxpool.Pool) (err error) {
	e.db = stdlib.OpenDBFromPool(pool)
	lock, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("reach PostgreSQL: %w", err)
	}
	// Out of the pool, and for as long as the engine lives: when the process dies, so does the lock.
	conn := lock.Hijack()
	e.leave = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return conn.Close(ctx)
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtext(current_schema()), $1)`, lockID); err != nil {
		return fmt.Errorf("wait for the migration lock: %w", err)
	}
	d := riverpgxv5.New(pool)
	if err := migrate(ctx, e.log, goose.DialectPostgres, e.db, d); err != nil {
		return err
	}
	var alone bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtext(current_schema()), $1)`, aliveID).Scan(&alone); err != nil {
		return fmt.Errorf("see who is alive: %w", err)
	}
	if alone {
		if err := e.takeUpOrphans(ctx); err != nil {
			return err
		}
	}
	// A session holds its own lock twice without waiting; the exclusive one goes, the shared one stays.
	for _, statement := range []string{
		`SELECT pg_advisory_unlock(hashtext(current_schema()), $1)`, `SELECT pg_advisory_lock_shared(hashtext(current_schema()), $1)`,
	} {
		if _, err := conn.Exec(ctx, statement, aliveID); err != nil {
			return fmt.Errorf("be seen alive: %w", err)
		}
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock(hashtext(current_schema()), $1)`, lockID); err != nil {
		return fmt.Errorf("give the migration lock back: %w", err)
	}
	e.queue, err = openQueue(e, d)
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

// takeUpOrphans releases what dead processes were at; it is called when nobody else is alive. Slots run again; looks
// come again anyway. Without it the lanes, River's leader and its rescuer would each be waited for.
func (e *Engine) takeUpOrphans(ctx context.Context) error {
	tx, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, statement := range []string{
		`UPDATE job_lane SET until = 0`,
		`DELETE FROM river_job WHERE state = 'running' AND (kind <> 'slot' OR attempt >= max_attempts)`,
		`UPDATE river_job SET state = 'available' WHERE state = 'running'`,
		`DELETE FROM river_leader`,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("take up what a dead process was at: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE job_run SET ended = $1, error = $2 WHERE ended = 0`, e.now().UnixMilli(), cutOff); err != nil {
		return fmt.Errorf("take up what a dead process was at: %w", err)
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
