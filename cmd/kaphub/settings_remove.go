package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// The beginnings of the keys of sections that stand for somebody: the name follows.
const (
	ofSource     = "source-"
	ofPrescriber = "prescriber-"
)

// removed is where the file has what a section stands for, and what goes and stays with it.
func (k steward) removed(ctx context.Context, section string) (path string, r console.Removal, err error) {
	if name, ok := strings.CutPrefix(section, ofSource); ok {
		return k.withoutSource(ctx, name)
	}
	if name, ok := strings.CutPrefix(section, ofPrescriber); ok {
		return k.withoutPrescriber(ctx, name)
	}
	return "", r, fmt.Errorf("section of the settings: %w", exchange.ErrNotFound)
}

func (k steward) withoutSource(ctx context.Context, name string) (string, console.Removal, error) {
	var r console.Removal
	all := k.config.Connectors()
	i := slices.IndexFunc(all, func(e config.Connector) bool { return e.Name == name })
	if i < 0 {
		return "", r, fmt.Errorf("source: %w", exchange.ErrNotFound)
	}
	e := all[i]
	title := k.title(party(e))
	r.Lost = append(r.Lost, "Nothing is read from "+name+" any more, and nothing is sent by it. What changes there from now on the hub does not learn.")
	r.Kept = append(r.Kept, "Everything that was received from it stays, with who said it and when; so does everything that was sent.")
	others := 0
	for _, o := range all {
		if party(o) == party(e) && o.Name != name && !byHand(o.Entry) {
			others++
		}
	}
	if others == 0 && !byHand(e.Entry) {
		r.Lost = append(r.Lost, "It is the last source of "+title+". From then on everything of theirs is entered by hand at the desk, and counts as known only when somebody read it through.")
		r.Sure = "From then on everything of " + title + " is entered by hand. Somebody will do that."
	}
	if err := k.waiting(ctx, party(e), title, &r); err != nil {
		return "", r, err
	}
	_, file, err := k.fileNow()
	for _, p := range secretPlaces(&k.config, file) {
		if p.name == name {
			r.Kept = append(r.Kept, "Its secret stays in "+file[p.path]+". Delete that file when nobody needs it any more, and have the secret changed where it was made.")
		}
	}
	r.Kept = append(r.Kept, "The config as it was is kept beside it. The name "+name+" is not given to another source.")
	return e.Path(), r, err
}

// waiting tells of what is on its way to a party.
func (k steward) waiting(ctx context.Context, party, title string, r *console.Removal) error {
	if party == fhir.Practice {
		return nil
	}
	counts, err := k.store.CountDeliveries(ctx)
	if err != nil {
		return err
	}
	n := 0
	for _, c := range counts {
		if c.To == party && (c.State == exchange.Staged || c.State == exchange.Attempted) {
			n += c.N
		}
	}
	if n > 0 {
		r.Lost = append(r.Lost, fmt.Sprintf("%s for %s not sent yet, or of unknown outcome: look at them under Exchange first.", are(n, "delivery is", "deliveries are"), title))
	}
	return nil
}

func are(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}

func (k steward) withoutPrescriber(ctx context.Context, name string) (string, console.Removal, error) {
	var r console.Removal
	i := slices.IndexFunc(k.config.Prescribers, func(p config.Prescriber) bool { return p.Name == name })
	if i < 0 {
		return "", r, fmt.Errorf("prescriber: %w", exchange.ErrNotFound)
	}
	p := &k.config.Prescribers[i]
	title := prescriberParty(p).Title
	if len(k.config.Prescribers) == 1 {
		r.Refused = title + " is the only prescriber, and the hub compares your records with a prescriber’s. Add the other one first; then this one can go."
	}
	board, err := k.store.Board(ctx, 0)
	if err != nil {
		return "", r, err
	}
	with := 0
	for _, s := range board {
		if s.Prescriber == name {
			with++
		}
	}
	r.Lost = append(r.Lost, "What they agreed to counts no more: the hub judges nobody with "+title+", sends them nothing and reads nothing of theirs.")
	if sources := sourceNames(p.Connectors); len(sources) > 0 {
		r.Lost = append(r.Lost, "Their "+are(len(sources), "source goes", "sources go")+" along: "+strings.Join(sources, ", ")+".")
	}
	if with > 0 {
		r.Lost = append(r.Lost, are(with, "client stands", "clients stand")+" on the board with them. Each stays there, and nothing is known of them any more but a hold that was recorded: tell the therapists, and hand over who goes on elsewhere.")
		r.Sure = are(with, "client is", "clients are") + " with " + title + ". Somebody tells their therapists."
	}
	r.Kept = append(r.Kept, "Everything that was received from them stays, and so does what they were told: disclosures can be accounted for as before.",
		"The config as it was is kept beside it, with what they agreed to. The name "+name+" is not given to another prescriber.")
	return fmt.Sprintf("prescribers[%d]", i), r, k.waiting(ctx, name, title, &r)
}

// settledWithout says whether a removal may be written.
func settledWithout(r console.Removal, sure bool) error {
	switch {
	case r.Refused != "":
		return errors.Join(console.ErrWrong, errors.New(r.Refused))
	case r.Sure != "" && !sure:
		return console.ErrUnsure
	}
	return nil
}
