// Package life makes up whole lives of clients on both sides, for tests only: what happened to them and when (the truth),
// what each side's system told of it, and what of that had reached the hub at any instant. An Oracle that knows the truth
// answers, from what had reached the hub, why it would be unsafe to call the client ready, and which trouble must be shown.
//
// A life is made of a seed and is the same for the same seed. It knows nothing of how the hub judges.
package life

import (
	"fmt"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir/fhirtest"
)

// What is the kind of an event.
type What string

// What happens at the practice.
const (
	Known         What = "client known at the practice"
	Release       What = "release"                  // Says: active, inactive, denied; Start, End
	Consented     What = "consent"                  // Says: active, inactive
	Referral      What = "referral"                 // Says: active, revoked
	Session       What = "session"                  // Says: booked, cancelled, noshow, fulfilled; Start; ID names it; Of: "remote"
	Prepare       What = "preparation"              // as Session
	Integrate     What = "integration"              // as Session
	Dosed         What = "dose taken"               // Of: the session; N: lozenges; Start
	Acknowledged  What = "directions acknowledged"  // Of: the prescription; N: lozenges a session that were read
	Pressure      What = "blood pressure"           // N: systolic; M: diastolic, else two thirds of it; Of: the session; Says: "kPa" when in another unit
	Pulse         What = "heart rate"               // N; Of: the session
	Check         What = "check"                    // ID: its code and session; Says: yes, no, nothing; Of: the session
	GoAhead       What = "go-ahead"                 // Says: yes, no, nothing, another's; Of: the session
	Adverse       What = "adverse event"            // Says: its grade
	CalendarEvent What = "event that nobody sorted" // Start, End
	NotHeld       What = "session not held"         // Of: the session; Start
	Scored        What = "score"                    // Of: its LOINC code; N
	Explained     What = "why a session began"      // Of: the session
)

// What happens at the prescriber.
const (
	KnownThere   What = "client known at the prescriber" // Says: "", "birth date", "family name", "spelling", "no birth date", "died"
	Asked        What = "Task"                           // Says: its status; Of: its business status
	Evaluation   What = "evaluation"                     // as Session
	FollowUp     What = "follow-up"                      // as Session
	Decision     What = "decision"                       // Says: its code, or "pending", "unreadable"; Start, End; N: how it is flawed
	Prescription What = "prescription"                   // Says: its status; N: lozenges a session; M: repeats; Start: written
	Dispensed    What = "dispense"                       // N: lozenges; Of: the prescription; End: out of date
	Parcel       What = "parcel"                         // Says: its state
	Stop         What = "stop"                           // Says: active, inactive
	Plan         What = "care plan"                      // Says: its status
	Abort        What = "proposal to abort"              // Says: its status
	Question     What = "question"                       // Says: its status
	Role         What = "role of who decides"            // Says: active, left
	Elsewhere    What = "prescription elsewhere"         // another prescriber's, of the same medicine; Says: its status
	Proposal     What = "proposal of something else"     // Says: its status
	Answered     What = "answer to a condition"          // Of: the decision; Says: its status
	OwnLimit     What = "limit for this client"          // Of: pressure or pulse; N; Says: active, completed
	SeenThere    What = "seen in person"                 // Start
)

// What either may record.
const (
	News What = "news of the client" // Of: diagnosis, medicine, test or visit; Says: new, mistaken; Start: when it happened, else when it was recorded
)

// What befalls the records and the hub itself.
const (
	Gone        What = "record gone"                     // Of: the record
	Outage      What = "source not read"                 // Source; Says: down, partial; Start, End
	Rejected    What = "record unreadable"               // Start, End
	SealedAway  What = "record sealed"                   // Start, End; Says: "bears" when it may bear on safety
	Resembles   What = "record that may be the client's" // Start, End
	Undelivered What = "delivery that fails"             // Start, End; Says: its state; N: tries
)

