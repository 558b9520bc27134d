package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Filter is which findings are looked at; its zero value is every open one that speaks for itself.
type Filter struct {
	Owner    readiness.Owner
	Person   string             // to whom it is assigned
	Severity readiness.Severity // so grave, or graver
	Client   string             // a hub key
	All      bool               // those folded under an open parent, and those resolved, too
}

func (f Filter) takes(x Finding) bool {
	switch {
	case f.Owner != "" && x.Owner != f.Owner,
		f.Person != "" && (x.Assigned == nil || !strings.EqualFold(x.Assigned.To, f.Person)),
		f.Severity != "" && x.Severity > f.Severity,
		f.Client != "" && x.Client.Key != f.Client:
		return false
	}
	return f.All || x.State != readiness.Resolved && x.Under == ""
}

// findingsDocument is what Findings writes for a program.
type findingsDocument struct {
	Schema    int       `json:"schema"`
	Generated time.Time `json:"generated"`
	AsOf      time.Time `json:"as_of"`
	Findings  []Finding `json:"findings"` // snoozed ones too, and each of those that touch many
}

// findings returns what f takes, the gravest first.
func (b *builder) list(f Filter) []Finding {
	out := []Finding{}
	for _, v := range b.Clients {
		c := b.client(v)
		for _, x := range v.Findings {
			if item := b.finding(x, v, c); f.takes(item) {
				out = append(out, item)
			}
		}
	}
	slices.SortStableFunc(out, func(x, y Finding) int {
		return cmp.Or(over(x)-over(y), cmp.Compare(x.Severity, y.Severity), sooner(x, y), when(x.Client.Session).Compare(when(y.Client.Session)),
			x.Since.Compare(y.Since), cmp.Compare(x.Client.Key, y.Client.Key), cmp.Compare(x.Code, y.Code), cmp.Compare(x.ID, y.ID))
	})
	return out
}

func over(f Finding) int {
	if f.State == readiness.Resolved {
		return 1
	}
	return 0
}

// Findings writes the findings that f takes; what touches many as one row, unless one client is asked for.
func Findings(w io.Writer, in Input, f Filter, o Options) error {
	b, s := newBuilder(in), newScreen(o)
	r := Build(in)
	s.title(r, "findings")
	var speak, silent, done []Finding
	many := map[string]bool{}
	for _, x := range b.list(f) {
		switch {
		case x.RollUp != "" && f.Client == "" && x.State != readiness.Resolved:
			many[x.RollUp] = true
		case x.State == readiness.Resolved:
			done = append(done, x)
		case x.Snoozed != nil:
			silent = append(silent, x)
		default:
			speak = append(speak, x)
		}
	}
	if len(speak)+len(silent)+len(done)+len(many) == 0 {
		s.b.WriteString("\n")
		s.line(0, "Nothing is open of what you asked for.")
	}
	s.findings(r, "Open", speak)
	s.findings(r, "Snoozed", silent)
	s.rollUps(r, slices.DeleteFunc(slices.Clone(r.RollUps), func(x RollUp) bool { return !many[x.Key] }))
	s.findings(r, "Resolved", done)
	return s.flush(w, "write findings")
}

// FindingsJSON writes them for a program, each of those that touch many too.
func FindingsJSON(w io.Writer, in Input, f Filter) error {
	b := newBuilder(in)
	return writeJSON(w, "write findings", findingsDocument{Schema: schema, Generated: in.Generated.UTC(), AsOf: in.AsOf.UTC(), Findings: b.list(f)})
}

// oneFinding is a finding with all that was done about it.
type oneFinding struct {
	Schema int `json:"schema"`
	Finding
	Because []fhir.Basis `json:"because"`
	Ended   []fhir.Basis `json:"resolved_by,omitempty"`
	Log     []logged     `json:"log"` // oldest first, what counts no more too
}

type logged struct {
	Did    readiness.HandlingKind `json:"did"`
	Moment fhir.Moment            `json:"moment"` // of the audit log
	Mark
}

func (b *builder) one(id string) (oneFinding, bool) {
	for _, v := range b.Clients {
		for _, f := range v.Findings {
			if f.ID != id {
				continue
			}
			out := oneFinding{Schema: schema, Finding: b.finding(f, v, b.client(v)), Because: full(f.Because), Ended: f.Ended, Log: []logged{}}
			for _, h := range b.did[id] {
				out.Log = append(out.Log, logged{h.Kind, h.Moment, *marked(&h)})
			}
			return out, true
		}
	}
	return oneFinding{}, false
}

