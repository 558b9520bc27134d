package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// ChangesInput is what a client's standing at one moment is compared with that at a later one by: both views, and what
// came between.
type ChangesInput struct {
	Client        string
	Before, After Input
	Came          []fhir.Version      // versions of the client's records that were not known before
	Went          []fhir.Version      // versions that were the client's before and are no more: a link was undone
	Settings      []Setting           // that have another value
	Verdicts      []readiness.Verdict // on the client, that said something new between, oldest first
}

// Setting is one setting of the policy for a prescriber that has another value than before; "" where it was, or is, not set.
type Setting struct {
	Prescriber string `json:"prescriber"` // as the config names it
	Key        string `json:"key"`
	From       string `json:"from"`
	To         string `json:"to"`
}

// Changes is what changed for a client between two moments, and why each verdict moved.
type Changes struct {
	Schema   int             `json:"schema"`
	From     time.Time       `json:"from"`
	To       time.Time       `json:"to"`
	Practice string          `json:"practice"`
	Client   string          `json:"client"`
	Chosen   string          `json:"chosen"`
	Engaged  []Change        `json:"engagements"`
	Settings []Setting       `json:"settings"`
	Sources  []SourceChange  `json:"sources"` // that can be trusted otherwise than before
	Records  []RecordChanged `json:"records"` // that came between, or went

	zone *time.Location
}

// Change is what changed with one prescriber.
type Change struct {
	Prescriber string          `json:"prescriber"`
	Title      string          `json:"title"`
	From       Stand           `json:"from"`
	To         Stand           `json:"to"`
	Why        []string        `json:"why"` // a sentence each
	Between    []Passed        `json:"between"`
	Gates      []GateChange    `json:"gates"`
	Findings   []FindingChange `json:"findings"`
}

// Stand is a verdict in short; the zero Stand where there was none.
type Stand struct {
	State readiness.State `json:"state"`
	Words string          `json:"words"`
	Until time.Time       `json:"until,omitzero"`
}

// Passed is a state that the verdict went through between.
type Passed struct {
	At    time.Time       `json:"at"`
	State readiness.State `json:"state"`
	Words string          `json:"words"`
}

// GateChange is a gate that stands otherwise than before, or by other versions.
type GateChange struct {
	Gate      readiness.GateName  `json:"gate"`
	From      readiness.GateState `json:"from"`
	To        readiness.GateState `json:"to"`
	WordsFrom string              `json:"words_from"`
	WordsTo   string              `json:"words_to"`
	Cause     Cause               `json:"cause"`
	Records   []RecordChanged     `json:"records"` // by which
}

// Cause is what changed a gate or a finding.
type Cause string

// The causes. Records stand over settings and settings over sources: with the same records, settings and sources it was
// time alone, or what people told the hub otherwise than by a record: a link, a reject, a delivery.
const (
	ByRecords  Cause = "records"
	BySettings Cause = "settings"
	BySources  Cause = "sources"
	ByTime     Cause = "time"
)

// RecordChanged is a record of which another version is known than before.
type RecordChanged struct {
	Source   string    `json:"source"`
	Party    string    `json:"party"`
	Type     string    `json:"type"`
	ID       string    `json:"id"`
	From     int64     `json:"from,omitempty"` // the version before; 0 = none
	To       int64     `json:"to,omitempty"`   // the version now; 0 = none
	Received time.Time `json:"received,omitzero"`
	Became   Became    `json:"became"`
}

// Became is what became of a record.
type Became string

// What can become of a record.
const (
	Came      Became = "came"
	Altered   Became = "changed"
	Deleted   Became = "gone"       // its source has it no more
	Parted    Became = "parted"     // it is not this client's any more
	TakenIn   Became = "taken in"   // known before, and bears on it now
	LeftAside Became = "left aside" // still there, and bears on it no more
)

// FindingChange is a finding that is open, or resolved, or graver or milder than before.
type FindingChange struct {
	ID       string             `json:"id"`
	Code     string             `json:"code"`
	Rule     string             `json:"rule"`
	Became   string             `json:"became"` // new, reopened, resolved, graver, milder
	Severity readiness.Severity `json:"severity"`
	Was      readiness.Severity `json:"was,omitempty"`
	Words    string             `json:"words"`
	By       string             `json:"by,omitempty"` // resolved by what
	Cause    Cause              `json:"cause"`
	Records  []RecordChanged    `json:"records"`
}

