package readiness

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Freshness is how far a source can be trusted now.
type Freshness string

// The four ways a source can stand.
const (
	Fresh      Freshness = "fresh"
	Stale      Freshness = "stale"      // its last complete read is older than its party's limit
	Incomplete Freshness = "incomplete" // its last read was not complete
	Never      Freshness = "never"      // it was never read completely
)

// Freshness judges one source at now. session is the start of the session that a verdict is about, zero for none.
func (p Policy) Freshness(s fhir.SourceState, session, now time.Time) Freshness {
	return p.freshness(s, session, &clock{now: now})
}

// freshness judges one source.
//
//	last complete read                             it is
//	never                                          never
//	any, but the last read was not complete        incomplete
//	dated in the future, beyond the skew           incomplete: that clock cannot be trusted
//	older than the party's limit                   stale
//	no limit set: one business day old             stale
//	no limit set: before the session's day, today  stale
//	else                                           fresh
func (p *Policy) freshness(s fhir.SourceState, session time.Time, c *clock) Freshness {
	switch {
	case s.LastComplete.IsZero():
		return Never
	case !s.Complete || !c.passed(s.LastComplete.Add(-p.Rules.Skew)):
		return Incomplete
	case c.passed(p.goesStale(s, session)):
		return Stale
	}
	return Fresh
}

// goesStale returns the instant at which the last complete read of s is no longer enough.
func (p *Policy) goesStale(s fhir.SourceState, session time.Time) time.Time {
	zone := cmp.Or(p.Zone, time.UTC)
	party, hours := p.partyOf(s)
	if party.Limit > 0 {
		return s.LastComplete.Add(party.Limit)
	}
	stale := hours.Later(s.LastComplete, 1, zone)
	if !session.IsZero() {
		if today := DayOf(session, zone).Start(zone); s.LastComplete.Before(today) && today.Before(stale) {
			return today
		}
	}
	return stale
}

// partyOf returns whom s speaks for, with the calendar that its limit is counted by.
func (p *Policy) partyOf(s fhir.SourceState) (Party, Hours) {
	if p.Practice.Tells(s.Name) || s.Party == fhir.Practice {
		return p.Practice, Hours{}
	}
	if p.Prescriber.Tells(s.Name) || s.Party == p.Prescriber.Name {
		return p.Prescriber, p.Sheet.Hours
	}
	for _, other := range p.Others {
		if other.Tells(s.Name) || s.Party == other.Name {
			return other, Hours{}
		}
	}
	return Party{Name: s.Party}, Hours{}
}

// source is one source that the verdict depends on.
type source struct {
	name  string
	state fhir.SourceState
	is    Freshness
	heard time.Time // when it last told something of this client
}

