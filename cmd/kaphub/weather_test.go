package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/push"
)

// hands is a clock that moves only when a test moves it.
type hands struct{ at atomic.Int64 }

func (h *hands) now() time.Time          { return time.UnixMilli(h.at.Load()).UTC() }
func (h *hands) forward(d time.Duration) { h.at.Add(d.Milliseconds()) }

// weather is what lies between a hub and both sides: a proxy each, and the bad things that it can do to what passes.
type weather struct {
	t       *testing.T
	random  *rand.Rand
	api     *toxiproxy.ApiServer
	proxies []*toxiproxy.Proxy
	servers []*sandbox.Server
	told    []string // what was done, to repeat it by eye
	changes int      // of the weather, a "--" each
}

// toxics are the bad things: latency, resets, truncation, black holes, connections that close slowly, and drips.
var toxics = []func(r *rand.Rand) string{
	func(r *rand.Rand) string {
		return fmt.Sprintf(`"type":"latency","attributes":{"latency":%d,"jitter":%d}`, 1+r.IntN(120), r.IntN(60))
	},
	func(r *rand.Rand) string {
		return fmt.Sprintf(`"type":"reset_peer","attributes":{"timeout":%d}`, r.IntN(30))
	},
	func(r *rand.Rand) string {
		return fmt.Sprintf(`"type":"limit_data","attributes":{"bytes":%d}`, r.IntN(6000))
	},
	func(*rand.Rand) string { return `"type":"timeout","attributes":{"timeout":0}` },
	func(r *rand.Rand) string {
		return fmt.Sprintf(`"type":"slow_close","attributes":{"delay":%d}`, 1+r.IntN(60))
	},
	func(r *rand.Rand) string {
		return fmt.Sprintf(`"type":"slicer","attributes":{"average_size":%d,"size_variation":%d,"delay":%d}`, 64+r.IntN(400), 32, r.IntN(300))
	},
}

// rise puts a proxy before each upstream and returns their addresses.
func rise(t *testing.T, seed uint64, upstreams ...string) (*weather, []string) {
	t.Helper()
	w := &weather{t: t, random: rand.New(rand.NewPCG(seed, 2))} //nolint:gosec // a schedule that can be repeated
	w.api = toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	var urls []string
	for i, up := range upstreams {
		u, err := url.Parse(up)
		if err != nil {
			t.Fatal(err)
		}
		p := toxiproxy.NewProxy(w.api, fmt.Sprint("way", i), "127.0.0.1:0", u.Host)
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		w.proxies, urls = append(w.proxies, p), append(urls, "http://"+p.Listen)
	}
	t.Cleanup(func() {
		for _, p := range w.proxies {
			p.Stop()
		}
	})
	return w, urls
}

// change clears the sky, and then brings bad weather to one side or both.
func (w *weather) change() {
	w.t.Helper()
	for i := range w.proxies {
		var bad []string
		w.servers[i].Mend()
		for n := range w.random.IntN(3) { // none, one or two at once
			stream := []string{"upstream", "downstream"}[w.random.IntN(2)]
			toxic := fmt.Sprintf(`{"name":"t%d","stream":%q,"toxicity":%.2f,%s}`, n, stream, 0.2+0.8*w.random.Float64(), toxics[w.random.IntN(len(toxics))](w.random))
			w.told, bad = append(w.told, fmt.Sprintf("way %d: %s", i, toxic)), append(bad, toxic)
		}
		w.turn(i, bad...)
		if n := w.random.IntN(6); n < 3 { // what a proxy hits by chance only: it is done, and the reply is lost
			w.told = append(w.told, fmt.Sprintf("way %d: %d replies to what was written are lost", i, n+1))
			w.servers[i].Fault(sandbox.Fault{Do: sandbox.DropAfter, Method: http.MethodPost, Times: n + 1})
		}
	}
	w.told = append(w.told, "--")
	w.changes++
}

func (w *weather) clear() {
	w.t.Helper()
	for i := range w.proxies {
		w.turn(i)
		w.servers[i].Mend()
	}
}

// turn closes a way with all that is open on it, and opens it anew at the same address with other toxics: changing them
// under open connections makes toxiproxy panic.
func (w *weather) turn(i int, bad ...string) {
	w.t.Helper()
	old := w.proxies[i]
	old.Stop()
	p := toxiproxy.NewProxy(w.api, old.Name, old.Listen, old.Upstream)
	for _, toxic := range bad {
		if _, err := p.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			w.t.Fatalf("%s: %v", toxic, err)
		}
	}
	if err := p.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.proxies[i] = p
}

// outpost is a hub between a small world's two servers, on a clock of the test's.
type outpost struct {
	*hub
	t     *testing.T
	world *sandbox.World
	clock *hands
	way   []string // the addresses of both servers
	met   met
}

// met is what came of the faults.
type met struct{ faults, failed, lost, existed, missed, records int64 }