// SourceChange is a source that can be trusted otherwise than before.
type SourceChange struct {
	Name string      `json:"name"`
	From SourceState `json:"from"`
	To   SourceState `json:"to"`
	Why  string      `json:"why,omitempty"`
}

// NewChanges compares. It is pure.
func NewChanges(in ChangesInput) Changes {
	c := Changes{Schema: schema, From: in.Before.AsOf.UTC(), To: in.After.AsOf.UTC(), Practice: in.After.Practice, Client: in.Client,
		Settings: full(in.Settings), Sources: []SourceChange{}, Records: []RecordChanged{}, Engaged: []Change{}, zone: cmp.Or(in.After.Zone, time.UTC)}
	d := differ{ChangesInput: in, came: map[fhir.Key][]fhir.Version{}, went: map[fhir.Key]bool{}}
	for _, v := range in.Came {
		d.came[v.Key] = append(d.came[v.Key], v)
	}
	for _, v := range in.Went {
		d.went[v.Key] = true
	}
	for _, s := range in.After.Sources {
		i := slices.IndexFunc(in.Before.Sources, func(b Source) bool { return b.Name == s.Name })
		if before := Never; i < 0 || in.Before.Sources[i].State != s.State {
			if i >= 0 {
				before = in.Before.Sources[i].State
			}
			c.Sources = append(c.Sources, SourceChange{s.Name, before, s.State, s.Why})
		}
	}
	d.sources = c.Sources
	c.Records = d.all()
	for _, after := range of(in.After, in.Client) {
		var before readiness.Verdict
		if i := slices.IndexFunc(in.Before.Clients, func(v readiness.Verdict) bool { return v.Client == in.Client && v.Prescriber == after.Prescriber }); i >= 0 {
			before = in.Before.Clients[i]
		}
		c.Chosen = cmp.Or(c.Chosen, after.Chosen)
		c.Engaged = append(c.Engaged, d.change(before, after))
	}
	return c
}

type differ struct {
	ChangesInput
	came    map[fhir.Key][]fhir.Version // oldest first
	went    map[fhir.Key]bool
	sources []SourceChange
}

// all are the records that came or went, in the order of their last news.
func (d *differ) all() []RecordChanged {
	list := []RecordChanged{}
	seen := map[fhir.Key]bool{}
	for _, v := range slices.Concat(d.Came, d.Went) {
		if !seen[v.Key] {
			seen[v.Key] = true
			list = append(list, d.record(v.Basis()))
		}
	}
	slices.SortStableFunc(list, func(a, b RecordChanged) int { return a.Received.Compare(b.Received) })
	return list
}

// record is what became of the record that b is a version of.
func (d *differ) record(b fhir.Basis) RecordChanged {
	key := fhir.Key{Source: b.Source, Type: b.Type, ID: b.ID}
	out := RecordChanged{Source: b.Source, Party: b.Party, Type: b.Type, ID: b.ID}
	versions := d.came[key]
	switch n := len(versions); {
	case n > 0:
		first, last := versions[0], versions[n-1]
		out.From, out.To, out.Received, out.Became = first.N-1, last.N, last.Received, Altered
		if last.Gone {
			out.Became = Deleted
		} else if first.N == 1 {
			out.Became = Came
		}
	case d.went[key]:
		out.From, out.Became = b.Version, Parted
	}
	return out
}

// records are the records by which what rested on before rests on after.
func (d *differ) records(before, after []fhir.Basis) (list []RecordChanged) {
	same := func(a, b fhir.Basis) bool { return a.Source == b.Source && a.Type == b.Type && a.ID == b.ID }
	add := func(b fhir.Basis, otherwise Became) {
		if slices.ContainsFunc(list, func(r RecordChanged) bool { return same(b, fhir.Basis{Source: r.Source, Type: r.Type, ID: r.ID}) }) {
			return
		}
		r := d.record(b)
		if r.Became == "" {
			r.Became = otherwise
			if otherwise == LeftAside {
				r.From = b.Version
			} else {
				r.To = b.Version
			}
		}
		list = append(list, r)
	}
	for _, b := range after {
		if !slices.Contains(before, b) {
			add(b, TakenIn)
		}
	}
	for _, b := range before {
		if !slices.ContainsFunc(after, func(a fhir.Basis) bool { return same(a, b) }) {
			add(b, LeftAside)
		}
	}
	return list
}

