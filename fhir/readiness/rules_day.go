package readiness

import "strings"

// R36 day-of-checklist-open: what is asked on the day of a session, in one line. Its children are the arrival gates: it
// says of all what each says of itself.
//
//	arrival checks                      time                            finding
//	not open yet, or all answered       –                               none
//	some not recorded                   from a day before               none: "arrival checks pending" is the state's word
//	some not recorded                   once the session has begun      S2, as the gates are due
//	one answered "not so"               at once                         S2, as the gate is due
//	blocked, or cannot be told          –                               none: R37, or the gate, says it
//
// It says nothing the day before: a client whose checks are yet to be made is blameless, and in order.
func checklistOpen(f *facts) []Finding {
	if f.next == nil {
		return nil
	}
	all := f.judgeGates()
	var names []string
	due, next := false, ""
	for i := range all {
		g := &all[i]
		if name, asked := checklist[g.Name]; asked && g.State == Open {
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
	return []Finding{found(S2, f.next.String(), "For the session of "+f.stamp(f.next.start)+" not recorded as it should be: "+strings.Join(names, ", "), next, f.next.Version)}
}

// checklist is what the arrival gates ask.
var checklist = map[GateName]string{
	GateVitals: "blood pressure and heart rate", GateRide: "the ride home", GateFasting: "fasting",
	GateLocation: "the location", GateNewInformation: "whether anything is new since the clearance",
}
