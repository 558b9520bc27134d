package sandbox

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options is what a Server is made of. The zero Options give a server in plain R4 on the wall clock.
type Options struct {
	Name      string                                     // as the CapabilityStatement gives it
	Now       func() time.Time                           // its clock; nil = time.Now
	Dialect   Dialect                                    // how it departs from plain R4
	Token     string                                     // the bearer token it asks for; "" = none
	MaxBody   int64                                      // largest body it takes; 0 = 4 MiB
	FaultDoor bool                                       // POST /_fault takes Faults: for tests only
	Wait      func(context.Context, time.Duration) error // how a delay is spent; nil = a timer
}

// Server is a FHIR R4 server in memory. It is safe for concurrent use.
type Server struct {
	options Options

	mu       sync.Mutex
	shelf    shelf
	searches int // how many were answered; rows become visible by it
	pages    pages
	faults   []*Fault
	calls    []Call
}

// Call is one request that a Server saw, without its query or body.
type Call struct {
	Method string
	Type   string // resource type, "" for /metadata and the like
}

// NewServer returns an empty server. It listens nowhere: it is an http.Handler.
func NewServer(options Options) *Server {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.MaxBody == 0 {
		options.MaxBody = 4 << 20
	}
	options.Dialect = options.Dialect.orDefault()
	if options.Wait == nil {
		options.Wait = wait
	}
	if options.Name == "" {
		options.Name = "kaphub sandbox"
	}
	return &Server{options: options}
}

// Speak changes the server's dialect from the next request on.
func (s *Server) Speak(d Dialect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Dialect = d.orDefault()
}

// Calls returns the requests seen so far, oldest first.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// target is what a request's path asks for.
type target struct {
	typ     string
	id      string
	history bool
	version string
	search  bool // POST [type]/_search
}

func aim(path string) (target, bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	t := target{typ: parts[0]}
	switch {
	case len(parts) == 1:
	case len(parts) == 2 && parts[1] == "_search":
		t.search = true
	case len(parts) == 2:
		t.id = parts[1]
	case len(parts) <= 4 && parts[2] == "_history":
		t.id, t.history = parts[1], true
		if len(parts) == 4 {
			t.version = parts[3]
		}
	default:
		return t, false
	}
	return t, true
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t, ok := aim(r.URL.Path)
	if !isType(t.typ) {
		ok = ok && (t.typ == "metadata" || t.typ == "_fault" && s.options.FaultDoor || t.typ == "") && t.id == ""
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.options.MaxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			s.send(w, outcome(http.StatusRequestEntityTooLarge, "too-long", "the body is larger than this server takes"))
		}
		return
	}
	if t.typ == "_fault" && ok {
		s.send(w, s.takeFaults(r.Method, body))
		return
	}
	fault := s.called(r.Method, t)
	if s.before(w, r, fault) {
		return
	}
	var a answer
	switch {
	case !ok:
		a = outcome(http.StatusNotFound, "not-supported", "this server has no such path")
	case t.typ == "metadata":
		a = s.metadata()
	case !s.admits(r):
		a = outcome(http.StatusUnauthorized, "login", "a valid bearer token is needed")
		a.header("WWW-Authenticate", `Bearer error="invalid_token"`)
	case t.typ == "" && r.URL.Query().Get(pageParameter) == "":
		a = outcome(http.StatusBadRequest, "not-supported", "this server takes no bundles")
	default:
		a = s.answer(r, t, body, fault)
	}
	s.after(w, r, a, fault)
}

func (s *Server) admits(r *http.Request) bool {
	if s.options.Token == "" {
		return true
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && subtle.ConstantTimeCompare([]byte(given), []byte(s.options.Token)) == 1
}

// answer works one request out under the lock; what goes wrong is an answer too.
func (s *Server) answer(r *http.Request, t target, body []byte, fault *Fault) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.options.Dialect
	if t.typ != "" && (slices.Contains(d.Missing, t.typ) || kinds[t.typ] == nil) {
		return outcome(http.StatusNotFound, "not-supported", "this server has no "+t.typ)
	}
	if r.Method != http.MethodGet && !t.search && slices.Contains(d.NoWrites, t.typ) {
		return outcome(http.StatusMethodNotAllowed, "not-supported", "this server takes no "+t.typ)
	}
	base := "http://" + r.Host
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return outcome(http.StatusBadRequest, "invalid", "the query cannot be read")
	}
	switch {
	case r.Method == http.MethodGet && t.id == "" && !t.search:
		return s.search(base, t.typ, query, fault)
	case r.Method == http.MethodPost && t.search:
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return outcome(http.StatusBadRequest, "invalid", "the form cannot be read")
		}
		for k, v := range query {
			form[k] = append(form[k], v...)
		}
		return s.search(base, t.typ, form, fault)
	case r.Method == http.MethodGet && t.history && d.NoVersions:
		return outcome(http.StatusNotFound, "not-supported", "this server keeps no versions")
	case r.Method == http.MethodGet && t.history && t.version == "":
		return s.history(base, t)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return s.spoken(s.read(t))
	case r.Method == http.MethodPost && t.id == "" && t.typ != "":
		return s.spoken(s.create(base, t.typ, r.Header, body))
	case r.Method == http.MethodPut && t.id != "" && !t.history:
		return s.spoken(s.update(base, t, r.Header, body))
	case r.Method == http.MethodDelete && t.id != "" && !t.history:
		return s.delete(t)
	}
	return outcome(http.StatusMethodNotAllowed, "not-supported", "this server cannot do that")
}

