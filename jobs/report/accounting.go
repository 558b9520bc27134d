package report

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Accounting is to whom something of one client was told, by the hub and by people, for the client's own eyes
// (45 CFR 164.528). What was only staged, or taken back before it was sent, is not in it; what may have arrived is, and
// says so. What goes home to the practice is no disclosure. It claims no more than the hub knows: Limits says what that is.
type Accounting struct {
	Schema    int          `json:"schema"`
	Generated time.Time    `json:"generated"`
	Practice  string       `json:"practice"`
	Client    string       `json:"client"`
	Chosen    string       `json:"chosen"`
	From      time.Time    `json:"from"` // the first instant accounted for
	To        time.Time    `json:"to"`   // the last
	Known     time.Time    `json:"known_from"`
	Limits    string       `json:"limits"` // from when on it is known what was sent, and what is not in the list, in plain words
	Lines     []Disclosure `json:"disclosures"`

	zone *time.Location
}

// Disclosure is one thing told to somebody.
type Disclosure struct {
	ID         string             `json:"id"` // of the delivery, or of the entry made by hand
	At         time.Time          `json:"at"`
	Recipient  string             `json:"recipient"`
	Address    string             `json:"address,omitempty"`
	Identifier string             `json:"identifier,omitempty"`
	What       string             `json:"what"`  // brief description, in plain words
	Basis      string             `json:"basis"` // the release, or the purpose
	Release    string             `json:"release,omitempty"`
	Certainty  exchange.Certainty `json:"certainty"`
	Words      string             `json:"words"`        // what became of it, in plain words
	Copy       string             `json:"copy"`         // by which the other side can find what it received; "" = told by a person
	By         string             `json:"by,omitempty"` // the person who told it, or handed it over
}

// AccountingInput is all that an accounting is built from.
type AccountingInput struct {
	Generated  time.Time
	From, To   time.Time // both included
	Known      time.Time // the hub's first record: what was sent before it, nobody here knows
	Practice   string
	Client     string
	Chosen     string
	Zone       *time.Location
	Recipients map[string]Recipient // by party
	Sent       []exchange.Recorded
	Told       []exchange.Telling
	Permits    map[fhir.Basis]Permit // the releases that they rest on, as far as known
}

// Recipient is a party as an accounting names it.
type Recipient struct {
	Name       string
	Address    string
	Identifier string
}

// SixYears is how far back an accounting goes unless another time is asked for (45 CFR 164.528(a)(1)).
func SixYears(now time.Time) time.Time { return now.AddDate(-6, 0, 0) }

// NewAccounting words what was disclosed, oldest first. It is pure.
func NewAccounting(in AccountingInput) Accounting {
	zone := cmp.Or(in.Zone, time.UTC)
	a := Accounting{Schema: schema, Generated: in.Generated.UTC(), Practice: in.Practice, Client: in.Client, Chosen: in.Chosen,
		From: in.From.UTC(), To: in.To.UTC(), Known: in.Known.UTC(), Lines: []Disclosure{}, zone: zone}
	a.Limits = "This list holds what was sent through " + in.Practice + "’s hub since " + in.Known.In(zone).Format("2 January 2006") +
		", when the hub began to keep records, and what people entered in it. What was told earlier, or in another way, is not listed unless somebody entered it."
	add := func(d Disclosure) {
		if !d.At.Before(in.From) && !d.At.After(in.To) {
			a.Lines = append(a.Lines, d)
		}
	}
	for _, r := range in.Sent {
		certainty, at := exchange.Disclosed(r.Steps)
		if certainty == exchange.NotDisclosed || r.To == fhir.Practice {
			continue
		}
		to := in.Recipients[r.To]
		d := Disclosure{ID: r.ID, At: at.UTC(), Recipient: cmp.Or(to.Name, r.To), Address: to.Address, Identifier: to.Identifier, Copy: r.Copy.Value,
			What: told(r.Delivery), Basis: "No release is on record", Certainty: certainty, Words: became(r, certainty, zone)}
		if b := r.Release; b != nil {
			d.Release = versionOf(*b)
			d.Basis = in.Permits[*b].basis(zone)
		}
		if e := r.Receipt; e != nil && r.State == exchange.Delivered {
			d.By = e.By
			if e.Outcome == exchange.OutcomeHandedOver && e.To != "" {
				d.Recipient += ", " + e.To
			}
		}
		add(d)
	}
	for _, t := range in.Told {
		if t.Corrected || t.How == exchange.NotTold {
			continue
		}
		to := in.Recipients[t.Party]
		whom := t.Recipient
		if to.Name != "" {
			whom = to.Name + suffix(t.Recipient)
		}
		add(Disclosure{ID: t.ID, At: t.At.UTC(), Recipient: whom, Address: cmp.Or(t.Address, to.Address), Identifier: to.Identifier,
			What: t.What, Basis: t.Purpose, Certainty: exchange.Received, Words: "Told " + ways[t.How] + " by " + t.By + ".", By: t.By})
	}
	slices.SortStableFunc(a.Lines, func(x, y Disclosure) int { return x.At.Compare(y.At) })
	return a
}

