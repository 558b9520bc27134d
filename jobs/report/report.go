// Package report shows what was decided: the board, the reconciliation report and the machine-readable status, from
// verdicts, sources, ledger and rejects. It decides nothing: it sorts, counts and words.
package report

import (
	"io"
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
}

// Options are what the terminal renderers need to know of the terminal.
type Options struct {
	Width  int  // columns; 0 = 100
	Colour bool // false under NO_COLOR or when the output is no terminal
}

// SourceStates judges the sources that policies name, in their order, at now.
func SourceStates(policies []readiness.Policy, states []fhir.SourceState, now time.Time) []Source {
	panic("to be written")
}

// Status writes the status JSON, schema 1 (design.md section 7).
func Status(w io.Writer, in Input) error { panic("to be written") }

// ExplainJSON writes the status document of the client alone, every engagement of theirs, with the words of verdict
// and gates added. The error is exchange.ErrNotFound when in has no such client.
func ExplainJSON(w io.Writer, in Input, client string) error { panic("to be written") }

// Explain writes every gate of a client, what it rests on and who must act. The error is exchange.ErrNotFound when in
// has no such client.
func Explain(w io.Writer, in Input, client string, o Options) error { panic("to be written") }

// Board writes every client's verdict, one line each, with reason, owner and next step.
func Board(w io.Writer, in Input, o Options) error { panic("to be written") }

// Report is the reconciliation report, built once and rendered in four forms.
type Report struct{ in Input }

// Build sorts, counts and words in into a report. It is pure.
func Build(in Input) Report { panic("to be written") }

// Text writes the report for a terminal.
func (r Report) Text(w io.Writer, o Options) error { panic("to be written") }

// JSON writes the report for a program.
func (r Report) JSON(w io.Writer) error { panic("to be written") }

// CSV writes one row per finding, safe to open in a spreadsheet.
func (r Report) CSV(w io.Writer) error { panic("to be written") }

// HTML writes the report as one self-contained page.
func (r Report) HTML(w io.Writer) error { panic("to be written") }
