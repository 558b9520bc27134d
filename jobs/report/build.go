package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// waiting are the rules whose findings are a client's waiting, in the order of the client's way.
var waiting = []string{"R03", "R04", "R08", "R17", "R19", "R20", "R23"}

// waitedFor is what a client waits on by each of these rules, to stand behind "waiting on", and who holds it.
var waitedFor = map[string]struct {
	on    string
	nudge readiness.Owner
}{
	"R03": {"an answer to the referral", readiness.Prescriber},
	"R04": {"the evaluation to be booked", readiness.Client},
	"R08": {"a new date for the evaluation", readiness.Prescriber},
	"R17": {"a prescription", readiness.Prescriber},
	"R19": {"the pharmacy's address call", readiness.Client},
	"R20": {"word that the medicine arrived", readiness.Client},
	"R23": {"a refill", readiness.Prescriber},
}

// states is the order in which states are counted and shown.
var states = []readiness.State{readiness.Hold, readiness.Unknown, readiness.NotReady, readiness.InOrder, readiness.Ready}

// horizon is how many days of sessions a report shows.
const horizon = 14

// Build sorts, counts and words in into a report. It is pure.
func Build(in Input) Report {
	b := newBuilder(in)
	r := Report{Schema: schema, Generated: in.Generated.UTC(), AsOf: in.AsOf.UTC(), Since: in.Since.UTC(), Practice: in.Practice, zone: b.zone}
	for _, s := range states {
		n := 0
		for _, v := range in.Clients {
			if v.State == s {
				n++
			}
		}
		r.Counts = append(r.Counts, Count{s, n})
	}
	for _, s := range in.Sources {
		r.Sources = append(r.Sources, Line{s.Name, cmp.Or(s.Title, b.title(s.Party)), s.State, s.LastComplete, s.Why, s.Missed, s.Desk})
	}
	b.sessions(&r)
	b.findings(&r)
	b.deliveries(&r)
	for _, x := range in.Rejects {
		record := strings.TrimSuffix(cmp.Or(x.Type, "?")+"/"+x.Ref, "/")
		r.Rejects = append(r.Rejects, Reject{x.ID, x.Source, record, x.Reason, x.Received})
	}
	r.Sources, r.Stopped, r.Sessions, r.DoNow, r.Waiting = full(r.Sources), full(r.Stopped), full(r.Sessions), full(r.DoNow), full(r.Waiting)
	r.New, r.Lasting, r.Resolved, r.RollUps = full(r.New), full(r.Lasting), full(r.Resolved), full(r.RollUps)
	r.Snoozed = full(r.Snoozed)
	if referred(in) {
		l := LoopsOf(in)
		r.Loops = &l
	}
	r.Upcoming, r.Sending, r.Rejects, r.Strays = full(r.Upcoming), full(r.Sending), full(r.Rejects), full(in.Strays)
	return r
}

type builder struct {
	Input
	zone *time.Location
	did  map[string][]readiness.Handling // by finding
}

func newBuilder(in Input) builder {
	b := builder{Input: in, zone: cmp.Or(in.Zone, time.UTC), did: map[string][]readiness.Handling{}}
	for _, h := range in.Handlings {
		b.did[h.Finding] = append(b.did[h.Finding], h)
	}
	return b
}

// handled is how a finding stands with the people who look after it.
func (b *builder) handled(f readiness.Finding) Handled {
	is := f.Handled(b.did[f.ID], b.AsOf)
	return Handled{marked(is.Acknowledged), marked(is.Assigned), marked(is.Snoozed)}
}

func marked(h *readiness.Handling) *Mark {
	if h == nil {
		return nil
	}
	return &Mark{By: h.Actor, At: h.At, To: h.Person, Until: h.Until, Reason: h.Reason}
}

func (b *builder) title(party string) string {
	if t := b.Titles[party]; t != "" {
		return t
	}
	if party == fhir.Practice {
		return cmp.Or(b.Practice, party)
	}
	return party
}

