package readiness

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
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

// goAheadGate asks for the second key (law 4): the word of the session's own therapist, given after the last change of
// appointment, clearance and prescription, by the clocks of those who recorded them.
//
//	newest go-ahead of the session          changed since   gate
//	none                                    –               open, due when the session begins
//	no answer                               –               unknown
//	"no"                                    –               open at once
//	"yes", by another than its therapist    –               open at once
//	"yes", by nobody who is named           –               unknown, where the session names its therapist
//	"yes"                                   yes             open at once (R52)
//	"yes"                                   no              met
func goAheadGate(f *facts) Gate {
	const next = "confirm the go-ahead"
	r := f.goAhead()
	if r == nil {
		return open("The therapist's go-ahead is not on file yet", next)
	}
	on := f.stamp(f.confirmed(r))
	if r.Value.ValueBoolean == nil {
		return untold("The go-ahead of "+on+" cannot be read", next, r.Version)
	}
	if !*r.Value.ValueBoolean {
		return open("The therapist recorded no go-ahead on "+on, "speak with the therapist", r.Version).adverse()
	}
	switch f.givenByTherapist(r) {
	case no:
		return open("The go-ahead of "+on+" is by somebody else than the session's therapist", next, r.Version, f.next.Version).adverse()
	case cannotTell:
		return untold("The go-ahead of "+on+" does not say who gave it", next, r.Version)
	}
	if changed := f.changedSince(f.confirmed(r)); len(changed) > 0 {
		if undated(changed) {
			return untold("Whether "+f.what(changed[0])+" is older than the go-ahead of "+on+" is not told: "+f.title(changed[0])+"'s system gives its records no time", "look at it, then "+next+" again", append(changed, r.Version)...)
		}
		return open("The go-ahead of "+on+" is older than "+f.change(changed[0]), "look at the change, then "+next+" again", append(changed, r.Version)...).adverse()
	}
	return met("Go-ahead given on "+on, r.Version, f.next.Version)
}

// goAhead returns the newest word of a therapist on the next session, nil when there is none.
func (f *facts) goAhead() *record[fhir.Observation] {
	opens := f.next.start.Add(-arrivalOpens)
	var best *record[fhir.Observation]
	var since time.Time
	for i := range f.goAheads {
		r := &f.goAheads[i]
		at, yes := f.confirmed(r), is(r.Value.ValueBoolean, true)
		if !yes {
			at = r.Recorded()
		}
		if !counts(r, true) || !f.isFocus(r.Value.Focus, r.Source) || at.Before(opens) || !f.clock.passed(at.Add(-f.policy.Rules.Skew)) {
			continue
		}
		if best == nil || at.After(since) || at.Equal(since) && !yes {
			best, since = r, at
		}
	}
	return best
}

// confirmed is when a go-ahead was given: as it says, and no later than it was recorded. That its record was saved again, with
// or without a change, does not make it newer.
func (f *facts) confirmed(r *record[fhir.Observation]) time.Time {
	at := r.Recorded()
	for _, s := range []*string{r.Value.Issued, r.Value.EffectiveDateTime, r.Value.EffectiveInstant} {
		if _, end, ok := f.when(s); ok {
			if last := end.Add(-time.Nanosecond); last.Before(at) {
				at = last
			}
			break
		}
	}
	return at
}

// givenByTherapist reports whether r was given by one of those whom the session names as its therapists. A session that
// names none can be answered for by anybody of the practice.
func (f *facts) givenByTherapist(r *record[fhir.Observation]) answer {
	found := yes
	for i := range f.next.Value.Participant {
		actor := f.next.Value.Participant[i].Actor
		if !therapist(actor) {
			continue
		}
		if found == yes {
			found = cannotTell
		}
		for j := range r.Value.Performer {
			if f.same(&r.Value.Performer[j], r.Source, actor, f.next.Source) {
				return yes
			}
			found = no
		}
	}
	return found
}

// therapist reports whether actor is a person who treats.
func therapist(actor *fhir.Reference) bool {
	if actor == nil {
		return false
	}
	kind := text(actor.Type)
	if to, _, ok := target(actor); ok {
		kind = to.Type
	}
	return kind == "Practitioner" || kind == "PractitionerRole"
}

