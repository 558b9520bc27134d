//go:build unix

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kaphub/kaphub/connectors/sandbox"
)

// hostile is a partner who answers searches of one type as it pleases, and all else as it should.
type hostile struct {
	http.Handler
	typ    string
	answer func(w http.ResponseWriter, r *http.Request)
}

func (h hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && strings.Trim(r.URL.Path, "/") == h.typ {
		w.Header().Set("Content-Type", "application/fhir+json")
		h.answer(w, r)
		return
	}
	h.Handler.ServeHTTP(w, r)
}

const searchset = `{"resourceType":"Bundle","type":"searchset"`

func row(i int, of, more string) string {
	return fmt.Sprintf(`{"resource":{"resourceType":"Observation","id":"h%d","meta":{"versionId":"%d","lastUpdated":"2026-01-01T00:00:00.%03dZ"},"status":"final","code":{"text":"x"},"subject":{"reference":"Patient/%s"}%s}}`, i, i, i%1000, of, more)
}

// A hostile prescriber must not bring the hub down, must be named, and must cost nobody else anything: the practice is
// read, every client is on the board, and memory stays bounded. Each case runs the binary as a user would.
func TestAHostilePartnerIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the binary")
	}
	const limit = 256 << 10 // KiB of memory, at its highest
	bin := filepath.Join(t.TempDir(), "kaphub")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	var elsewhere atomic.Int64
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere.Add(1)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(stranger.Close)
	const observation = "Observation"
	for _, tc := range []struct {
		name   string
		typ    string
		says   string // what sync says of it; "" = it is bounded and all is well
		answer func(w http.ResponseWriter, r *http.Request)
	}{
		{"a Bundle of 100,000 entries", observation, "a page of more than 10000 rows", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, searchset+`,"entry":[`+row(0, "x", ""))
			for i := range 100_000 {
				_, _ = io.WriteString(w, ","+row(i+1, "x", ""))
			}
			_, _ = io.WriteString(w, `]}`)
		}},
		{"a page of 200 MB", observation, "larger than 32 MiB", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, searchset+`,"entry":[`)
			for range 200 {
				if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<20)); err != nil {
					return
				}
			}
			_, _ = io.WriteString(w, `]}`)
		}},
		{"a gzip bomb", observation, "larger than 32 MiB", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 2000 {
				if _, err := z.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
			_ = z.Close()
		}},
		{"nesting half a million deep", observation, "broken JSON", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, searchset+`,"entry":[{"resource":{"resourceType":"Observation","id":"deep","status":"final","code":`+strings.Repeat(`{"extension":[`, 500_000)+`]}}}`)
		}},
		{"a next link to another host", observation, "next link leads away", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, searchset+`,"link":[{"relation":"next","url":"`+stranger.URL+`/Observation?page=2"}],"entry":[`+row(1, "x", "")+`]}`)
		}},
		{"a redirect with the token", observation, "Observation", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, stranger.URL+"/Observation", http.StatusTemporaryRedirect)
		}},
		{"duplicate keys in the Bundle", observation, "a key comes twice", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, searchset+`,"entry":[],"entry":[`+row(1, "x", "")+`]}`)
		}},
		{"10,000 versions of one resource", observation, "", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, searchset+`,"entry":[`)
			for i := range 10_000 {
				_, _ = io.WriteString(w, map[bool]string{true: ","}[i > 0]+strings.Replace(row(i, "patient-2", ""), `"id":"h`+strconv.Itoa(i)+`"`, `"id":"one"`, 1))
			}
			_, _ = io.WriteString(w, `]}`)
		}},
		{"a chain of pages without an end", observation, "paging loop", func() func(http.ResponseWriter, *http.Request) {
			var n atomic.Int64
			return func(w http.ResponseWriter, r *http.Request) {
				_, _ = fmt.Fprintf(w, `%s,"link":[{"relation":"next","url":"http://%s/Observation?cursor=%d"}],"entry":[%s]}`, searchset, r.Host, n.Add(1), row(1, "x", ""))
			}
		}()},
		{"a header of a megabyte and more", observation, "Observation", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 2<<20))
			_, _ = io.WriteString(w, searchset+`}`)
		}},
		{"another content type", observation, "not FHIR JSON", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-msdownload")
			_, _ = io.WriteString(w, searchset+`}`)
		}},
		{"ids with path tricks", observation, "", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, searchset+`,"entry":[{"resource":{"resourceType":"Observation","id":"../../metadata?x=1#","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/../../etc"}}}]}`)
		}},
		{"a bomb of references", observation, "", func(w http.ResponseWriter, _ *http.Request) {
			refs := make([]string, 20_000)
			for i := range refs {
				refs[i] = `{"reference":"Practitioner/p` + strconv.Itoa(i) + `"}`
			}
			_, _ = io.WriteString(w, searchset+`,"entry":[`+row(1, "x", `,"performer":[`+strings.Join(refs, ",")+`]`)+`]}`)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) { // one after the other: each holds much memory by itself
			p := settle(t)
			world, err := sandbox.NewWorld(sandbox.WorldOptions{Seed: 1, Newcomers: 2})
			if err != nil {
				t.Fatal(err)
			}
			p.world = world
			p.between(asItIs, func(h http.Handler) http.Handler { return hostile{h, tc.typ, tc.answer} })
			p.run("sync") // whom the hub brings there is known there from now on
			elsewhere.Store(0)
			var out bytes.Buffer
			command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPeakOfAnotherProcess$")
			command.Env = append(os.Environ(), measured+"="+bin+" --config "+p.path("kaphub.yaml")+" sync", measuredTo+"="+p.path("peak"))
			command.Stdout, command.Stderr = &out, &out
			_ = command.Run()
			usage := peak(t, p.path("peak"))
			t.Logf("exit %d, %d MiB at the highest: %s", command.ProcessState.ExitCode(), usage>>10, strings.TrimSpace(out.String()[strings.LastIndex(strings.TrimSpace(out.String()), "\n")+1:]))
			if usage > limit {
				t.Errorf("%d MiB", usage>>10)
			}
			if n := elsewhere.Load(); n > 0 {
				t.Errorf("another host was asked %d times", n)
			}
			if tc.says != "" && (command.ProcessState.ExitCode() != exitUnwell || !strings.Contains(out.String(), tc.says)) {
				t.Errorf("exit %d, want %d and %q:\n%s", command.ProcessState.ExitCode(), exitUnwell, tc.says, out.String())
			}
			if n := regexp.MustCompile(`pull skylight .* (\d{3,}) versions`).FindStringSubmatch(out.String()); n != nil {
				t.Errorf("%s versions were stored", n[1])
			}
			board := read(t, p.must(0, "status", "--json").out)
			if len(board.byMRN()) != len(p.world.Clients()) {
				t.Errorf("%d clients on the board, want %d", len(board.byMRN()), len(p.world.Clients()))
			}
			for mrn, state := range board.byMRN() {
				if tc.says != "" && (state == "READY" || state == "IN-ORDER") {
					t.Errorf("%s is %s", mrn, state)
				}
			}
			if state := board.Sources[0].State; state != "fresh" {
				t.Errorf("the practice is %s", state)
			}
		})
	}
}
