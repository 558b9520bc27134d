package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestServe(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	heard, out := io.Pipe()
	ended := make(chan int, 1)
	var errors strings.Builder
	go func() {
		code := run(ctx, []string{"--config", p.path("kaphub.yaml"), "serve"}, nil, strings.NewReader(""), out, &errors)
		_ = out.Close()
		ended <- code
	}()
	line, err := bufio.NewReader(heard).ReadString('\n')
	if err != nil {
		t.Fatalf("serve said nothing: %v %s", err, errors.String())
	}
	address := regexp.MustCompile(`http://[0-9.:]+`).FindString(line)
	get := func(path string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, ":")+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	if status, _ := get("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz answers %d", status)
	}
	if status, text := get("/readyz"); status != http.StatusOK || !strings.Contains(text, "source skylight: fresh") {
		t.Errorf("/readyz answers %d %s", status, text)
	}
	_, text := get("/metrics")
	for _, want := range []string{`kaphub_clients{prescriber="skylight",state="READY"} 1`, `kaphub_source_fresh{source="ehr"} 1`, "kaphub_deliveries{"} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
	for _, c := range p.world.Clients() {
		if strings.Contains(text, c.MRN) || strings.Contains(text, strings.Fields(c.Name)[0]) {
			t.Error("/metrics tells of a client")
		}
	}
	if status, text := get("/"); status != http.StatusOK || !strings.Contains(text, `data-test-id="sign-in"`) {
		t.Errorf("/ answers %d to whoever is not signed in: %s", status, text)
	}
	p.must(1, "serve").oneSentence(t, "another kaphub serve", "stop that one first")
	p.must(0, "status")
	p.must(0, "run", "reconcile")
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("serve exits %d: %s", code, errors.String())
	}
}