// ways are how people tell, in plain words.
var ways = map[string]string{"phone": "by phone", "fax": "by fax", "letter": "by letter", "in-person": "in person", "e-mail": "by e-mail", "portal": "in their portal"}

// basis words the release for the client who gave it.
func (p Permit) basis(zone *time.Location) string {
	if p.Came.IsZero() {
		return "Your release of information"
	}
	said := "Your release of information"
	if p.From != "" {
		said += " from " + civil(p.From, zone)
	}
	if p.To != "" {
		return said + ", valid to " + civil(p.To, zone)
	}
	return said + ", valid until you end it"
}

// civil writes a FHIR date in words, as it stands where it cannot be read.
func civil(text string, zone *time.Location) string {
	from, _, err := fhir.Span(text, zone)
	if err != nil {
		return text
	}
	return from.In(zone).Format("2 January 2006")
}

// became is what became of a delivery, for the client.
func became(r exchange.Recorded, c exchange.Certainty, zone *time.Location) string {
	day := func(t time.Time) string { return t.In(zone).Format("2 January 2006") }
	switch c {
	case exchange.HandedOver:
		return "Handed over on paper by " + r.Receipt.By + "."
	case exchange.TurnedDown:
		return "Their system was shown it and refused it."
	case exchange.SaidNot:
		for _, s := range slices.Backward(r.Steps) {
			if s.Receipt != nil && s.Receipt.By != "" {
				return "Sent; no answer came. " + s.Receipt.By + " found out on " + day(s.At) + " that it did not arrive."
			}
		}
		return "Sent; no answer came. It is said not to have arrived."
	case exchange.MayHave:
		if r.State == exchange.LaidOut {
			return "Printed to be handed over. Nobody recorded whether it was: it may have been disclosed."
		}
		return "Sent; no answer came. It may have been disclosed."
	}
	if r.Receipt != nil {
		switch r.Receipt.Outcome {
		case exchange.OutcomeExisted:
			return "Sent; the answer was lost. Found at theirs on " + day(cmp.Or(r.Receipt.At, r.Last)) + "."
		case exchange.OutcomeTold:
			return "Received, as " + r.Receipt.By + " found out on " + day(r.Receipt.At) + "."
		}
	}
	return "Received."
}

// told describes in plain words what a delivery says of the client.
func told(d exchange.Delivery) string {
	list, err := exchange.Elements(d.Body)
	if err != nil {
		return string(d.What)
	}
	var kinds []string
	parts := map[string][]string{}
	for _, e := range list {
		typ, rest, _ := strings.Cut(e.Path, ".")
		element, _, _ := strings.Cut(rest, ".")
		if !slices.Contains(kinds, typ) {
			kinds = append(kinds, typ)
		}
		word, known := plainly[typ][element]
		if !known {
			word = plainly[""][element]
		}
		if word != "" && !slices.Contains(parts[typ], word) {
			parts[typ] = append(parts[typ], word)
		}
	}
	said := make([]string, 0, len(kinds))
	for _, typ := range kinds {
		text := cmp.Or(subjects[typ], typ)
		if len(parts[typ]) > 0 {
			text += ": " + strings.Join(parts[typ], ", ")
		}
		said = append(said, text)
	}
	return strings.Join(said, ". ") + "."
}

// subjects are what each type of record is to the client.
var subjects = map[string]string{
	"Patient": "Who you are", "Consent": "Your release of information", "ServiceRequest": "The referral for an evaluation",
	"Task": "The request to take up the referral, and how it stands", "Observation": "A finding", "MedicationRequest": "A prescription",
	"MedicationDispense": "Medicine that was dispensed", "Appointment": "A session", "Procedure": "A session that took place", "AdverseEvent": "An adverse event",
}

