package exchange

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Step is one thing that became of a delivery, as the ledger keeps it for ever.
type Step struct {
	Moment   fhir.Moment
	At       time.Time
	State    State
	Attempts int
	Why      string   // coded
	Receipt  *Receipt // nil = none
}

// Recorded is a delivery with everything that became of it, oldest first.
type Recorded struct {
	Entry
	Steps []Step
}

// End is how a try ended, as far as the hub knows.
type End string

// The ends of a try.
const (
	EndOpen    End = ""           // under way, or the hub stopped before the answer came: it may have arrived
	EndLost    End = "lost"       // no answer, or one that does not tell: it may have arrived
	EndNot     End = "did not go" // surely not arrived
	EndRefused End = "refused"    // the other side read it and said no
	EndUnknown End = "unknown"    // it may have arrived, and cannot be asked about
	EndArrived End = "arrived"    // it stands there
	EndLaidOut End = "laid out"   // it lies ready for a person
	EndSettled End = "settled"    // a person said what became of it
)

// Try is one try of a delivery. What only asked whether an earlier one arrived is a try too.
type Try struct {
	N       int
	Begun   time.Time   // committed, before anything was sent
	Moment  fhir.Moment // of that commit: what was known when it was sent
	Ended   time.Time   // zero while it is open
	End     End
	Why     string
	Receipt *Receipt
}

// Tries tells the tries of a delivery from its steps.
func Tries(steps []Step) []Try {
	var tries []Try
	for _, s := range steps {
		if s.Attempts > len(tries) {
			tries = append(tries, Try{N: s.Attempts, Begun: s.At, Moment: s.Moment})
			continue
		}
		if len(tries) == 0 {
			continue // staged, or taken back before it was tried
		}
		t := &tries[len(tries)-1]
		if t.End != EndOpen {
			continue // what a person decided after it
		}
		t.Ended, t.Why, t.Receipt = s.At, s.Why, s.Receipt
		switch {
		case s.Receipt != nil && s.Receipt.By != "":
			t.End, t.Why = EndSettled, ""
		case s.State == Staged:
			t.End = EndNot
		case s.State == Refused:
			t.End = EndRefused
		case s.State == Unknown:
			t.End = EndUnknown
		case s.State == LaidOut:
			t.End = EndLaidOut
		case s.State == Delivered:
			t.End = EndArrived
		default:
			t.End = EndLost
		}
	}
	return tries
}

// Certainty is how sure it is that the other side received what a delivery says.
type Certainty string

// The certainties, for the accounting of disclosures. It must not lie: what may have arrived is in it, and says so.
const (
	NotDisclosed Certainty = ""            // nothing of it left
	Received     Certainty = "received"    // their system holds it, or somebody there said so
	HandedOver   Certainty = "handed over" // by a person, on paper
	MayHave      Certainty = "may"         // sent or laid out, and what became of it is not known
	TurnedDown   Certainty = "turned down" // their system was shown it and refused it
	SaidNot      Certainty = "said not"    // sent, no answer came; a person says that it did not arrive
)

// Disclosed says how sure it is that the other side received a delivery, and when that was. Steps are oldest first.
//
//	it ended                                  before, some try              then
//	delivered, found there                    may have arrived              received, when the first of those began
//	delivered                                 –                             received, when the other side answered
//	delivered, by a person's word             –                             received; handed over if they say so, when they say
//	under way, lost, unknown, laid out        –                             may have, since the first that may
//	refused, or then withdrawn                –                             turned down, when it was
//	withdrawn or staged                       may have arrived              said not: only a person can have said so
//	withdrawn or staged                       –                             nothing of it left
func Disclosed(steps []Step) (Certainty, time.Time) {
	if len(steps) == 0 {
		return NotDisclosed, time.Time{}
	}
	var may, no time.Time // when the first try that may have arrived began; when the last was refused
	for _, t := range Tries(steps) {
		switch t.End {
		case EndOpen, EndLost, EndUnknown, EndSettled:
			if may.IsZero() {
				may = t.Begun
			}
		case EndLaidOut:
			if steps[len(steps)-1].State == LaidOut {
				return MayHave, t.Ended
			}
		case EndRefused:
			no = t.Ended
		}
	}
	last := steps[len(steps)-1]
	switch last.State {
	case Delivered:
		if last.Receipt == nil {
			return Received, last.At
		}
		at := last.Receipt.At
		if at.IsZero() {
			at = last.At
		}
		switch last.Receipt.Outcome {
		case OutcomeHandedOver:
			return HandedOver, at
		case OutcomeExisted, OutcomeTold:
			if !may.IsZero() {
				return Received, may
			}
		}
		return Received, at
	case Attempted, Unknown:
		return MayHave, may
	}
	switch {
	case !no.IsZero():
		return TurnedDown, no
	case !may.IsZero():
		return SaidNot, may
	}
	return NotDisclosed, time.Time{}
}
