package readiness

import "time"

// R42 weekend-gap: what waits for an answer of the prescriber before a session is due while they can still be asked. It
// brings the deadline of those findings forward, and never changes a state.
//
//	S1 and S2 findings to be           their deadline                                 finding
//	answered by the prescriber
//	none                               –                                              none
//	some                               in opening hours, no closed day just before    none
//	some                               in opening hours, 4 hours or more after a      none
//	                                   weekend or a holiday
//	some                               in opening hours, sooner after a weekend or    S3; they are due when the prescriber
//	                                   a holiday                                      closes before it
//	some                               in closed hours                                S3; … the same
//	some, and that time is over        – the same –                                   S3, and the phones are shown
func weekendGap(f *facts, waiting []*Finding) []Finding {
	var first time.Time // the nearest of the new deadlines
	var until time.Time // when they open again
	moved := 0
	for _, r := range waiting {
		if r.Due.IsZero() {
			continue
		}
		closes, opens, gap := f.policy.Sheet.Hours.gap(r.Due, f.policy.Rules.GapAnswer, f.zone)
		if !gap {
			continue
		}
		r.Due = closes
		if moved++; first.IsZero() || closes.Before(first) {
			first, until = closes, opens
		}
	}
	if moved == 0 || f.next == nil {
		return nil
	}
	words := f.prescriber() + " is closed from " + f.stamp(first) + " to " + f.stamp(until) + ", before the session of " + f.stamp(f.next.start) + ": " +
		several(moved, "item") + " " + plural(moved == 1, "is", "are") + " due before they close"
	next := "ask " + f.prescriber() + " before they close"
	if f.clock.passed(first) {
		words = f.prescriber() + " closed on " + f.stamp(first) + " up to " + f.stamp(until) + ", before the session of " + f.stamp(f.next.start) + ": " +
			several(moved, "item") + " " + plural(moved == 1, "was", "were") + " due before that"
		next = "call " + f.prescriber() + f.phones()
	}
	return []Finding{found(S3, f.next.String(), words, next, f.next.Version).due(first)}
}

// gap finds the closed hours that make t a bad deadline: closes is when the last opening hours before them end, opens when
// the next begin.
//
//	t                                                             gap
//	in opening hours, the day before is a business day            none: nights are no gap
//	in opening hours, a closed day before, enough of them to t    none
//	in opening hours, a closed day before, fewer of them to t     from the end of the last business day to their beginning
//	before or after the hours of a business day, on a closed day  from the last end before it to the next beginning
//	no opening hours in the four weeks before or after            none: nobody knows when they are open
func (h Hours) gap(t time.Time, enough time.Duration, zone *time.Location) (closes, opens time.Time, ok bool) {
	if h.Zone != nil {
		zone = h.Zone
	}
	day := DayOf(t, zone)
	from, to := h.span(day, zone)
	switch {
	case !h.works(day) || t.Before(from):
	case t.After(to):
		return to, h.near(day, zone), true
	case t.Sub(from) >= enough || h.works(day.Plus(-1)):
		return time.Time{}, time.Time{}, false
	}
	for back := 1; back <= 28; back++ {
		if d := day.Plus(-back); h.works(d) {
			_, closes = h.span(d, zone)
			break
		}
	}
	opens = from
	if !h.works(day) {
		opens = h.near(day, zone)
	}
	return closes, opens, !closes.IsZero() && !opens.IsZero()
}

// near returns the beginning of the next opening hours after day; zero when there are none for four weeks.
func (h Hours) near(day Day, zone *time.Location) time.Time {
	for ahead := 1; ahead <= 28; ahead++ {
		if d := day.Plus(ahead); h.works(d) {
			opens, _ := h.span(d, zone)
			return opens
		}
	}
	return time.Time{}
}

// span is from when to when they are open on a business day; the whole day where no hours are on file.
func (h Hours) span(d Day, zone *time.Location) (from, to time.Time) {
	at := func(sinceMidnight time.Duration) time.Time { // on the wall's clock, whatever it did that night
		return time.Date(d.Year, d.Month, d.Day, 0, int(sinceMidnight/time.Minute), 0, 0, zone)
	}
	hours, ok := h.Open[d.weekday()]
	if !ok || hours[1] == 0 {
		return at(0), at(24 * time.Hour)
	}
	return at(hours[0]), at(hours[1])
}
