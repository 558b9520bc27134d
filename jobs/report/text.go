package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Board writes every client's verdict, one row each, with reason, owner and next step: what needs acting on first.
func Board(w io.Writer, in Input, o Options) error {
	s, r := newScreen(o), Build(in)
	s.title(r, "")
	b := newBuilder(in)
	verdicts := slices.Clone(in.Clients)
	slices.SortStableFunc(verdicts, func(x, y readiness.Verdict) int {
		a, b := b.client(x), b.client(y)
		return cmp.Or(cmp.Compare(slices.Index(states, x.State), slices.Index(states, y.State)),
			when(a.Session).Compare(when(b.Session)), cmp.Compare(x.Client, y.Client), cmp.Compare(x.Prescriber, y.Prescriber))
	})
	if len(verdicts) == 0 {
		s.b.WriteString("\n")
		s.line(0, "No clients yet. A referral, a dosing appointment or a release in the practice's records brings them here.")
		s.strays(r)
		return s.flush(w, "write board")
	}
	several := slices.ContainsFunc(verdicts, func(v readiness.Verdict) bool { return v.Prescriber != verdicts[0].Prescriber })
	if !several {
		s.line(0, "with "+plain(b.title(verdicts[0].Prescriber)))
	}
	rows := make([][]string, 0, len(verdicts))
	for _, v := range verdicts {
		c := b.client(v)
		session := meeting(c.Session, r.zone, in.AsOf)
		if several {
			session += "\n" + plain(c.Prescriber)
		}
		rows = append(rows, []string{string(c.State), stacked(c), session, said(c)})
	}
	s.b.WriteString("\n")
	s.table([]string{"STATE", "CLIENT", "SESSION", "RECORDS AND NEXT STEP"}, rows, func(row, col int) lipgloss.Style {
		if col == 0 {
			return tone(readiness.State(rows[row][0]))
		}
		return lipgloss.NewStyle()
	})
	s.strays(r)
	s.snoozes(r)
	s.b.WriteString("\n")
	s.line(0, s.paint(faint, tally(r)+". The hub reports what is recorded; it decides nothing."))
	return s.flush(w, "write board")
}

// strays counts the calendar events that match nobody.
func (s *screen) strays(r Report) {
	if n := len(r.Strays); n > 0 {
		words := many(n, "calendar event") + " match"
		if n == 1 {
			words += "es"
		}
		s.b.WriteString("\n")
		s.line(0, words+" nobody, the first on "+meeting(r.Strays[0].Start, r.zone, r.AsOf)+": kaphub report lists them")
	}
}

// snoozes counts what is silent for a while.
func (s *screen) snoozes(r Report) {
	n := len(r.Snoozed)
	for _, x := range r.RollUps {
		if x.Snoozed != nil {
			n++
		}
	}
	if n > 0 {
		s.b.WriteString("\n")
		s.line(0, many(n, "finding")+" snoozed: kaphub findings lists them; no state rests on that")
	}
}

// title writes whose report it is, as of when, and how far each source can be trusted.
func (s *screen) title(r Report, kind string) {
	head := plain(r.Practice)
	if kind != "" {
		head += " · " + kind
	}
	s.line(0, s.paint(bold, head)+" · as of "+r.AsOf.In(r.zone).Format("Mon 2 Jan 2006, 15:04 MST"))
	if len(r.Sources) == 0 {
		s.line(0, "No sources are configured.")
		return
	}
	var parts []string
	for _, l := range r.Sources {
		part := plain(l.Called()) + " " + l.Reading(r.zone, r.AsOf)
		if l.State != Fresh {
			part = s.paint(tone(readiness.Unknown), part)
		}
		parts = append(parts, part)
	}
	s.line(0, strings.Join(parts, " · "))
}

// tally counts the clients by state: "3 clients: 1 HOLD, 2 READY".
func tally(r Report) string {
	n, parts := 0, []string{}
	for _, c := range r.Counts {
		n += c.N
		if c.N > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.N, c.State))
		}
	}
	if n == 0 {
		return "no clients"
	}
	return many(n, "client") + ": " + strings.Join(parts, ", ")
}

// called is a client by chosen name with the hub's key.
func called(c Client) string {
	if c.Chosen == "" {
		return c.Key
	}
	return plain(c.Chosen) + " (" + c.Key + ")"
}

// stacked is called on two lines, for a column.
func stacked(c Client) string {
	if c.Chosen == "" {
		return c.Key
	}
	return plain(c.Chosen) + "\n" + c.Key
}

