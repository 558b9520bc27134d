// Package report shows what was decided: it sorts, counts and words verdicts, sources, ledger and rejects as the board,
// the reconciliation report, the accounting of disclosures and the machine-readable status, and decides nothing.
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
	Handlings  []readiness.Handling // what people did about findings, oldest first, known at AsOf
	Rejects    []fhir.Reject        // open ones
	Deliveries []exchange.Entry
	Strays     []Stray
	Reaches    map[string]readiness.Reach // by prescriber: how it is reached at AsOf
}

// Stray is something that stands in a source of whom nobody knows: an event of a calendar whose token no client bears.
type Stray struct {
	Source string    `json:"source"`
	Digest string    `json:"digest"` // of the token, keyed
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
}

// Options are what the terminal renderers need to know of the terminal.
type Options struct {
	Width  int  // columns; 0 = 100
	Colour bool // false under NO_COLOR or when the output is no terminal
}

// Report is the reconciliation report, built once and rendered in four forms. What needs acting on comes first.
type Report struct {
	Schema    int       `json:"schema"`
	Generated time.Time `json:"generated"`
	AsOf      time.Time `json:"as_of"`
	Since     time.Time `json:"since,omitzero"`
	Practice  string    `json:"practice"`

	Counts   []Count    `json:"counts"`   // clients by state, in order of precedence
	Sources  []Line     `json:"sources"`  // how far each source can be trusted
	Stopped  []Client   `json:"stopped"`  // HOLD
	Sessions []Session  `json:"sessions"` // today and tomorrow, by time
	DoNow    []Finding  `json:"do_now"`   // S1, and S2 where the session is today or tomorrow
	Waiting  []Wait     `json:"waiting"`  // one line per client
	New      []Finding  `json:"new"`      // since the report before
	Lasting  []Finding  `json:"persisting"`
	Resolved []Finding  `json:"resolved"` // since the report before
	RollUps  []RollUp   `json:"roll_ups"` // one row for what touches many clients
	Snoozed  []Finding  `json:"snoozed"`  // silent for a while, with the reason
	Upcoming []Session  `json:"upcoming"` // the rest of the next 14 days
	Sending  []Delivery `json:"deliveries"`
	Rejects  []Reject   `json:"rejects"`
	Strays   []Stray    `json:"strays"`          // events that match nobody
	Loops    *Loops     `json:"loops,omitempty"` // nil where nobody was ever referred

	zone *time.Location
}

// Count is how many clients are in one state.
type Count struct {
	State readiness.State `json:"state"`
	N     int             `json:"n"`
}

// Client is an engagement as a reader needs it.
type Client struct {
	Key        string          `json:"client"`
	Chosen     string          `json:"chosen"`
	Prescriber string          `json:"prescriber"` // its title
	State      readiness.State `json:"state"`
	Words      string          `json:"words"`
	Owner      readiness.Owner `json:"owner,omitempty"` // on whom it waits
	Takes      readiness.Owner `json:"takes,omitempty"` // who of the practice takes the next step
	Next       string          `json:"next,omitempty"`
	Since      time.Time       `json:"since,omitzero"` // since when the next step is to be done, where that is on record
	Session    time.Time       `json:"session,omitzero"`
	Therapist  string          `json:"therapist,omitempty"`

	With string               `json:"-"` // the prescriber's name in the config
	Why  string               `json:"-"` // of somebody who is stopped: what was written of it, as a quotation; "" = nothing
	Stop string               `json:"-"` // … and what was recorded, where that says more than Words; "" = it does not
	Also []readiness.GateName `json:"-"` // of somebody not ready: the gates that are open beside the first
	Else int                  `json:"-"` // … and how many findings beside those
	Done time.Time            `json:"-"` // of somebody ready: when the last of arrival checks and go-ahead was recorded
}

// Session is a dosing session and how its client's records stand.
type Session struct {
	Start time.Time `json:"start"`
	Client
}

