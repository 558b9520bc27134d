package ical

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// event is one VEVENT, without any of its text: what was read of it is what the practice's rules made of it.
type event struct {
	uid        string // a digest of its UID, which may hold an address
	line       int
	sequence   int
	stamp      string
	recurrence time.Time // which occurrence it changes; zero = none
	onward     bool      // and all that follow
	zone       zone
	allDay     bool
	start, end time.Time
	rule       string
	more       []time.Time
	not        []exception
	status     string // "booked", "pending" or "cancelled"

	tokens      []string
	kind, place string
	mute        bool // neither title nor description: a change of an occurrence says them as the event does
}

// exception is a time or a day on which an event does not take place.
type exception struct {
	wall time.Time
	at   time.Time
	date bool
}

// series is an event with its changes.
type series struct {
	master  *event // nil: only changes were told
	changes []*event
	onward  []*event // by their recurrence
}

// fault is a VEVENT that cannot be read: all that is kept of it.
type fault struct {
	uid        string
	recurrence string // as written, digits only
	line       int
	begins     string // likewise
	reason     string // one of the reasons below
	tokens     []string
}

// Why a VEVENT cannot be read.
const (
	noUID     = "it has no UID"
	badStart  = "its start is missing or cannot be read"
	badEnd    = "its end cannot be read or lies before its start"
	badZone   = "its time zone is unknown"
	badRule   = "its recurrence cannot be read, or never ends"
	badChange = "the occurrence it changes cannot be read"
	badStatus = "its status is none that is known"
)

// calendar is a feed as it was read: no text of it is left.
type calendar struct {
	events int // VEVENT blocks
	series []*series
	faults []fault
}

// reading is what turns blocks into events.
type reading struct {
	*Options
	zones *zones
	home  zone // of times without a zone
}

// readCalendar reads a whole feed; the error says in code why it is none.
func readCalendar(body string, o *Options) (*calendar, error) {
	blocks, told, err := blocks(body)
	if err != nil {
		return nil, err
	}
	r := reading{Options: o, zones: newZones(told), home: zoneOf(o.Zone)}
	c := &calendar{events: len(blocks)}
	byUID := map[string]*series{}
	for _, b := range blocks {
		e, reason := r.event(b)
		if reason != "" {
			c.faults = append(c.faults, r.fault(b, reason))
			continue
		}
		s := byUID[e.uid]
		if s == nil {
			s = &series{}
			byUID[e.uid] = s
			c.series = append(c.series, s)
		}
		s.take(e)
	}
	for _, s := range c.series {
		s.settle()
	}
	return c, nil
}

// take adds e; of two that say the same thing the newer one counts, and of equals the one told last.
func (s *series) take(e *event) {
	switch {
	case e.recurrence.IsZero():
		if s.master == nil || !e.older(s.master) {
			s.master = e
		}
	case e.onward:
		s.onward = replace(s.onward, e)
	default:
		s.changes = replace(s.changes, e)
	}
}

func replace(list []*event, e *event) []*event {
	for i, other := range list {
		if other.recurrence.Equal(e.recurrence) {
			if !e.older(other) {
				list[i] = e
			}
			return list
		}
	}
	return append(list, e)
}

// older reports whether other tells something newer than e.
func (e *event) older(other *event) bool {
	return cmp.Or(cmp.Compare(e.sequence, other.sequence), strings.Compare(e.stamp, other.stamp)) < 0
}

// settle puts the changes in order and lends the mute ones the event's words.
func (s *series) settle() {
	slices.SortStableFunc(s.onward, func(a, b *event) int { return a.recurrence.Compare(b.recurrence) })
	if s.master == nil {
		s.changes, s.onward = append(s.changes, s.onward...), nil // nothing follows that is told
		return
	}
	for _, list := range [][]*event{s.changes, s.onward} {
		for _, e := range list {
			if e.mute {
				e.tokens, e.kind = s.master.tokens, s.master.kind
			}
		}
	}
}

// event reads one VEVENT; reason is why it cannot.
func (r reading) event(b *component) (e *event, reason string) {
	uid := b.text("UID")
	if uid == "" {
		return nil, noUID
	}
	e = &event{uid: digest(uid), line: b.line, stamp: cmp.Or(b.text("LAST-MODIFIED"), b.text("DTSTAMP")), status: "booked"}
	e.sequence, _ = strconv.Atoi(b.text("SEQUENCE"))
	start, reason := r.time(b, "DTSTART", badStart)
	if reason != "" {
		return nil, reason
	}
	if start == nil {
		return nil, badStart
	}
	e.zone, e.start, e.allDay = start.zone, start.at, start.date
	if reason = r.end(b, e, start); reason != "" {
		return nil, reason
	}
	if reason = r.recurrences(b, e); reason != "" {
		return nil, reason
	}
	switch status, bad := b.one("STATUS"); {
	case bad:
		return nil, badStatus
	case status != nil:
		var known bool
		if e.status, known = statuses[strings.ToUpper(strings.TrimSpace(status.Value))]; !known {
			return nil, badStatus
		}
	}
	title, more := b.text("SUMMARY"), b.text("DESCRIPTION")
	e.mute = title == "" && more == ""
	e.tokens, e.kind, e.place = r.tokens(title, more), r.kind(title, more), r.place(b.text("LOCATION"))
	return e, ""
}

// statuses are what a VEVENT's status is as an appointment. One that took place is not told by any calendar: fulfilled is
// a person's to say.
var statuses = map[string]string{"CONFIRMED": "booked", "": "booked", "TENTATIVE": "pending", "CANCELLED": "cancelled", "CANCELED": "cancelled"}

