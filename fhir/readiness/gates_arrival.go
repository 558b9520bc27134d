package readiness

import (
	"iter"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// The arrival checks open a day before the session; what was recorded earlier answers nothing. Readings count on the
// session's own day, and for a session after midnight from the evening before.
const (
	arrivalOpens  = 24 * time.Hour
	readingsCount = 6 * time.Hour
)

// atArrival judges an arrival gate: not due before the checks open, or without a session. What is new is told of the client,
// and asks for an answer whether a session is booked or not.
func (f *facts) atArrival(name GateName, judge func(*facts) Gate) Gate {
	if name == GateNewInformation {
		if g, ok := f.newsTold(); ok {
			return g
		}
	}
	if f.next == nil {
		return notDue("No dosing session is booked", "")
	}
	opens := f.next.start.Add(-arrivalOpens)
	if !f.clock.passed(opens) {
		words, next := "Asked from "+f.stamp(opens)+" on", "wait for the arrival checks: they open on "+f.stamp(opens)
		if name == GateVitals {
			words += "; " + f.onFile()
			if f.unlimited() {
				next = "ask " + f.prescriber() + " for the limits of blood pressure and heart rate"
			}
		}
		return notDue(words, next).until(f.next.start)
	}
	return judge(f)
}

// unlimited reports whether the limit of a reading is not on file.
func (f *facts) unlimited() bool {
	for which := range vitals {
		if f.limit(which).line == NotAsked {
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

// sign is one of the three readings of the session's day, judged: the gate and R37 both go by it.
type sign struct {
	of      vital
	is      standing
	limit   limit
	reading *reading // nil: none of the day is on file
}

// standing is how a reading stands to its limit.
type standing int

const (
	unasked   standing = iota // no limit is set
	unlimited                 // the limit is not on file
	untaken
	unreadableSign
	beyond
	within
)

// signs judges the newest readings of the next session's day by the limits on file. The hub has no limit of its own.
//
//	limit of a reading        newest reading of the day   it is
//	not on file               –                           unlimited: ask the prescriber
//	not on file any more      beyond what it was          beyond
//	none set                  –                           not asked for
//	on file                   none                        not taken
//	on file                   no number, another unit,    not readable
//	                          or not a possible one
//	on file                   beyond it                   beyond
//	on file                   within it                   within
func (f *facts) signs() *[vitals]sign {
	if f.readToday != nil {
		return f.readToday
	}
	all := &[vitals]sign{}
	d := f.decided()
	for which := range vitals {
		l := f.limit(which)
		r := f.reading(which, l.bound)
		s := sign{of: which, limit: l, reading: r, is: within}
		switch {
		case l.line == NotAsked && r != nil && r.beyond(l.bound):
			s.is = beyond
		case l.line == NotAsked, l.line == NoneSet && which != heartRate && d != nil && d.byReading:
			s.is = unlimited
		case l.line == NoneSet:
			s.is = unasked
		case r == nil:
			s.is = untaken
		case r.beyond(l.bound):
			s.is = beyond
		case !r.ok || r.odd:
			s.is = unreadableSign
		}
		all[which] = s
	}
	f.readToday = all
	return all
}

// words says what a reading beyond its limit is, and whose limit it is.
func (s *sign) words(f *facts) string {
	r, at := s.reading, "the limit of "
	if s.limit.exclusive {
		at = "the limit, below "
	}
	return "The " + s.of.name() + " of " + f.stamp(r.at) + " is " + s.of.measure(r.value) + ", beyond " + at + s.of.measure(s.limit.value) + " (" + s.limit.from + ")"
}

// vitalsGate asks whether blood pressure and heart rate of the day are within the limits on file. A reading beyond its limit
// blocks (R37) whatever the others are; then what cannot be told comes before what is missing.
func vitalsGate(f *facts) Gate {
	var rests []*fhir.Version
	var unsure, missing *Gate
	agreed := false
	for _, s := range f.signs() {
		rests = append(rests, s.limit.of)
		agreed = agreed || s.limit.of == nil && s.limit.line != NotAsked
		switch name := s.of.name(); s.is {
		case beyond:
			return blocked(s.words(f), "hold; call "+f.prescriber()+f.phones(), s.reading.of, s.limit.of).from(s.reading.at)
		case unlimited:
			words := "No limit for the " + name + " is on file"
			if s.limit.unread {
				words = "The limit for the " + name + " that " + f.prescriber() + " recorded cannot be read"
			}
			g := untold(words, "ask "+f.prescriber()+" for the limit", s.limit.of).by(Prescriber)
			unsure = first(unsure, &g)
		case unreadableSign:
			g := untold("The "+name+" of the day cannot be read", "take it again", s.reading.of)
			unsure = first(unsure, &g)
		case untaken:
			g := open("No "+name+" of the day is on file; "+f.onFile(), "take blood pressure and heart rate", rests...)
			missing = first(missing, &g)
		case within:
			rests = append(rests, s.reading.of)
		}
	}
	if unsure != nil {
		return *unsure
	}
	if missing != nil {
		return *missing
	}
	g := met("Blood pressure and heart rate within the limits: "+f.onFile(), rests...)
	if agreed {
		g = g.per(f.agreed())
	}
	return g
}

// beyond reports whether r is a number beyond limit.
func (r *reading) beyond(limit bound) bool {
	return r.ok && limit.value > 0 && (r.value > limit.value || limit.exclusive && r.value == limit.value)
}

// reading returns the newest reading of which on the session's day up to now, nil when there is none. One that is gone or
// not final counts where it is beyond the limit: that it is gone lifts nothing.
func (f *facts) reading(which vital, limit bound) (newest *reading) {
	for r := range f.readingsOf(which) {
		if !r.loose || r.beyond(limit) {
			newest = r
		}
	}
	return newest
}

// readingsOf are the readings of which on the session's day up to now, the oldest first.
func (f *facts) readingsOf(which vital) iter.Seq[*reading] {
	day := DayOf(f.next.start, f.zone)
	from, to := day.Start(f.zone), day.Plus(1).Start(f.zone)
	if evening := f.next.start.Add(-readingsCount); evening.Before(from) {
		from = evening
	}
	return func(yield func(*reading) bool) {
		for i := range f.readings {
			r := &f.readings[i]
			if r.which != which || r.at.Before(from) || !r.at.Before(to) || !f.clock.passed(r.at.Add(-f.policy.Rules.Skew)) {
				continue
			}
			if len(r.focus) > 0 && f.elsewhereFocused(r.focus, r.of.Source) {
				continue
			}
			if !yield(r) {
				return
			}
		}
	}
}

// contrary are the practice's own records that speak against the next session at its arrival, whatever was recorded after
// them: readings beyond their limit, and answers other than the one that is asked for.
func (f *facts) contrary() iter.Seq[*fhir.Version] {
	return func(yield func(*fhir.Version) bool) {
		for _, s := range f.signs() {
			for r := range f.readingsOf(s.of) {
				if r.beyond(s.limit.bound) && !yield(r.of) {
					return
				}
			}
		}
		for code := range checkOwner {
			want := code != fhir.CodeNewInformation
			for r := range f.checksOf(code, want, f.next.start.Add(-arrivalOpens)) {
				if is(r.Value.ValueBoolean, !want) && !yield(r.Version) {
					return
				}
			}
		}
	}
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

// SomethingNew is what the gate says whether anything is new while that is open to be asked about.
const SomethingNew = "Something is new since the clearance"

// newsTold is the gate that the newest answer of all shuts: something is new since the clearance. That holds from when it
// was said, for whichever session, however long before the next, up to a newer answer or decision: a session that is called
// off takes nothing of it along. false when it is not what was said last.
func (f *facts) newsTold() (Gate, bool) {
	var last *record[fhir.Observation]
	for r := range f.asNew() {
		if last == nil || f.said(*r).After(f.said(*last)) {
			last = r
		}
	}
	if last == nil || !is(last.Value.ValueBoolean, true) {
		return Gate{}, false
	}
	if d := f.decided(); d != nil && d.lifts() && d.issued.After(f.said(*last)) {
		return Gate{}, false
	}
	return open(SomethingNew, "tell "+f.prescriber()+f.phones()+" and ask whether the clearance holds", last.Version).by(Therapist).adverse(), true
}

// asNew are the answers to whether anything is new, for whichever session.
func (f *facts) asNew() iter.Seq[*record[fhir.Observation]] {
	return func(yield func(*record[fhir.Observation]) bool) {
		for i := range f.checks[fhir.CodeNewInformation] {
			r := &f.checks[fhir.CodeNewInformation][i]
			if counts(r, false) && f.clock.passed(f.said(*r).Add(-f.policy.Rules.Skew)) && !yield(r) {
				return
			}
		}
	}
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
	var best *record[fhir.Observation]
	for r := range f.checksOf(code, want, f.next.start.Add(-arrivalOpens)) {
		said := f.said(*r)
		if best == nil || said.After(f.said(*best)) || said.Equal(f.said(*best)) && !is(r.Value.ValueBoolean, want) {
			best = r
		}
	}
	switch {
	case best == nil:
		return open(checkName[code]+": not on file yet", next).by(checkOwner[code])
	case best.Value.ValueBoolean == nil:
		return untold(checkName[code]+": the answer of "+f.on(f.said(*best))+" cannot be read", next, best.Version).by(Therapist)
	case *best.Value.ValueBoolean != want && code == fhir.CodeNewInformation:
		return open(SomethingNew, "tell "+f.prescriber()+f.phones()+" and ask whether the clearance holds", best.Version).by(Therapist).adverse()
	case *best.Value.ValueBoolean != want:
		return open(checkName[code]+": recorded as not so", next, best.Version).by(checkOwner[code]).adverse()
	}
	return met(words, best.Version)
}

// checksOf are the records of a check that are for the next session and were made at from or later.
func (f *facts) checksOf(code string, want bool, from time.Time) iter.Seq[*record[fhir.Observation]] {
	return func(yield func(*record[fhir.Observation]) bool) {
		for i := range f.checks[code] {
			r := &f.checks[code][i]
			said := f.said(*r)
			if !counts(r, want) || !f.isFocus(r.Value.Focus, r.Source) || said.Before(from) || f.takenEarlier(r, from) || !f.clock.passed(said.Add(-f.policy.Rules.Skew)) {
				continue
			}
			if !yield(r) {
				return
			}
		}
	}
}

// takenEarlier reports whether r says of itself that it was made before from, whenever it was issued.
func (f *facts) takenEarlier(r *record[fhir.Observation], from time.Time) bool {
	made := f.instant(from, r.Value.EffectiveDateTime, r.Value.EffectiveInstant)
	return made.Before(from)
}

var checkOwner = map[string]Owner{
	fhir.CodeRide: Client, fhir.CodeFasting: Client, fhir.CodeLocation: Therapist, fhir.CodeNewInformation: Therapist,
}

var checkName = map[string]string{
	fhir.CodeRide: "The ride home", fhir.CodeFasting: "Fasting", fhir.CodeLocation: "The location", fhir.CodeNewInformation: "Whether anything is new",
}

func is(b *bool, want bool) bool { return b != nil && *b == want }
