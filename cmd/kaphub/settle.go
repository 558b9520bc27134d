package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store"
)

type settleDelivery struct {
	ID         string `arg:"" help:"The delivery's id, or how it begins."`
	Arrived    bool   `xor:"which" required:"" help:"It arrived, or was carried there by phone or on paper."`
	NotArrived bool   `xor:"which" required:"" help:"It did not arrive, or a packet was not handed over and will not be."`
	By         string `required:"" placeholder:"NAME" help:"Who says so, in the practice."`
	ToldBy     string `placeholder:"NAME" help:"Who told them, at the other side."`
	Ref        string `placeholder:"TYPE/ID" help:"Where it stands there, as the other side names it: without it no later step can point to it."`
	Note       string `placeholder:"TEXT" help:"How it was found out."`
}

// Run records what a person found out.
func (c *settleDelivery) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	e, err := h.delivery(ctx, c.ID)
	if err != nil {
		return err
	}
	receipt := exchange.Receipt{Outcome: exchange.OutcomeNotThere, By: strings.TrimSpace(c.By), To: c.ToldBy, Note: c.Note, At: h.now()}
	if c.Arrived {
		receipt.Outcome = exchange.OutcomeTold
		if receipt.Ref, err = ref(c.Ref, e.Type); err != nil {
			return err
		}
	} else if c.Ref != "" {
		return errors.New("--ref says where it stands: it goes with --arrived")
	}
	if receipt.By == "" {
		return errors.New("--by is empty: name who says so")
	}
	if err := h.settle(ctx, h.actor, e, receipt); err != nil {
		return err
	}
	switch {
	case !c.Arrived && e.State == exchange.LaidOut:
		s.printf("Delivery %.12s is withdrawn: %s says that it was not handed over.\n", e.ID, c.By)
	case !c.Arrived:
		s.printf("Delivery %.12s did not arrive, says %s. It is due again: kaphub sync sends it, if it is still wanted. That it was once sent stays in the accounting of disclosures.\n", e.ID, c.By)
	default:
		s.printf("Delivery %.12s arrived, says %s.\n", e.ID, c.By)
		if receipt.Ref.IsZero() && slices.Contains([]exchange.What{exchange.WhatPatient, exchange.WhatConsent, exchange.WhatReferral}, e.What) {
			s.printf("Where it stands there is not known, so that the next step of the referral cannot be sent: hand the rest over by phone or on paper.\n")
		}
	}
	return nil
}

// ref reads "Type/id", which must be of typ; "" is none.
func ref(word, typ string) (fhir.Ref, error) {
	if word == "" {
		return fhir.Ref{}, nil
	}
	t, id, ok := strings.Cut(word, "/")
	if !ok || t != typ || id == "" || strings.Contains(id, "/") {
		return fhir.Ref{}, fmt.Errorf("--ref must be the %s as the other side names it, like %s/123", typ, typ)
	}
	return fhir.Ref{Type: t, ID: id}, nil
}

// settle commits a person's word on a delivery as it was read, as whom the audit log names by, and has its client judged by
// it. exchange.ErrConflict when the delivery moved since or is not in a state for it, exchange.ErrBusy while it is being sent.
func (h *hub) settle(ctx context.Context, by string, e exchange.Entry, r exchange.Receipt) error {
	switch err := h.store.Settle(ctx, by, e.ID, e.Moment, r); {
	case errors.Is(err, store.ErrMoved):
		return inWords(err, "delivery %.12s moved meanwhile: look at it again", e.ID)
	case errors.Is(err, exchange.ErrBusy):
		return inWords(err, "delivery %.12s is being sent right now: wait for its answer, then look again", e.ID)
	case errors.Is(err, exchange.ErrConflict) && r.Outcome == exchange.OutcomeHandedOver:
		return inWords(err, "delivery %.12s is %s: only a packet that is laid out can be handed over", e.ID, e.State)
	case errors.Is(err, exchange.ErrConflict):
		return inWords(err, "delivery %.12s is %s: there is nothing of that kind to settle", e.ID, e.State)
	case err != nil:
		return fmt.Errorf("settle delivery %.12s: %w", e.ID, err)
	}
	if _, err := h.reconcile(ctx, nil); err != nil {
		return fmt.Errorf("it is noted, and judged with the next sync: %w", err)
	}
	return nil
}

type handedOverDelivery struct {
	ID   string `arg:"" help:"The delivery's id, or how it begins."`
	By   string `required:"" placeholder:"NAME" help:"Who handed it over."`
	On   string `placeholder:"T" help:"When: 2026-03-02, or 2026-03-02T14:30; now when left out."`
	To   string `placeholder:"NAME" help:"To whom."`
	Note string `placeholder:"TEXT" help:"How: by courier, in person, by registered letter."`
}

// Run records that a packet was handed over.
func (c *handedOverDelivery) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	e, err := h.delivery(ctx, c.ID)
	if err != nil {
		return err
	}
	at, err := occurred("--on", c.On, h.config.Location(), h.now())
	if err != nil {
		return err
	}
	by := strings.TrimSpace(c.By)
	if by == "" {
		return errors.New("--by is empty: name who handed it over")
	}
	if at, err = h.notBefore(e, at); err != nil {
		return fmt.Errorf("--on %w", err)
	}
	if err := h.settle(ctx, h.actor, e, exchange.Receipt{Outcome: exchange.OutcomeHandedOver, By: by, To: c.To, Note: c.Note, At: at}); err != nil {
		return err
	}
	s.printf("Delivery %.12s was handed over by %s on %s.\n", e.ID, by, at.In(h.config.Location()).Format("Mon 2 Jan 2006"))
	return nil
}

// notBefore is when a packet was handed over: of the day on which it was laid out nobody writes the hour.
func (h *hub) notBefore(e exchange.Entry, at time.Time) (time.Time, error) {
	zone := h.config.Location()
	switch {
	case !at.Before(e.Last):
		return at, nil
	case readiness.DayOf(at, zone) != readiness.DayOf(e.Last, zone):
		return at, fmt.Errorf("lies before the packet was laid out on %s: look at the date", h.local(e.Last))
	}
	return e.Last, nil
}
