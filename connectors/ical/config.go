package ical

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/fhir"
)

// Config is this connector's own part of the config file. The feed's address never stands in it: who knows it reads the
// calendar.
type Config struct {
	URLFile string `yaml:"url_file"` // holds the address, mode 0600
	URLEnv  string `yaml:"url_env"`  // the environment variable that does
	File    string `yaml:"file"`     // an .ics file in place of an address

	Token     string       `yaml:"token"` // \bK-[0-9A-Z]{2,8}\b
	Kinds     []KindRule   `yaml:"kinds"`
	Locations []PlaceRule  `yaml:"locations"`
	Therapist *TherapistID `yaml:"therapist"`

	Back       time.Duration `yaml:"back"`                // 60d
	Ahead      time.Duration `yaml:"ahead"`               // 120d
	ConfirmFor int           `yaml:"confirm_missing_for"` // 3 reads; 1 believes at once that more than half of the events are gone
	PageSize   int           `yaml:"page_size"`           // 500
	Limits     rest.Limits   `yaml:"limits"`
}

// KindRule says which kind of appointment an event is.
type KindRule struct {
	Match string `yaml:"match"`
	Kind  string `yaml:"kind"`
}

// PlaceRule says where an event is.
type PlaceRule struct {
	Match string `yaml:"match"`
	Place string `yaml:"place"`
}

// TherapistID names whose calendar it is: by name, by number, or by both.
type TherapistID struct {
	Name   string `yaml:"name"` // as it is shown
	System string `yaml:"system"`
	Value  string `yaml:"value"`
}

// defaultToken finds a token that no title has by chance.
const defaultToken = `\bK-[0-9A-Z]{2,8}\b` //nolint:gosec // a pattern, and no secret

var (
	kinds = []string{fhir.SessionPreparation, fhir.SessionDosing, fhir.SessionIntegration, fhir.SessionEvaluation, fhir.SessionFollowUp}
	spots = []string{AtOffice, AtHome, AtDistance}
)

// Validate returns every mistake in c.
func (c Config) Validate() (all []connectors.Mistake) {
	wrong := func(bad bool, key, format string, args ...any) {
		if bad {
			all = append(all, connectors.Mistake{Key: key, Text: fmt.Sprintf(format, args...)})
		}
	}
	given := 0
	for _, s := range []string{c.URLFile, c.URLEnv, c.File} {
		if s != "" {
			given++
		}
	}
	wrong(given != 1, "url_file", "or url_env or file must say where the calendar is, one of them: write url_file: secrets/calendar.url, and put the calendar's secret address into that file")
	pattern := func(text, key, like string) {
		re, err := regexp.Compile(text)
		switch {
		case text == "":
			wrong(true, key, "is missing: write a pattern like %s", like)
		case err != nil:
			wrong(true, key, "is no pattern (RE2): write one like %s", like)
		case re.MatchString(""):
			wrong(true, key, "fits every title: write one like %s", like)
		case key == "token" && re.NumSubexp() > 1:
			wrong(true, key, "has more than one group: put only the token itself into brackets")
		}
	}
	if c.Token != "" {
		pattern(c.Token, "token", defaultToken)
	}
	for i, k := range c.Kinds {
		pattern(k.Match, fmt.Sprintf("kinds[%d].match", i), `(?i)\bprep`)
		wrong(!slices.Contains(kinds, k.Kind), fmt.Sprintf("kinds[%d].kind", i), "is none of preparation, dosing, integration, evaluation and follow-up")
	}
	for i, p := range c.Locations {
		pattern(p.Match, fmt.Sprintf("locations[%d].match", i), `(?i)zoom`)
		wrong(!slices.Contains(spots, p.Place), fmt.Sprintf("locations[%d].place", i), "is none of office, home and remote")
	}
	wrong(c.Therapist != nil && (c.Therapist.System == "") != (c.Therapist.Value == ""), "therapist", "needs both system and value: only together they identify")
	wrong(c.Therapist != nil && *c.Therapist == TherapistID{}, "therapist", "names nobody: write a name, or system and value")
	wrong(c.Back < 0 || c.Back > 400*day, "back", "is not between 1d and 400d")
	wrong(c.Ahead < 0 || c.Ahead > 400*day, "ahead", "is not between 1d and 400d")
	wrong(c.ConfirmFor < 0 || c.ConfirmFor > 100, "confirm_missing_for", "is not between 1 and 100")
	wrong(c.PageSize < 0 || c.PageSize > 10_000, "page_size", "is not between 1 and 10000")
	wrong(c.Limits.MaxBody < 0 || c.Limits.MaxBody > 256<<20, "limits.max_body_bytes", "is not between 1 and 268435456")
	wrong(c.Limits.Timeout < 0 || c.Limits.Timeout > time.Hour, "limits.timeout", "is not between 1s and 1h")
	return all
}

// Options is c, which must be valid, as New takes it. path says where a file named in the config lies; env answers an
// environment variable. The address is looked up when it is used, so that a new one needs no restart.
func (c Config) Options(name string, zone *time.Location, path, env func(string) string) Options {
	token := c.Token
	if token == "" {
		token = defaultToken
	}
	o := Options{Name: name, Zone: zone, Token: regexp.MustCompile(token), Back: c.Back, Ahead: c.Ahead, ConfirmFor: c.ConfirmFor,
		PageSize: c.PageSize, Limits: c.Limits}
	for _, k := range c.Kinds {
		o.Kinds = append(o.Kinds, Kind{regexp.MustCompile(k.Match), k.Kind})
	}
	for _, p := range c.Locations {
		o.Places = append(o.Places, Place{regexp.MustCompile(p.Match), p.Place})
	}
	if c.Therapist != nil {
		o.Therapist = *c.Therapist
	}
	switch {
	case c.File != "":
		o.File = path(c.File)
	case c.URLEnv != "":
		o.Address = func() (string, error) { return env(c.URLEnv), nil }
	default:
		o.Address = func() (string, error) {
			text, err := os.ReadFile(path(c.URLFile))
			if err != nil {
				return "", errors.New("the file with the calendar's address cannot be read")
			}
			return string(text), nil
		}
	}
	return o
}
