package console

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// Settings is what the practice settled and how it is changed. There is one truth, the config's file: what is shown is
// read from it, and a change is written into it.
type Settings interface {
	// Settled returns the settings as they stand in the file.
	Settled(ctx context.Context) (Settled, error)
	// Weigh says what a change would write, what is wrong with it, and what it would alter on the board, looking at clients
	// for as long as patience. It changes nothing; a secret that was typed goes into a file of its own, which nothing reads yet.
	Weigh(ctx context.Context, c Change, patience time.Duration) (Weighed, error)
	// Try tests the connection of the source that a change is about as it would be then. ErrWrong while something is wrong
	// with the change, ErrNotFound where there is nothing to test.
	Try(ctx context.Context, by string, c Change) (*Test, error)
	// Settle writes a change that was weighed and has nothing wrong. ErrMoved when the file is another than c.Base by now,
	// ErrReadOnly when it cannot be written, ErrUnsure when something has to be agreed to first: nothing was changed then.
	Settle(ctx context.Context, by string, c Change) error
	// Reread has the hub open by the file as it stands, after somebody changed it by hand.
	Reread(ctx context.Context, by string) error
	// SetSecret puts a secret into the file that the config names for it.
	SetSecret(ctx context.Context, by, name, value string) error
	// Changes returns what was changed before a moment, 0 = now, newest first.
	Changes(ctx context.Context, before int64) ([]Changed, error)
	// Rules returns the catalogue with what it goes by with a prescriber, "" = the first.
	Rules(ctx context.Context, prescriber string) (Catalogue, error)
}

// Errors of Settings that a page has words for.
var (
	ErrMoved    = errors.New("the settings were changed meanwhile: look at them anew")
	ErrReadOnly = errors.New("the config's file cannot be written by the hub: write the change into it by hand")
	ErrUnsure   = errors.New("what would be lost was not agreed to: tick it first")
	ErrWrong    = errors.New("something in the settings is wrong: correct it first")
)

// Settled are the settings as they stand.
type Settled struct {
	File     string // its name, as the operator calls it
	Base     string // the text that was read
	Strayed  bool   // somebody changed the file by hand: the hub still runs by what it read before
	Fixed    string // why nothing can be changed from here; "" = it can
	Sections []Section
	Secrets  []Secret
}

// Secret is what the hub holds and never shows.
type Secret struct {
	Name, Title string
	File        string
	Set         time.Time // zero = not yet
}

// Section is a part of the settings: one form.
type Section struct {
	Key, Title, Lead string
	Group            string // under which heading it is listed
	Owner            bool   // an owner's to change; others look
	Adds             bool   // it is about somebody whom the settings do not name yet
	Removable        bool   // it can be taken out as a whole
	Fields           []Field
	Facts            []Fact // what is known of it, beside what can be set
	Links            []Fact // where else to look, and the paths
}

// Fact is something to know.
type Fact struct{ Name, Value string }

// Field is one setting. What is typed comes back under Path; beside it, under Path~answer, which of Answers; of a table
// under Path~row~column.
type Field struct {
	Path, Label, Hint string
	Kind              Kind
	Text              string // a word, or lines
	Answers           []Option
	Answer            string // which of Answers; AnswerSet = the value counts
	Options           []Option
	Columns           []Column
	Rows              [][]string
	Usual             string   // what counts where nothing is written
	Rests             []string // what goes by it
	Wrong             []string // what is wrong with what was typed
	Now               string   // what the file says by now, where somebody else changed it since
	Held              bool     // a secret is kept already
}

// Option is one of several.
type Option struct {
	Value, Label string
	On           bool
}

// Column is one of a table.
type Column struct {
	Key, Label, Hint string
	Kind             Kind
	Options          []Option
}

// Kind is what is typed into a field.
type Kind string

// The kinds.
const (
	KindText     Kind = "text"
	KindLines    Kind = "lines"    // one a line
	KindWords    Kind = "words"    // with commas between
	KindChoice   Kind = "choice"   // one of Options
	KindMany     Kind = "many"     // some of Options
	KindRows     Kind = "rows"     // a table of Columns
	KindSecret   Kind = "secret"   // never shown again
	KindRegister Kind = "register" // of a column: the register a number stands in; empty = the NPI's
	KindCodes    Kind = "codes"    // of a column: a system and a code, with semicolons between
)

// AnswerSet is the answer with which a field's value counts.
const AnswerSet = "set"

// Change is what somebody wants to have changed in a section.
type Change struct {
	Section string
	Base    string // the text that it was typed over
	Form    url.Values
	Reason  string
	Removes bool // the section goes as a whole
	Sure    bool // … and what Weighed.Sure says was agreed to
}

// Weighed is what a change would do.
type Weighed struct {
	Section Section  // with what was typed, and what is wrong with it
	Wrong   []string // what is wrong elsewhere
	Base    string   // the text that it was weighed over
	Moved   bool     // the file is another than the change was typed over
	Lines   []Line   // empty = nothing would change
	Text    []string // the lines of the file that would change, for whoever writes them by hand
	Effect  Effect
	Notes   []string // what to know beside
	Tests   bool     // there is a connection to test
	Removal          // of what goes as a whole
}

// Removal is what goes with a source or prescriber, and what stays.
type Removal struct {
	Lost, Kept []string
	Refused    string // why it cannot be taken out, and what to do first; "" = it can
	Sure       string // what has to be agreed to; "" = nothing
}

// Line is one setting that changes.
type Line struct{ Path, Label, From, To string }

// Effect is what a change would alter on today's board.
type Effect struct {
	None      bool // nothing changes that a verdict rests on
	Clients   int  // engagements on the board
	Looked    int  // at so many, those whose session is next first
	Moves     []Move
	Turned    []Turn // whose state would be another, those whose session is next first
	Otherwise int    // of so many something else would be said, in the same state
	Said      []Turn // some of those
	Rest      time.Duration
}

// Move counts those who would go from one state to another.
type Move struct {
	From, To readiness.State
	N        int
}

// Turn is one client who would stand otherwise: the verdict as it is now, and as it would be.
type Turn struct{ Before, After readiness.Verdict }

// Changed is one change that was made.
type Changed struct {
	Moment int64
	At     time.Time
	By     string
	Reason string
	First  bool // the first that was kept: there is nothing to compare it with
	Lines  []Line
}

// Catalogue are the rules with what they go by.
type Catalogue struct {
	Prescriber  string // its name in the config
	Title       string
	Prescribers []Option
	Rules       []RuleRow
}

// RuleRow is a rule with what it goes by at present.
type RuleRow struct {
	readiness.Rule
	Settings []readiness.Setting
	Sheet    []Fact
}
