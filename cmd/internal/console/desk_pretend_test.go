package console

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

const day = 24 * time.Hour

// pretendDesk is a desk over charts in memory: what is entered stands in them at once.
type pretendDesk struct {
	full int // after how many slips nothing more can be kept; 0 = never
	*testing.T
	parties  []desk.Party
	policy   readiness.Policy
	deciders []desk.Person
	clients  map[string]*pretendClient
	slips    []exchange.Slip
	noted    []string // who looked at what
	told     []string // whose questions were noted as sent
	draft    Draft
	now      time.Time
}

type pretendClient struct {
	course   *fhirtest.Course
	versions []fhir.Version
	count    map[fhir.Key]int64
}

func newPretendDesk(t *testing.T) *pretendDesk {
	skylight := desk.Party{Name: fhirtest.Prescriber, Title: "Skylight", Identifier: fhirtest.PrescriberNPI}
	p := &pretendDesk{T: t, clients: map[string]*pretendClient{}, now: now, parties: []desk.Party{skylight},
		deciders: []desk.Person{{Name: "Dr. Imaginary", ID: fhirtest.DeciderNPI}},
		policy: readiness.Policy{
			Hash:       "one",
			Practice:   readiness.Party{Name: fhir.Practice, Title: "Reverie", Sources: []string{fhirtest.PracticeSource}, Desk: desk.Source(fhir.Practice)},
			Prescriber: readiness.Party{Name: fhirtest.Prescriber, Title: "Skylight", Identifiers: []fhir.ID{fhirtest.PrescriberNPI}, Desk: desk.Source(fhirtest.Prescriber)},
			Zone:       denver, Consents: []fhir.Code{{System: fhir.SystemKAP, Code: fhir.CodeTreatmentConsent}},
			Sheet: readiness.Sheet{Deciders: []fhir.ID{fhirtest.DeciderNPI}, ClearanceValidity: readiness.Is(90 * day)}, Rules: readiness.DefaultRules(),
		}}
	for i, key := range []string{"c-robin", "c-kim"} {
		c := fhirtest.Nth(i+1, now)
		c.Client = key
		p.clients[key] = &pretendClient{course: c, count: map[fhir.Key]int64{}, versions: []fhir.Version{
			c.DaysBefore(80).PatientHere(), c.DaysBefore(60).Dosing(c.Session), c.DaysBefore(60).Dosing(now.Add(-10*day), fhirtest.Set("id", "over-"+key))}}
	}
	return p
}

func (p *pretendDesk) chart(client string) (fhir.Chart, error) {
	c := p.clients[client]
	if c == nil {
		return fhir.Chart{}, exchange.ErrNotFound
	}
	links := []fhir.Link{{Client: client, Source: fhirtest.PracticeSource, Patient: c.course.Patient, How: "enrolled", Moment: 1, ReadBack: true}}
	for _, source := range []string{desk.Source(fhir.Practice), desk.Source(fhirtest.Prescriber)} {
		links = append(links, fhir.Link{Client: client, Source: source, Patient: client, How: "identifier", Moment: 1})
	}
	return fhir.NewChart(client, fhir.Moment(2000+len(c.versions)), c.versions, links, fhirtest.Sources(p.now), nil), nil
}

func (p *pretendDesk) About(_ context.Context, by, client, prescriber string) (entry.About, error) {
	chart, err := p.chart(client)
	if err != nil || !slices.ContainsFunc(p.parties, func(one desk.Party) bool { return one.Name == prescriber }) {
		return entry.About{}, exchange.ErrNotFound
	}
	if by != "" {
		p.noted = append(p.noted, by+" looks at the desk of "+client)
	}
	practice := desk.Party{Name: fhir.Practice, Title: "Reverie"}
	return entry.About{Chart: chart, Policy: p.policy, Now: p.now, Parties: []desk.Party{practice, p.parties[0]}, Deciders: p.deciders,
		Book: desk.Book{Practice: practice, Prescriber: p.parties[0], Medicine: "ketamine lozenge", Zone: denver}}, nil
}

func (p *pretendDesk) Entries(_ context.Context, by, client string) ([]entry.Entered, error) {
	chart, err := p.chart(client)
	p.noted = append(p.noted, by+" looks at the entries of "+client)
	list := entry.List(chart, []readiness.Policy{p.policy})
	entry.Tell(list, p.slips, denver)
	return list, err
}

func (p *pretendDesk) Enter(_ context.Context, by string, slips []exchange.Slip) (Saved, error) {
	if p.full > 0 && len(p.slips) >= p.full {
		return Saved{}, errors.New("the disk is full")
	}
	for _, s := range slips {
		if _, err := p.Entry(context.Background(), s.Entry); err == nil {
			return Saved{}, exchange.ErrConflict
		}
		if s.Actor != by {
			p.Errorf("%s enters what %s made", by, s.Actor)
		}
	}
	p.slips = append(p.slips, slips...)
	p.now = p.now.Add(time.Minute)
	if slips[0].Client == "" {
		return Saved{}, nil
	}
	c := p.clients[slips[0].Client]
	for _, s := range slips {
		party := fhir.Practice
		if s.Source != desk.Source(fhir.Practice) {
			party = fhirtest.Prescriber
		}
		for _, r := range s.Records {
			key := fhir.Key{Source: s.Source, Type: r.Type, ID: r.ID}
			c.count[key]++
			c.versions = append(c.versions, fhir.Version{Key: key, Party: party, N: c.count[key], Moment: fhir.Moment(1000 + len(c.versions)), Received: s.At, Resource: r})
		}
	}
	return Saved{Verdicts: []readiness.Verdict{verdict(slips[0].Client, "", "Dana", now, readiness.InOrder)}}, nil
}

