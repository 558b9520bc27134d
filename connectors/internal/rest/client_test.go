package rest_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/fhir/exchange"
)

const canary = "Zanzibarra"

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func client(t *testing.T, h http.HandlerFunc, limits rest.Limits) *rest.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return open(t, rest.Options{Base: s.URL + "/r4", Auth: rest.Auth{Kind: rest.AuthNone}, Limits: limits, Now: func() time.Time { return noon }})
}

func open(t *testing.T, o rest.Options) *rest.Client {
	t.Helper()
	c, err := rest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var search = rest.Call{Op: "search Patient", Path: "Patient", Query: url.Values{"family": {canary}}}

func fhirJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/fhir+json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func fails(t *testing.T, c *rest.Client, call rest.Call) *connectors.Error {
	t.Helper()
	_, err := c.Do(t.Context(), call)
	e, ok := errors.AsType[*connectors.Error](err)
	if !ok {
		t.Fatalf("got %v, want a *connectors.Error", err)
	}
	for _, secret := range []string{canary, "family", "?", "sesame", "127.0.0.1"} {
		if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(strings.ReplaceAll(text, e.Hint, ""), secret) {
			t.Errorf("the error repeats %q: %s", secret, text)
		}
	}
	return e
}

func TestAStatusSaysWhatTheQueueDoes(t *testing.T) {
	outcome := `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"throttled","diagnostics":"` + canary + `"},{"severity":"` + canary + `","code":"` + canary + `"}]}`
	for _, tc := range []struct {
		name     string
		status   int
		after    string
		fault    connectors.Fault
		wait     time.Duration
		notFound bool
		unsent   bool // of a create
	}{
		{"a wrong token", 401, "", connectors.Denied, 0, false, true},
		{"a right that is missing", 403, "", connectors.Denied, 0, false, true},
		{"nothing there", 404, "", connectors.Refused, 0, true, true},
		{"gone", 410, "", connectors.Refused, 0, true, true},
		{"somebody was faster", 409, "", connectors.Conflict, 0, false, true},
		{"the version moved", 412, "", connectors.Conflict, 0, false, true},
		{"a body that the server understood and refuses", 422, "", connectors.Refused, 0, false, true},
		{"too much, with seconds to wait", 429, "17", connectors.Temporary, 17 * time.Second, false, true},
		{"busy until a date", 503, noon.Add(90 * time.Second).Format(http.TimeFormat), connectors.Temporary, 90 * time.Second, false, true},
		{"busy until a date gone by", 503, noon.Add(-time.Hour).Format(http.TimeFormat), connectors.Temporary, 0, false, true},
		{"busy for ten years by mistake waits a day", 503, "315360000", connectors.Temporary, 24 * time.Hour, false, true},
		{"busy for as long as fits no number", 503, "99999999999999999999", connectors.Temporary, 0, false, true},
		{"busy for less than no time", 503, "-5", connectors.Temporary, 0, false, true},
		{"a failure in the middle", 500, "", connectors.Temporary, 0, false, false},
		{"a gateway that lost the server", 502, "", connectors.Temporary, 0, false, false},
		{"a gateway that waited too long", 504, "", connectors.Temporary, 0, false, false},
		{"an interaction that the server does not have", 501, "", connectors.Refused, 0, false, true},
		{"a redirect", 307, "", connectors.Refused, 0, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := client(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://example.org/"+canary)
				w.Header().Set("Retry-After", tc.after)
				fhirJSON(w, tc.status, outcome)
			}, rest.Limits{})
			e := fails(t, c, search)
			if e.Fault != tc.fault || e.After != tc.wait || errors.Is(e, exchange.ErrNotFound) != tc.notFound || rest.StatusOf(e) != tc.status {
				t.Errorf("%s, after %s, not found %v, status %d", e.Fault, e.After, errors.Is(e, exchange.ErrNotFound), rest.StatusOf(e))
			}
			if !e.Unsent {
				t.Error("a read is said perhaps to have written something")
			}
			if !slices.Equal(e.Codes, []string{"error/throttled", "uncoded/uncoded"}) {
				t.Errorf("codes %q", e.Codes)
			}
			if e := fails(t, c, rest.Call{Op: "create Patient", Method: "POST", Path: "Patient", Body: []byte(`{}`)}); e.Unsent != tc.unsent {
				t.Errorf("unsent %v", e.Unsent)
			}
			if (tc.fault == connectors.Denied || tc.status == 307) && e.Hint == "" {
				t.Error("no hint")
			}
		})
	}
}

