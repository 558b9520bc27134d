package jobs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestARunByHandKeepsItsHistory(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		c := newClock()
		e := engine(t, b, c,
			Job{Name: "pull ehr", Work: func(context.Context) (Counts, error) { c.forward(time.Second); return Counts{"versions": 7}, nil }},
			Job{Name: "pull skylight", Work: func(context.Context) (Counts, error) {
				return Counts{"pages": 1}, errors.New("search Task:\n temporary")
			}},
			Job{Name: "reconcile", Work: func(context.Context) (Counts, error) { panic("Wilhelmina Canary") }},
			Job{Name: "push skylight", Work: func(context.Context) (Counts, error) { return Counts{"": int64([]int{}[c.now().Year()])}, nil }},
		)
		if r, err := e.RunNow(t.Context(), "pull ehr"); err != nil || r.Counts["versions"] != 7 || r.Ended.Sub(r.Began) != time.Second {
			t.Errorf("got %+v, %v", r, err)
		}
		if _, err := e.RunNow(t.Context(), "pull skylight"); err == nil {
			t.Error("the work's error was swallowed")
		}
		if _, err := e.RunNow(t.Context(), "reconcile"); err == nil || strings.Contains(err.Error(), "Canary") {
			t.Errorf("a panic must become an error without its value; got %v", err)
		}
		if _, err := e.RunNow(t.Context(), "push skylight"); err == nil || !strings.Contains(err.Error(), "out of range") {
			t.Errorf("a runtime panic must say what it was; got %v", err)
		}
		if _, err := e.RunNow(t.Context(), "pusch"); err == nil || !strings.Contains(err.Error(), "push skylight") {
			t.Errorf("an unknown job must be answered with those there are; got %v", err)
		}
		runs := ended(t, e, 4)
		if len(runs) != 4 || runs[0].Counts["versions"] != 7 || runs[1].Error != "search Task: temporary" || runs[1].Counts["pages"] != 1 || runs[2].Error == "" {
			t.Errorf("history %+v", runs)
		}
		if !strings.Contains(runs[2].Error, "TestARunByHandKeepsItsHistory") {
			t.Errorf("the history must say where it panicked: %q", runs[2].Error)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Errorf("an engine that was never started can be stopped: %v", err)
		}
	})
}

func TestJobsOfOneLaneNeverRunAtTheSameTime(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		inside, leave := make(chan string, 4), make(chan string)
		hold := func(context.Context) (Counts, error) { inside <- "pull"; <-leave; return nil, nil }
		jobs := []Job{{Name: "pull ehr", Lane: "ehr", Work: hold}, {Name: "sweep ehr", Lane: "ehr", Work: told(inside).work("sweep")}}
		c := newClock()
		e := engine(t, b, c, jobs...)
		done := make(chan error, 1)
		go func() { _, err := e.RunNow(context.Background(), "pull ehr"); done <- err }()
		wait(t, inside, "the pull")
		if _, err := e.RunNow(t.Context(), "sweep ehr"); !errors.Is(err, ErrBusy) {
			t.Errorf("in the same process: got %v, want ErrBusy", err)
		}
		if _, err := engine(t, b, c, jobs...).RunNow(t.Context(), "sweep ehr"); !errors.Is(err, ErrBusy) {
			t.Errorf("in another process: got %v, want ErrBusy", err)
		}
		close(leave)
		if err := wait(t, done, "the pull's end"); err != nil {
			t.Error(err)
		}
		go func() { _, err := e.RunNow(context.Background(), "sweep ehr"); done <- err }()
		wait(t, inside, "the sweep")
		if err := wait(t, done, "the sweep's end"); err != nil {
			t.Error(err)
		}
		if got := triggers(ended(t, e, 2)); got != "pull ehr by hand, sweep ehr by hand" {
			t.Errorf("history: %s", got)
		}
	})
}

func TestTheScheduleRunsEachSlotOnceAndCatchesUpOnce(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		c, done := newClock(), make(told, 10)
		e := engine(t, b, c, Job{Name: "sweep ehr", Schedule: "0 * * * *", Work: done.work("sweep")})
		start(t, e)
		look := func(d time.Duration) {
			t.Helper()
			c.forward(d)
			for range 2 { // asking twice is harmless
				if err := e.due(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		look(0)                               // first seen at 09:00: nothing was missed
		look(59 * time.Minute)                // 09:59
		look(time.Minute)                     // 10:00
		wait(t, done, "the run of 10:00")     //
		look(5*time.Hour + 30*time.Minute)    // 15:30: five slots were missed
		wait(t, done, "the run caught up")    //
		look(30*time.Minute + 10*time.Second) // 16:00
		wait(t, done, "the run of 16:00")
		want := "sweep ehr by schedule, sweep ehr by catch-up, sweep ehr by schedule"
		if got := triggers(ended(t, e, 3)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		c.forward(-30 * 24 * time.Hour) // the clock was wrong by a month
		look(0)
		look(time.Hour)
		wait(t, done, "a run after the clock was put back")
	})
}

func TestALookRunsAtStartAndLeavesNoLineWhenItFoundNothing(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		c, done := newClock(), make(told, 10)
		idle := func(context.Context) (Counts, error) { done <- "push"; return Counts{"sent": 0}, nil }
		e := engine(t, b, c,
			Job{Name: "push skylight", Look: time.Hour, Work: idle},
			Job{Name: "reconcile", Look: time.Hour, Work: done.work("reconcile")})
		start(t, e)
		got := map[string]bool{wait(t, done, "a look"): true, wait(t, done, "the other look"): true}
		if !got["push"] || !got["reconcile"] {
			t.Errorf("looked: %v", got)
		}
		if got := triggers(ended(t, e, 1)); got != "reconcile by look" {
			t.Errorf("history: %s", got)
		}
	})
}