func (b *builder) client(v readiness.Verdict) Client {
	c := Client{Key: v.Client, With: v.Prescriber, Chosen: v.Chosen, Prescriber: b.title(v.Prescriber), State: v.State, Words: v.Words, Owner: v.Owner, Takes: v.Takes, Next: v.Next, Since: nextSince(v, cmp.Or(b.AsOf, v.Judged))}
	if v.Appointment != nil {
		c.Session, c.Therapist = v.Appointment.Start, v.Appointment.Therapist
	}
	switch v.State {
	case readiness.Hold:
		c.Why, c.Stop = writtenOf(v), stopOf(v)
	case readiness.NotReady:
		c.Also, c.Else = alsoOpen(v, cmp.Or(b.AsOf, v.Judged))
	case readiness.Ready:
		c.Done = DoneAt(v)
	}
	return c
}

// nextSince is since when the first thing to do is there to be done: as the finding that asks for it says, else as the gate does.
func nextSince(v readiness.Verdict, asOf time.Time) time.Time {
	if v.Next == "" {
		return time.Time{}
	}
	var first, seen time.Time
	for _, f := range v.Findings {
		if f.Next != v.Next || f.Owner != v.Owner || f.State == readiness.Resolved {
			continue
		}
		if at := begun(f, v); !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
		if seen.IsZero() {
			seen = past(f.Since, asOf)
		}
	}
	if !first.IsZero() {
		return first
	}
	for _, g := range v.Gates {
		if g.Next == v.Next && g.Owner == v.Owner && g.State != readiness.Met && !g.Since.IsZero() {
			return g.Since
		}
	}
	return seen
}

// begun is since when what f tells is so by the records: since its gate stands open for the same step, which may be long before the
// hub first saw it. Zero where no record tells.
func begun(f readiness.Finding, v readiness.Verdict) time.Time {
	g, ok := v.Gate(gateOf[f.Code])
	same := g.Next == f.Next && g.Owner == f.Owner && g.State != readiness.Met && g.State != readiness.NotDue
	if ok && !g.Since.IsZero() && g.Since.Before(f.Since) && (same || slices.Contains(waiting, f.Code)) {
		return g.Since
	}
	return time.Time{}
}

// past is t, unless it is of the last day: that the hub has only just seen something tells nobody since when it is so.
func past(t, asOf time.Time) time.Time {
	if asOf.Sub(t) < 24*time.Hour {
		return time.Time{}
	}
	return t
}

// From is since when it is so, as far as that is known; zero where all that is known is that the hub saw it lately.
func (f Finding) From() time.Time {
	if !f.Began.IsZero() || f.Age == 0 {
		return f.Began
	}
	return f.Since
}

// From is as of a finding.
func (r RollUp) From() time.Time {
	if r.Age == 0 {
		return time.Time{}
	}
	return r.Since
}

// Lateness says in words how late a finding is; "" when it is not.
func (f Finding) Lateness() string {
	if f.Late == 0 {
		return ""
	}
	return many(f.Late, "day") + " late"
}

// sessions fills who is stopped and the sessions, by time.
func (b *builder) sessions(r *Report) {
	today := readiness.DayOf(b.AsOf, b.zone)
	soon, end := today.Plus(2).Start(b.zone), today.Plus(horizon+1).Start(b.zone)
	for _, v := range b.Clients {
		c := b.client(v)
		if v.State == readiness.Hold {
			r.Stopped = append(r.Stopped, c)
		}
		if c.Session.IsZero() || c.Session.Before(today.Start(b.zone)) || !c.Session.Before(end) {
			continue
		}
		if c.Session.Before(soon) {
			r.Sessions = append(r.Sessions, Session{c.Session, c})
		} else {
			r.Upcoming = append(r.Upcoming, Session{c.Session, c})
		}
	}
	byTime := func(x, y Session) int {
		return cmp.Or(x.Start.Compare(y.Start), cmp.Compare(x.Key, y.Key), cmp.Compare(x.Prescriber, y.Prescriber))
	}
	slices.SortFunc(r.Sessions, byTime)
	slices.SortFunc(r.Upcoming, byTime)
	slices.SortFunc(r.Stopped, func(x, y Client) int {
		return cmp.Or(when(x.Session).Compare(when(y.Session)), cmp.Compare(x.Key, y.Key), cmp.Compare(x.Prescriber, y.Prescriber))
	})
}

