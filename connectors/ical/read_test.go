package ical

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
)

const secretPath = "/calendar/ical/maya%40reverie.example/private-0123abcd/basic.ics?token=hush"

// discreet fails if err tells anything of the secret address.
func discreet(t *testing.T, err error) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %s", err, err, connectors.Why(err))
	for _, secret := range []string{"0123abcd", "hush", "maya", "127.0.0.1", "basic.ics"} {
		if strings.Contains(text, secret) {
			t.Errorf("the error tells of the address: %s", text)
		}
	}
}

func from(t *testing.T, address func() (string, error), now func() time.Time) connectors.Connector {
	t.Helper()
	return must(New(Options{Name: "calendar", Address: address, Zone: denver, Token: regexp.MustCompile(defaultToken), Now: now}))
}

func TestWhatDidNotChangeIsNotFetchedAgain(t *testing.T) {
	now, whole, unchanged := today, 0, 0
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.EscapedPath() + "?" + r.URL.RawQuery
		if r.Header.Get("If-None-Match") == `"one"` && r.Header.Get("If-Modified-Since") != "" {
			unchanged++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		whole++
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Last-Modified", "Mon, 02 Mar 2026 00:00:00 GMT")
		w.Header().Set("Content-Type", "text/calendar")
		_, _ = fmt.Fprint(w, "BEGIN:VCALENDAR\n"+vevent("a", "DTSTART:20260302T160000Z", "DURATION:PT2H", "RRULE:FREQ=MONTHLY", "SUMMARY:K-1A")+"END:VCALENDAR\n")
	}))
	defer server.Close()
	c := from(t, func() (string, error) { return server.URL + secretPath, nil }, func() time.Time { return now })
	roster := exchange.RosterOf(nil, exchange.Everybody{Members: []string{patientID("K-1A")}})
	first := must(c.Puller.Pull(t.Context(), "", roster))
	if asked != secretPath {
		t.Errorf("asked for %q", asked)
	}
	now = now.AddDate(0, 1, 0)
	second := must(c.Puller.Pull(t.Context(), first.Next, roster))
	if whole != 1 || unchanged != 1 || !second.Complete || len(second.Resources) != 1 {
		t.Errorf("%d whole answers, %d unchanged, %d records: what comes into the window is told though the feed did not change", whole, unchanged, len(second.Resources))
	}
}

func TestTheSecretAddressIsInNoError(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	status := http.StatusFound
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", elsewhere.URL)
		w.WriteHeader(status)
	}))
	defer server.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, tc := range []struct {
		name    string
		address string
		err     error
		status  int
		fault   connectors.Fault
	}{
		{"redirected", server.URL + secretPath, nil, http.StatusFound, connectors.Refused},
		{"taken back", server.URL + secretPath, nil, http.StatusForbidden, connectors.Denied},
		{"not there", server.URL + secretPath, nil, http.StatusNotFound, connectors.Refused},
		{"nobody answers", gone.URL + secretPath, nil, 0, connectors.Temporary},
		{"http beyond this machine", "http://calendar.example" + secretPath, nil, 0, connectors.Denied},
		{"no address at all", "maya hush", nil, 0, connectors.Denied},
		{"an empty file", "", nil, 0, connectors.Denied},
		{"no file", "", errors.New("open /secrets/0123abcd"), 0, connectors.Denied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status = tc.status
			c := from(t, func() (string, error) { return tc.address, tc.err }, func() time.Time { return today })
			_, err := c.Puller.Pull(t.Context(), "", exchange.Roster{})
			e, ok := errors.AsType[*connectors.Error](err)
			if !ok || e.Fault != tc.fault || e.Hint == "" {
				t.Fatalf("got %v", err)
			}
			discreet(t, err)
		})
	}
}

func TestEveryMistakeOfTheConfigIsTold(t *testing.T) {
	bad := Config{URLFile: "a", URLEnv: "B", Token: `(K)(-)(.*)`, Kinds: []KindRule{{Match: "", Kind: "dosing"}, {Match: "[", Kind: "nap"}},
		Locations: []PlaceRule{{Match: ".*", Place: "moon"}}, Therapist: &TherapistID{System: "x"}, Back: -1, Ahead: 500 * day, ConfirmFor: -1, PageSize: -1}
	var keys []string
	for _, m := range bad.Validate() {
		keys = append(keys, m.Key)
	}
	same(t, keys, "url_file", "token", "kinds[0].match", "kinds[1].match", "kinds[1].kind", "locations[0].match", "locations[0].place", "therapist",
		"back", "ahead", "confirm_missing_for", "page_size")
	if wrong := (Config{File: "feed.ics", Kinds: []KindRule{{Match: "(?i)dosing", Kind: "dosing"}}}).Validate(); len(wrong) > 0 {
		t.Errorf("%v", wrong)
	}
}
