// Package exchange owns what crosses the border: cursors and pages that come in, deliveries and receipts that go out,
// what may be disclosed, and the errors both sides match.
package exchange

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Sentinels that store, jobs and connectors agree on.
var (
	ErrConflict = errors.New("it moved meanwhile: read again and decide again") // another writer was first; nothing was changed
	ErrBusy     = errors.New("another worker holds it")                         // not a failure: the holder does the work
	ErrNotFound = errors.New("not found")
)

// Cursor is how far a source has been read: opaque to all but its connector. The zero Cursor means from the beginning.
type Cursor string

// Roster is whom a source is asked about. A source that can tell what changed needs to know only who is new; the
// whole of it is read only when a source asks, so that a pull costs what changed and not what there is.
type Roster struct {
	New   []string                                 // Patient ids to read to the beginning first, in a stable order
	Whole func(context.Context) (Everybody, error) // nil = nobody
}

// Everybody is a roster's whole, for a source that can only be searched client by client.
type Everybody struct {
	Members []string  // every linked Patient id, in a stable order
	Wanted  []fhir.ID // identifiers of clients who are not linked at this source yet, to be looked up
}

// RosterOf is a roster of values that are at hand.
func RosterOf(fresh []string, all Everybody) Roster {
	return Roster{New: fresh, Whole: func(context.Context) (Everybody, error) { return all, nil }}
}

// Everybody returns the whole roster; empty when there is none.
func (r Roster) Everybody(ctx context.Context) (Everybody, error) {
	if r.Whole == nil {
		return Everybody{}, nil
	}
	return r.Whole(ctx)
}

// Page is one bounded portion of what a source has to tell.
type Page struct {
	Resources []fhir.Resource
	Gone      []fhir.Ref // deleted at the source (410, or a delete entry)
	Rejects   []fhir.Reject
	Swept     []string  // Patient ids read to the beginning by this page alone: what it does not hold, the source does not have
	Next      Cursor    // to be stored with this page (invariant 1)
	More      bool      // ask again at once with Next
	Complete  bool      // with Next the source has been read to its end as of AsOf; only meaningful when !More
	AsOf      time.Time // up to when, by the hub's clock, Complete speaks; zero = now. Never later than now.
	Aside     bool      // an entry by itself: it says nothing of how far the source was read, which stays as it was
	Why       string    // coded reason why the read is not complete
	Unknowns  int       // rows withheld by the source (OperationOutcome entries)
	Strays    *[]Stray  // what stands there now of whom nobody knows, in place of what was told before; nil = not told
}

// Stray is an event of somebody whom the practice does not know: when, and under which token. Of the token the hub keeps
// a keyed digest.
type Stray struct {
	Token      fhir.ID
	Start, End time.Time
}

// Slip is one thing that a person entered by hand, on its way into a source of its own: the records it makes, or how far
// somebody has read what comes to a party.
type Slip struct {
	Place   int64  // the tray's own count, growing; set by the tray
	Source  string // "desk" for the practice's facts, "desk-<prescriber>" for a prescriber's
	Entry   string // the entry's id, which one entry's slips for several sources share
	Client  string // the hub's key; "" for a read-through
	Kind    string // of the entry
	Actor   string // who entered it
	At      time.Time
	ReadTo  time.Time       // everything up to then was read, and all of it is entered; zero for an entry
	Records []fhir.Resource // that passed the gate
}

// What names a kind of delivery.
type What string

// The kinds of delivery, in the order in which one referral needs them.
const (
	WhatPatient  What = "patient"
	WhatConsent  What = "consent"
	WhatReferral What = "referral" // ServiceRequest
	WhatTask     What = "task"     // the coordination Task
	WhatPacket   What = "packet"   // the first three in one Bundle, for a person to hand over to whom no connector reaches

	WhatCancel        What = "cancellation"         // the coordination Task, cancelled where it stands
	WhatCancelRequest What = "cancellation-request" // a Task that asks the prescriber to cancel
	WhatRevoked       What = "revocation"           // the referral's copy, as revoked as its original
	WhatUnsafe        What = "unsafe"               // a Task that proposes to abort: the referral is unsafe for anybody
	WhatAnswer        What = "answer"               // the prescriber's question, answered where it stands

	WhatQuestion     What = "question"     // home: a Task of the prescriber that asks the practice or the client
	WhatTaskStatus   What = "task-status"  // home: the prescriber's Task as the practice may read it
	WhatClearance    What = "clearance"    // home: a copy of the clearance Observation
	WhatPrescription What = "prescription" // home: a copy of the MedicationRequest's status
	WhatDispense     What = "dispense"     // home: a copy of the MedicationDispense's status
)

