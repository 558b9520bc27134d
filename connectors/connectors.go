// Package connectors is the contract that every way of talking to a party fulfils.
//
// # Adding one
//
// A connector is a folder here and one line in cmd/kaphub/connectors.go. Its constructor takes all it needs, checks it and
// asks nothing yet; it decodes its own part of the config, strictly. What it cannot do it leaves nil in Connector. Its test
// is one call of connectortest.Run with a far side (connectortest.World) that it can write to, and that it can ask for
// trouble; cases for what neither can do are skipped by name. The suite demands:
//
//	pull    everything is told once, in pages; asking again with the same cursor is harmless; what was changed or deleted
//	        is told; a client new to the roster is read back to the beginning; a page that fails moves no cursor
//	        a record that cannot be read is a Reject with what can be salvaged, and blocks no other
//	        withheld rows, a paging loop, half an answer, a huge one: an error, or not Complete; never "no news"
//	sweep   one member after the other, resumable; who is Swept was surely read whole
//	read    one resource as it stands; what is gone is exchange.ErrNotFound
//	push    the same delivery twice arrives once, also after a lost reply; an update is put in the old one's place
//	check   tells what works, degrades and is impossible, with what is done instead, and changes nothing
//	errors  are *Error with the right Fault and After, and tell nothing of a client: no body, query, name or address
package connectors

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors/jwks"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Puller reads a source from a cursor on, oldest first and in bounded pages. Asking again with the same cursor is harmless.
type Puller interface {
	Pull(ctx context.Context, since exchange.Cursor, roster exchange.Roster) (exchange.Page, error)
}

// Sweeper reads everything a source has of the roster's members, a slice at a time; resume is the Next of the slice before.
type Sweeper interface {
	Sweep(ctx context.Context, resume exchange.Cursor, roster exchange.Roster) (exchange.Page, error)
}

// Reader reads one resource as it stands now. A resource that is gone is exchange.ErrNotFound.
type Reader interface {
	Read(ctx context.Context, ref fhir.Ref) (fhir.Resource, error)
}

// Pusher makes a delivery stand at the other side. The same d.ID may come again and must not arrive twice.
// asked means an earlier try may have arrived: look before sending.
type Pusher interface {
	Push(ctx context.Context, d exchange.Delivery, asked bool) (exchange.Receipt, error)
}

// Asker tells whether a delivery's copy stands at the other side, and sends nothing: what push needs when an earlier try
// may have arrived but the release has lapsed since, or the store is paused. Nothing there is exchange.ErrNotFound;
// found is a receipt with OutcomeExisted.
type Asker interface {
	Ask(ctx context.Context, d exchange.Delivery) (exchange.Receipt, error)
}

// Turnstile is where all replicas of the hub pass that ask one counterpart: it keeps the pace they share.
type Turnstile interface {
	// Turns takes turns that lie p.Each apart, and returns how long to wait until the first may be used, and until when
	// the counterpart is left in peace (zero or past = it is not).
	Turns(ctx context.Context, counterpart string, p exchange.Pace) (wait time.Duration, rests time.Time, err error)
	// Rest has every replica leave the counterpart in peace until then; the zero time ends that.
	Rest(ctx context.Context, counterpart string, until time.Time) error
}

// Recaller takes back what is laid out for a person and must not be handed over any more, as far as it still lies there:
// it is put aside, never deleted. Nothing there is exchange.ErrNotFound: it may have been handed over.
type Recaller interface {
	Recall(ctx context.Context, d exchange.Delivery) error
}

// Checker tells what a counterpart offers, without changing anything there.
type Checker interface {
	Check(ctx context.Context) (Report, error)
}

// Offerer tells what a counterpart offers as far as is known, asking it only where nothing is known yet.
type Offerer interface {
	Offers(ctx context.Context) (Capabilities, error)
}

// Connector is one configured way of talking to one party. What it cannot do is nil.
type Connector struct {
	Name    string // the source's name, as in the config
	Party   string // fhir.Practice or a prescriber's name
	Alone   bool   // it bears one job at a time: sending waits while it is read
	Base    string // what the absolute references in its records begin with; "" = they have none
	Puller  Puller
	Sweeper Sweeper
	Reader  Reader
	Pusher  Pusher
	Asker   Asker
	Checker Checker
	Offerer Offerer
	Keys    *jwks.Files // what it signs with, so that the public halves can be published; nil = it signs nothing

	Recaller Recaller
	Packets  bool // its Pusher takes exchange.WhatPacket and nothing else: what it lays out, a person hands over
}

// Fault is what kind of trouble an Error is, and so what the queue does about it.
type Fault int

// The faults.
const (
	Temporary Fault = iota // again later: unreachable, 408, 429, 5xx
	Refused                // the other side understood and said no: not again by itself
	Denied                 // not authorised: the operator's business
	Garbled                // the answer could not be read
	Conflict               // it moved meanwhile (409, 412): read, decide again
	Uncertain              // it may have arrived, and the other side cannot be asked
)

func (f Fault) String() string {
	return [...]string{"temporary", "refused", "denied", "garbled", "conflict", "uncertain"}[f]
}

// Error is what every connector answers with. It carries no body, query, name or address of a client.
type Error struct {
	Op    string        // what was being done: "search Task"
	Fault Fault         // what it means for the queue
	After time.Duration // not before, as the other side asked (Retry-After); 0 = the queue's own backoff
	Hint  string        // what the operator can do
	Codes []string      // the coded part of an OperationOutcome

	// Unsent says that what was pushed surely does not stand at the other side because of this try: nothing was written
	// to the wire (refused connection, no token, open breaker), or the server answered that it did nothing (408, 425, 429,
	// 503). Leave it false for 500, 502, 504, a timeout or a dropped connection: the other side is then asked first.
	Unsent bool

	Err error
}

func (e *Error) Error() string {
	s := e.Op + ": " + e.Fault.String()
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Unwrap returns what caused e.
func (e *Error) Unwrap() error { return e.Err }

// FaultOf returns the fault of err; an error that is no *Error is Temporary.
func FaultOf(err error) Fault {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Fault
	}
	return Temporary
}

// Why is the coded reason of err for a source's log or the ledger: what was being done, the fault and the codes of the
// answer. Nothing else of the error's text, whoever wrote it.
func Why(err error) string {
	e, ok := errors.AsType[*Error](err)
	switch {
	case ok && len(e.Codes) > 0:
		return e.Op + ": " + e.Fault.String() + " (" + strings.Join(e.Codes, ", ") + ")"
	case ok:
		return e.Op + ": " + e.Fault.String()
	case errors.Is(err, context.DeadlineExceeded):
		return "it took too long"
	case errors.Is(err, context.Canceled):
		return "it was stopped"
	}
	return Temporary.String()
}

// MayHaveArrived reports whether what was pushed may stand at the other side although the push answered err.
// Only an *Error can say that it does not.
func MayHaveArrived(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return !ok || !e.Unsent
}

// Errorf is an *Error of the given fault whose cause is formatted like fmt.Errorf.
func Errorf(op string, f Fault, format string, args ...any) *Error {
	return &Error{Op: op, Fault: f, Err: fmt.Errorf(format, args...)}
}
