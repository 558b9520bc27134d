package pull

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs"
)

var src = exchange.Source{Name: "ehr", Party: fhir.Practice}

// shelf is a store in memory: what was received, from where to where.
type shelf struct {
	cursor   exchange.Cursor
	received []string
	failed   []string
	unread   []string // members to read back
	linked   []string
	busy     bool
	fence    int64
	open     bool
	receive  func(page exchange.Page) error // may fail, and may link members
}

func (s *shelf) Lease(_ context.Context, name, _ string, _ time.Duration) (exchange.Lease, error) {
	if s.busy {
		return exchange.Lease{}, fmt.Errorf("lease %s: %w", name, exchange.ErrBusy)
	}
	s.fence++
	s.open = true
	return exchange.Lease{Name: name, Fence: s.fence}, nil
}

func (s *shelf) Release(_ context.Context, l exchange.Lease) error {
	if l.Fence == s.fence {
		s.open = false
	}
	return nil
}

func (s *shelf) Cursor(context.Context, string) (exchange.Cursor, error) { return s.cursor, nil }

func (s *shelf) Roster(context.Context, exchange.Source) (exchange.Roster, error) {
	return exchange.Roster{New: slices.Clone(s.unread)}, nil
}

func (s *shelf) Receive(_ context.Context, _ exchange.Source, l exchange.Lease, since exchange.Cursor, page exchange.Page) (exchange.Changed, error) {
	if l.Fence != s.fence || since != s.cursor {
		return exchange.Changed{}, fmt.Errorf("cursor of ehr: %w", exchange.ErrConflict)
	}
	if s.receive != nil {
		if err := s.receive(page); err != nil {
			return exchange.Changed{}, err
		}
	}
	s.cursor = page.Next
	s.received = append(s.received, string(since)+">"+string(page.Next))
	for _, swept := range page.Swept {
		s.unread = slices.DeleteFunc(s.unread, func(patient string) bool { return patient == swept })
	}
	return exchange.Changed{Versions: len(page.Resources)}, nil
}

func (s *shelf) Failed(_ context.Context, _ exchange.Source, why string) error {
	s.failed = append(s.failed, why)
	return nil
}

// pages is a source that has so many pages; answer may put something else in their place.
type pages struct {
	n       int
	answer  func(since exchange.Cursor, roster exchange.Roster) (exchange.Page, error)
	rosters []int // members to read back, at each pull
}

func (p *pages) Pull(ctx context.Context, since exchange.Cursor, roster exchange.Roster) (exchange.Page, error) {
	p.rosters = append(p.rosters, len(roster.New))
	if err := ctx.Err(); err != nil {
		return exchange.Page{}, connectors.Errorf("search Task", connectors.Temporary, "%w", err)
	}
	if p.answer != nil {
		return p.answer(since, roster)
	}
	at, _ := strconv.Atoi(string(since))
	at = min(at+1, p.n)
	return exchange.Page{Resources: make([]fhir.Resource, 2), Next: exchange.Cursor(strconv.Itoa(at)), More: at < p.n, Complete: at == p.n}, nil
}

