package main

import (
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/connectors/folder"
	"github.com/kaphub/kaphub/fhir"
)

// openFolder opens a shared directory.
func openFolder(entry config.Connector, at *site) (connectors.Connector, []config.Problem) {
	var own folder.Config
	problems := entry.Decode(&own)
	if problems = at.placed(entry, problems, own.Validate(party(entry))); len(problems) > 0 {
		return connectors.Connector{}, problems
	}
	options := own.Options(entry.Name, party(entry), at.config.Path)
	options.Now, options.Stationer = at.now, stationer(at.config, entry.Prescriber)
	options.Format = tables(at.config, options.Format)
	one, err := folder.New(options)
	if err != nil {
		return connectors.Connector{}, []config.Problem{at.config.Problem(entry.Path(), "cannot be opened: %s", err.Error())}
	}
	return one, nil
}

// tables is f with what the config says of what a table's rows mean.
func tables(c *config.Config, f folder.Format) folder.Format {
	f.Zone, f.Prescribers = c.Location(), referrable(c)
	f.Referral = codes(c.Practice.ReferralCodes, fhir.Code{System: fhir.SystemKAP, Code: fhir.CodeEvaluation})[0]
	return f
}

// referrable are the prescribers whom a roster may name.
func referrable(c *config.Config) []folder.Prescriber {
	var all []folder.Prescriber
	for i := range c.Prescribers {
		p := prescriberParty(&c.Prescribers[i])
		known := folder.Prescriber{Name: p.Name, Title: p.Title}
		if len(p.Identifiers) > 0 {
			known.ID = p.Identifiers[0]
		}
		all = append(all, known)
	}
	return all
}

// stationer is what stands on a packet for a prescriber besides what is delivered.
func stationer(c *config.Config, prescriber string) folder.Stationer {
	s := folder.Stationer{Zone: c.Location(), Reply: desk.ReplyBlock, From: folder.Contact{Title: practiceParty(c).Title, Lines: c.Practice.Contact}}
	for i := range c.Prescribers {
		p := &c.Prescribers[i]
		if p.Name != prescriber {
			continue
		}
		s.To = folder.Contact{Title: prescriberParty(p).Title, Lines: p.Contact}
		if len(p.Contact) == 0 && p.Sheet.Phone != "" {
			s.To.Lines = []string{"Phone " + p.Sheet.Phone}
		}
	}
	return s
}

// byHand reports whether no connector writes to a party: what it is to be told, a person hands over.
func (h *hub) byHand(party string) bool {
	c, ok := h.way(party)
	return !ok || c.Packets
}

// way is the connector by which a party is written to: one that talks to it itself before one that lays out packets.
func (h *hub) way(party string) (found connectors.Connector, ok bool) {
	for _, c := range h.connectors {
		if c.Party == party && c.Pusher != nil && (!ok || found.Packets && !c.Packets) {
			found, ok = c, true
		}
	}
	return found, ok
}
