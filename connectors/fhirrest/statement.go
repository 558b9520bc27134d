package fhirrest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
)

// statement is what of a CapabilityStatement bears on reading and writing.
type statement struct {
	Software struct{ Name, Version string }
	Rest     []struct {
		Mode        string
		Resource    []stated
		SearchParam []struct{ Name string }
	}
}

// stated is what a statement says of one type.
type stated struct {
	Type              string
	Versioning        string
	ConditionalCreate bool
	Interaction       []struct{ Code string }
	SearchParam       []struct{ Name string }
}

func (r stated) searches(name string) bool {
	return slices.ContainsFunc(r.SearchParam, func(p struct{ Name string }) bool { return p.Name == name })
}

// does reports whether an interaction is stated; one that lists none at all is taken to do everything.
func (r stated) does(code string) bool {
	return len(r.Interaction) == 0 || slices.ContainsFunc(r.Interaction, func(i struct{ Code string }) bool { return i.Code == code })
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

// lastUpdated says whether typ is stated to take _lastUpdated.
func (st statement) lastUpdated(typ string) bool {
	for _, r := range st.Rest {
		for _, p := range r.SearchParam {
			if p.Name == "_lastUpdated" {
				return true
			}
		}
	}
	return st.resources()[typ].searches("_lastUpdated")
}

// silent reports whether no search parameters are stated at all.
func (st statement) silent(types []string) bool {
	for _, r := range st.Rest {
		if len(r.SearchParam) > 0 {
			return false
		}
	}
	listed := st.resources()
	return !slices.ContainsFunc(types, func(typ string) bool { return len(listed[typ].SearchParam) > 0 })
}

// guards says how lost updates are prevented, by the weakest word that it has for any type.
func (st statement) guards() claim[string] {
	words := map[string]string{"versioned-update": guardIfMatch, "versioned": guardNone, "no-version": guardBlind}
	order := []string{guardIfMatch, guardNone, guardBlind}
	weakest := ""
	for _, r := range st.resources() {
		if word := words[r.Versioning]; slices.Index(order, word) > slices.Index(order, weakest) {
			weakest = word
		}
	}
	if weakest == "" {
		return claim[string]{guardUnknown, connectors.Assumed}
	}
	return claim[string]{weakest, connectors.Statement}
}
