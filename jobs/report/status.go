package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// schema is the version of the machine-readable documents. A field may be added under it; one that changes its meaning or
// goes away makes the next.
const schema = 1

// The status document (design.md section 7). Its shape is a contract: testdata/status.schema.json describes it.
type (
	statusDocument struct {
		Schema    int             `json:"schema"`
		Generated time.Time       `json:"generated"`
		AsOf      time.Time       `json:"as_of"`
		Sources   []statusSource  `json:"sources"`
		Clients   []statusVerdict `json:"clients"`
	}
	statusSource struct {
		Name         string      `json:"name"`
		State        SourceState `json:"state"`
		LastComplete time.Time   `json:"last_complete,omitzero"`
		Missed       int         `json:"missed_by_delta,omitempty"` // found by sweeps in the last 7 days
	}
	statusVerdict struct {
		Client      string             `json:"client"`
		Prescriber  string             `json:"prescriber"`
		Identifiers []fhir.ID          `json:"identifiers"`
		State       readiness.State    `json:"state"`
		Words       string             `json:"words,omitempty"` // explain only, like all words below
		Next        string             `json:"next,omitempty"`
		Owner       readiness.Owner    `json:"owner,omitempty"`
		Until       time.Time          `json:"until"`
		Appointment *statusAppointment `json:"appointment,omitempty"`
		Gates       []statusGate       `json:"gates"`
		Findings    []statusFinding    `json:"findings"`
		Account     []readiness.Figure `json:"account,omitempty"` // explain only
	}
	statusAppointment struct {
		Source string    `json:"source"`
		Type   string    `json:"type"`
		ID     string    `json:"id"`
		Start  time.Time `json:"start"`
	}
	statusGate struct {
		Gate    readiness.GateName  `json:"gate"`
		State   readiness.GateState `json:"state"`
		Owner   readiness.Owner     `json:"owner"`
		Next    string              `json:"next"`
		Since   time.Time           `json:"since,omitzero"`
		Due     time.Time           `json:"due,omitzero"`
		Words   string              `json:"words,omitempty"`
		Agreed  string              `json:"agreed,omitempty"`
		Because []fhir.Basis        `json:"because"`
	}
	statusFinding struct {
		ID       string                 `json:"id"`
		Rule     string                 `json:"rule"`
		Code     string                 `json:"code"`
		Severity readiness.Severity     `json:"severity"`
		State    readiness.FindingState `json:"state"`
		Since    time.Time              `json:"since"`
		Owner    readiness.Owner        `json:"owner"`
		Words    string                 `json:"words,omitempty"`
		Next     string                 `json:"next"`
		Due      time.Time              `json:"due,omitzero"`
		Opened   time.Time              `json:"opened,omitzero"`       // since when it is open this time, where it came back
		Reopened int                    `json:"reopened,omitempty"`    // how often it came back
		Resolved time.Time              `json:"resolved,omitzero"`     // when
		By       string                 `json:"by,omitempty"`          // explain only: resolved by what
		Ended    []fhir.Basis           `json:"resolved_by,omitempty"` // the records that resolved it
		Under    string                 `json:"under,omitempty"`       // code of the open finding that tells it
		RollUp   string                 `json:"roll_up,omitempty"`     // key of what touches many
		Handled
		Values  map[string]string `json:"values"`
		Because []fhir.Basis      `json:"because"`
	}
)

// Status writes the status JSON, schema 1 (design.md section 7).
func Status(w io.Writer, in Input) error {
	return writeJSON(w, "write status", status(in, in.Clients, false))
}

// ExplainJSON writes the status document of the client alone, every engagement of theirs, with the words of verdict, gates
// and findings added. The error is exchange.ErrNotFound when in has no such client.
func ExplainJSON(w io.Writer, in Input, client string) error {
	verdicts := of(in, client)
	if len(verdicts) == 0 {
		return fmt.Errorf("explain client %s: %w", client, exchange.ErrNotFound)
	}
	return writeJSON(w, "write explanation", status(in, verdicts, true))
}

// of returns the verdicts of one client.
func of(in Input, client string) []readiness.Verdict {
	return slices.DeleteFunc(slices.Clone(in.Clients), func(v readiness.Verdict) bool { return v.Client != client })
}

func status(in Input, verdicts []readiness.Verdict, words bool) statusDocument {
	doc := statusDocument{Schema: schema, Generated: in.Generated.UTC(), AsOf: in.AsOf.UTC(), Sources: []statusSource{}, Clients: []statusVerdict{}}
	for _, s := range in.Sources {
		doc.Sources = append(doc.Sources, statusSource{Name: s.Name, State: s.State, LastComplete: s.LastComplete.UTC(), Missed: s.Missed})
	}
	b := newBuilder(in)
	for _, v := range verdicts {
		doc.Clients = append(doc.Clients, b.verdictStatus(v, words))
	}
	return doc
}

func (b *builder) verdictStatus(v readiness.Verdict, words bool) statusVerdict {
	say := func(s string) string {
		if words {
			return s
		}
		return ""
	}
	out := statusVerdict{
		Client: v.Client, Prescriber: v.Prescriber, Identifiers: full(v.Identifiers), State: v.State, Until: v.Until.UTC(),
		Words: say(v.Words), Next: say(v.Next), Owner: readiness.Owner(say(string(v.Owner))),
		Gates: []statusGate{}, Findings: []statusFinding{},
	}
	if a := v.Appointment; a != nil {
		out.Appointment = &statusAppointment{Source: a.Source, Type: a.Type, ID: a.ID, Start: a.Start.UTC()}
	}
	if words {
		out.Account = accountStatus(v.Account)
	}
	for _, g := range v.Gates {
		out.Gates = append(out.Gates, statusGate{
			Gate: g.Name, State: g.State, Owner: g.Owner, Next: g.Next, Since: g.Since.UTC(), Due: g.Due.UTC(),
			Words: say(g.Words), Agreed: say(g.Agreed), Because: full(g.Because),
		})
	}
	for _, f := range v.Findings {
		if f.State == readiness.Resolved && !f.Resolved.After(b.resolvedSince()) {
			continue
		}
		handled := b.handled(f)
		for _, m := range []*Mark{handled.Acknowledged, handled.Assigned, handled.Snoozed} {
			if m != nil {
				m.At, m.Until, m.Reason = m.At.UTC(), m.Until.UTC(), say(m.Reason)
			}
		}
		under := ""
		if folded(f, v) {
			under = f.Under
		}
		values := f.Values
		if values == nil {
			values = map[string]string{}
		}
		out.Findings = append(out.Findings, statusFinding{
			ID: f.ID, Rule: f.Rule, Code: f.Code, Severity: f.Severity, State: f.State, Since: f.Since.UTC(), Owner: f.Owner,
			Words: say(f.Words), Next: f.Next, Due: f.Due.UTC(), Values: values, Because: full(f.Because),
			Opened: f.Opened.UTC(), Reopened: f.Reopened, Resolved: f.Resolved.UTC(), By: say(f.By), Ended: f.Ended, Under: under, RollUp: f.RollUp, Handled: handled,
		})
	}
	return out
}

// full is list, and an empty list instead of null: a reader need not tell them apart.
func full[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func writeJSON(w io.Writer, doing string, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
