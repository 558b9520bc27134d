package main

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/connectors/mail/mailtest"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// march is the month of March 2026 at a practice with 38 clients whose prescriber only writes e-mails: a calendar, a spreadsheet, and
// what people enter. With most of them all is well; with some a problem is planted. What the hub says of it is counted.
type march struct {
	*tale
	h       *hub
	s       *scene
	random  *rand.Rand
	todo    agenda
	events  []*booking
	clients []*someone
	missed  map[string]bool // days on which nobody reads the mailbox
	unread  int             // of those, told in the next morning's report

	ready, blameless int              // sessions with whom all is well: READY at their start, and all of them
	unready          []string         // … and why one was not
	reports          int              // morning reports
	grave            map[string]bool  // S1 and S2 findings seen in any of them, by id; whether a planted problem explains it
	strange          []string         // those that nothing explains
	questions        map[string]int   // messages drafted to the prescriber, by day
	letters          *mailtest.Server // of those who are told by mail
}

// someone is one of them.
type someone struct {
	number, token string
	key           string // the hub's
	plants        []*trouble
	drugs         bool // the medicine is in hand
}

// trouble is a problem that is planted: from when the hub can know of it, and by which rules, or state, it may be told.
type trouble struct {
	what  string
	rules []string
	from  time.Time
	until time.Time // zero = to the end of the month
	seen  time.Time // the first morning report that told of it
}

// booking is an event of the calendar.
type booking struct {
	who    *someone
	kind   string // Prep, Dosing
	start  time.Time
	length string
	off    bool // cancelled
	uid    int
	ready  bool // at its start
	close  func(*booking)
}

// errand is what happens at a time.
type errand struct {
	at  time.Time
	seq int
	do  func()
}

type agenda []errand

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return cmp.Or(a[i].at.Compare(a[j].at), cmp.Compare(a[i].seq, a[j].seq)) < 0
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(errand)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// at has do done at a time of Denver.
func (m *march) at(t time.Time, do func()) {
	heap.Push(&m.todo, errand{t, len(m.todo) + int(t.Unix()%7), do})
}

// on is a time of a day of March.
func (m *march) on(day, hour, minute int) time.Time {
	return time.Date(2026, time.March, day, hour, minute, 0, 0, m.zone)
}

// live does everything, in order of time, up to end.
func (m *march) live(end time.Time) {
	for len(m.todo) > 0 && !m.todo[0].at.After(end) {
		e := heap.Pop(&m.todo).(errand)
		if e.at.After(m.clock.now()) {
			m.clock.at.Store(e.at.UnixMilli())
		}
		e.do()
	}
}

// enter makes a desk's entry about a client, as kaphub record does once everything is answered.
func (m *march) enter(c *someone, build func(*recording) ([]exchange.Slip, error)) {
	m.t.Helper()
	ctx := m.t.Context()
	r := &recording{hub: m.h, asker: m.s.asker(ctx, m.zone), flags: &entryFlags{}}
	var err error
	var chart fhir.Chart
	if chart, err = m.h.store.Chart(ctx, c.key, 0); err == nil {
		r.About = m.h.about(chart, m.h.policies()[0])
		r.note = desk.Note{Entry: desk.NewEntry(), Client: c.key, By: "Maya", At: m.h.now(), Medium: "e-mail"}
		var slips []exchange.Slip
		if slips, err = build(r); err == nil {
			err = m.h.enter(ctx, slips)
		}
	}
	if err != nil {
		m.t.Fatalf("%s, %s: %v", c.number, m.clock.now().In(m.zone).Format("2 Jan 15:04"), err)
	}
}

// record is enter for one of the commands of kaphub record.
func (m *march) record(c *someone, command interface {
	build(*recording) ([]exchange.Slip, error)
}) {
	m.t.Helper()
	m.enter(c, command.build)
}

