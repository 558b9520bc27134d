package report

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// Brief is what the first screen is built from: an Input of now whose verdicts are as Shortened leaves them. Each has passed
// readiness.Current, too. They are shared: nobody changes them.
type Brief struct {
	AsOf      time.Time
	Practice  string
	Zone      *time.Location
	Titles    map[string]string
	Sources   []Source
	Clients   []*readiness.Verdict // by client and prescriber
	Handlings []readiness.Handling
	Strays    []Stray
}

// Shortened leaves of a verdict what the first screen and the search show: without what it rests on, what is in order and
// what is over. It may be held for long.
func Shortened(v readiness.Verdict) readiness.Verdict {
	gates, findings := v.Gates, v.Findings
	v.Gates, v.Findings, v.Account = nil, nil, nil
	for _, g := range gates {
		switch waited := slices.Contains(waitedAt, g.Name); {
		case g.State != readiness.Met && g.State != readiness.NotDue:
			g.Because, g.Agreed = nil, ""
		case waited || g.Next != "" && g.Next == v.Next:
			g = readiness.Gate{Name: g.Name, State: g.State, Owner: g.Owner, Next: g.Next, Since: g.Since}
		default:
			continue
		}
		v.Gates = append(v.Gates, g)
	}
	for _, f := range findings {
		if f.State == readiness.Resolved {
			continue
		}
		f.Because, f.Ended = nil, nil
		v.Findings = append(v.Findings, f)
	}
	v.Gates, v.Findings = slices.Clip(v.Gates), slices.Clip(v.Findings)
	return v
}

// gateOf is the gate that each rule looks at.
var gateOf = func() map[string]readiness.GateName {
	by := map[string]readiness.GateName{}
	for _, r := range readiness.Catalogue() {
		by[r.Code] = r.Gate
	}
	return by
}()

// waitedAt are the gates by which it is known since when a client waits.
var waitedAt = func() (names []readiness.GateName) {
	for _, code := range waiting {
		if name := gateOf[code]; name != "" {
			names = append(names, name)
		}
	}
	return names
}()

// Waits reports whether v's client waits on somebody.
func Waits(v *readiness.Verdict) bool {
	return slices.ContainsFunc(v.Findings, func(f readiness.Finding) bool {
		return f.State != readiness.Resolved && f.RollUp == "" && slices.Contains(waiting, f.Code) && !folded(f, *v)
	})
}

// ClientOf is an engagement as a reader needs it.
func ClientOf(v readiness.Verdict, titles map[string]string) Client {
	b := builder{Input: Input{Titles: titles}}
	return b.client(v)
}