// end reads when e is over.
//
//	DTEND          DURATION   start is   it ends
//	given          –          –          then
//	–              given      –          that much later
//	–              –          a date     a day later
//	–              –          a time     at once
func (r reading) end(b *component, e *event, start *stamp) string {
	end, reason := r.time(b, "DTEND", badEnd)
	length, bad := b.one("DURATION")
	switch {
	case reason != "":
		return reason
	case end != nil:
		e.end = end.at
	case bad:
		return badEnd
	case length != nil:
		days, rest, ok := duration(length.Value)
		if !ok {
			return badEnd
		}
		e.end = start.zone.at(start.wall.AddDate(0, 0, days)).Add(rest)
	case e.allDay:
		e.end = start.zone.at(start.wall.AddDate(0, 0, 1))
	default:
		e.end = e.start
	}
	if e.end.Before(e.start) || e.end.Sub(e.start) > 400*day {
		return badEnd
	}
	return ""
}

// recurrences reads when e comes again, when it does not, and which occurrence it changes.
func (r reading) recurrences(b *component, e *event) (reason string) {
	change, reason := r.time(b, "RECURRENCE-ID", badChange)
	if reason != "" {
		return reason
	}
	if change != nil {
		p, _ := b.one("RECURRENCE-ID")
		e.recurrence, e.onward = change.at, strings.EqualFold(p.param("RANGE"), "THISANDFUTURE")
	}
	rule, bad := b.one("RRULE")
	if rule != nil {
		e.rule = rule.Value
		_, ok := ruleOf(e.rule, e.zone.wall(e.start), e.zone.wall)
		bad = bad || !ok
	}
	if other, _ := b.one("EXRULE"); bad || other != nil { // EXRULE is of an older standard: leaving it out would invent sessions
		return badRule
	}
	times := func(name string, take func(*stamp)) {
		b.each(name, func(p *prop) {
			for value := range strings.SplitSeq(p.Value, ",") {
				value, _, _ = strings.Cut(value, "/") // of a period the start counts
				t, why := r.stamp(p, value, badRule)
				if reason = cmp.Or(reason, why); why == "" {
					take(t)
				}
			}
		})
	}
	times("RDATE", func(t *stamp) { e.more = append(e.more, t.at) })
	times("EXDATE", func(t *stamp) { e.not = append(e.not, exception{t.wall, t.at, t.date && !e.allDay}) })
	return reason
}

// stamp is a date or time as written, with its zone.
type stamp struct {
	wall time.Time
	at   time.Time
	zone zone
	date bool
}

// time reads the time called name; nil when there is none.
func (r reading) time(b *component, name, otherwise string) (*stamp, string) {
	p, bad := b.one(name)
	switch {
	case p == nil:
		return nil, ""
	case bad:
		return nil, otherwise
	}
	return r.stamp(p, p.Value, otherwise)
}

// stamp reads one value of p.
func (r reading) stamp(p *prop, value, otherwise string) (*stamp, string) {
	value = strings.TrimSpace(value)
	t := &stamp{zone: r.home}
	var err error
	switch {
	case p.bad:
		return nil, otherwise
	case len(value) == len(dateForm):
		t.date = true
		t.wall, err = time.Parse(dateForm, value)
	case strings.HasSuffix(value, "Z"):
		t.zone = zoneOf(time.UTC)
		t.wall, err = time.Parse(localForm+"Z", value)
	default:
		if id := p.param("TZID"); id != "" {
			var known bool
			if t.zone, known = r.zones.named(id); !known {
				return nil, badZone
			}
		}
		t.wall, err = time.Parse(localForm, value)
	}
	if err != nil || t.wall.Year() < 1970 || t.wall.Year() > 2200 {
		return nil, otherwise
	}
	t.at = t.zone.at(t.wall)
	return t, ""
}

var durationForm = regexp.MustCompile(`^\+?P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?$`)

// duration reads days, which are counted on the clocks, and the rest, which is time.
func duration(text string) (days int, rest time.Duration, ok bool) {
	parts := durationForm.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil {
		return 0, 0, false
	}
	var n [6]int
	for i := 1; i < len(n); i++ {
		n[i], _ = strconv.Atoi(parts[i]) // digits, or nothing
	}
	return 7*n[1] + n[2], time.Duration(n[3])*time.Hour + time.Duration(n[4])*time.Minute + time.Duration(n[5])*time.Second, true
}

// tokens finds whom an event is for: each token of its title once, else of its description.
func (r reading) tokens(title, description string) (found []string) {
	for _, text := range []string{title, description} {
		for _, m := range r.Token.FindAllStringSubmatch(text, 12) {
			token := strings.TrimSpace(m[min(1, len(m)-1)])
			if token != "" && len(token) <= 64 && !slices.Contains(found, token) {
				found = append(found, token)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

func (r reading) kind(title, description string) string {
	for _, text := range []string{title, description} {
		for _, k := range r.Kinds {
			if k.Match.MatchString(text) {
				return k.Kind
			}
		}
	}
	return ""
}

func (r reading) place(location string) string {
	for _, p := range r.Places {
		if location != "" && p.Match.MatchString(location) {
			return p.At
		}
	}
	return ""
}

// fault is what is kept of a VEVENT that cannot be read.
func (r reading) fault(b *component, reason string) fault {
	f := fault{line: b.line, reason: reason, begins: digits(b.text("DTSTART")), recurrence: digits(b.text("RECURRENCE-ID")),
		tokens: r.tokens(b.text("SUMMARY"), b.text("DESCRIPTION"))}
	if uid := b.text("UID"); uid != "" {
		f.uid = digest(uid)
	}
	return f
}

// digits is what a date or time may be made of, and nothing else of text.
func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == 'T' || r == 'Z' {
			return r
		}
		return -1
	}, text[:min(len(text), 16)])
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}