// sync is a cycle. That the mailbox was not read is no failure of a source.
func (m *march) sync() {
	if _, err := m.h.cycle(m.t.Context(), bars{}); err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.h.tellNews(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
}

// judge is what the engine does every half minute.
func (m *march) judge() {
	if _, err := m.h.reconcile(m.t.Context(), nil); err != nil {
		m.t.Fatal(err)
	}
}

// readMail says that everything up to now is entered.
func (m *march) readMail() {
	m.cli("record", "read-through", "--by", "Maya")
}

// cli types a command that must do its work.
func (m *march) cli(args ...string) string {
	m.t.Helper()
	got := m.quietly(args...)
	if got.code == exitError {
		m.t.Fatalf("kaphub %s: %s", strings.Join(args, " "), got.err)
	}
	return got.out
}

// publish puts the bookings into the feed.
func (m *march) publish() {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n")
	for _, e := range m.events {
		status := "CONFIRMED"
		if e.off {
			status = "CANCELLED"
		}
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%d@reverie\r\nDTSTAMP:20260302T000000Z\r\nSTATUS:%s\r\nDTSTART:%s\r\nDURATION:%s\r\nSUMMARY:%s %s\r\nEND:VEVENT\r\n",
			e.uid, status, e.start.UTC().Format("20060102T150405Z"), e.length, e.kind, e.who.token)
	}
	m.feed = b.String() + "END:VCALENDAR\r\n"
}

// book puts an event into the calendar.
func (m *march) book(c *someone, kind string, start time.Time) *booking {
	length := map[string]string{"Prep": "PT1H", "Dosing": "PT3H"}[kind]
	e := &booking{who: c, kind: kind, start: start, length: cmp.Or(length, "PT2H"), uid: len(m.events) + 1}
	m.events = append(m.events, e)
	m.publish()
	return e
}

// session is a dosing session at which everybody does what is to be done.
func (m *march) session(c *someone, start time.Time, edits ...func(*recordArrival)) *booking {
	e := m.book(c, "Dosing", start)
	m.at(start.Add(-25*time.Minute), func() {
		if e.off || !e.start.Equal(start) {
			return
		}
		a := recordArrival{BP: "118/76", HR: "70", Ride: "y", Fasting: "y", Location: "y", New: "n", GoAhead: "y"}
		for _, edit := range edits {
			edit(&a)
		}
		m.record(c, &a)
	})
	m.at(start, func() {
		if e.off || !e.start.Equal(start) {
			return
		}
		m.begins(c, e)
	})
	m.at(start.Add(200*time.Minute), func() {
		if e.off || !e.start.Equal(start) {
			return
		}
		if e.close != nil {
			e.close(e)
			return
		}
		if v := m.verdict(c); v.State == readiness.Hold {
			m.record(c, &recordAfter{Session: "dosing", Held: "n"})
			return
		}
		if !e.ready {
			m.plant(c, "a session is held though it was not ready", m.clock.now(), time.Time{}, "R50")
		}
		m.record(c, &recordAfter{Session: "dosing", Held: "y", AsDirected: "y", Effects: "none"})
	})
	return e
}

// begins counts how a session stands at its start.
func (m *march) begins(c *someone, e *booking) {
	m.judge()
	now := m.clock.now()
	e.ready = m.verdict(c).State == readiness.Ready
	for _, p := range c.plants {
		if !p.from.After(now) && (p.until.IsZero() || p.until.After(now)) {
			return // a problem was planted
		}
	}
	if m.missed[now.In(m.zone).Format(time.DateOnly)] {
		return // nobody read the mailbox: it cannot be told of anybody
	}
	m.blameless++
	if v := m.verdict(c); v.State == readiness.Ready {
		m.ready++
	} else {
		m.unready = append(m.unready, fmt.Sprintf("%s, %s: %s %s", c.number, now.In(m.zone).Format("2 Jan 15:04"), v.State, v.Words))
	}
}

