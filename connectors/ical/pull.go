package ical

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// beyond is how far outside the window an event that is known is still looked for: one that moved there is not gone.
const beyond = 366 * day

// world is the feed as the hub should know it now: by patient, what there is of each.
type world struct {
	events  int // blocks in the feed
	tokens  map[string]string
	records map[string][]record // by Patient id, the Patient itself first
	uids    map[string]bool     // of what cannot be read: it is not gone
	strays  []exchange.Stray
	dropped int // known events to come that are not there
	ahead   int // known events to come
}

// record is one thing told of a patient.
type record struct {
	key    string // "Appointment/e-1", or "!e-1!" and the hash of a reject
	hash   string
	end    time.Time
	uid    string
	body   []byte
	reject *fhir.Reject
}

// Pull tells what changed in the feed since the last read, a page at a time. The whole feed is read for each page, and
// what is told is what the cursor does not know yet: a feed that changes meanwhile loses nothing.
//
//	an event of the feed                                       is told as
//	without a token, or outside the window                     nothing; without a token it is not kept at all
//	with a token of nobody on the roster                       a stray: its times and the token's digest
//	with a token that a client bears who is not linked here    the bare Patient, so that the store can link it
//	with a token of a linked client, new or changed            the bare Patient and an Appointment
//	cannot be read, with a token                               a reject without its text
//	known, to come, and not in the feed any more               gone
//	known, over, and not in the feed any more                  nothing: calendars are cleared of old events
//
// A feed that lost more than half of what was to come is likelier cut short than true: nothing is gone and the read is
// incomplete until ConfirmFor reads, an hour apart at least, agree.
func (f *feed) Pull(ctx context.Context, since exchange.Cursor, roster exchange.Roster) (exchange.Page, error) {
	p, err := f.position(since)
	if err != nil {
		return exchange.Page{}, err
	}
	cal, err := f.read(ctx)
	if err != nil {
		return exchange.Page{}, err
	}
	all, err := roster.Everybody(ctx)
	if err != nil {
		return exchange.Page{}, err
	}
	now := f.Now()
	w := f.look(cal, p, all, now)
	p.forget(roster)
	if id, ok := p.newcomer(roster); ok {
		p.Back = append(p.Back, id)
		delete(p.Known, id)
		page := exchange.Page{Swept: []string{id}, More: true}
		for _, r := range w.records[id] {
			f.tell(&page, p, id, r)
		}
		page.Next = p.cursor()
		return page, nil
	}
	var page exchange.Page
	for _, id := range slices.Sorted(maps.Keys(w.records)) {
		for _, r := range w.records[id] {
			if p.knows(id, r) {
				continue
			}
			if len(page.Resources)+len(page.Rejects) >= f.PageSize {
				page.More, page.Next = true, p.cursor()
				return page, nil
			}
			f.tell(&page, p, id, r)
		}
	}
	f.settle(&page, p, w, all, now)
	page.Next = p.cursor()
	return page, nil
}

// tell puts r on the page and notes that it was told.
func (f *feed) tell(page *exchange.Page, p *position, id string, r record) {
	p.note(id, r)
	if r.reject != nil {
		p.doubt(id, fhir.Ref{Type: r.reject.Type, ID: r.reject.Ref}.String())
		page.Rejects = append(page.Rejects, *r.reject)
		return
	}
	res, err := fhir.Parse(r.body, "")
	if err != nil {
		panic(err) // it is written here
	}
	page.Resources = append(page.Resources, res)
}

