package main

import (
	"context"
	"net/netip"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs/report"
)

// window is what the console sees of the hub.
type window struct{ *hub }

// Look is hub.look for whoever is signed in, of a client by key.
func (w window) Look(ctx context.Context, by, what, client, asOf string) (report.Input, error) {
	p, now, err := w.pointAt(ctx, "as-of", asOf)
	if err != nil {
		return report.Input{}, err
	}
	if client != "" {
		if _, err := w.Therapists(ctx, client); err != nil {
			return report.Input{}, err
		}
	}
	if by == "" {
		if now {
			p, err = w.present(ctx)
		}
		if err != nil {
			return report.Input{}, err
		}
		return w.viewAt(ctx, p, client)
	}
	seen, at, err := w.store.Look(ctx, by, what, client, asOf)
	if err != nil {
		return report.Input{}, err
	}
	if now {
		p = point{seen, at}
	}
	return w.viewAt(ctx, p, client)
}

// Therapists are those whom the newest verdicts on a client name.
func (w window) Therapists(ctx context.Context, client string) ([]fhir.Therapist, error) {
	board, err := w.store.BoardOf(ctx, client, 0)
	if err != nil {
		return nil, err
	}
	if len(board) == 0 {
		return nil, exchange.ErrNotFound
	}
	var all []fhir.Therapist
	for _, s := range board {
		all = append(all, s.Verdict.Therapists...)
	}
	return all, nil
}

// Known is who the therapists are whom the newest verdicts name.
func (w window) Known(ctx context.Context) (*people.Known, error) {
	moment, err := w.store.Newest(ctx)
	if err != nil {
		return nil, err
	}
	return w.held.therapists(ctx, w.store, moment)
}

// Phone is the first number among the practice's lines of contact, but that of a fax.
func (w window) Phone() string { return phoneOf(w.policies()[0].Practice.Address) }

// phoneOf is the first telephone number in lines of contact.
func phoneOf(lines []string) string {
	for _, line := range lines {
		if n := console.Number(line); n != "" && !strings.Contains(strings.ToLower(line), "fax") {
			return n
		}
	}
	return ""
}

// Treating are the therapists of each client whom the newest verdicts name.
func (w window) Treating(ctx context.Context) (map[string][]fhir.Therapist, error) {
	moment, err := w.store.Newest(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := w.held.at(ctx, w.store, moment)
	if err != nil {
		return nil, err
	}
	by := make(map[string][]fhir.Therapist, len(rows))
	for _, row := range rows {
		by[row.Client] = append(by[row.Client][:len(by[row.Client]):len(by[row.Client])], row.Verdict.Therapists...)
	}
	return by, nil
}

// console is what the console is made with. guest is who everybody is, where nobody needs to sign in.
func (h *hub) console(guest *people.Account) (console.Options, error) {
	w, exchanging := window{h}, newExchangeWindow(h)
	house, err := people.New(people.Options{Store: h.store, Now: h.now, Title: h.policies()[0].Practice.Title})
	return console.Options{
		Practice: h.policies()[0].Practice.Title, Zone: h.config.Location(), Now: h.now, Log: h.log,
		Public: strings.TrimSuffix(h.config.Hub.PublicURL, "/"), Proxies: h.proxies(), Guest: guest,
		Sessions: h.store.Sessions(), People: house, Door: house, Accounts: house, Staff: w, Views: w, Board: w, Search: w,
		Desk: w, Roster: w, Second: w, Asking: w,
		Exchange: exchanging, Engine: exchanging,
		Clients: w, Room: w, Looks: house,
		Triage: reconciling{h, house}, Reports: reconciling{h, house},
		Settings: steward{h},
		Ledger:   ledgerWindow{h}, Rejects: trayWindow{h}, Vault: trayWindow{h}, Links: linksWindow{h},
	}, err
}

// proxies are who beside this machine is believed for whom they ask.
func (h *hub) proxies() []netip.Prefix {
	var all []netip.Prefix
	for _, p := range h.config.Hub.Proxies {
		all = append(all, p.Prefix())
	}
	return all
}
