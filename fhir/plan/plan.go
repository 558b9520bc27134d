// Package plan decides what should cross the border now: from a chart, the verdicts and the ledger it calculates
// what to stage and what to take back. It is pure.
package plan

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Changes is what to do to the ledger.
type Changes struct {
	Stage    []exchange.Delivery
	Withdraw []string // delivery ids, staged ones only
}

// Plan calculates the changes for one engagement. ledger holds all entries of the engagement.
// What is in the ledger already, by ID, is never staged again.
func Plan(chart fhir.Chart, verdict readiness.Verdict, policy readiness.Policy, ledger []exchange.Entry, now time.Time) Changes {
	panic("to be written")
}

// Allowed answers at send time whether d may leave now: its release is still the one it rests on, active, and names
// the prescriber; why is a coded sentence when it may not.
func Allowed(d exchange.Delivery, chart fhir.Chart, policy readiness.Policy, now time.Time) (ok bool, why string) {
	panic("to be written")
}
