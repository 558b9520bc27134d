package jwks_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/kaphub/kaphub/connectors/jwks"
)

func made(t *testing.T, alg string) jwks.Key {
	t.Helper()
	key, err := jwks.New(alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pemOf(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestWhatIsAKey(t *testing.T) {
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	good, _ := rsa.GenerateKey(rand.Reader, 2048)
	weak, _ := rsa.GenerateKey(rand.Reader, 1024)
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	sec1, _ := x509.MarshalECPrivateKey(p384)
	jwk := func(k jose.JSONWebKey) []byte {
		text, err := k.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, tc := range []struct {
		name           string
		text           []byte
		alg, kid, want string
	}{
		{"PKCS 8 on P-384", pemOf(t, p384), jwks.ES384, "", ""},
		{"PKCS 8 with RSA", pemOf(t, good), jwks.RS384, "", ""},
		{"what openssl writes: the curve's parameters, then the key", append([]byte("-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n"),
			pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})...), jwks.ES384, "", ""},
		{"the older form for RSA", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(good)}), jwks.RS384, "", ""},
		{"a JWK that is named", jwk(jose.JSONWebKey{Key: p384, KeyID: "hub-1"}), jwks.ES384, "hub-1", ""},
		{"a JWK without a name", jwk(jose.JSONWebKey{Key: good}), jwks.RS384, "", ""},
		{"a curve that SMART does not know", pemOf(t, p256), "", "", "on curve P-256"},
		{"too short an RSA key", pemOf(t, weak), "", "", "1024 bits"},
		{"another kind", pemOf(t, edwards), "", "", "no private key for ES384 or RS384"},
		{"only the public half", jwk(jose.JSONWebKey{Key: &p384.PublicKey}), "", "", "public half"},
		{"a shared secret", []byte(`{"kty":"oct","k":"c2VjcmV0"}`), "", "", "shared secrets"},
		{"meant for another algorithm", jwk(jose.JSONWebKey{Key: good, Algorithm: "PS384"}), "", "", "another algorithm"},
		{"a set of keys", []byte(`{"keys":[]}`), "", "", "no JWK"},
		{"a certificate", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "", "", "neither a JWK nor"},
		{"nothing", nil, "", "", "neither a JWK nor"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			key, err := jwks.Parse(tc.text)
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Fatalf("got %v, want %q", err, tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if key.Algorithm() != tc.alg || tc.kid != "" && key.ID() != tc.kid || len(key.ID()) < 5 {
				t.Errorf("%s %s", key.Algorithm(), key.ID())
			}
		})
	}
}

// A key without a name is named by its thumbprint (RFC 7638), and called so wherever it is read again.
func TestAKeyIsNamedByItsThumbprintAndKeepsTheName(t *testing.T) {
	key := made(t, jwks.ES384)
	file := filepath.Join(t.TempDir(), "key")
	if err := key.Save(file); err != nil {
		t.Fatal(err)
	}
	if err := key.Save(file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a key was overwritten: %v", err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	again, err := jwks.Load(file)
	if err != nil || again.ID() != key.ID() || string(again.Public()) != string(key.Public()) {
		t.Errorf("read back %v as %v: %v", key, again, err)
	}
	var public jose.JSONWebKey
	if err := json.Unmarshal(key.Public(), &public); err != nil {
		t.Fatal(err)
	}
	text, err := again.Sign(map[string]any{"sub": "hub"})
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES384})
	if err != nil {
		t.Fatal(err)
	}
	if token.Headers[0].KeyID != key.ID() || token.Headers[0].ExtraHeaders[jose.HeaderType] != "JWT" {
		t.Fatalf("%+v", token.Headers)
	}
	if err := token.Claims(public, &struct{}{}); err != nil {
		t.Errorf("the public half does not verify: %v", err)
	}
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := jwks.Load(file); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestNoPrivateMemberIsEverPublishedOrPrinted(t *testing.T) {
	for _, alg := range []string{jwks.ES384, jwks.RS384} {
		key := made(t, alg)
		var members []map[string]any
		var set struct{ Keys []map[string]any }
		if err := json.Unmarshal(jwks.Set([]jwks.Key{key, key}), &set); err != nil || len(set.Keys) != 1 {
			t.Fatalf("%v: %d keys", err, len(set.Keys))
		}
		members = append(members, set.Keys...)
		for _, m := range members {
			for name := range m {
				switch name {
				case "kty", "kid", "alg", "use", "crv", "x", "y", "n", "e":
				default:
					t.Errorf("%s publishes %q", alg, name)
				}
			}
			if m["kid"] != key.ID() || m["alg"] != alg || m["use"] != "sig" {
				t.Errorf("published as %v", m)
			}
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
			if said := fmt.Sprintf(verb, key); said != "key "+key.ID() {
				t.Errorf("%s prints %s", verb, said)
			}
		}
		if text, err := json.Marshal(struct{ K jwks.Key }{key}); err == nil {
			t.Errorf("encoded as %s", text)
		}
	}
}

func TestARotationIsPublishedBeforeAndAfter(t *testing.T) {
	dir := t.TempDir()
	files := jwks.At(filepath.Join(dir, "key"), "")
	ids := func() string {
		keys, err := files.Published()
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, k := range keys {
			all = append(all, k.ID())
		}
		return strings.Join(all, " ")
	}
	save := func(file string) string {
		key := made(t, jwks.ES384)
		if err := key.Save(file); err != nil {
			t.Fatal(err)
		}
		return key.ID()
	}
	if _, err := files.Published(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no key at all: %v", err)
	}
	first := save(files.Current)
	if err := files.Promote(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("promoted nothing: %v", err)
	}
	if _, err := files.Retire(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("retired nothing: %v", err)
	}
	second := save(files.Next)
	if got := ids(); got != first+" "+second {
		t.Errorf("before the rotation %s", got)
	}
	if err := os.Link(files.Current, files.Old); err != nil { // as far as a rotation that was killed came
		t.Fatal(err)
	}
	if _, err := files.Retire(); err == nil {
		t.Error("the signing key was retired half way")
	}
	if err := files.Promote(); err != nil {
		t.Fatal(err)
	}
	if got := ids(); got != second+" "+first {
		t.Errorf("after the rotation %s", got)
	}
	third := save(files.Next)
	if err := files.Promote(); !errors.Is(err, jwks.ErrOld) {
		t.Errorf("an old key was lost: %v", err)
	}
	if old, err := files.Retire(); err != nil || old.ID() != first {
		t.Errorf("retired %v: %v", old, err)
	}
	if err := files.Promote(); err != nil {
		t.Fatal(err)
	}
	if got := ids(); got != third+" "+second {
		t.Errorf("at the end %s", got)
	}
}

func TestAPipeIsNoKey(t *testing.T) {
	at := filepath.Join(t.TempDir(), "key")
	if runtime.GOOS == "windows" || syscall.Mkfifo(at, 0o600) != nil {
		t.Skip("this system has no pipes")
	}
	if _, err := jwks.Load(at); err == nil || !strings.Contains(err.Error(), "it is no file") {
		t.Errorf("error %v", err)
	}
}
