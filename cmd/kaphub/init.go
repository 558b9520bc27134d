package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors/skylight"
	"github.com/kaphub/kaphub/fhir/store"
)

type initCommand struct {
	Preset string `enum:",skylight" default:"" help:"Whose prescriber block to begin with: skylight."`
}

// Run writes a config to start from and a key, and prints the recovery key once. What is there already stays as it is.
func (c *initCommand) Run(s *scene) error {
	file := s.cli.Config
	keyFile := filepath.Join(filepath.Dir(file), "kaphub.key")
	for _, name := range []string{file, keyFile} {
		if _, err := os.Lstat(name); err == nil {
			return fmt.Errorf("%s is there already: init overwrites nothing, so go to an empty directory, or move it away if you are sure", name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("init: %w", err)
		}
	}
	key := store.NewKey()
	if err := key.Save(keyFile); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if err := create(file, c.body()); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	s.printf(`Wrote %s and %s (readable by you alone).

Recovery key, shown this once: write it down and keep it apart from this machine.

    %s

Without the key file or this line nobody can open the store or its backups, you included.
Next: %s in %s, then run kaphub check.
`, file, keyFile, key.Recovery(), c.next(), file)
	return nil
}

// next is what to write into the config first.
func (c *initCommand) next() string {
	if c.Preset == kindSkylight {
		return "say where the practice's records are (an EHR, or a calendar) and what Skylight agreed to"
	}
	return "set the base_urls and the prescriber's identifiers"
}

// body is the config to start from.
func (c *initCommand) body() []byte {
	if c.Preset != kindSkylight {
		return config.Example
	}
	const begins, ends = "\nprescribers:", "\nschedules:"
	before, rest, _ := strings.Cut(string(config.Example), begins)
	_, after, _ := strings.Cut(rest, ends)
	return []byte(before + "\n" + strings.TrimRight(skylight.Prescriber, "\n") + "\n" + ends + after)
}

// create writes a new file that only its owner may read; it never overwrites.
func create(name string, body []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	return errors.Join(err, f.Close())
}

// masterKey is the store's key: from the environment, else from its file.
func masterKey(c *config.Config) (store.Key, error) {
	if c.Store.Key.IsZero() {
		return store.LoadKey(c.Path(c.Store.KeyFile))
	}
	key, err := store.ParseKey(c.Store.Key.Reveal())
	if err != nil {
		return key, fmt.Errorf("KAPHUB_KEY: %w", err)
	}
	return key, nil
}
