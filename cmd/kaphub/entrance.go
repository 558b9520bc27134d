package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// errChanged is why a hub stops serving that is to be opened anew: its config was written.
var errChanged = errors.New("the config was written anew")

// entrance is where a hub is reached: its door stays open while one hub is closed and the next not open yet: who knocks then waits a
// moment, and finds nobody gone.
type entrance struct {
	tcp   *net.TCPListener
	told  bool // somebody was told where it is
	fresh bool // the hub was just set up, or has a source that it had not: it reads them at once
}

// open listens, unless the door is open already: on another address only after a restart.
func (d *entrance) open(ctx context.Context, address string) error {
	if d.tcp != nil {
		return d.tcp.SetDeadline(time.Time{})
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen on hub.listen: %w", err)
	}
	d.tcp = listener.(*net.TCPListener) //nolint:forcetypeassert // tcp was asked for
	return nil
}

// Accept waits for the next to knock.
func (d *entrance) Accept() (net.Conn, error) { return d.tcp.Accept() }

// Addr is where the door is.
func (d *entrance) Addr() net.Addr { return d.tcp.Addr() }

func (d *entrance) address() *net.TCPAddr { return d.tcp.Addr().(*net.TCPAddr) } //nolint:forcetypeassert // of a TCP listener

// Close ends the waiting of the hub that is being closed, and leaves the door open for the next.
func (d *entrance) Close() error { return d.tcp.SetDeadline(time.Unix(1, 0)) }

// shut ends it.
func (d *entrance) shut() error {
	if d.tcp == nil {
		return nil
	}
	return d.tcp.Close()
}

// live serves h, and whenever its config was written anew the hub that this config makes, until ctx ends. The config is
// always read once, strictly and whole: no hub ever runs by a part of one and a part of another.
func (s *scene) live(ctx context.Context, h *hub, at *entrance, open func(context.Context) (*hub, error), serve func(context.Context, *hub, *entrance) error) (err error) {
	defer func() { err = errors.Join(err, at.shut()) }()
	for {
		err := serve(ctx, h, at)
		h.close()
		if !errors.Is(err, errChanged) || ctx.Err() != nil {
			if errors.Is(err, errChanged) {
				err = nil
			}
			return err
		}
		before := h.written
		if h, err = open(ctx); err != nil {
			return fmt.Errorf("open the hub by the config that was just written: %w", err)
		}
		at.fresh = at.fresh || comesAlong(before, h.written)
		s.log.Info("the hub was opened anew by its config")
		h.judgeFirst(ctx)
	}
}

// comesAlong reports whether somebody's records are read from a source from which they were not.
func comesAlong(before, now []readiness.Policy) bool {
	sources := func(all []readiness.Policy) (names []string) {
		for _, p := range all {
			names = append(append(names, p.Practice.Sources...), p.Prescriber.Sources...)
		}
		return names
	}
	old := sources(before)
	return slices.ContainsFunc(sources(now), func(name string) bool { return !slices.Contains(old, name) })
}

// judgeFirst judges by the new settings before anybody is let in, for a few seconds at most: of a practice that is
// everybody, and of a network those who are left are UNKNOWN until the engine has judged them.
func (h *hub) judgeFirst(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := h.reconcile(ctx, nil); err != nil && ctx.Err() == nil {
		h.log.Warn("judge by the new settings", "error", err) // the engine does so again
	}
}
