package readiness

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// stop is a recorded hold that stands. It ends only by a newer telling of the same record that says so: a record that
// is gone, a status that says nothing and the passing of its period lift nothing.
type stop struct {
	what  string // "a stop", "the prescription on hold", "the care plan on hold"
	says  *fhir.Version
	gone  *fhir.Version
	since time.Time
	title string // of the party that recorded it
	why   string // what they wrote, ": “…”" or ""; of another prescriber nothing is told

	client bool // it is the client's own word, which the practice recorded
}

// SaidByClient reports whether a stop that the practice recorded is the client's own word: only theirs ends it.
func SaidByClient(flag *fhir.Flag) bool {
	to, _, ok := target(flag.Author)
	return ok && to.Type == "Patient" || flag.Author != nil && text(flag.Author.Display) == "the client"
}

// findStops finds the flags and care plans that hold, of this prescriber and of every other, and the stops that the
// practice entered.
//
//	flag's code                       told by            it is
//	kap|stop                          anybody            a hold while active
//	once kap|stop, coded anew since   anybody            still a hold: only "inactive" or a mistake lifts it
//	no meaning that the hub can read  a prescriber       perhaps a hold: cannot tell
//	another meaning, or unreadable    the practice       no hold
func (f *facts) findStops() {
	for _, r := range records(f.chart.Flags, f.look) {
		if copied(r.Value.Identifier) {
			continue
		}
		mapped, bears := false, false
		stands := func(flag *fhir.Flag) answer {
			code, reading := f.policy.Terms.Code(r.Party, &flag.Code, fhir.SystemKAP)
			mapped = reading == fhir.Mapped
			means := mapped && code == fhir.CodeStop || holds(&flag.Code, fhir.Code{System: fhir.SystemKAP, Code: fhir.CodeStop})
			bears = bears || means || !mapped
			switch {
			case flag.Status.Code() != "active":
				return no
			case means:
				return yes
			}
			return cannotTell
		}
		newest := stands(r.Value)
		doubtful := newest == cannotTell && !mapped && !practices(r.Version)
		is, v := r.says(stands)
		if f.ours(r.Version) && bears {
			f.moved = append(f.moved, moved{r.last(), r.heard()})
		}
		if newest == no || is != yes && !doubtful {
			continue
		}
		s := stop{what: f.unless(r.Version, "a stop", "a hold"), says: v, gone: r.Gone, title: f.title(r.Version), since: r.since(func(flag *fhir.Flag) bool { return stands(flag) != no })}
		if !f.foreign(r.Version) {
			s.why = quoted(text(r.Value.Code.Text))
		}
		if s.client = practices(r.Version) && SaidByClient(r.Value); s.client {
			s.title = "the client"
		}
		if r.Value.Period != nil {
			s.since = f.instant(s.since, r.Value.Period.Start)
		}
		if is == yes {
			f.stops = append(f.stops, s)
		} else {
			s.what, s.says = f.unless(r.Version, "an alert that the hub cannot read", "what the hub cannot read"), r.Version
			f.doubts = append(f.doubts, s)
		}
	}
	for _, r := range records(f.chart.CarePlans, f.look) {
		if copied(r.Value.Identifier) || practices(r.Version) {
			continue
		}
		if f.ours(r.Version) {
			f.plans = append(f.plans, r)
		}
		is, v := r.says(func(p *fhir.CarePlan) answer {
			return onHold(p.Status.Code())
		})
		if is == yes {
			since := r.since(func(p *fhir.CarePlan) bool { return onHold(p.Status.Code()) != no })
			f.stops = append(f.stops, stop{what: f.unless(r.Version, "the care plan on hold", "a hold"), says: v, gone: r.Gone, title: f.title(r.Version), since: since})
		}
	}
	for _, r := range records(f.chart.Goals, f.look) {
		if f.ours(r.Version) && !copied(r.Value.Identifier) {
			f.goals = append(f.goals, r)
		}
	}
	f.findRefusals()
	f.findAborts()
	f.sortStops()
}

func (f *facts) sortStops() {
	slices.SortStableFunc(f.stops, func(a, b stop) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.says.String(), b.says.String()))
	})
}

