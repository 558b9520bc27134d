package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/fhir"
)

// kinds are the ways of talking. Adding one is a folder and a line here.
var kinds = map[string]func(config.Connector, *site) (connectors.Connector, []config.Problem){
	"fhirrest": openFHIR,
}

// site is what a connector may know of where it is set up.
type site struct {
	config *config.Config
	getenv func(string) string
	now    func() time.Time
}

// connect opens every configured connector and returns all that is wrong with any of them.
func connect(c *config.Config, s *scene) ([]connectors.Connector, []config.Problem) {
	at := &site{config: c, getenv: s.getenv, now: s.now}
	var all []connectors.Connector
	var problems []config.Problem
	for _, entry := range c.Connectors() {
		open, ok := kinds[entry.Kind]
		if entry.Kind == "" {
			continue // said already
		}
		if !ok {
			problems = append(problems, c.Problem(entry.Path()+".kind", "%q is no kind of connector: write fhirrest", entry.Kind))
			continue
		}
		one, wrong := open(entry, at)
		problems = append(problems, wrong...)
		all = append(all, one)
	}
	return all, problems
}

func openFHIR(entry config.Connector, at *site) (connectors.Connector, []config.Problem) {
	own := fhirrest.Config{Auth: fhirrest.AuthConfig{Kind: fhirrest.AuthNone}}
	problems := entry.Decode(&own)
	unread := problems
	for _, m := range append(own.Validate(), at.token(own.Auth)...) {
		path := entry.Path() + "." + m.Key
		if !slices.ContainsFunc(unread, func(p config.Problem) bool { return strings.HasPrefix(path+".", p.Path+".") }) {
			problems = append(problems, at.config.Problem(path, "%s", m.Text))
		}
	}
	if own.Limits.Rate == 0 && onThisMachine(own.BaseURL) { // a neighbour on this machine needs no sparing
		own.Limits.Rate, own.Limits.Burst = 500, 100
	}
	if len(problems) > 0 {
		return connectors.Connector{}, problems
	}
	options, err := own.Options(entry.Name, party(entry), at.config.Path, at.getenv)
	if err != nil { // nothing else is read from a file
		return connectors.Connector{}, []config.Problem{at.config.Problem(entry.Path()+".ca_file", "cannot be used (%s): name a PEM file that the hub's user may read", own.CAFile)}
	}
	options.Now = at.now
	one, err := fhirrest.New(options)
	if err != nil {
		problems = append(problems, at.config.Problem(entry.Path(), "cannot be used: %s", err.Error()))
	}
	return one, problems
}

// token looks whether the token is where the config says, and kept as a secret.
func (at *site) token(a fhirrest.AuthConfig) []fhirrest.Mistake {
	wrong := func(key, format string, args ...any) []fhirrest.Mistake {
		return []fhirrest.Mistake{{Key: "auth." + key, Text: fmt.Sprintf(format, args...)}}
	}
	if a.Kind != fhirrest.AuthBearer || (a.TokenFile != "") == (a.TokenEnv != "") {
		return nil // said already
	}
	if a.TokenEnv != "" {
		if strings.TrimSpace(at.getenv(a.TokenEnv)) == "" {
			return wrong("token_env", "names %s, which the environment does not have: set it to the token", a.TokenEnv)
		}
		return nil
	}
	info, err := os.Stat(at.config.Path(a.TokenFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return wrong("token_file", "%s is not there: put the token into it, and run chmod 600 %s", a.TokenFile, a.TokenFile)
	case err != nil || !info.Mode().IsRegular():
		return wrong("token_file", "%s cannot be read: name a file that the hub's user owns", a.TokenFile)
	case info.Mode().Perm()&0o077 != 0:
		return wrong("token_file", "%s may be read by others (mode %04o): run chmod 600 %s", a.TokenFile, info.Mode().Perm(), a.TokenFile)
	case info.Size() == 0:
		return wrong("token_file", "%s is empty: put the token into it", a.TokenFile)
	}
	return nil
}

func party(entry config.Connector) string {
	if entry.Prescriber == "" {
		return fhir.Practice
	}
	return entry.Prescriber
}

func onThisMachine(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
