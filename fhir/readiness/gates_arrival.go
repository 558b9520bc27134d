package readiness

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// The arrival checks open a day before the session; what was recorded earlier answers nothing. Readings count on the
// session's own day, and for a session after midnight from the evening before.
const (
	arrivalOpens  = 24 * time.Hour
	readingsCount = 6 * time.Hour
)

// atArrival judges an arrival gate: not due before the checks open, or without a session.
func (f *facts) atArrival(name GateName, judge func(*facts) Gate) Gate {
	if f.next == nil {
		return notDue("No dosing session is booked", "")
	}
	opens := f.next.start.Add(-arrivalOpens)
	if !f.clock.passed(opens) {
		next := "wait for the arrival checks: they open on " + f.stamp(opens)
		if name == GateVitals && f.unlimited() {
			next = "ask " + f.prescriber() + " for the limits of blood pressure and heart rate"
		}
		return notDue("Asked from "+f.stamp(opens)+" on", next).until(f.next.start)
	}
	return judge(f)
}

// unlimited reports whether the limit of a reading is not on file.
func (f *facts) unlimited() bool {
	for which := range vitals {
		if _, line, _ := f.limit(which); line == NotAsked {
			return true
		}
	}
	return false
}

// adverse makes an open arrival gate due at once: the answer is on file, and it is not the one that is asked for.
func (g Gate) adverse() Gate {
	g.Due = g.Since
	return g
}

// vitalsGate compares the newest readings of the day with the limits on file. The hub has no limit of its own.
//
//	limit of a reading        newest reading of the day   gate
//	not asked                 –                           unknown: ask the prescriber
//	none set                  –                           not asked for
//	set                       none                        open
//	set                       no number, another unit,    unknown
//	                          or not a possible one
//	set                       beyond it                   blocked (R37)
//	set                       within it                   met
//
// A reading beyond its limit blocks whatever the others are.
func vitalsGate(f *facts) Gate {
	var rests []*fhir.Version
	var unsure, missing *Gate
	agreed := false
	d := f.decided()
	for which := range vitals {
		limit, line, sheet := f.limit(which)
		agreed = agreed || sheet
		r := f.reading(which, limit)
		name := which.name()
		switch {
		case line == NotAsked, line == NoneSet && which != heartRate && d != nil && d.byReading:
			g := untold("No limit for the "+name+" is on file", "ask "+f.prescriber()+" for the limit").by(Prescriber)
			unsure = first(unsure, &g)
		case line == NoneSet:
		case r == nil:
			g := open("No "+name+" of the day is on file", "take blood pressure and heart rate", rests...)
			missing = first(missing, &g)
		case !r.beyond(limit) && (!r.ok || r.odd):
			g := untold("The "+name+" of the day cannot be read", "take it again", r.of)
			unsure = first(unsure, &g)
		case r.beyond(limit):
			return blocked("The "+name+" of "+f.on(r.at)+" "+atTime(r.at, f.zone)+" is "+count(r.value)+", beyond the limit of "+count(limit.value), "hold; call "+f.prescriber()+f.phones(), r.of).from(r.at)
		default:
			rests = append(rests, r.of)
		}
	}
	if unsure != nil {
		return *unsure
	}
	if missing != nil {
		return *missing
	}
	words := "Blood pressure and heart rate within the limits"
	if len(rests) == 0 {
		words = "No reading is asked for"
	}
	g := met(words, rests...)
	if agreed {
		g = g.per(f.agreed())
	}
	return g
}

func (v vital) name() string {
	return [...]string{"systolic pressure", "diastolic pressure", "heart rate"}[v]
}

// beyond reports whether r is a number beyond limit.
func (r *reading) beyond(limit bound) bool {
	return r.ok && (r.value > limit.value || limit.exclusive && r.value == limit.value)
}

