package folder

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Contact is one side as it stands on the cover sheet.
type Contact struct {
	Title string
	Lines []string // address, phone, e-mail: what the config gives
}

// Stationer prints packets: all that is on the page besides the delivery itself.
type Stationer struct {
	From, To Contact
	Zone     *time.Location // nil = UTC
	Reply    string         // the block that the other side is asked to fill in and send back
}

// page is what the template shows. Every word of it about the client comes from the delivery.
type page struct {
	From, To Contact
	Printed  string
	Delivery string
	Notice   string // 42 CFR 2.32, "" where it does not apply
	Client   client
	Asked    asked
	Release  release
	Sessions []string
	Practice string // the practice's number of the client
	HubKey   string
	Referral string // the practice's number of the referral
	Reply    string
}

type client struct {
	Chosen, Legal, Pronouns, Born, Address, Prefers string
	Reach                                           []string
}

type asked struct {
	What, On, By, Priority string
	Reasons                []string
}

type release struct{ From, To, Signed string }

//go:embed packet.html
var packetHTML string

var packetPage = template.Must(template.New("packet").Parse(packetHTML))

var errNoPacket = errors.New("the packet lacks the client, the release or the referral")

// Page prints a packet on one page of HTML that needs nothing else: no script, no style sheet, no picture.
func (s Stationer) Page(d exchange.Delivery, at time.Time) ([]byte, error) {
	items, err := readJSON(d.Body)
	if err != nil {
		return nil, fmt.Errorf("print packet: %w", err)
	}
	zone := s.Zone
	if zone == nil {
		zone = time.UTC
	}
	p := page{From: s.From, To: s.To, Printed: at.In(zone).Format("2006-01-02 15:04 MST"), Delivery: Base(d)}
	if label(d.Body) {
		p.Notice = exchange.Notice
	}
	found := 0
	for _, it := range items {
		if it.refused != nil {
			return nil, fmt.Errorf("print packet: %s", it.refused)
		}
		for _, r := range it.resources {
			n, err := p.add(r, zone)
			if err != nil {
				return nil, fmt.Errorf("print packet: %s cannot be read", r.Type)
			}
			found |= n
		}
	}
	if found != 7 {
		return nil, errNoPacket
	}
	p.bound()
	p.Reply = s.Reply
	var out bytes.Buffer
	if err := packetPage.Execute(&out, p); err != nil {
		return nil, fmt.Errorf("print packet: %w", err)
	}
	return out.Bytes(), nil
}

// bound keeps what is long from needing a second page; the Bundle has it whole.
func (p *page) bound() {
	slices.Sort(p.Sessions)
	for _, list := range []*[]string{&p.Sessions, &p.Client.Reach, &p.Asked.Reasons, &p.From.Lines, &p.To.Lines} {
		const most = 3
		if n := len(*list); n > most {
			*list = append(slices.Clone((*list)[:most]), fmt.Sprintf("and %d more", n-most))
		}
		for i := range *list {
			(*list)[i] = clip((*list)[i])
		}
	}
	for _, s := range []*string{&p.Client.Chosen, &p.Client.Legal, &p.Client.Pronouns, &p.Client.Address, &p.Asked.What, &p.Asked.By,
		&p.Practice, &p.Referral, &p.From.Title, &p.To.Title} {
		*s = clip(*s)
	}
}

