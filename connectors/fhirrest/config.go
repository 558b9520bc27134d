package fhirrest

import (
	"crypto/x509"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors"
)

// Config is this connector's own part of the config file. What is left out is found out from the server.
type Config struct {
	BaseURL string     `yaml:"base_url"`
	Auth    AuthConfig `yaml:"auth"`
	CAFile  string     `yaml:"ca_file"` // PEM: whom the server's certificate may come from, beside whom this machine trusts

	Dialect Dialect `yaml:"dialect"`
	Limits  Limits  `yaml:"limits"`
}

// Validate returns every mistake in c.
func (c Config) Validate() []connectors.Mistake {
	var all []connectors.Mistake
	wrong := func(bad bool, key, format string, args ...any) {
		if bad {
			all = append(all, connectors.Mistake{Key: key, Text: fmt.Sprintf(format, args...)})
		}
	}
	all = append(all, c.Auth.validate(c.BaseURL)...)

	d, l := c.Dialect, c.Limits
	prefixes := []string{LastUpdatedGE, LastUpdatedGT, LastUpdatedLE, LastUpdatedNone}
	wrong(d.LastUpdated != "" && !slices.Contains(prefixes, d.LastUpdated), "dialect.last_updated", "is none of ge, gt, le and none: leave it out to follow the server")
	for _, typ := range slices.Sorted(maps.Keys(d.LastUpdatedOf)) {
		wrong(!readable(typ) || !slices.Contains(prefixes, d.LastUpdatedOf[typ]), "dialect.last_updated_of."+typ, "is no type that the hub reads, or none of ge, gt, le and none: write like {MedicationRequest: none}")
	}
	wrong(d.Totals != "" && d.Totals != TotalsExact && d.Totals != TotalsEstimated, "dialect.totals", "is neither exact nor estimated: leave it out to find out")
	wrong(d.PageSize < 0 || d.PageSize > 1000, "dialect.page_size", "is not between 1 and 1000")
	wrong(d.Overlap < 0 || d.Overlap > 24*time.Hour, "dialect.overlap", "is not between 1s and 1d: write something like 5m")
	wrong(d.MaxPages < 0, "dialect.max_pages", "is less than 1")
	for i, typ := range d.Types {
		wrong(!readable(typ), fmt.Sprintf("dialect.types[%d]", i), "is no resource type that the hub reads: write some of %s", strings.Join(readables(), ", "))
	}
	for i, typ := range d.Writes {
		all := slices.Concat(practice.writes, prescriber.writes)
		wrong(!slices.Contains(all, typ), fmt.Sprintf("dialect.writes[%d]", i), "is no resource type that the hub writes: write some of %s", strings.Join(all, ", "))
	}
	wrong(l.Timeout < 0 || l.Timeout > time.Hour, "limits.timeout", "is not between 1s and 1h")
	wrong(l.HeaderTimeout < 0 || l.HeaderTimeout > time.Hour, "limits.header_timeout", "is not between 1s and 1h")
	wrong(l.MaxBody < 0 || l.MaxBody > 1<<30, "limits.max_body_bytes", "is not between 1 and 1073741824")
	wrong(l.Rate < 0 || l.Rate > 10_000, "limits.requests_per_second", "is not between 0.01 and 10000")
	wrong(l.Burst < 0, "limits.burst", "is less than 1")
	wrong(l.Concurrency < 0 || l.Concurrency > 2, "limits.concurrency", "is neither 1 nor 2: at most one job reads and one sends")
	wrong(l.Trip < 0, "limits.trip_after", "is less than 1")
	wrong(l.Rest < 0 || l.Rest > 24*time.Hour, "limits.rest", "is not between 1s and 1d")
	return all
}

func readable(typ string) bool {
	return slices.Contains(practice.types, typ) || slices.Contains(prescriber.types, typ)
}

func readables() []string {
	all := slices.Concat(practice.types, prescriber.types)
	slices.Sort(all)
	return slices.Compact(all)
}

// Options is c, which must be valid, as New takes it. path says where a file named in the config lies; env answers
// an environment variable. Files are read here and tokens when they are used, so that a renewed one needs no restart.
func (c Config) Options(name, party string, path func(string) string, env func(string) string) (Options, error) {
	o := Options{
		Name: name, Party: party, BaseURL: c.BaseURL,
		Auth: Auth{Kind: c.Auth.Kind}, Dialect: c.Dialect, Limits: c.Limits,
	}
	if c.Auth.Kind == AuthBearer {
		o.Auth.Token = func() (string, error) { return c.Auth.token(path, env) }
	}
	if o.Keys = c.Auth.Keys(path); o.Keys != nil {
		o.Auth.Smart = c.Auth.smart(*o.Keys)
	}
	if c.CAFile != "" {
		pem, err := os.ReadFile(path(c.CAFile))
		if err != nil {
			return o, fmt.Errorf("read ca_file of connector %s: %w", name, err)
		}
		if o.Roots, err = x509.SystemCertPool(); err != nil {
			o.Roots = x509.NewCertPool()
		}
		if !o.Roots.AppendCertsFromPEM(pem) {
			return o, fmt.Errorf("read ca_file of connector %s: it holds no PEM certificate", name)
		}
	}
	return o, nil
}
