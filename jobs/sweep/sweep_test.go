package sweep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs"
)

// shelf is a store in memory. Every slice brings one version that the pulls had missed.
type shelf struct {
	due      []string
	received []string
	busy     bool
	fail     error
	leases   int
	open     bool
}

func (s *shelf) Lease(context.Context, string, string, time.Duration) (exchange.Lease, error) {
	if s.busy {
		return exchange.Lease{}, exchange.ErrBusy
	}
	s.leases++
	s.open = true
	return exchange.Lease{Name: "ehr", Fence: int64(s.leases)}, nil
}

func (s *shelf) Release(_ context.Context, l exchange.Lease) error {
	s.open = l.Fence != int64(s.leases)
	return nil
}

func (s *shelf) SweepDue(_ context.Context, source string, limit int) ([]string, error) {
	if source != "ehr" {
		return nil, errors.New("asked about another source")
	}
	return s.due[:min(limit, len(s.due))], nil
}

func (s *shelf) Sweep(_ context.Context, _ exchange.Source, l exchange.Lease, page exchange.Page) (exchange.Changed, error) {
	if s.fail != nil {
		return exchange.Changed{}, s.fail
	}
	if l.Fence != int64(s.leases) {
		return exchange.Changed{}, exchange.ErrConflict
	}
	s.received = append(s.received, page.Swept...)
	return exchange.Changed{Versions: 1, Missed: 1}, nil
}

// sliced is a source whose members have so many slices each.
type sliced struct {
	n     int
	fails map[string]connectors.Fault
	loops bool
}

func (s sliced) Sweep(ctx context.Context, resume exchange.Cursor, roster exchange.Roster) (exchange.Page, error) {
	all, err := roster.Everybody(ctx)
	if err != nil || len(all.Members) != 1 {
		return exchange.Page{}, errors.New("asked about more than one member")
	}
	if fault, ok := s.fails[all.Members[0]]; ok {
		return exchange.Page{}, connectors.Errorf("sweep Task", fault, "trouble")
	}
	if s.loops {
		return exchange.Page{Next: resume, More: true}, nil
	}
	at, _ := strconv.Atoi(string(resume))
	page := exchange.Page{Resources: make([]fhir.Resource, 3)}
	if at+1 < s.n {
		page.Next, page.More = exchange.Cursor(strconv.Itoa(at+1)), true
		return page, nil
	}
	page.Swept = all.Members
	return page, nil
}

func TestSweep(t *testing.T) {
	three := []string{"p1", "p2", "p3"}
	tests := []struct {
		name     string
		store    *shelf
		source   connectors.Sweeper
		bound    int
		received string
		counts   jobs.Counts
		err      string
	}{
		{
			name:  "a source that cannot be swept leaves nothing to do",
			store: &shelf{due: three}, source: nil,
			counts: jobs.Counts{},
		},
		{
			name:  "nobody is due",
			store: &shelf{}, source: sliced{n: 1},
			counts: jobs.Counts{},
		},
		{
			name:  "member after member in the order in which they are due, what the pulls had missed is counted",
			store: &shelf{due: []string{"p3", "p1", "p2"}}, source: sliced{n: 1},
			received: "p3 p1 p2",
			counts:   jobs.Counts{Members: 3, Resources: 9, "versions": 3, Missed: 3},
		},
		{
			name:  "a member with much is read slice after slice",
			store: &shelf{due: []string{"p1"}}, source: sliced{n: 3},
			received: "p1",
			counts:   jobs.Counts{Members: 1, Resources: 9, "versions": 3, Missed: 3},
		},
		{
			name:  "a source that cannot be reached ends the run",
			store: &shelf{due: three}, source: sliced{n: 1, fails: map[string]connectors.Fault{"p2": connectors.Temporary}},
			received: "p1",
			counts:   jobs.Counts{Members: 1, Resources: 3, "versions": 1, Missed: 1},
			err:      "sweep ehr: sweep Task: temporary",
		},
		{
			name:  "a member whose records cannot be read holds up nobody else, and is told of",
			store: &shelf{due: three}, source: sliced{n: 1, fails: map[string]connectors.Fault{"p1": connectors.Garbled, "p2": connectors.Refused}},
			received: "p3",
			counts:   jobs.Counts{Members: 1, Resources: 3, "versions": 1, Missed: 1, Unread: 2},
			err:      "sweep ehr: sweep Task: garbled",
		},
		{
			name:  "a night's sweep is bounded",
			store: &shelf{due: three}, source: sliced{n: 1}, bound: 2,
			received: "p1 p2",
			counts:   jobs.Counts{Members: 2, Resources: 6, "versions": 2, Missed: 2, Unfinished: 1},
		},
		{
			name:  "a pull is at it: that is an answer, no failure",
			store: &shelf{busy: true, due: three}, source: sliced{n: 1},
			counts: jobs.Counts{Busy: 1},
		},
		{
			name:  "another was faster: nothing is stored twice",
			store: &shelf{due: three, fail: fmt.Errorf("lease: %w", exchange.ErrConflict)}, source: sliced{n: 1},
			counts: jobs.Counts{Busy: 1},
		},
		{
			name:  "slices in a circle are no endless sweep",
			store: &shelf{due: []string{"p1"}}, source: sliced{loops: true},
			counts: jobs.Counts{Unread: 1, Resources: 0},
			err:    "circle",
		},
		{
			name:  "a store that cannot keep the slice says so",
			store: &shelf{due: three, fail: errors.New("disk full")}, source: sliced{n: 1},
			counts: jobs.Counts{},
			err:    "store a slice of ehr: disk full",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			step := Step{Store: tt.store, Sweeper: tt.source, Source: exchange.Source{Name: "ehr"}, Holder: "me", Now: time.Now, Members: tt.bound}
			counts, err := step.Run(t.Context())
			if got := strings.Join(tt.store.received, " "); got != tt.received {
				t.Errorf("received %s, want %s", got, tt.received)
			}
			maps.DeleteFunc(counts, func(_ string, n int64) bool { return n == 0 })
			maps.DeleteFunc(tt.counts, func(_ string, n int64) bool { return n == 0 })
			if !maps.Equal(counts, tt.counts) {
				t.Errorf("counts %v, want %v", counts, tt.counts)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if tt.store.open {
				t.Error("the lease was not given back")
			}
		})
	}
}

func TestALongSweepTakesItsLeaseAgain(t *testing.T) {
	now := time.Date(2026, 3, 3, 4, 0, 0, 0, time.UTC)
	store, told := &shelf{due: []string{"p1", "p2", "p3", "p4"}}, 0
	step := Step{Store: store, Sweeper: sliced{n: 1}, Source: exchange.Source{Name: "ehr"}, Holder: "me",
		Now: func() time.Time { now = now.Add(2 * time.Second); return now }, Progress: func(int, int) { told++ }}
	if _, err := step.Run(t.Context()); err != nil || store.leases != 2 || told != 4 {
		t.Errorf("leases %d, told %d, error %v", store.leases, told, err)
	}
}

func TestAStoppedSweepStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	store := &shelf{due: []string{"p1"}}
	if _, err := (Step{Store: store, Sweeper: sliced{n: 1}, Source: exchange.Source{Name: "ehr"}, Now: time.Now}).Run(ctx); !errors.Is(err, context.Canceled) || store.open {
		t.Errorf("error %v", err)
	}
}
