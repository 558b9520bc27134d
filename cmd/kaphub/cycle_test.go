package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir/store"
)

// shown is what a program reads of status --json.
type shown struct {
	Schema  int
	Sources []struct{ Name, State string }
	Clients []struct {
		Client, Prescriber, State, Until string
		Identifiers                      []struct{ System, Value string }
		Gates                            []map[string]any
		Findings                         []map[string]any
	}
}

func read(t *testing.T, text string) shown {
	t.Helper()
	var b shown
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		t.Fatalf("status --json: %v\n%s", err, text)
	}
	return b
}

// byMRN are the states by the practice's own number.
func (b shown) byMRN() map[string]string {
	all := map[string]string{}
	for _, c := range b.Clients {
		for _, id := range c.Identifiers {
			if id.System == sandbox.SystemMRN {
				all[id.Value] = c.State
			}
		}
	}
	return all
}

func TestTheDemoShowsAllFiveStates(t *testing.T) {
	t.Parallel()
	s := kaphub(t.Context(), nil, "demo", "--once", "--json")
	if s.code != 0 {
		t.Fatalf("demo exits %d: %s", s.code, s.err)
	}
	b := read(t, s.out)
	world, err := sandbox.NewWorld(sandbox.WorldOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	got, states := b.byMRN(), map[string]bool{}
	for _, c := range world.Clients() {
		if got[c.MRN] != c.Wants {
			t.Errorf("%s (%s) is %s, want %s", c.MRN, c.Why, got[c.MRN], c.Wants)
		}
		states[got[c.MRN]] = true
	}
	if want := []string{"HOLD", "IN-ORDER", "NOT-READY", "READY", "UNKNOWN"}; !slices.Equal(slices.Sorted(maps.Keys(states)), want) {
		t.Errorf("states %v, want all of %v", states, want)
	}
	if b.Schema != 1 || len(b.Sources) != 2 {
		t.Errorf("schema %d with %d sources, want 1 with 2", b.Schema, len(b.Sources))
	}
	for _, c := range b.Clients {
		for _, g := range c.Gates {
			for _, key := range []string{"gate", "state", "owner", "because"} {
				if _, ok := g[key]; !ok {
					t.Errorf("gate %v has no %s", g["gate"], key)
				}
			}
			if g["state"] == "open" && (g["next"] == "" || g["owner"] == "") {
				t.Errorf("open gate %v does not say who must do what", g["gate"])
			}
		}
		for _, f := range c.Findings {
			for _, key := range []string{"rule", "code", "severity", "state", "since", "owner", "next", "because"} {
				if _, ok := f[key]; !ok {
					t.Errorf("finding %v has no %s", f["code"], key)
				}
			}
		}
	}
}

func TestADayAtTheHub(t *testing.T) {
	t.Parallel()
	p := settle(t)
	names := map[string]bool{}
	for _, c := range p.world.Clients() {
		for _, name := range strings.Fields(c.Name) {
			if name != "Sample" && name != "Example" && name != "Testcase" { // they are parts of the prescriber's and the staff's names too
				names[name] = true
			}
		}
	}
	unnamed := func(where, text string) {
		t.Helper()
		for name := range names {
			if strings.Contains(text, name) && (len(name) > 3 || utf8.ValidString(text)) { // in a megabyte of cipher an "Ivy" comes by chance
				t.Errorf("%s names a client", where)
			}
		}
	}

	first := p.must(0, "--log", "debug", "sync")
	unnamed("sync", first.out+first.err)
	p.must(0, "sync") // reads back what the hub wrote
	again := p.must(0, "sync")
	if strings.Contains(again.out, " versions") || strings.Contains(again.out, " sent") {
		t.Errorf("a sync of an unchanged world finds something new:\n%s", again.out)
	}

	board := p.must(0, "status", "--json")
	b := read(t, board.out)
	if len(b.byMRN()) != len(p.world.Clients()) {
		t.Fatalf("%d clients on the board, want %d", len(b.byMRN()), len(p.world.Clients()))
	}
	if text := p.must(0, "status").out; !strings.Contains(text, "READY") || strings.Contains(text, "\x1b[") {
		t.Error("the board must show states, and no colours where there is no terminal")
	}

	mrn := p.world.Clients()[0].MRN
	if text := p.must(0, "explain", mrn).out; !strings.Contains(text, "clearance") {
		t.Errorf("explain does not show the clearance:\n%s", text)
	}
	if got := read(t, p.must(0, "explain", mrn, "--json").out); len(got.Clients) != 1 {
		t.Errorf("explain --json tells of %d clients, want 1", len(got.Clients))
	}
	p.must(1, "explain", "RV-0").oneSentence(t, "no client")

	for _, format := range []string{"html", "csv", "json", "text"} {
		file := p.path("report." + format)
		p.must(0, "report", "--format", format, "--out", file)
		info, err := os.Stat(file)
		if err != nil || info.Size() == 0 || info.Mode().Perm() != 0o600 {
			t.Errorf("report.%s: %v, %v; want something, mode 0600", format, info, err)
		}
	}

	if text := p.must(0, "deliveries", "list", "--state", "delivered").out; !strings.Contains(text, "referral") {
		t.Errorf("the new referral is not among the delivered:\n%s", text)
	}
	id := strings.Fields(strings.Split(p.must(0, "deliveries").out, "\n")[2])[0]
	unnamed("deliveries show", p.must(0, "deliveries", "show", id).out)
	p.must(1, "deliveries", "retry", id).oneSentence(t, "only what was refused")
	p.must(0, "rejects")
	p.must(0, "run", "reconcile")
	p.must(1, "run", "lunch").oneSentence(t, "no job", "reconcile")
	p.must(0, "check")

	p.must(1, "status", "--as-of", "2020-01-01T00:00").oneSentence(t, "nothing was known")
	p.must(1, "status", "--as-of", "soon").oneSentence(t, "is no time")
	past := read(t, p.must(0, "status", "--json", "--as-of", time.Now().Add(-time.Millisecond).Format(time.RFC3339Nano)).out)
	if !maps.Equal(past.byMRN(), b.byMRN()) {
		t.Errorf("a moment ago the board was %v, now it is %v", past.byMRN(), b.byMRN())
	}

	if text := p.must(0, "audit", "verify").out; !strings.Contains(text, "holds") {
		t.Errorf("audit verify says %s", text)
	}
	p.must(0, "backup", "--out", p.path("copy"))
	kept, err := os.ReadFile(p.path("kaphub.db"))
	if err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(p.path("copy"))
	if err != nil {
		t.Fatal(err)
	}
	unnamed("the store", string(kept))
	unnamed("the backup", string(copied))
	p.must(1, "restore", "--from", p.path("copy")) // the store is there already

	p.change("dsn: kaphub.db", "dsn: other.db")
	p.must(0, "restore", "--from", p.path("copy"))
	p.must(0, "sync")
	if got := read(t, p.must(0, "status", "--json").out); !maps.Equal(got.byMRN(), b.byMRN()) {
		t.Errorf("restored and synced, the board is %v, want %v", got.byMRN(), b.byMRN())
	}
}

// Each failure ends in one sentence that says what to do, and nothing is lost: the next sync is well again.
func TestTroubleAtThePrescriber(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	tests := []struct {
		name  string
		fault sandbox.Fault
		words []string
	}{
		{"an expired token", sandbox.Fault{Do: sandbox.Expired, Times: -1}, []string{"pull skylight", "token", "renew"}},
		{"a login page instead of FHIR", sandbox.Fault{Do: sandbox.GarbagePage, Times: -1}, []string{"pull skylight"}},
		{"an answer that stops in the middle", sandbox.Fault{Do: sandbox.TruncateJSON, Times: -1}, []string{"pull skylight"}},
		{"a body of two gigabytes", sandbox.Fault{Do: sandbox.HugeBody, Bytes: 2 << 30, Times: -1}, []string{"pull skylight"}},
		{"a paging loop", sandbox.Fault{Do: sandbox.LoopPages, Times: -1}, []string{"pull skylight"}},
		{"it is down for maintenance", sandbox.Fault{Do: sandbox.Answer, Status: http.StatusServiceUnavailable, RetryAfter: time.Minute, Times: -1}, []string{"pull skylight"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p.world.Prescriber.Fault(test.fault)
			s := p.must(3, "sync")
			s.oneSentence(t, test.words...)
			p.world.Prescriber.Mend()
			p.must(0, "sync")
		})
	}
}

func TestAnUnreachablePrescriber(t *testing.T) {
	t.Parallel()
	p := settle(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	practice, _, err := p.world.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.write(practice, gone.URL)
	p.must(3, "sync").oneSentence(t, "pull skylight", "base_url")
	for mrn, state := range read(t, p.must(0, "status", "--json").out).byMRN() {
		if state == "READY" || state == "IN-ORDER" {
			t.Errorf("%s is %s though the prescriber was never read", mrn, state)
		}
	}
	if s := p.must(1, "check"); !strings.Contains(s.out, "FAILS") {
		t.Errorf("check does not say what fails:\n%s", s.out)
	}
}

func TestAWrongKey(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	if err := os.Rename(p.path("kaphub.key"), p.path("right.key")); err != nil {
		t.Fatal(err)
	}
	if err := store.NewKey().Save(p.path("kaphub.key")); err != nil {
		t.Fatal(err)
	}
	p.must(1, "status").oneSentence(t, "key")
	if err := os.Rename(p.path("right.key"), p.path("kaphub.key")); err != nil {
		t.Fatal(err)
	}
	p.must(0, "status")
}

func TestSecretsNeverPrint(t *testing.T) {
	t.Parallel()
	p := settle(t)
	const token = "tok-hunter2"
	p.change("auth: {kind: none}", "auth: {kind: bearer, token_env: PARTNER_TOKEN}")
	key, err := os.ReadFile(p.path("kaphub.key"))
	if err != nil {
		t.Fatal(err)
	}
	p.env = []string{"PARTNER_TOKEN=" + token, "KAPHUB_KEY=" + strings.TrimSpace(string(key))}
	p.world.Prescriber.Fault(sandbox.Fault{Do: sandbox.Expired, Times: -1})
	said := ""
	for _, args := range [][]string{{"--log", "debug", "sync"}, {"--log", "debug", "check", "--json"}, {"status"}, {"audit", "list"}} {
		s := p.run(args...)
		said += s.out + s.err
	}
	p.env[1] = "KAPHUB_KEY=" + strings.TrimSpace(string(key))[:40]
	s := p.must(1, "status")
	s.oneSentence(t, "KAPHUB_KEY")
	if said += s.err; strings.Contains(said, token) || strings.Contains(said, string(key[:40])) {
		t.Error("a secret was printed")
	}
}
