package main

import (
	"strings"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/ical"
)

// openCalendar opens a calendar feed of the practice.
func openCalendar(entry config.Connector, at *site) (connectors.Connector, []config.Problem) {
	var own ical.Config
	problems := entry.Decode(&own)
	if entry.Prescriber != "" {
		problems = append(problems, at.config.Problem(entry.Path()+".kind", "is a calendar, and a prescriber's appointments are not read from one: move it to practice.connectors"))
	}
	if problems = at.placed(entry, problems, append(own.Validate(), at.secretAddress(own)...)); len(problems) > 0 {
		return connectors.Connector{}, problems
	}
	zone := at.config.Location()
	if zone == nil { // said already
		zone = time.UTC
	}
	options := own.Options(entry.Name, zone, at.config.Path, at.getenv)
	options.Now = at.now
	one, err := ical.New(options)
	if err != nil {
		return connectors.Connector{}, []config.Problem{at.config.Problem(entry.Path(), "cannot be opened: %s", err.Error())}
	}
	return one, nil
}

// secretAddress looks whether the calendar's address is where the config says, and kept as a secret.
func (at *site) secretAddress(c ical.Config) (all []connectors.Mistake) {
	switch {
	case c.File != "":
	case c.URLEnv != "":
		if strings.TrimSpace(at.getenv(c.URLEnv)) == "" {
			all = append(all, connectors.Mistake{Key: "url_env", Text: "names " + c.URLEnv + ", which the environment does not have: set it to the calendar's secret address (ICS)"})
		}
	case c.URLFile != "":
		if text := at.secretFile(c.URLFile, "the calendar's secret address (ICS)"); text != "" {
			all = append(all, connectors.Mistake{Key: "url_file", Text: text})
		}
	}
	return all
}
