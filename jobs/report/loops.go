package report

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// loopWeeks is how far back the loops are looked at: this week, and those before it.
const loopWeeks = 12

// TooFew is how many it takes to say anything of several.
const TooFew = 3

// Loops is how the ways to the prescribers and back went, in the last weeks.
type Loops struct {
	From, To  time.Time // a Monday; the moment that is shown
	Measures  []Measure
	Closed    Share // of the referrals sent in a week, those that the prescriber answered by now: decided, or turned down
	FollowUps Share // of the follow-ups due in a week, those that were held by then
}

// LoopStep is what a measure counts up to, from when the prescriber had the referral.
type LoopStep string

// The steps, in the order of the way.
const (
	ToAcknowledgement LoopStep = "acknowledgement"
	ToEvaluation      LoopStep = "evaluation"
	ToDecision        LoopStep = "decision"
	ToMedicine        LoopStep = "medicine in hand"
)

// Measure is how long one step took.
type Measure struct {
	Step    LoopStep
	All     Spread
	Weeks   []WeekOf
	Untold  int           // got farther in these weeks, and nobody recorded this step
	Waiting int           // still wait for it
	Longest time.Duration // … the longest of them
}

// WeekOf is one week of a measure: of the steps that were taken in it.
type WeekOf struct {
	Start time.Time
	Spread
}

// Spread is how several durations lie.
type Spread struct {
	N                   int
	Least, Median, Most time.Duration
}

// Share is how many of several something is true of.
type Share struct {
	Of, Are int
	Weeks   []ShareOf
}

// ShareOf is one week of a share.
type ShareOf struct {
	Start   time.Time
	Of, Are int
}

// LoopsOf measures the loops of everybody in the view, each client's newest way to each prescriber. It is pure. What the
// steps are is decided where verdicts are (readiness.Loop).
//
//	a referral                                   counts, in the week of
//	acknowledged, evaluated, decided, in hand    that step: from when the prescriber had the referral to it
//	with a step that nobody recorded, and a      the farther step: as untold, of the earlier
//	  farther one that somebody did
//	neither there yet nor turned down            waiting, whenever it was sent; for the medicine, where the clearance holds
//	sent                                         when it was sent: closed, if decided or turned down by now
//	a follow-up                                  when it was due: in time, if held by then; not at all while it is not due yet
func LoopsOf(in Input) Loops {
	b := newBuilder(in)
	today := readiness.DayOf(in.AsOf, b.zone)
	monday := today.Plus(-int((today.Start(b.zone).Weekday() + 6) % 7))
	out := Loops{From: monday.Plus(-7 * (loopWeeks - 1)).Start(b.zone), To: in.AsOf}
	starts := make([]time.Time, loopWeeks)
	for i := range starts {
		starts[i] = monday.Plus(-7 * (loopWeeks - 1 - i)).Start(b.zone)
	}
	week := func(at time.Time) int { // -1: before all of them, or to come
		if at.IsZero() || at.After(in.AsOf) {
			return -1
		}
		i, exact := slices.BinarySearchFunc(starts, at, time.Time.Compare)
		if exact {
			return i
		}
		return i - 1
	}
	for _, s := range []LoopStep{ToAcknowledgement, ToEvaluation, ToDecision, ToMedicine} {
		out.Measures = append(out.Measures, measure(s, in, starts, week))
	}
	closed, held := newShare(starts), newShare(starts)
	for i := range in.Clients {
		l := in.Clients[i].Loop
		if l == nil {
			continue
		}
		closed.add(week(l.Sent), !l.Decided.IsZero() || !l.Declined.IsZero())
		for _, u := range l.FollowUps {
			held.add(week(u.Due), !u.Seen.IsZero() && u.Seen.Before(u.Due))
		}
	}
	out.Closed, out.FollowUps = closed, held
	return out
}

func measure(step LoopStep, in Input, starts []time.Time, week func(time.Time) int) Measure {
	m := Measure{Step: step}
	all, by := []time.Duration{}, make([][]time.Duration, len(starts))
	for i := range in.Clients {
		v := &in.Clients[i]
		if v.Loop == nil {
			continue
		}
		at, farther, waits := reached(v, step)
		took := at.Sub(v.Loop.Sent)
		switch w := week(at); {
		case at.IsZero() && !farther.IsZero():
			if week(farther) >= 0 {
				m.Untold++
			}
		case at.IsZero() && waits:
			m.Waiting++
			m.Longest = max(m.Longest, in.AsOf.Sub(v.Loop.Sent))
		case w >= 0 && took >= 0:
			all, by[w] = append(all, took), append(by[w], took)
		}
	}
	m.All = spread(all)
	for i, start := range starts {
		m.Weeks = append(m.Weeks, WeekOf{start, spread(by[i])})
	}
	return m
}

// reached is when a client came to a step, when they came farther, and whether they wait for it where they came to neither.
func reached(v *readiness.Verdict, step LoopStep) (at, farther time.Time, waits bool) {
	l := v.Loop
	open := l.Declined.IsZero()
	switch step {
	case ToAcknowledgement:
		return l.Acknowledged, earliest(l.Evaluated, l.Decided, l.Declined), open
	case ToEvaluation:
		return l.Evaluated, l.Decided, open
	case ToDecision:
		return l.Decided, l.InHand, open
	}
	g, _ := v.Gate(readiness.GateClearance)
	return l.InHand, time.Time{}, g.State == readiness.Met
}

func earliest(times ...time.Time) (first time.Time) {
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// spread sorts what it is given.
func spread(of []time.Duration) Spread {
	n := len(of)
	if n == 0 {
		return Spread{}
	}
	slices.Sort(of)
	return Spread{N: n, Least: of[0], Median: (of[(n-1)/2] + of[n/2]) / 2, Most: of[n-1]}
}

func newShare(starts []time.Time) Share {
	s := Share{}
	for _, start := range starts {
		s.Weeks = append(s.Weeks, ShareOf{Start: start})
	}
	return s
}

func (s *Share) add(week int, is bool) {
	if week < 0 {
		return
	}
	s.Of, s.Weeks[week].Of = s.Of+1, s.Weeks[week].Of+1
	if is {
		s.Are, s.Weeks[week].Are = s.Are+1, s.Weeks[week].Are+1
	}
}
