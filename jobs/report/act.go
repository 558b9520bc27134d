package report

import (
	"slices"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// Acts is what one owner is to act on.
type Acts struct {
	Owner  readiness.Owner `json:"owner"`
	N      int             `json:"n"`                // rows of the report: findings, waiting clients, and one for what touches many
	Urgent []string        `json:"urgent,omitempty"` // those of them that are S1: finding ids, or the key of what touches many
}

// owners is the order in which owners are told of.
var owners = []readiness.Owner{readiness.Therapist, readiness.Admin, readiness.Prescriber, readiness.Pharmacy, readiness.Client, readiness.Operator, readiness.Privacy}

// ToActOn counts what is to be acted on at in.AsOf, by who must act: a row for every owner, on a quiet day with nothing in
// it. It is pure.
//
//	finding                                          counted
//	open, S1 to S3                                   once, under its owner
//	folded under its open parent                     not: the parent is
//	several that a client waits on                   once, under who nudges
//	touching many (rolled up)                        once, however many
//	snoozed                                          not, until its end, or until it is graver
//	acknowledged or assigned                         as any other: to have seen it is not to have done it
//	S4, resolved                                     not
//	none, and the session is today or tomorrow and   once, under who does the first thing
//	  the client stopped, unknown or not ready
func ToActOn(in Input) []Acts {
	out := make([]Acts, len(owners))
	for i := range owners {
		out[i].Owner = owners[i]
	}
	for _, a := range Build(in).acts() {
		i := slices.Index(owners, a.owner)
		if i < 0 {
			i = slices.Index(owners, readiness.Admin) // nobody's is the practice's
		}
		out[i].N++
		if a.severity == readiness.S1 {
			out[i].Urgent = append(out[i].Urgent, a.key)
		}
	}
	return out
}

// WhoActs says before a next step on whom it waits, where they stand outside the practice, and who takes the step.
func WhoActs(owner, takes readiness.Owner) string {
	switch owner {
	case readiness.Prescriber, readiness.Pharmacy, readiness.Client:
		if takes == "" {
			return "waiting on the " + string(owner)
		}
		return "waiting on the " + string(owner) + "; " + string(takes)
	}
	return string(owner)
}

// act is one thing to act on.
type act struct {
	owner    readiness.Owner
	severity readiness.Severity
	key      string
}

func (r Report) acts() (out []act) {
	told := map[[2]string]bool{} // clients with their prescriber
	note := func(c Client) { told[[2]string{c.Key, c.Prescriber}] = true }
	for _, list := range [][]Finding{r.New, r.Lasting} {
		for _, f := range list {
			note(f.Client)
			if f.Severity != readiness.S4 {
				out = append(out, act{f.Owner, f.Severity, f.ID})
			}
		}
	}
	for _, f := range r.Snoozed {
		note(f.Client)
	}
	for _, w := range r.Waiting {
		note(w.Client)
		out = append(out, act{w.Owner, w.Severity, w.ID})
	}
	for _, x := range r.RollUps {
		for _, c := range x.touched {
			note(c)
		}
		if x.Severity != readiness.S4 && x.Snoozed == nil {
			out = append(out, act{x.Owner, x.Severity, x.Key})
		}
	}
	for _, s := range r.Sessions {
		switch s.State {
		case readiness.Hold, readiness.Unknown, readiness.NotReady:
			if !told[[2]string{s.Key, s.Prescriber}] && s.Owner != "" {
				note(s.Client)
				out = append(out, act{s.Owner, readiness.S2, s.Key})
			}
		}
	}
	return out
}