func TestAnAnswerIsReadOnlyAsFarAsItMayBe(t *testing.T) {
	var sent atomic.Int64
	flood := func(w io.Writer) {
		block := []byte(strings.Repeat(" ", 64<<10))
		for range (2 << 30) / len(block) {
			n, err := w.Write(block)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"two gigabytes, announced", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2147483648")
			fhirJSON(w, 200, "{}")
		}, "answer larger than 1 MiB"},
		{"two gigabytes, in chunks", func(w http.ResponseWriter, _ *http.Request) {
			fhirJSON(w, 200, "{")
			flood(w)
		}, "answer larger than 1 MiB"},
		{"two gigabytes, squeezed into two megabytes", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/fhir+json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			flood(z)
			_ = z.Close()
		}, "answer larger than 1 MiB"},
		{"an encoding nobody asked for", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			fhirJSON(w, 200, "{}")
		}, "encoding"},
		{"a login page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>"+canary)
		}, "not FHIR JSON"},
		{"no word of what it is", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, "{}")
		}, "not FHIR JSON"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sent.Store(0)
			e := fails(t, client(t, tc.handler, rest.Limits{MaxBody: 1 << 20}), search)
			if e.Fault != connectors.Garbled || !strings.Contains(e.Error(), tc.want) {
				t.Errorf("got %v", e)
			}
			if n := sent.Load(); n >= 2<<30 {
				t.Errorf("all %d bytes were taken", n)
			}
		})
	}
}

func TestAnAnswerThatBreaksOff(t *testing.T) {
	hangUp := func(w http.ResponseWriter, after string) {
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = buf.WriteString(after)
		_ = buf.Flush()
		_ = conn.Close()
	}
	create := rest.Call{Op: "create Patient", Method: "POST", Path: "Patient", Body: []byte(`{"name":"` + canary + `"}`)}
	for _, tc := range []struct{ name, after string }{
		{"before anything", ""},
		{"in the middle of the body", "HTTP/1.1 201 Created\r\nContent-Type: application/fhir+json\r\nContent-Length: 100\r\n\r\n{"},
		{"with something that is no HTTP", "HTTP/1.1 " + canary + "\r\n\r\n"},
		{"with headers that are none", "HTTP/1.1 200 OK\r\n" + canary + "\r\n\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var calls atomic.Int64
			c := client(t, func(w http.ResponseWriter, _ *http.Request) { calls.Add(1); hangUp(w, tc.after) }, rest.Limits{})
			e := fails(t, c, create)
			if e.Fault != connectors.Temporary || e.Unsent {
				t.Errorf("%s, unsent %v", e.Fault, e.Unsent)
			}
			if n := calls.Load(); n != 1 {
				t.Errorf("it was sent %d times", n)
			}
		})
	}
	t.Run("a server that is not there surely got nothing", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a port that is free, then not listened to
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		_ = l.Close()
		c := open(t, rest.Options{Base: "http://" + address, Auth: rest.Auth{Kind: rest.AuthNone}})
		if e := fails(t, c, create); e.Fault != connectors.Temporary || !e.Unsent || e.Hint == "" || !strings.Contains(e.Error(), "connection refused") {
			t.Errorf("%v, unsent %v", e, e.Unsent)
		}
	})
	t.Run("too slow an answer may have done its work", func(t *testing.T) {
		c := client(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then is the connection watched
			<-r.Context().Done()
		}, rest.Limits{Timeout: 20 * time.Millisecond})
		if e := fails(t, c, create); e.Fault != connectors.Temporary || e.Unsent || !strings.Contains(e.Error(), "in time") {
			t.Errorf("%v, unsent %v", e, e.Unsent)
		}
	})
}

func TestACallEndsAtOnceWhenItIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := client(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }, rest.Limits{})
	if _, err := c.Do(ctx, search); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestACounterpartThatFailsAgainAndAgainIsLeftInPeace(t *testing.T) {
	var calls atomic.Int64
	status := 500
	c := client(t, func(w http.ResponseWriter, _ *http.Request) { calls.Add(1); w.WriteHeader(status) }, rest.Limits{Trip: 3, Rest: time.Hour})
	for range 3 {
		fails(t, c, search)
	}
	e := fails(t, c, search)
	if calls.Load() != 3 || e.Fault != connectors.Temporary || e.After != time.Hour || !e.Unsent {
		t.Errorf("%d calls, %v after %s", calls.Load(), e, e.After)
	}
	status = 422
	c = client(t, func(w http.ResponseWriter, _ *http.Request) { calls.Add(1); w.WriteHeader(status) }, rest.Limits{Trip: 3})
	calls.Store(0)
	for range 5 {
		fails(t, c, search)
	}
	if calls.Load() != 5 {
		t.Error("being refused five times was taken for a failing server")
	}
}

func TestThePaceIsKept(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, _ *http.Request) { fhirJSON(w, 200, "{}") }, rest.Limits{Rate: 0.001, Burst: 2})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for i := range 3 {
		_, err := c.Do(ctx, search)
		if late := i == 2; late != (err != nil) {
			t.Errorf("call %d: %v", i, err)
		}
		if err != nil && (connectors.MayHaveArrived(err) || connectors.FaultOf(err) != connectors.Temporary) {
			t.Errorf("got %v", err)
		}
	}
}

func TestARedirectIsNotFollowedAndTheTokenStaysHere(t *testing.T) {
	var strayed atomic.Bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Store(true) }))
	defer elsewhere.Close()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer open-sesame" {
			t.Errorf("authorization %q", r.Header.Get("Authorization"))
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: canary}) //nolint:gosec // a cookie that must not come back
		if len(r.Cookies()) > 0 {
			t.Error("a cookie came back")
		}
		http.Redirect(w, r, elsewhere.URL, http.StatusFound)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	auth := rest.Auth{Kind: rest.AuthBearer, Token: func() (string, error) { return "open-sesame", nil }}
	c := open(t, rest.Options{Base: s.URL, Auth: auth, Roots: roots})
	for range 2 {
		if e := fails(t, c, search); e.Fault != connectors.Refused || !strings.Contains(e.Hint, "redirect") {
			t.Errorf("got %v", e)
		}
	}
	if strayed.Load() {
		t.Error("the redirect was followed")
	}
	t.Run("a certificate that nobody vouches for", func(t *testing.T) {
		c := open(t, rest.Options{Base: s.URL, Auth: auth})
		if e := fails(t, c, search); e.Fault != connectors.Temporary || !e.Unsent || !strings.Contains(e.Error(), "certificate") {
			t.Errorf("%v, unsent %v", e, e.Unsent)
		}
	})
	t.Run("a token that cannot be had", func(t *testing.T) {
		auth := rest.Auth{Kind: rest.AuthBearer, Token: func() (string, error) { return "", errors.New("sesame") }}
		c := open(t, rest.Options{Base: s.URL, Auth: auth, Roots: roots})
		if e := fails(t, c, search); e.Fault != connectors.Denied || !e.Unsent || e.Hint == "" {
			t.Errorf("%v, unsent %v", e, e.Unsent)
		}
	})
	t.Run("TLS 1.1 is too old", func(t *testing.T) {
		old := httptest.NewUnstartedServer(http.NotFoundHandler())
		old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11} //nolint:gosec // what must be refused
		old.Config.ErrorLog = log.New(io.Discard, "", 0)
		old.StartTLS()
		defer old.Close()
		roots := x509.NewCertPool()
		roots.AddCert(old.Certificate())
		c := open(t, rest.Options{Base: old.URL, Auth: auth, Roots: roots})
		if e := fails(t, c, search); !e.Unsent {
			t.Errorf("%v, unsent %v", e, e.Unsent)
		}
	})
}

