package readiness

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Assess judges one engagement from all that is known of the client. It names the versions it rests on and is
// constant until its Until if nothing moves. Its findings are new, without a Since: Track tells their life.
//
// What a source told after its last complete read may be half of the news. While that is so, the client is UNKNOWN at
// best, and whatever stopped them at any moment since then still stops them (law 7).
func Assess(chart fhir.Chart, policy Policy, now time.Time) Verdict {
	c := &clock{now: now}
	f := gather(&chart, &policy, c, nil)
	v := Verdict{
		Client: chart.Client, Prescriber: policy.Prescriber.Name, Identifiers: []fhir.ID{},
		Judged: now, Moment: chart.Moment, Policy: policy.Hash,
		Appointment: f.appointment(), Therapists: f.therapists(), Gates: f.judgeGates(), Findings: f.judgeRules(every), Sources: []string{},
		Account: f.account(), Begun: f.sessionsBegun(), Loop: f.loop(),
	}
	for _, l := range f.looksBack() {
		v.keepStops(gather(&chart, &policy, c, l))
	}
	for _, s := range f.sources() {
		v.Sources = append(v.Sources, s.name)
	}
	for i := range f.clients {
		if r := &f.clients[i]; v.Chosen == "" {
			v.Chosen = chosen(r.Value)
			v.Identifiers = business(slices.DeleteFunc(slices.Clone(r.Value.Identifier), policy.AssignedElsewhere))
		}
	}
	f.conclude(&v)
	v.Until = c.until()
	return v
}

// business returns the identifiers by which the practice knows the client.
func business(ids []fhir.Identifier) []fhir.ID {
	return slices.DeleteFunc(identified([]fhir.ID{}, ids), func(id fhir.ID) bool {
		return id.System == fhir.SystemCopy || id.System == fhir.SystemClient
	})
}

// looksBack returns the looks that the hub could take since the last complete reads: before any of the news, and after
// each commit that brought some. None when there is no news but what was read completely.
func (f *facts) looksBack() []*look {
	var complete map[string]time.Time
	for _, s := range f.sources() {
		if s.heard.After(s.state.LastComplete) && !f.policy.isDesk(s.name) { // an entry by hand is whole
			if complete == nil {
				complete = map[string]time.Time{}
			}
			complete[s.name] = s.state.LastComplete
		}
	}
	if len(complete) == 0 {
		return nil
	}
	moments := []fhir.Moment{0}
	eachTold(f.chart, func(v *fhir.Version, _ bool) {
		if at, ok := complete[v.Source]; ok && v.Received.After(at) && !slices.Contains(moments, v.Moment) {
			moments = append(moments, v.Moment)
		}
	})
	slices.Sort(moments)
	looks := make([]*look, 0, len(moments))
	for _, m := range moments[:len(moments)-1] { // the last one is the look at everything
		looks = append(looks, &look{complete: complete, upTo: m})
	}
	return looks
}

// keepStops puts the stops of another look into v.
func (v *Verdict) keepStops(before *facts) {
	for i, g := range before.judgeGates() {
		if g.State == Blocked && v.Gates[i].State != Blocked {
			v.Gates[i] = g
		}
	}
	for _, was := range before.judgeRules(holding) {
		if rule(was.Code).Holds && !slices.ContainsFunc(v.Findings, func(now Finding) bool { return now.ID == was.ID }) {
			v.Findings = append(v.Findings, was)
		}
	}
}

// doubt is a reason why nothing can be told, whatever the gates say.
type doubt struct {
	words, next string
	owner       Owner
}

