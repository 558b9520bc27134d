// Package report shows what was decided: the board, the reconciliation report and the machine-readable status, from
// verdicts, sources, ledger and rejects. It decides nothing: it sorts, counts and words.
package report

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Input is all that the views are built from. Clients must have passed through readiness.Current: a verdict shown is a
// verdict checked (law 8).
type Input struct {
	Generated  time.Time
	AsOf       time.Time         // the moment that is shown; ages are counted from it
	Since      time.Time         // the report before: what is newer is new; zero = there was none
	Practice   string            // as shown: "Reverie"
	Zone       *time.Location    // the practice's
	Titles     map[string]string // party → as shown: "Skylight Psychedelics"
	Sources    []Source          // from SourceStates
	Clients    []readiness.Verdict
	Rejects    []fhir.Reject // open ones
	Deliveries []exchange.Entry
	Strays     []Stray
}

// Stray is something that stands in a source of whom nobody knows: an event of a calendar whose token no client bears.
type Stray struct {
	Source string    `json:"source"`
	Digest string    `json:"digest"` // of the token, keyed
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
}

// SourceState is how far a source can be trusted now.
type SourceState string

// The states of a source.
const (
	Fresh      SourceState = "fresh"
	Stale      SourceState = "stale"
	Incomplete SourceState = "incomplete"
	Never      SourceState = "never"
)

// Source is one source as the reader of a report needs it.
type Source struct {
	Name         string
	Party        string
	Title        string // of the party
	State        SourceState
	LastComplete time.Time // zero = never
	Why          string    // coded reason when it is not fresh
	Missed       int       // what sweeps found this week that the pulls had missed
	Desk         bool      // what people enter by hand: it is read as far as they said they have read
}

// Options are what the terminal renderers need to know of the terminal.
type Options struct {
	Width  int  // columns; 0 = 100
	Colour bool // false under NO_COLOR or when the output is no terminal
}
