package readiness

import "strings"

// R36 day-of-checklist-open: what is asked on the day of a session, in one line. Its children are the arrival gates: it
// says of all what each says of itself.
//
//	arrival checks                          time                            finding
//	all answered as the session needs       –                               none: the go-ahead is asked by its own gate
//	some not recorded                       up to the hour of the session   none: IN-ORDER, "arrival checks pending", never READY
//	some not recorded                       from that hour on               S2, as the gates are due
//	no ride, not fasting, elsewhere, or     as soon as it is recorded       S2, as the gate is due
//	  something new since the clearance
//	a reading beyond a limit on file        –                               none: R37 says it, and holds
//	a limit that is not on file, a reading  –                               none: the gate is unknown, and says whom to ask
//	  that cannot be read
//	no session                              –                               none
//
// It says nothing the day before: a client whose checks are yet to be made is blameless, and in order. Under a stop, or
// without a clearance, it is folded: whoever is not to have a session today is not chased for a ride.
//
// Narrower than the list of what goes wrong: for substances, and for medicines to be left out that day, there is no check
// of its own and no entry at the desk. What the prescriber wrote about them the therapist reads in the instructions.
func checklistOpen(f *facts) []Finding {
	if f.next == nil {
		return nil
	}
	all := f.judgeGates()
	var names []string
	due, next := false, ""
	for i := range all {
		g := &all[i]
		if g.State != Open {
			continue
		}
		if name, asked := checklist[g.Name]; asked {
			names = append(names, name)
			if next == "" {
				next = g.Next
			}
			due = f.clock.passed(g.Due) || due
		}
	}
	if !due {
		return nil
	}
	return []Finding{found(S2, f.next.String(), "For the session of "+f.stamp(f.next.start)+" not recorded, or not as the session needs it: "+strings.Join(names, ", "), next, f.next.Version)}
}

// checklist is what the arrival gates ask.
var checklist = map[GateName]string{
	GateVitals: "blood pressure and heart rate", GateRide: "the ride home", GateFasting: "fasting",
	GateLocation: "the location", GateNewInformation: "whether anything is new since the clearance",
}
