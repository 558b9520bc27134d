package fhirrest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// edit puts an edit in the place of the very version that was edited:
//
//	what stands there now            then
//	says what the edit says          existed
//	the version that was edited      put, with If-Match
//	another version                  conflict: read, decide again
//	nothing                          refused: there is nothing to edit, and nothing is made in its place
func (s *server) edit(ctx context.Context, d exchange.Delivery, at fhir.Ref, version string) (exchange.Receipt, error) {
	op := "edit " + d.Type
	now, err := s.record(ctx, op, at)
	switch {
	case errors.Is(err, exchange.ErrNotFound):
		e := connectors.Errorf(op, connectors.Refused, "it does not stand there any more")
		e.Hint = "ask the counterpart what became of it"
		return exchange.Receipt{}, sending(e, true)
	case err != nil:
		return exchange.Receipt{}, sending(err, true)
	case says(now.Body, d.Body):
		return exchange.Receipt{Outcome: exchange.OutcomeExisted, Ref: at, VersionID: now.VersionID}, nil
	case version == "" || now.VersionID != version:
		return exchange.Receipt{}, sending(movedOn(op), true)
	}
	body, err := fhir.Apply(d.Body, fhir.Edit{Path: "meta.versionId"}, fhir.Edit{Path: "meta.lastUpdated"})
	if err != nil {
		return exchange.Receipt{}, sending(connectors.Errorf(op, connectors.Refused, "take its version out: %w", err), true)
	}
	call := rest.Call{Op: op, Method: http.MethodPut, Path: at.Type + "/" + url.PathEscape(at.ID), Body: body, IfMatch: `W/"` + version + `"`}
	answer, err := s.client.Do(ctx, call)
	if connectors.FaultOf(err) == connectors.Conflict && err != nil {
		return exchange.Receipt{}, sending(movedOn(op), true)
	}
	if err != nil {
		return exchange.Receipt{}, err
	}
	return exchange.Receipt{Outcome: exchange.OutcomeUpdated, Ref: at, VersionID: standsAt(d.Type, answer).version}, nil
}

// edited tells whether an edit stands there, and sends nothing.
func (s *server) edited(ctx context.Context, d exchange.Delivery, at fhir.Ref) (exchange.Receipt, error) {
	op := "ask for " + d.Type
	now, err := s.record(ctx, op, at)
	switch {
	case err != nil && !errors.Is(err, exchange.ErrNotFound):
		return exchange.Receipt{}, sending(err, false)
	case err != nil, !says(now.Body, d.Body):
		return exchange.Receipt{}, connectors.Errorf(op, connectors.Refused, "%w", exchange.ErrNotFound)
	}
	return exchange.Receipt{Outcome: exchange.OutcomeExisted, Ref: at, VersionID: now.VersionID, At: s.now()}, nil
}

// record reads what stands at ref, whoever's it is.
func (s *server) record(ctx context.Context, op string, at fhir.Ref) (fhir.Resource, error) {
	answer, err := s.client.Do(ctx, rest.Call{Op: op, Path: at.Type + "/" + url.PathEscape(at.ID)})
	if err != nil {
		return fhir.Resource{}, err
	}
	there := standsAt(at.Type, answer)
	return fhir.Resource{Type: at.Type, ID: at.ID, VersionID: there.version, Body: answer.Body}, nil
}

// says reports whether what stands there says what the edit says: an edit moves a record to another status, and a server
// may write more into what it is given.
func says(there, edit []byte) bool {
	var a, b struct{ Status string }
	return json.Unmarshal(there, &a) == nil && json.Unmarshal(edit, &b) == nil && b.Status != "" && a.Status == b.Status
}

func movedOn(op string) error {
	return connectors.Errorf(op, connectors.Conflict, "somebody changed it since it was read: %w", exchange.ErrConflict)
}
