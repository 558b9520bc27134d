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
	"github.com/kaphub/kaphub/jobs/report"
)

// books is a ledger with a delivery in each state that a person does something about.
type books struct {
	sent   []Sent
	looks  []string
	did    []string
	moment fhir.Moment
	busy   bool
}

func newBooks() *books {
	b := &books{moment: 10}
	add := func(id, client, chosen, therapist string, state exchange.State, story string) {
		b.sent = append(b.sent, Sent{Seen: 7, Whom: "Skylight", Chosen: chosen, Therapists: []fhir.Therapist{{Name: therapist}}, Dispatch: report.Dispatch{
			ID: id, Client: client, Prescriber: "skylight", To: "skylight", What: exchange.WhatReferral, Type: "ServiceRequest", State: state, Story: story,
			Staged: now.Add(-48 * time.Hour), Tells: []string{"ehr/ServiceRequest/r1 version 2"}, Release: &report.Permit{Record: "ehr/Consent/c1 version 1"},
			Tries:    []report.DispatchTry{{N: 1, Begun: now.Add(-47 * time.Hour), End: "no answer: it may have arrived", Why: "temporary", Ref: "ServiceRequest/xyz"}},
			Elements: []exchange.Element{{Path: "ServiceRequest.reasonCode.text", Kind: "text", N: 1}},
		}})
	}
	add("d-robin-unknown", "c-robin", "Robin", "Dana", exchange.Unknown, "sent, reply lost, told by Nurse Nan")
	add("d-robin-delivered", "c-robin", "Robin", "Dana", exchange.Delivered, "sent and received")
	add("d-kim-laid", "c-kim", "Kim", "Lee", exchange.LaidOut, "laid out")
	add("d-kim-refused", "c-kim", "Kim", "Lee", exchange.Refused, "refused on 2 Mar")
	return b
}

func (b *books) find(id string) *Sent {
	if i := slices.IndexFunc(b.sent, func(s Sent) bool { return s.ID == id }); i >= 0 {
		return &b.sent[i]
	}
	return nil
}

func (b *books) Deliveries(_ context.Context, by string, _ int, states ...exchange.State) (list []Sent, counts map[exchange.State]int, err error) {
	b.looks = append(b.looks, by+" lists")
	counts = map[exchange.State]int{}
	for _, s := range b.sent {
		counts[s.State]++
		if slices.Contains(states, s.State) {
			list = append(list, s)
		}
	}
	return list, counts, nil
}

func (b *books) Delivery(_ context.Context, by, id, why string, may func(string) error) (Sent, error) {
	s := b.find(id)
	if s == nil {
		return Sent{}, exchange.ErrNotFound
	}
	if err := may(s.Client); err != nil {
		return Sent{}, err
	}
	if by != "" {
		b.looks = append(b.looks, by+" at "+id+" "+why)
	}
	d := *s
	if why != "" {
		d.Body = []byte(`{"family":"Featherstone <b>"}`)
	}
	return d, nil
}

func (b *books) Settle(_ context.Context, by, id string, seen fhir.Moment, r exchange.Receipt) error {
	s := b.find(id)
	if b.busy {
		return exchange.ErrBusy
	}
	if s.Seen != seen {
		return exchange.ErrConflict
	}
	b.moment++
	s.Seen, s.State = b.moment, exchange.Delivered
	if r.Outcome == exchange.OutcomeNotThere {
		s.State = exchange.Staged
	}
	s.Said = append(s.Said, report.DispatchSaid{At: r.At, By: by, Outcome: r.Outcome, To: r.To, Note: r.Note})
	b.did = append(b.did, strings.Join([]string{by, id, string(r.Outcome), r.To, r.Note, r.Ref.String(), r.At.Format(time.RFC3339)}, "|"))
	return nil
}

func (b *books) Retry(_ context.Context, by, id string, seen fhir.Moment) error {
	s := b.find(id)
	if s.Seen != seen {
		return exchange.ErrConflict
	}
	b.moment++
	s.Seen, s.State, s.Due = b.moment, exchange.Attempted, now
	b.did = append(b.did, by+" retries "+id)
	return nil
}

func (g *guest) settle(id, seen string, more url.Values) answerTo {
	form := url.Values{"seen": {seen}, "outcome": {"told"}, "note": {"I called them"}}
	for k, v := range more {
		form[k] = v
	}
	return g.post("/exchange/deliveries/"+id+"/settle", form)
}

func TestWhatWaitsForAPersonIsListedFirst(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Admin)
	g.get("/exchange/deliveries").says(t, "The referral", "of Robin", "of Kim", "sent, reply lost", "To settle <span class=\"quiet\">3</span>", "Delivered <span class=\"quiet\">1</span>")
	if a := g.get("/exchange/deliveries?state=waiting"); !a.has("no-deliveries") {
		t.Errorf("nothing waits: %s", a.body)
	}
	if a := g.get("/exchange/deliveries?state=nonsense"); a.StatusCode != http.StatusNotFound {
		t.Errorf("%d", a.StatusCode)
	}
	g.get("/exchange/deliveries/d-robin-unknown").says(t, "It did not arrive", "ehr/Consent/c1 version 1", "ServiceRequest.reasonCode.text", "as ServiceRequest/xyz", "Try again")
	if len(w.ledger.looks) != 3 {
		t.Errorf("looks are noted: %v", w.ledger.looks)
	}
}

