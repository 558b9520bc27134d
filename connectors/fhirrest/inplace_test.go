package fhirrest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// cancels is an edit of version n of the Task t1.
func cancels(n int) exchange.Delivery {
	return exchange.Delivery{ID: "d1", What: exchange.WhatCancel, Type: "Task", Copy: copyID, Update: true, Body: fmt.Appendf(nil,
		`{"resourceType":"Task","id":"t1","meta":{"versionId":"%d"},"status":"cancelled","intent":"order","owner":{"display":"theirs"}}`, n)}
}

func TestAnEditIsPutInThePlaceOfTheVersionThatWasEdited(t *testing.T) {
	const (
		requested = `{"resourceType":"Task","id":"t1","status":"requested","intent":"order","owner":{"display":"theirs"}}`
		moved     = `{"resourceType":"Task","id":"t1","status":"in-progress","intent":"order","owner":{"display":"theirs"}}`
		cancelled = `{"resourceType":"Task","id":"t1","status":"cancelled","intent":"order","note":[{"text":"by the server"}]}`
	)
	for _, tc := range []struct {
		name   string
		server sandbox.Dialect
		there  []string // what was written there, one version after the other
		edit   int
		asked  bool
		fault  *sandbox.Fault
		want   string
		stands string
	}{
		{name: "it is what was edited", there: []string{requested}, edit: 1, want: "updated", stands: "cancelled"},
		{name: "the prescriber moved it meanwhile", there: []string{requested, moved}, edit: 1, want: "conflict", stands: "in-progress"},
		{name: "the prescriber moved it, and its server notices no stale write", server: sandbox.Dialect{IfMatch: sandbox.IfMatchIgnored}, there: []string{requested, moved}, edit: 1, want: "conflict", stands: "in-progress"},
		{name: "it says so already, in other words", there: []string{requested, cancelled}, edit: 1, want: "existed", stands: "cancelled"},
		{name: "nothing stands there: nothing is made", edit: 1, want: "refused"},
		{name: "the reply is lost", there: []string{requested}, edit: 1, fault: &sandbox.Fault{Do: sandbox.DropAfter, Method: "PUT"}, want: "temporary, may have arrived", stands: "cancelled"},
		{name: "an earlier try arrived", there: []string{requested, cancelled}, edit: 1, asked: true, want: "existed", stands: "cancelled"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, c := newFar(t, tc.server, fhirrest.Options{})
			for _, body := range tc.there {
				f.Put(t, body)
			}
			if tc.fault != nil {
				f.server.Fault(*tc.fault)
			}
			if got := pushed(t, c, cancels(tc.edit), tc.asked); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
			all := f.server.All("Task")
			if tc.stands == "" && len(all) > 0 || tc.stands != "" && (len(all) != 1 || !strings.Contains(string(all[0]), `"`+tc.stands+`"`)) {
				t.Errorf("there stands %s", all)
			}
			if _, err := c.Asker.Ask(t.Context(), cancels(tc.edit)); (err == nil) != (tc.stands == "cancelled") || err != nil && !errors.Is(err, exchange.ErrNotFound) {
				t.Errorf("asked, it answers %v", err)
			}
		})
	}
}