func TestANudgeDuringARunBringsOneMoreRunAfterIt(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		inside, leave := make(chan string), make(chan string)
		c := newClock()
		e := engine(t, b, c, Job{Name: "reconcile", Work: func(context.Context) (Counts, error) {
			c.forward(time.Second)
			inside <- "reconcile"
			<-leave
			return Counts{"judged": 1}, nil
		}})
		start(t, e)
		nudge := func() {
			t.Helper()
			c.forward(time.Second)
			if err := e.Nudge(t.Context(), "reconcile"); err != nil {
				t.Fatal(err)
			}
		}
		nudge()
		wait(t, inside, "the first run")
		for range 5 {
			nudge()
		}
		c.forward(time.Second)
		leave <- ""
		wait(t, inside, "the second run")
		leave <- ""
		if got := triggers(ended(t, e, 2)); got != "reconcile by nudge, reconcile by nudge" {
			t.Errorf("history: %s", got)
		}
		// All that was asked for is done: one by hand finds the lane free and the queue empty.
		if n := waiting(t, e); n != 0 {
			t.Errorf("%d nudges still wait, want none", n)
		}
		if err := e.Nudge(t.Context(), "nobody"); err == nil {
			t.Error("a nudge for an unknown job went through")
		}
	})
}

// waiting waits for the queue to run dry and counts what stays in it.
func waiting(t *testing.T, e *Engine) (n int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(deadline); time.Now().Before(end); <-tick.C {
		if err := e.db.QueryRowContext(t.Context(), `SELECT count(*) FROM river_job WHERE kind <> 'due' AND finalized_at IS NULL`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	return n
}

func TestARunThatTakesTooLongIsEnded(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		e := engine(t, b, newClock(), Job{Name: "pull ehr", Timeout: 500 * time.Millisecond, Work: func(ctx context.Context) (Counts, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}})
		start(t, e)
		if err := e.Nudge(t.Context(), "pull ehr"); err != nil {
			t.Fatal(err)
		}
		if r := ended(t, e, 1)[0]; !strings.Contains(r.Error, "took longer than 500ms") {
			t.Errorf("got %+v", r)
		}
	})
}

func TestWhatStopCutOffRunsAgainAtTheNextStart(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		c, inside := newClock(), make(chan string, 1)
		job := Job{Name: "sweep ehr", Schedule: "0 * * * *", Work: func(ctx context.Context) (Counts, error) {
			inside <- "begun"
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		e := engine(t, b, c, job)
		if err := e.due(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.forward(time.Hour)
		if err := e.due(t.Context()); err != nil {
			t.Fatal(err)
		}
		wait(t, inside, "the run")
		impatient, cancel := context.WithCancel(t.Context())
		cancel()
		if err := e.Stop(impatient); err != nil {
			t.Fatal(err)
		}
		done := make(told, 1)
		job.Work = done.work("again")
		e = engine(t, b, c, job)
		start(t, e)
		wait(t, done, "the run that was cut off")
		runs := ended(t, e, 2)
		if got := triggers(runs); got != "sweep ehr by schedule, sweep ehr by schedule" || runs[0].Error == "" || runs[1].Error != "" {
			t.Errorf("history: %+v", runs)
		}
	})
}

func TestALaneIsFreeWhenItsHolderIsNotHeardOf(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		c := newClock()
		job := Job{Name: "pull ehr", Work: func(context.Context) (Counts, error) { return nil, nil }}
		silent, next := engine(t, b, c, job), engine(t, b, c, job)
		if _, err := silent.take(t.Context(), "pull ehr"); err != nil {
			t.Fatal(err)
		}
		if _, err := silent.begin(t.Context(), silent.jobs["pull ehr"], BySchedule); err != nil {
			t.Fatal(err)
		}
		if _, err := next.RunNow(t.Context(), "pull ehr"); !errors.Is(err, ErrBusy) {
			t.Errorf("while it may live: got %v, want ErrBusy", err)
		}
		c.forward(brisk.lease)
		if _, err := next.RunNow(t.Context(), "pull ehr"); err != nil {
			t.Error(err)
		}
		if runs := ended(t, next, 2); runs[0].Error != cutOff || runs[1].Error != "" {
			t.Errorf("history: %+v", runs)
		}
	})
}