func TestAnOperatorSeesKeysAndStatesOnly(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Operator)
	for _, path := range []string{"/exchange/deliveries", "/exchange/deliveries/d-robin-unknown"} {
		a := g.get(path)
		a.says(t, "c-robin", "unknown")
		for _, told := range []string{"Robin", "Nurse Nan", "reply lost", "Consent", "reasonCode", "ServiceRequest/xyz", "ServiceRequest/r1", `href="/clients`} {
			if strings.Contains(a.body, told) {
				t.Errorf("%s tells an operator %q", path, told)
			}
		}
		if a.has("settle") || a.has("ask-body") {
			t.Errorf("%s lets an operator say what became of it", path)
		}
	}
	if a := g.post("/exchange/deliveries/d-robin-unknown/retry", url.Values{"seen": {"7"}}); a.StatusCode != http.StatusSeeOther || len(w.ledger.did) != 1 {
		t.Errorf("but may have it tried again: %d %s", a.StatusCode, a.body)
	}
}

func TestATherapistSettlesWhatIsAboutTheirOwnClients(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Therapist)
	a := g.get("/exchange/deliveries")
	if !strings.Contains(a.body, "Robin") || strings.Contains(a.body, "Kim") || strings.Contains(a.body, ">3<") {
		t.Errorf("Dana sees %s", a.body)
	}
	other, none := g.get("/exchange/deliveries/d-kim-laid"), g.get("/exchange/deliveries/d-nobody")
	if other.StatusCode != http.StatusNotFound || other.body != none.body {
		t.Errorf("another's is told otherwise than none: %d", other.StatusCode)
	}
	if a := g.settle("d-kim-laid", "7", url.Values{"outcome": {"not-there"}}); a.StatusCode != http.StatusNotFound || len(w.ledger.did) != 0 {
		t.Errorf("Dana settles another's: %d %v", a.StatusCode, w.ledger.did)
	}
	if a := g.settle("d-robin-unknown", "7", nil); a.StatusCode != http.StatusSeeOther || len(w.ledger.did) != 1 {
		t.Errorf("and not their own: %d %s", a.StatusCode, a.body)
	}
}

func TestAWordIsTakenOnceAndOnlyOnWhatWasSeen(t *testing.T) {
	w := newTown(t)
	ann, ben := w.as(people.Admin), w.as(people.Owner)
	a := ann.after(ann.settle("d-robin-unknown", "7", url.Values{"outcome": {"not-there"}, "note": {"they looked"}, "to": {"Nan"}}))
	a.says(t, "It is due again", "Ann admin says: not-there, to Nan", "they looked")
	ann.after(ann.settle("d-robin-unknown", "7", url.Values{"outcome": {"not-there"}})).says(t, "That is recorded already.")
	if a := ben.settle("d-robin-unknown", "7", nil); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "This delivery moved meanwhile") || !strings.Contains(a.body, "staged by now") {
		t.Errorf("Ben overrules what he did not see: %d %s", a.StatusCode, a.body)
	}
	if len(w.ledger.did) != 1 {
		t.Errorf("%v", w.ledger.did)
	}
	w.ledger.busy = true
	if a := ben.settle("d-kim-refused", "7", nil); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "being sent right now") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// What somebody does is one entry of the audit log; what they are shown because it was not done is a look.
func TestWhatIsDoneIsNotNotedAsALookToo(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Admin)
	looks := func() int { return len(w.ledger.looks) + len(w.pairs.looks) + len(w.looks) }
	for name, do := range map[string]func() answerTo{
		"settle": func() answerTo { return g.settle("d-robin-unknown", "7", nil) },
		"retry":  func() answerTo { return g.post("/exchange/deliveries/d-kim-refused/retry", url.Values{"seen": {"7"}}) },
		"a link": func() answerTo {
			return g.post("/exchange/links/l-open/refuse", url.Values{"seen": {w.pairs.find("l-open").Seen()}, "why": {"two people"}})
		},
	} {
		before := looks()
		if a := do(); a.StatusCode != http.StatusSeeOther || looks() != before {
			t.Errorf("%s: %d, and %d looks", name, a.StatusCode, looks()-before)
		}
		if a := do(); a.StatusCode == http.StatusUnprocessableEntity {
			t.Errorf("%s again: %d", name, a.StatusCode)
		}
	}
	before := looks()
	g.settle("d-kim-laid", "7", url.Values{"note": {""}})
	g.settle("d-kim-laid", "6", nil)
	g.post("/exchange/links/l-linked/undo", url.Values{"seen": {w.pairs.find("l-linked").Seen()}})
	if looks() != before+3 {
		t.Errorf("what was shown is noted %d times", looks()-before)
	}
}

