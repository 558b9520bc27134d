package readiness

import "time"

// horizon is how long a verdict may stand when no date on file comes earlier.
const horizon = 24 * time.Hour

// clock holds the moment of judgement and the nearest future instant that any comparison touched. Every comparison with
// time goes through it, so that a verdict's Until is right by construction: nothing it rests on flips before.
type clock struct {
	now  time.Time
	next time.Time // zero: no comparison looked ahead
}

// passed reports whether t is now or was before. A t still to come is remembered.
func (c *clock) passed(t time.Time) bool {
	if !t.After(c.now) {
		return true
	}
	if c.next.IsZero() || t.Before(c.next) {
		c.next = t
	}
	return false
}

// until returns the instant up to which everything asked of the clock keeps its answer.
func (c *clock) until() time.Time {
	latest := c.now.Add(horizon)
	if !c.next.IsZero() && c.next.Before(latest) {
		return c.next
	}
	return latest
}
