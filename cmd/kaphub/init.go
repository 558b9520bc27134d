package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors/skylight"
	"github.com/kaphub/kaphub/fhir/store"
)

type initCommand struct {
	Preset string `enum:",skylight" default:"" help:"Whose prescriber block to begin with: skylight."`
	Owner  string `placeholder:"LOGIN" help:"The login of the first owner, who is invited to the console and lets others in."`
	Name   string `help:"How the first owner is called."`
}

// Run writes a config to start from and a key, and prints the recovery key once; and the invitation of the first owner,
// where there is one. What is there already stays as it is.
func (c *initCommand) Run(ctx context.Context, s *scene) error {
	file := s.cli.Config
	keyFile := filepath.Join(filepath.Dir(file), "kaphub.key")
	for _, name := range []string{file, keyFile} {
		if _, err := os.Lstat(name); err == nil {
			return fmt.Errorf("%s is there already: init overwrites nothing, so go to an empty directory, or move it away if you are sure", name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("init: %w", err)
		}
	}
	if err := c.ask(s.asker(ctx, time.UTC)); err != nil {
		return err
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
	if c.Owner == "" {
		return nil
	}
	return c.invite(ctx, s)
}

// ask asks for the first owner, where somebody sits there; nobody need be named yet.
func (c *initCommand) ask(a *asker) error {
	if c.Owner == "" && c.Name != "" {
		return errors.New("init: --name is whose? Give the first owner's login too: --owner LOGIN")
	}
	if err := a.text(&c.Owner, question{flag: "owner", ask: "Login of the first owner of the console", form: "like ann", usual: "-"}); err != nil {
		return err
	}
	if c.Owner == "" {
		return nil
	}
	if err := a.text(&c.Name, question{flag: "name", ask: "Their name, as the audit log shows it"}); err != nil {
		return err
	}
	if err := c.profile().Check(); err != nil { // before anything is written
		return fmt.Errorf("init: the first owner: %w", err)
	}
	return nil
}

func (c *initCommand) profile() people.Profile {
	return people.Profile{Login: c.Owner, Name: c.Name, Roles: []people.Role{people.Owner}}
}

// invite makes the store, with the first owner's account in it.
func (c *initCommand) invite(ctx context.Context, s *scene) error {
	written, err := config.Load(s.cli.Config, s.environment)
	if _, unfinished := errors.AsType[*config.Invalid](err); err != nil && !unfinished { // what is left to be written has no part in this
		return err
	}
	key, err := masterKey(&written)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Options{DSN: dsn(&written), Key: key, Now: s.now})
	if err != nil {
		return err
	}
	house, err := houseOf(s, db, written.Hub.Name)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	a, inv, err := house.Invite(ctx, actor(), c.profile())
	if err != nil {
		return errors.Join(fmt.Errorf("invite the first owner: %w", err), db.Close())
	}
	s.printf("\n%s may come in as %s (owner) once kaphub serve runs. Shown once, works once, and for three days:\n\n    %s\n", a.Name, a.Login, link(written.Hub.PublicURL, inv))
	if written.Hub.PublicURL == "" {
		s.printf("\nIt follows the hub's address, like http://%s.\n", written.Hub.Listen)
	}
	return db.Close()
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