func TestPull(t *testing.T) {
	down := &connectors.Error{Op: "search Task", Fault: connectors.Temporary, Codes: []string{"fatal/throttled"}, Err: errors.New("Wilhelmina Canary")}
	tests := []struct {
		name     string
		store    *shelf
		source   *pages
		bound    int
		received string
		failed   string // what the source's log says
		counts   jobs.Counts
		err      string
	}{
		{
			name:  "the source is read to its end, each page from where the one before ended",
			store: &shelf{}, source: &pages{n: 3},
			received: ">1 1>2 2>3",
			counts:   jobs.Counts{Pages: 3, Resources: 6, "versions": 6},
		},
		{
			name:  "it goes on where the last run ended",
			store: &shelf{cursor: "2"}, source: &pages{n: 4},
			received: "2>3 3>4",
			counts:   jobs.Counts{Pages: 2, Resources: 4, "versions": 4},
		},
		{
			name:  "another process reads this source: that is an answer, no failure",
			store: &shelf{busy: true}, source: &pages{n: 3},
			counts: jobs.Counts{Busy: 1},
		},
		{
			name: "another was faster with the page: nothing is stored twice, and nothing failed",
			store: &shelf{receive: func(exchange.Page) error {
				return fmt.Errorf("cursor of ehr: %w", exchange.ErrConflict)
			}},
			source: &pages{n: 3},
			counts: jobs.Counts{Busy: 1},
		},
		{
			name:  "the source is down: what was read stays, and the source is incomplete",
			store: &shelf{},
			source: &pages{answer: func(since exchange.Cursor, _ exchange.Roster) (exchange.Page, error) {
				if since == "1" {
					return exchange.Page{}, down
				}
				return exchange.Page{Resources: make([]fhir.Resource, 2), Next: "1", More: true}, nil
			}},
			received: ">1",
			failed:   "search Task: temporary (fatal/throttled)",
			counts:   jobs.Counts{Pages: 1, Resources: 2, "versions": 2},
			err:      "pull ehr: search Task: temporary",
		},
		{
			name:  "the source withholds rows: no error, but not complete",
			store: &shelf{}, source: &pages{answer: func(exchange.Cursor, exchange.Roster) (exchange.Page, error) {
				return exchange.Page{Next: "1", Why: "rows withheld"}, nil
			}},
			received: ">1",
			counts:   jobs.Counts{Pages: 1, Resources: 0, Incomplete: 1},
		},
		{
			name:  "a page that leads to itself is no endless read",
			store: &shelf{cursor: "5"}, source: &pages{answer: func(since exchange.Cursor, _ exchange.Roster) (exchange.Page, error) {
				return exchange.Page{Next: since, More: true}, nil
			}},
			failed: "follow pages: garbled",
			counts: jobs.Counts{},
			err:    "circle",
		},
		{
			name:  "pages in a circle are no endless read",
			store: &shelf{}, source: &pages{answer: func(since exchange.Cursor, _ exchange.Roster) (exchange.Page, error) {
				at, _ := strconv.Atoi(string(since))
				return exchange.Page{Next: exchange.Cursor(strconv.Itoa(at%3 + 1)), More: true}, nil
			}},
			received: ">1 1>2 2>3",
			failed:   "follow pages: garbled",
			counts:   jobs.Counts{Pages: 3, Resources: 0},
			err:      "circle",
		},
		{
			name:  "a run is bounded; the next one goes on",
			store: &shelf{}, source: &pages{n: 9}, bound: 4,
			received: ">1 1>2 2>3 3>4",
			counts:   jobs.Counts{Pages: 4, Resources: 8, "versions": 8, Unfinished: 1},
		},
		{
			name:  "a store that cannot keep the page is the hub's trouble, not the source's",
			store: &shelf{receive: func(exchange.Page) error { return errors.New("disk full") }}, source: &pages{n: 3},
			counts: jobs.Counts{},
			err:    "receive a page of ehr: disk full",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			step := Step{Store: tt.store, Puller: tt.source, Source: src, Holder: "me", Now: time.Now, Pages: tt.bound}
			counts, err := step.Run(t.Context())
			if got := strings.Join(tt.store.received, " "); got != tt.received {
				t.Errorf("received %s, want %s", got, tt.received)
			}
			if got := strings.Join(tt.store.failed, "; "); got != tt.failed {
				t.Errorf("the source's log says %q, want %q", got, tt.failed)
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
		})
	}
}

// link has a page make a patient a client of the hub.
func (s *shelf) link(patient string) {
	if !slices.Contains(s.linked, patient) {
		s.linked, s.unread = append(s.linked, patient), append(s.unread, patient)
	}
}

func TestMembersLinkedWhileReadingAreReadBackInTheSameRun(t *testing.T) {
	store := &shelf{}
	store.receive = func(page exchange.Page) error {
		if len(page.Resources) == 1 { // the referral names a patient nobody asked about before
			store.link("p1")
		}
		return nil
	}
	round := 0
	source := &pages{answer: func(_ exchange.Cursor, roster exchange.Roster) (exchange.Page, error) {
		round++
		page := exchange.Page{Next: exchange.Cursor(strconv.Itoa(round)), Complete: true}
		if round == 1 {
			page.Resources = make([]fhir.Resource, 1)
		}
		page.Swept = roster.New
		return page, nil
	}}
	counts, err := Step{Store: store, Puller: source, Source: src, Holder: "me", Now: time.Now}.Run(t.Context())
	if err != nil || counts[ReadBack] != 1 || !slices.Equal(source.rosters, []int{0, 1}) || len(store.unread) > 0 {
		t.Errorf("counts %v, error %v, members to read back at each pull %v", counts, err, source.rosters)
	}
}

