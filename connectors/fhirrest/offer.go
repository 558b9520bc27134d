package fhirrest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
)

// offer is what a server offers, by its statement, by a probe, and by what the operator says in their place.
type offer struct {
	found     time.Time
	software  string
	states    bool     // it lists resource types at all
	types     []string // what is read from it, in the role's order
	missing   []string // of the role, what it does not have
	delta     bool     // searches honour _lastUpdated and need no patient
	honoured  string   // how that was found out
	condition bool     // conditional create is stated

	identify map[string]bool // by stated type: whether it can be searched by identifier
	anyID    bool            // the same for types that are not stated
}

// stale is how long an offer is believed.
const stale = time.Hour

// offers returns what the server offers, asking at most once an hour.
func (s *server) offers(ctx context.Context) (*offer, error) {
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	case <-ctx.Done():
		return nil, &connectors.Error{Op: "read capabilities", Fault: connectors.Temporary, Unsent: true, Err: ctx.Err()}
	}
	if s.offer != nil && s.now().Sub(s.offer.found).Abs() < stale {
		return s.offer, nil
	}
	o, err := s.explore(ctx)
	if err != nil {
		return nil, err
	}
	s.offer = o
	return o, nil
}

func (s *server) explore(ctx context.Context) (*offer, error) {
	statement, err := s.statement(ctx)
	if err != nil {
		return nil, err
	}
	o := &offer{found: s.now(), software: statement.software(), identify: map[string]bool{}}
	listed := statement.resources()
	o.states = len(listed) > 0
	want := s.role().types
	for _, typ := range want {
		_, has := listed[typ]
		switch {
		case s.dialect.Types != nil && !slices.Contains(s.dialect.Types, typ), s.dialect.Types == nil && o.states && !has:
			o.missing = append(o.missing, typ)
		default:
			o.types = append(o.types, typ)
		}
	}

	o.condition, o.anyID = false, !o.states
	for typ, r := range listed {
		o.condition = o.condition || r.ConditionalCreate
		o.identify[typ] = len(r.SearchParam) == 0 || r.searches("identifier")
	}
	if on := s.dialect.ConditionalCreate; on != nil {
		o.condition = *on
	}
	if on := s.dialect.IdentifierSearch; on != nil {
		o.anyID = *on
		for typ := range o.identify {
			o.identify[typ] = *on
		}
	}

	return o, s.chooseDelta(ctx, statement, o)
}

// chooseDelta decides between reading what changed and reading client by client: by the operator's word, else by the
// statement, else by trying. A server that does not know _lastUpdated may answer every search that has it with nothing,
// and that would read as "no news" for ever.
func (s *server) chooseDelta(ctx context.Context, statement statement, o *offer) error {
	switch {
	case s.dialect.PatientRequired:
		o.honoured = "the config says that searches need a patient"
	case s.dialect.LastUpdated == LastUpdatedNone:
		o.honoured = "the config says that it is not offered"
	case s.dialect.LastUpdated != "":
		o.delta, o.honoured = true, "the config says so"
	default:
		stated, silent := statement.lastUpdated(o.types)
		switch {
		case !silent && !stated:
			o.honoured = "its statement does not list it for every type"
		case stated:
			o.delta, o.honoured = true, "its statement lists it"
		default:
			works, err := s.probe(ctx, o.types)
			if err != nil {
				return err
			}
			o.delta, o.honoured = works, "found by trying"
		}
	}
	return nil
}

// probe asks for rows of the future, of which there must be none, and of the past, of which there must be some.
func (s *server) probe(ctx context.Context, types []string) (bool, error) {
	if len(types) == 0 {
		return true, nil
	}
	count := func(bound string) (int, error) {
		call := rest.Call{Op: "search " + types[0], Path: types[0], Query: url.Values{"_count": {"1"}}}
		if bound != "" {
			call.Query.Set("_lastUpdated", bound)
		}
		answer, err := s.client.Do(ctx, call)
		if err != nil {
			return 0, err
		}
		b, err := readBundle(call.Op, answer.Body)
		n := 0
		for _, e := range b.entries {
			if e.match && !e.outcome {
				n++
			}
		}
		return n, err
	}
	all, err := count("")
	if err != nil || all == 0 {
		return true, whole(err) // nothing to try on
	}
	future, err := count("ge2999-01-01")
	if err != nil || future > 0 {
		return false, whole(err)
	}
	past, err := count("ge1970-01-01")
	return past > 0, whole(err)
}

// whole keeps an error that is the whole server's trouble; what concerns one search only is left to that search.
func whole(err error) error {
	if err == nil || ownTrouble(err) {
		return nil
	}
	return err
}

// ownTrouble reports whether err concerns the search that was tried and not the server: others may still work.
func ownTrouble(err error) bool {
	return connectors.FaultOf(err) == connectors.Refused || rest.StatusOf(err) == http.StatusForbidden || rest.StatusOf(err) == http.StatusInternalServerError
}

// statement is what of a CapabilityStatement bears on reading and writing.
type statement struct {
	Software struct{ Name, Version string }
	Rest     []struct {
		Mode        string
		Resource    []stated
		SearchParam []struct{ Name string }
	}
}

type stated struct {
	Type              string
	ConditionalCreate bool
	SearchParam       []struct{ Name string }
}

func (r stated) searches(name string) bool {
	return slices.ContainsFunc(r.SearchParam, func(p struct{ Name string }) bool { return p.Name == name })
}

// statement asks for the CapabilityStatement. A server that has none, or none that can be read, states nothing.
func (s *server) statement(ctx context.Context) (statement, error) {
	var st statement
	answer, err := s.client.Do(ctx, rest.Call{Op: "read capabilities", Path: "metadata"})
	switch f := connectors.FaultOf(err); {
	case err == nil:
	case f == connectors.Refused, f == connectors.Garbled, rest.StatusOf(err) == http.StatusForbidden:
		return st, nil
	default:
		return st, err
	}
	if err := json.Unmarshal(answer.Body, &st); err != nil {
		st = statement{}
	}
	return st, nil
}

func (st statement) software() string {
	return strings.TrimSpace(st.Software.Name + " " + st.Software.Version)
}

func (st statement) resources() map[string]stated {
	all := map[string]stated{}
	for _, r := range st.Rest {
		for _, x := range r.Resource {
			if r.Mode != "client" {
				all[x.Type] = x
			}
		}
	}
	return all
}

// lastUpdated says whether all of types are stated to take _lastUpdated; silent: no search parameters are stated at all.
func (st statement) lastUpdated(types []string) (all, silent bool) {
	for _, r := range st.Rest {
		for _, p := range r.SearchParam {
			if p.Name == "_lastUpdated" {
				return true, false
			}
		}
	}
	listed := st.resources()
	all, silent = true, true
	for _, typ := range types {
		r := listed[typ]
		silent = silent && len(r.SearchParam) == 0
		all = all && r.searches("_lastUpdated")
	}
	return all && !silent, silent
}
