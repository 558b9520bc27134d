package pull

import "time"

// Next is when a source is looked at again, besides its schedule, after something was sent there. Zero = its schedule is
// enough. An answer is most likely soon after (HL7 CDex, polling for the outcome of a Task):
//
//	since it was sent      looked at
//	up to 1 minute         not yet
//	1 to 31 minutes        every 5 minutes
//	up to a day            every hour
//	later                  by schedule only
func Next(sent, looked, now time.Time) time.Time {
	const first, often, soon, seldom, long = time.Minute, 5 * time.Minute, 31 * time.Minute, time.Hour, 24 * time.Hour
	if sent.IsZero() || now.Sub(sent) >= long {
		return time.Time{}
	}
	next := sent.Add(first)
	if !looked.Before(next) {
		if next = looked.Add(often); next.Sub(sent) > soon {
			next = looked.Add(seldom)
		}
	}
	if next.Sub(sent) > long {
		return time.Time{}
	}
	return next
}