// reading returns the newest reading of which on the session's day up to now, nil when there is none. One that is gone or
// not final counts where it is beyond the limit: that it is gone lifts nothing.
func (f *facts) reading(which vital, limit bound) *reading {
	day := DayOf(f.next.start, f.zone)
	from, to := day.Start(f.zone), day.Plus(1).Start(f.zone)
	if evening := f.next.start.Add(-readingsCount); evening.Before(from) {
		from = evening
	}
	var best *reading
	for i := range f.readings {
		r := &f.readings[i]
		if r.loose && !r.beyond(limit) {
			continue
		}
		if r.which != which || r.at.Before(from) || !r.at.Before(to) || !f.clock.passed(r.at.Add(-f.policy.Rules.Skew)) {
			continue
		}
		if len(r.focus) > 0 && f.elsewhereFocused(r.focus, r.of.Source) {
			continue
		}
		best = r
	}
	return best
}

// elsewhereFocused reports whether refs name an appointment, and not this session.
func (f *facts) elsewhereFocused(refs []fhir.Reference, source string) bool {
	if f.isFocus(refs, source) {
		return false
	}
	for i := range refs {
		if to, _, ok := target(&refs[i]); ok && to.Type == "Appointment" {
			return true
		}
	}
	return false
}

// isFocus reports whether refs, written by source, name the next session and no other one. An identifier that a whole
// series shares names none of them.
func (f *facts) isFocus(refs []fhir.Reference, source string) bool {
	if !anyPoints(refs, source, f.next.Version, f.next.Value.Identifier) {
		return false
	}
	for i := range f.dosing {
		if s := &f.dosing[i]; s != f.next && anyPoints(refs, source, s.Version, s.Value.Identifier) {
			return false
		}
	}
	return true
}

func rideGate(f *facts) Gate {
	return f.check(fhir.CodeRide, true, "The ride home is arranged", "ask the client who drives them home")
}

func fastingGate(f *facts) Gate {
	return f.check(fhir.CodeFasting, true, "Fasting was kept", "ask the client when they last ate and drank")
}

func locationGate(f *facts) Gate {
	return f.check(fhir.CodeLocation, true, "The location is confirmed", "confirm where the client is")
}

func newInformationGate(f *facts) Gate {
	return f.check(fhir.CodeNewInformation, false, "Nothing new since the clearance", "ask the client whether anything is new since the clearance")
}

// check judges a yes-or-no check of the next session: the newest record that is for it and was made since the checks
// opened; of one moment the one that keeps the gate shut.
//
//	newest record             gate
//	none                      open, due when the session begins
//	no answer                 unknown
//	the answer asked for      met
//	the other one             open at once; "anything new" goes to the prescriber
func (f *facts) check(code string, want bool, words, next string) Gate {
	opens := f.next.start.Add(-arrivalOpens)
	var best *record[fhir.Observation]
	for i := range f.checks[code] {
		r := &f.checks[code][i]
		said := f.said(*r)
		if !counts(r, want) || !f.isFocus(r.Value.Focus, r.Source) || said.Before(opens) || f.takenEarlier(r, opens) || !f.clock.passed(said.Add(-f.policy.Rules.Skew)) {
			continue
		}
		if best == nil || said.After(f.said(*best)) || said.Equal(f.said(*best)) && !is(r.Value.ValueBoolean, want) {
			best = r
		}
	}
	switch {
	case best == nil:
		return open("Not on file yet", next).by(checkOwner[code])
	case best.Value.ValueBoolean == nil:
		return untold("The answer of "+f.on(f.said(*best))+" cannot be read", next, best.Version).by(Therapist)
	case *best.Value.ValueBoolean != want && code == fhir.CodeNewInformation:
		return open("Something is new since the clearance", "tell "+f.prescriber()+f.phones()+" and ask whether the clearance holds", best.Version).by(Therapist).adverse()
	case *best.Value.ValueBoolean != want:
		return open("Recorded as not so", next, best.Version).by(checkOwner[code]).adverse()
	}
	return met(words, best.Version)
}

// takenEarlier reports whether r says of itself that it was made before opens, whenever it was issued.
func (f *facts) takenEarlier(r *record[fhir.Observation], opens time.Time) bool {
	made := f.instant(opens, r.Value.EffectiveDateTime, r.Value.EffectiveInstant)
	return made.Before(opens)
}

var checkOwner = map[string]Owner{
	fhir.CodeRide: Client, fhir.CodeFasting: Client, fhir.CodeLocation: Therapist, fhir.CodeNewInformation: Therapist,
}

func is(b *bool, want bool) bool { return b != nil && *b == want }
