package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// trayWindow is what the console sees of what came and is in no chart: what could not be read, and what is sealed.
type trayWindow struct{ *hub }

// Rejects are what could not be read, without bodies.
func (w trayWindow) Rejects(ctx context.Context, all bool) ([]fhir.Reject, error) {
	list, err := w.store.Rejects(ctx, all)
	for i := range list {
		list[i].Body = nil
	}
	return list, err
}

// Reject is one with what was received, looked at by somebody.
func (w trayWindow) Reject(ctx context.Context, by, id string) (fhir.Reject, error) {
	r, err := w.store.Reject(ctx, id)
	if err != nil {
		return r, err
	}
	if err := w.store.Audit(ctx, by, "view reject", id, ""); err != nil { // first: its body is about to be seen
		return fhir.Reject{}, fmt.Errorf("note in the audit log: %w", err)
	}
	r.Body = []byte(harmless(r.Body))
	return r, nil
}

// Resolve closes one.
func (w trayWindow) Resolve(ctx context.Context, by, id, reason string) error {
	r, err := w.store.Reject(ctx, id)
	if err != nil {
		return err
	}
	return w.resolve(ctx, by, r, reason)
}

// Whose are the clients of rejects.
func (w trayWindow) Whose(ctx context.Context, by string, rejects []fhir.Reject) (map[string]console.Whose, error) {
	clients, err := w.store.WhoseRejects(ctx, rejects)
	if err != nil || len(clients) == 0 {
		return nil, err
	}
	all, names := map[string]console.Whose{}, map[string]string{}
	for id, client := range clients {
		if _, known := names[client]; by != "" && !known {
			chart, err := w.store.Chart(ctx, client, 0)
			if err != nil {
				return nil, fmt.Errorf("read the client's chart: %w", err)
			}
			names[client] = readiness.ChosenName(chart)
		}
		all[id] = console.Whose{Client: client, Name: names[client]}
	}
	if by == "" {
		return all, nil
	}
	if len(rejects) == 1 {
		return all, w.store.Audit(ctx, by, "view whose reject", clients[rejects[0].ID], rejects[0].ID)
	}
	return all, w.store.Audit(ctx, by, "view whose rejects", "", many(len(names), "client"))
}

// Sealed is what arrived out of scope.
func (w trayWindow) Sealed(ctx context.Context, all bool) ([]fhir.Sealed, error) {
	return w.store.Sealed(ctx, all)
}

// Unseal opens one.
func (w trayWindow) Unseal(ctx context.Context, by, id, why string) ([]byte, error) {
	x, err := w.sealedOne(ctx, id)
	if err != nil {
		return nil, err
	}
	body, err := w.unseal(ctx, by, x, why)
	return []byte(harmless(body)), err
}

// Admit takes one in with the rest.
func (w trayWindow) Admit(ctx context.Context, by, id, why string) error {
	return w.endSealed(ctx, id, func() error { return w.store.Admit(ctx, by, id, why) })
}

// Expunge destroys the content of one.
func (w trayWindow) Expunge(ctx context.Context, by, id, why string) error {
	return w.endSealed(ctx, id, func() error { return w.store.Expunge(ctx, by, id, why) })
}

func (w trayWindow) endSealed(ctx context.Context, id string, end func() error) error {
	x, err := w.sealedOne(ctx, id)
	if err != nil {
		return err
	}
	if err := undecided(x); err != nil {
		return err
	}
	return end()
}

func (w trayWindow) sealedOne(ctx context.Context, id string) (fhir.Sealed, error) {
	list, err := w.store.Sealed(ctx, true)
	if err != nil {
		return fhir.Sealed{}, err
	}
	i := slices.IndexFunc(list, func(x fhir.Sealed) bool { return x.ID == id })
	if i < 0 {
		return fhir.Sealed{}, exchange.ErrNotFound
	}
	return list[i], nil
}