// unknowns are the reasons that lie in how the records came, not in what they say.
func (f *facts) unknowns() (out []doubt) {
	for _, party := range []*Party{&f.policy.Practice, &f.policy.Prescriber} {
		if len(party.Awaited()) == 0 {
			out = append(out, doubt{"nothing is read for " + cmp.Or(party.Title, party.Name), "configure a source for it", Operator})
		}
	}
	for _, s := range f.sources() {
		if s.is != Fresh {
			next, owner := f.policy.readIt(s.name)
			out = append(out, doubt{f.lastRead(s), next, owner})
		}
	}
	for _, l := range f.chart.Links {
		if f.undecided(l) {
			out = append(out, doubt{"whether a record at " + f.place(l.Source) + " is this client's is not decided", decide, Admin})
		}
		if l.How != fhir.Candidate && !l.ReadBack && !f.policy.isDesk(l.Source) && slices.ContainsFunc(f.sources(), func(s source) bool { return s.name == l.Source }) {
			out = append(out, doubt{l.Source + " is not read back to the beginning for this client yet", string(ReadAgain), Operator})
		}
	}
	if slices.ContainsFunc(f.chart.Sealed, func(s fhir.Sealed) bool { return s.Bears }) {
		out = append(out, doubt{"a record of the client is sealed, and may bear on it", string(OpenSealed), Privacy})
	}
	if len(f.chart.Rejects) > 0 {
		out = append(out, doubt{"a record of the client could not be read", string(OpenRejects), Operator})
	}
	if len(f.chart.Unread) > 0 {
		out = append(out, doubt{"a stored record of the client cannot be interpreted", "ask the source to correct it", Operator})
	}
	if f.next == nil && f.policy.Practice.Lacks("Appointment") {
		out = append(out, doubt{cmp.Or(f.policy.Practice.Title, f.policy.Practice.Name) + "'s system does not tell of sessions", "add a calendar feed", Operator})
	}
	if f.nextDoubt != "" {
		out = append(out, doubt{f.nextDoubt, "say on the appointment which referral it is based on", Therapist})
	}
	return out
}

// due reports whether a gate must be met by now: an arrival gate from its Due on, every other at once. A gate that is
// not due yet says so itself.
func (f *facts) due(i int, g *Gate) bool {
	switch {
	case g.State == Met || g.State == NotDue:
		return false
	case g.State == Open && gates[i].arrival:
		return f.clock.passed(g.Due)
	}
	return true
}

// conclude finds state and words, in the order of precedence.
//
//	a gate is blocked                                           HOLD
//	a source, a link, a record or a due gate cannot be told     UNKNOWN
//	a due gate is open, or an S1 or S2 finding is               NOT-READY
//	a gate is not due yet                                       IN-ORDER
//	every gate is met                                           READY
func (f *facts) conclude(v *Verdict) {
	var stop, unsure, todo, later *Gate
	items := 0
	counted := map[GateName]bool{}
	for i := range v.Gates {
		g := &v.Gates[i]
		switch due := f.due(i, g); {
		case g.State == Blocked:
			stop = first(stop, g)
		case due && g.State == Untold:
			unsure = first(unsure, g)
		case !due && g.State != Met:
			later = first(later, g)
		}
		if f.due(i, g) {
			items++
			counted[g.Name] = true
			todo = first(todo, g)
		}
	}
	var urgent *Finding
	for i := range v.Findings {
		r := &v.Findings[i]
		if r.Under != "" || r.Severity != S1 && r.Severity != S2 {
			continue
		}
		urgent = first(urgent, r)
		if gate := rule(r.Code).Gate; gate == "" || !counted[gate] {
			items++
		}
	}
	doubts := f.unknowns()
	switch {
	case stop != nil:
		v.State, v.Words, v.Owner, v.Next = Hold, f.stopWords(stop), stop.Owner, stop.Next
	case len(doubts) > 0:
		d := doubts[0]
		v.State, v.Words, v.Owner, v.Next = Unknown, "Cannot tell: "+d.words, d.owner, d.next
	case unsure != nil:
		v.State, v.Words, v.Owner, v.Next = Unknown, "Cannot tell: "+unsure.Words, unsure.Owner, unsure.Next
	case todo != nil:
		v.State, v.Words, v.Owner, v.Next = NotReady, openItems(items)+": "+todo.Words+f.whoSince(todo.Owner, todo.Since), todo.Owner, todo.Next
	case urgent != nil:
		v.State, v.Words, v.Owner, v.Next = NotReady, openItems(items)+": "+urgent.Words+f.whoSince(urgent.Owner, time.Time{}), urgent.Owner, urgent.Next
	case f.next == nil:
		v.State, v.Words, v.Owner, v.Next = InOrder, "Records in order; could be booked", Therapist, "nothing is due until a session is booked"
	case later != nil && later.Name == GateGoAhead:
		v.State, v.Words, v.Owner, v.Next = InOrder, "Records in order; go-ahead pending", later.Owner, later.Next
	case later != nil:
		v.State, v.Words, v.Owner, v.Next = InOrder, "Records in order; arrival checks pending", later.Owner, later.Next
	default:
		v.State, v.Words = Ready, "Records in order as of "+f.asOf()+". Not a medical decision."
	}
	if waits := f.alone(); waits != "" && v.State == InOrder {
		v.Words, v.Owner, v.Next = v.Words+"; the clearance was "+waits, Admin, string(ConfirmEntry)
	}
	v.Takes = taker(v.Owner, v.Next, slices.ContainsFunc(v.Gates, func(g Gate) bool { return g.Next == v.Next && g.Owner == v.Owner && atTheDay(g.Name) }))
}

