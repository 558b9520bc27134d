package folder

import (
	"fmt"
	"path"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
)

// Config is this connector's own part of the config file.
type Config struct {
	In       string        `yaml:"in"`
	Out      string        `yaml:"out"`
	Roster   string        `yaml:"roster"`   // "roster*.csv"
	Statuses string        `yaml:"statuses"` // "status*.csv"
	Ignore   []string      `yaml:"ignore"`
	MaxBytes int64         `yaml:"max_bytes"`
	Wait     time.Duration `yaml:"wait"`

	PartialRoster bool   `yaml:"partial_roster"`
	CompleteAsOf  string `yaml:"complete_as_of"` // pickup or file
	ClientSystem  string `yaml:"client_system"`  // of the practice's numbers
	Dates         string `yaml:"dates"`          // iso or us
}

// Validate returns every mistake in c, for a connector of party.
func (c Config) Validate(party string) []connectors.Mistake {
	var all []connectors.Mistake
	wrong := func(bad bool, key, format string, args ...any) {
		if bad {
			all = append(all, connectors.Mistake{Key: key, Text: fmt.Sprintf(format, args...)})
		}
	}
	wrong(c.In == "" && c.Out == "", "in", "is missing: write the directory that is read, or with out the one that packets are laid out in")
	wrong(c.In != "" && path.Clean(c.In) == path.Clean(c.Out), "out", "is the same directory as in: what the hub writes would be read again; name another")
	wrong(c.Out != "" && party == fhir.Practice, "out", "is for prescribers: packets are handed over to them; take it out")
	wrong(c.Roster != "" && party != fhir.Practice, "roster", "is for the practice: who its clients are, no prescriber tells; take it out")
	wrong(c.Statuses != "" && party == fhir.Practice, "statuses", "is for prescribers: the practice does not clear or prescribe; take it out")
	wrong(c.PartialRoster && party != fhir.Practice, "partial_roster", "is for the practice; take it out")
	patterns := map[string]string{"roster": c.Roster, "statuses": c.Statuses}
	for i, p := range c.Ignore {
		patterns[fmt.Sprintf("ignore[%d]", i)] = p
	}
	for _, key := range sortedKeys(patterns) {
		_, err := path.Match(patterns[key], "x")
		wrong(err != nil, key, "is no pattern: write something like roster*.csv")
	}
	wrong(c.MaxBytes < 0 || c.MaxBytes > 256<<20, "max_bytes", "is not between 1 and 268435456")
	wrong(c.Wait < 0 || c.Wait > time.Hour, "wait", "is not between 1s and 1h")
	wrong(c.CompleteAsOf != "" && c.CompleteAsOf != "pickup" && c.CompleteAsOf != "file", "complete_as_of", "is neither pickup nor file")
	wrong(c.Dates != "" && c.Dates != "iso" && c.Dates != "us", "dates", "is neither iso nor us")
	return all
}

// Options is c, which must be valid, as New takes it; the caller adds who may be named and what stands on the packet.
// at says where a directory named in the config lies.
func (c Config) Options(name, party string, at func(string) string) Options {
	return Options{Name: name, Party: party, In: at(c.In), Out: at(c.Out), Roster: c.Roster, Statuses: c.Statuses, Ignore: c.Ignore,
		MaxBytes: c.MaxBytes, Wait: c.Wait, Partial: c.PartialRoster, AsOfFile: c.CompleteAsOf == "file",
		Format: Format{System: c.ClientSystem, USDates: c.Dates == "us"}}
}
