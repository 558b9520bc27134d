package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// Today is what the practice opens every morning, in this order. Each list is cut, and says how many more there are.
type Today struct {
	AsOf     time.Time
	Practice string
	Clients  int     // engagements
	Counts   []Count // by state, in order of precedence
	Sources  []Line
	Stopped  Cut[Client]
	Sessions Cut[Session] // of today and tomorrow, by time
	DoNow    Cut[Finding]
	Many     []RollUp // what touches many and is to be resolved before a session: S1 and S2
	Waiting  Cut[Wait]
	Strays   Cut[Stray]
	Upcoming Cut[Session] // the rest of the next 14 days: what is not in order first, then by time
	Ahead    []Count      // … by state, in order of precedence
	Snoozed  int          // findings that are silent for a while and would be to do now
	Several  bool         // prescribers: each row says whose it is
	Until    time.Time    // the earliest instant after AsOf at which a verdict that stands in it may be another; zero = none stands
}

// Cut is the beginning of a list.
type Cut[T any] struct {
	Rows []T
	More int
}

// Limits are how many rows each list of Today has at most.
type Limits struct{ Stopped, Sessions, DoNow, Waiting, Strays, Upcoming int }

// pick is a verdict or one of its findings that may stand in a list, in the list's order.
type pick struct {
	c     Shown
	v     *readiness.Verdict
	f     *readiness.Finding
	since time.Time
	late  bool
}

// cutter keeps the first n of what it is offered.
type cutter struct {
	n, all int
	list   []pick
	less   func(x, y pick) int
}

func (c *cutter) offer(p pick) {
	c.all++
	if len(c.list) == c.n {
		if c.n == 0 || c.less(p, c.list[c.n-1]) >= 0 {
			return
		}
		c.list = c.list[:c.n-1]
	}
	i := len(c.list)
	for i > 0 && c.less(p, c.list[i-1]) < 0 {
		i--
	}
	c.list = slices.Insert(c.list, i, p)
}

func cutTo[T any](c *cutter, row func(pick) T) Cut[T] {
	out := Cut[T]{More: c.all - len(c.list)}
	for _, p := range c.list {
		out.Rows = append(out.Rows, row(p))
	}
	return out
}

// Lens is what its reader may see.
type Lens struct {
	Of    func(readiness.Verdict) readiness.Verdict // what a verdict that is shown is shown as; nil = as it is
	Own   bool                                      // its reader treats these clients: to do is what they do themselves, and no row of the client's tells
	Hides func(*readiness.Verdict) bool             // whether what is confided to the client's therapist is not even counted; nil = it is
}