func TestASourceThatCannotReadAMemberBackIsNotAskedForEver(t *testing.T) {
	store := &shelf{unread: []string{"p1"}}
	source := &pages{n: 1}
	if _, err := (Step{Store: store, Puller: source, Source: src, Holder: "me", Now: time.Now}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(source.rosters) != 1 {
		t.Errorf("asked %d times", len(source.rosters))
	}
}

func TestSomebodyAlwaysNewDoesNotKeepARunGoing(t *testing.T) {
	store := &shelf{}
	store.receive = func(exchange.Page) error { store.link(fmt.Sprint("p", len(store.linked))); return nil }
	round := 0
	source := &pages{answer: func(exchange.Cursor, exchange.Roster) (exchange.Page, error) {
		round++
		return exchange.Page{Next: exchange.Cursor(strconv.Itoa(round)), Complete: true}, nil
	}}
	if _, err := (Step{Store: store, Puller: source, Source: src, Holder: "me", Now: time.Now}).Run(t.Context()); err != nil || round != rounds {
		t.Errorf("went round %d times, error %v", round, err)
	}
}

func TestALeaseThatRanOutIsTakenAgain(t *testing.T) {
	now := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	store, source := &shelf{}, &pages{n: 4}
	slow := func() time.Time { now = now.Add(2 * time.Second); return now }
	if _, err := (Step{Store: store, Puller: source, Source: src, Holder: "me", Now: slow}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if store.fence != 2 || len(store.received) != 4 {
		t.Errorf("lease taken %d times, received %v", store.fence, store.received)
	}
	taken := &shelf{}
	taken.receive = func(exchange.Page) error { taken.busy = len(taken.received) == 1; return nil }
	counts, err := Step{Store: taken, Puller: &pages{n: 9}, Source: src, Holder: "me", Now: slow}.Run(t.Context())
	if err != nil || counts[Busy] != 1 {
		t.Errorf("somebody else took it meanwhile: counts %v, error %v", counts, err)
	}
}

func TestBeingStoppedIsNoNewsOfTheSource(t *testing.T) {
	for _, name := range []string{"between two pages", "within a page"} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			store, source := &shelf{}, &pages{n: 9}
			if name == "between two pages" {
				store.receive = func(exchange.Page) error { stop(); return nil }
			} else {
				source.answer = func(since exchange.Cursor, _ exchange.Roster) (exchange.Page, error) {
					if since == "" {
						return exchange.Page{Next: "1", More: true}, nil
					}
					stop()
					return exchange.Page{}, connectors.Errorf("search Task", connectors.Temporary, "%w", ctx.Err())
				}
			}
			_, err := Step{Store: store, Puller: source, Source: src, Holder: "me", Now: time.Now}.Run(ctx)
			if !errors.Is(err, context.Canceled) || len(store.failed) != 0 || len(store.received) != 1 || store.open {
				t.Errorf("error %v, log %v, received %v", err, store.failed, store.received)
			}
		})
	}
}

func TestASourceThatTakesTooLongIsIncomplete(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	store := &shelf{}
	source := &pages{answer: func(exchange.Cursor, exchange.Roster) (exchange.Page, error) {
		<-ctx.Done()
		return exchange.Page{}, ctx.Err()
	}}
	_, err := Step{Store: store, Puller: source, Source: src, Holder: "me", Now: time.Now}.Run(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !slices.Equal(store.failed, []string{"it took too long"}) || store.open {
		t.Errorf("error %v, log %v", err, store.failed)
	}
}

func TestProgressIsTold(t *testing.T) {
	var told []string
	step := Step{Store: &shelf{}, Puller: &pages{n: 2}, Source: src, Holder: "me", Now: time.Now,
		Progress: func(pages, resources int) { told = append(told, fmt.Sprint(pages, "/", resources)) }}
	if _, err := step.Run(t.Context()); err != nil || !slices.Equal(told, []string{"1/2", "2/4"}) {
		t.Errorf("told %v, error %v", told, err)
	}
}