func (m *met) add(o met) {
	m.faults, m.failed, m.lost, m.existed, m.records = m.faults+o.faults, m.failed+o.failed, m.lost+o.lost, m.existed+o.existed, m.records+o.records
	m.missed += o.missed
}

// impatient are limits under which a black hole costs a test little.
var impatient = fhirrest.Limits{Timeout: 400 * time.Millisecond, HeaderTimeout: 250 * time.Millisecond, Trip: 4, Rest: 30 * time.Millisecond}

// settleAt opens a hub whose store lies in a directory of its own, with way as its addresses of the two servers.
func settleAt(t *testing.T, world *sandbox.World, clock *hands, key store.Key, way []string) *outpost {
	t.Helper()
	p := &place{t: t, dir: t.TempDir(), world: world}
	p.write(way[0], way[1])
	if err := key.Save(p.path("kaphub.key")); err != nil {
		t.Fatal(err)
	}
	s := &scene{cli: &cli{Config: p.path("kaphub.yaml")}, now: clock.now, log: slog.New(slog.DiscardHandler)}
	h, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	o := &outpost{hub: h, t: t, world: world, clock: clock, way: way}
	o.bears(fhirrest.Limits{})
	return o
}

// bears sets how long the hub waits for its counterparts: a black hole costs an impatient one little, and a busy machine is
// no fault to a patient one.
func (o *outpost) bears(limits fhirrest.Limits) {
	o.t.Helper()
	for i, c := range o.configured() {
		one, err := fhirrest.New(fhirrest.Options{Name: c.Name, Party: c.Party, BaseURL: o.way[i], Auth: fhirrest.Auth{Kind: fhirrest.AuthNone}, Limits: limits, Now: o.clock.now})
		if err != nil {
			o.t.Fatal(err)
		}
		o.connectors[i] = one
	}
}

// turn lets the world live on and the hub do one cycle. What fails at a counterpart is its weather; the hub itself must not fail.
func (o *outpost) turn(d time.Duration) (quiet bool) {
	o.t.Helper()
	o.clock.forward(d)
	if err := o.world.Tick(); err != nil {
		o.t.Fatal(err)
	}
	done, err := o.cycle(o.t.Context(), bars{})
	if err != nil {
		o.t.Fatalf("the hub itself failed: %v", err)
	}
	for _, err := range done.failed {
		if !elsewhere(err) {
			o.t.Errorf("the hub itself failed: %v", err)
		}
	}
	counts := done.counts()
	o.met.failed += int64(len(done.failed))
	o.met.lost += counts[push.Lost]
	o.met.existed += counts[push.Existed]
	return len(done.failed) == 0 && counts["versions"]+counts["staged"]+counts["sent"]+counts["existed"]+counts["lost"]+counts["deferred"]+counts["waiting"] == 0
}

// ledger returns every delivery.
func (o *outpost) entries() []exchange.Entry {
	o.t.Helper()
	var all []exchange.Entry
	for _, state := range []exchange.State{exchange.Staged, exchange.Attempted, exchange.Delivered, exchange.Refused, exchange.Unknown} {
		some, err := o.store.Deliveries(o.t.Context(), state)
		if err != nil {
			o.t.Fatal(err)
		}
		all = append(all, some...)
	}
	return all
}

