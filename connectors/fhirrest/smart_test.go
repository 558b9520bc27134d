package fhirrest_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/jwks"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// guarded is a sandbox server behind an authorisation server that grants some scopes of those asked for, and that answers
// a search without the right to it as some servers do: with nothing.
func guarded(t *testing.T, grants ...string) (_ connectors.Connector, _ *sandbox.Server, flags *atomic.Int64) {
	t.Helper()
	flags = new(atomic.Int64)
	server := sandbox.NewServer(sandbox.Options{})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		asked := strings.Fields(r.PostFormValue("scope"))
		granted := slices.DeleteFunc(asked, func(s string) bool { return !slices.Contains(grants, s) })
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "t", "token_type": "bearer", "expires_in": 300, "scope": strings.Join(granted, " ")})
	})
	mux.HandleFunc("GET /.well-known/smart-configuration", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"token_endpoint": "http://" + r.Host + "/token"})
	})
	mux.HandleFunc("GET /Flag", func(w http.ResponseWriter, _ *http.Request) {
		flags.Add(1)
		w.Header().Set("Content-Type", "application/fhir+json")
		_, _ = w.Write([]byte(`{"resourceType":"Bundle","type":"searchset","total":0}`))
	})
	mux.Handle("/", server)
	file := filepath.Join(t.TempDir(), "key")
	key, err := jwks.New(jwks.ES384)
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Save(file); err != nil {
		t.Fatal(err)
	}
	config := fhirrest.Config{BaseURL: serve(t, mux), Auth: fhirrest.AuthConfig{Kind: fhirrest.AuthSmart, ClientID: "hub", KeyFile: file, Scopes: []string{"system/Patient.rs", "system/Flag.rs", "system/*.rs"}}}
	config.Dialect.Types = []string{"Patient", "Flag"}
	o, err := config.Options("far", "skylight", func(s string) string { return s }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, o), server, flags
}

func TestAReadWithoutTheScopeForATypeIsNotComplete(t *testing.T) {
	for _, tc := range []struct {
		name, granted, why string
		newcomer           []string
	}{
		{"a type's scope was dropped", "system/Patient.rs", "Flag: scope not granted", nil},
		{"and a member is read back", "system/Patient.rs", "Flag: scope not granted", []string{"p1"}},
		{"a wildcard covers it", "system/*.rs", "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, server, asked := guarded(t, tc.granted)
			if _, err := server.Put([]byte(`{"resourceType":"Patient","id":"p1"}`)); err != nil {
				t.Fatal(err)
			}
			last, all := round(t, c, "", exchange.RosterOf(tc.newcomer, exchange.Everybody{Members: tc.newcomer}))
			if last.Complete != (tc.why == "") || last.Why != tc.why || len(all.Resources) == 0 {
				t.Errorf("complete %v, why %q, %d resources", last.Complete, last.Why, len(all.Resources))
			}
			if asked.Load() > 0 != (tc.why == "") {
				t.Errorf("flags were asked for %d times", asked.Load())
			}
			r, err := c.Checker.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(r.Auth, func(c connectors.Claim) bool { return c.Claim == "granted scope" })
			if lost := "left out without a word: system/Flag.rs"; (tc.why == "") == strings.Contains(r.Auth[i].Next, lost) {
				t.Errorf("check says %+v", r.Auth[i])
			}
		})
	}
}
