package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// standing is a hub that answers at an address of this machine, as serve has it answer.
type standing struct {
	*testing.T
	*hub
	address string
	clock   atomic.Int64 // how far people's phones are ahead, in seconds: a code is good once
}

// stand opens the hub of a config and its door. alter may change how the server waits.
func stand(t *testing.T, file string, alter func(*http.Server)) *standing {
	t.Helper()
	st := &standing{T: t}
	s := &scene{cli: &cli{Config: file}, out: io.Discard, err: io.Discard, log: slog.New(slog.DiscardHandler), now: st.now}
	h, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	st.hub = h
	routes, err := h.windowed(newMetrics(h), nil)
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(routes, h.log)
	if alter != nil {
		alter(server)
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	st.address = listener.Addr().String()
	go func() { _ = server.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	return st
}

func (s *standing) now() time.Time {
	return time.Now().Add(time.Duration(s.clock.Load()) * time.Second)
}

// caller is a browser at the door.
type caller struct {
	*standing
	*http.Client
}

func (s *standing) caller() *caller {
	s.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	return &caller{s, &http.Client{Jar: jar, Transport: &http.Transport{}}}
}

func (v *caller) ask(method, path string, form url.Values) (status int, at, body string) {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), method, "http://"+v.address+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	a, err := v.Do(r)
	if err != nil {
		v.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		v.Fatal(err)
	}
	return a.StatusCode, a.Request.URL.Path, string(text)
}

// accept comes in by an invitation, page by page, and returns the key of the second factor.
func (v *caller) accept(token string) string {
	v.Helper()
	const word = "quiet lantern over teal rivers"
	v.ask(http.MethodGet, people.InvitePath+token, nil)
	_, at, page := v.ask(http.MethodPost, "/invitation", url.Values{"password": {word}, "again": {word}})
	key := regexp.MustCompile(`data-test-id="secret">([A-Z2-7 ]+)<`).FindStringSubmatch(page)
	if at != "/sign-in/factor" || key == nil {
		v.Fatalf("no second factor at %s: %s", at, page)
	}
	secret := strings.ReplaceAll(key[1], " ", "")
	code, err := totp.GenerateCode(secret, v.now())
	if err != nil {
		v.Fatal(err)
	}
	status, _, page := v.ask(http.MethodPost, "/sign-in/factor", url.Values{"code": {code}})
	if status != http.StatusOK || !strings.Contains(page, `data-test-id="recovery-codes"`) {
		v.Fatalf("%d %s", status, page)
	}
	return secret
}

func (v *caller) isIn() bool {
	v.Helper()
	status, at, _ := v.ask(http.MethodGet, "/account", nil)
	return status == http.StatusOK && at == "/account"
}

// newHub is a hub made by init, with the token of its first owner's invitation.
func newHub(t *testing.T) (d *door, token string) {
	t.Helper()
	d = &door{T: t, dir: t.TempDir()}
	d.file = filepath.Join(d.dir, "kaphub.yaml")
	_, token = d.token(d.says(0, "init", "--owner", "ann", "--name", "Ann Lee"))
	return d, token
}

func TestTheFirstOwnerComesInByTheBrowserAndNoSessionSurvivesARestore(t *testing.T) {
	d, token := newHub(t)
	before := stand(t, d.file, nil)
	ann := before.caller()
	ann.accept(token)
	if !ann.isIn() || before.caller().isIn() {
		t.Fatal("she is not in, or everybody is")
	}
	if status, at, page := ann.ask(http.MethodGet, "/accounts", nil); status != http.StatusOK || at != "/accounts" || !strings.Contains(page, "Ann Lee") {
		t.Errorf("%d at %s: %s", status, at, page)
	}
	backup := filepath.Join(d.dir, "backup.db")
	d.says(0, "backup", "--out", backup)
	text, err := os.ReadFile(d.file)
	if err != nil {
		t.Fatal(err)
	}
	restored := regexp.MustCompile(`(?m)^  dsn: .*$`).ReplaceAllString(string(text), "  dsn: restored.db")
	if restored == string(text) {
		t.Fatal("the config names its store in another way")
	}
	there := &door{T: t, dir: d.dir, file: filepath.Join(d.dir, "restored.yaml")}
	if err := os.WriteFile(there.file, []byte(restored), 0o600); err != nil {
		t.Fatal(err)
	}
	there.says(0, "restore", "--from", backup)
	after := stand(t, there.file, nil)
	again := after.caller()
	at := func(s *standing) *url.URL { return &url.URL{Scheme: "http", Host: s.address, Path: "/"} }
	again.Jar.SetCookies(at(after), ann.Jar.Cookies(at(before)))
	if len(again.Jar.Cookies(at(after))) == 0 {
		t.Fatal("there is no cookie to try")
	}
	if again.isIn() {
		t.Error("a session survived the restore")
	}
	if !ann.isIn() {
		t.Error("where it began it goes on")
	}
}

// wire sends bytes as they are and returns how the answer begins; "" when the hub closed the connection without one.
func (s *standing) wire(text string) string {
	s.Helper()
	var dial net.Dialer
	c, err := dial.DialContext(s.Context(), "tcp", s.address)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		s.Fatal(err)
	}
	a, err := http.ReadResponse(bufio.NewReader(c), nil)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ""
	}
	if err != nil {
		s.Fatalf("no answer to %.60q: %v", text, err)
	}
	defer func() { _ = a.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(a.Body, 1000)) // how it begins is enough
	return fmt.Sprintf("%d %s %s", a.StatusCode, a.Header.Get("Location"), body)
}

