package sandbox

import "time"

const day = 24 * time.Hour

// Pace is how long each step of a life takes, counted from the step before.
type Pace struct {
	Acknowledge time.Duration // the prescriber confirms that the referral came
	Accept      time.Duration
	Intake      time.Duration // the intake form goes to the client
	Book        time.Duration // an evaluation is booked
	Evaluate    time.Duration // and held
	Decide      time.Duration // clearance
	Prescribe   time.Duration
	Pharmacy    time.Duration // the prescription reaches the pharmacy
	Address     time.Duration // the pharmacy calls about the address
	Compound    time.Duration
	Ship        time.Duration
	Deliver     time.Duration
	Practice    time.Duration // the practice records what it has learned
	Session     time.Duration // so far ahead the practice books dosing sessions
	Arrive      time.Duration // so long before a session its arrival checks are recorded
	Settle      time.Duration // an open matter is settled: a hold lifted, a question answered
}

// Office is the pace of a real practice: days and weeks.
func Office() Pace {
	return Pace{
		Acknowledge: 4 * time.Hour, Accept: 4 * time.Hour, Intake: 4 * time.Hour, Book: 20 * time.Hour, Evaluate: 3 * day,
		Decide: 2 * time.Hour, Prescribe: 4 * time.Hour, Pharmacy: time.Hour, Address: day, Compound: 2 * day, Ship: day,
		Deliver: 3 * day, Practice: 4 * time.Hour, Session: 4 * day, Arrive: 30 * time.Minute, Settle: 2 * day,
	}
}

// Living is the pace of a demonstration: every step of a life takes one step. Sessions are still hours away.
func Living(step time.Duration) Pace {
	const session = 3 * time.Hour
	return Pace{
		Acknowledge: step, Accept: step, Intake: step, Book: step, Evaluate: step, Decide: step, Prescribe: step,
		Pharmacy: step, Address: step, Compound: step, Ship: step, Deliver: step, Practice: step,
		Session: session, Arrive: session - step, Settle: 6 * step,
	}
}
