package fhirrest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// position is what a Cursor of this connector holds: how far each type has been read, and where in the present round,
// which goes once over everything, the last page ended.
type position struct {
	Server string               `json:"server,omitempty"` // whose rows the marks are about
	Marks  map[string]time.Time `json:"marks,omitempty"`  // by type, on the server's clock
	Walk   *walk                `json:"walk,omitempty"`   // the search being read
	Done   []string             `json:"done,omitempty"`   // searches behind us in this round
	Back   []string             `json:"back,omitempty"`   // members read back, or tried, in this round
	After  string               `json:"after,omitempty"`  // members up to this one were swept in this round
	Asked  string               `json:"asked,omitempty"`  // identifiers up to this digest were looked up in this round
	Read   bool                 `json:"read,omitempty"`   // something could be read in this round
	Watch  string               `json:"watch,omitempty"`  // the watch list by which its types were read
	Why    string               `json:"why,omitempty"`    // the first reason why this round is not complete

	Page   time.Time `json:"page,omitzero"`    // when this round's last page was read, on our clock
	Broken bool      `json:"broken,omitempty"` // this round was left alone for a while: what it began with is old
}

// leftAlone is how long a round may rest between two pages and still count as one reading.
const leftAlone = 10 * time.Minute

// position reads c. Marks of another server, which base_url has led to meanwhile, are none: all is read from the beginning.
func (s *server) position(op string, c exchange.Cursor) (position, error) {
	sum := sha256.Sum256([]byte(s.client.Base()))
	fresh := position{Server: hex.EncodeToString(sum[:4]), Watch: s.watching()}
	if c == "" {
		return fresh, nil
	}
	var p position
	if err := json.Unmarshal([]byte(c), &p); err != nil {
		e := connectors.Errorf(op, connectors.Garbled, "the stored cursor is not one of this connector")
		e.Hint, e.Unsent = "a source cannot change its kind: give it a new name", true
		return p, e
	}
	if p.Server != fresh.Server {
		return fresh, nil
	}
	p.rewatch(s.watching())
	p.Broken = p.Broken || !p.Page.IsZero() && s.now().Sub(p.Page) > leftAlone
	return p, nil
}

func (p *position) encode() exchange.Cursor {
	text, err := json.Marshal(p)
	if err != nil { // times from year 10000 on
		return ""
	}
	return exchange.Cursor(text)
}

// closed is the cursor at the end of a round: only the marks live on.
func (p *position) closed() exchange.Cursor {
	return (&position{Server: p.Server, Marks: p.Marks, Watch: p.Watch}).encode()
}

// paged is the position with a page of its round just read.
func (p *position) paged(now time.Time) exchange.Cursor {
	p.Read, p.Page = true, now
	return p.encode()
}

func (p *position) fault(why string) {
	if p.Why == "" {
		p.Why = why
	}
}

// finish ends the present search.
func (p *position) finish(typ string) {
	p.Walk = nil
	if upTo, ok := portion(typ); ok {
		p.Asked = upTo
		return
	}
	p.Done = append(p.Done, typ)
}

// pending is the first of names that this round has not been through.
func (p *position) pending(names []string) (string, bool) {
	for _, name := range names {
		if !slices.Contains(p.Done, name) {
			return name, true
		}
	}
	return "", false
}

// newcomer is the first member who was not yet read back to the beginning, nor tried in this round.
func (p *position) newcomer(roster exchange.Roster) (string, bool) {
	for _, id := range roster.New {
		if !slices.Contains(p.Back, id) {
			return id, true
		}
	}
	return "", false
}

// forget drops from Back whom the roster knows as read: the list stays as short as what is under way.
func (p *position) forget(roster exchange.Roster) {
	p.Back = slices.DeleteFunc(p.Back, func(id string) bool {
		return !slices.Contains(roster.New, id)
	})
}

// following is the next member after id, by id: an order that holds while the roster changes.
func following(all exchange.Everybody, id string) (string, bool) {
	next := ""
	for _, m := range all.Members {
		if m > id && (next == "" || m < next) {
			next = m
		}
	}
	return next, next != ""
}