// sources returns those the verdict depends on: every source of the practice and of this prescriber, those of every
// other prescriber with whom the client is linked (a hold may come from there), and any other that told a fact.
func (f *facts) sources() []source {
	if f.depends != nil {
		return f.depends
	}
	names := slices.Concat(f.policy.Practice.Awaited(), f.policy.Prescriber.Awaited())
	desks := f.desks()
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) && !slices.Contains(desks, name) {
			names = append(names, name)
		}
	}
	for _, other := range f.policy.Others {
		linked := slices.ContainsFunc(f.chart.Links, func(l fhir.Link) bool { return other.Tells(l.Source) })
		for _, name := range other.Awaited() {
			if linked && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	f.eachVersion(func(v *fhir.Version) { add(v.Source) })
	var session time.Time
	if f.next != nil {
		session = f.next.start
	}
	f.depends = make([]source, 0, len(names))
	for _, name := range names {
		state, _ := f.chart.Source(name)
		f.depends = append(f.depends, source{name: name, state: state, is: f.policy.freshness(state, session, f.clock)})
	}
	eachTold(f.chart, func(v *fhir.Version, _ bool) {
		for i := range f.depends {
			if s := &f.depends[i]; s.name == v.Source && v.Received.After(s.heard) {
				s.heard = v.Received
			}
		}
	})
	for i := range f.depends {
		if s := &f.depends[i]; s.is == Fresh && s.heard.After(s.state.LastComplete) && !slices.Contains(desks, s.name) {
			s.is = Incomplete // a read is under way: this may be half of its news
		}
	}
	return f.depends
}

// desks are the sources of what was entered by hand: each entry is whole when it is there.
func (f *facts) desks() (names []string) {
	for party := range f.policy.parties {
		for _, name := range []string{party.Desk, party.Imported} {
			if name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// eachTold calls yield for every version in the chart that is the client's own, type by type in the order in which
// they were stored; latest is false where the hub knows a newer one.
func eachTold(c *fhir.Chart, yield func(v *fhir.Version, latest bool)) {
	told(c.Patients, yield)
	told(c.Consents, yield)
	told(c.ServiceRequests, yield)
	told(c.Tasks, yield)
	told(c.Appointments, yield)
	told(c.Observations, yield)
	told(c.MedicationRequests, yield)
	told(c.MedicationDispenses, yield)
	told(c.MedicationAdministrations, yield)
	told(c.Procedures, yield)
	told(c.Encounters, yield)
	told(c.Flags, yield)
	told(c.CarePlans, yield)
	told(c.Goals, yield)
	told(c.Conditions, yield)
	told(c.MedicationStatements, yield)
	told(c.AdverseEvents, yield)
	told(c.DiagnosticReports, yield)
	told(c.DocumentReferences, yield)
}

func told[T any](list []fhir.Seen[T], yield func(v *fhir.Version, latest bool)) {
	for i := range list {
		yield(list[i].Version, list[i].Latest)
	}
}

// eachVersion calls yield for one version of every source that told something the gates may rest on.
func (f *facts) eachVersion(yield func(*fhir.Version)) {
	each(f.clients, yield)
	each(f.theirs, yield)
	each(f.referrals, yield)
	each(f.coordination, yield)
	each(f.goAheads, yield)
	each(f.acks, yield)
	each(f.plans, yield)
	each(f.goals, yield)
	for _, code := range [...]string{fhir.CodeRide, fhir.CodeFasting, fhir.CodeLocation, fhir.CodeNewInformation} {
		each(f.checks[code], yield)
	}
	for i := range f.releases {
		yield(f.releases[i].Version)
	}
	for i := range f.consents {
		yield(f.consents[i].Version)
	}
	for i := range f.decisions {
		yield(f.decisions[i].Version)
	}
	for i := range f.prescriptions {
		yield(f.prescriptions[i].Version)
	}
	for i := range f.dispenses {
		yield(f.dispenses[i].Version)
	}
	for i := range f.fulfilments {
		yield(f.fulfilments[i].Version)
	}
	for i := range f.readings {
		yield(f.readings[i].of)
	}
	for _, v := range f.takenBy {
		yield(v)
	}
	for _, m := range f.moved {
		yield(m.Version)
	}
	for _, list := range [][]session{f.dosing, f.preparations, f.evaluations, f.followUps} {
		for i := range list {
			yield(list[i].Version)
		}
	}
}

func each[T any](list []record[T], yield func(*fhir.Version)) {
	for i := range list {
		yield(list[i].Version)
	}
}

// desk returns the party whose desk the source named is, and whether it is one.
func (p *Policy) desk(source string) (Party, bool) {
	if source == "" {
		return Party{}, false
	}
	for party := range p.parties {
		if party.Desk == source || party.Imported == source {
			return *party, true
		}
	}
	return Party{}, false
}

// parties yields every party of p: the practice, the prescriber, the other prescribers.
func (p *Policy) parties(yield func(*Party) bool) {
	if !yield(&p.Practice) || !yield(&p.Prescriber) {
		return
	}
	for i := range p.Others {
		if !yield(&p.Others[i]) {
			return
		}
	}
}

// lastRead says how far a source was read: "skylight last read Fri 6 Mar 2026 16:10".
func (f *facts) lastRead(s source) string { return f.policy.lastRead(s.state, s.is, f.zone) }

// readIt says who sees to it that a source is read, and how.
func (p *Policy) readIt(source string) (next string, owner Owner) {
	if party, ok := p.desk(source); ok {
		return "read what came from " + cmp.Or(party.Title, party.Name) + ", enter it, and " + string(ReadMailbox), Admin
	}
	return string(CheckSource) + " from " + source, Operator
}

func (p *Policy) isDesk(source string) bool {
	_, is := p.desk(source)
	return is
}

func (p *Policy) lastRead(s fhir.SourceState, is Freshness, zone *time.Location) string {
	if party, ok := p.desk(s.Name); ok {
		mailbox := "the mailbox of " + cmp.Or(party.Title, party.Name)
		if s.LastComplete.IsZero() {
			return mailbox + " was never read through"
		}
		return mailbox + " is read to " + onDay(s.LastComplete, zone) + " " + atTime(s.LastComplete, zone)
	}
	if is == Never || s.LastComplete.IsZero() {
		return s.Name + " was never read completely"
	}
	words := s.Name + " last read " + onDay(s.LastComplete, zone) + " " + atTime(s.LastComplete, zone)
	if is == Incomplete {
		words = s.Name + " is not read completely; last time it was " + onDay(s.LastComplete, zone) + " " + atTime(s.LastComplete, zone)
	}
	return words
}