// BuildToday gathers Today from in: what Build lists in the same places, for a board of any size, as lens shows it. What the
// row of a stopped client asks for is not to do once more. It is pure.
func BuildToday(in Brief, most Limits, lens Lens) Today {
	b := newBuilder(Input{AsOf: in.AsOf, Practice: in.Practice, Zone: in.Zone, Titles: in.Titles, Handlings: in.Handlings})
	day := readiness.DayOf(in.AsOf, b.zone)
	first, soon, end := day.Start(b.zone), day.Plus(2).Start(b.zone), day.Plus(horizon+1).Start(b.zone)
	t := Today{AsOf: in.AsOf.UTC(), Practice: in.Practice, Clients: len(in.Clients)}
	stopped := cutter{n: most.Stopped, less: bySession}
	sessions, upcoming := cutter{n: most.Sessions, less: bySession}, cutter{n: most.Upcoming, less: byOrder}
	do, waits := cutter{n: most.DoNow, less: byUrgency}, cutter{n: most.Waiting, less: bySince}
	rolled := crowd{rows: map[rollKey]*crowdRow{}}
	counts, ahead := make([]int, len(states)), make([]int, len(states))
	for _, c := range in.Clients {
		v := c.Verdict
		if i := slices.Index(states, v.State); i >= 0 {
			counts[i]++
		}
		t.Several = t.Several || v.Prescriber != in.Clients[0].Prescriber
		if v.State == readiness.Hold {
			stopped.offer(pick{c: c, v: v})
		}
		near, listed := c.start.Before(soon), !c.start.Before(first) && c.start.Before(end)
		switch {
		case !listed:
		case near:
			sessions.offer(pick{c: c, v: v})
		default:
			upcoming.offer(pick{c: c, v: v})
			if i := slices.Index(states, v.State); i >= 0 {
				ahead[i]++
			}
		}
		quiet := func(a ask) bool { return a.confided && lens.Hides != nil && lens.Hides(v) }
		for _, a := range c.rolled {
			if f := &v.Findings[a.i]; !quiet(a) {
				rolled.add(pick{c: c, v: v, f: f}, b.snoozed(f))
			}
		}
		for _, a := range c.urgent {
			if !a.now && !near || quiet(a) {
				continue
			}
			switch f := &v.Findings[a.i]; {
			case b.snoozed(f):
				t.Snoozed++
			case !toldBy(v, f) && (!lens.Own || theirs(v, f, listed)):
				do.offer(pick{c: c, v: v, f: f, since: a.since, late: !f.Due.IsZero() && f.Due.Before(first)})
			}
		}
		for _, a := range c.waits {
			if f := &v.Findings[a.i]; !quiet(a) && !b.snoozed(f) && (!lens.Own || !listed || v.State != readiness.NotReady) {
				waits.offer(pick{c: c, v: v, f: f, since: a.since})
				break
			}
		}
	}
	for _, one := range rolled.alone() { // what did not arrive, of one client only, is that client's own
		if one.f.Severity <= readiness.S2 && !toldBy(one.v, one.f) && !folded(*one.f, *one.v) && (!lens.Own || theirs(one.v, one.f, !one.c.start.Before(first) && one.c.start.Before(end))) {
			one.since, one.late = one.f.Since, !one.f.Due.IsZero() && one.f.Due.Before(first)
			do.offer(one)
		}
	}
	for i, s := range states {
		t.Counts, t.Ahead = append(t.Counts, Count{s, counts[i]}), append(t.Ahead, Count{s, ahead[i]})
	}
	for _, s := range in.Sources {
		t.Sources = append(t.Sources, Line{s.Name, cmp.Or(s.Title, b.title(s.Party)), s.State, s.LastComplete, s.Why, s.Missed, s.Desk})
	}
	seen := func(p pick) readiness.Verdict {
		v := *p.v
		if u := v.Until; u.After(in.AsOf) && (t.Until.IsZero() || u.Before(t.Until)) {
			t.Until = u
		}
		if lens.Of != nil {
			v = lens.Of(v)
		}
		return v
	}
	session := func(p pick) Session { return Session{p.v.Appointment.Start, b.client(seen(p))} }
	t.Stopped = cutTo(&stopped, func(p pick) Client { return b.client(seen(p)) })
	t.Sessions = cutTo(&sessions, session)
	t.DoNow = cutTo(&do, func(p pick) Finding {
		v := seen(p)
		return b.finding(v.Findings[slices.IndexFunc(v.Findings, func(f readiness.Finding) bool { return f.ID == p.f.ID })], v, b.client(v))
	})
	t.Waiting = cutTo(&waits, func(p pick) Wait {
		v, list := seen(p), []readiness.Finding{}
		for _, a := range p.c.waits {
			if f := p.v.Findings[a.i]; (!a.confided || lens.Hides == nil || !lens.Hides(p.v)) && !b.snoozed(&f) {
				list = append(list, f)
			}
		}
		return b.wait(list, v, b.client(v))
	})
	t.Many = rolled.list(&b)
	if lens.Own {
		t.Many = slices.DeleteFunc(t.Many, func(r RollUp) bool { return cmp.Or(r.Takes, r.Owner) != readiness.Therapist })
	}
	t.Upcoming = cutTo(&upcoming, session)
	strays := in.Strays[:min(len(in.Strays), most.Strays)]
	t.Strays = Cut[Stray]{strays, len(in.Strays) - len(strays)}
	return t
}

// snoozed reports whether f is silent for a while.
func (b *builder) snoozed(f *readiness.Finding) bool {
	return len(b.did[f.ID]) > 0 && b.handled(*f).Snoozed != nil
}

// toldBy reports whether v's own row tells what f asks for: a client who is stopped stands above, with that next step.
func toldBy(v *readiness.Verdict, f *readiness.Finding) bool {
	return v.State == readiness.Hold && f.Next == v.Next && f.Owner == v.Owner
}

