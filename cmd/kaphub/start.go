package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
)

// begin leads through the first run where there is no config yet, at the door of the hub that is to be, and returns when
// there is one. ready is false when somebody left before.
func (s *scene) begin(ctx context.Context, at *entrance) (ready bool, err error) {
	file := s.cli.Config
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	w := &wizard{scene: s, final: file, done: make(chan struct{})}
	if !w.begun() {
		for _, name := range []string{"kaphub.key", "kaphub.db"} { // a hub lived here, and lost its config
			if _, err := os.Lstat(filepath.Join(filepath.Dir(file), name)); err == nil {
				return true, nil
			}
		}
	}
	listen := "127.0.0.1:8080"
	if set := s.getenv("KAPHUB_LISTEN"); set != "" {
		listen = set
	}
	if host, _, err := net.SplitHostPort(listen); err != nil || !onThisMachine("http://"+net.JoinHostPort(host, "1")) {
		return false, fmt.Errorf("there is no config at %s, and setting it up is for this machine alone: set KAPHUB_LISTEN to 127.0.0.1:8080 for as long, or write one with kaphub init", file)
	}
	if err := at.open(ctx, listen); err != nil {
		return false, err
	}
	text := rand.Text()
	code := text[:4] + "-" + text[4:8]
	routes, err := console.NewStart(w, code, s.now, s.log)
	if err != nil {
		return false, err
	}
	server := &http.Server{Handler: routes, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(at) }()
	s.printf("There is no %s yet. Open http://%s on this machine and type this code: %s\nCtrl-C leaves it; kaphub serve goes on where it was left.\n", filepath.Base(file), at.address(), code)
	select {
	case <-ctx.Done():
	case <-w.done:
		ready = true
	case err = <-failed:
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	at.fresh = ready
	return ready, errors.Join(err, server.Shutdown(ending), w.leave())
}
