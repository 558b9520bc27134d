package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Put plants a resource as if its owner had written it now: under its own id, or a new one if it has none.
func (s *Server) Put(body []byte) (fhir.Ref, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(body, s.stamp())
}

// PutAt plants a resource as its owner wrote it at a time of the past: meta.lastUpdated is at.
func (s *Server) PutAt(body []byte, at time.Time) (fhir.Ref, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(body, s.shelf.after(at))
}

func (s *Server) put(body []byte, at time.Time) (fhir.Ref, error) {
	typ, id := face(body)
	if kinds[typ] == nil {
		return fhir.Ref{}, fmt.Errorf("plant a resource: the sandbox has no type %q", typ)
	}
	if id == "" {
		id = s.shelf.name(typ)
	}
	if _, err := s.shelf.put(typ, id, body, at, s.searches); err != nil {
		return fhir.Ref{}, fmt.Errorf("plant a %s: %w", typ, err)
	}
	return fhir.Ref{Type: typ, ID: id}, nil
}

// Delete deletes a record as its owner would. It reports whether there was one.
func (s *Server) Delete(ref fhir.Ref) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.delete(target{typ: ref.Type, id: ref.ID}).status == http.StatusNoContent
}

// Get returns a record as it stands; ok is false when there is none or it was deleted.
func (s *Server) Get(ref fhir.Ref) (body []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.shelf.row(ref.Type, ref.ID)
	if r == nil || r.last().gone {
		return nil, false
	}
	return r.last().body, true
}

// All returns every record of the given types as it stands, in order of creation; no types = all types.
func (s *Server) All(types ...string) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(types) == 0 {
		types = typesOf(Dialect{})
	}
	var out [][]byte
	for _, typ := range types {
		for _, r := range s.shelf.order[typ] {
			if v := r.last(); !v.gone {
				out = append(out, v.body)
			}
		}
	}
	return out
}

// Find returns the records of a type that carry a business identifier, in order of creation.
func (s *Server) Find(typ string, id fhir.ID) []fhir.Ref {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []fhir.Ref
	for _, r := range s.shelf.order[typ] {
		if v := r.last(); !v.gone && v.carries(id) {
			out = append(out, fhir.Ref{Type: typ, ID: r.id})
		}
	}
	return out
}

func (v *version) carries(id fhir.ID) bool {
	for _, have := range v.index["identifier"] {
		if have.system == id.System && have.code == id.Value {
			return true
		}
	}
	return false
}

// having returns the records of a type whose token parameter has a code, in order of creation.
func (s *Server) having(typ, parameter, code string) []fhir.Ref {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []fhir.Ref
	for _, r := range s.shelf.order[typ] {
		v := r.last()
		if slices.ContainsFunc(v.index[parameter], func(have value) bool { return have.code == code }) {
			out = append(out, fhir.Ref{Type: typ, ID: r.id})
		}
	}
	return out
}
