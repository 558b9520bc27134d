package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir/store"
)

type backupCommand struct {
	Out string `required:"" placeholder:"FILE" help:"Where to write it; overwrites nothing."`
}

// Run writes a backup.
func (c *backupCommand) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.store.Audit(ctx, actor(), "backup", "", ""); err != nil { // first, so that the copy holds it too
		return err
	}
	if err := h.store.Backup(ctx, c.Out); err != nil {
		return err // it says that it is the backup
	}
	s.printf("Wrote %s, encrypted, and its signature %s.sig: keep these two together. They open only with this hub's key, which is not in them: keep that apart.\n", c.Out, c.Out)
	return nil
}

type restoreCommand struct {
	From        string `placeholder:"FILE" help:"The backup." xor:"from" required:""`
	InPlace     bool   `help:"The store was brought back already, by pg_restore or with its whole disk: make it safe to go on with." xor:"from" required:""`
	RecoveryKey bool   `help:"Read the recovery key from standard input, and write the lost key file anew from it."`
}

// Run makes the configured store from a backup, or takes it as somebody else brought it back. The restored hub starts
// paused, with nobody signed in and no invitation open.
func (c *restoreCommand) Run(ctx context.Context, s *scene) error {
	cfg, key, err := c.key(s)
	if err != nil {
		return err
	}
	if c.InPlace {
		return c.settle(ctx, s, "what was brought back")
	}
	if isPostgres(cfg.Store.DSN.Reveal()) {
		return errors.New("restore: this store is PostgreSQL: bring your dump back with pg_restore, then run kaphub restore --in-place, before kaphub serve")
	}
	if _, err := os.Stat(c.From); err != nil {
		return fmt.Errorf("restore: %s is not there: name the backup; its signature, %s.sig, must lie beside it", c.From, c.From)
	}
	if err := store.Restore(ctx, c.From, dsn(&cfg), key); err != nil {
		return err // it says that it is the restore
	}
	if file := cfg.Path(cfg.Store.KeyFile); c.RecoveryKey && !exists(file) { // now that it has proved to be the right one
		if err := key.Save(file); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
	}
	return c.settle(ctx, s, cfg.Store.DSN.Reveal())
}

// settle ends what a store that was brought back must not bring along, and says what to do next.
func (c *restoreCommand) settle(ctx context.Context, s *scene, what string) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	if c.InPlace {
		if err := h.store.Restored(ctx); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
	}
	if err := h.store.Audit(ctx, actor(), "restore", "", ""); err != nil {
		return err
	}
	house, err := houseOf(s, h.store, h.config.Hub.Name)
	if err != nil {
		return err
	}
	withdrawn, err := house.Withdraw(ctx, actor()) // each may have been used since
	if err != nil {
		return err
	}
	all, err := house.Accounts(ctx)
	if err != nil {
		return err
	}
	s.printf("Restored %s. It sends nothing yet: run kaphub sync, which reads every source and asks about every open attempt first.\n", what)
	if len(all) > 0 {
		s.printf("Everybody signs in again, and accounts stand as they did when the backup was made: look through kaphub user list.\n")
	}
	if withdrawn > 0 {
		s.printf("%s withdrawn: they may have been used since. kaphub user reset LOGIN makes a new one.\n", many(withdrawn, "invitation"))
	}
	return nil
}

// key is the config, and the key as the config names it or as it was written down.
func (c *restoreCommand) key(s *scene) (config.Config, store.Key, error) {
	if !c.RecoveryKey {
		cfg, err := config.Load(s.cli.Config, s.environment)
		if err != nil {
			return cfg, store.Key{}, err
		}
		key, err := masterKey(&cfg)
		return cfg, key, err
	}
	// With a key in the environment the missing key file is no mistake: it is why we are here.
	cfg, err := config.Load(s.cli.Config, append(slices.Clip(s.environment), "KAPHUB_KEY=to be read"))
	if err != nil {
		return cfg, store.Key{}, err
	}
	if _, ok := terminal(s.in); ok {
		_, _ = fmt.Fprint(s.err, "Recovery key: ")
	}
	line, err := bufio.NewReader(io.LimitReader(s.in, 1000)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return cfg, store.Key{}, fmt.Errorf("read recovery key: %w", err)
	}
	key, err := store.ParseRecovery(line)
	if err != nil {
		return cfg, key, err
	}
	file := cfg.Path(cfg.Store.KeyFile)
	if there, err := store.LoadKey(file); exists(file) && (err != nil || there != key) {
		return cfg, key, fmt.Errorf("restore: %s is there and is another key than the one you gave: move it away first", cfg.Store.KeyFile)
	}
	return cfg, key, nil
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return err == nil
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}