// cause is what changed something that rests on these records now.
func (d *differ) cause(prescriber string, records []RecordChanged, of []string) Cause {
	switch {
	case slices.ContainsFunc(records, func(r RecordChanged) bool { return r.Became != TakenIn && r.Became != LeftAside }):
		return ByRecords
	case slices.ContainsFunc(d.Settings, func(s Setting) bool { return s.Prescriber == prescriber }):
		return BySettings
	case slices.ContainsFunc(d.sources, func(s SourceChange) bool { return slices.Contains(of, s.Name) }):
		return BySources
	}
	return ByTime
}

func (d *differ) change(before, after readiness.Verdict) Change {
	c := Change{Prescriber: after.Prescriber, Title: cmp.Or(d.After.Titles[after.Prescriber], after.Prescriber), From: stand(before), To: stand(after),
		Between: []Passed{}, Gates: []GateChange{}, Findings: []FindingChange{}}
	for _, v := range d.Verdicts {
		if v.Prescriber == after.Prescriber && (len(c.Between) == 0 || c.Between[len(c.Between)-1].State != v.State) {
			c.Between = append(c.Between, Passed{v.Judged, v.State, v.Words})
		}
	}
	for _, g := range after.Gates {
		was, _ := before.Gate(g.Name)
		records := d.records(was.Because, g.Because)
		if was.State == g.State && len(records) == 0 {
			continue
		}
		c.Gates = append(c.Gates, GateChange{Gate: g.Name, From: was.State, To: g.State, WordsFrom: was.Words, WordsTo: g.Words,
			Cause: d.cause(after.Prescriber, records, after.Sources), Records: full(records)})
	}
	c.Findings = append(c.Findings, d.findings(before, after)...)
	c.Why = d.why(c, before, after)
	return c
}

func stand(v readiness.Verdict) Stand { return Stand{v.State, v.Words, v.Until.UTC()} }

// findings are those that opened, were resolved, or weigh otherwise.
func (d *differ) findings(before, after readiness.Verdict) (list []FindingChange) {
	was := map[string]readiness.Finding{}
	for _, f := range before.Findings {
		if f.State != readiness.Resolved {
			was[f.ID] = f
		}
	}
	add := func(f readiness.Finding, became string, rested []fhir.Basis) *FindingChange {
		records := d.records(rested, f.Because)
		list = append(list, FindingChange{ID: f.ID, Code: f.Code, Rule: f.Rule, Became: became, Severity: f.Severity, Words: f.Words,
			Cause: d.cause(after.Prescriber, records, after.Sources), Records: full(records)})
		return &list[len(list)-1]
	}
	over := map[string]readiness.Finding{}
	for _, f := range after.Findings {
		old, open := was[f.ID]
		switch {
		case f.State == readiness.Resolved:
			over[f.ID] = f
			continue
		case !open && f.Since.After(d.Before.AsOf):
			add(f, "new", nil)
		case !open:
			add(f, "reopened", nil)
		case f.Severity != old.Severity:
			became := "graver"
			if f.Severity > old.Severity {
				became = "milder"
			}
			add(f, became, old.Because).Was = old.Severity
		}
		delete(was, f.ID)
	}
	for _, f := range before.Findings {
		if _, gone := was[f.ID]; gone && f.State != readiness.Resolved {
			c := add(f, "resolved", nil)
			c.Records = full(slices.DeleteFunc(c.Records, func(r RecordChanged) bool { return r.Became == TakenIn }))
			c.Cause = d.cause(after.Prescriber, c.Records, after.Sources)
			if end, told := over[f.ID]; told {
				c.By = end.By
			}
		}
	}
	return list
}
