package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
)

// listener is a server that knows nobody and notes what it is given as a token.
func listener(t *testing.T) (base string, heard func() string) {
	var mu sync.Mutex
	var all strings.Builder
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		all.WriteString(r.Header.Get("Authorization") + "\n")
		http.Error(w, "no", http.StatusUnauthorized)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() string { mu.Lock(); defer mu.Unlock(); return all.String() }
}

// known is a hub whose practice's server was given by base, with a token.
func known(t *testing.T, base string) *place {
	p := settle(t)
	p.name(base)
	if err := os.MkdirAll(p.path("secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.token("the-first-secret")
	p.must(0, "status")
	return p
}

func (p *place) name(base string) {
	p.t.Helper()
	text := "hub: {time_zone: America/Denver}\npractice:\n  connectors:\n  - {name: ehr, kind: fhirrest, base_url: \"" + base + "\", auth: {kind: bearer, token_file: secrets/ehr}}\n" +
		"prescribers: [{name: skylight, identifiers: [{system: s, value: v}]}]\n"
	if err := os.WriteFile(p.path("kaphub.yaml"), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) token(text string) {
	p.t.Helper()
	if err := os.WriteFile(p.path("secrets/ehr"), []byte(text+"\n"), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// A secret that one server gave is never sent to another: whoever names another is asked for its own.
func TestAnotherServerIsNotSentTheSecretOfTheOneBefore(t *testing.T) {
	t.Parallel()
	first, _ := listener(t)
	second, heard := listener(t)
	p := known(t, first)
	k := p.stewarded()
	const base, token = "practice.connectors[0].base_url", "practice.connectors[0].auth.token_anew"
	c := k.form(t, "source-ehr", base, second)
	w := k.weigh(t, c)
	if f := fieldOf(&w.Section, token); f == nil || len(f.Wrong) == 0 {
		t.Fatalf("the token is not asked for: %+v", w.Section.WrongAt())
	}
	if _, err := k.Try(t.Context(), "Ann", c); err == nil {
		t.Error("the connection is tried with the old one")
	}
	if err := k.Settle(t.Context(), "Ann", c); err == nil {
		t.Error("it is saved with the old one")
	}
	c = k.form(t, "source-ehr", base, second, token, "the-second-secret")
	if w = k.weigh(t, c); len(w.Section.WrongAt()) > 0 || len(w.Wrong) > 0 || strings.Contains(strings.Join(w.Text, "\n"), "second-secret") {
		t.Fatalf("%v %v %q", w.Section.WrongAt(), w.Wrong, w.Text)
	}
	if f := fieldOf(&w.Section, token); f.Text != "" || !f.Held {
		t.Errorf("the secret is shown again, or is not kept: %+v", f)
	}
	c.Form.Set(token, "") // as the page that was weighed carries it
	if _, err := k.Try(t.Context(), "Ann", c); err != nil {
		t.Error(err)
	}
	if err := k.Settle(t.Context(), "Ann", c); err != nil {
		t.Fatal(err)
	}
	p.run("sync")
	if got := heard(); strings.Contains(got, "first") || !strings.Contains(got, "second") {
		t.Errorf("the other server was given %q", got)
	}
	if text, err := os.ReadFile(p.path("secrets/ehr")); err != nil || string(text) != "the-first-secret\n" {
		t.Errorf("the first server's is %q now: %v", text, err)
	}
	path := k.form(t, "source-ehr", base, second+"/r4", token, "") // the same server, another path
	if w := (steward{p.stewarded().hub}).weigh(t, console.Change{Section: path.Section, Base: path.Base, Form: path.Form}); len(w.Section.WrongAt()) > 0 {
		t.Errorf("the same host asks anew: %v", w.Section.WrongAt())
	}
}

// Whoever writes another address into the config by hand is asked, too.
func TestByHandAnotherServerIsNotSentTheSecretEither(t *testing.T) {
	t.Parallel()
	first, _ := listener(t)
	second, heard := listener(t)
	p := known(t, first)
	p.name(second)
	for _, command := range []string{"sync", "check"} {
		if got := p.run(command); got.code == 0 || !strings.Contains(got.err, "is another server than "+strings.TrimPrefix(first, "http://")) || !strings.Contains(got.err, "secrets/ehr") {
			t.Errorf("%s: %d %s", command, got.code, got.err)
		}
	}
	if heard() != "" {
		t.Fatalf("it was given %q", heard())
	}
	p.token("the-second-secret")
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(p.path("secrets/ehr"), later, later); err != nil {
		t.Fatal(err)
	}
	p.run("sync")
	if got := heard(); strings.Contains(got, "first") || !strings.Contains(got, "second") {
		t.Errorf("it was given %q", got)
	}
}