// theirs reports whether what f asks for is for the client's therapist to do, and not told by the client's own row, where one is
// listed: it tells of the same gate, or asks for the same.
func theirs(v *readiness.Verdict, f *readiness.Finding, listed bool) bool {
	if cmp.Or(f.Takes, f.Owner) != readiness.Therapist {
		return false
	}
	if !listed || cmp.Or(v.Takes, v.Owner) != readiness.Therapist {
		return true
	}
	step := func(next string) string { return strings.TrimPrefix(next, "hold; ") }
	if step(f.Next) == step(v.Next) {
		return false
	}
	g, ok := v.Gate(gateOf[f.Code])
	return !ok || g.Next != v.Next
}

// Each compares as little as it needs: most are told apart by the first.

func bySession(x, y pick) int {
	if d := x.c.start.Compare(y.c.start); d != 0 {
		return d
	}
	return cmp.Or(cmp.Compare(x.v.Client, y.v.Client), cmp.Compare(x.v.Prescriber, y.v.Prescriber))
}

// byOrder has whoever is not in order first: however long the list, nothing that somebody must act on is cut for what needs nobody.
func byOrder(x, y pick) int {
	sober := func(p pick) bool { return p.v.State == readiness.InOrder || p.v.State == readiness.Ready }
	if sober(x) != sober(y) {
		return map[bool]int{true: 1, false: -1}[sober(x)]
	}
	return bySession(x, y)
}

func byUrgency(x, y pick) int {
	if d := cmp.Compare(x.f.Severity, y.f.Severity); d != 0 {
		return d
	}
	if x.late != y.late {
		return map[bool]int{true: -1, false: 1}[x.late]
	}
	if d := x.c.start.Compare(y.c.start); d != 0 {
		return d
	}
	return cmp.Or(x.since.Compare(y.since), cmp.Compare(x.v.Client, y.v.Client), cmp.Compare(x.f.Code, y.f.Code))
}

func bySince(x, y pick) int {
	if d := x.since.Compare(y.since); d != 0 {
		return d
	}
	return cmp.Compare(x.v.Client, y.v.Client)
}

// crowd gathers what touches many, like rolls, from verdicts in the order of their clients.
type crowd struct {
	rows map[rollKey]*crowdRow
	keys []rollKey
}

type crowdRow struct {
	RollUp
	first    []pick // of the first client
	last     string
	sessions map[readiness.Appointment]bool
}

func (c *crowd) add(p pick, silent bool) {
	f, key := p.f, rollKey{p.f.RollUp, silent}
	row := c.rows[key]
	if row == nil {
		row = &crowdRow{sessions: map[readiness.Appointment]bool{},
			RollUp: RollUp{Key: f.RollUp, Code: f.Code, Severity: f.Severity, Words: f.Words, Owner: f.Owner, Takes: f.Takes, Next: f.Next, Since: f.Since}}
		c.rows[key], c.keys = row, append(c.keys, key)
	}
	if row.last != p.v.Client {
		row.last = p.v.Client
		row.Clients++
	}
	if row.Clients == 1 {
		row.first = append(row.first, p)
	}
	row.Severity = min(row.Severity, f.Severity)
	if f.Since.Before(row.Since) {
		row.Since = f.Since
	}
	if a := p.v.Appointment; a != nil {
		row.sessions[readiness.Appointment{Source: a.Source, Type: a.Type, ID: a.ID}] = true
	}
}

// alone are those of one client only that are no roll-up; they leave the crowd.
func (c *crowd) alone() (out []pick) {
	c.keys = slices.DeleteFunc(c.keys, func(key rollKey) bool {
		row, other := c.rows[key], c.rows[rollKey{key.key, !key.silent}]
		if row.Code != undelivered || row.Clients > 1 || other != nil && (other.Clients > 1 || other.last != row.last) {
			return false
		}
		if !key.silent {
			out = append(out, row.first...)
		}
		return true
	})
	return out
}

// list are the rows that speak and are to be resolved before a session, the gravest and widest first.
func (c *crowd) list(b *builder) (out []RollUp) {
	for _, key := range c.keys {
		row := c.rows[key]
		if key.silent || row.Severity > readiness.S2 {
			continue
		}
		row.Sessions, row.Age = len(row.sessions), b.age(row.Since)
		out = append(out, row.RollUp)
	}
	slices.SortStableFunc(out, func(x, y RollUp) int {
		return cmp.Or(cmp.Compare(x.Severity, y.Severity), -cmp.Compare(x.Sessions, y.Sessions), cmp.Compare(x.Code, y.Code))
	})
	return out
}
