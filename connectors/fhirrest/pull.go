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
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Pull reads one page of a round over everything the server has to tell: first members new to the hub, to the beginning;
// then either what changed since the last round, type by type, or, where searches cannot tell what changed, client by
// client. The last page of a round is empty: when it is asked for, all before it is stored, and whoever became a member
// on the way has been read back. A round that was left alone half way does not end the read: another one follows, so that
// nothing old counts as just read.
//
// A search that is refused (403, 404 …) leaves the round incomplete and the others go on, so that a hold is seen while
// something else is broken; what the server's statement or the config leaves out is not missed. A server that cannot
// be reached, is busy or answers garbage ends the page with an error, and the same cursor tries again.
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
		return s.readMember(ctx, offers, p, id)
	}

	searches := offers.types
	var all exchange.Everybody
	if !offers.delta {
		if all, err = roster.Everybody(ctx); err != nil {
			return exchange.Page{}, err
		}
		searches = s.discoveries(offers, all)
	}
	var last error
	for {
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
		last = err
		if !s.dispensable(offers, name, err) {
			p.fault(coded(name, err))
		}
		p.finish(name)
	}
	if !offers.delta {
		if id, ok := following(all, p.After); ok {
			p.After = id
			return s.readMember(ctx, offers, p, id)
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
		return s.readMember(ctx, offers, p, id)
	}
	return exchange.Page{Complete: p.Why == "", Why: p.Why}, nil
}

// step reads the next page of the search called name and moves p behind it.
func (s *server) step(ctx context.Context, offers *offer, p *position, name string, all exchange.Everybody) (exchange.Page, error) {
	typ, portion, _ := strings.Cut(name, " ")
	if p.Walk == nil || p.Walk.Type != name {
		p.Walk = &walk{Type: name}
		if offers.delta {
			p.Walk.At = p.Marks[name]
		}
	}
	w := *p.Walk // p moves only when the page is whole
	call := rest.Call{Op: "search " + typ, Path: typ, Link: w.Link}
	if call.Link == "" {
		call.Query = s.changed(offers, w)
		if portion != "" {
			call.Query = url.Values{"identifier": {wanted(all, portion)}}
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

	keyed := offers.delta
	if keyed && b.next != "" {
		if keyed, err = s.keepsOrder(ctx, offers, &w, b); err != nil {
			return exchange.Page{}, err
		}
	}
	done, loop := w.follow(b, keyed)
	switch {
	case loop || w.Pages >= s.dialect.MaxPages && !done:
		return exchange.Page{}, pagingLoop(call.Op)
	case !done:
		p.Walk = &w
	case w.Held:
		p.fault(typ + ": rows withheld")
		p.finish(name) // its mark stays: what was withheld is asked for again
	case w.short(b):
		p.fault(typ + ": pages do not add up to their total")
		p.finish(name)
	default:
		if offers.delta {
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

// changed is the query for what changed since w.At.
func (s *server) changed(offers *offer, w walk) url.Values {
	q := url.Values{"_count": {strconv.Itoa(s.dialect.PageSize)}}
	if !offers.delta {
		return q
	}
	q.Set("_sort", "_lastUpdated")
	if w.At.IsZero() {
		return q
	}
	prefix, at := "ge", w.At.Add(-time.Millisecond) // a server may have rounded up what it told
	if s.dialect.LastUpdated == LastUpdatedGT {
		prefix, at = "gt", w.At.Add(-coarse)
	}
	q.Set("_lastUpdated", prefix+at.UTC().Format("2006-01-02T15:04:05.000Z"))
	return q
}

// search makes a search and reads the page that comes.
func (s *server) search(ctx context.Context, call rest.Call) (bundle, rest.Answer, error) {
	answer, err := s.client.Do(ctx, call)
	if err != nil {
		return bundle{}, answer, err
	}
	b, err := readBundle(call.Op, answer.Body)
	return b, answer, err
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
	call := rest.Call{Op: "search " + w.Type, Path: w.Type, Query: s.changed(offers, *w)}
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
	return notOffered(err) && !s.needed(offers, name)
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

func coded(name string, err error) string {
	typ, _, _ := strings.Cut(name, " ")
	if notOffered(err) {
		return typ + ": not offered"
	}
	return typ + ": " + connectors.FaultOf(err).String()
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// discoveries are the searches that find new clients where a pull goes client by client: at a practice what makes
// somebody a client, at a prescriber the patients who carry a client's identifier, some at a time.
func (s *server) discoveries(offers *offer, all exchange.Everybody) []string {
	var names []string
	if s.party == fhir.Practice {
		for _, typ := range s.role().discover {
			if slices.Contains(offers.types, typ) && !s.dialect.PatientRequired {
				names = append(names, typ)
			}
		}
		return names
	}
	for i := 0; i < len(all.Wanted) && slices.Contains(offers.types, "Patient"); i += atOnce {
		names = append(names, "Patient "+strconv.Itoa(i))
	}
	return names
}

// atOnce is how many identifiers one search asks for: its address stays short enough for every server.
const atOnce = 20

func wanted(all exchange.Everybody, portion string) string {
	from, _ := strconv.Atoi(portion)
	from = min(from, len(all.Wanted))
	var tokens []string
	for _, id := range all.Wanted[from:min(from+atOnce, len(all.Wanted))] {
		tokens = append(tokens, token(id))
	}
	return strings.Join(tokens, ",")
}

// token is an identifier as a search takes it.
func token(id fhir.ID) string {
	escape := strings.NewReplacer(`\`, `\\`, `|`, `\|`, `,`, `\,`, `$`, `\$`)
	return escape.Replace(id.System) + "|" + escape.Replace(id.Value)
}
