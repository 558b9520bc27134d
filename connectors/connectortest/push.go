package connectortest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// delivery is a copy of a client, with a sign in its identifier that has to be escaped wherever it goes.
func delivery(words string) exchange.Delivery {
	id := fhir.ID{System: fhir.SystemCopy, Value: "copy&1+2"}
	return exchange.Delivery{
		ID: "d1", Client: "k1", Prescriber: "skylight", What: exchange.WhatPatient, Type: "Patient", Copy: id,
		Body: fmt.Appendf(nil, `{"resourceType":"Patient","identifier":[{"system":%q,"value":%q}],"name":[{"family":%q,"given":[%q]}]}`, id.System, id.Value, Canary, words),
	}
}

func (s *stage) push(t *testing.T, d exchange.Delivery, asked bool) exchange.Receipt {
	t.Helper()
	receipt, err := s.Pusher.Push(t.Context(), d, asked)
	if err != nil {
		t.Fatalf("push: %v", err)
	}
	if receipt.Ref.ID == "" || receipt.At.IsZero() {
		t.Errorf("receipt without place or time: %+v", receipt)
	}
	return receipt
}

// wantCopies fails unless exactly n records carry d's identifier.
func (s *stage) wantCopies(t *testing.T, d exchange.Delivery, n int) {
	t.Helper()
	if got := s.Count(t, d.Type, d.Copy); got != n {
		t.Errorf("%d copies stand there, want %d", got, n)
	}
}

func wantOutcome(t *testing.T, r exchange.Receipt, want exchange.Outcome) {
	t.Helper()
	if r.Outcome != want {
		t.Errorf("outcome %s, want %s", r.Outcome, want)
	}
}

var pushes = []testCase{
	{"what was not there is created, word for word", func(t *testing.T, s *stage) {
		d := delivery("first")
		r := s.push(t, d, false)
		wantOutcome(t, r, exchange.OutcomeCreated)
		s.wantCopies(t, d, 1)
		if s.Reader == nil {
			return
		}
		there, err := s.Reader.Read(t.Context(), r.Ref)
		if err != nil {
			t.Fatal(err)
		}
		bare, err := fhir.Apply(there.Body, fhir.Edit{Path: "id"}, fhir.Edit{Path: "meta"})
		if err != nil {
			t.Fatal(err)
		}
		got, err1 := fhir.Canonical(bare)
		want, err2 := fhir.Canonical(d.Body)
		if err1 != nil || err2 != nil || string(got) != string(want) {
			t.Errorf("there stands %s", got)
		}
	}},
	{"the same delivery twice stands there once", func(t *testing.T, s *stage) {
		d := delivery("first")
		first := s.push(t, d, false)
		for _, asked := range []bool{false, true} {
			r := s.push(t, d, asked)
			wantOutcome(t, r, exchange.OutcomeExisted)
			if r.Ref != first.Ref {
				t.Errorf("it stands at %s and at %s", first.Ref, r.Ref)
			}
		}
		s.wantCopies(t, d, 1)
	}},
	{"asked before anything arrived, it is created", func(t *testing.T, s *stage) {
		d := delivery("first")
		wantOutcome(t, s.push(t, d, true), exchange.OutcomeCreated)
		s.wantCopies(t, d, 1)
	}},
	{"a reply lost after the server had committed: asked, it existed, once", func(t *testing.T, s *stage) {
		d := delivery("first")
		s.trouble(t, LostReply, 1)
		_, err := s.Pusher.Push(t.Context(), d, false)
		wantFault(t, err, connectors.Temporary)
		if !connectors.MayHaveArrived(err) {
			t.Error("it is said surely not to have arrived")
		}
		s.wantCopies(t, d, 1)
		wantOutcome(t, s.push(t, d, true), exchange.OutcomeExisted)
		s.wantCopies(t, d, 1)
	}},
	{"a busy server: Temporary, surely not arrived, and nothing stands there", func(t *testing.T, s *stage) {
		d := delivery("first")
		s.push(t, exchange.Delivery{Type: d.Type, Copy: fhir.ID{System: fhir.SystemCopy, Value: "other"},
			Body: fmt.Appendf(nil, `{"resourceType":"Patient","identifier":[{"system":%q,"value":"other"}]}`, fhir.SystemCopy)}, false)
		s.trouble(t, Busy, 1)
		_, err := s.Pusher.Push(t.Context(), d, false)
		if e := wantFault(t, err, connectors.Temporary); e.After != RetryAfter || !e.Unsent {
			t.Errorf("after %s, unsent %v", e.After, e.Unsent)
		}
		s.wantCopies(t, d, 0)
	}},
	{"a busy server when asked: the earlier try stays in doubt", func(t *testing.T, s *stage) {
		d := delivery("first")
		s.push(t, d, false)
		s.trouble(t, Busy, 1)
		_, err := s.Pusher.Push(t.Context(), d, true)
		wantFault(t, err, connectors.Temporary)
		if !connectors.MayHaveArrived(err) {
			t.Error("it is said surely not to have arrived")
		}
	}},
	{"an update is put in the place of the one copy", func(t *testing.T, s *stage) {
		first := s.push(t, delivery("first"), false)
		d := delivery("second")
		d.Update = true
		r := s.push(t, d, false)
		wantOutcome(t, r, exchange.OutcomeUpdated)
		if r.Ref != first.Ref || r.VersionID != "" && r.VersionID == first.VersionID {
			t.Errorf("it stood at %s version %s, now at %s version %s", first.Ref, first.VersionID, r.Ref, r.VersionID)
		}
		s.wantCopies(t, d, 1)
		wantOutcome(t, s.push(t, d, true), exchange.OutcomeExisted)
	}},
	{"an update of what is not there creates it", func(t *testing.T, s *stage) {
		d := delivery("first")
		d.Update = true
		wantOutcome(t, s.push(t, d, false), exchange.OutcomeCreated)
		s.wantCopies(t, d, 1)
	}},
	{"two copies there are a conflict for a person", func(t *testing.T, s *stage) {
		d := delivery("first")
		s.put(t, string(d.Body))
		s.put(t, string(d.Body))
		for _, asked := range []bool{false, true} {
			_, err := s.Pusher.Push(t.Context(), d, asked)
			if e := wantFault(t, err, connectors.Conflict); e.Hint == "" {
				t.Error("no hint")
			}
		}
		s.wantCopies(t, d, 2)
	}},
	{"an expired token is Denied", func(t *testing.T, s *stage) {
		d := delivery("first")
		s.trouble(t, Denied, Forever)
		_, err := s.Pusher.Push(t.Context(), d, false)
		wantFault(t, err, connectors.Denied)
	}},
	{"asking finds what stands there and sends nothing", func(t *testing.T, s *stage) {
		if s.Asker == nil {
			t.Skip("cannot be asked")
		}
		d := delivery("first")
		if _, err := s.Asker.Ask(t.Context(), d); !errors.Is(err, exchange.ErrNotFound) {
			t.Errorf("nothing there: %v", err)
		}
		s.wantCopies(t, d, 0)
		s.push(t, d, false)
		r, err := s.Asker.Ask(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, r, exchange.OutcomeExisted)
	}},
	{"a cancelled push ends at once", func(t *testing.T, s *stage) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Pusher.Push(ctx, delivery("first"), false); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}},
}
