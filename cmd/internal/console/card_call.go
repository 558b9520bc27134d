package console

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/entry"
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
func (p *cardPage) callNow(a *entry.About, whom map[readiness.Owner]colleague) call {
	c := call{Reach: p.Reach, Title: p.E.Title, Far: dialled(p.Reach.Other)}
	c.Tel = dialled(c.Phone)
	if g := p.E.gate(readiness.GateRelease); g.Name != "" && g.Class != "met" {
		c.Mute = g.Words
	}
	row := p.First // first things first
	c.Prescriber = p.E.State == readiness.Unknown || row.Owner == readiness.Prescriber || strings.Contains(row.Next, p.E.Title)
	c.Client = row.Owner == readiness.Client || strings.Contains(row.Next, "speak with the client")
	if to, ok := whom[stepping(row)]; ok {
		c.Told = "Tell " + to.String() + "."
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