// look reads the calendar as of now for the members of the roster and those who may become one.
func (f *feed) look(cal *calendar, p *position, all exchange.Everybody, now time.Time) *world {
	from, to := now.Add(-f.Back), now.Add(f.Ahead)
	w := &world{events: cal.events, tokens: map[string]string{}, records: map[string][]record{}, uids: map[string]bool{}}
	member := map[string]bool{}
	for _, id := range all.Members {
		member[id] = true
	}
	faults := slices.Clone(cal.faults)
	list, endless := cal.occurrences(from.Add(-beyond), to.Add(beyond))
	for _, e := range endless {
		faults = append(faults, fault{uid: e.uid, line: e.line, reason: badRule, tokens: e.tokens})
	}
	place := func(token string, r record) {
		id := patientID(token)
		if w.tokens[id] == "" {
			w.tokens[id] = token
			if member[id] {
				body, ref := barePatient(token)
				w.records[id] = []record{{key: ref.String(), hash: digest(string(body)), body: body}}
			}
		}
		if member[id] {
			w.records[id] = append(w.records[id], r)
		}
	}
	for _, o := range list {
		for _, e := range f.entries(o) {
			id := patientID(e.token)
			key := e.ref.String()
			if !overlaps(e.start, e.end, from, to) && !p.has(id, key) {
				continue
			}
			place(e.token, record{key: key, hash: digest(string(e.body)), end: e.end, uid: o.uid, body: e.body})
			if !member[id] && o.status != "cancelled" && e.end.After(now.Add(-7*day)) && len(w.strays) < strays {
				w.strays = append(w.strays, exchange.Stray{Token: fhir.ID{System: fhir.SystemToken, Value: e.token}, Start: e.start, End: e.end})
			}
		}
	}
	for _, x := range faults {
		w.uids[short(x.uid)] = true
		for i, j := range f.rejects(x) {
			place(x.tokens[i], record{key: "!" + j.Ref + "!" + j.Hash, hash: j.Hash, uid: x.uid, reject: &j})
		}
	}
	return w
}

// strays is how many events of nobody are told at most.
const strays = 200

// settle tells what is gone, and how the read ended.
func (f *feed) settle(page *exchange.Page, p *position, w *world, all exchange.Everybody, now time.Time) {
	for _, id := range all.Wanted { // their client is known elsewhere: the store links them, and reads them back
		if id.System != fhir.SystemToken || w.tokens[patientID(id.Value)] != id.Value {
			continue
		}
		if _, told := w.records[patientID(id.Value)]; !told {
			body, _ := barePatient(id.Value)
			if res, err := fhir.Parse(body, "Patient"); err == nil {
				page.Resources = append(page.Resources, res)
			}
		}
	}
	page.Strays, page.Complete = &w.strays, true
	gone := f.missing(p, w, all, now)
	if w.dropped*2 > w.ahead && w.dropped >= 3 || w.events*2 < p.Events && p.Events >= 6 {
		if now.Sub(p.Doubted) >= time.Hour {
			p.Doubts, p.Doubted = p.Doubts+1, now
		}
		if p.Doubts < f.ConfirmFor {
			page.Complete, page.Why = false, "more than half of the calendar's events are missing: looked at again before it is believed"
			return
		}
	}
	p.Doubts, p.Doubted, p.Events = 0, time.Time{}, w.events
	for _, g := range gone {
		delete(p.Known[g.patient], g.key)
		if g.told {
			page.Gone = append(page.Gone, g.ref)
		}
	}
}

// absent is something known that is not in the feed any more.
type absent struct {
	patient, key string
	ref          fhir.Ref
	told         bool // it is to come, or could not be read, and so it is gone
}

// missing returns what is known and no longer there, in a stable order.
func (f *feed) missing(p *position, w *world, all exchange.Everybody, now time.Time) (list []absent) {
	for _, id := range slices.Sorted(maps.Keys(p.Known)) {
		if !slices.Contains(all.Members, id) {
			delete(p.Known, id) // linked no more: nothing of it is kept, here neither
			continue
		}
		here := map[string]bool{}
		for _, r := range w.records[id] {
			here[r.key] = true
		}
		for _, key := range slices.Sorted(maps.Keys(p.Known[id])) {
			k := p.Known[id][key]
			event := key[0] != '!' && k.End > 0
			toCome := event && k.End > now.Unix()
			if toCome {
				w.ahead++
			}
			if here[key] || w.uids[k.UID] && event {
				continue
			}
			if toCome {
				w.dropped++
			}
			a := absent{patient: id, key: key, told: toCome}
			if ref, ok := fhir.ParseRef(key, ""); ok {
				a.ref = ref
			} else { // what could not be read is there no more, unless it can be read now and takes the reject's place
				a.ref = fhir.Ref{Type: "Appointment", ID: strings.Split(key, "!")[1]}
				a.told = !here[a.ref.String()]
			}
			list = append(list, a)
		}
	}
	return list
}
