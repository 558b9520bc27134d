// Package store keeps every version the hub ever saw, and the verdicts, ledger and audit that rest on them, in encrypted
// SQLite or in PostgreSQL.
package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Options are what Open needs.
type Options struct {
	DSN        string // a file's path, or postgres://…
	Key        Key
	Now        func() time.Time
	Recogniser fhir.Recogniser // whom the practice's records make a client
}

// Key is the 32-byte master key; subkeys for pages, audit, digests and backups are derived from it (HKDF). It cannot print itself.
type Key struct{ b [32]byte }

// DB is the one store. Safe for concurrent use, by several processes on PostgreSQL.
type DB struct{}

// What the steps hand to the store and back lives with the language both speak: jobs never import the store.
type (
	Source     = exchange.Source
	Changed    = exchange.Changed
	Lease      = exchange.Lease
	Fence      = exchange.Fence
	Engagement = readiness.Engagement
	Standing   = readiness.Standing
)

// AuditReport is what VerifyAudit found.
type AuditReport struct {
	Entries int64
	Broken  []int64  // sequence numbers that do not fit the chain
	Altered []string // versions or deliveries whose digest differs from the one audited, by key
}

// AuditEntry is one line of the audit log; Subject and Detail hold hub keys and codes only.
type AuditEntry struct {
	Seq                            int64
	At                             time.Time
	Actor, Action, Subject, Detail string
}

func Open(ctx context.Context, o Options) (*DB, error)           { panic("to be written") }
func (db *DB) Close() error                                      { panic("to be written") }
func (db *DB) Handles() (sqlite *sql.DB, postgres *pgxpool.Pool) { panic("to be written") }

// Reading a source. Receive: ErrConflict unless since is the stored cursor and lease still holds.
// Lease: the same holder renews and keeps its fence; a lease that ran out but that nobody else took still holds.
// On SQLite any other holder is dead and never keeps anyone waiting.
func (db *DB) Lease(ctx context.Context, name, holder string, ttl time.Duration) (Lease, error) {
	panic("to be written")
}                                                         // ErrBusy
func (db *DB) Release(ctx context.Context, l Lease) error { panic("to be written") }
func (db *DB) Cursor(ctx context.Context, source string) (exchange.Cursor, error) {
	panic("to be written")
}
func (db *DB) Roster(ctx context.Context, src Source) (exchange.Roster, error) {
	panic("to be written")
}
func (db *DB) Receive(ctx context.Context, src Source, l Lease, since exchange.Cursor, page exchange.Page) (Changed, error) {
	panic("to be written")
}

// Sweep stores a page of a sweep: like Receive, but under a cursor of its own ("sweep:"+source); counts what the delta had missed.
func (db *DB) Sweep(ctx context.Context, src Source, l Lease, since exchange.Cursor, page exchange.Page) (Changed, error) {
	panic("to be written")
}

// Failed notes that a read of src failed: the source is incomplete from now on, until a read is complete.
func (db *DB) Failed(ctx context.Context, src Source, why string) error { panic("to be written") }

// Judging.
func (db *DB) Stale(ctx context.Context, now time.Time, policies map[string]string, limit int) ([]Engagement, error) {
	panic("to be written") // policies: prescriber -> Policy.Hash
}
func (db *DB) Chart(ctx context.Context, client string, asOf fhir.Moment) (fhir.Chart, error) {
	panic("to be written")
} // asOf 0 = now
func (db *DB) Standing(ctx context.Context, e Engagement, asOf fhir.Moment) (Standing, error) {
	panic("to be written")
}
func (db *DB) Board(ctx context.Context, asOf fhir.Moment) ([]Standing, error) {
	panic("to be written")
}
func (db *DB) Ledger(ctx context.Context, e Engagement) ([]exchange.Entry, error) {
	panic("to be written")
}

// Decide commits a verdict, its findings and the ledger's changes; ErrConflict if the client's chart moved since v.Moment.
func (db *DB) Decide(ctx context.Context, v readiness.Verdict, c plan.Changes) error {
	panic("to be written")
}

// Sending. to is a party.
func (db *DB) Due(ctx context.Context, to string, now time.Time, limit int) ([]exchange.Entry, error) {
	panic("to be written")
}

// Attempt commits that a try of id begins (invariant 3). The entry returned is as it stood before:
// Attempted means an earlier try may have arrived. ErrBusy while another holder's attempt is younger than ttl.
func (db *DB) Attempt(ctx context.Context, id string, ttl time.Duration) (Fence, exchange.Entry, error) {
	panic("to be written")
}
func (db *DB) Deliver(ctx context.Context, f Fence, r exchange.Receipt) error { panic("to be written") }
func (db *DB) Defer(ctx context.Context, f Fence, until time.Time, why string) error {
	panic("to be written")
} // arrived for sure not: staged again
func (db *DB) Lost(ctx context.Context, f Fence, until time.Time, why string) error {
	panic("to be written")
}                                                                 // may have arrived: stays attempted, due at until
func (db *DB) Withdraw(ctx context.Context, id, why string) error { panic("to be written") } // staged ones only, else ErrConflict
func (db *DB) Retry(ctx context.Context, id string) error         { panic("to be written") } // refused or unknown → due now
func (db *DB) Deliveries(ctx context.Context, state exchange.State) ([]exchange.Entry, error) {
	panic("to be written")
} // "" = all
func (db *DB) Delivery(ctx context.Context, id string) (exchange.Entry, error) {
	panic("to be written")
}

// Looking.
func (db *DB) Sources(ctx context.Context, asOf fhir.Moment) ([]fhir.SourceState, error) {
	panic("to be written")
}
func (db *DB) MomentAt(ctx context.Context, t time.Time) (fhir.Moment, error) { panic("to be written") } // the last commit at or before t
func (db *DB) Rejects(ctx context.Context, all bool) ([]fhir.Reject, error)   { panic("to be written") }
func (db *DB) Reject(ctx context.Context, id string) (fhir.Reject, error)     { panic("to be written") }
func (db *DB) Setting(ctx context.Context, name string, asOf fhir.Moment) (string, error) {
	panic("to be written")
}
func (db *DB) Set(ctx context.Context, actor, name, value string) error { panic("to be written") }
func (db *DB) Audit(ctx context.Context, actor, action, subject, detail string) error {
	panic("to be written")
}
func (db *DB) AuditLog(ctx context.Context, after int64, limit int) ([]AuditEntry, error) {
	panic("to be written")
}
func (db *DB) VerifyAudit(ctx context.Context, progress func(done, total int64)) (AuditReport, error) {
	panic("to be written")
}

// Backup writes a consistent, encrypted and signed copy to path (SQLite; on PostgreSQL it answers what to do instead).
func (db *DB) Backup(ctx context.Context, path string) error      { panic("to be written") }
func Restore(ctx context.Context, from, to string, key Key) error { panic("to be written") } // verifies, never overwrites, marks the store paused

// Paused reports whether sending waits, after a restore, for every source to be read and every open attempt to be asked about.
func (db *DB) Paused(ctx context.Context) (bool, error) { panic("to be written") }
func (db *DB) Resume(ctx context.Context) error         { panic("to be written") }
