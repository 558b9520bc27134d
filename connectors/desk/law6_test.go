package desk_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

const day = 24 * time.Hour

// now is a Tuesday, 09:00 in Denver; the session begins two hours later.
var now = time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC)

var book = desk.Book{
	Practice:   desk.Party{Name: fhir.Practice, Title: "Reverie"},
	Prescriber: desk.Party{Name: fhirtest.Prescriber, Title: "Skylight", Identifier: fhirtest.PrescriberNPI},
	Medicine:   "ketamine lozenge, under the tongue", Zone: fhirtest.Denver,
}

// letters is the policy of a prescriber who only writes e-mails.
func letters(followUp time.Duration) readiness.Policy {
	return readiness.Policy{
		Hash:       "one",
		Practice:   readiness.Party{Name: fhir.Practice, Title: "Reverie", Sources: []string{fhirtest.PracticeSource}, Desk: desk.Source(fhir.Practice)},
		Prescriber: readiness.Party{Name: fhirtest.Prescriber, Title: "Skylight", Identifiers: []fhir.ID{fhirtest.PrescriberNPI}, Desk: desk.Source(fhirtest.Prescriber)},
		Zone:       fhirtest.Denver,
		Sheet: readiness.Sheet{
			Signed: readiness.Day{Year: 2026, Month: time.January, Day: 10}, Deciders: []fhir.ID{fhirtest.DeciderNPI},
			ClearanceValidity: readiness.Is(90 * day), FollowUp: readiness.Is(followUp), DoseInterval: readiness.Is(6 * day), SessionCap: readiness.Is(2),
			Systolic: readiness.Is(readiness.Limit{Value: 140, Unit: "mm[Hg]"}), Diastolic: readiness.Is(readiness.Limit{Value: 90, Unit: "mm[Hg]"}),
			HeartRate: readiness.None[readiness.Limit](), Preparations: readiness.Is(1), OfficeOnly: readiness.Is(true),
			StatesNotServed: readiness.Is([]string{"AK"}), LeadDays: readiness.None[int](),
		},
		Credentials: readiness.None[[]readiness.Credential](), Rules: readiness.DefaultRules(),
	}
}

// entry is one thing that somebody enters.
type entry struct {
	name   string
	at     time.Time
	needed bool // without it the client is not ready
	make   func(*life, desk.Note) ([]exchange.Slip, error)
}

// life is what the hub knows of one client, as it comes in.
type life struct {
	course   *fhirtest.Course
	policy   readiness.Policy
	dosing   fhir.Version
	versions []fhir.Version
	count    map[fhir.Key]int64
	read     time.Time
	last     map[string]*fhir.Version // by the name of what made it
}

// receive stores slips as the store would.
func (l *life) receive(name string, slips []exchange.Slip) {
	for _, s := range slips {
		if !s.ReadTo.IsZero() {
			l.read = s.ReadTo
		}
		party := fhir.Practice
		if s.Source != desk.Source(fhir.Practice) {
			party = fhirtest.Prescriber
		}
		for _, r := range s.Records {
			key := fhir.Key{Source: s.Source, Type: r.Type, ID: r.ID}
			if r.Type == "Patient" && l.count[key] > 0 {
				continue
			}
			l.count[key]++
			v := fhir.Version{Key: key, Party: party, N: l.count[key], Moment: fhir.Moment(1000 + len(l.versions)), Received: s.At, Resource: r}
			l.versions = append(l.versions, v)
			l.last[name+" "+r.Type] = &v
		}
	}
}

func (l *life) chart() fhir.Chart {
	links := []fhir.Link{{Client: l.course.Client, Source: fhirtest.PracticeSource, Patient: l.course.Patient, How: "enrolled", Moment: 1, ReadBack: true}}
	for _, source := range []string{desk.Source(fhir.Practice), desk.Source(fhirtest.Prescriber)} {
		links = append(links, fhir.Link{Client: l.course.Client, Source: source, Patient: l.course.Client, How: "identifier", Moment: 1})
	}
	sources := []fhir.SourceState{{Name: fhirtest.PracticeSource, Party: fhir.Practice, LastComplete: now, LastTried: now, Complete: true}}
	if !l.read.IsZero() {
		sources = append(sources, fhir.SourceState{Name: desk.Source(fhirtest.Prescriber), Party: fhirtest.Prescriber, LastComplete: l.read, LastTried: now, Complete: true})
	}
	return fhir.NewChart(l.course.Client, fhir.Moment(2000+len(l.versions)), l.versions, links, sources, nil)
}

