package report

import (
	"cmp"
	"slices"
	"time"
	"unique"

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
	Reaches   map[string]readiness.Reach // by prescriber: how it is reached now
}

// Shown is a verdict that may be shown, and what of it a look has to look at.
type Shown struct {
	*readiness.Verdict
	*Gist
}

// Gist is what of a verdict Today may list, worked out once: its findings that are open and not told by another. It stays
// right as long as session and findings are the same, whatever else Current says of the verdict.
type Gist struct {
	start  time.Time // of the session; far away = none
	urgent []ask     // S1 and S2
	waits  []ask     // what the client waits on, in the order of their way
	rolled []ask     // what touches many
}

// ask is one finding, by index.
type ask struct {
	i        int
	now      bool // to be done now, whenever the session is
	confided bool // to the client's therapist
	since    time.Time
}

// GistOf returns the gist of v.
func GistOf(v *readiness.Verdict) *Gist {
	g := &Gist{start: when(time.Time{})}
	if v.Appointment != nil {
		g.start = when(v.Appointment.Start)
	}
	for i := range v.Findings {
		f := &v.Findings[i]
		a := ask{i: i, now: f.Severity == readiness.S1 || f.Code == undelivered, confided: readiness.Confided(f.Code), since: f.Since}
		switch {
		case f.State == readiness.Resolved:
			continue
		case f.RollUp != "":
			g.rolled = append(g.rolled, a)
			continue
		case folded(*f, *v):
			continue
		}
		if f.Severity == readiness.S1 || f.Severity == readiness.S2 {
			g.urgent = append(g.urgent, a)
		}
		if slices.Contains(waiting, f.Code) {
			a.since = waitingSince(*f, *v)
			g.waits = append(g.waits, a)
		}
	}
	slices.SortStableFunc(g.waits, func(x, y ask) int {
		return cmp.Compare(slices.Index(waiting, v.Findings[x.i].Code), slices.Index(waiting, v.Findings[y.i].Code))
	})
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
		case v.State == readiness.Ready && arrival(g.Name): // for DoneAt
			g = readiness.Gate{Name: g.Name, State: g.State, Since: g.Since}
		case waited || g.Next != "" && g.Next == v.Next:
			g = readiness.Gate{Name: g.Name, State: g.State, Owner: g.Owner, Takes: g.Takes, Next: g.Next, Since: g.Since}
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
	// What is the same in every verdict is there once: less to hold, and less to fetch for each look.
	v.State, v.Prescriber, v.Policy = readiness.State(once(string(v.State))), once(v.Prescriber), once(v.Policy)
	v.Sources = slices.Clone(v.Sources)
	for i := range v.Sources {
		v.Sources[i] = once(v.Sources[i])
	}
	return v
}

func once(s string) string { return unique.Make(s).Value() }

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

// Waits reports whether the client waits on somebody.
func (s Shown) Waits() bool {
	return len(s.waits) > 0
}

// ClientOf is an engagement as a reader needs it.
func ClientOf(v readiness.Verdict, titles map[string]string) Client {
	b := builder{Input: Input{Titles: titles}}
	return b.client(v)
}
