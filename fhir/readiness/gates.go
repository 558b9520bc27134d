package readiness

import (
	"cmp"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Gates are the gates in the order in which they are judged and shown.
func Gates() []GateName {
	names := make([]GateName, 0, len(gates))
	for _, g := range gates {
		names = append(names, g.name)
	}
	return names
}

// ArrivalGates are those that are asked when the client arrives, in order.
func ArrivalGates() (names []GateName) {
	for _, g := range gates {
		if g.arrival {
			names = append(names, g.name)
		}
	}
	return names
}

// gates says how each gate is judged, each by a pure function of the facts. At arrival, a gate opens a day before the
// session and is due when the session begins.
var gates = []struct {
	name    GateName
	owner   Owner // who acts on it unless the gate says otherwise
	arrival bool
	judge   func(*facts) Gate
}{
	{GateIdentity, Admin, false, identityGate},
	{GateRelease, Admin, false, releaseGate},
	{GateReferral, Prescriber, false, referralGate},
	{GateEvaluation, Prescriber, false, evaluationGate},
	{GateClearance, Prescriber, false, clearanceGate},
	{GateHold, Therapist, false, holdGate},
	{GatePrescription, Prescriber, false, prescriptionGate},
	{GateMedicine, Pharmacy, false, medicineGate},
	{GateInstructions, Therapist, false, instructionsGate},
	{GateConsents, Therapist, false, consentsGate},
	{GatePreparation, Therapist, false, preparationGate},
	{GateFollowUp, Prescriber, false, followUpGate},
	{GateInterval, Therapist, false, intervalGate},
	{GateSetting, Therapist, false, settingGate},
	{GateCredentials, Admin, false, credentialsGate},
	{GateVitals, Therapist, true, vitalsGate},
	{GateRide, Client, true, rideGate},
	{GateFasting, Client, true, fastingGate},
	{GateLocation, Therapist, true, locationGate},
	{GateNewInformation, Therapist, true, newInformationGate},
	{GateGoAhead, Therapist, true, goAheadGate},
}

// judgeGates judges every gate, in order, once.
func (f *facts) judgeGates() []Gate {
	if f.judged != nil {
		return f.judged
	}
	out := make([]Gate, 0, len(gates))
	for i := range gates {
		rule := &gates[i]
		var g Gate
		if rule.arrival {
			g = f.atArrival(rule.name, rule.judge)
		} else {
			g = rule.judge(f)
		}
		g.Name = rule.name
		if g.Owner == "" {
			g.Owner = rule.owner
		}
		g.Takes = taker(g.Owner, g.Next, rule.arrival)
		if g.Because == nil {
			g.Because = []fhir.Basis{}
		}
		if f.next != nil && g.Due.IsZero() && g.State != Met {
			g.Due = f.next.start
		}
		out = append(out, g)
	}
	f.judged = out
	return out
}

// The five ways a gate can stand. Each names the versions it rests on; a gate that rests on no version is either not met
// or met by agreement.

func met(words string, rests ...*fhir.Version) Gate {
	return Gate{State: Met, Words: words, Because: because(rests...), Since: latest(rests)}
}

func open(words, next string, rests ...*fhir.Version) Gate {
	return Gate{State: Open, Words: words, Next: next, Because: because(rests...), Since: latest(rests)}
}

func blocked(words, next string, rests ...*fhir.Version) Gate {
	return Gate{State: Blocked, Words: words, Next: next, Because: because(rests...), Since: latest(rests)}
}

func untold(words, next string, rests ...*fhir.Version) Gate {
	return Gate{State: Untold, Words: words, Next: next, Because: because(rests...), Since: latest(rests)}
}

func notDue(words, next string, rests ...*fhir.Version) Gate {
	return Gate{State: NotDue, Words: words, Next: next, Because: because(rests...), Since: latest(rests)}
}

// silent is a gate for which nothing is on file because no system of the party's tells of it: whether there is something
// cannot be known from there.
func (f *facts) silent(p Party, of, next string, rests ...*fhir.Version) Gate {
	return untold(cmp.Or(p.Title, p.Name)+"'s system does not tell "+of+", and nothing was entered by hand", next, rests...)
}

// taker is who of the practice takes a step that waits on owner. Whoever stands outside is asked by the admin; on the day, by
// the therapist, who is with the client.
func taker(owner Owner, next string, arrival bool) Owner {
	switch {
	case next == "" || strings.HasPrefix(next, "wait "):
		return ""
	case owner != Prescriber && owner != Pharmacy && owner != Client:
		return owner
	case arrival:
		return Therapist
	}
	return Admin
}

// atTheDay reports whether a gate is judged at arrival.
func atTheDay(name GateName) bool {
	for i := range gates {
		if gates[i].name == name {
			return gates[i].arrival
		}
	}
	return false
}

// by makes another owner responsible.
func (g Gate) by(o Owner) Gate {
	g.Owner = o
	return g
}

// per adds what of an agreement the gate rests on.
func (g Gate) per(agreed string) Gate {
	g.Agreed = agreed
	return g
}

// from sets since when it stands so.
func (g Gate) from(t time.Time) Gate {
	g.Since = t
	return g
}

// until sets by when it must be met.
func (g Gate) until(t time.Time) Gate {
	g.Due = t
	return g
}

// latest returns when the newest of versions was recorded.
func latest(versions []*fhir.Version) (at time.Time) {
	for _, v := range versions {
		if v != nil && v.Recorded().After(at) {
			at = v.Recorded()
		}
	}
	return at
}