func TestWhatADeadProcessWasAtIsTakenUpAtOnce(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		c, inside, never := newClock(), make(chan string, 1), make(chan string)
		job := Job{Name: "sweep ehr", Schedule: "0 * * * *", Work: func(context.Context) (Counts, error) {
			inside <- "begun"
			<-never
			return nil, errors.New("this process was dead")
		}}
		dead := engine(t, b, c, job)
		start(t, dead)
		t.Cleanup(func() { close(never) })
		if err := dead.due(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.forward(time.Hour)
		if err := dead.due(t.Context()); err != nil {
			t.Fatal(err)
		}
		wait(t, inside, "the run")
		// To all others it looks like this when a process dies: its lock goes, its rows stay.
		if err := dead.leave(); err != nil {
			t.Fatal(err)
		}
		b.unseen(t)
		done := make(told, 1)
		job.Work = done.work("again")
		next := engine(t, b, c, job)
		start(t, next)
		wait(t, done, "the run that the dead process was at")
		runs := ended(t, next, 2)
		if got := triggers(runs); got != "sweep ehr by schedule, sweep ehr by schedule" || runs[0].Error != cutOff || runs[1].Error != "" {
			t.Errorf("history: %+v", runs)
		}
	})
}

func TestTwoReplicasRunASlotOnce(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		c, done := newClock(), make(told, 10)
		job := Job{Name: "report", Schedule: "0 * * * *", Work: done.work("report")}
		one, two := engine(t, b, c, job), engine(t, b, c, job)
		start(t, one)
		start(t, two)
		bothLook := func() {
			t.Helper()
			errs := make(chan error)
			for _, e := range []*Engine{one, two} {
				go func() { errs <- e.due(context.Background()) }()
			}
			for range 2 {
				if err := wait(t, errs, "a look at the schedules"); err != nil {
					t.Error(err)
				}
			}
		}
		bothLook()
		for range 3 {
			c.forward(time.Hour)
			bothLook()
		}
		for range 3 {
			wait(t, done, "a slot")
		}
		if n := waiting(t, one); n != 0 {
			t.Errorf("%d jobs still wait", n)
		}
		if runs := ended(t, two, 3); len(runs) != 3 {
			t.Errorf("three slots, but the history is %s", triggers(runs))
		}
	})
}

func TestARunWhoseLaneWasLostIsStopped(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		quick := brisk
		quick.lease = 40 * time.Millisecond
		inside := make(chan string)
		e := engineAt(t, b, newClock(), quick, Job{Name: "pull ehr", Work: func(ctx context.Context) (Counts, error) {
			inside <- "begun"
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		done := make(chan error, 1)
		go func() { _, err := e.RunNow(context.Background(), "pull ehr"); done <- err }()
		wait(t, inside, "the run")
		if _, err := e.db.ExecContext(t.Context(), `UPDATE job_lane SET fence = fence + 1`); err != nil {
			t.Fatal(err)
		}
		if err := wait(t, done, "the end of the run"); !errors.Is(err, errLost) {
			t.Errorf("got %v, want errLost", err)
		}
	})
}

func TestTheHistoryIsBounded(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		short := brisk
		short.keep = 3
		e := engineAt(t, b, newClock(), short, Job{Name: "pull ehr", Work: func(context.Context) (Counts, error) { return nil, nil }})
		for range 5 {
			if _, err := e.RunNow(t.Context(), "pull ehr"); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.due(t.Context()); err != nil {
			t.Fatal(err)
		}
		if runs := ended(t, e, 3); len(runs) != 3 || runs[2].ID != 5 {
			t.Errorf("history: %+v", runs)
		}
	})
}

func TestMistakesInTheJobsAreReportedTogether(t *testing.T) {
	work := func(context.Context) (Counts, error) { return nil, nil }
	_, err := Open(t.Context(), Options{SQLite: openFile(t, filepath.Join(t.TempDir(), "x.db")), Jobs: []Job{
		{Name: "", Work: work}, {Name: "a"}, {Name: "b", Work: work}, {Name: "b", Work: work},
		{Name: "c", Work: work, Schedule: "0 4 31 2 *"}, {Name: "d", Work: work, Look: time.Millisecond}, {Name: "e", Work: work, Timeout: -1},
	}})
	for _, want := range []string{"no name", "no work", "given twice", "never fires", "below one second", "negative"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if _, err := Open(t.Context(), Options{}); err == nil {
		t.Error("an engine without a database was opened")
	}
}

func TestSeveralProcessesMayOpenAtOnce(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		errs := make(chan error)
		for i := range 4 {
			o := b.handles(t)
			o.ID = fmt.Sprint("replica-", i)
			go func() { _, err := Open(context.Background(), o); errs <- err }()
		}
		for range 4 {
			if err := wait(t, errs, "an opened engine"); err != nil {
				t.Error(err)
			}
		}
	})
}