// first keeps what was noted first.
func first[T any](noted, next *T) *T {
	if noted != nil {
		return noted
	}
	return next
}

// stopWords says who stopped the client and when; a decision that does not clear is called what it is.
func (f *facts) stopWords(g *Gate) string {
	if d := f.stopped(); g.Name == GateClearance && d != nil {
		switch d.says {
		case fhir.DecisionNotCleared:
			return begin(f.prescriber()) + " did not clear on " + f.on(d.issued)
		case fhir.DecisionWithdrawn:
			return begin(f.prescriber()) + " withdrew the clearance on " + f.on(d.issued)
		}
	}
	return "Stopped by " + f.stopper(g) + " on " + f.on(g.Since)
}

// stopper is who or what stopped the client.
func (f *facts) stopper(g *Gate) string {
	switch g.Name {
	case GateConsents:
		return "the client"
	case GateVitals:
		return "a reading beyond the limit"
	case GateHold:
		if len(f.stops) > 0 {
			return f.stops[0].title
		}
	}
	if len(g.Because) == 0 {
		return f.prescriber()
	}
	if p := g.Because[0].Party; p == fhir.Practice || p == f.policy.Prescriber.Name {
		return cmp.Or(f.party(p).Title, p)
	}
	return anotherPrescriber
}

// whoSince adds who must act and since when it stands so.
func (f *facts) whoSince(o Owner, since time.Time) string {
	if since.IsZero() {
		return " (" + string(o) + ")"
	}
	return " (" + string(o) + ", since " + f.on(since) + ")"
}

// asOf is up to when every source was read: the oldest of the complete reads.
func (f *facts) asOf() string {
	var oldest time.Time
	for _, s := range f.sources() {
		if oldest.IsZero() || s.state.LastComplete.Before(oldest) {
			oldest = s.state.LastComplete
		}
	}
	if f.next != nil && DayOf(oldest, f.zone) != DayOf(f.next.start, f.zone) {
		return f.on(oldest) + " " + atTime(oldest, f.zone)
	}
	return atTime(oldest, f.zone)
}

// sessionsBegun are the last dosing sessions of this engagement that had begun, and that the hub knew of by then. The verdict
// says nothing of them: that one begins is no reason to judge again.
func (f *facts) sessionsBegun() (list []Appointment) {
	const last = 8
	for i := range f.dosing {
		s := &f.dosing[i]
		if (s.standing() || s.done()) && !s.start.After(f.clock.now) && !s.heard().After(s.start) && f.owns(s) != no {
			list = append(list, Appointment{Source: s.Source, Type: s.Type, ID: s.ID, Start: s.start, End: s.end})
		}
	}
	return list[max(0, len(list)-last):]
}

// appointment is the next session as the verdict shows it.
func (f *facts) appointment() *Appointment {
	if f.next == nil {
		return nil
	}
	s := f.next
	a := &Appointment{Source: s.Source, Type: s.Type, ID: s.ID, Start: s.start, End: s.end}
	for _, t := range f.treating(s) {
		a.Therapist = cmp.Or(a.Therapist, t.Shown())
	}
	return a
}

// openItems writes how many things are open.
func openItems(n int) string {
	return strconv.Itoa(n) + " " + plural(n == 1, "item", "items") + " open"
}
