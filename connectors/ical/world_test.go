package ical

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/connectortest"
	"github.com/kaphub/kaphub/fhir"
)

var (
	denver = must(time.LoadLocation("America/Denver"))
	today  = time.Date(2026, 3, 2, 9, 0, 0, 0, denver)
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// far is a calendar's server. Its user writes clients into it as events with a token.
type far struct {
	*httptest.Server
	mu      sync.Mutex
	events  []string // ids, in order
	trouble connectortest.Trouble
	left    int
	fetched int
}

func newFar(t *testing.T) *far {
	t.Helper()
	w := &far{}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *far) ServeHTTP(out http.ResponseWriter, _ *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fetched++
	trouble := w.trouble
	if w.left == 0 {
		trouble = ""
	}
	if w.left > 0 {
		w.left--
	}
	body := w.body()
	out.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	switch trouble {
	case connectortest.Busy:
		out.Header().Set("Retry-After", "7")
		out.WriteHeader(http.StatusServiceUnavailable)
		return
	case connectortest.Denied:
		out.WriteHeader(http.StatusUnauthorized)
		return
	case connectortest.Garbage:
		out.Header().Set("Content-Type", "text/html")
		body = "<html><title>Sign in</title>" + connectortest.Canary + "</html>"
	case connectortest.Truncated:
		body = body[:len(body)/2]
	case connectortest.Huge:
		chunk := []byte(strings.Repeat("X-JUNK:0123456789\r\n", 4096))
		for range 2 << 30 / len(chunk) {
			if _, err := out.Write(chunk); err != nil {
				return
			}
		}
		return
	}
	_, _ = fmt.Fprint(out, body)
}

func (w *far) body() string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n")
	for _, id := range w.events {
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%s@test\r\nDTSTAMP:20260301T000000Z\r\nDTSTART:20260305T160000Z\r\nDTEND:20260305T180000Z\r\nSUMMARY:%s [%s]\r\nEND:VEVENT\r\n",
			id, connectortest.Canary, id)
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}

func (w *far) Put(t *testing.T, body string) (fhir.Ref, bool) {
	t.Helper()
	var p struct {
		ResourceType, ID string
		Name             []struct{ Given []string }
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	if p.ResourceType != "Patient" || len(p.Name) == 0 || len(p.Name[0].Given) == 0 || p.Name[0].Given[0] != "first" || strings.Contains(body, "null") {
		return fhir.Ref{}, false // a calendar knows no names, and nothing but appointments
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, p.ID)
	return fhir.Ref{Type: "Patient", ID: patientID(p.ID)}, true
}

func (w *far) Delete(_ *testing.T, ref fhir.Ref) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, id := range w.events {
		if patientID(id) == ref.ID {
			w.events = append(w.events[:i:i], w.events[i+1:]...)
			return true
		}
	}
	return false
}

func (w *far) Count(*testing.T, string, fhir.ID) int { return 0 }

func (w *far) Trouble(_ *testing.T, kind connectortest.Trouble, n int) bool {
	switch kind {
	case connectortest.Busy, connectortest.Denied, connectortest.Garbage, connectortest.Truncated, connectortest.Huge:
		w.mu.Lock()
		defer w.mu.Unlock()
		w.trouble, w.left = kind, n
		return true
	}
	return false
}

func (w *far) Mend(*testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble, w.left = "", 0
}

func TestTheConnectorPassesTheSuite(t *testing.T) {
	connectortest.Run(t, func(t *testing.T) (connectors.Connector, connectortest.World) {
		w := newFar(t)
		c, err := New(Options{Name: "calendar", Address: func() (string, error) { return w.URL + "/private-0123abcd/basic.ics?token=secret", nil },
			Zone: denver, Token: regexp.MustCompile(`\[([a-z0-9]+)\]`), PageSize: 3, Now: func() time.Time { return today }})
		if err != nil {
			t.Fatal(err)
		}
		return c, w
	})
}
