package push

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs"
)

// referral is one step of ada's referral, staged, under her release, in one lane.
func referral(id string) *row {
	return &row{Entry: exchange.Entry{State: exchange.Staged, Delivery: exchange.Delivery{
		ID: id, Client: "ada", Prescriber: "skylight", To: "skylight", Type: "Task", Lane: "ada's referral",
		Release: &fhir.Basis{Source: consent.Source, Type: consent.Type, ID: consent.ID, Version: 1},
	}}}
}

// other is a delivery of another client, in no lane.
func other(id string) *row {
	r := referral(id)
	r.Client, r.Lane = id+"'s client", ""
	return r
}

// tried is a delivery whose last try, so long ago, may have arrived.
func tried(r *row, ago time.Duration) *row {
	r.State, r.lost, r.Attempts, r.Last = exchange.Attempted, true, 1, now.Add(-ago)
	return r
}

// withdrawn says no for ada, as after she withdrew her release.
func withdrawn(d exchange.Delivery, _ fhir.Chart, _ readiness.Policy, _ time.Time) (bool, string) {
	return d.Client != "ada", "release-ended"
}

func anything(exchange.Delivery, fhir.Chart, readiness.Policy, time.Time) (bool, string) {
	return true, ""
}

func TestPush(t *testing.T) {
	tests := []struct {
		name    string
		ledger  ledger
		party   party
		reader  *reader
		mute    bool // the counterpart cannot be asked
		allowed func(exchange.Delivery, fhir.Chart, readiness.Policy, time.Time) (bool, string)
		calls   string // what the counterpart saw
		log     string // what the ledger keeps
		counts  jobs.Counts
		err     string
	}{
		{
			name:   "what is due is sent, the attempt first",
			ledger: ledger{rows: []*row{referral("task")}},
			calls:  "send task",
			log:    "attempt task, deliver task created",
			counts: jobs.Counts{Sent: 1},
		},
		{
			name:   "one referral's steps go one after the other, in one run",
			ledger: ledger{rows: []*row{referral("patient"), referral("request"), referral("task")}},
			calls:  "send patient, send request, send task",
			log:    "attempt patient, deliver patient created, attempt request, deliver request created, attempt task, deliver task created",
			counts: jobs.Counts{Sent: 3},
		},
		{
			name:    "release withdrawn between staging and sending: withdrawn, not sent",
			ledger:  ledger{rows: []*row{referral("task"), other("bea")}},
			allowed: withdrawn,
			calls:   "send bea",
			log:     "withdraw task, attempt bea, deliver bea created",
			counts:  jobs.Counts{Withdrawn: 1, Sent: 1},
		},
		{
			name:    "release withdrawn, tried before but surely not arrived: withdrawn",
			ledger:  ledger{rows: []*row{func() *row { r := referral("task"); r.Attempts = 2; return r }()}},
			allowed: withdrawn,
			log:     "withdraw task",
			counts:  jobs.Counts{Withdrawn: 1},
		},
		{
			name:   "stopped after the POST, before the receipt: asked by identifier, not sent twice",
			ledger: ledger{rows: []*row{tried(referral("task"), time.Minute)}},
			party:  party{stands: map[string]int{"task": 1}},
			calls:  "ask, then send task",
			log:    "attempt task, deliver task existed",
			counts: jobs.Counts{Existed: 1},
		},
		{
			name:   "stopped after the attempt, before the POST: asked, then sent",
			ledger: ledger{rows: []*row{tried(referral("task"), time.Minute)}},
			calls:  "ask, then send task",
			log:    "attempt task, deliver task created",
			counts: jobs.Counts{Sent: 1},
		},
		{
			name:    "release withdrawn after a try that arrived: the disclosure is kept as delivered",
			ledger:  ledger{rows: []*row{tried(referral("task"), time.Minute)}},
			party:   party{stands: map[string]int{"task": 1}},
			allowed: withdrawn,
			calls:   "ask task",
			log:     "attempt task, deliver task existed",
			counts:  jobs.Counts{Existed: 1},
		},
		{
			name:    "release withdrawn after a try that is not there yet: asked again, never sent",
			ledger:  ledger{rows: []*row{tried(referral("task"), time.Minute)}},
			allowed: withdrawn,
			calls:   "ask task",
			log:     "attempt task, lost task 10m0s",
			counts:  jobs.Counts{Lost: 1},
		},
		{
			name:    "release withdrawn after a try that is still not there: a person sees it, it is not called withdrawn",
			ledger:  ledger{rows: []*row{tried(referral("task"), 10*time.Minute)}},
			allowed: withdrawn,
			calls:   "ask task",
			log:     "attempt task, deliver task unknown attempted not-there-when-asked release-lapsed",
			counts:  jobs.Counts{Unknown: 1},
		},
		{
			name:    "release withdrawn after a try, and the other side cannot be asked: a person sees it",
			ledger:  ledger{rows: []*row{tried(referral("task"), time.Minute)}},
			allowed: withdrawn, mute: true,
			log:    "attempt task, deliver task unknown attempted not-askable release-lapsed",
			counts: jobs.Counts{Unknown: 1},
		},
		{
			name:    "release withdrawn after a try, and the other side is down: asked later",
			ledger:  ledger{rows: []*row{tried(referral("task"), time.Hour)}},
			party:   party{faults: []fault{unreached}},
			allowed: withdrawn,
			calls:   "ask task",
			log:     "attempt task, lost task 1m0s",
			counts:  jobs.Counts{Lost: 1},
		},
		{
			name:   "the reply is lost after the other side had committed: it may have arrived, and its lane waits",
			ledger: ledger{rows: []*row{referral("request"), referral("task")}},
			party:  party{faults: []fault{committed}},
			calls:  "send request",
			log:    "attempt request, lost request 30s",
			counts: jobs.Counts{Lost: 1},
		},
		{
			name:   "the connection is refused: it surely did not arrive",
			ledger: ledger{rows: []*row{referral("task")}},
			party:  party{faults: []fault{unreached}},
			calls:  "send task",
			log:    "attempt task, defer task 30s",
			counts: jobs.Counts{Deferred: 1},
		},
		{
			name:   "a later try that surely did not arrive does not undo an earlier one that may have",
			ledger: ledger{rows: []*row{tried(referral("task"), time.Minute)}},
			party:  party{faults: []fault{unreached}},
			calls:  "ask, then send task",
			log:    "attempt task, lost task 1m0s",
			counts: jobs.Counts{Lost: 1},
		},
		{
			name:   "the other side asks for patience: not before it says",
			ledger: ledger{rows: []*row{referral("task")}},
			party:  party{faults: []fault{throttled}},
			calls:  "send task",
			log:    "attempt task, defer task 10m0s",
			counts: jobs.Counts{Deferred: 1},
		},
		{
			name:   "the prescriber refuses: kept with its codes, and the lane is free",
			ledger: ledger{rows: []*row{referral("request"), referral("cancellation")}},
			party:  party{faults: []fault{refuses}},
			calls:  "send request, send cancellation",
			log:    "attempt request, deliver request refused error/invalid, attempt cancellation, deliver cancellation created",
			counts: jobs.Counts{Refused: 1, Sent: 1},
		},
		{
			name:   "it moved there meanwhile: read and decided again, later",
			ledger: ledger{rows: []*row{referral("task")}},
			party:  party{faults: []fault{conflicts}},
			calls:  "send task",
			log:    "attempt task, defer task 30s",
			counts: jobs.Counts{Deferred: 1},
		},
		{
			name:   "it was written, and two copies stand there: it is never taken for unsent",
			ledger: ledger{rows: []*row{referral("task")}},
			party:  party{faults: []fault{doubled}},
			calls:  "send task",
			log:    "attempt task, lost task 30s",
			counts: jobs.Counts{Lost: 1},
		},
		{
			name:   "an answer that cannot be read says nothing of what happened there",
			ledger: ledger{rows: []*row{referral("task")}},
			party:  party{faults: []fault{unreadable}},
			calls:  "send task",
			log:    "attempt task, lost task 30s",
			counts: jobs.Counts{Lost: 1},
		},
		{
			name:   "it may have arrived, and the other side offers no way to tell: a person decides, and the lane waits",
			ledger: ledger{rows: []*row{referral("request"), referral("task")}},
			party:  party{faults: []fault{unaskable}},
			calls:  "send request",
			log:    "attempt request, deliver request unknown",
			counts: jobs.Counts{Unknown: 1},
		},
		{
			name:   "three failures in a row end this counterpart's run, the rest stays due",
			ledger: ledger{rows: []*row{other("a"), other("b"), other("c"), other("d"), other("e")}},
			party:  party{faults: []fault{unreached, dropped, unreached}},
			calls:  "send a, send b, send c",
			log:    "attempt a, defer a 30s, attempt b, lost b 30s, attempt c, defer c 30s",
			counts: jobs.Counts{Deferred: 2, Lost: 1},
			err:    "push to skylight: stopped after 3 failures in a row, the rest stays due: create Task: temporary",
		},
		{
			name:   "failures that are not in a row end nothing",
			ledger: ledger{rows: []*row{other("a"), other("b"), other("c"), other("d"), other("e")}},
			party:  party{faults: []fault{unreached, unreached, none, unreached, refuses}},
			calls:  "send a, send b, send c, send d, send e",
			log:    "attempt a, defer a 30s, attempt b, defer b 30s, attempt c, deliver c created, attempt d, defer d 30s, attempt e, deliver e refused error/invalid",
			counts: jobs.Counts{Deferred: 3, Sent: 1, Refused: 1},
		},
		{
			name:   "the prescriber does not let us in: one try is enough to know",
			ledger: ledger{rows: []*row{other("a"), other("b")}},
			party:  party{faults: []fault{denies}},
			calls:  "send a",
			log:    "attempt a, defer a 30s",
			counts: jobs.Counts{Deferred: 1},
			err:    "renew the client's key",
		},
		{
			name:   "the practice was read within the hour: the release is as stored",
			ledger: ledger{rows: []*row{referral("task")}, read: time.Hour},
			reader: &reader{hash: "something else"},
			calls:  "send task",
			log:    "attempt task, deliver task created",
			counts: jobs.Counts{Sent: 1},
		},
		{
			name:   "the practice was read too long ago: the release is read again, and sent under",
			ledger: ledger{rows: []*row{referral("task")}, read: time.Hour + time.Second},
			reader: &reader{hash: "as stored"},
			calls:  "send task",
			log:    "attempt task, deliver task created",
			counts: jobs.Counts{Sent: 1},
		},
		{
			name:   "the release reads otherwise now: not sent before it was pulled and judged",
			ledger: ledger{rows: []*row{referral("task")}, read: 2 * time.Hour},
			reader: &reader{hash: "revoked"},
			log:    "attempt task, defer task 30s",
			counts: jobs.Counts{Deferred: 1},
		},
		{
			name:   "the release is gone at the practice: not sent",
			ledger: ledger{rows: []*row{referral("task")}, read: 2 * time.Hour},
			reader: &reader{err: exchange.ErrNotFound},
			log:    "attempt task, defer task 30s",
			counts: jobs.Counts{Deferred: 1},
		},
		{
			name:   "the practice cannot be reached to read the release: not sent",
			ledger: ledger{rows: []*row{referral("task")}, read: 2 * time.Hour},
			reader: &reader{err: connectors.Errorf("read Consent", connectors.Temporary, "down")},
			log:    "attempt task, defer task 30s",
			counts: jobs.Counts{Deferred: 1},
		},
		{
			name:   "the practice's source reads whole pages only: not sent before it was read again",
			ledger: ledger{rows: []*row{referral("task")}, read: 2 * time.Hour},
			log:    "attempt task, defer task 30s",
			counts: jobs.Counts{Deferred: 1},
		},
		{
			name:   "tried before, and the release cannot be read again: asked only, and it stays attempted",
			ledger: ledger{rows: []*row{tried(referral("task"), time.Hour)}, read: 2 * time.Hour},
			reader: &reader{hash: "revoked"},
			calls:  "ask task",
			log:    "attempt task, lost task 1m0s",
			counts: jobs.Counts{Lost: 1},
		},
		{
			name:   "what goes home needs no release read again",
			ledger: ledger{rows: []*row{func() *row { r := other("home"); r.Release = nil; return r }()}, read: 48 * time.Hour},
			calls:  "send home",
			log:    "attempt home, deliver home created",
			counts: jobs.Counts{Sent: 1},
		},
		{
			name:   "the chart moved since the verdict: it is judged again first",
			ledger: ledger{rows: []*row{referral("task")}, moved: true},
			counts: jobs.Counts{Waiting: 1},
		},
		{
			name:   "the chart moved since a try: nothing is sent on before it is judged again",
			ledger: ledger{rows: []*row{tried(referral("task"), time.Hour)}, moved: true},
			counts: jobs.Counts{Waiting: 1},
		},
		{
			name:   "who the client is came into doubt after a try: nothing is sent on",
			ledger: ledger{rows: []*row{tried(referral("task"), time.Hour)}, doubt: true},
			counts: jobs.Counts{Waiting: 1},
		},
		{
			name:   "another hub's clock was ahead when it read the practice: the release is read again",
			ledger: ledger{rows: []*row{referral("task")}, read: -48 * time.Hour},
			reader: &reader{hash: "revoked"},
			log:    "attempt task, defer task 30s",
			counts: jobs.Counts{Deferred: 1},
		},
		{
			name:   "a paused store sends nothing, and asks about what may have arrived",
			ledger: ledger{rows: []*row{referral("task"), tried(other("bea"), time.Hour), tried(other("cleo"), time.Hour)}, paused: true},
			party:  party{stands: map[string]int{"bea": 1}},
			calls:  "ask bea, ask cleo",
			log:    "attempt bea, deliver bea existed, attempt cleo, lost cleo 1m0s",
			counts: jobs.Counts{Paused: 1, Existed: 1, Lost: 1},
		},
		{
			name: "another worker begins a try just before us: left to it",
			ledger: ledger{rows: []*row{other("a"), other("b")}, meddle: func(r *row) {
				if r.ID == "a" {
					r.State, r.trying, r.Due = exchange.Attempted, true, now.Add(time.Second)
				}
			}},
			calls:  "send b",
			log:    "attempt b, deliver b created",
			counts: jobs.Counts{Busy: 1, Sent: 1},
		},
		{
			name:   "a client whose chart cannot be read blocks no other",
			ledger: ledger{rows: []*row{func() *row { r := other("x"); r.Client = "damaged"; return r }(), other("bea")}},
			calls:  "send bea",
			log:    "attempt bea, deliver bea created",
			counts: jobs.Counts{Sent: 1, Failed: 1},
			err:    "delivery x: read the chart",
		},
		{
			name:   "a prescriber that left the config is named, and blocks no other",
			ledger: ledger{rows: []*row{func() *row { r := other("x"); r.Prescriber = "gone"; return r }(), other("bea")}},
			calls:  "send bea",
			log:    "attempt bea, deliver bea created",
			counts: jobs.Counts{Sent: 1, Failed: 1},
			err:    "delivery x: there is no policy for gone",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, p := &tt.ledger, &tt.party
			l.now = func() time.Time { return now }
			if p.stands == nil {
				p.stands = map[string]int{}
			}
			step := stepOf(l, p)
			if tt.allowed != nil {
				step.allowed = tt.allowed
			}
			if tt.mute {
				step.Asker = nil
			}
			if tt.reader != nil {
				step.Readers = map[string]connectors.Reader{"ehr": tt.reader}
			}
			counts, err := step.Run(t.Context())
			if got := strings.Join(p.calls, ", "); got != tt.calls {
				t.Errorf("the counterpart saw: %s\nwant: %s", got, tt.calls)
			}
			if got := strings.Join(l.log, ", "); got != tt.log {
				t.Errorf("the ledger keeps: %s\nwant: %s", got, tt.log)
			}
			if !maps.Equal(counts, tt.counts) {
				t.Errorf("counts %v, want %v", counts, tt.counts)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			for _, r := range l.rows {
				if strings.Contains(r.Why, "Canary") {
					t.Errorf("the ledger tells what the answer said: %s", r.Why)
				}
			}
		})
	}
}

