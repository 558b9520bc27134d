package readiness_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	lives "github.com/kaphub/kaphub/fhir/life"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// seen is what a simulation saw.
type seen struct {
	lives, days, judged int
	states              map[readiness.State]int
	rules               map[string]int
	gates               map[readiness.GateName]map[readiness.GateState]int
	sessions, ready     int // sessions that began, and those that were READY then
}

func newSeen() *seen {
	return &seen{states: map[readiness.State]int{}, rules: map[string]int{}, gates: map[readiness.GateName]map[readiness.GateState]int{}}
}

func (s *seen) note(v *readiness.Verdict) {
	s.judged++
	s.states[v.State]++
	for i := range v.Findings {
		s.rules[v.Findings[i].Code]++
	}
	for i := range v.Gates {
		g := &v.Gates[i]
		if s.gates[g.Name] == nil {
			s.gates[g.Name] = map[readiness.GateState]int{}
		}
		s.gates[g.Name][g.State]++
	}
}

// agreedIn is the policy of a life.
func agreedIn(l lives.Life) readiness.Policy {
	a := l.Agreed
	return policy(func(p *readiness.Policy) {
		s := &p.Sheet
		s.ClearanceValidity, s.FollowUp, s.DoseInterval = inDays(a.Validity), inDays(a.FollowUp), inDays(a.Interval)
		s.SessionFacts = lineOf(a.Facts, itself)
		p.Watch = fhir.DefaultWatchList()
		p.ClientWays = []string{"phone"}
		s.SessionCap, s.Preparations = lineOf(a.Cap, itself), lineOf(a.Preparations, itself)
		pressure := func(n int) readiness.Limit { return readiness.Limit{Value: float64(n), Unit: "mm[Hg]"} }
		s.Systolic, s.Diastolic = lineOf(a.Systolic, pressure), lineOf(a.Diastolic, pressure)
		s.HeartRate = lineOf(a.Pulse, func(n int) readiness.Limit { return readiness.Limit{Value: float64(n), Unit: "/min"} })
		s.OfficeOnly = lineOf(a.OfficeOnly, func(n int) bool { return n == 1 })
		s.StatesNotServed = readiness.Asked[[]string]{}
		if a.NotServed != nil {
			s.StatesNotServed = readiness.Is(a.NotServed)
		}
		p.Credentials = readiness.Asked[[]readiness.Credential]{}
		if !a.Licence.IsZero() {
			p.Credentials = readiness.Is([]readiness.Credential{{Name: "licence", Until: readiness.DayOf(a.Licence, fhirtest.Denver)}})
		}
		if a.CalendarFeed {
			p.Practice.Sources = append(p.Practice.Sources, lives.Calendar)
		}
		if a.TwoPrescribers {
			p.Others = []readiness.Party{{Name: lives.Other, Title: "Meridian", Identifiers: []fhir.ID{{System: fhir.SystemNPI, Value: "1003000126"}}, Sources: []string{lives.Other}}}
		}
	})
}

func itself(n int) int { return n }

func inDays(l lives.Line) readiness.Asked[time.Duration] {
	return lineOf(l, func(n int) time.Duration { return time.Duration(n) * day })
}

func lineOf[T any](l lives.Line, value func(int) T) readiness.Asked[T] {
	switch l.Answer {
	case lives.Set:
		return readiness.Is(value(l.Value))
	case lives.NoneSet:
		return readiness.None[T]()
	}
	return readiness.Asked[T]{}
}

