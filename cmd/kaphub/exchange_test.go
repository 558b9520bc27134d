package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir/store"
)

// writes counts what was asked of both servers other than to be read.
func (p *place) writes() (n int) {
	for _, s := range []*sandbox.Server{p.world.Practice, p.world.Prescriber} {
		for _, call := range s.Calls() {
			if call.Method != http.MethodGet {
				n++
			}
		}
	}
	return n
}

// between puts a handler before each of the world's servers.
func (p *place) between(practice, prescriber func(http.Handler) http.Handler) {
	p.t.Helper()
	var urls [2]string
	for i, s := range []http.Handler{practice(p.world.Practice), prescriber(p.world.Prescriber)} {
		server := httptest.NewServer(s)
		p.t.Cleanup(server.Close)
		urls[i] = server.URL
	}
	p.write(urls[0], urls[1])
}

func asItIs(h http.Handler) http.Handler { return h }

// adorned is a server that writes more into what it stores than it was given, as many do.
func adorned(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost || r.Method == http.MethodPut {
			var o map[string]any
			if err := json.NewDecoder(r.Body).Decode(&o); err == nil {
				o["language"] = "en-US"
				o["text"] = map[string]any{"status": "generated", "div": `<div xmlns="http://www.w3.org/1999/xhtml">by the server</div>`}
				body, _ := json.Marshal(o)
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			}
		}
		h.ServeHTTP(w, r)
	})
}

// What the hub writes comes back on the next read. It must never be news: three cycles over worlds in which nothing
// happens stage nothing and write nothing, whatever the servers are like.
func TestNoEcho(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		dialect sandbox.Dialect
		wrap    func(http.Handler) http.Handler
		settle  int // cycles until all is said
	}{
		{"plain servers", sandbox.Dialect{}, asItIs, 2},
		{"searches do not tell what changed", sandbox.Dialect{NoLastUpdated: true}, asItIs, 3}, // whom they know is asked for, then read, then told home
		{"creates are not conditional", sandbox.Dialect{NoConditionalCreate: true, IfMatch: sandbox.IfMatch409, Escaped: true}, asItIs, 2},
		{"what was written shows up late", sandbox.Dialect{LateBy: 3}, asItIs, 4},
		{"servers rewrite what they are given", sandbox.Dialect{}, adorned, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := settle(t)
			p.world.Practice.Speak(test.dialect)
			p.world.Prescriber.Speak(test.dialect)
			p.between(test.wrap, test.wrap)
			for range test.settle {
				p.must(0, "sync")
			}
			said, written := p.must(0, "deliveries").out, p.writes()
			if written == 0 {
				t.Fatal("nothing was ever written: there is nothing to echo")
			}
			for i := range 3 {
				out := p.must(0, "sync").out
				if n := p.writes(); n != written {
					t.Errorf("cycle %d writes %d times", i+1, n-written)
				}
				if strings.Contains(out, " staged") || strings.Contains(out, " sent") || strings.Contains(out, " versions") {
					t.Errorf("cycle %d finds something new:\n%s", i+1, out)
				}
			}
			if again := p.must(0, "deliveries").out; again != said {
				t.Errorf("the ledger moved:\n%s\nwas\n%s", again, said)
			}
		})
	}
}

// canary is a client who is easy to find wherever she is named.
var canary = []string{"Wilhelmina", "Featherstonehaugh", "1971-04-05", "Birdcage", "CANARY-77", "555-0177", "sorrowful"}