// Requests that are no honest ones are answered, or not, and nothing of them reaches a page.
func TestRequestsThatNoBrowserSends(t *testing.T) {
	d, _ := newHub(t)
	s := stand(t, d.file, nil)
	for _, r := range []struct{ name, text, want string }{
		{"two lengths", "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nx=yz", "400"},
		{"a length and chunks, with another request behind", "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\nSec-Fetch-Site: same-origin\r\n\r\n0\r\n\r\nGET /accounts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "422"},
		{"chunks of another kind", "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501"},
		{"no host", "GET / HTTP/1.1\r\n\r\n", "400"},
		{"two hosts", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n", "400"},
		{"another's host", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403"},
		{"a whole address", "GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "403"},
		{"a tunnel", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", "4"},
		{"a line of no request", "GET / HTTP/9.9 x\r\n\r\n", "400"},
		{"a null in the path", "GET /%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "404"},
		{"a head without end", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + strings.Repeat("x", 100<<10) + "\r\n\r\n", "431"},
		{"a header with a line in it", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: y\r\n Set-Cookie: z\r\n\r\n", "303 /sign-in"},
	} {
		got := s.wire(r.text)
		if !strings.HasPrefix(got, r.want) || strings.Contains(got, "evil.example") {
			t.Errorf("%s: answered %.300q, want %s", r.name, got, r.want)
		}
	}
	if _, err := netip.ParseAddrPort(s.address); err != nil {
		t.Fatal(err)
	}
}

// An upload of a gigabyte is refused at its head, or as soon as it is longer than any form, and the hub holds none of it.
func TestAGigabyteIsRefusedEarlyAndNotHeld(t *testing.T) {
	d, token := newHub(t)
	s := stand(t, d.file, nil)
	ann := s.caller()
	ann.accept(token)
	const whole = 1 << 30
	for _, path := range []string{"/sign-in", "/account/password", "/accounts", "/nowhere", "/healthz"} {
		for _, told := range []bool{true, false} {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			sent := &counted{left: whole}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.address+path, sent)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if told {
				r.ContentLength = whole
			}
			status := 0
			a, err := ann.Do(r)
			if err == nil {
				status = a.StatusCode
				_ = a.Body.Close()
			}
			runtime.ReadMemStats(&after)
			if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 { //nolint:gosec // sizes of a heap
				t.Errorf("%s: the heap grew by %d MiB", path, grown>>20)
			}
			if had := sent.had.Load(); had > 32<<20 {
				t.Errorf("%s (length told: %v): %d MiB were taken before it was refused", path, told, had>>20)
			}
			if err == nil && status < 400 {
				t.Errorf("%s (length told: %v) is answered %d", path, told, status)
			}
			t.Logf("%s, length told %v: answered %d after %d KiB were written", path, told, status, sent.had.Load()>>10)
		}
	}
	if !ann.isIn() {
		t.Error("the hub does not go on as before")
	}
	if status, _, page := ann.ask(http.MethodPost, "/accounts", url.Values{"name": {strings.Repeat("x", 1<<20)}}); status != http.StatusRequestEntityTooLarge || !strings.Contains(page, "too long") {
		t.Errorf("a form that is too long is answered %d", status)
	}
}

// counted is a body without end, and how much of it was taken.
type counted struct {
	left int64
	had  atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), c.left)
	for i := range p[:n] {
		p[i] = 'x'
	}
	c.left -= n
	c.had.Add(n)
	return int(n), nil
}

// Whoever sends slowly, or not at all, holds a connection for a moment, and nobody else up.
func TestWhoSendsSlowlyHoldsNobodyUp(t *testing.T) {
	usual := newServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if usual.ReadHeaderTimeout == 0 || usual.ReadTimeout == 0 || usual.WriteTimeout == 0 || usual.IdleTimeout == 0 || usual.ReadTimeout > time.Minute || usual.MaxHeaderBytes > 1<<20 {
		t.Errorf("%+v waits for long", usual)
	}
	d, _ := newHub(t)
	s := stand(t, d.file, func(server *http.Server) {
		server.ReadHeaderTimeout, server.ReadTimeout, server.IdleTimeout = 200*time.Millisecond, 400*time.Millisecond, 400*time.Millisecond
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for name, text := range map[string]string{
		"half a head":    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
		"half a body":    "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nlogin=",
		"half a chunk":   "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nlogin=",
		"nothing at all": "",
	} {
		var dial net.Dialer
		c, err := dial.DialContext(ctx, "tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		if !s.caller().isOut() {
			t.Errorf("%s: somebody else is held up", name)
		}
		if err := c.SetReadDeadline(time.Now().Add(15 * time.Second)); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection is still held after 15 seconds", name)
		}
		if strings.HasPrefix(string(answer), "HTTP/1.1 5") {
			t.Errorf("%s: answered %.60s", name, answer)
		}
		_ = c.Close()
	}
}

func (v *caller) isOut() bool {
	v.Helper()
	status, at, _ := v.ask(http.MethodGet, "/", nil)
	return status == http.StatusOK && at == "/sign-in"
}