// ShowFinding writes one finding, what it rests on, and all that was done about it. The error is exchange.ErrNotFound when
// in has no such finding.
func ShowFinding(w io.Writer, in Input, id string, o Options) error {
	b, s, r := newBuilder(in), newScreen(o), Build(in)
	x, ok := b.one(id)
	if !ok {
		return fmt.Errorf("finding %s: %w", id, exchange.ErrNotFound)
	}
	s.title(r, "finding "+x.ID)
	s.findings(r, string(x.State), []Finding{x.Finding})
	s.b.WriteString("\n")
	s.line(2, "the client is "+string(x.Client.State)+" · "+meeting(x.Client.Session, r.zone, r.AsOf))
	if x.Under != "" {
		s.line(2, "told by their open "+x.Under)
	}
	rests := func(words string, list []fhir.Basis) {
		for _, v := range list {
			s.line(2, words+" "+version(v))
		}
	}
	rests("rests on", x.Because)
	rests("resolved by", x.Ended)
	if len(x.Log) > 0 {
		s.heading("What people did", len(x.Log))
		for _, l := range x.Log {
			s.line(2, stamp(l.At, r.zone, r.AsOf)+" · "+did(l, r))
		}
	}
	return s.flush(w, "write finding")
}

// ShowFindingJSON writes one finding for a program.
func ShowFindingJSON(w io.Writer, in Input, id string) error {
	b := newBuilder(in)
	x, ok := b.one(id)
	if !ok {
		return fmt.Errorf("finding %s: %w", id, exchange.ErrNotFound)
	}
	return writeJSON(w, "write finding", x)
}

// did says one thing that somebody did.
func did(l logged, r Report) string {
	words := map[readiness.HandlingKind]string{
		readiness.Acknowledge: "acknowledged", readiness.Snooze: "snoozed up to " + stamp(l.Until, r.zone, r.AsOf),
		readiness.Assign: "assigned to " + plain(l.To), readiness.LetGo: "released",
	}[l.Did] + " by " + plain(l.By)
	if l.Reason != "" {
		words += ": " + plain(l.Reason)
	}
	return words
}

// marks says how a finding stands with people, a line each.
func (h Handled) marks(zone *time.Location, asOf time.Time) (lines []string) {
	if m := h.Acknowledged; m != nil {
		lines = append(lines, "acknowledged by "+plain(m.By)+" "+stamp(m.At, zone, asOf)+because(m.Reason))
	}
	if m := h.Assigned; m != nil {
		lines = append(lines, "assigned to "+plain(m.To)+" by "+plain(m.By)+" "+stamp(m.At, zone, asOf)+because(m.Reason))
	}
	if m := h.Snoozed; m != nil {
		lines = append(lines, "snoozed by "+plain(m.By)+" up to "+stamp(m.Until, zone, asOf)+because(m.Reason))
	}
	return lines
}

func (s *screen) handled(r Report, h Handled) {
	for _, line := range h.marks(r.zone, r.AsOf) {
		s.line(6, s.paint(faint, line))
	}
}

// lived says since when a finding is there, for how long, and how often it came back, each after a dot; nothing of what was only
// seen lately.
func (f Finding) lived(zone *time.Location, asOf time.Time) string {
	from, out := f.From(), ""
	if f.State == readiness.Resolved && from.IsZero() {
		from = f.Since
	}
	if !from.IsZero() {
		out = " · since " + date(from, zone, asOf) + ", " + lasts(f.Age)
	}
	switch {
	case f.Reopened > 0 && f.State != readiness.Resolved:
		out += " · came back " + date(f.Opened, zone, asOf)
		if f.Reopened > 1 {
			out += " (" + many(f.Reopened, "time") + ")"
		}
	case f.Reopened > 0:
		out += " · came back " + map[bool]string{true: "once", false: many(f.Reopened, "time")}[f.Reopened == 1]
	case f.State == readiness.Reopened:
		out += " · came back"
	}
	return out
}

func (s *screen) findings(r Report, title string, list []Finding) {
	if len(list) == 0 {
		return
	}
	s.heading(title, len(list))
	for _, f := range list {
		s.line(2, s.paint(bold, string(f.Severity))+" "+f.Code+" "+f.Rule+" · "+called(f.Client)+f.lived(r.zone, r.AsOf)+" · "+brief(f.ID))
		s.line(6, plain(f.Words))
		for _, v := range f.Values {
			s.line(6, plain(v.Party)+": "+plain(v.Says))
		}
		switch {
		case f.State == readiness.Resolved:
			s.line(6, "resolved "+stamp(f.Resolved, r.zone, r.AsOf)+by(f.By))
		case f.Due.IsZero():
			s.line(6, step(f.Owner, f.Takes, f.Next))
		default:
			s.line(6, step(f.Owner, f.Takes, f.Next)+", due "+stamp(f.Due, r.zone, r.AsOf)+suffix(f.Lateness()))
		}
		s.handled(r, f.Handled)
	}
}

func (s *screen) rollUps(r Report, list []RollUp) {
	if len(list) == 0 {
		return
	}
	s.heading("Touching many", len(list))
	for _, x := range list {
		s.line(2, s.paint(bold, string(x.Severity))+" "+x.Code+" "+plain(x.Words)+" · "+x.touches()+" · "+lasts(x.Age)+" · "+plain(x.Key))
		s.line(6, step(x.Owner, x.Takes, x.Next))
		s.handled(r, Handled{Snoozed: x.Snoozed})
	}
}

// brief is as much of a finding's id as names it to a command.
func brief(id string) string { return fmt.Sprintf("%.8s", id) }
