package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/jwks"
)

// keySetPath is under where serve publishes the public keys, of each connector a set of its own. A counterpart that took
// keys meant for another one would take what another one had the hub sign: by naming its token endpoint as its own, one
// could have the hub fetch a token there and bring it home.
const keySetPath = "/.well-known/jwks/"

// keptFor is how long a counterpart may keep the key set that it read.
const keptFor = 15 * time.Minute

type keysCommand struct {
	New    newKey     `cmd:"" help:"Make the key of a connector, or with --next the one that will replace it; prints the public half to register."`
	List   listKeys   `cmd:"" help:"Show every key and its state."`
	Rotate rotateKeys `cmd:"" help:"Let the next key sign. The one before is published on until kaphub keys retire."`
	Retire retireKey  `cmd:"" help:"End the publication of the key of the last rotation, and remove it."`
}

type newKey struct {
	Connector string `arg:"" help:"The connector's name in the config."`
	Alg       string `enum:"ES384,RS384" default:"ES384" help:"ES384 (EC P-384) or RS384 (RSA 3072)."`
	Next      bool   `help:"Make the key for the next rotation."`
}

// Run makes a key file that only its owner may read; it overwrites nothing.
func (c *newKey) Run(ctx context.Context, s *scene) error {
	h, files, err := s.signing(ctx, c.Connector)
	if err != nil {
		return err
	}
	defer h.close()
	file := files.Current
	if c.Next {
		file = files.Next
		if _, err := jwks.Load(files.Current); err != nil {
			return fmt.Errorf("there is no key yet that could be followed by a next one: run kaphub keys new %s: %w", c.Connector, err)
		}
	}
	key, err := jwks.New(c.Alg)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("make the key's directory: %w", err)
	}
	switch err := key.Save(file); {
	case errors.Is(err, fs.ErrExist) && c.Next:
		return fmt.Errorf("%s is there already: run kaphub keys rotate %s to let it sign, or move it away", file, c.Connector)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s is there already and is not overwritten: kaphub keys new %s --next makes the key that will replace it", file, c.Connector)
	case err != nil:
		return err
	}
	if err := h.store.Audit(ctx, h.actor, "key made", c.Connector, key.Algorithm()+" "+key.ID()); err != nil {
		return err
	}
	s.printf("Wrote %s (%s, %s, readable by you alone). Register its public half at the counterpart:\n\n%s\n", file, key.Algorithm(), key.Kind(), jwks.Set([]jwks.Key{key}))
	if set := keySet(&h.config, c.Connector); set != "" {
		s.printf("or register once and for all the address where it and the next ones stand: %s (kaphub serve publishes it)\n", set)
	}
	if c.Next {
		s.printf("It signs nothing yet. When the counterpart knows it: kaphub keys rotate %s\n", c.Connector)
	}
	return nil
}

type listKeys struct {
	Connector string `arg:"" optional:"" help:"Of this connector only."`
	JWKS      bool   `name:"jwks" help:"Print the connector's public key set as JSON, to register by hand."`
}

// Run shows the keys of every connector that signs.
func (c *listKeys) Run(ctx context.Context, s *scene) error {
	s.keyless = true
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	signing := slices.DeleteFunc(slices.Clone(h.connectors), func(one connectors.Connector) bool {
		return one.Keys == nil || c.Connector != "" && one.Name != c.Connector
	})
	switch {
	case c.Connector != "" && len(signing) == 0:
		return fmt.Errorf("%q is no connector that signs: kaphub keys list shows them", c.Connector)
	case c.JWKS && len(signing) > 1:
		return errors.New("several connectors sign, each with keys of its own: name one")
	case c.JWKS && len(signing) == 1:
		keys, err := signing[0].Keys.Published()
		if err != nil {
			return fmt.Errorf("read the keys: %w", err)
		}
		s.printf("%s", jwks.Set(keys))
		return nil
	}
	for _, one := range signing {
		for _, k := range []struct{ file, state string }{{one.Keys.Current, "signs"}, {one.Keys.Next, "next"}, {one.Keys.Old, "old"}} {
			key, err := jwks.Load(k.file)
			switch {
			case errors.Is(err, fs.ErrNotExist) && k.state != "signs":
			case errors.Is(err, fs.ErrNotExist):
				s.printf("%s  %-5s  not there: run kaphub keys new %s\n", one.Name, k.state, one.Name)
			case err != nil:
				s.printf("%s  %-5s  %s: %s\n", one.Name, k.state, k.file, err.Error())
			default:
				s.printf("%s  %-5s  %s  %s  %s  %s\n", one.Name, k.state, key.Algorithm(), key.Kind(), key.ID(), k.file)
			}
		}
	}
	if len(signing) == 0 {
		s.printf("No connector signs anything: write auth {kind: smart, …} where a counterpart asks for it.\n")
	}
	return nil
}

