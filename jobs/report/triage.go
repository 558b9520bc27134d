package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Pile is where a finding lies for those who work through them.
type Pile string

// The piles.
const (
	PileOpen     Pile = "open" // it speaks
	PileSnoozed  Pile = "snoozed"
	PileResolved Pile = "resolved" // lately
)

// Sought is which findings are worked through.
type Sought struct {
	Pile     Pile
	Owner    readiness.Owner
	Person   string             // to whom it is assigned
	Severity readiness.Severity // so grave, or graver
	New      bool               // since the report before
	Unseen   bool               // nobody acknowledged it
	Now      bool               // to be done now, as Today has it
}

// Row is what stands in one row: a finding with those folded under it, or what touches many with each of those.
type Row struct {
	Finding
	Under []Finding // that it tells: children of an open parent
	Many  *RollUp   // nil = it is one client's
	Each  []Finding // … of Many
}

// Piles are how many findings lie in each pile, whatever is sought, and how many of the open ones are somebody's.
type Piles struct{ Open, Snoozed, Resolved, Mine int }

// Triage returns the findings that are sought, gravest first: a child under its parent where that is shown, what touches
// many as one row. me is whose Piles.Mine counts.
func Triage(in Input, s Sought, me string) (rows []Row, n Piles) {
	b := newBuilder(in)
	rolled := rolls{builder: &b, alone: b.alone()}
	rows = []Row{}
	for _, f := range b.list(Filter{All: true}) {
		lies := f.pile()
		switch {
		case lies == PileResolved && (slices.Contains(ofSources, f.Code) || !f.Resolved.After(b.AsOf.Add(-week))):
			continue
		case lies == PileResolved:
			n.Resolved++
		case lies == PileSnoozed:
			n.Snoozed++
		default:
			n.Open++
		}
		if lies == PileOpen && f.Assigned != nil && strings.EqualFold(f.Assigned.To, me) {
			n.Mine++
		}
		if lies != s.Pile || !(Filter{Owner: s.Owner, Person: s.Person, Severity: s.Severity, All: true}).takes(f) || s.New && !b.isNewer(f) || s.Unseen && f.Acknowledged != nil || s.Now && !b.now(f) {
			continue
		}
		if lies != PileResolved && rolled.takes(readiness.Finding{Code: f.Code, RollUp: f.RollUp}) {
			rows = gather(rows, f)
			continue
		}
		rows = append(rows, Row{Finding: f})
	}
	rows = fold(rows)
	for i := range rows {
		if m := rows[i].Many; m != nil {
			count(m, rows[i].Each)
		}
	}
	return rows, n
}

// pile is where f lies.
func (f Finding) pile() Pile {
	switch {
	case f.State == readiness.Resolved:
		return PileResolved
	case f.Snoozed != nil:
		return PileSnoozed
	}
	return PileOpen
}

func (b *builder) isNewer(f Finding) bool {
	return b.isNew(readiness.Finding{State: f.State, Since: f.Since, Opened: f.Opened})
}

// now reports whether f stands under Do now.
func (b *builder) now(f Finding) bool {
	start := f.Client.Session
	near := !start.IsZero() && start.Before(readiness.DayOf(b.AsOf, b.zone).Plus(2).Start(b.zone))
	return f.Under == "" && (f.Severity == readiness.S1 || f.Severity == readiness.S2 && (near || f.Code == undelivered || f.RollUp != ""))
}

// gather puts f into the row of what touches many; the row stands where the gravest of it does.
func gather(rows []Row, f Finding) []Row {
	i := slices.IndexFunc(rows, func(r Row) bool { return r.Many != nil && r.Many.Key == f.RollUp })
	if i < 0 {
		return append(rows, Row{Finding: f, Many: &RollUp{Key: f.RollUp, Code: f.Code, Severity: f.Severity, Words: f.Words, Owner: f.Owner, Takes: f.Takes, Next: f.Next,
			Since: f.Since, Age: f.Age}, Each: []Finding{f}})
	}
	rows[i].Each = append(rows[i].Each, f)
	return rows
}

func count(m *RollUp, each []Finding) {
	clients, sessions := map[string]bool{}, map[string]bool{}
	for _, f := range each {
		clients[f.Client.Key] = true
		if !f.Client.Session.IsZero() {
			sessions[f.Client.Key+" "+f.Client.Session.String()] = true
		}
		m.Severity = min(m.Severity, f.Severity)
		if f.Since.Before(m.Since) {
			m.Since, m.Age = f.Since, f.Age
		}
	}
	m.Clients, m.Sessions = len(clients), len(sessions)
}

// fold puts each child under its parent, where that has a row of its own.
func fold(rows []Row) []Row {
	type of struct{ client, prescriber, code string }
	parent := map[of]int{}
	for i, r := range rows {
		if at := (of{r.Client.Key, r.Client.Prescriber, r.Code}); r.Many == nil {
			if _, there := parent[at]; !there {
				parent[at] = i
			}
		}
	}
	folded := map[int]bool{}
	for i, r := range rows {
		at, there := parent[of{r.Client.Key, r.Client.Prescriber, r.Finding.Under}]
		if r.Many == nil && r.Finding.Under != "" && there && at != i {
			rows[at].Under = append(rows[at].Under, r.Finding)
			folded[i] = true
		}
	}
	out := rows[:0:0]
	for i, r := range rows {
		if !folded[i] {
			out = append(out, r)
		}
	}
	return slices.Clip(out)
}

// Touches says in words how far it reaches.
func (r RollUp) Touches() string { return r.touches() }

// Stamp changes whenever a person who looked at f would want to look again: what it says, how grave it is, or what others
// did about it.
func (f Finding) Stamp() string {
	marks := make([]string, 0, 3)
	for _, m := range []*Mark{f.Acknowledged, f.Assigned, f.Snoozed} {
		if m != nil {
			marks = append(marks, m.By+"\x00"+m.To+"\x00"+m.At.String())
		} else {
			marks = append(marks, "")
		}
	}
	sum := sha256.Sum256(fmt.Append(nil, f.ID, "\x00", f.Severity, "\x00", f.State == readiness.Resolved, "\x00", f.Words, "\x00", f.Due.UnixMilli(), "\x00", strings.Join(marks, "\x01")))
	return hex.EncodeToString(sum[:8])
}

// Done is one thing that somebody did about a finding.
type Done struct {
	Did readiness.HandlingKind
	Mark
}

// Whole is a finding with what it rests on and all that people did about it, oldest first.
type Whole struct {
	Finding
	Because, Ended []fhir.Basis
	Log            []Done
}

// One returns a finding of in by its whole id; false when there is none.
func One(in Input, id string) (Whole, bool) {
	b := newBuilder(in)
	x, ok := b.one(id)
	out := Whole{Finding: x.Finding, Because: x.Because, Ended: x.Ended}
	for _, l := range x.Log {
		out.Log = append(out.Log, Done{l.Did, l.Mark})
	}
	slices.SortStableFunc(out.Log, func(a, b Done) int { return cmp.Compare(a.At.UnixMilli(), b.At.UnixMilli()) })
	return out, ok
}

// All returns every finding of in, resolved ones too, gravest first.
func All(in Input) []Finding {
	b := newBuilder(in)
	return b.list(Filter{All: true})
}
