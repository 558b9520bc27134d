package sandbox

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// The five states a situation can want (readiness.State; the sandbox knows nothing of how verdicts are made).
const (
	ready    = "READY"
	inOrder  = "IN-ORDER"
	notReady = "NOT-READY"
	hold     = "HOLD"
	unknown  = "UNKNOWN"
)

// situation is one way in which a client's records can stand, and the life that led there.
type situation struct {
	wants string
	why   string
	live  func(*client)
}

// situations are told in this order; the first five show the five states.
//
// They fit a hub whose config says: the prescriber has the identifier NPI; deciders: NPI; clearance_validity 90d,
// follow_up 90d, dose_interval 5d, session_cap none set, systolic_limit 140 mm[Hg], diastolic_limit 90 mm[Hg],
// heart_rate_limit 100 /min, preparations 1, office_only true, states_not_served without CO, lead_days none set;
// credentials none set; no ConceptMap. One prescriber, one practice, any time zone of the Americas.
var situations = []situation{
	{ready, "everything is recorded for the session in two and a half hours, arrival checks and go-ahead included", func(c *client) {
		c.treated(-45 * day)
		c.readyFor(150 * time.Minute)
		c.w.plan(270*time.Minute, c.isHeld)
	}},
	{inOrder, "session in three days; arrival checks and go-ahead are still to come", func(c *client) {
		c.treated(-40 * day)
		c.nextIn(3 * day)
		if stop := 3 * c.w.pace.Settle; stop < day { // in a living world this course is interrupted for a while
			c.w.plan(stop, c.isStopped)
			c.w.plan(2*stop, c.isReleased)
		}
	}},
	{notReady, "cleared eight days ago and still without a prescription; session in six days", func(c *client) {
		c.enrols(-14 * day)
		c.refers(-14*day, decided)
		c.prepares(-3 * day)
		c.bookedFor(6 * day)
		c.w.plan(0, func(at time.Time) { c.later(prescribed, at) })
	}},
	{hold, "the prescriber put treatment on hold yesterday", func(c *client) {
		c.treated(-50 * day)
		c.bookedFor(2 * day)
		c.w.plan(-20*time.Hour, c.isStopped)
		c.w.plan(c.w.pace.Settle, c.isReleased)
	}},
	{unknown, "the decision is in a code of the prescriber's own that nobody has mapped", func(c *client) {
		c.decision = fhir.Code{System: "https://skylight.example/codes/decision", Code: "ok-per-protocol-b"}
		c.treated(-35 * day)
		c.bookedFor(4 * day)
	}},
	{inOrder, "session today; arrival checks are pending", func(c *client) {
		c.treated(-42 * day)
		c.bookedFor(5 * time.Hour)
		arrival := min(c.w.pace.Settle, 270*time.Minute)
		c.w.plan(arrival, c.arrives)
		c.w.plan(arrival+min(c.w.pace.Practice, 15*time.Minute), c.goesAhead)
		c.w.plan(7*time.Hour, c.isHeld)
	}},
	{notReady, "new: referred this morning, to be sent by the hub", func(c *client) {
		c.enrols(-2 * time.Hour)
		c.w.plan(-time.Hour, c.isReferred)
	}},
	{notReady, "booked in two days without a decision: the evaluation is tomorrow", func(c *client) {
		c.enrols(-6 * day)
		c.refers(-6*day, intake)
		c.w.plan(-3*day, c.booksEvaluation(c.w.start.Add(day)))
		c.prepares(-day)
		c.bookedFor(2 * day)
		c.w.plan(day+time.Hour, c.isEvaluated)
		c.w.plan(day+time.Hour, func(at time.Time) { c.later(decided, at) })
	}},
	{notReady, "the clearance ends before the session", func(c *client) {
		c.valid = 47 * day
		c.treated(-50 * day)
		c.bookedFor(6 * day)
	}},
	{notReady, "the release to the prescriber ended three days ago", func(c *client) {
		c.w.plan(-60*day, c.joins)
		c.w.plan(-60*day, c.releases(57*day))
		c.w.plan(-60*day, c.consents)
		c.w.plan(-60*day, c.isReferred)
		c.goesThrough(-60 * day)
		c.bookedFor(5 * day)
	}},
	{notReady, "the referral has not been acknowledged for six business days", func(c *client) {
		c.silent = true
		sent := businessDaysBefore(c.w.start, 6).Sub(c.w.start)
		c.enrols(sent - day)
		c.w.plan(sent, c.isReferred)
		c.w.plan(sent+time.Hour, c.comes)
		c.bookedFor(10 * day)
	}},
	{notReady, "two lozenges dispensed and both taken; a third session is booked", func(c *client) {
		c.doses = 2
		c.treated(-45 * day)
		c.heldAt(-20 * day)
		c.heldAt(-12 * day)
		c.bookedFor(3 * day)
	}},
	{notReady, "the follow-up, due ninety days after the decision, has not been held", func(c *client) {
		c.valid = 180 * day
		c.treated(-110 * day)
		c.bookedFor(4 * day)
		c.w.plan(2*c.w.pace.Settle, c.followsUp)
	}},
	{notReady, "the prescriber changed the dose yesterday; the therapist has not acknowledged it", func(c *client) {
		c.treated(-38 * day)
		c.bookedFor(3 * day)
		c.w.plan(-22*time.Hour, c.changesDose)
		c.w.plan(c.w.pace.Settle+c.w.pace.Practice, c.acknowledges)
	}},
	{notReady, "the prescriber declined the referral, and a session is booked all the same", func(c *client) {
		c.enrols(-12 * day)
		c.refers(-12*day, acknowledged)
		c.w.plan(-9*day, c.isRejected)
		c.bookedFor(4 * day)
	}},
	{hold, "the newest decision withdraws the clearance", func(c *client) {
		c.treated(-44 * day)
		c.bookedFor(5 * day)
		c.w.plan(-26*time.Hour, c.withdraws)
	}},
	{hold, "the therapist recorded a serious event; the prescriber has not answered", func(c *client) {
		c.treated(-48 * day)
		c.heldAt(-7 * day)
		c.bookedFor(3 * day)
		c.w.plan(-6*day, c.reacts)
	}},
	{hold, "the client withdrew their consent to treatment", func(c *client) {
		c.treated(-41 * day)
		c.bookedFor(2 * day)
		c.w.plan(-18*time.Hour, c.withdrawsConsent)
	}},
	{unknown, "the prescriber sent a record of this client that contradicts itself", func(c *client) {
		c.treated(-39 * day)
		c.bookedFor(3 * day)
		c.w.plan(-5*time.Hour, c.isGarbled)
	}},
	{notReady, "the two sides have different birth dates on file", func(c *client) {
		c.told = "1949-12-31"
		c.treated(-37 * day)
		c.bookedFor(4 * day)
	}},
	{inOrder, "everything is in order and no session is booked: one could be", func(c *client) {
		c.treated(-36 * day)
	}},
	{notReady, "the session was moved after the therapist's go-ahead", func(c *client) {
		c.treated(-46 * day)
		c.readyFor(2 * time.Hour)
		c.w.plan(-5*time.Minute, c.moved(c.w.start.Add(4*time.Hour)))
	}},
}

