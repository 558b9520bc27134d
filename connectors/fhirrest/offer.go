package fhirrest

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
)

// offer is what a server offers: what the operator says, else what its statement says, else what trying it told.
// An offer is a value: what is learned on the way makes a new one.
type offer struct {
	found    time.Time
	software string
	states   bool     // it lists resource types at all
	types    []string // what is read from it, in the role's order
	missing  []string // of the role, what it does not have
	search   map[string]ability
	links    map[string][]link    // by type: how it is found where it is not searched by patient
	writing  map[string]allowance // by type: of what the hub has to bring there

	condition claim[bool]
	anyID     bool              // whether types that are not stated can be searched by identifier
	identify  map[string]bool   // by stated type: whether it can be searched by identifier
	versions  claim[string]     // how it guards against lost updates: one of the guard… words
	byID      connectors.Origin // where the word on identifier search was learned
}

// claim is a fact about a server with where it was learned.
type claim[T any] struct {
	is   T
	from connectors.Origin
}

// ability is how one type can be searched.
type ability struct {
	since   string // LastUpdatedGE or …GT; LastUpdatedLE or …None: a search does not tell what changed since
	sorts   bool   // it takes _sort=_lastUpdated
	patient bool   // it is searched for one patient only
	codes   string // the codes it is narrowed to; "" = not narrowed
	from    connectors.Origin
}

// tells reports whether one search tells what changed since a time.
func (a ability) tells() bool {
	return !a.patient && (a.since == LastUpdatedGE || a.since == LastUpdatedGT)
}

// allowance is what may be written of one type.
type allowance struct {
	create, update bool
	from           connectors.Origin
}

// How a server guards against lost updates, by its own word.
const (
	guardIfMatch = "if-match"    // it states versioned-update
	guardNone    = "versions"    // it keeps versions, and does not state that it looks at If-Match
	guardBlind   = "no versions" // it keeps none
	guardUnknown = "not stated"
)

// tells reports whether typ can be read by what changed.
func (o *offer) tells(typ string) bool { return o.search[typ].tells() }

// each are the clinical types that have to be read client by client, in the role's order.
func (o *offer) each() []string {
	return slices.DeleteFunc(slices.Clone(o.types), func(typ string) bool { return isDirectory(typ) || o.tells(typ) })
}

// clinical are the types that hang on a patient.
func (o *offer) clinical() []string {
	return slices.DeleteFunc(slices.Clone(o.types), isDirectory)
}

// names reports whether entries of the directory have to be read by what names them.
func (o *offer) names() bool {
	return slices.ContainsFunc(o.types, func(typ string) bool { return isDirectory(typ) && !o.tells(typ) })
}

// with is o, knowing better how typ can be searched.
func (o *offer) with(typ string, a ability) *offer {
	knows := *o
	knows.search = maps.Clone(o.search)
	knows.search[typ] = a
	return &knows
}

// stale is how long an offer is believed.
const stale = time.Hour