type rotateKeys struct {
	Connector string `arg:"" help:"The connector's name in the config."`
	Now       bool   `help:"Although the next key was made a moment ago: the counterpart knows it already, from a person."`
}

// Run lets the next key sign, once the counterpart can have read it.
func (c *rotateKeys) Run(ctx context.Context, s *scene) error {
	h, files, err := s.signing(ctx, c.Connector)
	if err != nil {
		return err
	}
	defer h.close()
	switch info, err := os.Stat(files.Next); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no next key: run kaphub keys new %s --next, wait until the counterpart knows it, then rotate", c.Connector)
	case err != nil:
		return fmt.Errorf("look at the next key: %w", err)
	case !c.Now && s.now().Sub(info.ModTime()) < keptFor:
		return fmt.Errorf("the next key is younger than %s, and the counterpart may still hold the key set without it: rotate later, or with --now if a person registered it there", keptFor)
	}
	switch err := files.Promote(); {
	case errors.Is(err, jwks.ErrOld):
		return fmt.Errorf("%w: run kaphub keys retire %s first", err, c.Connector)
	case err != nil:
		return err
	}
	key, err := jwks.Load(files.Current)
	if err != nil {
		return err
	}
	if err := h.store.Audit(ctx, h.actor, "key rotated", c.Connector, key.Algorithm()+" "+key.ID()); err != nil {
		return err
	}
	s.printf("%s signs for %s from now on; a running serve needs no restart. The one before is published on: run kaphub check, and after a day kaphub keys retire %s.\n", key.ID(), c.Connector, c.Connector)
	return nil
}

type retireKey struct {
	Connector string `arg:"" help:"The connector's name in the config."`
}

// Run ends the publication of the old key.
func (c *retireKey) Run(ctx context.Context, s *scene) error {
	h, files, err := s.signing(ctx, c.Connector)
	if err != nil {
		return err
	}
	defer h.close()
	key, err := files.Retire()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s has no old key: nothing was rotated, or it is retired already", c.Connector)
	case err != nil:
		return err
	}
	if err := h.store.Audit(ctx, h.actor, "key retired", c.Connector, key.Algorithm()+" "+key.ID()); err != nil {
		return err
	}
	s.printf("%s is published no more and its file is removed.\n", key.ID())
	return nil
}

// signing opens the hub, whose keys may be missing, and returns the key files of the connector called name.
func (s *scene) signing(ctx context.Context, name string) (*hub, jwks.Files, error) {
	s.keyless = true
	h, err := s.open(ctx)
	if err != nil {
		return nil, jwks.Files{}, err
	}
	var those []string
	for _, one := range h.connectors {
		if one.Keys == nil {
			continue
		}
		if one.Name == name {
			return h, *one.Keys, nil
		}
		those = append(those, one.Name)
	}
	h.close()
	if len(those) == 0 {
		return nil, jwks.Files{}, errors.New("no connector signs anything: write auth {kind: smart, client_id: …, key_file: …, scopes: […]} first")
	}
	return nil, jwks.Files{}, fmt.Errorf("%q is no connector that signs: write %s", name, strings.Join(those, " or "))
}

// publishKeys answers with a connector's public key set. It asks nobody who they are: public keys are for everybody.
func (h *hub) publishKeys(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutSuffix(r.PathValue("set"), ".json")
	i := slices.IndexFunc(h.connectors, func(one connectors.Connector) bool { return ok && one.Keys != nil && one.Name == name })
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	keys, err := h.connectors[i].Keys.Published()
	if err != nil {
		h.log.Error("a key cannot be published", "connector", name, "error", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(int(keptFor.Seconds())))
	_, _ = w.Write(jwks.Set(keys)) // the asker has gone: nobody to tell
}

// keySet is where its counterpart finds a connector's public keys, "" if the hub has no address for the world.
func keySet(c *config.Config, connector string) string {
	if c.Hub.PublicURL == "" {
		return ""
	}
	return strings.TrimRight(c.Hub.PublicURL, "/") + keySetPath + connector + ".json"
}
