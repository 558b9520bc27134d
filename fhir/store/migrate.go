package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:generate go tool -modfile=../../.ci/tools/go.mod sqlc generate

//go:embed migrations/*.sql
var migrations embed.FS

const (
	sqliteDialect   = goose.DialectSQLite3
	postgresDialect = goose.DialectPostgres

	migrationLock = 7265766 // one number for every replica's pg_advisory_lock
)

// migrate brings the tables up to date. The caller holds the lock that keeps other processes out.
func migrate(ctx context.Context, dialect goose.Dialect, conn *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, conn, dir, goose.WithDisableGlobalRegistry(true),
		goose.WithAllowOutofOrder(true)) // each stands by itself: one that was written side by side may come late
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
