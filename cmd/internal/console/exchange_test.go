package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/report"
)

// far is an exchange with one practice's server that fares well, and one prescriber's that does not.
type far struct {
	work    Work
	queue   []jobs.Queued
	busy    *jobs.Run // a sync that is under way
	testing bool
	tested  *Test
	did     []string
}

func newFar() *far {
	at := now.Add(-15 * time.Minute)
	return &far{
		work: Work{
			Runs: []Ran{
				{jobs.Run{ID: 3, Job: "pull skylight", Lane: "source skylight", Trigger: jobs.ByNudge, Began: at.Add(time.Minute), Dead: true}, "", true},
				{jobs.Run{ID: 2, Job: "pull skylight", Lane: "source skylight", Trigger: jobs.ByNudge, Began: at, Ended: at.Add(time.Second), Error: "search Task: temporary"}, "", true},
				{jobs.Run{ID: 1, Job: "sync", Lane: "sync", Trigger: jobs.BySchedule, Began: at, Ended: at.Add(4 * time.Second)}, "12 versions", false},
				{jobs.Run{ID: 0, Job: "reconcile", Lane: "reconcile", Trigger: jobs.ByNudge, Began: at, Ended: at}, "a look without news", true},
			},
			Plans: []jobs.Plan{
				{Job: "sync", Lane: "sync", Schedule: "*/15 6-20 * * *", Last: at, Next: now.Add(15 * time.Minute)}, {Job: "reconcile", Lane: "reconcile", Look: 30 * time.Second},
			},
		},
		queue: []jobs.Queued{{ID: 9, Kind: "slot", Lane: "sync", State: "retryable", Attempt: 1, Most: 3, Asked: at, Due: now, Failed: 1}},
	}
}

func (f *far) Counterparts(context.Context) ([]Counterpart, error) {
	return []Counterpart{
		{Source: report.Source{Name: "ehr", Party: "practice", Title: "Reverie", State: report.Fresh, LastComplete: now}, Kind: "FHIR server", Reads: true, Sends: true, Next: now.Add(15 * time.Minute)},
		{Source: report.Source{Name: "skylight", Party: "skylight", Title: "Skylight", State: report.Incomplete, LastComplete: now.Add(-24 * time.Hour), Why: "search Task: temporary", Missed: 3},
			Kind: "FHIR server", Reads: true, Tests: true, Known: true, Lacks: []string{"MedicationDispense"}, Quiet: []string{"22:00-06:00"}, Hush: now.Add(time.Hour), Rests: now.Add(2 * time.Minute), Test: f.tested},
	}, nil
}

func (f *far) Test(_ context.Context, by, source string) error {
	if f.testing {
		return exchange.ErrBusy
	}
	f.did = append(f.did, by+" tests "+source)
	f.tested = &Test{At: now, By: by, Software: "Sandbox 1", Lines: []TestLine{{"degrades", "Task", "cannot be searched by change", "it is read client by client"}}}
	return nil
}

func (f *far) Work(context.Context, int) (Work, error) { return f.work, nil }

func (f *far) Queue(context.Context, int) ([]jobs.Queued, error) { return f.queue, nil }

func (f *far) Sync(_ context.Context, by string) (jobs.Run, error) {
	if f.busy != nil {
		return *f.busy, exchange.ErrBusy
	}
	f.did = append(f.did, by+" syncs")
	return jobs.Run{}, nil
}

// says reports whether a page has every word in it.
func (a answerTo) says(t *testing.T, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(a.body, word) {
			t.Errorf("the page does not say %q:\n%s", word, a.body)
		}
	}
}

// after follows a form's answer to the page that it leads to.
func (g *guest) after(a answerTo) answerTo {
	g.t.Helper()
	if a.StatusCode != http.StatusSeeOther {
		g.t.Fatalf("the form was answered %d: %s", a.StatusCode, a.body)
	}
	return g.get(a.Header.Get("Location"))
}