func stepOf(l *ledger, p *party) Step {
	return Step{
		Store: l, To: "skylight", Pusher: p, Asker: p, Now: l.now, Rand: func() float64 { return 0 }, allowed: anything,
		Policies: map[string]readiness.Policy{"skylight": {Hash: "1"}},
	}
}

func newLedger(rows ...*row) *ledger {
	return &ledger{rows: rows, now: func() time.Time { return now }}
}

func TestPushingTwiceSendsOnce(t *testing.T) {
	l, p := newLedger(referral("task")), &party{stands: map[string]int{}}
	for range 2 {
		if _, err := stepOf(l, p).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if p.stands["task"] != 1 || len(p.calls) != 1 {
		t.Errorf("stands %v, calls %v", p.stands, p.calls)
	}
}

// Every third reply is dropped after the other side had committed: in the end exactly one of everything stands there.
func TestDroppedRepliesLeaveExactlyOneOfEverything(t *testing.T) {
	clock := now
	l, p := newLedger(), &party{stands: map[string]int{}}
	l.now = func() time.Time { return clock }
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		l.rows = append(l.rows, other(id), referral("referral "+id))
	}
	for round := 0; round < 40; round++ {
		p.faults = []fault{none, none, committed, none, none, dropped, none, none, committed, none, none, unreached}
		if _, err := stepOf(l, p).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(time.Hour)
	}
	for _, r := range l.rows {
		if r.State != exchange.Delivered || p.stands[r.ID] != 1 {
			t.Errorf("%s is %s and stands there %d times", r.ID, r.State, p.stands[r.ID])
		}
	}
}