func (s *Server) read(t target) answer {
	row := s.shelf.row(t.typ, t.id)
	if row == nil {
		return outcome(http.StatusNotFound, "not-found", "there is no such record")
	}
	v := row.last()
	if t.version != "" {
		if v = row.version(t.version); v == nil {
			return outcome(http.StatusNotFound, "not-found", "there is no such version")
		}
	}
	if v.gone {
		a := outcome(http.StatusGone, "deleted", "the record was deleted")
		a.header("ETag", v.etag())
		return a
	}
	return v.answer(http.StatusOK)
}

func (s *Server) create(base, typ string, header http.Header, body []byte) answer {
	if a, bad := unfit(typ, header, body); bad {
		return a
	}
	if condition := header.Get("If-None-Exist"); condition != "" && !s.options.Dialect.NoConditionalCreate {
		query, err := url.ParseQuery(strings.TrimPrefix(condition, "?"))
		if err != nil || len(query) == 0 {
			return outcome(http.StatusBadRequest, "invalid", "If-None-Exist cannot be read")
		}
		matches, refusal := s.matches(typ, query)
		switch {
		case refusal != nil:
			return *refusal
		case len(matches) > 1:
			return outcome(http.StatusPreconditionFailed, "multiple-matches", "If-None-Exist matches several records")
		case len(matches) == 1:
			a := matches[0].answer(http.StatusOK)
			a.header("Location", matches[0].location(base))
			return a
		}
	}
	return s.store(base, typ, s.shelf.name(typ), body, http.StatusCreated)
}

func (s *Server) update(base string, t target, header http.Header, body []byte) answer {
	if a, bad := unfit(t.typ, header, body); bad {
		return a
	}
	if _, id := face(body); id != t.id {
		return outcome(http.StatusBadRequest, "invalid", "the resource's id is not the one in the address")
	}
	row, status := s.shelf.row(t.typ, t.id), http.StatusOK
	if row == nil {
		status = http.StatusCreated
	}
	if match := header.Get("If-Match"); match != "" && s.options.Dialect.IfMatch != IfMatchIgnored {
		if row == nil || row.last().etag() != match {
			if s.options.Dialect.IfMatch == IfMatch409 {
				return outcome(http.StatusConflict, "conflict", "the record has moved")
			}
			return outcome(http.StatusPreconditionFailed, "conflict", "the record has moved")
		}
	}
	return s.store(base, t.typ, t.id, body, status)
}

func (s *Server) store(base, typ, id string, body []byte, status int) answer {
	v, err := s.shelf.put(typ, id, body, s.stamp(), s.searches)
	if err != nil {
		return outcome(http.StatusBadRequest, "structure", "the body is no JSON resource")
	}
	a := v.answer(status)
	a.header("Location", v.location(base))
	return a
}

func (s *Server) delete(t target) answer {
	row := s.shelf.row(t.typ, t.id)
	if row == nil {
		return outcome(http.StatusNotFound, "not-found", "there is no such record")
	}
	if !row.last().gone {
		s.shelf.remove(row, s.stamp())
	}
	return answer{status: http.StatusNoContent}
}

// stamp returns the time of the next write: the server's clock, and always later than the write before it.
func (s *Server) stamp() time.Time {
	return s.shelf.after(s.options.Now())
}

// unfit answers a body that no FHIR server would take.
func unfit(typ string, header http.Header, body []byte) (answer, bool) {
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || media != "application/fhir+json" && media != "application/json" {
		return outcome(http.StatusUnsupportedMediaType, "not-supported", "this server takes application/fhir+json"), true
	}
	switch got, _ := face(body); got {
	case typ:
		return answer{}, false
	case "":
		return outcome(http.StatusBadRequest, "structure", "the body is no JSON resource"), true
	default:
		return outcome(http.StatusBadRequest, "invalid", "the resourceType is not the one in the address"), true
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait: %w", ctx.Err())
	}
}

func isType(s string) bool {
	return s != "" && s[0] >= 'A' && s[0] <= 'Z'
}
