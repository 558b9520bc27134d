package notice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// canary is a client who is easy to find wherever anything of hers is told.
var canary = []string{"Wilhelmina", "Featherstonehaugh", "c-canary", "f-canary", "sorrowful", "Imara"}

var denver = func() *time.Location {
	zone, err := time.LoadLocation("America/Denver")
	if err != nil {
		panic(err)
	}
	return zone
}()

// at is a time of Denver.
func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, denver)
	if err != nil {
		panic(err)
	}
	return t
}

var (
	maya = Person{Name: "maya", Address: "maya@reverie.example", Roles: []readiness.Owner{readiness.Admin, readiness.Operator}, Urgent: Through}
	tara = Person{Name: "tara", Address: "tara@reverie.example", Roles: []readiness.Owner{readiness.Therapist}, Urgent: Through}
)

// shelf keeps mails as the store does: every step, and a refusal for whoever knows too little.
type shelf struct {
	now   func() time.Time
	steps []exchange.Mail
	last  fhir.Moment
	with  func(m exchange.Mail) error // before a step is kept; nil = nothing happens
}

func (s *shelf) Notices(_ context.Context, after time.Time) (list []exchange.Mail, _ fhir.Moment, _ error) {
	for i, m := range s.steps {
		newest := !slices.ContainsFunc(s.steps[i+1:], func(x exchange.Mail) bool { return x.ID == m.ID })
		if newest && (!m.Ended() || m.At.After(after)) {
			list = append(list, m)
		}
	}
	return list, s.last, nil
}

func (s *shelf) Notice(_ context.Context, _ string, asOf fhir.Moment, m exchange.Mail) (fhir.Moment, error) {
	if s.with != nil {
		if err := s.with(m); err != nil {
			return 0, err
		}
	}
	for _, was := range s.steps {
		if was.Person == m.Person && was.Moment > asOf {
			return 0, exchange.ErrConflict
		}
	}
	s.last++
	m.Moment, m.At = s.last, s.now()
	s.steps = append(s.steps, m)
	return s.last, nil
}

// world is a hub with a clock, a board, a mail server and the people's mailboxes.
type world struct {
	testing.TB
	*shelf
	time   time.Time
	people []Person
	board  []readiness.Finding
	quiet  []config.Quiet
	fails  []error // what the next tries come to; nil = taken
	loses  bool    // what fails had arrived all the same
	box    []connectors.Message
}

func newWorld(t testing.TB, when string, people ...Person) *world {
	w := &world{TB: t, time: at(when), people: people}
	w.shelf = &shelf{now: func() time.Time { return w.time }}
	return w
}

// Send is the mail server.
func (w *world) Send(_ context.Context, m connectors.Message) error {
	for _, word := range canary {
		if strings.Contains(m.Subject+m.Text+m.ID, word) {
			w.Errorf("a mail tells %q:\n%s\n%s", word, m.Subject, m.Text)
		}
	}
	var err error
	if len(w.fails) > 0 {
		err, w.fails = w.fails[0], w.fails[1:]
	}
	if err == nil || w.loses && connectors.MayHaveArrived(err) {
		w.box = append(w.box, m)
	}
	return err
}

func (w *world) step(digest bool) Step {
	return Step{Store: w.shelf, Mailer: w, People: w.people, Head: Letterhead{Practice: "Reverie", Link: "https://hub.reverie.example"}, Zone: denver, Digest: digest,
		Quiet: func(now time.Time) time.Time { return config.QuietUntil(w.quiet, now, denver) }, Now: func() time.Time { return w.time }, Actor: "hub",
		Look: func(context.Context) (report.Input, error) { return w.input(), nil }}
}

func (w *world) input() report.Input {
	v := readiness.Verdict{Client: "c-canary", Prescriber: "skylight", Chosen: "Wilhelmina Featherstonehaugh", State: readiness.NotReady, Words: "sorrowful",
		Findings: w.board, Appointment: &readiness.Appointment{ID: "c-canary", Start: w.time.Add(500 * time.Hour), Therapist: "Imara"}}
	return report.Input{Practice: "Reverie", AsOf: w.time, Zone: denver, Clients: []readiness.Verdict{v}}
}

// run runs once, and returns the subjects of what arrived.
func (w *world) run(digest bool) []string {
	w.Helper()
	before := len(w.box)
	_, err := w.step(digest).Run(w.Context())
	if _, known := errors.AsType[*connectors.Error](err); err != nil && !known {
		w.Fatal(err)
	}
	var subjects []string
	for _, m := range w.box[before:] {
		name, _, _ := strings.Cut(m.To, "@")
		subjects = append(subjects, name+": "+strings.TrimPrefix(m.Subject, "kaphub "))
	}
	return subjects
}

// open puts a finding onto the board.
func (w *world) open(id string, s readiness.Severity, o readiness.Owner) {
	w.board = append(w.board, readiness.Finding{ID: "f-canary-" + id, Code: "R15", Severity: s, Owner: o, State: readiness.New, Since: w.time, Words: "sorrowful", Next: "Wilhelmina"})
}

func (w *world) resolve(id string) {
	for i := range w.board {
		if f := &w.board[i]; f.ID == "f-canary-"+id {
			f.State, f.Resolved = readiness.Resolved, w.time
		}
	}
}

func (w *world) reopen(id string) {
	for i := range w.board {
		if f := &w.board[i]; f.ID == "f-canary-"+id {
			f.State, f.Opened, f.Reopened = readiness.Reopened, w.time, f.Reopened+1
		}
	}
}

// states are how the mails stand, in the order in which they were begun.
func (w *world) states() string {
	var ids []string
	last := map[string]exchange.Mail{}
	for _, m := range w.steps {
		if last[m.ID].ID == "" {
			ids = append(ids, m.ID)
		}
		last[m.ID] = m
	}
	var parts []string
	for _, id := range ids {
		parts = append(parts, fmt.Sprintf("%s %s", last[id].Kind, last[id].State))
	}
	return strings.Join(parts, ", ")
}

func same(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

var (
	busy    = &connectors.Error{Op: "send mail", Fault: connectors.Temporary, Unsent: true}
	nobody  = &connectors.Error{Op: "send mail", Fault: connectors.Refused, Unsent: true, Codes: []string{"550", "5.1.1"}}
	dropped = &connectors.Error{Op: "send mail", Fault: connectors.Uncertain}
)
