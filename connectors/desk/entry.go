package desk

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// The kinds of entry: Provenance.activity in fhir.SystemEntry.
const (
	KindPapers      = "papers"
	KindDecision    = "decision"
	KindFollowUp    = "follow-up"
	KindLabel       = "label"
	KindStop        = "stop"
	KindCondition   = "condition"
	KindLift        = "lift"
	KindArrival     = "arrival"
	KindAfter       = "after"
	KindReason      = "reason"
	KindConfirm     = "confirm"
	KindAcknowledge = "acknowledge"
	KindUndo        = "undo"
	KindRead        = "read-through"
)

// Party is a side of the exchange as an entry names it.
type Party struct {
	Name       string // fhir.Practice or the prescriber's name in the config
	Title      string
	Identifier fhir.ID // zero: none
}

// Book is what every entry is made with: the two parties and the practice's zone.
type Book struct {
	Practice   Party
	Prescriber Party
	Medicine   string // what the sheet calls the medicine; "" = ketamine
	Zone       *time.Location
}

// Note is who enters what somebody told, about whom and when.
type Note struct {
	Entry  string // its id: NewEntry
	Client string // the hub's key
	By     string // who enters, by name
	At     time.Time
	Told   time.Time // the message's date; zero = At
	Medium string    // e-mail, phone, letter, in-person or portal; "" = not said
	From   string    // who told it, by name; "" = the party that owns the fact

	Account string // the hub key of the account of who enters; "" = none is known
	Typist  string // who typed it, where that was somebody else: an account's hub key, or as a machine has them
}

// Writer is who enters, as a Note has it.
type Writer struct{ Name, Account, Typist string }

// Signed is n as w's.
func (n Note) Signed(w Writer) Note {
	n.By, n.Account, n.Typist = w.Name, w.Account, w.Typist
	return n
}

// WriterOf is who entered a slip.
func WriterOf(s exchange.Slip) Writer {
	w := Writer{Name: s.Actor}
	for _, r := range s.Records {
		p, err := fhir.Read[fhir.Provenance](r)
		if r.Type != "Provenance" || err != nil {
			continue
		}
		for _, a := range p.Agent {
			switch id, _ := fhir.IDOf(a.Who.Identifier); {
			case id.System == fhir.SystemActor && id.Value != s.Actor:
				w.Account = id.Value
			case id.System == fhir.SystemTypist:
				w.Typist = id.Value
			}
		}
	}
	return w
}

// NewEntry returns the id of a new entry, short enough to be typed.
func NewEntry() string {
	const letters = "0123456789abcdefghjkmnpqrstvwxyz"
	raw := make([]byte, 8)
	_, _ = rand.Read(raw) // it never fails
	for i := range raw {
		raw[i] = letters[raw[i]%32]
	}
	return "e-" + string(raw)
}

// errMissing is what a builder answers when a part that it cannot do without is not there.
var errMissing = errors.New("is missing")

// Wrong is what is wrong with one part of an entry.
type Wrong struct {
	Part string // as a form and a flag call it
	Err  error
}

func (w Wrong) Error() string { return w.Err.Error() }

// Unwrap returns what is wrong.
func (w Wrong) Unwrap() error { return w.Err }

func in(part string, err error) error { return Wrong{part, err} }

func (n Note) check() error {
	for _, part := range []struct{ what, value string }{{"entry", n.Entry}, {"client", n.Client}, {"who enters it", n.By}} {
		if part.value == "" {
			return fmt.Errorf("%s %w", part.what, errMissing)
		}
	}
	if n.At.IsZero() {
		return fmt.Errorf("the time of entry %w", errMissing)
	}
	if n.Told.After(n.At) {
		return in("told", errors.New("it is dated in the future: give the date of the message"))
	}
	return nil
}

// told is when it was told.
func (n Note) told() time.Time {
	if n.Told.IsZero() {
		return n.At
	}
	return n.Told
}

// object is a piece of FHIR JSON.
type object map[string]any

// draft is a slip in the making.
type draft struct {
	Note
	book  Book
	party Party // whose facts they are
	kind  string
	made  []made
}

type made struct {
	kind, id string
	version  int
	body     object
}

func (b Book) draft(n Note, party Party, kind string) *draft {
	return &draft{Note: n, book: b, party: party, kind: kind}
}

// add puts a record into the slip: a new one, or the next version of the one that was.
func (d *draft) add(kind, id string, was *fhir.Version, body object) {
	version := 1
	if was != nil {
		id, version = was.ID, versionOf(was)+1
	}
	d.made = append(d.made, made{kind, id, version, body})
}

func versionOf(v *fhir.Version) int {
	n, err := strconv.Atoi(v.Resource.VersionID)
	if err != nil {
		return 1
	}
	return n
}

// id names a record of this entry.
func (d *draft) id(what string) string { return what + "-" + d.Entry[len("e-"):] }

// patient is whom the records hang on: Patient/<hub key>.
func (d *draft) patient() object { return object{"reference": "Patient/" + d.Client} }

