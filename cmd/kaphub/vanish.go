package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/kaphub/kaphub/config"
)

// A store that was used once and is empty now was lost, not new. SQLite would quietly begin another; so that the hub can
// tell, a store that was opened leaves a mark beside it.

// vanished returns an error when the store's file is gone or emptied though it was used before.
func vanished(c *config.Config) error {
	path := dsn(c)
	if isPostgres(path) || size(path+".used") == 0 || size(path) > 0 || size(path+"-wal") > 0 {
		return nil
	}
	name := filepath.Base(path)
	return fmt.Errorf("open store: %s is gone or empty, though it was used before: bring it back, or move what is left of it away and run kaphub restore --from with the last backup; to begin anew, remove %s.used too", name, name)
}

// remember marks the store as used.
func remember(c *config.Config) error {
	path := dsn(c)
	if isPostgres(path) || size(path+".used") > 0 {
		return nil
	}
	if err := os.WriteFile(path+".used", []byte("used\n"), 0o600); err != nil {
		return fmt.Errorf("mark store as used: %w", err)
	}
	return nil
}

// size is a file's length, 0 when there is none.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