// walk is one search being read, page after page.
type walk struct {
	Type  string    `json:"type"`
	Start time.Time `json:"start,omitzero"` // the server's clock when it began
	At    time.Time `json:"at,omitzero"`    // rows last updated before this were seen
	Link  string    `json:"link,omitempty"` // the page to read, when time alone cannot tell it
	Pages int       `json:"pages,omitempty"`
	Again bool      `json:"again,omitempty"` // begun again once, because its link had expired
	Held  bool      `json:"held,omitempty"`  // rows were withheld from it
	Rows  int       `json:"rows,omitempty"`  // told since the query that is being paged
	First string    `json:"first,omitempty"` // its first row
	Order string    `json:"order,omitempty"` // kept or ignored, once it was tried

	Rowsum string `json:"rowsum,omitempty"` // what its last page held
	Idle   int    `json:"idle,omitempty"`   // pages in a row that held the same as the one before, or nothing

	// Brent's way to notice a circle while remembering one link only.
	Links int    `json:"links,omitempty"`
	Seen  string `json:"seen,omitempty"`
}

// follow moves w to the page after b. done: there is none. loop: it was read before.
//
// A next link by itself is not to be trusted while the server lives on: most servers page by counting rows, and a row
// that is changed or deleted meanwhile moves the others up, so that one slips through between two pages. Rows that come
// in the order of their last update are therefore asked for from the last one on; only where many share one instant,
// or the server does not keep the order, its link is followed.
func (w *walk) follow(b bundle, keyed bool) (done, loop bool) {
	w.Pages++
	w.Rows += b.matches()
	last, onward := ordered(b.entries, w.At)
	if keyed && onward && b.next != "" {
		w.At, w.Link, w.Rows = last, "", 0
	} else if keyed && onward {
		w.At, w.Link = last, ""
	}
	if b.next == "" || keyed && onward {
		return b.next == "", false
	}
	w.Link = b.next
	sum := sha256.Sum256([]byte(b.next))
	seen := hex.EncodeToString(sum[:8])
	loop = seen == w.Seen
	w.Links++
	if w.Links&(w.Links-1) == 0 {
		w.Seen = seen
	}
	return false, loop || w.idles(b)
}

// patience is how many pages in a row may tell nothing new while their links go on. Some servers give empty pages while
// they look on; a chain that never ends gives them for ever.
const patience = 100

// idles reports whether page after page has told nothing that the one before did not.
func (w *walk) idles(b bundle) bool {
	sum := sha256.New()
	for _, e := range b.entries {
		if e.match && !e.outcome {
			_, _ = io.WriteString(sum, identity(e)+"\x00") // a hash takes everything
		}
	}
	now := hex.EncodeToString(sum.Sum(nil)[:8])
	if now != w.Rowsum && b.matches() > 0 {
		w.Rowsum, w.Idle = now, 0
		return false
	}
	w.Idle++
	return w.Idle >= patience
}

// short reports whether b, the last page of w, says that there are more rows than were told.
func (w *walk) short(b bundle) bool { return b.total > w.Rows }

// How a server took _sort.
const (
	orderKept    = "kept"
	orderIgnored = "ignored"
)

// ordered returns the last row's time if rows come oldest first, none before from, and lead beyond it.
func ordered(entries []entry, from time.Time) (last time.Time, ok bool) {
	last = from.Add(-coarse)
	for _, e := range entries {
		if !e.match || e.outcome || !e.gone.IsZero() {
			continue
		}
		if e.updated.IsZero() || e.updated.Before(last) {
			return from, false
		}
		last = e.updated
	}
	return last, last.After(from)
}

// identity tells the rows of a search apart.
func identity(e entry) string {
	var named struct{ ResourceType, ID string }
	if json.Unmarshal(e.resource, &named) != nil || named.ID == "" {
		return string(e.resource)
	}
	return named.ResourceType + "/" + named.ID
}

// coarse is how roughly a server may compare times.
const coarse = time.Second
