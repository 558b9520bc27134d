package readiness

import (
	"slices"
	"strings"
)

// Guide is the implementation guide by which a prescriber moves its Tasks.
type Guide string

// The guides (fhir.md section 2). They contradict each other, hence a column for each.
const (
	AnyGuide Guide = "any" // nobody knows which: what one of them has is normal
	COW      Guide = "cow"
	BSeR     Guide = "bser"
	SDOH     Guide = "sdoh"
	CDex     Guide = "cdex"
)

// Guides returns the guides in a fixed order, AnyGuide first.
func Guides() []Guide { return []Guide{AnyGuide, COW, BSeR, SDOH, CDex} }

// Mover is whose it is to move a Task.
type Mover string

// The movers.
const (
	Placer Mover = "placer" // who referred
	Filler Mover = "filler" // who was referred to
	Either Mover = "either"
)

// Manner is how a step of a Task is taken.
type Manner string

// The manners.
const (
	Normal    Manner = "normal"
	Allowed   Manner = "allowed"   // another guide has it, this one is silent, or it was agreed upon: accepted, and nothing is said
	Anomalous Manner = "anomalous" // kept, shown, and never refused: the prescriber's record is the truth about its own Task
)

// Step is one step that a practice and a prescriber agreed upon, over what the guide says.
type Step struct {
	From, To string
	By       Mover
	Manner   Manner
}

// word is what a guide says of a step.
type word byte

const (
	silent word = '-'
	has    word = 'y'
	not    word = 'n'
	asked  word = 'a' // only after it was asked for: a cancellation request
)

// row is a row of steps.
type row struct {
	from, to string // states, with blanks between them
	by       Mover
	says     string // one word for each of COW, BSeR, SDOH, CDex
}

// steps is the table of fhir.md section 2. A step that is in no row is anomalous.
var steps = []row{
	{"draft", "requested", Placer, "yyy-"},
	{"requested", "received", Filler, "yy--"},
	{"requested received", "accepted rejected", Filler, "yyy-"},
	{"requested received accepted", "cancelled", Placer, "yay-"},
	{"requested received accepted", "cancelled", Filler, "nay-"},
	{"accepted", "rejected", Filler, "nyn-"}, // COW: use failed
	{"accepted", "failed", Filler, "y---"},
	{"accepted", "in-progress completed", Filler, "yyy-"},
	{"accepted", "ready", Filler, "----"}, // FHIR itself has it
	{"ready", "in-progress", Filler, "----"},
	{"accepted", "on-hold", Filler, "--y-"},
	{"in-progress", "on-hold", Filler, "y-y-"},
	{"on-hold", "in-progress", Filler, "y-y-"},
	{"in-progress", "completed failed", Filler, "yyy-"},
	{"on-hold", "completed failed cancelled", Filler, "--y-"},
	{"in-progress", "cancelled", Placer, "nny-"}, // COW: ask by a Task of its own
	{"in-progress", "cancelled", Filler, "na--"},
	{"in-progress", "rejected", Filler, "nyn-"},
	{"completed failed rejected cancelled", "in-progress", Filler, "---y"},
}

// stepwise is the table by single steps: each row's words under every step that it stands for.
var stepwise = func() map[row]string {
	words := map[row]string{}
	for _, r := range steps {
		for from := range strings.FieldsSeq(r.from) {
			for to := range strings.FieldsSeq(r.to) {
				words[row{from: from, to: to, by: r.by}] = r.says
			}
		}
	}
	return words
}()

// closed are the states from which a Task does not move on by itself.
var closed = []string{"completed", "failed", "rejected", "cancelled"}

// says returns what the guide says of a step; ok is false when no row has it.
func (g Guide) says(from, to string, by Mover) (w word, ok bool) {
	if to == "entered-in-error" && from != to {
		return map[bool]word{true: has, false: silent}[g == SDOH || g == AnyGuide || g == ""], true // by whoever made it
	}
	words, ok := stepwise[row{from: from, to: to, by: by}]
	if !ok {
		return silent, false
	}
	if i := slices.Index([]Guide{COW, BSeR, SDOH, CDex}, g); i >= 0 {
		return word(words[i]), true
	}
	for _, kinder := range []word{has, asked} { // any: the kindest word of all
		if strings.ContainsRune(words, rune(kinder)) {
			return kinder, true
		}
	}
	return silent, true
}

// Manner judges one step of a Task by the guide and what was agreed over it. wasAsked says that a cancellation had been
// asked for. Who moved it may be Either where it cannot be told: the kinder word counts then.
func (g Guide) Manner(from, to string, by Mover, wasAsked bool, agreed []Step) Manner {
	if by == Either {
		for _, m := range []Manner{Normal, Allowed} {
			if g.Manner(from, to, Filler, wasAsked, agreed) == m || g.Manner(from, to, Placer, wasAsked, agreed) == m {
				return m
			}
		}
		return Anomalous
	}
	for _, s := range agreed {
		if s.From == from && s.To == to && (s.By == by || s.By == Either || s.By == "") {
			return s.Manner
		}
	}
	w, ok := g.says(from, to, by)
	switch {
	case !ok, w == not, w == asked && !wasAsked && g == BSeR:
		return Anomalous
	case w == silent, w == asked && !wasAsked:
		return Allowed
	}
	return Normal
}

// reaches reports whether a Task may have come from one state to another by steps that nobody saw in between, none of them
// anomalous and none of them out of a closed state.
func (g Guide) reaches(from, to string, wasAsked bool, agreed []Step) bool {
	seen := []string{from}
	for i := 0; i < len(seen); i++ {
		if slices.Contains(closed, seen[i]) {
			continue
		}
		for _, next := range taskStates {
			if !slices.Contains(seen, next) && g.Manner(seen[i], next, Either, wasAsked, agreed) != Anomalous {
				seen = append(seen, next)
			}
		}
	}
	return slices.Contains(seen, to)
}

// taskStates are those a Task can be in, but for the mistake.
var taskStates = []string{"draft", "requested", "received", "accepted", "ready", "in-progress", "on-hold", "completed", "failed", "rejected", "cancelled"}