func plantCanary(t *testing.T, s *sandbox.Server) {
	t.Helper()
	const npi = `{"identifier":{"system":"http://hl7.org/fhir/sid/us-npi","value":"` + sandbox.NPI + `"}}`
	for _, body := range []string{
		`{"resourceType":"Patient","id":"canary","identifier":[{"system":"` + sandbox.SystemMRN + `","value":"CANARY-77"}],"name":[{"use":"official","family":"Featherstonehaugh","given":["Wilhelmina"]}],
		  "birthDate":"1971-04-05","address":[{"line":["1 Birdcage Walk"],"city":"Denver","state":"CO"}],"telecom":[{"system":"phone","value":"303-555-0177"}]}`,
		`{"resourceType":"Consent","id":"canary-release","status":"active","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
		  "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IDSCL"}]}],"patient":{"reference":"Patient/canary"},"dateTime":"2026-01-01T10:00:00Z",
		  "policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]},
		  "provision":{"type":"permit","actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},"reference":` + npi + `}]}}`,
		`{"resourceType":"ServiceRequest","id":"canary-referral","status":"active","intent":"order","code":{"coding":[{"system":"https://kaphub.example/fhir/CodeSystem/kap","code":"kap-evaluation"}]},
		  "subject":{"reference":"Patient/canary"},"authoredOn":"2026-01-02T10:00:00Z","performer":[` + npi + `],"reasonCode":[{"text":"sorrowful"}]}`,
		`{"resourceType":"Flag","id":"canary-flag","status":"active","code":{"text":"sorrowful"},"subject":{"reference":"Patient/canary","display":"Wilhelmina"},"author":null}`,
	} {
		if _, err := s.Put([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
}

// blabbing refuses every Consent, and repeats in its refusal what it was told of whom.
func blabbing(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/Consent" {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/fhir+json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = fmt.Fprintf(w, `{"resourceType":"OperationOutcome","text":{"div":"%s"},"issue":[{"severity":"error","code":"invalid","diagnostics":"%s"},{"severity":"Wilhelmina","code":"Featherstonehaugh"}]}`,
			strings.Join(canary, " "), strings.Join(canary, " "))
	})
}

func TestASyncThatWasRefusedSomethingIsNotWell(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.between(asItIs, blabbing)
	plantCanary(t, p.world.Practice)
	p.must(exitUnwell, "sync").oneSentence(t, "not all is well", "refused by skylight", "kaphub deliveries list --state refused")
	if list := p.must(0, "deliveries", "list", "--state", "refused"); !strings.Contains(list.out, "consent") {
		t.Errorf("and the list does not show it:\n%s", list.out)
	}
}

func TestNobodyIsNamedWhereNobodyNeedsToBe(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.between(asItIs, blabbing)
	plantCanary(t, p.world.Practice)
	silent := func(where, text string) {
		t.Helper()
		for _, word := range canary {
			if strings.Contains(text, word) {
				t.Errorf("%s tells %q", where, word)
			}
		}
	}
	whatIsSaid := func(where string, s said) {
		t.Helper()
		silent(where, s.out+s.err)
	}
	file := func(name string, must bool) {
		t.Helper()
		body, err := os.ReadFile(p.path(name))
		if must && (err != nil || len(body) == 0) {
			t.Errorf("%s: %d bytes, %v", name, len(body), err)
		}
		silent(name, string(body))
	}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	heard, out := io.Pipe()
	ended := make(chan int, 1)
	var log lockedBuffer
	go func() {
		code := run(ctx, []string{"--config", p.path("kaphub.yaml"), "--log", "debug", "serve"}, nil, strings.NewReader(""), out, &log)
		_ = out.Close()
		ended <- code
	}()
	line, err := bufio.NewReader(heard).ReadString('\n')
	if err != nil {
		t.Fatalf("serve said nothing: %v %s", err, log.String())
	}
	address := regexp.MustCompile(`http://[0-9.]+:[0-9]+`).FindString(line)

	whatIsSaid("sync", p.run("--log", "debug", "sync"))
	whatIsSaid("run", p.run("--log", "debug", "run", "sync"))
	if refused := p.must(0, "deliveries", "list", "--state", "refused"); !strings.Contains(refused.out, "consent") {
		t.Errorf("her release was not refused, so nothing is tested:\n%s", refused.out)
	} else {
		whatIsSaid("deliveries", refused)
	}
	rejects := p.must(0, "rejects", "list")
	if !strings.Contains(rejects.out, "Flag") {
		t.Errorf("her Flag was not rejected, so nothing is tested:\n%s", rejects.out)
	}
	whatIsSaid("rejects", rejects)
	for _, fault := range []sandbox.Fault{{Do: sandbox.TruncateJSON, Times: -1}, {Do: sandbox.DropAfter, Times: -1}, {Do: sandbox.GarbagePage, Times: -1}} {
		p.world.Practice.Fault(fault)
		whatIsSaid(string(fault.Do), p.run("--log", "debug", "sync"))
		whatIsSaid(string(fault.Do), p.run("--log", "debug", "check"))
		p.world.Practice.Mend()
	}
	for _, path := range []string{"/metrics", "/readyz"} {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || len(body) == 0 {
			t.Errorf("%s: %v", path, err)
		}
		silent(path, string(body))
	}

	file("kaphub.db", true)
	file("kaphub.db-wal", true) // while it is in use
	p.must(0, "backup", "--out", p.path("copy"))
	file("copy", true)
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("serve exits %d", code)
	}
	silent("serve's log", log.String())
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			file(e.Name(), false)
		}
	}

	// Inside, she is named in what was received, judged and sent, and nowhere else: no job, no run, no audit entry.
	named := p.tablesNaming(canary)
	if want := []string{"delivery", "verdict", "version"}; !slices.Equal(named, want) {
		t.Errorf("she is named in the tables %v, want only %v", named, want)
	}
}

