package store

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	lives "github.com/kaphub/kaphub/fhir/life"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store/storetest"
)

func TestLivesSQLite(t *testing.T) {
	liveInStore(t, filepath.Join(t.TempDir(), "kaphub.db"), 1)
}

func TestLivesPostgres(t *testing.T) { liveInStore(t, storetest.Postgres(t), 2) }

// liveInStore has clients live in a store that is closed and opened again, and that so many replicas share: what they decide
// is what is decided of the very same lives without a store.
func liveInStore(t *testing.T, dsn string, replicas int) {
	clients := 5
	if os.Getenv("KAPHUB_CLIENT_DAYS") != "" {
		clients = 300
	}
	start := time.Date(2026, 2, 23, 0, 0, 0, 0, fhirtest.Denver)
	h := &house{world: newWorld(t, dsn), policy: inStore(), reads: map[time.Time]map[*lives.World]bool{}}
	for seed := uint64(1); len(h.worlds) < clients; seed++ {
		l := lives.LiveFrom(seed, start)
		if !slices.Equal(l.Sources(), []string{lives.Practice, lives.Prescriber}) || fmt.Sprint(l.Agreed) != fmt.Sprint(lives.Usual(start)) {
			continue // of these the store holds no more than of the others
		}
		l.Events = slices.DeleteFunc(l.Events, func(e lives.Event) bool {
			return slices.Contains([]lives.What{lives.Outage, lives.Rejected, lives.SealedAway, lives.Resembles, lives.Undelivered, lives.Role}, e.What)
		})
		w := lives.Reach(l)
		h.worlds = append(h.worlds, w)
		for i := range w.Versions {
			at := w.Versions[i].Received
			if h.reads[at] == nil {
				h.reads[at] = map[*lives.World]bool{}
			}
			h.reads[at][w] = true
		}
	}
	handles := []*DB{h.DB}
	for range replicas - 1 {
		other := h.open()
		handles = append(handles, other)
		t.Cleanup(func() { _ = other.Close() })
	}
	for i, at := range slices.SortedFunc(maps.Keys(h.reads), time.Time.Compare) {
		h.DB = handles[i%len(handles)]
		if replicas == 1 && i%100 == 99 {
			h.must(h.Close())
			handles[0] = h.open()
			h.DB = handles[0]
		}
		h.read(at)
	}
	h.DB = handles[0]
	t.Logf("%d lives, %d reads, %d verdicts the same: %v", len(h.worlds), len(h.reads), h.same, h.states)
	if h.same < 20*clients {
		t.Errorf("only %d verdicts were compared", h.same)
	}
}

// house is a store and the lives in it.
type house struct {
	*world
	policy readiness.Policy
	worlds []*lives.World
	reads  map[time.Time]map[*lives.World]bool // whom each read brings something of
	same   int
	states map[readiness.State]int
}

// inStore is the policy of the lives in the store.
func inStore() readiness.Policy {
	const day = 24 * time.Hour
	limit := func(n float64, unit string) readiness.Asked[readiness.Limit] {
		return readiness.Is(readiness.Limit{Value: n, Unit: unit})
	}
	return readiness.Policy{
		Hash:       "p1",
		Practice:   readiness.Party{Name: fhir.Practice, Title: "Reverie", Sources: []string{lives.Practice}},
		Prescriber: readiness.Party{Name: fhirtest.Prescriber, Title: "Skylight Psychedelics", Identifiers: []fhir.ID{fhirtest.PrescriberNPI}, Sources: []string{lives.Prescriber}},
		Zone:       fhirtest.Denver,
		Sheet: readiness.Sheet{
			Deciders: []fhir.ID{fhirtest.DeciderNPI}, ClearanceValidity: readiness.Is(90 * day), FollowUp: readiness.Is(90 * day), DoseInterval: readiness.Is(6 * day),
			SessionCap: readiness.Is(2), Systolic: limit(140, "mm[Hg]"), Diastolic: limit(90, "mm[Hg]"), HeartRate: limit(100, "/min"),
			Preparations: readiness.Is(1), OfficeOnly: readiness.Is(true), StatesNotServed: readiness.Is([]string{"AK", "AL"}),
		},
		Credentials: readiness.Is([]readiness.Credential{{Name: "licence", Until: readiness.DayOf(lives.Usual(time.Date(2026, 2, 23, 0, 0, 0, 0, fhirtest.Denver)).Licence, fhirtest.Denver)}}),
		Rules:       readiness.DefaultRules(),
	}
}

