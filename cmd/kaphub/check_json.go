package main

import "github.com/kaphub/kaphub/connectors"

// What kaphub check --json says: a contract. A change that a reader could trip over makes a new schema.

// dialectReport is the whole of it.
type dialectReport struct {
	Schema       int             `json:"schema"` // 1
	Well         bool            `json:"well"`   // nothing fails; the exit code says the same: 0 well, 1 not
	Hub          []checked       `json:"hub"`    // the hub's own parts: level works, degrades, impossible or fails
	Counterparts []dialectOfSide `json:"counterparts"`
}

// dialectOfSide is what one counterpart offers, and what follows from it. Every list is there, if empty.
type dialectOfSide struct {
	Name         string                  `json:"name"`  // the source's, as in the config
	Party        string                  `json:"party"` // practice, or the prescriber's name
	Software     string                  `json:"software"`
	Mode         connectors.Mode         `json:"mode"` // delta, mixed, client by client; "" = it could not be asked
	Auth         []connectors.Claim      `json:"auth"` // what the hub sends to be let in, and what is expected
	Capabilities []connectors.Capability `json:"capabilities"`
	Works        []consequence           `json:"works"`
	Degrades     []consequence           `json:"degrades"`
	Impossible   []consequence           `json:"impossible"`
	Fails        []consequence           `json:"fails"` // what a person has to mend before anything is read
}

// consequence is one thing that follows for the practice.
type consequence struct {
	About   string `json:"about"`   // a resource type, or what is done: changes, writing, updates, new clients
	What    string `json:"what"`    // what works or does not
	Instead string `json:"instead"` // what the hub or the practice does instead; "" = nothing needs to be done
}

// modes are the ways of reading, in words.
var modes = map[connectors.Mode]string{
	connectors.ModeDelta: "by what changed", connectors.ModeMixed: "by what changed where it can be told, else client by client", connectors.ModeClient: "client by client",
}

func (up checkup) dialects() dialectReport {
	r := dialectReport{Schema: 1, Well: up.well(), Hub: up.hub, Counterparts: []dialectOfSide{}}
	for _, p := range up.counterparts {
		side := dialectOfSide{
			Name: p.name, Party: p.party, Software: p.software, Mode: p.capabilities.Mode, Auth: append([]connectors.Claim{}, p.auth...), Capabilities: append([]connectors.Capability{}, p.capabilities.All...),
			Works: []consequence{}, Degrades: []consequence{}, Impossible: []consequence{}, Fails: []consequence{},
		}
		list := map[string]*[]consequence{"works": &side.Works, "degrades": &side.Degrades, "impossible": &side.Impossible, "fails": &side.Fails}
		for _, l := range p.lines {
			if to := list[l.Level]; to != nil {
				*to = append(*to, consequence{l.About, l.Text, l.Instead})
			}
		}
		r.Counterparts = append(r.Counterparts, side)
	}
	return r
}
