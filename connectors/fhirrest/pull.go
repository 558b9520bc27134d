package fhirrest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Pull reads one page of a round over everything the server has to tell: first members new to the hub, to the beginning;
// then what changed since the last round, type by type; then, of the types whose searches cannot tell what changed,
// everything, client by client. The last page of a round is empty: when it is asked for, all before it is stored, and
// whoever became a member on the way has been read back. A round that was left alone half way does not end the read:
// another one follows, so that nothing old counts as just read.
//
// A search that is refused (403, 404 …) leaves the round incomplete and the others go on, so that a hold is seen while
// something else is broken; what the server's statement or the config leaves out is not missed. Where a type turns out to
// take another search than its statement says, that one is made from then on. A server that cannot be reached, is busy or
// answers garbage ends the page with an error, and the same cursor tries again.
func (s *server) Pull(ctx context.Context, since exchange.Cursor, roster exchange.Roster) (exchange.Page, error) {
	p, err := s.position("pull "+s.name, since)
	if err != nil {
		return exchange.Page{}, err
	}
	offers, err := s.offers(ctx)
	if err != nil {
		return exchange.Page{}, err
	}
	p.forget(roster)
	if id, ok := p.newcomer(roster); ok {
		p.Back = append(p.Back, id)
		return s.readMember(ctx, offers, p, id, offers.clinical())
	}

	var last error
	for {
		searches, all, err := s.searches(ctx, offers, &p, roster)
		if err != nil {
			return exchange.Page{}, err
		}
		name, ok := p.pending(searches)
		if !ok {
			break
		}
		page, err := s.step(ctx, offers, &p, name, all)
		switch {
		case err == nil:
			page.Next, page.More = p.paged(s.now()), true
			return page, nil
		case !ownTrouble(err):
			return exchange.Page{}, err
		}
		better, learned, tried := s.mend(ctx, offers, typeOf(name), err)
		if tried != nil {
			return exchange.Page{}, tried
		}
		if learned {
			offers, p.Walk = better, nil
			continue
		}
		last = err
		if !s.dispensable(offers, name, err) {
			p.fault(coded(name, err))
		}
		p.finish(name)
	}
	if each := offers.each(); len(each) > 0 {
		all, err := roster.Everybody(ctx)
		if err != nil {
			return exchange.Page{}, err
		}
		if id, ok := following(all, p.After); ok {
			p.After = id
			return s.readMember(ctx, offers, p, id, each)
		}
	}
	s.missed(&p, offers)
	if !p.Read && last != nil {
		return exchange.Page{}, last
	}
	if p.Broken {
		return exchange.Page{Next: p.closed(), More: true}, nil
	}
	return exchange.Page{Next: p.closed(), Complete: p.Why == "", Why: p.Why}, nil
}

// searches are the searches of a round: one for each type that tells what changed; and where not all do, those that find
// new clients.
func (s *server) searches(ctx context.Context, offers *offer, p *position, roster exchange.Roster) (names []string, all exchange.Everybody, err error) {
	for _, typ := range offers.types {
		if offers.tells(typ) {
			names = append(names, typ)
		}
	}
	if len(offers.each()) == 0 {
		return names, all, nil
	}
	all, err = roster.Everybody(ctx)
	return append(names, s.discoveries(offers, p, all)...), all, err
}

// Sweep reads one member of the roster, everything there is of them. resume says after whom.
func (s *server) Sweep(ctx context.Context, resume exchange.Cursor, roster exchange.Roster) (exchange.Page, error) {
	p, err := s.position("sweep "+s.name, resume)
	if err != nil {
		return exchange.Page{}, err
	}
	offers, err := s.offers(ctx)
	if err != nil {
		return exchange.Page{}, err
	}
	all, err := roster.Everybody(ctx)
	if err != nil {
		return exchange.Page{}, err
	}
	if id, ok := following(all, p.After); ok {
		p.After = id
		return s.readMember(ctx, offers, p, id, offers.clinical())
	}
	return exchange.Page{Complete: p.Why == "", Why: p.Why}, nil
}