// findRefusals finds the decisions of other prescribers that stop the client: a hold from any holds every engagement.
//
//	another prescriber's newest decision   this prescriber's newest decision   it is
//	not cleared, or withdrawn              none, or older, or does not clear   a hold
//	not cleared, or withdrawn              newer, and clears                   none here
//	cleared, deferred, pending, unread     –                                   none
//
// Who may decide there is on their sheet and not known here: a stop needs no such standing.
func (f *facts) findRefusals() {
	type latest struct {
		stops bool
		stop
	}
	by := map[string]latest{}
	for _, r := range f.observed {
		if !f.foreign(r.Version) || copied(r.Value.Identifier) {
			continue
		}
		is, v := r.says(func(o *fhir.Observation) answer { return f.stopping(r.Party, o) })
		if is == cannotTell || void(r.Value) {
			continue
		}
		since := f.instant(v.Recorded(), r.Value.Issued)
		if is == yes {
			since = f.atLatest(since, r.Value.Issued)
		}
		if since.After(v.Received) {
			since = v.Recorded()
		}
		if l, ok := by[r.Party]; ok && (since.Before(l.since) || since.Equal(l.since) && l.stops) {
			continue
		}
		by[r.Party] = latest{is == yes, stop{what: "a hold", says: v, gone: r.Gone, since: since, title: anotherPrescriber}}
	}
	for _, l := range by {
		if l.stops && !slices.ContainsFunc(f.decisions, func(d decision) bool { return d.lifts() && d.issued.After(l.since) }) {
			f.stops = append(f.stops, l.stop)
		}
	}
}

// findAborts finds the Tasks that propose to abort a referral, because it is unsafe for anybody to carry out: a stop of
// whoever says so. It is lifted by a newer telling of that Task that takes the proposal back; that it was carried out
// (completed) lifts nothing.
func (f *facts) findAborts() {
	for _, r := range f.tasked {
		if copied(r.Value.Identifier) || r.Value.Intent != "proposal" || f.code(r.Party, r.Value.Code, fhir.SystemTaskCode) != "abort" {
			continue
		}
		stands := func(t *fhir.Task) answer {
			switch t.Status.Code() {
			case "cancelled", "rejected", "entered-in-error", "draft":
				return no
			}
			return yes
		}
		if f.ours(r.Version) {
			f.moved = append(f.moved, moved{r.last(), r.heard()})
		}
		if is, v := r.says(stands); is == yes {
			since := r.since(func(t *fhir.Task) bool { return stands(t) == yes })
			f.stops = append(f.stops, stop{what: "that the referral is unsafe", says: v, gone: r.Gone, title: f.title(r.Version), since: since})
		}
	}
}

// onHold reads a request's status; "unknown" says nothing.
func onHold(status string) answer {
	switch status {
	case "on-hold":
		return yes
	case "unknown":
		return cannotTell
	}
	return no
}

// held notes p as a stop when it is on hold, and as a doubt when it says not to give the medicine.
func (f *facts) held(p prescription) {
	if not := p.Value.DoNotPerform; not != nil && *not && p.Value.Status == "active" && p.ketamine == yes {
		f.doubts = append(f.doubts, stop{what: f.unless(p.Version, "an order not to give the medicine", "what the hub cannot read"), says: p.Version, gone: p.Gone, title: f.title(p.Version), since: p.authored})
	}
	is, v := p.says(func(m *fhir.MedicationRequest) answer { return onHold(m.Status) })
	if is != yes {
		return
	}
	since := p.since(func(m *fhir.MedicationRequest) bool { return onHold(m.Status) != no })
	s := stop{what: f.unless(p.Version, "the prescription on hold", "a hold"), says: v, gone: p.Gone, title: f.title(p.Version), since: since}
	if why := p.Value.StatusReason; why != nil && !f.foreign(p.Version) {
		s.why = quoted(words(why, nil))
	}
	if p.ketamine == yes {
		f.stops = append(f.stops, s)
	} else {
		s.what = f.unless(p.Version, "a prescription on hold of a medicine that the hub cannot read", "what the hub cannot read")
		f.doubts = append(f.doubts, s)
	}
}

// event is an adverse event that the prescriber has not answered.
type event struct {
	says  *fhir.Version
	gone  *fhir.Version
	grade string // CodeSerious, CodeAskPrescriber, "" when it cannot be read
	since time.Time
	title string

	foreign bool // recorded by a prescriber of another engagement
}

