package sandbox

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestFaults(t *testing.T) {
	for name, row := range map[string]struct {
		fault Fault
		check func(*testing.T, *Server, asker)
	}{
		"an answer with Retry-After, twice, for posts of one type only": {
			Fault{Do: Answer, Status: 503, RetryAfter: 1500 * time.Millisecond, Times: 2, Method: "POST", Type: "Patient"},
			func(t *testing.T, s *Server, a asker) {
				if got := a.get("Patient"); got.status != 200 {
					t.Errorf("a search meets it: %d", got.status)
				}
				for range 2 {
					if got := a.do("POST", "Patient", somebody); got.status != 503 || got.header.Get("Retry-After") != "2" {
						t.Errorf("got %d, Retry-After %s", got.status, got.header.Get("Retry-After"))
					}
				}
				if got := a.do("POST", "Patient", somebody); got.status != 201 || len(s.All("Patient")) != 1 {
					t.Errorf("afterwards: %d", got.status)
				}
			}},
		"a connection that breaks before anything is done": {
			Fault{Do: DropBefore},
			func(t *testing.T, s *Server, a asker) {
				if got := a.do("POST", "Patient", somebody); got.err == nil || len(s.All("Patient")) != 0 {
					t.Errorf("got %d, %d records", got.status, len(s.All("Patient")))
				}
			}},
		"a connection that breaks when all is done": {
			Fault{Do: DropAfter},
			func(t *testing.T, s *Server, a asker) {
				if got := a.do("POST", "Patient", somebody); got.err == nil || len(s.All("Patient")) != 1 {
					t.Errorf("got %d, %d records", got.status, len(s.All("Patient")))
				}
			}},
		"every third reply is swallowed, for ever": {
			Fault{Do: DropAfter, Every: 3, Times: -1},
			func(t *testing.T, s *Server, a asker) {
				lost := 0
				for range 9 {
					if a.do("POST", "Patient", somebody).err != nil {
						lost++
					}
				}
				if lost != 3 || len(s.All("Patient")) != 9 {
					t.Errorf("%d lost, %d records", lost, len(s.All("Patient")))
				}
			}},
		"a page that leads to itself": {
			Fault{Do: LoopPages, Times: 2},
			func(t *testing.T, _ *Server, a asker) {
				first := a.get("Patient")
				if second := a.get(first.next()); first.next() == "" || second.next() != first.next() {
					t.Errorf("next %q, then %q", first.next(), second.next())
				}
			}},
		"a row that is not shown": {
			Fault{Do: WithholdRow},
			func(t *testing.T, s *Server, a asker) {
				for range 2 {
					if _, err := s.Put([]byte(somebody)); err != nil {
						t.Fatal(err)
					}
				}
				got := a.get("Patient")
				if got.ids() != "patient-2" || got.text("total") != "2" || got.text("entry", "resource", "resourceType") != "OperationOutcome" || got.text("entry", "search", "mode") != "outcome" {
					t.Errorf("got %s", got.body)
				}
			}},
		"a login page": {
			Fault{Do: GarbagePage},
			func(t *testing.T, _ *Server, a asker) {
				if got := a.get("Patient"); got.status != 200 || got.tree != nil || !strings.Contains(got.header.Get("Content-Type"), "html") {
					t.Errorf("got %d %s", got.status, got.body)
				}
			}},
		"an answer that stops in the middle": {
			Fault{Do: TruncateJSON},
			func(t *testing.T, _ *Server, a asker) {
				if got := a.get("Patient"); got.err != nil || got.tree != nil || !strings.HasPrefix(got.body, `{"resourceType":"Bundle"`) {
					t.Errorf("got %s", got.body)
				}
			}},
		"an expired token": {
			Fault{Do: Expired},
			func(t *testing.T, _ *Server, a asker) {
				if got := a.get("Patient"); got.status != 401 || got.text("issue", "code") != "expired" {
					t.Errorf("got %d %s", got.status, got.body)
				}
			}},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewServer(newClock().options(Dialect{}))
			s.Fault(row.fault)
			a := serve(t, s)
			row.check(t, s, a)
			s.Mend()
			if got := a.get("Patient"); got.status != 200 || got.tree == nil {
				t.Errorf("after mending: %d", got.status)
			}
		})
	}
}

func TestADelayIsSpentByTheWaitThatWasGiven(t *testing.T) {
	var waited time.Duration
	o := newClock().options(Dialect{})
	o.Wait = func(_ context.Context, d time.Duration) error { waited += d; return nil }
	s := NewServer(o)
	s.Fault(Fault{Do: Delay, Delay: time.Hour})
	if got := serve(t, s).get("Patient"); got.status != 200 || waited != time.Hour {
		t.Errorf("got %d after %v", got.status, waited)
	}
}

func TestAHugeBodyCostsTheServerNothing(t *testing.T) {
	s := NewServer(newClock().options(Dialect{}))
	const size = 256 << 20
	s.Fault(Fault{Do: HugeBody, Bytes: size})
	a := serve(t, s)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.base+"/Patient", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	n, err := io.Copy(io.Discard, res.Body)
	runtime.ReadMemStats(&after)
	if err != nil || n < size {
		t.Errorf("read %d: %v", n, err)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 8<<20 {
		t.Errorf("%d bytes were allocated for it", spent)
	}
}

func TestFaultsCanBePostedWhereTheDoorIsOpen(t *testing.T) {
	a := serve(t, NewServer(newClock().options(Dialect{})))
	if got := a.do("POST", "_fault", `[{"do":"answer","status":429}]`); got.status != 204 {
		t.Fatalf("post: %d", got.status)
	}
	if got := a.get("Patient"); got.status != 429 {
		t.Errorf("got %d", got.status)
	}
	if a.do("POST", "_fault", `[{"do":"expired","times":-1}]`); a.do("DELETE", "_fault", "").status != 204 || a.get("Patient").status != 200 {
		t.Error("not mended")
	}
	shut := serve(t, NewServer(Options{}))
	if got := shut.do("POST", "_fault", `[{"do":"answer","status":429}]`); got.status != 404 {
		t.Errorf("a shut door: %d", got.status)
	}
}

func TestManyAtOnceEachGetTheirOwn(t *testing.T) {
	s := NewServer(newClock().options(Dialect{PageCap: 3}))
	a := serve(t, s)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				a.do("POST", "Patient", somebody, "If-None-Exist", "identifier=urn:mrn|1")
				a.do("POST", "Task", `{"resourceType":"Task"}`)
				a.get(a.get("Task").next())
			}
		})
	}
	all.Wait()
	if p, n := len(s.All("Patient")), len(s.All("Task")); p != 1 || n != 80 {
		t.Errorf("%d patients, %d tasks", p, n)
	}
}

func TestABodyThatIsTooLargeIsRefused(t *testing.T) {
	o := newClock().options(Dialect{})
	o.MaxBody = 1000
	a := serve(t, NewServer(o))
	if got := a.do("POST", "Patient", `{"resourceType":"Patient","x":"`+strings.Repeat("y", 2000)+`"}`); got.status != 413 {
		t.Errorf("got %d", got.status)
	}
}
