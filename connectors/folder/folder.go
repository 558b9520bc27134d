// Package folder talks to a party through a shared directory: what the party leaves there is copied, answered with a
// receipt and told in the order in which it came, and what it is to have is laid out for a person to hand over.
//
//	in/roster.csv              what the party left
//	in/taken/00000042-…        its copy: what is read, by whatever process, is read from here
//	in/receipts/roster.csv…    what became of it, line by line, without a value
//	out/1a2b3c4d5e6f.html      a packet; out/withdrawn/ holds those that must not be handed over any more
package folder

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/kaphub/kaphub/connectors"
)

// Options are what New needs.
type Options struct {
	Name  string // the source's
	Party string // fhir.Practice or a prescriber's name
	In    string // "" = nothing is read
	Out   string // "" = nothing is laid out

	Roster    string        // which files are rosters: "roster*.csv"
	Statuses  string        // which are statuses: "status*.csv"
	Ignore    []string      // which are nobody's business
	MaxBytes  int64         // of one file: 16 MiB
	PageSize  int           // rows: 500
	Wait      time.Duration // how long a file must have lain unchanged: 5 s
	Partial   bool          // a roster names some clients only: who is not in it has not left
	AsOfFile  bool          // what is read is as old as the newest file, and not as the look at it
	Format    Format        // Now is set for each file
	Stationer Stationer
	Now       func() time.Time // nil = time.Now
}

// New returns a connector. It checks o and touches no file yet.
func New(o Options) (connectors.Connector, error) {
	if o.Name == "" || o.Party == "" {
		return connectors.Connector{}, errors.New("open folder: a connector needs a name and a party")
	}
	if o.In == "" && o.Out == "" {
		return connectors.Connector{}, fmt.Errorf("open connector %s: it needs a directory: in, out or both", o.Name)
	}
	for _, dir := range []*string{&o.In, &o.Out} {
		if *dir != "" {
			*dir = filepath.Clean(*dir)
		}
	}
	if o.Roster == "" {
		o.Roster = "roster*.csv"
	}
	if o.Statuses == "" {
		o.Statuses = "status*.csv"
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 16 << 20
	}
	if o.PageSize == 0 {
		o.PageSize = 500
	}
	if o.Wait == 0 {
		o.Wait = 5 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := connectors.Connector{Name: o.Name, Party: o.Party, Checker: &checker{o}}
	if o.In != "" {
		s := &source{Options: o, inbox: inbox{Options: o}}
		c.Puller, c.Reader = s, s
	}
	if o.Out != "" {
		p := NewPackets(o.Out, o.Stationer, o.Now)
		c.Pusher, c.Asker, c.Recaller, c.Packets = p, p, p, true
	}
	return c, nil
}

// source is what a directory tells.
type source struct {
	Options
	inbox inbox

	mu     sync.Mutex // one reads at a time
	shelf  *shelf     // how every record stands after the file read last
	parsed parsed     // the file read last
}
