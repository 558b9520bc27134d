package console

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/jobs"
)

type queuesPage struct {
	exchangeFrame
	Plans   []jobs.Plan
	Running []ranRow
	Queue   []jobs.Queued
	Runs    []ranRow
}

// queues are the engine's jobs and what lies in River's queue. River's own UI is not shown: it styles its pages inline,
// which the console's policy forbids, it is empty without JavaScript, and it sends the arguments to the browser.
func (v *visit) queues() error {
	p := queuesPage{exchangeFrame: v.exchangeFrame("Jobs")}
	work, err := v.Engine.Work(v.ctx(), 100)
	if err != nil {
		return err
	}
	if p.Queue, err = v.Engine.Queue(v.ctx(), 50); err != nil {
		return err
	}
	p.Plans, p.Runs = work.Plans, ranRows(work)
	for _, r := range work.Running {
		p.Running = append(p.Running, rowOf(r))
	}
	return v.show("exchange_jobs", p)
}

// ranRows are the runs that have ended, newest first.
func ranRows(work Work) (rows []ranRow) {
	for _, r := range work.Runs {
		if !r.Ended.IsZero() || r.Dead {
			rows = append(rows, rowOf(r))
		}
	}
	return rows
}

// notable leaves out what was looked at and brought nothing: a sync that found nothing new is news, a look is not.
func notable(rows []ranRow) []ranRow {
	return slices.DeleteFunc(rows, func(r ranRow) bool {
		kind, _, _ := strings.Cut(r.Job, " ")
		return r.Idle && r.Error == "" && !r.Dead && !slices.Contains([]string{"sync", "night", "report", "sweep"}, kind)
	})
}

func rowOf(r Ran) ranRow {
	row := ranRow{Ran: r, Name: jobInWords(r.Job), How: triggers[r.Trigger]}
	if !r.Ended.IsZero() {
		row.Took = fmt.Sprintf("%.1f s", r.Ended.Sub(r.Began).Seconds())
	}
	return row
}

var triggers = map[string]string{
	jobs.BySchedule: "by schedule", jobs.ByCatchUp: "caught up", jobs.ByNudge: "there was news", jobs.ByLook: "had a look", jobs.ByHand: "by hand",
}

// jobInWords says what a job does.
func jobInWords(job string) string {
	kind, of, _ := strings.Cut(job, " ")
	switch kind {
	case "sync":
		return "Sync"
	case "night":
		return "Sync by night"
	case "report":
		return "Morning report"
	case "reconcile":
		return "Decide"
	case "look":
		return "Look after what was sent"
	case "pull":
		return "Read " + of
	case "push":
		return "Send to " + of
	case "sweep":
		return strings.TrimSpace("Sweep " + of)
	}
	return sentenceCase(job)
}