func TestAnAnswerThatCameTooLateChangesNothing(t *testing.T) {
	l := newLedger(referral("task"))
	p := &party{stands: map[string]int{}}
	step := stepOf(l, p)
	step.Pusher = slow{p, func() { l.find("task").Attempts++ }} // another took it over while we waited for the answer
	counts, err := step.Run(t.Context())
	if err != nil || counts[Busy] != 1 || l.find("task").Receipt != nil {
		t.Errorf("counts %v, error %v", counts, err)
	}
}

type slow struct {
	*party
	meanwhile func()
}

func (s slow) Push(ctx context.Context, d exchange.Delivery, asked bool) (exchange.Receipt, error) {
	s.meanwhile()
	return s.party.Push(ctx, d, asked)
}

func TestStoppedWhileSendingItIsAskedAboutFirstThing(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	l := newLedger(other("a"), other("b"))
	p := &party{stands: map[string]int{}, faults: []fault{committed}}
	step := stepOf(l, p)
	step.Pusher = slow{p, stop}
	if _, err := step.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if a := l.find("a"); a.State != exchange.Attempted || a.trying || a.Due.After(now) || len(p.calls) != 1 {
		t.Errorf("a is %+v, calls %v", a.Entry, p.calls)
	}
	if _, err := stepOf(l, p).Run(t.Context()); err != nil || p.stands["a"] != 1 || p.calls[1] != "ask, then send a" {
		t.Errorf("stands %v, calls %v, error %v", p.stands, p.calls, err)
	}
}

