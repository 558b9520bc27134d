package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	_ "github.com/ncruces/go-sqlite3/vfs/adiantum" // pages are encrypted by it

	"github.com/kaphub/kaphub/fhir"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// DB is the one store. Safe for concurrent use, by several processes too.
type DB struct {
	name       string // how an error calls it: a file's name, or host and database; never a password
	now        func() time.Time
	recogniser fhir.Recogniser
	keys       keys
	key        Key
	path       string // of the file, on SQLite

	writer, reader *sql.DB // one connection and several on SQLite; the same on PostgreSQL
	pool           *pgxpool.Pool
	write, read    *table.Queries
	snapshot       sql.TxOptions // for reads that need several queries to agree
}

type keys struct{ audit, tip, digests, sealed, people []byte }

// Open opens the store at o.DSN, makes or migrates its tables, and checks that the key is its key.
// Processes that start together wait for each other.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Key.IsZero() {
		return nil, errors.New("open store: no key: `kaphub init` makes a key file")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	db := &DB{now: o.Now, recogniser: o.Recogniser, key: o.Key,
		keys: keys{audit: o.Key.sub(forAudit), tip: o.Key.sub(forTip), digests: o.Key.sub(forDigests), sealed: o.Key.sub(forSealed), people: o.Key.sub(forPeople)}}
	open := db.openSQLite
	if isPostgres(o.DSN) {
		open = db.openPostgres
	}
	if err := open(ctx, o); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.checkKey(ctx, o.Key); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// Close closes every connection. The handles that Handles gave are closed with it.
func (db *DB) Close() error {
	var errs []error
	for _, q := range []*table.Queries{db.write, db.read} {
		if q != nil {
			errs = append(errs, q.Close())
		}
	}
	if db.reader != nil && db.reader != db.writer {
		errs = append(errs, db.reader.Close())
	}
	if db.writer != nil {
		errs = append(errs, db.writer.Close())
	}
	if db.pool != nil {
		db.pool.Close()
	}
	return errors.Join(errs...)
}

// Handles returns the one writing connection on SQLite, or the pool on PostgreSQL; the other is nil.
// Whoever holds the SQLite connection must not ask for it again.
func (db *DB) Handles() (sqlite *sql.DB, postgres *pgxpool.Pool) {
	if db.pool != nil {
		return nil, db.pool
	}
	return db.writer, nil
}

func (db *DB) openSQLite(ctx context.Context, o Options) error {
	db.name, db.path = filepath.Base(o.DSN), o.DSN
	if err := create(o.DSN); err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	unlock, err := lockFile(ctx, o.DSN+".lock")
	if err != nil {
		return fmt.Errorf("open store %s: %w", db.name, err)
	}
	defer unlock()

	if db.writer, err = sqliteAt(o.DSN, o.Key.sub(forPages), "PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA wal_autocheckpoint = 4000; PRAGMA secure_delete = on"); err != nil {
		return fmt.Errorf("open store %s: %w", db.name, err)
	}
	db.writer.SetMaxOpenConns(1)
	if err := db.writer.PingContext(ctx); err != nil {
		return fmt.Errorf("open store %s: %w", db.name, db.wrongKey(err))
	}
	if err := migrate(ctx, sqliteDialect, db.writer); err != nil {
		return fmt.Errorf("open store %s: %w", db.name, db.wrongKey(err))
	}
	if db.reader, err = sqliteAt(o.DSN, o.Key.sub(forPages), "PRAGMA query_only = on"); err != nil {
		return fmt.Errorf("open store %s: %w", db.name, err)
	}
	db.reader.SetMaxOpenConns(4)
	// Both are encrypted as the file is; yet nobody else needs them.
	for _, beside := range []string{"-wal", "-shm"} {
		if err := os.Chmod(o.DSN+beside, 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("open store: %w", err)
		}
	}
	db.snapshot = sql.TxOptions{ReadOnly: true}
	if db.write, err = table.Prepare(ctx, db.writer); err != nil {
		return fmt.Errorf("open store %s: %w", db.name, err)
	}
	if db.read, err = table.Prepare(ctx, db.reader); err != nil {
		return fmt.Errorf("open store %s: %w", db.name, err)
	}
	return nil
}

