// Package store keeps every version the hub ever saw, and the verdicts, ledger and audit that rest on them, in encrypted
// SQLite or in PostgreSQL.
package store

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Options are what Open needs.
type Options struct {
	DSN        string // a file's path, or postgres://…
	Key        Key
	Now        func() time.Time
	Recogniser fhir.Recogniser // whom the practice's records make a client
}

// What the steps hand to the store and back lives with the language both speak: jobs never import the store.
type (
	// Source is a connector instance as the store needs it.
	Source = exchange.Source
	// Changed counts what a page brought.
	Changed = exchange.Changed
	// Lease is the fenced right to read one source.
	Lease = exchange.Lease
	// Fence is the right to end one attempt of one delivery.
	Fence = exchange.Fence
	// Engagement is a client with one prescriber.
	Engagement = readiness.Engagement
	// Standing is the last verdict of an engagement, and whether its chart moved since.
	Standing = readiness.Standing
	// AuditEntry is one line of the audit log.
	AuditEntry = exchange.Line
)

// AuditReport is what VerifyAudit found.
type AuditReport struct {
	Entries int64
	Broken  []int64  // sequence numbers that do not fit the chain
	Altered []string // versions or deliveries whose digest differs from the one audited, by key
}