// live lets everything happen, less the entry called without.
func live(t failer, policy readiness.Policy, booked []time.Time, entries []entry, without string) readiness.Verdict {
	c := fhirtest.Client(now)
	l := &life{course: c, policy: policy, count: map[fhir.Key]int64{}, last: map[string]*fhir.Version{}}
	l.versions = append(l.versions, c.DaysBefore(80).PatientHere(),
		c.DaysBefore(70).Preparation(now.Add(-30*day), fhirtest.Set("status", "booked"))) // a calendar never says that it was kept
	for i, at := range booked {
		l.versions = append(l.versions, c.DaysBefore(60).Dosing(at, fhirtest.Set("id", fmt.Sprintf("before-%d", i))))
	}
	l.dosing = c.DaysBefore(60).Dosing(c.Session)
	l.versions = append(l.versions, l.dosing)
	slices.SortStableFunc(entries, func(a, b entry) int { return a.at.Compare(b.at) })
	for _, e := range entries {
		if e.name == without {
			continue
		}
		slips, err := e.make(l, desk.Note{Entry: desk.NewEntry(), Client: c.Client, By: "ada", At: e.at, Medium: "e-mail"})
		if err != nil {
			t.Fatalf("%s: %v", e.name, err)
		}
		l.receive(e.name, slips)
	}
	return readiness.Assess(l.chart(), policy, now)
}

type failer interface {
	Fatalf(format string, args ...any)
}

func decider() desk.Person { return desk.Person{Name: "Dr. Imaginary", ID: fhirtest.DeciderNPI} }

