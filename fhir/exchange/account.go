package exchange

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Account is one person's way into the hub as the store keeps it. What it says is the console's own language
// (cmd/internal/people): the store keeps it whole, sealed and in its order, and reads none of it.
type Account struct {
	ID      string      // a hub key
	Facts   []byte      // who they are and what they may: kept in every version
	Secrets []byte      // by what they prove it: encrypted, and kept in the newest version only
	Seen    time.Time   // when they last signed in; zero = never
	Moment  fhir.Moment // of its newest version
}

// Glass is a look at a client that is not one's own, taken in need and with a reason: for whom, at whom and until when.
type Glass struct {
	ID, Account, Client string
	Reason              string
	Actor               string // who took it, as the audit log names them
	From, Until         time.Time
}

// Line is one line of the audit log; Subject and Detail hold hub keys and codes only.
type Line struct {
	Seq                            int64
	At                             time.Time
	Actor, Action, Subject, Detail string
}

// Crowd is what somebody did on one day that showed many clients at once.
type Crowd struct {
	Actor, Action string
	First, Last   time.Time
	Times         int
}

// Session is one that is not over.
type Session struct {
	Name         string // by which it can be ended, and which opens nothing
	Began, Until time.Time
}
