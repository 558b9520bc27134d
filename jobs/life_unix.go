//go:build unix

package jobs

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// life is a lock beside the database file that is shared by every engine alive on it. The system takes it from a process
// that dies.
type life struct {
	f     *os.File
	alone bool // nobody else is alive; the lock is exclusive until share
}

// live takes the lock, exclusively when nobody else is alive. It waits while another, alone, takes up what was left.
func live(ctx context.Context, database string) (*life, error) {
	if database == "" {
		return &life{alone: true}, nil // in memory
	}
	f, err := os.OpenFile(database+".jobs", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	l := &life{f: f}
	for {
		if err = l.flock(syscall.LOCK_EX); err == nil {
			l.alone = true
			return l, nil
		}
		if err = l.flock(syscall.LOCK_SH); err == nil {
			return l, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// share lets others live too.
func (l *life) share() error {
	l.alone = false
	if l.f == nil {
		return nil
	}
	return l.flock(syscall.LOCK_SH)
}

func (l *life) flock(how int) error {
	for {
		if err := syscall.Flock(int(l.f.Fd()), how|syscall.LOCK_NB); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

func (l *life) end() error {
	if l.f == nil {
		return nil
	}
	return l.f.Close()
}