// step reads the next page of the search called name and moves p behind it.
func (s *server) step(ctx context.Context, offers *offer, p *position, name string, all exchange.Everybody) (exchange.Page, error) {
	typ, told := typeOf(name), offers.tells(name)
	if p.Walk == nil || p.Walk.Type != name {
		p.Walk = &walk{Type: name}
		if told {
			p.Walk.At = p.Marks[name]
		}
	}
	w := *p.Walk // p moves only when the page is whole
	call := rest.Call{Op: "search " + typ, Path: typ, Link: w.Link}
	if call.Link == "" {
		call.Query = offers.byCode(s.changed(offers.search[name], w.At), typ)
		if upTo, ok := portion(name); ok {
			call.Query = url.Values{"identifier": {wanted(all, p.Asked, upTo)}}
		}
	}
	b, answer, err := s.search(ctx, call)
	if err != nil {
		if w.Link != "" && !w.Again && expired(err) {
			p.Walk = &walk{Type: name, At: p.Marks[name], Again: true}
			return s.step(ctx, offers, p, name, all)
		}
		return exchange.Page{}, err
	}
	if w.Start.IsZero() {
		w.Start = earlier(b.at, answer.Date)
		if !w.Start.IsZero() && w.Start.Before(p.Marks[name]) { // its clock was ahead when the mark was set
			delete(p.Marks, name)
			p.Walk = nil
			return s.step(ctx, offers, p, name, all)
		}
	}
	var page exchange.Page
	s.sort(&page, b, "")
	w.Held = w.Held || page.Unknowns > 0
	if typ == "Task" {
		why, err := s.outputs(ctx, offers, &page, "")
		if err != nil {
			return exchange.Page{}, err
		}
		if why != "" {
			p.fault(why)
		}
	}
	if told && offers.names() {
		if err := s.directory(ctx, offers, &page); err != nil {
			return exchange.Page{}, err
		}
	}

	before := w.At
	keyed := told && offers.search[name].sorts
	if keyed && b.next != "" {
		if keyed, err = s.keepsOrder(ctx, offers, &w, b); err != nil {
			return exchange.Page{}, err
		}
	}
	done, loop := w.follow(b, keyed)
	short := false
	if done && !w.Held && w.short(b) {
		if short, err = s.cutShort(ctx, typ, offers.byCode(s.changed(offers.search[name], before), typ), w.Rows); err != nil {
			return exchange.Page{}, err
		}
	}
	switch {
	case loop || w.Pages >= s.dialect.MaxPages && !done:
		return exchange.Page{}, pagingLoop(call.Op)
	case !done:
		p.Walk = &w
	case w.Held:
		p.fault(typ + ": rows withheld")
		p.finish(name) // its mark stays: what was withheld is asked for again
	case short:
		p.fault(typ + ": pages do not add up to their total")
		p.finish(name)
	default:
		if told {
			p.mark(name, w, s.dialect.Overlap, s.now())
		}
		p.finish(name)
	}
	return page, nil
}

// mark moves the watermark of a search that was read to its end: to the server's clock when it began, less the overlap.
// A server that never tells its clock is taken at the time of its newest row, unless that is still to come.
func (p *position) mark(name string, w walk, overlap time.Duration, now time.Time) {
	start := w.Start
	if start.IsZero() {
		start = w.At
		if !start.After(p.Marks[name]) {
			return // it told no row either
		}
		if start.After(now) {
			start = now
		}
	}
	marks := map[string]time.Time{name: start.Add(-overlap).UTC()}
	for k, v := range p.Marks {
		if k != name {
			marks[k] = v
		}
	}
	p.Marks = marks
}

// changed is the query for what changed since at, as far as a can tell.
func (s *server) changed(a ability, at time.Time) url.Values {
	q := url.Values{"_count": {strconv.Itoa(s.dialect.PageSize)}}
	if !a.tells() {
		return q
	}
	if a.sorts {
		q.Set("_sort", "_lastUpdated")
	}
	if at.IsZero() {
		return q
	}
	since := at.Add(-time.Millisecond) // a server may have rounded up what it told
	if a.since == LastUpdatedGT {
		since = at.Add(-coarse)
	}
	q.Set("_lastUpdated", a.since+since.UTC().Format("2006-01-02T15:04:05.000Z"))
	return q
}

// cutShort reports whether a search whose pages held fewer rows than their total says was cut short. Many servers only
// estimate a page's total: then the count itself is asked for. Where that is refused, the total is believed.
func (s *server) cutShort(ctx context.Context, typ string, query url.Values, rows int) (bool, error) {
	switch s.dialect.Totals {
	case TotalsEstimated:
		return false, nil
	case TotalsExact:
		return true, nil
	}
	query = maps.Clone(query)
	query.Del("_sort")
	query.Del("_count")
	query.Set("_summary", "count")
	b, _, err := s.search(ctx, rest.Call{Op: "count " + typ, Path: typ, Query: query})
	if err != nil {
		return true, whole(err)
	}
	return b.total < 0 || b.total > rows, nil
}

// search makes a search and reads the page that comes.
func (s *server) search(ctx context.Context, call rest.Call) (bundle, rest.Answer, error) {
	return s.list(ctx, call, "searchset")
}

