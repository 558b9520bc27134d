package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// Metrics count findings by rule; that a client's scores got worse is for the therapist only, and one more or less of a
// small practice would tell.
func TestMetricsCountNothingThatIsConfided(t *testing.T) {
	one := func(code string, s readiness.Severity) readiness.Finding {
		return readiness.Finding{Code: code, Severity: s}
	}
	over := one("R10", readiness.S2)
	over.Resolved = time.Unix(1, 0)
	got := countFindings([]readiness.Verdict{
		{Findings: []readiness.Finding{one("R38", readiness.S2), one("R10", readiness.S2)}},
		{Findings: []readiness.Finding{one("R10", readiness.S2), over, one("R38", readiness.S3)}},
	})
	if fmt.Sprint(got) != "map[[R10 S2]:2]" {
		t.Errorf("counted: %v", got)
	}
}

// A practice is small: how many of its clients are on hold is not the world's to count. What a proxy passes on is the world's.
func TestNoProxyPassesTheCountsOn(t *testing.T) {
	d, _ := newHub(t)
	st := stand(t, d.file, nil)
	ask := func(path string, headers ...string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+st.address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range headers {
			r.Header.Set(h, "203.0.113.9")
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	if status, body := ask("/metrics"); status != http.StatusOK || !strings.Contains(body, "kaphub_paused") {
		t.Errorf("its own monitoring is answered %d", status)
	}
	if _, body := ask("/readyz"); !strings.Contains(body, "source ") {
		t.Errorf("the operator is told %q", body)
	}
	for _, by := range []string{"X-Forwarded-For", "Forwarded", "X-Forwarded-Proto", "X-Real-Ip"} {
		if status, body := ask("/metrics", by); status != http.StatusForbidden || strings.Contains(body, "kaphub_") {
			t.Errorf("%s: %d %s", by, status, body)
		}
		if status, body := ask("/readyz", by); status != http.StatusOK || strings.Contains(body, "source") {
			t.Errorf("%s: %d %s", by, status, body)
		}
	}
}