func TestALinkLeadsNowhereButToTheServerItself(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, r *http.Request) { fhirJSON(w, 200, `{"at":"`+r.URL.RequestURI()+`"}`) }, rest.Limits{})
	base := c.Base()
	for _, tc := range []struct {
		name, link string
		good       bool
	}{
		{"its own", base + "?_getpages=a%2Bb&x=%7C", true},
		{"its own, below", base + "/Patient?page=2", true},
		{"its own, told from the root", "/r4/Patient?page=2", true},
		{"another host", "http://example.org/r4/Patient", false},
		{"another port", strings.Replace(base, "127.0.0.1:", "127.0.0.1:1", 1) + "/Patient", false},
		{"another scheme", strings.Replace(base, "http:", "https:", 1) + "/Patient", false},
		{"out of the base", base + "/../admin", false},
		{"out of the base, escaped", base + "/%2e%2e/admin", false},
		{"beside the base", base + "5/Patient", false},
		{"a user in it", strings.Replace(base, "://", "://"+canary+"@", 1) + "/Patient", false},
		{"no address", "http://[::1", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			answer, err := c.Do(t.Context(), rest.Call{Op: "search Patient", Link: tc.link})
			if tc.good != (err == nil) || !tc.good && !errors.Is(err, rest.ErrAway) {
				t.Fatalf("got %v", err)
			}
			if _, query, _ := strings.Cut(tc.link, "?"); tc.good && !strings.Contains(string(answer.Body), query) {
				t.Errorf("asked for %s", answer.Body)
			}
			if err != nil && strings.Contains(err.Error(), canary) {
				t.Errorf("the error repeats it: %v", err)
			}
		})
	}
}

func TestABaseIsSafeOrRefused(t *testing.T) {
	for _, tc := range []struct{ name, base, auth, want string }{
		{"https with a token", "https://fhir.example.org/r4/", rest.AuthBearer, ""},
		{"plain on this machine", "http://127.0.0.1:8080", rest.AuthNone, ""},
		{"plain on this machine, by name", "http://localhost:8080/fhir", rest.AuthNone, ""},
		{"plain on this machine, six", "http://[::1]:8080", rest.AuthNone, ""},
		{"none", "", rest.AuthNone, "is missing"},
		{"no address", "fhir.example.org", rest.AuthBearer, "is no address"},
		{"another protocol", "ftp://fhir.example.org", rest.AuthBearer, "is no address"},
		{"plain beyond this machine", "http://fhir.example.org", rest.AuthBearer, "write https"},
		{"a name that only looks like this machine", "http://localhost.example.org", rest.AuthNone, "write https"},
		{"nobody asked who we are, beyond this machine", "https://fhir.example.org", rest.AuthNone, "auth none is not allowed"},
		{"a password in it", "https://me:sesame@fhir.example.org", rest.AuthBearer, "user name or password"},
		{"a query in it", "https://fhir.example.org?key=sesame", rest.AuthBearer, "query"},
		{"no auth said", "https://fhir.example.org", "", "auth kind"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := rest.CheckBase(tc.base, tc.auth)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "sesame") {
				t.Errorf("the error repeats the secret: %v", err)
			}
		})
	}
}

func TestAnAnswerCarriesTheServersClockAndTheRecordsPlace(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Exist") != "identifier=a%7Cb" || r.Header.Get("Content-Type") != "application/fhir+json" || r.Header.Get("Accept") != "application/fhir+json" {
			t.Errorf("headers %v", r.Header)
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Date", noon.Format(http.TimeFormat))
		w.Header().Set("ETag", `W/"3"`)
		w.Header().Set("Location", "Patient/p1/_history/3")
		fhirJSON(w, 201, string(body))
	}, rest.Limits{})
	body := `{"b": 1,  "a":"<"}`
	a, err := c.Do(t.Context(), rest.Call{Op: "create Patient", Method: "POST", Path: "Patient", Body: []byte(body), IfNoneExist: "identifier=a%7Cb"})
	if err != nil || !a.Date.Equal(noon) || a.ETag != `W/"3"` || a.Location != "Patient/p1/_history/3" || a.Status != 201 || string(a.Body) != body {
		t.Errorf("%+v %v", a, err)
	}
}