// list asks for a Bundle of a kind.
func (s *server) list(ctx context.Context, call rest.Call, kind string) (bundle, rest.Answer, error) {
	call.Link = s.under(call)
	answer, err := s.client.Do(ctx, call)
	if err != nil {
		return bundle{}, answer, err
	}
	b, err := readBundle(call.Op, kind, answer.Body)
	return b, answer, err
}

// under is call's link as an address. A relative one is meant from the server's base, or, where it is a query only, from
// the search that it goes on with.
func (s *server) under(call rest.Call) string {
	link := call.Link
	switch {
	case link == "" || strings.HasPrefix(link, "/") || strings.Contains(link, "://"):
		return link
	case strings.HasPrefix(link, "?"):
		_, typ, _ := strings.Cut(call.Op, " ")
		return s.client.Base() + "/" + typ + link
	}
	return s.client.Base() + "/" + strings.TrimPrefix(link, "./")
}

// expired reports whether a link is no longer good: it is refused, or it leads away since base_url was changed.
func expired(err error) bool {
	switch rest.StatusOf(err) {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone:
		return true
	}
	return errors.Is(err, rest.ErrAway)
}

func pagingLoop(op string) error {
	e := connectors.Errorf(op, connectors.Garbled, "paging loop: its next links lead nowhere new")
	e.Hint, e.Unsent = "tell the counterpart; until it is mended this source cannot be read whole", true
	return e
}

// keepsOrder reports whether rows come in the order they were asked for: asked the other way round, another one must come
// first. Many servers ignore _sort without a word, and a page of theirs may be in order by chance.
func (s *server) keepsOrder(ctx context.Context, offers *offer, w *walk, b bundle) (bool, error) {
	if w.First == "" {
		w.First = firstRow(b)
	}
	if _, onward := ordered(b.entries, w.At); w.Order != "" || !onward {
		return w.Order == orderKept, nil
	}
	call := rest.Call{Op: "search " + w.Type, Path: w.Type, Query: offers.byCode(s.changed(offers.search[w.Type], w.At), w.Type)}
	call.Query.Set("_sort", "-_lastUpdated")
	call.Query.Set("_count", "1")
	back, _, err := s.search(ctx, call)
	if err != nil && !ownTrouble(err) {
		return false, err
	}
	w.Order = orderIgnored
	if row := firstRow(back); row != "" && row != w.First {
		w.Order = orderKept
	}
	return w.Order == orderKept, nil
}

// firstRow tells the first row of b from others; "" when there is none.
func firstRow(b bundle) string {
	for _, e := range b.entries {
		if e.match && !e.outcome && e.resource != nil {
			sum := sha256.Sum256([]byte(identity(e)))
			return hex.EncodeToString(sum[:8])
		}
	}
	return ""
}

// missed notes the types that were read in earlier rounds and are not offered now. A stop may stand there: that the server
// has no more of them is for a person to say, who takes them out of the config's types.
func (s *server) missed(p *position, offers *offer) {
	if s.dialect.Types != nil {
		return
	}
	for _, typ := range slices.Sorted(maps.Keys(p.Marks)) {
		if slices.Contains(s.role().types, typ) && !slices.Contains(offers.types, typ) {
			p.fault(typ + ": not offered any more")
		}
	}
}

// dispensable reports whether err only says that the server has no such type, and nobody said that it has.
func (s *server) dispensable(offers *offer, name string, err error) bool {
	return kept(typeOf(name), err) || notOffered(err) && !s.needed(offers, name)
}

// needed reports whether no read is complete without typ: nobody can be judged without it, or the server's statement or
// the config promises it. What is promised and not offered must be taken out of the config's types by a person, knowingly.
func (s *server) needed(offers *offer, typ string) bool {
	return offers.states || s.dialect.Types != nil || slices.Contains(s.role().essential, typ)
}

func notOffered(err error) bool {
	switch rest.StatusOf(err) {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented:
		return true
	case http.StatusBadRequest:
		e, ok := errors.AsType[*connectors.Error](err)
		return ok && slices.Contains(e.Codes, "error/not-supported")
	}
	return false
}

// typeOf is the resource type that a search called name is of.
func typeOf(name string) string {
	typ, _, _ := strings.Cut(name, " ")
	return typ
}

func coded(name string, err error) string {
	typ := typeOf(name)
	if notOffered(err) {
		return typ + ": not offered"
	}
	if errors.Is(err, rest.ErrScope) {
		return typ + ": scope not granted"
	}
	return typ + ": " + connectors.FaultOf(err).String()
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
