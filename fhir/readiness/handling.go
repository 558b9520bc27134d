package readiness

import (
	"errors"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Handling is what a person did about one finding. It silences notices, and never changes a verdict.
type Handling struct {
	Finding    string // its id
	Client     string
	Prescriber string
	Kind       HandlingKind
	Person     string    // of an assignment: to whom
	Reason     string    // of a snooze; of any other, a note, or ""
	Until      time.Time // of a snooze
	Severity   Severity  // of the finding when it was handled
	Actor      string
	At         time.Time
	Moment     fhir.Moment
}

// HandlingKind is one of the things that a person can do about a finding.
type HandlingKind string

// The kinds of handling.
const (
	Acknowledge HandlingKind = "acknowledge" // they saw it
	Snooze      HandlingKind = "snooze"      // it is to be silent until a moment, for a reason
	Assign      HandlingKind = "assign"      // it is this person's
	LetGo       HandlingKind = "release"     // what was done about it before is taken back
)

// The longest that a finding may be snoozed.
const (
	LongestUrgentSnooze = 24 * time.Hour      // S1
	LongestSnooze       = 30 * 24 * time.Hour // any other
)

// Handled is how a finding stands with the people who look after it.
type Handled struct {
	Acknowledged *Handling // nil = not, or not since it opened
	Snoozed      *Handling // nil = it speaks
	Assigned     *Handling // nil = nobody's but its owner's
}

// Handled returns how f stands at now by what people did about it, given oldest first; handlings of other findings are
// passed over.
//
//	handled                      since then                             it is
//	acknowledged                 nothing                                acknowledged
//	acknowledged                 resolved, though it came back          not acknowledged
//	snoozed                      nothing                                silent
//	snoozed                      its end came                           it speaks
//	snoozed                      graver than it was                     it speaks
//	snoozed                      resolved, though it came back          it speaks
//	assigned                     resolved, and came back                still that person's
//	any                          the same once more                     as was said last
//	any                          released                               as if nobody had said anything
func (f Finding) Handled(handlings []Handling, now time.Time) Handled {
	var out Handled
	if f.State == Resolved {
		return out
	}
	for i := range handlings {
		h := &handlings[i]
		if h.Finding != f.ID {
			continue
		}
		this := !h.At.Before(f.opened().Truncate(time.Millisecond)) // to which they are kept; said of this time that it is open, not of one before
		switch h.Kind {
		case Acknowledge:
			if this {
				out.Acknowledged = h
			}
		case Snooze:
			out.Snoozed = nil
			if this && now.Before(h.Until) && f.Severity >= h.Severity {
				out.Snoozed = h
			}
		case Assign:
			out.Assigned = h
		case LetGo:
			out = Handled{}
		}
	}
	return out
}

// opened is since when f is open this time.
func (f Finding) opened() time.Time {
	if f.Opened.IsZero() {
		return f.Since
	}
	return f.Opened
}

// MayHandle answers why h must not be done about f at now; nil when it may.
func (f Finding) MayHandle(h Handling, now time.Time) error {
	longest := LongestSnooze
	if f.Severity == S1 {
		longest = LongestUrgentSnooze
	}
	switch {
	case f.State == Resolved:
		return errors.New("it is resolved: there is nothing left to do about it")
	case h.Kind == Assign && h.Person == "":
		return errors.New("an assignment says to whom")
	case h.Kind != Snooze:
		return nil
	case h.Reason == "":
		return errors.New("a snooze says why")
	case !h.Until.After(now):
		return errors.New("a snooze ends in the future")
	case h.Until.After(now.Add(longest)):
		return errors.New("an " + string(f.Severity) + " may be snoozed for " + Spelled(longest) + " at most")
	}
	return nil
}
