package readiness

import (
	"strings"

	"github.com/kaphub/kaphub/fhir"
)

// Person is who a source of the practice says the client is.
type Person struct {
	Source string
	Names  []string // the chosen one first; a legal or former one says so
	Birth  string

	Identifiers []fhir.ID // business identifiers: record numbers, and the like
}

// People returns the client as each of the practice's sources knows them now, for the person who compares records: the
// only place where a legal name is shown beside a chosen one.
func People(chart fhir.Chart) []Person { return PeopleAt(chart, fhir.Practice) }

// PeopleAt returns the client as each of a party's sources knows them now: of a prescriber's, only what stands in a record
// that is linked.
func PeopleAt(chart fhir.Chart, party string) (people []Person) {
	for _, seen := range fhir.Now(fhir.Of(party, chart.Patients)) {
		p := Person{Source: seen.Source, Birth: text(seen.Value.BirthDate), Identifiers: business(seen.Value.Identifier)}
		first := chosen(seen.Value)
		if first != "" {
			p.Names = append(p.Names, first)
		}
		for _, n := range seen.Value.Name {
			said := text(n.Text)
			if said == "" {
				said = strings.TrimSpace(strings.Join(n.Given, " ") + " " + text(n.Family))
			}
			if said == "" || said == first {
				continue
			}
			if n.Use != nil {
				said += " (" + map[string]string{"official": "legal", "usual": "chosen"}[n.Use.Code()] + ")"
				said = strings.Replace(said, "()", "("+n.Use.Code()+")", 1)
			}
			p.Names = append(p.Names, said)
		}
		if p.Birth != "" || p.Names != nil {
			people = append(people, p)
		}
	}
	return people
}
