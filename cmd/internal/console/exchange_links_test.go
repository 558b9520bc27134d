package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// pairs are an open question about Robin, and a link that was made by hand and on which a referral rests.
type pairs struct {
	list  []Pair
	looks []string
	did   []string
}

func newPairs() *pairs {
	return &pairs{list: []Pair{
		{ID: "l-open", State: "open", Client: "c-robin", Source: "skylight", Party: "skylight", Whom: "Skylight", Patient: "p-77", Since: now.Add(-time.Hour), Open: true, Likely: true,
			Evidence: []fhir.Evidence{{Kind: "birth date", Says: fhir.Agrees}, {Kind: "family name", Says: fhir.Differs}}, TiedClients: []string{"l-other"}},
		{ID: "l-linked", State: "linked", Client: "c-kim", Source: "skylight", Party: "skylight", Whom: "Skylight", Patient: "p-78", How: "person", Since: now.Add(-time.Hour), Linked: true,
			Rulings: []Ruling{{Said: "confirmed", By: "Lee", At: now.Add(-time.Hour)}}},
	}}
}

func (f *pairs) find(id string) *Pair {
	if i := slices.IndexFunc(f.list, func(p Pair) bool { return p.ID == id }); i >= 0 {
		return &f.list[i]
	}
	return nil
}

func (f *pairs) Pairs(context.Context, bool) ([]Pair, error) { return slices.Clone(f.list), nil }

func (f *pairs) Pair(_ context.Context, by, id string) (Pair, error) {
	p := f.find(id)
	if p == nil {
		return Pair{}, exchange.ErrNotFound
	}
	if by != "" {
		f.looks = append(f.looks, by+" at "+id)
	}
	one := *p
	one.Here = []Identity{{Source: "ehr", Names: []string{"Robin", "Wilhelmina Featherstone (legal)"}, Birth: "1971-04-05", Identifiers: []string{"MRN-7 (mrn)"}}}
	if one.Linked {
		one.Then = []Identity{{Source: "skylight", Names: []string{"W. Featherstone"}, Birth: "1971-04-05"}}
		one.Told = []Told{{Delivery: "d-1", What: exchange.WhatReferral, Whom: "Skylight", State: exchange.Delivered, At: now}}
	}
	return one, nil
}

func (f *pairs) Rule(_ context.Context, by, id, seen string, w Word, reason string) error {
	p := f.find(id)
	if p.Seen() != seen {
		return exchange.ErrConflict
	}
	p.Rulings = append(p.Rulings, Ruling{Said: string(w), By: by, Reason: reason, At: now})
	p.Open, p.Linked = false, w == Confirm
	p.State = map[Word]string{Confirm: "linked", Refuse: "refused", Undo: "undone"}[w]
	p.Since = now
	f.did = append(f.did, by+" "+string(w)+" "+id+" "+reason)
	return nil
}

func TestWhoSomebodyIsIsShownWhereRecordsAreMatched(t *testing.T) {
	w := newTown(t)
	w.as(people.Admin).get("/exchange/links").says(t, "1 question to decide", "birth date agrees", "likely", "confirmed by Lee")
	w.as(people.Admin).get("/exchange/links/l-open").says(t, "Is this one person?", "Wilhelmina Featherstone (legal)", "1971-04-05", "MRN-7 (mrn)", "family name", "differs", "Nothing of that record is kept", "l-other", "Nothing that was sent rests on it")
	w.as(people.Privacy).get("/exchange/links/l-linked").says(t, "W. Featherstone", `href="/exchange/deliveries/d-1"`, "45 CFR 164.402")
	if a := w.as(people.Privacy).get("/exchange/links/l-linked"); a.has("undo") {
		t.Error("the privacy officer decides who is whom")
	}
	for _, role := range []people.Role{people.Operator, people.Reader} {
		a := w.as(role).get("/exchange/links")
		if !strings.Contains(a.body, "c-robin") || strings.Contains(a.body, "Featherstone") || strings.Contains(a.body, `href="/exchange/links/l-open"`) {
			t.Errorf("%s sees %s", role, a.body)
		}
		if a := w.as(role).get("/exchange/links/l-open"); a.StatusCode != http.StatusForbidden || strings.Contains(a.body, "Featherstone") {
			t.Errorf("%s looks at one: %d", role, a.StatusCode)
		}
	}
	if a := w.as(people.Operator).get("/exchange/links"); strings.Contains(a.body, "p-77") || strings.Contains(a.body, "by Lee") {
		t.Error("an operator sees more than keys and states")
	}
	if a := w.as(people.Owner).get("/exchange/links/l-none"); a.StatusCode != http.StatusNotFound {
		t.Errorf("%d", a.StatusCode)
	}
	if len(w.pairs.looks) != 3 {
		t.Errorf("who looked is noted: %v", w.pairs.looks)
	}
}

func TestALinkIsMadeByWhoCompared(t *testing.T) {
	w := newTown(t)
	ann, ben := w.as(people.Admin), w.as(people.Owner)
	seen := w.pairs.find("l-open").Seen()
	if a := ann.post("/exchange/links/l-open/confirm", url.Values{"seen": {seen}}); a.StatusCode != http.StatusUnprocessableEntity || !a.has("problems") {
		t.Errorf("nobody compared: %d", a.StatusCode)
	}
	yes := url.Values{"seen": {seen}, "compared": {"1"}}
	ann.after(ann.post("/exchange/links/l-open/confirm", yes)).says(t, "It is the client. Its record is read back", "confirmed by Ann admin")
	ann.after(ann.post("/exchange/links/l-open/confirm", yes)).says(t, "That is recorded already.")
	if a := ben.post("/exchange/links/l-open/refuse", url.Values{"seen": {seen}, "why": {"two people"}}); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "linked by now, confirmed by Ann admin") {
		t.Errorf("Ben refuses what he did not see: %d %s", a.StatusCode, a.body)
	}
	if !slices.Equal(w.pairs.did, []string{"Ann admin confirmed l-open "}) {
		t.Errorf("%v", w.pairs.did)
	}
}

func TestALinkIsRefusedOrUndoneForAReason(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Owner)
	for id, word := range map[string]string{"l-open": "refuse", "l-linked": "undo"} {
		path, seen := "/exchange/links/"+id+"/"+word, w.pairs.find(id).Seen()
		if a := g.post(path, url.Values{"seen": {seen}, "why": {"  "}}); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s without a reason: %d", word, a.StatusCode)
		}
		a := g.after(g.post(path, url.Values{"seen": {seen}, "why": {"sisters"}}))
		a.says(t, "by Ann owner: sisters")
		if word == "undo" {
			a.says(t, "The link has ended", "what was sent on its strength")
		}
	}
	if len(w.pairs.did) != 2 {
		t.Errorf("%v", w.pairs.did)
	}
}
