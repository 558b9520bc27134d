package readiness

import "strings"

// Deed is the part of a next step that is done at the hub, in the practice's words. Whoever shows a step may lead from there
// to where it is done: a window by a link, a terminal by what is typed.
type Deed string

// The deeds.
const (
	ConfirmEntry  Deed = "have a second person confirm it"
	SayWhy        Deed = "say why it began"
	EnterAfter    Deed = "enter what became of it"
	EnterHeld     Deed = "enter whether it was held"
	EnterInPerson Deed = "enter whether they saw the client in person"
	EnterAnswer   Deed = "enter the answer"
	OpenSealed    Deed = "look at the sealed record"
	ReadAgain     Deed = "read the sources again"
	OpenRejects   Deed = "look at what could not be read"
	OpenLinks     Deed = "compare it with the client's papers"
	ReadMailbox   Deed = "say up to when the mailbox is read"
	CheckSource   Deed = "see why nothing is read"
	CheckSending  Deed = "see why it is not taken"
	PrintPacket   Deed = "print the packet"
	EnterHanded   Deed = "enter when it was handed over"
	EnterOutcome  Deed = "enter whether it arrived"
	OpenRefused   Deed = "see what was refused"
	OpenStaged    Deed = "see what is not sent"
)

var deeds = []Deed{ConfirmEntry, SayWhy, EnterAfter, EnterHeld, EnterInPerson, EnterAnswer, OpenSealed, ReadAgain, OpenRejects, OpenLinks, ReadMailbox,
	CheckSource, CheckSending, PrintPacket, EnterHanded, EnterOutcome, OpenRefused, OpenStaged}

// Deeds returns every deed that a next step may ask for.
func Deeds() []Deed { return append([]Deed(nil), deeds...) }

// DeedOf returns the first deed that a next step asks for, "" when it asks for none.
func DeedOf(next string) (first Deed) {
	from := len(next)
	for _, d := range deeds {
		if at := strings.Index(next, string(d)); at >= 0 && at < from {
			first, from = d, at
		}
	}
	return first
}
