package jobs

import (
	"context"
	"errors"
	"testing"
	"time"
)

// until waits for something that the engine does beside.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(deadline); time.Now().Before(end); <-tick.C {
		if is() {
			return
		}
	}
	t.Fatalf("after %v there is still no sign of: %s", deadline, what)
}

func TestARunUnderWayTellsHowFarItHasCome(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		c, inside, leave := newClock(), make(chan string, 1), make(chan string)
		e := engine(t, b, c, Job{Name: "sync", Work: func(context.Context) (Counts, error) { inside <- "in"; <-leave; return Counts{"versions": 9}, nil }},
			Job{Name: "night", Lane: "sync", Work: told(inside).work("night")})
		e.Tell("sync", Counts{"pull ehr": 1}) // nobody runs: nothing is noted
		done := make(chan error, 1)
		go func() { _, err := e.RunNow(context.Background(), "sync"); done <- err }()
		wait(t, inside, "the sync")
		counts := Counts{"pull ehr": 40}
		e.Tell("sync", counts)
		counts["pull ehr"] = 41 // whoever told may go on counting
		other := engine(t, b, c, Job{Name: "sync", Work: told(inside).work("sync")})
		var running []Run
		until(t, "progress in another process", func() bool {
			running, _ = other.Running(t.Context())
			return len(running) == 1 && running[0].Counts["pull ehr"] > 0
		})
		if r := running[0]; r.Counts["pull ehr"] != 40 || r.Dead || r.Job != "sync" || !r.Ended.IsZero() || r.Trigger != ByHand {
			t.Errorf("%+v", r)
		}
		if r, err := e.Ask(t.Context(), "night"); !errors.Is(err, ErrBusy) || r.Job != "sync" || !r.Began.Equal(c.now()) {
			t.Errorf("asked for what waits in the same lane: %+v, %v", r, err)
		}
		close(leave)
		if err := wait(t, done, "the end"); err != nil {
			t.Fatal(err)
		}
		if runs := ended(t, e, 1); runs[0].Counts["pull ehr"] != 0 || runs[0].Counts["versions"] != 9 {
			t.Errorf("at the end stands what was done: %+v", runs[0])
		}
		if running, err := e.Running(t.Context()); err != nil || len(running) != 0 {
			t.Errorf("%+v, %v", running, err)
		}
	})
}

func TestWhatADeadProcessLeftOpenDoesNotRun(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		c, inside, leave := newClock(), make(chan string, 1), make(chan string)
		e := engine(t, b, c, Job{Name: "sync", Work: func(context.Context) (Counts, error) { inside <- "in"; <-leave; return nil, nil }})
		done := make(chan error, 1)
		go func() { _, err := e.RunNow(context.Background(), "sync"); done <- err }()
		wait(t, inside, "the sync")
		c.forward(brisk.lease + time.Second) // not heard of since: no tick renews it in this test
		if running, err := e.Running(t.Context()); err != nil || len(running) != 0 {
			t.Errorf("%+v, %v", running, err)
		}
		if runs, err := e.Runs(t.Context(), 1); err != nil || len(runs) != 1 || !runs[0].Ended.IsZero() || !runs[0].Dead {
			t.Errorf("the history has it as dead: %+v, %v", runs, err)
		}
		close(leave)
		wait(t, done, "the end")
	})
}

func TestWhatIsAskedForTwiceRunsOnce(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		c, done := newClock(), make(told, 10)
		e := engine(t, b, c, Job{Name: "sync", Work: done.work("sync")}, Job{Name: "after", Lane: "sync", Work: done.work("after")})
		for range 2 {
			if _, err := e.Ask(t.Context(), "sync"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.Ask(t.Context(), "sink"); err == nil {
			t.Error("there is no such job")
		}
		queue, err := e.Queue(t.Context(), 10)
		if err != nil || len(queue) != 2 || queue[0].Lane != "sync" || queue[0].Kind != "look" || queue[0].State != "available" || queue[0].ID < queue[1].ID {
			t.Errorf("before it starts: %+v, %v", queue, err)
		}
		c.forward(time.Second)
		start(t, e)
		wait(t, done, "the sync")
		if err := e.Nudge(t.Context(), "after"); err != nil {
			t.Fatal(err)
		}
		if got := wait(t, done, "what came after"); got != "after" {
			t.Errorf("it ran twice: %s", got)
		}
		if got := triggers(ended(t, e, 2)); got != "sync by hand, after by nudge" {
			t.Errorf("history: %s", got)
		}
	})
}

func TestPlansTellWhenAJobRunsNext(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		c := newClock()
		e := engine(t, b, c, Job{Name: "sync", Schedule: "*/15 * * * *", Work: told(nil).work("")}, Job{Name: "push skylight", Lane: "push", Look: time.Minute, Work: told(nil).work("")})
		if err := e.due(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.forward(time.Minute)
		plans, err := e.Plans(t.Context())
		if err != nil || len(plans) != 2 {
			t.Fatal(plans, err)
		}
		if p := plans[0]; !p.Next.Equal(at(time.UTC, "2026-03-03 09:15:00")) || !p.Last.Equal(at(time.UTC, "2026-03-03 09:00:00")) || p.Schedule == "" || p.Lane != "sync" {
			t.Errorf("%+v", p)
		}
		if p := plans[1]; !p.Next.IsZero() || p.Look != time.Minute || p.Lane != "push" {
			t.Errorf("%+v", p)
		}
	})
}
