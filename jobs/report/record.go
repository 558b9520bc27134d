package report

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Record is one version of a record as a person reads it: whose it is, how it came, and what it says.
type Record struct {
	Basis    fhir.Basis
	Title    string    // of the party whose record it is
	Kind     string    // "Prescription": by its type and the practice's own codes alone, never by a word of the record
	Says     []Said    // what it says, in the order of the table below
	Recorded time.Time // by its owner's system
	Received time.Time // by the hub
	By       string    // who entered it by hand; "" = it was read from a system
	Told     string    // of an entry: how it came to whoever entered it, "phone"; "" = not said
	From     string    // of an entry: who said it
	Gone     bool      // its source has it no more
	Why      string    // with Gone
	Newer    bool      // a newer version of it is known
}

// Said is one thing that a record says.
type Said struct {
	Name, Value string

	Open  bool // it tells of no dose, reading, score or event: whoever may see the client may read it
	Legal bool // it is the client's name as their papers have it: shown only where it is found out who is who
}

// Open are the things that a record says and that whoever may see the client may read.
func (r Record) Open() []Said {
	return slices.DeleteFunc(slices.Clone(r.Says), func(s Said) bool { return !s.Open })
}

// Records words the records of one client.
type Records struct {
	chart  *fhir.Chart
	titles map[string]string
	zone   *time.Location
	by     map[fhir.Basis]*fhir.Version
	newest map[fhir.Key]int64
	author map[string]authored // by source/Type/id/_history/versionId
	names  map[string]string   // of organizations, by Organization/id
	whose  map[fhir.ID]string  // of people and houses, "" where two names have one number
}

type authored struct{ by, medium, from string }

// NewRecords indexes a chart. titles are the parties as shown; names are whom the settings know by a number.
func NewRecords(chart *fhir.Chart, titles map[string]string, names map[fhir.ID]string, zone *time.Location) *Records {
	r := &Records{chart: chart, titles: titles, zone: cmp.Or(zone, time.UTC), by: map[fhir.Basis]*fhir.Version{}, newest: map[fhir.Key]int64{}, author: map[string]authored{},
		names: map[string]string{}, whose: map[fhir.ID]string{}}
	for _, o := range chart.Organizations {
		if !o.Gone {
			r.names[o.Ref().String()] = text(o.Value.Name)
		}
	}
	var directory []*fhir.Version
	directory = versions(directory, chart.Practitioners)
	directory = versions(directory, chart.PractitionerRoles)
	directory = versions(directory, chart.Organizations)
	directory = versions(directory, chart.Medications)
	for _, v := range slices.Concat(r.All(), directory) {
		r.by[v.Basis()] = v
		r.newest[v.Key] = max(r.newest[v.Key], v.N)
	}
	for _, p := range chart.Provenances {
		if !p.Gone {
			r.enters(p)
		}
	}
	for _, p := range fhir.Now(chart.Practitioners) {
		for i := range p.Value.Identifier {
			if id, ok := fhir.IDOf(&p.Value.Identifier[i]); ok {
				r.known(id, fhir.PersonName(p.Value))
			}
		}
	}
	maps.Copy(r.whose, names)
	return r
}

// known notes whose a number is.
func (r *Records) known(id fhir.ID, name string) {
	if was, ok := r.whose[id]; ok && was != name {
		name = ""
	}
	r.whose[id] = name
}

func (r *Records) enters(p fhir.Seen[fhir.Provenance]) {
	var a authored
	for _, agent := range p.Value.Agent {
		name := text(agent.Who.Display)
		switch id := agent.Who.Identifier; {
		case id != nil && id.Value != nil && text(id.System) == fhir.SystemActor:
			a.by = cmp.Or(name, *id.Value)
		case agent.OnBehalfOf != nil:
			a.from = name
		}
	}
	for _, e := range p.Value.Entity {
		if id := e.What.Identifier; id != nil && text(id.System) == fhir.SystemMedium {
			a.medium = text(id.Value)
		}
	}
	for _, t := range p.Value.Target {
		r.author[p.Source+"/"+text(t.Reference)] = a
	}
}

// All returns every version of the client's own records, oldest first.
func (r *Records) All() []*fhir.Version {
	var all []*fhir.Version
	c := r.chart
	all = versions(all, c.Patients)
	all = versions(all, c.Consents)
	all = versions(all, c.ServiceRequests)
	all = versions(all, c.Tasks)
	all = versions(all, c.Appointments)
	all = versions(all, c.Observations)
	all = versions(all, c.MedicationRequests)
	all = versions(all, c.MedicationDispenses)
	all = versions(all, c.MedicationAdministrations)
	all = versions(all, c.Procedures)
	all = versions(all, c.Encounters)
	all = versions(all, c.Flags)
	all = versions(all, c.CarePlans)
	all = versions(all, c.Goals)
	all = versions(all, c.Conditions)
	all = versions(all, c.MedicationStatements)
	all = versions(all, c.AdverseEvents)
	all = versions(all, c.DiagnosticReports)
	all = versions(all, c.DocumentReferences)
	all = append(all, c.Unread...)
	slices.SortStableFunc(all, func(a, b *fhir.Version) int {
		return cmp.Or(cmp.Compare(a.Moment, b.Moment), a.Received.Compare(b.Received), strings.Compare(a.String(), b.String()), cmp.Compare(a.N, b.N))
	})
	return slices.CompactFunc(all, func(a, b *fhir.Version) bool { return a.Key == b.Key && a.N == b.N })
}

func versions[T any](all []*fhir.Version, list []fhir.Seen[T]) []*fhir.Version {
	for _, s := range list {
		if s.Container == nil { // what another record carries is told with that one
			all = append(all, s.Version)
		}
	}
	return all
}

// Of words the version that a decision rests on. ok is false when it is not in the chart: then only its name is told.
func (r *Records) Of(b fhir.Basis) (out Record, ok bool) {
	v, ok := r.by[b]
	if !ok {
		return Record{Basis: b, Title: r.title(b.Party), Kind: kindOf(b.Type, nil)}, false
	}
	return r.Word(v), true
}

// Word words one version.
func (r *Records) Word(v *fhir.Version) Record {
	out := Record{Basis: v.Basis(), Title: r.title(v.Party), Recorded: v.Recorded(), Received: v.Received, Gone: v.Gone, Why: v.Why, Newer: r.newest[v.Key] > v.N}
	a := r.author[v.Source+"/"+v.Ref().String()+"/_history/"+v.Resource.VersionID]
	out.By, out.Told, out.From = a.by, a.medium, a.from
	var body map[string]any
	if !v.Gone {
		_ = json.Unmarshal(v.Resource.Body, &body) // it passed the gate
	}
	out.Kind = kindOf(v.Type, body)
	for _, row := range tells[v.Type] {
		value := r.value(body, row)
		if value != "" && !strings.EqualFold(value, out.Kind) { // what it is stands above
			out.Says = append(out.Says, Said{Name: row.name, Value: value, Open: row.open, Legal: row.form == personName && v.Type == "Patient"})
		}
	}
	return out
}

func (r *Records) title(party string) string { return cmp.Or(r.titles[party], party) }
