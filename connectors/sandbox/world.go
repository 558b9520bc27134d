package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// WorldOptions is what a World is made of.
type WorldOptions struct {
	Now     func() time.Time // the clock of both servers; nil = time.Now
	Seed    uint64           // the same seed at the same time gives the same world
	Talk    bool             // with the lives of conversations too: questions, aborts, reopened referrals
	Clients int              // how many; 0 = one for each situation, more = further lives beside them
	Pace    Pace             // how fast lives go on; the zero Pace is Office()

	Reports   bool // the prescriber writes its decisions as DiagnosticReports, not as Observations
	Newcomers int  // not 0 = nobody but so many clients who were referred this morning, and whom the prescriber will accept
}

// World is a practice, a prescriber, and the clients they share. Its past is there from the start; each Tick lets
// happen what has become due since. What the hub sends to the prescriber is answered on the prescriber's own clock.
type World struct {
	Practice   *Server
	Prescriber *Server

	now     func() time.Time
	start   time.Time
	pace    Pace
	reports bool

	mu      sync.Mutex
	random  *rand.Rand
	clients []*client
	seen    map[fhir.Ref]bool // coordination Tasks at the prescriber that somebody has picked up, or never will
	events  []event           // what is still to happen, soonest first
	planned int
	stamped time.Time // of the last thing that happened
	err     error     // the first thing that went wrong while things happened
}

// event is something that happens at a time.
type event struct {
	at time.Time
	n  int // events of one time happen in the order they were planned
	do func(at time.Time)
}

// Situation is one client as a board should show them after one full cycle of the hub, before the first Tick.
type Situation struct {
	MRN   string // in SystemMRN
	Name  string // the chosen name
	Wants string // the state of the verdict
	Why   string
}

// NewWorld returns a world whose past has happened. It listens nowhere until Serve.
func NewWorld(options WorldOptions) (*World, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Pace == (Pace{}) {
		options.Pace = Office()
	}
	w := &World{
		Practice:   NewServer(Options{Name: "Reverie (sandbox)", Now: options.Now}),
		Prescriber: NewServer(Options{Name: "Skylight (sandbox)", Now: options.Now}),
		now:        options.Now,
		start:      options.Now().UTC().Truncate(time.Second),
		pace:       options.Pace,
		reports:    options.Reports,
		random:     rand.New(rand.NewPCG(options.Seed, 1)), //nolint:gosec // invented lives need no secret dice
		seen:       map[fhir.Ref]bool{},
	}
	w.plan(-400*day, w.furnish)
	if options.Newcomers > 0 {
		w.welcome(options.Newcomers)
	} else {
		w.populate(options.Clients)
		if options.Talk {
			w.live(conversations)
		}
	}
	w.happen(w.start, true)
	return w, w.err
}

// Clients returns who was planted and what a board should say of them.
func (w *World) Clients() []Situation {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]Situation, 0, len(w.clients))
	for _, c := range w.clients {
		out = append(out, Situation{MRN: c.mrn, Name: c.chosen + " " + c.family, Wants: c.wants, Why: c.why})
	}
	return out
}

// Serve puts both servers on loopback ports of their own until ctx ends.
func (w *World) Serve(ctx context.Context) (practiceURL, prescriberURL string, err error) {
	if practiceURL, err = listen(ctx, w.Practice); err != nil {
		return "", "", fmt.Errorf("serve the practice: %w", err)
	}
	if prescriberURL, err = listen(ctx, w.Prescriber); err != nil {
		return "", "", fmt.Errorf("serve the prescriber: %w", err)
	}
	return practiceURL, prescriberURL, nil
}

func listen(ctx context.Context, s *Server) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen on loopback: %w", err)
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(l) }() // ends with ErrServerClosed when ctx does
	return "http://" + l.Addr().String(), nil
}

// Tick lets happen what is due by the world's clock, and has the prescriber look into its inbox.
func (w *World) Tick() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	w.readInbox(now)
	w.happen(now, false)
	return w.err
}

// HandOver has a person bring the client's referral to the prescriber, who takes it up by hand, as of now. It reports
// whether there is such a client whom the prescriber does not know yet.
func (w *World) HandOver(mrn string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.clients, func(c *client) bool { return c.mrn == mrn && c.request.IsZero() })
	if i < 0 {
		return false
	}
	now := w.now()
	w.planAt(now, w.clients[i].comes)
	w.clients[i].course(now, w.pace, acknowledged, delivered)
	return true
}

// Run ticks until ctx ends or a Tick goes wrong.
func (w *World) Run(ctx context.Context, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := w.Tick(); err != nil {
				return err
			}
		}
	}
}

// plan has something happen so long after (or before) the world's start.
func (w *World) plan(after time.Duration, do func(at time.Time)) { w.planAt(w.start.Add(after), do) }

func (w *World) planAt(at time.Time, do func(at time.Time)) {
	w.planned++
	e := event{at: at, n: w.planned, do: do}
	i, _ := slices.BinarySearchFunc(w.events, e, func(a, b event) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.n, b.n))
	})
	w.events = slices.Insert(w.events, i, e)
}

// happen plays every event due by now. The past is recorded as of its own time, the present as of now: a server that
// recorded today what it dates last week would deceive those who read it by _lastUpdated.
func (w *World) happen(now time.Time, past bool) {
	for len(w.events) > 0 && !w.events[0].at.After(now) && w.err == nil {
		e := w.events[0]
		w.events = w.events[1:]
		recorded := now
		if past {
			recorded = e.at
		}
		if recorded.After(w.stamped) {
			w.stamped = recorded
		}
		e.do(e.at)
	}
}

// write records a resource at a server.
func (w *World) write(s *Server, resource object) fhir.Ref {
	return w.writeRaw(s, mustJSON(resource))
}

func (w *World) writeRaw(s *Server, body []byte) fhir.Ref {
	w.stamped = w.stamped.Add(time.Millisecond)
	ref, err := s.PutAt(body, w.stamped)
	w.err = errors.Join(w.err, err)
	return ref
}

// revise records a newer version of a record; a record that is not there stays away.
func (w *World) revise(s *Server, ref fhir.Ref, change func(object)) {
	body, ok := s.Get(ref)
	if !ok {
		return
	}
	tree, err := decode(body)
	if err != nil {
		w.err = errors.Join(w.err, fmt.Errorf("revise %s: %w", ref, err))
		return
	}
	change(tree)
	w.write(s, tree)
}
