package fhir

import "time"

// Sealed is something that arrived and is out of the hub's scope: kept apart, unread, until the privacy officer has looked
// (rules.md, R49). Its body is opened by a call of its own, which the audit log keeps.
type Sealed struct {
	ID       string // the hub's key of it
	Source   string
	Party    string
	Type     string
	Ref      string // resource id
	Client   string
	Reason   string // coded: why it is out of scope
	Bears    bool   // it could bear on safety: its client is UNKNOWN until it was looked at
	Received time.Time
	Moment   Moment
	Outcome  string // "" while it waits; else "admitted" or "expunged"
	By       string // who decided
	Why      string // and their reason
}

// Why something is out of scope.
const (
	OutOfScopeNotes     = "psychotherapy notes"     // 45 CFR 164.501: kept separate, and never the hub's
	OutOfScopeSubstance = "substance use, 42 CFR 2" // 42 CFR 2.32: not to be redisclosed
)

// labels in v3-ActCode by what they say. PSY, a label for psychiatry at large, is no reason: half of what the two sides
// owe each other bears it. It never leaves (exchange.Disclosure), but it may come.
var outOfScope = map[string]string{
	"PSYTHPN": OutOfScopeNotes,
	"SUD":     OutOfScopeSubstance, "ETH": OutOfScopeSubstance, "ETHUD": OutOfScopeSubstance, "OPIOIDUD": OutOfScopeSubstance, "42CFRPart2": OutOfScopeSubstance,
}

// OutOfScope reports why the resource must not be stored with the rest: a security label says that it is psychotherapy
// notes, or, unless the practice is a Part 2 programme, a substance use record. "" when it may be.
func (o Outline) OutOfScope(part2 bool) string {
	why := ""
	for _, l := range o.Labels {
		if l.System != SystemActCode {
			continue
		}
		if w := outOfScope[l.Code]; w != "" && (w != OutOfScopeSubstance || !part2) && (why == "" || w < why) {
			why = w
		}
	}
	return why
}
