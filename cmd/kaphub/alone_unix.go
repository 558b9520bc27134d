//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/kaphub/kaphub/config"
)

// alone holds the right to serve a SQLite store until leave is called or the process ends: a second serve beside the
// first would add nothing, and whoever started it probably believes the first one dead. PostgreSQL is for several.
func alone(c *config.Config) (leave func(), err error) {
	path := dsn(c)
	if isPostgres(path) {
		return func() {}, nil
	}
	f, err := os.OpenFile(path+".serve", os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // beside the store
	if err != nil {
		return nil, fmt.Errorf("lock store for serving: %w", err)
	}
	leave = func() { _ = f.Close() } // the lock goes with it
	for {
		switch err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == nil:
			return leave, nil
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			err = fmt.Errorf("another kaphub serve keeps %s already: stop that one first, or set store.dsn to a PostgreSQL database, which serves several", filepath.Base(path))
		default:
			err = fmt.Errorf("lock store for serving: %w", err)
		}
		leave()
		return nil, err
	}
}
