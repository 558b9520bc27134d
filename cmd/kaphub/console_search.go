package main

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/fhir"
)

// names are who clients are, as the practice's records had it when somebody was looked for last.
type names struct {
	mu     sync.Mutex
	moment fhir.Moment
	by     map[string]entry.Bearer
}

// Meant returns by what words mean a client: "" means everybody.
func (w window) Meant(ctx context.Context, words string) (console.Meant, error) {
	by, err := w.names.now(ctx, w.hub)
	if err != nil {
		return console.Meant{}, err
	}
	sought := w.clock().Sought(words)
	return console.Meant{
		Is:      func(client string) bool { return sought.Means(by[client]) },
		Born:    func(client string) string { return by[client].Born },
		Surely:  func(client string) bool { return sought.Surely(by[client]) },
		Exactly: func(client string) bool { return sought.Fully(by[client]) },
		All:     func() []string { return meant(by, sought) },
	}, nil
}

// meant are the keys of all whom somebody may look for, in their order.
func meant(by map[string]entry.Bearer, sought entry.Sought) (keys []string) {
	for client, b := range by {
		if sought.Means(b) {
			keys = append(keys, client)
		}
	}
	slices.Sort(keys)
	return keys
}

// now returns the names as they are now: only of those whom something befell they are read anew. Nobody changes the map.
func (n *names) now(ctx context.Context, h *hub) (map[string]entry.Bearer, error) {
	moment, err := h.store.Newest(ctx)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if moment <= n.moment {
		return n.by, nil
	}
	by, read := maps.Clone(n.by), map[string]bool{}
	if by == nil {
		by = map[string]entry.Bearer{}
	}
	err = h.store.PatientsSince(ctx, n.moment, func(client string, p fhir.Patient) {
		if !read[client] {
			read[client] = true
			by[client] = entry.Bearer{Key: client}
		}
		by[client] = by[client].With(&p)
	})
	if err != nil {
		return nil, err
	}
	n.moment, n.by = moment, by
	return by, nil
}