// when puts what has no time last.
func when(t time.Time) time.Time {
	if t.IsZero() {
		return time.Unix(1<<40, 0)
	}
	return t
}

// findings fills what is to be done, waited for, new, lasting, resolved, rolled up and snoozed.
func (b *builder) findings(r *Report) {
	soon := readiness.DayOf(b.AsOf, b.zone).Plus(2).Start(b.zone)
	rolled := rolls{builder: b, alone: b.alone(), rows: map[rollKey]*rolling{}}
	for _, v := range b.Clients {
		c := b.client(v)
		var waits []readiness.Finding
		for _, f := range v.Findings {
			handled := b.handled(f)
			switch {
			case f.State == readiness.Resolved:
				if !slices.Contains(ofSources, f.Code) && f.Resolved.After(b.resolvedSince()) {
					r.Resolved = append(r.Resolved, b.finding(f, v, c))
				}
				continue
			case rolled.takes(f):
				rolled.add(f, v, c, handled)
				continue
			case folded(f, v):
				continue // its parent is open and shown
			case handled.Snoozed != nil:
				r.Snoozed = append(r.Snoozed, b.finding(f, v, c))
				continue
			}
			item := b.finding(f, v, c)
			near := !c.Session.IsZero() && c.Session.Before(soon)
			if f.Severity == readiness.S1 || f.Severity == readiness.S2 && (near || f.Code == undelivered) {
				r.DoNow = append(r.DoNow, item)
			}
			switch {
			case slices.Contains(waiting, f.Code):
				waits = append(waits, f)
			case b.isNew(f):
				r.New = append(r.New, item)
			default:
				r.Lasting = append(r.Lasting, item)
			}
		}
		if len(waits) > 0 {
			r.Waiting = append(r.Waiting, b.wait(waits, v, c))
		}
	}
	r.RollUps = rolled.list()
	for _, list := range [][]Finding{r.DoNow, r.New, r.Lasting, r.Resolved, r.Snoozed} {
		slices.SortStableFunc(list, func(x, y Finding) int {
			return cmp.Or(cmp.Compare(x.Severity, y.Severity), sooner(x, y), when(x.Client.Session).Compare(when(y.Client.Session)),
				x.Since.Compare(y.Since), cmp.Compare(x.Client.Key, y.Client.Key), cmp.Compare(x.Code, y.Code))
		})
	}
	slices.SortStableFunc(r.Waiting, func(x, y Wait) int { return cmp.Or(x.Since.Compare(y.Since), cmp.Compare(x.Client.Key, y.Client.Key)) })
}

// sooner puts what is late before what is not.
func sooner(x, y Finding) int {
	switch {
	case (x.Late > 0) == (y.Late > 0):
		return 0
	case x.Late > 0:
		return -1
	}
	return 1
}

// week is how far a report that follows no other looks back at what was resolved.
const week = 7 * 24 * time.Hour

func (b *builder) resolvedSince() time.Time {
	if b.Since.IsZero() {
		return b.AsOf.Add(-week)
	}
	return b.Since
}

// isNew reports whether f came, or came back, since the report before.
func (b *builder) isNew(f readiness.Finding) bool {
	if b.Since.IsZero() {
		return f.State == readiness.New || f.State == readiness.Reopened
	}
	return f.Since.After(b.Since) || f.Opened.After(b.Since)
}

// folded reports whether f is told by its open parent.
func folded(f readiness.Finding, v readiness.Verdict) bool {
	return f.Under != "" && slices.ContainsFunc(v.Findings, func(p readiness.Finding) bool { return p.Code == f.Under && p.State != readiness.Resolved })
}

