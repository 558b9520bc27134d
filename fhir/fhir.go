// Package fhir owns the language both sides speak: keys, resources kept as received, the gate they pass,
// the views they are read through, a client's chart, and the codes of the practice's work.
package fhir

import (
	"time"
)

// Practice is the party that owns appointments, session facts, release and go-ahead.
// Every other party is a prescriber, named as in the config.
const Practice = "practice"

// Moment is a commit sequence of the store: what the hub knew after that commit. It is no clock.
type Moment int64

// Ref names a resource within one server: "Patient/p1".
type Ref struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// String returns "Type/ID", or "" for the zero Ref.
func (r Ref) String() string {
	if r.Type == "" {
		return ""
	}
	return r.Type + "/" + r.ID
}

// IsZero reports whether r names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// Key names a record across sources. Source is the connector instance that told it, as named in the config.
type Key struct {
	Source string `json:"source"`
	Type   string `json:"type"`
	ID     string `json:"id"`
}

// Ref returns k as its own server would write it.
func (k Key) Ref() Ref { return Ref{k.Type, k.ID} }

// String returns "source/Type/id".
func (k Key) String() string { return k.Source + "/" + k.Type + "/" + k.ID }

// Resource is one resource as it was received: Body is the truth, the rest was read from it.
type Resource struct {
	Type        string
	ID          string
	VersionID   string    // meta.versionId, "" if the server gives none
	LastUpdated time.Time // meta.lastUpdated, zero if the server gives none
	Body        []byte    // byte for byte as received
	Hash        string    // hex SHA-256 of the canonical JSON (Canonical)
}

// Ref returns the reference under which its own server knows r.
func (r Resource) Ref() Ref { return Ref{r.Type, r.ID} }

// Same reports whether r tells nothing that current does not: the same versionId, else the same lastUpdated,
// and in either case the same content; servers that give neither are compared by content alone.
// Compare with the current version only: a hold may come back in the same words (invariant 2).
func (r Resource) Same(current Resource) bool {
	if r.Hash != current.Hash {
		return false
	}
	if r.VersionID != "" && current.VersionID != "" {
		return r.VersionID == current.VersionID
	}
	return r.LastUpdated.Equal(current.LastUpdated)
}

// Version is one state of one record, kept for ever (invariant 2).
type Version struct {
	Key
	Party    string    // who owns what this source tells: Practice or a prescriber's name
	N        int64     // the hub's own count of this record's versions, from 1
	Moment   Moment    // the commit with which the hub learned it
	Received time.Time // when
	Gone     bool      // the source no longer has the record (delete, 404, 410, or absent from a full sweep); no Body
	Why      string    // with Gone: "deleted" or "absent from sweep"
	Resource Resource  // the zero Resource when Gone

	Container *Version // the version that carries it inside, whose own it then is; nil for a record that stands by itself
}

// Recorded returns when the owner's system recorded this version: lastUpdated; when the hub received it, if the server
// gives none, or one that is later: nothing is received before it is recorded, so that clock runs ahead.
func (v *Version) Recorded() time.Time {
	at := v.Resource.LastUpdated
	if at.IsZero() || at.After(v.Received) && !v.Received.IsZero() {
		return v.Received
	}
	return at
}

// Basis names one version a decision rests on (invariant 4).
type Basis struct {
	Source  string `json:"source"`
	Party   string `json:"party"`
	Type    string `json:"type"`
	ID      string `json:"id"`
	Version int64  `json:"version"`
}

// Basis returns the name of v for a decision's "because".
func (v *Version) Basis() Basis {
	if v.Container != nil {
		return v.Container.Basis()
	}
	return Basis{Source: v.Source, Party: v.Party, Type: v.Type, ID: v.ID, Version: v.N}
}

// Link says that a source's Patient is this client of the hub.
type Link struct {
	Client   string    `json:"client"`
	Source   string    `json:"source"`
	Patient  string    `json:"patient"` // the source's Patient id
	How      string    `json:"how"`     // "enrolled" (a KAP referral, appointment or release named it), "key" (it bears the hub's own), "identifier", "person", or Candidate
	Moment   Moment    `json:"moment"`
	ReadBack bool      `json:"read_back"` // the source was read back to the beginning for this patient
	Since    time.Time `json:"since"`
	Whole    Moment    `json:"whole,omitempty"` // when that first read back was complete: what came up to it may have been there for long

	Evidence []Evidence `json:"evidence,omitempty"` // of a candidate: how the two records compare, each kind once
}

// Candidate is the How of what is no link yet: two could be meant, or the records only seem to be one person's, and a
// person must say. Beside a link it says that the link is in doubt. Nothing may be told of one client under a
// candidate's record: it may be another client's.
const Candidate = "candidate"

// SourceState is how far one source has been read.
type SourceState struct {
	Name         string
	Party        string
	LastComplete time.Time // end of the last complete read, on the hub's clock; zero = never
	LastTried    time.Time
	Complete     bool   // the last read was complete
	Why          string // why not: a coded reason, never a body
	Missed       int    // what sweeps found in the last 7 days that pulls should have brought; the store's Overlooked tells
	Moment       Moment
}

// Reject is a record that could not be read: kept whole and shown (invariant 5).
type Reject struct {
	ID       string // the hub's key of the reject
	Source   string
	Type     string // "" if it could not be told
	Ref      string // resource id, "" if it could not be told
	Subject  Ref    // the Patient it seems to belong to, zero if it could not be told
	Reason   string // coded: what was wrong and where, never a value
	Body     []byte
	Hash     string
	Received time.Time
	Moment   Moment
	Resolved string // "" while open; else "superseded" or a person's reason
}

// HandedOver is a packet that a person handed over.
type HandedOver struct {
	ID         string
	Prescriber string    // to whom
	At         time.Time // when, as the person who recorded it says
	Rests      []Basis   // the versions it discloses
}

// Began is how an engagement's verdict stood when a dosing session of its began.
type Began struct {
	Prescriber string // the engagement
	Key               // the session's Appointment
	Start      time.Time
	State      string // a state of package readiness: READY, UNKNOWN, …
	Moment     Moment // of the judgement that noted it
}

// Outstanding is a delivery that has not come to its end. What and State are words of package exchange.
type Outstanding struct {
	ID         string
	Prescriber string // the engagement it belongs to
	To         string // the party that should receive it
	What       string
	State      string // "staged", "attempted", "laid-out", "refused" or "unknown"
	Staged     time.Time
	Since      time.Time // since when it was laid out, refused or unknown; else of its first try; zero = never tried
	Attempts   int
	Last       time.Time // when the last try began; zero = never tried
	Why        string    // coded reason of the last failure
	Due        time.Time // the next try not before; zero = none by itself, or not known of a past moment
	Superseded bool      // a later delivery of the same copy was staged: it is made good by that one
	Rests      []Basis   // the versions it would disclose
}