func clip(s string) string {
	const most = 60 // runes: a line
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// label reports whether the packet says that it comes from a Part 2 programme.
func label(body []byte) bool {
	var b struct {
		Meta struct{ Security []struct{ Code string } }
	}
	return json.Unmarshal(body, &b) == nil && slices.ContainsFunc(b.Meta.Security, func(s struct{ Code string }) bool { return s.Code == exchange.LabelPart2 })
}

// pronouns are the words by which the client is spoken of.
func pronouns(r fhir.Resource) string {
	var p struct {
		Extension []struct {
			URL       string
			Extension []struct {
				URL   string
				Value fhir.CodeableConcept `json:"valueCodeableConcept"`
			}
		}
	}
	if json.Unmarshal(r.Body, &p) != nil {
		return ""
	}
	for _, e := range p.Extension {
		for _, v := range e.Extension {
			if e.URL == fhir.ExtensionPronouns && v.URL == "value" {
				return concept(&v.Value)
			}
		}
	}
	return ""
}

// add reads one resource of the packet; the bits say which of the three it must hold it was.
func (p *page) add(r fhir.Resource, zone *time.Location) (int, error) {
	switch r.Type {
	case "Patient":
		v, err := fhir.Read[fhir.Patient](r)
		if err != nil {
			return 0, err
		}
		p.client(v, r)
		return 1, nil
	case "Consent":
		v, err := fhir.Read[fhir.Consent](r)
		if err != nil {
			return 0, err
		}
		if v.DateTime != nil {
			p.Release.Signed = day(*v.DateTime)
		}
		if v.Provision != nil && v.Provision.Period != nil {
			p.Release.From, p.Release.To = dayOf(v.Provision.Period.Start), dayOf(v.Provision.Period.End)
		}
		return 2, nil
	case "ServiceRequest":
		v, err := fhir.Read[fhir.ServiceRequest](r)
		if err != nil {
			return 0, err
		}
		p.referral(v)
		return 4, nil
	case "Appointment":
		v, err := fhir.Read[fhir.Appointment](r)
		if err != nil || v.Start == nil {
			return 0, err
		}
		at, err := time.Parse(time.RFC3339, *v.Start)
		if err != nil {
			return 0, err
		}
		words := at.In(zone).Format("2006-01-02 15:04")
		if len(v.ServiceType) > 0 {
			words += " " + concept(&v.ServiceType[0])
		}
		p.Sessions = append(p.Sessions, words)
	}
	return 0, nil
}

func (p *page) client(v fhir.Patient, r fhir.Resource) {
	for _, n := range v.Name {
		words := text(n.Text)
		if words == "" {
			words = strings.TrimSpace(strings.Join(n.Given, " ") + " " + text(n.Family))
		}
		switch use := n.Use; {
		case use != nil && (use.Code() == "usual" || use.Code() == "nickname") && p.Client.Chosen == "":
			p.Client.Chosen = words
		case (use == nil || use.Code() == "official") && p.Client.Legal == "":
			p.Client.Legal = words
		}
	}
	if p.Client.Legal == "" {
		p.Client.Legal = p.Client.Chosen
	}
	p.Client.Pronouns = pronouns(r)
	p.Client.Born = text(v.BirthDate)
	for _, t := range v.Telecom {
		if t.Value == nil || t.System == nil {
			continue
		}
		said := slices.ContainsFunc(p.Client.Reach, func(r string) bool { return strings.HasSuffix(r, " "+*t.Value) })
		if !said { // a number for calls and for messages is one number
			p.Client.Reach = append(p.Client.Reach, t.System.Code()+" "+*t.Value)
		}
		if t.Rank != nil && *t.Rank == 1 {
			p.Client.Prefers = map[string]string{"sms": "text message"}[t.System.Code()] // others by their own word
			if p.Client.Prefers == "" {
				p.Client.Prefers = t.System.Code()
			}
		}
	}
	if len(v.Address) > 0 {
		a := v.Address[0]
		parts := append(slices.Clone(a.Line), text(a.City), strings.TrimSpace(text(a.State)+" "+text(a.PostalCode)))
		p.Client.Address = strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
	}
	for _, id := range fhir.Identifiers(r) {
		switch id.System {
		case fhir.SystemClient:
			p.HubKey = id.Value
		case fhir.SystemCopy, fhir.SystemToken:
		default:
			if p.Practice == "" {
				p.Practice = id.Value
			}
		}
	}
}

func (p *page) referral(v fhir.ServiceRequest) {
	p.Asked.What = concept(v.Code)
	p.Asked.On = dayOf(v.AuthoredOn)
	if v.Priority != nil && v.Priority.Code() != "routine" {
		p.Asked.Priority = v.Priority.Code()
	}
	if v.Requester != nil {
		p.Asked.By = text(v.Requester.Display)
		if id, ok := fhir.IDOf(v.Requester.Identifier); ok && id.System == fhir.SystemNPI {
			p.Asked.By = strings.TrimSpace(p.Asked.By + " NPI " + id.Value)
		}
	}
	for i := range v.ReasonCode {
		p.Asked.Reasons = append(p.Asked.Reasons, concept(&v.ReasonCode[i]))
	}
	for i := range v.Identifier {
		if id, ok := fhir.IDOf(&v.Identifier[i]); ok && id.System != fhir.SystemCopy && p.Referral == "" {
			p.Referral = id.Value
		}
	}
}

// words are what the hub's own codes mean to a reader.
var words = map[string]string{
	fhir.CodeEvaluation:     "Evaluation and clearance for ketamine-assisted psychotherapy",
	fhir.SessionPreparation: "preparation", fhir.SessionDosing: "dosing",
}

func concept(c *fhir.CodeableConcept) string {
	if c == nil {
		return ""
	}
	for _, k := range c.Coding {
		if k.Code != nil && k.System != nil && strings.HasPrefix(*k.System, fhir.Base) && words[*k.Code] != "" {
			return words[*k.Code]
		}
	}
	if s := text(c.Text); s != "" {
		return s
	}
	for _, k := range c.Coding {
		if s := strings.TrimSpace(text(k.Code) + " " + text(k.Display)); s != "" {
			return s
		}
	}
	return ""
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return strings.TrimSpace(*s)
}

func dayOf(s *string) string { return day(text(s)) }

// day is the date of a FHIR time.
func day(s string) string { return s[:min(len(s), len(time.DateOnly))] }
