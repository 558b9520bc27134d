package readiness

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// goAheadGate asks for the second key (law 4): the word of the session's own therapist, given after the last change of
// appointment, clearance and prescription, by the clocks of those who recorded them, and after whatever spoke against the
// session at its arrival: a newer reading lifts that, and the therapist says anew that the session can begin.
//
//	newest go-ahead of the session          changed since   gate
//	none                                    –               open, due when the session begins
//	no answer                               –               unknown
//	"no"                                    –               open at once
//	"yes", by another than its therapist    –               open at once
//	"yes", by nobody who is named           –               unknown, where the session names its therapist
//	"yes"                                   yes             open at once (R52)
//	"yes", and the clearance waits for a    no              open, due when the session begins: nobody is READY by one person's slip
//	  second person
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
		return open(f.older(r, changed), f.anew(changed), append(changed, r.Version)...).adverse()
	}
	if waits := f.alone(); waits != "" {
		return open("Go-ahead given on "+on+"; the clearance was "+waits, string(ConfirmEntry), r.Version, f.next.Version, f.decided().Version).by(Admin)
	}
	return met("Go-ahead given on "+on, r.Version, f.next.Version).from(f.confirmed(r))
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
// names none can be answered for by anybody of the practice; one that has nothing but a name for them, by who is called so.
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
			if f.same(&r.Value.Performer[j], r.Source, actor, f.next.Source) || calledAlike(&r.Value.Performer[j], actor) {
				return yes
			}
			found = no
		}
	}
	return found
}

// calledAlike reports whether two references have nothing but a name, and the same.
func calledAlike(a, b *fhir.Reference) bool {
	return a.Reference == nil && b.Reference == nil && a.Identifier == nil && b.Identifier == nil && text(a.Display) != "" && text(a.Display) == text(b.Display)
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

// changedSince returns what changed at or after t, when the go-ahead was given, of what it was given on: the session, what
// spoke against it at its arrival, the prescriber's decisions, prescriptions and stops; the newest first. What the prescriber had recorded before, but the hub
// heard of only after, the therapist could not know: that counts too, unless it is all the hub ever heard of its kind (a
// hub that is new hears of everything late).
func (f *facts) changedSince(t time.Time) []*fhir.Version {
	prescribed := make([]moved, 0, len(f.prescriptions))
	for i := range f.prescriptions {
		p := &f.prescriptions[i]
		prescribed = append(prescribed, moved{p.last(), p.heard()})
	}
	var all []*fhir.Version
	for v := range f.contrary() {
		if !v.Recorded().Before(t) {
			all = append(all, v)
		}
	}
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
	return slices.Compact(all) // both pressures of one reading may lie beyond their limits
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
	return text(a.Start) == text(b.Start) && text(a.End) == text(b.End) && booked(a) == booked(b) && sameActors(a, b) && reflect.DeepEqual(a.BasedOn, b.BasedOn)
}

func sameActors(a, b *fhir.Appointment) bool {
	actors := func(x *fhir.Appointment) (all []*fhir.Reference) {
		for i := range x.Participant {
			all = append(all, x.Participant[i].Actor)
		}
		return all
	}
	return reflect.DeepEqual(actors(a), actors(b))
}

// undated reports whether of none of versions it is told when its owner wrote it: each was just heard of for the first
// time, and may be older than that.
func undated(versions []*fhir.Version) bool {
	return !slices.ContainsFunc(versions, func(v *fhir.Version) bool { return !v.Resource.LastUpdated.IsZero() || v.N > 1 })
}

// change says what v changed, and when: "Skylight changed the prescription on 2 Mar 2026 09:15".
func (f *facts) change(v *fhir.Version) string {
	on := " on " + f.stamp(v.Recorded())
	if v.Type == "Observation" && practices(v) {
		return "An arrival check that speaks against the session was recorded" + on
	}
	if what, the := strings.CutPrefix(f.what(v), "the "); the && practices(v) {
		return "The " + what + " was changed" + on
	}
	if v.N == 1 && (f.next == nil || v.Key != f.next.Key) {
		return begin(f.title(v)) + " recorded " + f.what(v) + on
	}
	return begin(f.title(v)) + " changed " + f.what(v) + on
}

// moves says what of the next session changed with its version v: " (its time, from 2 Mar 2026 09:15 to 2 Mar 2026 10:00)";
// "" of any other record, and where what was before is not known here.
func (f *facts) moves(v *fhir.Version) string {
	if f.next == nil || v.Key != f.next.Key {
		return ""
	}
	var was, is *fhir.Appointment
	for _, told := range f.next.Told {
		switch {
		case told.Value == nil:
		case told.N < v.N:
			was = told.Value
		case told.N == v.N:
			is = told.Value
		}
	}
	if was == nil || is == nil {
		return ""
	}
	var changes []string
	from, _, ok := f.when(was.Start)
	to, _, too := f.when(is.Start)
	if ok && too && !from.Equal(to) {
		changes = append(changes, "its time, from "+f.stamp(from)+" to "+f.stamp(to))
	}
	if text(was.End) != text(is.End) && len(changes) == 0 {
		changes = append(changes, "its end")
	}
	if !sameActors(was, is) {
		changes = append(changes, "who takes part")
	}
	if booked(was) != booked(is) {
		changes = append(changes, "its place")
	}
	if len(changes) == 0 {
		return ""
	}
	return " (" + strings.Join(changes, "; ") + ")"
}

// older says what a go-ahead did not know of. What was written before it, and came here after, is not newer than it.
func (f *facts) older(given *record[fhir.Observation], changed []*fhir.Version) string {
	at := f.confirmed(given)
	all := make([]string, 0, len(changed))
	for _, v := range changed {
		words := f.change(v)
		if v.Recorded().Before(at) {
			words += ", before the go-ahead, and it was known here only after it"
		} else {
			words += ", after the go-ahead"
		}
		if words += f.moves(v); !slices.Contains(all, words) {
			all = append(all, words)
		}
	}
	return strings.Join(all, "; ")
}

// anew is what a go-ahead that something fell after asks for. What nobody can compare, nobody is sent to look at.
func (f *facts) anew(changed []*fhir.Version) string {
	for _, v := range changed {
		if f.next == nil || v.Key != f.next.Key || len(f.next.Told) > 1 {
			return "look at the change, then confirm the go-ahead again"
		}
	}
	return "look at the appointment as it is now, then confirm the go-ahead again"
}

// what names the kind of thing that v is on the screen.
func (f *facts) what(v *fhir.Version) string {
	if v.Type == "Observation" && practices(v) {
		return "the arrival check"
	}
	return map[string]string{
		"Appointment": "the appointment", "Observation": "the decision on clearance", "DiagnosticReport": "the decision on clearance", "MedicationRequest": "the prescription", "Flag": "the stop",
	}[v.Type]
}