// Finding is one finding of one client.
type Finding struct {
	ID       string                 `json:"id"`
	Code     string                 `json:"code"`
	Rule     string                 `json:"rule"`
	Severity readiness.Severity     `json:"severity"`
	State    readiness.FindingState `json:"state"`
	Words    string                 `json:"words"`
	Owner    readiness.Owner        `json:"owner"`
	Takes    readiness.Owner        `json:"takes,omitempty"` // as in Client
	Next     string                 `json:"next"`
	Since    time.Time              `json:"since"`               // since when the hub tells it
	Began    time.Time              `json:"began,omitzero"`      // since when it is so by the records, where that is earlier
	Age      int                    `json:"age_days"`            // whole days from Began, else from Since, to AsOf
	Late     int                    `json:"late_days,omitempty"` // days gone by since Due; 0 = not due before today
	Opened   time.Time              `json:"opened,omitzero"`     // since when it is open this time, where it came back
	Reopened int                    `json:"reopened,omitempty"`  // how often it came back
	Resolved time.Time              `json:"resolved,omitzero"`
	Due      time.Time              `json:"due,omitzero"`      // by when it must be resolved, where that is known
	Under    string                 `json:"under,omitempty"`   // code of the open finding that tells it
	RollUp   string                 `json:"roll_up,omitempty"` // the key of what touches many
	By       string                 `json:"by,omitempty"`
	Values   []Value                `json:"values,omitempty"`
	Client   Client                 `json:"client"`
	Handled
}

// Handled is what people did about a finding.
type Handled struct {
	Acknowledged *Mark `json:"acknowledged,omitempty"`
	Assigned     *Mark `json:"assigned,omitempty"`
	Snoozed      *Mark `json:"snoozed,omitempty"`
}

// Mark is one thing that somebody did about a finding.
type Mark struct {
	By     string    `json:"by"` // who
	At     time.Time `json:"at"`
	To     string    `json:"to,omitempty"`     // assigned to whom
	Until  time.Time `json:"until,omitzero"`   // snoozed so long
	Reason string    `json:"reason,omitempty"` // why it is snoozed; of anything else, a note
}

// Value is what one side's record says.
type Value struct {
	Party string `json:"party"` // its title
	Says  string `json:"says"`
}

// Wait is a client who waits on somebody.
type Wait struct {
	ID       string             `json:"id"` // of the finding
	On       string             `json:"on"` // what
	Code     string             `json:"code"`
	Severity readiness.Severity `json:"severity"` // the gravest of what the client waits on
	Words    string             `json:"words"`    // of the finding
	Since    time.Time          `json:"since"`
	Age      int                `json:"age_days"`
	Nudge    readiness.Owner    `json:"nudge"` // who holds it
	Owner    readiness.Owner    `json:"owner"`
	Takes    readiness.Owner    `json:"takes,omitempty"` // who nudges
	Next     string             `json:"next"`
	More     int                `json:"more,omitempty"` // other things the client waits on
	Client   Client             `json:"client"`
	Handled
}

// RollUp is one finding that touches many clients.
type RollUp struct {
	Key      string             `json:"key"` // by which findings are one row
	Code     string             `json:"code"`
	Severity readiness.Severity `json:"severity"`
	Words    string             `json:"words"`
	Owner    readiness.Owner    `json:"owner"`
	Takes    readiness.Owner    `json:"takes,omitempty"`
	Next     string             `json:"next"`
	Since    time.Time          `json:"since"`
	Age      int                `json:"age_days"`
	Clients  int                `json:"clients"`
	Sessions int                `json:"sessions"`
	Snoozed  *Mark              `json:"snoozed,omitempty"` // of each of them; those that speak are a row of their own

	touched []Client
}

// Line is one source.
type Line struct {
	Name         string      `json:"name"`
	Title        string      `json:"title"`
	State        SourceState `json:"state"`
	LastComplete time.Time   `json:"last_complete,omitzero"`
	Why          string      `json:"why,omitempty"`
	Missed       int         `json:"missed_by_delta,omitempty"`
	Desk         bool        `json:"desk,omitempty"`
}

// Delivery is one that a person should look at.
type Delivery struct {
	ID       string         `json:"id"`
	Client   string         `json:"client"`
	To       string         `json:"to"` // title
	What     exchange.What  `json:"what"`
	State    exchange.State `json:"state"`
	Attempts int            `json:"attempts"`
	Staged   time.Time      `json:"staged"`
	Why      string         `json:"why,omitempty"`
	Next     string         `json:"next"`
}

// Reject is a record that could not be read.
type Reject struct {
	ID       string    `json:"id"`
	Source   string    `json:"source"`
	Record   string    `json:"record"` // type and id as far as they could be told
	Reason   string    `json:"reason"`
	Received time.Time `json:"received"`
}
