package readiness

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// facts are what one engagement's gates and rules look at, each read only from its owner's record (law 3). What the hub
// wrote itself is no fact, except the coordination Task, which the hub put at the prescriber and the prescriber moves.
//
//	owner       reads
//	practice    client, referral, releases, consents, sessions, session facts, go-ahead, acknowledgement, arrival checks
//	prescriber  client as they know them, coordination, evaluation, follow-up, decisions, prescriptions, holds
//	either      dispense and fulfilment (the pharmacy is no party, and the client's word suffices for delivery),
//	            adverse events and recorded stops; stops also from every other prescriber
type facts struct {
	chart  *fhir.Chart
	policy *Policy
	clock  *clock
	zone   *time.Location
	look   *look

	observed []record[fhir.Observation] // whoever told them
	tasked   []record[fhir.Task]

	clients []record[fhir.Patient] // as the practice knows them
	theirs  []record[fhir.Patient] // as the prescriber knows them

	referrals []record[fhir.ServiceRequest] // that name this prescriber
	passed    []record[fhir.Task]           // the practice's, which pass a referral on to another prescriber
	elsewhere []record[fhir.ServiceRequest] // that name another, or nobody where there are several
	releases  []release
	consents  []consent // to treatment

	coordination []record[fhir.Task]
	placed       []record[fhir.Task] // the practice's own Tasks that ask the prescriber
	aborts       []record[fhir.Task] // that ask to cancel or to stop
	questions    []record[fhir.Task] // the prescriber's, part of a referral
	fulfilments  []fulfilment

	dosing       []session // the practice's, by start
	preparations []session
	evaluations  []session // the prescriber's
	followUps    []session
	integrations []session // the practice's
	theirCopies  []session // dosing and preparation sessions as the prescriber's system has them
	next         *session  // the dosing session that the verdict is about
	nextDoubt    string    // why it cannot be told which session is next, in words

	decisions []decision // by this prescriber
	goAheads  []record[fhir.Observation]
	acks      []record[fhir.Observation]
	checks    map[string][]record[fhir.Observation] // arrival checks by their code
	readings  []reading

	prescriptions []prescription // of ketamine, or that may be
	strange       []prescription // active orders of ketamine by other prescribers
	dispenses     []dispense
	unreadFill    *fhir.Version // a dispense of nobody knows what
	intakes       []intake
	taken         []dose
	takenBy       []*fhir.Version
	notHeld       []Day                      // days on which a dosing session did not take place
	heldByHand    []heldByHand               // dosing sessions that were entered at the practice's desk as held
	prepared      []dose                     // preparation sessions that the practice recorded as held
	integrated    []dose                     // integration sessions that it did
	factsOf       []Day                      // days of which the practice told more of a dosing session than that it was kept
	scores        []score                    // of questionnaires, by when they were taken
	reasons       []record[fhir.Observation] // why a session began while not READY
	counted       []record[fhir.Observation] // what the client was counted to have left
	stock         stock                      // in the client's hands

	stops  []stop // that stand
	doubts []stop // that may be one: an active alert or held record that cannot be read
	events []event
	plans  []record[fhir.CarePlan] // the prescriber's

	goals   []record[fhir.Goal] // the prescriber's
	answers []record[fhir.Task] // in which the prescriber says how a condition of a clearance stands

	// Worked out once, when first asked for.
	depends   []source
	terms     *terms
	agreement string        // agreed
	release   *permission   // released
	setting   *whereabouts  // whereabouts
	readToday *[vitals]sign // signs
	spaced    *spacing
	limitsSay string // onFile
	differ    []mismatch
	differing bool
	inWindow  []*session // window
	windowed  bool
	judged    []Gate
	follow    *followUp
	enterers  map[string]string // by source and version
	digested  *fhir.Version     // whose directions digest is of
	digest    string

	moved []moved // the newest tellings of the prescriber's decisions and stops, void ones too
}

// moved is the newest telling of a record that a go-ahead rests on, and when the hub first heard of that record.
type moved struct {
	*fhir.Version
	heard time.Time
}

// gather reads the chart once, as far as l sees.
func gather(chart *fhir.Chart, policy *Policy, c *clock, l *look) *facts {
	f := &facts{chart: chart, policy: policy, clock: c, look: l, zone: cmp.Or(policy.Zone, time.UTC)}
	f.observed, f.tasked = records(chart.Observations, l), records(chart.Tasks, l)
	f.people()
	f.papers()
	f.tasks()
	f.appointments()
	f.medicines()
	f.observations()
	f.sessionFacts()
	f.findStops()
	f.findEvents()
	f.findNext()
	f.stock = f.inHand()
	return f
}

// ours reports whether v is told by the prescriber of this engagement.
func (f *facts) ours(v *fhir.Version) bool { return v.Party == f.policy.Prescriber.Name }

// practices reports whether v is told by the practice.
func practices(v *fhir.Version) bool { return v.Party == fhir.Practice }

