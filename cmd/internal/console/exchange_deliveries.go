package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs/report"
)

// Ledger is what was sent, and what people say of it.
type Ledger interface {
	// Deliveries returns the newest deliveries in each of the states, at most limit of each, and how many there are by
	// state; it notes that by looked, unless counts are all that is asked for.
	Deliveries(ctx context.Context, by string, limit int, states ...exchange.State) ([]Sent, map[exchange.State]int, error)
	// Delivery returns one with all that there is to tell of it, noted as a look unless by is "", once may has let them look at
	// its client.
	// With a why the body is there too. exchange.ErrNotFound when there is none.
	Delivery(ctx context.Context, by, id, why string, may func(client string) error) (Sent, error)
	// Settle notes a person's word. exchange.ErrConflict when the delivery moved since they saw it or is in no state for it,
	// exchange.ErrBusy while it is being sent.
	Settle(ctx context.Context, by, id string, seen fhir.Moment, r exchange.Receipt) error
	// Retry makes one due now. Errors are those of Settle.
	Retry(ctx context.Context, by, id string, seen fhir.Moment) error
}

// Sent is a delivery, with whom it is about as the practice calls them.
type Sent struct {
	report.Dispatch
	Seen       fhir.Moment // as of which it stands so
	Whom       string      // the party, as shown
	Chosen     string
	Therapists []fhir.Therapist
}

// settlingSent are those who may say what became of a delivery: a therapist, of their own clients.
var (
	lookingAtSent = []people.Role{people.Owner, people.Admin, people.Therapist, people.Privacy, people.Reader, people.Operator}
	settlingSent  = []people.Role{people.Owner, people.Admin, people.Therapist}
	retrying      = []people.Role{people.Owner, people.Admin, people.Therapist, people.Operator}
	readingBodies = []people.Role{people.Owner, people.Privacy}
)

func (c *Console) deliveryRoutes() []route {
	return []route{
		{Pattern: "GET /exchange/deliveries", May: lookingAtSent, do: (*visit).deliveries},
		{Pattern: "GET /exchange/deliveries/{delivery}", May: lookingAtSent, do: (*visit).delivery},
		{Pattern: "POST /exchange/deliveries/{delivery}/body", May: readingBodies, do: (*visit).deliveryBody},
		{Pattern: "POST /exchange/deliveries/{delivery}/settle", May: settlingSent, do: (*visit).settleDelivery},
		{Pattern: "POST /exchange/deliveries/{delivery}/retry", May: retrying, do: (*visit).retryDelivery},
	}
}

// deliveryViews are the lists of deliveries, by what is to be done about them.
var deliveryViews = []deliveryView{
	{"", "To settle", "Nothing waits for a person: no delivery is of unknown outcome, refused or laid out.", []exchange.State{exchange.Unknown, exchange.Refused, exchange.LaidOut}},
	{"waiting", "On their way", "Nothing waits to be sent.", []exchange.State{exchange.Staged, exchange.Attempted}},
	{"delivered", "Delivered", "Nothing has been delivered yet.", []exchange.State{exchange.Delivered}},
	{"withdrawn", "Withdrawn", "Nothing was withdrawn.", []exchange.State{exchange.Withdrawn}},
}

type deliveryView struct {
	key, name, empty string
	states           []exchange.State
}

// shownDeliveries is how many of a state are listed; the terminal lists all.
const shownDeliveries = 100

type deliveriesPage struct {
	exchangeFrame
	Views    []viewLink
	Rows     []sentRow
	Empty    string
	More     int // that are not shown
	Discreet bool
}

type viewLink struct {
	link
	N int
}

// sentRow is a delivery in a list.
type sentRow struct {
	Sent
	Short string
	Says  string // what it brings
	Note  string // why it does not go, or what the answer said, in code
}

func (v *visit) deliveries() error {
	key := v.r.URL.Query().Get("state")
	at := slices.IndexFunc(deliveryViews, func(d deliveryView) bool { return d.key == key })
	if at < 0 {
		return notFoundHere("list of deliveries")
	}
	view := deliveryViews[at]
	list, counts, err := v.Ledger.Deliveries(v.ctx(), v.who.Name, shownDeliveries, view.states...)
	if err != nil {
		return err
	}
	p := deliveriesPage{exchangeFrame: v.exchangeFrame("Deliveries"), Empty: view.empty, Discreet: v.discreetHere()}
	for i, d := range deliveryViews {
		l := viewLink{link: link{Path: "/exchange/deliveries", Name: d.name, Here: i == at}}
		if d.key != "" {
			l.Path += "?" + url.Values{"state": {d.key}}.Encode()
		}
		for _, s := range d.states {
			l.N += counts[s]
		}
		p.Views = append(p.Views, l)
	}
	p.More = p.Views[at].N - len(list)
	for _, d := range list {
		if p.Discreet {
			d = bare(d)
		} else if v.who.Sight(d.Therapists...) == people.Nothing {
			continue
		}
		p.Rows = append(p.Rows, sentRowOf(d))
	}
	if !v.who.SeesAll() && !p.Discreet {
		p.More = 0
		for i := range p.Views {
			p.Views[i].N = 0 // how many others' there are is not theirs to know
		}
	}
	return v.show("exchange_deliveries", p)
}

