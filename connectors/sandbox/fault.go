package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Trouble is a kind of fault.
type Trouble string

// The troubles a server can be asked for.
const (
	Answer       Trouble = "answer"       // Status, with Retry-After, instead of doing anything
	Expired      Trouble = "expired"      // 401: the token is no longer good
	DropBefore   Trouble = "drop-before"  // the connection breaks before anything is done
	DropAfter    Trouble = "drop-after"   // the work is done, then the connection breaks
	LoopPages    Trouble = "loop-pages"   // a search's next link leads back to itself
	WithholdRow  Trouble = "withhold-row" // an OperationOutcome stands in a search where a row should be
	GarbagePage  Trouble = "garbage"      // 200 with a login page instead of FHIR
	TruncateJSON Trouble = "truncate"     // the answer stops in the middle
	HugeBody     Trouble = "huge"         // the answer has Bytes bytes
	Delay        Trouble = "delay"        // the answer comes after a while
)

// Fault asks for trouble with some of the next requests.
type Fault struct {
	Do         Trouble       `json:"do"`
	Method     string        `json:"method,omitempty"` // "" = any
	Type       string        `json:"type,omitempty"`   // resource type; "" = any
	Times      int           `json:"times,omitempty"`  // how often; 0 = once, negative = for ever
	Every      int           `json:"every,omitempty"`  // only every n-th request that fits; 0 = each
	Status     int           `json:"status,omitempty"`
	RetryAfter time.Duration `json:"retryAfter,omitempty"`
	Delay      time.Duration `json:"delay,omitempty"`
	Bytes      int64         `json:"bytes,omitempty"`

	met int // requests that fitted so far
}

// Fault asks for trouble from the next request on. Faults are tried in the order they were asked for; a request meets one at most.
func (s *Server) Fault(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if f.Times == 0 {
			f.Times = 1
		}
		s.faults = append(s.faults, &f)
	}
}

// Mend forgets every fault asked for.
func (s *Server) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func (s *Server) takeFaults(method string, body []byte) answer {
	switch method {
	case http.MethodPost:
		var faults []Fault
		if err := json.Unmarshal(body, &faults); err != nil {
			return outcome(http.StatusBadRequest, "structure", "a list of faults is needed")
		}
		s.Fault(faults...)
	case http.MethodDelete:
		s.Mend()
	default:
		return outcome(http.StatusMethodNotAllowed, "not-supported", "faults are posted or deleted")
	}
	return answer{status: http.StatusNoContent}
}

// called notes a request and returns the trouble it meets, nil for none.
func (s *Server) called(method string, t target) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, Call{method, t.typ})
	for i, f := range s.faults {
		if f.Method != "" && f.Method != method || f.Type != "" && f.Type != t.typ {
			continue
		}
		if f.met++; f.Every > 1 && f.met%f.Every != 0 {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			}
		}
		return f
	}
	return nil
}

func (f *Fault) is(t Trouble) bool { return f != nil && f.Do == t }

// before does what a fault does instead of the work; done says that the request is over.
func (s *Server) before(w http.ResponseWriter, r *http.Request, f *Fault) (done bool) {
	switch {
	case f.is(Answer):
		a := outcome(f.Status, "transient", "this server was asked to fail")
		if f.RetryAfter > 0 {
			a.header("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
		}
		s.send(w, a)
	case f.is(Expired):
		a := outcome(http.StatusUnauthorized, "expired", "the token has expired")
		a.header("WWW-Authenticate", `Bearer error="invalid_token"`)
		s.send(w, a)
	case f.is(DropBefore):
		hangUp(w)
	case f.is(Delay):
		return s.options.Wait(r.Context(), f.Delay) != nil
	default:
		return false
	}
	return true
}

// after sends what came of the work, or what a fault makes of it.
func (s *Server) after(w http.ResponseWriter, r *http.Request, a answer, f *Fault) {
	switch {
	case f.is(DropAfter):
		hangUp(w)
	case f.is(GarbagePage):
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>Sign in</title><p>Your session has ended.")
	case f.is(TruncateJSON):
		a.body = a.body[:len(a.body)/2]
		s.send(w, a)
	case f.is(HugeBody):
		w.Header().Set("Content-Type", "application/fhir+json")
		flood(w, r, f.Bytes)
	default:
		s.send(w, a)
	}
}

// flood writes a Bundle of n bytes that never gets to its first entry.
func flood(w io.Writer, r *http.Request, n int64) {
	if _, err := io.WriteString(w, `{"resourceType":"Bundle","type":"searchset","entry":[`); err != nil {
		return
	}
	blank := bytes.Repeat([]byte(" "), 64<<10)
	for ; n > 0 && r.Context().Err() == nil; n -= int64(len(blank)) {
		if _, err := w.Write(blank[:min(n, int64(len(blank)))]); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, `]}`)
}

// hangUp breaks the connection without an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http then closes the connection itself
	}
	_ = conn.Close()
}
