package fhirrest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
)

func TestCheckSaysWhatDegradesAndWhatIsImpossible(t *testing.T) {
	for _, tc := range []struct {
		name    string
		server  sandbox.Dialect
		options fhirrest.Options
		refuse  string // a type whose searches answer 403, or 404 with a dash before it
		lines   []string
	}{
		{"all is well", sandbox.Dialect{}, fhirrest.Options{}, "", []string{"works changes", "works writing", "works reading"}},
		{"no _lastUpdated", sandbox.Dialect{NoLastUpdated: true}, fhirrest.Options{}, "", []string{"degrades changes", "works writing", "works reading"}},
		{"a practice that is searched for one patient only", sandbox.Dialect{PatientRequired: true}, fhirrest.Options{Party: fhir.Practice, Dialect: fhirrest.Dialect{PatientRequired: true}}, "",
			[]string{"degrades changes", "impossible new clients", "works reading"}},
		{"a server that needs a patient, and nobody said so", sandbox.Dialect{PatientRequired: true}, fhirrest.Options{}, "", []string{"degrades changes", "works reading"}},
		{"a practice that needs a patient, and nobody said so", sandbox.Dialect{PatientRequired: true}, fhirrest.Options{Party: fhir.Practice}, "", []string{"degrades changes", "impossible new clients", "works reading"}},
		{"some types tell what changed", sandbox.Dialect{NoLastUpdatedOf: []string{"Task"}}, fhirrest.Options{}, "", []string{"degrades changes", "works reading"}},
		{"If-Match is not looked at", sandbox.Dialect{IfMatch: sandbox.IfMatchIgnored}, fhirrest.Options{}, "", []string{"degrades updates"}},
		{"creates are not conditional", sandbox.Dialect{NoConditionalCreate: true}, fhirrest.Options{}, "", []string{"degrades writing"}},
		{"neither conditional creates nor identifier search", sandbox.Dialect{NoConditionalCreate: true, NoIdentifierSearch: true}, fhirrest.Options{}, "", []string{"impossible writing"}},
		{"the statement has no Task", sandbox.Dialect{Missing: []string{"Task"}}, fhirrest.Options{}, "", []string{"degrades Task", "degrades Task sent", "works reading", "works writing"}},
		{"the statement has no ServiceRequest", sandbox.Dialect{Missing: []string{"ServiceRequest"}}, fhirrest.Options{}, "", []string{"impossible ServiceRequest sent"}},
		{"the config has no Task", sandbox.Dialect{}, fhirrest.Options{Dialect: fhirrest.Dialect{Types: []string{"Patient", "Observation", "MedicationRequest"}}}, "", []string{"degrades Task", "works reading"}},
		{"a right is missing", sandbox.Dialect{}, fhirrest.Options{}, "Observation", []string{"impossible Observation"}},
		{"an essential type is stated and not known", sandbox.Dialect{}, fhirrest.Options{}, "-Observation", []string{"impossible Observation"}},
		{"another type is stated and not known", sandbox.Dialect{}, fhirrest.Options{}, "-Flag", []string{"impossible Flag"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, c := newFar(t, tc.server, tc.options)
			if typ, missing := strings.CutPrefix(tc.refuse, "-"); tc.refuse != "" {
				f.answers("GET", typ, map[bool]int{true: 404, false: 403}[missing], "{}")
			}
			report, err := c.Checker.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range append(tc.lines, "works connection") {
				if !slices.ContainsFunc(report.Lines, func(l connectors.Line) bool { return l.Level+" "+l.About == want }) {
					t.Errorf("no line %q in %+v", want, report.Lines)
				}
			}
			if report.Software != "kaphub sandbox" || len(report.Capabilities.Reads) == 0 || !report.Capabilities.Known {
				t.Errorf("%+v", report)
			}
			for _, line := range f.asked {
				if !strings.HasPrefix(line, "GET ") {
					t.Errorf("check did %s", line)
				}
			}
		})
	}
}

