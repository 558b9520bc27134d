package console

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// calling is a prescriber's number to call at this hour, and what is to be known before it is dialled.
type calling struct {
	Hours      string // "closed until tomorrow 09:00; weekend number "; "" while they are open
	Phone, Tel string
}

// String is the whole of it.
func (c calling) String() string { return c.Hours + c.Phone }

// Calling says how a prescriber is reached now: every page in the same words.
func (f frame) Calling(r readiness.Reach) calling {
	c := calling{Phone: r.Phone, Tel: dialled(r.Phone)}
	if r.Hours && !r.Open {
		if c.Hours = "closed; "; !r.Again.IsZero() {
			c.Hours = "closed until " + f.When(r.Again) + "; "
		}
	}
	if r.Out {
		c.Hours += "weekend number "
	}
	return c
}

// callable has next steps name the number to call at this hour, where verdicts of any hour name all that are on file.
func (f frame) callable(v readiness.Verdict, reaches map[string]readiness.Reach) readiness.Verdict {
	r := reaches[v.Prescriber]
	if r.Words == "" {
		return v
	}
	now := " (" + f.Calling(r).String() + ")"
	v.Next = strings.ReplaceAll(v.Next, r.Words, now)
	if slices.ContainsFunc(v.Gates, func(g readiness.Gate) bool { return strings.Contains(g.Next, r.Words) }) {
		v.Gates = slices.Clone(v.Gates)
		for i := range v.Gates {
			v.Gates[i].Next = strings.ReplaceAll(v.Gates[i].Next, r.Words, now)
		}
	}
	if slices.ContainsFunc(v.Findings, func(x readiness.Finding) bool { return strings.Contains(x.Next, r.Words) }) {
		v.Findings = slices.Clone(v.Findings)
		for i := range v.Findings {
			v.Findings[i].Next = strings.ReplaceAll(v.Findings[i].Next, r.Words, now)
		}
	}
	return v
}

// nowCallable is a view whose next steps are as callable has them, at the view's own moment.
func (v *visit) nowCallable(in report.Input) report.Input {
	f := frame{Now: in.AsOf, zone: v.Zone}
	in.Clients = slices.Clone(in.Clients)
	for i := range in.Clients {
		in.Clients[i] = f.callable(in.Clients[i], in.Reaches)
	}
	return in
}

// withoutNumber is a next step without the number, which stands beside it.
func (f frame) withoutNumber(next string, r readiness.Reach) string {
	return strings.NewReplacer(cmp.Or(r.Words, "\x00"), "", " ("+f.Calling(r).String()+")", "").Replace(next)
}
