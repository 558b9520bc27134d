package console

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// call is whom to call now.
type call struct {
	readiness.Reach
	Title      string
	Tel        string     // as a link dials it
	Far        string     // the other number, as a link dials it
	Prescriber bool       // it is theirs to act, or to be asked
	Client     bool       // it is the client's
	Contacts   []reachRow // by what the client is reached, what they prefer first
	Told       string     // whom else to tell, in words
	Mute       string     // why nothing of the client may be told the prescriber; "" = it may
}

type reachRow struct {
	contact
	Tel string // as a link dials it; "" = it is no telephone
}

// Anybody reports whether anybody is to be called or told.
func (c call) Anybody() bool { return c.Prescriber || c.Client || c.Told != "" }

// roleOf is who of the practice acts where somebody who treats clients cannot.
var roleOf = map[readiness.Owner]people.Role{readiness.Admin: people.Admin, readiness.Operator: people.Operator, readiness.Privacy: people.Privacy}

// tellWhom is whom a therapist tells of what is done where they cannot go.
var tellWhom = map[readiness.Owner]string{readiness.Operator: "whoever looks after the hub", readiness.Privacy: "the privacy officer"}

// staff is whom to tell of what is somebody else's to do, by name where the practice has such an account.
func (v *visit) staff() (map[readiness.Owner]string, error) {
	all, err := v.Accounts.Accounts(v.ctx())
	if err != nil {
		return nil, err
	}
	out := maps.Clone(tellWhom)
	out[readiness.Admin] = "the practice’s admin"
	for owner, role := range roleOf {
		var names []string
		for _, a := range all {
			if a.Is(role) && len(names) < 2 {
				names = append(names, a.Name)
			}
		}
		if len(names) > 0 {
			out[owner] += ", " + strings.Join(names, " or ")
		}
	}
	return out, nil
}

// stepping is who takes a row's step: of what is somebody's outside the practice, the practice; where it waits, nobody.
func stepping(row openRow) readiness.Owner {
	switch row.Owner {
	case readiness.Prescriber, readiness.Pharmacy, readiness.Client:
		if strings.HasPrefix(row.Next, "wait") {
			return ""
		}
		return cmp.Or(row.Takes, "practice")
	}
	return row.Owner
}

// callNow is who is to be called at this hour: who must act, or be asked.
func (p *cardPage) callNow(a *entry.About, whom map[readiness.Owner]string) call {
	c := call{Reach: a.Policy.Sheet.Reach(a.Now, a.Policy.Zone), Title: p.E.Title}
	c.Tel, c.Far = dialled(c.Phone), dialled(c.Other)
	if g := p.E.gate(readiness.GateRelease); g.Name != "" && g.Class != "met" {
		c.Mute = g.Words
	}
	row := p.First // first things first
	c.Prescriber = p.E.State == readiness.Unknown || row.Owner == readiness.Prescriber || strings.Contains(row.Next, p.E.Title)
	c.Client = row.Owner == readiness.Client || strings.Contains(row.Next, "speak with the client")
	if to := whom[row.Owner]; to != "" {
		c.Told = "Tell " + to + "."
	} else if row.Owner == readiness.Pharmacy {
		c.Told = "It is the pharmacy’s to act: ask them, or the client."
	}
	if p.Sober() {
		c.Prescriber, c.Client, c.Told = false, false, ""
	}
	contacts, _ := contactsOf(&a.Chart)
	for i, one := range contacts {
		row := reachRow{contact: one}
		if one.Way == ways["phone"] || one.Way == ways["sms"] {
			row.Tel = dialled(one.Value)
		}
		if i == 0 || row.Tel != "" && !slices.ContainsFunc(c.Contacts, func(r reachRow) bool { return r.Tel != "" }) {
			c.Contacts = append(c.Contacts, row)
		}
	}
	return c
}
