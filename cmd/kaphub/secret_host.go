package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/skylight"
)

// A token is the secret of one server. So that it is never sent to another whose address was written in its place, the hub
// notes beside the token's file for which host it was used.
//
//	noted           the file was written since    the hub
//	nothing         –                             uses it, and notes the host
//	this host       –                             uses it
//	another host    yes                           uses it, and notes this host
//	another host    no                            does not begin: the token is asked for

// hostNote is the file that says for which host a token is.
func hostNote(token string) string { return token + ".host" }

// givenElsewhere is the host that a token's file was used for and was not written for anew; "" when it may be used for host.
func givenElsewhere(token, host string) string {
	note, err := os.ReadFile(hostNote(token))
	was := strings.TrimSpace(string(note))
	if err != nil || was == host {
		return ""
	}
	noted, err := os.Stat(hostNote(token))
	if err != nil {
		return was
	}
	written, err := os.Stat(token)
	if err != nil || written.ModTime().After(noted.ModTime()) {
		return ""
	}
	return was
}

// noteHosts notes of each token for which host it is used. A directory that is not the hub's to write into is left as it is.
func noteHosts(c *config.Config) {
	for _, e := range c.Connectors() {
		own, ok := overREST(c, e)
		if !ok || own.Auth.Kind != fhirrest.AuthBearer || own.Auth.TokenFile == "" {
			continue
		}
		token, host := c.Path(own.Auth.TokenFile), hostOf(own.BaseURL)
		written, err := os.Stat(token)
		if err != nil {
			continue
		}
		noted, err := os.Stat(hostNote(token))
		if was, _ := os.ReadFile(hostNote(token)); err == nil && strings.TrimSpace(string(was)) == host && !written.ModTime().After(noted.ModTime()) {
			continue
		}
		_ = os.WriteFile(hostNote(token), []byte(host+"\n"), 0o600) // where it cannot be kept, nothing is asked
	}
}

// overREST is what a connector's entry says of a FHIR server; false when it is none.
func overREST(c *config.Config, e config.Connector) (own fhirrest.Config, ok bool) {
	kind, problem := through(c, e)
	if problem != nil || kind != skylight.OverREST {
		return own, false
	}
	return own, len(e.Decode(&own)) == 0
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// tokenAnew ends the path of the field that asks for another server's token. The config has no such key: the token goes to a
// file of its own.
const tokenAnew = ".auth.token_anew" //nolint:gosec // a key, and no secret

// askToken asks for the token of the server that is about to be named in another's place.
func askToken(under string) console.Field {
	return console.Field{Path: under + tokenAnew, Label: "Where the address is on another host now: the token that it gave", Kind: console.KindSecret,
		Hint: "Required then. The token that is kept was given by the server before, and is not sent to another. Kept in a file of its own and never shown again."}
}

// anotherServer asks for the secrets of the server that a source's changed address names. The field's text is never shown
// again. It answers whether the change can go on, and what takes away again what was kept for it.
func (k steward) anotherServer(was console.Section, is *console.Section, file map[string]string) (goes bool, undo func(), err error) {
	undo = func() {}
	var ask *console.Field
	for i := range is.Fields {
		if strings.HasSuffix(is.Fields[i].Path, tokenAnew) {
			ask = &is.Fields[i]
		}
	}
	if ask == nil {
		return true, undo, nil
	}
	under := strings.TrimSuffix(ask.Path, tokenAnew)
	token := ask.Text
	ask.Text = ""
	base := fieldOf(is, under+".base_url")
	before, now := hostOf(textOf(was, under+".base_url")), hostOf(base.Text)
	if before == "" || now == "" || before == now {
		return true, undo, nil
	}
	for _, key := range []string{".auth.token_url", ".auth.audience"} { // of smart: whose they are
		if f := fieldOf(is, under+key); f != nil && f.Text != "" && f.Text == textOf(was, under+key) {
			f.Wrong = append(f.Wrong, "is of "+before+": write what "+now+" has, or empty it")
			return false, undo, nil
		}
	}
	kind, place := fieldOf(is, under+".auth.kind"), fieldOf(is, under+".auth.token_file")
	switch {
	case kind == nil || place == nil || kind.Text != fhirrest.AuthBearer:
		return true, undo, nil
	case file[under+".auth.token_env"] != "":
		base.Wrong = append(base.Wrong, "is another server than "+before+", whose token stands in the hub's environment: change both by hand")
		return false, undo, nil
	case place.Text != textOf(was, under+".auth.token_file"):
		return true, undo, nil // another file; what it was used for is noted beside it
	}
	name := secretsIn + file[under+".name"] + "@" + strings.ReplaceAll(now, ":", "-")
	at := drawer{filepath.Dir(k.config.File()), k.log}
	if token == "" && !at.has(name) {
		ask.Wrong = append(ask.Wrong, now+" is another server than "+before+": write the token that it gave; the one that is kept is not sent there")
		return false, undo, nil
	}
	undo, err = at.confide(name, token)
	ask.Held, place.Text = true, name
	return err == nil, undo, err
}

// anotherHost says what is wrong with a token that was given by another server than base names; "" when nothing is.
func (at *site) anotherHost(a fhirrest.AuthConfig, base string) string {
	was := givenElsewhere(at.config.Path(a.TokenFile), hostOf(base))
	if was == "" {
		return ""
	}
	return fmt.Sprintf("is another server than %s, by which the token in %s was given: write the token of this one into that file, or name another file for it", was, a.TokenFile)
}