// further lives beside the situations: most practices' clients are simply on their way.
var further = []situation{
	{inOrder, "on their way: the next session is booked", func(c *client) {
		c.treated(-time.Duration(30+c.w.random.IntN(40)) * day)
		c.nextIn(time.Duration(2+c.w.random.IntN(11)) * day)
	}},
	{inOrder, "on their way: a session held, the next one booked", func(c *client) {
		c.treated(-time.Duration(45+c.w.random.IntN(30)) * day)
		c.heldAt(-time.Duration(8+c.w.random.IntN(12)) * day)
		c.nextIn(time.Duration(2+c.w.random.IntN(11)) * day)
	}},
	{inOrder, "in order, and a session could be booked", func(c *client) {
		c.treated(-time.Duration(30+c.w.random.IntN(40)) * day)
	}},
	{notReady, "referred and accepted; the evaluation is still to come", func(c *client) {
		c.enrols(-4 * day)
		c.refers(-3*day, intake)
		c.prepares(-day)
		c.w.plan(0, func(at time.Time) { c.later(evaluationBooked, at) })
	}},
	{notReady, "new: referred this morning, to be sent by the hub", func(c *client) {
		c.declined = c.w.random.IntN(4) == 0
		c.enrols(-2 * time.Hour)
		c.w.plan(-time.Hour, c.isReferred)
	}},
	{notReady, "the medicine is on its way", func(c *client) {
		c.enrols(-12 * day)
		c.refers(-12*day, shipped)
		c.prepares(-2 * day)
		c.w.plan(0, func(at time.Time) { c.later(delivered, at) })
	}},
}