// discreetHere reports whether the visitor sees keys, counts and states only.
func (v *visit) discreetHere() bool { return !v.who.SeesAll() && !v.who.Is(people.Therapist) }

// bare leaves of a delivery what tells of no client but their key: no name, record, element or anybody's words.
func bare(d Sent) Sent {
	b := Sent{Seen: d.Seen, Whom: d.Whom, Dispatch: report.Dispatch{ID: d.ID, Client: d.Client, Prescriber: d.Prescriber, To: d.To, What: d.What,
		Type: d.Type, State: d.State, Waits: d.Waits, Why: d.Why, Staged: d.Staged, Due: d.Due, Lane: "", Update: d.Update}}
	for _, t := range d.Tries {
		t.Ref = ""
		b.Tries = append(b.Tries, t)
	}
	return b
}

func sentRowOf(d Sent) sentRow {
	row := sentRow{Sent: d, Short: d.ID[:min(12, len(d.ID))], Says: sentenceCase(brings(d.What)), Note: d.Waits}
	if row.Note == "" && d.State != exchange.Delivered && d.State != exchange.Withdrawn {
		row.Note = d.Why
	}
	return row
}

// sentenceCase has a line begin with a capital letter.
func sentenceCase(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }

// brings says what a delivery tells the other side, in words.
func brings(w exchange.What) string {
	if said, ok := map[exchange.What]string{
		exchange.WhatPatient: "who the client is", exchange.WhatConsent: "the release", exchange.WhatReferral: "the referral", exchange.WhatTask: "the referral's Task",
		exchange.WhatPacket: "a packet to hand over", exchange.WhatCancel: "that the referral is cancelled", exchange.WhatCancelRequest: "a request to cancel",
		exchange.WhatRevoked: "that the referral is revoked", exchange.WhatUnsafe: "that the referral is unsafe", exchange.WhatAnswer: "an answer",
		exchange.WhatQuestion: "a question, home", exchange.WhatTaskStatus: "the referral's status, home", exchange.WhatClearance: "the clearance, home",
		exchange.WhatPrescription: "the prescription's status, home", exchange.WhatDispense: "the pharmacy's status, home",
	}[w]; ok {
		return said
	}
	return strings.ReplaceAll(string(w), "-", " ")
}

type deliveryPage struct {
	exchangeFrame
	sentRow
	Bare     bool // keys and states only
	Settles  []ending
	Retries  bool
	Bodies   bool
	Form     settleForm
	Problems []string
	Body     string // as it is sent; "" = not asked for
}

// ending is what can be said of a delivery in its state.
type ending struct{ Value, Label, Hint string }

// settleForm is what was typed.
type settleForm struct{ Outcome, Note, To, Ref, At string }

// settleChoices are what a person can say of a delivery, by its state (store.Settle).
func settleChoices(s exchange.State) []ending {
	arrived := ending{string(exchange.OutcomeTold), "It arrived", "or was carried there by phone or on paper"}
	not := ending{string(exchange.OutcomeNotThere), "It did not arrive", "then it is due again, and sent if it is still wanted; that it was once sent stays in the accounting"}
	switch s {
	case exchange.Unknown, exchange.Attempted:
		return []ending{arrived, not}
	case exchange.Refused, exchange.Staged:
		arrived.Label, arrived.Hint = "It got there by other means", "by phone or on paper"
		return []ending{arrived}
	case exchange.LaidOut:
		return []ending{
			{string(exchange.OutcomeHandedOver), "It was handed over", "by courier, in person or by registered letter"},
			{string(exchange.OutcomeNotThere), "It was not handed over, and will not be", "it is recalled: take it out of the folder"},
		}
	}
	return nil
}

func (v *visit) delivery() error {
	d, err := v.sent(v.who.Name, "")
	if err != nil {
		return err
	}
	return v.showDelivery(http.StatusOK, v.deliveryPage(d))
}

