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
	cursor   exchange.Cursor
	asked    string // whose cursor
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

func (s *shelf) Cursor(_ context.Context, name string) (exchange.Cursor, error) {
	s.asked = name
	return s.cursor, nil
}

func (s *shelf) Roster(context.Context, exchange.Source) (exchange.Roster, error) {
	return exchange.Roster{}, nil
}

func (s *shelf) Sweep(_ context.Context, _ exchange.Source, l exchange.Lease, since exchange.Cursor, page exchange.Page) (exchange.Changed, error) {
	if s.fail != nil {
		return exchange.Changed{}, s.fail
	}
	if l.Fence != int64(s.leases) {
		return exchange.Changed{}, exchange.ErrConflict
	}
	s.received = append(s.received, string(since)+">"+string(page.Next))
	s.cursor = page.Next
	return exchange.Changed{Versions: 1, Missed: 1}, nil
}

// sliced is a source with so many slices; after the last it begins anew.
type sliced struct {
	n     int
	fails exchange.Cursor
	loops bool
}

func (s sliced) Sweep(_ context.Context, resume exchange.Cursor, _ exchange.Roster) (exchange.Page, error) {
	if s.fails != "" && resume == s.fails {
		return exchange.Page{}, connectors.Errorf("sweep Task", connectors.Temporary, "it is down")
	}
	if s.loops {
		return exchange.Page{Next: resume, More: true}, nil
	}
	at, _ := strconv.Atoi(string(resume))
	page := exchange.Page{Resources: make([]fhir.Resource, 3)}
	if at+1 < s.n {
		page.Next, page.More = exchange.Cursor(strconv.Itoa(at+1)), true
	}
	return page, nil
}

func TestSweep(t *testing.T) {
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
			store: &shelf{}, source: nil,
			counts: jobs.Counts{},
		},
		{
			name:  "slice after slice, what the pulls had missed is counted",
			store: &shelf{}, source: sliced{n: 3},
			received: ">1 1>2 2>",
			counts:   jobs.Counts{Slices: 3, Resources: 9, "versions": 3, Missed: 3},
		},
		{
			name:  "a slice that fails ends the run",
			store: &shelf{}, source: sliced{n: 9, fails: "2"},
			received: ">1 1>2",
			counts:   jobs.Counts{Slices: 2, Resources: 6, "versions": 2, Missed: 2},
			err:      "sweep ehr: sweep Task: temporary",
		},
		{
			name:  "the next run resumes there",
			store: &shelf{cursor: "2"}, source: sliced{n: 4},
			received: "2>3 3>",
			counts:   jobs.Counts{Slices: 2, Resources: 6, "versions": 2, Missed: 2},
		},
		{
			name:  "a night's sweep is bounded",
			store: &shelf{}, source: sliced{n: 9}, bound: 2,
			received: ">1 1>2",
			counts:   jobs.Counts{Slices: 2, Resources: 6, "versions": 2, Missed: 2, Unfinished: 1},
		},
		{
			name:  "a pull is at it: that is an answer, no failure",
			store: &shelf{busy: true}, source: sliced{n: 3},
			counts: jobs.Counts{Busy: 1},
		},
		{
			name:  "another was faster: nothing is stored twice",
			store: &shelf{fail: fmt.Errorf("cursor: %w", exchange.ErrConflict)}, source: sliced{n: 3},
			counts: jobs.Counts{Busy: 1},
		},
		{
			name:  "slices in a circle are no endless sweep",
			store: &shelf{cursor: "7"}, source: sliced{loops: true},
			counts: jobs.Counts{},
			err:    "circle",
		},
		{
			name:  "a store that cannot keep the slice says so",
			store: &shelf{fail: errors.New("disk full")}, source: sliced{n: 3},
			counts: jobs.Counts{},
			err:    "store a slice of ehr: disk full",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			step := Step{Store: tt.store, Sweeper: tt.source, Source: exchange.Source{Name: "ehr"}, Holder: "me", Now: time.Now, Slices: tt.bound}
			counts, err := step.Run(t.Context())
			if got := strings.Join(tt.store.received, " "); got != tt.received {
				t.Errorf("received %s, want %s", got, tt.received)
			}
			if !maps.Equal(counts, tt.counts) {
				t.Errorf("counts %v, want %v", counts, tt.counts)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if tt.store.open {
				t.Error("the lease was not given back")
			}
			if tt.received != "" && tt.store.asked != "sweep:ehr" {
				t.Errorf("resumed at %q, which is the pulls' own cursor", tt.store.asked)
			}
		})
	}
}

func TestALongSweepTakesItsLeaseAgain(t *testing.T) {
	now := time.Date(2026, 3, 3, 4, 0, 0, 0, time.UTC)
	store, told := &shelf{}, 0
	step := Step{Store: store, Sweeper: sliced{n: 4}, Source: exchange.Source{Name: "ehr"}, Holder: "me",
		Now: func() time.Time { now = now.Add(2 * time.Second); return now }, Progress: func(int, int) { told++ }}
	if _, err := step.Run(t.Context()); err != nil || store.leases != 2 || told != 4 {
		t.Errorf("leases %d, told %d, error %v", store.leases, told, err)
	}
}

func TestAStoppedSweepStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	store := &shelf{}
	if _, err := (Step{Store: store, Sweeper: sliced{n: 4}, Source: exchange.Source{Name: "ehr"}, Now: time.Now}).Run(ctx); !errors.Is(err, context.Canceled) || store.open {
		t.Errorf("error %v", err)
	}
}
