package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// loopWeeks is how far back the loops are looked at: this week, and those before it.
const loopWeeks = 12

// referred reports whether there is any loop to tell of.
func referred(in Input) bool {
	return slices.ContainsFunc(in.Clients, func(v readiness.Verdict) bool { return v.Loop != nil })
}

// Title is what a step is called in the files.
func (s LoopStep) Title() string { return "to " + string(s) }

// TooFew is how many it takes to say anything of several.
const TooFew = 3

// Loops is how the ways to the prescribers and back went, in the last weeks.
type Loops struct {
	From      time.Time `json:"from"` // a Monday
	To        time.Time `json:"to"`   // the moment that is shown
	Measures  []Measure `json:"measures"`
	Closed    Share     `json:"closed"`     // of the referrals sent in a week, those that the prescriber answered by now: decided, or turned down
	FollowUps Share     `json:"follow_ups"` // of the follow-ups due in a week, those that were held by then
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
	Step    LoopStep `json:"step"`
	All     Spread   `json:"all"`
	Weeks   []WeekOf `json:"weeks"`
	Untold  int      `json:"not_recorded,omitempty"`          // got farther in these weeks, and nobody recorded this step
	Waiting int      `json:"waiting,omitempty"`               // still wait for it
	Longest Hours    `json:"waiting_longest_hours,omitempty"` // … the longest of them
}

// WeekOf is one week of a measure: of the steps that were taken in it.
type WeekOf struct {
	Start time.Time `json:"start"`
	Spread
}

// Spread is how several durations lie.
type Spread struct {
	N      int   `json:"n"`
	Least  Hours `json:"least_hours,omitempty"`
	Median Hours `json:"median_hours,omitempty"`
	Most   Hours `json:"most_hours,omitempty"`
}

// Hours is a duration that a program reads as a number of hours, to a tenth.
type Hours time.Duration

// MarshalJSON writes the number.
func (h Hours) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, math.Round(time.Duration(h).Hours()*10)/10, 'f', -1, 64), nil
}

// String is the duration as one says it: hours up to two days, then days to a tenth.
func (h Hours) String() string {
	switch hours := time.Duration(h).Hours(); {
	case hours < 1:
		return "under an hour"
	case hours < 48:
		return many(int(math.Round(hours)), "hour")
	default:
		return strconv.FormatFloat(math.Round(hours/24*10)/10, 'f', -1, 64) + " days"
	}
}

// String says it in a line: "median 3 days, from 20 hours to 9 days, n = 12".
func (s Spread) String() string {
	n := "n = " + strconv.Itoa(s.N)
	switch least, most := s.Least.String(), s.Most.String(); {
	case s.N == 0:
		return n
	case least == most:
		return "median " + s.Median.String() + ", " + n
	default:
		return "median " + s.Median.String() + ", from " + least + " to " + most + ", " + n
	}
}

// Share is how many of several something is true of.
type Share struct {
	Of    int       `json:"of"`
	Are   int       `json:"are"`
	Weeks []ShareOf `json:"weeks"`
}

// Percent is the share, 0 of none.
func (s ShareOf) Percent() int {
	if s.Of == 0 {
		return 0
	}
	return int(math.Round(100 * float64(s.Are) / float64(s.Of)))
}

// String says it: "17 of 21 (81 %)".
func (s Share) String() string {
	if s.Of == 0 {
		return "none"
	}
	return fmt.Sprintf("%d of %d (%d %%)", s.Are, s.Of, ShareOf{Of: s.Of, Are: s.Are}.Percent())
}

// ShareOf is one week of a share.
type ShareOf struct {
	Start time.Time `json:"start"`
	Of    int       `json:"of"`
	Are   int       `json:"are"`
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
	out := Loops{From: monday.Plus(-7 * (loopWeeks - 1)).Start(b.zone).UTC(), To: in.AsOf.UTC()}
	starts := make([]time.Time, loopWeeks)
	for i := range starts {
		starts[i] = monday.Plus(-7 * (loopWeeks - 1 - i)).Start(b.zone).UTC()
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
			m.Longest = max(m.Longest, Hours(in.AsOf.Sub(v.Loop.Sent)))
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
	return Spread{N: n, Least: Hours(of[0]), Median: Hours((of[(n-1)/2] + of[n/2]) / 2), Most: Hours(of[n-1])}
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
