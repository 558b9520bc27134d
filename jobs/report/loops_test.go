package report_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// A row asks for one measure of what it was given: how many, the median in hours, how many nobody recorded, how many wait.
func TestHowLongLoopsTake(t *testing.T) {
	denver, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, time.March, 4, 9, 0, 0, 0, denver) // a Wednesday
	at := func(daysAgo, hour int) time.Time {
		return time.Date(2026, time.March, 4-daysAgo, hour, 0, 0, 0, denver)
	}
	sent := func(daysAgo int) readiness.Loop { return readiness.Loop{Sent: at(daysAgo, 9)} }
	then := func(l readiness.Loop, do func(*readiness.Loop)) readiness.Loop { do(&l); return l }
	took := func(hours ...int) (all []readiness.Loop) {
		for _, h := range hours {
			all = append(all, then(sent(20), func(l *readiness.Loop) { l.Acknowledged = l.Sent.Add(time.Duration(h) * time.Hour) }))
		}
		return all
	}
	decided := func(sentAgo, decidedAgo int) readiness.Loop {
		return then(sent(sentAgo), func(l *readiness.Loop) { l.Decided = at(decidedAgo, 9) })
	}
	type is struct{ n, median, untold, waiting int }
	for _, r := range []struct {
		name  string
		step  report.LoopStep
		loops []readiness.Loop
		want  is
	}{
		{"none", report.ToAcknowledgement, nil, is{}},
		{"one", report.ToAcknowledgement, took(20), is{n: 1, median: 20}},
		{"of three the middle one", report.ToAcknowledgement, took(300, 10, 20), is{n: 3, median: 20}},
		{"of four between the middle two", report.ToAcknowledgement, took(300, 10, 20, 30), is{n: 4, median: 25}},
		{"not yet: waits", report.ToAcknowledgement, []readiness.Loop{sent(3)}, is{waiting: 1}},
		{"sent long ago, and not yet: waits", report.ToAcknowledgement, []readiness.Loop{sent(200)}, is{waiting: 1}},
		{"turned down: waits for nothing", report.ToDecision, []readiness.Loop{then(sent(9), func(l *readiness.Loop) { l.Declined = at(2, 9) })}, is{}},
		{"turned down, and nothing said before: untold", report.ToAcknowledgement, []readiness.Loop{then(sent(9), func(l *readiness.Loop) { l.Declined = at(2, 9) })}, is{untold: 1}},
		{"decided, and nobody recorded that it was taken", report.ToAcknowledgement, []readiness.Loop{decided(9, 2)}, is{untold: 1}},
		{"… nor that the client was seen", report.ToEvaluation, []readiness.Loop{decided(9, 2)}, is{untold: 1}},
		{"… it counts as decided", report.ToDecision, []readiness.Loop{decided(9, 2)}, is{n: 1, median: 7 * 24}},
		{"decided before these weeks", report.ToDecision, []readiness.Loop{decided(200, 190)}, is{}},
		{"sent before these weeks, decided in them", report.ToDecision, []readiness.Loop{decided(100, 2)}, is{n: 1, median: 98 * 24}},
		{"the first of these weeks begins on a Monday, 11 weeks back", report.ToDecision, []readiness.Loop{decided(100, 79), decided(100, 80)}, is{n: 1, median: 21 * 24}},
		{"not cleared: waits for no medicine", report.ToMedicine, []readiness.Loop{decided(9, 2)}, is{}},
	} {
		in := report.Input{AsOf: now, Zone: denver}
		for _, l := range r.loops {
			in.Clients = append(in.Clients, readiness.Verdict{Loop: &l})
		}
		in.Clients = append(in.Clients, readiness.Verdict{}) // never referred
		for _, m := range report.LoopsOf(in).Measures {
			if m.Step != r.step {
				continue
			}
			if got := (is{m.All.N, int(time.Duration(m.All.Median).Hours()), m.Untold, m.Waiting}); got != r.want {
				t.Errorf("%s: %+v, want %+v", r.name, got, r.want)
			}
			n := 0
			for _, w := range m.Weeks {
				n += w.N
			}
			if n != m.All.N || len(m.Weeks) != 12 {
				t.Errorf("%s: the weeks have %d of %d", r.name, n, m.All.N)
			}
		}
	}
}

func TestWhoseLoopsClose(t *testing.T) {
	now := time.Date(2026, time.March, 4, 9, 0, 0, 0, time.UTC)
	ago := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	one := func(l readiness.Loop) readiness.Verdict { return readiness.Verdict{Loop: &l} }
	got := report.LoopsOf(report.Input{AsOf: now, Clients: []readiness.Verdict{
		one(readiness.Loop{Sent: ago(30), Decided: ago(20)}),
		one(readiness.Loop{Sent: ago(30), Declined: ago(20)}),
		one(readiness.Loop{Sent: ago(30), Evaluated: ago(20)}),
		one(readiness.Loop{Sent: ago(1)}),
		one(readiness.Loop{Sent: ago(200), Decided: ago(190), FollowUps: []readiness.Followed{
			{Due: ago(100), Seen: ago(101)}, // before these weeks
			{Due: ago(60), Seen: ago(61)}, {Due: ago(30), Seen: ago(29)}, {Due: ago(3)}, {Due: ago(-3)},
		}}),
	}})
	if got.Closed.Of != 4 || got.Closed.Are != 2 {
		t.Errorf("%d of %d are closed, want 2 of 4", got.Closed.Are, got.Closed.Of)
	}
	if got.FollowUps.Of != 3 || got.FollowUps.Are != 1 {
		t.Errorf("%d of %d follow-ups were in time, want 1 of 3", got.FollowUps.Are, got.FollowUps.Of)
	}
}