// open says what of e may be said here, at the beginning of a sentence, and what to do about it, within what time.
func (f *facts) open(e *event, within string) (words, next string) {
	switch {
	case e.foreign:
		return "Another prescriber recorded what is not settled", "see the client's engagement with them"
	case e.grade == "":
		return e.title + " recorded an adverse event on " + f.on(e.since) + " whose grade cannot be read", "grade it: serious, ask the prescriber, or expected and settled"
	}
	return e.title + " recorded an adverse event to ask " + f.prescriber() + " about on " + f.on(e.since), "ask " + f.prescriber() + within + f.phones()
}

// findEvents finds the open adverse events.
//
//	newest grade that can be read   a decision of the prescriber, made after it    it is
//	serious                         –                                              open, a hold
//	ask the prescriber              –                                              open
//	serious or ask                  cleared, not cleared, deferred, …              answered (what it says, the clearance gate shows)
//	another prescriber's            one of theirs, none of ours                    answered
//	expected, settled; by mistake   –                                              none
//	none                            –                                              cannot tell
//
// It is the practice's to grade again, and the prescriber's to answer. That the record is gone does neither. What counts
// is when it was recorded, not when it happened, and no date to come: nobody answers what nobody has told yet.
func (f *facts) findEvents() {
	for _, r := range records(f.chart.AdverseEvents, f.look) {
		if id := r.Value.Identifier; id != nil && copied([]fhir.Identifier{*id}) {
			continue
		}
		grade := func(e *fhir.AdverseEvent) string { return f.grade(r.Party, e) }
		newest := grade(r.Value)
		open, v := r.says(func(e *fhir.AdverseEvent) answer {
			switch grade(e) {
			case "":
				return cannotTell
			case fhir.CodeExpected, fhir.CodeMistaken:
				return no
			}
			return yes
		})
		if open == no && newest != "" {
			continue
		}
		e := event{says: v, gone: r.Gone, grade: newest, title: f.title(r.Version), foreign: f.foreign(r.Version)}
		if open == yes {
			for _, told := range r.Told {
				if told.Version == v {
					e.grade = grade(told.Value)
				}
			}
		}
		e.since = r.since(func(told *fhir.AdverseEvent) bool { g := grade(told); return g == e.grade || g == "" })
		if _, end, ok := f.when(r.Value.RecordedDate); ok && r.Told == nil && end.Before(e.since) {
			e.since = end.Add(-time.Nanosecond)
		}
		if e.grade != "" && (!e.foreign && f.answered(e.since) || e.foreign && f.answeredThere(r.Party, e.since)) {
			continue
		}
		if e.foreign && e.grade == fhir.CodeSerious {
			f.stops = append(f.stops, stop{what: "a hold", says: e.says, gone: e.gone, since: e.since, title: e.title})
			continue
		}
		f.events = append(f.events, e)
	}
	f.sortStops()
	slices.SortStableFunc(f.events, func(a, b event) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.says.String(), b.says.String()))
	})
}

// answeredThere reports whether another prescriber made a decision after t: what they asked, they answered.
func (f *facts) answeredThere(party string, t time.Time) bool {
	return slices.ContainsFunc(f.observed, func(r record[fhir.Observation]) bool {
		if r.Party != party || copied(r.Value.Identifier) {
			return false
		}
		means, _ := f.meaning(party, r.Value)
		return means != pending && means != unreadable && f.issued(r, means).After(t) && f.clock.passed(f.issued(r, means).Add(-f.policy.Rules.Skew))
	})
}

// grade reads how grave the therapist found e: "" when it cannot be read.
func (f *facts) grade(party string, e *fhir.AdverseEvent) string {
	code := f.code(party, e.Severity, fhir.SystemKAP)
	switch code {
	case fhir.CodeSerious, fhir.CodeAskPrescriber, fhir.CodeExpected, fhir.CodeMistaken:
	default:
		code = ""
	}
	if holds(e.Seriousness, fhir.Code{System: "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness", Code: "Serious"}) ||
		holds(e.Seriousness, fhir.Code{System: "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness", Code: "serious"}) {
		return fhir.CodeSerious
	}
	return code
}

// answered reports whether an allowed decider made a decision after t.
func (f *facts) answered(t time.Time) bool {
	return slices.ContainsFunc(f.decisions, func(d decision) bool {
		return d.who == yes && !d.other && d.means != pending && d.means != unreadable && d.issued.After(t) && f.clock.passed(d.issued.Add(-f.policy.Rules.Skew))
	})
}
