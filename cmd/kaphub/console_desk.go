package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// About is what an entry about a client and a prescriber is made of.
func (w window) About(ctx context.Context, by, client, prescriber string) (entry.About, error) {
	i := slices.IndexFunc(w.policies(), func(p readiness.Policy) bool { return p.Prescriber.Name == prescriber })
	if i < 0 {
		return entry.About{}, exchange.ErrNotFound
	}
	chart, err := w.store.Chart(ctx, client, 0)
	if err == nil && by != "" {
		err = w.store.Audit(ctx, by, "view desk", client, prescriber)
	}
	if err != nil {
		return entry.About{}, err
	}
	return w.about(chart, w.policies()[i]), nil
}

// Entries are what was entered about a client.
func (w window) Entries(ctx context.Context, by, client string) ([]entry.Entered, error) {
	chart, err := w.store.Chart(ctx, client, 0)
	if err != nil {
		return nil, err
	}
	sources := []string{desk.Source(fhir.Practice)}
	for _, p := range w.policies() {
		sources = append(sources, desk.Source(p.Prescriber.Name))
	}
	var slips []exchange.Slip
	for _, source := range sources {
		more, err := w.store.SlipsAbout(ctx, source, client)
		if err != nil {
			return nil, err
		}
		slips = append(slips, more...)
	}
	list := entry.List(chart, w.policies())
	entry.Tell(list, slips, w.config.Location())
	return list, w.store.Audit(ctx, by, "view entries", client, "")
}

// Enter saves an entry; what follows is not undone by a browser that goes away.
func (w window) Enter(ctx context.Context, by string, slips []exchange.Slip) (console.Saved, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := w.enterAs(ctx, by, slips)
	if late, ok := errors.AsType[*notIn](err); ok {
		w.log.ErrorContext(ctx, "bring in an entry", "error", late)
		return console.Saved{Later: true}, nil
	}
	if err != nil || slips[0].Client == "" {
		return console.Saved{}, err
	}
	p, err := w.present(ctx)
	if err != nil {
		return console.Saved{}, err
	}
	in, err := w.viewAt(ctx, p, slips[0].Client)
	return console.Saved{Verdicts: in.Clients}, err
}

// Entry returns the slips of an entry.
func (w window) Entry(ctx context.Context, id string) ([]exchange.Slip, error) {
	return w.store.Entry(ctx, id)
}

// most is how many clients a search shows: who looks for more writes more of the name.
const most = 50

// Find returns the clients whom word may mean.
func (w window) Find(ctx context.Context, by, word string) ([]fhir.Chart, error) {
	fit, err := w.fitting(ctx, &w.names, word, most)
	if err != nil {
		return nil, err
	}
	return fit, w.store.Audit(ctx, by, "find client", "", many(len(fit), "client"))
}

// Called are the practice's clients whose whole name stands in a text.
func (w window) Called(ctx context.Context, text string) ([]entry.Called, error) {
	return w.called(ctx, text)
}

// Prescribers are a client's, or all.
func (w window) Prescribers(ctx context.Context, client string) ([]desk.Party, error) {
	names := map[string]bool{}
	if client != "" {
		board, err := w.store.BoardOf(ctx, client, 0)
		if err != nil {
			return nil, fmt.Errorf("read board: %w", err)
		}
		for _, s := range board {
			names[s.Prescriber] = true
		}
	}
	var some, all []desk.Party
	for _, p := range w.policies() {
		party := w.book(p.Prescriber.Name).Prescriber
		all = append(all, party)
		if names[p.Prescriber.Name] {
			some = append(some, party)
		}
	}
	if len(some) > 0 {
		return some, nil
	}
	return all, nil
}

// Waiting are the decisions that wait for a second person.
func (w window) Waiting(ctx context.Context, by people.Hand) ([]console.Awaiting, error) {
	accounts, err := w.accounts(ctx)
	if err != nil {
		return nil, err
	}
	slips, err := w.store.Decisions(ctx, desk.KindDecision, desk.KindConfirm)
	if err != nil {
		return nil, err
	}
	var all []console.Awaiting
	looked := map[string]bool{}
	for _, s := range slips {
		if looked[s.Client] || !mayWait(s) {
			continue
		}
		looked[s.Client] = true
		chart, err := w.store.Chart(ctx, s.Client, 0)
		if err != nil {
			return nil, err
		}
		for _, e := range entry.Waiting(chart, w.policies()) {
			one, err := w.awaiting(ctx, chart, e, accounts, by)
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b console.Awaiting) int {
		return cmp.Or(a.ConfirmBy.Compare(b.ConfirmBy), cmp.Compare(a.ID, b.ID))
	})
	if by.Name != "" {
		err = w.store.Audit(ctx, by.Name, "view decisions that wait", "", many(len(all), "decision"))
	}
	return all, err
}

