package report

import (
	"cmp"
	"slices"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// rolls gathers the findings that are one row for all whom they touch; those that are snoozed are a row of their own.
type rolls struct {
	*builder
	alone map[string]bool
	rows  map[rollKey]*rolling
	keys  []rollKey
}

type rollKey struct {
	key    string
	silent bool
}

// rolling is a row: the gravest severity, the oldest since, each client and session once.
type rolling struct {
	RollUp
	clients  map[string]bool
	sessions map[readiness.Appointment]bool
}

// takes reports whether f is one of many. What did not arrive (R46) and touches one client only is that client's own.
func (r *rolls) takes(f readiness.Finding) bool {
	return f.RollUp != "" && (f.Code != undelivered || !r.alone[f.RollUp])
}

func (r *rolls) add(f readiness.Finding, v readiness.Verdict, c Client, handled Handled) {
	key := rollKey{f.RollUp, handled.Snoozed != nil}
	row := r.rows[key]
	if row == nil {
		row = &rolling{
			RollUp: RollUp{Key: f.RollUp, Code: f.Code, Severity: f.Severity, Words: f.Words, Owner: f.Owner, Takes: f.Takes, Next: f.Next,
				Since: f.Since, Age: r.age(f.Since), Snoozed: handled.Snoozed},
			clients: map[string]bool{}, sessions: map[readiness.Appointment]bool{},
		}
		r.rows[key], r.keys = row, append(r.keys, key)
	}
	if s := handled.Snoozed; s != nil && s.Until.Before(row.Snoozed.Until) {
		row.Snoozed = s // it speaks again as soon as the first of them does
	}
	row.clients[v.Client], row.touched = true, append(row.touched, c)
	if a := v.Appointment; a != nil {
		row.sessions[readiness.Appointment{Source: a.Source, Type: a.Type, ID: a.ID}] = true
	}
	row.Severity = min(row.Severity, f.Severity)
	if f.Since.Before(row.Since) {
		row.Since, row.Age = f.Since, r.age(f.Since)
	}
	row.Clients, row.Sessions = len(row.clients), len(row.sessions)
}

// list returns the rows, those that speak before those that are snoozed, the gravest and widest first.
func (r *rolls) list() (out []RollUp) {
	for _, key := range r.keys {
		out = append(out, r.rows[key].RollUp)
	}
	silent := func(x RollUp) int {
		if x.Snoozed != nil {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(out, func(x, y RollUp) int {
		return cmp.Or(silent(x)-silent(y), cmp.Compare(x.Severity, y.Severity), -cmp.Compare(x.Sessions, y.Sessions), cmp.Compare(x.Code, y.Code))
	})
	return out
}

// alone are the roll-ups that touch one client only.
func (b *builder) alone() map[string]bool {
	touched := map[string]map[string]bool{}
	for _, v := range b.Clients {
		for _, f := range v.Findings {
			if f.RollUp == "" || f.State == readiness.Resolved {
				continue
			}
			if touched[f.RollUp] == nil {
				touched[f.RollUp] = map[string]bool{}
			}
			touched[f.RollUp][v.Client] = true
		}
	}
	alone := map[string]bool{}
	for key, clients := range touched {
		alone[key] = len(clients) == 1
	}
	return alone
}

// touches says in words how far a roll-up reaches.
func (r RollUp) touches() string {
	if r.Sessions > 0 {
		return "touches " + many(r.Sessions, "session")
	}
	return "touches " + many(r.Clients, "client")
}

// ofSources are the rules about how far a source was read (R44, R45). When one is well again its own line says so, once,
// and not every client's.
var ofSources = []string{"R44", "R45"}

// undelivered is the rule of what did not arrive (R46): where it touches one client only, it is that client's, and is to be
// done now, whenever the session is.
const undelivered = "R46"