// board returns each client's state and gates, a line each.
func (o *outpost) board() []string {
	o.t.Helper()
	board, err := o.store.Board(o.t.Context(), 0)
	if err != nil {
		o.t.Fatal(err)
	}
	var lines []string
	for _, st := range board {
		line := st.Verdict.Client + " " + string(st.Verdict.State)
		for _, g := range st.Verdict.Gates {
			line += " " + string(g.Name) + "=" + string(g.State)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// copies counts the hub's own records at a server by their copy identifier.
func copies(s *sandbox.Server) map[string]int {
	found := map[string]int{}
	for _, body := range s.All() {
		var r struct {
			ResourceType string
			Identifier   []struct{ System, Value string }
		}
		if json.Unmarshal(body, &r) != nil {
			continue // an identifier that is no list: not one of ours
		}
		for _, id := range r.Identifier {
			if id.System == fhir.SystemCopy {
				found[r.ResourceType+" "+id.Value]++
			}
		}
	}
	return found
}

// After every fault both sides agree: nothing is doubled, nothing is lost, and the board is the one that a hub shows
// which never saw the faults. Each schedule is a seed: KAPHUB_SCHEDULE=17 repeats one, KAPHUB_SCHEDULES=1000 runs so many
// (make faults); CI runs 100, without the race detector.
func TestAfterAnyFaultBothSidesAgree(t *testing.T) {
	first, many := uint64(1), uint64(10)
	if one, err := strconv.ParseUint(os.Getenv("KAPHUB_SCHEDULE"), 10, 64); err == nil {
		first, many = one, 1
	} else if n, err := strconv.ParseUint(os.Getenv("KAPHUB_SCHEDULES"), 10, 64); err == nil {
		many = n
	}
	var sum met
	var mu sync.Mutex
	worked := 0
	seeds := make(chan uint64)
	var all sync.WaitGroup
	for range 12 { // most of a schedule is waiting
		all.Go(func() {
			for seed := range seeds {
				t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
					m := storm(t, seed)
					mu.Lock()
					defer mu.Unlock()
					sum.add(m)
					worked++
				})
			}
		})
	}
	for seed := first; seed < first+many; seed++ {
		seeds <- seed
	}
	close(seeds)
	all.Wait()
	t.Logf("%d schedules healed: %d faults, %d reads or sends failed, %d replies lost, %d records found there on asking, %d by the sweep; %d records at both sides, none doubled, none lost",
		worked, sum.faults, sum.failed, sum.lost, sum.existed, sum.missed, sum.records)
	if many >= 100 && (sum.failed == 0 || sum.lost == 0 || sum.existed == 0) {
		t.Error("the weather was too good to prove anything")
	}
}

// tongues are what the prescriber's server speaks, by the seed: a lost reply is asked about in more than one way.
var tongues = []sandbox.Dialect{{}, {NoConditionalCreate: true}, {NoLastUpdated: true, IfMatch: sandbox.IfMatch409}, {LateBy: 2}}

// storm runs one schedule and returns what came of it.
func storm(t *testing.T, seed uint64) met {
	clock := &hands{}
	clock.at.Store(time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC).UnixMilli())
	pace := sandbox.Living(15 * time.Minute)
	pace.Session, pace.Arrive = 12*24*time.Hour, time.Hour
	world, err := sandbox.NewWorld(sandbox.WorldOptions{Now: clock.now, Seed: seed, Newcomers: 2, Pace: pace})
	if err != nil {
		t.Fatal(err)
	}
	world.Prescriber.Speak(tongues[seed%uint64(len(tongues))])
	here, there, err := world.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key := store.NewKey()
	weather, way := rise(t, seed, here, there)
	weather.servers = []*sandbox.Server{world.Practice, world.Prescriber}
	o := settleAt(t, world, clock, key, way)
	o.bears(impatient)
	for range 6 + weather.random.IntN(8) {
		if weather.random.IntN(2) == 0 { // it turns after the news came, and before what follows from them is sent
			weather.clear()
			o.pullAll(t.Context(), &done{by: map[string]jobs.Counts{}, failed: map[string]error{}}, bars{})
		}
		weather.change()
		o.turn(time.Duration(10+weather.random.IntN(50)) * time.Minute)
		o.accounted(false)
	}
	weather.clear()
	o.bears(fhirrest.Limits{})
	quiet := 0
	for turns := 0; quiet < 3; turns++ {
		if turns == 40 {
			t.Fatalf("schedule %d does not come to rest\n%s", seed, strings.Join(weather.told, "\n"))
		}
		if o.turn(40 * time.Minute) {
			quiet++
		} else {
			quiet = 0
		}
		if counts, err := o.sweepAll(t.Context()); err != nil { // the night's work: it finds what a delta missed
			t.Fatalf("sweep: %v", err)
		} else if counts["missed"] > 0 {
			o.met.missed += counts["missed"]
			quiet = 0
		}
	}
	defer func() {
		if t.Failed() {
			t.Logf("schedule %d:\n%s", seed, strings.Join(weather.told, "\n"))
		}
	}()
	o.accounted(true)
	sent := map[string]bool{}
	for _, e := range o.entries() {
		if e.State != exchange.Delivered {
			t.Errorf("a %s to %s is %s: %s", e.What, e.To, e.State, e.Why)
		}
		sent[e.Type+" "+e.Copy.Value] = true
	}
	found := map[string]int{}
	for _, s := range []*sandbox.Server{world.Practice, world.Prescriber} {
		for copy, n := range copies(s) {
			found[copy] += n
		}
	}
	for copy, n := range found {
		if n != 1 || !sent[copy] {
			t.Errorf("%s stands %d times; the ledger knows it: %v", copy, n, sent[copy])
		}
	}
	for copy := range sent {
		if found[copy] == 0 {
			t.Errorf("%s is in the ledger as delivered and stands nowhere", copy)
		}
	}
	// A hub that never saw a fault comes upon the same world.
	clean := settleAt(t, world, clock, key, []string{here, there})
	for range 3 {
		clean.turn(0)
	}
	if got, want := o.board(), clean.board(); !slices.Equal(got, want) {
		t.Errorf("the board is\n%s\nwithout faults it is\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, line := range o.board() {
		if !strings.Contains(line, " "+string(readiness.InOrder)+" ") {
			t.Errorf("a blameless client is not in order: %s", line)
		}
	}
	for copy, n := range copies(world.Prescriber) {
		if n != found[copy] {
			t.Errorf("a second hub with the same key doubled %s", copy)
		}
	}
	if report, err := o.store.VerifyAudit(t.Context(), nil); err != nil || len(report.Broken)+len(report.Altered) > 0 {
		t.Errorf("the audit chain is not whole: %v %v", report, err)
	}
	o.met.faults = int64(len(weather.told) - weather.changes)
	o.met.records = int64(len(found))
	return o.met
}