// said is what is recorded, and below it who must do what.
func said(c Client) string {
	if c.Next == "" {
		return plain(c.Words)
	}
	return plain(c.Words) + "\n> " + step(c.Owner, c.Takes, c.Next)
}

// step is who must do what.
func step(owner, takes readiness.Owner, next string) string {
	if owner == "" || next == "" {
		return plain(next)
	}
	return WhoActs(owner, takes) + ": " + plain(Typed(next))
}

// Text writes the report for a terminal.
func (r Report) Text(w io.Writer, o Options) error {
	s := newScreen(o)
	s.title(r, "reconciliation")
	s.line(0, tally(r))
	if len(r.Stopped) > 0 {
		s.heading("Stopped", len(r.Stopped))
		for _, c := range r.Stopped {
			s.line(2, s.paint(tone(c.State), plain(c.Words))+" · "+called(c)+" · "+meeting(c.Session, r.zone, r.AsOf))
			s.line(6, step(c.Owner, c.Takes, c.Next))
		}
	}
	s.heading("Today and tomorrow", len(r.Sessions))
	s.sessions(r, r.Sessions, "No dosing session today or tomorrow.")
	if len(r.DoNow) > 0 {
		s.heading("Do now", len(r.DoNow))
		for _, f := range r.DoNow {
			s.line(2, s.paint(bold, string(f.Severity))+" "+f.Code+" "+called(f.Client)+" · "+meeting(f.Client.Session, r.zone, r.AsOf))
			s.line(6, plain(f.Words))
			s.line(6, step(f.Owner, f.Takes, f.Next))
		}
	}
	if len(r.Waiting) > 0 {
		s.heading("Waiting", len(r.Waiting))
		for _, x := range r.Waiting {
			s.line(2, called(x.Client)+" "+r.waits(x))
			s.handled(r, x.Handled)
		}
	}
	s.findings(r, "New", r.New)
	s.findings(r, "Persisting", r.Lasting)
	s.findings(r, "Resolved", r.Resolved)
	s.rollUps(r, r.RollUps)
	s.findings(r, "Snoozed", r.Snoozed)
	s.heading("The next 14 days", len(r.Upcoming))
	s.sessions(r, r.Upcoming, "No further dosing session booked.")
	s.heading("Sources", len(r.Sources))
	for _, l := range r.Sources {
		s.line(2, plain(l.Name)+" ("+plain(l.Title)+"): "+l.Reading(r.zone, r.AsOf)+because(l.Why))
	}
	if len(r.Sending) > 0 {
		s.heading("Deliveries to look at", len(r.Sending))
		for _, d := range r.Sending {
			s.line(2, string(d.State)+" · "+string(d.What)+" to "+plain(d.To)+" for "+d.Client+" · "+many(d.Attempts, "try")+because(d.Why))
			s.line(6, d.ID+": "+Typed(d.Next))
		}
	}
	if len(r.Rejects) > 0 {
		s.heading("Records that could not be read", len(r.Rejects))
		for _, x := range r.Rejects {
			s.line(2, plain(x.Source)+" "+plain(x.Record)+" · "+plain(x.Reason)+" · "+stamp(x.Received, r.zone, r.AsOf))
		}
	}
	if r.Loops != nil {
		s.heading("How long loops take, in the last 12 weeks", -1)
		for _, m := range r.Loops.Measures {
			s.line(2, m.Step.Title()+": "+m.All.String())
		}
		s.line(2, "closed: "+r.Loops.Closed.String()+"; follow-ups in time: "+r.Loops.FollowUps.String())
	}
	if len(r.Strays) > 0 {
		s.heading("Calendar events that match nobody", len(r.Strays))
		for _, x := range r.Strays {
			s.line(2, plain(x.Source)+" · "+meeting(x.Start, r.zone, r.AsOf)+" · token digest "+plain(x.Digest))
		}
		s.line(6, string(readiness.Admin)+": give the client the token on the roster, or correct it in the calendar")
	}
	s.b.WriteString("\n")
	s.line(0, s.paint(faint, disclaimer))
	return s.flush(w, "write report")
}

const disclaimer = "The hub reports recorded facts, their source and their date. It is no medical decision."

func because(why string) string {
	if why == "" {
		return ""
	}
	return " · " + plain(why)
}

