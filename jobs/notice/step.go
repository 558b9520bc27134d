package notice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/report"
)

// Store is what a step needs of the store.
type Store interface {
	// Notices returns the mails as they stand that are not ended, or ended after the given time, and of which moment that is.
	Notices(ctx context.Context, after time.Time) ([]exchange.Mail, fhir.Moment, error)
	// Notice commits a mail's next step; exchange.ErrConflict when anything of that person's mails moved after asOf.
	Notice(ctx context.Context, actor string, asOf fhir.Moment, m exchange.Mail) (fhir.Moment, error)
}

// Step tells people what they are to be told now.
type Step struct {
	Store  Store
	Mailer connectors.Mailer
	People []Person
	Head   Letterhead
	Zone   *time.Location
	Quiet  func(now time.Time) (until time.Time)           // zero = these are no quiet hours
	Look   func(ctx context.Context) (report.Input, error) // whose verdicts have passed readiness.Current
	Now    func() time.Time
	Actor  string
	Digest bool // the day's digest is asked for
}

// The counts of a step, beside the states that mails came to.
const (
	Planned   = "planned"
	Elsewhere = "by others" // another replica was at it
)

// Run plans, then tries what is due. One mail that fails keeps no other waiting; the error is all that failed.
func (s Step) Run(ctx context.Context) (jobs.Counts, error) {
	counts := jobs.Counts{}
	known, err := s.known(ctx)
	if err != nil {
		return counts, err
	}
	r := run{Step: s, known: known, seen: map[string]fhir.Moment{}}
	for _, m := range Plan(r.known) {
		switch err := r.commit(ctx, m); {
		case errors.Is(err, exchange.ErrConflict):
			counts[Elsewhere]++
		case err != nil:
			return counts, err
		case m.Ended():
			counts[string(m.State)]++
		default:
			counts[Planned]++
		}
	}
	var wrong []error
	for _, m := range Due(r.known) {
		if ctx.Err() != nil {
			break
		}
		state, err := r.try(ctx, m)
		if errors.Is(err, exchange.ErrConflict) {
			counts[Elsewhere]++
			continue
		}
		if err != nil {
			wrong = append(wrong, err)
		}
		if state != "" {
			counts[string(state)]++
		}
	}
	return counts, errors.Join(wrong...)
}

// known reads what there is to know.
func (s Step) known(ctx context.Context) (Known, error) {
	in, err := s.Look(ctx)
	if err != nil {
		return Known{}, err
	}
	k := Known{Now: s.Now(), Zone: s.Zone, People: s.People, Board: Survey(in), DigestNow: s.Digest}
	k.Quiet = s.Quiet(k.Now)
	after := k.Now.Add(-72 * time.Hour)
	for _, a := range k.Board.Acts {
		for _, what := range a.Urgent {
			if opened := k.Board.Opened[what].Add(-time.Minute); opened.Before(after) { // whoever told of it did so later
				after = opened
			}
		}
	}
	k.Mails, k.AsOf, err = s.Store.Notices(ctx, after)
	return k, err
}

// run is one run of a step: what it knows, and what it did itself since.
type run struct {
	Step
	known Known
	seen  map[string]fhir.Moment // by person: everything of theirs up to then is known
}

// commit commits a mail's next step and takes it into what is known.
func (r *run) commit(ctx context.Context, m exchange.Mail) error {
	at, err := r.Store.Notice(ctx, r.Actor, max(r.known.AsOf, r.seen[m.Person]), m)
	if err != nil {
		return err
	}
	r.seen[m.Person] = at
	m.Moment, m.At = at, r.known.Now
	r.known.Mails = slices.DeleteFunc(r.known.Mails, func(x exchange.Mail) bool { return x.ID == m.ID })
	r.known.Mails = append(r.known.Mails, m)
	return nil
}

// try commits the try, sends, and commits what came of it, though the hub be told to stop: a mail that may have left is
// never unknown to the store.
func (r *run) try(ctx context.Context, m exchange.Mail) (exchange.MailState, error) {
	m = r.known.Try(m)
	if err := r.commit(ctx, m); err != nil {
		return "", err
	}
	sent := r.Mailer.Send(ctx, r.known.Message(m, r.Head))
	m = Ended(m, sent, r.Now())
	if err := r.commit(context.WithoutCancel(ctx), m); err != nil {
		return "", err
	}
	if sent != nil {
		return m.State, fmt.Errorf("notice %s: %w", m.ID, sent)
	}
	return m.State, nil
}

// TestMail sends a test to somebody and keeps the record of it.
func (s Step) TestMail(ctx context.Context, p Person) (exchange.MailState, error) {
	r := run{Step: s, known: Known{Now: s.Now(), Zone: s.Zone, People: []Person{p}}, seen: map[string]fhir.Moment{}}
	var err error
	if r.known.Mails, r.known.AsOf, err = s.Store.Notices(ctx, r.known.Now); err != nil {
		return "", err
	}
	return r.try(ctx, Test(p, r.known.Now))
}
