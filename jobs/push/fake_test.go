package push

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

var now = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)

var consent = fhir.Key{Source: "ehr", Type: "Consent", ID: "c1"}

// row is a delivery of the ledger in memory.
type row struct {
	exchange.Entry
	trying bool
	lost   bool // an earlier try may have arrived
}

// ledger is a store in memory that keeps the same rules as the real one.
type ledger struct {
	rows   []*row
	log    []string // what was committed, in order
	now    func() time.Time
	paused bool
	moved  bool          // the charts moved since their verdicts
	doubt  bool          // the verdicts doubt who the clients are
	read   time.Duration // how long ago the practice was read completely
	meddle func(r *row)  // another worker, just before an attempt
	fail   error
}

func (l *ledger) note(format string, args ...any) {
	l.log = append(l.log, fmt.Sprintf(format, args...))
}

func (l *ledger) find(id string) *row {
	return l.rows[slices.IndexFunc(l.rows, func(r *row) bool { return r.ID == id })]
}

func (l *ledger) Due(_ context.Context, to string, now time.Time, limit int) (out []exchange.Entry, err error) {
	open := func(s exchange.State) bool { return s == exchange.Staged || s == exchange.Attempted }
	for i, r := range l.rows {
		held := slices.ContainsFunc(l.rows[:i], func(b *row) bool {
			return r.Lane != "" && b.Lane == r.Lane && (open(b.State) || b.State == exchange.Unknown)
		})
		if r.To == to && open(r.State) && !r.Due.After(now) && !held && len(out) < limit {
			out = append(out, r.Entry)
		}
	}
	return out, l.fail
}

func (l *ledger) Attempt(_ context.Context, id string, ttl time.Duration) (exchange.Fence, exchange.Entry, error) {
	r := l.find(id)
	if l.meddle != nil {
		l.meddle(r)
	}
	switch {
	case r.State != exchange.Staged && r.State != exchange.Attempted:
		return exchange.Fence{}, exchange.Entry{}, fmt.Errorf("delivery is %s: %w", r.State, exchange.ErrConflict)
	case r.trying && r.Due.After(l.now()):
		return exchange.Fence{}, exchange.Entry{}, exchange.ErrBusy
	}
	before := r.Entry
	r.lost = r.lost || r.trying // nobody ended it
	r.State, r.trying, r.Last, r.Due = exchange.Attempted, true, l.now(), l.now().Add(ttl)
	r.Attempts++
	l.note("attempt %s", id)
	return exchange.Fence{ID: id, N: int64(r.Attempts)}, before, nil
}

func (l *ledger) end(ctx context.Context, f exchange.Fence) (*row, error) {
	r := l.find(f.ID)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if l.fail != nil {
		return nil, l.fail
	}
	if !r.trying || int64(r.Attempts) != f.N {
		return nil, fmt.Errorf("attempt %d: %w", f.N, exchange.ErrConflict)
	}
	r.trying = false
	return r, nil
}

func (l *ledger) Deliver(ctx context.Context, f exchange.Fence, receipt exchange.Receipt) error {
	r, err := l.end(ctx, f)
	if err != nil {
		return err
	}
	r.State, r.Receipt = exchange.Delivered, &receipt
	switch receipt.Outcome {
	case exchange.OutcomeRefused:
		r.State = exchange.Refused
	case exchange.OutcomeUnknown:
		r.State = exchange.Unknown
	}
	l.note("deliver %s %s", f.ID, strings.Join(append([]string{string(receipt.Outcome)}, receipt.Codes...), " "))
	return nil
}

func (l *ledger) Defer(ctx context.Context, f exchange.Fence, until time.Time, why string) error {
	r, err := l.end(ctx, f)
	if err != nil {
		return err
	}
	r.State, r.Due, r.Why = exchange.Staged, until, why
	if r.lost {
		r.State = exchange.Attempted
	}
	l.note("defer %s %v", f.ID, until.Sub(l.now()))
	return nil
}

func (l *ledger) Lost(ctx context.Context, f exchange.Fence, until time.Time, why string) error {
	r, err := l.end(ctx, f)
	if err != nil {
		return err
	}
	r.lost, r.Due, r.Why = true, until, why
	l.note("lost %s %v", f.ID, until.Sub(l.now()))
	return nil
}

func (l *ledger) Withdraw(_ context.Context, id, why string) error {
	r := l.find(id)
	if r.State != exchange.Staged {
		return fmt.Errorf("delivery is %s: %w", r.State, exchange.ErrConflict)
	}
	r.State, r.Why = exchange.Withdrawn, why
	l.note("withdraw %s", id)
	return nil
}