// waits says what a client waits on: "waiting on X since Y; nudge Z".
func (r Report) waits(x Wait) string {
	nudge := "the " + string(x.Nudge)
	if x.Nudge == readiness.Prescriber {
		nudge = plain(x.Client.Prescriber)
	}
	out := "waiting on " + x.On + " since " + date(x.Since, r.zone, r.AsOf) + "; nudge " + nudge
	if x.More > 0 {
		out += fmt.Sprintf(" (and %d more)", x.More)
	}
	return out
}

func (s *screen) sessions(r Report, list []Session, none string) {
	if len(list) == 0 {
		s.line(2, none)
		return
	}
	rows := make([][]string, 0, len(list))
	for _, x := range list {
		rows = append(rows, []string{meeting(x.Start, r.zone, r.AsOf), stacked(x.Client), plain(x.Therapist), string(x.State), plain(x.Words)})
	}
	s.table([]string{"SESSION", "CLIENT", "THERAPIST", "STATE", "RECORDS"}, rows, func(row, col int) lipgloss.Style {
		if col == 3 {
			return tone(list[row].State)
		}
		return lipgloss.NewStyle()
	})
}

func by(what string) string {
	if what == "" {
		return ""
	}
	return ": " + plain(what)
}

// Explain writes every gate of a client, what it rests on and who must act. The error is exchange.ErrNotFound when in has
// no such client.
func Explain(w io.Writer, in Input, client string, o Options) error {
	verdicts := of(in, client)
	if len(verdicts) == 0 {
		return fmt.Errorf("explain client %s: %w", client, exchange.ErrNotFound)
	}
	s, r := newScreen(o), Build(in)
	b := newBuilder(in)
	s.title(r, "")
	for _, v := range verdicts {
		c := b.client(v)
		s.b.WriteString("\n")
		s.line(0, s.paint(tone(c.State), string(c.State))+" "+s.paint(bold, called(c))+" with "+plain(c.Prescriber)+" · "+meeting(c.Session, r.zone, in.AsOf))
		s.line(0, plain(c.Words))
		if c.Next != "" {
			s.line(0, "Next: "+step(c.Owner, c.Takes, c.Next))
		}
		s.line(0, s.paint(faint, "Judged "+stamp(v.Judged, r.zone, in.AsOf)+", stands until "+stamp(v.Until, r.zone, in.AsOf)+" at the latest"))
		s.b.WriteString("\n")
		for _, g := range v.Gates {
			s.gate(r, g)
		}
		s.account(r, v.Account)
		var open, over []Finding
		for _, f := range v.Findings {
			switch {
			case f.State != readiness.Resolved:
				open = append(open, b.finding(f, v, c))
			case f.Resolved.After(b.resolvedSince()):
				over = append(over, b.finding(f, v, c))
			}
		}
		s.findings(r, "Findings", open)
		s.findings(r, "Resolved this week", over)
	}
	return s.flush(w, "write explanation")
}

// marks are the gates' states for a quick eye; the word stands beside.
var marks = map[readiness.GateState]string{readiness.Met: "+", readiness.Open: "-", readiness.Blocked: "x", readiness.Untold: "?", readiness.NotDue: "."}

func (s *screen) gate(r Report, g readiness.Gate) {
	style := map[readiness.GateState]lipgloss.Style{
		readiness.Met: tone(readiness.Ready), readiness.Open: tone(readiness.NotReady), readiness.Blocked: tone(readiness.Hold),
		readiness.Untold: tone(readiness.Unknown), readiness.NotDue: faint,
	}[g.State]
	s.line(0, s.paint(style, marks[g.State]+" "+string(g.Name)+": "+string(g.State))+dash(plain(g.Words)))
	if g.Next != "" {
		due := ""
		if !g.Due.IsZero() {
			due = ", due " + stamp(g.Due, r.zone, r.AsOf)
		}
		s.line(6, step(g.Owner, g.Takes, g.Next)+due)
	}
	if g.Agreed != "" {
		s.line(6, s.paint(faint, plain(g.Agreed)))
	}
	if len(g.Because) > 0 {
		names := make([]string, 0, len(g.Because))
		for _, x := range g.Because {
			names = append(names, version(x))
		}
		s.line(6, s.paint(faint, "rests on "+strings.Join(names, ", ")))
	}
}

func dash(text string) string {
	if text == "" {
		return ""
	}
	return " – " + text
}

func version(b fhir.Basis) string {
	return fmt.Sprintf("%s/%s/%s@%d", b.Source, b.Type, b.ID, b.Version)
}