// slip finishes the slip: the bare Patient, the records, and the Provenance that says where they come from. reasons are
// why a record was corrected, or that the end was typed twice.
func (d *draft) slip(reasons ...object) (exchange.Slip, error) {
	s := exchange.Slip{Source: Source(d.party.Name), Entry: d.Entry, Client: d.Client, Kind: d.kind, Actor: d.By, At: d.At}
	bare := object{"resourceType": "Patient", "id": d.Client, "identifier": []object{{"system": fhir.SystemClient, "value": d.Client}}}
	all := []object{bare}
	targets := []object{d.patient()}
	for _, m := range d.made {
		body := object{"resourceType": m.kind, "id": m.id}
		for k, v := range m.body {
			body[k] = v
		}
		body["meta"] = object{"versionId": strconv.Itoa(m.version), "lastUpdated": instant(d.At)}
		all = append(all, body)
		targets = append(targets, object{"reference": m.kind + "/" + m.id + "/_history/" + strconv.Itoa(m.version)})
	}
	all = append(all, d.provenance(targets, reasons))
	for _, body := range all {
		r, err := parse(body)
		if err != nil {
			return s, fmt.Errorf("make a record of the entry: %w", err)
		}
		s.Records = append(s.Records, r)
	}
	return s, nil
}

// provenance says who entered the records, on whose behalf, how it was told and when.
func (d *draft) provenance(targets, reasons []object) object {
	author := object{"type": agent("author"), "who": d.party.reference()}
	if d.From != "" {
		author = object{"type": agent("author"), "who": object{"display": d.From}, "onBehalfOf": d.party.reference()}
	}
	role := "enterer"
	if d.kind == KindConfirm {
		role = "verifier"
	}
	agents := []object{
		{"type": agent(role), "who": object{"identifier": object{"system": fhir.SystemActor, "value": cmp.Or(d.Account, d.By)}, "display": d.By}},
		author,
	}
	if d.Typist != "" {
		agents = append(agents, object{"type": agent("assembler"), "who": object{"identifier": object{"system": fhir.SystemTypist, "value": d.Typist}}})
	}
	p := object{
		"resourceType": "Provenance", "id": d.Entry,
		"meta":   object{"versionId": "1", "lastUpdated": instant(d.At)},
		"target": targets, "recorded": instant(d.At), "occurredDateTime": instant(d.told()),
		"activity": object{"coding": []object{{"system": fhir.SystemEntry, "code": d.kind}}},
		"agent":    agents,
	}
	if d.Medium != "" {
		p["entity"] = []object{{"role": "source", "what": object{"identifier": object{"system": fhir.SystemMedium, "value": d.Medium}}}}
	}
	if len(reasons) > 0 {
		p["reason"] = reasons
	}
	return p
}

func agent(code string) object {
	return concept("http://terminology.hl7.org/CodeSystem/provenance-participant-type", code)
}

// reference names the party: by its number, where it has one.
func (p Party) reference() object {
	o := object{}
	if p.Identifier != (fhir.ID{}) {
		o["identifier"] = object{"system": p.Identifier.System, "value": p.Identifier.Value}
	}
	if p.Title != "" {
		o["display"] = p.Title
	} else {
		o["display"] = p.Name
	}
	return o
}

// at refers to a record of another source: a reference that is the same wherever it is read.
func at(v *fhir.Version) object {
	return object{"reference": fhir.Base + "/source/" + v.Source + "/" + v.Ref().String()}
}

func concept(system, code string) object {
	return object{"coding": []object{{"system": system, "code": code}}}
}

// drug is the medicine as a concept.
func (b Book) drug() object {
	o := object{"coding": []object{{"system": fhir.SystemRxNorm, "code": fhir.RxNormKetamine, "display": "ketamine"}}}
	if b.Medicine != "" {
		o["text"] = b.Medicine
	}
	return o
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// day writes the date of t where the practice is.
func (b Book) day(t time.Time) string { return t.In(b.zone()).Format(time.DateOnly) }

func (b Book) zone() *time.Location {
	if b.Zone == nil {
		return time.UTC
	}
	return b.Zone
}

// parse brings a body through the gate.
func parse(body object) (fhir.Resource, error) {
	var text bytes.Buffer
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false)
	if err := to.Encode(body); err != nil {
		return fhir.Resource{}, err
	}
	return fhir.Parse(bytes.TrimSpace(text.Bytes()), "")
}

// slips finishes several drafts of one entry.
func slips(drafts ...*draft) ([]exchange.Slip, error) {
	var all []exchange.Slip
	for _, d := range drafts {
		if len(d.made) == 0 {
			continue
		}
		s, err := d.slip()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// ReadThrough says that everything that came from a party up to a time was read, and all of it is entered.
func (b Book) ReadThrough(n Note, party Party, upTo time.Time) ([]exchange.Slip, error) {
	switch {
	case n.Entry == "" || n.By == "" || n.At.IsZero():
		return nil, fmt.Errorf("who entered it, or when, %w", errMissing)
	case upTo.IsZero():
		return nil, fmt.Errorf("up to when it was read %w", errMissing)
	case upTo.After(n.At):
		return nil, in("up-to", errors.New("nobody has read what is to come: give a time that is over"))
	}
	return []exchange.Slip{{Source: Source(party.Name), Entry: n.Entry, Kind: KindRead, Actor: n.By, At: n.At, ReadTo: upTo}}, nil
}
