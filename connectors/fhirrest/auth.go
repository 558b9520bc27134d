package fhirrest

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/connectors/jwks"
)

// AuthConfig says how the hub proves who it is. The token itself never stands in the config.
type AuthConfig struct {
	Kind string `yaml:"kind"` // none (loopback only), bearer or smart

	TokenFile string `yaml:"token_file"` // of bearer: one of the two
	TokenEnv  string `yaml:"token_env"`

	ClientID    string   `yaml:"client_id"`     // of smart: as the counterpart registered it
	KeyFile     string   `yaml:"key_file"`      // a private JWK or PEM, mode 0600, made by kaphub keys new
	NextKeyFile string   `yaml:"next_key_file"` // key_file.next: published beside it before it signs
	Scopes      []string `yaml:"scopes"`        // system/Task.rs …
	Audience    string   `yaml:"audience"`      // left out: the token endpoint
	TokenURL    string   `yaml:"token_url"`     // left out: as the server's .well-known/smart-configuration says
}

// validate returns every mistake in a, and whether it does for base.
func (a AuthConfig) validate(base string) []connectors.Mistake {
	var all []connectors.Mistake
	wrong := func(bad bool, key, format string, args ...any) {
		if bad {
			all = append(all, connectors.Mistake{Key: key, Text: fmt.Sprintf(format, args...)})
		}
	}
	kind := a.Kind
	known := kind == AuthNone || kind == AuthBearer || kind == AuthSmart
	wrong(!known, "auth.kind", "is none of none, bearer and smart: write {kind: smart, client_id: …, key_file: …, scopes: […]}, {kind: bearer, token_file: …}, or {kind: none} for a server on this machine")
	if !known {
		kind = AuthBearer // said once
	}
	if _, err := rest.CheckBase(base, kind); err != nil {
		wrong(true, "base_url", "%s", err.Error())
	}
	given := (a.TokenFile != "") != (a.TokenEnv != "")
	token := a.TokenFile != "" || a.TokenEnv != ""
	smart := a.ClientID != "" || a.KeyFile != "" || a.NextKeyFile != "" || len(a.Scopes) > 0 || a.Audience != "" || a.TokenURL != ""
	wrong(a.Kind == AuthBearer && !given, "auth", "needs its token from one place: write token_file or token_env")
	wrong(a.Kind == AuthNone && token, "auth", "names a token and kind none: write kind: bearer, or take the token out")
	wrong(a.Kind == AuthSmart && token, "auth", "names a token and kind smart, which asks for its own: take the token out")
	wrong(known && a.Kind != AuthSmart && smart, "auth", "names what only smart needs: write kind: smart, or take it out")
	if a.Kind != AuthSmart {
		return all
	}
	wrong(a.ClientID == "", "auth", "has no client_id: write the one that the counterpart registered for the hub")
	wrong(a.KeyFile == "", "auth", "has no key_file: write key_file: secrets/NAME.jwk, and make it with kaphub keys new")
	wrong(a.KeyFile != "" && a.KeyFile == a.NextKeyFile, "auth.next_key_file", "is key_file: the next key needs a file of its own")
	wrong(len(a.Scopes) == 0, "auth", "has no scopes: write what the counterpart registered, like [system/Patient.rs, system/Task.cruds]")
	for i, s := range a.Scopes {
		wrong(!rest.SystemScope(s), fmt.Sprintf("auth.scopes[%d]", i), "is no SMART scope for a system: write it like system/Task.rs, system/Task.cruds or system/*.read")
	}
	if a.TokenURL != "" {
		if err := rest.CheckTokenURL(a.TokenURL, onLoopback(base)); err != nil {
			wrong(true, "auth.token_url", "%s", err.Error())
		}
	}
	return all
}

func onLoopback(base string) bool {
	_, err := rest.CheckBase(base, AuthNone) // which is for this machine only
	return err == nil
}

// Keys are the files of the keys that a signs with; nil where it signs nothing.
func (a AuthConfig) Keys(path func(string) string) *jwks.Files {
	if a.Kind != AuthSmart || a.KeyFile == "" {
		return nil
	}
	next := a.NextKeyFile
	if next != "" {
		next = path(next)
	}
	files := jwks.At(path(a.KeyFile), next)
	return &files
}

// smart is how tokens are got with the keys in files, which are read when they are used.
func (a AuthConfig) smart(files jwks.Files) *rest.Smart {
	return &rest.Smart{
		ClientID: a.ClientID, Scopes: a.Scopes, Audience: a.Audience, TokenURL: a.TokenURL,
		Key: func() (jwks.Key, error) { return jwks.Load(files.Current) },
	}
}

func (a AuthConfig) token(path, env func(string) string) (string, error) {
	if a.TokenEnv != "" {
		return strings.TrimSpace(env(a.TokenEnv)), nil
	}
	text, err := os.ReadFile(path(a.TokenFile))
	if err != nil {
		return "", errors.New("the token's file cannot be read")
	}
	return strings.TrimSpace(string(text)), nil
}
