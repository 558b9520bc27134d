package main

import (
	"slices"
	"strings"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors/skylight"
)

// kindSkylight is the kind that goes over another one.
const kindSkylight = "skylight"

// through is the kind over which a connector goes: its own, but for Skylight's.
func through(c *config.Config, entry config.Connector) (string, *config.Problem) {
	if entry.Kind != kindSkylight {
		if entry.Over != "" {
			p := c.Problem(entry.Path()+".over", "is for kind skylight only: take it out")
			return "", &p
		}
		return entry.Kind, nil
	}
	over := []string{skylight.OverDesk, skylight.OverFolder, skylight.OverREST}
	switch {
	case entry.Prescriber == "":
		p := c.Problem(entry.Path()+".kind", "is a prescriber's: move it to the connectors of that prescriber")
		return "", &p
	case !slices.Contains(over, entry.Over):
		p := c.Problem(entry.Path()+".over", "must be one of %s: write over: desk where Skylight is reached by e-mail, phone and portal", strings.Join(over, ", "))
		return "", &p
	}
	return entry.Over, nil
}

// byHand reports whether an entry is no source of its own: what comes that way is entered at the desk.
func byHand(e config.Entry) bool { return e.Kind == kindSkylight && e.Over == skylight.OverDesk }

// ownWords are the code maps that come with a prescriber's kind of connector.
func ownWords(p *config.Prescriber) [][]byte {
	if slices.ContainsFunc(p.Connectors, func(e config.Entry) bool { return e.Kind == kindSkylight }) {
		return [][]byte{skylight.Words}
	}
	return nil
}