func TestAReceiptThatCannotBeKeptIsAskedAboutAgain(t *testing.T) {
	l, p := newLedger(other("a")), &party{stands: map[string]int{}}
	step := stepOf(l, p)
	step.Pusher = slow{p, func() { l.fail = errors.New("disk full") }}
	if _, err := step.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("error %v", err)
	}
	l.fail, l.find("a").Due = nil, now // its time has come again
	if _, err := stepOf(l, p).Run(t.Context()); err != nil || p.stands["a"] != 1 {
		t.Errorf("stands %v, error %v", p.stands, err)
	}
}

func TestWaitDoublesUpToAnHourAndSpreads(t *testing.T) {
	steady, spread := run{Step: Step{Rand: func() float64 { return 0 }}}, run{Step: Step{Rand: func() float64 { return 0.999999 }}}
	for attempts, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour} {
		if got := steady.wait(attempts); got != want {
			t.Errorf("after %d tries: %v, want %v", attempts, got, want)
		}
		if got := spread.wait(attempts); got < want*6/10 || got > want*7/10 {
			t.Errorf("after %d tries, spread: %v of %v", attempts, got, want)
		}
	}
	if got := steady.wait(1 << 40); got != time.Hour {
		t.Errorf("after very many: %v", got)
	}
}

func TestACounterpartThatTakesNothingIsLeftAlone(t *testing.T) {
	l := newLedger(referral("task"))
	step := stepOf(l, nil)
	step.Pusher, step.Asker = nil, nil
	if counts, err := step.Run(t.Context()); err != nil || len(counts) != 0 || len(l.log) != 0 {
		t.Errorf("counts %v, log %v, error %v", counts, l.log, err)
	}
}