func (b *builder) finding(f readiness.Finding, v readiness.Verdict, c Client) Finding {
	out := Finding{ID: f.ID, Code: f.Code, Rule: f.Rule, Severity: f.Severity, State: f.State, Words: f.Words, Owner: f.Owner, Takes: f.Takes, Next: f.Next,
		Since: f.Since, Age: b.age(f.Since), Opened: f.Opened, Reopened: f.Reopened, Resolved: f.Resolved, Due: f.Due,
		RollUp: f.RollUp, By: f.By, Client: c, Handled: b.handled(f)}
	if out.Began = begun(f, v); !out.Began.IsZero() {
		out.Age = b.age(out.Began)
	}
	if !f.Due.IsZero() && f.State != readiness.Resolved {
		out.Late = max(0, int(readiness.DayOf(b.AsOf, b.zone).Start(b.zone).Sub(readiness.DayOf(f.Due, b.zone).Start(b.zone)).Round(24*time.Hour)/(24*time.Hour)))
	}
	if folded(f, v) {
		out.Under = f.Under
	}
	for party, says := range f.Values {
		out.Values = append(out.Values, Value{b.title(party), says})
	}
	slices.SortFunc(out.Values, func(x, y Value) int { return cmp.Or(cmp.Compare(x.Party, y.Party), cmp.Compare(x.Says, y.Says)) })
	return out
}

// age is the whole days from since to the moment that is shown.
func (b *builder) age(since time.Time) int {
	return max(0, int(b.AsOf.Sub(since)/(24*time.Hour)))
}

// wait is what a client waits on: the earliest step of their way. A client with two prescribers waits on each of them by a
// line of its own: whom to nudge is another.
func (b *builder) wait(waits []readiness.Finding, v readiness.Verdict, c Client) Wait {
	slices.SortStableFunc(waits, func(x, y readiness.Finding) int {
		return cmp.Compare(slices.Index(waiting, x.Code), slices.Index(waiting, y.Code))
	})
	f := waits[0]
	held := waitedFor[f.Code]
	since := waitingSince(f, v)
	severity := f.Severity
	for _, w := range waits {
		severity = min(severity, w.Severity)
	}
	return Wait{ID: f.ID, Severity: severity, Handled: b.handled(f), On: held.on, Code: f.Code, Words: f.Words, Since: since, Age: b.age(since), Owner: f.Owner, Takes: f.Takes, Nudge: held.nudge, Next: f.Next,
		More: len(waits) - 1, Client: c}
}

// waitingSince is since when a client waits: since the gate stands open by the owner's record, which may be long before
// the hub first saw it.
func waitingSince(f readiness.Finding, v readiness.Verdict) time.Time {
	if at := begun(f, v); !at.IsZero() {
		return at
	}
	return f.Since
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %s", n, plural(what))
}

// deliveries lists what does not simply go its way.
func (b *builder) deliveries(r *Report) {
	for _, e := range b.Deliveries {
		var next string
		switch {
		case e.State == exchange.Refused:
			next = "correct what they refuse, then try it again"
		case e.State == exchange.Unknown:
			next = "ask the other side whether it arrived, then " + string(readiness.EnterOutcome)
		case e.State == exchange.LaidOut && e.Why != "":
			next = "do not hand it over; if it was already, " + string(readiness.EnterHanded)
		case e.State == exchange.LaidOut:
			next = "hand it over, then " + string(readiness.EnterHanded)
		case e.State == exchange.Attempted:
			next = "asked about again by itself"
		case e.State == exchange.Staged && e.Attempts > 0:
			next = "tried again by itself from " + stamp(e.Due, b.zone, b.AsOf)
		default:
			continue
		}
		r.Sending = append(r.Sending, Delivery{e.ID, e.Client, b.title(e.To), e.What, e.State, e.Attempts, e.Staged, e.Why, next})
	}
	order := []exchange.State{exchange.Refused, exchange.Unknown, exchange.LaidOut, exchange.Attempted, exchange.Staged}
	slices.SortStableFunc(r.Sending, func(x, y Delivery) int {
		return cmp.Or(cmp.Compare(slices.Index(order, x.State), slices.Index(order, y.State)), x.Staged.Compare(y.Staged), cmp.Compare(x.ID, y.ID))
	})
}

func plural(what string) string {
	if what == "try" {
		return "tries"
	}
	return what + "s"
}
