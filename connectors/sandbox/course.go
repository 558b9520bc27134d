package sandbox

import (
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// stage is one step of a referral's course.
type stage int

const (
	acknowledged stage = iota
	accepted
	intake
	evaluationBooked
	evaluated
	decided
	prescribed
	sentToPharmacy
	addressPending
	compounding
	shipped
	delivered
)

// course lets a referral that came at start go its way from one stage to another, and returns when the last is reached.
// In the world's present (not while its past is told) the practice follows along.
func (c *client) course(start time.Time, p Pace, first, last stage) time.Time {
	at := start
	for _, s := range []struct {
		stage stage
		after time.Duration
		do    func(time.Time)
	}{
		{acknowledged, p.Acknowledge, c.isAcknowledged},
		{accepted, p.Accept, c.isAccepted},
		{intake, p.Intake, c.getsIntake},
		{evaluationBooked, p.Book, func(t time.Time) { c.booksEvaluation(t.Add(p.Evaluate))(t) }},
		{evaluated, p.Evaluate, c.isEvaluated},
		{decided, p.Decide, c.decides},
		{prescribed, p.Prescribe, c.isPrescribed},
		{sentToPharmacy, p.Pharmacy, c.reachesPharmacy},
		{addressPending, p.Address, c.parcel(fhir.FulfilmentAddress)},
		{compounding, p.Compound, c.parcel(fhir.FulfilmentCompound)},
		{shipped, p.Ship, c.parcel(fhir.FulfilmentShipped)},
		{delivered, p.Deliver, c.parcel(fhir.FulfilmentDelivered)},
	} {
		if s.stage < first || s.stage > last {
			continue
		}
		at = at.Add(s.after)
		c.w.planAt(at, s.do)
		if start.Before(c.w.start) {
			continue
		}
		switch s.stage {
		case accepted:
			c.w.planAt(at.Add(p.Practice), c.isPrepared)
			c.w.planAt(at.Add(2*p.Practice), c.hasPrepared)
		case delivered:
			c.w.planAt(at.Add(p.Practice), c.acknowledges)
			if c.dosing.IsZero() {
				c.goesOn(at.Add(2*p.Practice), p)
			}
		}
	}
	return at
}

// goesOn books a dosing session and lets it come.
func (c *client) goesOn(at time.Time, p Pace) {
	begins := at.Add(p.Session)
	c.w.planAt(at, c.books(begins))
	c.comesToSession(begins, p)
}

// comesToSession is the day of a booked session: arrival, go-ahead, the session, its facts.
func (c *client) comesToSession(begins time.Time, p Pace) {
	arrival := begins.Add(-p.Arrive)
	c.w.planAt(arrival, c.arrives)
	c.w.planAt(arrival.Add(min(p.Practice, p.Arrive/2)), c.goesAhead)
	c.w.planAt(begins.Add(2*time.Hour), c.isHeld)
}

// coded reports whether a concept of a tree has a coding with this code.
func coded(tree object, element, code string) bool {
	for _, have := range walk(tree, []string{element, "coding", "code"}) {
		if have == code {
			return true
		}
	}
	return false
}

// localRef reads a relative or absolute literal reference as one of this server's.
func localRef(literal any) fhir.Ref {
	s, _ := literal.(string)
	parts := strings.Split(plainReference(s), "/")
	if len(parts) < 2 {
		return fhir.Ref{}
	}
	return fhir.Ref{Type: parts[len(parts)-2], ID: parts[len(parts)-1]}
}
