package readiness

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Assess judges one engagement from all that is known of the client. It names the versions it rests on and is
// constant until its Until if nothing moves.
func Assess(chart fhir.Chart, policy Policy, now time.Time) Verdict {
	panic("to be written")
}

// Track tells the life of findings across runs: it returns current with State and Since set from previous, and the
// findings of previous that are gone as resolved (once). current comes from Assess, previous from the last verdict.
func Track(previous, current []Finding, now time.Time) []Finding {
	panic("to be written")
}

// Current answers whether a verdict still stands: if its Until has passed, a source it depends on has gone stale, the
// chart has moved or the policy has changed since, its state is Unknown with the reason; a Hold stays a Hold.
// Every reader and every send asks (law 8).
func Current(v Verdict, moved bool, policy Policy, sources []fhir.SourceState, now time.Time) Verdict {
	panic("to be written")
}