// read reads both sources at that time, and has whom it concerns be judged, twice.
func (h *house) read(at time.Time) {
	h.now = at
	for _, src := range []Source{ehr, skylight} {
		p := exchange.Page{Complete: true}
		for w := range h.reads[at] {
			for i := range w.Versions {
				if v := &w.Versions[i]; v.Received.Equal(at) && v.Source == src.Name {
					if v.Gone {
						p.Gone = append(p.Gone, v.Ref())
					} else {
						p.Resources = append(p.Resources, v.Resource)
					}
				}
			}
		}
		h.receive(src, p)
	}
	h.readBack(at)
	for w := range h.reads[at] {
		if client := h.client(ehr, h.patient(w)); client != "" {
			h.judge(w, client, at)
		}
	}
}

// patient is the client's id at the practice.
func (h *house) patient(w *lives.World) string {
	for i := range w.Versions {
		if v := &w.Versions[i]; v.Type == "Patient" && v.Source == lives.Practice {
			return v.ID
		}
	}
	return ""
}

// readBack reads back to the beginning whom the hub knows since this read.
func (h *house) readBack(at time.Time) {
	for range 3 {
		for _, src := range []Source{ehr, skylight} {
			r, err := h.Roster(h.ctx, src)
			h.must(err)
			for _, id := range r.New {
				p := exchange.Page{Swept: []string{id}, Complete: true}
				for _, w := range h.worlds {
					if who := h.patient(w); who != id && "s-"+who != id {
						continue
					}
					now := map[fhir.Key]*fhir.Version{}
					for i := range w.Versions {
						if v := &w.Versions[i]; v.Source == src.Name && !v.Received.After(at) {
							now[v.Key] = v
						}
					}
					for _, v := range now {
						if !v.Gone {
							p.Resources = append(p.Resources, v.Resource)
						}
					}
				}
				h.receive(src, p)
			}
		}
	}
}

// judge compares what is decided in the store with what is decided without.
func (h *house) judge(w *lives.World, client string, at time.Time) {
	h.Helper()
	var without, decided readiness.Verdict
	for range 2 { // reconciled twice, nothing changes
		chart, alone := h.chart(client), w.At(at)
		alone.Began = chart.Began // how a session began, only a store knows
		without, decided = readiness.Assess(alone, h.policy, at), readiness.Assess(chart, h.policy, at)
		h.must(h.Decide(h.ctx, decided, plan.Changes{}))
	}
	standing, err := h.Standing(h.ctx, Engagement{Client: client, Prescriber: fhirtest.Prescriber}, 0)
	h.must(err)
	if a, b, c := inWords(without), inWords(decided), inWords(standing.Verdict); a != b || b != c {
		h.Fatalf("life %d at %s\nwithout a store:\n%s\nin the store:\n%s\nas it stands there:\n%s\n%s", w.Life.Seed, at, a, b, c, w.Life)
	}
	h.same++
	if h.states == nil {
		h.states = map[readiness.State]int{}
	}
	h.states[decided.State]++
}

// inWords is what a verdict says, without the hub's keys.
func inWords(v readiness.Verdict) string {
	var b strings.Builder
	fmt.Fprintln(&b, v.State, v.Words)
	for _, g := range v.Gates {
		fmt.Fprintln(&b, g.Name, g.State, g.Words, len(g.Because))
	}
	for _, f := range v.Findings {
		fmt.Fprintln(&b, f.Code, f.Severity, f.Words)
	}
	return b.String()
}
