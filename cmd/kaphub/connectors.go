package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/jwks"
	"github.com/kaphub/kaphub/connectors/skylight"
	"github.com/kaphub/kaphub/fhir"
)

// kinds are the ways of talking. Adding one is a folder and a line here.
var kinds = map[string]func(config.Connector, *site) (connectors.Connector, []config.Problem){
	"fhirrest": openFHIR,
	"folder":   openFolder,
	"ical":     openCalendar,
}

// site is what a connector may know of where it is set up.
type site struct {
	pace   *turnstile
	config *config.Config
	getenv func(string) string
	now    func() time.Time

	keyless bool // a signing key that is not there yet is no mistake: it is about to be made
}

// connect opens every configured connector and returns all that is wrong with any of them.
func connect(c *config.Config, s *scene, pace *turnstile) ([]connectors.Connector, []config.Problem) {
	at := &site{config: c, getenv: s.getenv, now: s.now, pace: pace, keyless: s.keyless}
	var all []connectors.Connector
	var problems []config.Problem
	signs := map[string]connectors.Connector{} // by key file
	for _, entry := range c.Connectors() {
		if entry.Kind == "" {
			continue // said already
		}
		kind, problem := through(c, entry)
		if problem != nil {
			problems = append(problems, *problem)
			continue
		}
		if kind == skylight.OverDesk {
			continue // every party has a desk
		}
		open, ok := kinds[kind]
		if !ok {
			problems = append(problems, c.Problem(entry.Path()+".kind", "%q is no kind of connector: write %s", entry.Kind, strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")+" or skylight"))
			continue
		}
		one, wrong := open(entry, at)
		problems = append(problems, wrong...)
		all = append(all, one)
		if one.Keys == nil {
			continue
		}
		if other, taken := signs[one.Keys.Current]; taken && other.Party != one.Party {
			problems = append(problems, c.Problem(entry.Path()+".auth.key_file", "is the key of connector %s too: write another, or one counterpart could use what is signed for the other", other.Name))
		}
		signs[one.Keys.Current] = one
	}
	return all, problems
}

func openFHIR(entry config.Connector, at *site) (connectors.Connector, []config.Problem) {
	own := fhirrest.Config{Auth: fhirrest.AuthConfig{Kind: fhirrest.AuthNone}}
	problems := entry.Decode(&own)
	if problems = at.placed(entry, problems, append(own.Validate(), at.secret(own.Auth, own.BaseURL)...)); len(problems) > 0 {
		return connectors.Connector{}, problems
	}
	options, err := own.Options(entry.Name, party(entry), at.config.Path, at.getenv)
	if err != nil { // nothing else is read from a file
		return connectors.Connector{}, []config.Problem{at.config.Problem(entry.Path()+".ca_file", "cannot be used (%s): name a PEM file that the hub's user may read", own.CAFile)}
	}
	options.Now = at.now
	if options.Party == fhir.Practice {
		options.Watch = watchedFor(at.config)
	}
	if own.Limits.Rate != 0 || !onThisMachine(own.BaseURL) { // a neighbour on this machine needs no sparing
		options.Turnstile = at.pace
	}
	if options.Auth.Smart != nil {
		options.Auth.Smart.KeySet = keySet(at.config, entry.Name)
	}
	one, err := fhirrest.New(options)
	if err != nil {
		problems = append(problems, at.config.Problem(entry.Path(), "cannot be used: %s", err.Error()))
	}
	return one, problems
}

// placed is problems with a connector's own mistakes, each where it stands in the file; what could not even be read is not
// told of twice.
func (at *site) placed(entry config.Connector, problems []config.Problem, mistakes []connectors.Mistake) []config.Problem {
	unread := problems
	for _, m := range mistakes {
		if path := entry.Path() + "." + m.Key; !mentioned(unread, path) {
			problems = append(problems, at.config.Problem(path, "%s", m.Text))
		}
	}
	return problems
}

// mentioned reports whether something is said of path already, or of what it lies in.
func mentioned(problems []config.Problem, path string) bool {
	return slices.ContainsFunc(problems, func(p config.Problem) bool { return strings.HasPrefix(path+".", p.Path+".") })
}

// secret looks whether token or key is where the config says, and kept as a secret.
func (at *site) secret(a fhirrest.AuthConfig, base string) []connectors.Mistake {
	wrong := func(key, format string, args ...any) []connectors.Mistake {
		return []connectors.Mistake{{Key: "auth." + key, Text: fmt.Sprintf(format, args...)}}
	}
	if a.Kind == fhirrest.AuthSmart && a.KeyFile != "" {
		switch _, err := jwks.Load(at.config.Path(a.KeyFile)); {
		case err == nil, at.keyless && errors.Is(err, fs.ErrNotExist):
			return nil
		case errors.Is(err, fs.ErrNotExist):
			return wrong("key_file", "%s is not there: make it with kaphub keys new, and register its public half", a.KeyFile)
		default:
			return wrong("key_file", "%s cannot be used: %s", a.KeyFile, err.Error())
		}
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
	if text := at.secretFile(a.TokenFile, "the token"); text != "" {
		return wrong("token_file", "%s", text)
	}
	if text := at.anotherHost(a, base); text != "" {
		return []connectors.Mistake{{Key: "base_url", Text: text}}
	}
	return nil
}

// secretFile says what is wrong with a file that holds a secret, and what to do; "" when nothing is.
func (at *site) secretFile(name, what string) string {
	info, err := os.Stat(at.config.Path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("%s is not there: put %s into it, and run chmod 600 %s", name, what, name)
	case err != nil || !info.Mode().IsRegular():
		return fmt.Sprintf("%s cannot be read: name a file that the hub's user owns", name)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Sprintf("%s may be read by others (mode %04o): run chmod 600 %s", name, info.Mode().Perm(), name)
	case info.Size() == 0:
		return fmt.Sprintf("%s is empty: put %s into it", name, what)
	}
	return ""
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