// blameless draws the entries about a client with whom all is well, in one of the ways in which it can be.
func blameless(t *rapid.T) (policy readiness.Policy, booked []time.Time, entries []entry) {
	add := func(name string, at time.Time, needed bool, make func(*life, desk.Note) ([]exchange.Slip, error)) {
		entries = append(entries, entry{name, at, needed, make})
	}
	hours := func(label string, most int) time.Duration {
		return time.Duration(rapid.IntRange(0, most*60).Draw(t, label)) * time.Minute
	}

	signed := now.Add(-75*day + hours("signed", 48))
	to := rapid.SampledFrom([]string{"", "2026-12-31", "2026-03-03"}).Draw(t, "release to")
	papers := func(name string, p desk.Papers) {
		p.Signed = signed
		add(name, signed.Add(hours(name, 24)), true, func(_ *life, n desk.Note) ([]exchange.Slip, error) { return book.Papers(n, p) })
	}
	both := desk.Papers{Release: true, To: to, Consents: []fhir.Code{{System: fhir.SystemKAP, Code: fhir.CodeTreatmentConsent}}}
	if rapid.Bool().Draw(t, "papers at once") {
		papers("papers", both)
	} else {
		papers("release", desk.Papers{Release: true, To: to, Refer: true})
		papers("consents", desk.Papers{Consents: both.Consents})
	}

	// What was decided before, and the decision that counts.
	decided := now.Add(-50*day + hours("decided", 10*24))
	before := rapid.SampledFrom([]string{"", fhir.DecisionDeferred, fhir.DecisionNotCleared, fhir.DecisionWithdrawn, "conditions"}).Draw(t, "decided before")
	if before != "" {
		first := desk.Decision{Outcome: before, Decider: decider()}
		if before == "conditions" {
			first = desk.Decision{Outcome: fhir.DecisionConditions, Decider: decider(), Conditions: []string{"an ECG"}, Retyped: true}
		}
		add("first decision", decided.Add(-5*day), false, func(_ *life, n desk.Note) ([]exchange.Slip, error) { return book.Decide(n, first) })
	}
	d := desk.Decision{Outcome: fhir.DecisionCleared, Decider: decider(), ValidTo: rapid.SampledFrom([]string{"", "2026-05-31", "2026-03-03"}).Draw(t, "valid to")}
	if rapid.Bool().Draw(t, "limits") {
		d.Limits = []desk.Limit{{Of: "systolic", Value: 150}, {Of: "diastolic", Value: 95, Below: true}, {Of: "heart-rate", Value: 110}}
	}
	if rapid.Bool().Draw(t, "a condition that the readings answer") {
		d.Outcome, d.ByReading, d.Limits = fhir.DecisionConditions, true, []desk.Limit{{Of: "systolic", Value: 150}, {Of: "diastolic", Value: 95}, {Of: "heart-rate", Value: 110}}
	}
	d.Retyped = rapid.Bool().Draw(t, "alone")
	late := hours("told before it was entered", 6)
	changes := rapid.Bool().Draw(t, "the dose changes") // by a newer decision, which clears too
	add("decision", decided, true, func(_ *life, n desk.Note) ([]exchange.Slip, error) {
		n.Told = n.At.Add(-late)
		return book.Decide(n, d)
	})
	if !d.Retyped {
		add("confirmation", decided.Add(time.Minute+hours("confirmed", 20)), true, func(l *life, n desk.Note) ([]exchange.Slip, error) {
			n.By = "grace"
			made := l.last["decision Observation"]
			if made == nil {
				return nil, nil // it was left out
			}
			return book.Confirm(n, made)
		})
	}

	// A follow-up, where the sheet wants one before the session.
	policy = letters(90 * day)
	if rapid.Bool().Draw(t, "a follow-up is due") {
		policy = letters(25 * day)
		add("follow-up", now.Add(-10*day+hours("follow-up", 48)), true, func(_ *life, n desk.Note) ([]exchange.Slip, error) {
			return book.FollowUp(n, n.At.Add(-time.Hour), decider(), true)
		})
	}

	add("preparation", now.Add(-30*day+3*time.Hour), true, func(_ *life, n desk.Note) ([]exchange.Slip, error) {
		return book.Close(n, desk.After{Kind: fhir.SessionPreparation, Start: now.Add(-30 * day), Held: true})
	})

	// Sessions that are over: held or not, with effects that were settled or that the prescriber answered.
	sessions := rapid.IntRange(0, 2).Draw(t, "sessions before")
	worth := float64(sessions + 1 + rapid.IntRange(0, 4).Draw(t, "spare"))
	directions := "One lozenge under the tongue"
	label := func(name string, at time.Time, needed bool, text string, filled time.Duration) {
		add(name, at, needed, func(l *life, n desk.Note) ([]exchange.Slip, error) {
			p := desk.Label{NameMatches: true, FilledOn: at.Add(-filled).In(fhirtest.Denver).Format(time.DateOnly), DiscardAfter: "2026-06-30",
				Sessions: worth, Directions: text, Rx: readiness.Prescribed(l.chart(), l.policy, n.At)}
			return book.Check(n, p)
		})
	}
	label("label", now.Add(-35*day+hours("label", 48)), !changes, directions, 7*day)
	if changes {
		add("another dose", now.Add(-9*day+hours("another dose", 24)), false, func(l *life, n desk.Note) ([]exchange.Slip, error) {
			again := d
			again.Retyped, again.Directions, again.Rx = true, "Half a lozenge under the tongue", readiness.Prescribed(l.chart(), l.policy, n.At)
			if again.Rx == nil { // without the first label there is nothing that changes
				again.Directions = ""
			}
			return book.Decide(n, again)
		})
		label("another label", now.Add(-6*day+hours("another label", 48)), true, "", 2*day)
	}
	for i := range sessions {
		at := now.Add(time.Duration(-27+10*i) * day)
		booked = append(booked, at)
		after := desk.After{Kind: fhir.SessionDosing, Start: at, End: at.Add(2 * time.Hour), Held: rapid.Bool().Draw(t, "held"), AsDirected: true,
			Effects: rapid.SampledFrom([]string{desk.EffectsNone, desk.EffectsExpected, desk.EffectsAsk, desk.EffectsSerious}).Draw(t, "effects")}
		closed := at.Add(3 * time.Hour)
		add(fmt.Sprintf("after %d", i), closed, false, func(_ *life, n desk.Note) ([]exchange.Slip, error) { return book.Close(n, after) })
		if after.Held { // without its arrival checks it was not READY when it began: that asks for a word (R50)
			add(fmt.Sprintf("reason %d", i), closed.Add(30*time.Minute), true, func(l *life, n desk.Note) (slips []exchange.Slip, err error) {
				for _, b := range readiness.Unexplained(l.chart(), l.policy, n.At) { // none, where its entry was left out
					made, why := book.Reason(n, b.Key, "the checks of that day stand on paper")
					slips, err = append(slips, made...), errors.Join(err, why)
				}
				return slips, err
			})
		}
		if after.Held && (after.Effects == desk.EffectsAsk || after.Effects == desk.EffectsSerious) {
			add(fmt.Sprintf("answer %d", i), closed.Add(time.Hour+hours("answered", 24)), true, func(_ *life, n desk.Note) ([]exchange.Slip, error) {
				again := d
				again.Retyped = true
				return book.Decide(n, again)
			})
		}
	}
	if rapid.Bool().Draw(t, "a stop that was lifted") {
		said := now.Add(-15*day + hours("stopped", 24))
		add("stop", said, false, func(_ *life, n desk.Note) ([]exchange.Slip, error) {
			return book.Stop(n, book.Prescriber, false, "chest pain")
		})
		add("lift", said.Add(time.Hour+hours("lifted", 72)), true, func(l *life, n desk.Note) ([]exchange.Slip, error) {
			return book.Lift(n, book.Prescriber, l.last["stop Flag"])
		})
	}

	// The day itself.
	checks := desk.Arrival{Systolic: new(118.0), Diastolic: new(76.0), HeartRate: new(72.0), Ride: new(true), Fasting: new(true), Location: new(true), New: new(false)}
	arrive := func(name string, at time.Duration, p desk.Arrival) {
		add(name, now.Add(-at), true, func(l *life, n desk.Note) ([]exchange.Slip, error) {
			by := readiness.TherapistsOf(fhir.Chart{}, readiness.Policy{}, &l.dosing)
			return book.Arrive(n, desk.Session{Appointment: &l.dosing, Therapist: by[0].Ref}, p)
		})
	}
	if rapid.Bool().Draw(t, "go-ahead with the checks") {
		checks.GoAhead = new(true)
		arrive("arrival", 5*time.Minute, checks)
	} else {
		arrive("arrival", 40*time.Minute, checks)
		arrive("go-ahead", 3*time.Minute, desk.Arrival{GoAhead: new(true)})
	}
	add("read-through", now.Add(-30*time.Minute), true, func(_ *life, n desk.Note) ([]exchange.Slip, error) {
		return book.ReadThrough(n, book.Prescriber, n.At.Add(-20*time.Minute))
	})
	// The prescriber's last answer is a decision and a follow-up too: where there is one, those before it are not needed.
	answered := changes
	for i := range slices.Backward(entries) {
		e := &entries[i]
		switch {
		case strings.HasPrefix(e.name, "answer"):
			e.needed, answered = !answered, true
		case e.name == "decision" || e.name == "confirmation" || e.name == "follow-up":
			e.needed = !answered
		}
	}
	return policy, booked, entries
}

// Law 6: every blameless client of a practice whose prescriber only writes e-mails reaches READY from the desk's entries,
// and none does when one that is needed was not made.
func TestEveryBlamelessClientReachesReadyFromTheDeskAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy, booked, entries := blameless(t)
		v := live(t, policy, booked, entries, "")
		if v.State != readiness.Ready {
			t.Fatalf("%s", told(v))
		}
		for _, e := range entries {
			if !e.needed {
				continue
			}
			if v := live(t, policy, booked, slices.Clone(entries), e.name); v.State == readiness.Ready {
				t.Fatalf("ready without the entry %q", e.name)
			}
		}
	})
}

// told is what a verdict says, for whoever has to find out why.
func told(v readiness.Verdict) string {
	lines := []string{string(v.State) + ": " + v.Words}
	for _, g := range v.Gates {
		if g.State != readiness.Met {
			lines = append(lines, fmt.Sprintf("  %s %s: %s (%s)", g.Name, g.State, g.Words, g.Next))
		}
	}
	for _, f := range v.Findings {
		lines = append(lines, fmt.Sprintf("  %s %s: %s", f.Code, f.Severity, f.Words))
	}
	return strings.Join(lines, "\n")
}
