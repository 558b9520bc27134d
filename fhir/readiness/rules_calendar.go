package readiness

// R51 calendar-event-unmatched
//
//	an event of the practice's calendar with the client's token   finding
//	a rule says what it is                                        none
//	shorter than 90 minutes                                       none
//	cancelled, over, or further ahead than the window             none
//	else                                                          S2; it counts as a dosing session meanwhile
func calendarEventUnmatched(f *facts) (out []Finding) {
	for _, s := range f.window() {
		if s.unsorted {
			out = append(out, found(S2, s.String(), "Nobody said what the calendar's event of "+f.stamp(s.start)+" is: it counts as a dosing session",
				"say in its title what it is, in the words that the calendar's rules know; or add a rule for it", s.Version))
		}
	}
	return out
}
