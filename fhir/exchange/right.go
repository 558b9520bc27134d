package exchange

import "time"

// Source is one configured way of reading a party.
type Source struct {
	Name  string
	Party string
	Base  string // its server's base URL, if its resources refer to each other by absolute URL; else ""
}

// Changed counts what a page brought.
type Changed struct {
	Versions, Gone, Rejects, Links, Ignored, Missed int
	Sealed                                          int // out of scope, kept apart
	Clients                                         int // engagements now stale
}

// Lease is the fenced right to read one source.
type Lease struct {
	Name  string
	Fence int64
}

// Fence is the right to end one attempt of one delivery.
type Fence struct {
	ID string
	N  int64
}

// Pace is how fast a counterpart is asked.
type Pace struct {
	Turns int           // taken at once
	Each  time.Duration // from one turn to the next
	Burst int           // turns that may be used at once after a pause
}