// judgeLife judges a life at every instant at which something changed for the hub, at every Until, at each session's start
// and at instants of chance; and asks the oracle. It returns the first moment at which the verdict was unsafe or hid a
// danger, "" when there was none.
func judgeLife(l lives.Life, see *seen) string {
	w, p := lives.Reach(l), agreedIn(l)
	chance := rand.New(rand.NewPCG(l.Seed, 7))
	bounds := w.Boundaries()
	for at, end := l.Start, l.End(); at.Before(end); {
		chart := w.At(at)
		v := readiness.Assess(chart, p, at)
		see.note(&v)
		if why := wrong(w, &v, at); why != "" {
			return why
		}
		if v.Appointment != nil && v.Appointment.Start.Equal(at) {
			see.sessions++
			w.Began(fhir.Began{Prescriber: fhirtest.Prescriber, Key: fhir.Key{Source: v.Appointment.Source, Type: v.Appointment.Type, ID: v.Appointment.ID}, Start: at, State: string(v.State)})
			if v.State == readiness.Ready {
				see.ready++
			}
		}
		next := v.Until
		if !next.After(at) {
			return at.In(fhirtest.Denver).Format("Mon 2 Jan 15:04:05") + ": it was over when it was made"
		}
		if i, _ := slices.BinarySearchFunc(bounds, at.Add(1), time.Time.Compare); i < len(bounds) && bounds[i].Before(next) {
			next = bounds[i]
		}
		if some := at.Add(time.Duration(chance.Int64N(int64(30 * time.Hour)))); some.After(at) && some.Before(next) {
			next = some
		}
		at = next
	}
	see.lives++
	see.days += l.Days
	return ""
}

// wrong says what is wrong with a verdict by the truth that the hub could know.
func wrong(w *lives.World, v *readiness.Verdict, at time.Time) string {
	o := w.Oracle(at)
	if v.State == readiness.Ready {
		if why := o.Unsafe(); len(why) > 0 {
			return fmt.Sprintf("%s: READY, but %s", at.In(fhirtest.Denver).Format("Mon 2 Jan 15:04:05"), strings.Join(why, "; "))
		}
	}
	for _, d := range o.Dangers() {
		if !slices.ContainsFunc(v.Findings, func(f readiness.Finding) bool { return f.Code == d.Rule }) && slices.ContainsFunc(readiness.Catalogue(), func(r readiness.Rule) bool { return r.Code == d.Rule }) {
			return fmt.Sprintf("%s: no finding of %s, though %s", at.In(fhirtest.Denver).Format("Mon 2 Jan 15:04:05"), d.Rule, d.Why)
		}
	}
	return ""
}

// sort of failure: what stays the same while a life shrinks.
func failure(why string) string {
	_, what, _ := strings.Cut(why, ": ")
	what, _, _ = strings.Cut(what, ", ")
	return what
}

// clientDays is how many client-days are lived: KAPHUB_CLIENT_DAYS, else few.
func clientDays(t *testing.T) int {
	if s := os.Getenv("KAPHUB_CLIENT_DAYS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("KAPHUB_CLIENT_DAYS: %v", err)
		}
		return n
	}
	if testing.Short() {
		return 3_000
	}
	return 5_000
}

// stands are the ways in which each gate must have stood at least once in many lives: those of its situation table that the
// lives can reach.
var stands = map[readiness.GateName]string{
	readiness.GateIdentity: "met open unknown", readiness.GateRelease: "met open", readiness.GateReferral: "met open",
	readiness.GateEvaluation: "met open", readiness.GateClearance: "met open unknown blocked", readiness.GateHold: "met open unknown blocked",
	readiness.GatePrescription: "met open unknown", readiness.GateMedicine: "met open unknown", readiness.GateInstructions: "met open unknown not-due",
	readiness.GateConsents: "met open blocked", readiness.GatePreparation: "met open unknown not-due", readiness.GateFollowUp: "met open unknown not-due",
	readiness.GateInterval: "met open unknown", readiness.GateSetting: "met open unknown", readiness.GateCredentials: "met open unknown",
	readiness.GateVitals: "met open unknown blocked not-due", readiness.GateRide: "met open not-due", readiness.GateFasting: "met open not-due",
	readiness.GateLocation: "met open not-due", readiness.GateNewInformation: "met open not-due", readiness.GateGoAhead: "met open unknown not-due",
}

