package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// offering is what of a counterpart's capabilities bears on a verdict or a plan. It is kept as a setting of the store,
// by source, with every value it ever had: what is decided rests on what was known, and not on the network.
type offering struct {
	Lacks []string `json:"lacks"` // types that it does not tell of
	Takes []string `json:"takes"` // types that can be written there
}

// learn keeps what the counterpart of c offers, if it says so and it is something new.
func (h *hub) learn(ctx context.Context, c connectors.Connector) error {
	if c.Offerer == nil {
		return nil
	}
	has, err := c.Offerer.Offers(ctx)
	if err != nil || !has.Known { // it was read a moment ago: the next read will tell
		return nil //nolint:nilerr // as said
	}
	text, err := json.Marshal(offering{Lacks: sorted(has.Lacks), Takes: sorted(has.Takes)})
	if err != nil {
		return fmt.Errorf("write down what %s offers: %w", c.Name, err)
	}
	before, err := h.store.Setting(ctx, offers(c), 0)
	if err != nil || before == string(text) {
		return err
	}
	return h.store.Set(ctx, h.actor, offers(c), string(text))
}

// learned is what is kept of what the counterpart of c offers, if anything is.
func (h *hub) learned(ctx context.Context, c connectors.Connector) (o offering, known bool, err error) {
	text, err := h.store.Setting(ctx, offers(c), 0)
	if err != nil {
		return o, false, err
	}
	return o, text != "" && json.Unmarshal([]byte(text), &o) == nil, nil
}

func offers(c connectors.Connector) string { return "offers " + c.Name }

func sorted(list []string) []string {
	all := append([]string{}, list...)
	slices.Sort(all)
	return all
}

// policies are those that verdicts rest on now, in the order of the config, never empty.
func (h *hub) policies() []readiness.Policy { return *h.informed.Load() }

// inform makes the policies anew from the config and from what is kept of every counterpart's offers, so that all who
// share a store decide alike.
func (h *hub) inform(ctx context.Context) error {
	known := map[string]offering{}
	for _, c := range h.connectors {
		if c.Offerer == nil {
			continue
		}
		o, is, err := h.learned(ctx, c)
		if err != nil {
			return err
		}
		if is {
			known[c.Name] = o
		}
	}
	all := slices.Clone(h.written)
	for i := range all {
		p := &all[i]
		h.offered(&p.Practice, known)
		h.offered(&p.Prescriber, known)
		p.Others = slices.Clone(p.Others)
		for j := range p.Others {
			h.offered(&p.Others[j], known)
		}
		var err error
		if _, p.Hash, err = kept(*p); err != nil {
			return err
		}
	}
	h.informed.Store(&all)
	return nil
}

// offered sets what p's own systems do not tell, which is what none of its sources tells, and what they take, which is
// what any of them takes. One source of which nothing is known may tell and take everything.
func (h *hub) offered(p *readiness.Party, known map[string]offering) {
	p.Silent, p.Takes = nil, nil
	if h.byHand(p.Name) {
		if p.Name == fhir.Practice {
			p.Takes = []string{} // what comes home is read on the board
		} else {
			p.Packet = true
		}
	}
	var of []offering
	for _, c := range h.connectors {
		if c.Party != p.Name || c.Name == p.Desk || c.Puller == nil && c.Pusher == nil {
			continue // the desk tells what people enter, and stands in for no system
		}
		o, ok := known[c.Name]
		if !ok {
			return
		}
		of = append(of, o)
	}
	for i, o := range of {
		if i == 0 {
			p.Silent, p.Takes = slices.Clone(o.Lacks), append([]string{}, o.Takes...)
			continue
		}
		p.Silent = slices.DeleteFunc(p.Silent, func(typ string) bool { return !slices.Contains(o.Lacks, typ) })
		p.Takes = append(p.Takes, o.Takes...)
	}
	if p.Name != fhir.Practice && !p.Accepts("ServiceRequest") {
		p.Packet = true // it can be read, and no referral can be written there
	}
}
