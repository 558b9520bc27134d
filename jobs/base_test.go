package jobs

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/kaphub/kaphub/fhir/store/storetest"
)

// brisk is a tempo for tests; nothing in them waits for a tick of it unless the test is about ticks.
var brisk = tempo{due: time.Hour, poll: 100 * time.Millisecond, lease: time.Minute, again: 50 * time.Millisecond, tell: 20 * time.Millisecond, keep: 100}

const deadline = time.Minute

// base is one empty database.
type base struct{ name, address string }

// on runs a test against every kind of database.
func on(t *testing.T, test func(t *testing.T, b base)) {
	t.Run("sqlite", func(t *testing.T) { test(t, base{"sqlite", filepath.Join(t.TempDir(), "jobs.db")}) })
	t.Run("postgres", func(t *testing.T) { test(t, base{"postgres", storetest.Postgres(t)}) })
}

// handles opens the database anew, as another process would.
func (b base) handles(t *testing.T) Options {
	t.Helper()
	if b.name == "sqlite" {
		return Options{SQLite: openFile(t, b.address)}
	}
	pool, err := pgxpool.New(context.Background(), b.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return Options{Postgres: pool}
}

func openFile(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// unseen waits until the database has noticed that nobody is alive any more.
func (b base) unseen(t *testing.T) {
	t.Helper()
	if b.name == "sqlite" {
		return // the system took the lock with the process
	}
	pool := b.handles(t).Postgres
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(deadline); time.Now().Before(end); <-tick.C {
		var alive int
		if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
			WHERE l.locktype = 'advisory' AND d.datname = current_database()`).Scan(&alive); err != nil {
			t.Fatal(err)
		}
		if alive == 0 {
			return
		}
	}
	t.Fatalf("after %v the dead are still seen alive", deadline)
}

// clock is a clock that tests put forward.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: at(time.UTC, "2026-03-03 09:00:00")} }

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) forward(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

// engine opens an engine on b and stops it at the test's end.
func engine(t *testing.T, b base, c *clock, jobs ...Job) *Engine {
	t.Helper()
	return engineAt(t, b, c, brisk, jobs...)
}

func engineAt(t *testing.T, b base, c *clock, tempo tempo, jobs ...Job) *Engine {
	t.Helper()
	o := b.handles(t)
	o.ID, o.Now, o.Zone, o.Jobs = "test", c.now, time.UTC, jobs
	e, err := open(t.Context(), o, tempo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.leave() })
	return e
}

func start(t *testing.T, e *Engine) {
	t.Helper()
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		if err := e.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// told is a channel on which work tells that it was done.
type told chan string

func (c told) work(name string) func(context.Context) (Counts, error) {
	return func(context.Context) (Counts, error) { c <- name; return Counts{"done": 1}, nil }
}

func wait[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(deadline):
		t.Fatalf("after %v there is still no sign of: %s", deadline, what)
	}
	return v
}

// ended waits until the history has n ended runs, and returns it oldest first.
func ended(t *testing.T, e *Engine, n int) []Run {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(deadline); time.Now().Before(end); <-tick.C {
		runs, err := e.Runs(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		var out []Run
		for _, r := range runs {
			if !r.Ended.IsZero() {
				out = append([]Run{r}, out...)
			}
		}
		if len(out) >= n {
			return out
		}
	}
	t.Fatalf("after %v there are not %d ended runs", deadline, n)
	return nil
}

func triggers(runs []Run) string {
	var out []string
	for _, r := range runs {
		out = append(out, r.Job+" by "+r.Trigger)
	}
	return strings.Join(out, ", ")
}
