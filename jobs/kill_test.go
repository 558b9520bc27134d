package jobs

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// night is a job whose slot has come, an hour after the engine first saw it.
func night(work func(context.Context) (Counts, error)) Job {
	return Job{Name: "sweep ehr", Schedule: "0 * * * *", Work: work}
}

// TestVictim is the process that gets killed; it is no test of its own.
func TestVictim(t *testing.T) {
	b := base{os.Getenv("JOBS_VICTIM"), os.Getenv("JOBS_ADDRESS")}
	if b.name == "" {
		t.Skip("the process that TestAKilledProcessIsFollowedAtOnce kills")
	}
	c := newClock()
	e := engine(t, b, c, night(func(context.Context) (Counts, error) {
		_, err := os.Stdout.WriteString("begun\n")
		<-make(chan struct{})
		return nil, err
	}))
	if err := e.due(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.forward(time.Hour)
	start(t, e)
	<-make(chan struct{})
}

func TestAKilledProcessIsFollowedAtOnce(t *testing.T) {
	on(t, func(t *testing.T, b base) {
		victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestVictim$")
		victim.Env = append(os.Environ(), "JOBS_VICTIM="+b.name, "JOBS_ADDRESS="+b.address)
		out, err := victim.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		begun := make(chan string, 1)
		go func() {
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if lines.Text() == "begun" {
					begun <- "begun"
				}
			}
		}()
		wait(t, begun, "the run that gets killed")
		if err := victim.Process.Kill(); err != nil { // SIGKILL: no goodbye
			t.Fatal(err)
		}
		_ = victim.Wait()
		b.unseen(t)

		since, done := time.Now(), make(told, 1)
		c := newClock()
		c.forward(time.Hour)
		e := engine(t, b, c, night(done.work("again")))
		start(t, e)
		wait(t, done, "the run that was killed")
		t.Logf("taken up %v after the kill", time.Since(since).Round(time.Millisecond))
		runs := ended(t, e, 2)
		if got := triggers(runs); got != "sweep ehr by schedule, sweep ehr by schedule" || runs[0].Error != cutOff || runs[1].Error != "" {
			t.Errorf("history: %+v", runs)
		}
		if n := waiting(t, e); n != 0 {
			t.Errorf("%d jobs still wait", n)
		}
	})
}