// tablesNaming returns the tables of the store in which one of words can be read.
func (p *place) tablesNaming(words []string) (named []string) {
	p.t.Helper()
	key, err := store.LoadKey(p.path("kaphub.key"))
	if err != nil {
		p.t.Fatal(err)
	}
	db, err := store.Open(p.t.Context(), store.Options{DSN: p.path("kaphub.db"), Key: key})
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	sqlite, _ := db.Handles()
	column := func(query string) (all []string) {
		rows, err := sqlite.QueryContext(p.t.Context(), query)
		if err != nil {
			p.t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				p.t.Fatal(err)
			}
			all = append(all, text)
		}
		if err := rows.Err(); err != nil {
			p.t.Fatal(err)
		}
		return all
	}
	tables := column(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
	if !slices.Contains(tables, "river_job") {
		p.t.Fatalf("there is no queue among the tables %v", tables)
	}
	for _, table := range tables {
		found := false
		for _, name := range column(`SELECT name FROM pragma_table_info('` + table + `')`) {
			for _, text := range column(`SELECT CAST(coalesce("` + name + `", '') AS TEXT) FROM "` + table + `"`) {
				found = found || slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
			}
		}
		if found {
			named = append(named, table)
		}
	}
	return named
}

// lockedBuffer may be read while another goroutine writes it.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// plant writes resources as the server's own user would.
func plant(t *testing.T, s *sandbox.Server, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if _, err := s.Put([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
}

// referred is a client of the practice with a release and a referral to the prescriber.
func referred(t *testing.T, s *sandbox.Server, id, family, born, mrn string) {
	t.Helper()
	const npi = `{"identifier":{"system":"http://hl7.org/fhir/sid/us-npi","value":"` + sandbox.NPI + `"}}`
	plant(t, s,
		`{"resourceType":"Patient","id":"`+id+`","identifier":[{"system":"`+sandbox.SystemMRN+`","value":"`+mrn+`"}],"name":[{"use":"official","family":"`+family+`","given":["Testa"]}],"birthDate":"`+born+`"}`,
		`{"resourceType":"Consent","id":"`+id+`-release","status":"active","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
		  "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IDSCL"}]}],"patient":{"reference":"Patient/`+id+`"},"dateTime":"2026-01-01T10:00:00Z",
		  "policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]},
		  "provision":{"type":"permit","actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},"reference":`+npi+`}]}}`,
		`{"resourceType":"ServiceRequest","id":"`+id+`-referral","status":"active","intent":"order","code":{"coding":[{"system":"https://kaphub.example/fhir/CodeSystem/kap","code":"kap-evaluation"}]},
		  "subject":{"reference":"Patient/`+id+`"},"authoredOn":"2026-01-02T10:00:00Z","performer":[`+npi+`]}`)
}

// whole returns the resources of a type that stand at a server and hold every one of words.
func whole(s *sandbox.Server, typ string, words ...string) (found []string) {
	for _, body := range s.All(typ) {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(string(body), word) }) {
			found = append(found, string(body))
		}
	}
	return found
}

func TestNothingIsToldUnderARecordThatMayBeAnothers(t *testing.T) {
	t.Parallel()
	p := settle(t)
	referred(t, p.world.Practice, "ada", "Invented", "1990-01-01", "MRN-SHARED")
	referred(t, p.world.Practice, "bea", "Fabricated", "1991-02-02", "MRN-SHARED")
	plant(t, p.world.Prescriber, `{"resourceType":"Patient","id":"whose","identifier":[{"system":"`+sandbox.SystemMRN+`","value":"MRN-SHARED"}],"name":[{"family":"Invented"}],"birthDate":"1990-01-01"}`)
	p.must(0, "sync")
	p.must(0, "sync")
	for _, typ := range []string{"Consent", "ServiceRequest", "Task"} {
		if found := whole(p.world.Prescriber, typ, "Patient/whose"); len(found) > 0 {
			t.Errorf("%d %s were written under a record that is one of two clients'", len(found), typ)
		}
	}
}