// plainly are the elements that a client may care about, in plain words, in the order in which they are found. What
// stands under "" is said of any type.
var plainly = map[string]map[string]string{
	"Patient": {"identifier": "record numbers", "name": "name", "telecom": "phone or e-mail", "gender": "gender", "birthDate": "date of birth",
		"address": "address", "communication": "language"},
	"Consent":        {"dateTime": "when you gave it", "provision": "what it allows, and for how long"},
	"ServiceRequest": {"reasonCode": "the reason", "occurrenceDateTime": "when it is wanted", "occurrencePeriod": "when it is wanted", "requester": "who refers you", "note": "a note"},
	"Task":           {"statusReason": "a reason", "requester": "who asks"},
	"":               {"valueCodeableConcept": "the result", "valueQuantity": "the result", "component": "its parts", "dosageInstruction": "how to take it", "note": "a note", "reasonCode": "the reason"},
}

// JSON writes the accounting for a program.
func (a Accounting) JSON(w io.Writer) error { return writeJSON(w, "write accounting", a) }

// CSV writes one row a disclosure, and a last one that says what the list cannot know, safe to open in a spreadsheet.
func (a Accounting) CSV(w io.Writer) error {
	rows := [][]string{{"date", "time", "recipient", "address", "identifier", "what", "basis", "release", "certainty", "what_became_of_it", "by", "id"}}
	for _, d := range a.Lines {
		at := d.At.In(a.zone)
		rows = append(rows, []string{at.Format(time.DateOnly), at.Format("15:04 MST"), d.Recipient, d.Address, d.Identifier, d.What, d.Basis, d.Release,
			string(d.Certainty), d.Words, d.By, d.ID})
	}
	rows = append(rows, []string{a.Known.In(a.zone).Format(time.DateOnly), a.Known.In(a.zone).Format("15:04 MST"), "", "", "", a.Limits, "", "", "", "", "", ""})
	out := csv.NewWriter(w)
	for _, row := range rows {
		for i := range row {
			row[i] = inert(row[i])
		}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("write accounting: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write accounting: %w", err)
	}
	return nil
}

// Text writes the accounting for a terminal.
func (a Accounting) Text(w io.Writer, o Options) error {
	s := newScreen(o)
	s.line(0, s.paint(bold, plain(a.Practice)+" · disclosures of "+plain(a.Name())))
	s.line(0, a.Span())
	s.line(0, plain(a.Limits))
	for _, d := range a.Lines {
		s.b.WriteString("\n")
		s.line(0, s.paint(bold, d.At.In(a.zone).Format("2 Jan 2006"))+" to "+plain(d.Recipient)+suffix(d.Identifier)+suffix(d.Address))
		s.line(4, plain(d.What))
		s.line(4, plain(d.Basis)+suffix(d.Release))
		s.line(4, plain(d.Words)+" "+s.paint(faint, "("+d.ID[:min(12, len(d.ID))]+")"))
	}
	s.b.WriteString("\n")
	s.line(0, a.Total())
	return s.flush(w, "write accounting")
}

func suffix(text string) string {
	if text == "" {
		return ""
	}
	return ", " + plain(text)
}

// Name is how the client is called.
func (a Accounting) Name() string { return cmp.Or(a.Chosen, a.Client) }

// Span is the time accounted for, in words.
func (a Accounting) Span() string {
	return "From " + a.From.In(a.zone).Format("2 January 2006") + " to " + a.To.In(a.zone).Format("2 January 2006")
}

// Total counts in words.
func (a Accounting) Total() string {
	doubtful := 0
	for _, d := range a.Lines {
		if d.Doubtful() {
			doubtful++
		}
	}
	switch {
	case len(a.Lines) == 0:
		return "Nothing is on record as told to anybody outside in this time."
	case doubtful > 0:
		return many(len(a.Lines), "disclosure") + ", of which " + fmt.Sprint(doubtful) + " may not have arrived."
	}
	return many(len(a.Lines), "disclosure") + "."
}

// letter is what the template accounting.html is executed with.
type letter struct {
	Accounting
	Style  template.CSS
	Policy string
}

var letterStyle, letterPolicy = stylesheet("templates/accounting.css")

// HTML writes the accounting as one self-contained page to print and hand to the client. Nothing is written unless all of
// it could be.
func (a Accounting) HTML(w io.Writer) error {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, "accounting.html", letter{Accounting: a, Style: letterStyle, Policy: letterPolicy}); err != nil {
		return fmt.Errorf("render accounting: %w", err)
	}
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("write accounting: %w", err)
	}
	return nil
}

// Day is the day of a time, in full.
func (l letter) Day(t time.Time) string { return t.In(l.zone).Format("2 January 2006") }

// Date is the day of a time for machines.
func (l letter) Date(t time.Time) string { return t.In(l.zone).Format(time.DateOnly) }

// Doubtful reports whether it is not known that the other side received it.
func (d Disclosure) Doubtful() bool {
	return d.Certainty != exchange.Received && d.Certainty != exchange.HandedOver
}
