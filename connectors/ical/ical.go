// Package ical reads appointments from a calendar feed (RFC 5545): when, for whom by a token, and of which kind, and
// keeps nothing else of an event.
package ical

import (
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/fhir"
)

// Options are what New needs.
type Options struct {
	Name    string                 // the source's
	Address func() (string, error) // the feed's address, asked for each read, so that it is never kept or printed; nil with File
	File    string                 // a file in place of an address
	Zone    *time.Location         // the practice's: where a time without a zone is meant

	Token      *regexp.Regexp // finds the client's token in a title, or in a description if no title holds one; its first group if it has any
	Kinds      []Kind         // the first that fits says which appointment of the course it is
	Places     []Place        // the first that fits says where
	Therapist  TherapistID    // whose calendar it is; zero = nobody is named
	Back       time.Duration  // how far back
	Ahead      time.Duration  // and ahead events are read
	ConfirmFor int            // reads, an hour apart at least, that must agree before more than half of the events are taken as gone
	PageSize   int
	Limits     rest.Limits
	Now        func() time.Time // nil = time.Now
}

// Kind says which appointment of the course an event is whose title, or else description, matches.
type Kind struct {
	Match *regexp.Regexp
	Kind  string // a code of fhir.SystemSession
}

// Place says where an event is whose location matches.
type Place struct {
	Match *regexp.Regexp
	At    string // AtOffice, AtHome or AtDistance
}

// Where a session may be.
const (
	AtOffice   = "office"
	AtHome     = "home"
	AtDistance = "remote"
)

// New returns a connector of the practice that reads one feed. It checks o and asks nobody yet.
func New(o Options) (connectors.Connector, error) {
	if o.Name == "" || o.Zone == nil || o.Token == nil || (o.Address == nil) == (o.File == "") {
		return connectors.Connector{}, errors.New("open ical: a connector needs a name, a zone, a token and either an address or a file")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	for _, d := range []struct {
		of   *time.Duration
		days int
	}{{&o.Back, 60}, {&o.Ahead, 120}} {
		if *d.of == 0 {
			*d.of = time.Duration(d.days) * day
		}
	}
	if o.ConfirmFor == 0 {
		o.ConfirmFor = 3
	}
	if o.PageSize == 0 {
		o.PageSize = 500
	}
	if o.Limits.MaxBody == 0 {
		o.Limits.MaxBody = 16 << 20
	}
	f := &feed{Options: o}
	return connectors.Connector{Name: o.Name, Party: fhir.Practice, Puller: f, Reader: f, Checker: f}, nil
}

const day = 24 * time.Hour

// feed is one calendar.
type feed struct {
	Options

	mu     sync.Mutex // guards what follows
	client *rest.Client
	at     string    // the address that client is for
	etag   string    // of last
	since  string    // its Last-Modified
	last   *calendar // what was read last, without any text of it; nil = nothing to compare with
}

func (f *feed) op(doing string) string { return fmt.Sprintf("%s %s", doing, f.Name) }
