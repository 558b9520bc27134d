package readiness_test

import (
	"cmp"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// tells writes what the hub says after a step: the state and its words, who is next, what changed, what was found, and how
// long it stands.
func (s *story) tells(before readiness.Verdict, now time.Time) {
	v := s.verdict
	s.write("", "")
	s.write("    ", string(v.State)+". "+v.Words)
	if v.Next != "" {
		s.write("    ", "Next, "+string(cmp.Or(v.Takes, v.Owner))+": "+v.Next)
	}
	if a := v.Appointment; a != nil && (!s.judged || before.Appointment == nil || !before.Appointment.Start.Equal(a.Start)) {
		s.write("    ", "Session of "+v.Chosen+": "+a.Start.In(fhirtest.Denver).Format("Monday 2 January, 15:04"))
	}
	s.tellsGates(before)
	for _, f := range v.Findings {
		var lead string
		switch {
		case f.State == readiness.Resolved && f.Resolved.Equal(now):
			s.write("      ", "- resolved: "+f.Words+" ("+f.Code+"). By: "+f.By)
			continue
		case f.State == readiness.Resolved:
			continue
		case f.State == readiness.Reopened:
			lead = "back again"
		case f.Since.Equal(now):
			lead = "new"
		default:
			lead = "since " + f.Since.In(fhirtest.Denver).Format("Mon 15:04")
		}
		if f.Under != "" {
			lead += ", follows from " + f.Under
		}
		s.write("      ", "- "+plainSeverity[f.Severity]+", "+lead+": "+f.Words+" ("+f.Code+"). "+begins(string(cmp.Or(f.Takes, f.Owner)))+": "+f.Next+".")
	}
	if v.State != readiness.Hold {
		s.write("    ", "This stands until "+v.Until.In(fhirtest.Denver).Format("Monday 2 January, 15:04")+", if nothing is recorded before.")
	}
}

// tellsGates writes what moved, and at first what is not met. What is asked on the day is one line while it moves together.
func (s *story) tellsGates(before readiness.Verdict) {
	var together []string
	var from, to readiness.GateState
	for _, g := range s.verdict.Gates {
		was, _ := before.Gate(g.Name)
		if g.State == was.State || !s.judged && g.State == readiness.Met {
			continue
		}
		if onTheDay[g.Name] && (len(together) == 0 || from == was.State && to == g.State) {
			together, from, to = append(together, plainGate(g.Name)), was.State, g.State
			continue
		}
		s.write("      ", moved(plainGate(g.Name), was.State, g.State)+". "+g.Words)
	}
	if len(together) > 0 {
		s.write("      ", moved(strings.Join(together, ", "), from, to))
	}
}

func moved(what string, from, to readiness.GateState) string {
	if from == "" {
		return what + ": " + plainState(to)
	}
	return what + ": was " + plainState(from) + ", now " + plainState(to)
}

var onTheDay = map[readiness.GateName]bool{
	readiness.GateVitals: true, readiness.GateRide: true, readiness.GateFasting: true,
	readiness.GateLocation: true, readiness.GateNewInformation: true, readiness.GateGoAhead: true,
}

var plainSeverity = map[readiness.Severity]string{
	readiness.S1: "act now", readiness.S2: "before the session", readiness.S3: "this week", readiness.S4: "for the files",
}

func plainGate(g readiness.GateName) string {
	if g == readiness.GateNewInformation {
		return "anything new"
	}
	return string(g)
}

func plainState(g readiness.GateState) string {
	switch g {
	case readiness.Untold:
		return "not known"
	case readiness.NotDue:
		return "not due yet"
	case readiness.Blocked:
		return "stopped"
	}
	return string(g)
}

func begins(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