// same reports whether two references mean one person: the same record, or a business identifier in common.
func (f *facts) same(a *fhir.Reference, at string, b *fhir.Reference, bt string) bool {
	x, xfar, ok := target(a)
	y, yfar, too := target(b)
	if ok && too && x == y && (at == bt || xfar || yfar) {
		return true
	}
	for _, p := range f.identities(a, at, 1) {
		for _, q := range f.identities(b, bt, 1) {
			if p == q {
				return true
			}
		}
	}
	return false
}

// changedSince returns what changed at or after t, when the go-ahead was given, of what it was given on: the session, the
// prescriber's decisions, prescriptions and stops; the newest first. What the prescriber had recorded before, but the hub
// heard of only after, the therapist could not know: that counts too, unless it is all the hub ever heard of its kind (a
// hub that is new hears of everything late).
func (f *facts) changedSince(t time.Time) []*fhir.Version {
	prescribed := make([]moved, 0, len(f.prescriptions))
	for i := range f.prescriptions {
		p := &f.prescriptions[i]
		prescribed = append(prescribed, moved{p.last(), p.heard()})
	}
	var all []*fhir.Version
	if v := f.arranged(); !v.Recorded().Before(t) {
		all = append(all, v)
	}
	for _, kind := range [][]moved{f.moved, prescribed} {
		known := slices.ContainsFunc(kind, func(m moved) bool { return !m.heard.After(t) })
		for _, m := range kind {
			if !m.Recorded().Before(t) || known && m.Received.After(t) {
				all = append(all, m.Version)
			}
		}
	}
	slices.SortFunc(all, func(a, b *fhir.Version) int {
		return cmp.Or(b.Recorded().Compare(a.Recorded()), cmp.Compare(a.String(), b.String()))
	})
	return all
}

// arranged returns the version of the next session since which its time, its people and its place are what they are: that
// the client was checked in, or somebody noted something, is no change of the session.
func (f *facts) arranged() *fhir.Version {
	v := f.next.Version
	for _, told := range slices.Backward(f.next.Told) {
		was := session{record: record[fhir.Appointment]{Version: told.Version, Value: told.Value}, status: told.Value.Status.Code()}
		if !was.standing() || !sameArrangement(told.Value, f.next.Value) || f.kind(was.record) != f.next.kind {
			break
		}
		v = told.Version
	}
	return v
}

func sameArrangement(a, b *fhir.Appointment) bool {
	people := func(x *fhir.Appointment) (actors []*fhir.Reference) {
		for i := range x.Participant {
			actors = append(actors, x.Participant[i].Actor)
		}
		return actors
	}
	return text(a.Start) == text(b.Start) && text(a.End) == text(b.End) && remote(a) == remote(b) &&
		reflect.DeepEqual(people(a), people(b)) && reflect.DeepEqual(a.BasedOn, b.BasedOn)
}

// undated reports whether of none of versions it is told when its owner wrote it: each was just heard of for the first
// time, and may be older than that.
func undated(versions []*fhir.Version) bool {
	return !slices.ContainsFunc(versions, func(v *fhir.Version) bool { return !v.Resource.LastUpdated.IsZero() || v.N > 1 })
}

// change says what changed, by whom and when: "the prescription as Skylight changed it on 2 Mar 2026 09:15".
func (f *facts) change(v *fhir.Version) string {
	return f.what(v) + " as " + f.title(v) + " changed it on " + f.stamp(v.Recorded())
}

// what names the kind of thing that v is on the screen.
func (f *facts) what(v *fhir.Version) string {
	return map[string]string{
		"Appointment": "the appointment", "Observation": "the decision on clearance", "DiagnosticReport": "the decision on clearance", "MedicationRequest": "the prescription", "Flag": "the stop",
	}[v.Type]
}

// appointment is the next session as the verdict shows it.
func (f *facts) appointment() *Appointment {
	if f.next == nil {
		return nil
	}
	s := f.next
	a := &Appointment{Source: s.Source, Type: s.Type, ID: s.ID, Start: s.start, End: s.end}
	for _, p := range s.Value.Participant {
		if therapist(p.Actor) && a.Therapist == "" {
			a.Therapist = text(p.Actor.Display)
		}
	}
	return a
}

// openItems writes how many things are open.
func openItems(n int) string {
	return strconv.Itoa(n) + " " + plural(n == 1, "item", "items") + " open"
}

// TherapistOf returns the first of those whom an appointment names as its therapists, nil when it names none.
func TherapistOf(a *fhir.Appointment) *fhir.Reference {
	for i := range a.Participant {
		if actor := a.Participant[i].Actor; therapist(actor) {
			return actor
		}
	}
	return nil
}