// populate plans so many lives; 0 = each situation once.
func (w *World) populate(clients int) {
	if clients == 0 {
		clients = len(situations)
	}
	for i := range clients {
		s := further[w.random.IntN(len(further))]
		if i < len(situations) {
			s = situations[i]
		}
		c := w.person()
		c.wants, c.why = s.wants, s.why
		s.live(c)
	}
}

// welcome plans so many lives that begin today and go their way without a hitch.
func (w *World) welcome(clients int) {
	for range clients {
		c := w.person()
		c.wants, c.why = notReady, "new: referred this morning, to be sent by the hub"
		c.enrols(-2 * time.Hour)
		c.w.plan(-time.Hour, c.isReferred)
	}
}

// enrols opens the client's record and signs the papers.
func (c *client) enrols(at time.Duration) {
	c.w.plan(at, c.joins)
	c.w.plan(at, c.releases(365*day))
	c.w.plan(at, c.consents)
}

// refers writes the referral, which an earlier hub carried over within the hour, and lets its course go as far as last.
func (c *client) refers(at time.Duration, last stage) {
	c.w.plan(at, c.isReferred)
	c.w.plan(at+time.Hour, c.comes)
	c.course(c.w.start.Add(at+time.Hour), Office(), acknowledged, last)
}

// treated is a blameless course from the first day to the acknowledged prescription and the preparation.
func (c *client) treated(from time.Duration) {
	c.enrols(from)
	c.w.plan(from, c.isReferred)
	c.goesThrough(from)
}

func (c *client) goesThrough(from time.Duration) {
	c.w.plan(from+time.Hour, c.comes)
	end := c.course(c.w.start.Add(from+time.Hour), Office(), acknowledged, delivered).Sub(c.w.start)
	c.w.plan(end+4*time.Hour, c.acknowledges)
	c.prepares(end + 2*day)
}

func (c *client) prepares(at time.Duration) {
	c.w.plan(at, c.isPrepared)
	c.w.plan(at+time.Hour, c.hasPrepared)
}

// bookedFor books the dosing session some days ago, for so long after the world's start.
func (c *client) bookedFor(in time.Duration) {
	c.w.plan(-2*day, c.books(c.w.start.Add(in)))
}

// nextIn is a booked session that will come.
func (c *client) nextIn(in time.Duration) {
	c.bookedFor(in)
	c.comesToSession(c.w.start.Add(in), Office())
}

// readyFor is a booked session whose arrival checks and go-ahead are recorded.
func (c *client) readyFor(in time.Duration) {
	c.bookedFor(in)
	c.w.plan(-40*time.Minute, c.arrives)
	c.w.plan(-15*time.Minute, c.goesAhead)
}

// heldAt is a dosing session of the past with its facts.
func (c *client) heldAt(at time.Duration) {
	c.w.plan(at-3*day, c.books(c.w.start.Add(at)))
	c.w.plan(at-30*time.Minute, c.arrives)
	c.w.plan(at-10*time.Minute, c.goesAhead)
	c.w.plan(at+2*time.Hour, c.isHeld)
}

// later lets the rest of a course begin when the world has started to live.
func (c *client) later(first stage, at time.Time) { c.course(at, c.w.pace, first, delivered) }

// businessDaysBefore returns the time so many business days (Monday to Friday) before t.
func businessDaysBefore(t time.Time, n int) time.Time {
	for n > 0 {
		t = t.AddDate(0, 0, -1)
		if wd := t.Weekday(); wd != time.Saturday && wd != time.Sunday {
			n--
		}
	}
	return t
}
