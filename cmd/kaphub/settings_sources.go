package main

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/folder"
	"github.com/kaphub/kaphub/connectors/ical"
	"github.com/kaphub/kaphub/connectors/skylight"
)

const groupSources = "Sources"

// ownKeys are the structs that each kind of connector reads its own part of the config into.
var ownKeys = map[string]reflect.Type{
	skylight.OverREST:   reflect.TypeFor[fhirrest.Config](),
	skylight.OverFolder: reflect.TypeFor[folder.Config](),
	"ical":              reflect.TypeFor[ical.Config](),
}

// sourceHints say of the keys that people change what they are.
var sourceHints = map[string]string{ //nolint:gosec // words about where secrets are, and none
	"base_url":                   "What stands before /metadata and /Patient.",
	"auth.kind":                  "none (this machine only), bearer or smart.",
	"auth.token_file":            "The file that holds the token. The token itself is set under Secrets.",
	"auth.key_file":              "Made by kaphub keys new.",
	"auth.scopes":                "Like system/Task.rs, one a line.",
	"limits.requests_per_second": "How much the counterpart bears.",
	"limits.timeout":             "Like 60s.",
	"url_file":                   "The file that holds the calendar's secret address. The address itself is set under Secrets.",
	"token":                      "How a client's token in an event's title looks.",
	"in":                         "The directory that is read.",
	"out":                        "The directory that is written.",
}

// sourceSections are the connectors, one form each. Lists of blocks in them are changed in the file.
func sourceSections(c *config.Config) []console.Section {
	titles := map[string]string{"": "the practice"}
	for i := range c.Prescribers {
		titles[c.Prescribers[i].Name] = cmp.Or(c.Prescribers[i].Title, c.Prescribers[i].Name)
	}
	var all []console.Section
	for _, e := range c.Connectors() {
		s := console.Section{Key: ofSource + e.Name, Title: e.Name, Group: groupSources, Owner: true, Lead: "What is read from and written to " + titles[e.Prescriber] + " by this way.",
			Links: []console.Fact{{Name: "How it runs, and test the connection", Value: "/exchange/sources/" + e.Name}},
			Facts: []console.Fact{{Name: "Kind", Value: kindWords[cmp.Or(e.Over, e.Kind)]}, {Name: "Of", Value: titles[e.Prescriber]}, {Name: "Name for ever", Value: e.Name}}}
		if own, ok := ownKeys[cmp.Or(e.Over, e.Kind)]; ok {
			s.Fields = sourceFields(own, "")
			for i := range s.Fields {
				s.Fields[i].Path = e.Path() + "." + s.Fields[i].Path
			}
			if own, ok := overREST(c, e); ok && own.Auth.Kind == fhirrest.AuthBearer && own.Auth.TokenFile != "" {
				s.Fields = append(s.Fields, askToken(e.Path()))
			}
		} else {
			s.Links, s.Lead = nil, "What they say is entered by hand at the desk: there is nothing to set."
		}
		all = append(all, s)
	}
	return all
}

// sourceFields are the keys of a struct and of the blocks in it.
func sourceFields(of reflect.Type, under string) (all []console.Field) {
	for i := range of.NumField() {
		f := of.Field(i)
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "" || key == "-" {
			if f.Anonymous || strings.Contains(options, "inline") {
				all = append(all, sourceFields(f.Type, under)...)
			}
			continue
		}
		typ := f.Type
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		field := console.Field{Path: under + key, Label: strings.ReplaceAll(under+key, "_", " "), Hint: sourceHints[under+key], Kind: console.KindText}
		switch typ.Kind() {
		case reflect.Struct:
			all = append(all, sourceFields(typ, under+key+".")...)
			continue
		case reflect.Slice:
			if typ.Elem().Kind() != reflect.String {
				continue
			}
			field.Kind = console.KindLines
		case reflect.Bool:
			field.Kind, field.Options = console.KindChoice, options3()
		case reflect.Map, reflect.Interface, reflect.Func, reflect.Chan:
			continue
		}
		all = append(all, field)
	}
	return all
}

// options3 are those of a switch that may be left to what is found out.
func options3() []console.Option {
	return options("", "as found, or as usual", "true", "yes", "false", "no")
}

// secretPlaces are the files that hold what is never shown: what the secret is, and where the config names its file.
func secretPlaces(c *config.Config, file map[string]string) []secretPlace {
	all := []secretPlace{}
	for _, e := range c.Connectors() {
		kind := cmp.Or(e.Over, e.Kind)
		switch {
		case kind == "ical":
			all = append(all, secretPlace{e.Name, "The secret address of calendar " + e.Name, e.Path() + ".url_file"})
		case kind == skylight.OverREST && file[e.Path()+".auth.kind"] == fhirrest.AuthBearer:
			all = append(all, secretPlace{e.Name, "The token for " + e.Name, e.Path() + ".auth.token_file"})
		}
	}
	if c.Notices != nil {
		all = append(all, secretPlace{"smtp", "The password of the mail server", "notices.smtp.password_file"})
	}
	return slices.DeleteFunc(all, func(p secretPlace) bool { return file[p.path] == "" })
}

// secretPlace is a secret: its name on the page, what it is, and the path in the config that names its file.
type secretPlace struct{ name, title, path string }