// State of a delivery in the ledger.
type State string

// The states of a delivery.
const (
	Staged    State = "staged"    // to be sent when due
	Attempted State = "attempted" // a try was committed and its outcome is not known yet: ask before sending again
	Delivered State = "delivered"
	Refused   State = "refused"   // the other side said no; shown, replayable
	Withdrawn State = "withdrawn" // surely never arrived, and a later verdict took it back
	Unknown   State = "unknown"   // tried, outcome cannot be found out: a person decides
	// LaidOut: on paper or in a folder, for a person to hand over. It may have been handed over already, so it is never
	// taken for unsent: only a person who says so ends it. With a Why it must not be handed over any more.
	LaidOut State = "laid-out"
)

// Delivery is one thing that should stand at the other side. Its ID is the same on every try (invariant 3).
type Delivery struct {
	ID         string // DeliveryID
	Client     string
	Prescriber string // the engagement
	To         string // party that receives it
	What       What
	Occasion   string       // why now: a new occasion is a new delivery of the same copy
	Copy       fhir.ID      // the business identifier by which the other side is asked; in Body too
	Type       string       // resource type
	Body       []byte       // the resource to stand there, without id
	Update     bool         // the copy may stand there already in older words: put these in their place
	Rests      []fhir.Basis // the versions disclosed
	Release    *fhir.Basis  // the release it rests on; nil for facts going home to their referrer
	Lane       string       // deliveries in one lane go one after the other
	Tried      time.Time    // when the try before this one was committed; zero on the first, and only told to a Pusher
}

// Urgent begins the lanes of what overtakes: a cancellation or a stop waits for nothing that was staged before it.
const Urgent = "urgent "

// DeliveryID is hash(client, prescriber, what, occasion), hex.
func DeliveryID(client, prescriber string, what What, occasion string) string {
	return digest("delivery", client, prescriber, string(what), occasion)
}

// CopyID is the stable identity of the copy that the hub keeps of a record at another party: it does not change
// when the record does. record is the original's key.
func CopyID(client, to string, what What, record fhir.Key) fhir.ID {
	return fhir.ID{System: fhir.SystemCopy, Value: digest("copy", client, to, string(what), record.String())[:32]}
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// Outcome is how a try ended.
type Outcome string

// The outcomes of a try.
const (
	OutcomeCreated Outcome = "created"
	OutcomeExisted Outcome = "existed" // it stood there already, from an earlier try
	OutcomeUpdated Outcome = "updated"
	OutcomeRefused Outcome = "refused"
	OutcomeUnknown Outcome = "unknown"

	OutcomeLaidOut    Outcome = "laid-out"    // it lies ready for a person to hand over: LaidOut, not Delivered
	OutcomeHandedOver Outcome = "handed-over" // a person says that it was handed over, By, At

	OutcomeTold     Outcome = "told"      // a person says that it arrived, or was carried there by phone or on paper
	OutcomeNotThere Outcome = "not-there" // a person says that it did not arrive, or was not handed over
)

// CodeOverwrote among a receipt's codes: the copy was updated, and words of somebody else's that nobody here had read
// were written over; the counterpart did not turn the update down.
const CodeOverwrote = "warning/conflict"

// CodeTheirs among a receipt's codes: nothing was written, for the other side keeps a record of its own of the client
// or the referral, known by a business identifier that the delivery tells. It is theirs: never updated, and to be read before more is sent.
const CodeTheirs = "information/duplicate"

// Receipt is the other side's answer to a delivery.
type Receipt struct {
	Outcome   Outcome
	Ref       fhir.Ref // where it stands now
	VersionID string
	Codes     []string // the coded part of an OperationOutcome: "severity/code", never diagnostics
	At        time.Time
	By        string // the person who says so, as the hub knows its users; "" = the other side itself
	To        string `json:",omitempty"` // to whom it was handed, or who there said so; "" = not recorded
	Note      string `json:",omitempty"` // in that person's words
}

// Entry is a delivery as the ledger keeps it.
type Entry struct {
	Delivery
	State    State
	Staged   time.Time
	Due      time.Time // next try not before
	Attempts int
	Last     time.Time // of the last try
	Why      string    // coded reason of the last failure
	Receipt  *Receipt
	Moment   fhir.Moment // of the last change
}