// party returns the party called name; its title is its name when the policy knows none.
func (f *facts) party(name string) Party {
	switch name {
	case fhir.Practice:
		return f.policy.Practice
	case f.policy.Prescriber.Name:
		return f.policy.Prescriber
	}
	for _, p := range f.policy.Others {
		if p.Name == name {
			return p
		}
	}
	return Party{Name: name, Title: name}
}

// anotherPrescriber is what any but this engagement's prescriber is called in its words: of what they wrote, this
// engagement says that it stops the client and since when, and nothing else. Their own engagement says it all.
const anotherPrescriber = "another prescriber"

// foreign reports whether v is told by a prescriber of another engagement.
func (f *facts) foreign(v *fhir.Version) bool { return !practices(v) && !f.ours(v) }

// unless returns ours, but for what another prescriber recorded theirs.
func (f *facts) unless(v *fhir.Version, ours, theirs string) string {
	if f.foreign(v) {
		return theirs
	}
	return ours
}

// begin is a party's title at the beginning of a sentence.
func begin(title string) string {
	if title == anotherPrescriber {
		return "Another prescriber"
	}
	return title
}

// title returns what the party of v is called on the screen.
func (f *facts) title(v *fhir.Version) string {
	if f.foreign(v) {
		return anotherPrescriber
	}
	p := f.party(v.Party)
	return cmp.Or(p.Title, p.Name)
}

// prescriber is what this engagement's prescriber is called on the screen.
func (f *facts) prescriber() string {
	return cmp.Or(f.policy.Prescriber.Title, f.policy.Prescriber.Name)
}

// agreed names the sheet that a gate rests on.
func (f *facts) agreed() string {
	if f.agreement != "" {
		return f.agreement
	}
	switch sheet := &f.policy.Sheet; {
	case sheet.Signed.IsZero() && !sheet.Published.IsZero():
		f.agreement = "as " + f.prescriber() + " publishes, read on " + onDay(sheet.Published.Start(f.zone), f.zone) + "; not agreed yet"
	case sheet.Signed.IsZero():
		f.agreement = "per agreement"
	default:
		f.agreement = "per agreement of " + onDay(sheet.Signed.Start(f.zone), f.zone)
	}
	return f.agreement
}

// on writes a date in the practice's zone: "Mon 2 Mar 2026".
func (f *facts) on(t time.Time) string { return onDay(t, f.zone) }

// over reports whether what lasts up to end is over at the instant of need: the next session's start, else now.
func (f *facts) over(end time.Time) bool {
	if f.next != nil {
		return !end.After(f.next.start)
	}
	return f.clock.passed(end)
}

// when reads a FHIR date or time; ok is false when there is none or it cannot be read. The end it returns is the first
// instant after the span.
func (f *facts) when(s *string) (from, end time.Time, ok bool) {
	if s == nil || *s == "" {
		return time.Time{}, time.Time{}, false
	}
	from, last, err := fhir.Span(*s, f.zone)
	if err != nil {
		return time.Time{}, time.Time{}, false
	}
	return from, last.Add(time.Nanosecond), true
}

// instant returns the first of the given dates that can be read, else otherwise.
func (f *facts) instant(otherwise time.Time, dates ...*string) time.Time {
	for _, s := range dates {
		if from, _, ok := f.when(s); ok {
			return from
		}
	}
	return otherwise
}

// atLatest returns the last moment that date may mean, else otherwise: what stops is not older than what clears for a date
// without an hour.
func (f *facts) atLatest(otherwise time.Time, date *string) time.Time {
	if _, end, ok := f.when(date); ok {
		return end.Add(-time.Nanosecond)
	}
	return otherwise
}

// people finds the client as each side knows them. The hub's own copy at the prescriber counts: it is what the
// prescriber's records hang on.
func (f *facts) people() {
	for _, r := range records(f.chart.Patients, f.look) {
		switch {
		case f.bare(&r):
		case practices(r.Version):
			f.clients = append(f.clients, r)
		case f.ours(r.Version):
			f.theirs = append(f.theirs, r)
		}
	}
}

// bare reports whether r says nothing of who the client is, and was never meant to: the desk's records hang on one that bears
// the hub's own key alone, a calendar's of the practice on one that bears a token alone. One of any other system that says no
// more than that is a record whose name and birth date are missing.
func (f *facts) bare(r *record[fhir.Patient]) bool {
	p := r.Value
	if len(p.Name) > 0 || p.BirthDate != nil || p.Active != nil || p.DeceasedBoolean != nil || p.DeceasedDateTime != nil || len(p.Link) > 0 {
		return false
	}
	return len(p.Identifier) > 0 && !slices.ContainsFunc(p.Identifier, func(id fhir.Identifier) bool {
		switch text(id.System) {
		case fhir.SystemClient:
			return !f.policy.isDesk(r.Source)
		case fhir.SystemToken:
			return !practices(r.Version)
		}
		return true
	})
}