func TestTheExchangeTellsHowEachCounterpartFares(t *testing.T) {
	w := newTown(t)
	a := w.as(people.Operator).get("/exchange")
	a.says(t, "search Task: temporary", "3 records this week", "Left in peace until 09:02", "Quiet hours until 10:00", "tells nothing of MedicationDispense", "09:15", "12 versions", "stopped before its end", "by schedule")
	a.says(t, "1 delivery of unknown outcome to settle", "1 delivery that was refused", "1 packet to hand over", "1 link to confirm or refuse", "1 record that could not be read")
	if strings.Contains(a.body, "sealed record") || !strings.Contains(w.as(people.Privacy).get("/exchange").body, "1 sealed record to look at") {
		t.Error("what is sealed is counted for the privacy officer alone")
	}
	if strings.Contains(a.body, "a look without news") {
		t.Error("it tells of what brought nothing")
	}
	if strings.Contains(a.body, "Robin") || strings.Contains(a.body, "c-robin") {
		t.Error("it tells of a client")
	}
	if a := w.as(people.Reader).get("/exchange"); a.has("sync-now") || !a.has("counterparts") {
		t.Errorf("a reader may have it sync: %s", a.body)
	}
	w.as(people.Owner).get("/exchange/sources/skylight").says(t, "22:00-06:00: now, until 10:00", "3 records", "Failed:", "Not tested since the hub began")
	if a := w.as(people.Owner).get("/exchange/sources/nowhere"); a.StatusCode != http.StatusNotFound {
		t.Errorf("there is no such source: %d", a.StatusCode)
	}
}

func TestASyncIsAskedForOnce(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Admin)
	a := g.after(g.post("/exchange/sync", url.Values{}))
	a.says(t, "A sync was asked for at 09:00 and begins in a moment")
	if !strings.Contains(a.body, `hx-trigger="every 2s"`) || !strings.Contains(a.body, `href="/exchange?asked=`) {
		t.Errorf("it is not looked at again, with a script or without: %s", a.body)
	}
	began := now.Add(time.Second)
	w.far.work.Running = []Ran{{jobs.Run{ID: 4, Job: "sync", Lane: "sync", Trigger: jobs.ByHand, Began: began}, "40 records read from ehr", false}}
	w.far.busy = &w.far.work.Running[0].Run
	g.get("/exchange").says(t, "is under way since", "40 records read from ehr", "by hand")
	again := g.after(g.post("/exchange/sync", url.Values{}))
	again.says(t, "A sync is under way since 09:00")
	if len(w.far.did) != 1 {
		t.Errorf("it was asked for %d times", len(w.far.did))
	}
	asked := "/exchange/running?asked=" + url.QueryEscape("1772553600000")
	if a := g.get(asked); a.Header.Get("Hx-Redirect") != "" || !strings.Contains(a.body, "40 records") {
		t.Errorf("%v %s", a.Header, a.body)
	}
	w.far.work.Running, w.far.work.Runs = nil, []Ran{{jobs.Run{ID: 4, Job: "sync", Lane: "sync", Trigger: jobs.ByHand, Began: began, Ended: began.Add(time.Second)}, "2 versions", false}}
	if a := g.get(asked); a.Header.Get("Hx-Redirect") != "/exchange" || strings.Contains(a.body, "every 2s") {
		t.Errorf("at its end the whole page is shown anew: %v %s", a.Header, a.body)
	}
}

func TestASyncThatDoesNotBeginSaysSo(t *testing.T) {
	w := newTown(t)
	asked := progress{Asked: now.Add(-2 * time.Minute)}.Path("/exchange")
	w.as(people.Operator).get(asked).says(t, "has not begun")
	for _, nonsense := range []string{"x", "-1", "99999999999999", "1"} {
		if a := w.as(people.Operator).get("/exchange?asked=" + nonsense); a.StatusCode != http.StatusOK || a.has("asked") {
			t.Errorf("asked=%s is answered %d", nonsense, a.StatusCode)
		}
	}
}

func TestAConnectionIsTestedLineByLine(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Operator)
	g.after(g.post("/exchange/sources/skylight/test", url.Values{})).says(t, "Tested at 09:00 by Ann operator. It is Sandbox 1", "degrades", "cannot be searched by change", "Instead: it is read client by client")
	w.far.testing = true
	g.after(g.post("/exchange/sources/skylight/test", url.Values{})).says(t, "Somebody is testing skylight right now")
	if a := g.post("/exchange/sources/nowhere/test", url.Values{}); a.StatusCode != http.StatusNotFound || len(w.far.did) != 1 {
		t.Errorf("%d %v", a.StatusCode, w.far.did)
	}
}

func TestJobsAreShownWithoutArguments(t *testing.T) {
	w := newTown(t)
	a := w.as(people.Operator).get("/exchange/jobs")
	a.says(t, "*/15 6-20 * * *", "every 30s", "retryable", "1 of 3", "1 failed", "Arguments are hidden")
	w.far.queue, w.far.work = nil, Work{}
	w.as(people.Operator).get("/exchange/jobs").says(t, "The queue is empty", "Nothing has run yet")
}
