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
	Clients   []Shown // by client and prescriber
	Handlings []readiness.Handling
	Strays    []Stray
}

// Shown is a verdict that may be shown, and what of it a look has to look at.
type Shown struct {
	*readiness.Verdict
	*Gist
}

// Gist is what of a verdict's findings Today may list: those that are open and not told by another. It stays right as long
// as the findings are the same, whatever else Current says of the verdict.
type Gist struct {
	asks   []int // by index: to be done, or waited on
	rolled []int // of those that touch many
}

// GistOf returns the gist of v.
func GistOf(v *readiness.Verdict) *Gist {
	g := &Gist{}
	for i := range v.Findings {
		f := &v.Findings[i]
		switch {
		case f.State == readiness.Resolved:
		case f.RollUp != "":
			g.rolled = append(g.rolled, i)
		case (f.Severity == readiness.S1 || f.Severity == readiness.S2 || slices.Contains(waiting, f.Code)) && !folded(*f, *v):
			g.asks = append(g.asks, i)
		}
	}
	return g
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
func (s Shown) Waits() bool {
	return slices.ContainsFunc(s.asks, func(i int) bool { return slices.Contains(waiting, s.Findings[i].Code) })
}

// ClientOf is an engagement as a reader needs it.
func ClientOf(v readiness.Verdict, titles map[string]string) Client {
	b := builder{Input: Input{Titles: titles}}
	return b.client(v)
}