func (p *pretendDesk) Entry(_ context.Context, id string) ([]exchange.Slip, error) {
	of := slices.DeleteFunc(slices.Clone(p.slips), func(s exchange.Slip) bool { return s.Entry != id })
	if len(of) == 0 {
		return nil, exchange.ErrNotFound
	}
	return of, nil
}

func (p *pretendDesk) Find(_ context.Context, by, word string) ([]fhir.Chart, error) {
	p.noted = append(p.noted, by+" looks for somebody")
	if word == "e" {
		return nil, ErrTooMany
	}
	var fit []fhir.Chart
	for _, key := range []string{"c-robin", "c-kim"} {
		chart, err := p.chart(key)
		if err != nil {
			return nil, err
		}
		if word == key || strings.Contains(strings.ToLower(readiness.ChosenName(chart)), strings.ToLower(word)) || word == "everybody" {
			fit = append(fit, chart)
		}
	}
	return fit, nil
}

func (p *pretendDesk) Called(_ context.Context, text string) (all []entry.Called, err error) {
	for key := range p.clients {
		chart, err := p.chart(key)
		if err != nil {
			return nil, err
		}
		for _, one := range fhir.Now(chart.Patients) {
			if name := entry.CalledIn(text, one.Value); name != "" {
				all = append(all, entry.Called{Client: key, Name: name})
			}
		}
	}
	return all, nil
}

func (p *pretendDesk) Prescribers(context.Context, string) ([]desk.Party, error) {
	return p.parties, nil
}

func (p *pretendDesk) Waiting(_ context.Context, by people.Hand) ([]Awaiting, error) {
	var all []Awaiting
	for _, key := range []string{"c-robin", "c-kim"} {
		chart, err := p.chart(key)
		if err != nil {
			return nil, err
		}
		for _, e := range entry.Waiting(chart, []readiness.Policy{p.policy}) {
			one := Awaiting{Entered: e, Chart: chart, Title: "Skylight"}
			of, err := p.Entry(context.Background(), e.ID)
			if err != nil {
				return nil, err
			}
			if people.Second(nil, people.Hand(desk.WriterOf(of[0])), by) != nil {
				one.Cannot = "it is their own"
			}
			for _, r := range of[0].Records {
				if r.Type == "Observation" {
					one.Shown, err = desk.Shown(r)
				}
				if r.Type == "MedicationRequest" {
					one.Directions, err = entry.DirectionsOf(r)
				}
				if err != nil {
					return nil, err
				}
			}
			all = append(all, one)
		}
	}
	return all, nil
}

func (p *pretendDesk) Confirming(_ context.Context, by people.Hand, of, id string) ([]exchange.Slip, error) {
	was, err := p.Entry(context.Background(), of)
	if err != nil {
		return nil, err
	}
	a, err := p.About(context.Background(), "", was[0].Client, p.parties[0].Name)
	if err != nil {
		return nil, err
	}
	for _, e := range entry.Waiting(a.Chart, []readiness.Policy{p.policy}) {
		for _, r := range was[0].Records {
			if e.ID == of && r.Type == "Observation" {
				return a.Book.Confirm(desk.Note{Entry: id, Client: was[0].Client, At: p.now}.Signed(desk.Writer(by)), &fhir.Version{Key: fhir.Key{Source: was[0].Source, Type: r.Type, ID: r.ID}, Resource: r})
			}
		}
	}
	return nil, &Refused{errors.New("it waits for nobody")}
}

func (p *pretendDesk) Undoing(_ context.Context, by people.Hand, of, id, why string) ([]exchange.Slip, error) {
	was, err := p.Entry(context.Background(), of)
	if err != nil {
		return nil, err
	}
	var records []desk.Told
	for _, r := range was[0].Records {
		if r.Type != "Patient" && r.Type != "Provenance" {
			records = append(records, desk.Told{Now: &fhir.Version{Key: fhir.Key{Source: was[0].Source, Type: r.Type, ID: r.ID}, Resource: r}})
		}
	}
	slip, err := desk.Book{Zone: denver}.Undo(desk.Note{Entry: id, Client: was[0].Client, At: p.now}.Signed(desk.Writer(by)), desk.Party{Name: cmp.Or(strings.TrimPrefix(strings.TrimPrefix(was[0].Source, "desk"), "-"), fhir.Practice)}, why, records)
	return []exchange.Slip{slip}, err
}

func (p *pretendDesk) Draft(_ context.Context, by, _ string, clinical bool) (Draft, error) {
	p.noted = append(p.noted, by+" looks at the questions")
	d := p.draft
	if clinical {
		d.Left = 0
	}
	return d, nil
}

func (p *pretendDesk) Sent(_ context.Context, by, prescriber string, _ bool, digest string) (bool, error) {
	if digest != p.draft.Digest {
		return false, exchange.ErrConflict
	}
	if p.draft.Same {
		return true, nil
	}
	p.draft.Same, p.draft.Sent, p.draft.Told = true, p.now, p.draft.Clients
	p.told = append(p.told, by+" sent the questions to "+prescriber)
	return false, nil
}

func (p *pretendDesk) Unsent(_ context.Context, by, prescriber string) error {
	if p.draft.Sent.IsZero() {
		return exchange.ErrNotFound
	}
	p.draft.Same, p.draft.Sent, p.draft.Told = false, time.Time{}, 0
	p.told = append(p.told, by+" took back the questions to "+prescriber)
	return nil
}

func (p *pretendDesk) LastRead(_ context.Context, prescriber string) (last []exchange.Slip, err error) {
	for _, s := range slices.Backward(p.slips) {
		if s.Kind == desk.KindRead && s.Source == desk.Source(prescriber) {
			last = append(last, s)
		}
	}
	return last, nil
}