// sent is the delivery that the address names; it is noted that by looks, unless by is "": what is done with it is noted then.
func (v *visit) sent(by, why string) (Sent, error) {
	d, err := v.Ledger.Delivery(v.ctx(), by, v.r.PathValue("delivery"), why, v.mayLookAtSent)
	switch {
	case errors.Is(err, exchange.ErrNotFound):
		return d, notFoundHere("delivery")
	case err != nil:
		return d, err
	case v.discreetHere():
		return bare(d), nil
	case v.who.Sight(d.Therapists...) == people.Records: // what others wrote of it may be a story
		d.Said = slices.Clone(d.Said)
		for i := range d.Said {
			if said := &d.Said[i]; said.Note != "" && said.By != v.who.Name {
				said.Note = keptApart
			}
		}
	}
	return d, nil
}

// mayLookAtSent answers like mayMeet, and lets in who sees keys and states only.
func (v *visit) mayLookAtSent(client string) error {
	if v.who.SeesAll() || v.discreetHere() {
		return nil
	}
	if err := v.mayMeet(client); err != nil {
		if errors.Is(err, strangeClient) {
			return exchange.ErrNotFound
		}
		return err
	}
	return nil
}

func (v *visit) deliveryPage(d Sent) deliveryPage {
	p := deliveryPage{exchangeFrame: v.exchangeFrame("Delivery"), sentRow: sentRowOf(d), Bare: v.discreetHere(), Bodies: v.who.Is(readingBodies...)}
	if v.who.Is(settlingSent...) {
		p.Settles = settleChoices(d.State)
	}
	waits := (d.State == exchange.Staged || d.State == exchange.Attempted) && d.Due.After(v.now)
	p.Retries = v.who.Is(retrying...) && (d.State == exchange.Refused || d.State == exchange.Unknown || waits)
	p.Form.At = v.now.In(v.Zone).Format(dateTimeLocal)
	return p
}

// dateTimeLocal is how a browser writes an input of that type.
const dateTimeLocal = "2006-01-02T15:04"

func (v *visit) showDelivery(status int, p deliveryPage) error {
	return v.send(status, "exchange_delivery", p)
}

// deliveryBody shows the body right away, to whoever said why: there is nothing to come back to without saying it again.
func (v *visit) deliveryBody() error {
	why := strings.TrimSpace(v.r.PostFormValue("why"))
	d, err := v.sent(v.who.Name, why)
	if err != nil {
		return err
	}
	p := v.deliveryPage(d)
	if why == "" {
		p.Problems = []string{"Say why the body must be seen: it holds the client's data, and who looked is kept with the reason."}
		return v.showDelivery(http.StatusUnprocessableEntity, p)
	}
	p.Body = string(d.Body)
	return v.showDelivery(http.StatusOK, p)
}

func (v *visit) settleDelivery() error {
	d, err := v.sent("", "")
	if err != nil {
		return err
	}
	seen, _ := strconv.ParseInt(v.r.PostFormValue("seen"), 10, 64)
	f := settleForm{v.r.PostFormValue("outcome"), strings.TrimSpace(v.r.PostFormValue("note")), strings.TrimSpace(v.r.PostFormValue("to")),
		strings.TrimSpace(v.r.PostFormValue("ref")), v.r.PostFormValue("at")}
	if saidBefore(d, v.who.Name, exchange.Outcome(f.Outcome)) && fhir.Moment(seen) != d.Seen {
		v.say("That is recorded already.")
		return v.toDelivery(d)
	}
	if fhir.Moment(seen) != d.Seen {
		return v.moved()
	}
	r, problems := f.read(d, v.now, v.Zone)
	if len(problems) > 0 {
		if d, err = v.sent(v.who.Name, ""); err != nil {
			return err
		}
		p := v.deliveryPage(d)
		p.Form, p.Problems = f, problems
		return v.showDelivery(http.StatusUnprocessableEntity, p)
	}
	r.By = v.who.Name
	if err := v.Ledger.Settle(v.ctx(), v.who.Name, d.ID, d.Seen, r); err != nil {
		return v.notSettled(err)
	}
	switch r.Outcome {
	case exchange.OutcomeHandedOver:
		v.say("It is recorded that it was handed over.")
	case exchange.OutcomeNotThere:
		if d.State == exchange.LaidOut {
			v.say("It is withdrawn: it was not handed over. Take it out of the folder.")
		} else {
			v.say("It is due again: the next sync sends it, if it is still wanted.")
		}
	default:
		v.say("It is recorded that it arrived.")
	}
	return v.toDelivery(d)
}

