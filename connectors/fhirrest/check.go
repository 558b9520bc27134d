package fhirrest

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
)

// Check tells what the server offers and what is done where it does not. It asks afresh, reads one row of each type at
// most, and changes nothing there. An error means that the server could not be asked at all.
func (s *server) Check(ctx context.Context) (connectors.Report, error) {
	offers, err := s.explore(ctx)
	if err != nil {
		return connectors.Report{}, err
	}
	var r connectors.Report
	r.Software = offers.software
	r.Capabilities = connectors.Capabilities{LastUpdated: offers.delta, ConditionalCreate: offers.condition, IdentifierSearch: s.searchesCopies(offers)}
	if offers.states {
		r.Capabilities.Types = offers.types
	}
	line := func(level, about, format string, args ...any) {
		r.Lines = append(r.Lines, connectors.Line{Level: level, About: about, Text: fmt.Sprintf(format, args...)})
	}
	line("works", "connection", "reachable and speaks FHIR")
	if !offers.states {
		line("degrades", "statement", "lists no resource types: all that the hub needs are tried")
	}
	s.checkTypes(ctx, offers, line)

	switch {
	case offers.delta:
		line("works", "changes", "searches honour _lastUpdated (%s): only what changed is read", offers.honoured)
	case s.dialect.PatientRequired && s.role().discover != nil:
		line("impossible", "changes", "searches need a patient: clients are read one by one, and new ones are not found by reading; enrol them by hand")
	default:
		line("degrades", "changes", "searches do not tell what changed (%s): clients are read one by one, which takes longer", offers.honoured)
	}
	switch {
	case offers.condition:
		line("works", "writing", "conditional create is stated: nothing is written twice")
	case s.searchesCopies(offers):
		line("degrades", "writing", "conditional create is not stated: the hub looks by identifier before it writes")
	default:
		line("impossible", "writing", "neither conditional create nor identifier search: after a lost reply a person has to look whether it arrived")
	}
	for _, typ := range s.role().writes {
		if _, has := offers.identify[typ]; offers.states && !has {
			line("impossible", typ, "is not in its statement: what the hub has to bring there will be refused, and has to go another way")
		}
	}
	return r, nil
}

// checkTypes tries to read one row of each type.
func (s *server) checkTypes(ctx context.Context, offers *offer, line func(level, about, format string, args ...any)) {
	var works, missing []string
	for _, typ := range offers.types {
		call := rest.Call{Op: "search " + typ, Path: typ, Query: url.Values{"_count": {"1"}}}
		if !offers.delta && !isDirectory(typ) {
			call.Query.Set(byPatient[typ], "kaphub-check") // nobody: it is enough that the search is understood
		}
		_, _, err := s.search(ctx, call)
		switch {
		case err == nil:
			works = append(works, typ)
		case notOffered(err):
			missing = append(missing, typ)
		default:
			line("impossible", typ, "%s", err.Error())
		}
	}
	if len(works) == 0 && len(missing) == len(offers.types) {
		line("fails", "reading", "nothing that the hub reads is there: base_url is probably not where FHIR begins; it is the address that stands before /metadata and /Patient")
		return
	}
	if len(works) > 0 {
		line("works", "reading", "%s", strings.Join(works, ", "))
	}
	for _, typ := range missing {
		if s.needed(offers, typ) {
			line("impossible", typ, "is refused as unknown, so no read is complete: if the server really has none, list what it has under dialect.types")
		} else {
			line("degrades", typ, "is refused as unknown: what rests on it stays unknown")
		}
	}
	for _, typ := range offers.missing {
		if slices.Contains(s.role().essential, typ) {
			line("degrades", typ, "is not offered, by %s: what rests on it has to come from another source, the desk for one", s.byWhom())
		}
	}
}

// searchesCopies reports whether the hub can look by identifier for everything that it writes there.
func (s *server) searchesCopies(offers *offer) bool {
	for _, typ := range s.role().writes {
		if _, has := offers.identify[typ]; (has || !offers.states) && !offers.identifies(typ) {
			return false
		}
	}
	return true
}

func (s *server) byWhom() string {
	if s.dialect.Types != nil {
		return "the config"
	}
	return "its own statement"
}
