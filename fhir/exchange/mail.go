package exchange

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Mail is one notice to a person at the practice, as far as it came. Its ID is the same on every try.
type Mail struct {
	ID       string
	Kind     MailKind
	Person   string // as the config calls them
	Address  string // to which it goes, or last went
	Day      string // of a digest: the day that it is for, in the practice's zone (2006-01-02)
	State    MailState
	Attempts int       // tries that were begun
	Due      time.Time // not before; while it is being tried, until when nobody else tries it
	Count    int       // how much to act on it told of
	About    []Told    // what of it is to be acted on now
	Why      string    // coded: what the last try came to
	At       time.Time // since when it stands so
	Moment   fhir.Moment
}

// Told is one thing to act on now that somebody is told of, and as of when: when it comes up again after that, they are
// told again.
type Told struct {
	What string // a finding's id, or the key of what touches many
	At   time.Time
}

// MailKind is what a mail is for.
type MailKind string

// The kinds of mail.
const (
	MailDigest MailKind = "digest" // a day's counts
	MailUrgent MailKind = "urgent" // S1, at once
	MailTest   MailKind = "test"   // asked for by a person, to see whether mail arrives
)

// MailState is how far a mail came.
type MailState string

// The states of a mail. The last three are its end.
const (
	MailWaiting   MailState = "waiting"   // until Due
	MailTrying    MailState = "trying"    // a try is committed, and its outcome not
	MailSent      MailState = "sent"      // the mail server took it
	MailUncertain MailState = "uncertain" // it may have been sent, and nobody can tell: it counts as sent
	MailOver      MailState = "over"      // its time went by unsent
)

// Ended reports whether nothing more becomes of the mail.
func (n Mail) Ended() bool {
	return n.State == MailSent || n.State == MailUncertain || n.State == MailOver
}
