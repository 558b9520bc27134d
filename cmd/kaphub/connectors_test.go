package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/config"
)

// A connector's own part of the config is read as strictly as the rest, and its mistakes are told where they stand.
func TestMistakesInAConnector(t *testing.T) {
	const bearer = `auth: {kind: bearer, token_file: token}`
	tests := []struct {
		name  string
		entry string // from column 5 of line 4
		token os.FileMode
		want  []string
	}{
		{"a server on this machine needs no auth", `base_url: "http://127.0.0.1:9001"`, 0, nil},
		{"a server elsewhere with a token that nobody else can read", `base_url: "https://fhir.example.org/r4", ` + bearer, 0o600, nil},
		{"a token that others can read", `base_url: "https://fhir.example.org/r4", ` + bearer, 0o644,
			[]string{"4:95: practice.connectors[0].auth.token_file token may be read by others (mode 0644): run chmod 600 token"}},
		{"a token that is not there", `base_url: "https://fhir.example.org/r4", ` + bearer, 0,
			[]string{"4:95: practice.connectors[0].auth.token_file token is not there: put the token into it, and run chmod 600 token"}},
		{"a variable that is not set", `base_url: "https://fhir.example.org/r4", auth: {kind: bearer, token_env: EHR_TOKEN}`, 0,
			[]string{"4:95: practice.connectors[0].auth.token_env names EHR_TOKEN, which the environment does not have: set it to the token"}},
		{"a token in two places", `base_url: "https://fhir.example.org/r4", auth: {kind: bearer, token_env: A, token_file: b}`, 0,
			[]string{"4:74: practice.connectors[0].auth needs its token from one place: write token_file or token_env"}},
		{"an elsewhere without auth", `base_url: "https://fhir.example.org/r4"`, 0,
			[]string{"4:33: practice.connectors[0].base_url is beyond this machine, where auth none is not allowed: write auth {kind: bearer, …}"}},
		{"several at once, each at its place", `base_url: "http://127.0.0.1:9001", dialect: {page_size: 5000, last_update: ge}, limits: {timeout: soon}`, 0, []string{
			"4:78: practice.connectors[0].dialect.page_size is not between 1 and 1000",
			"4:95: practice.connectors[0].dialect.last_update is no key here: write last_updated",
			`4:131: practice.connectors[0].limits.timeout "soon" is no duration: write days, hours or minutes, like 90d, 26h or 45m`}},
		{"what cannot be read is told once", `base_url: "http://127.0.0.1:9001", auth: none`, 0,
			[]string{"4:74: practice.connectors[0].auth must be a block of keys, not a single value or a list"}},
		{"a certificate that is not there", `base_url: "http://127.0.0.1:9001", ca_file: ca.pem`, 0,
			[]string{"4:68: practice.connectors[0].ca_file cannot be used (ca.pem): name a PEM file that the hub's user may read"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "kaphub.yaml")
			text := "hub: {time_zone: America/Denver}\npractice:\n  connectors:\n  - {name: ehr, kind: fhirrest, " + test.entry + "}\n" +
				"prescribers: [{name: skylight, identifiers: [{system: s, value: v}]}]\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if test.token != 0 {
				if err := os.WriteFile(filepath.Join(dir, "token"), []byte("t\n"), test.token); err != nil {
					t.Fatal(err)
				}
			}
			c, err := config.Load(file, []string{"KAPHUB_KEY=x"})
			if err != nil {
				t.Fatal(err)
			}
			all, problems := connect(&c, &scene{}, nil)
			var got []string
			if err := c.Invalid(problems); err != nil {
				got = strings.Split(strings.ReplaceAll(err.Error(), file+":", ""), "\n")[1:]
			}
			if strings.TrimSpace(strings.Join(got, "\n")) != strings.Join(test.want, "\n  ") {
				t.Errorf("got\n%s\nwant\n  %s", strings.Join(got, "\n"), strings.Join(test.want, "\n  "))
			}
			if len(test.want) > 0 {
				return
			}
			base, _, _ := strings.Cut(strings.TrimPrefix(test.entry, `base_url: "`), `"`)
			if got := source(all[0]); got.Base != base || got.Name != "ehr" {
				t.Errorf("the source's base is %q, want %q: absolute references begin with it", got.Base, base)
			}
		})
	}
}

func TestAnAddressWhereFHIRDoesNotBegin(t *testing.T) {
	t.Parallel()
	p := settle(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/fhir+json")
		if strings.HasSuffix(r.URL.Path, "/metadata") {
			_, _ = w.Write([]byte(`{"resourceType":"CapabilityStatement","status":"active","kind":"instance","date":"2026-01-01","fhirVersion":"4.0.1","format":["json"],"rest":[{"mode":"server"}]}`))
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"not-found"}]}`))
	}))
	t.Cleanup(elsewhere.Close)
	practice, _, err := p.world.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.write(practice, elsewhere.URL+"/fhir")
	if s := p.must(1, "check"); strings.Count(s.out, "FAILS") != 1 || !strings.Contains(s.out, "base_url is probably not where FHIR begins") {
		t.Errorf("check must say so once:\n%s", s.out)
	}
	p.must(3, "sync").oneSentence(t, "pull skylight", "kaphub check")
}
