package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
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
		return fmt.Errorf("backup: %w", err)
	}
	s.printf("Wrote %s, encrypted and signed. It opens only with this hub's key, which is not in it: keep the two apart.\n", c.Out)
	return nil
}

type restoreCommand struct {
	From        string `required:"" placeholder:"FILE" help:"The backup."`
	RecoveryKey bool   `help:"Read the recovery key from standard input, and write the lost key file anew from it."`
}

// Run makes the configured store from a backup. The restored hub starts paused.
func (c *restoreCommand) Run(ctx context.Context, s *scene) error {
	if c.RecoveryKey {
		if err := c.recover(s); err != nil {
			return err
		}
	}
	cfg, err := config.Load(s.cli.Config, s.environment)
	if err != nil {
		return err
	}
	key, err := masterKey(&cfg)
	if err != nil {
		return err
	}
	if isPostgres(cfg.Store.DSN.Reveal()) {
		return errors.New("restore: this store is PostgreSQL: use pg_restore with your own dump, then run kaphub sync")
	}
	if err := store.Restore(ctx, c.From, dsn(&cfg), key); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.store.Audit(ctx, actor(), "restore", "", ""); err != nil {
		return err
	}
	s.printf("Restored %s. It sends nothing yet: run kaphub sync, which reads every source and asks about every open attempt first.\n", cfg.Store.DSN.Reveal())
	return nil
}

// recover writes the key file anew from the recovery key; one that is there already stays.
func (c *restoreCommand) recover(s *scene) error {
	line, err := bufio.NewReader(io.LimitReader(s.in, 1000)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read recovery key: %w", err)
	}
	key, err := store.ParseRecovery(line)
	if err != nil {
		return err
	}
	cfg, err := config.Load(s.cli.Config, s.environment)
	if _, mistakes := errors.AsType[*config.Invalid](err); err != nil && !mistakes { // the key file is missing: that is why we are here
		return err
	}
	return key.Save(cfg.Path(cfg.Store.KeyFile))
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}