// offers returns what the server offers, asking at most once an hour.
func (s *server) offers(ctx context.Context) (*offer, error) {
	release, err := s.hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
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

// hold keeps what the server offers to one asker.
func (s *server) hold(ctx context.Context) (release func(), err error) {
	select {
	case s.asking <- struct{}{}:
		return func() { <-s.asking }, nil
	case <-ctx.Done():
		return nil, &connectors.Error{Op: "read capabilities", Fault: connectors.Temporary, Unsent: true, Err: ctx.Err()}
	}
}

func (s *server) explore(ctx context.Context) (*offer, error) {
	statement, err := s.statement(ctx)
	if err != nil {
		return nil, err
	}
	o := &offer{found: s.now(), software: statement.software(), identify: map[string]bool{}, search: map[string]ability{}, writing: map[string]allowance{}}
	listed := statement.resources()
	o.states = len(listed) > 0
	for _, typ := range s.role().types {
		_, has := listed[typ]
		switch {
		case s.idle(typ):
		case s.dialect.Types != nil && !slices.Contains(s.dialect.Types, typ), s.dialect.Types == nil && o.states && !has:
			o.missing = append(o.missing, typ)
		default:
			o.types = append(o.types, typ)
		}
	}
	o.links = s.linked(o.types, listed)
	s.identification(o, listed)
	s.writes(o, listed)
	o.versions = statement.guards()
	if on := s.dialect.IfMatch; on != nil {
		o.versions = claim[string]{map[bool]string{true: guardIfMatch, false: guardNone}[*on], connectors.Config}
	}
	return o, s.chooseSearches(ctx, statement, o)
}

// identification notes which types can be searched by identifier, and whether creates are conditional.
func (s *server) identification(o *offer, listed map[string]stated) {
	o.condition, o.anyID, o.byID = claim[bool]{from: connectors.Statement}, !o.states, connectors.Statement
	for typ, r := range listed {
		o.condition.is = o.condition.is || r.ConditionalCreate
		o.identify[typ] = len(r.SearchParam) == 0 || r.searches("identifier")
	}
	if !o.states {
		o.condition.from, o.byID = connectors.Assumed, connectors.Assumed
	}
	if on := s.dialect.ConditionalCreate; on != nil {
		o.condition = claim[bool]{*on, connectors.Config}
	}
	if on := s.dialect.IdentifierSearch; on != nil {
		o.anyID, o.byID = *on, connectors.Config
		for typ := range o.identify {
			o.identify[typ] = *on
		}
	}
}

// writes notes what can be written there, of what the hub has to bring.
func (s *server) writes(o *offer, listed map[string]stated) {
	for _, typ := range s.role().writes {
		r, has := listed[typ]
		may := allowance{create: r.does("create"), update: r.does("update"), from: connectors.Statement}
		switch {
		case s.dialect.Writes != nil:
			on := slices.Contains(s.dialect.Writes, typ)
			may = allowance{on, on, connectors.Config}
		case !o.states:
			may = allowance{true, true, connectors.Assumed}
		case !has:
			may = allowance{from: connectors.Statement}
		}
		o.writing[typ] = may
	}
}

// chooseSearches decides for each type between reading what changed and reading client by client: by the operator's
// word, else by the statement, else by trying. A server that does not know _lastUpdated may answer every search that has
// it with nothing, and that would read as "no news" for ever.
func (s *server) chooseSearches(ctx context.Context, statement statement, o *offer) error {
	silent := statement.silent(o.types)
	works := false
	if silent && s.dialect.LastUpdated == "" && !s.dialect.PatientRequired {
		var err error
		if works, err = s.probe(ctx, o.types); err != nil {
			return err
		}
	}
	for _, typ := range o.types {
		a := ability{since: LastUpdatedNone, sorts: true, from: connectors.Statement}
		switch {
		case silent && works:
			a = ability{since: LastUpdatedGE, sorts: true, from: connectors.Probe}
		case silent:
			a.from = connectors.Probe
		case statement.lastUpdated(typ):
			a.since = LastUpdatedGE
		}
		if word := s.dialect.LastUpdated; word != "" {
			a = ability{since: word, sorts: true, from: connectors.Config}
		}
		if word, ok := s.dialect.LastUpdatedOf[typ]; ok {
			a = ability{since: word, sorts: true, from: connectors.Config}
		}
		if s.dialect.PatientRequired && !isDirectory(typ) {
			a.patient, a.from = true, connectors.Config
		}
		if statement.resources()[typ].searches("code") {
			a.codes = s.watch[typ]
		}
		o.search[typ] = a
	}
	if s.dialect.PatientRequired { // it is not known to tell what changed of anybody
		for _, typ := range o.types {
			if a := o.search[typ]; a.from != connectors.Config {
				a.since = LastUpdatedNone
				o.search[typ] = a
			}
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
		b, _, err := s.search(ctx, call)
		return b.matches(), err
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

// try finds out how typ can be searched after all, once a search that its statement allows was refused: with gt in place
// of ge, in no order, or for one patient only. ok is false when no way was found, or when the operator's word forbids to look.
func (s *server) try(ctx context.Context, o *offer, typ string) (a ability, ok bool, err error) {
	a = o.search[typ]
	if a.from == connectors.Config || !a.tells() {
		return a, false, nil
	}
	accepted := func(parameter, value string) bool {
		if err != nil {
			return false
		}
		query := url.Values{"_count": {"1"}}
		if parameter != "" {
			query.Set(parameter, value)
		}
		_, _, tried := s.search(ctx, rest.Call{Op: "search " + typ, Path: typ, Query: query})
		if tried != nil && !ownTrouble(tried) {
			err = tried
		}
		return tried == nil
	}
	const long = "1970-01-01"
	a.from = connectors.Probe
	narrowed := a.codes != ""
	a.codes = ""
	switch {
	case !accepted("", ""):
		a.patient, a.since = true, LastUpdatedNone
		ok = !isDirectory(typ) && accepted(byPatient[typ], nobody)
	default:
		a.sorts = accepted("_sort", "_lastUpdated")
		switch {
		case accepted("_lastUpdated", "ge"+long):
			a.since = LastUpdatedGE
		case accepted("_lastUpdated", "gt"+long):
			a.since = LastUpdatedGT
		default:
			a.since = LastUpdatedNone
		}
		ok = a.since != o.search[typ].since || a.sorts != o.search[typ].sorts || narrowed
	}
	return a, ok && err == nil, err
}

// nobody is no patient: it is enough that a search for them is understood.
const nobody = "kaphub-check"

// mend is what the server offers, as far as a refused search of typ tells it anew; ok is false when nothing was learned.
func (s *server) mend(ctx context.Context, o *offer, typ string, refused error) (better *offer, ok bool, err error) {
	switch rest.StatusOf(refused) {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity:
	default:
		return o, false, nil
	}
	a, ok, err := s.try(ctx, o, typ)
	if !ok || err != nil {
		return o, false, err
	}
	release, err := s.hold(ctx)
	if err != nil {
		return o, false, err
	}
	defer release()
	better = o.with(typ, a)
	s.offer = better
	return better, true, nil
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
	return connectors.FaultOf(err) == connectors.Refused || errors.Is(err, rest.ErrScope) || rest.StatusOf(err) == http.StatusForbidden || rest.StatusOf(err) == http.StatusInternalServerError
}
