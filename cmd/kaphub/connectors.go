package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
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

// restSettings are a fhirrest entry as the operator writes it.
type restSettings struct {
	BaseURL string `yaml:"base_url"`
	Auth    struct {
		Kind      string `yaml:"kind"`
		TokenFile string `yaml:"token_file"`
		TokenEnv  string `yaml:"token_env"`
	} `yaml:"auth"`
	Dialect struct {
		LastUpdated       string        `yaml:"last_updated"`
		PageSize          int           `yaml:"page_size"`
		Overlap           time.Duration `yaml:"overlap"`
		Types             []string      `yaml:"types"`
		PatientRequired   bool          `yaml:"patient_required"`
		ConditionalCreate *bool         `yaml:"conditional_create"`
		IdentifierSearch  *bool         `yaml:"identifier_search"`
		MaxPages          int           `yaml:"max_pages"`
	} `yaml:"dialect"`
	Limits struct {
		Timeout       time.Duration `yaml:"timeout"`
		HeaderTimeout time.Duration `yaml:"header_timeout"`
		MaxBody       int64         `yaml:"max_body_bytes"`
		Rate          float64       `yaml:"requests_per_second"`
		Burst         int           `yaml:"burst"`
		Trip          int           `yaml:"trip_after"`
		Rest          time.Duration `yaml:"rest"`
	} `yaml:"limits"`
}

func openFHIR(entry config.Connector, at *site) (connectors.Connector, []config.Problem) {
	var own restSettings
	own.Auth.Kind = fhirrest.AuthNone
	problems := entry.Decode(&own)
	add := func(key, format string, args ...any) {
		problems = append(problems, at.config.Problem(entry.Path()+"."+key, format, args...))
	}
	switch own.Dialect.LastUpdated {
	case "", fhirrest.LastUpdatedGE, fhirrest.LastUpdatedGT, fhirrest.LastUpdatedNone:
	default:
		add("dialect", "last_updated must be ge, gt or none: leave it out to follow the server's own statement")
	}
	token, problem := own.token(at)
	if problem != "" {
		add("auth", "%s", problem)
	}
	if own.Limits.Rate == 0 && onThisMachine(own.BaseURL) { // a neighbour on this machine needs no sparing
		own.Limits.Rate, own.Limits.Burst = 500, 100
	}
	d, l := own.Dialect, own.Limits
	one, err := fhirrest.New(fhirrest.Options{
		Name: entry.Name, Party: party(entry), BaseURL: own.BaseURL, Now: at.now,
		Auth: fhirrest.Auth{Kind: own.Auth.Kind, Token: token},
		Dialect: fhirrest.Dialect{LastUpdated: d.LastUpdated, PageSize: d.PageSize, Overlap: d.Overlap, Types: d.Types, PatientRequired: d.PatientRequired,
			ConditionalCreate: d.ConditionalCreate, IdentifierSearch: d.IdentifierSearch, MaxPages: d.MaxPages},
		Limits: fhirrest.Limits{Timeout: l.Timeout, HeaderTimeout: l.HeaderTimeout, MaxBody: l.MaxBody, Rate: l.Rate, Burst: l.Burst, Trip: l.Trip, Rest: l.Rest},
	})
	if err != nil && len(problems) == 0 {
		_, text, _ := strings.Cut(err.Error(), "base_url ")
		add("base_url", "%s", text)
	}
	return one, problems
}

// token returns how the bearer token is asked for: anew for each request, so that a renewed file needs no restart.
func (own *restSettings) token(at *site) (func() (string, error), string) {
	switch a := own.Auth; {
	case a.Kind == fhirrest.AuthNone && a.TokenFile+a.TokenEnv != "":
		return nil, "names a token but is of kind none: write kind: bearer"
	case a.Kind == fhirrest.AuthNone:
		return nil, ""
	case a.Kind != fhirrest.AuthBearer:
		return nil, fmt.Sprintf("kind %q is not known: write bearer, or none on loopback", a.Kind)
	case a.TokenFile != "" && a.TokenEnv != "":
		return nil, "names both token_file and token_env: keep one"
	case a.TokenEnv != "":
		if at.getenv(a.TokenEnv) == "" {
			return nil, fmt.Sprintf("token_env: the environment has no %s: set it to the token", a.TokenEnv)
		}
		return func() (string, error) { return at.getenv(a.TokenEnv), nil }, ""
	case a.TokenFile != "":
		path := at.config.Path(a.TokenFile)
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, fmt.Sprintf("token_file %s is not there: put the token into it", a.TokenFile)
		case info.Mode().Perm()&0o077 != 0:
			return nil, fmt.Sprintf("token_file %s may be read by others: run chmod 600 %s", a.TokenFile, a.TokenFile)
		}
		return func() (string, error) {
			text, err := os.ReadFile(path)
			if err != nil {
				return "", errors.New("the token file cannot be read: put the token back into it")
			}
			return strings.TrimSpace(string(text)), nil
		}, ""
	}
	return nil, "needs token_file or token_env"
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