// A clearance written for the wrong client, and then moved to the right one, must not go on standing at the practice.
func TestARecordThatMovesToAnotherClientIsTakenBackAtTheFirst(t *testing.T) {
	t.Parallel()
	p := settle(t)
	referred(t, p.world.Practice, "ada", "Invented", "1990-01-01", "MRN-ADA")
	referred(t, p.world.Practice, "bea", "Fabricated", "1991-02-02", "MRN-BEA")
	there := func(id, family, born, mrn string) string {
		return `{"resourceType":"Patient","id":"s-` + id + `","identifier":[{"system":"` + sandbox.SystemMRN + `","value":"` + mrn + `"}],"name":[{"use":"official","family":"` + family + `","given":["Testa"]}],"birthDate":"` + born + `"}`
	}
	plant(t, p.world.Prescriber, there("ada", "Invented", "1990-01-01", "MRN-ADA"), there("bea", "Fabricated", "1991-02-02", "MRN-BEA"))
	cleared := func(patient string) string {
		return `{"resourceType":"Observation","id":"decision","status":"final","code":{"coding":[{"system":"https://kaphub.example/fhir/CodeSystem/kap","code":"medical-clearance"}]},"subject":{"reference":"Patient/` + patient + `"},
		  "issued":"2026-02-01T10:00:00Z","effectivePeriod":{"start":"2026-02-01"},"performer":[{"identifier":{"system":"http://hl7.org/fhir/sid/us-npi","value":"` + sandbox.NPI + `"}}],
		  "valueCodeableConcept":{"coding":[{"system":"https://kaphub.example/fhir/CodeSystem/clearance-decision","code":"cleared"}]}}`
	}
	plant(t, p.world.Prescriber, cleared("s-ada"))
	p.must(0, "sync")
	if n := len(whole(p.world.Practice, "Observation", "Patient/ada", "medical-clearance", `"final"`)); n != 1 {
		t.Fatalf("%d copies of the clearance at ada's", n)
	}
	plant(t, p.world.Prescriber, cleared("s-bea"))
	p.must(0, "sync")
	p.must(0, "sync")
	if n := len(whole(p.world.Practice, "Observation", "Patient/ada", "medical-clearance", `"final"`)); n != 0 {
		t.Errorf("%d copies of bea's clearance still stand at ada's", n)
	}
	if n := len(whole(p.world.Practice, "Observation", "Patient/bea", "medical-clearance", `"final"`)); n != 1 {
		t.Errorf("%d copies of the clearance at bea's", n)
	}
}

func TestTwoHubsAtOnceWriteNothingTwice(t *testing.T) {
	t.Parallel()
	p := settle(t)
	plain := sandbox.Dialect{NoConditionalCreate: true}
	p.world.Practice.Speak(plain)
	p.world.Prescriber.Speak(plain)
	for i := range 5 {
		referred(t, p.world.Practice, fmt.Sprint("more", i), "Invented", "1990-01-01", fmt.Sprint("MRN-MORE-", i))
	}
	p.must(0, "rejects") // the store is made by one
	for range 2 {
		var both sync.WaitGroup
		for range 3 {
			both.Go(func() { p.run("sync") })
		}
		both.Wait()
	}
	p.must(0, "sync")
	copies := regexp.MustCompile(`"system":"https://kaphub.example/fhir/[^"]*copy[^"]*","value":"([^"]+)"`)
	seen, total := map[string]int{}, 0
	for _, s := range []*sandbox.Server{p.world.Practice, p.world.Prescriber} {
		for _, body := range s.All() {
			for _, match := range copies.FindAllStringSubmatch(string(body), -1) {
				if !strings.Contains(string(body), `"focus":[{"identifier"`) && !strings.Contains(string(body), "authorizingPrescription") {
					seen[match[1]]++
				}
				total++
			}
		}
	}
	for id, n := range seen {
		if n > 1 {
			t.Errorf("copy %s stands %d times", id, n)
		}
	}
	if total < 20 {
		t.Errorf("only %d copies were made: nothing is tested", total)
	}
}
