package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/report"
)

// patience is how long running jobs may take to end when the hub is told to stop.
const patience = 30 * time.Second

type serveCommand struct{}

// Run keeps schedules and queue until it is told to stop.
func (c *serveCommand) Run(ctx context.Context, s *scene) error {
	at := &entrance{}
	if ready, err := s.begin(ctx, at); err != nil || !ready {
		return errors.Join(err, at.shut())
	}
	h, err := s.open(ctx)
	if err != nil {
		return errors.Join(err, at.shut())
	}
	return s.live(ctx, h, at, s.open, func(ctx context.Context, h *hub, at *entrance) error {
		leave, err := alone(&h.config)
		if err != nil {
			return err
		}
		defer leave()
		if err := h.noteConfig(ctx); err != nil {
			return err
		}
		m := newMetrics(h)
		routes, err := h.windowed(m, nil)
		if err != nil {
			return err
		}
		return h.serve(ctx, at, m, h.jobs, routes, func(address string) {
			s.printf("kaphub serves on http://%s: the console, /healthz, /readyz, /metrics. Ctrl-C stops it.\n", address)
		})
	})
}

// serve runs the engine and answers questions at the door until ctx ends, or the config is written anew; then running jobs
// may end. up is told the address when the door was opened for it.
func (h *hub) serve(ctx context.Context, at *entrance, m *metrics, work func(nudge func(string)) []jobs.Job, routes http.Handler, up func(address string)) error {
	nudge := func(string) {} // until the engine is there
	engine, err := h.engine(ctx, h.watched(m, work(func(job string) { nudge(job) })))
	if err != nil {
		return err
	}
	h.running.Store(engine)
	defer h.running.Store(nil)
	nudge = func(job string) {
		if err := engine.Nudge(context.WithoutCancel(ctx), job); err != nil { // its look will come anyway
			h.log.Warn("nudge", "job", job, "error", err)
		}
	}
	first := !at.told
	if err := at.open(ctx, h.config.Hub.Listen); err != nil {
		return errors.Join(err, engine.Stop(ctx))
	}
	if at := at.address(); !at.IP.IsLoopback() {
		h.log.Warn("the hub listens beyond this machine without TLS of its own: put a TLS proxy before it and name it in hub.public_url", "address", at.String())
	}
	server := newServer(routes, h.log)
	if err := engine.Start(ctx); err != nil {
		return errors.Join(err, engine.Stop(ctx))
	}
	h.log.Info("serving", "address", at.address().String())
	if at.told = true; first {
		up(at.address().String())
	}
	nudge("reconcile") // the policies may be others than before
	if at.fresh {
		at.fresh = false
		nudge("sync")
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(at) }()
	select {
	case <-ctx.Done():
		err = nil
	case <-h.rewritten:
		err = errChanged
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return errors.Join(err, server.Shutdown(ending), engine.Stop(ending))
}

// newServer answers by routes, and waits for nobody for long.
func newServer(routes http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: routes, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // what strangers do wrong is no news
	}
}

// watched logs and counts every run. A busy lane is an answer, not a failure.
func (h *hub) watched(m *metrics, list []jobs.Job) []jobs.Job {
	for i, j := range list {
		list[i].Work = func(ctx context.Context) (jobs.Counts, error) {
			began := time.Now()
			counts, err := j.Work(ctx)
			m.ran(j.Name, time.Since(began), err)
			switch {
			case err != nil:
				h.log.ErrorContext(ctx, "job failed", "job", j.Name, "error", err)
			case len(counts) > 0:
				h.log.InfoContext(ctx, "job done", "job", j.Name, "counts", counts)
			}
			return counts, err
		}
	}
	return list
}

// windowed are the routes of the operator's tools, and the console for everything else. guest is who everybody is, where
// nobody needs to sign in: in the demo.
func (h *hub) windowed(m *metrics, guest *people.Account) (http.Handler, error) {
	options, err := h.console(guest)
	if err != nil {
		return nil, err
	}
	window, err := console.New(options)
	if err != nil {
		return nil, err
	}
	mux := h.routes(m)
	mux.Handle("/", window)
	return mux, nil
}

// routes are what the operator's own tools ask: counts and states only, no client data.
func (h *hub) routes(m *metrics) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		text, ready := h.ready(r.Context())
		if forwarded(r) { // which sources there are is the operator's
			text, _, _ = strings.Cut(text, "\n")
			text += "\n"
		}
		if !ready {
			answer(w, http.StatusServiceUnavailable, text)
			return
		}
		answer(w, http.StatusOK, text)
	})
	mux.HandleFunc("GET "+keySetPath+"{set}", h.publishKeys)
	metrics := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorLog: errorLog{h.log}})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if forwarded(r) {
			answer(w, http.StatusForbidden, "The counts are for the practice's own monitoring: ask the hub itself, not its proxy.\n")
			return
		}
		metrics.ServeHTTP(w, r)
	})
	return mux
}

// forwarded reports whether a proxy passed a request on: the world's side of it is not the operator's.
func forwarded(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// ready reports whether the hub can do its work. A source that is stale is told and does not make the hub unready:
// restarting it would not bring the partner back.
func (h *hub) ready(ctx context.Context) (text string, ok bool) {
	paused, err := h.store.Paused(ctx)
	if err != nil {
		return "the store cannot be reached\n", false
	}
	states, err := h.store.Sources(ctx, 0)
	if err != nil {
		return "the store cannot be read\n", false
	}
	if paused {
		return "sending is paused after a restore: run kaphub sync\n", false
	}
	text = "ready\n"
	for _, source := range report.SourceStates(h.policies(), states, h.now()) {
		text += fmt.Sprintf("source %s: %s\n", source.Name, source.State)
	}
	return text, true
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the asker has gone: nobody to tell
}