func TestEveryMistakeInTheConfigIsTold(t *testing.T) {
	bearer := fhirrest.AuthConfig{Kind: "bearer", TokenEnv: "TOKEN"}
	smart := fhirrest.AuthConfig{Kind: "smart", ClientID: "hub", KeyFile: "key", Scopes: []string{"system/*.rs"}}
	muddled := fhirrest.AuthConfig{Kind: "smart", TokenEnv: "A", KeyFile: "key", NextKeyFile: "key", Scopes: []string{"system/*.rs", "openid"}, TokenURL: "http://auth.example.org"}
	for _, tc := range []struct {
		name   string
		config fhirrest.Config
		wrong  []string
	}{
		{"a server that asks for signed assertions", fhirrest.Config{BaseURL: "https://fhir.example.org", Auth: smart}, nil},
		{"the same on this machine", fhirrest.Config{BaseURL: "http://127.0.0.1:9001", Auth: smart}, nil},
		{"smart and nothing else", fhirrest.Config{BaseURL: "https://fhir.example.org", Auth: fhirrest.AuthConfig{Kind: "smart"}}, []string{"auth", "auth", "auth"}},
		{"a key and no auth", fhirrest.Config{BaseURL: "http://localhost", Auth: fhirrest.AuthConfig{Kind: "none", KeyFile: "key"}}, []string{"auth"}},
		{"smart, all muddled", fhirrest.Config{BaseURL: "https://fhir.example.org", Auth: muddled}, []string{"auth", "auth", "auth.next_key_file", "auth.scopes[1]", "auth.token_url"}},
		{"a server on this machine", fhirrest.Config{BaseURL: "http://127.0.0.1:9001", Auth: fhirrest.AuthConfig{Kind: "none"}}, nil},
		{"a server elsewhere", fhirrest.Config{BaseURL: "https://fhir.example.org", Auth: bearer}, nil},
		{"nothing", fhirrest.Config{}, []string{"auth.kind", "base_url"}},
		{"plain http elsewhere", fhirrest.Config{BaseURL: "http://fhir.example.org", Auth: bearer}, []string{"base_url"}},
		{"no token", fhirrest.Config{BaseURL: "https://fhir.example.org", Auth: fhirrest.AuthConfig{Kind: "bearer"}}, []string{"auth"}},
		{"two tokens", fhirrest.Config{BaseURL: "https://fhir.example.org", Auth: fhirrest.AuthConfig{Kind: "bearer", TokenEnv: "A", TokenFile: "b"}}, []string{"auth"}},
		{"a token and no auth", fhirrest.Config{BaseURL: "http://localhost", Auth: fhirrest.AuthConfig{Kind: "none", TokenEnv: "A"}}, []string{"auth"}},
		{"all at once", fhirrest.Config{BaseURL: "https://fhir.example.org?x", Auth: bearer,
			Dialect: fhirrest.Dialect{LastUpdated: "lt", PageSize: 5000, Overlap: -1, MaxPages: -1, Types: []string{"Task", "Binary"}},
			Limits:  fhirrest.Limits{Timeout: -1, HeaderTimeout: -1, MaxBody: -1, Rate: -1, Burst: -1, Trip: -1, Rest: -1}},
			[]string{"base_url", "dialect.last_updated", "dialect.page_size", "dialect.overlap", "dialect.max_pages", "dialect.types[1]", "limits.timeout", "limits.header_timeout",
				"limits.max_body_bytes", "limits.requests_per_second", "limits.burst", "limits.trip_after", "limits.rest"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var wrong []string
			for _, m := range tc.config.Validate() {
				wrong = append(wrong, m.Key)
				if m.Text == "" {
					t.Errorf("%s: no word of what to write instead", m.Key)
				}
			}
			if !slices.Equal(wrong, tc.wrong) {
				t.Errorf("wrong are %q, want %q", wrong, tc.wrong)
			}
			o, err := tc.config.Options("ehr", "skylight", func(s string) string { return s }, func(string) string { return " sesame\n" })
			if err != nil {
				t.Fatal(err)
			}
			if tc.config.Auth.TokenEnv == bearer.TokenEnv {
				if token, err := o.Auth.Token(); token != "sesame" || err != nil {
					t.Errorf("token %q %v", token, err)
				}
			}
		})
	}
}

func TestAConnectorThatCannotBeSafeIsNotOpened(t *testing.T) {
	token := func() (string, error) { return "sesame", nil }
	for _, tc := range []struct {
		name string
		o    fhirrest.Options
		want string
	}{
		{"without a name", fhirrest.Options{Party: "skylight"}, "a name and a party"},
		{"plain http elsewhere", fhirrest.Options{Name: "far", Party: "skylight", BaseURL: "http://fhir.example.org", Auth: fhirrest.Auth{Kind: "bearer", Token: token}}, "base_url is http beyond this machine"},
		{"bearer and no token", fhirrest.Options{Name: "far", Party: "skylight", BaseURL: "https://fhir.example.org", Auth: fhirrest.Auth{Kind: "bearer"}}, "without a token"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := fhirrest.New(tc.o); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}