// mayWait reports whether a decision can be one that waits: the end of those that do was not typed twice.
func mayWait(s exchange.Slip) bool {
	return !slices.ContainsFunc(s.Records, func(r fhir.Resource) bool {
		return r.Type == "Provenance" && strings.Contains(string(r.Body), `"`+fhir.CodeRetyped+`"`)
	})
}

func (w window) awaiting(ctx context.Context, chart fhir.Chart, e entry.Entered, accounts []people.Account, by people.Hand) (console.Awaiting, error) {
	one := console.Awaiting{Entered: e, Chart: chart, Title: w.policy(e.Prescriber).Prescriber.Title}
	slips, err := w.store.Entry(ctx, e.ID)
	if err != nil {
		return one, err
	}
	if why := people.Second(accounts, people.Hand(desk.WriterOf(slips[0])), by); why != nil {
		one.Cannot = why.Error()
	}
	for _, r := range slips[0].Records {
		switch r.Type {
		case "Observation":
			one.Shown, err = desk.Shown(r)
		case "MedicationRequest":
			one.Directions, err = entry.DirectionsOf(r)
		}
		if err != nil {
			return one, fmt.Errorf("entry %s: %w", e.ID, err)
		}
	}
	return one, nil
}

// Confirming is how a second person confirms an entry.
func (w window) Confirming(ctx context.Context, by people.Hand, of, id string) ([]exchange.Slip, error) {
	slips, err := w.store.Entry(ctx, of)
	if err != nil {
		return nil, err
	}
	slip, decision, err := w.toConfirm(ctx, slips, by)
	if err != nil {
		return nil, err
	}
	return w.confirmation(slip, decision, id, by)
}

// Undoing is how an entry is corrected.
func (w window) Undoing(ctx context.Context, by people.Hand, of, id, why string) ([]exchange.Slip, error) {
	slips, err := w.store.Entry(ctx, of)
	if err != nil {
		return nil, err
	}
	if err := undoable(slips[0].Kind); err != nil {
		return nil, err
	}
	return w.correction(ctx, slips, id, by, why)
}

// Draft are the day's questions to a prescriber.
func (w window) Draft(ctx context.Context, by, prescriber string, clinical bool) (console.Draft, error) {
	d, _, err := w.drafting(ctx, prescriber, clinical)
	if err != nil {
		return d, err
	}
	last, err := w.lastDraft(ctx, prescriber)
	if err != nil {
		return d, err
	}
	d.Sent, d.Same = last.at, last.digest != "" && last.digest == d.Digest
	d.Told = len(last.clients)
	return d, w.store.Audit(ctx, by, "view questions", "", prescriber)
}

// Sent notes that a draft is sent.
func (w window) Sent(ctx context.Context, by, prescriber string, clinical bool, digest string) (already bool, err error) {
	d, of, err := w.drafting(ctx, prescriber, clinical)
	if err != nil {
		return false, err
	}
	if d.Text == "" || d.Digest != digest {
		return false, exchange.ErrConflict
	}
	return w.drafted(ctx, by, w.policy(prescriber), of, digest)
}

// Unsent takes back that the last draft was sent.
func (w window) Unsent(ctx context.Context, by, prescriber string) error {
	return w.unsent(ctx, by, w.policy(prescriber))
}

// LastRead is what was said last of how far a mailbox was read.
func (w window) LastRead(ctx context.Context, prescriber string) ([]exchange.Slip, error) {
	const shown = 10
	return w.store.LastSlips(ctx, desk.Source(prescriber), desk.KindRead, shown)
}

func (w window) drafting(ctx context.Context, prescriber string, clinical bool) (d console.Draft, of []asking, err error) {
	in, err := w.view(ctx)
	if err != nil {
		return d, nil, err
	}
	for i, v := range in.Clients {
		if clinical || v.Prescriber != prescriber {
			continue
		}
		in.Clients[i] = console.Unclinical(v)
		d.Left += len(ask(v)) - len(ask(in.Clients[i]))
	}
	d.Text, of, err = w.questions(ctx, w.policy(prescriber), in.Clients)
	d.Digest, d.Clients = digestOf(d.Text), len(of)
	return d, of, err
}