// An admin reads no story that somebody else wrote of a delivery; their own note they may read.
func TestWhatOthersWroteOfADeliveryIsForTheTherapist(t *testing.T) {
	w := newTown(t)
	w.ledger.sent[0].Said = []report.DispatchSaid{{At: now, By: "Dana", Outcome: exchange.OutcomeNotThere, Note: "Zqmark of 200 mg"}, {At: now, By: "Ann admin", Outcome: exchange.OutcomeTold, Note: "I called them"}}
	const path = "/exchange/deliveries/d-robin-unknown"
	if a := w.as(people.Admin).get(path); strings.Contains(a.body, "Zqmark") || !strings.Contains(a.body, "I called them") || !strings.Contains(a.body, keptApart) {
		t.Errorf("an admin reads %s", a.body)
	}
	w.as(people.Therapist).get(path).says(t, "Zqmark")
	if strings.Contains(w.ledger.sent[0].Said[0].Note, keptApart) {
		t.Error("what is kept was changed")
	}
}

func TestAWordThatDoesNotFitIsAskedForAgain(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Admin)
	for name, row := range map[string]struct {
		id   string
		form url.Values
		says string
	}{
		"nothing said":                          {"d-robin-unknown", url.Values{"outcome": {""}}, "Say what became of it"},
		"a word of another state":               {"d-robin-unknown", url.Values{"outcome": {"handed-over"}}, "Say what became of it"},
		"refused things did not fail to arrive": {"d-kim-refused", url.Values{"outcome": {"not-there"}}, "Say what became of it"},
		"nobody says how it is known":           {"d-robin-unknown", url.Values{"note": {"  "}}, "Say how it is known"},
		"a place of another kind":               {"d-robin-unknown", url.Values{"ref": {"Patient/1"}}, "like ServiceRequest/123"},
		"a place of what did not arrive":        {"d-robin-unknown", url.Values{"outcome": {"not-there"}, "ref": {"ServiceRequest/1"}}, "leave it empty"},
		"handed over tomorrow":                  {"d-kim-laid", url.Values{"outcome": {"handed-over"}, "at": {"2026-03-04T09:00"}}, "lies in the future"},
		"handed over before it was there":       {"d-kim-laid", url.Values{"outcome": {"handed-over"}, "at": {"2026-02-01T09:00"}}, "before the day on which it was laid out"},
		"handed over some time":                 {"d-kim-laid", url.Values{"outcome": {"handed-over"}, "at": {"noon"}}, "Write when"},
	} {
		a := g.settle(row.id, "7", row.form)
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, row.says) || !a.has("problems") {
			t.Errorf("%s: %d, without %q", name, a.StatusCode, row.says)
		}
		if name == "a place of another kind" && !strings.Contains(a.body, `value="Patient/1"`) {
			t.Errorf("%s: what was typed is gone", name)
		}
	}
	if len(w.ledger.did) != 0 {
		t.Fatalf("%v", w.ledger.did)
	}
	if a := g.settle("d-kim-laid", "7", url.Values{"outcome": {"handed-over"}, "at": {"2026-03-01T01:00"}, "to": {"Front desk"}}); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("the hour of that day is nobody's to know: %d %s", a.StatusCode, a.body)
	}
	if want := "Ann admin|d-kim-laid|handed-over|Front desk|I called them||2026-03-01T01:00:00-07:00"; w.ledger.did[0] != want {
		t.Errorf("got %s", w.ledger.did[0])
	}
}

func TestABodyIsShownToWhoSaysWhy(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Privacy)
	const path = "/exchange/deliveries/d-robin-unknown/body"
	if a := g.post(path, url.Values{"why": {" "}}); a.StatusCode != http.StatusUnprocessableEntity || a.has("body") {
		t.Errorf("without a reason: %d", a.StatusCode)
	}
	a := g.post(path, url.Values{"why": {"a complaint"}})
	a.says(t, "Featherstone &lt;b&gt;")
	if last := w.ledger.looks[len(w.ledger.looks)-1]; last != "Ann privacy at d-robin-unknown a complaint" {
		t.Errorf("it is noted as %q", last)
	}
	if a := w.as(people.Admin).get("/exchange/deliveries/d-robin-unknown"); a.has("ask-body") {
		t.Error("an admin is offered the body")
	}
}

func TestWhatWasRefusedIsTriedAgain(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Admin)
	g.after(g.post("/exchange/deliveries/d-kim-refused/retry", url.Values{"seen": {"7"}})).says(t, "It is due now. The next sync sends it")
	g.after(g.post("/exchange/deliveries/d-kim-refused/retry", url.Values{"seen": {"7"}})).says(t, "It is due already")
	if a := g.post("/exchange/deliveries/d-robin-unknown/retry", url.Values{"seen": {"6"}}); a.StatusCode != http.StatusConflict || len(w.ledger.did) != 1 {
		t.Errorf("%d %v", a.StatusCode, w.ledger.did)
	}
}