// Event is one thing that happened, as its owner knows it.
type Event struct {
	At         time.Time // when it happened, and its owner recorded it
	Source     string    // whose system recorded it
	What       What
	ID         string // of the record that it makes or changes, among those of its kind
	Says       string
	Of         string
	Start, End time.Time
	N, M       int

	Lag time.Duration // how long the source kept it back: what was recorded later may be told before
	Off time.Duration // how far its owner's clock ran ahead
	Why string        // the trouble that planted it, "" for the ordinary course
}

// String reads like a line of a diary.
func (e Event) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-9s %s", e.At.In(fhirtest.Denver).Format("Mon 2 Jan 2006 15:04:05"), e.Source, e.What)
	if e.ID != "" {
		b.WriteString(" " + e.ID)
	}
	if e.Says != "" {
		b.WriteString(": " + e.Says)
	}
	if e.Of != "" {
		b.WriteString(" (" + e.Of + ")")
	}
	if e.N != 0 || e.M != 0 {
		fmt.Fprintf(&b, " %d", e.N)
		if e.M != 0 {
			fmt.Fprintf(&b, "/%d", e.M)
		}
	}
	for _, t := range []struct {
		name string
		at   time.Time
	}{{"from", e.Start}, {"to", e.End}} {
		if !t.at.IsZero() {
			b.WriteString(" " + t.name + " " + t.at.In(fhirtest.Denver).Format("Mon 2 Jan 15:04"))
		}
	}
	if e.Lag != 0 {
		fmt.Fprintf(&b, ", told %s late", e.Lag)
	}
	if e.Off != 0 {
		fmt.Fprintf(&b, ", clock %s ahead", e.Off)
	}
	if e.Why != "" {
		b.WriteString("   <- " + e.Why)
	}
	return b.String()
}

// Sources. The practice's records and calendar, the prescriber's, and those of another prescriber of the same client.
const (
	Practice   = fhirtest.PracticeSource
	Prescriber = fhirtest.PrescriberSource
	Calendar   = "calendar"
	Other      = "meridian"
)

// Line is a line of the prescriber's sheet: set, or without a Value "none set" or "not asked".
type Line struct {
	Answer string // "set", "none set", "not asked"
	Value  int
}

// The answers of a Line.
const (
	Set      = "set"
	NoneSet  = "none set"
	NotAsked = "not asked"
)

// Agreed is what practice and prescriber agreed upon, for one life.
type Agreed struct {
	Validity, FollowUp, Interval Line // days
	Cap, Preparations            Line
	Facts                        Line // business days within which the facts of a session are wanted
	Systolic, Diastolic, Pulse   Line
	OfficeOnly                   Line      // 1: the office only
	NotServed                    []string  // states; nil: not asked
	Licence                      time.Time // its last day ends then; zero: not listed
	TwoPrescribers, CalendarFeed bool
}

// Life is one client's, from Start on.
type Life struct {
	Seed   uint64
	Start  time.Time
	Days   int
	Agreed Agreed
	Events []Event // by At; no two at one instant
}

// End is the end of its last day.
func (l Life) End() time.Time { return l.Start.AddDate(0, 0, l.Days) }

// String is the whole life, a line an event.
func (l Life) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "life %d, %d days from %s; agreed %+v\n", l.Seed, l.Days, l.Start.Format(time.DateOnly), l.Agreed)
	for _, e := range l.Events {
		b.WriteString("  " + e.String() + "\n")
	}
	return b.String()
}

// Shrink drops what it can of a life that fails, and returns the shortest that still does. It is deterministic.
func Shrink(l Life, fails func(Life) bool) Life {
	for size := (len(l.Events) + 1) / 2; size > 0; size /= 2 {
		for at := 0; at < len(l.Events); {
			less := l
			end := min(at+size, len(l.Events))
			less.Events = append(append([]Event{}, l.Events[:at]...), l.Events[end:]...)
			if fails(less) {
				l = less
				continue
			}
			at = end
		}
	}
	return l
}
