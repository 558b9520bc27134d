package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors/jwks"
	"github.com/kaphub/kaphub/fhir/store"
)

const smartAuth = `auth: {kind: smart, client_id: hub, key_file: secrets/skylight.jwk, scopes: [system/*.rs, system/Task.cruds]}`

// proving is a place whose prescriber asks for signed assertions.
func proving(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	p.write("http://127.0.0.1:1", "http://127.0.0.1:2")
	p.change(`base_url: "http://127.0.0.1:2", auth: {kind: none}`, `base_url: "http://127.0.0.1:2", `+smartAuth)
	p.change(`listen: `, `public_url: "https://hub.example.org/", listen: `)
	return p
}

func TestKeysFromTheFirstToARotation(t *testing.T) {
	t.Parallel()
	p := settle(t)
	text, err := os.ReadFile(p.path("kaphub.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if strings.Contains(line, "name: skylight, kind") {
			lines[i] = strings.Replace(line, `auth: {kind: none}`, smartAuth, 1)
		}
	}
	if err := os.WriteFile(p.path("kaphub.yaml"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if s := p.must(1, "check"); !strings.Contains(s.err, "auth.key_file secrets/skylight.jwk is not there: make it with kaphub keys new") {
		t.Errorf("a missing key: %s", s.err)
	}
	p.must(1, "keys", "new", "ehr").oneSentence(t, `"ehr" is no connector that signs: write skylight`)
	p.must(1, "keys", "rotate", "skylight").oneSentence(t, "there is no next key", "keys new skylight --next")
	p.must(1, "keys", "new", "skylight", "--next").oneSentence(t, "run kaphub keys new skylight")
	if s := p.must(0, "keys", "list"); !strings.Contains(s.out, "not there: run kaphub keys new skylight") {
		t.Errorf("listed as %s", s.out)
	}
	first := p.must(0, "keys", "new", "skylight")
	p.must(1, "keys", "new", "skylight").oneSentence(t, "is not overwritten")
	p.must(0, "keys", "new", "skylight", "--next", "--alg", "RS384")
	p.must(1, "keys", "new", "skylight", "--next").oneSentence(t, "keys rotate skylight")
	p.must(1, "keys", "rotate", "skylight").oneSentence(t, "younger than 15m0s", "--now")
	made := time.Now().Add(-time.Hour)
	if err := os.Chtimes(p.path("secrets/skylight.jwk.next"), made, made); err != nil {
		t.Fatal(err)
	}
	p.must(0, "keys", "rotate", "skylight")
	if s := p.must(0, "keys", "list"); !strings.Contains(s.out, "signs  RS384  RSA 3072") || !strings.Contains(s.out, "old    ES384  EC P-384") {
		t.Errorf("listed as %s", s.out)
	}
	set := p.must(0, "keys", "list", "--jwks").out
	if !strings.Contains(set, `"RS384"`) || !strings.Contains(set, `"ES384"`) || strings.Contains(set, `"d"`) || strings.Contains(first.out, `"d"`) {
		t.Errorf("the set is %s", set)
	}
	p.must(0, "keys", "retire", "skylight")
	p.must(1, "keys", "retire", "skylight").oneSentence(t, "has no old key")
	if _, err := os.Stat(p.path("secrets/skylight.jwk.old")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old key's file: %v", err)
	}
	log := p.must(0, "audit", "list").out
	for _, want := range []string{"key made  skylight  ES384", "key made  skylight  RS384", "key rotated  skylight  RS384", "key retired  skylight  ES384"} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log has no %q:\n%s", want, log)
		}
	}
	if err := os.Chmod(p.path("secrets/skylight.jwk"), 0o640); err != nil {
		t.Fatal(err)
	}
	if s := p.must(1, "check"); !strings.Contains(s.err, "others may read it (mode 0640): run chmod 600") {
		t.Errorf("a key that others can read: %s", s.err)
	}
}

// A counterpart that took keys made for another one would take what the other had the hub sign.
func TestTwoCounterpartsNeverShareAKey(t *testing.T) {
	t.Parallel()
	p := proving(t)
	p.change(`base_url: "http://127.0.0.1:1", auth: {kind: none}`, `base_url: "http://127.0.0.1:1", `+smartAuth)
	key, err := jwks.New(jwks.ES384)
	if err == nil {
		err = errors.Join(os.Mkdir(p.path("secrets"), 0o700), key.Save(p.path("secrets/skylight.jwk")))
	}
	if err != nil {
		t.Fatal(err)
	}
	if s := p.run("check"); s.code != exitError || !strings.Contains(s.err, "auth.key_file is the key of connector ehr too") {
		t.Errorf("%+v", s)
	}
}

func TestTheKeySetIsPublishedWithoutLoginAndWithoutSecrets(t *testing.T) {
	p := proving(t)
	s := &scene{cli: &cli{Config: p.path("kaphub.yaml")}, now: time.Now, log: logger(&cli{Log: "error"}, os.Stderr), keyless: true}
	if err := store.NewKey().Save(p.path("kaphub.key")); err != nil {
		t.Fatal(err)
	}
	h, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if at := keySet(&h.config, "skylight"); at != "https://hub.example.org/.well-known/jwks/skylight.json" {
		t.Errorf("counterparts are told %s", at)
	}
	var files *jwks.Files
	for _, one := range h.connectors {
		if one.Keys != nil {
			files = one.Keys
		}
	}
	if err := os.Mkdir(p.path("secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i, file := range []string{files.Current, files.Next, files.Old} {
		key, err := jwks.New([]string{jwks.ES384, jwks.RS384, jwks.ES384}[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := key.Save(file); err != nil {
			t.Fatal(err)
		}
		want = append(want, key.ID())
	}
	w := httptest.NewRecorder()
	h.routes(newMetrics(h)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, keySetPath+"skylight.json", nil))
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil || w.Code != http.StatusOK || len(set.Keys) != len(want) {
		t.Fatalf("%d %v %s", w.Code, err, w.Body)
	}
	for i, k := range set.Keys {
		if k["kid"] != want[i] {
			t.Errorf("key %d is %v", i, k["kid"])
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if _, ok := k[private]; ok {
				t.Errorf("%q is published", private)
			}
		}
	}
	if w.Header().Get("Cache-Control") != "public, max-age=900" || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("headers %v", w.Header())
	}
	w = httptest.NewRecorder()
	h.routes(newMetrics(h)).ServeHTTP(w, httptest.NewRequest(http.MethodPost, keySetPath+"skylight.json", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("a post answers %d", w.Code)
	}
	for _, nothing := range []string{keySetPath, keySetPath + "ehr.json", keySetPath + "skylight", "/.well-known/jwks.json", keySetPath + "..%2f..%2fkaphub.key"} {
		w = httptest.NewRecorder()
		h.routes(newMetrics(h)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, nothing, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s answers %d %s", nothing, w.Code, w.Body)
		}
	}
}