// create makes an empty file that only its owner can read, unless there is one already.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// sqliteAt opens the encrypted file at path. The key is handed over by PRAGMA, so that no name or error can carry it.
func sqliteAt(path string, key []byte, pragmas string) (*sql.DB, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(full), RawQuery: "vfs=adiantum&_txlock=immediate"}
	return driver.Open(dsn.String(), func(c *sqlite3.Conn) error {
		return c.Exec("PRAGMA hexkey = '" + hex.EncodeToString(key) + "'; PRAGMA busy_timeout = 10000;" +
			"PRAGMA temp_store = memory; PRAGMA cache_size = -16000; " + pragmas)
	})
}

// wrongKey says in one sentence what a file that cannot be deciphered means.
func (db *DB) wrongKey(err error) error {
	if errors.Is(err, sqlite3.NOTADB) || errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.IOERR_BADKEY) {
		return fmt.Errorf("%s cannot be opened with this key file: use the key file it was made with, or its recovery key; if this is the one, the file is damaged: move it away and restore the last backup", db.name)
	}
	return plain(err)
}

func (db *DB) openPostgres(ctx context.Context, o Options) error {
	config, err := pgxpool.ParseConfig(o.DSN)
	if err != nil {
		return errors.New("open store: store.dsn is no PostgreSQL address: write postgres://user@host/database")
	}
	if !strings.Contains(o.DSN, "pool_max_conns") {
		config.MaxConns = max(config.MaxConns, 16) // the engine works on the same pool
	}
	db.name = config.ConnConfig.Host + "/" + config.ConnConfig.Database
	if db.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return fmt.Errorf("open store %s: %w", db.name, err)
	}
	if err := db.pool.Ping(ctx); err != nil {
		return fmt.Errorf("open store %s: PostgreSQL does not answer, or not to this user: %w", db.name, err)
	}
	db.writer = stdlib.OpenDBFromPool(db.pool)
	db.reader = db.writer
	db.snapshot = sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}

	lock, err := db.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("open store %s: %w", db.name, err)
	}
	defer lock.Release()
	if _, err := lock.Exec(ctx, `SELECT pg_advisory_lock(hashtext(current_schema()), $1)`, migrationLock); err != nil {
		return fmt.Errorf("open store %s: %w", db.name, err)
	}
	err = migrate(ctx, postgresDialect, db.writer)
	_, unlocked := lock.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(hashtext(current_schema()), $1)`, migrationLock)
	if err := cmp.Or(err, unlocked); err != nil {
		return fmt.Errorf("open store %s: %w", db.name, err)
	}
	db.write = table.New(db.writer) // pgx keeps its statements prepared by itself
	db.read = db.write
	return nil
}

// checkKey compares the key with the one the store was made with.
func (db *DB) checkKey(ctx context.Context, key Key) error {
	want := hex.EncodeToString(key.sub(forCheck))
	have, err := db.write.Meta(ctx, metaKey)
	if errors.Is(err, sql.ErrNoRows) {
		err = db.write.FirstMeta(ctx, table.FirstMetaParams{Name: metaKey, Value: want})
		if err == nil {
			have, err = db.write.Meta(ctx, metaKey) // another process may have been first
		}
	}
	if err != nil {
		return fmt.Errorf("open store %s: %w", db.name, plain(err))
	}
	if have != want {
		return fmt.Errorf("open store: %s cannot be opened with this key file: use the key file it was made with, or its recovery key", db.name)
	}
	return nil
}

const (
	metaKey    = "key"    // tells whether a key is the store's, without telling the key
	metaPaused = "paused" // why sending waits
)

// plain says in words what a database's error means to whoever runs the hub. It carries no row and no statement.
func plain(err error) error {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sqlite3.FULL), errors.As(err, &pg) && pg.Code == "53100":
		return fmt.Errorf("the disk is full: free some space and start again; nothing that was stored before is lost: %w", errFull)
	case errors.Is(err, sqlite3.BUSY):
		return errors.New("the store is in use by another process that holds it for too long: stop the other kaphub, then try again")
	case errors.As(err, &pg) && pg.Code == "3F000":
		return errors.New("the schema named in search_path is not there: CREATE SCHEMA it first")
	case errors.As(err, &pg):
		return fmt.Errorf("PostgreSQL says %s (%s)", pg.Code, pg.TableName) // its message may carry a row
	case errors.Is(err, pgx.ErrTxClosed):
		return errors.New("the connection to PostgreSQL was lost")
	}
	return err
}

// errFull marks an error that a full disk caused.
var errFull = errors.New("disk full")