// saidBefore reports whether a person's last word on a delivery was this one.
func saidBefore(d Sent, by string, outcome exchange.Outcome) bool {
	n := len(d.Said)
	return n > 0 && d.Said[n-1].By == by && d.Said[n-1].Outcome == outcome
}

// moved answers somebody who acts on what is no more so.
func (v *visit) moved() error {
	d, err := v.sent(v.who.Name, "")
	if err != nil {
		return err
	}
	text := "It is " + strings.ReplaceAll(string(d.State), "-", " ") + " by now. Nothing of yours was saved: open it again and look."
	if d.Story != "" {
		text = "It is " + strings.ReplaceAll(string(d.State), "-", " ") + " by now (" + d.Story + "). Nothing of yours was saved: open it again and look."
	}
	return &refusal{http.StatusConflict, "This delivery moved meanwhile", text}
}

// notSettled words why a delivery could not be settled or tried again.
func (v *visit) notSettled(err error) error {
	switch {
	case errors.Is(err, exchange.ErrBusy):
		return &refusal{http.StatusConflict, "It is being sent right now", "Its answer comes first: wait a moment, then look again. Nothing of yours was saved."}
	case errors.Is(err, exchange.ErrConflict):
		return v.moved()
	}
	return err
}

func (v *visit) toDelivery(d Sent) error {
	return v.to("/exchange/deliveries/" + url.PathEscape(d.ID))
}

// read is the receipt that was typed, or what is wrong with it.
func (f settleForm) read(d Sent, now time.Time, zone *time.Location) (r exchange.Receipt, problems []string) {
	r = exchange.Receipt{Outcome: exchange.Outcome(f.Outcome), Note: f.Note, To: f.To, At: now}
	if !slices.ContainsFunc(settleChoices(d.State), func(c ending) bool { return c.Value == f.Outcome }) {
		problems = append(problems, "Say what became of it.")
	}
	if f.Note == "" {
		problems = append(problems, "Say how it is known: whoever reads this later was not there.")
	}
	if len(f.Note) > 2000 || len(f.To) > 200 {
		problems = append(problems, "That is too long: 2,000 characters for how it is known, 200 for a name.")
	}
	if f.Ref != "" {
		typ, id, ok := strings.Cut(f.Ref, "/")
		switch {
		case r.Outcome != exchange.OutcomeTold:
			problems = append(problems, "Where it stands there is only known of what arrived: leave it empty.")
		case !ok || typ != d.Type || id == "" || len(id) > 64 || strings.ContainsAny(id, "/ "):
			problems = append(problems, fmt.Sprintf("Write where it stands as the other side names it, like %s/123.", d.Type))
		default:
			r.Ref = fhir.Ref{Type: typ, ID: id}
		}
	}
	if r.Outcome != exchange.OutcomeHandedOver {
		return r, problems
	}
	at, err := time.ParseInLocation(dateTimeLocal, f.At, zone)
	switch {
	case err != nil:
		problems = append(problems, "Write when it was handed over, like 2026-03-02T14:30.")
	case at.After(now):
		problems = append(problems, "When it was handed over lies in the future.")
	case at.Before(d.laidOut()) && at.Format(time.DateOnly) != d.laidOut().In(zone).Format(time.DateOnly): // of that day nobody writes the hour
		problems = append(problems, "When it was handed over lies before the day on which it was laid out.")
	}
	r.At = at
	return r, problems
}

// laidOut is when a packet was laid out, by its last try; zero when it was not.
func (d Sent) laidOut() time.Time {
	if len(d.Tries) == 0 {
		return time.Time{}
	}
	return d.Tries[len(d.Tries)-1].Begun
}

func (v *visit) retryDelivery() error {
	d, err := v.sent("", "")
	if err != nil {
		return err
	}
	seen, _ := strconv.ParseInt(v.r.PostFormValue("seen"), 10, 64)
	if fhir.Moment(seen) != d.Seen {
		if (d.State == exchange.Staged || d.State == exchange.Attempted) && !d.Due.After(v.now) {
			v.say("It is due already: the next sync sends it.")
			return v.toDelivery(d)
		}
		return v.moved()
	}
	if err := v.Ledger.Retry(v.ctx(), v.who.Name, d.ID, d.Seen); err != nil {
		return v.notSettled(err)
	}
	if d.State == exchange.Unknown || d.State == exchange.Attempted {
		v.say("It is due now. The next sync asks first whether it arrived, and sends it only if it is not there.")
	} else {
		v.say("It is due now. The next sync sends it, if it is still wanted.")
	}
	return v.toDelivery(d)
}
