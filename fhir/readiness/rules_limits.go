package readiness

import "slices"

// R31 sessions-too-close: by what the prescriber recorded for the client, else by the sheet; there is no number of ours.
// Days are counted on the calendar. Each of the two, the days between sessions and the most sessions in so many days, is
// looked up by itself.
//
//	days between, most in so many   sessions and doses                           finding
//	neither was ever asked          –                                            none: the gate is unknown and says whom to ask
//	one of them was never asked     –                                            by the other, as below; and the gate is unknown
//	both "none set"                 –                                            none, and the gate is met: nothing is limited
//	on file                         the next session keeps them                  none
//	on file                         the next session is too soon after the last  S2, and the gate is open
//	                                  dose, or one too many
//	on file                         a later one of the next 14 days is, if       S3: there is time to move it, and the next
//	                                  those before it are held                     session may be READY
//	on file                         a past one that nobody closed: held, it      none: the gate is unknown and has it closed
//	                                  would break them
//
// The list of what goes wrong has S2 alone; S3 is ours.
func sessionsTooClose(f *facts) (out []Finding) {
	k := f.spacing()
	if f.next == nil {
		return nil
	}
	doses, _ := f.dosesBefore()
	rests := slices.Concat(k.of, f.takenBy)
	for _, s := range f.window() {
		if words := k.crowded(f, s, doses); words != "" {
			severity := S3
			if s == f.next {
				severity = S2
			}
			out = append(out, found(severity, s.String(), "The session of "+f.on(s.start)+" "+words, "move the session, or ask "+f.prescriber(),
				append(slices.Clone(rests), s.Version)...))
		}
		rests = append(rests, s.Version)
		doses = append(doses, dose{day: DayOf(s.start, f.zone), first: s.start, at: s.start, of: s.Version})
	}
	return out
}

// R32 wrong-setting: by what the prescriber recorded for the client, else by the sheet. Which states are served is the sheet's.
//
//	allowed on file                booked                                   finding
//	not on file                    –                                        none: the gate asks
//	the office                     the next session remote, or at home      S1
//	remote only, or at home only   the next session in the office           S1
//	any of these                   a later session elsewhere                S3: there is time to move it
//	any of these                   as allowed                               none
//	states that are not served     the client lives in one, a session is    S1
//	                                 in the window
//	states that are not served     no session, or no state on file          none: the gate says it
func wrongSetting(f *facts) (out []Finding) {
	k := f.whereabouts()
	if !k.known || f.next == nil {
		return nil
	}
	sessions := f.window()
	if k.unserved != "" && len(sessions) > 0 {
		out = append(out, found(S1, "state", f.prescriber()+" does not serve "+k.unserved+", where the client lives; a session is booked for "+f.on(sessions[0].start), "hold the session, and ask "+f.prescriber()+f.phones(), k.home, sessions[0].Version))
	}
	for _, s := range sessions {
		words := k.elsewhere(s)
		if words == "" {
			continue
		}
		severity := S3
		if s == f.next {
			severity = S1
		}
		out = append(out, found(severity, s.String(), "The session of "+f.on(s.start)+" "+words, "move the session, or ask "+f.prescriber(), append(slices.Clone(k.of), s.Version)...))
	}
	return out
}

// R37 vitals-outside-limits: a recorded stop. The hub has no limit of its own and no opinion on a reading.
//
//	limit on file   newest reading of the session's day   finding
//	yes             beyond it                             S1, and the gate holds
//	yes             within it                             none: a newer reading counts over an older one
//	yes             none, or not to be read               none: the gate says it
//	no              –                                     none: the gate says "ask the prescriber"
func vitalsOutsideLimits(f *facts) (out []Finding) {
	if f.next == nil || !f.clock.passed(f.next.start.Add(-arrivalOpens)) {
		return nil
	}
	for _, s := range f.signs() {
		if s.is != beyond {
			continue
		}
		out = append(out, found(S1, s.reading.of.String()+"/"+s.of.name(), s.words(f), "hold; call "+f.prescriber()+f.phones(), s.reading.of, s.limit.of))
	}
	return out
}