// enough fails where many lives never saw a rule speak or a gate stand as it can, or too few clients READY: a simulation
// that never comes to READY proves nothing.
func (s *seen) enough(t *testing.T) {
	for _, r := range readiness.Catalogue() {
		if s.rules[r.Code] == 0 {
			t.Errorf("%s never spoke", r.Code)
		}
	}
	for _, name := range readiness.Gates() {
		if stands[name] == "" {
			t.Errorf("say how gate %s can stand", name)
		}
		for state := range strings.FieldsSeq(stands[name]) {
			if s.gates[name][readiness.GateState(state)] == 0 {
				t.Errorf("gate %s was never %s", name, state)
			}
		}
	}
	if s.ready*4 < s.sessions {
		t.Errorf("only %d of %d sessions were READY at their start", s.ready, s.sessions)
	}
}

// The order in which the hub heard of things does not matter once every source is read completely: whole lives are judged
// again at their sessions' starts, with what was heard by then in another order. (R47 tells of a disorder, and of what is
// gone only the order tells; of the directory's entries the store has the newest stand last.)
func TestTheOrderOfArrivalInLives(t *testing.T) {
	compared := 0
	for seed := uint64(1); seed <= 60; seed++ {
		l := lives.Live(seed)
		l.Events = slices.DeleteFunc(l.Events, func(e lives.Event) bool {
			return e.What == lives.Gone || e.What == lives.Outage || e.What == lives.Role
		})
		w, p := lives.Reach(l), agreedIn(l)
		chance := rand.New(rand.NewPCG(seed, 9))
		for _, at := range w.Boundaries() {
			if chance.IntN(8) > 0 {
				continue
			}
			v := unordered(readiness.Assess(w.At(at), p, at))
			w := unordered(readiness.Assess(w.Shuffled(at, chance), p, at))
			v.Moment, w.Moment = 0, 0
			compared++
			if nameless(v) != nameless(w) {
				t.Fatalf("%s\n%s: %s\n%s: %s\n%v\n%v\n%s", at, v.State, v.Words, w.State, w.Words, nameless(v), nameless(w), l)
			}
		}
	}
	if compared < 300 {
		t.Errorf("only %d verdicts were compared", compared)
	}
}

// nameless is what v says without the versions' numbers, which count the order of arrival.
func nameless(v readiness.Verdict) string {
	var b strings.Builder
	fmt.Fprintln(&b, v.State, v.Words) // R47 is told for some days, and has the verdict stand until then at most
	for _, g := range v.Gates {
		fmt.Fprintln(&b, g.Name, g.State, g.Words, g.Next, g.Due, len(g.Because))
	}
	for _, f := range v.Findings {
		fmt.Fprintln(&b, f.ID, f.Severity, f.Words, f.Next, len(f.Because))
	}
	return b.String()
}

func TestNoLifeIsUnsafelyReady(t *testing.T) {
	want := clientDays(t)
	see := newSeen()
	failures := 0
	for seed := uint64(1); see.days < want && failures < 5; seed++ {
		l := lives.Live(seed)
		why := judgeLife(l, see)
		if why == "" {
			continue
		}
		failures++
		see.days += l.Days
		t.Errorf("life %d\n%s", seed, why)
		short := lives.Shrink(l, func(l lives.Life) bool {
			again := judgeLife(l, newSeen())
			return again != "" && failure(again) == failure(why)
		})
		t.Errorf("the shortest: %s\n%s", judgeLife(short, newSeen()), short)
	}
	t.Logf("%d client-days of %d lives, judged %d times: %v; %d of %d sessions READY at their start", see.days, see.lives, see.judged, see.states, see.ready, see.sessions)
	if many := want >= 100_000; many {
		see.enough(t)
	}
	for _, r := range readiness.Catalogue() {
		t.Logf("  %-4s %8d  %s", r.Code, see.rules[r.Code], r.Name)
	}
	for _, name := range readiness.Gates() {
		t.Logf("  %-16s %v", name, see.gates[name])
	}
}