// verdict is a client's, as the board shows it now.
func (m *march) verdict(c *someone) readiness.Verdict {
	m.t.Helper()
	in, err := m.h.view(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	for _, v := range in.Clients {
		if v.Client == c.key {
			return v
		}
	}
	m.t.Fatalf("%s is not on the board", c.number)
	return readiness.Verdict{}
}

// morning is the report: what it tells of is held against what was planted.
func (m *march) morning() {
	m.sync() // report pulls and reconciles first
	now := m.clock.now()
	in, err := m.h.view(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	m.reports++
	by := map[string]*someone{}
	for _, c := range m.clients {
		by[c.key] = c
	}
	if m.missed[now.Add(-24*time.Hour).In(m.zone).Format(time.DateOnly)] && slices.ContainsFunc(in.Clients, func(v readiness.Verdict) bool {
		return slices.ContainsFunc(v.Findings, func(f readiness.Finding) bool { return f.Code == "R44" && f.State != readiness.Resolved })
	}) {
		m.unread++
	}
	for _, v := range in.Clients {
		c := by[v.Client]
		for _, f := range v.Findings {
			if f.State == readiness.Resolved || f.Under != "" {
				continue
			}
			explained := false
			for _, p := range c.plants {
				if slices.Contains(p.rules, f.Code) && !p.from.After(now) {
					explained = true
					if p.seen.IsZero() {
						p.seen = now
					}
				}
			}
			if f.Severity != readiness.S1 && f.Severity != readiness.S2 {
				continue
			}
			if f.Code == "R44" && (m.missed[now.In(m.zone).Format(time.DateOnly)] || m.missed[now.Add(-24*time.Hour).In(m.zone).Format(time.DateOnly)]) {
				explained = true
			}
			row := cmp.Or(f.RollUp, f.ID) // what touches many is one row
			if was, told := m.grave[row]; !told || was && !explained {
				m.grave[row] = explained
				if !explained {
					m.strange = append(m.strange, fmt.Sprintf("%s, %s: %s %s %s", c.number, now.In(m.zone).Format("2 Jan"), f.Code, f.Severity, f.Words))
				}
			}
		}
	}
}

// digest is the morning's mail, and another try at it.
func (m *march) digest() {
	if _, err := m.h.tellPeople(m.t.Context(), true); err != nil {
		m.t.Fatal(err)
	}
}

// mails counts the digests, by person and day, and what was told at once.
func (m *march) mails() (digests map[string]int, urgent int) {
	digests = map[string]int{}
	for _, mail := range m.letters.Mails() {
		subject := mail.Header.Get("Subject")
		if strings.HasSuffix(subject, "to act on now") {
			urgent++
			continue
		}
		day, _, _ := strings.Cut(subject, ":")
		digests[mail.To+" "+day]++
	}
	return digests, urgent
}

// ask drafts the day's message to the prescriber, and tries to draft another.
func (m *march) ask() {
	day := m.clock.now().In(m.zone).Format(time.DateOnly)
	for range 2 {
		if got := m.cli("questions"); strings.TrimSpace(got) != "" {
			m.questions[day]++
		}
	}
}

// plants notes that a problem is there from a time on, which these rules may tell.
func (m *march) plant(c *someone, what string, from, until time.Time, rules ...string) {
	c.plants = append(c.plants, &trouble{what: what, rules: rules, from: from, until: until})
}

// begin sets the practice up.
func (m *march) begin() {
	m.quietly("init", "--preset", "skylight")
	m.key()
	m.agreed()
	m.change("  # public_url: https://hub.example.org", "  public_url: https://hub.reverie.example")
	m.letters = m.people(ours)
	var roster, papers strings.Builder
	roster.WriteString("id,family,given,birth_date,state,calendar_token,prescriber,referred_on\n")
	papers.WriteString("id,verified_by,verified_on,release_from,release_to,consents_on,referred_on,decision,decided_on,decider_npi,cleared_to,cleared_to_again,prescribed_on,filled_on,discard_after,directions,doses_left,preparations\n")
	for i, c := range m.clients {
		fmt.Fprintf(&roster, "%s,Family%c%c,Given%02d,%d-%02d-%02d,CO,%s,skylight,%s\n", c.number, 'a'+i/10, 'a'+i%10, i, 1970+i%30, 1+i%12, 1+i%28, c.token,
			map[bool]string{true: "2026-01-20", false: "2026-03-02"}[c.drugs])
		if !c.drugs {
			continue
		}
		to, fill, discard, left, released, decided := "2026-04-30", "2026-02-10", "2026-08-31", "6", "2026-12-31", "2026-02-02"
		for _, p := range c.plants {
			switch p.what {
			case clearanceEnds:
				to = "2026-03-15"
			case outOfDate:
				discard = "2026-03-15"
			case tooFew:
				left = "1"
			case followUpPast:
				decided = "2025-11-10"
			case releaseEnds:
				released = "2026-03-11"
			}
		}
		fmt.Fprintf(&papers, "%s,Maya,2026-02-27,2026-01-20,%s,2026-01-20,2026-01-20,cleared,%s,1881697747,%s,%s,2026-02-09,%s,%s,One lozenge under the tongue,%s,2026-02-20\n",
			c.number, released, decided, to, to, fill, discard, left)
	}
	m.write("roster.csv", roster.String())
	m.write("papers.csv", papers.String())
	m.publish()
	m.cli("import", m.path("roster.csv"), "--baseline", m.path("papers.csv"))
	m.s = &scene{cli: &cli{Config: m.path("kaphub.yaml")}, in: strings.NewReader(""), out: io.Discard, err: io.Discard, log: slog.New(slog.DiscardHandler), now: m.clock.now}
	h, err := m.s.open(context.WithoutCancel(m.t.Context()))
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(h.close)
	m.h = h
	in, err := h.view(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	for _, v := range in.Clients {
		for _, id := range v.Identifiers {
			for _, c := range m.clients {
				if id.Value == c.number {
					c.key = v.Client
				}
			}
		}
	}
}

// routine is what a practice does on every weekday.
func (m *march) routine() {
	for day := 2; day <= 31; day++ {
		at := m.on(day, 0, 0)
		m.at(m.on(day, 6, 30), m.morning)
		m.at(m.on(day, 7, 0), m.digest)
		m.at(m.on(day, 7, 10), m.digest)
		if w := at.Weekday(); w == time.Saturday || w == time.Sunday {
			continue
		}
		if !m.missed[at.Format(time.DateOnly)] {
			m.at(m.on(day, 7, 30), m.readMail)
			m.at(m.on(day, 16, 30), m.readMail)
		}
		for _, hour := range []int{8, 11, 14, 17} {
			m.at(m.on(day, hour, 0), m.sync)
		}
		m.at(m.on(day, 9, 10), m.ask)
	}
}

// Problems that the papers bring along.
const (
	clearanceEnds = "the clearance ends before the second session"
	outOfDate     = "the medicine is out of date at the second session"
	tooFew        = "less medicine than sessions"
	releaseEnds   = "the release ends"
	followUpPast  = "the follow-up is overdue"
)

// newcomer is a client who is referred in this month.
func (m *march) newcomer(c *someone, answered bool) {
	m.at(m.on(2, 6, 5), func() {
		m.record(c, &recordPapers{Release: "y", ReleaseTo: "2026-12-31", Consents: "y"})
	})
	if !answered {
		return
	}
	m.at(m.on(4, 15, 40), func() {
		m.record(c, &recordDecision{Outcome: "cleared", ValidTo: "2026-06-01", ValidToAgain: "2026-06-01"})
	})
	day := 17 + m.random.IntN(3)
	m.at(m.on(5, 10, 0), func() {
		m.book(c, "Prep", m.on(12, 9+m.random.IntN(6), 0))
		m.session(c, m.weekday(day+7*m.random.IntN(2)))
	})
	m.at(m.on(10, 13, 0), func() {
		m.record(c, &recordLabel{NameMatches: "y", Filled: "2026-03-07", DiscardAfter: "2026-08-31", Sessions: "4", Directions: "One lozenge under the tongue"})
	})
	m.at(m.on(12, 16, 0), func() { m.record(c, &recordAfter{Session: "preparation", Held: "y"}) })
}

// weekday is an hour of a day on which the practice works, that day or the next such.
func (m *march) weekday(day int) time.Time {
	t := m.on(day, []int{10, 13, 15}[m.random.IntN(3)], 0)
	for t.Weekday() == time.Saturday || t.Weekday() == time.Sunday {
		t = t.AddDate(0, 0, 1)
	}
	return t
}

// packets are printed and handed over.
func (m *march) packets() {
	m.sync()
	m.cli("packet")
	for _, id := range m.laidOut() {
		m.cli("deliveries", "handed-over", id, "--by", "Maya", "--to", "the front desk")
	}
}

// problems plants one problem with each of the clients, and returns how many it was.
func (m *march) problems(people []*someone) int {
	never := time.Time{}
	all := []func(c *someone){
		func(c *someone) {
			m.plant(c, clearanceEnds, m.on(6, 10, 0), never, "R10", "R09")
			m.session(c, m.on(5, 10, 0))
			m.session(c, m.on(20, 10, 0))
		},
		func(c *someone) {
			m.session(c, m.on(6, 10, 0))
			m.session(c, m.on(17, 13, 0))
			m.plant(c, "the clearance is withdrawn", m.on(10, 15, 0), never, "R12")
			m.at(m.on(10, 15, 0), func() { m.record(c, &recordDecision{Outcome: "withdrawn"}) })
		},
		func(c *someone) {
			m.session(c, m.on(16, 10, 0))
			m.session(c, m.on(26, 10, 0))
			m.plant(c, "a stop on Friday evening", m.on(13, 18, 0), m.on(18, 9, 0), "R15")
			m.at(m.on(13, 18, 0), func() {
				m.enter(c, func(r *recording) ([]exchange.Slip, error) {
					return r.Book.Stop(r.note, r.Book.Prescriber, false, "an ECG")
				})
			})
			m.at(m.on(18, 9, 0), func() {
				m.enter(c, func(r *recording) ([]exchange.Slip, error) {
					r.note.From = "Dr. Vale"
					return entry.Lift{Said: entry.SaidPrescriber}.Make(r.About, r.note)
				})
			})
		},
		func(c *someone) {
			m.plant(c, releaseEnds, m.on(12, 0, 0), never, "R06")
			m.session(c, m.on(4, 10, 0))
			m.session(c, m.on(18, 10, 0))
		},
		func(c *someone) {
			m.session(c, m.on(5, 13, 0))
			m.session(c, m.on(13, 13, 0))
			m.plant(c, "the consent to treatment is withdrawn", m.on(9, 12, 0), never, "R07")
			m.at(m.on(9, 12, 0), func() { m.record(c, &recordPapers{Withdraw: "treatment"}) })
		},
		func(c *someone) {
			m.session(c, m.on(9, 10, 0))
			m.session(c, m.on(16, 13, 0))
			m.plant(c, "the directions change", m.on(12, 16, 0), m.on(17, 9, 0), "R24")
			m.at(m.on(12, 16, 0), func() {
				m.record(c, &recordDecision{Outcome: "cleared", ValidTo: "2026-06-01", ValidToAgain: "2026-06-01", Directions: "Half a lozenge under the tongue"})
			})
			m.at(m.on(17, 9, 0), func() {
				m.record(c, &recordLabel{NameMatches: "y", Filled: "2026-03-14", DiscardAfter: "2026-08-31", Sessions: "4", Directions: "same"})
			})
		},
		func(c *someone) {
			m.plant(c, tooFew, m.on(2, 6, 0), never, "R22", "R23")
			m.session(c, m.on(10, 10, 0))
			m.session(c, m.on(17, 10, 0))
		},
		func(c *someone) {
			m.session(c, m.on(5, 15, 0))
			e := m.session(c, m.on(19, 10, 0))
			m.plant(c, "a serious event", m.on(19, 13, 20), m.on(23, 12, 0), "R30")
			e.close = func(*booking) {
				m.record(c, &recordAfter{Session: "dosing", Held: "y", AsDirected: "y", Effects: "serious", What: "a fall"})
			}
			m.at(m.on(23, 12, 0), func() {
				m.record(c, &recordDecision{Outcome: "cleared", ValidTo: "2026-06-01", ValidToAgain: "2026-06-01"})
			})
		},
		func(c *someone) {
			e := m.session(c, m.on(11, 10, 0))
			m.session(c, m.on(25, 10, 0))
			m.plant(c, "an effect about which the prescriber is asked", m.on(11, 13, 20), m.on(13, 12, 0), "R30")
			e.close = func(*booking) {
				m.record(c, &recordAfter{Session: "dosing", Held: "y", AsDirected: "y", Effects: "ask", What: "a long nausea"})
			}
			m.at(m.on(13, 12, 0), func() {
				m.record(c, &recordDecision{Outcome: "cleared", ValidTo: "2026-06-01", ValidToAgain: "2026-06-01"})
			})
		},
		func(c *someone) {
			e := m.session(c, m.on(24, 10, 0))
			m.plant(c, "the session is moved after the go-ahead", m.on(23, 18, 0), m.on(24, 11, 30), "R52")
			m.at(m.on(23, 16, 0), func() {
				m.record(c, &recordArrival{BP: "118/76", HR: "70", Ride: "y", Fasting: "y", Location: "y", New: "n", GoAhead: "y"})
			})
			m.at(m.on(23, 18, 0), func() {
				e.start = m.on(24, 12, 0)
				m.publish()
				m.sync()
			})
		},
		func(c *someone) {
			m.session(c, m.on(26, 10, 0))
			m.plant(c, "a reading beyond the limit, at home in the morning", m.on(26, 6, 10), never, "R37")
			m.at(m.on(26, 6, 10), func() { m.record(c, &recordArrival{BP: "165/100", HR: "70"}) })
		},
		func(c *someone) {
			m.session(c, m.on(10, 13, 0))
			m.plant(c, "an event that nobody sorts", m.on(12, 11, 0), never, "R51")
			m.at(m.on(12, 10, 0), func() { m.book(c, "Long", m.on(23, 10, 0)) })
		},
		func(c *someone) {
			m.session(c, m.on(18, 10, 0))
			m.plant(c, "two sessions too close", m.on(12, 11, 0), never, "R31")
			m.at(m.on(12, 10, 0), func() { m.session(c, m.on(20, 13, 0)) })
		},
		func(c *someone) {
			m.plant(c, followUpPast, m.on(2, 6, 0), never, "R29", "R27")
			m.session(c, m.on(12, 10, 0))
		},
		func(c *someone) {
			m.plant(c, outOfDate, m.on(6, 15, 0), never, "R26")
			m.session(c, m.on(6, 13, 0))
			m.session(c, m.on(20, 15, 0))
		},
	}
	for i, do := range all {
		do(people[i])
	}
	return len(all)
}

// The other half of the truth: with nobody ill and nothing wrong the hub says so, and it tells of what is wrong and of
// little else. A month of 38 clients, by seed.
func TestAMonthOfThirtyEightClients(t *testing.T) {
	if testing.Short() {
		t.Skip("a month takes a while")
	}
	t.Parallel()
	m := &march{tale: tell(t, "2026-03-02 06:00"), random: rand.New(rand.NewPCG(38, 1)), grave: map[string]bool{}, questions: map[string]int{}, //nolint:gosec // a month that can be repeated
		missed: map[string]bool{"2026-03-27": true}}
	for i := range 38 {
		m.clients = append(m.clients, &someone{number: fmt.Sprintf("R-%03d", 201+i), token: fmt.Sprintf("K-%04X", 0x1A00+i*37), drugs: i >= 7})
	}
	for i, c := range m.clients[:6] {
		m.newcomer(c, i < 5)
		if i == 5 {
			m.plant(c, "nobody answers the referral", m.on(5, 0, 0), time.Time{}, "R03")
		}
	}
	m.newcomer(m.clients[6], false)
	m.plant(m.clients[6], "booked before anything was decided", m.on(2, 12, 0), time.Time{}, "R09", "R03")
	m.at(m.on(2, 11, 30), func() { m.book(m.clients[6], "Dosing", m.on(13, 10, 0)) })
	wrong := m.problems(m.clients[7:])
	for _, c := range m.clients[7+wrong:] {
		first := 3 + m.random.IntN(9)
		m.session(c, m.weekday(first))
		m.session(c, m.weekday(first+9+m.random.IntN(6)))
	}
	m.begin()
	m.readMail()
	m.routine()
	m.at(m.on(2, 12, 10), m.packets)
	m.live(time.Date(2026, time.April, 1, 6, 0, 0, 0, m.zone))

	if m.unread != len(m.missed) {
		t.Errorf("on %d of %d mornings the report told that the mailbox had not been read", m.unread, len(m.missed))
	}
	planted, seen := 0, 0
	for _, c := range m.clients {
		for _, p := range c.plants {
			planted++
			next := m.on(p.from.In(m.zone).Day(), 6, 30)
			if !p.from.Before(next) {
				next = next.AddDate(0, 0, 1)
			}
			if p.seen.IsZero() || p.seen.After(next) {
				t.Errorf("%s: %s was to be told on %s by %v, and was %s", c.number, p.what, next.Format("2 Jan"), p.rules, map[bool]string{true: "never", false: "told on " + p.seen.In(m.zone).Format("2 Jan")}[p.seen.IsZero()])
				continue
			}
			seen++
		}
	}
	mapped := 0
	for _, explained := range m.grave {
		if explained {
			mapped++
		}
	}
	digests, urgent := m.mails()
	if len(digests) != 2*m.reports {
		t.Errorf("%d digests for two people on %d days", len(digests), m.reports)
	}
	for which, n := range digests {
		if n > 1 {
			t.Errorf("%d digests: %s", n, which)
		}
	}
	t.Logf("%d planted problems, %d in the next morning's report; %d of %d blameless sessions READY at their start; %d of %d S1 and S2 findings are of a planted problem; %d reports, %d messages to the prescriber on %d days; %d digests to two people, %d mails at once",
		planted, seen, m.ready, m.blameless, mapped, len(m.grave), m.reports, total(m.questions), len(m.questions), total(digests), urgent)
	for _, line := range m.unready {
		t.Log("not ready: ", line)
	}
	for _, line := range m.strange {
		t.Log("unexplained: ", line)
	}
	if m.blameless < 30 || float64(m.ready) < 0.95*float64(m.blameless) {
		t.Errorf("%d of %d blameless sessions were READY at their start", m.ready, m.blameless)
	}
	if len(m.grave) < planted/2 || float64(mapped) < 0.9*float64(len(m.grave)) {
		t.Errorf("%d of %d S1 and S2 findings are of a planted problem", mapped, len(m.grave))
	}
	for day, n := range m.questions {
		if n > 1 {
			t.Errorf("%d messages to the prescriber on %s", n, day)
		}
	}
}

func total(by map[string]int) (n int) {
	for _, k := range by {
		n += k
	}
	return n
}
