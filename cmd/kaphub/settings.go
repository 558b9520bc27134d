package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// The settings under which the store keeps what verdicts and views rest on: each policy once, by its hash, and which of
// them applied, in the order of the config.
const (
	inForce = "policies"
	keptAs  = "policy/"
)

// document is a policy as it is kept and hashed: everything that bears on a verdict or on how it is shown, code maps and
// rules included. The outer fields stand in place of the policy's own of the same name, which JSON could not write in one
// order, or not at all.
type document struct {
	readiness.Policy
	Sheet   sheetDocument
	Zone    string
	Terms   map[string][]string // the code maps, by party: their hashes
	Version int                 // of the rules themselves
}

type sheetDocument struct {
	readiness.Sheet
	Hours hoursDocument
}

type hoursDocument struct {
	Zone     string
	Open     map[time.Weekday][2]time.Duration
	Holidays []string
}

// kept is a policy as the store keeps it, and its hash.
func kept(p readiness.Policy) (text, hash string, err error) {
	p.Hash = ""
	hours := p.Sheet.Hours
	doc := document{Policy: p, Zone: p.Zone.String(), Terms: p.Terms.Made(), Version: readiness.Version,
		Sheet: sheetDocument{p.Sheet, hoursDocument{Zone: hours.Zone.String(), Open: hours.Open}}}
	for day := range hours.Holidays {
		doc.Sheet.Hours.Holidays = append(doc.Sheet.Hours.Holidays, day.String())
	}
	slices.Sort(doc.Sheet.Hours.Holidays)
	body, err := json.Marshal(doc)
	if err != nil {
		return "", "", fmt.Errorf("write down the policy of %s: %w", p.Prescriber.Name, err)
	}
	sum := sha256.Sum256(body)
	return string(body), hex.EncodeToString(sum[:]), nil
}

// recalled is a policy as it was kept. It has no Terms: whether a verdict stands, and how it is shown, asks for none.
func recalled(text, hash string) (readiness.Policy, error) {
	var doc document
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return readiness.Policy{}, errDamaged
	}
	p := doc.Policy
	p.Hash, p.Sheet = hash, doc.Sheet.Sheet
	hours := readiness.Hours{Open: doc.Sheet.Hours.Open, Holidays: map[readiness.Day]bool{}}
	for _, text := range doc.Sheet.Hours.Holidays {
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return p, fmt.Errorf("read a holiday of %s: %w", p.Prescriber.Name, err)
		}
		hours.Holidays[readiness.DayOf(t, time.UTC)] = true
	}
	var err error
	if hours.Zone, err = time.LoadLocation(doc.Sheet.Hours.Zone); err == nil {
		p.Zone, err = time.LoadLocation(doc.Zone)
	}
	if err != nil {
		return p, fmt.Errorf("read the time zone of then: %w", err)
	}
	p.Sheet.Hours = hours
	return p, nil
}

// apply keeps the policies that verdicts rest on now, if they are others than were kept last: whoever judges or shows does
// so first, so that every verdict and every answer has its settings in the store.
func (h *hub) apply(ctx context.Context) error {
	values, hashes := map[string]string{}, []string{}
	for _, p := range h.policies() {
		text, hash, err := kept(p)
		if err != nil {
			return err
		}
		hashes = append(hashes, hash)
		values[keptAs+hash] = text
	}
	order, err := json.Marshal(hashes)
	if err != nil {
		return fmt.Errorf("keep the settings: %w", err)
	}
	before, err := h.store.Setting(ctx, inForce, 0)
	if err != nil || before == string(order) {
		return err
	}
	values[inForce] = string(order)
	return h.store.Keep(ctx, h.actor, values)
}

// documentsAt are the policies that applied at a moment, by their hashes, as they were kept, in the order of the config of then.
func (h *hub) documentsAt(ctx context.Context, asOf fhir.Moment) (hashes, texts []string, err error) {
	order, err := h.store.Setting(ctx, inForce, asOf)
	if err != nil {
		return nil, nil, err
	}
	if order == "" {
		return nil, nil, h.notKept(ctx)
	}
	if err := json.Unmarshal([]byte(order), &hashes); err != nil || len(hashes) == 0 {
		return nil, nil, errDamaged
	}
	for _, hash := range hashes {
		text, err := h.store.Setting(ctx, keptAs+hash, asOf)
		if err != nil {
			return nil, nil, err
		}
		texts = append(texts, text)
	}
	return hashes, texts, nil
}

var errDamaged = errors.New("the settings of that moment are damaged: run `kaphub audit verify`")

// policiesAt are the policies that applied at a moment, in the order of the config of then, never empty.
func (h *hub) policiesAt(ctx context.Context, asOf fhir.Moment) ([]readiness.Policy, error) {
	hashes, texts, err := h.documentsAt(ctx, asOf)
	if err != nil {
		return nil, err
	}
	all := make([]readiness.Policy, len(texts))
	for i, text := range texts {
		if all[i], err = recalled(text, hashes[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// notKept says since when settings are kept.
func (h *hub) notKept(ctx context.Context) error {
	first, err := h.first(ctx)
	if err != nil {
		return err
	}
	if first.moment == 0 {
		return errors.New("no settings were kept yet: run kaphub sync")
	}
	return noMoment("the settings of that moment were not kept, so that what was answered then cannot be told: they are kept since %s (@%d)", h.local(first.at), first.moment)
}