func (l *ledger) Chart(_ context.Context, client string, _ fhir.Moment) (fhir.Chart, error) {
	if client == "damaged" {
		return fhir.Chart{}, errors.New("the page is damaged")
	}
	return fhir.Chart{Client: client,
		Sources:  []fhir.SourceState{{Name: "ehr", Party: fhir.Practice, LastComplete: l.now().Add(-l.read)}},
		Consents: []fhir.Seen[fhir.Consent]{{Version: &fhir.Version{Key: consent, N: 1, Resource: fhir.Resource{Hash: "as stored"}}, Latest: true}},
	}, nil
}

func (l *ledger) Standing(_ context.Context, e readiness.Engagement, _ fhir.Moment) (readiness.Standing, error) {
	v := readiness.Verdict{Policy: "1"}
	if l.doubt {
		v.Findings = []readiness.Finding{{Code: "R01", Severity: readiness.S1, State: readiness.New}}
	}
	return readiness.Standing{Engagement: e, Judged: true, Moved: l.moved, Verdict: v}, nil
}

func (l *ledger) Paused(context.Context) (bool, error) { return l.paused, nil }

// party is a counterpart in memory. faults are how it behaves, one a push or ask; when they are used up it is well.
type party struct {
	stands map[string]int // deliveries that stand there, how often each
	calls  []string
	faults []fault
}

type fault int

const (
	none       fault = iota
	unreached        // refused connection
	throttled        // 429 with Retry-After: 10 minutes
	dropped          // the connection broke, before anything happened there
	committed        // the connection broke after it had happened there
	refuses          // 422
	denies           // 403
	conflicts        // 412
	doubled          // it was written, and now two stand there
	unreadable       // an answer that cannot be read, after it had happened
	unaskable        // cannot say whether it arrived
	stopsUs          // our own process is told to stop meanwhile
)

func (p *party) fault() fault {
	if len(p.faults) == 0 {
		return none
	}
	f := p.faults[0]
	p.faults = p.faults[1:]
	return f
}

func (f fault) err(op string) error {
	e := &connectors.Error{Op: op, Fault: connectors.Temporary, Err: errors.New("Wilhelmina Canary")}
	switch f {
	case unreached:
		e.Unsent = true
	case throttled:
		e.Unsent, e.After = true, 10*time.Minute
	case refuses:
		e.Fault, e.Codes = connectors.Refused, []string{"error/invalid"}
	case denies:
		e.Fault, e.Unsent, e.Hint = connectors.Denied, true, "renew the client's key"
	case conflicts:
		e.Fault, e.Unsent = connectors.Conflict, true
	case doubled:
		e.Fault = connectors.Conflict
	case unreadable:
		e.Fault = connectors.Garbled
	case unaskable:
		e.Fault = connectors.Uncertain
	}
	return e
}

func (p *party) Push(_ context.Context, d exchange.Delivery, asked bool) (exchange.Receipt, error) {
	p.calls = append(p.calls, map[bool]string{false: "send ", true: "ask, then send "}[asked]+d.ID)
	f := p.fault()
	if f == none && asked && p.stands[d.ID] > 0 {
		return exchange.Receipt{Outcome: exchange.OutcomeExisted}, nil
	}
	if f == none || f == committed || f == unreadable {
		p.stands[d.ID]++
	}
	if f == none {
		return exchange.Receipt{Outcome: exchange.OutcomeCreated}, nil
	}
	return exchange.Receipt{}, f.err("create " + d.Type)
}

func (p *party) Ask(_ context.Context, d exchange.Delivery) (exchange.Receipt, error) {
	p.calls = append(p.calls, "ask "+d.ID)
	switch f := p.fault(); {
	case f != none:
		return exchange.Receipt{}, f.err("search " + d.Type)
	case p.stands[d.ID] > 0:
		return exchange.Receipt{Outcome: exchange.OutcomeExisted}, nil
	}
	return exchange.Receipt{}, exchange.ErrNotFound
}

// reader is the practice, read once more.
type reader struct {
	hash string
	err  error
	read int
}

func (r *reader) Read(_ context.Context, ref fhir.Ref) (fhir.Resource, error) {
	r.read++
	if ref.String() != "Consent/c1" {
		return fhir.Resource{}, fmt.Errorf("asked for %s", ref)
	}
	return fhir.Resource{Hash: r.hash}, r.err
}
